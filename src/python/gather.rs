//! Elements by their numbers along axes, for `take` and for indexing by arrays.

use std::borrow::Cow;
use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyList;

use super::call::raised;
use super::error::{self, Unsupported};
use super::run::Call;
use crate::buffer::Storage;
use crate::call;
use crate::dtype::DType;
use crate::error::Result;
use crate::expr::{self, Span};
use crate::gather::{Beyond, Gather};
use crate::shape::Shape;

type Obj<'py> = Bound<'py, PyAny>;

/// A gather whose errors name the line that recorded it.
#[derive(Debug)]
struct Placed {
    gather: Gather,
    span: Span,
}

impl call::Call for Placed {
    fn name(&self) -> &str {
        self.gather.name()
    }

    fn key(&self) -> Option<Cow<'_, str>> {
        self.gather.key()
    }

    fn infer(&self, operands: &[(DType, &[usize])]) -> Result<(DType, Shape)> {
        self.gather.infer(operands)
    }

    fn run(&self, operands: &[Storage]) -> Result<Storage> {
        self.gather.run(operands).map_err(|e| {
            Python::attach(|py| raised(py, error::raise(py, &e), self.gather.name(), self.span))
        })
    }
}

/// Elements of `a` by arrays of numbers, of its axes from `axis` on: one for each, and together they broadcast.
///
/// `called` is what errors call those axes, and `mode` is `take`'s: "raise", "wrap" or "clip". A number of no
/// element is an IndexError: here if it is known, else when the result is evaluated.
#[pyfunction]
#[pyo3(signature = (a, numbers, axis, called, mode, name, /))]
fn _gather<'py>(
    a: &Obj<'py>,
    numbers: &Bound<'py, PyList>,
    axis: usize,
    called: Vec<usize>,
    mode: &str,
    name: String,
) -> PyResult<Obj<'py>> {
    let beyond = match mode {
        "raise" => Beyond::Raise,
        "wrap" => Beyond::Wrap,
        "clip" => Beyond::Clip,
        _ => return Err(Unsupported::new_err(format!("{name}: no mode {mode}"))),
    };
    let mut call = Call::new(a.py(), name.clone())?;
    let a = call.operand(a)?.strong();
    let numbers = numbers.iter().map(|numbers| Ok(call.operand(&numbers)?.strong()));
    let numbers = numbers.collect::<PyResult<Vec<_>>>()?;
    let gather = Gather { name, axis, called: called.into_iter().collect(), beyond };
    let span = call.span();
    call.run(|| {
        let operands: Vec<_> = std::iter::once(&a).chain(&numbers).cloned().collect();
        let out = expr::Array::call(Arc::new(Placed { gather: gather.clone(), span }), &operands)?;
        // Of no elements nothing is looked up.
        let none = numbers.iter().any(|numbers| numbers.shape().contains(&0));
        for (k, numbers) in numbers.iter().enumerate().filter(|_| !none) {
            if let Some(known) = numbers.value() {
                gather.check(k, a.shape()[axis + k], &known)?;
            }
        }
        Ok(out)
    })
}

/// Adds the function to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(_gather, m)?)
}
