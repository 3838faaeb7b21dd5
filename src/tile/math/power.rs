//! Powers.
//!
//! `x**y = exp(y log |x|)`, with the logarithm and the product held as sums of two doubles
//! (Dekker's arithmetic in fused steps), and then the rules of C99's annex F, which NumPy follows.
//! May not know: tiles, machines.

use std::f32::consts::LOG2_E;

use super::exp::{clamp, exp_with_rest, exp2_short, reduce, scale};
use super::lanes::{self, LN2_42, LN2_42_REST, Unary, complete, of_two, poly};
use super::log::{self, HALF_TOP, INV_LN2, is_positive_normal, split, split_normal};
use super::log_table::{Log2F32, SplitF32};
use super::single::exp2_parts;
use super::table::{Real, Table, Tables};

/// `(2 atanh s - 2 s) / (ln 2 s**3)` in `s**2`, for `s` of the reduced range: to `2**-37` of `2 / s**2`.
const SHORT: [f64; 4] =
    [0.9617966791914558, 0.5770828524098186, 0.4117063208618161, 0.34021876125905814];

/// `(log(1 + r) - r + r**2 / 2) / r**3`, for `r` of the tables' reduced range.
const LOG: [f32; 4] = [0.333_333_34, -0.250_004_6, 0.200_040_97, -0.159_195];
/// `1 / ln 2` less the single nearest to it.
const LOG2_E_REST: f32 = 1.925_963e-8;

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
fn log_two_parts(log::Split { e, m }: log::Split) -> (f64, f64) {
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

/// Powers of `float32`, of ordinary operands: the logarithm by the tables of [`Log2F32`], as a sum of two singles.
pub(super) struct Power;

/// `y log2 x` as a sum of two singles, to `2**-33` of it.
#[inline(always)]
fn product_single(x: f32, y: f32, row: [f32; 3]) -> (f32, f32) {
    let SplitF32 { e, lowered, inverse, head, rest } = SplitF32::of(x, row);
    let head = e.mul_add(SplitF32::UNIT, head);
    // 1 + r + r_rest, exactly.
    let product = lowered * inverse;
    let r = product - 1.0;
    let r_rest = lowered.mul_add(inverse, -product);

    // The logarithm of 1 + r: a - a r / 2 + a r**2 q, where `a` is that of the series' first term.
    let a = r * LOG2_E;
    let a_rest = r.mul_add(LOG2_E_REST, r.mul_add(LOG2_E, -a));
    let half = -0.5 * r;
    let b = a * half;
    let b_rest = a_rest.mul_add(half, a.mul_add(half, -b));
    let square = r * r;
    let q = r.mul_add(r.mul_add(r.mul_add(LOG[3], LOG[2]), LOG[1]), LOG[0]);
    let rest = r_rest.mul_add(square - r, r_rest).mul_add(LOG2_E, rest);
    let rest = a.mul_add(square * q, (a_rest + b_rest) + rest);

    let log = a + b;
    let log_rest = (a - log) + b;
    let sum = head + log;
    let sum_rest = ((head - sum) + log) + log_rest;
    let product = y * sum;
    (product, y.mul_add(sum_rest + rest, y.mul_add(sum, -product)))
}

impl Tables<f32, 3> for Power {
    const TABLES: [Table<f32>; 3] = Log2F32::TABLES;
}

impl lanes::Binary<f32, 3> for Power {
    #[inline(always)]
    fn index(x: f32, _: f32) -> <f32 as Real>::Index {
        Log2F32::index(x)
    }

    #[inline(always)]
    fn fast(x: f32, y: f32, row: [f32; 3]) -> f32 {
        let (product, rest) = product_single(x, y, row);
        let power = exp2_parts(product, rest);
        if y == 2.0 { x * x } else { power }
    }

    /// To positive normal `x` and powers that are normal too.
    #[inline(always)]
    fn applies(x: f32, y: f32, row: [f32; 3]) -> bool {
        Log2F32::plain(x) & (product_single(x, y, row).0.abs() < 125.0)
    }

    #[inline(always)]
    fn wide(x: f32, y: f32) -> f32 {
        power_wide(x, y)
    }
}

/// `x**y`, within 0.51 ulp; `x * x` where `y` is 2.
#[inline(always)]
pub(super) fn power_wide(x: f32, y: f32) -> f32 {
    let (x, y) = (f64::from(x), f64::from(y));
    let a = x.abs();
    let log::Split { e, m } = split_normal(a);
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
    let power = scale(reduced.exp(), reduced.biased);
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

/// `x**y`, within 0.9 ulp; `x * x` where `y` is 2.
#[inline(always)]
pub fn power_f32(x: f32, y: f32) -> f32 {
    of_two::<f32, Power, 3>(x, y)
}

complete! { f64
    /// `x**y`, within 0.9 ulp; `x * x` where `y` is 2.
    power_f64(x, y): power_fast, power_applies, power_any;
}
