//! Where a view's elements lie in its operand: per operand axis, a line through the index space.

use smallvec::SmallVec;

use crate::error::Result;
use crate::expr::{at, expand};
use crate::shape::{Item, Shape, Strides};

/// The index on one operand axis: `offset + step * index[axis]`, or just `offset`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ViewDim {
    /// The index at the view's origin.
    pub offset: i64,
    /// Per step along `axis`.
    pub step: i64,
    /// The view's axis that moves along this one.
    pub axis: Option<usize>,
}

/// A map from a view's indices to its operand's: slices, transposes, new axes and broadcasts alike.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct View {
    /// Per axis of the operand.
    pub dims: SmallVec<[ViewDim; 4]>,
}

impl View {
    /// The view that is the operand itself.
    pub fn identity(rank: usize) -> Self {
        Self { dims: (0..rank).map(|a| ViewDim { offset: 0, step: 1, axis: Some(a) }).collect() }
    }

    /// The view's place in memory where its operand has the strides `own`: bytes to its first element,
    /// and its strides along `rank` axes.
    pub fn place(&self, own: &[isize], rank: usize) -> (isize, Strides) {
        let mut strides: Strides = smallvec::smallvec![0; rank];
        let mut offset = 0isize;
        for (dim, &stride) in self.dims.iter().zip(own) {
            offset = offset.wrapping_add(stride.wrapping_mul(dim.offset as isize));
            if let Some(axis) = dim.axis {
                strides[axis] = strides[axis].wrapping_add(stride.wrapping_mul(dim.step as isize));
            }
        }
        (offset, strides)
    }

    /// The operand repeated: axes are matched from the end, those of length 1 stay in place.
    pub fn broadcast(from: &[usize], to: &[usize]) -> Self {
        let pad = to.len() - from.len();
        let dim = |(a, &e): (usize, &usize)| {
            let moves = e != 1 || to[pad + a] == 1;
            ViewDim { offset: 0, step: i64::from(moves), axis: moves.then_some(pad + a) }
        };
        Self { dims: from.iter().enumerate().map(dim).collect() }
    }

    /// The view of `from` by an index expression, and its shape.
    pub fn index(items: &[Item], from: &[usize]) -> Result<(Self, Shape)> {
        let mut dims = SmallVec::new();
        let mut shape = Shape::new();
        for item in expand(items, from.len())? {
            let axis = dims.len();
            match item {
                Item::NewAxis | Item::Ellipsis => shape.push(1),
                Item::At(i) => {
                    let offset = at(i, axis, from[axis])? as i64;
                    dims.push(ViewDim { offset, step: 0, axis: None });
                }
                Item::Slice(slice) => {
                    let (start, step, count) = slice.resolve(from[axis]);
                    dims.push(ViewDim { offset: start as i64, step, axis: Some(shape.len()) });
                    shape.push(count);
                }
            }
        }
        Ok((Self { dims }, shape))
    }

    /// The view with axes in the order `perm`.
    pub fn transpose(perm: &[usize]) -> Self {
        let mut view = Self::identity(perm.len());
        for (to, &from) in perm.iter().enumerate() {
            view.dims[from].axis = Some(to);
        }
        view
    }

    /// The view of the operand of `inner` that a view of `inner`'s result is.
    pub fn of(&self, inner: &View) -> View {
        let dim = |d: &ViewDim| match d.axis {
            None => *d,
            Some(a) => {
                let outer = self.dims[a];
                ViewDim {
                    offset: d.offset.wrapping_add(d.step.wrapping_mul(outer.offset)),
                    step: d.step.wrapping_mul(outer.step),
                    axis: outer.axis,
                }
            }
        };
        View { dims: inner.dims.iter().map(dim).collect() }
    }

    /// Whether each index maps to itself, between these shapes.
    pub fn is_identity(&self, from: &[usize], to: &[usize]) -> bool {
        from == to
            && self
                .dims
                .iter()
                .enumerate()
                .all(|(a, d)| from[a] == 1 || (d.offset == 0 && d.step == 1 && d.axis == Some(a)))
    }
}

impl std::fmt::Display for View {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[")?;
        for (i, d) in self.dims.iter().enumerate() {
            if i > 0 {
                f.write_str(", ")?;
            }
            match (d.axis, d.offset, d.step) {
                (None, o, _) => write!(f, "{o}")?,
                (Some(a), 0, 1) => write!(f, "i{a}")?,
                (Some(a), 0, s) => write!(f, "{s}*i{a}")?,
                (Some(a), o, 1) => write!(f, "{o}+i{a}")?,
                (Some(a), o, -1) => write!(f, "{o}-i{a}")?,
                (Some(a), o, s) => write!(f, "{o}{s:+}*i{a}")?,
            }
        }
        f.write_str("]")
    }
}
