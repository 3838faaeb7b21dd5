//! Private handles for the tests: the op table, the choice of tier, the counters of the kernel cache.
//!
//! Nothing here is part of the package's promise. May not know: arrays.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::op::{Fold, Op};
use crate::runtime::{self, Tier};

/// A row as Python sees it: name, arity, ulp, domain.
type Row = (&'static str, usize, f64, (f64, f64));

/// The elementwise ops, in table order: name, arity, worst error in ulp (0: NumPy's bits), domain.
#[pyfunction]
fn _ops() -> Vec<Row> {
    let rows = Op::ALL.iter().map(|op| op.info());
    rows.map(|i| (i.name, i.arity, i.ulp, i.domain)).collect()
}

/// The names of the reductions of the table.
#[pyfunction]
fn _folds() -> Vec<&'static str> {
    Fold::ALL.iter().map(|f| f.name()).collect()
}

/// Chooses how kernels run in this process: "auto", "jit" or "interp"; returns what it was.
#[pyfunction]
#[pyo3(signature = (tier, /))]
fn _set_tier(tier: &str) -> PyResult<&'static str> {
    let before = match runtime::tier() {
        Tier::Auto => "auto",
        Tier::Jit => "jit",
        Tier::Interp => "interp",
    };
    runtime::set_tier(match tier {
        "auto" => Tier::Auto,
        "jit" => Tier::Jit,
        "interp" => Tier::Interp,
        _ => return Err(PyValueError::new_err(format!("{tier:?} is not auto, jit or interp"))),
    });
    Ok(before)
}

/// Counters of the kernel cache: kernels, compiled, hits, misses, code_bytes, capacity.
#[pyfunction]
fn _stats(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let stats = runtime::stats();
    let out = PyDict::new(py);
    out.set_item("kernels", stats.kernels)?;
    out.set_item("compiled", stats.compiled)?;
    out.set_item("hits", stats.hits)?;
    out.set_item("misses", stats.misses)?;
    out.set_item("code_bytes", stats.code_bytes)?;
    out.set_item("capacity", runtime::CAPACITY)?;
    Ok(out)
}

/// Adds the handles to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(_ops, m)?)?;
    m.add_function(wrap_pyfunction!(_folds, m)?)?;
    m.add_function(wrap_pyfunction!(_set_tier, m)?)?;
    m.add_function(wrap_pyfunction!(_stats, m)?)
}
