//! Sine, cosine and tangent.
//!
//! The argument less a multiple of `pi / 2` goes into minimax polynomials.
//! Up to [`LIMIT`] the multiple is subtracted in fused steps (Cody and Waite); beyond it
//! [`reduce_huge`] multiplies with as many bits of `2 / pi` as it takes (Payne and Hanek, 1983).
//! The fast forms apply below the limit only: the tile loops mend the rest. May not know: tiles,
//! machines.

use super::lanes::{ROUND, poly};

/// From this magnitude on, the fast forms do not apply.
const LIMIT: f64 = 1_073_741_824.0;

/// `pi / 2` as a sum of three doubles.
const HALF_PI: [f64; 3] =
    [std::f64::consts::FRAC_PI_2, 6.123233995736766e-17, -1.4973849048591698e-33];

/// `(sin r - r) / r**3` in `r**2`, for `|r| <= pi / 4`, to `2**-58`.
const SIN_LONG: [f64; 6] = [
    -0.16666666666666632,
    0.008333333333322415,
    -0.00019841269829808152,
    2.755731369194355e-06,
    -2.505075810854173e-08,
    1.5896794785368025e-10,
];

/// `(cos r - 1 + r**2 / 2) / r**4` in `r**2`, for `|r| <= pi / 4`, to `2**-64`.
const COS_LONG: [f64; 6] = [
    0.0416666666666666,
    -0.0013888888888874133,
    2.4801587289486572e-05,
    -2.7557314353298584e-07,
    2.0875723374516143e-09,
    -1.1359651915457189e-11,
];

/// The first 1280 bits of `2 / pi` after the point, behind 64 zeros.
const TWO_OVER_PI: [u64; 21] = [
    0,
    0xa2f9_836e_4e44_1529,
    0xfc27_57d1_f534_ddc0,
    0xdb62_9599_3c43_9041,
    0xfe51_63ab_debb_c561,
    0xb724_6e3a_424d_d2e0,
    0x0649_2eea_09d1_921c,
    0xfe1d_eb1c_b129_a73e,
    0xe882_35f5_2ebb_4484,
    0xe99c_7026_b45f_7e41,
    0x3991_d639_8353_39f4,
    0x9c84_5f8b_bdf9_283b,
    0x1ff8_97ff_de05_980f,
    0xef2f_118b_5a0a_6d1f,
    0x6d36_7ecf_27cb_09b7,
    0x4f46_3f66_9e5f_ea2d,
    0x7527_bac7_ebe5_f17b,
    0x3d07_39f7_8a52_92ea,
    0x6bfb_5fb1_1f8d_5d08,
    0x5603_3046_fc7b_6bab,
    0xf0cf_bc20_9af4_361d,
];

/// An angle as `quadrant * pi / 2 + r + rest`, the quadrant in the low two bits.
#[derive(Clone, Copy)]
struct Angle {
    quadrant: u64,
    r: f64,
    rest: f64,
}

/// Reduces `|x| < LIMIT`. The first fused step is exact, as both numbers are multiples of one
/// small power of two, which is an ulp of `second` or more; so the error of the difference is exact too, and the last
/// one keeps what it rounds off.
#[inline(always)]
fn reduce(x: f64) -> Angle {
    let biased = x.mul_add(std::f64::consts::FRAC_2_PI, ROUND);
    let k = biased - ROUND;
    let head = k.mul_add(-HALF_PI[0], x);
    let second = k * HALF_PI[1];
    let second_rest = k.mul_add(HALF_PI[1], -second);
    let r = head - second;
    let rest = ((head - r) - second) - k.mul_add(HALF_PI[2], second_rest);
    Angle { quadrant: biased.to_bits(), r, rest }
}

/// Reduces a finite `|x| >= LIMIT`.
fn reduce_huge(x: f64) -> Angle {
    let bits = x.to_bits();
    let mantissa = u128::from((bits & ((1 << 52) - 1)) | (1 << 52));
    let exponent = ((bits >> 52) & 0x7ff) as usize; // of a unit, plus 1075
    // Bits of 2 / pi that weigh 4 or more times the mantissa's last bit turn whole circles: skip
    // them. The 192 bits after them hold two bits of the quadrant and 137 sure bits of the rest.
    let from = exponent + 64 - 2 - 1075;
    let word = |i: usize| {
        let (at, shift) = (from / 64 + i, from % 64);
        let pair = u128::from(TWO_OVER_PI[at]) << 64 | u128::from(TWO_OVER_PI[at + 1]);
        (pair << shift >> 64) & u128::from(u64::MAX)
    };
    let low = mantissa * word(2);
    let middle = mantissa * word(1) + (low >> 64);
    let high = (mantissa * word(0) + (middle >> 64)) as u64;
    // Upper 128 of the product's 192 bits: quadrant and fraction. 126 bits of fraction are enough,
    // as no double comes nearer to a multiple of pi / 2 than 2**-62 of it.
    let product = u128::from(high) << 64 | u128::from(middle as u64);
    let quadrant = (product >> 126) as u64;
    let fraction = (product << 2).cast_signed();
    // A fraction above a half belongs to the next quadrant, and is negative there already.
    let quadrant = quadrant.wrapping_add(u64::from(fraction < 0));
    let unit = f64::from_bits((1023 - 128) << 52);
    let big = fraction as f64;
    let small = fraction.wrapping_sub(big as i128) as f64;
    let (big, small) = (big * unit, small * unit);
    let r = big * HALF_PI[0];
    let rest = big.mul_add(HALF_PI[0], -r) + big.mul_add(HALF_PI[1], small * HALF_PI[0]);
    if x < 0.0 {
        Angle { quadrant: quadrant.wrapping_neg(), r: -r, rest: -rest }
    } else {
        Angle { quadrant, r, rest }
    }
}

/// Sine and cosine of the rest of an angle, each as a sum of two doubles.
#[inline(always)]
fn parts(Angle { r, rest, .. }: Angle) -> ((f64, f64), (f64, f64)) {
    let z = r * r;
    let half = 0.5 * z;
    let cos_head = 1.0 - half;
    let cos_rest = (1.0 - cos_head) - half;
    let cos_rest = (z * z).mul_add(poly(z, COS_LONG), r.mul_add(-rest, cos_rest));
    let sin_rest = (r * z).mul_add(poly(z, SIN_LONG), half.mul_add(-rest, rest));
    ((r, sin_rest), (cos_head, cos_rest))
}

/// The sine of an angle, its sign and shape chosen by the quadrant; each shape rounds nearly once. Both are one
/// polynomial, so that only its coefficients are chosen.
#[inline(always)]
fn sine(Angle { quadrant, r, rest }: Angle) -> f64 {
    let even = quadrant & 1 == 0;
    let z = r * r;
    let head = if even { r } else { 1.0 };
    let factor = z * if even { r } else { z };
    let rest = if even { rest } else { r * -rest };
    let series = std::array::from_fn(|i| if even { SIN_LONG[i] } else { COS_LONG[i] });
    // The square is most of what a cosine is less than 1: it is not rounded by itself.
    let half = if even { 0.0 } else { -0.5 * r };
    let y = head + half.mul_add(r, factor.mul_add(poly::<6>(z, series), rest));
    f64::from_bits(y.to_bits() ^ ((quadrant & 2) << 62))
}

/// The tangent of an angle: the quotient, corrected by its remainder.
#[inline(always)]
fn tangent(angle: Angle) -> f64 {
    let (sin, cos) = parts(angle);
    let even = angle.quadrant & 1 == 0;
    let (n, n_rest) = if even { sin } else { (-cos.0, -cos.1) };
    let (d, d_rest) = if even { cos } else { sin };
    let (n, n_rest) = (n + n_rest, (n - (n + n_rest)) + n_rest);
    let (d, d_rest) = (d + d_rest, (d - (d + d_rest)) + d_rest);
    let inverse = 1.0 / d;
    let y = n * inverse;
    let remainder = y.mul_add(-d, n) + (n_rest - y * d_rest);
    remainder.mul_add(inverse, y)
}

/// The cosine of an angle.
#[inline(always)]
fn cosine(angle: Angle) -> f64 {
    sine(Angle { quadrant: angle.quadrant.wrapping_add(1), ..angle })
}

/// Whether [`sin_fast`], [`cos_fast`] and [`tan_fast`] apply.
#[inline(always)]
pub(super) fn fast_applies(x: f64) -> bool {
    x.abs() < LIMIT
}

/// Sine below the limit.
#[inline(always)]
pub(super) fn sin_fast(x: f64) -> f64 {
    let y = sine(reduce(x.abs()));
    f64::from_bits(y.to_bits() ^ (x.to_bits() & (1 << 63)))
}

/// Cosine below the limit.
#[inline(always)]
pub(super) fn cos_fast(x: f64) -> f64 {
    cosine(reduce(x))
}

/// Tangent below the limit.
#[inline(always)]
pub(super) fn tan_fast(x: f64) -> f64 {
    let y = tangent(reduce(x));
    if x == 0.0 { x } else { y }
}

/// Sine from the limit on; NaN for infinities.
fn sin_huge(x: f64) -> f64 {
    if x.is_finite() { sine(reduce_huge(x)) } else { f64::NAN }
}

/// Cosine from the limit on; NaN for infinities.
fn cos_huge(x: f64) -> f64 {
    if x.is_finite() { cosine(reduce_huge(x)) } else { f64::NAN }
}

/// Tangent from the limit on; NaN for infinities.
fn tan_huge(x: f64) -> f64 {
    if x.is_finite() { tangent(reduce_huge(x)) } else { f64::NAN }
}

/// Sine, within 0.51 ulp.
pub(super) fn sin_wide(x: f32) -> f32 {
    sin_f64(x.into()) as f32
}

/// Cosine, within 0.51 ulp.
pub(super) fn cos_wide(x: f32) -> f32 {
    cos_f64(x.into()) as f32
}

/// Tangent, within 0.51 ulp.
pub(super) fn tan_wide(x: f32) -> f32 {
    tan_f64(x.into()) as f32
}

/// Sine, within 0.95 ulp.
#[inline(always)]
pub fn sin_f64(x: f64) -> f64 {
    if fast_applies(x) { sin_fast(x) } else { sin_huge(x) }
}

/// Cosine, within 0.95 ulp.
#[inline(always)]
pub fn cos_f64(x: f64) -> f64 {
    if fast_applies(x) { cos_fast(x) } else { cos_huge(x) }
}

/// Tangent, within 1.0 ulp.
#[inline(always)]
pub fn tan_f64(x: f64) -> f64 {
    if fast_applies(x) { tan_fast(x) } else { tan_huge(x) }
}
