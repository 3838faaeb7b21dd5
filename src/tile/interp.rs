//! Linear interpolation in a table: `np.interp`'s results, bit for bit.
//!
//! The points may be in memory or given by a formula; a formula's points are found by division and
//! checked, without ever being in memory. Whatever the points hold (NaN, any order, steps of 0 or
//! infinity), no index leaves the table and no search is endless; out of order they give what NumPy
//! gives, whose search begins where the one before ended. Here each tile begins anew.
//!
//! May not know: where tables come from.

/// An interpolation table as a tile function sees it. `#[repr(C)]`, immutable during a launch.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct InterpTable {
    /// The points.
    pub grid: Grid,
    /// The values at the points.
    pub fp: *const f64,
    /// How many, at least 1.
    pub len: usize,
    /// The value below the first point.
    pub left: f64,
    /// The value above the last point.
    pub right: f64,
}

/// The points of a table.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub enum Grid {
    /// Ascending, in memory.
    Memory(*const f64),
    /// `start + i * step`.
    Arange {
        /// The first point.
        start: f64,
        /// The distance of two.
        step: f64,
    },
    /// `i * step + start`, the last being `stop`.
    Linspace {
        /// The first point.
        start: f64,
        /// The distance of two.
        step: f64,
        /// The last point.
        stop: f64,
    },
}

/// How far around the last interval a search looks before it takes the whole table.
const WINDOW: usize = 8;

/// Interpolates: `out`, `a` are `float64` tiles, `b` is the address of an [`InterpTable`]. A [`super::MapFn`].
///
/// # Safety
/// As for any tile function; the table must be valid.
pub unsafe extern "C" fn interp(
    out: *mut u8,
    a: *const u8,
    b: *const u8,
    c: *const u8,
    n: usize,
    status: *mut u32,
) {
    let _ = (c, status);
    // SAFETY: the caller's promise.
    let table = unsafe { b.cast::<InterpTable>().read_unaligned() };
    let last = table.len - 1;
    // SAFETY: the caller's tiles and table, for each kind of points.
    unsafe {
        match table.grid {
            Grid::Memory(xp) => {
                let point = |i: usize| xp.add(i).read_unaligned();
                tile(out, a, n, &table, point, |x, near| search(point, last, x, near));
            }
            Grid::Arange { start, step } => {
                let point = |i: usize| start + i as f64 * step;
                let guess = guesser(start, step, last);
                tile(out, a, n, &table, point, |x, _| settle(point, last, x, guess(x)));
            }
            Grid::Linspace { start, step, stop } => {
                let point = |i: usize| match i {
                    0 => start,
                    _ if i == last => stop,
                    _ => i as f64 * step + start,
                };
                let guess = guesser(start, step, last);
                tile(out, a, n, &table, point, |x, _| settle(point, last, x, guess(x)));
            }
        }
    }
}

/// Tables of fewer points are looked through at each tile, to see whether they ascend.
const FEW: usize = 64;
/// Elements that are tried at once between two points.
const CHUNK: usize = 16;

/// The loop over a tile. `find(x, near)` is called for `x` between the first and the last point and
/// gives the interval of `x`: the last point not above it, `None` where there is none.
///
/// # Safety
/// `out` and `a` are tiles of `n` doubles, `table` is valid, and `find` gives indices below its length.
#[inline(always)]
unsafe fn tile(
    out: *mut u8,
    a: *const u8,
    n: usize,
    table: &InterpTable,
    point: impl Fn(usize) -> f64,
    find: impl Fn(f64, usize) -> Option<usize>,
) {
    let last = table.len - 1;
    let (first_point, last_point) = (point(0), point(last));
    // SAFETY: asked for points of the table only.
    let value = |i: usize| unsafe { table.fp.add(i).read_unaligned() };
    let mut interval = 0;
    let at = |x: f64, interval: &mut usize| {
        // In NumPy's order, which decides for descending points. One point is above NaN's reach.
        if x.is_nan() && last > 0 {
            return x;
        }
        if last == 0 {
            return if x < first_point {
                table.left
            } else if x > first_point {
                table.right
            } else {
                value(0)
            };
        }
        if x > last_point {
            *interval = last;
            return table.right;
        }
        if x < first_point {
            *interval = 0;
            return table.left;
        }
        let Some(i) = find(x, *interval) else {
            *interval = 0;
            return table.left;
        };
        *interval = i;
        let (x0, y0) = (point(i), value(i));
        if i == last || x0 == x {
            return y0;
        }
        let (x1, y1) = (point(i + 1), value(i + 1));
        let slope = (y1 - y0) / (x1 - x0);
        let y = slope * (x - x0) + y0;
        if !y.is_nan() {
            return y;
        }
        // Infinities: NumPy tries from the other end.
        let y = slope * (x - x1) + y1;
        if y.is_nan() && y0 == y1 { y0 } else { y }
    };
    let ascending = last < FEW && (0..last).all(|i| point(i) <= point(i + 1));
    let mut i = 0;
    while i < n {
        let count = CHUNK.min(n - i);
        // SAFETY: elements `i..i + count` are the tile's; each is read before its place is written.
        unsafe {
            let (from, to) = (a.cast::<f64>().add(i), out.cast::<f64>().add(i));
            let mut y = None;
            if ascending && interval < last && count == CHUNK {
                let ends = [interval, interval + 1].map(|i| (point(i), value(i)));
                y = between(from.cast::<[f64; CHUNK]>().read_unaligned(), ends);
            }
            match y {
                Some(y) => to.cast::<[f64; CHUNK]>().write_unaligned(y),
                None => {
                    for k in 0..count {
                        let x = from.add(k).read_unaligned();
                        to.add(k).write_unaligned(at(x, &mut interval));
                    }
                }
            }
        }
        i += CHUNK;
    }
}

/// The values at elements that all lie between two points, as long runs of a fade or an envelope do: what is
/// computed of each is the same, without a search and with one division.
#[inline(always)]
#[allow(clippy::needless_bitwise_bool, reason = "without branches the loops are vectors")]
fn between(x: [f64; CHUNK], [(x0, y0), (x1, y1)]: [(f64, f64); 2]) -> Option<[f64; CHUNK]> {
    let slope = (y1 - y0) / (x1 - x0);
    let y = x.map(|x| slope * (x - x0) + y0);
    let inside = x.iter().fold(true, |all, &x| all & (x > x0) & (x < x1));
    let numbers = y.iter().fold(true, |all, &y| all & !y.is_nan());
    (inside & numbers).then_some(y)
}

/// The interval of `x`, looked for around `near`: NumPy's search, so that points out of order and NaN among
/// them give what they give there.
#[inline(always)]
#[allow(clippy::neg_cmp_op_on_partial_ord, reason = "NaN goes the way of NumPy's comparison")]
fn search(point: impl Fn(usize) -> f64, last: usize, x: f64, near: usize) -> Option<usize> {
    let len = last + 1;
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

/// Where division puts `x` among evenly spaced points: at or near its interval.
#[inline(always)]
fn guesser(start: f64, step: f64, last: usize) -> impl Fn(f64) -> usize {
    let scale = 1.0 / step;
    // The conversion saturates, and NaN becomes 0.
    move |x| (((x - start) * scale) as usize).min(last)
}

/// The interval of `x` from a guess that is rarely off by more than one.
#[inline(always)]
fn settle(point: impl Fn(usize) -> f64, last: usize, x: f64, guess: usize) -> Option<usize> {
    if point(guess) <= x {
        if guess == last || x < point(guess + 1) {
            return Some(guess);
        }
    } else if guess > 0 && point(guess - 1) <= x {
        return Some(guess - 1);
    }
    search(point, last, x, guess)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `np.interp` as it is written, with a plain search.
    fn naive(x: f64, xp: &[f64], fp: &[f64], left: f64, right: f64) -> f64 {
        let last = xp.len() - 1;
        if last == 0 {
            return if x < xp[0] {
                left
            } else if x > xp[0] {
                right
            } else {
                fp[0]
            };
        }
        if x.is_nan() {
            return x;
        }
        if x > xp[last] {
            return right;
        }
        if x < xp[0] {
            return left;
        }
        let Some(j) = xp.iter().rposition(|&p| p <= x) else { return left };
        if j == last || xp[j] == x {
            return fp[j];
        }
        let slope = (fp[j + 1] - fp[j]) / (xp[j + 1] - xp[j]);
        let mut y = slope * (x - xp[j]) + fp[j];
        if y.is_nan() {
            y = slope * (x - xp[j + 1]) + fp[j + 1];
            if y.is_nan() && fp[j] == fp[j + 1] {
                y = fp[j];
            }
        }
        y
    }

    fn run(table: &InterpTable, x: &[f64]) -> Vec<f64> {
        let mut out = vec![0.0; x.len()];
        let p = x.as_ptr().cast();
        // SAFETY: tiles of `x.len()` doubles and a valid table.
        unsafe {
            let b = std::ptr::from_ref(table).cast();
            interp(out.as_mut_ptr().cast(), p, b, p, x.len(), std::ptr::null_mut());
        }
        out
    }

    fn points(grid: Grid, len: usize) -> Vec<f64> {
        (0..len)
            .map(|i| match grid {
                // SAFETY: the tests' tables have `len` points.
                Grid::Memory(xp) => unsafe { *xp.add(i) },
                Grid::Arange { start, step } => start + i as f64 * step,
                Grid::Linspace { start, step, stop } => match i {
                    0 => start,
                    _ if i == len - 1 => stop,
                    _ => i as f64 * step + start,
                },
            })
            .collect()
    }

    fn same(a: f64, b: f64) -> bool {
        a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan()
    }

    /// Points, their neighbours, places between (of a few points, long runs of them), and special values: up,
    /// down and shuffled.
    fn queries(xp: &[f64]) -> Vec<f64> {
        let mut x = vec![f64::NEG_INFINITY, f64::MIN, -1.0, -0.0, 0.0, 0.3, 1.0, f64::MAX];
        for (i, &p) in xp.iter().enumerate() {
            let next = xp[(i + 1) % xp.len()];
            x.extend([p, p.next_up(), p.next_down(), p + 0.25 * (next - p)]);
            if xp.len() <= 5 {
                x.extend((0..40).map(|k| p + f64::from(k) / 40.0 * (next - p)));
            }
        }
        x.push(f64::INFINITY);
        x.retain(|x| !x.is_nan());
        x.sort_by(f64::total_cmp);
        let down: Vec<f64> = x.iter().rev().copied().collect();
        let shuffled: Vec<f64> = (0..x.len()).map(|i| x[i * 7919 % x.len()]).collect();
        x.push(f64::NAN);
        x.extend(down);
        x.extend(shuffled);
        x
    }

    fn check(grid: Grid, fp: &[f64]) {
        let xp = points(grid, fp.len());
        let table = InterpTable { grid, fp: fp.as_ptr(), len: fp.len(), left: -7.0, right: 9.0 };
        let x = queries(&xp);
        for (&x, got) in x.iter().zip(run(&table, &x)) {
            let want = naive(x, &xp, fp, -7.0, 9.0);
            assert!(same(got, want), "{x:?} in {grid:?}: {got:?}, not {want:?}");
        }
    }

    fn values(len: usize) -> Vec<f64> {
        (0..len).map(|i| ((i * 37 % 101) as f64 - 50.0) / 7.0).collect()
    }

    #[test]
    fn ascending_points_follow_numpy() {
        for len in [1, 2, 3, 4, 5, 17, 300] {
            let even: Vec<f64> = (0..len).map(|i| i as f64 * 0.1 - 1.0).collect();
            let uneven: Vec<f64> = (0..len).map(|i| (i as f64).powi(2) * 0.1).collect();
            let repeated: Vec<f64> = (0..len).map(|i| (i / 3) as f64).collect();
            let mut infinite = even.clone();
            infinite[0] = f64::NEG_INFINITY;
            infinite[len - 1] = f64::INFINITY;
            for xp in [even, uneven, repeated, infinite] {
                check(Grid::Memory(xp.as_ptr()), &values(len));
            }
        }
        let fp = [1.0, f64::INFINITY, f64::INFINITY, f64::NAN, 2.0, f64::NEG_INFINITY];
        check(Grid::Arange { start: 0.0, step: 1.0 }, &fp);
    }

    #[test]
    fn formulas_follow_numpy_on_their_points() {
        for len in [1, 2, 3, 4, 5, 17, 300] {
            for (start, step) in [
                (0.0, 1.0),
                (-1.0, 0.1),
                (1e9, 1e-7),
                (1e300, 1e292),
                (0.0, 5e-324),
                (3.0, 0.0),
                (1.0, 1e-17),
                (0.0, 1e308),
            ] {
                check(Grid::Arange { start, step }, &values(len));
                let stop = start + (len - 1) as f64 * step;
                check(Grid::Linspace { start, step, stop }, &values(len));
            }
            // Descending ones: only the ends are ever compared with.
            check(Grid::Arange { start: 5.0, step: -0.5 }, &values(len));
        }
    }

    #[test]
    fn hostile_points_harm_nothing() {
        let nasty = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, 0.0, 1e308, 5e-324];
        let x = queries(&[0.0, 1.0, 2.0]);
        for start in nasty {
            for step in nasty {
                for stop in nasty {
                    for len in [1, 2, 5, 64] {
                        let fp = values(len);
                        for grid in
                            [Grid::Arange { start, step }, Grid::Linspace { start, step, stop }]
                        {
                            let fp = fp.as_ptr();
                            run(&InterpTable { grid, fp, len, left: 0.0, right: 0.0 }, &x);
                        }
                    }
                }
            }
        }
        for seed in 0..200_usize {
            let xp: Vec<f64> =
                (0..40).map(|i| nasty[(i * (seed + 3) + seed) % 7] * i as f64).collect();
            let (grid, fp) = (Grid::Memory(xp.as_ptr()), values(40));
            run(
                &InterpTable { grid, fp: fp.as_ptr(), len: 40, left: 0.0, right: 0.0 },
                &queries(&xp),
            );
        }
    }

    #[test]
    fn one_point_follows_numpy_even_for_nan() {
        let (xp, fp) = ([2.0], [5.0]);
        let grid = Grid::Memory(xp.as_ptr());
        let table = InterpTable { grid, fp: fp.as_ptr(), len: 1, left: 1.0, right: 3.0 };
        assert_eq!(run(&table, &[1.0, 2.0, 2.5, f64::NAN]), [1.0, 5.0, 3.0, 5.0]);
    }

    #[test]
    fn an_output_may_be_its_input() {
        let fp = [10.0, 20.0, 30.0];
        let grid = Grid::Arange { start: 0.0, step: 1.0 };
        let table = InterpTable { grid, fp: fp.as_ptr(), len: 3, left: 0.0, right: 0.0 };
        let mut x = [0.5, 1.0, 1.25];
        let p = x.as_mut_ptr().cast::<u8>();
        // SAFETY: three doubles and a valid table.
        unsafe { interp(p, p, std::ptr::from_ref(&table).cast(), p, 3, std::ptr::null_mut()) };
        assert_eq!(x, [15.0, 20.0, 22.5]);
    }
}
