//! An expression as a straight list of nodes: what plans are made from and looked up by.
//!
//! The list holds no data: memory, scalar values and opaque functions become numbered arguments, bound
//! apart. Two evaluations that differ only in them have equal programs, so a plan is made once.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use smallvec::SmallVec;

use super::{Array, Parts, Prim, Span, infer_shape};
use crate::buffer::Storage;
use crate::call::Call;
use crate::dtype::{DType, Scalar};
use crate::error::{Error, Result};
use crate::shape::{Shape, Strides};

/// A straight-line program; operands come before their users.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Program {
    /// The nodes.
    pub nodes: Vec<Node>,
    /// What the plan may know of each input.
    pub inputs: Vec<InputMeta>,
    /// How many scalar arguments there are.
    pub scalars: usize,
    /// The names of the functions that it calls.
    pub calls: Vec<Arc<str>>,
    /// The nodes that are wanted.
    pub outputs: Vec<u32>,
}

/// What a plan may know of an input: its layout, not its place.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct InputMeta {
    /// The elements.
    pub dtype: DType,
    /// The shape.
    pub shape: Shape,
    /// Byte strides.
    pub strides: Strides,
}

impl InputMeta {
    /// The layout of a view of memory.
    pub fn of(storage: &Storage) -> Self {
        Self {
            dtype: storage.dtype,
            shape: storage.shape.clone(),
            strides: storage.strides.clone(),
        }
    }
}

/// A node of a program.
#[derive(Clone, Debug)]
pub struct Node {
    /// What it does.
    pub prim: Prim,
    /// Its operands, by place.
    pub args: SmallVec<[u32; 3]>,
    /// Its elements.
    pub dtype: DType,
    /// Its shape.
    pub shape: Shape,
    /// For inputs, scalars and calls: which argument.
    pub slot: u32,
    /// Where the user made it; not part of its identity.
    pub span: Span,
}

impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.prim == other.prim
            && self.args == other.args
            && self.dtype == other.dtype
            && self.shape == other.shape
            && self.slot == other.slot
    }
}

impl Eq for Node {}

impl Hash for Node {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.prim, &self.args, self.dtype, &self.shape, self.slot).hash(state);
    }
}

/// The arguments of a program, in order.
#[derive(Clone, Default)]
pub struct Bindings {
    /// Its inputs.
    pub inputs: Vec<Storage>,
    /// Its scalars.
    pub scalars: Vec<Scalar>,
    /// The functions that it calls.
    pub calls: Vec<Arc<dyn Call>>,
}

impl Program {
    /// The program that computes `outputs`, and the arguments it runs on.
    ///
    /// Traced arguments stay [`Prim::Param`] nodes.
    pub fn new(outputs: &[Array]) -> (Program, Bindings) {
        let mut builder = Builder::default();
        let outputs = outputs.iter().map(|a| builder.add(a)).collect();
        let Builder { mut program, bindings, .. } = builder;
        program.outputs = outputs;
        program.scalars = bindings.scalars.len();
        (program, bindings)
    }

    /// The same program for inputs of other shapes and layouts; `calls` are the functions bound to it.
    ///
    /// # Errors
    /// Those that recording it for these shapes would give; `Trace` for a call whose result would get
    /// another dtype.
    pub fn reshaped(&self, inputs: Vec<InputMeta>, calls: &[Arc<dyn Call>]) -> Result<Program> {
        let mut nodes: Vec<Node> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            let own = match node.prim {
                Prim::Input => &inputs[node.slot as usize].shape,
                _ => &node.shape,
            };
            let shape = {
                let args: SmallVec<[&[usize]; 3]> =
                    node.args.iter().map(|&a| nodes[a as usize].shape.as_slice()).collect();
                match node.prim {
                    Prim::Call => self.called(node, &args, calls)?,
                    _ => infer_shape(&node.prim, &args, own)?,
                }
            };
            crate::shape::count(&shape)?;
            nodes.push(Node { shape, ..node.clone() });
        }
        Ok(Program { nodes, inputs, ..self.clone() })
    }

    /// The shape that a call gives for operands of other shapes.
    fn called(&self, node: &Node, args: &[&[usize]], calls: &[Arc<dyn Call>]) -> Result<Shape> {
        let known = || node.args.iter().map(|&a| &self.nodes[a as usize]);
        if known().map(|n| n.shape.as_slice()).eq(args.iter().copied()) {
            return Ok(node.shape.clone());
        }
        let call = calls.get(node.slot as usize);
        let call =
            call.ok_or_else(|| Error::bug("a program without the function that it calls"))?;
        let operands: SmallVec<[(DType, &[usize]); 3]> =
            known().map(|n| n.dtype).zip(args.iter().copied()).collect();
        let (dtype, shape) = super::call::infer(&**call, &operands)?;
        if dtype != node.dtype {
            return Err(Error::trace(format!(
                "{}: gives {dtype} for these lengths, but {} for those that it was traced with",
                call.name(),
                node.dtype
            )));
        }
        Ok(shape)
    }
}

#[derive(Default)]
struct Builder {
    program: Program,
    bindings: Bindings,
    /// The nodes seen: another thread may evaluate one and so let go of its operands, whose
    /// addresses must not come back while they are keys.
    alive: Vec<Array>,
    /// Nodes seen, by identity.
    seen: HashMap<*const super::Expr, u32>,
    /// Inputs seen, by place and layout, so that one buffer captured twice is read once.
    inputs: HashMap<(usize, InputMeta), u32>,
    /// Scalars seen, by value: equal ones share an argument.
    scalars: HashMap<Scalar, u32>,
    /// Functions seen, by identity.
    calls: HashMap<*const (), u32>,
    /// Functions seen that are one with others, by what they have in common.
    keys: HashMap<String, u32>,
}

impl Builder {
    /// The place of `array`, adding it and what lies below it (in a loop, not by recursion).
    fn add(&mut self, array: &Array) -> u32 {
        let mut stack: Vec<(Array, Option<Parts>)> = vec![(array.clone(), None)];
        while let Some((top, parts)) = stack.pop() {
            if self.seen.contains_key(&Arc::as_ptr(&top.0)) {
                continue;
            }
            match parts {
                // First visit: operands first, then this node again with the operands it had.
                None => {
                    let parts = top.parts();
                    let args = parts.args.clone();
                    stack.push((top, Some(parts)));
                    stack.extend(args.into_iter().rev().map(|a| (a, None)));
                }
                Some(parts) => {
                    let at = self.push(&top, &parts);
                    self.seen.insert(Arc::as_ptr(&top.0), at);
                    self.alive.push(top);
                }
            }
        }
        self.seen[&Arc::as_ptr(&array.0)]
    }

    fn push(&mut self, array: &Array, parts: &Parts) -> u32 {
        let Parts { args, call } = parts;
        let mut node = Node {
            prim: array.prim().clone(),
            args: SmallVec::new(),
            dtype: array.dtype(),
            shape: array.shape().clone(),
            slot: 0,
            span: array.span(),
        };
        let fresh = self.program.nodes.len() as u32;
        let value = if args.is_empty() && call.is_none() { array.value() } else { None };
        // A single value in memory is as good as a scalar argument, and known before any loop.
        let single = value
            .as_ref()
            .filter(|v| v.shape.is_empty() && !v.dtype.is_complex())
            .map(Storage::read_scalar);
        if let Some(value) = single.or_else(|| array.as_scalar()) {
            if let Some(&at) = self.scalars.get(&value) {
                return at;
            }
            self.scalars.insert(value, fresh);
            node.prim = Prim::Scalar;
            node.slot = self.bindings.scalars.len() as u32;
            self.bindings.scalars.push(value);
        } else if let Some(storage) = value {
            let meta = InputMeta::of(&storage);
            if let Some(&at) = self.inputs.get(&(storage.ptr as usize, meta.clone())) {
                return at;
            }
            self.inputs.insert((storage.ptr as usize, meta.clone()), fresh);
            node.prim = Prim::Input;
            node.slot = self.program.inputs.len() as u32;
            self.program.inputs.push(meta);
            self.bindings.inputs.push(storage);
        } else {
            if let Some(call) = call {
                node.slot = self.call(call);
            }
            node.args = args.iter().map(|a| self.seen[&Arc::as_ptr(&a.0)]).collect();
        }
        self.program.nodes.push(node);
        fresh
    }
    /// The number of a function; the same one keeps its number.
    fn call(&mut self, call: &Arc<dyn Call>) -> u32 {
        *self.calls.entry(Arc::as_ptr(call).cast()).or_insert_with(|| {
            let slot = self.bindings.calls.len() as u32;
            if let Some(key) = call.key() {
                match self.keys.entry(key.into_owned()) {
                    Entry::Occupied(known) => return *known.get(),
                    Entry::Vacant(free) => free.insert(slot),
                };
            }
            self.program.calls.push(call.name().into());
            self.bindings.calls.push(call.clone());
            slot
        })
    }
}
