//! Many elements side by side, without branches, so that the compiler makes vectors of them.
//!
//! A rule knows the interval of each element of a chunk without a search, for points in order. It computes
//! what is computed of one element, and declines where NumPy goes another way: NaN among the elements or
//! the values, and whatever its guess does not hold for.
//!
//! May not know: what is done instead.

use std::marker::PhantomData;

use super::InterpTable;
use super::pairs::{Double, Neighbours};
use super::search::{Formula, Listed, Points};

/// Elements that are computed side by side.
pub(super) const CHUNK: usize = 32;

/// Elements of a chunk: whole registers, as stores and loads of them have it that follow each other.
#[derive(Clone, Copy)]
#[repr(align(64))]
pub(super) struct Chunk<T>(pub [T; CHUNK]);

impl<T: Copy> Chunk<T> {
    /// Each of them as something else. (`array::map` is not inlined where it has to be.)
    #[inline(always)]
    pub(super) fn converted<U: Copy + Default>(&self, f: impl Fn(T) -> U) -> Chunk<U> {
        let mut all = Chunk([U::default(); CHUNK]);
        for (to, &from) in all.0.iter_mut().zip(&self.0) {
            *to = f(from);
        }
        all
    }
}

/// How the elements of a chunk find their intervals.
pub(super) trait Rule {
    /// Puts the values at `x` into `y`, or declines by `false`. `in_order`: all lie between the first and the last;
    /// `near` is the interval in which the element before was found.
    fn chunk(&mut self, x: &Chunk<f64>, in_order: bool, near: usize, y: &mut Chunk<f64>) -> bool;
}

/// What lies beyond the first and the last point, and on it.
#[derive(Clone, Copy)]
struct Ends {
    first: f64,
    last: f64,
    at_last: f64,
    left: f64,
    right: f64,
}

impl Ends {
    /// # Safety
    /// The table is valid and has these points.
    #[inline(always)]
    unsafe fn new(points: &impl Points, table: &InterpTable) -> Self {
        let last = points.last();
        Self {
            first: points.point(0),
            last: points.point(last),
            // SAFETY: the caller's promise.
            at_last: unsafe { table.value(last) },
            left: table.left,
            right: table.right,
        }
    }

    /// `y` for `x` between the points, else what belongs there.
    #[inline(always)]
    fn around(&self, x: f64, y: f64) -> f64 {
        let y = if x >= self.last { self.at_last } else { y };
        let y = if x > self.last { self.right } else { y };
        if x < self.first { self.left } else { y }
    }
}

/// The number of the greatest interval that a rule computes with, as its index and as a point.
fn most(last: usize) -> Option<f64> {
    // Indices are `i32` in vectors.
    (1..i32::MAX as usize).contains(&last).then(|| (last - 1) as f64)
}

/// `x` as an index from 0 to `most`; NaN is 0.
#[inline(always)]
fn index(x: f64, most: f64) -> i32 {
    let x = if x > 0.0 { x } else { 0.0 };
    let x = if x < most { x } else { most };
    // SAFETY: from 0 to `most`, which is below 2^31.
    unsafe { x.to_int_unchecked() }
}

/// Points that are their own numbers: an element is its interval and the way into it.
pub(super) struct Unit<V, N> {
    fp: *const V,
    most: Option<f64>,
    ends: Ends,
    build: PhantomData<N>,
}

impl<V: Double, N: Neighbours<V>> Unit<V, N> {
    /// # Safety
    /// The table is valid, and `fp` is its values.
    #[inline(always)]
    pub(super) unsafe fn new(fp: *const V, points: &Formula, table: &InterpTable) -> Self {
        let most = most(points.last);
        // SAFETY: the caller's promise.
        Self { fp, most, ends: unsafe { Ends::new(points, table) }, build: PhantomData }
    }

    /// The value at `x` in the interval of the point `i`, between `y0` and `y1`; and the line there, which may be
    /// NaN.
    #[inline(always)]
    fn value(x: f64, i: f64, [y0, y1]: [f64; 2]) -> (f64, f64) {
        let along = x - i;
        // The slope is divided by 1.
        let line = (y1 - y0) * along + y0;
        (if along == 0.0 { y0 } else { line }, line)
    }
}

impl<V: Double, N: Neighbours<V>> Rule for Unit<V, N> {
    #[inline(always)]
    fn chunk(&mut self, x: &Chunk<f64>, _: bool, _: usize, y: &mut Chunk<f64>) -> bool {
        let Some(most) = self.most else { return false };
        let mut strange = 0u64;
        // SAFETY: there are so many values.
        if let Some(sides) = unsafe { N::between(self.fp, most as usize + 1, x) } {
            for k in 0..CHUNK {
                let (x, sides) = (x.0[k], [sides[0].0[k], sides[1].0[k]]);
                let (value, line) = Self::value(x, x.floor(), sides);
                strange |= u64::from(line.is_nan());
                y.0[k] = value;
            }
            return strange == 0;
        }
        for (y, &x) in y.0.iter_mut().zip(&x.0) {
            let i = index(x, most);
            // SAFETY: an interval of the table: the next point is there, too.
            let sides = unsafe { V::pair(self.fp.add(i as usize)) };
            let (value, line) = Self::value(x, i.into(), sides);
            strange |= u64::from(line.is_nan());
            *y = self.ends.around(x, value);
        }
        strange == 0
    }
}

/// Points at even distances: division gives an interval, or the one beside it.
pub(super) struct Spaced<V, N> {
    fp: *const V,
    most: Option<f64>,
    start: f64,
    step: f64,
    ends: Ends,
    build: PhantomData<N>,
}

impl<V: Double, N: Neighbours<V>> Spaced<V, N> {
    /// # Safety
    /// The table is valid, and `fp` is its values.
    #[inline(always)]
    pub(super) unsafe fn new(fp: *const V, points: &Formula, table: &InterpTable) -> Self {
        let &Formula { start, step, stop, last } = points;
        // Then they are in order.
        let sound = start.is_finite() && stop.is_finite() && step > 0.0 && step.is_finite();
        let most = most(last).filter(|_| sound && points.point(last - 1) <= stop);
        // SAFETY: the caller's promise.
        let ends = unsafe { Ends::new(points, table) };
        Self { fp, most, start, step, ends, build: PhantomData }
    }
}

impl<V: Double, N: Neighbours<V>> Rule for Spaced<V, N> {
    #[inline(always)]
    #[allow(clippy::needless_bitwise_bool, reason = "without branches the loop is vectors")]
    fn chunk(&mut self, x: &Chunk<f64>, _: bool, _: usize, y: &mut Chunk<f64>) -> bool {
        let Some(most) = self.most else { return false };
        let scale = 1.0 / self.step;
        let point = |i: f64| i * self.step + self.start;
        let mut strange = 0u64;
        if N::HAS_WINDOWS {
            let at = x.converted(|x| {
                let guess = ((x - self.start) * scale).floor();
                let above = if x >= point(guess + 1.0) { 1.0 } else { 0.0 };
                let below = if x < point(guess) { 1.0 } else { 0.0 };
                guess + above - below
            });
            // SAFETY: there are more values. The last interval, whose end is no formula, is not looked for.
            if let Some(sides) = unsafe { N::between(self.fp, most as usize, &at) } {
                for k in 0..CHUNK {
                    let (x, x0, x1) = (x.0[k], point(at.0[k]), point(at.0[k] + 1.0));
                    let (y0, y1) = (sides[0].0[k], sides[1].0[k]);
                    let line = (y1 - y0) / (x1 - x0) * (x - x0) + y0;
                    strange |= u64::from(line.is_nan() | !((x0 <= x) & (x < x1)));
                    y.0[k] = if x == x0 { y0 } else { line };
                }
                if strange == 0 {
                    return true;
                }
                strange = 0;
            }
        }
        for (y, &x) in y.0.iter_mut().zip(&x.0) {
            let guess = f64::from(index((x - self.start) * scale, most));
            let above = if x >= point(guess + 1.0) { 1.0 } else { 0.0 };
            let below = if x < point(guess) { 1.0 } else { 0.0 };
            let i = index(guess + above - below, most);
            let number = f64::from(i);
            let x0 = point(number);
            let x1 = if number == most { self.ends.last } else { point(number + 1.0) };
            // SAFETY: an interval of the table: the next point is there, too.
            let [y0, y1] = unsafe { V::pair(self.fp.add(i as usize)) };
            let line = (y1 - y0) / (x1 - x0) * (x - x0) + y0;
            let inside = (x0 <= x) & (x < x1);
            let outside = (x < self.ends.first) | (x >= self.ends.last);
            strange |= u64::from(line.is_nan() | !(inside | outside));
            *y = self.ends.around(x, if x == x0 { y0 } else { line });
        }
        strange == 0
    }
}

/// The line between two points, for elements that all lie there.
#[derive(Clone, Copy)]
struct Line {
    x0: f64,
    /// Where it ends; below `x0` if it is not to be used.
    x1: f64,
    y0: f64,
    slope: f64,
}

impl Line {
    /// From one point to another.
    #[inline(always)]
    fn new([x0, x1]: [f64; 2], y0: f64, slope: f64) -> Self {
        // Then no value on it is NaN.
        let tame = slope.is_finite() && y0.is_finite() && (x1 - x0).is_finite();
        Self { x0, x1: if tame { x1 } else { f64::NEG_INFINITY }, y0, slope }
    }

    /// The values of elements; false unless all lie between the points.
    #[inline(always)]
    #[allow(clippy::needless_bitwise_bool, reason = "without branches the loop is vectors")]
    fn values(&self, x: &Chunk<f64>, in_order: bool, y: &mut Chunk<f64>) -> bool {
        let outside = |x: f64| u64::from(!((x > self.x0) & (x < self.x1)));
        let value = |x: f64| self.slope * (x - self.x0) + self.y0;
        if in_order {
            *y = x.converted(value);
            return outside(x.0[0]) | outside(x.0[CHUNK - 1]) == 0;
        }
        let mut found = 0;
        for (y, &x) in y.0.iter_mut().zip(&x.0) {
            *y = value(x);
            found |= outside(x);
        }
        found == 0
    }
}

/// Few points, up to `N` intervals: that of an element is the last one whose point is not above it.
pub(super) struct Few<const N: usize> {
    /// Point, value and slope of each interval; no element is beyond a point that is NaN.
    intervals: [[f64; 3]; N],
    ends: Ends,
    /// Where the chunk before was: long runs of a fade or an envelope are on one line.
    line: Line,
}

impl<const N: usize> Few<N> {
    /// `None` for more points, and for points out of order.
    ///
    /// # Safety
    /// The table is valid and has these points.
    #[inline(always)]
    pub(super) unsafe fn new(points: &Listed, table: &InterpTable) -> Option<Self> {
        let count = points.last;
        if !(1..=N).contains(&count) || !ascend(points) {
            return None;
        }
        let mut intervals = [[f64::NAN; 3]; N];
        for (i, interval) in intervals[..count].iter_mut().enumerate() {
            let (x0, x1) = (points.point(i), points.point(i + 1));
            // SAFETY: the caller's promise.
            let (y0, y1) = unsafe { (table.value(i), table.value(i + 1)) };
            *interval = [x0, y0, (y1 - y0) / (x1 - x0)];
        }
        // SAFETY: the caller's promise.
        let ends = unsafe { Ends::new(points, table) };
        Some(Self { intervals, ends, line: Line::new([0.0; 2], 0.0, 0.0) })
    }

    /// The line on which `x` is.
    #[inline(always)]
    fn line_at(&self, x: f64) -> Line {
        let at: usize =
            self.intervals[1..].iter().map(|interval| usize::from(x >= interval[0])).sum();
        let [x0, y0, slope] = self.intervals[at];
        let next = self.intervals.get(at + 1).filter(|next| !next[0].is_nan());
        let x1 = next.map_or(self.ends.last, |next| next[0]);
        Line::new([x0, x1], y0, slope)
    }
}

impl<const N: usize> Rule for Few<N> {
    #[inline(always)]
    fn chunk(&mut self, x: &Chunk<f64>, in_order: bool, _: usize, y: &mut Chunk<f64>) -> bool {
        if self.line.values(x, in_order, y) {
            return true;
        }
        self.line = self.line_at(x.0[0]);
        if self.line.values(x, in_order, y) {
            return true;
        }
        let mut strange = 0u64;
        for (y, &x) in y.0.iter_mut().zip(&x.0) {
            let [mut x0, mut y0, mut slope] = self.intervals[0];
            for &[point, value, rise] in &self.intervals[1..] {
                x0 = if x >= point { point } else { x0 };
                y0 = if x >= point { value } else { y0 };
                slope = if x >= point { rise } else { slope };
            }
            let line = slope * (x - x0) + y0;
            strange |= u64::from(line.is_nan());
            *y = self.ends.around(x, if x == x0 { y0 } else { line });
        }
        strange == 0
    }
}

/// Tables of fewer points are looked through at each tile, to see whether they ascend.
const SHORT: usize = 64;

/// Some more points: long runs of elements lie between two of them, as those of an envelope do.
pub(super) struct Run<'a> {
    /// `None` where points are out of order, or too many to say.
    table: Option<(&'a Listed, &'a InterpTable)>,
}

impl<'a> Run<'a> {
    /// # Safety
    /// The table is valid, has these points, and stays as it is.
    #[inline(always)]
    pub(super) unsafe fn new(points: &'a Listed, table: &'a InterpTable) -> Self {
        let ordered = points.last < SHORT && ascend(points);
        Self { table: ordered.then_some((points, table)) }
    }
}

impl Rule for Run<'_> {
    #[inline(always)]
    fn chunk(&mut self, x: &Chunk<f64>, in_order: bool, near: usize, y: &mut Chunk<f64>) -> bool {
        let Some((points, table)) = self.table.filter(|(points, _)| near < points.last) else {
            return false;
        };
        let (x0, x1) = (points.point(near), points.point(near + 1));
        // SAFETY: the table has both points, as `new` was promised.
        let (y0, y1) = unsafe { (table.value(near), table.value(near + 1)) };
        Line::new([x0, x1], y0, (y1 - y0) / (x1 - x0)).values(x, in_order, y)
    }
}

/// Whether points are in order.
#[inline(always)]
fn ascend(points: &Listed) -> bool {
    (0..points.last).all(|i| points.point(i) <= points.point(i + 1))
}
