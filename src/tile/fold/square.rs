//! The sum of squares of `float32`, where the machine's own instructions are faster than widening.
//!
//! A square has no sign. So its bits, moved to where those of a `float64` are, make a number that is smaller
//! by a power of two, and a fused multiply-add takes it to its size and adds it, rounding once: the same bits as
//! widening and adding. That holds for subnormal squares too. An infinity or a NaN would be taken for a number of
//! 2**128 or more; where a leaf's sum is as large as that, it is added up again in the ordinary way.
//!
//! May not know: how tiles are walked.

use super::rule::{Leaf, Rule};
use super::sum::{FloatSum, Square};
use crate::tile::isa::Isa;

/// The sum of squares, each rounded to `float32`.
pub(super) struct Squares;

type Plain = FloatSum<f32, Square>;

impl Rule for Squares {
    type Elem = f32;
    type Partial = f64;
    type Out = f32;
    const LANES: usize = Plain::LANES;
    const LEAF: usize = Plain::LEAF;
    const IDENTITY: f64 = Plain::IDENTITY;

    #[inline(always)]
    fn step(partial: f64, x: f32, at: u64) -> f64 {
        Plain::step(partial, x, at)
    }
    #[inline(always)]
    fn combine(left: f64, right: f64) -> f64 {
        Plain::combine(left, right)
    }
    #[inline(always)]
    fn finish(partial: f64) -> f32 {
        Plain::finish(partial)
    }
    #[inline(always)]
    fn frame<const N: usize>(x: [f32; N]) -> f32 {
        Plain::frame(x)
    }
}

impl Leaf for Squares {
    #[inline(always)]
    unsafe fn leaf(tile: *const f32, n: usize) -> f64 {
        // SAFETY: the caller's promise.
        unsafe { Plain::leaf(tile, n) }
    }

    #[inline(always)]
    unsafe fn two(isa: Isa, leaves: [*const f32; 2]) -> [f64; 2] {
        // SAFETY: the caller's promise.
        unsafe {
            match isa {
                Isa::Portable => Plain::two(isa, leaves),
                #[cfg(target_arch = "x86_64")]
                Isa::Avx2 => machine::checked(machine::avx2(leaves), leaves),
                #[cfg(target_arch = "x86_64")]
                Isa::Avx512 => machine::checked(machine::avx512(leaves), leaves),
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
pub(super) mod machine {
    use std::arch::x86_64::{
        __m256, __m256d, __m256i, __m512d, _mm256_and_si256, _mm256_castps_si256,
        _mm256_castsi256_pd, _mm256_fmadd_pd, _mm256_loadu_ps, _mm256_mul_ps, _mm256_set1_epi64x,
        _mm256_set1_pd, _mm256_setzero_pd, _mm256_slli_epi64, _mm256_srli_epi64, _mm512_and_si512,
        _mm512_castps_si512, _mm512_castsi512_pd, _mm512_fmadd_pd, _mm512_loadu_ps, _mm512_mul_ps,
        _mm512_set1_epi64, _mm512_set1_pd, _mm512_setzero_pd, _mm512_slli_epi64, _mm512_srli_epi64,
    };
    use std::hint::black_box;

    use super::{Leaf, Plain, Rule};

    /// What a moved square is multiplied by: two to the power of what the biases of the exponents differ by.
    const SCALE: f64 = f64::from_bits((1023 + 1023 - 127) << 52);
    /// Of a pair of `float32`, the first.
    const FIRST: i64 = 0xffff_ffff;
    /// Where the second is when it is moved: without its sign, which it does not have.
    const SECOND: i64 = FIRST << 29;
    /// The least number that an infinity or NaN is taken for.
    const ODD: f64 = f64::from_bits((1023 + 128) << 52);

    /// The sums of a leaf in eight pairs of lanes: those of elements 0, 2, ... and of 1, 3, ...
    type Sums = [[f64; 8]; 2];

    /// The lanes of a leaf combined.
    #[inline(always)]
    pub(in super::super) fn lanes(sums: Sums) -> f64 {
        let [even, odd] = black_box(sums);
        let mut lanes: [f64; 8] = std::array::from_fn(|k| even[k] + odd[k]);
        for width in [4, 2, 1] {
            for k in 0..width {
                lanes[k] = lanes[2 * k] + lanes[2 * k + 1];
            }
        }
        lanes[0]
    }

    /// Whether something in a leaf of this sum may be infinite or NaN: no square is below 0, so no sum is below
    /// any of them.
    #[inline(always)]
    pub(in super::super) fn may_be_odd(sum: f64) -> bool {
        sum >= ODD || sum.is_nan()
    }

    /// The partial results of leaves with these sums; of one in which something may be odd it is taken again.
    ///
    /// # Safety
    /// Each leaf is valid for reading.
    #[inline(always)]
    pub(super) unsafe fn checked(sums: [Sums; 2], leaves: [*const f32; 2]) -> [f64; 2] {
        let mut partials = sums.map(lanes);
        for (partial, leaf) in partials.iter_mut().zip(leaves) {
            if may_be_odd(*partial) {
                // SAFETY: the caller's promise.
                *partial = unsafe { Plain::leaf(leaf, Plain::LEAF) };
            }
        }
        partials
    }

    /// What squares of eight elements are moved, cut and multiplied by.
    #[derive(Clone, Copy)]
    pub(in super::super) struct Scale {
        factor: __m256d,
        first: __m256i,
        second: __m256i,
    }

    impl Scale {
        /// # Safety
        /// The machine has AVX2.
        #[inline(always)]
        pub(in super::super) unsafe fn new() -> Self {
            // SAFETY: the caller's promise.
            unsafe {
                Self {
                    factor: _mm256_set1_pd(SCALE),
                    first: _mm256_set1_epi64x(FIRST),
                    second: _mm256_set1_epi64x(SECOND),
                }
            }
        }

        /// Adds the squares of eight elements to half of a leaf's sums.
        ///
        /// # Safety
        /// The machine has AVX2 and fused multiply-add.
        #[inline(always)]
        pub(in super::super) unsafe fn add(
            self,
            x: __m256,
            [even, odd]: &mut [[__m256d; 2]; 2],
            half: usize,
        ) {
            // SAFETY: the caller's promise.
            unsafe {
                let square = _mm256_castps_si256(_mm256_mul_ps(x, x));
                let low = _mm256_slli_epi64::<29>(_mm256_and_si256(square, self.first));
                let high = _mm256_and_si256(_mm256_srli_epi64::<3>(square), self.second);
                even[half] = _mm256_fmadd_pd(_mm256_castsi256_pd(low), self.factor, even[half]);
                odd[half] = _mm256_fmadd_pd(_mm256_castsi256_pd(high), self.factor, odd[half]);
            }
        }
    }

    /// # Safety
    /// Each is valid for reading a leaf, and the machine has AVX2 and fused multiply-add.
    #[inline(always)]
    pub(super) unsafe fn avx2(leaves: [*const f32; 2]) -> [Sums; 2] {
        // SAFETY: the caller's promise; vectors of `float64` are as many numbers.
        unsafe {
            let scale = Scale::new();
            let mut sums = [[[_mm256_setzero_pd(); 2]; 2]; 2];
            for start in (0..Plain::LEAF).step_by(16) {
                for (leaf, sums) in leaves.iter().zip(&mut sums) {
                    for half in 0..2 {
                        scale.add(_mm256_loadu_ps(leaf.add(start + 8 * half)), sums, half);
                    }
                }
            }
            std::mem::transmute::<[[[__m256d; 2]; 2]; 2], [Sums; 2]>(sums)
        }
    }

    /// # Safety
    /// Each is valid for reading a leaf, and the machine has AVX-512.
    #[inline(always)]
    pub(super) unsafe fn avx512(leaves: [*const f32; 2]) -> [Sums; 2] {
        // SAFETY: as for `avx2`.
        unsafe {
            let scale = _mm512_set1_pd(SCALE);
            let (first, second) = (_mm512_set1_epi64(FIRST), _mm512_set1_epi64(SECOND));
            let mut sums = [[_mm512_setzero_pd(); 2]; 2];
            for start in (0..Plain::LEAF).step_by(16) {
                for (leaf, [even, odd]) in leaves.iter().zip(&mut sums) {
                    let x = _mm512_loadu_ps(leaf.add(start));
                    let square = _mm512_castps_si512(_mm512_mul_ps(x, x));
                    let low = _mm512_slli_epi64::<29>(_mm512_and_si512(square, first));
                    let high = _mm512_and_si512(_mm512_srli_epi64::<3>(square), second);
                    *even = _mm512_fmadd_pd(_mm512_castsi512_pd(low), scale, *even);
                    *odd = _mm512_fmadd_pd(_mm512_castsi512_pd(high), scale, *odd);
                }
            }
            std::mem::transmute::<[[__m512d; 2]; 2], [Sums; 2]>(sums)
        }
    }
}
