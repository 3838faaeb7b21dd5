//! Cube root, and hypotenuse.
//!
//! The cube root: from a first guess of `x**(-1/3)`, a third of the bits taken away from a constant, series in
//! `h = 1 - x r**3` make a close one (Householder's iteration, which divides by nothing). The root is
//! `x r**2`, and a last step of Newton's with its remainder held as a sum of two rounds nearly once.
//! The hypotenuse is the square root of a sum of two doubles, scaled where squares would not be normal numbers.
//! May not know: tiles, machines.

use super::arc::half_inverse_f64;
use super::lanes::{complete, sum_error};

/// What a third of the upper 16 bits of a single is taken from.
const GUESS_F32: u32 = 0x54a1_a800;
/// The same of the upper 32 bits of a double.
const GUESS_F64: u64 = 0x553e_a000;
/// A third of `2**16`, cut.
const THIRD_16: u32 = 0x5555;

/// Whether [`cbrt_single`] applies: no step on the way is subnormal or infinite.
#[inline(always)]
pub(super) fn cbrt_applies(x: f32) -> bool {
    let a = x.abs();
    a > 1e-30 && a < f32::INFINITY
}

/// Cube root of ordinary numbers.
#[inline(always)]
pub(super) fn cbrt_single(x: f32) -> f32 {
    let a = x.abs();
    let r = f32::from_bits(GUESS_F32 - (a.to_bits() >> 16) * THIRD_16);
    let h = (a * r).mul_add(-(r * r), 1.0);
    let series = h.mul_add(h.mul_add(14.0 / 81.0, 2.0 / 9.0), 1.0 / 3.0);
    let r = (r * h).mul_add(series, r);
    let square = r * r;
    let y = a * square;
    let cube = y * y;
    let cube_rest = y.mul_add(y, -cube);
    let beyond = cube.mul_add(y, -a) + cube_rest * y;
    (beyond * square).mul_add(-1.0 / 3.0, y).copysign(x)
}

/// Cube root, within 0.51 ulp.
#[inline(always)]
pub(super) fn cbrt_wide(x: f32) -> f32 {
    cbrt_f64(x.into()) as f32
}

/// Whether [`cbrt_fast`] applies: to zeros, as in silence, and to normal numbers.
#[inline(always)]
pub(super) fn cbrt_fast_applies(x: f64) -> bool {
    let a = x.abs();
    (f64::MIN_POSITIVE..f64::INFINITY).contains(&a) || a == 0.0
}

/// Cube root of zeros and normal numbers.
#[inline(always)]
pub(super) fn cbrt_fast(x: f64) -> f64 {
    let a = x.abs();
    let guess = GUESS_F64 - (a.to_bits() >> 48) * u64::from(THIRD_16);
    let r = f64::from_bits(guess << 32);
    let h = (a * r).mul_add(-(r * r), 1.0);
    let series = h.mul_add(h.mul_add(14.0 / 81.0, 2.0 / 9.0), 1.0 / 3.0);
    let r = (r * h).mul_add(series, r);
    let h = (a * r).mul_add(-(r * r), 1.0);
    let r = (r * h).mul_add(h.mul_add(2.0 / 9.0, 1.0 / 3.0), r);
    let square = r * r;
    let y = a * square;
    let cube = y * y;
    let cube_rest = y.mul_add(y, -cube);
    let beyond = cube.mul_add(y, -a) + cube_rest * y;
    (beyond * square).mul_add(-1.0 / 3.0, y).copysign(x)
}

/// Cube root of all others: a cube of a power of two lifts what is subnormal; infinities and NaN are their own roots.
#[inline(always)]
pub(super) fn cbrt_any(x: f64) -> f64 {
    let root = cbrt_fast(x * 18_014_398_509_481_984.0) * (1.0 / 262_144.0);
    if x.abs() < f64::MIN_POSITIVE { root } else { x }
}

complete! { f64
    /// Cube root, within 0.51 ulp.
    cbrt_f64(x): cbrt_fast, cbrt_fast_applies, cbrt_any;
}

/// `2**600` and `2**-600`.
const UP: f64 = f64::from_bits((1023 + 600) << 52);
/// See [`UP`].
const DOWN: f64 = f64::from_bits((1023 - 600) << 52);

/// Hypotenuse, within 0.51 ulp.
#[inline(always)]
pub fn hypot_f32(x: f32, y: f32) -> f32 {
    // The squares are exact.
    let (a, b) = (f64::from(x), f64::from(y));
    let root = a.mul_add(a, b * b).sqrt() as f32;
    let endless = x.abs() == f32::INFINITY || y.abs() == f32::INFINITY;
    if endless { f32::INFINITY } else { root }
}

/// Hypotenuse, within 0.6 ulp.
#[inline(always)]
pub fn hypot_f64(x: f64, y: f64) -> f64 {
    let (a, b) = (x.abs(), y.abs());
    let (large, small) = if a > b { (a, b) } else { (b, a) };
    let (scale, back) = if large > 1e150 { (DOWN, UP) } else { (1.0, 1.0) };
    let (scale, back) = if large < 1e-150 { (UP, DOWN) } else { (scale, back) };
    let (a, b) = (large * scale, small * scale);
    let (square, other) = (a * a, b * b);
    let sum = square + other;
    let rest = a.mul_add(a, -square) + b.mul_add(b, -other) + sum_error(square, other, sum);
    let root = sum.sqrt();
    let error = (root.mul_add(-root, sum) + rest) * half_inverse_f64(root);
    let y = (root + error) * back;
    let infinite = large == f64::INFINITY || small == f64::INFINITY;
    if infinite { f64::INFINITY } else { y }
}
