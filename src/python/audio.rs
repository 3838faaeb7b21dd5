//! Native calls of `rnp.audio`.
//!
//! Arguments were checked there. May not know: how a line is resampled or summed.

use std::sync::Arc;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::array::Array;
use super::run::Call;
use super::{direct, mode};
use crate::dot::Dot;
use crate::expr;
use crate::resample::{Quality, Resample, Target};

type Obj<'py> = Bound<'py, PyAny>;

/// The samples along `axis` at another rate, by the windowed-sinc filter of this quality (0: the best).
///
/// `up` samples are made of every `down`, or `length` samples of all there are, where `up` is 0.
#[pyfunction]
#[pyo3(signature = (x, axis, quality, up, down, length, /))]
fn _resample<'py>(
    x: &Obj<'py>,
    axis: usize,
    quality: u32,
    up: u64,
    down: u64,
    length: usize,
) -> PyResult<Obj<'py>> {
    let quality = match quality {
        8 => Quality::Eight,
        12 => Quality::Twelve,
        16 => Quality::Sixteen,
        0 => Quality::Best,
        other => return Err(PyValueError::new_err(format!("resample: no quality {other}"))),
    };
    let target = if up == 0 { Target::Length(length) } else { Target::Rate { up, down } };
    let mut call = Call::new(x.py(), "resample")?;
    let x = call.operand(x)?;
    call.run(|| expr::Array::call(Arc::new(Resample { axis, quality, target }), &[x]))
}

/// The sum of the products of two lines of floats of one dtype.
#[pyfunction]
#[pyo3(signature = (a, b, /))]
fn _dot<'py>(a: &Obj<'py>, b: &Obj<'py>) -> PyResult<Obj<'py>> {
    let block = mode::current(a.py())?;
    if block.is_none()
        && let Some(out) = direct::dot(a, b)?
    {
        return Ok(out);
    }
    let mut call = Call::of(a.py(), "dot", block);
    let (a, b) = (call.operand(a)?, call.operand(b)?);
    call.run(|| expr::Array::call(Arc::new(Dot), &[a, b]))
}

/// Whether a deferred array has no elements; a trace does not take note that its shape was looked at.
#[pyfunction]
#[pyo3(signature = (x, /))]
fn _is_empty(x: &Bound<'_, Array>) -> bool {
    x.get().expr().shape().contains(&0)
}

/// Adds the functions to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(_resample, m)?)?;
    m.add_function(wrap_pyfunction!(_is_empty, m)?)?;
    m.add_function(wrap_pyfunction!(_dot, m)?)
}
