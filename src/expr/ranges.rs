//! Arrays that are formulas of the index: `arange`, `linspace`, `full`. None of them has memory.

use smallvec::smallvec;

use super::{Args, Array, Even, Number, Prim};
use crate::dtype::{DType, Kind, Scalar};
use crate::error::{Error, Result};
use crate::op::{Op, Operand, result_dtype};
use crate::shape;

impl Array {
    /// `0, 1, ... len - 1` as `int64`.
    fn iota(len: usize) -> Result<Array> {
        shape::count(&[len])?;
        Ok(Self::node(Prim::Iota { len }, DType::I64, smallvec![len], Args::new()))
    }

    /// `numpy.arange`: from `start` up to but without `stop`, by `step`.
    ///
    /// The length is `ceil((stop - start) / step)`; an element is `start + i * delta`, where `delta` is
    /// the second element less the first in the result's dtype, as NumPy fills it.
    ///
    /// # Errors
    /// `Value` for a step of 0 or bounds that are not finite.
    pub fn arange(
        start: Number,
        stop: Number,
        step: Number,
        dtype: Option<DType>,
    ) -> Result<Array> {
        let numbers = [start, stop, step];
        let natural = result_dtype(&numbers.map(|n| Array::number(n).operand()));
        let dtype = dtype.unwrap_or(natural);
        if dtype == DType::Bool {
            return Err(Error::dtype("arange: no loop for bool; use an integer or float dtype"));
        }
        let len = arange_len(start, stop, step)?;
        let (first, second) = match (start, step) {
            (Number::Int(a), Number::Int(d)) => {
                (at(Number::Int(a), dtype)?, at(Number::Int(a + d), dtype))
            }
            _ => {
                let (a, d) = (to_f64(start), to_f64(step));
                (at(Number::Float(a), dtype)?, at(Number::Float(a + d), dtype))
            }
        };
        // With fewer than two elements the second is never seen and need not fit.
        let second = if len < 2 { second.unwrap_or(first) } else { second? };
        let compute = if dtype == DType::F16 { DType::F32 } else { dtype };
        let (a, b) = (Array::scalar(first).cast(compute)?, Array::scalar(second).cast(compute)?);
        let delta = match dtype.kind() {
            Kind::Float => Array::scalar(Scalar::from_f64(
                Scalar::from_f64(second.to_f64() - first.to_f64(), dtype).to_f64(),
                compute,
            )),
            _ => Self::map(Op::Subtract, &[b, a.clone()])?,
        };
        let index = Self::iota(len)?.cast(compute)?;
        let steps = Self::map(Op::Multiply, &[index, delta.clone()])?;
        let out = Self::map(Op::Add, &[a.clone(), steps])?.cast(dtype)?;
        if len == 0 || !exact_in_f64(dtype) {
            return Ok(out);
        }
        let even = Even { start: a.cast(DType::F64)?, step: delta.cast(DType::F64)?, stop: None };
        Ok(out.with_even(even))
    }

    /// `numpy.linspace` of `num` points from `start` to `stop`, the last being exactly `stop` when
    /// `endpoint`. 0-d arrays may be traced. Points are `i * step + start` in `float64`, then converted
    /// (integers round down).
    pub fn linspace(
        start: &Array,
        stop: &Array,
        num: usize,
        endpoint: bool,
        dtype: Option<DType>,
    ) -> Result<Array> {
        if start.rank() != 0 || stop.rank() != 0 {
            return Err(Error::value(format!(
                "linspace: start and stop must be scalars, got shapes {} and {}",
                shape::show(start.shape()),
                shape::show(stop.shape())
            )));
        }
        let natural = result_dtype(&[start.operand(), stop.operand(), Operand::Strong(DType::F64)]);
        let compute = DType::F64;
        let (start, stop) = (start.cast(compute)?, stop.cast(compute)?);
        let div = if endpoint { num.saturating_sub(1) } else { num };
        let delta = Self::map(Op::Subtract, &[stop.clone(), start.clone()])?;
        let index = Self::iota(num)?;
        let index_f = index.cast(compute)?;
        let out = if div > 0 {
            let step = Self::map(Op::Divide, &[delta, Array::scalar(Scalar::f64(div as f64))])?;
            let points = Self::map(Op::Multiply, &[index_f, step.clone()])?;
            let points = Self::map(Op::Add, &[points, start.clone()])?;
            if endpoint {
                let last = Array::scalar(Scalar::i64(div as i64));
                let is_last = Self::map(Op::Equal, &[index, last])?;
                let even = Even { start, step, stop: Some(stop.clone()) };
                Self::map(Op::Where, &[is_last, stop, points])?.with_even(even)
            } else {
                points.with_even(Even { start, step, stop: None })
            }
        } else {
            let points = Self::map(Op::Multiply, &[index_f, delta])?;
            Self::map(Op::Add, &[points, start])?
        };
        let dtype = dtype.unwrap_or(natural);
        if dtype.kind() == Kind::Int {
            return Self::map(Op::Floor, &[out])?.cast(dtype);
        }
        out.cast(dtype)
    }

    /// An array of one value, without memory.
    pub fn full(shape: &[usize], value: &Array, dtype: Option<DType>) -> Result<Array> {
        let value = value.strong();
        value.cast(dtype.unwrap_or(value.dtype()))?.broadcast_to(shape)
    }
}

fn to_f64(number: Number) -> f64 {
    match number {
        Number::Int(v) => v as f64,
        Number::Float(v) => v,
    }
}

/// A number as an element, refused when an integer dtype cannot hold it.
fn at(number: Number, dtype: DType) -> Result<Scalar> {
    match number {
        Number::Int(v) => Scalar::from_int(v, dtype),
        Number::Float(v) if dtype.is_float() => Ok(Scalar::from_f64(v, dtype)),
        Number::Float(v) => Scalar::from_int(v as i128, dtype),
    }
}

fn arange_len(start: Number, stop: Number, step: Number) -> Result<usize> {
    let exact = match (start, stop, step) {
        (Number::Int(a), Number::Int(b), Number::Int(d)) => {
            if d == 0 {
                return Err(Error::value("arange: step must not be 0"));
            }
            let span = if d > 0 { b - a } else { a - b };
            if span <= 0 { 0.0 } else { ((span - 1) / d.abs() + 1) as f64 }
        }
        _ => {
            let (a, b, d) = (to_f64(start), to_f64(stop), to_f64(step));
            if d == 0.0 {
                return Err(Error::value("arange: step must not be 0"));
            }
            ((b - a) / d).ceil().max(0.0)
        }
    };
    let nan = |n| matches!(n, Number::Float(v) if v.is_nan());
    if nan(start) || nan(stop) || nan(step) || exact > shape::MAX_LEN {
        return Err(Error::value(format!(
            "arange: maximum allowed size exceeded: start, stop and step give {exact} elements"
        )));
    }
    Ok(exact as usize)
}

/// Whether every grid of this dtype is the same formula in `float64`.
fn exact_in_f64(dtype: DType) -> bool {
    // float32 elements are rounded after each step, so their grid is not even in float64.
    dtype == DType::F64 || (dtype.kind() == Kind::Int && dtype.size() <= 4)
}
