//! Points in memory that are an even grid: then they need not be searched.
//!
//! May not know: who asks, and whether it pays.

use super::Grid;
use crate::tile::isa::{Isa, pick};

/// Points that are compared before anybody leaves.
const CHUNK: usize = 256;

/// The formula of points that `np.arange` or `np.linspace` made, or whoever makes the same: each is
/// compared with its own. `None` for others, and where they do not ascend.
pub fn even(points: &[f64]) -> Option<Grid> {
    let &[start, next, .., stop] = points else { return None };
    let last = points.len() - 1;
    // The last point is set, not computed; the others ascend as their formula does. NaN is in no order.
    let ordered = points[last - 1] <= stop;
    // `arange` steps by what its first two are apart, `linspace` by a part of the whole.
    let steps = [next - start, (stop - start) / last as f64];
    steps.into_iter().filter(|step| *step > 0.0).find_map(|step| {
        let formula = |i: f64| i * step + start;
        // Most that are not even are told from it by a few.
        let few = [1, last / 2, last - 1].into_iter().all(|i| points[i] == formula(i as f64));
        // SAFETY: a build for this machine.
        let all = || unsafe { line_on(Isa::here())(&points[..last], start, step) };
        (ordered && few && all()).then_some(Grid::Linspace { start, step, stop })
    })
}

/// The same of integers, which must be exact in `float64`.
pub fn even_integers(points: &[i64]) -> Option<Grid> {
    let &[start, next, .., stop] = points else { return None };
    let small = |v: i64| v.unsigned_abs() < 1 << 52;
    let step = next.wrapping_sub(start);
    let ascending = small(start) && small(stop) && small(next) && step > 0;
    // SAFETY: a build for this machine.
    let all = || unsafe { integers_on(Isa::here())(points, start, step) };
    // None wraps: more than 2^53 steps do not fit memory.
    (ascending && stop - start == step.wrapping_mul(points.len() as i64 - 1) && all())
        .then_some(Grid::Arange { start: start as f64, step: step as f64 })
}

/// Whether points follow the formula of a start and a step.
type Follow<T> = unsafe fn(points: &[T], start: T, step: T) -> bool;

/// Of integers, built for `isa`.
fn integers_on(isa: Isa) -> Follow<i64> {
    pick!(isa => Follow<i64>, portable::integers, wide::integers, wide::integers)
}

/// Of `float64`, built for `isa`.
fn line_on(isa: Isa) -> Follow<f64> {
    pick!(isa => Follow<f64>, portable::line, wide::line, wide::line)
}

/// A build, for the instruction set in the attribute. Without a way out the comparison of a chunk is vectors.
macro_rules! build {
    ($(#[$attr:meta])* $module:ident) => {
        mod $module {
            use super::CHUNK;

            /// # Safety
            /// The machine has the instruction set.
            $(#[$attr])*
            pub(super) unsafe fn integers(points: &[i64], start: i64, step: i64) -> bool {
                let mut value = start;
                for chunk in points.chunks(CHUNK) {
                    let mut differs = 0;
                    for &point in chunk {
                        differs |= point ^ value;
                        value = value.wrapping_add(step);
                    }
                    if differs != 0 {
                        return false;
                    }
                }
                true
            }

            /// # Safety
            /// The machine has the instruction set.
            $(#[$attr])*
            pub(super) unsafe fn line(points: &[f64], start: f64, step: f64) -> bool {
                for (c, chunk) in points.chunks(CHUNK).enumerate() {
                    let (from, mut differs) = ((c * CHUNK) as f64, 0u64);
                    for (i, &point) in (0..CHUNK as i32).zip(chunk) {
                        let formula = (from + f64::from(i)) * step + start;
                        differs |= u64::from(point != formula);
                    }
                    if differs != 0 {
                        return false;
                    }
                }
                true
            }
        }
    };
}

build!(portable);
#[cfg(target_arch = "x86_64")]
build!(
    #[target_feature(enable = "avx2")]
    wide
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_build_sees_the_one_point_that_differs() {
        let whole: Vec<i64> = (0..600).map(|i| 7 * i - 50).collect();
        let line: Vec<f64> = (0..600).map(|i| f64::from(i) * 0.1 - 5.0).collect();
        for &isa in Isa::all() {
            // SAFETY: builds for this machine.
            let follows = |whole: &[i64], line: &[f64]| unsafe {
                [integers_on(isa)(whole, -50, 7), line_on(isa)(line, -5.0, 0.1)]
            };
            for n in [1, 255, 256, 257, 600] {
                assert_eq!(follows(&whole[..n], &line[..n]), [true; 2]);
                for at in [0, n / 2, n - 1] {
                    let (mut whole, mut line) = (whole[..n].to_vec(), line[..n].to_vec());
                    (whole[at], line[at]) = (whole[at] + 1, f64::NAN);
                    assert_eq!(follows(&whole, &line), [false; 2], "{at} of {n}");
                }
            }
        }
    }
}
