//! Even grids at once: `arange` of integers, and `linspace`.
//!
//! May not know: bounds, or which of them NumPy refuses.

use super::{FloatMode, Host, Parts, share};
use crate::dtype::DType;
use crate::error::Result;
use crate::tile::TILE;

/// Elements that are a formula of their number.
#[derive(Clone, Copy, Debug)]
pub enum Ramp {
    /// `start + i * step`; none wraps.
    Whole {
        /// The first one.
        start: i64,
        /// The distance of two.
        step: i64,
    },
    /// `i * step + start`, and `stop` as the last one if that is given.
    Line {
        /// The first one.
        start: f64,
        /// The distance of two.
        step: f64,
        /// The last one.
        stop: Option<f64>,
    },
}

/// Makes `len` elements, at least one.
pub fn ramp<H: Host>(ramp: Ramp, len: usize, host: &mut H) -> std::result::Result<(), H::Error> {
    let _float = FloatMode::standard();
    let (dtype, weight) = match ramp {
        Ramp::Whole { .. } => (DType::I64, 1),
        Ramp::Line { .. } => (DType::F64, 2),
    };
    let out = host.allocate(dtype, &[len])?;
    let cost = len * weight;
    let filled = Filled { ramp, len, out };
    host.run(cost, &|ctx| share(&filled, len, cost, ctx))
}

struct Filled {
    ramp: Ramp,
    len: usize,
    out: *mut u8,
}

// SAFETY: parts write disjoint elements of a result that nobody else sees.
unsafe impl Sync for Filled {}

impl Parts for Filled {
    fn part(&self, lo: usize, hi: usize) -> Result<()> {
        // SAFETY: the result has these elements, of eight bytes.
        let out = |i: usize| unsafe { self.out.add(8 * i) };
        match self.ramp {
            Ramp::Whole { start, step } => {
                let mut value = start + lo as i64 * step;
                for i in lo..hi {
                    // SAFETY: as above.
                    unsafe { out(i).cast::<i64>().write_unaligned(value) };
                    value = value.wrapping_add(step);
                }
            }
            Ramp::Line { start, step, stop } => {
                for at in (lo..hi).step_by(TILE) {
                    // Numbers in a tile are `i32`, which vectors convert.
                    for i in 0..TILE.min(hi - at) as i32 {
                        let value = (at as f64 + f64::from(i)) * step + start;
                        // SAFETY: as above.
                        unsafe { out(at + i as usize).cast::<f64>().write_unaligned(value) };
                    }
                }
                if let Some(stop) = stop.filter(|_| hi == self.len) {
                    // SAFETY: as above.
                    unsafe { out(hi - 1).cast::<f64>().write_unaligned(stop) };
                }
            }
        }
        Ok(())
    }
}
