use super::MapFn;
use crate::dtype::DType;
/// The tile function that converts `from` into `to`.
pub fn cast(from: DType, to: DType) -> MapFn {
    let _ = (from, to);
    todo!()
}
