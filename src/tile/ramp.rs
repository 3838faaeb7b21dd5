//! Even grids: elements that are a formula of their number.
//!
//! May not know: bounds, lengths.

use super::isa::{Isa, pick};

/// Makes `n` elements from number `first` on; an element is `start + number * step`, or in `float64`
/// `number * step + start`.
pub type RampFn<T> = unsafe fn(out: *mut T, n: usize, first: usize, start: T, step: T);

/// Of integers; none wraps.
pub fn integers() -> RampFn<i64> {
    integers_on(Isa::here())
}

/// Of `float64`.
pub fn line() -> RampFn<f64> {
    line_on(Isa::here())
}

/// The same, built for `isa`.
fn integers_on(isa: Isa) -> RampFn<i64> {
    pick!(isa => RampFn<i64>, portable::integers, wide::integers, wide::integers)
}

/// The same, built for `isa`.
fn line_on(isa: Isa) -> RampFn<f64> {
    pick!(isa => RampFn<f64>, portable::line, wide::line, wide::line)
}

/// A build, for the instruction set in the attribute. Stores take longer than wider vectors than those of 256 bits
/// would save.
macro_rules! build {
    ($(#[$attr:meta])* $module:ident) => {
        mod $module {
            use crate::tile::TILE;

            /// # Safety
            /// There is room, on a machine that has the instruction set.
            $(#[$attr])*
            pub(super) unsafe fn integers(out: *mut i64, n: usize, first: usize, start: i64, step: i64) {
                let mut value = start.wrapping_add((first as i64).wrapping_mul(step));
                for i in 0..n {
                    // SAFETY: the caller's promise.
                    unsafe { out.add(i).write_unaligned(value) };
                    value = value.wrapping_add(step);
                }
            }

            /// # Safety
            /// There is room, on a machine that has the instruction set.
            $(#[$attr])*
            pub(super) unsafe fn line(out: *mut f64, n: usize, first: usize, start: f64, step: f64) {
                for at in (0..n).step_by(TILE) {
                    let base = (first + at) as f64;
                    // Numbers in a tile are `i32`, which vectors convert.
                    for i in 0..TILE.min(n - at) as i32 {
                        let value = (base + f64::from(i)) * step + start;
                        // SAFETY: the caller's promise.
                        unsafe { out.add(at + i as usize).write_unaligned(value) };
                    }
                }
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
    fn elements_are_their_formula_from_any_number_on() {
        for &isa in Isa::all() {
            for (n, first) in [(1, 0), (7, 3), (1025, 4096), (3000, 1 << 33)] {
                let (mut whole, mut line) = (vec![0; n], vec![0.0; n]);
                // SAFETY: vectors of `n`, and builds for this machine.
                unsafe {
                    integers_on(isa)(whole.as_mut_ptr(), n, first, -5, -3);
                    line_on(isa)(line.as_mut_ptr(), n, first, 0.1, 1.0 / 3.0);
                }
                for (number, (&whole, &line)) in (first..).zip(whole.iter().zip(&line)) {
                    assert_eq!(whole, -5 - 3 * number as i64);
                    assert_eq!(line.to_bits(), (number as f64 * (1.0 / 3.0) + 0.1).to_bits());
                }
            }
        }
    }
}
