//! Sums of products, for dot products.
//!
//! Products and sums of a block are in the elements' own precision, on [`LANES`] sums side by side; what
//! they add up to is `float64`. So the result depends on the length alone, and on no machine: products are
//! rounded before they are added.
//!
//! May not know: where the elements come from.

use super::isa::{Isa, pick};
use super::scalar::Element;

/// The sum of `n` products, at most of a block.
pub type DotFn = unsafe fn(a: *const u8, b: *const u8, n: usize) -> f64;

/// Sums side by side: four vectors of the widest machine.
const LANES: usize = 64;

/// The sum of products of `float32` elements.
pub fn dot_f32() -> DotFn {
    dot_f32_on(Isa::here())
}

/// The sum of products of `float64` elements.
pub fn dot_f64() -> DotFn {
    dot_f64_on(Isa::here())
}

fn dot_f32_on(isa: Isa) -> DotFn {
    pick!(isa => DotFn, portable::single, avx2::single, avx512::single)
}

fn dot_f64_on(isa: Isa) -> DotFn {
    pick!(isa => DotFn, portable::double, avx2::double, avx512::double)
}

/// # Safety
/// `a` and `b` are `n` elements.
#[inline(always)]
unsafe fn dot<T: Element + Default + Into<f64>>(a: *const u8, b: *const u8, n: usize) -> f64 {
    let (a, b) = (a.cast::<T>(), b.cast::<T>());
    let mut sums = [T::default(); LANES];
    let whole = n / LANES * LANES;
    for at in (0..whole).step_by(LANES) {
        // SAFETY: elements `at..at + LANES` are there.
        let (x, y) = unsafe {
            (
                a.add(at).cast::<[T; LANES]>().read_unaligned(),
                b.add(at).cast::<[T; LANES]>().read_unaligned(),
            )
        };
        for k in 0..LANES {
            sums[k] = sums[k].add(x[k].multiply(y[k]));
        }
    }
    for (at, sum) in (whole..n).zip(&mut sums) {
        // SAFETY: element `at` is there.
        let (x, y) = unsafe { (a.add(at).read_unaligned(), b.add(at).read_unaligned()) };
        *sum = sum.add(x.multiply(y));
    }
    let mut sums = sums.map(Into::<f64>::into);
    let mut width = LANES / 2;
    while width > 0 {
        for k in 0..width {
            sums[k] += sums[k + width];
        }
        width /= 2;
    }
    sums[0]
}

/// A build, for the instruction set in the attribute.
macro_rules! build {
    ($(#[$attr:meta])* $module:ident) => {
        mod $module {
            /// # Safety
            /// As of [`super::DotFn`], on a machine that has the instruction set.
            $(#[$attr])*
            pub(super) unsafe fn single(a: *const u8, b: *const u8, n: usize) -> f64 {
                // SAFETY: the caller's promise.
                unsafe { super::dot::<f32>(a, b, n) }
            }

            /// # Safety
            /// As of [`super::DotFn`], on a machine that has the instruction set.
            $(#[$attr])*
            pub(super) unsafe fn double(a: *const u8, b: *const u8, n: usize) -> f64 {
                // SAFETY: the caller's promise.
                unsafe { super::dot::<f64>(a, b, n) }
            }
        }
    };
}

build!(portable);
#[cfg(target_arch = "x86_64")]
build!(
    #[target_feature(enable = "avx2")]
    avx2
);
#[cfg(target_arch = "x86_64")]
build!(
    #[target_feature(enable = "avx2,avx512f,avx512bw,avx512dq,avx512vl")]
    avx512
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_builds_agree_and_are_near_the_truth() {
        for n in [0, 1, 5, 63, 64, 65, 1000, 4096] {
            let a: Vec<f64> = (0..n).map(|i| f64::from(i * 37 % 101) / 50.0 - 1.0).collect();
            let b: Vec<f64> = (0..n).map(|i| f64::from(i * 53 % 97) / 48.0 - 1.0).collect();
            let singles = [&a, &b].map(|v| v.iter().map(|&v| v as f32).collect::<Vec<f32>>());
            let exact: f64 = a.iter().zip(&b).map(|(a, b)| a * b).sum();
            let [p, q] = [&a, &b].map(|v| v.as_ptr().cast());
            let [r, s] = singles.each_ref().map(|v| v.as_ptr().cast());
            let found: Vec<[f64; 2]> = Isa::all()
                .iter()
                // SAFETY: vectors of `n` elements, and builds for this machine.
                .map(|&isa| unsafe {
                    [dot_f64_on(isa)(p, q, a.len()), dot_f32_on(isa)(r, s, a.len())]
                })
                .collect();
            assert!(found.iter().all(|f| f.map(f64::to_bits) == found[0].map(f64::to_bits)));
            assert!((found[0][0] - exact).abs() <= 1e-13 * (1.0 + exact.abs()));
            assert!((found[0][1] - exact).abs() <= 1e-4 * (1.0 + exact.abs()));
        }
    }
}
