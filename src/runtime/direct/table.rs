//! Interpolation at once, in tables as they lie in memory.
//!
//! May not know: how an element finds its place among the points.

use std::sync::atomic::AtomicU32;

use super::super::table::{grid, integer_grid};
use super::source::{Source, Tile};
use super::{FloatMode, Host, Input, Parts, View, share};
use crate::buffer::Buffer;
use crate::dtype::DType;
use crate::error::Result;
use crate::tile::{self, Grid, InterpTable, Positions, TILE, Values};

/// A side of a table: its points, or their values.
#[derive(Clone, Copy, Debug)]
pub enum Column<'a> {
    /// An array of one axis.
    View(View<'a>),
    /// A few numbers.
    List(&'a [f64]),
}

/// How many light ops an element costs: between few points, over an even grid, or else.
const WEIGHTS: [usize; 3] = [4, 10, 24];

impl Column<'_> {
    /// How many; `None` where it is no row of real numbers.
    fn len(&self) -> Option<usize> {
        match self {
            Self::List(list) => Some(list.len()),
            Self::View(view) => match view.shape {
                &[len] if !view.dtype.is_complex() => Some(len),
                _ => None,
            },
        }
    }

    /// Where its elements of `dtype` lie, if they lie side by side, and aligned.
    fn side_by_side(&self, dtype: DType) -> Option<*const u8> {
        match self {
            Self::List(list) => (dtype == DType::F64).then_some(list.as_ptr().cast()),
            Self::View(view) => (view.dtype == dtype
                && view.is_contiguous()
                && view.ptr.addr().is_multiple_of(dtype.size()))
            .then_some(view.ptr),
        }
    }

    /// Its elements side by side as `float64`, in memory of their own if need be.
    fn doubles(&self, own: &mut Option<Buffer>) -> Result<*const f64> {
        if let Some(ptr) = self.side_by_side(DType::F64) {
            return Ok(ptr.cast());
        }
        let Self::View(view) = self else { return Ok(std::ptr::null()) };
        let len = view.len();
        let source = Source::of_view(view, DType::F64, view.shape, len);
        let buffer = own.insert(Buffer::new(len * 8)?);
        let (mut tile, mut spare) = (Tile::new(), Tile::new());
        // SAFETY: at most a tile at a time, of elements that the view has, into room for all of them.
        unsafe {
            source.open(TILE.min(len), &mut tile);
            for at in (0..len).step_by(TILE) {
                let n = TILE.min(len - at);
                let from = source.tile(at, n, &mut tile, &mut spare);
                std::ptr::copy_nonoverlapping(from, buffer.as_mut_ptr().add(at * 8), n * 8);
            }
        }
        Ok(buffer.as_ptr().cast())
    }
}

/// The values at `x` in the table of the points `xp` and their values `fp`; `sides` is what lies below the
/// first point and above the last one, if that is given. False when it is declined.
pub fn interp<H: Host>(
    x: &Input<'_>,
    [xp, fp]: [Column<'_>; 2],
    sides: (Option<f64>, Option<f64>),
    host: &mut H,
) -> std::result::Result<bool, H::Error> {
    let _float = FloatMode::standard();
    let shape: &[usize] = match x {
        Input::View(view) if view.dtype.is_complex() => return Ok(false),
        Input::View(view) => view.shape,
        _ => &[],
    };
    let len = shape.iter().product();
    let Some(points) = xp.len().filter(|n| len > 0 && *n > 0 && fp.len() == Some(*n)) else {
        return Ok(false);
    };
    let (at, taken) = match x {
        Input::View(view) if view.dtype == DType::I64 => (Positions::Integers, DType::I64),
        _ => (Positions::Given, DType::F64),
    };
    let Some(source) = Source::new(x, DType::F64, taken, shape, len) else { return Ok(false) };
    let (mut own_points, mut own_values) = (None, None);
    let whole = xp.side_by_side(DType::I64).and_then(|ptr| {
        // SAFETY: `points` integers lie there, as `side_by_side` says, as long as the operand is held.
        integer_grid(unsafe { std::slice::from_raw_parts(ptr.cast(), points) }, len)
    });
    let known = match whole {
        Some(known) => known,
        None => {
            let xp = xp.doubles(&mut own_points)?;
            // SAFETY: `points` doubles lie there.
            grid(unsafe { std::slice::from_raw_parts(xp, points) }, len)
        }
    };
    let values = match fp.side_by_side(DType::F32) {
        Some(ptr) => Values::Single(ptr.cast()),
        None => Values::Double(fp.doubles(&mut own_values)?),
    };
    // SAFETY: there are `points` of both, and their memory is held until this function returns.
    let table = unsafe { InterpTable::new(at, known, values, points, sides) };
    let out = host.allocate(DType::F64, shape)?;
    let lookup = Lookup { table, source, out };
    let weight = match known {
        Grid::Memory(_) if points <= tile::FEW => 0,
        Grid::Memory(_) => 2,
        _ => 1,
    };
    let cost = len * WEIGHTS[weight];
    host.run(cost, &|ctx| share(&lookup, len, cost, ctx))?;
    Ok(true)
}

struct Lookup {
    table: InterpTable,
    source: Source,
    out: *mut u8,
}

// SAFETY: parts write disjoint elements of a result that nobody else sees, and read the table.
unsafe impl Sync for Lookup {}

impl Parts for Lookup {
    fn part(&self, lo: usize, hi: usize) -> Result<()> {
        let (mut own, mut spare) = (Tile::new(), Tile::new());
        let (function, status) = (tile::interp(DType::F64), AtomicU32::new(0));
        let table = std::ptr::from_ref(&self.table).cast();
        // SAFETY: at most a tile at a time, of elements that the operand and the result have.
        unsafe {
            self.source.open(TILE.min(hi - lo), &mut own);
            for at in (lo..hi).step_by(TILE) {
                let n = TILE.min(hi - at);
                let x = self.source.tile(at, n, &mut own, &mut spare);
                function(self.out.add(at * 8), x, table, table, n, status.as_ptr());
            }
        }
        Ok(())
    }
}
