//! Memory: aligned buffers that the engine owns, and views of memory that somebody else owns.
//!
//! May not know: ops, graphs, loops. Buffers come from a bounded pool, so that large results do not
//! pay for fresh pages each time.

use std::any::Any;
use std::sync::Arc;

use crate::dtype::DType;
use crate::error::Result;
use crate::shape::{Shape, Strides};

/// Owned memory, aligned to 64 bytes; returned to the pool when dropped.
#[derive(Debug)]
pub struct Buffer {
    ptr: *mut u8,
    len: usize,
}

// SAFETY: a buffer owns its memory alone; shared references only read.
unsafe impl Send for Buffer {}
// SAFETY: as above.
unsafe impl Sync for Buffer {}

impl Buffer {
    /// Memory of `len` bytes with unspecified (but initialized) contents; a `Memory` error when there is none.
    pub fn new(len: usize) -> Result<Self> {
        let _ = len;
        todo!()
    }

    /// The address of the first byte.
    pub fn as_ptr(&self) -> *const u8 {
        self.ptr
    }

    /// The address of the first byte, for writing.
    pub fn as_mut_ptr(&mut self) -> *mut u8 {
        self.ptr
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        todo!()
    }

    /// Bytes asked for.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

/// A strided view of memory, native byte order, any alignment.
#[derive(Clone)]
pub struct Storage {
    /// The address of element (0, 0, ...).
    pub ptr: *const u8,
    /// The elements.
    pub dtype: DType,
    /// The shape.
    pub shape: Shape,
    /// Byte strides, any sign.
    pub strides: Strides,
    /// Keeps the memory alive and unchanged.
    pub keeper: Arc<dyn Any + Send + Sync>,
}

// SAFETY: the memory is only read, and the keeper, which is Send and Sync, keeps it alive.
unsafe impl Send for Storage {}
// SAFETY: as above.
unsafe impl Sync for Storage {}

impl Storage {
    /// The element of a 0-d view.
    pub fn read_scalar(&self) -> crate::dtype::Scalar {
        let mut bytes = [0u8; 8];
        let size = self.dtype.size();
        // SAFETY: the view has one element of `size` bytes at `ptr`, kept alive by the keeper.
        unsafe { std::ptr::copy_nonoverlapping(self.ptr, bytes.as_mut_ptr(), size) };
        crate::dtype::Scalar { dtype: self.dtype, bits: u64::from_le_bytes(bytes) }
    }
}
