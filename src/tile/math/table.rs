//! Tables of sixteen numbers, looked up for as many elements at once as a vector holds.
//!
//! Vector instructions that permute take the place of loads, which would be one per element. An entry is chosen by
//! the low four bits of an index, whatever those above are. May not know: what the numbers are.

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

/// How an instruction set looks `L` numbers up.
pub(super) trait Lookup<T: Real, const L: usize> {
    /// Puts what stands in the table at each index into `found`.
    ///
    /// # Safety
    /// The machine has the instruction set.
    unsafe fn lookup(table: &Table<T>, indices: &[T::Index; L], found: &mut [T; L]);
}

/// What every machine has.
pub(super) struct Portable;

impl<T: Real, const L: usize> Lookup<T, L> for Portable {
    #[inline(always)]
    unsafe fn lookup(table: &Table<T>, indices: &[T::Index; L], found: &mut [T; L]) {
        for i in 0..L {
            let index: u64 = indices[i].into();
            found[i] = table[(index & 15) as usize];
        }
    }
}

#[cfg(target_arch = "x86_64")]
pub(super) use x86::{Avx2, Avx512};

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::{
        _mm256_blendv_ps, _mm256_castsi256_ps, _mm256_loadu_ps, _mm256_loadu_si256,
        _mm256_permutevar8x32_ps, _mm256_slli_epi32, _mm256_storeu_ps, _mm512_loadu_pd,
        _mm512_loadu_ps, _mm512_loadu_si512, _mm512_permutex2var_pd, _mm512_permutexvar_ps,
        _mm512_storeu_pd, _mm512_storeu_ps,
    };

    use super::{Lookup, Table};

    /// Vectors of 256 bits.
    pub(in super::super) struct Avx2;

    impl<const L: usize> Lookup<f32, L> for Avx2 {
        /// From both halves of the table; the fourth bit of an index, moved to the place of the sign, chooses.
        #[inline(always)]
        unsafe fn lookup(table: &Table<f32>, indices: &[u32; L], found: &mut [f32; L]) {
            for (indices, found) in
                indices.as_chunks::<8>().0.iter().zip(found.as_chunks_mut::<8>().0)
            {
                // SAFETY: the machine has the instructions, says the caller; the addresses are of 8 elements each.
                unsafe {
                    let at = _mm256_loadu_si256(indices.as_ptr().cast());
                    let low = _mm256_permutevar8x32_ps(_mm256_loadu_ps(table.as_ptr()), at);
                    let high = _mm256_permutevar8x32_ps(_mm256_loadu_ps(table.as_ptr().add(8)), at);
                    let upper = _mm256_castsi256_ps(_mm256_slli_epi32::<28>(at));
                    _mm256_storeu_ps(found.as_mut_ptr(), _mm256_blendv_ps(low, high, upper));
                }
            }
        }
    }

    impl<const L: usize> Lookup<f64, L> for Avx2 {
        /// There is no permutation of doubles by variable indices: loads.
        #[inline(always)]
        unsafe fn lookup(table: &Table<f64>, indices: &[u64; L], found: &mut [f64; L]) {
            // SAFETY: any machine will do.
            unsafe { <super::Portable as Lookup<f64, L>>::lookup(table, indices, found) }
        }
    }

    /// Vectors of 512 bits.
    pub(in super::super) struct Avx512;

    impl<const L: usize> Lookup<f32, L> for Avx512 {
        #[inline(always)]
        unsafe fn lookup(table: &Table<f32>, indices: &[u32; L], found: &mut [f32; L]) {
            for (indices, found) in zip::<_, _, 16>(indices, found) {
                // SAFETY: the machine has the instructions, says the caller; the addresses are of 16 elements each.
                unsafe {
                    let at = _mm512_loadu_si512(indices.as_ptr().cast());
                    let these = _mm512_permutexvar_ps(at, _mm512_loadu_ps(table.as_ptr()));
                    _mm512_storeu_ps(found.as_mut_ptr(), these);
                }
            }
        }
    }

    impl<const L: usize> Lookup<f64, L> for Avx512 {
        #[inline(always)]
        unsafe fn lookup(table: &Table<f64>, indices: &[u64; L], found: &mut [f64; L]) {
            for (indices, found) in zip::<_, _, 8>(indices, found) {
                // SAFETY: the machine has the instructions, says the caller; the addresses are of 8 elements each.
                unsafe {
                    let at = _mm512_loadu_si512(indices.as_ptr().cast());
                    let low = _mm512_loadu_pd(table.as_ptr());
                    let high = _mm512_loadu_pd(table.as_ptr().add(8));
                    _mm512_storeu_pd(found.as_mut_ptr(), _mm512_permutex2var_pd(low, at, high));
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
