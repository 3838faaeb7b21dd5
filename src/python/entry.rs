//! What a function of rnp is to Python: a callable that asks the nearest first.
//!
//! A plain call of an op, and outside of blocks any call of a builtin or of NumPy, is answered from here;
//! all else goes to the method `_answer` of the Python class that is made from it.
//!
//! May not know: what any single function does.

use pyo3::exceptions::{PyIndexError, PyOverflowError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyCFunction, PyDict, PyList, PyTuple};

use super::array::Array;
use super::error::{TraceError, Unsupported};
use super::{convert, direct, elementwise, mode, tape};
use crate::op::Op;
use crate::tape::Request;

type Obj<'py> = Bound<'py, PyAny>;

/// A function as Python calls it: first by the op of this name, if there is one and the call is plain;
/// outside of a block by `eager`, in one by `recorder`; then by `self._answer(*args, **keywords)`.
///
/// `numpys` says that `eager` is NumPy's: it is not shown deferred arrays, and its errors are the call's.
#[pyclass(subclass, frozen, module = "rnp._core", name = "_Entry")]
pub struct Entry {
    /// With its number of operands, one or two.
    op: Option<(Op, usize)>,
    eager: Option<Py<PyAny>>,
    numpys: bool,
    /// Answers in `eager`'s place for ndarrays of reals, where `eager` differs for complex numbers alone.
    of_reals: Option<Py<PyAny>>,
    recorder: Option<Py<PyAny>>,
    /// Answers plain calls of it, without its arguments being taken apart twice.
    plain: Option<Plain>,
    /// Whether calls that the builtin would take, and NumPy would not, go to the method `_extended`.
    strict: bool,
}

/// What records plain calls; `None` for others.
type Plain = for<'a, 'py> fn(
    &'a Bound<'py, PyTuple>,
    Option<&'a Bound<'py, PyDict>>,
) -> PyResult<Option<Obj<'py>>>;

#[pymethods]
impl Entry {
    #[new]
    #[pyo3(signature = (op, eager, numpys, recorder = None, of_reals = None, /))]
    fn new(
        py: Python<'_>,
        op: Option<&str>,
        eager: Option<Py<PyAny>>,
        numpys: bool,
        recorder: Option<Py<PyAny>>,
        of_reals: Option<Py<PyAny>>,
    ) -> PyResult<Self> {
        let plain = recorder.as_ref().map(|recorder| plain(recorder.bind(py)));
        let (plain, strict) = plain.transpose()?.flatten().unzip();
        let strict = strict.unwrap_or(false);
        let op = op.and_then(Op::from_name).map(|op| (op, op.info().arity));
        let op = op.filter(|(_, arity)| *arity <= 2);
        Ok(Self { op, eager, numpys, of_reals, recorder, plain, strict })
    }

    #[pyo3(signature = (*args, **keywords))]
    fn __call__<'py>(
        slf: &Bound<'py, Self>,
        args: &Bound<'py, PyTuple>,
        keywords: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Obj<'py>> {
        let (py, entry) = (slf.py(), slf.get());
        let keywords = keywords.filter(|k| !k.is_empty());
        if let Some((op, arity)) = entry.op
            && keywords.is_none()
            && args.len() == arity
        {
            let first = args.get_borrowed_item(0)?;
            let out = if arity == 1 {
                elementwise::apply(py, op, &[&first])
            } else {
                elementwise::apply(py, op, &[&first, &*args.get_borrowed_item(1)?])
            };
            match out {
                Err(e) if e.is_instance_of::<Unsupported>(py) => {}
                Err(e) if arity == 1 && e.is_instance_of::<PyOverflowError>(py) => {
                    return of_array(slf, &first);
                }
                out => return out,
            }
        }
        if entry.strict && !has_its_bounds(args, keywords)? {
            return slf.call_method(pyo3::intern!(py, "_extended"), args, keywords);
        }
        if mode::current(py)?.is_some() {
            if let Some(plain) = entry.plain
                && let Some(out) = plain(args, keywords)?
            {
                return Ok(out);
            }
            if let Some(recorder) = &entry.recorder {
                match recorder.bind(py).call(args, keywords) {
                    Err(e) if is_mistake(&e, py) => {}
                    out => return out,
                }
            }
        } else if let Some(eager) = &entry.eager
            && !(entry.numpys && may_defer(args, keywords))
        {
            let answers = match &entry.of_reals {
                Some(own) if takes_reals(args, keywords)? => own,
                _ => eager,
            };
            match answers.bind(py).call(args, keywords) {
                Err(e) if !entry.numpys && is_mistake(&e, py) => {}
                out => return out,
            }
        }
        slf.call_method(pyo3::intern!(py, "_answer"), args, keywords)
    }

    fn __traverse__(&self, visit: pyo3::PyVisit<'_>) -> Result<(), pyo3::PyTraverseError> {
        for function in [&self.eager, &self.of_reals, &self.recorder].into_iter().flatten() {
            visit.call(function)?;
        }
        Ok(())
    }
}

/// What answers plain calls of a builtin, and whether the builtin would take more than NumPy does.
fn plain(recorder: &Obj<'_>) -> PyResult<Option<(Plain, bool)>> {
    let builtin = recorder.is_exact_instance_of::<PyCFunction>();
    if !builtin {
        return Ok(None);
    }
    let name = recorder.getattr("__name__")?;
    Ok(match &*name.extract::<String>()? {
        "asarray" => Some((asarray, false)),
        "clip" => Some((clip, true)),
        _ => None,
    })
}

/// `asarray(x)`, `asarray(x, copy=copy)`.
fn asarray<'py>(
    args: &Bound<'py, PyTuple>,
    keywords: Option<&Bound<'py, PyDict>>,
) -> PyResult<Option<Obj<'py>>> {
    let (1, py) = (args.len(), args.py()) else { return Ok(None) };
    let copy = match keywords {
        None => None,
        Some(k) => match k.get_item(pyo3::intern!(py, "copy"))? {
            Some(copy) if k.len() == 1 && copy.is_exact_instance_of::<PyBool>() => {
                Some(copy.is_truthy()?)
            }
            _ => return Ok(None),
        },
    };
    match mode::current(py)? {
        Some(block) if copy != Some(true) => {
            tape::array(block.get(), &args.get_item(0)?, copy == Some(false))
        }
        _ => Ok(None),
    }
}

/// Whether the first operand is an ndarray of reals, and computed with as such.
fn takes_reals(args: &Bound<'_, PyTuple>, keywords: Option<&Bound<'_, PyDict>>) -> PyResult<bool> {
    let Ok(first) = args.get_borrowed_item(0) else { return Ok(false) };
    let real = direct::view(&first).is_some_and(|view| !view.dtype.is_complex());
    Ok(real && !keywords.map_or(Ok(false), |k| k.contains(pyo3::intern!(args.py(), "dtype")))?)
}

/// Whether both bounds of `clip` are given by place or older name, or none is: by the newer ones or not at all.
fn has_its_bounds(
    args: &Bound<'_, PyTuple>,
    keywords: Option<&Bound<'_, PyDict>>,
) -> PyResult<bool> {
    let Some(keywords) = keywords else { return Ok(args.len() != 2) };
    let low = args.len() > 1 || keywords.contains("a_min")?;
    let high = args.len() > 2 || keywords.contains("a_max")?;
    Ok(low == high && !(low && (keywords.contains("min")? || keywords.contains("max")?)))
}

/// `clip(x, low, high)`.
fn clip<'py>(
    args: &Bound<'py, PyTuple>,
    keywords: Option<&Bound<'py, PyDict>>,
) -> PyResult<Option<Obj<'py>>> {
    if args.len() != 3 || keywords.is_some() {
        return Ok(None);
    }
    let [x, low, high] = [args.get_item(0)?, args.get_item(1)?, args.get_item(2)?];
    let other = |bound: &Obj<'py>| bound.is_none() || elementwise::is_one(bound);
    if elementwise::is_number(&x) || other(&low) || other(&high) {
        return Ok(None);
    }
    let Some(block) = mode::current(args.py())? else { return Ok(None) };
    tape::record(block.get(), Request::Clip { low: true, high: true }, &[&x, &low, &high])
}

/// The call of a number alone that has more than 63 bits: of the array that NumPy makes of it.
#[cold]
fn of_array<'py>(slf: &Bound<'py, Entry>, number: &Obj<'py>) -> PyResult<Obj<'py>> {
    slf.call1((convert::asarray(number)?,))
}

/// Whether another answer may be found, or a better error.
fn is_mistake(e: &PyErr, py: Python<'_>) -> bool {
    let known = e.is_instance_of::<PyTypeError>(py)
        || e.is_instance_of::<PyValueError>(py)
        || e.is_instance_of::<PyIndexError>(py)
        || e.is_instance_of::<PyOverflowError>(py);
    known && !e.is_instance_of::<TraceError>(py)
}

/// Whether there may be deferred arrays among the arguments; those nested deeper are not looked for.
fn may_defer(args: &Bound<'_, PyTuple>, keywords: Option<&Bound<'_, PyDict>>) -> bool {
    args.iter().any(|x| holds(&x, false))
        || keywords.is_some_and(|k| k.iter().any(|(_, x)| holds(&x, false)))
}

fn holds(x: &Obj<'_>, nested: bool) -> bool {
    if x.is_instance_of::<Array>() || x.is_instance_of::<PyDict>() {
        return true;
    }
    if let Ok(items) = x.cast::<PyTuple>() {
        return nested || items.iter().any(|item| holds(&item, true));
    }
    if let Ok(items) = x.cast::<PyList>() {
        return nested || items.iter().any(|item| holds(&item, true));
    }
    false
}

/// Adds the class to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<Entry>()
}
