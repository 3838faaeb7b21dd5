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
mod pairs;
mod search;
#[cfg(test)]
mod tests;

pub use even::{even, even_integers};

use chunk::{CHUNK, Chunk, Few, Rule, Run, Spaced, Unit};
use pairs::{Double, Neighbours, Scattered};
use search::{Formula, Listed, Points, one_by_one};

use super::MapFn;
use super::isa::{Isa, pick};
use crate::dtype::DType;

/// Intervals that are few: they are kept side by side and not searched.
pub const FEW: usize = 12;

/// An interpolation table as a tile function sees it. `#[repr(C)]`, immutable during a launch.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct InterpTable {
    /// What elements say of where to interpolate.
    pub at: Positions,
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

/// What elements say of where to interpolate.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub enum Positions {
    /// They are positions, `float64`.
    Given,
    /// They are positions, `int64`.
    Integers,
    /// There are none. In the place of their address is how far into the array the first of them would be.
    Counted(Line),
}

/// Positions by their numbers, which count from `first` on: `number * step + start`, but that of `last` is `stop`.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Line {
    /// The number of an array's first element.
    pub first: i64,
    /// The position of number 0.
    pub start: f64,
    /// The distance of two.
    pub step: f64,
    /// A number.
    pub last: i64,
    /// Its position.
    pub stop: f64,
}

impl Line {
    /// The position of a number.
    #[inline(always)]
    fn at(&self, number: i64) -> f64 {
        if number == self.last { self.stop } else { number as f64 * self.step + self.start }
    }
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
        at: Positions,
        grid: Grid,
        fp: Values,
        len: usize,
        (left, right): (Option<f64>, Option<f64>),
    ) -> Self {
        let mut table = Self { at, grid, fp, len, left: 0.0, right: 0.0 };
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

/// Interpolates: `out` is a tile of `dtype`, `float64` or `float32`, `a` what the table's [`Positions`] say, `b` is the
/// address of an [`InterpTable`]. The build for this machine.
pub fn interp(dtype: DType) -> MapFn {
    interp_on(Isa::here(), dtype)
}

/// The same, built for `isa`.
fn interp_on(isa: Isa, dtype: DType) -> MapFn {
    if dtype == DType::F32 {
        pick!(isa => MapFn, portable::single, avx2::single, avx512::single)
    } else {
        pick!(isa => MapFn, portable::double, avx2::double, avx512::double)
    }
}

/// A build, for the instruction set in the attribute, which reads values in a way of its own.
macro_rules! build {
    ($(#[$attr:meta])* $module:ident, $neighbours:ty) => {
        mod $module {
            /// To `float64`.
            ///
            /// # Safety
            /// As of [`super::MapFn`], on a machine that has the instruction set; the table must be valid.
            $(#[$attr])*
            pub(super) unsafe extern "C" fn double(
                out: *mut u8, a: *const u8, b: *const u8, _: *const u8, n: usize, _: *mut u32,
            ) {
                // SAFETY: the caller's promise.
                unsafe { interp(super::Out::Double(out.cast()), a, b, n) }
            }

            /// To `float32`.
            ///
            /// # Safety
            /// As of [`double`].
            $(#[$attr])*
            pub(super) unsafe extern "C" fn single(
                out: *mut u8, a: *const u8, b: *const u8, _: *const u8, n: usize, _: *mut u32,
            ) {
                // SAFETY: the caller's promise.
                unsafe { interp(super::Out::Single(out.cast()), a, b, n) }
            }

            /// # Safety
            /// As of [`double`].
            $(#[$attr])*
            unsafe fn interp(out: super::Out, a: *const u8, b: *const u8, n: usize) {
                // SAFETY: the caller's promise.
                unsafe {
                    let table = b.cast::<super::InterpTable>().read_unaligned();
                    let chunks = n / super::CHUNK;
                    match table.at {
                        super::Positions::Given => {
                            let at = super::Given(a.cast());
                            super::by_points::<$neighbours>(out, &at, &table, chunks);
                        }
                        super::Positions::Integers => {
                            let at = super::Integers(a.cast());
                            super::by_points::<$neighbours>(out, &at, &table, chunks);
                        }
                        super::Positions::Counted(line) => {
                            let at = super::Counted(line.first + a.addr() as i64, line);
                            super::by_points::<$neighbours>(out, &at, &table, chunks);
                        }
                    }
                    super::rest(out, a, table.at, n, |out, a| interp(out, a, b, super::CHUNK));
                }
            }
        }
    };
}

build!(portable, super::Scattered);
#[cfg(target_arch = "x86_64")]
build!(
    #[target_feature(enable = "avx2,fma")]
    avx2,
    super::Scattered
);
#[cfg(target_arch = "x86_64")]
build!(
    #[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")]
    avx512,
    super::pairs::Windows
);

/// Where results go.
#[derive(Clone, Copy)]
enum Out {
    Double(*mut f64),
    Single(*mut f32),
}

impl Out {
    /// The place of element `i`.
    #[inline(always)]
    fn at(self, i: usize) -> Self {
        match self {
            Out::Double(to) => Out::Double(to.wrapping_add(i)),
            Out::Single(to) => Out::Single(to.wrapping_add(i)),
        }
    }

    /// # Safety
    /// There is room.
    #[inline(always)]
    unsafe fn write(self, y: &Chunk<f64>) {
        // SAFETY: the caller's promise.
        unsafe {
            match self {
                Out::Double(to) => to.cast::<[f64; CHUNK]>().write_unaligned(y.0),
                Out::Single(to) => {
                    let y = y.converted(|y| y as f32);
                    to.cast::<[f32; CHUNK]>().write_unaligned(y.0);
                }
            }
        }
    }

    /// # Safety
    /// There is room.
    #[inline(always)]
    unsafe fn write_one(self, y: f64) {
        // SAFETY: the caller's promise.
        unsafe {
            match self {
                Out::Double(to) => to.write_unaligned(y),
                Out::Single(to) => to.write_unaligned(y as f32),
            }
        }
    }
}

/// A tile of elements that say where to interpolate.
trait Elements {
    /// Whether those of a chunk lie between the first and the last of it.
    const IN_ORDER: bool;

    /// The positions of the chunk from element `at` on; `None` where they are only had one by one.
    ///
    /// # Safety
    /// It is there.
    unsafe fn chunk(&self, at: usize) -> Option<Chunk<f64>>;

    /// The position of element `at`.
    ///
    /// # Safety
    /// It is there.
    unsafe fn one(&self, at: usize) -> f64;
}

/// Positions in memory.
struct Given(*const f64);

impl Elements for Given {
    const IN_ORDER: bool = false;

    #[inline(always)]
    unsafe fn chunk(&self, at: usize) -> Option<Chunk<f64>> {
        // SAFETY: the caller's promise.
        Some(Chunk(unsafe { self.0.add(at).cast::<[f64; CHUNK]>().read_unaligned() }))
    }

    #[inline(always)]
    unsafe fn one(&self, at: usize) -> f64 {
        // SAFETY: the caller's promise.
        unsafe { self.0.add(at).read_unaligned() }
    }
}

/// Positions in memory that are integers.
struct Integers(*const i64);

impl Elements for Integers {
    const IN_ORDER: bool = false;

    #[inline(always)]
    unsafe fn chunk(&self, at: usize) -> Option<Chunk<f64>> {
        // SAFETY: the caller's promise.
        let x = Chunk(unsafe { self.0.add(at).cast::<[i64; CHUNK]>().read_unaligned() });
        Some(x.converted(|x| x as f64))
    }

    #[inline(always)]
    unsafe fn one(&self, at: usize) -> f64 {
        // SAFETY: the caller's promise.
        unsafe { self.0.add(at).read_unaligned() as f64 }
    }
}

/// The number of the first element, and the positions of all.
struct Counted(i64, Line);

impl Elements for Counted {
    const IN_ORDER: bool = true;

    #[inline(always)]
    unsafe fn chunk(&self, at: usize) -> Option<Chunk<f64>> {
        let Self(first, line) = self;
        let first = first + at as i64;
        if (0..CHUNK as i64).contains(&line.last.wrapping_sub(first)) {
            return None;
        }
        let mut x = Chunk([0.0; CHUNK]);
        for (k, x) in (0..CHUNK as i32).zip(&mut x.0) {
            // Numbers are lengths of arrays at most, and exact.
            *x = (first as f64 + f64::from(k)) * line.step + line.start;
        }
        Some(x)
    }

    #[inline(always)]
    unsafe fn one(&self, at: usize) -> f64 {
        let Self(first, line) = self;
        line.at(first + at as i64)
    }
}

/// Does what is left of `n` elements after whole chunks, in one that the first of them fills up.
///
/// # Safety
/// There are `n` elements, as `at` has it, and room for their values.
#[inline(always)]
unsafe fn rest(
    out: Out,
    a: *const u8,
    at: Positions,
    n: usize,
    chunk: impl FnOnce(Out, *const u8),
) {
    let (count, before) = (n % CHUNK, n - n % CHUNK);
    if count == 0 {
        return;
    }
    // SAFETY: the caller's promise; a chunk has room for the elements and for their values.
    unsafe {
        let filled = match at {
            Positions::Given | Positions::Integers => {
                let from = a.cast::<u64>().add(before);
                let mut x = [from.read_unaligned(); CHUNK];
                copy(x.as_mut_ptr(), from, count);
                Some(x)
            }
            Positions::Counted(_) => None,
        };
        let a = filled.as_ref().map_or(a.wrapping_add(before), |x| x.as_ptr().cast());
        match out.at(before) {
            Out::Double(to) => {
                let mut y = [0.0f64; CHUNK];
                chunk(Out::Double(y.as_mut_ptr()), a);
                copy(to, y.as_ptr(), count);
            }
            Out::Single(to) => {
                let mut y = [0.0f32; CHUNK];
                chunk(Out::Single(y.as_mut_ptr()), a);
                copy(to, y.as_ptr(), count);
            }
        }
    }
}

/// Copies `count` elements, aligned or not.
///
/// # Safety
/// They are there, and so is room for them elsewhere.
unsafe fn copy<T>(to: *mut T, from: *const T, count: usize) {
    let bytes = count * size_of::<T>();
    // SAFETY: the caller's promise.
    unsafe { std::ptr::copy_nonoverlapping(from.cast::<u8>(), to.cast(), bytes) };
}

/// Chooses how the points are looked through.
///
/// # Safety
/// `out` has room for the `chunks` of `a`, `table` is valid; the machine has what `N` needs.
#[inline(always)]
unsafe fn by_points<N>(out: Out, a: &impl Elements, table: &InterpTable, chunks: usize)
where
    N: Neighbours<f64> + Neighbours<f32>,
{
    // What is less than a chunk is none of its own.
    if chunks == 0 {
        return;
    }
    let last = table.len - 1;
    // SAFETY: the caller's promise, here and in all that is called.
    unsafe {
        let (start, step, stop) = match table.grid {
            Grid::Memory(xp) => {
                let points = Listed { xp, last };
                if let Some(mut few) = Few::<4>::new(&points, table) {
                    tile(out, a, chunks, table, &points, &mut few);
                } else if let Some(mut few) = Few::<FEW>::new(&points, table) {
                    tile(out, a, chunks, table, &points, &mut few);
                } else {
                    tile(out, a, chunks, table, &points, &mut Run::new(&points, table));
                }
                return;
            }
            Grid::Arange { start, step } => (start, step, start + last as f64 * step),
            Grid::Linspace { start, step, stop } => (start, step, stop),
        };
        let points = Formula { start, step, stop: if last == 0 { start } else { stop }, last };
        match table.fp {
            Values::Double(fp) => by_values::<f64, N>(out, a, chunks, table, &points, fp),
            Values::Single(fp) => by_values::<f32, N>(out, a, chunks, table, &points, fp),
        }
    }
}

/// Over an even grid.
///
/// # Safety
/// As of [`by_points`]; `points` and `fp` are the table's.
#[inline(always)]
unsafe fn by_values<V: Double, N: Neighbours<V>>(
    out: Out,
    a: &impl Elements,
    chunks: usize,
    table: &InterpTable,
    points: &Formula,
    fp: *const V,
) {
    // SAFETY: the caller's promise.
    unsafe {
        if points.is_counting() {
            tile(out, a, chunks, table, points, &mut Unit::<V, N>::new(fp, points, table));
        } else {
            tile(out, a, chunks, table, points, &mut Spaced::<V, N>::new(fp, points, table));
        }
    }
}

/// The loop over chunks: one by one where the rule has no answer.
///
/// # Safety
/// As of [`by_points`]; `points` and `rule` are the table's.
#[inline(always)]
unsafe fn tile<P: Points, E: Elements>(
    out: Out,
    a: &E,
    chunks: usize,
    table: &InterpTable,
    points: &P,
    rule: &mut impl Rule,
) {
    let mut near = 0;
    for at in (0..chunks).map(|chunk| chunk * CHUNK) {
        let (to, mut y) = (out.at(at), Chunk([0.0; CHUNK]));
        // SAFETY: the chunk is the tile's; each of its elements is read before its place is written.
        unsafe {
            match a.chunk(at) {
                Some(x) if rule.chunk(&x, E::IN_ORDER, near, &mut y) => to.write(&y),
                _ => one_by_one(to, a, at, table, points, &mut near),
            }
        }
    }
}
