//! The hyperbolic tangent.
//!
//! `tanh x = E / (E + 2)` with `E = exp(2|x|) - 1`, taken from the parts of `exp` so that it does not
//! cancel near 0, and the sign put back. May not know: tiles, machines.

use super::exp::{Reduced, expm1_short, power_of_two, reduce};
use super::lanes::sum_error;

/// Hyperbolic tangent, within 0.501 ulp.
#[inline(always)]
pub fn tanh_f32(x: f32) -> f32 {
    let a = f64::from(x.abs());
    let a = if a > 10.0 { 10.0 } else { a };
    let (p, scale) = expm1_short(a + a);
    let e = p.mul_add(scale, scale - 1.0);
    ((e / (e + 2.0)) as f32).copysign(x)
}

/// Hyperbolic tangent, within 0.7 ulp.
///
/// `E` and `E + 2` are held as a sum of two doubles, and the quotient is corrected by its remainder.
#[inline(always)]
pub fn tanh_f64(x: f64) -> f64 {
    let a = x.abs();
    let a = if a > 22.0 { 22.0 } else { a };
    let Reduced { biased, r, rest, tail } = reduce(a + a, 0.0);
    let p = r + tail;
    let p_rest = ((r - p) + tail) + rest.mul_add(r, rest);

    let scale = power_of_two(biased);
    let below = scale - 1.0;
    let e = p.mul_add(scale, below);
    let e_rest = p_rest.mul_add(scale, p.mul_add(scale, below - e));

    let d = e + 2.0;
    let d_rest = sum_error(e, 2.0, d) + e_rest;
    let inverse = 1.0 / d;
    let y = e * inverse;
    let remainder = y.mul_add(-d, e) + y.mul_add(-d_rest, e_rest);
    remainder.mul_add(inverse, y).copysign(x)
}
