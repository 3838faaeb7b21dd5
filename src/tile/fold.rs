use super::FoldFn;
use crate::dtype::DType;
use crate::op::Fold;
/// The functions of one fold on one dtype.
///
/// The tree of a fold is fixed by the number of elements alone: a leaf is [`FoldFns::leaf`] elements
/// in [`FoldFns::lanes`] lanes (element `k` of the leaf goes to lane `k % lanes`, in order); the lanes
/// of a leaf are combined pairwise (`((0 1)(2 3))((4 5)(6 7))`...); leaves are combined pairwise in
/// order as a binary counter does, and what is left at the end from right to left.
#[derive(Clone, Copy, Debug)]
pub struct FoldFns {
    /// Bytes of one partial result (a multiple of 8).
    pub partial_bytes: usize,
    /// Bytes of the state of a run of up to [`crate::tile::BLOCK`] elements (a multiple of 8).
    pub state_bytes: usize,
    /// Lanes of a leaf, a power of two.
    pub lanes: usize,
    /// Elements of a leaf, which divides `BLOCK`; `BLOCK` where order does not matter.
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
    /// Combines `n` pairs: `left = left . right`, right being later in order.
    pub combine: unsafe extern "C" fn(left: *mut u8, right: *const u8, n: usize),
    /// Converts `n` partials to results of the fold's out dtype, contiguous.
    pub finish: unsafe extern "C" fn(partials: *const u8, out: *mut u8, n: usize),
}
/// The functions of `fold` on operands of `dtype`; `None` where there is no such fold.
pub fn fold(fold: Fold, dtype: DType) -> Option<FoldFns> {
    let _ = (fold, dtype);
    todo!()
}
pub struct Tree;
