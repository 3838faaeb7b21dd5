//! Inverse sine and cosine.
//!
//! Up to 1/2 a polynomial; beyond, `asin x = pi / 2 - 2 asin sqrt((1 - x) / 2)`. What rounding the root
//! drops is kept, and so is what rounding `pi / 2` does. Written once for both precisions. May not know:
//! tiles, machines.

use super::lanes::{poly, poly_f32};

macro_rules! define_arc {
    ($t:ident $poly:ident $arc:ident, $arcsin:ident, $arccos:ident, $half_inverse:ident,
        $asin:ident, $half_pi:ident, $magic:literal) => {
        /// About `1 / (2 x)`, to a twentieth: what corrections are multiplied with.
        #[inline(always)]
        pub(super) fn $half_inverse(x: $t) -> $t {
            $t::from_bits($magic - x.to_bits())
        }

        /// Whether `|x|` is beyond 1/2; and `s` and `asin s - s`, where `s` is `|x|` or, beyond, the
        /// root of `(1 - |x|) / 2`.
        #[inline(always)]
        fn $arc(x: $t) -> (bool, $t, $t) {
            let a = x.abs();
            let far = a > 0.5;
            let z = if far { a.mul_add(-0.5, 0.5) } else { a * a };
            let root = z.sqrt();
            let root_rest = root.mul_add(-root, z) * $half_inverse(root);
            let s = if far { root } else { a };
            let s_rest = if far { root_rest } else { 0.0 };
            (far, s, (s * z).mul_add($poly(z, $asin), s_rest))
        }

        /// Inverse sine, within 0.9 ulp.
        #[inline(always)]
        pub fn $arcsin(x: $t) -> $t {
            let (far, s, t) = $arc(x);
            let (base, base_rest) = if far { $half_pi } else { (0.0, 0.0) };
            let times = if far { -2.0 } else { 1.0 };
            let head = base + times * s;
            let rest = (base - head) + times * s;
            (head + (rest + t.mul_add(times, base_rest))).copysign(x)
        }

        /// Inverse cosine, within 0.9 ulp.
        #[inline(always)]
        pub fn $arccos(x: $t) -> $t {
            let (far, s, t) = $arc(x);
            let turned = if x < 0.0 { 2.0 } else { 0.0 };
            let quarters = if far { turned } else { 1.0 };
            let times = if far { 2.0 } else { 1.0 };
            let times = if far ^ (x < 0.0) { times } else { -times };
            let base = quarters * $half_pi.0;
            let head = base + times * s;
            let rest = (base - head) + times * s;
            head + (rest + t.mul_add(times, quarters * $half_pi.1))
        }
    };
}

/// `(asin s - s) / s**3` in `s**2`, for `s <= 1/2`, to `2**-27` of `1 / s**2`.
const ASIN_F32: [f32; 5] = [0.16666754, 0.07495252, 0.04547604, 0.024152087, 0.042211827];
/// The same to `2**-59`.
const ASIN_F64: [f64; 13] = [
    0.16666666666666763,
    0.07499999999970129,
    0.0446428571752545,
    0.030381942676894768,
    0.022372215857805494,
    0.017351596407236877,
    0.013981007177720106,
    0.011397389687882922,
    0.01078875989436391,
    0.0036743752962188434,
    0.021785155078120098,
    -0.021108725541060733,
    0.0326970292069359,
];
/// `pi / 2`, and what rounding it left over.
const HALF_PI_F32: (f32, f32) = (std::f32::consts::FRAC_PI_2, -4.371_139e-8);
/// The same in double precision.
const HALF_PI_F64: (f64, f64) = (std::f64::consts::FRAC_PI_2, 6.123233995736766e-17);

define_arc!(f32 poly_f32 arc_f32, arcsin_f32, arccos_f32, half_inverse_f32, ASIN_F32, HALF_PI_F32, 0x7e73_1000);
define_arc!(f64 poly arc_f64, arcsin_f64, arccos_f64, half_inverse_f64, ASIN_F64, HALF_PI_F64, 0x7fce_6200_0000_0000);
