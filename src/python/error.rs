//! One place where the engine's errors become Python exceptions.
//!
//! May not know: arrays, modes, functions.

use pyo3::exceptions::{
    PyIndexError, PyKeyboardInterrupt, PyMemoryError, PyOverflowError, PyRuntimeError, PyTypeError,
    PyValueError, PyZeroDivisionError,
};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use crate::error::{Error, ErrorKind};

pyo3::create_exception!(
    rnp,
    TraceError,
    PyTypeError,
    "The value of a traced array was asked for while `rnp.jit` traced a function.\n\n\
     The way out is `rnp.where(condition, a, b)` for a choice by value, or naming the argument in\n\
     `rnp.jit(static=(...))` for a choice made once per value."
);

static AXIS_ERROR: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// The Python exception for an error of the engine.
pub fn raise(py: Python<'_>, error: &Error) -> PyErr {
    let text = error.message().to_owned();
    match error.kind() {
        ErrorKind::Value => PyValueError::new_err(text),
        ErrorKind::Type | ErrorKind::Unsupported => PyTypeError::new_err(text),
        ErrorKind::Index => PyIndexError::new_err(text),
        ErrorKind::Axis => axis_error(py, &text),
        ErrorKind::Overflow => PyOverflowError::new_err(text),
        ErrorKind::ZeroDivision => PyZeroDivisionError::new_err(text),
        ErrorKind::Memory => PyMemoryError::new_err(text),
        ErrorKind::Trace => TraceError::new_err(text),
        ErrorKind::Foreign => match error.payload().and_then(|p| p.downcast_ref::<PyErr>()) {
            Some(exception) => exception.clone_ref(py),
            None => PyRuntimeError::new_err(text),
        },
        ErrorKind::Interrupted => PyKeyboardInterrupt::new_err(text),
        ErrorKind::Bug => {
            PyRuntimeError::new_err(format!("{text} (a bug in rnp: please report it)"))
        }
    }
}

fn axis_error(py: Python<'_>, text: &str) -> PyErr {
    let class = AXIS_ERROR.get_or_try_init(py, || {
        Ok::<_, PyErr>(py.import("numpy.exceptions")?.getattr("AxisError")?.unbind())
    });
    match class.and_then(|class| class.bind(py).call1((text,))) {
        Ok(exception) => PyErr::from_value(exception),
        Err(error) => error,
    }
}

/// Runs code of the engine; a panic is our bug, and is reported as one.
pub fn guard<T>(f: impl FnOnce() -> crate::error::Result<T>) -> crate::error::Result<T> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)).unwrap_or_else(|panic| {
        let text = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("no message");
        Err(Error::bug(format!("internal error: {text}")))
    })
}

/// `guard`, with the error as a Python exception.
pub fn checked<T>(py: Python<'_>, f: impl FnOnce() -> crate::error::Result<T>) -> PyResult<T> {
    guard(f).map_err(|e| raise(py, &e))
}
