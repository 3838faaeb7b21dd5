//! Functions of CPython that its stable ABI leaves out and that every version from 3.11 on exports.
//!
//! Each is asked for once or more per recorded operation, where the detour through attributes would cost
//! more than all else that recording does. May not know: anything else in the crate.

use pyo3::prelude::*;

#[allow(unsafe_code, reason = "declares functions of the interpreter")]
unsafe extern "C" {
    fn PyContextVar_Get(
        var: *mut pyo3::ffi::PyObject,
        default: *mut pyo3::ffi::PyObject,
        value: *mut *mut pyo3::ffi::PyObject,
    ) -> std::ffi::c_int;
    fn PyContextVar_Set(
        var: *mut pyo3::ffi::PyObject,
        value: *mut pyo3::ffi::PyObject,
    ) -> *mut pyo3::ffi::PyObject;
    fn PyFrame_GetBack(frame: *mut pyo3::ffi::PyFrameObject) -> *mut pyo3::ffi::PyObject;
    fn PyFrame_GetLasti(frame: *mut pyo3::ffi::PyFrameObject) -> std::ffi::c_int;
}

/// What a `ContextVar` holds in this context, if it holds something.
pub fn value<'py>(variable: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = variable.py();
    let mut value = std::ptr::null_mut();
    // SAFETY: the object is a `ContextVar`; on success `value` is a new reference or null.
    unsafe {
        if PyContextVar_Get(variable.as_ptr(), std::ptr::null_mut(), &raw mut value) != 0 {
            return Err(PyErr::fetch(py));
        }
        Ok(Bound::from_owned_ptr_or_opt(py, value))
    }
}

/// Gives a `ContextVar` another value in this context; returns the token that leads back.
pub fn set_value<'py>(
    variable: &Bound<'py, PyAny>,
    value: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: the object is a `ContextVar`; the call gives a new reference or sets an exception.
    unsafe {
        let token = PyContextVar_Set(variable.as_ptr(), value.as_ptr());
        Bound::from_owned_ptr_or_err(variable.py(), token)
    }
}

/// The frame of the Python code that runs now.
pub fn frame(py: Python<'_>) -> Option<Bound<'_, PyAny>> {
    // SAFETY: the GIL is held; the frame is borrowed, or null when no Python code runs.
    unsafe { Bound::from_borrowed_ptr_or_opt(py, pyo3::ffi::PyEval_GetFrame().cast()) }
}

/// The frame that called this one.
pub fn back<'py>(frame: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
    // SAFETY: the object is a frame; the call gives a new reference or null.
    unsafe { Bound::from_owned_ptr_or_opt(frame.py(), PyFrame_GetBack(frame.as_ptr().cast())) }
}

/// A frame's code object, and the instruction that it is at.
pub fn code<'py>(frame: &Bound<'py, PyAny>) -> Option<(Bound<'py, PyAny>, i32)> {
    // SAFETY: the object is a frame; the call gives a new reference.
    unsafe {
        let code = pyo3::ffi::PyFrame_GetCode(frame.as_ptr().cast());
        let code = Bound::from_owned_ptr_or_opt(frame.py(), code.cast())?;
        Some((code, PyFrame_GetLasti(frame.as_ptr().cast())))
    }
}

/// The line that a frame is at; walks the code's table of lines.
pub fn line(frame: &Bound<'_, PyAny>) -> u32 {
    // SAFETY: the object is a frame.
    let line = unsafe { pyo3::ffi::PyFrame_GetLineNumber(frame.as_ptr().cast()) };
    u32::try_from(line).unwrap_or(0)
}
