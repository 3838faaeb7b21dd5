//! Kernels: one fused loop nest each, as text and data.
//!
//! A [`Kernel`] says what is loaded, computed, stored and folded at each point of a nest of loops,
//! and nothing about lengths, scalar values or addresses: those are arguments, so one kernel serves
//! every length. Its meaning is [`interp`]; `codegen` makes machine code of it; `runtime` walks the
//! outer loops and calls either for each run of the innermost one.
//!
//! May not know: graphs above it (but for [`lower`]), machines, thread counts.

#[allow(unsafe_code, reason = "runs tile functions on addresses, as machine code does")]
pub mod interp;
mod launch;
mod lower;
pub mod print;
pub mod verify;

pub use launch::{
    BufferSpec, Invocation, Launch, Memory, Operand, Place, Plan, Points, Positions, ScalarSource,
    Table, Task,
};
pub use lower::lower;

use smallvec::SmallVec;

use crate::dtype::DType;
use crate::op::{Fold, Measure, Op};

/// A fused loop nest.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Kernel {
    /// The loops, outermost first. The last one is the run: what machine code loops over.
    pub loops: SmallVec<[Loop; 4]>,
    /// How the nest is walked.
    pub form: Form,
    /// Whether the run covers several loops as one; buffers that do not advance evenly along it are
    /// packed into tiles first. In [`Form::Map`] and
    /// [`Form::Frames`] these are all loops, in [`Form::Inner`] all reducing ones.
    pub flat: bool,
    /// The memory it reads and writes, in order of first use.
    pub bufs: Vec<Buf>,
    /// The dtypes of its run-time scalars.
    pub scalars: Vec<DType>,
    /// How many interpolation tables it reads.
    pub tables: usize,
    /// The body in execution order. An operand is the index of an earlier line.
    pub lines: Vec<Line>,
}

/// One loop of the nest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Loop {
    /// Whether folds combine along it.
    pub reduce: bool,
}

/// How a nest with folds is walked; results have the same bits in each form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    /// No folds.
    Map,
    /// Kept loops outside, reducing loops inside: the run folds into one value.
    Inner,
    /// The run is a kept loop: it folds into one value per element, once per place of the reducing
    /// loops, which stand just outside it.
    Rows,
    /// The run covers all loops, of which the last one reduces a frame of 2, 4 or 8 elements next to each
    /// other: each frame folds into one value.
    Frames,
}

/// A buffer that a kernel touches.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Buf {
    /// Its elements.
    pub dtype: DType,
    /// What the kernel does with it.
    pub role: Role,
    /// Per loop, whether it moves along it (false: the same element all along).
    pub moves: SmallVec<[bool; 4]>,
    /// How it moves along the run.
    pub run: Step,
}

/// What a kernel does with a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Reads it.
    Input,
    /// Writes to it, once for each place of the loops. It may be an input's very memory, at the same
    /// places.
    Output,
    /// Writes a fold's results to it, after the reducing loops.
    Folded,
}

/// How a buffer moves along the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// Not at all: one element.
    Fixed,
    /// By one element: contiguous.
    Unit,
    /// By a stride in bytes, given at run time.
    Stride,
    /// Unevenly: the runtime gathers it into a contiguous tile before the run (input), or scatters
    /// the tile after it (output).
    Packed,
}

/// A line's place in [`Kernel::lines`], as an operand.
pub type Value = u32;

/// One act of the body.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Line {
    /// A run-time scalar.
    Scalar {
        /// Its place in [`Kernel::scalars`].
        slot: u32,
    },
    /// The place along a loop, counted from 0, as `int64`. Never used in a flat kernel of several loops.
    Index {
        /// Which loop.
        dim: u32,
    },
    /// One element of a buffer.
    Load {
        /// Its place in [`Kernel::bufs`].
        buf: u32,
    },
    /// An op on operands of dtype `dtype` (the condition of `where` is `bool`).
    Map {
        /// The op.
        op: Op,
        /// The operands' dtype.
        dtype: DType,
        /// The operands.
        args: SmallVec<[Value; 3]>,
    },
    /// A conversion.
    Cast {
        /// The operand's dtype.
        from: DType,
        /// The result's dtype.
        to: DType,
        /// The operand.
        arg: Value,
    },
    /// Linear interpolation in a table.
    Interp {
        /// Which table.
        table: u32,
        /// Where, `float64`; `None` in a kernel of one loop whose table knows where its places are.
        x: Option<Value>,
        /// The result's dtype: `float64`, or `float32`, into which it is rounded.
        dtype: DType,
    },
    /// Writes an element of an [`Role::Output`] buffer.
    Store {
        /// Its place in [`Kernel::bufs`].
        buf: u32,
        /// What is written.
        value: Value,
    },
    /// Folds a value into a [`Role::Folded`] buffer.
    Fold {
        /// How.
        fold: Fold,
        /// What of the operand.
        measure: Measure,
        /// The operand's dtype.
        dtype: DType,
        /// Its place in [`Kernel::bufs`].
        buf: u32,
        /// What is folded.
        value: Value,
    },
}

impl Line {
    /// Changes each operand.
    fn each_arg(&mut self, mut f: impl FnMut(&mut Value)) {
        match self {
            Line::Scalar { .. } | Line::Index { .. } | Line::Load { .. } => {}
            Line::Map { args, .. } => args.iter_mut().for_each(f),
            Line::Cast { arg: a, .. } => f(a),
            Line::Interp { x, .. } => x.iter_mut().for_each(f),
            Line::Store { value, .. } | Line::Fold { value, .. } => f(value),
        }
    }

    /// The operands.
    pub fn args(&self) -> SmallVec<[Value; 3]> {
        match self {
            Line::Scalar { .. } | Line::Index { .. } | Line::Load { .. } => SmallVec::new(),
            Line::Map { args, .. } => args.clone(),
            Line::Cast { arg, .. } => smallvec::smallvec![*arg],
            Line::Interp { x, .. } => x.iter().copied().collect(),
            Line::Store { value, .. } | Line::Fold { value, .. } => smallvec::smallvec![*value],
        }
    }
}

impl Kernel {
    /// The dtype that a line yields; `None` for stores and folds.
    pub fn line_dtype(&self, line: &Line) -> Option<DType> {
        Some(match line {
            Line::Scalar { slot } => self.scalars[*slot as usize],
            Line::Index { .. } => DType::I64,
            Line::Load { buf } => self.bufs[*buf as usize].dtype,
            Line::Map { op, dtype, .. } => op.out_dtype(*dtype),
            Line::Cast { to, .. } => *to,
            Line::Interp { dtype, .. } => *dtype,
            Line::Store { .. } | Line::Fold { .. } => return None,
        })
    }

    /// The folds, in line order, each with the dtype that it folds and its buffer.
    pub fn folds(&self) -> impl Iterator<Item = (Fold, Measure, DType, u32)> + '_ {
        self.lines.iter().filter_map(|line| match line {
            Line::Fold { fold, measure, dtype, buf, .. } => Some((*fold, *measure, *dtype, *buf)),
            _ => None,
        })
    }

    /// Where each argument of a run lies in the argument words.
    pub fn layout(&self) -> Layout {
        let bufs = Layout::FIXED;
        let scalars = bufs + 2 * self.bufs.len();
        let index = scalars + self.scalars.len();
        let tables = index + self.loops.len();
        let folds = tables + self.tables;
        Layout { bufs, scalars, index, tables, folds, len: folds + 2 * self.folds().count() }
    }
}

/// The argument words of one run: the interface between `runtime` and a kernel's code.
///
/// Each word is a `u64`. Code for a kernel is called as `fn(words: *const u64)` and processes
/// `words[N]` elements along the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// First of two words per buffer: the address of the run's first element (of the tile, if
    /// packed; unused for folded ones), and the stride along the run in bytes.
    pub bufs: usize,
    /// One word per scalar: its bits, zero-extended.
    pub scalars: usize,
    /// One word per loop: the place along it (for the run: of its first element).
    pub index: usize,
    /// One word per table: the address of a [`crate::tile::InterpTable`].
    pub tables: usize,
    /// Two words per fold: the address of its state, and its [`crate::tile::FoldFn`].
    pub folds: usize,
    /// The number of words.
    pub len: usize,
}

impl Layout {
    /// Word: how many elements.
    pub const N: usize = 0;
    /// Word: the address of scratch memory of [`crate::codegen::Code::scratch`] bytes, 64-byte aligned.
    pub const SCRATCH: usize = 1;
    /// Word: the address of the launch's status word, a `u32`.
    pub const STATUS: usize = 2;
    /// Word: `base` for [`crate::tile::FoldFn`].
    pub const FOLD_BASE: usize = 3;
    /// The words before the buffers.
    pub const FIXED: usize = 4;
}
