//! An expression as a straight list of nodes: what plans are made from and looked up by.
//!
//! The list holds no data: memory and scalar values become numbered arguments, bound apart. Two
//! evaluations that differ only in them have equal programs, so a plan is made once.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};

use smallvec::SmallVec;

use super::{Array, Prim, Span, infer_shape};
use crate::buffer::Storage;
use crate::dtype::{DType, Scalar};
use crate::error::Result;
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
    /// For inputs and scalars: which argument.
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

    /// The same program for inputs of other shapes and layouts.
    ///
    /// # Errors
    /// Those that recording it for these shapes would give.
    pub fn reshaped(&self, inputs: Vec<InputMeta>) -> Result<Program> {
        let mut nodes: Vec<Node> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            let own = match node.prim {
                Prim::Input => &inputs[node.slot as usize].shape,
                _ => &node.shape,
            };
            let shape = {
                let args: SmallVec<[&[usize]; 3]> =
                    node.args.iter().map(|&a| nodes[a as usize].shape.as_slice()).collect();
                infer_shape(&node.prim, &args, own)?
            };
            crate::shape::count(&shape)?;
            nodes.push(Node { shape, ..node.clone() });
        }
        Ok(Program { nodes, inputs, scalars: self.scalars, outputs: self.outputs.clone() })
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
}

impl Builder {
    /// The place of `array`, adding it and what lies below it (in a loop, not by recursion).
    fn add(&mut self, array: &Array) -> u32 {
        let mut stack: Vec<(Array, Option<super::Args>)> = vec![(array.clone(), None)];
        while let Some((top, args)) = stack.pop() {
            if self.seen.contains_key(&std::sync::Arc::as_ptr(&top.0)) {
                continue;
            }
            match args {
                // First visit: operands first, then this node again with the operands it had.
                None => {
                    let args = top.args();
                    stack.push((top, Some(args.clone())));
                    stack.extend(args.into_iter().rev().map(|a| (a, None)));
                }
                Some(args) => {
                    let at = self.push(&top, &args);
                    self.seen.insert(std::sync::Arc::as_ptr(&top.0), at);
                    self.alive.push(top);
                }
            }
        }
        self.seen[&std::sync::Arc::as_ptr(&array.0)]
    }

    fn push(&mut self, array: &Array, args: &[Array]) -> u32 {
        let mut node = Node {
            prim: array.prim().clone(),
            args: SmallVec::new(),
            dtype: array.dtype(),
            shape: array.shape().clone(),
            slot: 0,
            span: array.span(),
        };
        let fresh = self.program.nodes.len() as u32;
        let value = if args.is_empty() { array.value() } else { None };
        // A single value in memory is as good as a scalar argument, and known before any loop.
        let single = value.as_ref().filter(|v| v.shape.is_empty()).map(Storage::read_scalar);
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
            node.args = args.iter().map(|a| self.seen[&std::sync::Arc::as_ptr(&a.0)]).collect();
        }
        self.program.nodes.push(node);
        fresh
    }
}
