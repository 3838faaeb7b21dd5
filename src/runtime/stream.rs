//! Moving bytes: large copies by all threads, and past the caches what they could not keep anyway.
//!
//! A store into memory that no cache holds first reads what it overwrites. A streaming store does not,
//! and leaves in the caches what is there; but who reads its bytes next must fetch them from memory. So
//! it is for what is about as large as the last cache. May not know: what the bytes mean.

use std::sync::OnceLock;

use super::pool::{num_threads, share};
use crate::buffer::cache_bytes;

/// Bytes that a thread copies at a time.
const PIECE: usize = 128 << 10;
/// Bytes that make another thread worth its waking.
const SHARE: usize = 512 << 10;

/// Whether so many bytes, written, are better streamed: with as many that are read they fill the last cache.
pub(super) fn is_large(bytes: usize) -> bool {
    static LARGE: OnceLock<usize> = OnceLock::new();
    bytes >= *LARGE.get_or_init(|| cache_bytes() / 2)
}

/// Copies bytes; many of them by all threads.
///
/// # Safety
/// Both sides have `len` bytes and share none; nobody writes the one or touches the other meanwhile.
pub unsafe fn copy(from: *const u8, to: *mut u8, len: usize) {
    let threads = num_threads().min(len / SHARE);
    // A copy is about to be read: as long as half of it may stay in the cache, it is left there.
    let copy = Copy { from, to, len, streamed: is_large(len / 2) };
    if threads <= 1 && !copy.streamed {
        // SAFETY: the caller's promise.
        return unsafe { std::ptr::copy_nonoverlapping(from, to, len) };
    }
    copy.run(threads.max(1));
}

/// A copy in pieces for threads.
struct Copy {
    from: *const u8,
    to: *mut u8,
    len: usize,
    streamed: bool,
}

// SAFETY: `copy`'s caller keeps both sides alive and to us; items are disjoint.
unsafe impl Sync for Copy {}

impl Copy {
    /// Does all pieces.
    fn run(&self, threads: usize) {
        let done = share(self.len.div_ceil(PIECE), threads, None, |i| {
            self.piece(i);
            Ok(())
        });
        debug_assert!(done.is_ok(), "copying fails at nothing");
    }

    fn piece(&self, i: usize) {
        let at = i * PIECE;
        let len = PIECE.min(self.len - at);
        // SAFETY: `copy`'s caller has `self.len` bytes on both sides, and `at + len` is within.
        unsafe {
            let (from, to) = (self.from.add(at), self.to.add(at));
            if self.streamed {
                stream(from, to, len);
                settle();
            } else {
                std::ptr::copy_nonoverlapping(from, to, len);
            }
        }
    }
}

/// Copies bytes past the caches. Whoever does so is to [`settle`] before it says that it is done: a wait for the memory
/// after each of many copies would take as long as the copies.
///
/// # Safety
/// Both sides have `len` bytes and share none.
#[cfg(target_arch = "x86_64")]
pub(super) unsafe fn stream(from: *const u8, to: *mut u8, len: usize) {
    let head = to.align_offset(64).min(len);
    let (lines, rest) = ((len - head) / 64, (len - head) % 64);
    // SAFETY: the three parts lie one after another within `len`; the middle one's places are aligned.
    unsafe {
        std::ptr::copy_nonoverlapping(from, to, head);
        let (middle, place) = (from.add(head), to.add(head));
        if is_x86_feature_detected!("avx") {
            wide_lines(middle, place, lines);
        } else {
            narrow_lines(middle, place, lines);
        }
        std::ptr::copy_nonoverlapping(middle.add(64 * lines), place.add(64 * lines), rest);
    }
}

/// Copies so many cache lines, 32 bytes at a time.
///
/// # Safety
/// Both sides have as many and share none; `to` is aligned to them; the machine has AVX.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx")]
unsafe fn wide_lines(from: *const u8, to: *mut u8, lines: usize) {
    use std::arch::x86_64::{__m256i, _mm256_loadu_si256, _mm256_stream_si256};
    let (from, to) = (from.cast::<__m256i>(), to.cast::<__m256i>());
    for half in (0..2 * lines).step_by(2) {
        // SAFETY: the caller's promise.
        unsafe {
            let (a, b) =
                (_mm256_loadu_si256(from.add(half)), _mm256_loadu_si256(from.add(half + 1)));
            _mm256_stream_si256(to.add(half), a);
            _mm256_stream_si256(to.add(half + 1), b);
        }
    }
}

/// The same, 16 bytes at a time.
///
/// # Safety
/// As for [`wide_lines`], but for AVX.
#[cfg(target_arch = "x86_64")]
unsafe fn narrow_lines(from: *const u8, to: *mut u8, lines: usize) {
    use std::arch::x86_64::{__m128i, _mm_loadu_si128, _mm_stream_si128};
    let (from, to) = (from.cast::<__m128i>(), to.cast::<__m128i>());
    for quarter in 0..4 * lines {
        // SAFETY: the caller's promise.
        unsafe { _mm_stream_si128(to.add(quarter), _mm_loadu_si128(from.add(quarter))) }
    }
}

/// Has all that this thread streamed be seen before what it writes next: streaming stores have no order by
/// themselves.
#[cfg(target_arch = "x86_64")]
pub(super) fn settle() {
    // SAFETY: every such machine has the instruction.
    unsafe { std::arch::x86_64::_mm_sfence() }
}

/// Asks for bytes that are read soon, whether they are there or not. Between two reads of an input this thread only
/// writes, and the machine that fetches ahead by itself would stand still.
#[cfg(target_arch = "x86_64")]
pub(super) fn ahead(from: *const u8, len: usize) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    for at in (0..len).step_by(256) {
        for line in 0..4 {
            // SAFETY: a hint, which fails for no address.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(from.wrapping_add(at + 64 * line).cast()) }
        }
    }
}

/// Copies bytes; this machine has no stores past the caches that we know of.
///
/// # Safety
/// Both sides have `len` bytes and share none.
#[cfg(not(target_arch = "x86_64"))]
pub(super) unsafe fn stream(from: *const u8, to: *mut u8, len: usize) {
    // SAFETY: the caller's promise.
    unsafe { std::ptr::copy_nonoverlapping(from, to, len) }
}

/// Its stores have an order.
#[cfg(not(target_arch = "x86_64"))]
pub(super) fn settle() {}

/// Machines fetch ahead by themselves.
#[cfg(not(target_arch = "x86_64"))]
pub(super) fn ahead(_from: *const u8, _len: usize) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_whole_at_any_length_and_alignment() {
        let from: Vec<u8> = (0..3 * PIECE + 99).map(|i| (i * 7 + i / 251) as u8).collect();
        for len in [0, 1, 15, 63, 64, 65, 200, 4096, PIECE - 1, PIECE + 1, 3 * PIECE + 5] {
            for skip in [0, 1, 16, 33] {
                let want = [&[1; 100][..skip], &from[7..7 + len], &[1; 64]].concat();
                for streamed in [false, true] {
                    let mut to = vec![1u8; skip + len + 64];
                    let place = to[skip..].as_mut_ptr();
                    let copy = Copy { from: from[7..].as_ptr(), to: place, len, streamed };
                    copy.run(3);
                    assert_eq!(to, want, "{len} bytes from {skip} on");
                }
            }
        }
        #[cfg(target_arch = "x86_64")]
        for lines in [0, 1, 5] {
            let mut to = [[1u8; 64]; 6];
            let place = to.as_mut_ptr().cast::<u8>();
            let place = place.wrapping_add(place.align_offset(64));
            // SAFETY: both sides have so many lines; the place is aligned to them.
            unsafe { narrow_lines(from[3..].as_ptr(), place, lines) };
            settle();
            // SAFETY: these lie within the array.
            let got = unsafe { std::slice::from_raw_parts(place, 64 * lines) };
            assert_eq!(got, &from[3..3 + 64 * lines]);
        }
        let mut to = vec![0u8; from.len()];
        // SAFETY: both have as many bytes.
        unsafe { copy(from.as_ptr(), to.as_mut_ptr(), from.len()) };
        assert_eq!(to, from);
    }
}
