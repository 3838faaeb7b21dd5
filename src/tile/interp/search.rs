//! One element after the other: where it lies among the points, and its value there.
//!
//! May not know: how chunks are computed.

use super::chunk::CHUNK;
use super::{Elements, InterpTable, Out};

/// How far around the last interval a search looks before it takes the whole table.
const WINDOW: usize = 8;

/// The points of a table.
pub(super) trait Points {
    /// Point `i`, which the table has.
    fn point(&self, i: usize) -> f64;

    /// The number of the last one.
    fn last(&self) -> usize;

    /// The interval of `x`, which lies between the first and the last point: the last point not above it,
    /// `None` where there is none. `near` is where the element before was found.
    fn find(&self, x: f64, near: usize) -> Option<usize>;
}

/// Points in memory.
pub(super) struct Listed {
    /// The points.
    pub xp: *const f64,
    /// The number of the last one.
    pub last: usize,
}

/// Points at even distances.
pub(super) struct Formula {
    /// The first point.
    pub start: f64,
    /// The distance of two.
    pub step: f64,
    /// The last point.
    pub stop: f64,
    /// The number of the last one.
    pub last: usize,
}

impl Formula {
    /// Whether each point is its number.
    #[inline(always)]
    pub(super) fn is_counting(&self) -> bool {
        self.start == 0.0 && self.step == 1.0 && self.stop == self.last as f64
    }
}

impl Points for Listed {
    #[inline(always)]
    fn point(&self, i: usize) -> f64 {
        // SAFETY: asked for points of the table only.
        unsafe { self.xp.add(i).read_unaligned() }
    }

    #[inline(always)]
    fn last(&self) -> usize {
        self.last
    }

    #[inline(always)]
    fn find(&self, x: f64, near: usize) -> Option<usize> {
        search(self, x, near)
    }
}

impl Points for Formula {
    #[inline(always)]
    fn point(&self, i: usize) -> f64 {
        match i {
            0 => self.start,
            _ if i == self.last => self.stop,
            _ => i as f64 * self.step + self.start,
        }
    }

    #[inline(always)]
    fn last(&self) -> usize {
        self.last
    }

    /// By division, which is rarely off by more than one.
    #[inline(always)]
    fn find(&self, x: f64, _: usize) -> Option<usize> {
        // The conversion saturates, and NaN becomes 0.
        let guess = (((x - self.start) * (1.0 / self.step)) as usize).min(self.last);
        if self.point(guess) <= x {
            if guess == self.last || x < self.point(guess + 1) {
                return Some(guess);
            }
        } else if guess > 0 && self.point(guess - 1) <= x {
            return Some(guess - 1);
        }
        search(self, x, guess)
    }
}

/// Interpolates the chunk from element `first` on; `near` is where the element before was found.
///
/// # Safety
/// Its elements are there, and so is room for their values; the table is valid and has these points.
#[inline(never)]
pub(super) unsafe fn one_by_one(
    to: Out,
    a: &impl Elements,
    first: usize,
    table: &InterpTable,
    points: &impl Points,
    near: &mut usize,
) {
    for i in 0..CHUNK {
        // SAFETY: the caller's promise.
        unsafe {
            let x = a.one(first + i);
            to.at(i).write_one(at(x, table, points, near));
        }
    }
}

/// The value at `x`, tested in NumPy's order, which decides for descending points.
///
/// # Safety
/// The table is valid and has these points.
#[inline(always)]
unsafe fn at(x: f64, table: &InterpTable, points: &impl Points, near: &mut usize) -> f64 {
    let last = points.last();
    // SAFETY: asked for points of the table only.
    let value = |i: usize| unsafe { table.value(i) };
    // One point is above NaN's reach.
    if x.is_nan() && last > 0 {
        return x;
    }
    if last == 0 {
        return if x < points.point(0) {
            table.left
        } else if x > points.point(0) {
            table.right
        } else {
            value(0)
        };
    }
    if x > points.point(last) {
        *near = last;
        return table.right;
    }
    if x < points.point(0) {
        *near = 0;
        return table.left;
    }
    let Some(i) = points.find(x, *near) else {
        *near = 0;
        return table.left;
    };
    *near = i;
    let (x0, y0) = (points.point(i), value(i));
    if i == last || x0 == x {
        return y0;
    }
    let (x1, y1) = (points.point(i + 1), value(i + 1));
    let slope = (y1 - y0) / (x1 - x0);
    let y = slope * (x - x0) + y0;
    if !y.is_nan() {
        return y;
    }
    // Infinities: NumPy tries from the other end.
    let y = slope * (x - x1) + y1;
    if y.is_nan() && y0 == y1 { y0 } else { y }
}

/// The interval of `x`, looked for around `near`: NumPy's search, so that points out of order and NaN among
/// them give what they give there.
#[inline(always)]
#[allow(clippy::neg_cmp_op_on_partial_ord, reason = "NaN goes the way of NumPy's comparison")]
fn search(points: &impl Points, x: f64, near: usize) -> Option<usize> {
    let point = |i: usize| points.point(i);
    let len = points.last() + 1;
    if len <= 4 {
        let above = (1..len).find(|&i| !(x >= point(i)));
        return Some(above.unwrap_or(len) - 1);
    }
    // Every point before `low` is taken as not above `x`, every one from `high` on as above.
    let (mut low, mut high) = (0, len);
    let near = near.clamp(1, len - 3);
    if x < point(near) {
        if !(x < point(near - 1)) {
            return Some(near - 1);
        }
        high = near - 1;
        if near > WINDOW && x >= point(near - WINDOW) {
            low = near - WINDOW;
        }
    } else {
        if x < point(near + 1) {
            return Some(near);
        }
        if x < point(near + 2) {
            return Some(near + 1);
        }
        low = near + 2;
        if near + WINDOW + 1 < len && x < point(near + WINDOW) {
            high = near + WINDOW;
        }
    }
    while low < high {
        let middle = low + (high - low) / 2;
        if x >= point(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low.checked_sub(1)
}
