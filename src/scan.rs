//! Scans: all partial results of adding, multiplying or choosing along an axis.
//!
//! Elements come one after the other and each step is one in the result's dtype, so the bits are NumPy's
//! whatever the layout. One line waits for each of its steps; lines beside each other are taken together.
//!
//! May not know: graphs, plans, threads, Python. Whoever records a scan makes a [`Running`] of it, which is
//! an opaque call: memory on both sides, so that its neighbours fuse.

mod lines;
mod rows;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::sync::Arc;

use crate::buffer::{Buffer, Storage};
use crate::call::Call;
use crate::dtype::{DType, Kind};
use crate::error::{Error, Result};
use crate::op::Op;
use crate::shape::{Shape, count};
use crate::tile;

/// What a scan does with what it has and the next element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scan {
    /// The sum; of `bool`, or.
    Add,
    /// The product; of `bool`, and.
    Multiply,
    /// The larger, or NaN.
    Maximum,
    /// The smaller, or NaN.
    Minimum,
    /// `log(e**a + e**b)`, of `float32` and `float64`.
    Logaddexp,
    /// `log2(2**a + 2**b)`, of `float32` and `float64`.
    Logaddexp2,
}

impl Scan {
    /// What texts and errors call it.
    pub fn name(self) -> &'static str {
        match self {
            Scan::Add => "cumsum",
            Scan::Multiply => "cumprod",
            Scan::Maximum => "maximum.accumulate",
            Scan::Minimum => "minimum.accumulate",
            Scan::Logaddexp => "logaddexp.accumulate",
            Scan::Logaddexp2 => "logaddexp2.accumulate",
        }
    }

    /// The op of a scan whose steps are those of a tile function.
    fn op(self) -> Option<Op> {
        match self {
            Scan::Logaddexp => Some(Op::Logaddexp),
            Scan::Logaddexp2 => Some(Op::Logaddexp2),
            _ => None,
        }
    }

    /// Whether elements of `operand` are scanned in steps of `dtype`.
    pub fn takes(self, operand: DType, dtype: DType) -> bool {
        let tiled = operand == dtype && matches!(dtype, DType::F32 | DType::F64);
        self.op().is_none() || tiled
    }

    /// The dtype of the result, and of each step: as asked, else 64 bits for sums and products of integers
    /// and `bool`, and the operand's own for the rest.
    pub fn dtype(self, operand: DType, wanted: Option<DType>) -> DType {
        let grows = matches!(self, Scan::Add | Scan::Multiply);
        wanted.unwrap_or(match operand.kind() {
            Kind::Bool | Kind::Int if !grows => operand,
            Kind::Bool | Kind::Int if operand.is_unsigned() => DType::U64,
            Kind::Bool | Kind::Int => DType::I64,
            Kind::Float | Kind::Complex => operand,
        })
    }

    /// Whether a scan with steps in `dtype` reads elements of `operand` as they are.
    pub fn reads(operand: DType, dtype: DType) -> bool {
        operand == dtype || !operand.is_complex() && !dtype.is_complex()
    }
}

/// A scan along one axis, as a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Running {
    scan: Scan,
    axis: usize,
    dtype: DType,
}

impl Running {
    /// A scan along `axis` with steps in `dtype`, which is one that [`Scan::dtype`] gave.
    pub fn new(scan: Scan, axis: usize, dtype: DType) -> Self {
        Self { scan, axis, dtype }
    }

    /// Writes the scan of `from` to `out`, in C order.
    ///
    /// # Errors
    /// `Bug` for memory of another size, an axis that is not there, or elements that [`Scan::reads`] does not.
    pub fn fill(&self, from: &Storage, out: &mut [u8]) -> Result<()> {
        let fits = out.len() == count(&from.shape)? * self.dtype.size();
        let reads = Scan::reads(from.dtype, self.dtype) && self.scan.takes(from.dtype, self.dtype);
        if !fits || self.axis >= from.shape.len() || !reads {
            return Err(Error::bug(format!("{}: memory that does not fit", self.name())));
        }
        if out.is_empty() {
            return Ok(());
        }
        match self.scan.op().and_then(|op| tile::map(op, self.dtype)) {
            Some(function) => rows::run(function, from, self.axis, out)?,
            None => lines::run(self.scan, from, self.axis, self.dtype, out),
        }
        Ok(())
    }
}

/// Whether the last of each line of floats along an axis is finite: sums and products that are not stay so.
pub fn ends_finite(dtype: DType, shape: &[usize], axis: usize, bytes: &[u8]) -> bool {
    let step = shape[axis + 1..].iter().product::<usize>() * dtype.size();
    let line = shape[axis] * step;
    let Some(odd) = tile::odd(dtype).filter(|_| line > 0) else { return true };
    let mut found = false;
    for line in bytes.chunks_exact(line) {
        let ends = &line[line.len() - step..];
        // SAFETY: elements of the dtype, as many as their bytes say.
        unsafe { odd(ends.as_ptr(), ends.len() / dtype.size(), &raw mut found) };
    }
    !found
}

impl Call for Running {
    fn name(&self) -> &str {
        self.scan.name()
    }

    fn key(&self) -> Option<Cow<'_, str>> {
        Some(format!("{self:?}").into())
    }

    fn infer(&self, operands: &[(DType, &[usize])]) -> Result<(DType, Shape)> {
        Ok((self.dtype, operands[0].1.into()))
    }

    fn run(&self, operands: &[Storage]) -> Result<Storage> {
        let from = &operands[0];
        let mut out = Buffer::new(count(&from.shape)? * self.dtype.size())?;
        self.fill(from, out.bytes_mut())?;
        Storage::from_buffer(Arc::new(out), self.dtype, from.shape.clone())
    }
}
