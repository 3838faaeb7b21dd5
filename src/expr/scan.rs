//! Recording scans: the axis, the dtype of the steps, and a call between them.

use std::sync::Arc;

use super::Array;
use crate::dtype::DType;
use crate::error::Result;
use crate::scan::{Running, Scan};
use crate::shape;

impl Array {
    /// All partial results of `scan` along an axis; without one, of the elements in C order.
    ///
    /// Steps and result are of `dtype`; without one, of that of [`Scan::dtype`].
    ///
    /// # Errors
    /// `Axis` for an axis that is not there.
    pub fn scan(&self, scan: Scan, axis: Option<i64>, dtype: Option<DType>) -> Result<Array> {
        let x = self.strong();
        let x = if axis.is_none() || x.rank() == 0 { x.reshape(&[-1])? } else { x };
        let axis = shape::axis(scan.name(), axis.unwrap_or(0), x.rank())?;
        let dtype = scan.dtype(x.dtype(), dtype);
        let x = if Scan::reads(x.dtype(), dtype) { x } else { x.cast(dtype)? };
        Self::call(Arc::new(Running::new(scan, axis, dtype)), &[x])
    }
}
