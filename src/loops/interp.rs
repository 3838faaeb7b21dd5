//! The meaning of a kernel: its lines run one after another on tiles, with no machine code made.

use super::Kernel;

/// Bytes of scratch memory that [`run`] needs.
pub fn scratch(kernel: &Kernel) -> usize {
    let _ = kernel;
    0
}

/// Runs `kernel` on the argument words of one run (see [`super::Layout`]).
///
/// # Safety
/// The words must describe memory that the kernel may touch.
pub unsafe fn run(kernel: &Kernel, words: *const u64) {
    let _ = (kernel, words);
}
