//! Arrays that are formulas of the index: `arange`, `linspace`, `full`. None of them has memory.

use smallvec::smallvec;

use super::{Args, Array, Even, Number, Prim};
use crate::dtype::{DType, Kind, Scalar};
use crate::error::{Error, Result};
use crate::op::{Op, Operand, Weak, result_dtype};
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
    /// `ZeroDivision` for a step of 0, `Value` for bounds that are not finite, `Type` for more than two
    /// elements of `bool`.
    pub fn arange(
        start: Number,
        stop: Number,
        step: Number,
        dtype: Option<DType>,
    ) -> Result<Array> {
        let numbers = [start, stop, step];
        let natural = result_dtype(&numbers.map(|n| Array::number(n).operand()));
        let dtype = dtype.unwrap_or(natural);
        if dtype.is_complex() {
            return Err(Self::no_kernel("arange", dtype));
        }
        let len = arange_len(start, stop, step)?;
        if dtype == DType::Bool {
            if len > 2 {
                return Err(Error::dtype("arange: bool has two values; use an integer dtype"));
            }
            return Self::arange(start, stop, step, Some(natural))?.cast(DType::Bool);
        }
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
        let a = Array::scalar(first).cast(compute)?;
        let delta = Scalar::from_f64(second.to_f64() - first.to_f64(), compute);
        let slope = delta.to_f64();
        let iota = Self::iota(len)?;
        let mut out = iota.cast(compute)?;
        // Most ranges count from 0, and each element is its number.
        let (counts, from_zero) = if dtype.is_float() {
            (slope.to_bits() == 1f64.to_bits(), first.to_f64().to_bits() == 0)
        } else {
            (second.to_i128() - first.to_i128() == 1, first.to_i128() == 0)
        };
        if !counts {
            let delta = match dtype.kind() {
                Kind::Float => Array::scalar(delta),
                _ => Self::map(Op::Subtract, &[Array::scalar(second).cast(compute)?, a.clone()])?,
            };
            out = Self::map(Op::Multiply, &[out, delta])?;
        }
        if !counts || !from_zero {
            out = Self::map(Op::Add, &[a.clone(), out])?;
        }
        // NumPy writes the first two as they are, and begins with the formula after them.
        let mut even = true;
        for (at, wanted) in [(0, first), (1, second)].into_iter().filter(|_| dtype.is_float()) {
            let found = Scalar::from_f64(at as f64 * slope + first.to_f64(), compute).to_f64();
            let found = Scalar::from_f64(found, dtype).to_f64();
            if at < len && found.to_bits() != wanted.to_f64().to_bits() {
                let is_it = Self::map(Op::Equal, &[iota.clone(), Self::int(at as i128)])?;
                out = Self::map(Op::Where, &[is_it, Array::scalar(wanted).cast(compute)?, out])?;
                even = false;
            }
        }
        // Other handles are dropped: a note can only be put on a node that nobody else holds.
        drop(iota);
        out = out.cast(dtype)?;
        let step = match dtype.kind() {
            Kind::Int => even_step(first, second, len),
            // float32 elements are rounded after each step: their grid is not even in float64.
            _ => (dtype == DType::F64 && even).then_some(slope),
        };
        let Some(step) = step.filter(|_| len > 0) else { return Ok(out) };
        let step = Array::scalar(Scalar::f64(step));
        let even = Even { start: a.cast(DType::F64)?, step, stop: None };
        Ok(out.with_even(even))
    }

    /// `numpy.linspace` of `num` points from `start` to `stop`, the last being exactly `stop` when
    /// `endpoint`. 0-d arrays may be traced. Points are `i * step + start` in the float dtype that the
    /// bounds promote to, then converted (integers round down).
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
        let weak = Operand::Weak(Weak::Float);
        let natural = result_dtype(&[start.operand(), stop.operand(), weak]);
        let compute = natural;
        if natural.is_complex() {
            return Err(Self::no_kernel("linspace", natural));
        }
        let (start, stop) = (start.cast(compute)?, stop.cast(compute)?);
        let div = if endpoint { num.saturating_sub(1) } else { num };
        let index = Self::iota(num)?;
        let index_f = index.cast(compute)?;
        let delta = || Self::map(Op::Subtract, &[stop.clone(), start.clone()]);
        let out = if div > 0 {
            let count = Array::scalar(Scalar::from_f64(div as f64, compute));
            // The step of known bounds is known, and takes no nodes.
            let known = known_step(&start, &stop, div);
            let tiny = known.is_some_and(|(delta, step)| delta != 0.0 && step == 0.0);
            let step = match known {
                Some((_, step)) => Array::scalar(Scalar::from_f64(step, compute)),
                None => Self::map(Op::Divide, &[delta()?, count.clone()])?,
            };
            let points = if tiny {
                // The step is less than the least number; multiplying first keeps the points.
                Self::map(Op::Multiply, &[Self::map(Op::Divide, &[index_f, count])?, delta()?])?
            } else {
                Self::map(Op::Multiply, &[index_f, step.clone()])?
            };
            let points = Self::map(Op::Add, &[points, start.clone()])?;
            if endpoint {
                let last = Array::scalar(Scalar::i64(div as i64));
                let is_last = Self::map(Op::Equal, &[index, last])?;
                let out = Self::map(Op::Where, &[is_last, stop.clone(), points])?;
                if tiny { out } else { even(out, start, step, Some(stop)) }
            } else if tiny {
                points
            } else {
                even(points, start, step, None)
            }
        } else {
            let points = Self::map(Op::Multiply, &[index_f, delta()?])?;
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
        if let Some(Number::Int(v)) = value.as_number() {
            // Beyond 64 bits NumPy has a dtype, of Python's integers; rnp has not.
            let (low, high) = match dtype {
                None => (i128::from(i64::MIN), i128::from(u64::MAX)),
                Some(DType::Bool) => DType::I64.int_range(),
                Some(d) if d.is_float() || d.is_complex() => (i128::MIN, i128::MAX),
                Some(d) => d.int_range(),
            };
            if v < low || v > high {
                let name = dtype.map_or("any integer dtype".to_owned(), |d| d.to_string());
                return Err(Error::overflow(format!("full: {v} is out of bounds for {name}")));
            }
        }
        let value = value.strong();
        value.cast(dtype.unwrap_or(value.dtype()))?.broadcast_to(shape)
    }
}

/// Notes that `points` are an even grid, where that is the formula to the bit.
fn even(points: Array, start: Array, step: Array, stop: Option<Array>) -> Array {
    if points.dtype() != DType::F64 {
        return points;
    }
    points.with_even(Even { start, step, stop })
}

/// How far known bounds are apart, and the step between them: rounded as their dtype is, which once from
/// `float64` comes to the same.
fn known_step(start: &Array, stop: &Array, div: usize) -> Option<(f64, f64)> {
    let (a, b) = (start.as_scalar()?, stop.as_scalar()?);
    let round = |v: f64| Scalar::from_f64(v, start.dtype()).to_f64();
    let delta = round(b.to_f64() - a.to_f64());
    Some((delta, round(delta / round(div as f64))))
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
                return Err(Error::zero_division("arange: step must not be 0"));
            }
            let span = if d > 0 { b - a } else { a - b };
            if span <= 0 { 0.0 } else { ((span - 1) / d.abs() + 1) as f64 }
        }
        _ => {
            let (a, b, d) = (to_f64(start), to_f64(stop), to_f64(step));
            if d == 0.0 {
                return Err(Error::zero_division("arange: step must not be 0"));
            }
            ((b - a) / d).ceil().max(0.0)
        }
    };
    let nan = |n| matches!(n, Number::Float(v) if v.is_nan());
    if nan(start) || nan(stop) || nan(step) {
        return Err(Error::value("arange: cannot compute length"));
    }
    if exact > shape::MAX_LEN {
        return Err(Error::value(format!(
            "arange: maximum allowed size exceeded: start, stop and step give {exact} elements"
        )));
    }
    Ok(exact as usize)
}

/// The step of a grid of integers, if all of them are exact in `float64` and none wraps.
fn even_step(first: Scalar, second: Scalar, len: usize) -> Option<f64> {
    let (a, b) = (first.to_i128(), second.to_i128());
    let last = (len as i128 - 1).checked_mul(b - a)?.checked_add(a)?;
    let (low, high) = first.dtype.int_range();
    let exact = |v: i128| v.unsigned_abs() <= 1 << 53 && v >= low && v <= high;
    (exact(a) && exact(last)).then_some((b - a) as f64)
}
