//! Smallest and largest element.
//!
//! NaN wins, as one and the same NaN, and -0.0 counts as below 0.0: so the order of elements does
//! not matter, and a tile can be taken in any number of lanes. (NumPy takes whichever of two equal
//! zeros its loop comes to last.)
//!
//! May not know: how tiles are walked.

use std::marker::PhantomData;

use super::rule::Rule;
use crate::tile::scalar::Bool;

/// A widened element: what partials hold.
pub(super) trait Wide: Copy + PartialOrd {
    /// Not below any.
    const HIGHEST: Self;
    /// Not above any.
    const LOWEST: Self;
    fn isnan(self) -> bool;
    /// The smaller.
    fn least(self, other: Self) -> Self;
    /// The larger.
    fn greatest(self, other: Self) -> Self;
}

macro_rules! wide_ints {
    ($($t:ident)+) => {$(
        impl Wide for $t {
            const HIGHEST: $t = $t::MAX;
            const LOWEST: $t = $t::MIN;
            #[inline(always)]
            fn isnan(self) -> bool {
                false
            }
            #[inline(always)]
            fn least(self, other: Self) -> Self {
                self.min(other)
            }
            #[inline(always)]
            fn greatest(self, other: Self) -> Self {
                self.max(other)
            }
        }
    )+};
}

wide_ints!(i64 u64);

impl Wide for f64 {
    const HIGHEST: f64 = f64::INFINITY;
    const LOWEST: f64 = f64::NEG_INFINITY;

    #[inline(always)]
    fn isnan(self) -> bool {
        self.is_nan()
    }
    #[inline(always)]
    fn least(self, other: Self) -> Self {
        let less = if self < other { self } else { other };
        // Equal ones differ in the sign of zero at most.
        let tied = f64::from_bits(self.to_bits() | other.to_bits());
        let value = if self == other { tied } else { less };
        if self.is_nan() | other.is_nan() { f64::NAN } else { value }
    }
    #[inline(always)]
    fn greatest(self, other: Self) -> Self {
        let more = if self > other { self } else { other };
        let tied = f64::from_bits(self.to_bits() & other.to_bits());
        let value = if self == other { tied } else { more };
        if self.is_nan() | other.is_nan() { f64::NAN } else { value }
    }
}

/// An element that has a smallest and a largest.
pub(super) trait Ordered: Copy {
    /// What it is widened to.
    type Wide: Wide;
    fn widen(self) -> Self::Wide;
    /// Undoes `widen`.
    fn narrow(wide: Self::Wide) -> Self;

    /// The smallest of `n` elements.
    ///
    /// # Safety
    /// `tile` is valid for reading `n` elements, at any alignment.
    unsafe fn least_of(tile: *const Self, n: usize) -> Self::Wide;

    /// The largest of `n` elements.
    ///
    /// # Safety
    /// As for [`Ordered::least_of`].
    unsafe fn greatest_of(tile: *const Self, n: usize) -> Self::Wide;
}

macro_rules! ordered_ints {
    ($($t:ident $wide:ident;)+) => {$(
        impl Ordered for $t {
            type Wide = $wide;
            #[inline(always)]
            fn widen(self) -> $wide {
                self.into()
            }
            #[inline(always)]
            fn narrow(wide: $wide) -> $t {
                wide as $t
            }
            #[inline(always)]
            unsafe fn least_of(tile: *const $t, n: usize) -> $wide {
                if n == 0 {
                    return $wide::HIGHEST;
                }
                // SAFETY: `i < n`.
                (0..n).fold($t::MAX, |m, i| m.min(unsafe { tile.add(i).read_unaligned() })).into()
            }
            #[inline(always)]
            unsafe fn greatest_of(tile: *const $t, n: usize) -> $wide {
                if n == 0 {
                    return $wide::LOWEST;
                }
                // SAFETY: `i < n`.
                (0..n).fold($t::MIN, |m, i| m.max(unsafe { tile.add(i).read_unaligned() })).into()
            }
        }
    )+};
}

ordered_ints! {
    i8 i64;
    u8 u64;
    i16 i64;
    u16 u64;
    i32 i64;
    u32 u64;
    i64 i64;
    u64 u64;
}

impl Ordered for Bool {
    /// As a byte, so that the identities of min and max are those of all and any.
    type Wide = Truth;
    #[inline(always)]
    fn widen(self) -> Truth {
        Truth(self.get().into())
    }
    #[inline(always)]
    fn narrow(wide: Truth) -> Bool {
        Bool(wide.0 as u8)
    }
    #[inline(always)]
    unsafe fn least_of(tile: *const Bool, n: usize) -> Truth {
        // SAFETY: `i < n`. A byte has no alignment.
        Truth((0..n).fold(1, |m, i| m & u8::from(unsafe { *tile.add(i) }.get())).into())
    }
    #[inline(always)]
    unsafe fn greatest_of(tile: *const Bool, n: usize) -> Truth {
        // SAFETY: as above.
        Truth((0..n).fold(0, |m, i| m | u8::from(unsafe { *tile.add(i) }.get())).into())
    }
}

/// 0 or 1.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
#[repr(transparent)]
pub(super) struct Truth(u64);

impl Wide for Truth {
    const HIGHEST: Truth = Truth(1);
    const LOWEST: Truth = Truth(0);
    #[inline(always)]
    fn isnan(self) -> bool {
        false
    }
    #[inline(always)]
    fn least(self, other: Self) -> Self {
        Truth(self.0 & other.0)
    }
    #[inline(always)]
    fn greatest(self, other: Self) -> Self {
        Truth(self.0 | other.0)
    }
}

/// Floats, of which smallest and largest are found in one go.
pub(super) trait Spread: Ordered<Wide = f64> {
    /// The smallest and the largest of `n` elements.
    ///
    /// # Safety
    /// `tile` is valid for reading `n` elements, at any alignment.
    unsafe fn spread(tile: *const Self, n: usize) -> (f64, f64);

    /// The smallest of `n` elements, none of them NaN, given that number: of zeros the one below 0. (Lanes do not
    /// tell one zero from the other; it is rare enough to look again.)
    ///
    /// # Safety
    /// As for [`Spread::spread`].
    unsafe fn signed_least(value: f64, tile: *const Self, n: usize) -> f64;

    /// The largest, likewise: of zeros the one that is not below 0.
    ///
    /// # Safety
    /// As for [`Spread::spread`].
    unsafe fn signed_greatest(value: f64, tile: *const Self, n: usize) -> f64;
}

macro_rules! ordered_floats {
    ($($t:ident $bits:ident;)+) => {$(
        impl Ordered for $t {
            type Wide = f64;
            #[inline(always)]
            fn widen(self) -> f64 {
                self.into()
            }
            #[inline(always)]
            fn narrow(wide: f64) -> $t {
                wide as $t
            }
            #[inline(always)]
            unsafe fn least_of(tile: *const $t, n: usize) -> f64 {
                // SAFETY: the caller's promise.
                unsafe {
                    let (best, odd) = ordered_floats!(@lanes $t $bits tile n 1 [INFINITY <]);
                    if odd { f64::NAN } else { Self::signed_least(best[0], tile, n) }
                }
            }
            #[inline(always)]
            unsafe fn greatest_of(tile: *const $t, n: usize) -> f64 {
                // SAFETY: the caller's promise.
                unsafe {
                    let (best, odd) = ordered_floats!(@lanes $t $bits tile n 1 [NEG_INFINITY >]);
                    if odd { f64::NAN } else { Self::signed_greatest(best[0], tile, n) }
                }
            }
        }

        impl Spread for $t {
            #[inline(always)]
            unsafe fn spread(tile: *const $t, n: usize) -> (f64, f64) {
                // SAFETY: the caller's promise.
                unsafe {
                    let ([least, greatest], odd) =
                        ordered_floats!(@lanes $t $bits tile n 2 [INFINITY <, NEG_INFINITY >]);
                    if odd {
                        return (f64::NAN, f64::NAN);
                    }
                    (Self::signed_least(least, tile, n), Self::signed_greatest(greatest, tile, n))
                }
            }
            #[inline(always)]
            unsafe fn signed_least(value: f64, tile: *const $t, n: usize) -> f64 {
                if value != 0.0 {
                    return value;
                }
                // SAFETY: `i < n`.
                let bits = |i: usize| unsafe { tile.add(i).read_unaligned() }.to_bits();
                let any = (0..n).fold(0, |any, i| any | bits(i));
                if any >> ($bits::BITS - 1) != 0 { -0.0 } else { 0.0 }
            }
            #[inline(always)]
            unsafe fn signed_greatest(value: f64, tile: *const $t, n: usize) -> f64 {
                if value != 0.0 {
                    return value;
                }
                // SAFETY: `i < n`.
                let bits = |i: usize| unsafe { tile.add(i).read_unaligned() }.to_bits();
                let all = (0..n).fold($bits::MAX, |all, i| all & bits(i));
                if all >> ($bits::BITS - 1) != 0 { -0.0 } else { 0.0 }
            }
        }
    )+};
    // The best by each comparison, and whether there is a NaN.
    (@lanes $t:ident $bits:ident $tile:ident $n:ident $count:literal
        [$($identity:ident $beats:tt),+]) => {{
        // Enough accumulators that no step waits for the one before it.
        const LANES: usize = 256 / size_of::<$t>() / $count;
        const HALF: usize = LANES / 2;
        let mut best = [$([$t::$identity; LANES]),+];
        let mut nan = [0 as $bits; HALF];
        let whole = $n - $n % LANES;
        for start in (0..whole).step_by(LANES) {
            // SAFETY: `start + LANES <= n`.
            let x = $tile.add(start).cast::<[$t; LANES]>().read_unaligned();
            let mut each = best.iter_mut();
            $(
                if let Some(best) = each.next() {
                    for k in 0..LANES {
                        best[k] = if x[k] $beats best[k] { x[k] } else { best[k] };
                    }
                }
            )+
            for k in 0..HALF {
                // As wide as the elements, so that it takes no step to keep.
                let any = x[k].is_nan() | x[k + HALF].is_nan();
                nan[k] |= if any { $bits::MAX } else { 0 };
            }
        }
        let mut odd = nan.iter().fold(0, |any, &nan| any | nan) != 0;
        let mut each = best.iter_mut();
        let found = [$({
            let mut found = $t::$identity;
            if let Some(best) = each.next() {
                let mut width = LANES;
                while width > 1 {
                    width /= 2;
                    for k in 0..width {
                        best[k] = if best[k + width] $beats best[k] { best[k + width] } else { best[k] };
                    }
                }
                found = best[0];
                for i in whole..$n {
                    // SAFETY: `i < n`.
                    let x = $tile.add(i).read_unaligned();
                    odd |= x.is_nan();
                    found = if x $beats found { x } else { found };
                }
            }
            f64::from(found)
        }),+];
        (found, odd)
    }};
}

ordered_floats! {
    f32 u32;
    f64 u64;
}

macro_rules! extremes {
    ($($(#[$doc:meta])+ $name:ident $identity:ident $best:ident $best_of:ident;)+) => {$(
        $(#[$doc])+
        pub(super) struct $name<T>(PhantomData<T>);

        impl<T: Ordered> Rule for $name<T> {
            type Elem = T;
            type Partial = T::Wide;
            type Out = T;
            const IDENTITY: T::Wide = T::Wide::$identity;

            #[inline(always)]
            fn step(partial: T::Wide, x: T, _at: u64) -> T::Wide {
                partial.$best(x.widen())
            }
            #[inline(always)]
            fn combine(left: T::Wide, right: T::Wide) -> T::Wide {
                left.$best(right)
            }
            #[inline(always)]
            fn finish(partial: T::Wide) -> T {
                T::narrow(partial)
            }
            #[inline(always)]
            unsafe fn run(partial: T::Wide, tile: *const T, n: usize, _at: u64) -> T::Wide {
                // SAFETY: the caller's promise.
                partial.$best(unsafe { T::$best_of(tile, n) })
            }
        }
    )+};
}

extremes! {
    /// The smallest element; of `bool`, whether all are true.
    Min HIGHEST least least_of;
    /// The largest element; of `bool`, whether any is true.
    Max LOWEST greatest greatest_of;
}

/// The largest absolute value of floats: that of their bits without the sign, among which NaN is above all.
pub(super) struct Peak<T>(PhantomData<T>);

macro_rules! peaks {
    ($($t:ident $bits:ident;)+) => {$(
        impl Rule for Peak<$t> {
            type Elem = $t;
            type Partial = f64;
            type Out = $t;
            const IDENTITY: f64 = f64::NEG_INFINITY;

            #[inline(always)]
            fn step(partial: f64, x: $t, _at: u64) -> f64 {
                partial.greatest(x.abs().into())
            }
            #[inline(always)]
            fn combine(left: f64, right: f64) -> f64 {
                left.greatest(right)
            }
            #[inline(always)]
            fn finish(partial: f64) -> $t {
                partial as $t
            }
            #[inline(always)]
            unsafe fn run(partial: f64, tile: *const $t, n: usize, _at: u64) -> f64 {
                if n == 0 {
                    return partial;
                }
                // SAFETY: `i < n`.
                let magnitude = |i: usize| unsafe { tile.add(i).read_unaligned() }.abs().to_bits();
                let most = (0..n).fold(0, |most: $bits, i| most.max(magnitude(i)));
                partial.greatest($t::from_bits(most).into())
            }
        }
    )+};
}

peaks! {
    f32 u32;
    f64 u64;
}
