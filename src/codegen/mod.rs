//! Kernels to machine code, by Cranelift.

use crate::error::Result;
use crate::loops::Kernel;

/// Machine code of one kernel; the memory is freed when the last owner drops it.
#[derive(Debug)]
pub struct Code {
    entry: unsafe extern "C" fn(*const u64),
    scratch: usize,
}

impl Code {
    /// Bytes of scratch memory that a run needs.
    pub fn scratch(&self) -> usize {
        self.scratch
    }

    /// Runs the code on the argument words of one run (see [`crate::loops::Layout`]).
    ///
    /// # Safety
    /// The words must describe memory that the kernel may touch.
    pub unsafe fn run(&self, words: *const u64) {
        // SAFETY: the caller's promise.
        unsafe { (self.entry)(words) }
    }
}

/// Compiles a kernel. An error means that the interpreter must take over; it never panics.
pub fn compile(kernel: &Kernel) -> Result<Code> {
    let _ = kernel;
    todo!()
}
