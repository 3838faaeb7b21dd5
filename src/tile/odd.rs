//! Looks for elements that NumPy may have something to say about: NaN and infinities among floats, 0 and
//! -1 among integers, by which not everything can be divided.
//!
//! May not know: who warns, and of what.

use super::each::tile_fn;
use crate::dtype::DType;

/// Sets `found` if any of `n` elements is odd, and leaves it else.
pub type OddFn = unsafe extern "C" fn(a: *const u8, n: usize, found: *mut bool);

/// An [`OddFn`] for elements of the bits of `$t`.
macro_rules! odd_fn {
    ($t:ty, |$x:ident| $odd:expr) => {
        tile_fn!(OddFn, |a: *const u8, n: usize, found: *mut bool| {
            let mut any = false;
            for i in 0..n {
                let $x = a.cast::<$t>().add(i).read_unaligned();
                any |= $odd;
            }
            *found |= any;
        })
    };
}

/// An [`OddFn`] for floats of the bits of `$t`: one more in the exponent carries into the sign if all of its
/// bits are set, which costs no comparison.
macro_rules! float_fn {
    ($t:ty, $exponent:literal, $one:literal) => {
        tile_fn!(OddFn, |a: *const u8, n: usize, found: *mut bool| {
            let mut all: $t = 0;
            for i in 0..n {
                let bits = a.cast::<$t>().add(i).read_unaligned();
                all |= (bits & $exponent).wrapping_add($one);
            }
            *found |= all >> (<$t>::BITS - 1) != 0;
        })
    };
}

/// The function for a dtype; complex numbers and truth values have none.
pub fn odd(dtype: DType) -> Option<OddFn> {
    Some(match dtype {
        DType::F16 => float_fn!(u16, 0x7c00, 0x0400),
        DType::F32 => float_fn!(u32, 0x7f80_0000, 0x0080_0000),
        DType::F64 => float_fn!(u64, 0x7ff0_0000_0000_0000, 0x0010_0000_0000_0000),
        DType::I8 => odd_fn!(i8, |x| x == 0 || x == -1),
        DType::I16 => odd_fn!(i16, |x| x == 0 || x == -1),
        DType::I32 => odd_fn!(i32, |x| x == 0 || x == -1),
        DType::I64 => odd_fn!(i64, |x| x == 0 || x == -1),
        DType::U8 => odd_fn!(u8, |x| x == 0),
        DType::U16 => odd_fn!(u16, |x| x == 0),
        DType::U32 => odd_fn!(u32, |x| x == 0),
        DType::U64 => odd_fn!(u64, |x| x == 0),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found<T: Copy>(dtype: DType, values: &[T]) -> bool {
        let mut found = false;
        // SAFETY: the elements are of the dtype.
        unsafe { odd(dtype).unwrap()(values.as_ptr().cast(), values.len(), &raw mut found) };
        found
    }

    #[test]
    fn odd_elements_are_found_wherever_they_are() {
        for n in 1..70 {
            for at in 0..n {
                let with = |value: f32| {
                    let mut all = vec![f32::MAX; n];
                    all[at] = value;
                    found(DType::F32, &all)
                };
                assert!(with(f32::NAN) && with(-f32::NAN) && with(f32::NEG_INFINITY));
                assert!(!with(0.0) && !with(-f32::MIN_POSITIVE));
                let mut all = vec![7i16; n];
                assert!(!found(DType::I16, &all));
                all[at] = -1;
                assert!(found(DType::I16, &all));
            }
        }
        assert!(found(DType::F64, &[1.0, f64::INFINITY]) && !found(DType::F64, &[1.0, f64::MAX]));
        assert!(found(DType::F16, &[half::f16::NAN]) && !found(DType::F16, &[half::f16::MAX]));
        assert!(found(DType::U8, &[0u8]) && !found(DType::U8, &[255u8]));
        assert!(odd(DType::C64).is_none() && odd(DType::Bool).is_none());
    }
}
