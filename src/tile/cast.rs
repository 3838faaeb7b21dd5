//! Conversions between dtypes: the values of NumPy's `astype`.
//!
//! A float that an integer dtype cannot hold has no value in C, and NumPy's depends on the machine
//! and, for `uint32`, on the place in the array. Here it is, everywhere and always, what NumPy's
//! scalar loops give on x86-64:
//!
//! - to 8 and 16 bits: the low bits of the conversion to `int32`;
//! - to `int32`, `int64`: the truncated value, or the lowest value for NaN and whatever is out of
//!   range;
//! - to `uint32`: the low bits of the conversion to `int64` (so 0 for NaN and infinities);
//! - to `uint64`: below 2**63 the conversion to `int64` as bits (so 2**63 for NaN and for anything
//!   below -2**63), from there on that of `x - 2**63` with the top bit flipped (so 0 from 2**64 on).
//!
//! `float16` goes to integers by way of `float32`, and integers to `float16` likewise, which is
//! exact where `float16` is. `float64` goes to `float16` in one rounding. Anything but 0 is `True`,
//! NaN too.
//!
//! May not know: ops.

use half::f16;
use half::slice::HalfFloatSliceExt;

use super::MapFn;
use super::each::{tile_fn, unary_chunks, unary_fn};
use super::scalar::Bool;
use crate::dtype::DType;

/// The tile function that converts `from` into `to`.
pub fn cast(from: DType, to: DType) -> MapFn {
    match from {
        DType::Bool => from_bool(to),
        DType::I8 => from_i8(to),
        DType::U8 => from_u8(to),
        DType::I16 => from_i16(to),
        DType::U16 => from_u16(to),
        DType::I32 => from_i32(to),
        DType::U32 => from_u32(to),
        DType::I64 => from_i64(to),
        DType::U64 => from_u64(to),
        DType::F16 => from_f16(to),
        DType::F32 => from_f32(to),
        DType::F64 => from_f64(to),
        DType::C64 | DType::C128 => no_tiles(),
    }
}

/// Complex numbers are pairs before any loop is made (the loop verifier refuses them).
fn no_tiles() -> MapFn {
    unreachable!("a tile of complex numbers")
}

/// One value's conversion.
trait To<T> {
    fn to(self) -> T;
}

macro_rules! plain {
    ($($from:ident: $($to:ident)+;)+) => {$($(
        impl To<$to> for $from {
            #[inline(always)]
            #[allow(clippy::cast_lossless, reason = "written once for all pairs")]
            fn to(self) -> $to {
                self as $to
            }
        }
    )+)+};
}

plain! {
    i8: i8 u8 i16 u16 i32 u32 i64 u64 f32 f64;
    u8: i8 u8 i16 u16 i32 u32 i64 u64 f32 f64;
    i16: i8 u8 i16 u16 i32 u32 i64 u64 f32 f64;
    u16: i8 u8 i16 u16 i32 u32 i64 u64 f32 f64;
    i32: i8 u8 i16 u16 i32 u32 i64 u64 f32 f64;
    u32: i8 u8 i16 u16 i32 u32 i64 u64 f32 f64;
    i64: i8 u8 i16 u16 i32 u32 i64 u64 f32 f64;
    u64: i8 u8 i16 u16 i32 u32 i64 u64 f32 f64;
    f32: f32 f64;
    f64: f32 f64;
}

macro_rules! with_bool {
    ($($t:ident $zero:literal)+) => {$(
        impl To<Bool> for $t {
            #[inline(always)]
            fn to(self) -> Bool {
                (self != $zero).into()
            }
        }
        impl To<$t> for Bool {
            #[inline(always)]
            fn to(self) -> $t {
                u8::from(self.get()).to()
            }
        }
    )+};
}

with_bool!(i8 0 u8 0 i16 0 u16 0 i32 0 u32 0 i64 0 u64 0 f32 0.0 f64 0.0);

impl To<Bool> for Bool {
    #[inline(always)]
    fn to(self) -> Bool {
        self.get().into()
    }
}

macro_rules! float_to_int {
    ($($from:ident, $below_i32:expr;)+) => {$(
        impl To<i32> for $from {
            #[inline(always)]
            fn to(self) -> i32 {
                // Two selects and one vector conversion; `as` would saturate, at thrice the cost. NaN
                // fails the first test.
                let value = if self < 2147483648.0 { self } else { -2147483648.0 };
                let value = if value > $below_i32 { value } else { -2147483648.0 };
                // SAFETY: `value` truncates into range.
                unsafe { value.to_int_unchecked() }
            }
        }
        impl To<i64> for $from {
            #[inline(always)]
            fn to(self) -> i64 {
                let fits = (-9223372036854775808.0..9223372036854775808.0).contains(&self);
                let value = if fits { self } else { -9223372036854775808.0 };
                // SAFETY: `value` truncates into range.
                unsafe { value.to_int_unchecked() }
            }
        }
        impl To<u64> for $from {
            #[inline(always)]
            fn to(self) -> u64 {
                let (low, high): (i64, i64) = (self.to(), (self - 9223372036854775808.0).to());
                if self >= 9223372036854775808.0 {
                    high.cast_unsigned() ^ (1 << 63)
                } else {
                    low.cast_unsigned()
                }
            }
        }
        impl To<u32> for $from {
            #[inline(always)]
            fn to(self) -> u32 {
                To::<i64>::to(self) as u32
            }
        }
        float_to_int!(@narrow $from: i8 u8 i16 u16);
    )+};
    (@narrow $from:ident: $($to:ident)+) => {$(
        impl To<$to> for $from {
            #[inline(always)]
            fn to(self) -> $to {
                To::<i32>::to(self) as $to
            }
        }
    )+};
}

float_to_int! {
    // The next float below -2**31 of each: anything above it truncates into range.
    f32, -2147483904.0;
    f64, -2147483649.0;
}

/// One value as the `float32` that rounds to the same `float16`.
trait Narrowed {
    fn narrowed(self) -> f32;
}

macro_rules! narrowed_exactly {
    ($($t:ident)+) => {$(
        impl Narrowed for $t {
            #[inline(always)]
            fn narrowed(self) -> f32 {
                self.to()
            }
        }
    )+};
}

// Integers that `float32` rounds are too large for `float16`, and stay so.
narrowed_exactly!(Bool i8 u8 i16 u16 i32 u32 i64 u64 f32);

impl Narrowed for f64 {
    /// Rounded to odd: what was cut off is remembered in the last bit, which `float16` does not
    /// have, so that the second rounding is the only one. (`f16::from_f64` rounds twice.)
    #[inline(always)]
    fn narrowed(self) -> f32 {
        let near = self as f32;
        let back = f64::from(near);
        let bits = near.to_bits();
        let toward_zero = bits - u32::from(back.abs() > self.abs());
        // NaN is unequal to itself; its last bit may be set.
        f32::from_bits(toward_zero | u32::from(back != self))
    }
}

macro_rules! to_f16 {
    ($from:ty) => {
        tile_fn!(MapFn, |out: *mut u8,
                         a: *const u8,
                         _b: *const u8,
                         _c: *const u8,
                         n: usize,
                         _s: *mut u32| unary_chunks::<$from, f16, 32>(
            out,
            a,
            n,
            |x| {
                let wide: [f32; 32] = std::array::from_fn(|k| x[k].narrowed());
                let mut narrow = [f16::ZERO; 32];
                narrow.convert_from_f32_slice(&wide);
                narrow
            }
        ))
    };
}

macro_rules! from_f16 {
    ($to:ty) => {
        tile_fn!(MapFn, |out: *mut u8,
                         a: *const u8,
                         _b: *const u8,
                         _c: *const u8,
                         n: usize,
                         _s: *mut u32| unary_chunks::<f16, $to, 32>(
            out,
            a,
            n,
            |x| {
                let mut wide = [0.0_f32; 32];
                x.convert_to_f32_slice(&mut wide);
                std::array::from_fn(|k| wide[k].to())
            }
        ))
    };
}

macro_rules! casts_from {
    ($($name:ident $from:ident;)+) => {$(
        fn $name(to: DType) -> MapFn {
            match to {
                DType::Bool => unary_fn!($from => Bool, To::<Bool>::to),
                DType::I8 => unary_fn!($from => i8, To::<i8>::to),
                DType::U8 => unary_fn!($from => u8, To::<u8>::to),
                DType::I16 => unary_fn!($from => i16, To::<i16>::to),
                DType::U16 => unary_fn!($from => u16, To::<u16>::to),
                DType::I32 => unary_fn!($from => i32, To::<i32>::to),
                DType::U32 => unary_fn!($from => u32, To::<u32>::to),
                DType::I64 => unary_fn!($from => i64, To::<i64>::to),
                DType::U64 => unary_fn!($from => u64, To::<u64>::to),
                DType::F16 => to_f16!($from),
                DType::F32 => unary_fn!($from => f32, To::<f32>::to),
                DType::F64 => unary_fn!($from => f64, To::<f64>::to),
                DType::C64 | DType::C128 => no_tiles(),
            }
        }
    )+};
}

casts_from! {
    from_bool Bool;
    from_i8 i8;
    from_u8 u8;
    from_i16 i16;
    from_u16 u16;
    from_i32 i32;
    from_u32 u32;
    from_i64 i64;
    from_u64 u64;
    from_f32 f32;
    from_f64 f64;
}

fn from_f16(to: DType) -> MapFn {
    match to {
        DType::Bool => from_f16!(Bool),
        DType::I8 => from_f16!(i8),
        DType::U8 => from_f16!(u8),
        DType::I16 => from_f16!(i16),
        DType::U16 => from_f16!(u16),
        DType::I32 => from_f16!(i32),
        DType::U32 => from_f16!(u32),
        DType::I64 => from_f16!(i64),
        DType::U64 => from_f16!(u64),
        DType::F16 => unary_fn!(u16 => u16, |x| x),
        DType::F32 => from_f16!(f32),
        DType::F64 => from_f16!(f64),
        DType::C64 | DType::C128 => no_tiles(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Converts with the tile function, at every offset and as long as `values`.
    fn run<A: Copy, B: Copy + PartialEq + std::fmt::Debug>(
        from: DType,
        to: DType,
        a: &[A],
    ) -> Vec<B> {
        let mut input = vec![0u8; size_of_val(a) + 1];
        // SAFETY: plain values, and one byte of room to misalign them by.
        unsafe {
            input.as_mut_ptr().add(1).copy_from(a.as_ptr().cast(), size_of_val(a));
        }
        let mut out = vec![0u8; a.len() * size_of::<B>() + 1];
        let (mut status, p) = (0, input.as_ptr());
        // SAFETY: both hold `a.len()` elements after their first byte.
        unsafe {
            cast(from, to)(out.as_mut_ptr().add(1), p.add(1), p, p, a.len(), &raw mut status);
            (0..a.len()).map(|i| out.as_ptr().add(1).cast::<B>().add(i).read_unaligned()).collect()
        }
    }

    #[test]
    fn floats_out_of_range_have_one_value_each() {
        let nan_row = f64::NAN;
        #[rustfmt::skip]
        let rows: [(f64, i8, u16, i32, u32, i64, u64); 12] = [
            (nan_row, 0, 0, i32::MIN, 0, i64::MIN, 1 << 63),
            (f64::INFINITY, 0, 0, i32::MIN, 0, i64::MIN, 0),
            (f64::NEG_INFINITY, 0, 0, i32::MIN, 0, i64::MIN, 1 << 63),
            (1e30, 0, 0, i32::MIN, 0, i64::MIN, 0),
            (-1.5, -1, 65535, -1, u32::MAX, -1, u64::MAX),
            (3e9, 0, 0, i32::MIN, 3_000_000_000, 3_000_000_000, 3_000_000_000),
            (-3e9, 0, 0, i32::MIN, 1_294_967_296, -3_000_000_000, 18_446_744_070_709_551_616),
            (1e19, 0, 0, i32::MIN, 0, i64::MIN, 10_000_000_000_000_000_000),
            (-1e19, 0, 0, i32::MIN, 0, i64::MIN, 1 << 63),
            (300.7, 44, 300, 300, 300, 300, 300),
            (-70000.0, -112, 61072, -70000, 4_294_897_296, -70000, 18_446_744_073_709_481_616),
            (-2147483648.9, 0, 0, i32::MIN, 1 << 31, -2_147_483_648, 18_446_744_071_562_067_968),
        ];
        // Enough copies for whole chunks and a rest.
        let rows: Vec<_> = rows.iter().cycle().take(77).copied().collect();
        let x: Vec<f64> = rows.iter().map(|r| r.0).collect();
        assert_eq!(
            run::<_, i8>(DType::F64, DType::I8, &x),
            rows.iter().map(|r| r.1).collect::<Vec<_>>()
        );
        assert_eq!(
            run::<_, u16>(DType::F64, DType::U16, &x),
            rows.iter().map(|r| r.2).collect::<Vec<_>>()
        );
        assert_eq!(
            run::<_, i32>(DType::F64, DType::I32, &x),
            rows.iter().map(|r| r.3).collect::<Vec<_>>()
        );
        assert_eq!(
            run::<_, u32>(DType::F64, DType::U32, &x),
            rows.iter().map(|r| r.4).collect::<Vec<_>>()
        );
        assert_eq!(
            run::<_, i64>(DType::F64, DType::I64, &x),
            rows.iter().map(|r| r.5).collect::<Vec<_>>()
        );
        assert_eq!(
            run::<_, u64>(DType::F64, DType::U64, &x),
            rows.iter().map(|r| r.6).collect::<Vec<_>>()
        );
        let y = [-2147483648.0_f32, -2147483904.0, 2147483520.0, 2147483648.0, f32::NAN];
        assert_eq!(
            run::<_, i32>(DType::F32, DType::I32, &y),
            [i32::MIN, i32::MIN, 2_147_483_520, i32::MIN, i32::MIN]
        );
    }

    #[test]
    fn doubles_round_to_half_once() {
        let x: [f64; 12] = [
            1.0 + 2f64.powi(-11) + 2f64.powi(-30),
            1.0 + 2f64.powi(-11),
            1.0 + 2f64.powi(-11) + 2f64.powi(-40),
            65519.999999999,
            65520.0,
            1e300,
            2f64.powi(-25),
            2f64.powi(-25) * (1.0 + 2f64.powi(-50)),
            -2f64.powi(-24),
            5e-324,
            -f64::INFINITY,
            f64::MIN_POSITIVE,
        ];
        let got = run::<_, u16>(DType::F64, DType::F16, &x);
        // As NumPy 2.4 gives them.
        assert_eq!(got, [15361, 15360, 15361, 31743, 31744, 31744, 0, 1, 0x8001, 0, 0xFC00, 0]);
        let nan = run::<_, f16>(DType::F64, DType::F16, &[f64::NAN, -f64::NAN]);
        assert!(nan.iter().all(|v| v.is_nan()));
    }

    #[test]
    fn every_half_survives_the_way_up_and_down() {
        let all: Vec<u16> = (0..=u16::MAX).filter(|&b| !f16::from_bits(b).is_nan()).collect();
        for wide in [DType::F32, DType::F64] {
            let there: Vec<u64> = if wide == DType::F32 {
                run::<_, u32>(DType::F16, wide, &all).into_iter().map(u64::from).collect()
            } else {
                run(DType::F16, wide, &all)
            };
            for (&half, &bits) in all.iter().zip(&there) {
                let value = if wide == DType::F32 {
                    f32::from_bits(bits as u32).into()
                } else {
                    f64::from_bits(bits)
                };
                assert_eq!(value.to_bits(), f16::from_bits(half).to_f64().to_bits());
            }
            let back: Vec<u16> = if wide == DType::F32 {
                let x: Vec<u32> = there.iter().map(|&b| b as u32).collect();
                run(wide, DType::F16, &x)
            } else {
                run(wide, DType::F16, &there)
            };
            assert_eq!(back, all);
        }
    }

    #[test]
    fn integers_keep_low_bits_and_round_to_floats() {
        let x = [2i64.pow(53) + 1, i64::MAX, i64::MIN, -1, 300, 65520];
        assert_eq!(run::<_, u8>(DType::I64, DType::U8, &x), [1, 255, 0, 255, 44, 240]);
        assert_eq!(run::<_, i64>(DType::I64, DType::I64, &x), x);
        assert_eq!(run::<_, f64>(DType::I64, DType::F64, &x)[0], 9007199254740992.0);
        assert_eq!(run::<_, f32>(DType::I64, DType::F32, &[16777217i64]), [16777216.0]);
        assert_eq!(run::<_, f64>(DType::U64, DType::F64, &[u64::MAX]), [18446744073709551616.0]);
        let half = run::<_, f16>(DType::I64, DType::F16, &[65519i64, 65520, -1, i64::MIN]);
        assert_eq!(half, [f16::MAX, f16::INFINITY, f16::NEG_ONE, f16::NEG_INFINITY]);
    }

    #[test]
    fn truth_is_anything_but_zero() {
        let x = [f64::NAN, 0.0, -0.0, 5e-324, 0.5];
        assert_eq!(run::<_, u8>(DType::F64, DType::Bool, &x), [1, 0, 0, 1, 1]);
        assert_eq!(run::<_, u8>(DType::F16, DType::Bool, &[0x8000u16, 1, 0x7E00]), [0, 1, 1]);
        assert_eq!(run::<_, u8>(DType::I32, DType::Bool, &[256, 0]), [1, 0]);
        assert_eq!(run::<_, f32>(DType::Bool, DType::F32, &[0u8, 1, 255]), [0.0, 1.0, 1.0]);
        assert_eq!(run::<_, u8>(DType::Bool, DType::Bool, &[0u8, 1, 255]), [0, 1, 1]);
    }

    #[test]
    fn every_pair_agrees_at_every_length() {
        for from in DType::ALL {
            for to in DType::ALL {
                let bytes: Vec<u8> = (0..70 * 8).map(|i| (i * 37 % 251) as u8).collect();
                let mut whole = vec![0u8; 70 * 8];
                let (mut status, p) = (0, bytes.as_ptr());
                // SAFETY: 70 elements of any dtype fit.
                unsafe { cast(from, to)(whole.as_mut_ptr(), p, p, p, 70, &raw mut status) };
                for n in 0..70 {
                    let mut part = vec![0xAA_u8; 70 * 8];
                    // SAFETY: as above.
                    unsafe { cast(from, to)(part.as_mut_ptr(), p, p, p, n, &raw mut status) };
                    let end = n * to.size();
                    assert_eq!(part[..end], whole[..end], "{from} to {to}, {n}");
                    assert!(part[end..].iter().all(|&b| b == 0xAA), "{from} to {to}, {n}");
                }
            }
        }
    }
}
