//! Which ops are emitted as vector instructions, and how.
//!
//! Everything else is a call of its tile function, so this list decides speed and never results:
//! an inline form must have the bits of the tile function. May not know: kernels, memory.

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::types::{F32X4, F64X2, I8X16, I32X4, I64X2};
use cranelift_codegen::ir::{InstBuilder, Type, Value};
use smallvec::smallvec;

use super::vector::{Body, Lanes, int, vector};
use crate::dtype::DType::{self, Bool, F16, F32, F64, I8, I16, I32, I64, U8, U16, U32, U64};
use crate::dtype::Kind;
use crate::error::{Error, Result};
use crate::op::Op;
use crate::tile::scalar::Float;

/// Whether `op` on `dtype` is emitted inline; `full` is the machine's inline set.
pub(super) fn maps(op: Op, dtype: DType, full: bool) -> bool {
    use Op::*;
    if !op.info().loops.contain(dtype) {
        return false;
    }
    if matches!(op, Where | Positive | Conjugate) {
        return true;
    }
    match dtype.kind() {
        Kind::Complex => false,
        _ if dtype == F16 => false,
        Kind::Bool => true,
        Kind::Float => match op {
            Negative | Absolute | Fabs | Deg2rad | Rad2deg | Copysign | Sqrt | Square
            | Reciprocal | Add | Subtract | Multiply | Divide | Equal | NotEqual | Less
            | LessEqual | Greater | GreaterEqual => true,
            Sign | Floor | Ceil | Trunc | Rint | Isnan | Isinf | Isfinite | LogicalNot
            | Minimum | Maximum | Fmin | Fmax | Signbit | LogicalAnd | LogicalOr | LogicalXor => {
                full
            }
            _ => false,
        },
        Kind::Int => match op {
            Negative | Add | Subtract | Equal | BitwiseAnd | BitwiseOr | BitwiseXor | Invert
            | Floor | Ceil | Trunc | Isnan | Isinf | Isfinite => true,
            Square | Multiply => full && dtype.size() > 1,
            Absolute | Minimum | Maximum | Fmin | Fmax | NotEqual | Less | LessEqual | Greater
            | GreaterEqual | LogicalNot | LogicalAnd | LogicalOr | LogicalXor => full,
            _ => false,
        },
    }
}

/// Whether a cast is emitted inline; `index`: of the place along a loop, which is never negative
/// and far below 2**52.
pub(super) fn casts(from: DType, to: DType, index: bool, full: bool) -> bool {
    if from == to {
        return true;
    }
    if from == F16 || to == F16 || !full {
        return false;
    }
    match (from, to) {
        (Bool, _) | (_, Bool) => true,
        (I64, F32) => index,
        (I64, F64) => true,
        (U64, F32 | F64) => false,
        (F32 | F64, F32 | F64) => true,
        (F32 | F64, d) => d.size() < 4 || d == I32,
        _ => true,
    }
}

/// Emits `op`. Masks among the operands have lanes as wide as the result's (for `where`, as `dtype`).
pub(super) fn map(b: &mut Body, op: Op, dtype: DType, args: &[Lanes]) -> Result<Lanes> {
    if matches!(op, Op::Positive | Op::Conjugate) {
        return Ok(args[0].clone());
    }
    if op == Op::Where {
        return Ok(choose(b, dtype, &args[0], &args[1], &args[2]));
    }
    let out = match dtype.kind() {
        Kind::Bool => bools(b, op, args),
        Kind::Float => floats(b, op, vector(dtype), args),
        Kind::Int => ints(b, op, dtype, args),
        Kind::Complex => None,
    };
    out.ok_or_else(|| Error::bug(format!("{op}.{}: no inline form", dtype.short())))
}

/// `x` where the mask is set, else `y`.
fn choose(b: &mut Body, dtype: DType, mask: &Lanes, x: &Lanes, y: &Lanes) -> Lanes {
    // As integers of the mask's type: so the back end sees that it is a comparison's result.
    let mut out = Lanes::new();
    for k in 0..x.len() {
        let ty = b.f.func.dfg.value_type(mask[k]);
        let (x, y) = (b.as_type(x[k], ty), b.as_type(y[k], ty));
        let v = b.f.ins().bitselect(mask[k], x, y);
        let to = if dtype == Bool { ty } else { vector(dtype) };
        out.push(b.as_type(v, to));
    }
    out
}

fn all_ones(b: &mut Body) -> Value {
    b.lanes_of(I8X16, 0xff)
}

fn not(b: &mut Body, v: Value) -> Value {
    let ty = b.f.func.dfg.value_type(v);
    let ones = all_ones(b);
    let ones = b.as_type(ones, ty);
    b.f.ins().bxor(v, ones)
}

fn filled(b: &mut Body, like: &Lanes, ty: Type, bits: u64) -> Lanes {
    let v = b.lanes_of(ty, bits);
    smallvec![v; like.len()]
}

fn bools(b: &mut Body, op: Op, args: &[Lanes]) -> Option<Lanes> {
    use Op::*;
    let x = &args[0];
    let ty = b.f.func.dfg.value_type(x[0]);
    let y = args.get(1).unwrap_or(x);
    let y = &b.as_types(y, ty);
    Some(match op {
        Absolute | Floor | Ceil | Trunc => x.clone(),
        Isnan | Isinf => filled(b, x, ty, 0),
        Isfinite => filled(b, x, ty, u64::MAX),
        LogicalNot | Invert => b.each(x, not),
        Add | Maximum | Fmax | LogicalOr | BitwiseOr => {
            b.pairs(x, y, |b, x, y| b.f.ins().bor(x, y))
        }
        Multiply | Minimum | Fmin | LogicalAnd | BitwiseAnd => {
            b.pairs(x, y, |b, x, y| b.f.ins().band(x, y))
        }
        NotEqual | LogicalXor | BitwiseXor => b.pairs(x, y, |b, x, y| b.f.ins().bxor(x, y)),
        Equal => b.pairs(x, y, |b, x, y| {
            let v = b.f.ins().bxor(x, y);
            not(b, v)
        }),
        Less => b.pairs(x, y, |b, x, y| b.f.ins().band_not(y, x)),
        Greater => b.pairs(x, y, |b, x, y| b.f.ins().band_not(x, y)),
        LessEqual => b.pairs(x, y, |b, x, y| {
            let v = not(b, x);
            b.f.ins().bor(v, y)
        }),
        GreaterEqual => b.pairs(x, y, |b, x, y| {
            let v = not(b, y);
            b.f.ins().bor(v, x)
        }),
        _ => return None,
    })
}

fn floats(b: &mut Body, op: Op, ty: Type, args: &[Lanes]) -> Option<Lanes> {
    use Op::*;
    let x = &args[0];
    let y = args.get(1).unwrap_or(x);
    let compare = |b: &mut Body, cc, x: &Lanes, y: &Lanes| {
        Some(b.pairs(x, y, |b, x, y| b.f.ins().fcmp(cc, x, y)))
    };
    match op {
        Add => Some(b.pairs(x, y, |b, x, y| b.f.ins().fadd(x, y))),
        Subtract => Some(b.pairs(x, y, |b, x, y| b.f.ins().fsub(x, y))),
        Multiply => Some(b.pairs(x, y, |b, x, y| b.f.ins().fmul(x, y))),
        Divide => Some(b.pairs(x, y, |b, x, y| b.f.ins().fdiv(x, y))),
        Square => Some(b.each(x, |b, x| b.f.ins().fmul(x, x))),
        Sqrt => Some(b.each(x, |b, x| b.f.ins().sqrt(x))),
        Floor => Some(b.each(x, |b, x| b.f.ins().floor(x))),
        Ceil => Some(b.each(x, |b, x| b.f.ins().ceil(x))),
        Trunc => Some(b.each(x, |b, x| b.f.ins().trunc(x))),
        Rint => Some(b.each(x, |b, x| b.f.ins().nearest(x))),
        Minimum => Some(b.pairs(x, y, |b, x, y| minmax(b, false, ty, x, y))),
        Maximum => Some(b.pairs(x, y, |b, x, y| minmax(b, true, ty, x, y))),
        Fmin => Some(b.pairs(x, y, |b, x, y| fminmax(b, false, ty, x, y))),
        Fmax => Some(b.pairs(x, y, |b, x, y| fminmax(b, true, ty, x, y))),
        Equal => compare(b, FloatCC::Equal, x, y),
        NotEqual => compare(b, FloatCC::NotEqual, x, y),
        Less => compare(b, FloatCC::LessThan, x, y),
        LessEqual => compare(b, FloatCC::LessThanOrEqual, x, y),
        Greater => compare(b, FloatCC::LessThan, y, x),
        GreaterEqual => compare(b, FloatCC::LessThanOrEqual, y, x),
        Isnan => compare(b, FloatCC::Unordered, x, x),
        _ => float_bits(b, op, ty, args),
    }
}

fn float_bits(b: &mut Body, op: Op, ty: Type, args: &[Lanes]) -> Option<Lanes> {
    use Op::*;
    let x = &args[0];
    let one = if ty == F32X4 { u64::from(1f32.to_bits()) } else { 1f64.to_bits() };
    let inf =
        if ty == F32X4 { u64::from(f32::INFINITY.to_bits()) } else { f64::INFINITY.to_bits() };
    Some(match op {
        Negative => b.each(x, |b, x| {
            let sign = sign_bit(b, ty);
            b.f.ins().bxor(sign, x)
        }),
        Absolute | Fabs => b.each(x, |b, x| absolute(b, ty, x)),
        Copysign => {
            let y = args.get(1)?;
            b.pairs(x, y, |b, x, y| {
                let sign = sign_bit(b, ty);
                let x = absolute(b, ty, x);
                let y = b.f.ins().band(sign, y);
                b.f.ins().bor(x, y)
            })
        }
        Signbit => b.each(x, |b, x| {
            // 1 with the sign is less than 0 or not, and never NaN.
            let (sign, one) = (sign_bit(b, ty), b.lanes_of(ty, one));
            let x = b.f.ins().band(sign, x);
            let x = b.f.ins().bor(x, one);
            let zero = b.lanes_of(ty, 0);
            b.f.ins().fcmp(FloatCC::LessThan, x, zero)
        }),
        Deg2rad | Rad2deg => {
            // The tile function's constants, by way of it.
            let factor = |of: f32, wide: f64| {
                if ty == F32X4 { u64::from(of.to_bits()) } else { wide.to_bits() }
            };
            let factor = match op {
                Deg2rad => factor(1f32.deg2rad(), 1f64.deg2rad()),
                _ => factor(1f32.rad2deg(), 1f64.rad2deg()),
            };
            b.each(x, |b, x| {
                let factor = b.lanes_of(ty, factor);
                b.f.ins().fmul(x, factor)
            })
        }
        Reciprocal => b.each(x, |b, x| {
            let one = b.lanes_of(ty, one);
            b.f.ins().fdiv(one, x)
        }),
        Isinf | Isfinite => b.each(x, |b, x| {
            let x = absolute(b, ty, x);
            let inf = b.lanes_of(ty, inf);
            let cc = if op == Isinf { FloatCC::Equal } else { FloatCC::LessThan };
            b.f.ins().fcmp(cc, x, inf)
        }),
        Sign => b.each(x, |b, x| {
            // 1 or -1 by the sign, but the value itself where it is NaN, and +0 for zeros.
            let zero = b.lanes_of(ty, 0);
            let sign = sign_bit(b, ty);
            let one = b.lanes_of(ty, one);
            let sign = b.f.ins().band(x, sign);
            let unit = b.f.ins().bor(sign, one);
            let some = b.f.ins().fcmp(FloatCC::NotEqual, x, zero);
            let some = b.as_type(some, ty);
            let unit = b.f.ins().band(unit, some);
            let nan = b.f.ins().fcmp(FloatCC::Unordered, x, x);
            let nan = b.as_type(nan, ty);
            b.f.ins().bitselect(nan, x, unit)
        }),
        LogicalNot => {
            let zero = filled(b, x, ty, 0);
            b.pairs(x, &zero, |b, x, z| b.f.ins().fcmp(FloatCC::Equal, x, z))
        }
        LogicalAnd | LogicalOr | LogicalXor => {
            let zero = filled(b, x, ty, 0);
            let truth = |b: &mut Body, x: Value, z: Value| b.f.ins().fcmp(FloatCC::NotEqual, x, z);
            let (x, y) = (b.pairs(x, &zero, truth), b.pairs(&args[1], &zero, truth));
            return bools(b, op, &[x, y]);
        }
        _ => return None,
    })
}

fn sign_bit(b: &mut Body, ty: Type) -> Value {
    b.lanes_of(ty, 1 << (ty.lane_bits() - 1))
}

fn absolute(b: &mut Body, ty: Type, x: Value) -> Value {
    let mask = b.lanes_of(ty, u64::MAX >> (65 - ty.lane_bits()));
    // In this order a load can become the instruction's memory operand.
    b.f.ins().band(mask, x)
}

/// NumPy's minimum or maximum: the first operand if it is NaN, else the second unless the first is
/// smaller (larger).
fn minmax(b: &mut Body, max: bool, ty: Type, x: Value, y: Value) -> Value {
    let nan = b.f.ins().fcmp(FloatCC::Unordered, x, x);
    let best = bare_minmax(b, max, ty, x, y);
    let nan = b.as_type(nan, ty);
    b.f.ins().bitselect(nan, x, best)
}

/// NumPy's `fmin` or `fmax`: the first operand if the second is NaN or it is smaller (larger), else the
/// second.
fn fminmax(b: &mut Body, max: bool, ty: Type, x: Value, y: Value) -> Value {
    let nan = b.f.ins().fcmp(FloatCC::Unordered, y, y);
    let best = bare_minmax(b, max, ty, x, y);
    let nan = b.as_type(nan, ty);
    b.f.ins().bitselect(nan, x, best)
}

/// One instruction: `x` if it is smaller (larger), else `y`, even if either is NaN.
pub(super) fn bare_minmax(b: &mut Body, max: bool, ty: Type, x: Value, y: Value) -> Value {
    let (l, r) = if max { (y, x) } else { (x, y) };
    let take = b.f.ins().fcmp(FloatCC::LessThan, l, r);
    let take = b.as_type(take, ty);
    b.f.ins().bitselect(take, x, y)
}

fn ints(b: &mut Body, op: Op, dtype: DType, args: &[Lanes]) -> Option<Lanes> {
    use Op::*;
    let (x, ty, signed) = (&args[0], vector(dtype), dtype.is_signed_int());
    let y = args.get(1).unwrap_or(x);
    let compare = |b: &mut Body, cc: IntCC, x: &Lanes, y: &Lanes| {
        let cc = if signed { cc } else { cc.unsigned() };
        Some(b.pairs(x, y, |b, x, y| b.f.ins().icmp(cc, x, y)))
    };
    Some(match op {
        Floor | Ceil | Trunc => x.clone(),
        Absolute if !signed => x.clone(),
        Absolute => b.each(x, |b, x| b.f.ins().iabs(x)),
        Negative => {
            let zero = filled(b, x, ty, 0);
            b.pairs(&zero, x, |b, z, x| b.f.ins().isub(z, x))
        }
        Invert => b.each(x, not),
        Square => b.each(x, |b, x| b.f.ins().imul(x, x)),
        Isnan | Isinf => filled(b, x, ty, 0),
        Isfinite => filled(b, x, ty, u64::MAX),
        Add => b.pairs(x, y, |b, x, y| b.f.ins().iadd(x, y)),
        Subtract => b.pairs(x, y, |b, x, y| b.f.ins().isub(x, y)),
        Multiply => b.pairs(x, y, |b, x, y| b.f.ins().imul(x, y)),
        BitwiseAnd => b.pairs(x, y, |b, x, y| b.f.ins().band(x, y)),
        BitwiseOr => b.pairs(x, y, |b, x, y| b.f.ins().bor(x, y)),
        BitwiseXor => b.pairs(x, y, |b, x, y| b.f.ins().bxor(x, y)),
        Minimum | Maximum | Fmin | Fmax => b.pairs(x, y, |b, x, y| int_minmax(b, op, dtype, x, y)),
        Equal => return compare(b, IntCC::Equal, x, y),
        NotEqual => return compare(b, IntCC::NotEqual, x, y),
        Less => return compare(b, IntCC::SignedLessThan, x, y),
        LessEqual => return compare(b, IntCC::SignedLessThanOrEqual, x, y),
        Greater => return compare(b, IntCC::SignedGreaterThan, x, y),
        GreaterEqual => return compare(b, IntCC::SignedGreaterThanOrEqual, x, y),
        LogicalNot => {
            let zero = filled(b, x, ty, 0);
            return compare(b, IntCC::Equal, x, &zero);
        }
        LogicalAnd | LogicalOr | LogicalXor => {
            let zero = filled(b, x, ty, 0);
            let x = compare(b, IntCC::NotEqual, x, &zero)?;
            let y = compare(b, IntCC::NotEqual, y, &zero)?;
            return bools(b, op, &[x, y]);
        }
        _ => return None,
    })
}

fn int_minmax(b: &mut Body, op: Op, dtype: DType, x: Value, y: Value) -> Value {
    let signed = dtype.is_signed_int();
    let smaller = matches!(op, Op::Minimum | Op::Fmin);
    if dtype.size() == 8 {
        let cc = if signed { IntCC::SignedLessThan } else { IntCC::UnsignedLessThan };
        let less = b.f.ins().icmp(cc, x, y);
        let (x, y) = if smaller { (x, y) } else { (y, x) };
        return b.f.ins().bitselect(less, x, y);
    }
    let ins = b.f.ins();
    match (smaller, signed) {
        (true, true) => ins.smin(x, y),
        (true, false) => ins.umin(x, y),
        (false, true) => ins.smax(x, y),
        (false, false) => ins.umax(x, y),
    }
}

/// Emits a cast. A mask that is cast has lanes as wide as the result's.
pub(super) fn cast(b: &mut Body, from: DType, to: DType, v: &Lanes, index: bool) -> Result<Lanes> {
    let out = match (from, to) {
        _ if from == to => v.clone(),
        (Bool, _) => {
            let one = match to {
                F32 => 1f32.to_bits().into(),
                F64 => 1f64.to_bits(),
                _ => 1,
            };
            let one = b.lanes_of(vector(to), one);
            let mask = b.as_types(v, vector(to));
            b.each(&mask, |b, m| b.f.ins().band(m, one))
        }
        (F32 | F64, Bool) => {
            let zero = filled(b, v, vector(from), 0);
            b.pairs(v, &zero, |b, x, z| b.f.ins().fcmp(FloatCC::NotEqual, x, z))
        }
        (_, Bool) => {
            let zero = filled(b, v, vector(from), 0);
            b.pairs(v, &zero, |b, x, z| b.f.ins().icmp(IntCC::NotEqual, x, z))
        }
        (F32, F64) => {
            let low = b.f.ins().fvpromote_low(v[0]);
            let mut out: Lanes = smallvec![low];
            if b.vectors(8) > 1 {
                let high = b.high(v[0]);
                out.push(b.f.ins().fvpromote_low(high));
            }
            out
        }
        (F64, F32) => {
            let v = b.each(v, |b, v| b.f.ins().fvdemote(v));
            smallvec![if v.len() > 1 { b.join(v[0], v[1]) } else { v[0] }]
        }
        (F32 | F64, _) => {
            let v = to_i32(b, from, v);
            resize(b, &v, I32, to)
        }
        (_, F32) => int_to_f32(b, from, v, index),
        (_, F64) => int_to_f64(b, from, v, index),
        _ => resize(b, v, from, to),
    };
    Ok(out)
}

/// Integers to integers: widened by their own sign, or the low bits.
fn resize(b: &mut Body, v: &Lanes, from: DType, to: DType) -> Lanes {
    let (mut v, mut width) = (b.as_types(v, int(from.size())), from.size());
    while width < to.size() {
        v = b.widen(&v, width, from.is_signed_int());
        width *= 2;
    }
    while width > to.size() {
        v = b.narrow(&v, width, false);
        width /= 2;
    }
    v
}

/// Floats truncated to `int32`; what does not fit becomes its lowest value, as x86 has it.
fn to_i32(b: &mut Body, from: DType, v: &Lanes) -> Lanes {
    if from == F32 {
        return b.each(v, |b, v| b.f.ins().x86_cvtt2dq(I32X4, v));
    }
    let v = b.each(v, |b, v| {
        let wide = b.f.ins().x86_cvtt2dq(I64X2, v);
        let zero = b.f.func.dfg.constants.insert([0u8; 16].as_slice().into());
        let zero = b.f.ins().vconst(I64X2, zero);
        b.f.ins().snarrow(wide, zero)
    });
    smallvec![if v.len() > 1 { b.join(v[0], v[1]) } else { v[0] }]
}

fn int_to_f32(b: &mut Body, from: DType, v: &Lanes, index: bool) -> Lanes {
    match from {
        U32 => b.each(v, |b, v| b.f.ins().fcvt_from_uint(F32X4, v)),
        I64 => {
            let v = int_to_f64(b, I64, v, index);
            let v = b.each(&v, |b, v| b.f.ins().fvdemote(v));
            smallvec![if v.len() > 1 { b.join(v[0], v[1]) } else { v[0] }]
        }
        _ => {
            let v = resize(b, v, from, I32);
            b.each(&v, |b, v| b.f.ins().fcvt_from_sint(F32X4, v))
        }
    }
}

fn int_to_f64(b: &mut Body, from: DType, v: &Lanes, index: bool) -> Lanes {
    if from == I64 && index {
        // 2**52 + i has i as its lowest bits, exactly.
        let magic = b.lanes_of(I64X2, 0x4330_0000_0000_0000);
        return b.each(v, |b, v| {
            let v = b.f.ins().bor(v, magic);
            let v = b.as_type(v, F64X2);
            let magic = b.as_type(magic, F64X2);
            b.f.ins().fsub(v, magic)
        });
    }
    if from == I64 {
        return b.each(v, |b, v| b.f.ins().fcvt_from_sint(F64X2, v));
    }
    let v = if matches!(from, I8 | U8 | I16 | U16) { resize(b, v, from, I32) } else { v.clone() };
    let mut out = Lanes::new();
    for half in 0..b.vectors(8) {
        let v = if half == 0 { v[0] } else { b.high(v[0]) };
        let ins = b.f.ins();
        out.push(if from == U32 {
            let wide = ins.uwiden_low(v);
            b.f.ins().fcvt_from_uint(F64X2, wide)
        } else {
            let wide = ins.swiden_low(v);
            b.f.ins().fcvt_from_sint(F64X2, wide)
        });
    }
    out
}
