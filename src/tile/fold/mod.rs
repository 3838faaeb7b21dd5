//! Folds: what a reduction does to a tile, over a tree that depends on the number of elements alone.
//!
//! A [`Rule`] says what one fold does on one dtype; the functions of [`FoldFns`] are made from it
//! here, in the two forms in which a nest may be walked. Both give the same bits, whatever the
//! machine and however the work is shared.
//!
//! May not know: nests, threads, arrays.

mod arg;
mod extreme;
mod rule;
mod square;
mod sum;
mod together;
mod tree;

#[cfg(test)]
mod tests;

pub use together::{Board, Team, done, together};
pub use tree::Tree;

use super::FoldFn;
use super::isa::Isa;
use super::scalar::Bool;
use crate::dtype::DType;
use crate::op::{Fold, Measure};

/// The functions of one fold on one dtype.
///
/// The tree of a fold is fixed by the number of elements alone: a leaf is [`FoldFns::leaf`] elements
/// in [`FoldFns::lanes`] lanes (element `k` of the leaf goes to lane `k % lanes`, in order); the lanes
/// of a leaf are combined pairwise (`((0 1)(2 3))((4 5)(6 7))`...); leaves are combined pairwise in
/// order as a binary counter does, and what is left at the end from right to left.
///
/// States and partials need no alignment and are never shared between threads.
#[derive(Clone, Copy, Debug)]
pub struct FoldFns {
    /// Bytes of one partial result (a multiple of 8).
    pub partial_bytes: usize,
    /// Bytes of the state of a run of up to [`crate::tile::RUN`] elements (a multiple of 8).
    pub state_bytes: usize,
    /// Lanes of a leaf, a power of two.
    pub lanes: usize,
    /// Elements of a leaf, which divides `BLOCK`; `BLOCK` for what is folded in order.
    pub leaf: usize,
    /// Makes a state empty.
    pub open: unsafe extern "C" fn(state: *mut u8),
    /// Folds a tile into a state. Tiles of a run come in order; each but the last has a multiple of `leaf` elements (or `TILE` where the leaf is larger).
    pub inner: FoldFn,
    /// Writes the state's partial result.
    pub close: unsafe extern "C" fn(state: *const u8, partial: *mut u8),
    /// Sets `n` partials to the identity.
    pub clear: unsafe extern "C" fn(partials: *mut u8, n: usize),
    /// Folds tile element `i` into partial `off + i`: one lane of the rows form. `state` is the lane's first partial; `base` is the place along the reduced axes.
    pub rows: FoldFn,
    /// Folds frames: each `base` elements (one of [`crate::op::FRAMES`], so that a tile has whole frames) into a result of the out dtype. `state` is where results are put; tiles have whole frames.
    pub frames: FoldFn,
    /// Combines `n` pairs: `left = left . right`, right being later in order.
    pub combine: unsafe extern "C" fn(left: *mut u8, right: *const u8, n: usize),
    /// Converts `n` partials to results of the fold's out dtype, contiguous.
    pub finish: unsafe extern "C" fn(partials: *const u8, out: *mut u8, n: usize),
}

/// The functions of `fold` on what it takes of operands of `dtype`; `None` where there is no such fold.
pub fn fold(fold: Fold, measure: Measure, dtype: DType) -> Option<FoldFns> {
    fold_on(Isa::here(), fold, measure, dtype)
}

/// The same, built for `isa`.
fn fold_on(isa: Isa, fold: Fold, measure: Measure, dtype: DType) -> Option<FoldFns> {
    macro_rules! ordered {
        ($rule:ident) => {
            match dtype {
                DType::Bool => Some(rule::in_order::<$rule<Bool>>(isa)),
                DType::I8 => Some(rule::in_order::<$rule<i8>>(isa)),
                DType::U8 => Some(rule::in_order::<$rule<u8>>(isa)),
                DType::I16 => Some(rule::in_order::<$rule<i16>>(isa)),
                DType::U16 => Some(rule::in_order::<$rule<u16>>(isa)),
                DType::I32 => Some(rule::in_order::<$rule<i32>>(isa)),
                DType::U32 => Some(rule::in_order::<$rule<u32>>(isa)),
                DType::I64 => Some(rule::in_order::<$rule<i64>>(isa)),
                DType::U64 => Some(rule::in_order::<$rule<u64>>(isa)),
                DType::F16 | DType::C64 | DType::C128 => None,
                DType::F32 => Some(rule::in_order::<$rule<f32>>(isa)),
                DType::F64 => Some(rule::in_order::<$rule<f64>>(isa)),
            }
        };
    }
    use arg::{Argmax, Argmin};
    use extreme::{Max, Min, Peak};
    use sum::{FloatSum, Itself, Magnitude, Square};
    match (fold, measure, dtype) {
        (_, Measure::Itself, _) => {}
        (Fold::Sum, Measure::Square, DType::F32) => {
            return Some(rule::in_lanes::<square::Squares>(isa));
        }
        (Fold::Sum, Measure::Square, DType::F64) => {
            return Some(rule::in_lanes::<FloatSum<f64, Square>>(isa));
        }
        (Fold::Sum, Measure::Magnitude, DType::F32) => {
            return Some(rule::in_lanes::<FloatSum<f32, Magnitude>>(isa));
        }
        (Fold::Sum, Measure::Magnitude, DType::F64) => {
            return Some(rule::in_lanes::<FloatSum<f64, Magnitude>>(isa));
        }
        (Fold::Max, Measure::Magnitude, DType::F32) => {
            return Some(rule::in_order::<Peak<f32>>(isa));
        }
        (Fold::Max, Measure::Magnitude, DType::F64) => {
            return Some(rule::in_order::<Peak<f64>>(isa));
        }
        (Fold::Sum, Measure::Truth, DType::I64) => {
            return Some(rule::in_order::<sum::Count>(isa));
        }
        _ => return None,
    }
    match (fold, dtype) {
        // Wrapping arithmetic does not see the sign.
        (Fold::Sum, DType::I64 | DType::U64) => Some(rule::in_order::<sum::IntSum>(isa)),
        (Fold::Sum, DType::F32) => Some(rule::in_lanes::<FloatSum<f32, Itself>>(isa)),
        (Fold::Sum, DType::F64) => Some(rule::in_lanes::<FloatSum<f64, Itself>>(isa)),
        (Fold::Prod, DType::I64 | DType::U64) => Some(rule::in_order::<sum::IntProd>(isa)),
        (Fold::Prod, DType::F32) => Some(rule::in_blocks::<sum::Prod32>(isa)),
        (Fold::Prod, DType::F64) => Some(rule::in_blocks::<sum::Prod64>(isa)),
        (Fold::Sum | Fold::Prod, _) => None,
        (Fold::Min, _) => ordered!(Min),
        (Fold::Max, _) => ordered!(Max),
        // Of truth values, any is the largest and all the smallest; only the identities matter.
        (Fold::Any, DType::Bool) => Some(rule::in_order::<Max<Bool>>(isa)),
        (Fold::All, DType::Bool) => Some(rule::in_order::<Min<Bool>>(isa)),
        (Fold::Any | Fold::All, _) => None,
        (Fold::Argmin, _) => ordered!(Argmin),
        (Fold::Argmax, _) => ordered!(Argmax),
    }
}
