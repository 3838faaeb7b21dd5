//! A plan's scalars: computed once per evaluation, by the same tile functions as elements.
//!
//! May not know: buffers, launches.

use smallvec::SmallVec;

use crate::dtype::{DType, Scalar};
use crate::error::{Error, Result};
use crate::loops::ScalarSource;
use crate::op::Op;
use crate::tile;

/// The values of `sources`, given the evaluation's arguments; `counted` says the number in the place of one
/// that follows from shapes, where they are not those that were planned.
pub(super) fn evaluate(
    sources: &[ScalarSource],
    arguments: &[Scalar],
    counted: impl Fn(usize) -> Option<Scalar>,
) -> Result<SmallVec<[Scalar; 8]>> {
    let mut values: SmallVec<[Scalar; 8]> = SmallVec::with_capacity(sources.len());
    let mut status = 0u32;
    for (at, source) in sources.iter().enumerate() {
        let value = match source {
            ScalarSource::Argument(i) => *get(arguments, *i)?,
            ScalarSource::Shape(value) => counted(at).unwrap_or(*value),
            ScalarSource::Map { op, dtype, args } => {
                let mut operands = [Scalar::bool(false); 3];
                for (slot, &i) in operands.iter_mut().zip(args) {
                    *slot = *get(&values, i)?;
                }
                map(*op, *dtype, &operands[..args.len().min(3)], &mut status)?
            }
            ScalarSource::Cast { from, to, arg } => {
                let operand = *get(&values, *arg)?;
                expect(operand, *from)?;
                match (from, to) {
                    // A Python number beside float32, which most are: the same rounding, without a tile.
                    (DType::F64, DType::F32) => Scalar::from_f64(operand.to_f64(), *to),
                    _ => call(tile::cast(*from, *to), *to, &[operand], &mut status),
                }
            }
            ScalarSource::Narrow { from, to, arg } => {
                let operand = *get(&values, *arg)?;
                expect(operand, *from)?;
                Scalar::from_int(operand.to_i128(), *to)?
            }
        };
        values.push(value);
    }
    check_status(status)?;
    Ok(values)
}

/// The error that a status word tells of.
pub(super) fn check_status(status: u32) -> Result<()> {
    if status & tile::NEGATIVE_POWER != 0 {
        return Err(Error::value("Integers to negative integer powers are not allowed."));
    }
    Ok(())
}

fn get(values: &[Scalar], i: u32) -> Result<&Scalar> {
    values.get(i as usize).ok_or_else(|| Error::bug(format!("the plan has no scalar {i}")))
}

fn expect(value: Scalar, dtype: DType) -> Result<()> {
    if value.dtype == dtype {
        return Ok(());
    }
    Err(Error::bug(format!("a scalar is {} where the plan says {dtype}", value.dtype)))
}

fn map(op: Op, dtype: DType, operands: &[Scalar], status: &mut u32) -> Result<Scalar> {
    let info = op.info();
    if operands.len() != info.arity {
        return Err(Error::bug(format!("{op}: {} operands", operands.len())));
    }
    for (i, &operand) in operands.iter().enumerate() {
        let condition = op == Op::Where && i == 0;
        expect(operand, if condition { DType::Bool } else { dtype })?;
    }
    let function =
        tile::map(op, dtype).ok_or_else(|| Error::bug(format!("{op}: no loop for {dtype}")))?;
    Ok(call(function, op.out_dtype(dtype), operands, status))
}

/// Runs a tile function on tiles of one element.
fn call(function: tile::MapFn, out: DType, operands: &[Scalar], status: &mut u32) -> Scalar {
    let mut cells = [[0u8; 8]; 3];
    for (cell, operand) in cells.iter_mut().zip(operands) {
        *cell = operand.to_bytes();
    }
    let mut result = [0u8; 8];
    let [a, b, c] = &cells;
    // SAFETY: each tile has room for one element of any dtype.
    unsafe {
        function(
            result.as_mut_ptr(),
            a.as_ptr(),
            b.as_ptr(),
            c.as_ptr(),
            1,
            std::ptr::from_mut(status),
        );
    }
    // The function wrote `out.size()` bytes of the zeroed word, on a little-endian machine the low ones.
    Scalar { dtype: out, bits: u64::from_le_bytes(result) }
}
