//! Sums and products.
//!
//! A `float32` sum accumulates in `float64` and rounds once, at the end. A product is taken in
//! order, each step in its own dtype.
//!
//! May not know: how tiles are walked.

use std::hint::black_box;
use std::marker::PhantomData;

use super::rule::{Leaf, Rule};
use crate::tile::isa::Isa;
use crate::tile::scalar::Bool;

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

/// How many truth values are true.
pub(super) struct Count;

impl Rule for Count {
    type Elem = Bool;
    type Partial = u64;
    type Out = u64;
    const IDENTITY: u64 = 0;

    #[inline(always)]
    fn step(partial: u64, x: Bool, _at: u64) -> u64 {
        partial.wrapping_add(x.get().into())
    }
    #[inline(always)]
    fn combine(left: u64, right: u64) -> u64 {
        left.wrapping_add(right)
    }
    #[inline(always)]
    fn finish(partial: u64) -> u64 {
        partial
    }
    #[inline(always)]
    unsafe fn run(partial: u64, tile: *const Bool, n: usize, _at: u64) -> u64 {
        // In bytes, as long as they cannot overflow.
        const WIDTH: usize = 64;
        const ROWS: usize = u8::MAX as usize;
        let (mut total, whole) = (partial, n - n % WIDTH);
        for start in (0..whole).step_by(ROWS * WIDTH) {
            let mut counts = [0u8; WIDTH];
            for row in (start..whole.min(start + ROWS * WIDTH)).step_by(WIDTH) {
                // SAFETY: `row + WIDTH <= n`.
                let x = unsafe { tile.add(row).cast::<[Bool; WIDTH]>().read_unaligned() };
                for (count, x) in counts.iter_mut().zip(x) {
                    *count += u8::from(x.get());
                }
            }
            total = total.wrapping_add(counts.into_iter().map(u64::from).sum());
        }
        // SAFETY: `i < n`.
        (whole..n).fold(total, |all, i| Self::step(all, unsafe { *tile.add(i) }, 0))
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
    /// Whether widening takes an instruction, which keeps those busy that add.
    const WIDENS: bool;
    fn widen(self) -> f64;
    fn round(sum: f64) -> Self;
    /// The sum of two, rounded once: as in `float64`, which has more than twice the bits of `float32`.
    fn pair(self, other: Self) -> Self;
}

impl Addend for f32 {
    const LEAF: usize = 1024;
    const WIDENS: bool = true;
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
    const WIDENS: bool = false;
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

/// Lanes of a leaf.
pub(super) const LANES: usize = 16;

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
    // Of 512 bits only half can be widened at a time.
    const WIDEST: bool = !T::WIDENS;

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
    unsafe fn two(isa: Isa, leaves: [*const T; 2]) -> [f64; 2] {
        // What multiplies is idle: a product with one is exact, so the sum is the same. The compiler must not
        // see that it is one.
        let (fused, one) = (T::WIDENS && isa != Isa::Portable, black_box(1.0));
        let mut lanes = [[0.0_f64; LANES]; 2];
        for start in (0..T::LEAF).step_by(LANES) {
            for (leaf, lanes) in leaves.iter().zip(&mut lanes) {
                // SAFETY: `start + LANES` is no more than a leaf.
                let x = unsafe { leaf.add(start).cast::<[T; LANES]>().read_unaligned() };
                for (lane, x) in lanes.iter_mut().zip(x) {
                    let x = M::of(x).widen();
                    *lane = if fused { x.mul_add(one, *lane) } else { *lane + x };
                }
            }
        }
        black_box(lanes).map(pairwise)
    }
}

/// The lanes of a leaf combined. They come as they lie in memory (by `black_box`): the compiler must not
/// arrange lanes for these few steps, at the cost of those before.
#[inline(always)]
pub(super) fn pairwise(mut lanes: [f64; LANES]) -> f64 {
    let mut width = LANES;
    while width > 1 {
        width /= 2;
        for k in 0..width {
            lanes[k] = lanes[2 * k] + lanes[2 * k + 1];
        }
    }
    lanes[0]
}
