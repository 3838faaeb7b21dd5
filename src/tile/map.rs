//! The tile function of every op and dtype, from the scalar meanings.
//!
//! May not know: what an op means (that is [`super::scalar`] and [`super::math`]).

use half::f16;

use super::each::{binary_fn, mended_fn, ternary_fn, unary_fn};
use super::scalar::{Bits, Bool, Element, Float, Integer, Number, Stepped, near_divmod, near_fmod};
use super::{MapFn, NEGATIVE_POWER, math};
use crate::dtype::DType;
use crate::op::Op;

/// The tile function of `op` on operands of `dtype` (for [`Op::Where`], of the two after the condition,
/// which is `bool`); `None` where the op has no such loop.
pub fn map(op: Op, dtype: DType) -> Option<MapFn> {
    if op == Op::Where {
        return Some(choose(dtype.size()));
    }
    if !op.has_loop(dtype) {
        return None;
    }
    match dtype {
        DType::Bool => on_bool(op),
        DType::I8 => on_i8(op),
        DType::U8 => on_u8(op),
        DType::I16 => on_i16(op),
        DType::U16 => on_u16(op),
        DType::I32 => on_i32(op),
        DType::U32 => on_u32(op),
        DType::I64 => on_i64(op),
        DType::U64 => on_u64(op),
        DType::F16 => on_f16(op),
        DType::C64 | DType::C128 => None,
        DType::F32 => rest(op).or_else(|| on_f32(op)),
        DType::F64 => on_f64(op),
    }
}

/// `a ? b : c` on elements of `size` bytes. Bytes are copied as they are, whatever the dtype.
fn choose(size: usize) -> MapFn {
    macro_rules! choose_fn {
        ($t:ty) => {
            ternary_fn!(u8, $t, $t => $t, |x, y, z| if x != 0 { y } else { z })
        };
    }
    match size {
        1 => choose_fn!(u8),
        2 => choose_fn!(u16),
        4 => choose_fn!(u32),
        _ => choose_fn!(u64),
    }
}

/// A result of `bool` as its byte.
#[inline(always)]
fn byte(v: bool) -> u8 {
    u8::from(v)
}

/// The ops that every dtype has; the rest is up to `$rest`.
macro_rules! element_ops {
    ($op:expr, $t:ty, $rest:expr) => {
        match $op {
            Op::Absolute => Some(unary_fn!($t => $t, <$t as Element>::absolute)),
            Op::Floor => Some(unary_fn!($t => $t, <$t as Element>::floor)),
            Op::Ceil => Some(unary_fn!($t => $t, <$t as Element>::ceil)),
            Op::Trunc => Some(unary_fn!($t => $t, <$t as Element>::trunc)),
            Op::Isnan => Some(unary_fn!($t => u8, |x: $t| byte(Element::isnan(x)))),
            Op::Isinf => Some(unary_fn!($t => u8, |x: $t| byte(Element::isinf(x)))),
            Op::Isfinite => Some(unary_fn!($t => u8, |x: $t| byte(Element::isfinite(x)))),
            Op::LogicalNot => Some(unary_fn!($t => u8, |x: $t| byte(!x.truth()))),
            Op::Add => Some(binary_fn!($t => $t, <$t as Element>::add)),
            Op::Multiply => Some(binary_fn!($t => $t, <$t as Element>::multiply)),
            Op::Minimum => Some(binary_fn!($t => $t, <$t as Element>::minimum)),
            Op::Maximum => Some(binary_fn!($t => $t, <$t as Element>::maximum)),
            Op::Fmin => Some(binary_fn!($t => $t, <$t as Element>::fmin)),
            Op::Fmax => Some(binary_fn!($t => $t, <$t as Element>::fmax)),
            Op::Equal => Some(binary_fn!($t => u8, |x: $t, y: $t| byte(x == y))),
            Op::NotEqual => Some(binary_fn!($t => u8, |x: $t, y: $t| byte(x != y))),
            Op::Less => Some(binary_fn!($t => u8, |x: $t, y: $t| byte(x < y))),
            Op::LessEqual => Some(binary_fn!($t => u8, |x: $t, y: $t| byte(x <= y))),
            Op::Greater => Some(binary_fn!($t => u8, |x: $t, y: $t| byte(x > y))),
            Op::GreaterEqual => Some(binary_fn!($t => u8, |x: $t, y: $t| byte(x >= y))),
            Op::LogicalAnd => {
                Some(binary_fn!($t => u8, |x: $t, y: $t| byte(x.truth() & y.truth())))
            }
            Op::LogicalOr => {
                Some(binary_fn!($t => u8, |x: $t, y: $t| byte(x.truth() | y.truth())))
            }
            Op::LogicalXor => {
                Some(binary_fn!($t => u8, |x: $t, y: $t| byte(x.truth() ^ y.truth())))
            }
            _ => $rest,
        }
    };
}

macro_rules! number_ops {
    ($op:expr, $t:ty, $rest:expr) => {
        match $op {
            Op::Negative => Some(unary_fn!($t => $t, <$t as Number>::negative)),
            Op::Positive | Op::Conjugate => Some(unary_fn!($t => $t, |x: $t| x)),
            Op::Sign => Some(unary_fn!($t => $t, <$t as Number>::sign)),
            Op::Square => Some(unary_fn!($t => $t, <$t as Number>::square)),
            Op::Reciprocal => Some(unary_fn!($t => $t, <$t as Number>::reciprocal)),
            Op::Subtract => Some(binary_fn!($t => $t, <$t as Number>::subtract)),
            Op::FloorDivide => Some(binary_fn!($t => $t, <$t as Number>::floor_divide)),
            Op::Remainder => Some(binary_fn!($t => $t, <$t as Number>::remainder)),
            Op::Fmod => Some(binary_fn!($t => $t, <$t as Number>::fmod)),
            _ => $rest,
        }
    };
}

macro_rules! bits_ops {
    ($op:expr, $t:ty, $rest:expr) => {
        match $op {
            Op::Invert => Some(unary_fn!($t => $t, <$t as Bits>::invert)),
            Op::BitwiseAnd => Some(binary_fn!($t => $t, <$t as Bits>::bitwise_and)),
            Op::BitwiseOr => Some(binary_fn!($t => $t, <$t as Bits>::bitwise_or)),
            Op::BitwiseXor => Some(binary_fn!($t => $t, <$t as Bits>::bitwise_xor)),
            _ => $rest,
        }
    };
}

fn on_bool(op: Op) -> Option<MapFn> {
    element_ops!(op, Bool, bits_ops!(op, Bool, None))
}

macro_rules! on_integer {
    ($($name:ident $t:ty;)+) => {$(
        fn $name(op: Op) -> Option<MapFn> {
            element_ops!(op, $t, number_ops!(op, $t, bits_ops!(op, $t, match op {
                Op::LeftShift => Some(binary_fn!($t => $t, <$t as Integer>::left_shift)),
                Op::RightShift => Some(binary_fn!($t => $t, <$t as Integer>::right_shift)),
                Op::Power => Some(integer_power::<$t>),
                Op::Gcd => Some(binary_fn!($t => $t, <$t as Integer>::gcd)),
                Op::Lcm => Some(binary_fn!($t => $t, <$t as Integer>::lcm)),
                Op::BitwiseCount => Some(unary_fn!($t => u8, <$t as Integer>::bitwise_count)),
                _ => None,
            })))
        }
    )+};
}

on_integer! {
    on_i8 i8;
    on_u8 u8;
    on_i16 i16;
    on_u16 u16;
    on_i32 i32;
    on_u32 u32;
    on_i64 i64;
    on_u64 u64;
}

/// Division with a rest of `float32`: of operands that are not far apart it is vectors.
fn rest(op: Op) -> Option<MapFn> {
    match op {
        Op::Fmod => Some(mended_fn!(f32, near_fmod, <f32 as Number>::fmod)),
        Op::FloorDivide => Some(mended_fn!(
            f32,
            |x: f32, y: f32| {
                let ((quotient, _), far) = near_divmod(x, y);
                (if y == 0.0 { x / y } else { quotient }, far)
            },
            <f32 as Number>::floor_divide
        )),
        Op::Remainder => Some(mended_fn!(
            f32,
            |x: f32, y: f32| {
                let ((_, rest), far) = near_divmod(x, y);
                (rest, far)
            },
            <f32 as Number>::remainder
        )),
        _ => None,
    }
}

macro_rules! on_float {
    ($($name:ident $t:ident $dtype:ident;)+) => {$(
        fn $name(op: Op) -> Option<MapFn> {
            element_ops!(op, $t, number_ops!(op, $t, match op {
                Op::Sqrt => Some(unary_fn!($t => $t, <$t as Float>::sqrt)),
                Op::Rint => Some(unary_fn!($t => $t, <$t as Float>::rint)),
                Op::Divide => Some(binary_fn!($t => $t, <$t as Float>::divide)),
                Op::Fabs => Some(unary_fn!($t => $t, <$t as Element>::absolute)),
                Op::Signbit => Some(unary_fn!($t => u8, |x: $t| byte(Float::signbit(x)))),
                Op::Copysign => Some(binary_fn!($t => $t, <$t as Float>::copysign)),
                Op::Heaviside => Some(binary_fn!($t => $t, <$t as Float>::heaviside)),
                Op::Deg2rad => Some(unary_fn!($t => $t, <$t as Float>::deg2rad)),
                Op::Rad2deg => Some(unary_fn!($t => $t, <$t as Float>::rad2deg)),
                Op::FrexpMantissa => Some(unary_fn!($t => $t, |x: $t| Float::frexp(x).0)),
                Op::FrexpExponent => Some(unary_fn!($t => i32, |x: $t| Float::frexp(x).1)),
                Op::ModfFraction => Some(unary_fn!($t => $t, <$t as Float>::fraction)),
                Op::ModfWhole => Some(unary_fn!($t => $t, <$t as Element>::trunc)),
                Op::Ldexp => Some(binary_fn!($t => $t, <$t as Float>::ldexp)),
                Op::Nextafter => Some(binary_fn!($t => $t, <$t as Stepped>::nextafter)),
                Op::Spacing => Some(unary_fn!($t => $t, <$t as Stepped>::spacing)),
                _ => math::map(op, DType::$dtype),
            }))
        }
    )+};
}

on_float! {
    on_f32 f32 F32;
    on_f64 f64 F64;
}

fn on_f16(op: Op) -> Option<MapFn> {
    match op {
        Op::Nextafter => Some(binary_fn!(f16 => f16, <f16 as Stepped>::nextafter)),
        Op::Spacing => Some(unary_fn!(f16 => f16, <f16 as Stepped>::spacing)),
        _ => None,
    }
}

/// Raises integers to powers; a negative exponent sets [`NEGATIVE_POWER`] and gives 0.
///
/// # Safety
/// As for any [`MapFn`]; `status` is valid and shared by all threads of the launch.
unsafe extern "C" fn integer_power<T: Integer + Default>(
    out: *mut u8,
    a: *const u8,
    b: *const u8,
    _c: *const u8,
    n: usize,
    status: *mut u32,
) {
    let mut negative = false;
    for i in 0..n {
        // SAFETY: `i < n`; the element is read before its place is written.
        unsafe {
            let base = a.cast::<T>().add(i).read_unaligned();
            let exponent = b.cast::<T>().add(i).read_unaligned();
            let power = base.power(exponent);
            negative |= power.is_none();
            out.cast::<T>().add(i).write_unaligned(power.unwrap_or_default());
        }
    }
    if negative {
        // SAFETY: the caller's status word, which other threads touch by atomics only.
        let status = unsafe { std::sync::atomic::AtomicU32::from_ptr(status) };
        status.fetch_or(NEGATIVE_POWER, std::sync::atomic::Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
