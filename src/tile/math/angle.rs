//! Inverse tangents: of a number, and of a point's coordinates.
//!
//! The ratio of the smaller coordinate to the larger is between 0 and 1. From the nearest `c` of 0, 1/2
//! and 1 it is `atan c + atan t` with `t = (n - c d) / (d + c n)`, which is small and goes into a
//! polynomial; the octant decides what that is added to. All parts are held as sums of two doubles.
//! May not know: tiles, machines.

use super::lanes::{complete, poly};

/// `(atan t - t) / t**3` in `t**2`, for `|t| <= 7/16`, to `2**-58` of `1 / t**2`.
const SERIES: [f64; 13] = [
    -0.3333333333333333,
    0.1999999999999997,
    -0.1428571428570596,
    0.11111111110149922,
    -0.0909090903311181,
    0.07692305617869367,
    -0.06666618690270118,
    0.05881605406582395,
    -0.05255120874455882,
    0.04701802228655186,
    -0.04037306510850071,
    0.029165538948877648,
    -0.012510628447639081,
];

/// `atan(1/2)` as a sum of two doubles.
const ATAN_HALF: (f64, f64) = (0.4636476090008061, 2.2698777452961687e-17);
/// `2**600` and `2**-600`.
const UP: f64 = f64::from_bits((1023 + 600) << 52);
/// See [`UP`].
const DOWN: f64 = f64::from_bits((1023 - 600) << 52);
/// What rounding `pi` to a double left over.
const PI_REST: f64 = 1.2246467991473532e-16;

/// The angle whose tangent is `n / d`, between 0 and 1; or, `steep`, `d / n`; or, `behind`, the one beyond a right
/// angle.
#[inline(always)]
fn angle(n: f64, d: f64, steep: bool, behind: bool) -> f64 {
    let middle = n > d * 0.4375;
    let far = n > d * 0.6875;
    let c = if middle { 0.5 } else { 0.0 };
    let c = if far { 1.0 } else { c };
    let (at, at_rest) = if middle { ATAN_HALF } else { (0.0, 0.0) };
    let (at, at_rest) =
        if far { (std::f64::consts::FRAC_PI_4, PI_REST / 4.0) } else { (at, at_rest) };
    // The difference is exact.
    let (above, below) = (n - c * d, d + c * n);
    let below_rest = (d - below) + c * n;
    let inverse = 1.0 / below;
    let t = above * inverse;
    let t_rest = (t.mul_add(-below, above) - t * below_rest) * inverse;
    let z = t * t;
    let low = t_rest.mul_add(1.0 - z, z * t * poly(z, SERIES));

    // The angle is `base`, and the ratio's added to it or taken from it.
    let base = if steep { 0.5 } else { 0.0 };
    let base = if behind && !steep { 1.0 } else { base };
    let sign = if steep ^ behind { -1.0 } else { 1.0 };
    let (pi, pi_rest) = (base * std::f64::consts::PI, base * PI_REST);
    let head = pi + sign * at;
    // In each sum the first is 0 or the larger.
    let head_rest = (pi - head) + sign * at;
    let sum = head + sign * t;
    let rest = ((head - sum) + sign * t) + head_rest;
    sum + (rest + sign.mul_add(low + at_rest, pi_rest))
}

/// Inverse tangent, within 0.8 ulp.
#[inline(always)]
pub fn arctan_f64(x: f64) -> f64 {
    let a = x.abs();
    // From here on it is a right angle.
    let a = if a > 1e18 { 1e18 } else { a };
    let steep = a > 1.0;
    let (n, d) = if steep { (1.0, a) } else { (a, 1.0) };
    angle(n, d, steep, false).copysign(x)
}

/// Angle of the point with ordinate `y` and abscissa `x`, within 0.51 ulp.
#[inline(always)]
pub(super) fn arctan2_wide(y: f32, x: f32) -> f32 {
    arctan2_f64(y.into(), x.into()) as f32
}

/// Whether [`arctan2_fast`] applies: no product overflows or loses bits that count.
#[inline(always)]
pub(super) fn arctan2_applies(y: f64, x: f64) -> bool {
    let (a, b) = (y.abs(), x.abs());
    let (small, large) = if a > b { (b, a) } else { (a, b) };
    small > 1e-150 && large < 1e150
}

/// Angle of an ordinary point.
#[inline(always)]
pub(super) fn arctan2_fast(y: f64, x: f64) -> f64 {
    let (a, b) = (y.abs(), x.abs());
    let steep = a > b;
    let (n, d) = if steep { (b, a) } else { (a, b) };
    angle(n, d, steep, x < 0.0).copysign(y)
}

/// Angle of any point.
#[inline(always)]
pub(super) fn arctan2_any(y: f64, x: f64) -> f64 {
    let (a, b) = (y.abs(), x.abs());
    let steep = a > b;
    let (small, large) = if steep { (b, a) } else { (a, b) };
    let behind = x.is_sign_negative();

    // Where the products can neither overflow nor lose bits that count. An infinity is as 1 beside
    // numbers, or beside another one; and so is 0 beside 0.
    let scale = if large > 1e150 { DOWN } else { 1.0 };
    let scale = if large < 1e-150 { UP } else { scale };
    let (n, d) = (small * scale, large * scale);
    let endless = if small < large { 0.0 } else { 1.0 };
    let (n, d) = if large < f64::INFINITY { (n, d) } else { (endless, 1.0) };
    let d = if large > 0.0 { d } else { 1.0 };
    let angle = angle(n, d, steep, behind);

    // Small angles are the ratio itself, which may be subnormal.
    let flat = !steep && !behind && small < large * (1.0 / 1_073_741_824.0);
    let angle = if flat { small / large } else { angle };
    let angle = if x.is_nan() | y.is_nan() { x + y } else { angle };
    angle.copysign(y)
}

complete! { f64
    /// Angle of the point with ordinate `y` and abscissa `x`, within 0.8 ulp.
    arctan2_f64(y, x): arctan2_fast, arctan2_applies, arctan2_any;
}
