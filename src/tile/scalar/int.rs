//! The scalar meaning of ops on integers: wrapping, floor division, shifts that run out.
//!
//! May not know: any other dtype family.

use super::{Bits, Element, Integer, Number};

/// The greatest common divisor (Stein's binary one: no division); that with 0 is the other.
#[inline(always)]
fn common_divisor(mut a: u64, mut b: u64) -> u64 {
    if a == 0 || b == 0 {
        return a | b;
    }
    let twos = (a | b).trailing_zeros();
    a >>= a.trailing_zeros();
    while b != 0 {
        b >>= b.trailing_zeros();
        (a, b) = (a.min(b), a.abs_diff(b));
    }
    a << twos
}

/// The absolute value as an unsigned integer, which holds that of the lowest one.
macro_rules! magnitude {
    ($x:expr, i8) => {
        $x.unsigned_abs()
    };
    ($x:expr, i16) => {
        $x.unsigned_abs()
    };
    ($x:expr, i32) => {
        $x.unsigned_abs()
    };
    ($x:expr, i64) => {
        $x.unsigned_abs()
    };
    ($x:expr, $t:ident) => {
        $x
    };
}

/// The quotient towards zero and what it leaves; by zero both are 0, and the lowest value by -1 is itself.
///
/// Of up to 32 bits it is a division of floats, which vectors have. Their quotient is rounded, but never up to a
/// whole number: that is further away, by one part in the divisor.
macro_rules! divided {
    ($a:expr, $b:expr, $t:ident, none) => {
        if $b == 0 { (0, 0) } else { ($a.wrapping_div($b), $a.wrapping_rem($b)) }
    };
    ($a:expr, $b:expr, $t:ident, $float:ident) => {{
        let beyond = <$t>::MIN != 0 && $a == <$t>::MIN && $b == (0 as $t).wrapping_sub(1);
        let divisor = if $b == 0 || beyond { 1 } else { $b };
        // SAFETY: no larger than the dividend, and a number.
        let quotient: $t = unsafe { ($float::from($a) / $float::from(divisor)).to_int_unchecked() };
        let rest = $a.wrapping_sub(quotient.wrapping_mul(divisor));
        if $b == 0 { (0, 0) } else { (quotient, rest) }
    }};
}

macro_rules! integers {
    ($($t:ident, $width:literal, $float:ident, $min_one_over_zero:expr;)+) => {$(
        impl Element for $t {
            #[inline(always)]
            fn truth(self) -> bool {
                self != 0
            }
            #[inline(always)]
            #[allow(unused_comparisons, reason = "written once for signed and unsigned integers")]
            fn absolute(self) -> Self {
                if self < 0 { self.wrapping_neg() } else { self }
            }
            #[inline(always)]
            fn floor(self) -> Self {
                self
            }
            #[inline(always)]
            fn ceil(self) -> Self {
                self
            }
            #[inline(always)]
            fn trunc(self) -> Self {
                self
            }
            #[inline(always)]
            fn isnan(self) -> bool {
                false
            }
            #[inline(always)]
            fn isinf(self) -> bool {
                false
            }
            #[inline(always)]
            fn isfinite(self) -> bool {
                true
            }
            #[inline(always)]
            fn add(self, other: Self) -> Self {
                self.wrapping_add(other)
            }
            #[inline(always)]
            fn multiply(self, other: Self) -> Self {
                self.wrapping_mul(other)
            }
            #[inline(always)]
            fn minimum(self, other: Self) -> Self {
                self.min(other)
            }
            #[inline(always)]
            fn maximum(self, other: Self) -> Self {
                self.max(other)
            }
            #[inline(always)]
            fn fmin(self, other: Self) -> Self {
                self.min(other)
            }
            #[inline(always)]
            fn fmax(self, other: Self) -> Self {
                self.max(other)
            }
        }

        impl Number for $t {
            #[inline(always)]
            fn negative(self) -> Self {
                self.wrapping_neg()
            }
            #[inline(always)]
            #[allow(unused_comparisons, reason = "written once for signed and unsigned integers")]
            fn sign(self) -> Self {
                if self > 0 {
                    1
                } else if self < 0 {
                    (0 as $t).wrapping_sub(1)
                } else {
                    0
                }
            }
            #[inline(always)]
            fn square(self) -> Self {
                self.wrapping_mul(self)
            }
            #[inline(always)]
            fn reciprocal(self) -> Self {
                // Two divisions would trap or cost; only 1, -1 and 0 have a quotient to speak of.
                let minus_one = (0 as $t).wrapping_sub(1);
                if self == 1 || (<$t>::MIN != 0 && self == minus_one) {
                    self
                } else if self == 0 {
                    $min_one_over_zero
                } else {
                    0
                }
            }
            #[inline(always)]
            fn subtract(self, other: Self) -> Self {
                self.wrapping_sub(other)
            }
            #[inline(always)]
            #[allow(unused_comparisons, reason = "written once for signed and unsigned integers")]
            fn floor_divide(self, other: Self) -> Self {
                let (quotient, rest): ($t, $t) = divided!(self, other, $t, $float);
                let down = rest != 0 && (rest < 0) != (other < 0);
                if down { quotient.wrapping_sub(1) } else { quotient }
            }
            #[inline(always)]
            #[allow(unused_comparisons, reason = "written once for signed and unsigned integers")]
            fn remainder(self, other: Self) -> Self {
                let (_, rest): ($t, $t) = divided!(self, other, $t, $float);
                let down = rest != 0 && (rest < 0) != (other < 0);
                if down { rest.wrapping_add(other) } else { rest }
            }
            #[inline(always)]
            fn fmod(self, other: Self) -> Self {
                let (_, rest): ($t, $t) = divided!(self, other, $t, $float);
                rest
            }
        }

        impl Bits for $t {
            #[inline(always)]
            fn invert(self) -> Self {
                !self
            }
            #[inline(always)]
            fn bitwise_and(self, other: Self) -> Self {
                self & other
            }
            #[inline(always)]
            fn bitwise_or(self, other: Self) -> Self {
                self | other
            }
            #[inline(always)]
            fn bitwise_xor(self, other: Self) -> Self {
                self ^ other
            }
        }

        impl Integer for $t {
            #[inline(always)]
            #[allow(unused_comparisons, reason = "written once for signed and unsigned integers")]
            fn left_shift(self, count: Self) -> Self {
                if (0..$width).contains(&count) { self << count } else { 0 }
            }
            #[inline(always)]
            #[allow(unused_comparisons, reason = "written once for signed and unsigned integers")]
            fn right_shift(self, count: Self) -> Self {
                if (0..$width).contains(&count) {
                    self >> count
                } else if self < 0 {
                    (0 as $t).wrapping_sub(1)
                } else {
                    0
                }
            }
            #[inline(always)]
            #[allow(unused_comparisons, reason = "written once for signed and unsigned integers")]
            fn power(self, exponent: Self) -> Option<Self> {
                if exponent < 0 {
                    return None;
                }
                let (mut power, mut square, mut left) = (1 as $t, self, exponent);
                while left != 0 {
                    if left & 1 == 1 {
                        power = power.wrapping_mul(square);
                    }
                    square = square.wrapping_mul(square);
                    left >>= 1;
                }
                Some(power)
            }
            #[inline(always)]
            fn gcd(self, other: Self) -> Self {
                let (a, b) = (u64::from(magnitude!(self, $t)), u64::from(magnitude!(other, $t)));
                common_divisor(a, b) as $t
            }
            #[inline(always)]
            fn lcm(self, other: Self) -> Self {
                let (a, b) = (u64::from(magnitude!(self, $t)), u64::from(magnitude!(other, $t)));
                let divisor = common_divisor(a, b);
                if divisor == 0 { 0 } else { (a / divisor).wrapping_mul(b) as $t }
            }
            #[inline(always)]
            fn bitwise_count(self) -> u8 {
                magnitude!(self, $t).count_ones() as u8
            }
        }
    )+};
}

integers! {
    i8, 8, f32, 0;
    u8, 8, f32, 0;
    i16, 16, f32, 0;
    u16, 16, f32, 0;
    i32, 32, f64, i32::MIN;
    u32, 32, f64, 0;
    i64, 64, none, i64::MIN;
    u64, 64, none, 0;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn division_follows_numpy() {
        for (a, b, quotient, rest) in [
            (i8::MIN, -1, i8::MIN, 0),
            (i8::MIN, 0, 0, 0),
            (i8::MIN, 1, i8::MIN, 0),
            (-7, 3, -3, 2),
            (7, -3, -3, -2),
            (-7, -3, 2, -1),
            (7, 3, 2, 1),
            (0, 5, 0, 0),
        ] {
            assert_eq!(a.floor_divide(b), quotient, "{a} // {b}");
            assert_eq!(a.remainder(b), rest, "{a} % {b}");
        }
        assert_eq!(i64::MIN.floor_divide(-1), i64::MIN);
        assert_eq!(i64::MIN.remainder(-1), 0);
        assert_eq!(7u8.floor_divide(0), 0);
        assert_eq!(250u8.remainder(7), 5);
    }

    #[test]
    fn all_pairs_of_bytes_divide_as_floor_does() {
        for a in i8::MIN..=i8::MAX {
            for b in i8::MIN..=i8::MAX {
                if b != 0 {
                    let want = (f64::from(a) / f64::from(b)).floor() as i32 as i8;
                    assert_eq!(a.floor_divide(b), want, "{a} // {b}");
                    let rest =
                        i32::from(a) - (f64::from(a) / f64::from(b)).floor() as i32 * i32::from(b);
                    assert_eq!(i32::from(a.remainder(b)), rest, "{a} % {b}");
                }
            }
        }
    }

    /// Numbers whose quotients are next to whole ones, by the division of integers that are wider.
    #[test]
    fn quotients_are_not_rounded_up() {
        macro_rules! compare {
            ($($t:ident)+) => {$(
                let ends = [$t::MIN, $t::MIN + 1, $t::MAX / 2, $t::MAX - 1, $t::MAX];
                let powers = (1..$t::BITS - 1).flat_map(|k| [(1 << k) - 1, 1 << k, (1 << k) + 1]);
                let numbers: Vec<$t> =
                    powers.chain(ends).chain([3, 7, 10, 100, 77]).collect();
                let negative = numbers.iter().map(|x| (0 as $t).wrapping_sub(*x));
                let numbers: Vec<$t> = numbers.iter().copied().chain(negative).collect();
                for &b in numbers.iter().filter(|&&b| b != 0) {
                    let whole = numbers.iter().map(|x| x.wrapping_mul(b));
                    for a in whole.flat_map(|x| [x.wrapping_sub(1), x, x.wrapping_add(1)]) {
                        let (wide_a, wide_b) = (i64::from(a), i64::from(b));
                        let rest = wide_a.rem_euclid(wide_b);
                        let rest = if rest != 0 && wide_b < 0 { rest + wide_b } else { rest };
                        let quotient = (wide_a - rest) / wide_b;
                        assert_eq!(a.floor_divide(b), quotient as $t, "{a} // {b}");
                        assert_eq!(a.remainder(b), rest as $t, "{a} % {b}");
                        assert_eq!(a.fmod(b), (wide_a % wide_b) as $t, "fmod of {a} and {b}");
                    }
                }
            )+};
        }
        compare! { i8 u8 i16 u16 i32 u32 }
    }

    #[test]
    fn divisors_and_multiples_follow_numpy() {
        for (a, b, divisor, multiple) in [
            (i8::MIN, 0, i8::MIN, 0),
            (i8::MIN, i8::MIN, i8::MIN, i8::MIN),
            (i8::MIN, 3, 1, -128),
            (100, 77, 1, 20),
            (-12, 18, 6, 36),
            (0, 0, 0, 0),
            (0, -5, 5, 0),
        ] {
            assert_eq!((a.gcd(b), b.gcd(a)), (divisor, divisor), "gcd of {a} and {b}");
            assert_eq!(a.lcm(b), multiple, "lcm of {a} and {b}");
        }
        assert_eq!(u64::MAX.gcd(u64::MAX / 3), u64::MAX / 3);
        assert_eq!(i64::MIN.gcd(6), 2);
        for a in 0..=u8::MAX {
            for b in 0..=u8::MAX {
                // Euclid's, for Stein's.
                let (mut x, mut y) = (a, b);
                while y != 0 {
                    (x, y) = (y, x % y);
                }
                assert_eq!(a.gcd(b), x, "gcd of {a} and {b}");
            }
        }
        assert_eq!([-128i8, -1, 127, -3].map(Integer::bitwise_count), [1, 1, 7, 2]);
        assert_eq!([i8::MIN.fmod(-1), 7i8.fmod(0), (-7i8).fmod(3), 5i8.fmod(-3)], [0, 0, -1, 2]);
    }

    #[test]
    fn shifts_run_out() {
        assert_eq!((-1i8).left_shift(8), 0);
        assert_eq!((-1i8).right_shift(127), -1);
        assert_eq!((-1i8).right_shift(-5), -1);
        assert_eq!(100i8.right_shift(-1), 0);
        assert_eq!(1i64.left_shift(63), i64::MIN);
        assert_eq!(1i64.left_shift(-1), 0);
        assert_eq!(255u8.left_shift(1), 254);
        assert_eq!(255u8.right_shift(251), 0);
    }

    #[test]
    fn the_rest_follows_numpy() {
        assert_eq!(i16::MIN.absolute(), i16::MIN);
        assert_eq!(i16::MIN.sign(), -1);
        assert_eq!(200u8.sign(), 1);
        assert_eq!(200u8.negative(), 56);
        assert_eq!([1i8, 0, -1, 2, -2].map(Number::reciprocal), [1, 0, -1, 0, 0]);
        assert_eq!([1u8, 0, 255, 2].map(Number::reciprocal), [1, 0, 0, 0]);
        assert_eq!(0i32.reciprocal(), i32::MIN);
        assert_eq!(0i64.reciprocal(), i64::MIN);
        assert_eq!(0u32.reciprocal(), 0);
        assert_eq!(2i8.power(7), Some(-128));
        assert_eq!(3i8.power(5), Some(-13));
        assert_eq!(0i8.power(0), Some(1));
        assert_eq!(1i8.power(-1), None);
        assert_eq!(3u64.power(u64::MAX), Some(12297829382473034411));
        assert_eq!(100i16.power(3), Some(16960));
    }
}
