//! Hyperbolic functions and their inverses.
//!
//! With `E = exp(|x|) - 1`, taken from the parts of `exp` so that it does not cancel near 0:
//! `sinh |x| = (E + E / (E + 1)) / 2`, `cosh x = (E + 1 + 1 / (E + 1)) / 2`, and
//! `tanh |x| = E / (E + 2)` with `2|x|` in `E`; then the sign is put back.
//! The inverses are logarithms of `1 + w`: for `arcsinh`, `w = x + x**2 / (1 + sqrt(x**2 + 1))`; for
//! `arccosh`, `w = x - 1 + sqrt(x**2 - 1)`; for `arctanh`, `w = 2 x / (1 - x)` and half of it. In
//! double precision all of these are held as sums of two doubles. May not know: tiles, machines.

use super::exp::{Reduced, clamp, expm1_quarter, expm1_short, power_of_two, reduce};
use super::lanes::sum_error;
use super::log::{log_of_double, log1p_parts};

/// From here on `x**2 + 1` is `x**2`, and `log(2 x)` either inverse.
const LARGE: f64 = 268_435_456.0;
/// Up to here the odd functions are their argument.
const TINY: f64 = 1.0 / LARGE;
/// From here on a number and the number plus 1 are one.
const VAST: f64 = 1e17;

/// Hyperbolic tangent, within 0.8 ulp.
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

/// Hyperbolic sine, within 0.51 ulp.
#[inline(always)]
pub(super) fn sinh_wide(x: f32) -> f32 {
    let (p, scale) = expm1_short(clamp(x.abs().into(), 0.0, 100.0));
    let e = p.mul_add(scale, scale - 1.0);
    ((0.5 * (e + e / (e + 1.0))) as f32).copysign(x)
}

/// Hyperbolic sine, within 0.8 ulp.
#[inline(always)]
pub fn sinh_f64(x: f64) -> f64 {
    let (e, e_rest) = expm1_quarter(clamp(x.abs(), 0.0, 710.75));
    // The quotient of large ones is 1/4.
    let (n, n_rest) = if e < VAST { (e, e_rest) } else { (VAST, 0.0) };
    let d = 4.0 * n + 1.0;
    let d_rest = sum_error(4.0 * n, 1.0, d) + 4.0 * n_rest;
    let inverse = 1.0 / d;
    let q = n * inverse;
    let q_rest = (q.mul_add(-d, n) + q.mul_add(-d_rest, n_rest)) * inverse;
    let y = e + q;
    let y_rest = sum_error(e, q, y) + (e_rest + q_rest);
    let y = (2.0 * (y + y_rest)).copysign(x);
    if x.abs() < TINY { x } else { y }
}

/// Hyperbolic cosine, within 0.51 ulp.
#[inline(always)]
pub(super) fn cosh_wide(x: f32) -> f32 {
    let (p, scale) = expm1_short(clamp(x.abs().into(), 0.0, 100.0));
    let e = p.mul_add(scale, scale);
    (0.5 * (e + 1.0 / e)) as f32
}

/// Hyperbolic cosine, within 0.8 ulp.
#[inline(always)]
pub fn cosh_f64(x: f64) -> f64 {
    let (e, e_rest) = expm1_quarter(clamp(x.abs(), 0.0, 710.75));
    // A quarter of `exp |x|`, and of its inverse.
    let u = e + 0.25;
    let u_rest = sum_error(e, 0.25, u) + e_rest;
    let (d, d_rest) = if u < VAST { (16.0 * u, 16.0 * u_rest) } else { (VAST, 0.0) };
    let q = 1.0 / d;
    let q_rest = (q.mul_add(-d, 1.0) - q * d_rest) * q;
    let y = u + q;
    2.0 * (y + (sum_error(u, q, y) + (u_rest + q_rest)))
}

/// `sqrt(v + v_rest)` as a sum of two doubles; 0 for 0.
#[inline(always)]
fn sqrt_parts(v: f64, v_rest: f64) -> (f64, f64) {
    let s = v.sqrt();
    let rest = (s.mul_add(-s, v) + v_rest) / (s + s);
    (s, if s > 0.0 { rest } else { 0.0 })
}

/// Inverse hyperbolic sine, within 0.51 ulp.
#[inline(always)]
pub fn arcsinh_f32(x: f32) -> f32 {
    arcsinh_f64(x.into()) as f32
}

/// Inverse hyperbolic sine, within 0.8 ulp.
#[inline(always)]
pub fn arcsinh_f64(x: f64) -> f64 {
    let a = clamp(x.abs(), 0.0, LARGE);
    let v = a * a;
    let v_rest = a.mul_add(a, -v);
    let sum = v + 1.0;
    let (s, s_rest) = sqrt_parts(sum, sum_error(v, 1.0, sum) + v_rest);
    let d = s + 1.0;
    let d_rest = sum_error(s, 1.0, d) + s_rest;
    let inverse = 1.0 / d;
    let q = v * inverse;
    let q_rest = (q.mul_add(-d, v) + q.mul_add(-d_rest, v_rest)) * inverse;
    let w = a + q;
    let (y, rest) = log1p_parts(w, sum_error(a, q, w) + q_rest);
    let y = if x.abs() < LARGE { y + rest } else { log_of_double(x.abs()) };
    if x.abs() < TINY { x } else { y.copysign(x) }
}

/// Inverse hyperbolic cosine, within 0.51 ulp.
#[inline(always)]
pub fn arccosh_f32(x: f32) -> f32 {
    arccosh_f64(x.into()) as f32
}

/// Inverse hyperbolic cosine, within 0.8 ulp.
#[inline(always)]
pub fn arccosh_f64(x: f64) -> f64 {
    let a = clamp(x, 1.0, LARGE);
    let square = a * a;
    let v = square - 1.0;
    let (s, s_rest) = sqrt_parts(v, sum_error(square, -1.0, v) + a.mul_add(a, -square));
    let t = a - 1.0;
    let w = t + s;
    let (y, rest) = log1p_parts(w, sum_error(t, s, w) + (sum_error(a, -1.0, t) + s_rest));
    let y = if x < LARGE { y + rest } else { log_of_double(x) };
    if x < 1.0 { f64::NAN } else { y }
}

/// Inverse hyperbolic tangent, within 0.51 ulp.
#[inline(always)]
pub fn arctanh_f32(x: f32) -> f32 {
    arctanh_f64(x.into()) as f32
}

/// Inverse hyperbolic tangent, within 0.8 ulp.
#[inline(always)]
pub fn arctanh_f64(x: f64) -> f64 {
    let a = x.abs();
    let n = a + a;
    let d = 1.0 - a;
    let d_rest = sum_error(1.0, -a, d);
    let inverse = 1.0 / d;
    let w = n * inverse;
    let w_rest = (w.mul_add(-d, n) - w * d_rest) * inverse;
    let (y, rest) = log1p_parts(w, w_rest);
    let y = if a == 1.0 { f64::INFINITY } else { 0.5 * (y + rest) };
    let y = if a > 1.0 { f64::NAN } else { y };
    if a < TINY { x } else { y.copysign(x) }
}
