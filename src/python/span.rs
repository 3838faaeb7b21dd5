//! The line of the user's program that runs now.
//!
//! Frames inside rnp and NumPy are skipped. May not know: arrays, ops.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use super::cpython;
use super::gil::GilCell;
use crate::expr::Span;

/// An instruction that was met, and the line it belongs to; `None` if it is rnp's or NumPy's own.
struct Place {
    code: Py<PyAny>,
    instruction: i32,
    span: Option<Span>,
}

/// How many places are remembered, each by one slot that its code and instruction choose.
const PLACES: usize = 256;

static MET: GilCell<[Option<Place>; PLACES]> = GilCell::new([const { None }; PLACES]);
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
    let mut frame = cpython::frame(py);
    while let Some(f) = frame {
        if let Some(span) = place(&f) {
            return span;
        }
        frame = cpython::back(&f);
    }
    Span::default()
}

/// The user's line that a frame is at.
fn place(frame: &Bound<'_, PyAny>) -> Option<Span> {
    let py = frame.py();
    let (code, instruction) = cpython::code(frame)?;
    let slot = ((code.as_ptr() as usize >> 5) ^ instruction as usize) % PLACES;
    if let Some(met) = &MET.borrow(py)[slot]
        && met.instruction == instruction
        && met.code.is(&code)
    {
        return met.span;
    }
    let file: String = code.getattr(pyo3::intern!(py, "co_filename")).ok()?.extract().ok()?;
    let own = skipped(py).iter().any(|s| file.starts_with(s.as_str()));
    let span = (!own).then(|| Span::new(&file, cpython::line(frame)));
    let new = Place { code: code.unbind(), instruction, span };
    let old = MET.borrow(py)[slot].replace(new);
    // Its code may be the last of a function, whose going runs code: with nothing borrowed.
    drop(old);
    span
}
