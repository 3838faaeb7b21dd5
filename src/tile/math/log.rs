//! Logarithms: natural, decimal, binary, and of `1 + x`.
//!
//! `x = 2**e (1 + f)` with `1 + f` between `sqrt(1/2)` and `sqrt 2`; then, as in fdlibm,
//! `log(1 + f) = f - (f**2 / 2 - s (f**2 / 2 + R))` with `s = f / (2 + f)` and `R` a minimax
//! polynomial for the rest of the series of `2 atanh s`. May not know: tiles, machines.

use super::exp::power_of_two;
use super::lanes::{LN2, LN2_42, LN2_42_REST, ROUND, complete, poly, sum_error};

/// The bits of `sqrt(1/2)`, cut.
const SQRT_HALF: u64 = 0x3fe6_a09e_0000_0000;
const FRACTION: u64 = (1 << 52) - 1;

/// `(2 atanh s - 2 s) / s**3` in `s**2`, for `s` of the reduced range: to `2**-37` of `2 / s**2`.
const SHORT: [f64; 4] =
    [0.6666666564528203, 0.40000335372690904, 0.2853729272313345, 0.23582498668953536];

/// The same to `2**-59`.
const LONG: [f64; 7] = [
    0.6666666666666734,
    0.3999999999941439,
    0.2857142874247994,
    0.2222219856141209,
    0.18183565049841946,
    0.15314029265469656,
    0.14796189603967377,
];

/// `1 / ln 10`, and what rounding it to a double left over.
const INV_LN10: f64 = std::f64::consts::LOG10_E;
const INV_LN10_REST: f64 = 1.098319650216765e-17;
/// `1 / ln 2`, and what rounding it to a double left over.
pub(super) const INV_LN2: f64 = std::f64::consts::LOG2_E;
/// See [`INV_LN2`].
pub(super) const INV_LN2_REST: f64 = 2.035527374093103e-17;
/// The first 42 bits of `log10 2`, so that a product with an exponent is exact; and the rest.
const LOG10_2_42: f64 = 0.30102999566383914;
const LOG10_2_42_REST: f64 = 1.42050232272661e-13;

/// Half of every finite number is less than this.
pub(super) const HALF_TOP: f64 = f64::from_bits(0x7fe0_0000_0000_0000);
/// The least positive number.
const LEAST: f64 = f64::from_bits(1);

/// A number as `2**e * m`, with `m` between `sqrt(1/2)` and `sqrt 2`.
pub(super) struct Split {
    /// The exponent.
    pub(super) e: f64,
    /// The mantissa.
    pub(super) m: f64,
}

/// Splits `x * 2**-shift`, given a positive normal `x` (anything else gives garbage).
#[inline(always)]
fn split_shifted(x: f64, shift: f64) -> Split {
    let above = x.to_bits().wrapping_sub(SQRT_HALF);
    // The exponent plus 1024 is positive, and becomes the low bits of a double near 2**52.
    let e = f64::from_bits((above.wrapping_add(1024 << 52) >> 52) | 0x4330_0000_0000_0000)
        - (shift + (4_503_599_627_370_496.0 + 1024.0));
    Split { e, m: f64::from_bits((above & FRACTION) + SQRT_HALF) }
}

/// Splits a positive normal number (anything else gives garbage).
#[inline(always)]
pub(super) fn split_normal(x: f64) -> Split {
    split_shifted(x, 0.0)
}

/// Splits a positive number, subnormal or not (anything else gives garbage).
#[inline(always)]
pub(super) fn split(x: f64) -> Split {
    // One choice of two constants each, so that the compiler does not compute both ways.
    let small = x < f64::MIN_POSITIVE;
    let scale = if small { 18_014_398_509_481_984.0 } else { 1.0 };
    split_shifted(x * scale, if small { 54.0 } else { 0.0 })
}

/// `log(2**e * m)`, to about `2**-37`.
#[inline(always)]
pub(super) fn log_short(Split { e, m }: Split) -> f64 {
    let f = m - 1.0;
    let s = f / (m + 1.0);
    let z = s * s;
    e.mul_add(LN2, s * z.mul_add(poly(z, SHORT), 2.0))
}

/// `f - log(1 + f)`, for `f` of the reduced range.
#[inline(always)]
fn bend(f: f64) -> f64 {
    let half = 0.5 * f * f;
    let s = f / (f + 2.0);
    let z = s * s;
    half - s * z.mul_add(poly(z, LONG), half)
}

/// `y` for positive finite `x`, else the logarithm's special value.
///
/// Compares scaled numbers: comparisons with 0 and infinity proper the compiler would merge into
/// tests of the bits, which cost far more.
#[inline(always)]
fn special(x: f64, y: f64) -> f64 {
    let y = if x * 0.5 < HALF_TOP { y } else { x };
    let low = if x == 0.0 { f64::NEG_INFINITY } else { f64::NAN };
    if x < LEAST { low } else { y }
}

/// The logarithm of a split number.
#[inline(always)]
fn log_split(Split { e, m }: Split) -> f64 {
    let f = m - 1.0;
    let whole = e * LN2_42;
    let head = whole + f;
    let rest = (whole - head) + f;
    head + (rest - e.mul_add(-LN2_42_REST, bend(f)))
}

/// `log(2 x)` of a normal `x`, without overflow.
#[inline(always)]
pub(super) fn log_of_double(x: f64) -> f64 {
    let Split { e, m } = split_normal(x);
    special(x, log_split(Split { e: e + 1.0, m }))
}

/// `log m / log b` as a sum of two doubles, given `1 / log b` as one.
#[inline(always)]
fn log_over(m: f64, (inverse, inverse_rest): (f64, f64)) -> (f64, f64) {
    let f = m - 1.0;
    let part = f * inverse;
    let part_rest = f.mul_add(inverse_rest, f.mul_add(inverse, -part));
    // The square's share is the largest of the rest, and the product with it is rounded but once.
    let half = 0.5 * f;
    let s = f / (f + 2.0);
    let z = s * s;
    let cubic = s * z.mul_add(poly(z, LONG), half * f);
    (part, part.mul_add(-half, cubic.mul_add(inverse, part_rest)))
}

/// The binary logarithm of a split number.
#[inline(always)]
fn log2_split(Split { e, m }: Split) -> f64 {
    let (part, part_rest) = log_over(m, (INV_LN2, INV_LN2_REST));
    let head = e + part;
    let rest = (e - head) + part;
    head + (rest + part_rest)
}

/// The decimal logarithm of a split number.
#[inline(always)]
fn log10_split(Split { e, m }: Split) -> f64 {
    let (part, part_rest) = log_over(m, (INV_LN10, INV_LN10_REST));
    let whole = e * LOG10_2_42;
    let head = whole + part;
    let rest = (whole - head) + part;
    head + (rest + e.mul_add(LOG10_2_42_REST, part_rest))
}

/// Whether a number is above 0, finite, and not subnormal.
#[inline(always)]
pub(super) fn is_positive_normal(x: f64) -> bool {
    x.to_bits().wrapping_sub(1 << 52) < 0x7fe << 52
}

/// Natural logarithm of anything.
#[inline(always)]
pub(super) fn log_any(x: f64) -> f64 {
    special(x, log_split(split(x)))
}

/// Binary logarithm of anything.
#[inline(always)]
pub(super) fn log2_any(x: f64) -> f64 {
    special(x, log2_split(split(x)))
}

/// Decimal logarithm of anything.
#[inline(always)]
pub(super) fn log10_any(x: f64) -> f64 {
    special(x, log10_split(split(x)))
}

/// `log(1 + x)` to about `2**-37`, for a positive normal `1 + x`.
#[inline(always)]
pub(super) fn log1p_short(x: f64) -> f64 {
    let y = log_short(split_normal(1.0 + x));
    // Near 0 the sum has dropped bits of `x`, and two terms of the series are enough.
    if x.abs() < 1.0 / 65536.0 { (x * x).mul_add(-0.5, x) } else { y }
}

/// `log(1 + x)`, within 0.51 ulp.
#[inline(always)]
pub(super) fn log1p_wide(x: f32) -> f32 {
    let x = f64::from(x);
    special(1.0 + x, log1p_short(x)) as f32
}

/// `log(u + dropped)` as a sum of two doubles, for a normal `u` below `2**1000` and `dropped` below its ulp.
///
/// `dropped` is scaled like `u` and kept as a first-order correction.
#[inline(always)]
fn log_sum(u: f64, dropped: f64) -> (f64, f64) {
    let Split { e, m } = split_normal(u);
    let scale = power_of_two(ROUND - e);
    let g = m - 1.0;
    let g_rest = dropped * scale;
    let f = g + g_rest;
    let f_rest = (g - f) + g_rest;

    let whole = e * LN2_42;
    let head = whole + f;
    let rest = (whole - head) + f;
    let low = f.mul_add(-f_rest, f_rest) + e.mul_add(LN2_42_REST, -bend(f));
    (head, rest + low)
}

/// `log(1 + x + x_rest)` as a sum of two doubles, for `x > -1` and finite, and `x_rest` below its ulp.
#[inline(always)]
pub(super) fn log1p_parts(x: f64, x_rest: f64) -> (f64, f64) {
    let u = 1.0 + x;
    log_sum(u, sum_error(1.0, x, u) + x_rest)
}

/// Whether [`log1p_fast`] applies.
#[inline(always)]
pub(super) fn log1p_applies(x: f64) -> bool {
    x > -1.0 && x < 1e300
}

/// `log(1 + x)` of ordinary numbers.
#[inline(always)]
pub(super) fn log1p_fast(x: f64) -> f64 {
    let (y, rest) = log1p_parts(x, 0.0);
    // The sum loses the sign of -0.0.
    (y + rest).copysign(x)
}

/// The same of all others.
#[inline(always)]
pub(super) fn log1p_any(x: f64) -> f64 {
    special(1.0 + x, log_split(split(x)))
}

complete! { f64
    /// `log(1 + x)`, within 0.9 ulp.
    log1p_f64(x): log1p_fast, log1p_applies, log1p_any;
}
