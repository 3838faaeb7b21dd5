//! Discrete Fourier transforms along an axis, by the crates `rustfft` and `realfft`.
//!
//! May not know: graphs, plans of loops, threads, Python. Whoever records a transform makes a [`Fourier`],
//! which is an opaque call: memory on both sides, so that its neighbours fuse.

mod lines;
mod plans;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::sync::Arc;

use crate::buffer::{Buffer, Storage};
use crate::call::Call;
use crate::dtype::{DType, Scalar};
use crate::error::{Error, Result};
use crate::shape::{Shape, count, show};

/// Which transform.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transform {
    /// From `n` points to `n` frequencies.
    Forward,
    /// From `n` frequencies to `n` points.
    Inverse,
    /// From `n` real points to the `n / 2 + 1` frequencies that are not negative.
    Half,
    /// From those to `n` real points.
    FromHalf,
}

impl Transform {
    /// What texts and errors call it.
    pub fn name(self) -> &'static str {
        match self {
            Transform::Forward => "fft",
            Transform::Inverse => "ifft",
            Transform::Half => "rfft",
            Transform::FromHalf => "irfft",
        }
    }

    /// Whether it goes from points to frequencies.
    fn is_forward(self) -> bool {
        matches!(self, Transform::Forward | Transform::Half)
    }
}

/// Which direction is divided by what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Norm {
    /// The inverse by `n`.
    Backward,
    /// Both by the root of `n`.
    Ortho,
    /// The forward one by `n`.
    Forward,
}

/// A transform along one axis, as a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fourier {
    transform: Transform,
    axis: usize,
    points: Option<usize>,
    norm: Norm,
    /// The precision that the divisor is rounded to: the operand's before it was cast.
    divisor: DType,
}

impl Fourier {
    /// A transform of `points` along `axis`: as many of the operand as there are, and zeros for the rest.
    /// Without a number it is what the operand's length says.
    pub fn new(transform: Transform, axis: usize, points: Option<usize>, norm: Norm) -> Self {
        Self { transform, axis, points, norm, divisor: DType::F64 }
    }

    /// The same for points that were `float16`, whose divisor NumPy rounds to that.
    pub fn of_half_precision(self) -> Self {
        Self { divisor: DType::F16, ..self }
    }

    /// The number of points for an operand of this length.
    fn points(&self, length: usize) -> usize {
        self.points.unwrap_or(match self.transform {
            Transform::FromHalf => 2 * length.saturating_sub(1),
            _ => length,
        })
    }

    /// The result's dtype and shape.
    ///
    /// # Errors
    /// `Value` for no points or too many; `Type` for complex points of a transform of real ones; `Bug` for
    /// dtypes other than those of single and double precision.
    pub fn result(&self, dtype: DType, shape: &[usize]) -> Result<(DType, Shape)> {
        let name = self.transform.name();
        let known = matches!(dtype, DType::F32 | DType::F64 | DType::C64 | DType::C128);
        if !known || self.axis >= shape.len() {
            return Err(Error::bug(format!("{name}: {dtype} of shape {}", show(shape))));
        }
        if self.transform == Transform::Half && dtype.is_complex() {
            return Err(Error::dtype(format!("{name}: points must be real, got {dtype}")));
        }
        let points = self.points(shape[self.axis]);
        if points == 0 {
            return Err(Error::value(format!(
                "{name}: Invalid number of FFT data points (0) specified."
            )));
        }
        let mut out = Shape::from(shape);
        out[self.axis] = if self.transform == Transform::Half { points / 2 + 1 } else { points };
        let real = self.transform == Transform::FromHalf;
        let dtype = if real { dtype.component() } else { dtype.to_complex() };
        count(&out)?;
        Ok((dtype, out))
    }

    /// Writes the transform of `from` to `out`, in C order.
    ///
    /// # Errors
    /// Those of [`Fourier::result`]; `Memory`; `Bug` for memory of another size than the result's.
    pub fn fill(&self, from: &Storage, out: &mut [u8]) -> Result<()> {
        let (dtype, shape) = self.result(from.dtype, &from.shape)?;
        if out.len() != count(&shape)? * dtype.size() {
            return Err(Error::bug(format!("{}: memory that does not fit", self.transform.name())));
        }
        if out.is_empty() {
            return Ok(());
        }
        let points = self.points(from.shape[self.axis]);
        if dtype.component() == DType::F32 {
            lines::run::<f32>(self, from, points, self.scale(points) as f32, out)
        } else {
            lines::run::<f64>(self, from, points, self.scale(points), out)
        }
    }

    fn scale(&self, points: usize) -> f64 {
        let n = points as f64;
        let scale = match (self.norm, self.transform.is_forward()) {
            (Norm::Backward, true) | (Norm::Forward, false) => 1.0,
            (Norm::Backward, false) | (Norm::Forward, true) => 1.0 / n,
            (Norm::Ortho, _) => 1.0 / n.sqrt(),
        };
        Scalar::from_f64(scale, self.divisor).to_f64()
    }
}

impl Call for Fourier {
    fn name(&self) -> &str {
        self.transform.name()
    }

    fn key(&self) -> Option<Cow<'_, str>> {
        Some(format!("{self:?}").into())
    }

    fn infer(&self, operands: &[(DType, &[usize])]) -> Result<(DType, Shape)> {
        self.result(operands[0].0, operands[0].1)
    }

    fn run(&self, operands: &[Storage]) -> Result<Storage> {
        let from = &operands[0];
        let (dtype, shape) = self.result(from.dtype, &from.shape)?;
        let mut out = Buffer::new(count(&shape)? * dtype.size())?;
        self.fill(from, out.bytes_mut())?;
        Storage::from_buffer(Arc::new(out), dtype, shape)
    }
}
