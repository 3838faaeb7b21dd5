//! Copies of inputs made in a lazy block, used again while the input is unchanged.
//!
//! `peak = rnp.max(rnp.abs(x)); y = x / peak` captures `x` twice; if its bytes are still the same, both
//! read one copy. May not know: Python objects.

use std::any::Any;
use std::sync::{Arc, Weak};

use crate::buffer::Storage;
use crate::dtype::DType;
use crate::shape::{Shape, Strides};

/// How many copies a block remembers.
const ROOM: usize = 16;

struct Entry {
    /// Where the input lay.
    place: usize,
    shape: Shape,
    strides: Strides,
    dtype: DType,
    /// The copy, if an expression still holds it.
    copy: Storage,
    keeper: Weak<dyn Any + Send + Sync>,
}

/// The copies of one outermost block, the newest last.
#[derive(Default)]
pub struct Snapshots {
    entries: Vec<Entry>,
}

/// Stands in the entry's own handle, so that a copy lives only as long as its users.
fn nobody() -> Arc<dyn Any + Send + Sync> {
    Arc::new(())
}

impl Snapshots {
    /// A copy of memory with this place and layout, if one is alive. Its bytes may be outdated.
    pub fn find(
        &self,
        place: *const u8,
        dtype: DType,
        shape: &Shape,
        strides: &Strides,
    ) -> Option<Storage> {
        let entry = self.entries.iter().rev().find(|e| {
            e.place == place as usize
                && e.dtype == dtype
                && e.shape == *shape
                && e.strides == *strides
        })?;
        let keeper = entry.keeper.upgrade()?;
        Some(Storage { keeper, ..entry.copy.clone() })
    }

    /// Remembers a copy in place of an older one of the same memory.
    pub fn insert(&mut self, place: *const u8, shape: &Shape, strides: &Strides, copy: &Storage) {
        self.entries.retain(|e| {
            e.keeper.strong_count() > 0
                && !(e.place == place as usize && e.shape == *shape && e.strides == *strides)
        });
        if self.entries.len() >= ROOM {
            self.entries.remove(0);
        }
        if self.entries.is_empty() {
            // Most blocks capture one array.
            self.entries.reserve_exact(1);
        }
        self.entries.push(Entry {
            place: place as usize,
            shape: shape.clone(),
            strides: strides.clone(),
            dtype: copy.dtype,
            keeper: Arc::downgrade(&copy.keeper),
            copy: Storage { keeper: nobody(), ..copy.clone() },
        });
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.entries.clear();
    }
}

/// Whether two views of one shape and dtype hold the same bytes.
///
/// # Safety
/// Both views' memory is alive and not written meanwhile.
pub unsafe fn same_bytes(a: &Storage, b: (*const u8, &[isize])) -> bool {
    let size = a.dtype.size();
    let mut axes: Vec<(usize, isize, isize)> = Vec::new();
    for (i, &n) in a.shape.iter().enumerate() {
        if n == 0 {
            return true;
        }
        let (s, t) = (a.strides[i], b.1[i]);
        // An axis that repeats one element on both sides is compared once.
        if n > 1 && !(s == 0 && t == 0) {
            axes.push((n, s, t));
        }
    }
    // Trailing axes that are contiguous on both sides are one run of bytes.
    let mut run = size;
    while let Some(&(n, s, t)) = axes.last() {
        if s != run.cast_signed() || t != run.cast_signed() {
            break;
        }
        run *= n;
        axes.pop();
    }
    let mut at = vec![0usize; axes.len()];
    let (mut p, mut q) = (a.ptr, b.0);
    loop {
        // SAFETY: p and q are inside their views, which have `run` bytes from there on.
        let equal =
            unsafe { std::slice::from_raw_parts(p, run) == std::slice::from_raw_parts(q, run) };
        if !equal {
            return false;
        }
        let mut axis = axes.len();
        loop {
            if axis == 0 {
                return true;
            }
            axis -= 1;
            let (n, s, t) = axes[axis];
            at[axis] += 1;
            if at[axis] < n {
                p = p.wrapping_offset(s);
                q = q.wrapping_offset(t);
                break;
            }
            at[axis] = 0;
            p = p.wrapping_offset(-s * (n as isize - 1));
            q = q.wrapping_offset(-t * (n as isize - 1));
        }
    }
}
