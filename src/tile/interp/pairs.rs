//! The values on either side of elements: from here and there in the table, or, where those of a chunk lie close
//! together, out of a few registers.
//!
//! May not know: what is computed of them.

use super::chunk::{CHUNK, Chunk};

/// Values in memory, in single or double precision.
pub(super) trait Double: Copy {
    /// The value at an address and the one after it.
    ///
    /// # Safety
    /// Both are there.
    unsafe fn pair(at: *const Self) -> [f64; 2];
}

impl Double for f64 {
    #[inline(always)]
    unsafe fn pair(at: *const Self) -> [f64; 2] {
        // SAFETY: the caller's promise.
        unsafe { [at.read_unaligned(), at.add(1).read_unaligned()] }
    }
}

impl Double for f32 {
    /// Both in one word: half as many loads from here and there.
    #[inline(always)]
    unsafe fn pair(at: *const Self) -> [f64; 2] {
        // SAFETY: the caller's promise.
        let word = unsafe { at.cast::<u64>().read_unaligned() };
        let halves = [word as u32, (word >> 32) as u32];
        let [first, second] =
            if cfg!(target_endian = "big") { [halves[1], halves[0]] } else { halves };
        [f32::from_bits(first).into(), f32::from_bits(second).into()]
    }
}

/// The values at both ends of the intervals of elements.
pub(super) type Sides = [Chunk<f64>; 2];

/// How a build reads the neighbours of many elements at once, if it can; one pair after the other serves all.
pub(super) trait Neighbours<V> {
    /// Whether it ever can.
    const HAS_WINDOWS: bool;

    /// The values on either side of `x` if the points are `0, 1, ... last`; `None` where an element is not between
    /// them, or where they are too far apart.
    ///
    /// # Safety
    /// There are `last + 1` values, less than 2^31, and the machine has the build's instructions.
    unsafe fn between(fp: *const V, last: usize, x: &Chunk<f64>) -> Option<Sides>;
}

/// It never can.
pub(super) struct Scattered;

impl<V> Neighbours<V> for Scattered {
    const HAS_WINDOWS: bool = false;

    #[inline(always)]
    unsafe fn between(_: *const V, _: usize, _: &Chunk<f64>) -> Option<Sides> {
        None
    }
}

/// Picked out of windows of the table in registers of 512 bits, which elements in order nearly always share.
#[cfg(target_arch = "x86_64")]
pub(super) struct Windows;

#[cfg(target_arch = "x86_64")]
mod windows {
    use std::arch::x86_64::{
        _MM_FROUND_NO_EXC, _MM_FROUND_TO_NEG_INF, _mm256_cmpge_epu32_mask, _mm256_loadu_si256,
        _mm256_set1_epi32, _mm256_storeu_si256, _mm256_sub_epi32, _mm512_castps512_ps256,
        _mm512_cmpge_epu32_mask, _mm512_cvt_roundpd_epi32, _mm512_cvtepi32_epi64, _mm512_cvtps_pd,
        _mm512_extractf32x8_ps, _mm512_loadu_pd, _mm512_loadu_ps, _mm512_loadu_si512,
        _mm512_permutex2var_pd, _mm512_permutex2var_ps, _mm512_set1_epi32, _mm512_storeu_pd,
        _mm512_sub_epi32,
    };

    use super::{CHUNK, Chunk, Neighbours, Sides, Windows};

    /// Values that are picked from a window.
    trait Picked: Copy {
        /// Elements of a group: those of one register.
        const GROUP: usize;
        /// Values that an index reaches: those of two registers.
        const SPAN: usize = 2 * Self::GROUP;

        /// Puts what a group with the numbers at `i` picks from the `SPAN + 1` values at `window` to `y`; `base` is
        /// the number of the first of them. False where the window does not reach.
        ///
        /// # Safety
        /// The machine has the instructions, and both memories what is said.
        unsafe fn pick(window: *const Self, base: i32, i: *const i32, y: [*mut f64; 2]) -> bool;
    }

    impl Picked for f32 {
        const GROUP: usize = 16;

        #[inline(always)]
        unsafe fn pick(window: *const f32, base: i32, i: *const i32, y: [*mut f64; 2]) -> bool {
            // SAFETY: the caller's promise.
            unsafe {
                let index = _mm512_sub_epi32(_mm512_loadu_si512(i.cast()), _mm512_set1_epi32(base));
                let reach = _mm512_set1_epi32(Self::SPAN as i32);
                if _mm512_cmpge_epu32_mask(index, reach) != 0 {
                    return false;
                }
                for (window, to) in [(window, y[0]), (window.add(1), y[1])] {
                    let (low, high) = (_mm512_loadu_ps(window), _mm512_loadu_ps(window.add(16)));
                    let picked = _mm512_permutex2var_ps(low, index, high);
                    let upper = _mm512_extractf32x8_ps::<1>(picked);
                    _mm512_storeu_pd(to, _mm512_cvtps_pd(_mm512_castps512_ps256(picked)));
                    _mm512_storeu_pd(to.add(8), _mm512_cvtps_pd(upper));
                }
                true
            }
        }
    }

    impl Picked for f64 {
        const GROUP: usize = 8;

        #[inline(always)]
        unsafe fn pick(window: *const f64, base: i32, i: *const i32, y: [*mut f64; 2]) -> bool {
            // SAFETY: the caller's promise.
            unsafe {
                let index = _mm256_sub_epi32(_mm256_loadu_si256(i.cast()), _mm256_set1_epi32(base));
                let reach = _mm256_set1_epi32(Self::SPAN as i32);
                if _mm256_cmpge_epu32_mask(index, reach) != 0 {
                    return false;
                }
                let index = _mm512_cvtepi32_epi64(index);
                for (window, to) in [(window, y[0]), (window.add(1), y[1])] {
                    let (low, high) = (_mm512_loadu_pd(window), _mm512_loadu_pd(window.add(8)));
                    _mm512_storeu_pd(to, _mm512_permutex2var_pd(low, index, high));
                }
                true
            }
        }
    }

    impl<V: Picked> Neighbours<V> for Windows {
        const HAS_WINDOWS: bool = true;

        #[inline(always)]
        unsafe fn between(fp: *const V, last: usize, x: &Chunk<f64>) -> Option<Sides> {
            // What is far apart is not looked at any closer.
            if x.0[CHUNK - 1] - x.0[0] >= (2 * CHUNK) as f64 {
                return None;
            }
            let mut i = Chunk([0; CHUNK]);
            for at in (0..CHUNK).step_by(8) {
                // SAFETY: the machine has the instructions. What is no `i32` becomes a negative one.
                unsafe {
                    const DOWN: i32 = _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC;
                    let x = _mm512_loadu_pd(x.0.as_ptr().add(at));
                    let down = _mm512_cvt_roundpd_epi32::<DOWN>(x);
                    _mm256_storeu_si256(i.0.as_mut_ptr().add(at).cast(), down);
                }
            }
            let mut y = [Chunk([0.0; CHUNK]); 2];
            let furthest = last.checked_sub(V::SPAN)? as i32;
            for at in (0..CHUNK).step_by(V::GROUP) {
                let base = i.0[at].clamp(0, furthest);
                // SAFETY: the window is read up to `last`. What lies in it is between points of the table.
                unsafe {
                    let window = fp.add(base as usize);
                    let i = i.0.as_ptr().add(at);
                    let to = [y[0].0.as_mut_ptr().add(at), y[1].0.as_mut_ptr().add(at)];
                    if !V::pick(window, base, i, to) {
                        return None;
                    }
                }
            }
            Some(y)
        }
    }
}
