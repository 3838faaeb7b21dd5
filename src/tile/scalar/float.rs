//! The scalar meaning of ops on floats.
//!
//! Only IEEE operations that round exactly, each rounded by itself: that is what makes the
//! interpreter, machine code and NumPy agree to the bit.
//!
//! May not know: any other dtype family.

use half::f16;

use super::{Element, Float, Number, Stepped};

macro_rules! floats {
    ($($t:ident $divmod:ident $fmod:ident $ldexp:ident;)+) => {$(
        impl Element for $t {
            #[inline(always)]
            fn truth(self) -> bool {
                self != 0.0
            }
            #[inline(always)]
            fn absolute(self) -> Self {
                self.abs()
            }
            #[inline(always)]
            fn floor(self) -> Self {
                <$t>::floor(self)
            }
            #[inline(always)]
            fn ceil(self) -> Self {
                <$t>::ceil(self)
            }
            #[inline(always)]
            fn trunc(self) -> Self {
                <$t>::trunc(self)
            }
            #[inline(always)]
            fn isnan(self) -> bool {
                self.is_nan()
            }
            #[inline(always)]
            fn isinf(self) -> bool {
                self.is_infinite()
            }
            #[inline(always)]
            fn isfinite(self) -> bool {
                self.is_finite()
            }
            #[inline(always)]
            fn add(self, other: Self) -> Self {
                self + other
            }
            #[inline(always)]
            fn multiply(self, other: Self) -> Self {
                self * other
            }
            #[inline(always)]
            fn minimum(self, other: Self) -> Self {
                // A NaN on the right loses no comparison, so it is taken without being asked for.
                let better = if self < other { self } else { other };
                if self.is_nan() { self } else { better }
            }
            #[inline(always)]
            fn maximum(self, other: Self) -> Self {
                let better = if self > other { self } else { other };
                if self.is_nan() { self } else { better }
            }
            #[inline(always)]
            fn fmin(self, other: Self) -> Self {
                // A NaN on the left wins no comparison, so the other is taken without being asked for.
                let better = if self < other { self } else { other };
                if other.is_nan() { self } else { better }
            }
            #[inline(always)]
            fn fmax(self, other: Self) -> Self {
                let better = if self > other { self } else { other };
                if other.is_nan() { self } else { better }
            }
        }

        impl Number for $t {
            #[inline(always)]
            fn negative(self) -> Self {
                -self
            }
            #[inline(always)]
            fn sign(self) -> Self {
                if self > 0.0 {
                    1.0
                } else if self < 0.0 {
                    -1.0
                } else if self == 0.0 {
                    // Also for -0.0.
                    0.0
                } else {
                    self
                }
            }
            #[inline(always)]
            fn square(self) -> Self {
                self * self
            }
            #[inline(always)]
            fn reciprocal(self) -> Self {
                1.0 / self
            }
            #[inline(always)]
            fn subtract(self, other: Self) -> Self {
                self - other
            }
            #[inline(always)]
            fn floor_divide(self, other: Self) -> Self {
                if other == 0.0 { self / other } else { $divmod(self, other, $fmod(self, other)).0 }
            }
            #[inline(always)]
            fn remainder(self, other: Self) -> Self {
                let rest = $fmod(self, other);
                if other == 0.0 { rest } else { $divmod(self, other, rest).1 }
            }
            #[inline(always)]
            fn fmod(self, other: Self) -> Self {
                $fmod(self, other)
            }
        }

        impl Float for $t {
            #[inline(always)]
            fn sqrt(self) -> Self {
                <$t>::sqrt(self)
            }
            #[inline(always)]
            fn rint(self) -> Self {
                self.round_ties_even()
            }
            #[inline(always)]
            fn divide(self, other: Self) -> Self {
                self / other
            }
            #[inline(always)]
            fn signbit(self) -> bool {
                self.is_sign_negative()
            }
            #[inline(always)]
            fn copysign(self, sign: Self) -> Self {
                <$t>::copysign(self, sign)
            }
            #[inline(always)]
            fn heaviside(self, at_zero: Self) -> Self {
                if self > 0.0 {
                    1.0
                } else if self < 0.0 {
                    0.0
                } else if self == 0.0 {
                    at_zero
                } else {
                    self
                }
            }
            #[inline(always)]
            fn deg2rad(self) -> Self {
                self * (std::$t::consts::PI / 180.0)
            }
            #[inline(always)]
            fn rad2deg(self) -> Self {
                self * (180.0 / std::$t::consts::PI)
            }
            #[inline(always)]
            fn frexp(self) -> (Self, i32) {
                // A single is a normal double.
                let (mantissa, exponent) = frexp(self.into());
                (mantissa as $t, exponent)
            }
            #[inline(always)]
            fn fraction(self) -> Self {
                // An infinity less itself is NaN, but nothing is behind its point.
                let rest = self - Element::trunc(self);
                (if Element::isinf(self) { 0.0 } else { rest }).copysign(self)
            }
            #[inline(always)]
            fn ldexp(self, exponent: Self) -> Self {
                $ldexp(self, exponent)
            }
        }

        impl Stepped for $t {
            #[inline(always)]
            fn nextafter(self, to: Self) -> Self {
                if self == to {
                    // The second of two zeros.
                    return to;
                }
                if self.is_nan() || to.is_nan() {
                    return self + to;
                }
                if self == 0.0 {
                    return <$t>::from_bits(1).copysign(to);
                }
                // Away from 0 the bits count up, and past the largest number lies infinity.
                let away = (self < to) == (self > 0.0);
                let bits = self.to_bits();
                <$t>::from_bits(if away { bits + 1 } else { bits - 1 })
            }
            #[inline(always)]
            fn spacing(self) -> Self {
                if self == 0.0 {
                    return <$t>::from_bits(1);
                }
                if !self.is_finite() {
                    return <$t>::NAN;
                }
                <$t>::from_bits(self.to_bits() + 1) - self
            }
        }

        /// The floor quotient and the remainder, as Python and NumPy define them: from the exact
        /// `fmod`, which is `rest`, so that the remainder has the divisor's sign and zeros theirs.
        #[inline(always)]
        fn $divmod(a: $t, b: $t, mut rest: $t) -> ($t, $t) {
            let mut quotient = (a - rest) / b;
            if rest != 0.0 {
                // NaN comes here too, and stays NaN.
                if (b < 0.0) != (rest < 0.0) {
                    rest += b;
                    quotient -= 1.0;
                }
            } else {
                rest = (0.0 as $t).copysign(b);
            }
            let floored = if quotient != 0.0 {
                // `quotient` is whole but for rounding.
                let down = quotient.floor();
                if quotient - down > 0.5 { down + 1.0 } else { down }
            } else {
                (0.0 as $t).copysign(a / b)
            };
            (floored, rest)
        }
    )+};
}

floats! {
    f32 divmod_f32 fmod_f32 ldexp_f32;
    f64 divmod_f64 fmod_f64 ldexp_f64;
}

/// C's `fmod`: exact, with the sign of `a`.
#[inline(always)]
fn fmod_f32(a: f32, b: f32) -> f32 {
    let (rest, far) = near_fmod(a, b);
    // The library's loop over exponents, many times slower.
    if far { a % b } else { rest }
}

/// `fmod` of what is not too far apart; whether it is, so that the first is nothing. By 0 it is NaN.
#[inline(always)]
#[allow(clippy::needless_bitwise_bool, reason = "without branches a loop of it is vectors")]
pub fn near_fmod(a: f32, b: f32) -> (f32, bool) {
    let (wide_a, wide_b) = (f64::from(a), f64::from(b));
    let quotient = wide_a / wide_b;
    let near = (quotient.abs() < 268435456.0) & (b.abs() < f32::INFINITY) | (b == 0.0);
    // 29 bits by 24: the product is exact in double precision, and so is the difference. The
    // quotient can have been rounded up to a whole number, never down past one.
    let rest = wide_a.abs() - (quotient.trunc() * wide_b).abs();
    let rest = if rest < 0.0 { rest + wide_b.abs() } else { rest };
    ((rest as f32).copysign(a), !near)
}

/// `floor_divide` and `remainder` likewise.
#[inline(always)]
pub fn near_divmod(a: f32, b: f32) -> ((f32, f32), bool) {
    let (rest, far) = near_fmod(a, b);
    (divmod_f32(a, b, rest), far)
}

/// C's `fmod`: exact, with the sign of `a`.
#[inline(always)]
fn fmod_f64(a: f64, b: f64) -> f64 {
    a % b
}

/// The mantissa and the exponent of a double.
#[inline(always)]
fn frexp(x: f64) -> (f64, i32) {
    const EXPONENT: u64 = 0x7ff << 52;
    // Subnormals are made normal first.
    let small = x.abs() < f64::MIN_POSITIVE;
    let bits = (if small { x * 18_014_398_509_481_984.0 } else { x }).to_bits();
    let exponent = (bits >> 52 & 0x7ff) as i32 - if small { 1022 + 54 } else { 1022 };
    let mantissa = f64::from_bits(bits & !EXPONENT | 1022 << 52);
    if x == 0.0 || !x.is_finite() { (x, 0) } else { (mantissa, exponent) }
}

/// `2**n` for a normal result.
#[inline(always)]
fn power_of_two(n: i32) -> f64 {
    f64::from_bits(((n + 1023) as u64) << 52)
}

/// A whole number as an integer, as far as the bound.
#[inline(always)]
fn within(n: f64, bound: f64) -> i32 {
    // NaN, which no integer is, becomes the bound.
    let n = if n > -bound { n } else { -bound };
    let n = if n < bound { n } else { bound };
    // SAFETY: between bounds that are integers.
    unsafe { n.to_int_unchecked() }
}

/// `x * 2**n`: exact in double precision, then rounded.
#[inline(always)]
fn ldexp_f32(x: f32, n: f32) -> f32 {
    (f64::from(x) * power_of_two(within(n.into(), 400.0))) as f32
}

/// `x * 2**n`, in three factors, of which all but the last keep every bit.
#[inline(always)]
fn ldexp_f64(x: f64, n: f64) -> f64 {
    // Downwards by 1022 less 53: what becomes subnormal by it already, the last factor makes 0.
    let factor = |n: i32| match n {
        ..-1022 => -969,
        -1022..=1023 => 0,
        1024.. => 1023,
    };
    let n = within(n, 2400.0);
    let first = factor(n);
    let second = factor(n - first);
    let last = n - first - second;
    x * power_of_two(first) * power_of_two(second) * power_of_two(last)
}

impl Stepped for f16 {
    #[inline(always)]
    fn nextafter(self, to: Self) -> Self {
        if self == to {
            // NumPy's half: the first of two zeros.
            return self;
        }
        if self.is_nan() || to.is_nan() {
            return f16::NAN;
        }
        let (bits, sign) = (self.to_bits(), 0x8000);
        if bits & !sign == 0 {
            return f16::from_bits(1 | to.to_bits() & sign);
        }
        let away = (self < to) == (bits & sign == 0);
        f16::from_bits(if away { bits + 1 } else { bits - 1 })
    }
    #[inline(always)]
    fn spacing(self) -> Self {
        // NumPy's half: upwards, whatever the sign.
        if !self.is_finite() {
            return f16::NAN;
        }
        f16::from_f32(self.nextafter(f16::INFINITY).to_f32() - self.to_f32())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Equal to the bit, all NaNs being one.
    fn same(a: f64, b: f64) -> bool {
        a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan()
    }

    #[test]
    fn division_follows_numpy() {
        let (inf, nan) = (f64::INFINITY, f64::NAN);
        // a, b, a // b, a % b, as NumPy 2.4 prints them.
        for (a, b, quotient, rest) in [
            (2.5, 1.0, 2.0, 0.5),
            (-2.5, 1.0, -3.0, 0.5),
            (2.5, -1.0, -3.0, -0.5),
            (-2.5, -1.0, 2.0, -0.5),
            (0.0, -1.0, -0.0, -0.0),
            (-0.0, 1.0, -0.0, 0.0),
            (1.0, 0.0, inf, nan),
            (-1.0, 0.0, -inf, nan),
            (0.0, 0.0, nan, nan),
            (1.0, inf, 0.0, 1.0),
            (-1.0, inf, -1.0, inf),
            (1.0, -inf, -1.0, -inf),
            (inf, 1.0, nan, nan),
            (nan, 1.0, nan, nan),
            (1.0, nan, nan, nan),
            (1.0, 0.1, 9.0, 0.09999999999999995),
        ] {
            let got = (a.floor_divide(b), a.remainder(b));
            assert!(same(got.0, quotient), "{a} // {b} = {}, not {quotient}", got.0);
            assert!(same(got.1, rest), "{a} % {b} = {}, not {rest}", got.1);
        }
    }

    #[test]
    fn nan_wins_and_the_second_of_equals_is_taken() {
        assert!(
            Element::minimum(f32::NAN, 1.0).is_nan() && Element::minimum(1.0, f32::NAN).is_nan()
        );
        assert!(
            Element::maximum(f32::NAN, 1.0).is_nan() && Element::maximum(1.0, f32::NAN).is_nan()
        );
        assert!(same(Element::minimum(0.0, -0.0), -0.0) && same(Element::maximum(-0.0, 0.0), 0.0));
    }

    #[test]
    fn signs_and_halves() {
        assert!(same((-0.0).sign(), 0.0) && same(f64::NAN.sign(), f64::NAN));
        assert!(same((-0.5).rint(), -0.0) && same(2.5.rint(), 2.0) && same(1.5.rint(), 2.0));
        assert!(same((-0.0).absolute(), 0.0) && same(0.0.negative(), -0.0));
        assert!(same(Float::sqrt(-0.0), -0.0));
    }

    #[test]
    fn the_short_way_to_a_remainder_is_exact() {
        let mut values: Vec<f32> = vec![0.0, -0.0, f32::NAN, f32::INFINITY, f32::MAX, 1e-45, 3e-39];
        let mut state = 1u32;
        for _ in 0..1200 {
            state = state.wrapping_mul(1664525).wrapping_add(1013904223);
            values.push(f32::from_bits(state));
            // Multiples and their neighbours, where a quotient rounds to a whole number.
            let near = ((state >> 20) as f32) * 0.1;
            values.extend([near, near.next_up(), -near.next_down()]);
        }
        values.extend([0.1, 0.3, 1.0, 7.0, f32::MIN_POSITIVE]);
        for &a in &values {
            for &b in values.iter().rev().take(900) {
                let (got, want) = (fmod_f32(a, b), a % b);
                assert!(same(got.into(), want.into()), "{a:?} % {b:?} = {got:?}, not {want:?}");
            }
        }
    }

    #[test]
    fn the_other_is_taken_for_nan() {
        assert!(same(Element::fmin(f64::NAN, 1.0), 1.0) && same(Element::fmin(1.0, f64::NAN), 1.0));
        assert!(same(Element::fmax(f64::NAN, 1.0), 1.0) && same(Element::fmax(1.0, f64::NAN), 1.0));
        assert!(Element::fmax(f64::NAN, f64::NAN).is_nan());
        assert!(same(Element::fmin(0.0, -0.0), -0.0) && same(Element::fmax(-3.0, 2.0), 2.0));
    }

    #[test]
    fn mantissa_and_exponent_make_the_number_again() {
        let (inf, nan) = (f64::INFINITY, f64::NAN);
        for (x, mantissa, exponent) in [
            (1.0, 0.5, 1),
            (-6.0, -0.75, 3),
            (5e-324, 0.5, -1073),
            (f64::MAX, 1.0f64.next_down(), 1024),
            (0.0, 0.0, 0),
            (-0.0, -0.0, 0),
            (inf, inf, 0),
            (-inf, -inf, 0),
            (nan, nan, 0),
        ] {
            let got = x.frexp();
            assert!(same(got.0, mantissa) && got.1 == exponent, "{x}: {got:?}");
            assert!(same(got.0.ldexp(exponent.into()), x), "{x}");
        }
        assert_eq!(1e-45f32.frexp(), (0.5, -148));
    }

    #[test]
    fn scaling_rounds_once() {
        for (x, n, want) in [
            (1.0, 1024.0, f64::INFINITY),
            (-1.0, f64::MAX, f64::NEG_INFINITY),
            (1.0, -1074.0, 5e-324),
            (1.0, -1075.0, 0.0),
            (1.5, -1075.0, 5e-324),
            (-1.0, f64::MIN, -0.0),
            (5e-324, 2097.0, 2f64.powi(1023)),
            (f64::MAX, -2098.0, 5e-324),
            (0.0, 5000.0, 0.0),
            // A first rounding to 53 bits or less would make a tie of it.
            (1.0f64.next_up(), -1075.0, 5e-324),
            (f64::MIN_POSITIVE.next_down(), -52.0, 5e-324),
            (f64::MIN_POSITIVE.next_down(), -53.0, 0.0),
            (2f64.powi(-60) * 1.0f64.next_up(), -1015.0, 5e-324),
            (2f64.powi(-60) * 1.25f64.next_up(), -1013.0, 1.5e-323),
        ] {
            let got = x.ldexp(n);
            assert!(same(got, want), "{x:e} * 2**{n} = {got:e}, not {want:e}");
        }
        assert_eq!(1.0f32.ldexp(-149.0), 1e-45);
        assert_eq!(1e-45f32.ldexp(276.0), 2f32.powi(127));
        assert_eq!(1.0f32.ldexp(f32::INFINITY), f32::INFINITY);
    }

    #[test]
    fn neighbours_follow_numpy() {
        let (inf, nan, tiny) = (f64::INFINITY, f64::NAN, 5e-324);
        for (x, to, want) in [
            (0.0, -0.0, -0.0),
            (0.0, 1.0, tiny),
            (-0.0, -1.0, -tiny),
            (tiny, -1.0, 0.0),
            (-tiny, 1.0, -0.0),
            (f64::MAX, inf, inf),
            (inf, 0.0, f64::MAX),
            (-inf, 0.0, f64::MIN),
            (1.0, nan, nan),
            (nan, 1.0, nan),
        ] {
            assert!(same(x.nextafter(to), want), "from {x} to {to}");
        }
        for (x, want) in
            [(0.0, tiny), (-0.0, tiny), (1.0, 2f64.powi(-52)), (-1.0, -2f64.powi(-52)), (inf, nan)]
        {
            assert!(same(x.spacing(), want), "at {x}");
        }
        assert!(same(f64::MIN.spacing(), -inf) && same((-tiny).spacing(), -tiny));
        let half = |x: f32| f16::from_f32(x).spacing().to_f32();
        assert_eq!([half(-1.0), half(1.0), half(-65504.0)], [2f32.powi(-11), 2f32.powi(-10), 32.0]);
        assert_eq!(half(65504.0), f32::INFINITY);
        assert!(f16::NEG_INFINITY.spacing().is_nan());
        assert_eq!(f16::ZERO.nextafter(f16::NEG_ZERO).to_bits(), 0);
    }
}
