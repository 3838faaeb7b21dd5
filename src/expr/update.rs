//! Recording what is stored into parts of arrays: updates, and arrays put together from parts.
//!
//! An array never changes: an update is a new array, equal to the old one but at some places.

use smallvec::smallvec;

use super::{Args, Array, Prim};
use crate::error::{Error, Result};

impl Array {
    /// The array with the elements at a view of it replaced by `value`, which has the array's dtype and
    /// broadcasts to the view.
    ///
    /// `path` is the view as the user wrote it: [`Prim::Index`], [`Prim::Transpose`] and
    /// [`Prim::Reshape`], each of what the one before it gives. Reshapes come first, or move nothing.
    ///
    /// # Errors
    /// `Value` when the value does not broadcast, or the view repeats elements; `Unsupported` for a
    /// reshape of a part; `Index` and `Value` as the views have them.
    pub fn update(&self, path: &[Prim], value: &Array) -> Result<Array> {
        if value.dtype() != self.dtype() {
            return Err(Error::bug(format!(
                "update: a value of {} for an array of {}",
                value.dtype(),
                self.dtype()
            )));
        }
        if self.dtype().is_complex() {
            return self.each_updated(path, value);
        }
        let args: Args = smallvec![self.strong(), value.strong()];
        Self::derive(Prim::Update(path.into()), self.dtype(), args)
    }

    /// The parts, which have one dtype and one rank, one after another along `axis`.
    ///
    /// # Errors
    /// `Value` as NumPy words it, when the parts do not fit; `Axis` for an axis that is not there.
    pub fn concatenate(parts: &[Array], axis: usize) -> Result<Array> {
        let Some(first) = parts.first() else {
            return Err(Error::value("need at least one array to concatenate"));
        };
        if parts.iter().any(|p| p.dtype() != first.dtype()) {
            return Err(Error::bug("concatenate: the parts differ in dtype"));
        }
        if first.rank() > 0 && axis >= first.rank() {
            return Err(Error::axis(format!(
                "axis {axis} is out of bounds for array of dimension {}",
                first.rank()
            )));
        }
        if first.dtype().is_complex() {
            return Self::each_concatenated(parts, axis);
        }
        let args: Args = parts.iter().map(Array::strong).collect();
        Self::derive(Prim::Concatenate(axis), first.dtype(), args)
    }
}
