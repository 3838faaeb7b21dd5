//! Arrays put together: `concatenate`, and stores into parts as tests make them.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use super::index;
use super::reduce::{integer, integers};
use super::run::Call;
use crate::error::{Error, Result};
use crate::expr::{self, Prim};
use crate::op::result_dtype;
use crate::shape;

type Obj<'py> = Bound<'py, PyAny>;
type Out<'py> = PyResult<Bound<'py, PyAny>>;

/// The arrays one after another along an axis; `axis=None` ravels them first.
///
/// All have the same shape but along the axis, else it is a ValueError. The result has the dtype that
/// theirs promote to.
///
/// >>> rnp.concatenate([[1, 2], [3]])
/// array([1, 2, 3])
#[pyfunction]
#[pyo3(signature = (arrays, /, axis = Axis::default()))]
fn concatenate<'py>(arrays: &Obj<'py>, axis: Axis) -> Out<'py> {
    let mut call = Call::new(arrays.py(), "concatenate")?;
    let mut parts = Vec::new();
    for item in arrays.try_iter()? {
        parts.push(call.operand(&item?)?);
    }
    call.run_array(|| join(&parts, axis.0))
}

/// An axis, 0 where none is given; `None` ravels.
#[derive(Clone, Copy)]
struct Axis(Option<i64>);

impl Default for Axis {
    fn default() -> Self {
        Self(Some(0))
    }
}

impl<'py> FromPyObject<'_, 'py> for Axis {
    type Error = PyErr;

    fn extract(obj: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if obj.is_none() {
            Ok(Self(None))
        } else {
            Ok(Self(Some(integer("concatenate", "axis", &obj)?)))
        }
    }
}

fn join(parts: &[expr::Array], axis: Option<i64>) -> Result<expr::Array> {
    let operands: Vec<_> = parts.iter().map(expr::Array::operand).collect();
    if operands.is_empty() {
        return Err(Error::value("need at least one array to concatenate"));
    }
    let dtype = result_dtype(&operands);
    let mut all = Vec::new();
    for part in parts {
        let part = part.cast(dtype)?;
        all.push(if axis.is_none() { part.reshape(&[-1])? } else { part });
    }
    let rank = all[0].rank();
    let axis = if rank == 0 { 0 } else { shape::axis("concatenate", axis.unwrap_or(0), rank)? };
    expr::Array::concatenate(&all, axis)
}

/// `base` with `value` stored at a view of it, for tests: pairs of a word and its argument, `"index"`
/// and a key, `"transpose"` and axes, `"reshape"` and a shape, one after the other.
#[pyfunction]
#[pyo3(signature = (base, path, value, /))]
fn _update<'py>(base: &Obj<'py>, path: Vec<(String, Obj<'py>)>, value: &Obj<'py>) -> Out<'py> {
    let mut prims = Vec::new();
    for (word, argument) in path {
        prims.push(match word.as_str() {
            "index" => match index::items(&argument)? {
                Some(items) => Prim::Index(items.into()),
                None => return Err(PyTypeError::new_err("_update: not a basic index")),
            },
            "transpose" => {
                let axes = integers("_update", "axes", &argument)?;
                Prim::Transpose(axes.into_iter().map(|a| a as usize).collect())
            }
            _ => Prim::Reshape(integers("_update", "shape", &argument)?.into()),
        });
    }
    let mut call = Call::new(base.py(), "_update")?;
    let (x, v) = (call.operand(base)?, call.operand(value)?);
    call.run_array(|| x.update(&prims, &v.cast(x.dtype())?))
}

/// Adds the functions to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(concatenate, m)?)?;
    m.add_function(wrap_pyfunction!(_update, m)?)
}
