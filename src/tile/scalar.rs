//! The meaning of every exactly defined op on single values: NumPy's, bit for bit.
//!
//! Nothing here rounds differently from NumPy, fuses a multiply into an add, or traps. The
//! elementary functions are in [`super::math`].
//!
//! May not know: tiles, memory, dtypes as values.

mod float;
mod int;

pub use float::{near_divmod, near_fmod};

/// A NumPy `bool`: true unless the byte is 0. (Views of other dtypes make such bytes.)
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub struct Bool(pub u8);

impl Bool {
    /// The value.
    #[inline(always)]
    pub fn get(self) -> bool {
        self.0 != 0
    }
}

impl From<bool> for Bool {
    #[inline(always)]
    fn from(v: bool) -> Self {
        Bool(u8::from(v))
    }
}

impl PartialEq for Bool {
    #[inline(always)]
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl PartialOrd for Bool {
    #[inline(always)]
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        self.get().partial_cmp(&other.get())
    }
}

/// What every dtype can do. The comparisons are those of [`PartialOrd`].
pub trait Element: Copy + PartialOrd {
    /// Whether it counts as true: anything but 0, NaN too.
    fn truth(self) -> bool;
    /// `|x|`; the lowest signed integer is its own.
    fn absolute(self) -> Self;
    /// The largest integer not above it.
    fn floor(self) -> Self;
    /// The smallest integer not below it.
    fn ceil(self) -> Self;
    /// The integer part.
    fn trunc(self) -> Self;
    /// Whether it is NaN.
    fn isnan(self) -> bool;
    /// Whether it is an infinity.
    fn isinf(self) -> bool;
    /// Whether it is neither.
    fn isfinite(self) -> bool;
    /// The sum; of `bool`, or.
    fn add(self, other: Self) -> Self;
    /// The product; of `bool`, and.
    fn multiply(self, other: Self) -> Self;
    /// The smaller; NaN if either is; the second of two equal ones.
    fn minimum(self, other: Self) -> Self;
    /// The larger; NaN if either is; the second of two equal ones.
    fn maximum(self, other: Self) -> Self;
    /// The smaller; the other if one is NaN; the second of two equal ones.
    fn fmin(self, other: Self) -> Self;
    /// The larger; the other if one is NaN; the second of two equal ones.
    fn fmax(self, other: Self) -> Self;
}

/// What integers and floats can do.
pub trait Number: Element {
    /// `-x`.
    fn negative(self) -> Self;
    /// -1, 0 or 1; NaN for NaN.
    fn sign(self) -> Self;
    /// `x * x`.
    fn square(self) -> Self;
    /// `1 / x`. Of integers, NumPy's conversion of the quotient in double precision: for 0 the
    /// lowest value of `int32` and `int64`, and 0 of the rest.
    fn reciprocal(self) -> Self;
    /// `a - b`.
    fn subtract(self, other: Self) -> Self;
    /// The quotient rounded down; an integer by 0 is 0.
    fn floor_divide(self, other: Self) -> Self;
    /// What the floor quotient leaves; an integer by 0 is 0.
    fn remainder(self, other: Self) -> Self;
    /// What the truncated quotient leaves, with the sign of `self`; an integer by 0 is 0.
    fn fmod(self, other: Self) -> Self;
}

/// What `bool` and integers can do.
pub trait Bits: Element {
    /// Every bit flipped; of `bool`, not.
    fn invert(self) -> Self;
    /// Bits set in both.
    fn bitwise_and(self, other: Self) -> Self;
    /// Bits set in either.
    fn bitwise_or(self, other: Self) -> Self;
    /// Bits set in exactly one.
    fn bitwise_xor(self, other: Self) -> Self;
}

/// What integers can do.
pub trait Integer: Number + Bits {
    /// Bits moved up; 0 when the count is negative or not below the width.
    fn left_shift(self, count: Self) -> Self;
    /// Bits moved down, keeping the sign; only the sign is left when the count is negative or not
    /// below the width.
    fn right_shift(self, count: Self) -> Self;
    /// The power, wrapping; `None` where the exponent is negative, whatever the base.
    fn power(self, exponent: Self) -> Option<Self>;
    /// The greatest common divisor of the absolute values; that of the lowest integer alone is itself.
    fn gcd(self, other: Self) -> Self;
    /// The least common multiple of the absolute values, wrapping.
    fn lcm(self, other: Self) -> Self;
    /// The bits that are set in the absolute value.
    fn bitwise_count(self) -> u8;
}

/// What floats can do.
pub trait Float: Number {
    /// The square root, correctly rounded.
    fn sqrt(self) -> Self;
    /// The nearest integer, halves to even.
    fn rint(self) -> Self;
    /// The quotient.
    fn divide(self, other: Self) -> Self;
    /// Whether the sign bit is set.
    fn signbit(self) -> bool;
    /// `|x|` with the sign of `sign`.
    fn copysign(self, sign: Self) -> Self;
    /// 0 below 0, 1 above, `at_zero` at 0; NaN for NaN.
    fn heaviside(self, at_zero: Self) -> Self;
    /// Degrees as radians.
    fn deg2rad(self) -> Self;
    /// Radians as degrees.
    fn rad2deg(self) -> Self;
    /// The mantissa, from 0.5 to below 1, and the exponent; `(x, 0)` for zeros, NaN and infinities.
    fn frexp(self) -> (Self, i32);
    /// What is behind the point, with the sign of `x`; 0 for infinities.
    fn fraction(self) -> Self;
    /// `x * 2**exponent`, rounded once. The exponent is a whole number; others are truncated.
    fn ldexp(self, exponent: Self) -> Self;
}

/// Floats as the numbers of a grid, `float16` too.
pub trait Stepped: Copy {
    /// The number next to it in the direction of `to`; NaN if either is.
    fn nextafter(self, to: Self) -> Self;
    /// The distance to the next number, with its sign; NaN for infinities.
    fn spacing(self) -> Self;
}

impl Element for Bool {
    #[inline(always)]
    fn truth(self) -> bool {
        self.get()
    }
    #[inline(always)]
    fn absolute(self) -> Self {
        self.get().into()
    }
    #[inline(always)]
    fn floor(self) -> Self {
        self.get().into()
    }
    #[inline(always)]
    fn ceil(self) -> Self {
        self.get().into()
    }
    #[inline(always)]
    fn trunc(self) -> Self {
        self.get().into()
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
        (self.get() | other.get()).into()
    }
    #[inline(always)]
    fn multiply(self, other: Self) -> Self {
        (self.get() & other.get()).into()
    }
    #[inline(always)]
    fn minimum(self, other: Self) -> Self {
        (self.get() & other.get()).into()
    }
    #[inline(always)]
    fn maximum(self, other: Self) -> Self {
        (self.get() | other.get()).into()
    }
    #[inline(always)]
    fn fmin(self, other: Self) -> Self {
        self.minimum(other)
    }
    #[inline(always)]
    fn fmax(self, other: Self) -> Self {
        self.maximum(other)
    }
}

impl Bits for Bool {
    #[inline(always)]
    fn invert(self) -> Self {
        (!self.get()).into()
    }
    #[inline(always)]
    fn bitwise_and(self, other: Self) -> Self {
        (self.get() & other.get()).into()
    }
    #[inline(always)]
    fn bitwise_or(self, other: Self) -> Self {
        (self.get() | other.get()).into()
    }
    #[inline(always)]
    fn bitwise_xor(self, other: Self) -> Self {
        (self.get() ^ other.get()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_nonzero_byte_is_true() {
        for byte in [1, 2, 255] {
            assert_eq!(Bool(byte).absolute().0, 1);
            assert_eq!(Bool(byte).invert().0, 0);
            assert!(Bool(byte) == Bool(1) && Bool(byte) > Bool(0));
        }
    }
}
