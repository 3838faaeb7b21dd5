//! Sums and products.
//!
//! A `float32` sum accumulates in `float64` and rounds once, at the end. A product is taken in
//! order, each step in its own dtype.
//!
//! May not know: how tiles are walked.

use std::hint::black_box;
use std::marker::PhantomData;

use super::rule::{Leaf, Rule};
use crate::tile::RUN;

/// The one NaN that results have: which of several a machine keeps depends on how code was
/// arranged, and bits must not.
#[inline(always)]
fn one_nan(x: f64) -> f64 {
    if x.is_nan() { f64::NAN } else { x }
}

/// The sum of 64-bit integers, wrapping.
pub(super) struct IntSum;

impl Rule for IntSum {
    type Elem = u64;
    type Partial = u64;
    type Out = u64;
    const IDENTITY: u64 = 0;

    #[inline(always)]
    fn step(partial: u64, x: u64, _at: u64) -> u64 {
        partial.wrapping_add(x)
    }
    #[inline(always)]
    fn combine(left: u64, right: u64) -> u64 {
        left.wrapping_add(right)
    }
    #[inline(always)]
    fn finish(partial: u64) -> u64 {
        partial
    }
}

/// The product of 64-bit integers, wrapping.
pub(super) struct IntProd;

impl Rule for IntProd {
    type Elem = u64;
    type Partial = u64;
    type Out = u64;
    const IDENTITY: u64 = 1;

    #[inline(always)]
    fn step(partial: u64, x: u64, _at: u64) -> u64 {
        partial.wrapping_mul(x)
    }
    #[inline(always)]
    fn combine(left: u64, right: u64) -> u64 {
        left.wrapping_mul(right)
    }
    #[inline(always)]
    fn finish(partial: u64) -> u64 {
        partial
    }
}

/// The product of `float64`.
pub(super) struct Prod64;

impl Rule for Prod64 {
    type Elem = f64;
    type Partial = f64;
    type Out = f64;
    const ROUNDS: bool = true;
    const IDENTITY: f64 = 1.0;

    #[inline(always)]
    fn step(partial: f64, x: f64, _at: u64) -> f64 {
        partial * x
    }
    #[inline(always)]
    fn combine(left: f64, right: f64) -> f64 {
        left * right
    }
    #[inline(always)]
    fn finish(partial: f64) -> f64 {
        one_nan(partial)
    }
}

/// The product of `float32`: a partial is a `float32` and nothing.
pub(super) struct Prod32;

impl Rule for Prod32 {
    type Elem = f32;
    type Partial = [f32; 2];
    type Out = f32;
    const ROUNDS: bool = true;
    const IDENTITY: [f32; 2] = [1.0, 0.0];

    #[inline(always)]
    fn step([partial, _]: [f32; 2], x: f32, _at: u64) -> [f32; 2] {
        [partial * x, 0.0]
    }
    #[inline(always)]
    fn combine([left, _]: [f32; 2], [right, _]: [f32; 2]) -> [f32; 2] {
        [left * right, 0.0]
    }
    #[inline(always)]
    fn finish([partial, _]: [f32; 2]) -> f32 {
        if partial.is_nan() { f32::NAN } else { partial }
    }
}

/// The sum of what is taken of floats, in lanes of `float64`.
pub(super) struct FloatSum<T, M>(PhantomData<(T, M)>);

/// What is taken of an element, in its own dtype.
pub(super) trait Take<T> {
    fn of(x: T) -> T;
}

/// The element.
pub(super) struct Itself;
/// Its square.
pub(super) struct Square;
/// Its absolute value.
pub(super) struct Magnitude;

macro_rules! takes {
    ($($take:ident($x:ident) $of:expr;)+) => {$(
        impl Take<f32> for $take {
            #[inline(always)]
            fn of($x: f32) -> f32 {
                $of
            }
        }
        impl Take<f64> for $take {
            #[inline(always)]
            fn of($x: f64) -> f64 {
                $of
            }
        }
    )+};
}

takes! {
    Itself(x) x;
    Square(x) x * x;
    Magnitude(x) x.abs();
}

/// What a [`FloatSum`] adds up.
pub(super) trait Addend: Copy {
    /// Elements of a leaf. Sixteen lanes of `float64` lose little in a thousand `float32`.
    const LEAF: usize;
    fn widen(self) -> f64;
    fn round(sum: f64) -> Self;
    /// The sum of two, rounded once: as in `float64`, which has more than twice the bits of `float32`.
    fn pair(self, other: Self) -> Self;
}

impl Addend for f32 {
    const LEAF: usize = 1024;
    #[inline(always)]
    fn widen(self) -> f64 {
        self.into()
    }
    #[inline(always)]
    fn round(sum: f64) -> f32 {
        sum as f32
    }
    #[inline(always)]
    fn pair(self, other: f32) -> f32 {
        let sum = self + other + 0.0;
        if sum.is_nan() { f32::NAN } else { sum }
    }
}

impl Addend for f64 {
    const LEAF: usize = 256;
    #[inline(always)]
    fn widen(self) -> f64 {
        self
    }
    #[inline(always)]
    fn round(sum: f64) -> f64 {
        sum
    }
    #[inline(always)]
    fn pair(self, other: f64) -> f64 {
        one_nan(self + other + 0.0)
    }
}

const LANES: usize = 16;

impl<T: Addend, M: Take<T>> Rule for FloatSum<T, M> {
    type Elem = T;
    type Partial = f64;
    type Out = T;
    const LANES: usize = LANES;
    const LEAF: usize = T::LEAF;
    const IDENTITY: f64 = 0.0;

    #[inline(always)]
    fn step(partial: f64, x: T, _at: u64) -> f64 {
        partial + M::of(x).widen()
    }
    #[inline(always)]
    fn combine(left: f64, right: f64) -> f64 {
        left + right
    }
    #[inline(always)]
    fn finish(partial: f64) -> T {
        T::round(one_nan(partial))
    }
    #[inline(always)]
    fn frame<const N: usize>(x: [T; N]) -> T {
        if let [a, b] = x[..] {
            return M::of(a).pair(M::of(b));
        }
        let mut lanes = x.map(|x| Self::step(0.0, x, 0));
        let mut width = N;
        while width > 1 {
            width /= 2;
            for k in 0..width {
                lanes[k] = lanes[2 * k] + lanes[2 * k + 1];
            }
        }
        Self::finish(lanes[0])
    }
}

impl<T: Addend, M: Take<T>> Leaf for FloatSum<T, M> {
    #[inline(always)]
    unsafe fn leaf(tile: *const T, n: usize) -> f64 {
        let mut lanes = [0.0_f64; LANES];
        let whole = n - n % LANES;
        for start in (0..whole).step_by(LANES) {
            // SAFETY: `start + LANES <= n`.
            let x = unsafe { tile.add(start).cast::<[T; LANES]>().read_unaligned() };
            for (lane, x) in lanes.iter_mut().zip(x) {
                *lane += M::of(x).widen();
            }
        }
        for (lane, i) in lanes.iter_mut().zip(whole..n) {
            // SAFETY: `i < n`.
            *lane += M::of(unsafe { tile.add(i).read_unaligned() }).widen();
        }
        pairwise(black_box(lanes))
    }

    #[inline(always)]
    unsafe fn two(tile: *const T) -> [f64; 2] {
        let mut lanes = [[0.0_f64; LANES]; 2];
        for start in (0..T::LEAF).step_by(LANES) {
            for (leaf, lanes) in lanes.iter_mut().enumerate() {
                let at = leaf * T::LEAF + start;
                // SAFETY: `at + LANES` is no more than two leaves.
                let x = unsafe { tile.add(at).cast::<[T; LANES]>().read_unaligned() };
                for (lane, x) in lanes.iter_mut().zip(x) {
                    *lane += M::of(x).widen();
                }
            }
        }
        black_box(lanes).map(pairwise)
    }
}

/// The lanes of a leaf combined. They come as they lie in memory (by `black_box`): the compiler must not
/// arrange lanes for these few steps, at the cost of those before.
#[inline(always)]
fn pairwise(mut lanes: [f64; LANES]) -> f64 {
    let mut width = LANES;
    while width > 1 {
        width /= 2;
        for k in 0..width {
            lanes[k] = lanes[2 * k] + lanes[2 * k + 1];
        }
    }
    lanes[0]
}

const _: () = assert!(RUN / 256 <= 1 << 7, "a run's leaves fit the counter");
