//! Recording Fourier transforms: the axis, the precision, and a call between them.

use std::sync::Arc;

use super::Array;
use crate::dtype::DType;
use crate::error::Result;
use crate::fft::{Fourier, Norm, Transform};
use crate::shape;

impl Array {
    /// The transform of `points` along an axis; without a number, of all there are.
    ///
    /// In single precision for `float16`, `float32` and `complex64`, else in double.
    ///
    /// # Errors
    /// `Axis` for an axis that is not there, `Value` for no points, `Type` for complex points of
    /// [`Transform::Half`].
    pub fn fft(
        &self,
        transform: Transform,
        points: Option<i64>,
        axis: i64,
        norm: Norm,
    ) -> Result<Array> {
        let x = self.strong();
        let axis = shape::axis(transform.name(), axis, x.rank())?;
        let points = points.map(|n| n.try_into().unwrap_or(0));
        let real = match x.dtype() {
            DType::F16 | DType::F32 | DType::C64 => DType::F32,
            _ => DType::F64,
        };
        let complex = x.dtype().is_complex() || transform == Transform::FromHalf;
        let operand = x.cast(if complex { real.to_complex() } else { real })?;
        let mut call = Fourier::new(transform, axis, points, norm);
        if x.dtype() == DType::F16 {
            call = call.of_half_precision();
        }
        let out = Self::call(Arc::new(call), &[operand])?;
        // NumPy gives real points back in the precision that they came in.
        let narrow = transform == Transform::FromHalf && x.dtype() == DType::F16;
        if narrow { out.cast(DType::F16) } else { Ok(out) }
    }
}
