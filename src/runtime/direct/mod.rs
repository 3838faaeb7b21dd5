//! One op on given memory, at once: no graph, no plan, no kernel made for it.
//!
//! The tile functions run on the operands' own memory, or on tiles of it where operands must be
//! converted, repeated or gathered first. The bits are those of a plan of the same op, for both run
//! the same functions over the same trees. What is out of the ordinary is declined, and goes up the
//! stair: errors, empty arrays, numbers that a dtype cannot hold.
//!
//! May not know: who asks and where results live ([`Host`]), graphs.

mod fold;
mod map;
mod ramp;
mod recipe;
mod source;
mod table;

#[cfg(test)]
mod tests;

pub use fold::{Reduction, reduce};
pub use map::{choose, clip, convert, map};
pub use ramp::{Ramp, ramp};
pub use table::{Column, interp};

use std::ops::Range;

use super::Context;
use super::exec::{PARALLEL, SHORT, threads_for};
use super::pool::{FloatMode, PIECE, Poll, Work, drive};
use crate::dtype::{DType, Scalar};
use crate::error::{Error, Result};
use crate::tile::BLOCK;

/// An ndarray's memory: native byte order, any strides and alignment.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The address of element (0, 0, ...).
    pub ptr: *const u8,
    /// The elements.
    pub dtype: DType,
    /// The shape.
    pub shape: &'a [usize],
    /// Byte strides.
    pub strides: &'a [isize],
}

/// An operand.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// An array.
    View(View<'a>),
    /// A value with a dtype of its own.
    Scalar(Scalar),
    /// A Python integer.
    Int(i64),
    /// A Python float.
    Float(f64),
}

impl Input<'_> {
    /// Whether it has no axes.
    fn is_single(&self) -> bool {
        self.rank() == 0
    }

    /// The number of elements.
    fn len(&self) -> usize {
        if let Input::View(view) = self { view.len() } else { 1 }
    }

    /// The number of axes.
    fn rank(&self) -> usize {
        if let Input::View(view) = self { view.shape.len() } else { 0 }
    }
}

/// Who asks for a result: has memory for it, and steps aside while long work runs.
pub trait Host {
    /// What can go wrong.
    type Error: From<Error>;

    /// Memory for a C-ordered result, which nobody else sees. Asked for once, unless the op is declined.
    fn allocate(
        &mut self,
        dtype: DType,
        shape: &[usize],
    ) -> std::result::Result<*mut u8, Self::Error>;

    /// The result is there, and something in it may be worth a warning: a NaN or an infinity, or an integer was
    /// divided by 0 or -1. Whether it is, the operands tell.
    fn is_odd(&mut self);

    /// Runs `work`, which costs as much as `cost` light ops; from [`LONG`] on it may take a while.
    fn run(
        &mut self,
        cost: usize,
        work: &(dyn Fn(&Context<'_>) -> Result<()> + Sync),
    ) -> std::result::Result<(), Self::Error>;
}

impl View<'_> {
    /// The number of elements.
    fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether the elements lie one after the other, in C order.
    pub fn is_contiguous(&self) -> bool {
        let mut step = self.dtype.size();
        self.shape.iter().zip(self.strides).rev().all(|(&extent, &stride)| {
            let fits = extent == 1 || stride == step.cast_signed();
            step = step.wrapping_mul(extent);
            fits
        })
    }
}

/// Elements cut into parts of which each can be done on its own.
trait Parts: Sync {
    /// Where it may be cut: whole blocks, of which a [`PART`] has several.
    const UNIT: usize = BLOCK;

    /// Does elements `lo..hi`; `lo` is a multiple of `UNIT`.
    fn part(&self, lo: usize, hi: usize) -> Result<()>;
}

/// Work that costs this many light ops is worth stepping aside for.
pub const LONG: usize = 1 << 19;

/// Work below this many light ops is over before a helper that sleeps has come, or its caller waits for what it
/// began: of a chain of calls most are too short to share, and the next one reads it all.
const WAKING: usize = 1 << 20;

/// Elements that a thread takes at a time, at most: whole blocks, of whole tiles.
const PART: usize = 8 * BLOCK;

/// `len` elements, so many of them at a time.
struct Shared<'a, P> {
    parts: &'a P,
    len: usize,
    each: usize,
}

impl<P: Parts> Work for Shared<'_, P> {
    type Worker = ();

    fn worker(&self) -> Result<()> {
        Ok(())
    }

    fn items(&self, (): &mut (), items: Range<usize>) -> Result<()> {
        self.parts.part(items.start * self.each, self.len.min(items.end * self.each))
    }

    fn done(&self, (): ()) {}
}

/// Does `len` elements that cost `cost` light ops together, with as many threads as pay. The caller has set
/// the standard mode for floating point.
fn share<P: Parts>(parts: &P, len: usize, cost: usize, ctx: &Context) -> Result<()> {
    share_among(threads(cost, ctx), parts, len, cost, ctx)
}

/// How many threads a single call pays for that costs `cost` light ops.
fn threads(cost: usize, ctx: &Context) -> usize {
    threads_for(if cost < WAKING { cost.min(PARALLEL - 1) } else { cost }, SHORT, ctx)
}

/// The same, with up to so many threads.
fn share_among<P: Parts>(
    threads: usize,
    parts: &P,
    len: usize,
    cost: usize,
    ctx: &Context,
) -> Result<()> {
    // Below the size that threads pay for nobody wants to interrupt it either.
    if threads == 1 && cost < LONG {
        return parts.part(0, len);
    }
    let each = (len / (cost / PIECE).max(1)).next_multiple_of(P::UNIT).min(PART);
    drive(&Shared { parts, len, each }, len.div_ceil(each), threads, &Poll::new(ctx))
}
