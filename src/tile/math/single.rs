//! Single precision: forms that apply to ordinary arguments.
//!
//! They compute in `float32` throughout, with compensated steps where a result would lose more than
//! an ulp: twice the lanes of the forms in `float64`, and fewer terms. Each has a test beside it that
//! says where it applies; beyond, and for most special values, the forms in `float64` take over. May not
//! know: tiles, machines.

use std::f32::consts::{FRAC_2_PI, FRAC_PI_2, LN_2, LOG2_E};

use super::arc::half_inverse_f32;
use super::lanes::{complete, poly_f32 as poly};
use super::root::{cbrt_applies, cbrt_single, cbrt_wide};
use super::{angle, exp, hyperbolic, log, trig};

/// Adding this to a number below `2**22` rounds it to an integer, held in the sum's low bits.
const ROUND: f32 = 12_582_912.0;
/// `ln 2` less the single nearest to it.
const LN_2_REST: f32 = -1.904_654_2e-9;
/// The first 16 bits of `ln 2`, so that a product with an exponent is exact; and the rest.
const LN_2_16: f32 = 0.693_145_75;
const LN_2_16_REST: f32 = 1.428_606_8e-6;
/// `pi / 2` as a sum of three singles.
const HALF_PI: [f32; 3] = [FRAC_PI_2, -4.371_139e-8, -1.715_124_5e-15];

/// `(exp r - 1 - r) / r**2` for `|r| <= ln 2 / 2`, to `2**-28` of `1 / r**2`.
const EXP: [f32; 5] = [0.5, 0.166_665_2, 0.041_666_38, 0.008_368_861, 0.001_394_255_6];
/// `(exp r - 1 - r - r**2 / 2) / r**3`, likewise, to `2**-31` of `1 / r**2`.
const EXPM1: [f32; 5] =
    [0.166_666_67, 0.041_666_49, 0.008_333_208, 0.001_393_272_3, 0.000_199_442_66];
/// `(2**r - 1 - r ln 2) / r**2` for `|r| <= 1 / 2`, likewise.
const EXP2: [f32; 5] =
    [0.240_226_5, 0.055_503_62, 0.009_618_063, 0.001_339_021_1, 0.000_154_628_85];
/// `(log(1 + f) - f + f**2 / 2) / f**3` for `f` from -0.32 to 0.36, to `2**-27` of `1 / f**2`.
const LOG: [f32; 8] = [
    0.333_332_4,
    -0.250_003_25,
    0.200_089_23,
    -0.166_532_13,
    0.140_341_2,
    -0.126_080_36,
    0.138_216_18,
    -0.108_525_54,
];
/// `(sin r - r) / r**3` in `r**2`, for `|r| <= 0.8`, to `2**-28`.
const SIN: [f32; 3] = [-0.166_666_54, 0.008_332_098, -0.000_195_060_23];
/// `(cos r - 1 + r**2 / 2) / r**4` in `r**2`, for `|r| <= 0.8`, to `2**-32`.
const COS: [f32; 3] = [0.041_666_646, -0.001_388_729_1, 2.442_864_6e-5];
/// `(tan r - r) / r**3` in `r**2`, for `|r| <= 0.8`, to `2**-29`.
const TAN: [f32; 7] = [
    0.333_333_58,
    0.133_323_8,
    0.054_091_427,
    0.021_121_716,
    0.011_247_034,
    -0.000_426_688_96,
    0.004_628_731,
];
/// `(sinh r - r) / r**3` in `r**2`, for `|r| <= ln 2 / 2`, to `2**-37` of `1 / r**2`.
const SINH: [f32; 3] = [0.166_666_67, 0.008_333_289, 0.000_199_050_12];
/// `(cosh r - 1 - r**2 / 2) / r**4`, likewise, to `2**-33` of `1 / r**4`.
const COSH: [f32; 2] = [0.041_666_46, 0.001_393_544_1];
/// `(asinh x - x) / x**3` in `x**2`, for `|x| <= 1 / 2`, to `2**-29`.
const ASINH: [f32; 5] = [-0.166_666_43, 0.074_986_38, -0.044_382_4, 0.028_156_929, -0.013_214_043];
/// `(atan t - t) / t**3` in `t**2`, for `|t| <= 1 / 2`, to `2**-27`.
const ATAN: [f32; 5] = [-0.333_332_36, 0.199_942_96, -0.141_758_8, 0.101_642_47, -0.051_396_485];

/// `2**k`, where `biased` is `k + ROUND` and `-127 < k < 128`.
#[inline(always)]
fn power_of_two(biased: f32) -> f32 {
    f32::from_bits(biased.to_bits().wrapping_add(127) << 23)
}

/// `y * 2**k`, where `biased` is `k + ROUND` and the result is normal.
#[inline(always)]
fn scale(y: f32, biased: f32) -> f32 {
    f32::from_bits(y.to_bits().wrapping_add(biased.to_bits() << 23))
}

/// An argument of `exp` as `k ln 2 + head + rest`, where `head` is exact.
struct Reduced {
    /// `k + ROUND`.
    biased: f32,
    head: f32,
    rest: f32,
}

#[inline(always)]
fn reduce(x: f32) -> Reduced {
    let biased = x.mul_add(LOG2_E, ROUND);
    let k = biased - ROUND;
    // Exact: both are multiples of one power of two.
    Reduced { biased, head: k.mul_add(-LN_2, x), rest: k * -LN_2_REST }
}

/// Whether [`exp_single`], [`expm1_single`], [`sinh_single`] and [`cosh_single`] apply: the power of two is a normal number.
#[inline(always)]
pub(super) fn exp_applies(x: f32) -> bool {
    x.abs() < 86.0
}

/// `e**x`.
#[inline(always)]
pub(super) fn exp_single(x: f32) -> f32 {
    let Reduced { biased, head, rest } = reduce(x);
    let r = head + rest;
    scale(1.0 + (head + (r * r).mul_add(poly(r, EXP), rest)), biased)
}

/// Whether [`exp2_single`] applies.
#[inline(always)]
pub(super) fn exp2_applies(x: f32) -> bool {
    x.abs() < 125.0
}

/// `2**x`.
#[inline(always)]
pub(super) fn exp2_single(x: f32) -> f32 {
    let biased = x + ROUND;
    let r = x - (biased - ROUND);
    let sum = r.mul_add(LN_2, 1.0);
    let rest = r.mul_add(LN_2, 1.0 - sum);
    scale(sum + (r * r).mul_add(poly(r, EXP2), rest), biased)
}

/// `2**(x + x_rest)`, with an `x_rest` that is small beside 1.
#[inline(always)]
pub(super) fn exp2_parts(x: f32, x_rest: f32) -> f32 {
    let biased = x + ROUND;
    let part = x - (biased - ROUND);
    let r = part + x_rest;
    let sum = part.mul_add(LN_2, 1.0);
    let rest = x_rest.mul_add(LN_2, part.mul_add(LN_2, 1.0 - sum));
    scale(sum + (r * r).mul_add(poly(r, EXP2), rest), biased)
}

/// `e**x - 1`.
#[inline(always)]
pub(super) fn expm1_single(x: f32) -> f32 {
    let Reduced { biased, head, rest } = reduce(x);
    let r = head + rest;
    let square = r * r;
    // The square is most of the tail: it is not rounded by itself.
    let tail = (0.5 * r).mul_add(r, (square * r).mul_add(poly(r, EXPM1), rest));
    let power = power_of_two(biased);
    // Of the sum the first is 0 or the larger, so that its error is exact.
    let below = power - 1.0;
    let below_rest = (power - below) - 1.0;
    let e = head.mul_add(power, below);
    let e_rest = head.mul_add(power, below - e) + below_rest;
    // The sum loses the sign of -0.0.
    (e + tail.mul_add(power, e_rest)).copysign(x)
}

/// `|x| = k ln 2 + r`, where `r` is `head` and a rest: what the hyperbolic sine and cosine are made of.
struct Halves {
    /// `2**k / 2` and `2**-k / 2`.
    up: f32,
    down: f32,
    head: f32,
    /// `sinh r - head` and `cosh r - 1`.
    sinh: f32,
    cosh: f32,
}

#[inline(always)]
fn halves(x: f32) -> Halves {
    let Reduced { biased, head, rest } = reduce(x.abs());
    let r = head + rest;
    let z = r * r;
    let up = power_of_two(biased - 1.0);
    Halves {
        up,
        down: f32::from_bits((252 << 23) - up.to_bits()),
        head,
        sinh: (r * z).mul_add(poly(z, SINH), rest),
        cosh: z * z.mul_add(poly(z, COSH), 0.5),
    }
}

/// Hyperbolic sine: `(up - down) cosh r + (up + down) sinh r`.
#[inline(always)]
pub(super) fn sinh_single(x: f32) -> f32 {
    let Halves { up, down, head, sinh, cosh } = halves(x);
    let (sum, difference) = (up + down, up - down);
    // The difference is 0 or the larger, so that the error of this sum is exact.
    let y = head.mul_add(sum, difference);
    let rest = head.mul_add(sum, difference - y);
    (y + sinh.mul_add(sum, cosh.mul_add(difference, rest))).copysign(x)
}

/// Hyperbolic cosine: `(up + down) cosh r + (up - down) sinh r`.
#[inline(always)]
pub(super) fn cosh_single(x: f32) -> f32 {
    let Halves { up, down, head, sinh, cosh } = halves(x);
    let (sum, difference) = (up + down, up - down);
    let sum_rest = (up - sum) + down;
    let rest = sinh.mul_add(difference, cosh.mul_add(sum, sum_rest));
    sum + head.mul_add(difference, rest)
}

/// A number as `2**e (1 + f)`.
struct Split {
    /// `e`, in the place of a number's exponent.
    exponent: u32,
    e: f32,
    f: f32,
}

/// Splits a positive normal number, `1 + f` being from 0.68 to 1.36. There the logarithms of what follows are large
/// enough for what their parts cancel.
#[inline(always)]
fn split(x: f32) -> Split {
    const FRACTION: u32 = (1 << 23) - 1;
    const LOW: u32 = 0.68f32.to_bits();
    let above = x.to_bits().wrapping_sub(LOW);
    let e = (above.cast_signed() >> 23) as f32;
    let f = f32::from_bits((above & FRACTION) + LOW) - 1.0;
    Split { exponent: above & !FRACTION, e, f }
}

/// `(f - log(1 + f)) / f`.
#[inline(always)]
fn bend(f: f32) -> f32 {
    (f * f).mul_add(-poly(f, LOG), 0.5 * f)
}

/// Whether [`log1p_single`] applies.
#[inline(always)]
pub(super) fn log1p_applies(x: f32) -> bool {
    x > -1.0 && x < 1e30
}

/// `log(u + dropped)` of a normal `u` of 1/2 or more, and `dropped` below its ulp, which is scaled like `u` and
/// kept as a first-order correction.
#[inline(always)]
fn log_sum(u: f32, dropped: f32) -> f32 {
    let Split { exponent, e, f: g } = split(u);
    let down = f32::from_bits(1f32.to_bits().wrapping_sub(exponent));
    let g_rest = dropped * down;
    let f = g + g_rest;
    let f_rest = (g - f) + g_rest;

    let whole = e * LN_2_16;
    let head = whole + f;
    let rest = (whole - head) + f;
    let low = e.mul_add(LN_2_16_REST, f.mul_add(-f_rest, f_rest));
    head + (rest + bend(f).mul_add(-f, low))
}

/// `log(1 + x)`.
#[inline(always)]
pub(super) fn log1p_single(x: f32) -> f32 {
    let u = 1.0 + x;
    let x_part = u - 1.0;
    let dropped = (1.0 - (u - x_part)) + (x - x_part);
    log_sum(u, dropped).copysign(x)
}

/// `log(1 + w + w_rest)` of a positive `w`.
#[inline(always)]
fn log1p_parts(w: f32, w_rest: f32) -> f32 {
    let u = 1.0 + w;
    log_sum(u, (w - (u - 1.0)) + w_rest)
}

/// `sqrt(v + v_rest)` as a sum of two singles; 0 for 0.
#[inline(always)]
fn sqrt_parts(v: f32, v_rest: f32) -> (f32, f32) {
    let s = v.sqrt();
    (s, (s.mul_add(-s, v) + v_rest) * half_inverse_f32(s))
}

/// Whether [`arcsinh_single`] applies: squares stay small.
#[inline(always)]
pub(super) fn arcsinh_applies(x: f32) -> bool {
    x.abs() < 4096.0
}

/// Inverse hyperbolic sine: near 0 a polynomial, then `log(|x| + sqrt(x**2 + 1))`.
#[inline(always)]
pub(super) fn arcsinh_single(x: f32) -> f32 {
    let a = x.abs();
    let z = a * a;
    let near = (a * z).mul_add(poly(z, ASINH), a);
    let v = z + 1.0;
    let v_rest = (z - (v - 1.0)) + a.mul_add(a, -z);
    let (s, s_rest) = sqrt_parts(v, v_rest);
    let w = s + a;
    let far = log_sum(w, ((s - w) + a) + s_rest);
    (if a < 0.5 { near } else { far }).copysign(x)
}

/// Whether [`arccosh_single`] applies.
#[inline(always)]
pub(super) fn arccosh_applies(x: f32) -> bool {
    (1.0..4096.0).contains(&x)
}

/// Inverse hyperbolic cosine: `log(1 + t + sqrt(t**2 + 2 t))` with `t = x - 1`.
#[inline(always)]
pub(super) fn arccosh_single(x: f32) -> f32 {
    let t = x - 1.0;
    let v = t.mul_add(t, t + t);
    let v_rest = t.mul_add(t, (t + t) - v);
    let (s, s_rest) = sqrt_parts(v, v_rest);
    let w = s + t;
    log1p_parts(w, ((s - w) + t) + s_rest)
}

/// Whether [`arctanh_single`] applies.
#[inline(always)]
pub(super) fn arctanh_applies(x: f32) -> bool {
    x.abs() < 1.0
}

/// Inverse hyperbolic tangent: half of `log(1 + 2 |x| / (1 - |x|))`.
#[inline(always)]
pub(super) fn arctanh_single(x: f32) -> f32 {
    let a = x.abs();
    let n = a + a;
    let d = 1.0 - a;
    let d_rest = (1.0 - d) - a;
    let inverse = 1.0 / d;
    let w = n * inverse;
    let w_rest = (w.mul_add(-d, n) - w * d_rest) * inverse;
    (0.5 * log1p_parts(w, w_rest)).copysign(x)
}

/// Whether [`sin_single`], [`cos_single`] and [`tan_single`] apply: the multiple of `pi / 2` is known to the nearest.
#[inline(always)]
pub(super) fn sin_applies(x: f32) -> bool {
    x.abs() < 262_144.0
}

/// An angle as `quadrant * pi / 2 + r + rest`, the quadrant in the low two bits.
#[derive(Clone, Copy)]
struct Angle {
    quadrant: u32,
    r: f32,
    rest: f32,
}

#[inline(always)]
fn turn(x: f32) -> Angle {
    let biased = x.mul_add(FRAC_2_PI, ROUND);
    let k = biased - ROUND;
    // Exact, as both are multiples of one power of two, which is an ulp of `second` or more; so the
    // error of the difference is exact too.
    let head = k.mul_add(-HALF_PI[0], x);
    let second = k * HALF_PI[1];
    let second_rest = k.mul_add(HALF_PI[1], -second);
    let r = head - second;
    let rest = ((head - r) - second) - k.mul_add(HALF_PI[2], second_rest);
    Angle { quadrant: biased.to_bits(), r, rest }
}

#[inline(always)]
fn sine(Angle { quadrant, r, rest }: Angle) -> f32 {
    let z = r * r;
    // The square is most of what a cosine is less than 1: it is not rounded by itself.
    let cos = 1.0 + (0.5 * r).mul_add(-r, r.mul_add(-rest, z * z * poly(z, COS)));
    let sin = r + (r * z).mul_add(poly(z, SIN), rest);
    let y = if quadrant & 1 == 0 { sin } else { cos };
    f32::from_bits(y.to_bits() ^ ((quadrant & 2) << 30))
}

/// Sine.
#[inline(always)]
pub(super) fn sin_single(x: f32) -> f32 {
    let y = sine(turn(x.abs()));
    f32::from_bits(y.to_bits() ^ (x.to_bits() & (1 << 31)))
}

/// Cosine.
#[inline(always)]
pub(super) fn cos_single(x: f32) -> f32 {
    let angle = turn(x);
    sine(Angle { quadrant: angle.quadrant.wrapping_add(1), ..angle })
}

/// Tangent.
#[inline(always)]
pub(super) fn tan_single(x: f32) -> f32 {
    let Angle { quadrant, r, rest } = turn(x);
    // Next to a pole the rest of a large angle is a thousandth of it, and its square would count.
    let (r, rest) = (r + rest, (r - (r + rest)) + rest);
    let z = r * r;
    // The cube, and its product with the polynomial, as sums of two singles.
    let cube = r * z;
    let cube_rest = r.mul_add(z, -cube);
    let p = poly(z, TAN);
    let w = cube * p;
    let w_rest = cube_rest.mul_add(p, cube.mul_add(p, -w));
    let t = r + w;
    let t_rest = t.mul_add(t, 1.0).mul_add(rest, ((r - t) + w) + w_rest);
    let inverse = -1.0 / t;
    let error = inverse.mul_add(t_rest, inverse.mul_add(t, 1.0));
    let y = if quadrant & 1 == 0 { t + t_rest } else { inverse.mul_add(error, inverse) };
    if x == 0.0 { x } else { y }
}

/// `turns pi / 4 + sign atan(n / (d + d_rest))`, for a ratio of 1/2 at most.
#[inline(always)]
fn add_arctan(turns: f32, sign: f32, n: f32, (d, d_rest): (f32, f32)) -> f32 {
    let inverse = 1.0 / d;
    let t = n * inverse;
    let t_rest = t.mul_add(-d_rest, t.mul_add(-d, n)) * inverse;
    let z = t * t;
    let low = (t * z).mul_add(poly(z, ATAN), t_rest);

    let base = turns * (0.5 * HALF_PI[0]);
    let base_rest = turns.mul_add(0.5 * HALF_PI[0], -base);
    let base_rest = turns.mul_add(0.5 * HALF_PI[1], base_rest);
    let t = sign * t;
    let head = base + t;
    let rest = (base - head) + t;
    head + (rest + sign.mul_add(low, base_rest))
}

/// Whether [`arctan2_single`] applies: nothing on the way is subnormal or infinite.
#[inline(always)]
pub(super) fn arctan2_applies(y: f32, x: f32) -> bool {
    let (a, b) = (y.abs(), x.abs());
    let (small, large) = if a > b { (b, a) } else { (a, b) };
    small > 1e-15 && large < 1e15
}

/// Angle of the point with ordinate `y` and abscissa `x`.
#[inline(always)]
pub(super) fn arctan2_single(y: f32, x: f32) -> f32 {
    let (a, b) = (y.abs(), x.abs());
    let (steep, behind) = (a > b, x < 0.0);
    let (small, large) = if steep { (b, a) } else { (a, b) };
    let sum = large + small;
    let sum_rest = small - (sum - large);
    let middle = small > 0.5 * large;
    let (n, d) = if middle { (small - large, (sum, sum_rest)) } else { (small, (large, 0.0)) };

    let turns = if middle { 1.0 } else { 0.0 };
    let turns = if steep { 2.0 - turns } else { turns };
    let turns = if behind { 4.0 - turns } else { turns };
    let sign = if steep ^ behind { -1.0 } else { 1.0 };
    add_arctan(turns, sign, n, d).copysign(y)
}

complete! { f32
    /// `e**x`, within 0.95 ulp.
    exp_f32(x): exp_single, exp_applies, exp::exp_wide;
    /// `2**x`, within 0.7 ulp; exact for whole `x`.
    exp2_f32(x): exp2_single, exp2_applies, exp::exp2_wide;
    /// `e**x - 1`, within 0.8 ulp.
    expm1_f32(x): expm1_single, exp_applies, exp::expm1_wide;
    /// `log(1 + x)`, within 0.9 ulp.
    log1p_f32(x): log1p_single, log1p_applies, log::log1p_wide;
    /// Sine, within 0.95 ulp.
    sin_f32(x): sin_single, sin_applies, trig::sin_wide;
    /// Cosine, within 0.95 ulp.
    cos_f32(x): cos_single, sin_applies, trig::cos_wide;
    /// Tangent, within 0.9 ulp.
    tan_f32(x): tan_single, sin_applies, trig::tan_wide;
    /// Hyperbolic sine, within 0.95 ulp.
    sinh_f32(x): sinh_single, exp_applies, hyperbolic::sinh_wide;
    /// Hyperbolic cosine, within 1.0 ulp.
    cosh_f32(x): cosh_single, exp_applies, hyperbolic::cosh_wide;
    /// Inverse hyperbolic sine, within 0.9 ulp.
    arcsinh_f32(x): arcsinh_single, arcsinh_applies, hyperbolic::arcsinh_wide;
    /// Inverse hyperbolic cosine, within 0.9 ulp.
    arccosh_f32(x): arccosh_single, arccosh_applies, hyperbolic::arccosh_wide;
    /// Inverse hyperbolic tangent, within 0.9 ulp.
    arctanh_f32(x): arctanh_single, arctanh_applies, hyperbolic::arctanh_wide;
    /// Cube root, within 0.6 ulp.
    cbrt_f32(x): cbrt_single, cbrt_applies, cbrt_wide;
    /// Angle of the point with ordinate `y` and abscissa `x`, within 0.9 ulp.
    arctan2_f32(y, x): arctan2_single, arctan2_applies, angle::arctan2_wide;
}
