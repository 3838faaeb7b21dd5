//! Scans by a tile function: each row along the axis with what the row before it gave.
//!
//! May not know: what the function means.

use crate::buffer::Storage;
use crate::error::Result;
use crate::tile::MapFn;

/// Scans memory that is not empty, along an axis that is there, into `out`, which has room for it. The function
/// is one of two operands of the memory's dtype.
pub(super) fn run(function: MapFn, from: &Storage, axis: usize, out: &mut [u8]) -> Result<()> {
    let values = from.c_ordered()?.copied()?;
    let (values, size) = (values.bytes(), from.dtype.size());
    let row = from.shape[axis + 1..].iter().product::<usize>() * size;
    let mut status = 0;
    for (values, out) in values
        .chunks_exact(row * from.shape[axis])
        .zip(out.chunks_exact_mut(row * from.shape[axis]))
    {
        out[..row].copy_from_slice(&values[..row]);
        for at in (row..values.len()).step_by(row) {
            let (done, rest) = out.split_at_mut(at);
            let (so_far, next) = (done[at - row..].as_ptr(), values[at..at + row].as_ptr());
            // SAFETY: a row of elements each, and room for one in `rest`, which is none of them.
            unsafe { function(rest.as_mut_ptr(), so_far, next, next, row / size, &raw mut status) };
        }
    }
    Ok(())
}
