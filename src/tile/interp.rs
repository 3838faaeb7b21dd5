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
    let _ = (out, a, b, c, n, status);
    todo!()
}
