//! The Python face, `rnp._core`: names, arguments, conversions and modes.
//!
//! Holds no arithmetic: outside of blocks plain calls go to `runtime::direct`, `scan` and `fft`; all else
//! to `expr` and `eval`.

mod array;
mod audio;
mod call;
mod cell;
mod convert;
mod cpython;
mod create;
mod direct;
mod elementwise;
mod entry;
mod error;
mod fft;
mod gather;
mod gil;
mod hooks;
mod index;
mod inspect;
mod jit;
mod mode;
mod nd;
mod reduce;
mod report;
mod run;
mod scan;
mod select;
mod snapshot;
mod span;
mod store;
mod tape;
mod ufunc;
mod views;

use pyo3::prelude::*;
use pyo3::types::PyList;

/// The binary module of the package.
#[pymodule(gil_used = true)]
fn _core(m: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = m.py();
    m.add("TraceError", py.get_type::<error::TraceError>())?;
    m.add("FallbackError", py.get_type::<error::FallbackError>())?;
    m.add("Unsupported", py.get_type::<error::Unsupported>())?;
    m.add_class::<array::Array>()?;
    mode::register(m)?;
    m.add_class::<report::Report>()?;
    elementwise::register(m)?;
    reduce::register(m)?;
    gather::register(m)?;
    select::register(m)?;
    scan::register(m)?;
    fft::register(m)?;
    views::register(m)?;
    create::register(m)?;
    inspect::register(m)?;
    jit::register(m)?;
    call::register(m)?;
    audio::register(m)?;
    store::register(m)?;
    hooks::register(m)?;
    entry::register(m)?;
    m.add("__version__", env!("CARGO_PKG_VERSION"))?;
    for (alias, name) in crate::stubs::ALIASES {
        m.add(*alias, m.getattr(*name)?)?;
    }
    // Public names only; pickles and tests need the private ones.
    let names = PyList::empty(py);
    for name in m.index()?.try_iter()? {
        let name = name?;
        let text: String = name.extract()?;
        let half = crate::op::Op::from_name(&text).is_some_and(crate::op::Op::is_half);
        if !text.starts_with('_') && !half {
            names.append(name)?;
        }
    }
    names.call_method0("sort")?;
    m.add_function(wrap_pyfunction!(ufunc::_restore, m)?)?;
    m.add_function(wrap_pyfunction!(index::_fitted, m)?)?;
    crate::runtime::check_environment();
    run::warn(py)?;
    nd::find_numpy(py);
    error::checked(py, crate::eval::rehearse)?;
    m.add("__all__", names)
}
