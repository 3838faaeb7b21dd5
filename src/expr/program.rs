//! An expression as a straight list of nodes: what plans are made from and looked up by.
//!
//! The list holds no data: memory, scalar values and opaque functions become numbered arguments, bound
//! apart. Two evaluations that differ only in them have equal programs, so a plan is made once.

use std::sync::Arc;

use smallvec::SmallVec;

use super::{Array, Prim, Span, Walk, infer_shape};
use crate::buffer::Storage;
use crate::call::Call;
use crate::dtype::{DType, Scalar};
use crate::error::{Error, Result};
use crate::shape::{Shape, Strides};

/// A straight-line program; operands come before their users.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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

    /// Whether it is the layout of this view.
    pub fn is_of(&self, storage: &Storage) -> bool {
        self.dtype == storage.dtype
            && self.shape == storage.shape
            && self.strides == storage.strides
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
        Walk::new(outputs).into_program()
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
