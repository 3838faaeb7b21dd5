//! What lies below some arrays, in the order of a program, found without copying any of it.
//!
//! An evaluation that was seen before needs no program, only to know that it has the same one: a walk
//! has its hash and can be compared with it. Nothing here recurses.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::Arc;

use rustc_hash::{FxBuildHasher, FxHasher};
use smallvec::SmallVec;

use super::{Args, Array, Bindings, Expr, InputMeta, Node, Parts, Prim, Program};
use crate::buffer::Storage;
use crate::call::Call;
use crate::dtype::{DType, Scalar};

/// The nodes below some arrays, and what they are bound to.
pub struct Walk {
    visits: Vec<Visit>,
    bindings: Bindings,
    outputs: SmallVec<[u32; 2]>,
    hasher: FxHasher,
}

/// A node of the program to be.
struct Visit {
    array: Array,
    role: Role,
    args: SmallVec<[u32; 3]>,
    slot: u32,
}

/// What a node is to the program.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Memory, whatever it was computed by.
    Input,
    /// A 0-d value, an argument.
    Scalar,
    /// What its [`Prim`] says.
    Own,
}

/// Places by key: a list while it is short, which most are, and a table from then on.
///
/// What a user chooses is hashed so that nobody can choose a slow one.
struct Places<K, S = RandomState> {
    list: SmallVec<[(K, u32); 16]>,
    table: HashMap<K, u32, S>,
}

impl<K: Copy + Eq + Hash, S: BuildHasher + Default> Places<K, S> {
    fn new() -> Self {
        Self { list: SmallVec::new(), table: HashMap::default() }
    }

    fn find(&self, key: K) -> Option<u32> {
        if self.table.is_empty() {
            return self.list.iter().find(|e| e.0 == key).map(|e| e.1);
        }
        self.table.get(&key).copied()
    }

    fn insert(&mut self, key: K, place: u32) {
        if self.table.is_empty() && self.list.len() < self.list.inline_size() {
            self.list.push((key, place));
            return;
        }
        self.table.extend(self.list.drain(..));
        self.table.insert(key, place);
    }
}

/// A walk while it goes on.
struct Walker {
    walk: Walk,
    /// Nodes seen, by identity.
    seen: Places<*const Expr, FxBuildHasher>,
    /// Nodes seen that are none of the program's own: their addresses must not come back while they are
    /// keys, though another thread may evaluate what holds them.
    alive: Vec<Array>,
    /// Inputs seen, by place and layout, so that one buffer captured twice is read once.
    inputs: Places<(usize, u64), FxBuildHasher>,
    /// Scalars seen, by value: equal ones share an argument.
    scalars: Places<Scalar>,
    /// Functions seen, by identity.
    calls: Places<*const (), FxBuildHasher>,
    /// Functions seen that are one with others, by what they have in common.
    keys: HashMap<String, u32>,
}

impl Walk {
    /// Walks what lies below `outputs`. Traced arguments stay [`Prim::Param`] nodes.
    pub fn new(outputs: &[Array]) -> Self {
        let mut walker = Walker {
            walk: Walk {
                visits: Vec::with_capacity(16),
                bindings: Bindings::default(),
                outputs: SmallVec::new(),
                hasher: FxHasher::default(),
            },
            seen: Places::new(),
            alive: Vec::new(),
            inputs: Places::new(),
            scalars: Places::new(),
            calls: Places::new(),
            keys: HashMap::new(),
        };
        for output in outputs {
            let place = walker.add(output);
            walker.walk.outputs.push(place);
        }
        walker.walk.outputs.hash(&mut walker.walk.hasher);
        walker.walk
    }

    /// How many nodes the program has.
    pub fn len(&self) -> usize {
        self.visits.len()
    }

    /// A hash of the program: equal programs have equal ones.
    pub fn hash(&self) -> u64 {
        self.hasher.finish()
    }

    /// Whether the program has no nodes.
    pub fn is_empty(&self) -> bool {
        self.visits.is_empty()
    }

    /// What the program runs on.
    pub fn into_bindings(self) -> Bindings {
        self.bindings
    }

    /// Whether this is the walk of an equal program.
    pub fn is(&self, program: &Program) -> bool {
        let Bindings { inputs, scalars, calls } = &self.bindings;
        self.visits.len() == program.nodes.len()
            && scalars.len() == program.scalars
            && self.outputs[..] == program.outputs[..]
            && self.visits.iter().zip(&program.nodes).all(|(visit, node)| visit.is(node))
            && inputs.iter().zip(&program.inputs).all(|(input, meta)| meta.is_of(input))
            && calls.iter().map(|c| c.name()).eq(program.calls.iter().map(|name| &**name))
    }

    /// The program, and what it runs on.
    pub fn into_program(self) -> (Program, Bindings) {
        let program = Program {
            nodes: self.visits.into_iter().map(Visit::into_node).collect(),
            inputs: self.bindings.inputs.iter().map(InputMeta::of).collect(),
            scalars: self.bindings.scalars.len(),
            calls: self.bindings.calls.iter().map(|c| c.name().into()).collect(),
            outputs: self.outputs.to_vec(),
        };
        (program, self.bindings)
    }
}

impl Program {
    /// The hash that a walk of an equal program has.
    pub fn hash(&self) -> u64 {
        let mut state = FxHasher::default();
        for Node { prim, args, slot, dtype, shape, .. } in &self.nodes {
            hash_node(&mut state, prim, args, *slot, (*dtype, shape));
        }
        self.outputs.hash(&mut state);
        state.finish()
    }
}

impl Visit {
    fn prim(&self) -> &Prim {
        match self.role {
            Role::Input => &Prim::Input,
            Role::Scalar => &Prim::Scalar,
            Role::Own => self.array.prim(),
        }
    }

    fn is(&self, node: &Node) -> bool {
        self.slot == node.slot
            && self.array.dtype() == node.dtype
            && self.args == node.args
            && self.array.shape() == &node.shape
            && *self.prim() == node.prim
    }

    fn into_node(self) -> Node {
        Node {
            prim: self.prim().clone(),
            args: self.args,
            dtype: self.array.dtype(),
            shape: self.array.shape().clone(),
            slot: self.slot,
            span: self.array.span(),
        }
    }
}

/// Adds a node to the hash of its program: what distinguishes most programs, since all else is compared.
fn hash_node(state: &mut FxHasher, prim: &Prim, args: &[u32], slot: u32, typed: (DType, &[usize])) {
    std::mem::discriminant(prim).hash(state);
    match prim {
        Prim::Map(op) => op.hash(state),
        Prim::Index(items) => items.hash(state),
        Prim::Reduce { fold, axes, .. } => (fold, axes).hash(state),
        _ => {}
    }
    let args = args.iter().fold(typed.0 as u64, |all, &a| (all << 16) ^ u64::from(a));
    state.write_u64(args ^ u64::from(slot) << 56);
    for &n in typed.1 {
        state.write_usize(n);
    }
}

/// The layout of memory, as a key.
fn layout(storage: &Storage) -> u64 {
    let mut state = FxHasher::default();
    (storage.dtype, &storage.shape, &storage.strides).hash(&mut state);
    state.finish()
}

impl Walker {
    fn place(&self, array: &Array) -> Option<u32> {
        self.seen.find(Arc::as_ptr(&array.0))
    }

    /// The place of `array`, adding it and what lies below it.
    fn add(&mut self, array: &Array) -> u32 {
        if let Some(place) = self.place(array) {
            return place;
        }
        // Nodes whose operands are being added, each with the number of those that are there.
        let mut open: SmallVec<[(Array, Parts, usize); 8]> = SmallVec::new();
        open.push((array.clone(), array.parts(), 0));
        loop {
            let Some((_, parts, next)) = open.last_mut() else { unreachable!("ends below") };
            if let Some(operand) = parts.args.get(*next) {
                *next += 1;
                if self.place(operand).is_none() {
                    let operand = operand.clone();
                    let parts = operand.parts();
                    if parts.args.is_empty() {
                        self.push(operand, &parts);
                    } else {
                        open.push((operand, parts, 0));
                    }
                }
                continue;
            }
            let Some((array, parts, _)) = open.pop() else { unreachable!("it was there") };
            let place = self.push(array, &parts);
            if open.is_empty() {
                return place;
            }
        }
    }

    /// Adds a node whose operands are there.
    fn push(&mut self, array: Array, Parts { args, call }: &Parts) -> u32 {
        let address = Arc::as_ptr(&array.0);
        match self.known(&array, args, call.as_ref()) {
            Ok(place) => {
                self.seen.insert(address, place);
                self.alive.push(array);
                place
            }
            Err((role, slot)) => {
                let args = match role {
                    Role::Own => args.iter().filter_map(|a| self.place(a)).collect(),
                    _ => SmallVec::new(),
                };
                let visit = Visit { array, role, args, slot };
                let typed = (visit.array.dtype(), &visit.array.shape()[..]);
                hash_node(&mut self.walk.hasher, visit.prim(), &visit.args, slot, typed);
                let place = self.walk.visits.len() as u32;
                self.walk.visits.push(visit);
                self.seen.insert(address, place);
                place
            }
        }
    }

    /// The place of an equal leaf; else what the node is, and its number among its like.
    fn known(
        &mut self,
        array: &Array,
        args: &Args,
        call: Option<&Arc<dyn Call>>,
    ) -> Result<u32, (Role, u32)> {
        let fresh = self.walk.visits.len() as u32;
        if !args.is_empty() || call.is_some() {
            return Err((Role::Own, call.map_or(0, |call| self.call(call))));
        }
        // A single value in memory is as good as a scalar argument, and known before any loop.
        let value = array.0.value.get();
        let single =
            value.filter(|v| v.shape.is_empty() && !v.dtype.is_complex()).map(Storage::read_scalar);
        let bindings = &mut self.walk.bindings;
        if let Some(scalar) = single.or_else(|| array.as_scalar()) {
            if let Some(place) = self.scalars.find(scalar) {
                return Ok(place);
            }
            self.scalars.insert(scalar, fresh);
            bindings.scalars.push(scalar);
            return Err((Role::Scalar, bindings.scalars.len() as u32 - 1));
        }
        let Some(storage) = value else { return Err((Role::Own, 0)) };
        let key = (storage.ptr as usize, layout(storage));
        if let Some(place) = self.inputs.find(key) {
            let known = &bindings.inputs[self.walk.visits[place as usize].slot as usize];
            if InputMeta::of(storage).is_of(known) {
                return Ok(place);
            }
        }
        self.inputs.insert(key, fresh);
        bindings.inputs.push(storage.clone());
        Err((Role::Input, bindings.inputs.len() as u32 - 1))
    }

    /// The number of a function; the same one keeps its number, and so do those with one key.
    fn call(&mut self, call: &Arc<dyn Call>) -> u32 {
        let address: *const () = Arc::as_ptr(call).cast();
        if let Some(number) = self.calls.find(address) {
            return number;
        }
        let calls = &mut self.walk.bindings.calls;
        let fresh = calls.len() as u32;
        let number = match call.key() {
            Some(key) => *self.keys.entry(key.into_owned()).or_insert(fresh),
            None => fresh,
        };
        if number == fresh {
            calls.push(call.clone());
        }
        self.calls.insert(address, number);
        number
    }
}
