//! Median and quantiles, with NumPy's keyword arguments in NumPy's order.
//!
//! What is not computed here (other methods, weights, fractions of other kinds) is `rnp.Unsupported`,
//! and so NumPy's.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{IntoPyDict, PyFloat, PyInt, PyList, PyTuple};

use super::array::Array;
use super::reduce::{integers, no_out};
use super::run::Call;
use super::{direct, error, mode, tape};
use crate::expr;
use crate::select::{Select, Statistic};
use crate::tape::Request;

type Obj<'py> = Bound<'py, PyAny>;
type Out<'py> = PyResult<Obj<'py>>;

fn unsupported(name: &str, what: &str) -> PyErr {
    error::Unsupported::new_err(format!("{name}: no kernel for {what}"))
}

/// Records or computes a statistic.
fn select<'py>(
    name: &'static str,
    a: &Obj<'py>,
    statistic: Statistic,
    q: Option<&Obj<'py>>,
    axis: Option<&Obj<'py>>,
    keepdims: bool,
) -> Out<'py> {
    let given = axis;
    let axis = axis.map(|a| integers(name, "axis", a)).transpose()?;
    let select = Select { name, statistic, axis, keepdims };
    let block = mode::current(a.py())?;
    if block.is_none()
        && select.axis.is_none()
        && !keepdims
        && let Some((out, infinite)) = direct::select(&select, a)?
    {
        if infinite {
            ask(name, (a, q, given))?;
        }
        return Ok(out);
    }
    let select = Arc::new(select);
    if let Some(block) = &block
        && let Some(out) = tape::record(block.get(), Request::Select(select.clone()), &[a])?
    {
        return Ok(out);
    }
    let mut call = Call::of(a.py(), name, block);
    let x = call.operand(a)?.strong();
    let asks = !call.is_lazy() && x.dtype().is_float() && !a.is_instance_of::<Array>();
    let out = call.run(|| expr::Array::call(select, &[x]))?;
    if asks {
        tell(name, (a, q, given), &out)?;
    }
    Ok(out)
}

/// What NumPy is asked about: the array, the fractions, the axis.
type Question<'a, 'py> = (&'a Obj<'py>, Option<&'a Obj<'py>>, Option<&'a Obj<'py>>);

/// Has NumPy compute what became infinite, so that it warns.
fn tell(name: &str, question: Question<'_, '_>, out: &Obj<'_>) -> PyResult<()> {
    let infinite = match out.extract::<f64>() {
        Ok(value) => value.is_infinite(),
        Err(_) => {
            let found = out.py().import("numpy")?.call_method1("isinf", (out,))?;
            found.call_method0("any")?.is_truthy()?
        }
    };
    if infinite { ask(name, question) } else { Ok(()) }
}

#[cold]
fn ask(name: &str, (a, q, axis): Question<'_, '_>) -> PyResult<()> {
    let py = a.py();
    let args = match q {
        Some(q) => PyTuple::new(py, [a, q])?,
        None => PyTuple::new(py, [a])?,
    };
    direct::ask(name, &args, &[("axis", axis)].into_py_dict(py)?)
}

/// A fraction that is a plain number, and whether it is one of Python's.
fn number(name: &str, q: &Obj<'_>, top: f64) -> PyResult<(f64, bool)> {
    // Whole fractions take a way of their own through NumPy.
    let plain = q.is_exact_instance_of::<PyInt>() && top > 1.0;
    if !plain && !q.is_instance_of::<PyFloat>() {
        return Err(unsupported(name, "fractions that are no floats"));
    }
    let at = q.extract::<f64>()? / top;
    if (0.0..=1.0).contains(&at) {
        Ok((at, plain || q.is_exact_instance_of::<PyFloat>()))
    } else {
        Err(unsupported(name, "fractions out of range"))
    }
}

fn quantiles(name: &str, q: &Obj<'_>, top: f64) -> PyResult<Statistic> {
    if !q.is_instance_of::<PyList>() && !q.is_instance_of::<PyTuple>() {
        let (at, weak) = number(name, q, top)?;
        return Ok(Statistic::Quantiles { at: vec![at], many: false, weak });
    }
    let at = q.try_iter()?.map(|q| Ok(number(name, &q?, top)?.0));
    Ok(Statistic::Quantiles { at: at.collect::<PyResult<_>>()?, many: true, weak: false })
}

/// Median: the middle element of the sorted ones, or the mean of the middle two; NaN if any is NaN.
///
/// `axis` is None (all axes), an integer or a tuple; `keepdims` leaves reduced axes with length 1; `out`
/// must be None. Integers and bool give float64.
///
/// >>> rnp.median([3, 1, 2, 10])
/// np.float64(2.5)
#[pyfunction]
#[pyo3(signature = (a, axis = None, out = None, overwrite_input = false, keepdims = false))]
fn median<'py>(
    a: &Obj<'py>,
    axis: Option<&Obj<'py>>,
    out: Option<&Obj<'py>>,
    overwrite_input: bool,
    keepdims: bool,
) -> Out<'py> {
    no_out("median", out)?;
    if overwrite_input {
        return Err(unsupported("median", "overwrite_input"));
    }
    select("median", a, Statistic::Median, None, axis, keepdims)
}

macro_rules! by_fraction {
    ($($(#[doc = $doc:literal])+ $name:ident $top:literal;)+) => {$(
        $(#[doc = $doc])+
        #[pyfunction]
        #[pyo3(signature = (a, q, axis = None, out = None, overwrite_input = false, method = "linear", keepdims = false))]
        fn $name<'py>(
            a: &Obj<'py>,
            q: &Obj<'py>,
            axis: Option<&Obj<'py>>,
            out: Option<&Obj<'py>>,
            overwrite_input: bool,
            method: &str,
            keepdims: bool,
        ) -> Out<'py> {
            let name = stringify!($name);
            no_out(name, out)?;
            if overwrite_input || method != "linear" {
                return Err(unsupported(name, "other methods"));
            }
            select(name, a, quantiles(name, q, $top)?, Some(q), axis, keepdims)
        }
    )+};
}

by_fraction! {
    /// The value that `q` percent of the elements lie below, interpolated linearly; NaN if any is NaN.
    ///
    /// `q` is a number from 0 to 100, or a list of them, which gives a leading axis. `axis` is None (all
    /// axes), an integer or a tuple; `keepdims` leaves reduced axes with length 1; `out` must be None.
    ///
    /// >>> rnp.percentile([1.0, 2.0, 3.0], 75)
    /// np.float64(2.5)
    percentile 100.0;
    /// As `rnp.percentile`, with fractions from 0 to 1.
    ///
    /// >>> rnp.quantile([1.0, 2.0, 3.0], 0.75)
    /// np.float64(2.5)
    quantile 1.0;
}

/// Adds the functions to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(median, m)?)?;
    m.add_function(wrap_pyfunction!(percentile, m)?)?;
    m.add_function(wrap_pyfunction!(quantile, m)?)
}
