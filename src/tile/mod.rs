//! The meaning of every op, on tiles: short contiguous runs of elements.
//!
//! A tile function is compiled ahead of time for one op and one dtype. The interpreter runs nothing
//! else; the JIT calls them for whatever it does not emit inline. So both give the same bits, and a
//! new op works everywhere as soon as its scalar meaning is written.
//!
//! May not know: graphs, loops, machines beyond a feature test. Tiles need no alignment, and an
//! output tile may be the very same memory as an input tile of the same element size (never a
//! partial overlap).

mod cast;
mod clip;
mod dot;
mod each;
mod fold;
mod interp;
mod isa;
mod map;
pub mod math;
mod number;
mod odd;
mod ramp;
pub mod scalar;

pub use cast::cast;
pub use clip::{clip, clip_between};
pub use dot::{DotFn, dot_f32, dot_f64};
pub use fold::{Board, FoldFns, Team, Tree, done, fold, together};
pub use interp::{FEW, Grid, InterpTable, Line, Positions, Values, even, even_integers, interp};
pub use isa::{Isa, isa_complaint};
pub use map::map;
pub use number::number;
pub use odd::{OddFn, odd};
pub use ramp::{RampFn, integers, line};

/// Elements of a tile: at most 8 KiB, so that a few stay in the first-level cache.
pub const TILE: usize = 1024;

/// Elements of a block: what a run of a fold covers where values are made for it. Thread shares are whole
/// blocks.
pub const BLOCK: usize = 4096;

/// Elements of a run of a fold at most: a power of two of blocks, which gives the same tree as one block after
/// the other. What stays in memory anyway is folded in such runs.
pub const RUN: usize = 8 * BLOCK;

/// Computes `n` elements of `out` from up to three operand tiles (unused ones are ignored).
///
/// `status` points to the launch's status word, into which errors found in the data are or-ed
/// (see [`NEGATIVE_POWER`]).
pub type MapFn = unsafe extern "C" fn(
    out: *mut u8,
    a: *const u8,
    b: *const u8,
    c: *const u8,
    n: usize,
    status: *mut u32,
);

/// Folds `n` elements of `tile` into `state`.
///
/// `base` is the place along the reduced axes of the run's first element (of the only one, in the
/// rows form); `off` is how far into the run the tile starts.
pub type FoldFn =
    unsafe extern "C" fn(state: *mut u8, tile: *const u8, n: usize, base: u64, off: usize);

/// Status bit: an integer was raised to a negative integer power.
pub const NEGATIVE_POWER: u32 = 1;
