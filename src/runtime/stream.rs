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
            } else {
                std::ptr::copy_nonoverlapping(from, to, len);
            }
        }
    }
}

/// Copies bytes past the caches.
///
/// # Safety
/// Both sides have `len` bytes and share none.
#[cfg(target_arch = "x86_64")]
pub(super) unsafe fn stream(from: *const u8, to: *mut u8, len: usize) {
    use std::arch::x86_64::{__m128i, _mm_loadu_si128, _mm_sfence, _mm_stream_si128};
    let head = to.align_offset(64).min(len);
    let lines = (len - head) / 64;
    // SAFETY: the three parts lie one after another within `len`; the middle one's places are aligned.
    unsafe {
        std::ptr::copy_nonoverlapping(from, to, head);
        for line in 0..lines {
            let at = head + 64 * line;
            let (from, to) = (from.add(at).cast::<__m128i>(), to.add(at).cast::<__m128i>());
            let [a, b, c, d] = [0, 1, 2, 3].map(|k| _mm_loadu_si128(from.wrapping_add(k)));
            _mm_stream_si128(to, a);
            _mm_stream_si128(to.add(1), b);
            _mm_stream_si128(to.add(2), c);
            _mm_stream_si128(to.add(3), d);
        }
        let at = head + 64 * lines;
        std::ptr::copy_nonoverlapping(from.add(at), to.add(at), len - at);
        // Streaming stores are seen in no order until then.
        _mm_sfence();
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
        let mut to = vec![0u8; from.len()];
        // SAFETY: both have as many bytes.
        unsafe { copy(from.as_ptr(), to.as_mut_ptr(), from.len()) };
        assert_eq!(to, from);
    }
}
