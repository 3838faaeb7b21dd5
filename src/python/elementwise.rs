//! Elementwise functions: one per row of the op table, and those with signatures of their own.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyFloat, PyInt, PyTuple};
use smallvec::SmallVec;

use super::array::Array;
use super::error::Unsupported;
use super::run::Call;
use super::{direct, mode, nd, tape};
use crate::dtype::Kind;
use crate::expr;
use crate::for_each_op;
use crate::op::{Op, Weak};
use crate::tape::Request;

type Obj<'py> = Bound<'py, PyAny>;
type Out<'py> = PyResult<Bound<'py, PyAny>>;

/// Records or computes `op`.
pub fn apply<'py>(py: Python<'py>, op: Op, args: &[&Obj<'py>]) -> Out<'py> {
    let block = mode::current(py)?;
    let out = match &block {
        Some(block) => tape::record(block.get(), Request::Map(op), args)?,
        None => direct::map(py, op, args)?,
    };
    if let Some(out) = out {
        return Ok(out);
    }
    if let ([a, b], None) = (args, &block)
        && (may_be_infinite(a, b) || may_be_infinite(b, a))
    {
        return Err(Unsupported::new_err(format!(
            "{op}: integers of more than 63 bits beside floats are left to NumPy"
        )));
    }
    let mut call = Call::of(py, op.info().name, block);
    let mut operands: SmallVec<[expr::Array; 3]> = SmallVec::new();
    for (at, arg) in args.iter().enumerate() {
        operands.push(if op.is_comparison() && far(arg).is_some() {
            let beside = call.operand(args[1 - at])?;
            limited(&mut call, &beside, arg)?
        } else {
            call.operand(arg)?
        });
    }
    call.run(|| expr::Array::map(op, &operands))
}

/// An operator of Python; steps aside for operands that want to answer themselves.
pub fn operator<'py>(op: Op, a: &Obj<'py>, b: &Obj<'py>) -> Out<'py> {
    let py = a.py();
    let other = if a.is_instance_of::<Array>() { b } else { a };
    if steps_aside(other)? {
        return Ok(py.NotImplemented().into_bound(py));
    }
    or_numpy(op, &[a, b])
}

/// Records or computes `op`; dtypes that rnp has no kernel for go the way of `rnp.<op>`.
pub fn or_numpy<'py>(op: Op, args: &[&Obj<'py>]) -> Out<'py> {
    let py = args[0].py();
    match apply(py, op, args) {
        Err(e) if e.is_instance_of::<Unsupported>(py) => {
            let function = py.import("rnp._ufunc")?.getattr("named")?.call1((op.info().name,))?;
            function.call1(PyTuple::new(py, args)?)
        }
        out => out,
    }
}

/// `__array_ufunc__ = None` says: leave operators to me.
fn steps_aside(other: &Obj<'_>) -> PyResult<bool> {
    // Asking a number for what it has not would make an exception.
    let plain = other.is_exact_instance_of::<PyFloat>() || other.is_exact_instance_of::<PyInt>();
    if plain || other.is_instance_of::<Array>() || nd::is_exact_ndarray(other) {
        return Ok(false);
    }
    let class = other.get_type();
    Ok(class.getattr_opt("__array_ufunc__")?.is_some_and(|f| f.is_none()))
}

/// A comparison; what cannot be compared is left to Python, so that `x == None` is `False`.
pub fn compare<'py>(op: Op, a: &Obj<'py>, b: &Obj<'py>) -> Out<'py> {
    let out = operator(op, a, b);
    match out {
        Err(e)
            if matches!(op, Op::Equal | Op::NotEqual)
                && e.is_instance_of::<PyTypeError>(a.py())
                && !e.is_instance_of::<super::error::TraceError>(a.py()) =>
        {
            Ok(a.py().NotImplemented().into_bound(a.py()))
        }
        out => out,
    }
}

/// `x ** k`, with the forms that NumPy's operator uses for some Python numbers `k` on float arrays.
pub fn power<'py>(x: &Bound<'py, Array>, k: &Obj<'py>) -> Out<'py> {
    let (py, array) = (x.py(), x.as_any());
    let strong_float = x.get().expr().dtype().is_float() && x.get().expr().weak().is_none();
    let plain = k.is_exact_instance_of::<PyFloat>() || k.is_exact_instance_of::<PyInt>();
    if strong_float && plain {
        let value = k.extract::<f64>().unwrap_or(f64::NAN);
        let op =
            [(0.5f64, Op::Sqrt), (-1.0, Op::Reciprocal), (1.0, Op::Positive), (2.0, Op::Square)]
                .into_iter()
                .find(|(v, _)| v.to_bits() == value.to_bits());
        if let Some((_, op)) = op {
            return apply(py, op, &[array]);
        }
    }
    let is_bool = x.get().expr().dtype() == crate::dtype::DType::Bool;
    if is_bool && k.is_exact_instance_of::<PyInt>() && k.extract::<i64>().ok() == Some(2) {
        // A square, which of bool is int8.
        return apply(py, Op::Square, &[array]);
    }
    operator(Op::Power, array, k)
}

/// Says which dtypes a row of the table takes.
macro_rules! loops_doc {
    (All) => {
        "bool, integers and floats"
    };
    (NoBool) => {
        "integers and floats; bool is a TypeError"
    };
    (Number) => {
        "integers and floats; bool is computed as int8"
    };
    (Bits) => {
        "bool and integers; floats are a TypeError"
    };
    (Int) => {
        "integers; bool is computed as int8; floats are a TypeError"
    };
    (Float) => {
        "floats; integers are converted to the first float that holds them"
    };
    (Divide) => {
        "floats; bool and integers are converted to float64"
    };
    (Double) => {
        "anything, converted to float64"
    };
    (Whole) => {
        "integers; bool alone and floats are a TypeError"
    };
    (Ldexp) => {
        "a float (integers are converted to the first float that holds them) and an integer"
    };
}

/// Says what a row results in.
macro_rules! out_doc {
    (Same) => {
        "the dtype that NEP 50 promotes the operands to."
    };
    (Bool) => {
        "bool."
    };
    (U8) => {
        "uint8."
    };
    (I32) => {
        "int32."
    };
}

/// Writes a Python function for each row of the op table.
macro_rules! op_functions {
    (unary { $($u:ident $un:ident $ul:ident $uo:ident $uc:ident $uu:literal ($ua:literal, $ub:literal) $ud:literal;)+ }
     binary { $($b:ident $bn:ident $bl:ident $bo:ident $bc:ident $bu:literal ($ba:literal, $bb:literal) $bd:literal;)+ }
     ternary { $($t:ident $tn:ident $tl:ident $to:ident $tc:ident $tu:literal ($ta:literal, $tb:literal) $td:literal;)+ }
    ) => {
        /// One function per row.
        mod rows {
            use super::*;
            $(
                #[doc = $ud]
                #[doc = ""]
                #[doc = "The result has the operand's shape."]
                #[doc = concat!("Operands: ", loops_doc!($ul), ". Result: ", out_doc!($uo))]
                #[pyfunction]
                #[pyo3(signature = (x, /))]
                pub fn $un<'py>(x: &Obj<'py>) -> Out<'py> {
                    apply(x.py(), Op::$u, &[x])
                }
            )+
            $(
                #[doc = $bd]
                #[doc = ""]
                #[doc = "The operands broadcast; shapes that do not are a ValueError."]
                #[doc = concat!("Operands: ", loops_doc!($bl), ". Result: ", out_doc!($bo))]
                #[doc = "A Python integer that the other operand's dtype cannot hold is an OverflowError."]
                #[pyfunction]
                #[pyo3(signature = (a, b, /))]
                pub fn $bn<'py>(a: &Obj<'py>, b: &Obj<'py>) -> Out<'py> {
                    apply(a.py(), Op::$b, &[a, b])
                }
            )+
        }

        /// Adds the functions of the table to the module.
        pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
            $(m.add_function(wrap_pyfunction!(rows::$un, m)?)?;)+
            $(m.add_function(wrap_pyfunction!(rows::$bn, m)?)?;)+
            m.add_function(wrap_pyfunction!(_divmod, m)?)?;
            m.add_function(wrap_pyfunction!(choose, m)?)?;
            m.add_function(wrap_pyfunction!(clip, m)?)?;
            m.add_function(wrap_pyfunction!(astype, m)?)?;
            m.add_function(wrap_pyfunction!(interp, m)?)?;
            Ok(())
        }
    };
}

for_each_op!(op_functions);

/// `a // b` and `a % b`, as `numpy.divmod` has them.
#[pyfunction]
#[pyo3(signature = (a, b, /))]
pub fn _divmod<'py>(a: &Obj<'py>, b: &Obj<'py>) -> Out<'py> {
    let recorded = a.is_instance_of::<Array>() || b.is_instance_of::<Array>();
    if !recorded && mode::current(a.py())?.is_none() {
        let done = direct::divmod(a, b)?;
        return done.ok_or_else(|| Unsupported::new_err("divmod: NumPy answers"));
    }
    let parts = [Op::FloorDivide, Op::Remainder].map(|op| apply(a.py(), op, &[a, b]));
    let [quotient, remainder] = parts;
    Ok(PyTuple::new(a.py(), [quotient?, remainder?])?.into_any())
}

/// `x` where the condition holds, else `y`; both sides are computed.
///
/// The three operands broadcast. The condition may have any dtype: what is not zero holds. Result: the
/// dtype that NEP 50 promotes `x` and `y` to. Unlike `numpy.where`, `x` and `y` must be given.
///
/// >>> rnp.where([True, False], 1.0, -1.0)
/// array([ 1., -1.])
#[pyfunction]
#[pyo3(name = "where", signature = (condition, x, y, /))]
fn choose<'py>(condition: &Obj<'py>, x: &Obj<'py>, y: &Obj<'py>) -> Out<'py> {
    let block = mode::current(x.py())?;
    let out = match &block {
        Some(block) => tape::record(block.get(), Request::Map(Op::Where), &[condition, x, y])?,
        None => direct::choose(x.py(), [condition, x, y])?,
    };
    if let Some(out) = out {
        return Ok(out);
    }
    let mut call = Call::of(x.py(), "where", block);
    let args = [call.operand(condition)?, call.operand(x)?, call.operand(y)?];
    call.run_array(|| expr::Array::map(Op::Where, &args))
}

/// Limits the values to `[a_min, a_max]`: `minimum(maximum(a, a_min), a_max)`.
///
/// Either bound may be `None`; they broadcast against `a`. NaN stays NaN. `min` and `max` are other
/// names of the bounds. `out` must be `None`.
///
/// >>> rnp.clip([-2.0, 0.5, 3.0], -1, 1)
/// array([-1. ,  0.5,  1. ])
#[pyfunction]
#[pyo3(name = "clip", signature = (a, a_min = None, a_max = None, out = None, *, min = None, max = None))]
fn clip<'py>(
    a: &Obj<'py>,
    a_min: Option<&Obj<'py>>,
    a_max: Option<&Obj<'py>>,
    out: Option<&Obj<'py>>,
    min: Option<&Obj<'py>>,
    max: Option<&Obj<'py>>,
) -> Out<'py> {
    if (a_min.is_some() && min.is_some()) || (a_max.is_some() && max.is_some()) {
        return Err(PyTypeError::new_err(
            "clip: a bound was given twice, as a_min/a_max and min/max",
        ));
    }
    limit(a, a_min.or(min), a_max.or(max), out)
}

/// Whether what is to be bounded is a number: NumPy makes an array of it, so that it has its own dtype.
pub fn is_number(a: &Obj<'_>) -> bool {
    a.is_instance_of::<PyInt>() || a.is_instance_of::<PyFloat>()
}

/// `clip`, for the function and the method.
pub fn limit<'py>(
    a: &Obj<'py>,
    low: Option<&Obj<'py>>,
    high: Option<&Obj<'py>>,
    out: Option<&Obj<'py>>,
) -> Out<'py> {
    super::reduce::no_out("clip", out)?;
    let block = mode::current(a.py())?;
    let out = match &block {
        _ if is_number(a) => None,
        Some(_) if [low, high].into_iter().flatten().any(is_one) => None,
        Some(block) => {
            let request = Request::Clip { low: low.is_some(), high: high.is_some() };
            let operands = [Some(a), low, high].into_iter().flatten();
            tape::record(block.get(), request, &operands.collect::<SmallVec<[_; 3]>>())?
        }
        None => direct::clip(a, low, high)?,
    };
    if let Some(out) = out {
        return Ok(out);
    }
    let mut call = Call::of(a.py(), "clip", block);
    let x = call.operand(a)?.strong();
    let mut bound = |b: &Obj<'py>| limited(&mut call, &x, b);
    let low = low.map(&mut bound).transpose()?;
    let high = high.map(&mut bound).transpose()?;
    call.run(|| x.clip(low.as_ref(), high.as_ref()))
}

/// Whether a bound is an array of one element that has axes: what it means depends on the length of what it bounds,
/// which what is noted on a tape does not have.
pub fn is_one(bound: &Obj<'_>) -> bool {
    let ones = |shape: &[usize]| !shape.is_empty() && shape.iter().all(|&n| n == 1);
    match bound.cast::<Array>() {
        Ok(array) => ones(&array.get().meta().1),
        Err(_) => direct::view(bound).is_some_and(|view| ones(view.shape)),
    }
}

/// What the elements of `x` are compared with: an integer of too many bits becomes one that is beyond all of them,
/// or the float that they meet.
fn limited<'py>(call: &mut Call<'py>, x: &expr::Array, number: &Obj<'py>) -> PyResult<expr::Array> {
    match far(number) {
        Some(far) if matches!(x.dtype().kind(), Kind::Int | Kind::Bool) => {
            Ok(expr::Array::int(far))
        }
        Some(_) => call.operand(PyFloat::new(number.py(), number.extract()?).as_any()),
        None => call.operand(number),
    }
}

/// An integer of so many bits that it is beyond all integers of arrays, however far.
fn far(number: &Obj<'_>) -> Option<i128> {
    let whole = number.is_exact_instance_of::<PyInt>();
    if !whole || number.extract::<i128>().is_ok() {
        return None;
    }
    number.lt(0).ok().map(|below| if below { -(1 << 100) } else { 1 << 100 })
}

/// Whether it is an integer of more than 63 bits, of which NumPy may warn where it becomes a float.
fn may_be_infinite(number: &Obj<'_>, beside: &Obj<'_>) -> bool {
    let whole = |kind| matches!(kind, Kind::Int | Kind::Bool);
    number.is_exact_instance_of::<PyInt>()
        && direct::integer(number).is_none()
        && direct::view(beside).is_none_or(|view| !whole(view.dtype.kind()))
}

/// The same values as another dtype, as `numpy.ndarray.astype` converts them.
///
/// Floats become integers by truncation; integers wrap. `dtype` is anything that `numpy.dtype` takes and
/// that is bool, int8 to int64, uint8 to uint64, float16, float32 or float64; others are a TypeError.
///
/// >>> rnp.astype([1.7, -1.7], "int16")
/// array([ 1, -1], dtype=int16)
#[pyfunction]
#[pyo3(signature = (x, dtype, /))]
pub fn astype<'py>(x: &Obj<'py>, dtype: &Obj<'py>) -> Out<'py> {
    let dtype = nd::parse_dtype("astype", dtype)?;
    let block = mode::current(x.py())?;
    let out = match &block {
        Some(block) => tape::record(block.get(), Request::Cast(dtype), &[x])?,
        None => direct::astype(x, dtype)?,
    };
    if let Some(out) = out {
        return Ok(out);
    }
    let mut call = Call::of(x.py(), "astype", block);
    let from = call.operand(x)?;
    if call.is_lazy() {
        // A copy, even where the expression stays the same.
        return call.run(|| from.strong().cast(dtype));
    }
    call.run_view(x, || from.strong().cast(dtype))
}

/// Linear interpolation: the function through the points `(xp, fp)`, at `x`; float64.
///
/// `xp` must ascend. Below the first and above the last point the result is `left` and `right`, by
/// default the end values. `x` has any shape, which is the result's; `xp` and `fp` are one-dimensional
/// and of one length. Over an `rnp.arange` or `rnp.linspace` the points take no memory and no search.
/// `period` is not supported.
///
/// >>> rnp.interp(2.5, [1, 2, 3], [3, 2, 0])
/// np.float64(1.0)
#[pyfunction]
#[pyo3(signature = (x, xp, fp, left = None, right = None, period = None))]
fn interp<'py>(
    x: &Obj<'py>,
    xp: &Obj<'py>,
    fp: &Obj<'py>,
    left: Option<&Obj<'py>>,
    right: Option<&Obj<'py>>,
    period: Option<&Obj<'py>>,
) -> Out<'py> {
    if period.is_some() {
        return Err(PyTypeError::new_err(
            "interp: period is not supported; reduce x by rnp.remainder(x, period) and repeat the \
             end points",
        ));
    }
    let block = mode::current(x.py())?;
    let out = match &block {
        None => direct::interp([x, xp, fp], left, right)?,
        Some(block) if left.is_none() && right.is_none() => {
            tape::record(block.get(), Request::Interp, &[x, xp, fp])?
        }
        Some(_) => None,
    };
    if let Some(out) = out {
        return Ok(out);
    }
    let mut call = Call::of(x.py(), "interp", block);
    let (x, xp, fp) = (call.operand(x)?, call.operand(xp)?, call.operand(fp)?);
    let left = left.map(|v| call.operand(v)).transpose()?;
    let right = right.map(|v| call.operand(v)).transpose()?;
    call.run(|| x.interp(&xp, &fp, left.as_ref(), right.as_ref()))
}

/// Whether the expression is a traced Python integer.
pub fn is_weak_int(x: &expr::Array) -> bool {
    x.weak() == Some(Weak::Int)
}
