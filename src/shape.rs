//! Shapes, strides, axes and slices, with NumPy's rules and error texts.
//!
//! May not know: arrays, ops, loops. Strides are in bytes unless a name says otherwise.

use smallvec::SmallVec;

use crate::error::{Error, Result};

/// The extent of each axis.
pub type Shape = SmallVec<[usize; 4]>;
/// The distance in bytes from one element of an axis to the next.
pub type Strides = SmallVec<[isize; 4]>;
/// Axis numbers, in ascending order where a set is meant.
pub type Axes = SmallVec<[usize; 4]>;

/// The largest number of axes, as in NumPy 2.
pub const MAX_RANK: usize = 64;

/// More elements than any array can have.
pub const MAX_LEN: f64 = (isize::MAX / 8) as f64;

/// Elements of an array of this shape; an error when the count does not fit a signed 64-bit size.
pub fn count(shape: &[usize]) -> Result<usize> {
    if shape.contains(&0) {
        return Ok(0);
    }
    shape
        .iter()
        .try_fold(1usize, |n, &e| n.checked_mul(e))
        .filter(|&n| n <= isize::MAX as usize / 8)
        .ok_or_else(|| {
            Error::value(format!("array is too big: shape {} has too many elements", show(shape)))
        })
}

/// Byte strides of a C-ordered array.
pub fn c_strides(shape: &[usize], size: usize) -> Strides {
    let mut strides: Strides = smallvec::smallvec![0; shape.len()];
    let mut step = size;
    for (s, &e) in strides.iter_mut().zip(shape).rev() {
        *s = step.cast_signed();
        step = step.wrapping_mul(e.max(1));
    }
    strides
}

/// Whether these byte strides are those of a C-ordered array (axes of length 1 do not count).
pub fn is_c_ordered(shape: &[usize], strides: &[isize], size: usize) -> bool {
    let natural = c_strides(shape, size);
    shape.contains(&0)
        || shape.iter().zip(strides).zip(&natural).all(|((&e, s), n)| e == 1 || s == n)
}

/// The bytes that elements cover, from the first to one past the last, counted from the first element.
pub fn reach(shape: &[usize], strides: &[isize], size: usize) -> (isize, isize) {
    if shape.contains(&0) {
        return (0, 0);
    }
    let (mut low, mut high) = (0isize, size.cast_signed());
    for (&extent, &stride) in shape.iter().zip(strides) {
        let span = stride.saturating_mul(extent.cast_signed() - 1);
        low = low.saturating_add(span.min(0));
        high = high.saturating_add(span.max(0));
    }
    (low, high)
}

/// The strides with which the same elements in C order take another shape without moving; `None` if
/// they must move. Both shapes have one number of elements.
pub fn reshaped(from: &[usize], strides: &[isize], to: &[usize]) -> Option<Strides> {
    if from.contains(&0) {
        return Some(c_strides(to, 1));
    }
    let mut out: Strides = smallvec::smallvec![0; to.len()];
    let old: SmallVec<[(usize, isize); 4]> =
        from.iter().copied().zip(strides.iter().copied()).filter(|(e, _)| *e != 1).collect();
    let (mut i, mut j) = (0, 0);
    while i < old.len() {
        // The fewest axes of both sides that hold as many elements.
        let (first, start) = (i, j);
        let (mut have, mut want) = (old[i].0, to[j]);
        i += 1;
        j += 1;
        while have != want {
            if have < want {
                have *= old[i].0;
                i += 1;
            } else {
                want *= to[j];
                j += 1;
            }
        }
        // The old ones must be one run.
        for pair in old[first..i].windows(2) {
            if pair[0].1 != pair[1].1.wrapping_mul(pair[1].0.cast_signed()) {
                return None;
            }
        }
        let mut step = old[i - 1].1;
        for a in (start..j).rev() {
            out[a] = step;
            step = step.wrapping_mul(to[a].cast_signed());
        }
    }
    Some(out)
}

/// A shape as Python prints it: `()`, `(3,)`, `(2, 480)`.
pub fn show(shape: &[usize]) -> String {
    match shape {
        [n] => format!("({n},)"),
        _ => {
            let parts: Vec<String> = shape.iter().map(ToString::to_string).collect();
            format!("({})", parts.join(", "))
        }
    }
}

/// The shape that all operands broadcast to.
pub fn broadcast<'a>(
    op: &str,
    shapes: impl IntoIterator<Item = &'a [usize]> + Clone,
) -> Result<Shape> {
    // Most operands have one shape, or none.
    let mut all = shapes.clone().into_iter().filter(|s| !s.is_empty());
    let first = all.next().unwrap_or(&[]);
    if all.all(|s| s == first) {
        return Ok(Shape::from_slice(first));
    }
    let rank = shapes.clone().into_iter().map(<[usize]>::len).max().unwrap_or(0);
    let mut out: Shape = smallvec::smallvec![1; rank];
    for shape in shapes.clone() {
        let pad = rank - shape.len();
        for (o, &e) in out[pad..].iter_mut().zip(shape) {
            if *o == 1 {
                *o = e;
            } else if e != 1 && e != *o {
                let all: Vec<String> = shapes.into_iter().map(show).collect();
                return Err(Error::value(format!(
                    "{op}: operands could not be broadcast together with shapes {}",
                    all.join(" ")
                )));
            }
        }
    }
    Ok(out)
}

/// A non-negative axis; `AxisError` as NumPy words it.
pub fn axis(op: &str, axis: i64, rank: usize) -> Result<usize> {
    let r = rank as i64;
    if axis < -r || axis >= r {
        return Err(Error::axis(format!(
            "{op}: axis {axis} is out of bounds for array of dimension {rank}"
        )));
    }
    Ok(if axis < 0 { axis + r } else { axis } as usize)
}

/// The axes of a reduction in ascending order (`None`: all); duplicates are a `ValueError`.
pub fn axes(op: &str, wanted: Option<&[i64]>, rank: usize) -> Result<Axes> {
    let Some(wanted) = wanted else { return Ok((0..rank).collect()) };
    let mut out = Axes::new();
    for &a in wanted {
        let a = axis(op, a, rank)?;
        if out.contains(&a) {
            return Err(Error::value(format!("{op}: duplicate value in 'axis'")));
        }
        out.push(a);
    }
    out.sort_unstable();
    Ok(out)
}

/// One slice as the user wrote it; it meets a length only when the array's shape is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Slice {
    /// First index, or the natural end.
    pub start: Option<i64>,
    /// One past the last index, or the natural end.
    pub stop: Option<i64>,
    /// Never 0.
    pub step: i64,
}

impl Slice {
    /// First index, step and count on an axis of `len` elements, clamped as Python clamps.
    pub fn resolve(&self, len: usize) -> (usize, i64, usize) {
        let n = len as i64;
        let step = self.step;
        let (low, high) = if step < 0 { (-1, n - 1) } else { (0, n) };
        let clamp = |v: Option<i64>, natural: i64| {
            v.map_or(natural, |v| if v < 0 { v.saturating_add(n).max(low) } else { v.min(high) })
        };
        let start = clamp(self.start, if step < 0 { high } else { low });
        let stop = clamp(self.stop, if step < 0 { low } else { high });
        let span = if step < 0 { start - stop } else { stop - start };
        let count = if span <= 0 { 0 } else { (span - 1) / step.saturating_abs() + 1 };
        (if count == 0 { 0 } else { start as usize }, step, count as usize)
    }
}

/// One item of an index expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Item {
    /// One index, which drops the axis.
    At(i64),
    /// A slice of one axis.
    Slice(Slice),
    /// A new axis of length 1.
    NewAxis,
    /// As many whole axes as are left.
    Ellipsis,
}

/// The places of the elements of some axes, in C order, counted from the first.
pub struct Places<'a> {
    shape: &'a [usize],
    strides: &'a [isize],
    index: Shape,
    at: isize,
}

impl<'a> Places<'a> {
    /// From the first element on.
    pub fn new(shape: &'a [usize], strides: &'a [isize]) -> Self {
        Self { shape, strides, index: smallvec::smallvec![0; shape.len()], at: 0 }
    }

    /// The next place; after the last comes the first.
    pub fn advance(&mut self) -> isize {
        let here = self.at;
        for i in (0..self.shape.len()).rev() {
            self.index[i] += 1;
            self.at += self.strides[i];
            if self.index[i] < self.shape[i] {
                break;
            }
            self.at -= self.strides[i] * self.shape[i].cast_signed();
            self.index[i] = 0;
        }
        here
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broadcasting_names_the_op_and_the_shapes() {
        assert_eq!(broadcast("add", [&[2, 1][..], &[3][..]]).unwrap()[..], [2, 3]);
        assert_eq!(broadcast("add", [&[0][..], &[1][..]]).unwrap()[..], [0]);
        let err = broadcast("add", [&[2][..], &[3][..]]).unwrap_err();
        assert_eq!(
            err.message(),
            "add: operands could not be broadcast together with shapes (2,) (3,)"
        );
    }

    #[test]
    fn reshapes_move_nothing_only_where_axes_are_one_run() {
        let strides = |from: &[usize], strides: &[isize], to: &[usize]| {
            reshaped(from, strides, to).map(|s| s.to_vec())
        };
        assert_eq!(strides(&[2, 3], &[3, 1], &[6]), Some(vec![1]));
        assert_eq!(strides(&[6], &[-1], &[2, 3]), Some(vec![-3, -1]));
        assert_eq!(strides(&[3, 2], &[1, 3], &[6]), None);
        assert_eq!(strides(&[4, 3, 1], &[6, 2, 0], &[2, 1, 2, 3]), Some(vec![12, 12, 6, 2]));
        assert_eq!(strides(&[2, 2], &[4, 1], &[4]), None);
        assert_eq!(strides(&[], &[], &[1, 1]), Some(vec![0, 0]));
    }

    #[test]
    fn slices_clamp_like_python() {
        let s = |start, stop, step| Slice { start, stop, step };
        assert_eq!(s(None, None, -1).resolve(5), (4, -1, 5));
        assert_eq!(s(Some(-2), None, 1).resolve(5), (3, 1, 2));
        assert_eq!(s(Some(i64::MIN), Some(i64::MAX), 2).resolve(5), (0, 2, 3));
        assert_eq!(s(Some(9), Some(1), 1).resolve(5), (0, 1, 0));
        assert_eq!(s(Some(4), Some(0), -3).resolve(5), (4, -3, 2));
        assert_eq!(s(None, None, i64::MIN).resolve(3), (2, i64::MIN, 1));
    }
}
