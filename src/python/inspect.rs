//! `eval` of several arrays, and what an evaluation would do: `explain`, `plan`; threads.

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::array::{Array, is_temporary};
use super::run::{self, Call, released};
use super::{nd, tape, ufunc};
use crate::explain::{self, Called};
use crate::expr;

type Obj<'py> = Bound<'py, PyAny>;
type Out<'py> = PyResult<Bound<'py, PyAny>>;

/// Evaluates arrays together, so that they share loops, and keeps their values in them.
///
/// Returns the value of one array, or a tuple of the values of several: fresh NumPy arrays, and NumPy
/// scalars for 0-d ones. What is not deferred becomes an ndarray.
///
/// >>> with rnp.lazy():
/// ...     x = rnp.asarray([1.0, 2.0])
/// ...     low, high = rnp.min(x), rnp.max(x)
/// >>> rnp.eval(low, high)
/// (np.float64(1.0), np.float64(2.0))
#[pyfunction]
#[pyo3(name = "eval", signature = (*arrays))]
fn evaluate<'py>(arrays: &Bound<'py, PyTuple>) -> Out<'py> {
    let py = arrays.py();
    if arrays.len() == 1 {
        let one = arrays.get_item(0)?;
        if let Ok(array) = one.cast::<Array>() {
            // The tuple of arguments holds it, and `one`. A call that unpacks a tuple of the user's
            // passes that very tuple.
            let temporary = is_temporary(&one, 2) && is_temporary(arrays.as_any(), 1);
            return array.get().evaluate(py, ".eval()", temporary);
        }
        return super::convert::asarray(&one);
    }
    let noted: Result<Vec<Bound<'py, Array>>, _> = arrays.iter().map(Bound::cast_into).collect();
    if let Ok(noted) = noted
        && let Some(values) = tape::evaluate(py, &noted)?
    {
        return Ok(PyTuple::new(py, values)?.into_any());
    }
    let mut deferred = Vec::new();
    for item in arrays.iter() {
        if let Ok(array) = item.cast::<Array>() {
            if let Some(trace) = array.get().trace() {
                return Err(trace.refuse(py, "rnp.eval()", &array.get().expr()));
            }
            deferred.push(array.get().expr());
        }
    }
    let mut values = run::keep(py, &deferred)?.into_iter();
    let out = arrays.iter().map(|item| match item.cast::<Array>() {
        Ok(_) => nd::result(py, &values.next().ok_or_else(run::missing)?),
        Err(_) => super::convert::asarray(&item),
    });
    let out = out.collect::<PyResult<Vec<_>>>()?;
    Ok(PyTuple::new(py, out)?.into_any())
}

fn arrays(op: &str, args: &Bound<'_, PyTuple>) -> PyResult<Vec<expr::Array>> {
    let found = ufunc::flatten(args)?.into_iter().map(|item| match item.cast::<Array>() {
        Ok(array) => Ok(array.get().expr()),
        Err(_) => Err(PyTypeError::new_err(format!(
            "{op}: takes arrays made in a `with rnp.lazy():` block, not {}",
            item.get_type().name()?
        ))),
    });
    found.collect()
}

/// How `x` (an rnp array, or a tuple of them) is evaluated: the graph, what each pass changed, the loops.
///
/// Each op names the line that made it. With `machine_code` also the instructions. Runs nothing.
#[pyfunction]
#[pyo3(name = "explain", signature = (x, *, machine_code = false))]
pub fn explain_function(x: &Obj<'_>, machine_code: bool) -> PyResult<String> {
    let py = x.py();
    let arrays = arrays("explain", &PyTuple::new(py, [x])?)?;
    released(py, |_| explain::explain(&arrays, machine_code))
}

/// What an evaluation would run; see `rnp.plan`.
#[pyclass(frozen, get_all, module = "rnp", name = "Plan")]
pub struct Plan {
    /// Ops in the graph; views and leaves are not counted.
    ops: usize,
    /// Fused loops.
    loops: usize,
    /// Temporaries between loops.
    temporaries: usize,
    /// Bytes that the loops and the calls of `fallbacks` read and write.
    bytes_moved: u64,
    /// Bytes that NumPy would read and write, one op at a time.
    numpy_bytes: u64,
    /// The loop IR.
    text: String,
    /// Why chains were cut, one line each.
    cuts: Vec<String>,
    /// What has no kernel and is called in the middle of the graph, with the user's line.
    fallbacks: Vec<String>,
}

#[pymethods]
impl Plan {
    fn __repr__(&self) -> String {
        format!(
            "Plan(ops={}, loops={}, temporaries={}, bytes_moved={}, numpy_bytes={})",
            self.ops, self.loops, self.temporaries, self.bytes_moved, self.numpy_bytes
        )
    }

    fn __str__(&self) -> &str {
        &self.text
    }
}

fn fallback(call: Called) -> String {
    match call.place {
        Some(place) => format!("{} ({place})", call.name),
        None => call.name,
    }
}

/// What an evaluation of the arrays together would run: ops, loops, bytes. Runs nothing.
#[pyfunction]
#[pyo3(signature = (*arrays))]
fn plan(py: Python<'_>, arrays: &Bound<'_, PyTuple>) -> PyResult<Plan> {
    let arrays = self::arrays("plan", arrays)?;
    let r = released(py, |_| explain::report(&arrays))?;
    Ok(Plan {
        ops: r.ops,
        loops: r.loops,
        temporaries: r.temporaries,
        bytes_moved: r.bytes_moved,
        numpy_bytes: r.numpy_bytes,
        text: r.text,
        cuts: r.cuts,
        fallbacks: r.calls.into_iter().filter(|call| call.is_foreign).map(fallback).collect(),
    })
}

/// Sets how many threads an evaluation may use, from 1; results do not depend on it.
#[pyfunction]
#[pyo3(signature = (n, /))]
fn set_num_threads(n: &Obj<'_>) -> PyResult<()> {
    let n = super::reduce::integer("set_num_threads", "n", n)?;
    match usize::try_from(n) {
        Ok(n) if n >= 1 => {
            crate::runtime::set_num_threads(n);
            Ok(())
        }
        _ => Err(PyValueError::new_err(format!("set_num_threads: {n} is not a number from 1"))),
    }
}

/// How many threads an evaluation may use: what was set, `RNP_NUM_THREADS`, or the number of cores.
#[pyfunction]
fn get_num_threads(py: Python<'_>) -> PyResult<usize> {
    let n = crate::runtime::num_threads();
    run::warn(py)?;
    Ok(n)
}

/// Whether a line that runs now is recorded.
#[pyfunction]
fn is_lazy(py: Python<'_>) -> PyResult<bool> {
    Ok(Call::new(py, "is_lazy")?.is_lazy())
}

/// Adds the functions to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<Plan>()?;
    m.add_function(wrap_pyfunction!(evaluate, m)?)?;
    m.add_function(wrap_pyfunction!(explain_function, m)?)?;
    m.add_function(wrap_pyfunction!(plan, m)?)?;
    m.add_function(wrap_pyfunction!(set_num_threads, m)?)?;
    m.add_function(wrap_pyfunction!(get_num_threads, m)?)?;
    m.add_function(wrap_pyfunction!(is_lazy, m)?)
}
