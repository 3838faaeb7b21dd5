//! Powers.
//!
//! `x**y = exp(y log |x|)`, with the logarithm and the product held as sums of two doubles
//! (Dekker's arithmetic in fused steps), and then the rules of C99's annex F, which NumPy follows.
//! May not know: tiles, machines.

use super::exp::{clamp, exp_with_rest, exp2_short, reduce, scale};
use super::lanes::{LN2_42, LN2_42_REST, complete, poly};
use super::log::{HALF_TOP, INV_LN2, Split, is_positive_normal, split, split_normal};
use super::single::{self, split_at_sqrt};

/// `(2 atanh s - 2 s) / (ln 2 s**3)` in `s**2`, for `s` of the reduced range: to `2**-37` of `2 / s**2`.
const SHORT: [f64; 4] =
    [0.9617966791914558, 0.5770828524098186, 0.4117063208618161, 0.34021876125905814];

/// `2 / 3` as a sum of two doubles.
const TWO_THIRDS: [f64; 2] = [0.6666666666666666, 3.700743415417188e-17];

/// `(2 atanh s - 2 s - 2 s**3 / 3) / s**5` in `s**2`, for `s` of the reduced range: the logarithm to
/// `2**-73`.
const SERIES: [f64; 8] = [
    0.3999999999999998,
    0.2857142857144512,
    0.22222222217534318,
    0.18181818870597719,
    0.15384556850672265,
    0.1333631823121769,
    0.11674801536368315,
    0.1198915773735672,
];

/// `log(2**e * m)` as a sum of two doubles, to about `2**-66`.
#[inline(always)]
fn log_two_parts(Split { e, m }: Split) -> (f64, f64) {
    // s = f / d, in two parts.
    let f = m - 1.0;
    let d = m + 1.0;
    let d_rest = m - (d - 1.0);
    let inverse = 1.0 / d;
    let s = f * inverse;
    let s_rest = s.mul_add(-d_rest, s.mul_add(-d, f)) * inverse;
    // z = s**2.
    let z = s * s;
    let z_rest = (s + s).mul_add(s_rest, s.mul_add(s, -z));
    // a = 2/3 + z q.
    let q = poly(z, SERIES);
    let t = z * q;
    let t_rest = z_rest.mul_add(q, z.mul_add(q, -t));
    let a = TWO_THIRDS[0] + t;
    let a_rest = ((TWO_THIRDS[0] - a) + t) + (t_rest + TWO_THIRDS[1]);
    // c = 2 + z a.
    let b = z * a;
    let b_rest = z_rest.mul_add(a, z.mul_add(a_rest, z.mul_add(a, -b)));
    let c = 2.0 + b;
    let c_rest = ((2.0 - c) + b) + b_rest;
    // log = e ln 2 + s c.
    let l = s * c;
    let l_rest = s_rest.mul_add(c, s.mul_add(c_rest, s.mul_add(c, -l)));
    let whole = e * LN2_42;
    let head = whole + l;
    let rest = ((whole - head) + l) + e.mul_add(LN2_42_REST, l_rest);
    let sum = head + rest;
    (sum, (head - sum) + rest)
}

/// `log`, the logarithm of `a`, where `a` is positive and finite; else what NumPy has there.
#[inline(always)]
fn log_special(a: f64, log: f64) -> f64 {
    // Not `a < INFINITY`: the compiler would merge both tests into costlier ones of the bits.
    let log = if a * 0.5 < HALF_TOP { log } else { a };
    if a == 0.0 { f64::NEG_INFINITY } else { log }
}

/// The exponent to compute with: 1 to any power is 1, even to NaN.
#[inline(always)]
fn exponent(a: f64, y: f64) -> f64 {
    if a == 1.0 { 0.0 } else { y }
}

/// The power from that of `|x|`, of which `log` is a logarithm: the sign, and what `y` alone decides.
#[inline(always)]
fn finish(x: f64, y: f64, log: f64, power: f64) -> f64 {
    let half = 0.5 * y;
    let whole = y.floor() == y;
    let odd = whole && half.floor() != half;
    let flip = if odd { x.to_bits() & (1 << 63) } else { 0 };
    let power = f64::from_bits(power.to_bits() ^ flip);
    // The logarithm tells finite numbers from infinity, which may have any exponent.
    let outside = x < 0.0 && log < 1000.0 && !whole;
    let power = if outside { f64::NAN } else { power };
    let power = if y == 2.0 { x * x } else { power };
    if y == 0.0 { 1.0 } else { power }
}

/// `log2(2**e (1 + f))`, to about `2**-37`.
#[inline(always)]
fn log2_short(e: f64, f: f64) -> f64 {
    let s = f / (f + 2.0);
    let z = s * s;
    s.mul_add(z.mul_add(poly(z, SHORT), 2.0 * INV_LN2), e)
}

/// `y log2 x`, for a positive normal `x`.
#[inline(always)]
fn product_short(x: f32, y: f32) -> f64 {
    let (e, f) = split_at_sqrt(x);
    f64::from(y) * log2_short(e.into(), f.into())
}

/// Whether [`power_single`] applies: to positive normal `x` and powers that are normal too.
#[inline(always)]
pub(super) fn power_single_applies(x: f32, y: f32) -> bool {
    single::is_positive_normal(x) & (product_short(x, y).abs() < 125.0)
}

/// `x**y` of ordinary operands.
#[inline(always)]
pub(super) fn power_single(x: f32, y: f32) -> f32 {
    let power = exp2_short(product_short(x, y)) as f32;
    if y == 2.0 { x * x } else { power }
}

/// `x**y`, within 0.51 ulp; `x * x` where `y` is 2.
#[inline(always)]
pub(super) fn power_wide(x: f32, y: f32) -> f32 {
    let (x, y) = (f64::from(x), f64::from(y));
    let a = x.abs();
    let Split { e, m } = split_normal(a);
    let log = log_special(a, log2_short(e, m - 1.0));
    let power = exp2_short(clamp(exponent(a, y) * log, -160.0, 130.0));
    finish(x, y, log, power) as f32
}

/// `y log x` as a sum of two doubles, given the logarithm as one.
#[inline(always)]
fn product(y: f64, (log, log_rest): (f64, f64)) -> (f64, f64) {
    let product = y * log;
    (product, log_rest.mul_add(y, log.mul_add(y, -product)))
}

/// Whether [`power_fast`] applies: to positive normal `x` and powers that are normal too.
#[inline(always)]
pub(super) fn power_applies(x: f64, y: f64) -> bool {
    let log = log_two_parts(split_normal(x));
    is_positive_normal(x) & (product(y, log).0.abs() < 708.0)
}

/// `x**y` of ordinary operands.
#[inline(always)]
pub(super) fn power_fast(x: f64, y: f64) -> f64 {
    let (product, rest) = product(y, log_two_parts(split_normal(x)));
    let reduced = reduce(product, rest);
    let (power, power_rest) = reduced.exp();
    let power = scale(power + power_rest, reduced.biased);
    if y == 2.0 { x * x } else { power }
}

/// `x**y` of anything.
#[inline(always)]
pub(super) fn power_any(x: f64, y: f64) -> f64 {
    let a = x.abs();
    let (log, log_rest) = log_two_parts(split(a));
    let log = log_special(a, log);
    let (product, rest) = product(exponent(a, y), (log, log_rest));
    let rest = if product.abs() < 746.0 { rest } else { 0.0 };
    let power = exp_with_rest(clamp(product, -746.0, 710.0), rest);
    finish(x, y, log, power)
}

complete! { f32
    /// `x**y`, within 0.51 ulp; `x * x` where `y` is 2.
    power_f32(x, y): power_single, power_single_applies, power_wide;
}

complete! { f64
    /// `x**y`, within 0.8 ulp; `x * x` where `y` is 2.
    power_f64(x, y): power_fast, power_applies, power_any;
}
