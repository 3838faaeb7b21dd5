//! Interpolation tables: from what a launch or a call says of one to what a tile function reads.
//!
//! May not know: what is interpolated.

use super::nest::Memories;
use crate::buffer::Buffer;
use crate::dtype::{DType, Scalar};
use crate::error::{Error, Result};
use crate::loops::{Launch, Memory, Points, Positions, Table};
use crate::tile::{self, Grid, InterpTable, Values};

/// Up to so many points per element are looked at, to see whether they are an even grid: a search of the
/// table for the element takes longer.
const POINTS: usize = 16;
/// Fewer points are compared with one by one, which is faster than any formula.
const FEW: usize = 16;

/// The tables of a launch, and copies of what was not aligned.
#[derive(Default)]
pub(super) struct Tables {
    /// In the order of the launch.
    pub tables: Vec<InterpTable>,
    copies: Vec<Buffer>,
}

impl Tables {
    /// Finds the tables' memory and checks that they lie in it.
    pub(super) fn new(launch: &Launch, values: &[Scalar], memories: &dyn Memories) -> Result<Self> {
        let mut all = Self::default();
        let elements = launch.extents.iter().product();
        for table in &launch.tables {
            // Without elements nothing is interpolated, and the points may not be there either.
            let built = match elements {
                0 => EMPTY,
                _ => all.build(table, elements, values, memories)?,
            };
            all.tables.push(built);
        }
        Ok(all)
    }

    fn build(
        &mut self,
        table: &Table,
        elements: usize,
        values: &[Scalar],
        memories: &dyn Memories,
    ) -> Result<InterpTable> {
        let len = table.len;
        let number = |i: u32| {
            let value = values.get(i as usize).filter(|v| v.dtype == DType::F64);
            value.map(|v| v.to_f64()).ok_or_else(|| Error::bug("a table without its number"))
        };
        let integer = |i: u32| {
            let value = values.get(i as usize).filter(|v| v.dtype == DType::I64);
            value.map(|v| v.bits.cast_signed()).ok_or_else(|| Error::bug("a table without its end"))
        };
        let at = match table.at {
            Positions::Given => tile::Positions::Given,
            Positions::Counted { first, step, start, stop } => {
                let (step, start) = (number(step)?, number(start)?);
                let (last, stop) = match stop {
                    Some((last, stop)) => (integer(last)?, number(stop)?),
                    None => (0, start),
                };
                tile::Positions::Counted(tile::Line { first, start, step, last, stop })
            }
        };
        let grid = match table.xp {
            Points::Memory(memory, offset) => {
                let xp = self.elements(memory, offset, DType::F64, len, memories)?.cast();
                // SAFETY: `elements` checked that there are `len`, and they are aligned.
                unsafe { grid(std::slice::from_raw_parts(xp, len), elements) }
            }
            Points::Arange { start, step } => {
                Grid::Arange { start: number(start)?, step: number(step)? }
            }
            Points::Linspace { start, step, stop } => {
                Grid::Linspace { start: number(start)?, step: number(step)?, stop: number(stop)? }
            }
        };
        let (memory, offset, dtype) = table.fp;
        let fp = self.elements(memory, offset, dtype, len, memories)?;
        let fp = match dtype {
            DType::F64 => Values::Double(fp.cast()),
            DType::F32 => Values::Single(fp.cast()),
            _ => return Err(Error::bug("a table of other values than floats")),
        };
        let sides = (table.left.map(number).transpose()?, table.right.map(number).transpose()?);
        // SAFETY: `elements` checked that there are `len` values, at least one.
        Ok(unsafe { InterpTable::new(at, grid, fp, len, sides) })
    }

    /// `len` elements at a byte of some memory, aligned.
    fn elements(
        &mut self,
        memory: Memory,
        offset: isize,
        dtype: DType,
        len: usize,
        memories: &dyn Memories,
    ) -> Result<*const u8> {
        let (base, low, high) = memories.find(memory)?;
        let bytes = len.checked_mul(dtype.size());
        let end = bytes.and_then(|bytes| offset.checked_add_unsigned(bytes));
        let (Some(bytes), Some(end)) = (bytes, end) else { return Err(outside()) };
        if len == 0 || offset < low || end > high {
            return Err(outside());
        }
        let at = base.wrapping_offset(offset);
        if at.addr().is_multiple_of(dtype.size()) {
            return Ok(at);
        }
        let mut copy = Buffer::new(bytes)?;
        // SAFETY: the elements are there, as checked above, and the copy has room for them.
        unsafe { std::ptr::copy_nonoverlapping(at, copy.as_mut_ptr(), bytes) };
        let at = copy.as_ptr();
        self.copies.push(copy);
        Ok(at)
    }
}

fn outside() -> Error {
    Error::bug("an interpolation table outside its memory")
}

/// Whether it pays to look whether points are even.
fn pays(points: usize, elements: usize) -> bool {
    points >= FEW && points / POINTS <= elements
}

/// Points in memory, as the formula that they follow where it pays to ask for it.
pub(super) fn grid(xp: &[f64], elements: usize) -> Grid {
    let known = pays(xp.len(), elements).then(|| tile::even(xp)).flatten();
    known.unwrap_or(Grid::Memory(xp.as_ptr()))
}

/// The same of integers; `None` where they are no even grid.
pub(super) fn integer_grid(xp: &[i64], elements: usize) -> Option<Grid> {
    pays(xp.len(), elements).then(|| tile::even_integers(xp)).flatten()
}

const EMPTY: InterpTable = InterpTable {
    at: tile::Positions::Given,
    grid: Grid::Arange { start: 0.0, step: 0.0 },
    fp: Values::Double(std::ptr::null()),
    len: 0,
    left: 0.0,
    right: 0.0,
};
