//! Hyperbolic functions and their inverses.
//!
//! With `|x| = k ln 2 + r`, `sinh` and `cosh` are sums of `sinh r` and `cosh r`, which are polynomials, times half the
//! sum and the difference of `2**k` and its inverse: for `k = 0` `sinh` is its polynomial alone, and nothing is divided.
//! `tanh |x| = E / (E + 2)` with `E = exp(2 |x|) - 1`, taken from the parts of `exp` so that it does not cancel
//! near 0. Then the sign is put back.
//! The inverses are logarithms of `1 + w`: for `arcsinh`, `w = x + x**2 / (1 + sqrt(x**2 + 1))`; for
//! `arccosh`, `w = t + sqrt(t**2 + 2 t)` with `t = x - 1`; for `arctanh`, `w = 2 x / (1 - x)` and half of it. In
//! double precision these are held as sums of two doubles. May not know: tiles, machines.

use super::arc::half_inverse_f64;
use super::exp::{clamp, expm1_short, power_of_two, reduce};
use super::lanes::{LN2, LN2_REST, ROUND, complete, poly, sum_error};
use super::log::{log_of_double, log1p_parts};

/// From here on `x**2 + 1` is `x**2`, and `log(2 x)` either inverse.
const LARGE: f64 = 268_435_456.0;
/// `(sinh r - r) / r**3` in `r**2`, for `|r| <= ln 2 / 2`, to `2**-61` of `1 / r**2`.
const SINH: [f64; 5] = [
    0.16666666666666677,
    0.008333333333321577,
    0.00019841269886268994,
    2.7557244059233646e-06,
    2.510909132373748e-08,
];
/// `(cosh r - 1 - r**2 / 2) / r**4`, likewise, to `2**-70` of `1 / r**4`.
const COSH: [f64; 5] = [
    0.041666666666666685,
    0.0013888888888873411,
    2.4801587348909653e-05,
    2.75572520967277e-07,
    2.092167712110133e-09,
];

/// Hyperbolic tangent, within 0.95 ulp.
///
/// `E` and `E + 2` are held as a sum of two doubles, and the quotient is corrected by its remainder.
#[inline(always)]
pub fn tanh_f64(x: f64) -> f64 {
    let a = x.abs();
    let a = if a > 22.0 { 22.0 } else { a };
    let reduced = reduce(a + a, 0.0);
    // Where the power is so large that a third part counts, the quotient is 1.
    let (head, rest, _) = reduced.expm1(reduced.tail());
    let e = head + rest;
    let e_rest = (head - e) + rest;

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

/// Whether [`sinh_fast`] and [`cosh_fast`] apply: `exp |x|` and its inverse are normal numbers.
#[inline(always)]
pub(super) fn fast_applies(x: f64) -> bool {
    x.abs() < 700.0
}

/// `|x| = k ln 2 + r`, where `r` is `head` and a rest: what both functions are made of.
struct Halves {
    /// `2**k / 2` and `2**-k / 2`.
    up: f64,
    down: f64,
    head: f64,
    /// `sinh r - head` and `cosh r - 1`.
    sinh: f64,
    cosh: f64,
}

#[inline(always)]
fn halves(x: f64) -> Halves {
    let biased = x.abs().mul_add(std::f64::consts::LOG2_E, ROUND);
    let k = biased - ROUND;
    let head = k.mul_add(-LN2, x.abs());
    let rest = k * -LN2_REST;
    let r = head + rest;
    let z = r * r;
    let up = power_of_two(biased - 1.0);
    Halves {
        up,
        down: f64::from_bits((2044 << 52) - up.to_bits()),
        head,
        sinh: (r * z).mul_add(poly(z, SINH), rest),
        cosh: z * z.mul_add(poly(z, COSH), 0.5),
    }
}

impl Halves {
    /// `(even + even_rest) cosh r + odd sinh r`, where `even` is 0 or the larger, so that the first sum's error is exact.
    #[inline(always)]
    fn sum(&self, even: f64, even_rest: f64, odd: f64) -> f64 {
        let y = self.head.mul_add(odd, even);
        let rest = self.head.mul_add(odd, even - y) + even_rest;
        y + self.sinh.mul_add(odd, self.cosh.mul_add(even, rest))
    }
}

/// Hyperbolic sine: `(up - down) cosh r + (up + down) sinh r`.
#[inline(always)]
pub(super) fn sinh_fast(x: f64) -> f64 {
    let halves = halves(x);
    let (up, down) = (halves.up, halves.down);
    let even = up - down;
    halves.sum(even, (up - even) - down, up + down).copysign(x)
}

/// Hyperbolic cosine: `(up + down) cosh r + (up - down) sinh r`.
#[inline(always)]
pub(super) fn cosh_fast(x: f64) -> f64 {
    let halves = halves(x);
    let (up, down) = (halves.up, halves.down);
    let even = up + down;
    halves.sum(even, (up - even) + down, up - down)
}

/// `exp |x| / 2` of an `x` beyond 700, where that is both functions.
#[inline(always)]
fn half_exp(x: f64) -> f64 {
    let reduced = reduce(clamp(x.abs(), 0.0, 711.0), 0.0);
    // In two factors: the power of two alone may overflow.
    reduced.exp() * power_of_two(reduced.biased - 2.0) * 2.0
}

/// Hyperbolic sine of all others.
#[inline(always)]
pub(super) fn sinh_any(x: f64) -> f64 {
    half_exp(x).copysign(x)
}

/// Hyperbolic cosine, within 0.51 ulp.
#[inline(always)]
pub(super) fn cosh_wide(x: f32) -> f32 {
    let (p, scale) = expm1_short(clamp(x.abs().into(), 0.0, 100.0));
    let e = p.mul_add(scale, scale);
    (0.5 * (e + 1.0 / e)) as f32
}

/// Hyperbolic cosine of all others.
#[inline(always)]
pub(super) fn cosh_any(x: f64) -> f64 {
    half_exp(x)
}

complete! { f64
    /// Hyperbolic sine, within 0.9 ulp.
    sinh_f64(x): sinh_fast, fast_applies, sinh_any;
    /// Hyperbolic cosine, within 0.9 ulp.
    cosh_f64(x): cosh_fast, fast_applies, cosh_any;
}

/// `sqrt(v + v_rest)` as a sum of two doubles; 0 for 0.
#[inline(always)]
fn sqrt_parts(v: f64, v_rest: f64) -> (f64, f64) {
    let s = v.sqrt();
    (s, (s.mul_add(-s, v) + v_rest) * half_inverse_f64(s))
}

/// Inverse hyperbolic sine, within 0.51 ulp.
#[inline(always)]
pub(super) fn arcsinh_wide(x: f32) -> f32 {
    arcsinh_f64(x.into()) as f32
}

/// Whether [`arcsinh_fast`] applies.
#[inline(always)]
pub(super) fn arcsinh_applies(x: f64) -> bool {
    x.abs() < LARGE
}

/// Inverse hyperbolic sine of ordinary numbers.
#[inline(always)]
pub(super) fn arcsinh_fast(x: f64) -> f64 {
    let a = x.abs();
    let v = a * a;
    let v_rest = a.mul_add(a, -v);
    let sum = v + 1.0;
    let (s, s_rest) = sqrt_parts(sum, (v - (sum - 1.0)) + v_rest);
    let d = s + 1.0;
    let d_rest = (s - (d - 1.0)) + s_rest;
    let inverse = 1.0 / d;
    let q = v * inverse;
    let q_rest = (q.mul_add(-d, v) + q.mul_add(-d_rest, v_rest)) * inverse;
    let w = a + q;
    let (y, rest) = log1p_parts(w, sum_error(a, q, w) + q_rest);
    (y + rest).copysign(x)
}

/// The same of all others.
#[inline(always)]
pub(super) fn arcsinh_any(x: f64) -> f64 {
    log_of_double(x.abs()).copysign(x)
}

/// Inverse hyperbolic cosine, within 0.51 ulp.
#[inline(always)]
pub(super) fn arccosh_wide(x: f32) -> f32 {
    arccosh_f64(x.into()) as f32
}

/// Whether [`arccosh_fast`] applies.
#[inline(always)]
pub(super) fn arccosh_applies(x: f64) -> bool {
    (1.0..LARGE).contains(&x)
}

/// Inverse hyperbolic cosine of ordinary numbers.
#[inline(always)]
pub(super) fn arccosh_fast(x: f64) -> f64 {
    let t = x - 1.0;
    let v = t.mul_add(t, t + t);
    let v_rest = t.mul_add(t, (t + t) - v);
    let (s, s_rest) = sqrt_parts(v, v_rest);
    let w = s + t;
    let (y, rest) = log1p_parts(w, ((s - w) + t) + s_rest);
    y + rest
}

/// The same of all others.
#[inline(always)]
pub(super) fn arccosh_any(x: f64) -> f64 {
    if x < 1.0 { f64::NAN } else { log_of_double(x) }
}

/// Inverse hyperbolic tangent, within 0.51 ulp.
#[inline(always)]
pub(super) fn arctanh_wide(x: f32) -> f32 {
    arctanh_f64(x.into()) as f32
}

/// Whether [`arctanh_fast`] applies.
#[inline(always)]
pub(super) fn arctanh_applies(x: f64) -> bool {
    x.abs() < 1.0
}

/// Inverse hyperbolic tangent of what is in its domain.
#[inline(always)]
pub(super) fn arctanh_fast(x: f64) -> f64 {
    let a = x.abs();
    let n = a + a;
    let d = 1.0 - a;
    let d_rest = (1.0 - d) - a;
    let inverse = 1.0 / d;
    let w = n * inverse;
    let w_rest = (w.mul_add(-d, n) - w * d_rest) * inverse;
    let (y, rest) = log1p_parts(w, w_rest);
    (0.5 * (y + rest)).copysign(x)
}

/// The same of all others.
#[inline(always)]
pub(super) fn arctanh_any(x: f64) -> f64 {
    if x.abs() == 1.0 { f64::INFINITY.copysign(x) } else { f64::NAN }
}

complete! { f64
    /// Inverse hyperbolic sine, within 0.8 ulp.
    arcsinh_f64(x): arcsinh_fast, arcsinh_applies, arcsinh_any;
    /// Inverse hyperbolic cosine, within 0.8 ulp.
    arccosh_f64(x): arccosh_fast, arccosh_applies, arccosh_any;
    /// Inverse hyperbolic tangent, within 0.8 ulp.
    arctanh_f64(x): arctanh_fast, arctanh_applies, arctanh_any;
}
