//! Shifts of integers by a count that is the same all along the run.
//!
//! Machines shift all lanes by one number below their bits, lanes of two bytes or more. NumPy's count may be
//! any number, one beyond the bits leaves the sign or nothing, and integers have bytes and signs.
//!
//! May not know: memory, how loops are written.

use cranelift_codegen::cursor::FuncCursor;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I16X8, I64};
use cranelift_codegen::ir::{InstBuilder, Value};

use super::emit::{Emit, splat};
use super::group::Turn;
use super::vector::{Key, Lanes, scalar, vector};
use crate::dtype::{DType, Kind};
use crate::error::Result;
use crate::op::Op;

/// Whether `op` on `dtype` is emitted here, if its count is the same all along the run.
pub(super) fn shifts(op: Op, dtype: DType) -> bool {
    matches!(op, Op::LeftShift | Op::RightShift) && dtype.kind() == Kind::Int
}

impl Emit<'_, '_> {
    /// A shift's value for the group: of `x`, by the value of the line `count`.
    pub(super) fn shift(
        &mut self,
        t: &Turn,
        (line, op, dtype): (u32, Op, DType),
        count: u32,
        x: &Lanes,
    ) -> Result<Lanes> {
        let by = self.scalar(count)?;
        let (size, left) = (dtype.size(), op == Op::LeftShift);
        let signed = dtype.is_signed_int() && !left;
        let own = vector(dtype);
        let mut b = self.body(t);
        let last = 8 * size as i64 - 1;
        let n = b.scalar(Key::Count(count), |at| at_most(at, by, size, last));
        if signed && matches!(size, 2 | 4) {
            return Ok(b.each(x, |b, x| b.f.ins().sshr(x, n)));
        }
        let lanes = if size == 1 { I16X8 } else { own };
        let moved = b.each(x, |b, x| {
            let x = b.as_type(x, lanes);
            let x = if left { b.f.ins().ishl(x, n) } else { b.f.ins().ushr(x, n) };
            b.as_type(x, own)
        });
        // Bits that came from the neighbouring byte go, and all bits where the count is beyond them.
        let kept = if signed && size == 8 {
            moved
        } else {
            let mask = b.constant(Key::Mask(line), own, |at| {
                let n = at_most(at, by, size, last);
                let ones = at.ins().iconst(I64, if size == 1 { 0xff } else { -1 });
                let ones = match (size, left) {
                    (1, true) => at.ins().ishl(ones, n),
                    (1, false) => at.ins().ushr(ones, n),
                    _ => ones,
                };
                let mut mask = lowest(at, ones, dtype);
                if !signed {
                    let some = at.ins().icmp_imm_u(IntCC::UnsignedLessThanOrEqual, by, last);
                    let none = at.ins().iconst(scalar(dtype), 0);
                    mask = at.ins().select(some, mask, none);
                }
                splat(at, mask, dtype)
            });
            b.each(&moved, |b, x| b.f.ins().band(x, mask))
        };
        if !signed {
            return Ok(kept);
        }
        // The sign's bit as it was moved; flipped and taken away, it fills what lies above it.
        let sign = b.constant(Key::Sign(line), own, |at| {
            let n = at_most(at, by, size, last);
            let sign = at.ins().iconst(I64, i64::MIN);
            let sign = at.ins().ushr_imm_u(sign, 63 - last);
            let sign = at.ins().ushr(sign, n);
            let sign = lowest(at, sign, dtype);
            splat(at, sign, dtype)
        });
        Ok(b.each(&kept, |b, x| {
            let x = b.f.ins().bxor(x, sign);
            b.f.ins().isub(x, sign)
        }))
    }
}

/// A count as an unsigned number of eight bytes that is at most `last`.
fn at_most(at: &mut FuncCursor, count: Value, size: usize, last: i64) -> Value {
    let count = if size == 8 { count } else { at.ins().uextend(I64, count) };
    let last = at.ins().iconst(I64, last);
    let less = at.ins().icmp(IntCC::UnsignedLessThan, count, last);
    at.ins().select(less, count, last)
}

/// The lowest bytes of eight.
fn lowest(at: &mut FuncCursor, v: Value, dtype: DType) -> Value {
    if dtype.size() == 8 { v } else { at.ins().ireduce(scalar(dtype), v) }
}
