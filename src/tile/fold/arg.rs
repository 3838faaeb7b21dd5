//! Where the smallest or largest element is: the first of equals, the first NaN before all.
//!
//! May not know: how tiles are walked.

use std::marker::PhantomData;

use super::extreme::{Ordered, Wide};
use super::rule::Rule;

/// An element and its place.
#[derive(Clone, Copy)]
#[repr(C)]
pub(super) struct Placed<W> {
    value: W,
    at: u64,
}

/// The place of no element.
const NOWHERE: u64 = u64::MAX;

/// The index of the first place at which `found` holds, looked up in chunks that vectorize.
///
/// # Safety
/// `tile` is valid for reading `n` elements, at any alignment.
#[inline(always)]
unsafe fn first<T: Copy>(tile: *const T, n: usize, found: impl Fn(T) -> bool) -> Option<usize> {
    const CHUNK: usize = 32;
    let mut start = 0;
    while start < n {
        let end = (start + CHUNK).min(n);
        // SAFETY: `i < end <= n`.
        let at = |i: usize| found(unsafe { tile.add(i).read_unaligned() });
        if (start..end).fold(false, |any, i| any | at(i)) {
            return (start..end).find(|&i| at(i));
        }
        start = end;
    }
    None
}

macro_rules! args {
    ($($(#[$doc:meta])+ $name:ident $identity:ident $beats:tt $best_of:ident;)+) => {$(
        $(#[$doc])+
        pub(super) struct $name<T>(PhantomData<T>);

        impl<T: Ordered> Rule for $name<T> {
            type Elem = T;
            type Partial = Placed<T::Wide>;
            type Out = u64;
            const IDENTITY: Self::Partial = Placed { value: T::Wide::$identity, at: NOWHERE };

            #[inline(always)]
            fn step(partial: Self::Partial, x: T, at: u64) -> Self::Partial {
                Self::combine(partial, Placed { value: x.widen(), at })
            }
            #[inline(always)]
            fn combine(left: Self::Partial, right: Self::Partial) -> Self::Partial {
                let better = right.value $beats left.value
                    || right.value.isnan() && !left.value.isnan()
                    || left.at == NOWHERE;
                if better { right } else { left }
            }
            #[inline(always)]
            fn finish(partial: Self::Partial) -> u64 {
                partial.at
            }
            #[inline(always)]
            unsafe fn run(
                partial: Self::Partial,
                tile: *const T,
                n: usize,
                at: u64,
            ) -> Self::Partial {
                if n == 0 || partial.value.isnan() {
                    return partial;
                }
                // SAFETY: the caller's promise.
                let value = unsafe { T::$best_of(tile, n) };
                if !(value $beats partial.value || value.isnan() || partial.at == NOWHERE) {
                    return partial;
                }
                // SAFETY: as above.
                let place = unsafe {
                    if value.isnan() {
                        first(tile, n, |x| x.widen().isnan())
                    } else {
                        first(tile, n, |x| x.widen() == value)
                    }
                };
                Placed { value, at: at + place.unwrap_or(0) as u64 }
            }
        }
    )+};
}

args! {
    /// The first smallest element.
    Argmin HIGHEST < least_of;
    /// The first largest element.
    Argmax LOWEST > greatest_of;
}
