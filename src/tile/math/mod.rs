//! Accurate elementary functions.

use super::MapFn;
use crate::dtype::DType;
use crate::op::Op;

/// The tile function of an elementary function; `None` where there is none.
pub fn map(op: Op, dtype: DType) -> Option<MapFn> {
    let _ = (op, dtype);
    None
}
