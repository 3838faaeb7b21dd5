//! Which dtype an op computes in: NumPy's loops and NEP 50.
//!
//! May not know: shapes and values, but for the value of a Python integer, which must fit.

use smallvec::SmallVec;

use super::{Loops, Op};
use crate::dtype::{DType, Kind};
use crate::error::{Error, Result};

/// A Python scalar's kind: it takes part in promotion by kind alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Weak {
    /// A Python `int`.
    Int,
    /// A Python `float`.
    Float,
    /// A Python `complex`.
    Complex,
}

/// What promotion sees of an operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operand {
    /// An array or a NumPy scalar. (A Python `bool` is a NumPy one.)
    Strong(DType),
    /// A Python number.
    Weak(Weak),
}

/// The dtypes that an op computes in and results in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// Operands are cast to this first (the condition of `where` to `bool`).
    pub operand: DType,
    /// The result's dtype.
    pub result: DType,
}

/// NumPy's `result_type` of the operands under NEP 50.
pub fn result_dtype(operands: &[Operand]) -> DType {
    let mut strong: SmallVec<[DType; 3]> = SmallVec::new();
    let mut weak: Option<Weak> = None;
    for o in operands {
        match *o {
            Operand::Strong(d) => strong.push(d),
            Operand::Weak(w) => weak = weak.max(Some(w)),
        }
    }
    // The most general first, as NumPy does: of (int8, uint8, float16) it is float16, though the two
    // integers alone would need more.
    if strong.windows(2).any(|pair| pair[0] != pair[1]) {
        strong.sort_unstable_by_key(|d| std::cmp::Reverse(*d));
    }
    let strong = strong.into_iter().reduce(DType::promote);
    match (strong, weak) {
        (Some(s), None) => s,
        (Some(s), Some(Weak::Int)) => {
            if s == DType::Bool {
                DType::I64
            } else {
                s
            }
        }
        (Some(s), Some(Weak::Float)) => {
            if s.is_float() || s.is_complex() {
                s
            } else {
                DType::F64
            }
        }
        (Some(s), Some(Weak::Complex)) => match s.kind() {
            Kind::Float | Kind::Complex => s.to_complex(),
            _ => DType::C128,
        },
        (None, Some(Weak::Complex)) => DType::C128,
        (None, Some(Weak::Int) | None) => DType::I64,
        (None, Some(Weak::Float)) => DType::F64,
    }
}

/// The loop that `op` uses for these operands (for `where`, the two after the condition).
pub fn resolve(op: Op, operands: &[Operand]) -> Result<Resolved> {
    let info = op.info();
    let common = result_dtype(operands);
    let operand = match info.loops {
        Loops::Ldexp => ldexp_dtype(op, operands)?,
        Loops::Double => DType::F64,
        Loops::Divide if common.kind() != Kind::Float => DType::F64,
        loops if loops.contain(common) => common,
        Loops::Int if common == DType::Bool => DType::I8,
        Loops::Number => DType::ALL
            .into_iter()
            .find(|&d| info.loops.contain(d) && common.casts_safely(d))
            .unwrap_or(DType::F64),
        Loops::Float => first_float(operands),
        loops => {
            let accepted = match loops {
                Loops::Bits | Loops::Int => "bool and integers",
                Loops::Whole => "integers",
                _ => "integers and floats; cast with .astype() first",
            };
            return Err(Error::dtype(format!(
                "{op}: no loop for {common}; accepted are {accepted}"
            )));
        }
    };
    Ok(Resolved { operand, result: op.out_dtype(operand) })
}

/// The first float that holds every operand by itself, which may be less than their promotion: of
/// (int8, uint16) it is float32, though int32 goes to float64.
fn first_float(operands: &[Operand]) -> DType {
    let strong = operands.iter().filter_map(|o| match *o {
        Operand::Strong(d) => Some(d),
        Operand::Weak(_) => None,
    });
    // A Python number of a higher kind than all arrays counts as what it is by itself.
    let common = result_dtype(operands);
    let lifted = strong.clone().map(DType::kind).max().is_none_or(|kind| kind < common.kind())
        && operands.iter().any(|o| matches!(o, Operand::Weak(_)));
    let alone = lifted.then_some(common);
    let fits = |d: &DType| d.is_float() && strong.clone().chain(alone).all(|s| s.casts_safely(*d));
    DType::ALL.into_iter().find(fits).unwrap_or(DType::F64)
}

/// The float of `ldexp`, which the first operand decides.
fn ldexp_dtype(op: Op, operands: &[Operand]) -> Result<DType> {
    let exponent = operands.get(1).copied().unwrap_or(Operand::Weak(Weak::Int));
    let whole = match exponent {
        Operand::Strong(d) => d.casts_safely(DType::I64),
        Operand::Weak(w) => w == Weak::Int,
    };
    if !whole {
        return Err(Error::dtype(format!(
            "{op}: the second operand must be an integer that int64 holds"
        )));
    }
    Ok(match (operands[0], exponent) {
        // NumPy searches its loops with the Python integer taken as whatever fits, and finds the first.
        (Operand::Weak(Weak::Int), Operand::Strong(d)) if d != DType::Bool => DType::F16,
        (x, _) => first_float(&[x]),
    })
}

/// The dtype of a sum or a product of elements of `dtype`.
pub fn sum_dtype(dtype: DType) -> DType {
    match dtype.kind() {
        Kind::Float | Kind::Complex => dtype,
        _ if dtype.is_unsigned() => DType::U64,
        _ => DType::I64,
    }
}

/// The dtype of a mean, and the one it is computed in.
pub fn mean_dtypes(dtype: DType, wanted: Option<DType>) -> (DType, DType) {
    let out =
        wanted.unwrap_or(if dtype.is_float() || dtype.is_complex() { dtype } else { DType::F64 });
    (out, if out == DType::F16 { DType::F32 } else { out })
}

#[cfg(test)]
mod tests {
    use super::*;
    use DType::{Bool, F16, F32, F64, I8, I16, I64, U8, U16, U64};
    use Operand::Strong as S;

    #[test]
    fn loops_follow_numpy() {
        let w = Operand::Weak;
        for (op, operands, want) in [
            (Op::Add, vec![S(I8), S(U8)], I16),
            (Op::Add, vec![S(I64), S(U64)], F64),
            (Op::Add, vec![S(U8), w(Weak::Int)], U8),
            (Op::Add, vec![S(Bool), w(Weak::Int)], I64),
            (Op::Multiply, vec![S(F32), w(Weak::Float)], F32),
            (Op::Multiply, vec![S(I16), w(Weak::Float)], F64),
            (Op::Exp, vec![S(I8)], F16),
            (Op::Exp, vec![S(I16)], F32),
            (Op::Divide, vec![S(I8), S(I8)], F64),
            (Op::FloorDivide, vec![S(Bool), S(Bool)], I8),
            (Op::Sqrt, vec![w(Weak::Int)], F64),
            (Op::Hypot, vec![S(I8), S(U16)], F32),
            (Op::Hypot, vec![S(I8), w(Weak::Int)], F16),
            (Op::Hypot, vec![S(I8), w(Weak::Float)], F64),
            (Op::Hypot, vec![S(Bool), w(Weak::Int)], F64),
            (Op::FloatPower, vec![S(I8), S(F16)], F64),
            (Op::Gcd, vec![S(Bool), S(I8)], I8),
            (Op::Ldexp, vec![S(I8), S(I64)], F16),
            (Op::Ldexp, vec![S(F32), w(Weak::Int)], F32),
            (Op::Ldexp, vec![w(Weak::Int), S(I64)], F16),
        ] {
            assert_eq!(resolve(op, &operands).unwrap().operand, want, "{op} {operands:?}");
        }
        assert!(resolve(Op::Subtract, &[S(Bool), S(Bool)]).is_err());
        assert!(resolve(Op::BitwiseAnd, &[S(F32), S(F32)]).is_err());
        assert!(resolve(Op::Gcd, &[S(Bool), S(Bool)]).is_err());
        assert!(resolve(Op::Ldexp, &[S(F32), S(U64)]).is_err());
        assert!(resolve(Op::Ldexp, &[S(F32), w(Weak::Float)]).is_err());
        assert_eq!(resolve(Op::BitwiseCount, &[S(I16)]).unwrap().result, U8);
        assert_eq!(resolve(Op::FrexpExponent, &[S(F64)]).unwrap().result, DType::I32);
    }
}
