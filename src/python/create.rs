//! Arrays out of nothing: `arange`, `linspace`, `zeros`, `ones`, `full` and what is like another array.

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::array::Array;
use super::convert::{self, Operand};
use super::error::Unsupported;
use super::run::Call;
use super::views::lengths;
use super::{direct, mode, nd, tape};
use crate::dtype::{DType, Scalar};
use crate::expr::{self, Number};
use crate::op::Op;
use crate::tape::Range;

type Obj<'py> = Bound<'py, PyAny>;
type Out<'py> = PyResult<Bound<'py, PyAny>>;

/// A bound of `arange` as a number.
fn number(obj: &Obj<'_>) -> PyResult<Number> {
    let bad = || PyTypeError::new_err("arange: start, stop and step must be real numbers");
    match convert::classify("arange", obj)? {
        Operand::Number(n) => Ok(n),
        Operand::Scalar(v) if v.dtype.is_float() => Ok(Number::Float(v.to_f64())),
        Operand::Scalar(v) => Ok(Number::Int(v.to_i128())),
        Operand::Array(a) if a.get().trace().is_some() => {
            let index = a.call_method0("__index__")?;
            Ok(Number::Int(index.extract()?))
        }
        Operand::Complex(..) => Err(bad()),
        Operand::Array(_) | Operand::Memory(_) => {
            let value = convert::asarray(obj)?;
            let layout = nd::layout("arange", &value)?;
            if !layout.shape.is_empty() || layout.dtype.is_complex() {
                return Err(bad());
            }
            number(&value.call_method0("item")?)
        }
    }
}

fn dtype_of(op: &str, dtype: Option<&Obj<'_>>) -> PyResult<Option<DType>> {
    dtype.map(|d| nd::parse_dtype(op, d)).transpose()
}

/// Numbers from `start` (0 if only one bound is given) up to but without `stop`, by `step`.
///
/// int64 when all bounds are integers, else float64, unless `dtype` says otherwise. In a block it takes
/// no memory. A step of 0 is a ZeroDivisionError.
///
/// >>> rnp.arange(3)
/// array([0, 1, 2])
#[pyfunction]
#[pyo3(signature = (start, stop = None, step = None, dtype = None))]
fn arange<'py>(
    start: &Obj<'py>,
    stop: Option<&Obj<'py>>,
    step: Option<&Obj<'py>>,
    dtype: Option<&Obj<'py>>,
) -> Out<'py> {
    let block = mode::current(start.py())?;
    let out = match &block {
        _ if dtype.is_some() => None,
        None => direct::arange(start, stop, step)?,
        Some(block) => match direct::integer(start) {
            Some(n) if stop.is_none() && step.is_none() => {
                tape::range(start.py(), block.get(), Range::Count(n))?
            }
            _ => None,
        },
    };
    if let Some(out) = out {
        return Ok(out);
    }
    let (first, last) = match stop {
        Some(stop) => (number(start)?, number(stop)?),
        None => (Number::Int(0), number(start)?),
    };
    let step = step.map_or(Ok(Number::Int(1)), number)?;
    let bound = 1i128 << 64;
    if [first, last, step].iter().any(|n| matches!(n, Number::Int(v) if v.abs() > bound)) {
        return Err(PyValueError::new_err("arange: maximum allowed size exceeded"));
    }
    let dtype = dtype_of("arange", dtype)?;
    let call = Call::of(start.py(), "arange", block);
    call.run(|| expr::Array::arange(first, last, step, dtype))
}

/// `num` evenly spaced numbers from `start` to `stop`, the last being exactly `stop` if `endpoint`.
///
/// `start` and `stop` are scalars. float64 unless `dtype` says otherwise; integers round down. With
/// `retstep` the pair `(samples, step)`. In a block it takes no memory.
///
/// >>> rnp.linspace(0, 1, 3)
/// array([0. , 0.5, 1. ])
#[pyfunction]
#[pyo3(signature = (start, stop, num = None, endpoint = true, retstep = false, dtype = None))]
fn linspace<'py>(
    start: &Obj<'py>,
    stop: &Obj<'py>,
    num: Option<&Obj<'py>>,
    endpoint: bool,
    retstep: bool,
    dtype: Option<&Obj<'py>>,
) -> Out<'py> {
    let py = start.py();
    let block = mode::current(py)?;
    let out = match &block {
        _ if dtype.is_some() || retstep => None,
        None => direct::linspace(start, stop, num, endpoint)?,
        Some(block) => match line(start, stop, num, endpoint) {
            Some(range) => tape::range(py, block.get(), range)?,
            None => None,
        },
    };
    if let Some(out) = out {
        return Ok(out);
    }
    if nd::is_subclass(start)? || nd::is_subclass(stop)? {
        return Err(Unsupported::new_err("linspace: subclasses of ndarray are left to NumPy"));
    }
    let num = num.map_or(Ok(50), |n| super::reduce::integer("linspace", "num", n))?;
    let num = usize::try_from(num).map_err(|_| {
        PyValueError::new_err(format!("linspace: number of samples, {num}, must be non-negative"))
    })?;
    let dtype = dtype_of("linspace", dtype)?;
    let mut call = Call::of(py, "linspace", block);
    let known = call.trace().is_none();
    let mut bound = |bound: &Obj<'py>| {
        // Of numbers the step is known, which a rank of 0 alone does not tell.
        let single =
            known && nd::is_exact_ndarray(bound) && nd::layout("linspace", bound)?.shape.is_empty();
        if single { call.operand(&bound.get_item(())?) } else { call.operand(bound) }
    };
    let (start, stop) = (bound(start)?, bound(stop)?);
    let samples = call.build(|| expr::Array::linspace(&start, &stop, num, endpoint, dtype))?;
    let samples = call.finish(samples)?;
    if !retstep {
        return Ok(samples);
    }
    let steps = if endpoint { num.saturating_sub(1) } else { num };
    let step = call.build(|| {
        let span =
            expr::Array::map(Op::Subtract, &[stop.cast(DType::F64)?, start.cast(DType::F64)?])?;
        // A single sample has no step: NumPy gives NaN.
        let count = if steps > 0 { steps as f64 } else { f64::NAN };
        expr::Array::map(Op::Divide, &[span, expr::Array::scalar(Scalar::f64(count))])
    })?;
    Ok(PyTuple::new(py, [samples, call.finish(step)?])?.into_any())
}

/// What `linspace` gives between two numbers.
fn line(start: &Obj<'_>, stop: &Obj<'_>, num: Option<&Obj<'_>>, endpoint: bool) -> Option<Range> {
    let num = usize::try_from(num.map_or(Some(50), direct::integer)?).ok()?;
    let [start, stop] = [direct::real(start)?, direct::real(stop)?].map(f64::to_bits);
    Some(Range::Line { start, stop, num, endpoint })
}

fn filled<'py>(
    op: &'static str,
    shape: &Obj<'py>,
    value: i128,
    dtype: Option<&Obj<'py>>,
) -> Out<'py> {
    let dims = lengths(op, shape)?;
    let dtype = dtype_of(op, dtype)?.unwrap_or(DType::F64);
    let call = Call::new(shape.py(), op)?;
    call.run_array(|| expr::Array::full(&dims, &expr::Array::int(value), Some(dtype)))
}

/// Zeros of a shape; float64 unless `dtype` says otherwise. In a block they take no memory.
///
/// >>> rnp.zeros(2)
/// array([0., 0.])
#[pyfunction]
#[pyo3(signature = (shape, dtype = None))]
fn zeros<'py>(shape: &Obj<'py>, dtype: Option<&Obj<'py>>) -> Out<'py> {
    filled("zeros", shape, 0, dtype)
}

/// Ones of a shape; float64 unless `dtype` says otherwise. In a block they take no memory.
///
/// >>> rnp.ones(2, dtype="int16")
/// array([1, 1], dtype=int16)
#[pyfunction]
#[pyo3(signature = (shape, dtype = None))]
fn ones<'py>(shape: &Obj<'py>, dtype: Option<&Obj<'py>>) -> Out<'py> {
    filled("ones", shape, 1, dtype)
}

/// `fill_value`, which broadcasts, in a shape; of its dtype unless `dtype` says otherwise.
///
/// >>> rnp.full(2, 7)
/// array([7, 7])
#[pyfunction]
#[pyo3(signature = (shape, fill_value, dtype = None))]
fn full<'py>(shape: &Obj<'py>, fill_value: &Obj<'py>, dtype: Option<&Obj<'py>>) -> Out<'py> {
    let dims = lengths("full", shape)?;
    let dtype = dtype_of("full", dtype)?;
    let mut call = Call::new(shape.py(), "full")?;
    let value = call.operand(fill_value)?;
    call.run_array(|| expr::Array::full(&dims, &value, dtype))
}

fn like<'py>(
    op: &'static str,
    a: &Obj<'py>,
    value: &expr::Array,
    dtype: Option<&Obj<'py>>,
    shape: Option<&Obj<'py>>,
    mut call: Call<'py>,
) -> Out<'py> {
    let dtype = dtype_of(op, dtype)?;
    let like = call.operand(a)?;
    let dims = match shape {
        Some(shape) => lengths(op, shape)?,
        None => {
            if let Ok(array) = a.cast::<Array>() {
                array.get().look();
            }
            like.shape().to_vec()
        }
    };
    call.run_array(|| expr::Array::full(&dims, value, Some(dtype.unwrap_or(like.dtype()))))
}

/// Zeros of the shape and dtype of `a`, unless `dtype` or `shape` say otherwise.
///
/// >>> rnp.zeros_like([1, 2])
/// array([0, 0])
#[pyfunction]
#[pyo3(signature = (a, dtype = None, *, shape = None))]
fn zeros_like<'py>(a: &Obj<'py>, dtype: Option<&Obj<'py>>, shape: Option<&Obj<'py>>) -> Out<'py> {
    let call = Call::new(a.py(), "zeros_like")?;
    like("zeros_like", a, &expr::Array::int(0), dtype, shape, call)
}

/// Ones of the shape and dtype of `a`, unless `dtype` or `shape` say otherwise.
///
/// >>> rnp.ones_like([1.5, 2.5])
/// array([1., 1.])
#[pyfunction]
#[pyo3(signature = (a, dtype = None, *, shape = None))]
fn ones_like<'py>(a: &Obj<'py>, dtype: Option<&Obj<'py>>, shape: Option<&Obj<'py>>) -> Out<'py> {
    let call = Call::new(a.py(), "ones_like")?;
    like("ones_like", a, &expr::Array::int(1), dtype, shape, call)
}

/// `fill_value` in the shape and dtype of `a`, unless `dtype` or `shape` say otherwise.
///
/// >>> rnp.full_like([1.5, 2.5], 3)
/// array([3., 3.])
#[pyfunction]
#[pyo3(signature = (a, fill_value, dtype = None, *, shape = None))]
fn full_like<'py>(
    a: &Obj<'py>,
    fill_value: &Obj<'py>,
    dtype: Option<&Obj<'py>>,
    shape: Option<&Obj<'py>>,
) -> Out<'py> {
    let mut call = Call::new(a.py(), "full_like")?;
    let value = call.operand(fill_value)?;
    like("full_like", a, &value, dtype, shape, call)
}

/// An rnp array of `x` in a block, and a NumPy array of its own outside of one.
///
/// A recorded array must not see what is written into `x` later. `copy=None` copies unless nobody can
/// write the memory (it stands on a `bytes` object); `copy=True` always copies; `copy=False` never does:
/// it is the caller's promise not to write `x` before the result is evaluated, gives an `rnp.Array` in
/// either mode, and is a ValueError where a copy cannot be avoided (lists, other byte order).
///
/// >>> rnp.asarray([1, 2])
/// array([1, 2])
#[pyfunction]
#[pyo3(signature = (x, *, copy = None))]
fn asarray<'py>(x: &Obj<'py>, copy: Option<bool>) -> Out<'py> {
    let block = mode::current(x.py())?;
    if let Some(block) = &block
        && copy != Some(true)
        && let Some(out) = tape::array(block.get(), x, copy == Some(false))?
    {
        return Ok(out);
    }
    if block.is_some() && nd::is_subclass(x)? {
        return Err(Unsupported::new_err("asarray: subclasses of ndarray are left to NumPy"));
    }
    let mut call = Call::of(x.py(), "asarray", block);
    if let Ok(array) = x.cast::<Array>() {
        let expr = call.array(array.get())?;
        // Another object of the same value is a copy: neither is seen to be written through the other.
        let same = call.is_lazy() && copy != Some(true);
        return if same { Ok(x.clone()) } else { call.finish(expr) };
    }
    if copy == Some(false) && !call.is_lazy() {
        let expr = convert::for_asarray(x, copy, None)?;
        return Ok(Bound::new(x.py(), Array::new(expr, None))?.into_any());
    }
    if !call.is_lazy() {
        let expr = call.operand(x)?;
        return call.run(|| Ok(expr.strong()));
    }
    let expr = call.spanned(|| convert::for_asarray(x, copy, call.block()))?;
    call.finish(expr)
}

/// Adds the functions to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(arange, m)?)?;
    m.add_function(wrap_pyfunction!(linspace, m)?)?;
    m.add_function(wrap_pyfunction!(zeros, m)?)?;
    m.add_function(wrap_pyfunction!(ones, m)?)?;
    m.add_function(wrap_pyfunction!(full, m)?)?;
    m.add_function(wrap_pyfunction!(zeros_like, m)?)?;
    m.add_function(wrap_pyfunction!(ones_like, m)?)?;
    m.add_function(wrap_pyfunction!(full_like, m)?)?;
    m.add_function(wrap_pyfunction!(asarray, m)?)
}
