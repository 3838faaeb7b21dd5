//! Exponentials: natural, of 2, and less 1.
//!
//! `x = k ln 2 + r` with `|r| <= ln 2 / 2` (Cody and Waite's reduction: the fused product with the
//! nearest double to `ln 2` cancels exactly, its rest is subtracted after), then a minimax
//! polynomial for `exp r` and a multiplication by `2**k`. May not know: tiles, machines.

use super::lanes::{LN2, LN2_REST, ROUND, complete, poly};

const LOG2_E: f64 = std::f64::consts::LOG2_E;

/// `(exp r - 1 - r) / r**2` for `|r| <= ln 2 / 2`, to `2**-32` of `1 / r`.
const SHORT: [f64; 6] = [
    0.5000000046385604,
    0.1666666681968223,
    0.0416663546929724,
    0.008333272556261224,
    0.0013941008025077663,
    0.00019914400515959655,
];

/// `(2**r - 1) / r` for `|r| <= 1/2`, to `2**-34` of `1 / r`.
const SHORT_TWO: [f64; 7] = [
    0.6931471805416627,
    0.24022651075884247,
    0.055504109625246385,
    0.009618036907279479,
    0.0013333430832085558,
    0.00015467111301416419,
    1.5314935554983814e-05,
];

/// [`SHORT`] to `2**-61`.
const LONG: [f64; 11] = [
    0.5,
    0.16666666666666677,
    0.0416666666666667,
    0.008333333333321617,
    0.0013888888888866694,
    0.0001984126988615784,
    2.4801587360785557e-05,
    2.755724418202004e-06,
    2.75572425883735e-07,
    2.510904503326347e-08,
    2.0924491695037586e-09,
];

/// `x` between `low` and `high`; NaN stays NaN.
#[inline(always)]
pub(super) fn clamp(x: f64, low: f64, high: f64) -> f64 {
    let x = if x < low { low } else { x };
    if x > high { high } else { x }
}

/// `2**k`, where `biased` is `k + ROUND` and `-1023 < k < 1024`.
#[inline(always)]
pub(super) fn power_of_two(biased: f64) -> f64 {
    f64::from_bits(biased.to_bits().wrapping_add(1023) << 52)
}

/// `y * 2**k`, where `biased` is `k + ROUND` and the result is normal.
#[inline(always)]
pub(super) fn scale(y: f64, biased: f64) -> f64 {
    f64::from_bits(y.to_bits().wrapping_add(biased.to_bits() << 52))
}

/// `exp(x) - 1` as `2**k * p` and `2**k - 1`, given as `(p, 2**k)`, to `2**-32`; `|x| < 700`.
#[inline(always)]
pub(super) fn expm1_short(x: f64) -> (f64, f64) {
    let biased = x.mul_add(LOG2_E, ROUND);
    let r = (biased - ROUND).mul_add(-LN2, x);
    let p = (r * r).mul_add(poly(r, SHORT), r);
    (p, power_of_two(biased))
}

/// `exp(x)` to about `2**-33`, for `|x| < 700`.
#[inline(always)]
pub(super) fn exp_short(x: f64) -> f64 {
    let (p, scale) = expm1_short(x);
    p.mul_add(scale, scale)
}

/// `2**x` to about `2**-34`, for `|x| < 1000`; exact for whole `x`.
#[inline(always)]
pub(super) fn exp2_short(x: f64) -> f64 {
    let biased = x + ROUND;
    let r = x - (biased - ROUND);
    scale(r.mul_add(poly(r, SHORT_TWO), 1.0), biased)
}

/// What [`reduce`] makes of an argument: `x = k ln 2 + head + rest`.
pub(super) struct Reduced {
    /// `k + ROUND`.
    pub(super) biased: f64,
    /// The reduced argument, exactly but for the rest.
    pub(super) head: f64,
    /// What is small beside it.
    pub(super) rest: f64,
    /// Their sum, or what is next to it.
    pub(super) r: f64,
}

/// Reduces `x + x_rest`, with `x_rest` below an ulp of `x` and `|x| < 1000`.
#[inline(always)]
pub(super) fn reduce(x: f64, x_rest: f64) -> Reduced {
    let biased = x.mul_add(LOG2_E, ROUND);
    let k = biased - ROUND;
    let head = k.mul_add(-LN2, x);
    let rest = k.mul_add(-LN2_REST, x_rest);
    Reduced { biased, head, rest, r: head + rest }
}

/// The same for `2**(x + x_rest)`: `k` is the nearest integer, and the rest of `x` times `ln 2` is `head + rest`.
#[inline(always)]
pub(super) fn reduce_two(x: f64, x_rest: f64) -> Reduced {
    let biased = x + ROUND;
    let f = x - (biased - ROUND);
    let head = f * LN2;
    let rest = x_rest.mul_add(LN2, f.mul_add(LN2_REST, f.mul_add(LN2, -head)));
    Reduced { biased, head, rest, r: head }
}

impl Reduced {
    /// `exp(head + rest) - 1 - head`, which is small beside both.
    #[inline(always)]
    pub(super) fn tail(&self) -> f64 {
        let r = self.r;
        (r * r).mul_add(poly(r, LONG), self.rest)
    }

    /// The same, for a sum that cancels: the square, which is most of it, is not rounded by itself.
    #[inline(always)]
    fn tail_in_steps(&self) -> f64 {
        let r = self.r;
        let [half, cubic @ ..] = LONG;
        (half * r).mul_add(r, (r * r * r).mul_add(poly(r, cubic), self.rest))
    }

    /// `exp(head + rest)`.
    #[inline(always)]
    pub(super) fn exp(&self) -> f64 {
        1.0 + (self.head + self.tail())
    }

    /// The same as a sum of two doubles.
    #[inline(always)]
    pub(super) fn exp_parts(&self) -> (f64, f64) {
        let sum = 1.0 + self.head;
        (sum, ((1.0 - sum) + self.head) + self.tail())
    }

    /// `exp(head + rest) * 2**k - 1` as a sum of three doubles, given the tail; the last is what rounding `2**k - 1`
    /// left over.
    #[inline(always)]
    pub(super) fn expm1(&self, tail: f64) -> (f64, f64, f64) {
        let scale = power_of_two(self.biased);
        let below = scale - 1.0;
        // Of this sum the first is 0 or the larger, so that its error is exact.
        let e = self.head.mul_add(scale, below);
        let rest = self.head.mul_add(scale, below - e);
        (e, tail.mul_add(scale, rest), (scale - below) - 1.0)
    }

    /// `y * 2**k`. In two factors: the scale may lie beyond the normal numbers, where the second one
    /// rounds.
    #[inline(always)]
    pub(super) fn scale(&self, y: f64) -> f64 {
        let half = (self.biased - ROUND).mul_add(0.5, ROUND);
        let other = self.biased - (half - ROUND);
        y * power_of_two(half) * power_of_two(other)
    }
}

/// `exp(x + rest)`, rounded nearly once, with `rest` below an ulp of `x`.
#[inline(always)]
pub(super) fn exp_with_rest(x: f64, rest: f64) -> f64 {
    let reduced = reduce(x, rest);
    reduced.scale(reduced.exp())
}

/// `e**x`, within 0.51 ulp.
#[inline(always)]
pub(super) fn exp_wide(x: f32) -> f32 {
    exp_short(clamp(x.into(), -104.5, 89.0)) as f32
}

/// Whether [`exp_fast`] applies: the power of two is a normal number.
#[inline(always)]
pub(super) fn exp_applies(x: f64) -> bool {
    x.abs() < 708.0
}

/// `e**x` where that is a normal number.
#[inline(always)]
pub(super) fn exp_fast(x: f64) -> f64 {
    let reduced = reduce(x, 0.0);
    scale(reduced.exp(), reduced.biased)
}

/// `e**x` of anything.
#[inline(always)]
pub(super) fn exp_any(x: f64) -> f64 {
    exp_with_rest(clamp(x, -746.0, 710.0), 0.0)
}

/// `2**x`, within 0.51 ulp; exact for whole `x`.
#[inline(always)]
pub(super) fn exp2_wide(x: f32) -> f32 {
    exp2_short(clamp(x.into(), -160.0, 130.0)) as f32
}

/// Whether [`exp2_fast`] applies.
#[inline(always)]
pub(super) fn exp2_applies(x: f64) -> bool {
    x.abs() < 1022.0
}

/// `2**x` where that is a normal number.
#[inline(always)]
pub(super) fn exp2_fast(x: f64) -> f64 {
    let reduced = reduce_two(x, 0.0);
    scale(reduced.exp(), reduced.biased)
}

/// `2**x` of anything.
#[inline(always)]
pub(super) fn exp2_any(x: f64) -> f64 {
    let reduced = reduce_two(clamp(x, -1080.0, 1025.0), 0.0);
    reduced.scale(reduced.exp())
}

/// `e**x - 1`, within 0.51 ulp.
#[inline(always)]
pub(super) fn expm1_wide(x: f32) -> f32 {
    let (p, scale) = expm1_short(clamp(x.into(), -40.0, 90.0));
    // The sum loses the sign of -0.0.
    (p.mul_add(scale, scale - 1.0) as f32).copysign(x)
}

/// `e**x - 1` where [`exp_fast`] applies.
#[inline(always)]
pub(super) fn expm1_fast(x: f64) -> f64 {
    let reduced = reduce(x, 0.0);
    let (e, rest, dropped) = reduced.expm1(reduced.tail_in_steps());
    // The sum loses the sign of -0.0.
    (e + (rest + dropped)).copysign(x)
}

/// `e**x - 1` of all others: the 1 does not count, or nothing else does.
#[inline(always)]
pub(super) fn expm1_any(x: f64) -> f64 {
    exp_any(x) - 1.0
}

complete! { f64
    /// `e**x - 1`, within 0.95 ulp.
    expm1_f64(x): expm1_fast, exp_applies, expm1_any;
    /// `e**x`, within 0.9 ulp.
    exp_f64(x): exp_fast, exp_applies, exp_any;
    /// `2**x`, within 0.9 ulp; exact for whole `x`.
    exp2_f64(x): exp2_fast, exp2_applies, exp2_any;
}
