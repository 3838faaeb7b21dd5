//! Both bounds of a clip in one pass.
//!
//! May not know: where bounds come from.

use super::MapFn;
use super::each::{chunk, ternary_fn, tile_fn, unary};
use super::scalar::Element;
use crate::dtype::DType;

/// `x`, or the bound that it is beyond.
#[inline(always)]
fn staying<T: Element>(x: T, low: T, high: T) -> T {
    T::minimum(high, T::maximum(low, x))
}

/// `minimum(maximum(a, b), c)` on elements of `dtype`, with the bits of the two ops, or where `stays` with
/// those of `minimum(c, maximum(b, a))`; `None` where they are to be done one after the other.
pub fn clip(dtype: DType, stays: bool) -> Option<MapFn> {
    macro_rules! clip_fn {
        ($t:ty) => {
            ternary_fn!($t, $t, $t => $t, |x, low, high| {
                <$t as Element>::minimum(<$t as Element>::maximum(x, low), high)
            })
        };
        ($t:ty, stays) => {
            ternary_fn!($t, $t, $t => $t, staying)
        };
    }
    match dtype {
        DType::F32 if stays => Some(clip_fn!(f32, stays)),
        DType::F64 if stays => Some(clip_fn!(f64, stays)),
        DType::F32 => Some(clip_fn!(f32)),
        DType::F64 => Some(clip_fn!(f64)),
        DType::I16 => Some(clip_fn!(i16)),
        _ => None,
    }
}

/// As [`clip`] does where elements equal to a bound stay; both bounds are one element for all.
pub fn clip_between(dtype: DType) -> Option<MapFn> {
    macro_rules! clip_fn {
        ($t:ty) => {
            tile_fn!(MapFn, |out: *mut u8,
                             a: *const u8,
                             b: *const u8,
                             c: *const u8,
                             n: usize,
                             _s: *mut u32| {
                let [low, high] = [b, c].map(|bound| bound.cast::<$t>().read_unaligned());
                unary::<$t, $t, { chunk::<$t, $t>() }>(out, a, n, |x: $t| staying(x, low, high))
            })
        };
    }
    match dtype {
        DType::F32 => Some(clip_fn!(f32)),
        DType::F64 => Some(clip_fn!(f64)),
        DType::I16 => Some(clip_fn!(i16)),
        _ => None,
    }
}
