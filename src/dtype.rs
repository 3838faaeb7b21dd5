//! Element types, their promotion (NEP 50), and single values of them.
//!
//! May not know: shapes, arrays, ops.

use half::f16;

use crate::error::{Error, Result};

/// The type of an array's elements, in NumPy's order of preference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum DType {
    /// One byte, 0 or 1.
    Bool,
    /// Signed 8-bit integer.
    I8,
    /// Unsigned 8-bit integer.
    U8,
    /// Signed 16-bit integer.
    I16,
    /// Unsigned 16-bit integer.
    U16,
    /// Signed 32-bit integer.
    I32,
    /// Unsigned 32-bit integer.
    U32,
    /// Signed 64-bit integer.
    I64,
    /// Unsigned 64-bit integer.
    U64,
    /// IEEE half: stored and cast, computed in [`DType::F32`] as NumPy does.
    F16,
    /// IEEE single.
    F32,
    /// IEEE double.
    F64,
    /// Two singles, the real part first: stored and viewed; no kernel computes in it.
    C64,
    /// Two doubles.
    C128,
}

/// What family a [`DType`] belongs to, in the order of promotion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// `bool`.
    Bool,
    /// Integers, signed and unsigned.
    Int,
    /// Floating point.
    Float,
    /// Complex.
    Complex,
}

use DType::{Bool, C64, C128, F16, F32, F64, I8, I16, I32, I64, U8, U16, U32, U64};

impl DType {
    /// Every dtype that kernels compute on, in NumPy's order of preference.
    pub const ALL: [DType; 12] = [Bool, I8, U8, I16, U16, I32, U32, I64, U64, F16, F32, F64];

    /// The dtypes that are pairs of others.
    pub const PAIRS: [DType; 2] = [C64, C128];

    /// Whether elements are complex numbers.
    pub const fn is_complex(self) -> bool {
        matches!(self, C64 | C128)
    }

    /// What the real and the imaginary part of a complex dtype are; other dtypes are their own.
    pub const fn component(self) -> DType {
        match self {
            C64 => F32,
            C128 => F64,
            other => other,
        }
    }

    /// The complex dtype that holds values of this one and of single precision at least.
    pub fn to_complex(self) -> DType {
        if self.component().promote(F32) == F32 { C64 } else { C128 }
    }

    /// Bytes of one element.
    pub const fn size(self) -> usize {
        match self {
            Bool | I8 | U8 => 1,
            I16 | U16 | F16 => 2,
            I32 | U32 | F32 => 4,
            I64 | U64 | F64 | C64 => 8,
            C128 => 16,
        }
    }

    /// The family.
    pub const fn kind(self) -> Kind {
        match self {
            Bool => Kind::Bool,
            F16 | F32 | F64 => Kind::Float,
            C64 | C128 => Kind::Complex,
            _ => Kind::Int,
        }
    }

    /// Whether the dtype is floating point.
    pub const fn is_float(self) -> bool {
        matches!(self.kind(), Kind::Float)
    }

    /// Whether the dtype is a signed integer.
    pub const fn is_signed_int(self) -> bool {
        matches!(self, I8 | I16 | I32 | I64)
    }

    /// Whether the dtype is an unsigned integer.
    pub const fn is_unsigned(self) -> bool {
        matches!(self, U8 | U16 | U32 | U64)
    }

    /// NumPy's name, e.g. `float32`.
    pub const fn name(self) -> &'static str {
        match self {
            Bool => "bool",
            I8 => "int8",
            U8 => "uint8",
            I16 => "int16",
            U16 => "uint16",
            I32 => "int32",
            U32 => "uint32",
            I64 => "int64",
            U64 => "uint64",
            F16 => "float16",
            F32 => "float32",
            F64 => "float64",
            C64 => "complex64",
            C128 => "complex128",
        }
    }

    /// The short name used in the texts of graphs and loops, e.g. `f32`.
    pub const fn short(self) -> &'static str {
        match self {
            Bool => "bool",
            I8 => "i8",
            U8 => "u8",
            I16 => "i16",
            U16 => "u16",
            I32 => "i32",
            U32 => "u32",
            I64 => "i64",
            U64 => "u64",
            F16 => "f16",
            F32 => "f32",
            F64 => "f64",
            C64 => "c64",
            C128 => "c128",
        }
    }

    /// The dtype with this NumPy name or short name.
    pub fn from_name(name: &str) -> Option<DType> {
        Self::ALL.into_iter().chain(Self::PAIRS).find(|d| d.name() == name || d.short() == name)
    }

    /// NumPy's `can_cast(self, to, "safe")`.
    pub fn casts_safely(self, to: DType) -> bool {
        if self == to || self == Bool {
            return true;
        }
        match (self.kind(), to.kind()) {
            (Kind::Int, Kind::Int) => {
                if self.is_signed_int() == to.is_signed_int() {
                    self.size() < to.size()
                } else {
                    self.is_unsigned() && self.size() < to.size()
                }
            }
            // An integer fits a float of twice its width; 64 bits are let into float64, as NumPy does.
            (Kind::Int, Kind::Float) => to == F64 || self.size() < to.size(),
            (Kind::Float, Kind::Float) => self.size() < to.size(),
            _ => false,
        }
    }

    /// NumPy's `promote_types`: the first dtype that both cast to safely.
    pub fn promote(self, other: DType) -> DType {
        if self.is_complex() || other.is_complex() {
            return self.component().promote(other.component()).to_complex();
        }
        Self::ALL
            .into_iter()
            .find(|&d| self.casts_safely(d) && other.casts_safely(d))
            .unwrap_or(F64)
    }

    /// The smallest and largest value of an integer dtype (for `bool` 0 and 1).
    pub fn int_range(self) -> (i128, i128) {
        match self {
            Bool => (0, 1),
            I8 => (i8::MIN.into(), i8::MAX.into()),
            U8 => (0, u8::MAX.into()),
            I16 => (i16::MIN.into(), i16::MAX.into()),
            U16 => (0, u16::MAX.into()),
            I32 => (i32::MIN.into(), i32::MAX.into()),
            U32 => (0, u32::MAX.into()),
            I64 => (i64::MIN.into(), i64::MAX.into()),
            U64 => (0, u64::MAX.into()),
            F16 | F32 | F64 | C64 | C128 => (i128::MIN, i128::MAX),
        }
    }
}

impl std::fmt::Display for DType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// One value of a dtype, held as its bytes in the low end of a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Scalar {
    /// The type of the value.
    pub dtype: DType,
    /// The value's bytes, zero-extended.
    pub bits: u64,
}

impl Scalar {
    /// A `bool`.
    pub fn bool(v: bool) -> Self {
        Self { dtype: Bool, bits: u64::from(v) }
    }

    /// A `float64`.
    pub fn f64(v: f64) -> Self {
        Self { dtype: F64, bits: v.to_bits() }
    }

    /// A `float32`.
    pub fn f32(v: f32) -> Self {
        Self { dtype: F32, bits: v.to_bits().into() }
    }

    /// An `int64`.
    pub fn i64(v: i64) -> Self {
        Self { dtype: I64, bits: v.cast_unsigned() }
    }

    /// `v` as `dtype`, rounded as NumPy rounds a Python float.
    pub fn from_f64(v: f64, dtype: DType) -> Self {
        let bits = match dtype {
            F16 => f16::from_f64_const(v).to_bits().into(),
            F32 => (v as f32).to_bits().into(),
            F64 => v.to_bits(),
            Bool => u64::from(v != 0.0),
            _ => return Self::wrap_int(v as i128, dtype),
        };
        Self { dtype, bits }
    }

    /// `v` as `dtype`; an integer dtype keeps the low bits.
    pub fn wrap_int(v: i128, dtype: DType) -> Self {
        match dtype {
            Bool => Self::bool(v != 0),
            F16 | F32 | F64 => Self::from_f64(v as f64, dtype),
            _ => {
                let mask = u64::MAX >> (64 - 8 * dtype.size());
                Self { dtype, bits: (v as u64) & mask }
            }
        }
    }

    /// `v` as `dtype`, refused when an integer dtype cannot hold it (NEP 50).
    pub fn from_int(v: i128, dtype: DType) -> Result<Self> {
        let (lo, hi) = dtype.int_range();
        if dtype != Bool && (v < lo || v > hi) {
            return Err(Error::overflow(format!(
                "Python integer {v} out of bounds for {dtype}; it holds {lo} to {hi}"
            )));
        }
        Ok(Self::wrap_int(v, dtype))
    }

    /// The value as a double (64-bit integers round).
    pub fn to_f64(self) -> f64 {
        match self.dtype {
            F16 => f16::from_bits(self.bits as u16).to_f64(),
            F32 => f32::from_bits(self.bits as u32).into(),
            F64 => f64::from_bits(self.bits),
            _ => self.to_i128() as f64,
        }
    }

    /// The value as an integer (floats truncate).
    pub fn to_i128(self) -> i128 {
        match self.dtype {
            Bool | U8 | U16 | U32 | U64 => self.bits.into(),
            I8 => (self.bits as i8).into(),
            I16 => (self.bits as i16).into(),
            I32 => (self.bits as i32).into(),
            I64 => self.bits.cast_signed().into(),
            F16 | F32 | F64 => self.to_f64() as i128,
            // A pair is no single value.
            C64 | C128 => 0,
        }
    }

    /// The value's bytes, little-endian, `dtype.size()` of them meaningful.
    pub fn to_bytes(self) -> [u8; 8] {
        self.bits.to_le_bytes()
    }
}

/// A Rust type whose values are the elements of a dtype.
///
/// Sealed: a type is here because its bytes are those of its dtype.
pub trait Element: Copy + sealed::Sealed {
    /// The dtype.
    const DTYPE: DType;

    /// The value with these bytes (see [`Scalar::bits`]).
    fn from_bits(bits: u64) -> Self;
}

mod sealed {
    /// Keeps [`super::Element`] to this module.
    pub trait Sealed {}
}

macro_rules! elements {
    ($($t:ty, $dtype:ident, $from:expr;)+) => {$(
        impl sealed::Sealed for $t {}

        impl Element for $t {
            const DTYPE: DType = $dtype;

            fn from_bits(bits: u64) -> Self {
                let from: fn(u64) -> $t = $from;
                from(bits)
            }
        }
    )+};
}

elements! {
    bool, Bool, |bits| bits as u8 != 0;
    i8, I8, |bits| bits as i8;
    u8, U8, |bits| bits as u8;
    i16, I16, |bits| bits as i16;
    u16, U16, |bits| bits as u16;
    i32, I32, |bits| bits as i32;
    u32, U32, |bits| bits as u32;
    i64, I64, u64::cast_signed;
    u64, U64, |bits| bits;
    f32, F32, |bits| f32::from_bits(bits as u32);
    f64, F64, f64::from_bits;
}

impl std::fmt::Display for Scalar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.dtype {
            Bool => write!(f, "{}", self.bits != 0),
            F16 | F32 | F64 => write!(f, "{:?}", self.to_f64()),
            _ => write!(f, "{}", self.to_i128()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn promotion_follows_numpy() {
        for (a, b, want) in [
            (I8, U8, I16),
            (I32, F32, F64),
            (I16, F32, F32),
            (U8, F16, F16),
            (I64, U64, F64),
            (Bool, I8, I8),
            (F16, I16, F32),
            (U16, I16, I32),
            (C64, F64, C128),
            (C64, F16, C64),
            (C64, I16, C64),
            (C64, I32, C128),
            (C64, U64, C128),
            (C64, Bool, C64),
            (C64, C128, C128),
        ] {
            assert_eq!(a.promote(b), want, "{a} with {b}");
            assert_eq!(b.promote(a), want, "{b} with {a}");
        }
    }

    #[test]
    fn a_python_int_that_does_not_fit_is_refused() {
        assert!(Scalar::from_int(300, U8).is_err());
        assert!(Scalar::from_int(-1, U64).is_err());
        assert_eq!(Scalar::from_int(-1, I8).unwrap().to_i128(), -1);
        assert_eq!(Scalar::from_int(1 << 70, F32).unwrap().to_f64(), (1u128 << 70) as f64);
    }
}
