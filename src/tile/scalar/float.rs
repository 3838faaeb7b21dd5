//! The scalar meaning of ops on floats.
//!
//! Only IEEE operations that round exactly, each rounded by itself: that is what makes the
//! interpreter, machine code and NumPy agree to the bit.
//!
//! May not know: any other dtype family.

use super::{Element, Float, Number};

macro_rules! floats {
    ($($t:ident $divmod:ident $fmod:ident;)+) => {$(
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
                if self < other || self.is_nan() { self } else { other }
            }
            #[inline(always)]
            fn maximum(self, other: Self) -> Self {
                if self > other || self.is_nan() { self } else { other }
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
                if other == 0.0 { self / other } else { $divmod(self, other).0 }
            }
            #[inline(always)]
            fn remainder(self, other: Self) -> Self {
                if other == 0.0 { $fmod(self, other) } else { $divmod(self, other).1 }
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
        }

        /// The floor quotient and the remainder, as Python and NumPy define them: from the exact
        /// `fmod`, so that the remainder has the divisor's sign and zeros theirs.
        #[inline(always)]
        fn $divmod(a: $t, b: $t) -> ($t, $t) {
            let mut rest = $fmod(a, b);
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
    f32 divmod_f32 fmod_f32;
    f64 divmod_f64 fmod_f64;
}

/// C's `fmod`: exact, with the sign of `a`.
#[inline(always)]
fn fmod_f32(a: f32, b: f32) -> f32 {
    let (wide_a, wide_b) = (f64::from(a), f64::from(b));
    let quotient = wide_a / wide_b;
    if quotient.abs() >= 268435456.0 || quotient.is_nan() || !b.is_finite() {
        // The library's loop over exponents, many times slower.
        return a % b;
    }
    // 29 bits by 24: the product is exact in double precision, and so is the difference. The
    // quotient can have been rounded up to a whole number, never down past one.
    let rest = wide_a.abs() - (quotient.trunc() * wide_b).abs();
    let rest = if rest < 0.0 { rest + wide_b.abs() } else { rest };
    (rest as f32).copysign(a)
}

/// C's `fmod`: exact, with the sign of `a`.
#[inline(always)]
fn fmod_f64(a: f64, b: f64) -> f64 {
    a % b
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
}
