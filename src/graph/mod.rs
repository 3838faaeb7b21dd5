//! The graph that passes rewrite: petgraph nodes for ops, edges for operands.
//!
//! May not know: loops, machine code, data. Invariants (see [`verify`]): an edge goes from a lower
//! index to a higher one, so index order is execution order and there are no cycles; operands are
//! numbered 0, 1, ... on the edges; dtypes and shapes agree with the op table.

mod build;
mod fusion;
mod text;
mod update;
mod verify;
mod view;

use std::sync::Arc;

use petgraph::Direction;
use petgraph::stable_graph::{NodeIndex, StableDiGraph};
use petgraph::visit::EdgeRef;
use smallvec::SmallVec;

pub use build::build;
pub use fusion::{Fusion, Group, Reason};
pub use verify::verify;
pub use view::{View, ViewDim};

use crate::dtype::{DType, Scalar};
pub use crate::expr::GridKind;
use crate::expr::{InputMeta, Span};
use crate::op::{Cost, Fold, Op};
use crate::shape::{Axes, Shape};

/// A node's place.
pub type Ix = NodeIndex<u32>;
/// A node's operands in order.
pub type Operands = SmallVec<[Ix; 3]>;

/// What a node does.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// An input of the program.
    Input(u32),
    /// A scalar argument of the program.
    Scalar(u32),
    /// A number that follows from the shapes alone.
    Literal(Scalar),
    /// An elementwise op; operands broadcast.
    Map(Op),
    /// A conversion to the node's dtype.
    Cast,
    /// A conversion of a Python integer that must fit.
    Narrow,
    /// The operand's elements at other places: slices, transposes, broadcasts.
    View(View),
    /// The operand's elements in C order under another shape.
    Reshape,
    /// Complex numbers of a real and an imaginary part, interleaved in memory.
    Complex,
    /// The real (`false`) or imaginary part (`true`) of complex numbers in memory.
    Component(bool),
    /// Memory with nothing in it yet: the base of an array that updates put together.
    Empty,
    /// The first operand, with the elements at a view of it replaced by the second, which has the
    /// view's shape. No two indices of the view meet the same element.
    Update(View),
    /// The operand's elements in memory of their own, which an update may change. Made by `fuse`.
    Copy,
    /// A reduction over some axes of the operand.
    Reduce {
        /// How elements combine.
        fold: Fold,
        /// Over which axes, ascending.
        axes: Axes,
    },
    /// `0, 1, 2, ...` along the only axis.
    Iota,
    /// Linear interpolation: operands as in [`crate::expr::Prim::Interp`].
    Interp {
        /// How the points are given.
        grid: GridKind,
        /// Whether a value below the first point is given.
        left: bool,
        /// Whether a value above the last point is given.
        right: bool,
    },
    /// An opaque function of its operands, an argument of the program.
    Call(u32),
}

/// A node with what is known of its result.
#[derive(Clone, Debug)]
pub struct Node {
    /// What it does.
    pub kind: Kind,
    /// The result's elements.
    pub dtype: DType,
    /// The result's shape.
    pub shape: Shape,
    /// Where the user made it.
    pub span: Span,
    /// Set by the `fold` pass: computed once, from scalars alone, before any loop.
    pub once: bool,
}

impl Node {
    /// Elements of the result.
    pub fn size(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether the node's own op is dear enough to keep rather than compute twice.
    pub fn is_heavy(&self) -> bool {
        match self.kind {
            Kind::Map(op) => op.info().cost == Cost::Heavy,
            Kind::Interp { .. } => true,
            _ => false,
        }
    }
}

/// A program as a graph.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// The nodes.
    pub nodes: StableDiGraph<Node, u32>,
    /// The wanted nodes, in the caller's order; one may be wanted twice.
    pub outputs: Vec<Ix>,
    /// The layouts of the inputs.
    pub inputs: Vec<InputMeta>,
    /// The names of the functions that it calls.
    pub calls: Vec<Arc<str>>,
    /// Where chains are cut into loops, set by the `fuse` pass.
    pub fusion: Option<Fusion>,
}

impl Graph {
    /// The operands of a node, in order.
    pub fn operands(&self, at: Ix) -> Operands {
        let mut edges: SmallVec<[(u32, Ix); 3]> = self
            .nodes
            .edges_directed(at, Direction::Incoming)
            .map(|e| (*e.weight(), e.source()))
            .collect();
        edges.sort_unstable();
        edges.into_iter().map(|(_, from)| from).collect()
    }

    /// The nodes that use a node (twice, if they use it twice).
    pub fn users(&self, at: Ix) -> SmallVec<[Ix; 4]> {
        self.nodes.edges_directed(at, Direction::Outgoing).map(|e| e.target()).collect()
    }

    /// Whether a node is an input whose elements lie in C order: memory that needs no copy to be reshaped.
    pub fn is_c_ordered_input(&self, at: Ix) -> bool {
        let Kind::Input(slot) = self[at].kind else { return false };
        let meta = &self.inputs[slot as usize];
        crate::shape::is_c_ordered(&meta.shape, &meta.strides, meta.dtype.size())
    }

    /// The node whose elements a chain of reshapes gives another shape.
    pub fn source(&self, mut at: Ix) -> Ix {
        while self[at].kind == Kind::Reshape {
            at = self.operands(at)[0];
        }
        at
    }

    /// The node that a node reads the elements of, below views.
    pub fn below_views(&self, at: Ix) -> Ix {
        let mut at = at;
        while matches!(self[at].kind, Kind::View(_)) {
            at = self.operands(at)[0];
        }
        at
    }

    /// What the loop of a node in memory covers: the shape of what is stored or reduced.
    pub fn loop_shape(&self, at: Ix) -> &Shape {
        match self[at].kind {
            Kind::Reduce { .. } => &self[self.operands(at)[0]].shape,
            Kind::Update(_) => &self[self.operands(at)[1]].shape,
            _ => &self[at].shape,
        }
    }

    /// Whether a node is known before any loop runs, from scalars and shapes alone.
    pub fn is_scalar(&self, at: Ix) -> bool {
        self[at].once || matches!(self[at].kind, Kind::Scalar(_) | Kind::Literal(_))
    }

    /// Every node, operands before users.
    pub fn order(&self) -> Vec<Ix> {
        self.nodes.node_indices().collect()
    }

    /// Adds a node with its operands, all of them earlier nodes.
    pub fn add(&mut self, node: Node, operands: &[Ix]) -> Ix {
        let at = self.nodes.add_node(node);
        self.set_operands(at, operands);
        at
    }

    /// Makes all users of `old` use `new`, an earlier node, and removes `old`.
    pub fn replace(&mut self, old: Ix, new: Ix) {
        let edges: SmallVec<[_; 4]> = self
            .nodes
            .edges_directed(old, Direction::Outgoing)
            .map(|e| (e.id(), e.target(), *e.weight()))
            .collect();
        for (edge, user, place) in edges {
            self.nodes.remove_edge(edge);
            self.nodes.add_edge(new, user, place);
        }
        for output in &mut self.outputs {
            if *output == old {
                *output = new;
            }
        }
        self.nodes.remove_node(old);
    }

    /// Gives a node other operands, all of them earlier nodes.
    pub fn set_operands(&mut self, at: Ix, operands: &[Ix]) {
        let edges: SmallVec<[_; 3]> =
            self.nodes.edges_directed(at, Direction::Incoming).map(|e| e.id()).collect();
        for edge in edges {
            self.nodes.remove_edge(edge);
        }
        for (place, &from) in operands.iter().enumerate() {
            self.nodes.add_edge(from, at, place as u32);
        }
    }
}

impl std::ops::Index<Ix> for Graph {
    type Output = Node;

    fn index(&self, at: Ix) -> &Node {
        &self.nodes[at]
    }
}
