//! Tables of sixteen numbers, looked up for as many elements at once as a vector holds.
//!
//! Vector instructions that permute take the place of loads, which would be one per number. Where there are none, what
//! stands at one index lies side by side, and is loaded together. An entry is chosen by the low four bits of an index,
//! whatever those above are. May not know: what the numbers are.

/// Sixteen numbers.
pub(super) type Table<T> = [T; 16];

/// An element type: `f32` or `f64`.
pub(super) trait Real: Copy {
    /// A harmless argument of every function.
    const ONE: Self;
    /// An integer of the same size: an index, of which the low four bits count.
    type Index: Copy + Into<u64> + From<u8>;
}

impl Real for f32 {
    const ONE: f32 = 1.0;
    type Index = u32;
}

impl Real for f64 {
    const ONE: f64 = 1.0;
    type Index = u64;
}

/// What stands in each of the tables at an index.
#[inline(always)]
pub(super) fn row<T: Real, const K: usize>(tables: &[Table<T>; K], index: T::Index) -> [T; K] {
    let index: u64 = index.into();
    std::array::from_fn(|k| tables[k][(index & 15) as usize])
}

/// Elements that begin where a line of the cache does: a vector that straddles two takes longer.
#[repr(align(64))]
#[derive(Clone, Copy)]
pub(super) struct Lines<T>(pub(super) T);

/// Four tables, or fewer, by rows: what stands in each of them at one index, side by side.
const fn by_rows<T: Real, const K: usize>(tables: &[Table<T>; K]) -> Lines<[[T; 4]; 16]> {
    let mut rows = [[T::ONE; 4]; 16];
    let mut i = 0;
    while i < rows.len() {
        let mut k = 0;
        while k < K {
            rows[i][k] = tables[k][i];
            k += 1;
        }
        i += 1;
    }
    Lines(rows)
}

/// A function with tables, or with none.
pub(super) trait Tables<T: Real, const K: usize> {
    /// What it looks up.
    const TABLES: [Table<T>; K];
}

/// How an instruction set looks up `L` numbers of each of a function's tables.
pub(super) trait Lookup<T: Real, const L: usize> {
    /// Puts what stands in the tables at each index into `found`.
    ///
    /// # Safety
    /// The machine has the instruction set.
    unsafe fn lookup<F: Tables<T, K>, const K: usize>(
        indices: &[T::Index; L],
        found: &mut [Lines<[T; L]>; K],
    );
}

/// What every machine has.
pub(super) struct Portable;

impl<T: Real, const L: usize> Lookup<T, L> for Portable {
    #[inline(always)]
    unsafe fn lookup<F: Tables<T, K>, const K: usize>(
        indices: &[T::Index; L],
        found: &mut [Lines<[T; L]>; K],
    ) {
        for (table, found) in F::TABLES.iter().zip(found) {
            for (&index, found) in indices.iter().zip(&mut found.0) {
                let index: u64 = index.into();
                *found = table[(index & 15) as usize];
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
pub(super) use x86::{Avx2, Avx512};

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::{
        _mm_loadu_pd, _mm256_blendv_ps, _mm256_castsi256_ps, _mm256_loadu_ps, _mm256_loadu_si256,
        _mm256_permutevar8x32_ps, _mm256_set_m128d, _mm256_slli_epi32, _mm256_storeu_pd,
        _mm256_storeu_ps, _mm256_unpackhi_pd, _mm256_unpacklo_pd, _mm512_loadu_pd, _mm512_loadu_ps,
        _mm512_loadu_si512, _mm512_permutex2var_pd, _mm512_permutexvar_ps, _mm512_storeu_pd,
        _mm512_storeu_ps,
    };

    use super::{Lines, Lookup, Tables, by_rows};

    /// Vectors of 256 bits.
    pub(in super::super) struct Avx2;

    impl<const L: usize> Lookup<f32, L> for Avx2 {
        /// From both halves of the table; the fourth bit of an index, moved to the place of the sign, chooses.
        #[inline(always)]
        unsafe fn lookup<F: Tables<f32, K>, const K: usize>(
            indices: &[u32; L],
            found: &mut [Lines<[f32; L]>; K],
        ) {
            for (table, found) in F::TABLES.iter().zip(found) {
                for (indices, found) in zip::<_, _, 8>(indices, &mut found.0) {
                    // SAFETY: the machine has the instructions, says the caller; the addresses are of 8 elements each.
                    unsafe {
                        let at = _mm256_loadu_si256(indices.as_ptr().cast());
                        let low = _mm256_permutevar8x32_ps(_mm256_loadu_ps(table.as_ptr()), at);
                        let high =
                            _mm256_permutevar8x32_ps(_mm256_loadu_ps(table.as_ptr().add(8)), at);
                        let upper = _mm256_castsi256_ps(_mm256_slli_epi32::<28>(at));
                        _mm256_storeu_ps(found.as_mut_ptr(), _mm256_blendv_ps(low, high, upper));
                    }
                }
            }
        }
    }

    impl<const L: usize> Lookup<f64, L> for Avx2 {
        /// There is no permutation of doubles by variable indices: rows are loaded by halves, and four of them made
        /// columns.
        #[inline(always)]
        unsafe fn lookup<F: Tables<f64, K>, const K: usize>(
            indices: &[u64; L],
            found: &mut [Lines<[f64; L]>; K],
        ) {
            const { assert!(K <= 4 && L.is_multiple_of(4), "a row is four numbers") };
            let rows = const { &by_rows(&F::TABLES) };
            for at in (0..L).step_by(4) {
                let row = |i: usize| rows.0[(indices[at + i] & 15) as usize].as_ptr();
                for k in (0..K).step_by(2) {
                    // SAFETY: the machine has the instructions, says the caller; a row is four numbers, and `found` has
                    // as many from `at` on.
                    unsafe {
                        let half = |i: usize| _mm_loadu_pd(row(i).add(k));
                        let even = _mm256_set_m128d(half(2), half(0));
                        let odd = _mm256_set_m128d(half(3), half(1));
                        let column = found[k].0.as_mut_ptr().add(at);
                        _mm256_storeu_pd(column, _mm256_unpacklo_pd(even, odd));
                        if k + 1 < K {
                            let column = found[k + 1].0.as_mut_ptr().add(at);
                            _mm256_storeu_pd(column, _mm256_unpackhi_pd(even, odd));
                        }
                    }
                }
            }
        }
    }

    /// Vectors of 512 bits.
    pub(in super::super) struct Avx512;

    impl<const L: usize> Lookup<f32, L> for Avx512 {
        #[inline(always)]
        unsafe fn lookup<F: Tables<f32, K>, const K: usize>(
            indices: &[u32; L],
            found: &mut [Lines<[f32; L]>; K],
        ) {
            for (table, found) in F::TABLES.iter().zip(found) {
                for (indices, found) in zip::<_, _, 16>(indices, &mut found.0) {
                    // SAFETY: the machine has the instructions, says the caller; the addresses are of 16 elements each.
                    unsafe {
                        let at = _mm512_loadu_si512(indices.as_ptr().cast());
                        let these = _mm512_permutexvar_ps(at, _mm512_loadu_ps(table.as_ptr()));
                        _mm512_storeu_ps(found.as_mut_ptr(), these);
                    }
                }
            }
        }
    }

    impl<const L: usize> Lookup<f64, L> for Avx512 {
        #[inline(always)]
        unsafe fn lookup<F: Tables<f64, K>, const K: usize>(
            indices: &[u64; L],
            found: &mut [Lines<[f64; L]>; K],
        ) {
            for (table, found) in F::TABLES.iter().zip(found) {
                for (indices, found) in zip::<_, _, 8>(indices, &mut found.0) {
                    // SAFETY: the machine has the instructions, says the caller; the addresses are of 8 elements each.
                    unsafe {
                        let at = _mm512_loadu_si512(indices.as_ptr().cast());
                        let low = _mm512_loadu_pd(table.as_ptr());
                        let high = _mm512_loadu_pd(table.as_ptr().add(8));
                        let these = _mm512_permutex2var_pd(low, at, high);
                        _mm512_storeu_pd(found.as_mut_ptr(), these);
                    }
                }
            }
        }
    }

    /// Vectors of indices, and where what is found goes. The rest would be left out: there is none.
    #[inline(always)]
    fn zip<'a, I, T, const W: usize>(
        indices: &'a [I],
        found: &'a mut [T],
    ) -> impl Iterator<Item = (&'a [I; W], &'a mut [T; W])> {
        indices.as_chunks().0.iter().zip(found.as_chunks_mut().0)
    }
}
