//! The tile functions of a tile and one number, which need no tile of copies of the number.
//!
//! Only what is so cheap that memory or the copies show has them. What the number is like is known before
//! the loop: a divisor that is a power of two is replaced by its reciprocal, which is exact, and so is the rounding
//! of the product.
//!
//! May not know: what an op means (that is [`super::scalar`]).

use super::MapFn;
use super::each::{first_fn, second_fn, tile_fn};
use super::scalar::{Element, Float, Integer, Number};
use crate::dtype::DType;
use crate::op::Op;

/// The tile function of `op` on a tile and one element of `dtype` as its second operand, or as its first where
/// `first` says so; `None` where a tile of copies does as well.
pub fn number(op: Op, dtype: DType, first: bool) -> Option<MapFn> {
    match dtype {
        DType::F32 => on_f32(op, first),
        DType::F64 => on_f64(op, first),
        DType::I16 => on_i16(op, first),
        DType::I32 => on_i32(op, first),
        _ => None,
    }
}

macro_rules! common {
    ($op:expr, $t:ty, $make:ident, $($rest:tt)*) => {
        match $op {
            Op::Add => Some($make!($t => $t, <$t as Element>::add)),
            Op::Subtract => Some($make!($t => $t, <$t as Number>::subtract)),
            Op::Multiply => Some($make!($t => $t, <$t as Element>::multiply)),
            Op::Minimum => Some($make!($t => $t, <$t as Element>::minimum)),
            Op::Maximum => Some($make!($t => $t, <$t as Element>::maximum)),
            $($rest)*
            _ => None,
        }
    };
}

macro_rules! on_floats {
    ($($name:ident $t:ident;)+) => {$(
        fn $name(op: Op, first: bool) -> Option<MapFn> {
            if first {
                common!(op, $t, first_fn, Op::Divide => Some(first_fn!($t => $t, <$t as Float>::divide)),)
            } else {
                common!(op, $t, second_fn, Op::Divide => Some(divide_by!($t)),)
            }
        }
    )+};
}

macro_rules! on_integers {
    ($($name:ident $t:ident;)+) => {$(
        fn $name(op: Op, first: bool) -> Option<MapFn> {
            if first {
                common!(op, $t, first_fn,)
            } else {
                common!(op, $t, second_fn,
                    Op::LeftShift => Some(second_fn!($t => $t, <$t as Integer>::left_shift)),
                    Op::RightShift => Some(second_fn!($t => $t, <$t as Integer>::right_shift)),
                )
            }
        }
    )+};
}

/// Quotients by one number.
macro_rules! divide_by {
    ($t:ident) => {
        tile_fn!(MapFn, |out: *mut u8,
                         a: *const u8,
                         b: *const u8,
                         _c: *const u8,
                         n: usize,
                         _s: *mut u32| {
            const CHUNK: usize = crate::tile::each::chunk::<$t, $t>();
            let divisor = b.cast::<$t>().read_unaligned();
            match reciprocal::$t(divisor) {
                Some(factor) => crate::tile::each::unary::<$t, $t, CHUNK>(out, a, n, |x: $t| {
                    <$t as Element>::multiply(x, factor)
                }),
                None => crate::tile::each::unary::<$t, $t, CHUNK>(out, a, n, |x: $t| {
                    <$t as Float>::divide(x, divisor)
                }),
            }
        })
    };
}

on_floats! {
    on_f32 f32;
    on_f64 f64;
}

on_integers! {
    on_i16 i16;
    on_i32 i32;
}

/// The reciprocal of a power of two, where it is a normal number as well; found from the bits, so that no flag of
/// floating point is raised.
mod reciprocal {
    macro_rules! reciprocals {
        ($($t:ident $bits:ident $mantissa:literal $bias:literal;)+) => {$(
            #[inline(always)]
            pub(super) fn $t(x: $t) -> Option<$t> {
                let (bits, sign) = (x.to_bits(), 1 << ($bits::BITS - 1));
                let exponent = (bits & !sign) >> $mantissa;
                let power = bits & ((1 << $mantissa) - 1) == 0;
                (power && (1..2 * $bias).contains(&exponent)).then(|| {
                    $t::from_bits((bits & sign) | ((2 * $bias - exponent) << $mantissa))
                })
            }
        )+};
    }
    reciprocals! {
        f32 u32 23 127;
        f64 u64 52 1023;
    }
}

#[cfg(test)]
mod tests {
    use super::super::map;
    use super::*;

    const OPS: [Op; 8] = [
        Op::Add,
        Op::Subtract,
        Op::Multiply,
        Op::Divide,
        Op::Minimum,
        Op::Maximum,
        Op::LeftShift,
        Op::RightShift,
    ];

    /// Compares a function with the one for a tile of copies; whether there is one.
    fn agrees<T: Copy>(op: Op, dtype: DType, first: bool, tile: &[T], value: T) -> bool {
        let Some(function) = number(op, dtype, first) else { return false };
        let copies = vec![value; tile.len()];
        let mut outs = [vec![0u64; tile.len()], vec![0u64; tile.len()]];
        let [want, got] = &mut outs;
        let (x, y, one) = (tile.as_ptr().cast(), copies.as_ptr().cast(), (&raw const value).cast());
        let mut status = 0;
        let operands = |value| if first { (value, x) } else { (x, value) };
        // SAFETY: tiles of as many elements, and room for results.
        unsafe {
            let (n, (a, b)) = (tile.len(), operands(y));
            map(op, dtype).unwrap()(want.as_mut_ptr().cast(), a, b, a, n, &raw mut status);
            let (a, b) = operands(one);
            function(got.as_mut_ptr().cast(), a, b, a, n, &raw mut status);
        }
        assert_eq!(want, got, "{op} {dtype} {first}");
        true
    }

    #[test]
    fn one_number_is_like_a_tile_of_it() {
        let values: Vec<f64> = [0.0, -0.0, 1.0, -3.5, 0.1, 2.0, -0.25, 1e-310, 5e-324, 1e308]
            .into_iter()
            .chain([f64::INFINITY, f64::NEG_INFINITY, f64::NAN, f64::MIN_POSITIVE])
            .chain([2f64.powi(1023), -(2f64.powi(-1022)), 2f64.powi(-127), 2f64.powi(127), 3e38])
            .collect();
        let singles: Vec<f32> =
            values.iter().map(|&x| x as f32).chain([1e-40, 2f32.powi(-126)]).collect();
        let tile: Vec<f64> = values.iter().cycle().take(77).copied().collect();
        let single: Vec<f32> = singles.iter().cycle().take(77).copied().collect();
        let longs: Vec<i32> = (0..77).map(|i| (i * 77_777_777) ^ (i << 3)).collect();
        let shorts: Vec<i16> = longs.iter().map(|&x| (x >> 5) as i16).collect();
        let mut found = 0;
        for op in OPS {
            for first in [false, true] {
                for &value in &values {
                    found += usize::from(agrees(op, DType::F64, first, &tile, value));
                }
                for &value in &singles {
                    found += usize::from(agrees(op, DType::F32, first, &single, value));
                }
                for value in [0, 1, 3, -1, 15, 16, 31, 32, 100, i16::MAX, i16::MIN] {
                    found += usize::from(agrees(op, DType::I16, first, &shorts, value));
                    found += usize::from(agrees(op, DType::I32, first, &longs, value.into()));
                }
            }
        }
        assert_eq!(found, 12 * (values.len() + singles.len()) + 12 * 22);
    }
}
