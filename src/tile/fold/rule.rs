//! What a fold is, and its functions for both forms made from that.
//!
//! May not know: any particular fold.

use super::FoldFns;
use crate::tile::isa::{Isa, pick};
use crate::tile::{BLOCK, FoldFn, RUN};

/// A fold on one dtype.
pub(super) trait Rule {
    /// An element.
    type Elem: Copy;
    /// A partial result: plain words, of a size that is a multiple of 8.
    type Partial: Copy;
    /// A result.
    type Out: Copy;
    /// Lanes of a leaf.
    const LANES: usize = 1;
    /// Elements of a leaf.
    const LEAF: usize = BLOCK;
    /// The partial result of no elements: combined with another on either side it leaves it as is
    /// (for a float sum, but for the sign of zero, which NumPy's sums drop too).
    const IDENTITY: Self::Partial;

    /// Folds one element in. `at` is its place along the reduced axes.
    fn step(partial: Self::Partial, x: Self::Elem, at: u64) -> Self::Partial;

    /// Combines two partials, the right one being later in order.
    fn combine(left: Self::Partial, right: Self::Partial) -> Self::Partial;

    /// The result.
    fn finish(partial: Self::Partial) -> Self::Out;

    /// The result of a few elements.
    #[inline(always)]
    fn frame<const N: usize>(x: [Self::Elem; N]) -> Self::Out {
        let places = x.into_iter().zip(0..);
        Self::finish(places.fold(Self::IDENTITY, |partial, (x, at)| Self::step(partial, x, at)))
    }

    /// Folds `n` contiguous elements in, the first being at `at`: the same bits as `step` on each
    /// in order.
    ///
    /// # Safety
    /// `tile` is valid for reading `n` elements, at any alignment.
    #[inline(always)]
    unsafe fn run(
        partial: Self::Partial,
        tile: *const Self::Elem,
        n: usize,
        at: u64,
    ) -> Self::Partial {
        (0..n).fold(partial, |partial, i| {
            // SAFETY: `i < n`.
            Self::step(partial, unsafe { tile.add(i).read_unaligned() }, at + i as u64)
        })
    }
}

/// The functions of a fold whose lanes are one: the state is the partial.
pub(super) fn in_order<R: Rule>(isa: Isa) -> FoldFns {
    const { assert!(R::LANES == 1 && R::LEAF == BLOCK) };
    FoldFns {
        state_bytes: size_of::<R::Partial>(),
        open: open_in_order::<R>,
        inner: pick!(isa => FoldFn, inner_in_order::<R>, inner_in_order_avx2::<R>, inner_in_order_avx512::<R>),
        close: close_in_order::<R>,
        ..common::<R>(isa)
    }
}

/// The functions of a fold in several lanes: the state is a binary counter of leaves.
pub(super) fn in_lanes<R: Rule<Partial = f64> + Leaf>(isa: Isa) -> FoldFns {
    const { assert!(R::LEAF >= SHORTEST) };
    FoldFns {
        state_bytes: size_of::<Counter>(),
        open: open_in_lanes::<R>,
        inner: if R::WIDEST {
            pick!(isa => FoldFn, inner_in_lanes::<R>, inner_in_lanes_avx2::<R>, inner_in_lanes_avx512::<R>)
        } else {
            pick!(isa => FoldFn, inner_in_lanes::<R>, inner_in_lanes_avx2::<R>, inner_in_lanes_avx2::<R>)
        },
        close: close_in_lanes::<R>,
        ..common::<R>(isa)
    }
}

/// The functions of a fold in order, each step of which rounds: the state is a binary counter of blocks.
pub(super) fn in_blocks<R: Rule>(isa: Isa) -> FoldFns {
    const { assert!(R::LANES == 1 && R::LEAF == BLOCK && size_of::<R::Partial>() == 8) };
    FoldFns {
        state_bytes: size_of::<Blocks<R::Partial>>(),
        open: open_in_blocks::<R>,
        inner: pick!(isa => FoldFn, inner_in_blocks::<R>, inner_in_blocks_avx2::<R>, inner_in_blocks_avx512::<R>),
        close: close_in_blocks::<R>,
        ..common::<R>(isa)
    }
}

/// What all have in common; the functions of a state are placeholders that the callers replace.
fn common<R: Rule>(isa: Isa) -> FoldFns {
    type Combine = unsafe extern "C" fn(*mut u8, *const u8, usize);
    const { assert!(size_of::<R::Partial>().is_multiple_of(8)) };
    const { assert!(R::LANES.is_power_of_two() && BLOCK.is_multiple_of(R::LEAF)) };
    FoldFns {
        partial_bytes: size_of::<R::Partial>(),
        state_bytes: size_of::<R::Partial>(),
        lanes: R::LANES,
        leaf: R::LEAF,
        open: open_in_order::<R>,
        inner: inner_in_order::<R>,
        close: close_in_order::<R>,
        clear: clear::<R>,
        rows: pick!(isa => FoldFn, rows::<R>, rows_avx2::<R>, rows_avx512::<R>),
        frames: pick!(isa => FoldFn, frames::<R>, frames_avx2::<R>, frames_avx512::<R>),
        combine: pick!(isa => Combine, combine::<R>, combine_avx2::<R>, combine_avx512::<R>),
        finish: finish::<R>,
    }
}

/// Writes the identity.
///
/// # Safety
/// As for [`FoldFns::open`].
unsafe extern "C" fn open_in_order<R: Rule>(state: *mut u8) {
    // SAFETY: the state is a partial.
    unsafe { state.cast::<R::Partial>().write_unaligned(R::IDENTITY) }
}

/// # Safety
/// As for [`FoldFns::close`].
unsafe extern "C" fn close_in_order<R: Rule>(state: *const u8, partial: *mut u8) {
    // SAFETY: the state is a partial.
    unsafe {
        let value = state.cast::<R::Partial>().read_unaligned();
        partial.cast::<R::Partial>().write_unaligned(value);
    }
}

/// # Safety
/// As for [`FoldFns::inner`].
#[inline(always)]
pub(super) unsafe fn in_order_body<R: Rule>(
    state: *mut u8,
    tile: *const u8,
    n: usize,
    base: u64,
    off: usize,
) {
    let state = state.cast::<R::Partial>();
    // SAFETY: the state is a partial, and the tile has `n` elements.
    unsafe {
        let partial = R::run(state.read_unaligned(), tile.cast(), n, base + off as u64);
        state.write_unaligned(partial);
    }
}

/// # Safety
/// As for [`FoldFns::rows`].
#[inline(always)]
unsafe fn rows_body<R: Rule>(state: *mut u8, tile: *const u8, n: usize, base: u64, off: usize) {
    // SAFETY: the lane has at least `off + n` partials and the tile `n` elements.
    unsafe {
        let partials = state.cast::<R::Partial>().add(off);
        let tile = tile.cast::<R::Elem>();
        for i in 0..n {
            let partial = partials.add(i).read_unaligned();
            let next = R::step(partial, tile.add(i).read_unaligned(), base);
            partials.add(i).write_unaligned(next);
        }
    }
}

/// # Safety
/// As for [`FoldFns::frames`].
#[inline(always)]
unsafe fn frames_body<R: Rule>(out: *mut u8, tile: *const u8, n: usize, each: u64, off: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        match each {
            2 => frames_of::<R, 2>(out, tile, n, off),
            4 => frames_of::<R, 4>(out, tile, n, off),
            _ => frames_of::<R, 8>(out, tile, n, off),
        }
    }
}

/// # Safety
/// As for [`FoldFns::frames`], of frames of `N` elements.
#[inline(always)]
unsafe fn frames_of<R: Rule, const N: usize>(out: *mut u8, tile: *const u8, n: usize, off: usize) {
    // SAFETY: there are `n / N` frames, and room for the results of these and of `off / N` before them.
    unsafe {
        let out = out.cast::<R::Out>().add(off / N);
        for i in 0..n / N {
            let frame = tile.cast::<[R::Elem; N]>().add(i).read_unaligned();
            out.add(i).write_unaligned(R::frame(frame));
        }
    }
}

/// # Safety
/// As for [`FoldFns::combine`].
#[inline(always)]
unsafe fn combine_body<R: Rule>(left: *mut u8, right: *const u8, n: usize) {
    let (left, right) = (left.cast::<R::Partial>(), right.cast::<R::Partial>());
    for i in 0..n {
        // SAFETY: both have `n` partials.
        unsafe {
            let both = R::combine(left.add(i).read_unaligned(), right.add(i).read_unaligned());
            left.add(i).write_unaligned(both);
        }
    }
}

/// # Safety
/// As for [`FoldFns::clear`].
unsafe extern "C" fn clear<R: Rule>(partials: *mut u8, n: usize) {
    for i in 0..n {
        // SAFETY: there are `n` partials.
        unsafe { partials.cast::<R::Partial>().add(i).write_unaligned(R::IDENTITY) }
    }
}

/// # Safety
/// As for [`FoldFns::finish`].
unsafe extern "C" fn finish<R: Rule>(partials: *const u8, out: *mut u8, n: usize) {
    for i in 0..n {
        // SAFETY: there are `n` partials, and room for as many results.
        unsafe {
            let partial = partials.cast::<R::Partial>().add(i).read_unaligned();
            out.cast::<R::Out>().add(i).write_unaligned(R::finish(partial));
        }
    }
}

/// The leaves of a fold in lanes.
pub(super) trait Leaf: Rule {
    /// Whether the widest vectors are the fastest.
    const WIDEST: bool = true;

    /// The partial results of two whole leaves, whose steps need not wait for each other.
    ///
    /// # Safety
    /// Each is valid for reading a leaf, at any alignment; the machine has the instructions of `isa`, for which the
    /// code around is built.
    unsafe fn two(isa: Isa, leaves: [*const Self::Elem; 2]) -> [Self::Partial; 2];

    /// The partial result of a leaf of `n` elements, its lanes combined.
    ///
    /// # Safety
    /// `tile` is valid for reading `n` elements, at any alignment.
    unsafe fn leaf(tile: *const Self::Elem, n: usize) -> Self::Partial;
}

/// Elements of the shortest leaf.
const SHORTEST: usize = 256;

/// The leaves of a run so far: of each power of two of them at most one partial, the largest first.
#[derive(Clone, Copy)]
#[repr(C)]
pub(super) struct Counter<P = f64> {
    /// How many leaves.
    leaves: u64,
    /// The partials, as many as `leaves` has bits set.
    levels: [P; 7],
}

const _: () = assert!(RUN / SHORTEST <= 1 << 7, "a run's leaves fit the counter");

impl<P: Copy> Counter<P> {
    /// Of no leaves.
    fn new<R: Rule<Partial = P>>() -> Self {
        Self { leaves: 0, levels: [R::IDENTITY; 7] }
    }

    /// Appends the next leaf's partial.
    #[inline(always)]
    pub(super) fn push<R: Rule<Partial = P>>(&mut self, mut partial: P) {
        let mut depth = self.leaves.count_ones() as usize;
        for _ in 0..self.leaves.trailing_ones() {
            depth -= 1;
            partial = R::combine(self.levels[depth], partial);
        }
        self.levels[depth] = partial;
        self.leaves += 1;
    }

    /// The partial of all leaves.
    fn close<R: Rule<Partial = P>>(&self) -> P {
        let levels = &self.levels[..self.leaves.count_ones() as usize];
        let all = levels.iter().rev().copied().reduce(|right, left| R::combine(left, right));
        all.unwrap_or(R::IDENTITY)
    }
}

/// # Safety
/// As for [`FoldFns::open`].
unsafe extern "C" fn open_in_lanes<R: Rule<Partial = f64>>(state: *mut u8) {
    // SAFETY: the state is a counter.
    unsafe { state.cast::<Counter>().write_unaligned(Counter::new::<R>()) }
}

/// # Safety
/// As for [`FoldFns::inner`].
#[inline(always)]
pub(super) unsafe fn in_lanes_body<R: Leaf<Partial = f64>>(
    isa: Isa,
    state: *mut u8,
    tile: *const u8,
    n: usize,
) {
    let state = state.cast::<Counter>();
    let tile = tile.cast::<R::Elem>();
    // SAFETY: the state is a counter.
    let mut counter = unsafe { state.read_unaligned() };
    // Leaves side by side are half a run apart: two streams that the machine foresees, as it would not where
    // each ended with its leaf.
    let pairs = n / (2 * R::LEAF);
    let mut later = [0.0; RUN / SHORTEST / 2];
    for (pair, later) in later.iter_mut().enumerate().take(pairs) {
        // SAFETY: the leaves end at `n` or before.
        let [first, second] = unsafe {
            R::two(isa, [pair, pairs + pair].map(|leaf| tile.wrapping_add(leaf * R::LEAF)))
        };
        counter.push::<R>(first);
        *later = second;
    }
    for &partial in &later[..pairs] {
        counter.push::<R>(partial);
    }
    for start in (2 * pairs * R::LEAF..n).step_by(R::LEAF) {
        // SAFETY: as above.
        counter.push::<R>(unsafe { R::leaf(tile.add(start), R::LEAF.min(n - start)) });
    }
    // SAFETY: as above.
    unsafe { state.write_unaligned(counter) }
}

/// # Safety
/// As for [`FoldFns::close`].
unsafe extern "C" fn close_in_lanes<R: Rule<Partial = f64>>(state: *const u8, partial: *mut u8) {
    // SAFETY: the state is a counter.
    let counter = unsafe { state.cast::<Counter>().read_unaligned() };
    // SAFETY: a partial is a double.
    unsafe { partial.cast::<f64>().write_unaligned(counter.close::<R>()) }
}

/// The state of a fold in order within blocks, which are combined like leaves.
#[derive(Clone, Copy)]
#[repr(C)]
struct Blocks<P> {
    whole: Counter<P>,
    /// The block that is not whole yet.
    open: P,
    /// How many elements it has.
    filled: usize,
}

/// Blocks whose steps are taken side by side, since each step waits for the one before it.
const BESIDE: usize = 4;

/// # Safety
/// As for [`FoldFns::open`].
unsafe extern "C" fn open_in_blocks<R: Rule>(state: *mut u8) {
    let blocks = Blocks { whole: Counter::new::<R>(), open: R::IDENTITY, filled: 0 };
    // SAFETY: the state is one of blocks.
    unsafe { state.cast::<Blocks<R::Partial>>().write_unaligned(blocks) }
}

/// # Safety
/// As for [`FoldFns::inner`].
#[inline(always)]
unsafe fn in_blocks_body<R: Rule>(state: *mut u8, tile: *const u8, n: usize) {
    let state = state.cast::<Blocks<R::Partial>>();
    let tile = tile.cast::<R::Elem>();
    // SAFETY: the state is one of blocks.
    let mut blocks = unsafe { state.read_unaligned() };
    // SAFETY: it is called with `i < n`.
    let step = |partial, i: usize| R::step(partial, unsafe { tile.add(i).read_unaligned() }, 0);
    let mut at = 0;
    while blocks.filled == 0 && n - at >= BESIDE * BLOCK {
        let mut beside = [R::IDENTITY; BESIDE];
        for i in at..at + BLOCK {
            for (k, partial) in beside.iter_mut().enumerate() {
                *partial = step(*partial, k * BLOCK + i);
            }
        }
        for partial in beside {
            blocks.whole.push::<R>(partial);
        }
        at += BESIDE * BLOCK;
    }
    while at < n {
        let end = n.min(at + BLOCK - blocks.filled);
        blocks.open = (at..end).fold(blocks.open, step);
        blocks.filled += end - at;
        at = end;
        if blocks.filled == BLOCK {
            blocks.whole.push::<R>(blocks.open);
            (blocks.open, blocks.filled) = (R::IDENTITY, 0);
        }
    }
    // SAFETY: as above.
    unsafe { state.write_unaligned(blocks) }
}

/// # Safety
/// As for [`FoldFns::close`].
unsafe extern "C" fn close_in_blocks<R: Rule>(state: *const u8, partial: *mut u8) {
    // SAFETY: the state is one of blocks.
    let mut blocks = unsafe { state.cast::<Blocks<R::Partial>>().read_unaligned() };
    if blocks.filled > 0 {
        blocks.whole.push::<R>(blocks.open);
    }
    // SAFETY: there is room for a partial.
    unsafe { partial.cast::<R::Partial>().write_unaligned(blocks.whole.close::<R>()) }
}

macro_rules! builds {
    ($($portable:ident $avx2:ident $avx512:ident [$($bound:tt)+] ($($arg:ident: $ty:ty),+) $body:ident($($pass:ident),+);)+) => {$(
        /// # Safety
        /// As for the field of [`FoldFns`] that it is for.
        unsafe extern "C" fn $portable<R: $($bound)+>($($arg: $ty),+) {
            #[allow(dead_code, reason = "most bodies are the same for all")]
            const ISA: Isa = Isa::Portable;
            // SAFETY: the caller's promise.
            unsafe { $body::<R>($($pass),+) }
        }

        /// # Safety
        /// As for the portable one; the machine has AVX2 and fused multiply-add.
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2,fma")]
        unsafe extern "C" fn $avx2<R: $($bound)+>($($arg: $ty),+) {
            #[allow(dead_code, reason = "most bodies are the same for all")]
            const ISA: Isa = Isa::Avx2;
            // SAFETY: the caller's promise.
            unsafe { $body::<R>($($pass),+) }
        }

        /// # Safety
        /// As for the portable one; the machine has these parts of AVX-512.
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")]
        unsafe extern "C" fn $avx512<R: $($bound)+>($($arg: $ty),+) {
            #[allow(dead_code, reason = "most bodies are the same for all")]
            const ISA: Isa = Isa::Avx512;
            // SAFETY: the caller's promise.
            unsafe { $body::<R>($($pass),+) }
        }
    )+};
}

builds! {
    inner_in_order inner_in_order_avx2 inner_in_order_avx512 [Rule]
        (state: *mut u8, tile: *const u8, n: usize, base: u64, off: usize)
        in_order_body(state, tile, n, base, off);
    inner_in_blocks inner_in_blocks_avx2 inner_in_blocks_avx512 [Rule]
        (state: *mut u8, tile: *const u8, n: usize, _base: u64, _off: usize)
        in_blocks_body(state, tile, n);
    inner_in_lanes inner_in_lanes_avx2 inner_in_lanes_avx512 [Leaf<Partial = f64>]
        (state: *mut u8, tile: *const u8, n: usize, _base: u64, _off: usize)
        in_lanes_body(ISA, state, tile, n);
    rows rows_avx2 rows_avx512 [Rule]
        (state: *mut u8, tile: *const u8, n: usize, base: u64, off: usize)
        rows_body(state, tile, n, base, off);
    frames frames_avx2 frames_avx512 [Rule]
        (out: *mut u8, tile: *const u8, n: usize, each: u64, off: usize)
        frames_body(out, tile, n, each, off);
    combine combine_avx2 combine_avx512 [Rule]
        (left: *mut u8, right: *const u8, n: usize)
        combine_body(left, right, n);
}
