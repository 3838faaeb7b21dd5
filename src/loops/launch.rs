//! Plans: kernels bound to shapes and memory, and opaque calls, in the order they run.
//!
//! A plan holds no data: inputs, scalar values and functions are bound when it runs, so it serves every
//! evaluation of the same program on inputs of the same shapes and layouts.

use std::sync::Arc;

use smallvec::SmallVec;

use super::Kernel;
use crate::dtype::{DType, Scalar};
use crate::op::Op;
use crate::shape::{Shape, Strides};

/// What to run, in order, for one program on inputs of known shapes.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The scalars that kernels use; an entry may use earlier ones.
    pub scalars: Vec<ScalarSource>,
    /// The memory of temporaries and results, C-ordered: allocated, or what a call gives. Several
    /// launches may each store a part of one.
    pub buffers: Vec<BufferSpec>,
    /// What is run, in order.
    pub steps: Vec<Task>,
    /// The results: places in `buffers`, all different.
    pub outputs: Vec<u32>,
}

impl Plan {
    /// The kernels, in order.
    pub fn launches(&self) -> impl Iterator<Item = &Launch> {
        self.steps.iter().filter_map(|step| match step {
            Task::Launch(launch) => Some(launch),
            Task::Call(_) => None,
        })
    }

    /// The calls, in order.
    pub fn calls(&self) -> impl Iterator<Item = &Invocation> {
        self.steps.iter().filter_map(|step| match step {
            Task::Launch(_) => None,
            Task::Call(call) => Some(call),
        })
    }
}

/// One step of a plan.
#[derive(Clone, Debug)]
pub enum Task {
    /// A fused loop nest.
    Launch(Launch),
    /// A function that the engine cannot see into.
    Call(Invocation),
}

impl Task {
    /// The memory that it reads and writes.
    pub fn touches(&self) -> Vec<Memory> {
        match self {
            Task::Launch(launch) => launch.touches().collect(),
            Task::Call(call) => {
                let operands = call.operands.iter().filter_map(|operand| match operand {
                    Operand::Scalar(_) => None,
                    Operand::View { place, .. } => Some(place.memory),
                });
                operands.chain([Memory::Buffer(call.result)]).collect()
            }
        }
    }
}

/// An opaque call with its memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invocation {
    /// Which of the evaluation's functions.
    pub slot: u32,
    /// Its name, for texts and errors.
    pub name: Arc<str>,
    /// What it reads.
    pub operands: Vec<Operand>,
    /// A place in [`Plan::buffers`]: the memory is what the function gives.
    pub result: u32,
}

/// What a call reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operand {
    /// A place in [`Plan::scalars`], as a 0-d array.
    Scalar(u32),
    /// Memory through strides.
    View {
        /// Where; one stride per axis.
        place: Place,
        /// Its elements.
        dtype: DType,
        /// Its shape.
        shape: Shape,
    },
}

/// Where a scalar comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum ScalarSource {
    /// The evaluation's scalar arguments.
    Argument(u32),
    /// A number that follows from the shapes alone, such as a mean's count.
    Shape(Scalar),
    /// An op on earlier scalars, computed once before the loops.
    Map {
        /// The op.
        op: Op,
        /// The operands' dtype.
        dtype: DType,
        /// Places in [`Plan::scalars`].
        args: SmallVec<[u32; 3]>,
    },
    /// A conversion of an earlier scalar.
    Cast {
        /// The operand's dtype.
        from: DType,
        /// The result's dtype.
        to: DType,
        /// A place in [`Plan::scalars`].
        arg: u32,
    },
    /// A Python integer as `to`, which must hold it: an `Overflow` error otherwise.
    Narrow {
        /// The operand's dtype.
        from: DType,
        /// The result's dtype.
        to: DType,
        /// A place in [`Plan::scalars`].
        arg: u32,
    },
}

/// Memory that comes to be while a plan runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BufferSpec {
    /// Its elements.
    pub dtype: DType,
    /// Its shape, in C order.
    pub shape: Shape,
    /// The last step that reads it, after which it is released; `None` for results.
    pub last_use: Option<u32>,
}

/// One kernel with its extents, memory and scalars.
#[derive(Clone, Debug)]
pub struct Launch {
    /// What runs.
    pub kernel: Arc<Kernel>,
    /// Per loop, how often it runs. Any may be 0.
    pub extents: SmallVec<[usize; 4]>,
    /// Parallel to the kernel's buffers.
    pub bufs: Vec<Place>,
    /// Parallel to the kernel's scalars: places in [`Plan::scalars`].
    pub scalars: Vec<u32>,
    /// Parallel to the kernel's tables.
    pub tables: Vec<Table>,
}

impl Launch {
    /// The memory that it reads and writes.
    pub fn touches(&self) -> impl Iterator<Item = Memory> {
        let tables = self.tables.iter().flat_map(|t| {
            let points = match t.xp {
                Points::Memory(m, _) => Some(m),
                _ => None,
            };
            std::iter::once(t.fp.0).chain(points)
        });
        self.bufs.iter().map(|p| p.memory).chain(tables)
    }
}

/// Where a kernel's buffer lies, or a call's operand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Whose memory.
    pub memory: Memory,
    /// Bytes from that memory's first element to the nest's first element.
    pub offset: isize,
    /// Per loop (or axis), bytes from one element to the next; 0 along loops of extent 1.
    pub strides: Strides,
}

/// Memory that a step touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Memory {
    /// The evaluation's inputs.
    Input(u32),
    /// A place in [`Plan::buffers`].
    Buffer(u32),
}

/// An interpolation table: `len` points, all of it contiguous.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// What is interpolated at.
    pub at: Positions,
    /// The number of points, at least 1.
    pub len: usize,
    /// Where the points lie.
    pub xp: Points,
    /// Their values: contiguous, from this byte on, `float64` or `float32`.
    pub fp: (Memory, isize, DType),
    /// The value below the first point, a place in [`Plan::scalars`]; `None`: the first value.
    pub left: Option<u32>,
    /// The value above the last point; `None`: the last value.
    pub right: Option<u32>,
}

/// What the operand of an interpolation says, of where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Positions {
    /// Positions, `float64`.
    Given,
    /// There is none: the position of a place is `number * step + start`. Places in [`Plan::scalars`], `float64`.
    Counted {
        /// The number of the loop's first place; that of each other is one more.
        first: i64,
        /// The distance of two.
        step: u32,
        /// The position of number 0.
        start: u32,
        /// A number, `int64`, and the position that it has instead.
        stop: Option<(u32, u32)>,
    },
}

/// The points of an interpolation table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Points {
    /// Ascending points in memory: contiguous `float64`, from this byte on.
    Memory(Memory, isize),
    /// `start + i * step`, never in memory (`arange`). Places in [`Plan::scalars`], `float64`.
    Arange {
        /// The first point.
        start: u32,
        /// The distance of two.
        step: u32,
    },
    /// `i * step + start`, but the last one is `stop` (`linspace`). Places in [`Plan::scalars`], `float64`.
    Linspace {
        /// The first point.
        start: u32,
        /// The distance of two.
        step: u32,
        /// The last point, exactly.
        stop: u32,
    },
}
