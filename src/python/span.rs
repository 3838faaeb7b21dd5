//! The line of the user's program that runs now.
//!
//! Frames inside rnp and NumPy are skipped. May not know: arrays, ops.

use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use crate::expr::Span;

/// The file of the code object seen last, `None` if it is rnp's or NumPy's own.
struct Last {
    code: Py<PyAny>,
    file: Option<String>,
}

static LAST: Mutex<Option<Last>> = Mutex::new(None);
static SKIPPED: PyOnceLock<Vec<String>> = PyOnceLock::new();

/// The folders of rnp and NumPy.
fn skipped(py: Python<'_>) -> &Vec<String> {
    SKIPPED.get_or_init(py, || {
        let folder = |name: &str| {
            let path: String = py.import(name).ok()?.getattr("__file__").ok()?.extract().ok()?;
            path.rfind(['/', '\\']).map(|end| path[..=end].to_owned())
        };
        ["rnp", "numpy"].into_iter().filter_map(folder).collect()
    })
}

/// The line of the innermost frame that is the user's.
pub fn here(py: Python<'_>) -> Span {
    // SAFETY: the GIL is held; the frame is borrowed, or null when no Python code runs.
    let mut frame = unsafe {
        let frame = pyo3::ffi::PyEval_GetFrame();
        Bound::from_borrowed_ptr_or_opt(py, frame.cast())
    };
    while let Some(f) = frame {
        if let Some(file) = file(&f) {
            // SAFETY: `f` is a frame.
            let line = unsafe { pyo3::ffi::PyFrame_GetLineNumber(f.as_ptr().cast()) };
            return Span::new(&file, u32::try_from(line).unwrap_or(0));
        }
        frame = f.getattr(pyo3::intern!(py, "f_back")).ok().filter(|f| !f.is_none());
    }
    Span::default()
}

fn file(frame: &Bound<'_, PyAny>) -> Option<String> {
    let py = frame.py();
    // SAFETY: `frame` is a frame; the call gives a new reference.
    let code = unsafe {
        let code = pyo3::ffi::PyFrame_GetCode(frame.as_ptr().cast());
        Bound::from_owned_ptr_or_opt(py, code.cast())?
    };
    {
        let last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = last.as_ref().filter(|l| l.code.is(&code)) {
            return last.file.clone();
        }
    }
    let name: String = code.getattr(pyo3::intern!(py, "co_filename")).ok()?.extract().ok()?;
    let file = (!skipped(py).iter().any(|s| name.starts_with(s.as_str()))).then_some(name);
    let last = Last { code: code.unbind(), file: file.clone() };
    let old = LAST.lock().unwrap_or_else(PoisonError::into_inner).replace(last);
    drop(old);
    file
}
