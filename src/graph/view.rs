//! Where a view's elements lie in its operand: per operand axis, a line through the index space.

use smallvec::SmallVec;

use crate::error::Result;
use crate::expr::{at, expand, same_but_for_ones};
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

    /// The operand under a shape that differs in axes of length 1 alone; `None` for another one.
    pub fn reshape(from: &[usize], to: &[usize]) -> Option<Self> {
        if !same_but_for_ones(from, to) {
            return None;
        }
        let mut wide = to.iter().enumerate().filter(|&(_, &e)| e != 1).map(|(a, _)| a);
        let dim = |&e: &usize| match if e == 1 { None } else { wide.next() } {
            None => ViewDim { offset: 0, step: 0, axis: None },
            axis => ViewDim { offset: 0, step: 1, axis },
        };
        Some(Self { dims: from.iter().map(dim).collect() })
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

    /// How the view moves along each axis of its operand, for a view of this shape: the first index,
    /// and the step and axis where there is more than one.
    fn lines<'a>(
        &'a self,
        shape: &'a [usize],
    ) -> impl Iterator<Item = (i64, i64, Option<usize>)> + 'a {
        self.dims.iter().map(|d| match d.axis {
            Some(a) if shape[a] > 1 => (d.offset, d.step, Some(a)),
            _ => (d.offset, 0, None),
        })
    }

    /// Whether no two indices of a view of this shape meet the same element.
    pub fn is_injective(&self, shape: &[usize]) -> bool {
        let moved = |axis: usize| self.dims.iter().any(|d| d.axis == Some(axis) && d.step != 0);
        (0..shape.len()).all(|a| shape[a] <= 1 || moved(a))
    }

    /// Whether two views of this shape meet the same element at each index.
    pub fn same(&self, other: &View, shape: &[usize]) -> bool {
        self.lines(shape).eq(other.lines(shape))
    }

    /// Whether two views, none of them empty, surely have no element in common.
    pub fn disjoint(&self, shape: &[usize], other: &View, other_shape: &[usize]) -> bool {
        self.lines(shape).zip(other.lines(other_shape)).any(|((a, s, x), (b, t, y))| {
            let last = |step: i64, axis: Option<usize>, shape: &[usize]| {
                axis.map_or(0, |axis| step * (shape[axis] as i64 - 1))
            };
            let (a2, b2) = (a + last(s, x, shape), b + last(t, y, other_shape));
            let apart = gcd(s.unsigned_abs(), t.unsigned_abs());
            a.max(a2) < b.min(b2)
                || b.max(b2) < a.min(a2)
                || (apart > 1 && a.abs_diff(b) % apart != 0)
        })
    }

    /// The view that undoes this one, which has this shape and meets each element of `from` once.
    pub fn inverse(&self, shape: &[usize], from: &[usize]) -> Option<View> {
        let count = |shape: &[usize]| shape.iter().product::<usize>();
        if count(shape) != count(from) || !self.is_injective(shape) {
            return None;
        }
        let mut dims: SmallVec<[ViewDim; 4]> =
            shape.iter().map(|_| ViewDim { offset: 0, step: 0, axis: None }).collect();
        for (at, (offset, step, axis)) in self.lines(shape).enumerate() {
            if let Some(axis) = axis {
                // A line that meets every element goes up or down by one.
                dims[axis] = ViewDim { offset: -step * offset, step, axis: Some(at) };
            }
        }
        Some(View { dims })
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

fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::Slice;

    /// The view of `from` by slices, and its shape.
    fn sliced(from: &[usize], slices: &[(Option<i64>, Option<i64>, i64)]) -> (View, Shape) {
        let slice = |&(start, stop, step)| Item::Slice(Slice { start, stop, step });
        View::index(&slices.iter().map(slice).collect::<Vec<_>>(), from).unwrap()
    }

    /// The elements that a view of this shape meets, in order.
    fn places(view: &View, shape: &[usize]) -> Vec<Vec<i64>> {
        let count: usize = shape.iter().product();
        let place = |mut k: usize| {
            let mut index = vec![0i64; shape.len()];
            for (i, &e) in index.iter_mut().zip(shape).rev() {
                *i = (k % e) as i64;
                k /= e;
            }
            let at = |d: &ViewDim| d.offset + d.axis.map_or(0, |a| d.step * index[a]);
            view.dims.iter().map(at).collect()
        };
        (0..count).map(place).collect()
    }

    #[test]
    fn views_apart_have_no_element_in_common() {
        let all = [None, Some(0), Some(1), Some(3), Some(-2)];
        let mut views = Vec::new();
        for (start, stop, step) in all
            .iter()
            .flat_map(|&a| all.iter().flat_map(move |&b| [1, 2, -1, -3].map(|step| (a, b, step))))
        {
            views.push(sliced(&[7], &[(start, stop, step)]));
        }
        let mut apart = 0;
        for (a, x) in views.iter().filter(|v| v.1[0] > 0) {
            for (b, y) in views.iter().filter(|v| v.1[0] > 0) {
                let (p, q) = (places(a, x), places(b, y));
                if a.disjoint(x, b, y) {
                    assert!(!p.iter().any(|e| q.contains(e)), "{a} {x:?} and {b} {y:?}");
                    apart += 1;
                }
                if x == y && a.same(b, x) {
                    assert_eq!(p, q);
                }
            }
        }
        assert!(apart > 100);
        let (even, shape) = sliced(&[6, 4], &[(None, None, 2), (None, None, 1)]);
        let (odd, _) = sliced(&[6, 4], &[(Some(1), None, 2), (None, None, 1)]);
        assert!(even.disjoint(&shape, &odd, &shape));
    }

    #[test]
    fn an_inverse_leads_back() {
        let (reversed, _) = sliced(&[3, 5], &[(None, None, -1), (None, None, 1)]);
        let turned = View::transpose(&[1, 0]).of(&reversed);
        let back = turned.inverse(&[5, 3], &[3, 5]).unwrap();
        let there = places(&turned, &[5, 3]);
        for (k, at) in places(&back, &[3, 5]).iter().enumerate() {
            let from = (at[0] * 3 + at[1]) as usize;
            assert_eq!(there[from], [k as i64 / 5, k as i64 % 5]);
        }
        let (part, shape) = sliced(&[4], &[(Some(1), None, 1)]);
        assert_eq!(part.inverse(&shape, &[4]), None);
    }
}
