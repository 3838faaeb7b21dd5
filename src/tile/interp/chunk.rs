//! Many elements side by side, without branches, so that the compiler makes vectors of them.
//!
//! A rule knows the interval of each element of a chunk without a search, for points in order. It computes
//! what is computed of one element, and declines where NumPy goes another way: NaN among the elements or
//! the values, and whatever its guess does not hold for.
//!
//! May not know: what is done instead.

use super::InterpTable;
use super::search::{Formula, Listed, Points};

/// Elements that are computed side by side.
pub(super) const CHUNK: usize = 32;

/// How the elements of a chunk find their intervals.
pub(super) trait Rule {
    /// The values at `x`; `near` is the interval in which the element before was found.
    fn chunk(&self, x: &[f64; CHUNK], near: usize) -> Option<[f64; CHUNK]>;
}

/// Values in memory, in single or double precision.
pub(super) trait Double: Copy {
    /// The value at an address and the one after it.
    ///
    /// # Safety
    /// Both are there.
    unsafe fn pair(at: *const Self) -> [f64; 2];
}

impl Double for f64 {
    #[inline(always)]
    unsafe fn pair(at: *const Self) -> [f64; 2] {
        // SAFETY: the caller's promise.
        unsafe { [at.read_unaligned(), at.add(1).read_unaligned()] }
    }
}

impl Double for f32 {
    /// Both in one word: half as many loads from here and there.
    #[inline(always)]
    unsafe fn pair(at: *const Self) -> [f64; 2] {
        // SAFETY: the caller's promise.
        let word = unsafe { at.cast::<u64>().read_unaligned() };
        let halves = [word as u32, (word >> 32) as u32];
        let [first, second] =
            if cfg!(target_endian = "big") { [halves[1], halves[0]] } else { halves };
        [f32::from_bits(first).into(), f32::from_bits(second).into()]
    }
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
pub(super) struct Unit<V> {
    fp: *const V,
    most: Option<f64>,
    ends: Ends,
}

impl<V: Double> Unit<V> {
    /// # Safety
    /// The table is valid, and `fp` is its values.
    #[inline(always)]
    pub(super) unsafe fn new(fp: *const V, points: &Formula, table: &InterpTable) -> Self {
        // SAFETY: the caller's promise.
        Self { fp, most: most(points.last), ends: unsafe { Ends::new(points, table) } }
    }
}

impl<V: Double> Rule for Unit<V> {
    #[inline(always)]
    fn chunk(&self, x: &[f64; CHUNK], _: usize) -> Option<[f64; CHUNK]> {
        let most = self.most?;
        let (mut y, mut strange) = ([0.0; CHUNK], 0u64);
        for (y, &x) in y.iter_mut().zip(x) {
            let i = index(x, most);
            // SAFETY: an interval of the table: the next point is there, too.
            let [y0, y1] = unsafe { V::pair(self.fp.add(i as usize)) };
            let along = x - f64::from(i);
            // The slope is divided by 1.
            let line = (y1 - y0) * along + y0;
            strange |= u64::from(line.is_nan());
            *y = self.ends.around(x, if along == 0.0 { y0 } else { line });
        }
        (strange == 0).then_some(y)
    }
}

/// Points at even distances: division gives an interval, or the one beside it.
pub(super) struct Spaced<V> {
    fp: *const V,
    most: Option<f64>,
    start: f64,
    step: f64,
    ends: Ends,
}

impl<V: Double> Spaced<V> {
    /// # Safety
    /// The table is valid, and `fp` is its values.
    #[inline(always)]
    pub(super) unsafe fn new(fp: *const V, points: &Formula, table: &InterpTable) -> Self {
        let &Formula { start, step, stop, last } = points;
        // Then they are in order.
        let sound = start.is_finite() && stop.is_finite() && step > 0.0 && step.is_finite();
        let most = most(last).filter(|_| sound && points.point(last - 1) <= stop);
        // SAFETY: the caller's promise.
        Self { fp, most, start, step, ends: unsafe { Ends::new(points, table) } }
    }
}

impl<V: Double> Rule for Spaced<V> {
    #[inline(always)]
    #[allow(clippy::needless_bitwise_bool, reason = "without branches the loop is vectors")]
    fn chunk(&self, x: &[f64; CHUNK], _: usize) -> Option<[f64; CHUNK]> {
        let most = self.most?;
        let scale = 1.0 / self.step;
        let point = |i: f64| i * self.step + self.start;
        let (mut y, mut strange) = ([0.0; CHUNK], 0u64);
        for (y, &x) in y.iter_mut().zip(x) {
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
        (strange == 0).then_some(y)
    }
}

/// Few points, up to `N` intervals: that of an element is the last one whose point is not above it.
pub(super) struct Few<const N: usize> {
    /// Point, value and slope of each interval; no element is beyond a point that is NaN.
    intervals: [[f64; 3]; N],
    ends: Ends,
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
        Some(Self { intervals, ends: unsafe { Ends::new(points, table) } })
    }
}

impl<const N: usize> Few<N> {
    /// The number of the interval of `x`.
    #[inline(always)]
    fn interval(&self, x: f64) -> usize {
        self.intervals[1..].iter().map(|interval| usize::from(x >= interval[0])).sum()
    }

    /// All of `x` on one line, if that is where they are: long runs of a fade or an envelope.
    #[inline(always)]
    fn one_line(&self, x: &[f64; CHUNK]) -> Option<[f64; CHUNK]> {
        let at = self.interval(x[0]);
        if at != self.interval(x[CHUNK - 1]) {
            return None;
        }
        let [x0, y0, slope] = self.intervals[at];
        let next = self.intervals.get(at + 1).map_or(f64::NAN, |interval| interval[0]);
        on_line(x, [x0, if next.is_nan() { self.ends.last } else { next }], y0, slope)
    }
}

impl<const N: usize> Rule for Few<N> {
    #[inline(always)]
    fn chunk(&self, x: &[f64; CHUNK], _: usize) -> Option<[f64; CHUNK]> {
        if let Some(y) = self.one_line(x) {
            return Some(y);
        }
        let (mut y, mut strange) = ([0.0; CHUNK], 0u64);
        for (y, &x) in y.iter_mut().zip(x) {
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
        (strange == 0).then_some(y)
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
    fn chunk(&self, x: &[f64; CHUNK], near: usize) -> Option<[f64; CHUNK]> {
        let (points, table) = self.table.filter(|(points, _)| near < points.last)?;
        let (x0, x1) = (points.point(near), points.point(near + 1));
        // SAFETY: the table has both points, as `new` was promised.
        let (y0, y1) = unsafe { (table.value(near), table.value(near + 1)) };
        on_line(x, [x0, x1], y0, (y1 - y0) / (x1 - x0))
    }
}

/// The values of elements that all lie between two points, on the line from the first of them.
#[inline(always)]
#[allow(clippy::needless_bitwise_bool, reason = "without branches the loop is vectors")]
fn on_line(x: &[f64; CHUNK], ends: [f64; 2], y0: f64, slope: f64) -> Option<[f64; CHUNK]> {
    let (mut y, mut strange) = ([0.0; CHUNK], 0u64);
    for (y, &x) in y.iter_mut().zip(x) {
        *y = slope * (x - ends[0]) + y0;
        strange |= u64::from(y.is_nan() | !((x > ends[0]) & (x < ends[1])));
    }
    (strange == 0).then_some(y)
}

/// Whether points are in order.
#[inline(always)]
fn ascend(points: &Listed) -> bool {
    (0..points.last).all(|i| points.point(i) <= points.point(i + 1))
}
