//! Views of views, and writes through them.
//!
//! A path is a list of views, each of the one before. Writing to the end of a path gives another array
//! at its start. Which path somebody holds is not known here.

use smallvec::{SmallVec, smallvec};

use super::{Array, Number, Prim, expand, infer_shape};
use crate::dtype::{DType, Kind};
use crate::error::{Error, Result};
use crate::op::Weak;
use crate::shape::{self, Item, Shape, Strides};

impl Array {
    /// What one view, as a trace could infer it again, makes of the array.
    pub fn view(&self, step: &Prim) -> Result<Array> {
        if let Prim::Component(imag) = step {
            return if *imag { self.imag() } else { self.real() };
        }
        if self.dtype().is_complex() {
            return self.each_view(|part| part.view(step));
        }
        Self::derive(step.clone(), self.dtype(), smallvec![self.strong()])
    }

    /// What the views of a path make of the array.
    pub fn views(&self, path: &[Prim]) -> Result<Array> {
        path.iter().try_fold(self.clone(), |array, step| array.view(step))
    }

    /// The array with `value`, of the dtype there, at the end of a path. A reshape on the way is undone
    /// around the write. One of the views may be a part of complex numbers, which is written alone.
    ///
    /// # Errors
    /// `Value` for a shape that does not broadcast to the path's end, or where the path repeats elements.
    pub fn written(&self, path: &[Prim], value: &Array) -> Result<Array> {
        if let Some(at) = path.iter().position(|p| matches!(p, Prim::Component(_))) {
            let rest = [&path[..at], &path[at + 1..]].concat();
            let (re, im) = (self.real()?, self.imag()?);
            return Self::complex(match path[at] {
                Prim::Component(true) => (re, im.written(&rest, value)?),
                _ => (re.written(&rest, value)?, im),
            });
        }
        // Per reshape on the way: the array that the path before it starts from.
        let mut outer: SmallVec<[(Array, &[Prim]); 1]> = smallvec![];
        let (mut base, mut path) = (self.clone(), path);
        while let Some(at) = path.iter().position(|p| matches!(p, Prim::Reshape(_))) {
            let flat = base.views(&path[..=at])?;
            outer.push((base, &path[..at]));
            (base, path) = (flat, &path[at + 1..]);
        }
        let mut written = base.stored(path, value)?;
        for (base, path) in outer.into_iter().rev() {
            let dims: SmallVec<[i64; 4]> =
                base.views(path)?.shape().iter().map(|&d| d as i64).collect();
            written = base.stored(path, &written.reshape(&dims)?)?;
        }
        Ok(written)
    }

    /// The array as it is written into one of `dtype`: a Python number must fit, and a Python NaN or
    /// infinity is no integer.
    ///
    /// # Errors
    /// `Overflow`, `Value`.
    pub fn fitted(&self, dtype: DType) -> Result<Array> {
        match self.as_number() {
            Some(Number::Int(_)) => self.coerce(dtype),
            None if self.weak() == Some(Weak::Complex) && !dtype.is_complex() => {
                Err(Error::dtype(format!("assignment: a complex number is no element of {dtype}")))
            }
            Some(Number::Float(v)) if dtype.kind() == Kind::Int && v.is_nan() => {
                Err(Error::value("assignment: cannot convert float NaN to integer"))
            }
            Some(Number::Float(v)) if dtype.kind() == Kind::Int => {
                let (low, high) = dtype.int_range();
                if !(low..=high).contains(&(v as i128)) {
                    return Err(Error::overflow(format!(
                        "assignment: {v:?} is out of bounds for {dtype}"
                    )));
                }
                self.cast(dtype)
            }
            _ => self.cast(dtype),
        }
    }

    fn stored(&self, path: &[Prim], value: &Array) -> Result<Array> {
        if path.is_empty() && value.shape() == self.shape() {
            return Ok(value.clone());
        }
        self.update(path, value)
    }

    /// Whether the elements at the end of a path lie in C order without gaps; those of the array do.
    pub fn is_contiguous_at(&self, path: &[Prim]) -> bool {
        layout(self.shape(), path)
            .is_some_and(|(shape, strides)| shape::is_c_ordered(&shape, &strides, 1))
    }

    /// Whether the end of a path has its elements so that NumPy reshapes it without moving any; the
    /// array itself lies in C order.
    pub fn reshapes_in_place(&self, path: &[Prim], dims: &[usize]) -> bool {
        layout(self.shape(), path)
            .is_some_and(|(from, strides)| shape::reshaped(&from, &strides, dims).is_some())
    }
}

/// The shape and the strides, in elements, of a path's end; `None` where no strides say it.
fn layout(root: &[usize], path: &[Prim]) -> Option<(Shape, Strides)> {
    let mut shape: Shape = root.into();
    let mut strides = shape::c_strides(root, 1);
    for step in path {
        let next = infer_shape(step, &[&shape], &[]).ok()?;
        strides = match step {
            Prim::Index(items) => {
                let mut out = Strides::new();
                let mut axis = 0;
                for item in expand(items, shape.len()).ok()? {
                    match item {
                        Item::NewAxis | Item::Ellipsis => out.push(0),
                        Item::At(_) => axis += 1,
                        Item::Slice(slice) => {
                            let (_, by, _) = slice.resolve(shape[axis]);
                            out.push(strides[axis].wrapping_mul(by as isize));
                            axis += 1;
                        }
                    }
                }
                out
            }
            Prim::Transpose(axes) => axes.iter().map(|&a| strides[a]).collect(),
            Prim::Reshape(_) => shape::reshaped(&shape, &strides, &next)?,
            // Of two numbers beside each other it is one.
            Prim::Component(_) => strides.iter().map(|&s| s.wrapping_mul(2)).collect(),
            _ => return None,
        };
        shape = next;
    }
    Some((shape, strides))
}
