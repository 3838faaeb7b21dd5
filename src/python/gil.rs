//! What the GIL guards: a cell that takes no lock.
//!
//! May not know: what it holds.

use std::cell::{RefCell, RefMut};

use pyo3::prelude::*;

/// A value that is looked at with the GIL held alone, and not while Python code can run.
#[derive(Debug, Default)]
pub struct GilCell<T>(RefCell<T>);

// SAFETY: whoever looks at the value holds the GIL, so no two threads do at once.
unsafe impl<T: Send> Sync for GilCell<T> {}

impl<T> GilCell<T> {
    /// A cell with this value.
    pub const fn new(value: T) -> Self {
        Self(RefCell::new(value))
    }

    /// The value, until Python code can run again.
    #[inline]
    pub fn borrow<'a>(&'a self, _py: Python<'a>) -> RefMut<'a, T> {
        self.0.borrow_mut()
    }
}
