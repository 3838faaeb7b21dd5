//! What a tape notes: each request by what says that another one is the same.

use std::sync::Arc;

use crate::dtype::{DType, Kind};
use crate::error::Result;
use crate::expr::{Array, Number, Over, Prim};
use crate::op::Op;
use crate::runtime::direct::Reduction;
use crate::scan::Scan;
use crate::select::Select;

/// What is recorded of some operands.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    /// An op of the table.
    Map(Op),
    /// A conversion.
    Cast(DType),
    /// `clip` by the bounds that follow the array.
    Clip {
        /// Whether the lower bound is given.
        low: bool,
        /// Whether the upper bound is given.
        high: bool,
    },
    /// A reduction over one axis, or over all.
    Reduce {
        /// Which.
        what: Reduction,
        /// The axis; negative ones count from the end.
        axis: Option<i64>,
        /// Whether reduced axes stay with length 1.
        keepdims: bool,
    },
    /// All partial results along an axis.
    Scan {
        /// Of what.
        scan: Scan,
        /// The axis; all elements in C order if there is none.
        axis: Option<i64>,
        /// What to compute and return in, if it was asked for.
        dtype: Option<DType>,
    },
    /// An order statistic: one number of each line.
    Select(Arc<Select>),
    /// `interp` of positions in a table of points and values.
    Interp,
    /// The same elements seen otherwise.
    View(Prim),
    /// Evenly spaced numbers, of no operands.
    Range(Range),
}

/// Evenly spaced numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Range {
    /// `arange` of a number.
    Count(i64),
    /// `linspace` between two numbers.
    Line {
        /// The bits of the first, a `float64`.
        start: u64,
        /// The bits of the last.
        stop: u64,
        /// How many.
        num: usize,
        /// Whether the last is one of them.
        endpoint: bool,
    },
}

impl Range {
    /// How many numbers there are.
    pub fn count(self) -> usize {
        match self {
            Range::Count(stop) => usize::try_from(stop).unwrap_or(0),
            Range::Line { num, .. } => num,
        }
    }

    fn of(self) -> Result<Array> {
        match self {
            Range::Count(stop) => {
                let [start, stop, step] = [0, stop, 1].map(|n| Number::Int(n.into()));
                Array::arange(start, stop, step, None)
            }
            Range::Line { start, stop, num, endpoint } => {
                let [start, stop] =
                    [start, stop].map(|n| Array::number(Number::Float(f64::from_bits(n))));
                Array::linspace(&start, &stop, num, endpoint, None)
            }
        }
    }
}

impl Request {
    /// Whether numbers of the call are part of it, which may be others the next time.
    pub(super) fn may_never_come_back(&self) -> bool {
        matches!(self, Request::Select(_) | Request::View(_))
    }

    /// Records it.
    pub(super) fn of(&self, operands: &[Array]) -> Result<Array> {
        match *self {
            Request::Map(op) => Array::map(op, operands),
            Request::Cast(dtype) => operands[0].strong().cast(dtype),
            Request::Scan { scan, axis, dtype } => operands[0].scan(scan, axis, dtype),
            Request::Select(ref select) => Array::call(select.clone(), &[operands[0].strong()]),
            Request::Range(range) => range.of(),
            Request::View(ref prim) => operands[0].strong().view(prim),
            Request::Interp => operands[0].interp(&operands[1], &operands[2], None, None),
            Request::Clip { low, high } => {
                let mut bounds = operands[1..].iter();
                let low = if low { bounds.next() } else { None };
                let high = if high { bounds.next() } else { None };
                operands[0].clip(low, high)
            }
            Request::Reduce { what, axis, keepdims } => {
                let over = Over { axis: axis.map(|a| vec![a]), keepdims, dtype: None };
                match what {
                    Reduction::Fold(fold) => operands[0].reduce(fold, &over),
                    Reduction::Mean => operands[0].mean(&over),
                    Reduction::Var(ddof) => operands[0].var(&over, ddof),
                    Reduction::Std(ddof) => operands[0].std(&over, ddof),
                }
            }
        }
    }

    /// Whether numbers among the operands can be noted: powers have forms of their own for some exponents, and
    /// logic asks whether a number is zero.
    pub fn takes_numbers(&self) -> bool {
        use Op::{Ldexp, LogicalAnd, LogicalOr, LogicalXor, Power};
        matches!(self, Request::Cast(_) | Request::Clip { .. } | Request::Reduce { .. })
            || matches!(self, Request::Map(op) if !matches!(op, Power | Ldexp | LogicalAnd | LogicalOr | LogicalXor))
    }

    /// Whether the same is recorded for any number in place of this one, beside an array of `dtype`. An
    /// integer that the dtype cannot hold is an error, or bounds nothing.
    pub(super) fn is_of_any(&self, number: Number, dtype: DType) -> bool {
        match number {
            _ if !self.takes_numbers() => false,
            Number::Float(_) => true,
            Number::Int(v) => match (dtype, dtype.kind()) {
                (DType::F16, _) => v.unsigned_abs() <= 1 << 11,
                (_, Kind::Float) => v.unsigned_abs() <= 1 << 24,
                (_, Kind::Int) => {
                    let (low, high) = dtype.int_range();
                    low < v && v < high
                }
                _ => false,
            },
        }
    }
}
