//! Even grids at once: `arange` of integers, and `linspace`.
//!
//! May not know: bounds, or which of them NumPy refuses.

use super::{FloatMode, Host, Parts, share};
use crate::dtype::DType;
use crate::error::Result;
use crate::tile;

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
        Ramp::Line { .. } => (DType::F64, 3),
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
        let n = hi - lo;
        // SAFETY: the result has these elements, of eight bytes.
        unsafe {
            let out = self.out.add(8 * lo);
            match self.ramp {
                Ramp::Whole { start, step } => tile::integers()(out.cast(), n, lo, start, step),
                Ramp::Line { start, step, stop } => {
                    tile::line()(out.cast(), n, lo, start, step);
                    if let Some(stop) = stop.filter(|_| hi == self.len) {
                        out.cast::<f64>().add(n - 1).write_unaligned(stop);
                    }
                }
            }
        }
        Ok(())
    }
}
