//! Dot products of two lines of floats: as an opaque call, and on memory at once.
//!
//! Blocks are summed on their own, in [`crate::tile`], and their sums are added in `float64` in the order
//! of the blocks; so the bits are the same for any number of threads.
//!
//! May not know: who asks.

use std::borrow::Cow;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::buffer::Storage;
use crate::call::{Call, Stop};
use crate::dtype::{DType, Scalar};
use crate::error::{Error, Result};
use crate::runtime::{self, FloatMode};
use crate::shape::{Shape, show};
use crate::tile::{self, BLOCK, DotFn};

/// The sum of the products of two lines.
#[derive(Debug)]
pub struct Dot;

/// Products below which another thread is not worth waking.
const SHARE: usize = 1 << 18;

impl Call for Dot {
    fn name(&self) -> &'static str {
        "dot"
    }

    fn key(&self) -> Option<Cow<'_, str>> {
        Some("dot".into())
    }

    fn infer(&self, operands: &[(DType, &[usize])]) -> Result<(DType, Shape)> {
        let [(left, a), (right, b)] = operands else { return Err(Error::bug("dot: two operands")) };
        if left != right || !matches!(left, DType::F32 | DType::F64) {
            return Err(Error::unsupported(format!("dot: no kernel for {left} and {right}")));
        }
        if a.len() != 1 || b.len() != 1 {
            return Err(Error::unsupported("dot: no kernel for anything but lines"));
        }
        if a != b {
            return Err(Error::value(format!(
                "dot: the lines must be of one length; got shapes {} and {}",
                show(a),
                show(b)
            )));
        }
        Ok((*left, Shape::new()))
    }

    fn run(&self, operands: &[Storage]) -> Result<Storage> {
        self.run_asking(operands, None)
    }

    fn run_asking(&self, operands: &[Storage], stop: Stop<'_>) -> Result<Storage> {
        let ordered = |x: &Storage| if x.is_contiguous() { Ok(x.clone()) } else { x.c_ordered() };
        let [a, b] = operands else { return Err(Error::bug("dot: two operands")) };
        let (a, b) = (ordered(a)?, ordered(b)?);
        let (dtype, _) = self.infer(&[(a.dtype, &a.shape), (b.dtype, &b.shape)])?;
        // SAFETY: lines of one dtype and length, side by side, which the storages keep.
        let lines = unsafe { Lines::new(dtype, a.ptr, b.ptr, a.shape[0]) };
        Storage::from_scalar(lines.dot(stop)?)
    }
}

/// Two lines of as many elements side by side.
#[derive(Debug)]
pub struct Lines {
    dtype: DType,
    a: *const u8,
    b: *const u8,
    n: usize,
}

// SAFETY: the memory is only read, and whoever made the lines keeps it.
unsafe impl Send for Lines {}
// SAFETY: as above.
unsafe impl Sync for Lines {}

impl Lines {
    /// Lines of `n` elements of `float32` or `float64`.
    ///
    /// # Safety
    /// They are there, and stay as they are while the lines are used.
    pub unsafe fn new(dtype: DType, a: *const u8, b: *const u8, n: usize) -> Self {
        Self { dtype, a, b, n }
    }

    /// The sum of the products.
    ///
    /// # Errors
    /// `Interrupted`, `Memory`.
    pub fn dot(&self, stop: Stop<'_>) -> Result<Scalar> {
        let _float = FloatMode::standard();
        let (function, size): (DotFn, usize) = match self.dtype {
            DType::F32 => (tile::dot_f32(), 4),
            _ => (tile::dot_f64(), 8),
        };
        let block = |i: usize| self.block(function, size, i);
        let (blocks, threads) =
            (self.n.div_ceil(BLOCK), runtime::num_threads().min(self.n / SHARE + 1));
        // What is long asks whether to stop, with one thread, too.
        let sum: f64 = if self.n < SHARE {
            (0..blocks).map(block).fold(0.0, |all, sum| all + sum)
        } else {
            let sums: Vec<AtomicU64> = (0..blocks).map(|_| AtomicU64::new(0)).collect();
            runtime::share(blocks, threads, stop, |i| {
                sums[i].store(block(i).to_bits(), Ordering::Relaxed);
                Ok(())
            })?;
            sums.into_iter().fold(0.0, |all, sum| all + f64::from_bits(sum.into_inner()))
        };
        Ok(Scalar::from_f64(sum, self.dtype))
    }

    /// The sum of a block's products.
    fn block(&self, function: DotFn, size: usize, i: usize) -> f64 {
        let (from, n) = (i * BLOCK, BLOCK.min(self.n - i * BLOCK));
        // SAFETY: elements `from..from + n` are among the lines' own, of this size and the function's dtype.
        unsafe { function(self.a.add(from * size), self.b.add(from * size), n) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_summed_in_blocks_whatever_the_threads() {
        let x: Vec<f32> = (0..300_000).map(|i| ((i * 37 % 101) as f32 - 50.0) / 50.0).collect();
        let before = runtime::num_threads();
        let sums = [1, 2, 4].map(|threads| {
            runtime::set_num_threads(threads);
            // SAFETY: a vector of so many elements.
            let lines =
                unsafe { Lines::new(DType::F32, x.as_ptr().cast(), x.as_ptr().cast(), x.len()) };
            lines.dot(None).unwrap()
        });
        runtime::set_num_threads(before);
        assert!(sums.iter().all(|sum| *sum == sums[0]));
        let exact: f64 = x.iter().map(|&v| f64::from(v) * f64::from(v)).sum();
        assert!((sums[0].to_f64() - exact).abs() < 1e-6 * exact);
    }
}
