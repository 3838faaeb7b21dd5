//! Linear interpolation in a table: `np.interp`'s results, bit for bit.
//!
//! The points may be in memory or given by a formula. Between few points, and over an even grid, a chunk of
//! elements is computed without a search ([`chunk`]); what that declines is computed one by one
//! ([`search`]). Whatever the points hold (NaN, any order, steps of 0 or infinity), no index leaves the
//! table and no search is endless; out of order they give what NumPy gives, whose search begins where the
//! one before ended. Here each tile begins anew.
//!
//! May not know: where tables come from.

mod chunk;
mod even;
mod search;
#[cfg(test)]
mod tests;

pub use even::{even, even_integers};

use chunk::{CHUNK, Few, Rule, Run, Spaced, Unit};
use search::{Formula, Listed, Points, one_by_one};

use super::MapFn;
use super::isa::{Isa, pick};

/// An interpolation table as a tile function sees it. `#[repr(C)]`, immutable during a launch.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct InterpTable {
    /// The points.
    pub grid: Grid,
    /// The values at the points.
    pub fp: Values,
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
    /// In memory.
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

/// The values at the points, in memory; those of single precision are as if they were of double.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub enum Values {
    /// `float64`.
    Double(*const f64),
    /// `float32`.
    Single(*const f32),
}

impl InterpTable {
    /// A table whose values go on beyond its ends, unless `sides` says what lies there.
    ///
    /// # Safety
    /// There are `len` points and values, at least one, for as long as the table is used.
    pub unsafe fn new(
        grid: Grid,
        fp: Values,
        len: usize,
        (left, right): (Option<f64>, Option<f64>),
    ) -> Self {
        let mut table = Self { grid, fp, len, left: 0.0, right: 0.0 };
        // SAFETY: the caller's promise.
        let ends = unsafe { (table.value(0), table.value(len - 1)) };
        (table.left, table.right) = (left.unwrap_or(ends.0), right.unwrap_or(ends.1));
        table
    }

    /// The value at point `i`.
    ///
    /// # Safety
    /// The table is valid and has the point.
    #[inline(always)]
    unsafe fn value(&self, i: usize) -> f64 {
        // SAFETY: the caller's promise.
        unsafe {
            match self.fp {
                Values::Double(fp) => fp.add(i).read_unaligned(),
                Values::Single(fp) => fp.add(i).read_unaligned().into(),
            }
        }
    }
}

/// Interpolates: `out`, `a` are `float64` tiles, `b` is the address of an [`InterpTable`]. The build for
/// this machine.
pub fn interp() -> MapFn {
    interp_on(Isa::here())
}

/// The same, built for `isa`.
fn interp_on(isa: Isa) -> MapFn {
    pick!(isa => MapFn, portable::interp, avx2::interp, avx512::interp)
}

/// A build, for the instruction set in the attribute.
macro_rules! build {
    ($(#[$attr:meta])* $module:ident) => {
        mod $module {
            /// # Safety
            /// As of [`super::MapFn`], on a machine that has the instruction set; the table must be valid.
            $(#[$attr])*
            pub(super) unsafe extern "C" fn interp(
                out: *mut u8, a: *const u8, b: *const u8, _: *const u8, n: usize, _: *mut u32,
            ) {
                // SAFETY: the caller's promise.
                unsafe { super::by_points(out, a, &b.cast::<super::InterpTable>().read_unaligned(), n) }
            }
        }
    };
}

build!(portable);
#[cfg(target_arch = "x86_64")]
build!(
    #[target_feature(enable = "avx2,fma")]
    avx2
);
#[cfg(target_arch = "x86_64")]
build!(
    #[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")]
    avx512
);

/// Chooses how the points are looked through.
///
/// # Safety
/// `out` and `a` are tiles of `n` doubles, `table` is valid.
#[inline(always)]
unsafe fn by_points(out: *mut u8, a: *const u8, table: &InterpTable, n: usize) {
    let last = table.len - 1;
    // SAFETY: the caller's promise, here and in all that is called.
    unsafe {
        let (start, step, stop) = match table.grid {
            Grid::Memory(xp) => {
                let points = Listed { xp, last };
                if let Some(few) = Few::<4>::new(&points, table) {
                    tile(out, a, n, table, &points, &few);
                } else if let Some(few) = Few::<12>::new(&points, table) {
                    tile(out, a, n, table, &points, &few);
                } else {
                    tile(out, a, n, table, &points, &Run::new(&points, table));
                }
                return;
            }
            Grid::Arange { start, step } => (start, step, start + last as f64 * step),
            Grid::Linspace { start, step, stop } => (start, step, stop),
        };
        let points = Formula { start, step, stop: if last == 0 { start } else { stop }, last };
        match (points.is_counting(), table.fp) {
            (true, Values::Double(fp)) => {
                tile(out, a, n, table, &points, &Unit::new(fp, &points, table));
            }
            (true, Values::Single(fp)) => {
                tile(out, a, n, table, &points, &Unit::new(fp, &points, table));
            }
            (false, Values::Double(fp)) => {
                tile(out, a, n, table, &points, &Spaced::new(fp, &points, table));
            }
            (false, Values::Single(fp)) => {
                tile(out, a, n, table, &points, &Spaced::new(fp, &points, table));
            }
        }
    }
}

/// The loop over a tile: chunk by chunk, and one by one where the rule has no answer.
///
/// # Safety
/// As of [`by_points`]; `points` and `rule` are the table's.
#[inline(always)]
unsafe fn tile<P: Points>(
    out: *mut u8,
    a: *const u8,
    n: usize,
    table: &InterpTable,
    points: &P,
    rule: &impl Rule,
) {
    let mut near = 0;
    for at in (0..n).step_by(CHUNK) {
        let count = CHUNK.min(n - at);
        // SAFETY: elements `at..at + count` are the tile's; each is read before its place is written.
        unsafe {
            let (from, to) = (a.cast::<f64>().add(at), out.cast::<f64>().add(at));
            let x = if count == CHUNK {
                from.cast::<[f64; CHUNK]>().read_unaligned()
            } else {
                let mut x = [from.read_unaligned(); CHUNK];
                std::ptr::copy_nonoverlapping(from.cast::<u8>(), x.as_mut_ptr().cast(), 8 * count);
                x
            };
            match rule.chunk(&x, near) {
                Some(y) if count == CHUNK => to.cast::<[f64; CHUNK]>().write_unaligned(y),
                Some(y) => {
                    std::ptr::copy_nonoverlapping(y.as_ptr().cast(), to.cast::<u8>(), 8 * count);
                }
                None => one_by_one(to, from, count, table, points, &mut near),
            }
        }
    }
}
