//! Arguments as tracers, and results as values: nests of tuples, lists and dicts taken apart and put
//! together again.

use std::sync::Arc;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyBytes, PyComplex, PyDict, PyEllipsis, PyFloat, PyInt, PyList, PySlice, PyString,
    PyTuple, PyType,
};

use super::super::array::Array;
use super::super::error::TraceError;
use super::super::{convert, nd};
use super::key::{Leaf, leaf};
use super::trace::Tracing;
use crate::expr::{self, Number};
use crate::op::Weak;

type Obj<'py> = Bound<'py, PyAny>;

/// The same argument with tracers in place of arrays and numbers, numbered from `next` on.
pub fn tracers<'py>(
    obj: &Obj<'py>,
    fixed: bool,
    tracing: &Arc<Tracing>,
    next: &mut u32,
) -> PyResult<Obj<'py>> {
    let py = obj.py();
    let expr = match leaf(obj)? {
        Leaf::Nest(kind, items) => {
            let items = items.iter().enumerate();
            let items = items
                .map(|(i, item)| tracers(item, fixed || (kind == 2 && i % 2 == 0), tracing, next));
            return nest(py, kind, items.collect::<PyResult<_>>()?);
        }
        Leaf::Static => return Ok(obj.clone()),
        _ if fixed => return Ok(obj.clone()),
        Leaf::Array(storage) => expr::Array::param(*next, storage.dtype, storage.shape),
        Leaf::Number(Number::Int(_)) => expr::Array::weak_param(*next, Weak::Int),
        Leaf::Number(Number::Float(_)) => expr::Array::weak_param(*next, Weak::Float),
    };
    *next += 1;
    Ok(Bound::new(py, Array::argument(expr, tracing.clone()))?.into_any())
}

fn nest<'py>(py: Python<'py>, kind: u8, items: Vec<Obj<'py>>) -> PyResult<Obj<'py>> {
    match kind {
        0 => Ok(PyTuple::new(py, items)?.into_any()),
        1 => Ok(PyList::new(py, items)?.into_any()),
        2 => {
            let dict = PyDict::new(py);
            for pair in items.chunks_exact(2) {
                dict.set_item(&pair[0], &pair[1])?;
            }
            Ok(dict.into_any())
        }
        _ => py.get_type::<PySlice>().call1(PyTuple::new(py, items)?),
    }
}

/// What a traced function returned.
pub enum Tree {
    /// An output of the trace, by number; whether NumPy would give a Python number.
    Output(usize, bool),
    /// An ndarray that does not depend on the arguments: each call gets a copy.
    Copied(Py<PyAny>),
    /// A plain value, as it is.
    Constant(Py<PyAny>),
    /// A namedtuple: its class and its items.
    Named(Py<PyAny>, Vec<Tree>),
    /// A tuple (0), list (1), dict (2) or slice (3).
    Nest(u8, Vec<Tree>),
}

impl Tree {
    /// Takes a result apart; its arrays go to `outputs`.
    pub fn take(obj: &Obj<'_>, outputs: &mut Vec<expr::Array>, depth: usize) -> PyResult<Tree> {
        if depth > 32 {
            return Err(PyTypeError::new_err("rnp.jit: a result nests too deeply"));
        }
        if let Ok(array) = obj.cast::<Array>() {
            let expr = array.get().expr();
            outputs.push(expr.clone());
            return Ok(Tree::Output(outputs.len() - 1, expr.weak().is_some()));
        }
        if nd::is_ndarray(obj) {
            return Ok(Tree::Copied(obj.clone().unbind()));
        }
        if obj.is_instance_of::<PyTuple>() && obj.hasattr("_fields")? && obj.hasattr("_make")? {
            let items = obj.try_iter()?.map(|item| Tree::take(&item?, outputs, depth + 1));
            let items = items.collect::<PyResult<_>>()?;
            return Ok(Tree::Named(obj.get_type().into_any().unbind(), items));
        }
        let (kind, items): (u8, Vec<Obj<'_>>) = if let Ok(t) = obj.cast_exact::<PyTuple>() {
            (0, t.iter().collect())
        } else if let Ok(l) = obj.cast_exact::<PyList>() {
            (1, l.iter().collect())
        } else if let Ok(d) = obj.cast_exact::<PyDict>() {
            (2, d.iter().flat_map(|(k, v)| [k, v]).collect())
        } else if obj.is_instance_of::<PySlice>() {
            let parts = ["start", "stop", "step"].map(|name| obj.getattr(name));
            (3, parts.into_iter().collect::<PyResult<_>>()?)
        } else if is_plain(obj)? {
            return Ok(Tree::Constant(obj.clone().unbind()));
        } else {
            // Later calls would get this very object, with what it held while tracing.
            return Err(TraceError::new_err(format!(
                "rnp.jit: a jitted function cannot return an object of type {}: later calls would get the \
                 object of the first; return arrays, numbers, None, strings, and tuples, namedtuples, \
                 lists or dicts of them, and build the object outside",
                obj.get_type().fully_qualified_name()?
            )));
        };
        let items = items.iter().map(|item| Tree::take(item, outputs, depth + 1));
        Ok(Tree::Nest(kind, items.collect::<PyResult<_>>()?))
    }

    /// Puts a result together from the values of the outputs, each of which is asked for once.
    pub fn give<'py>(
        &self,
        py: Python<'py>,
        value: &mut dyn FnMut(usize) -> PyResult<Obj<'py>>,
    ) -> PyResult<Obj<'py>> {
        match self {
            Tree::Output(at, weak) => {
                let out = value(*at)?;
                if *weak { out.call_method0("item") } else { Ok(out) }
            }
            Tree::Copied(array) => nd::numpy_copy(array.bind(py)),
            Tree::Constant(value) => Ok(value.bind(py).clone()),
            Tree::Named(class, items) => {
                let items = items.iter().map(|item| item.give(py, value));
                let items = PyList::new(py, items.collect::<PyResult<Vec<_>>>()?)?;
                class.bind(py).call_method1("_make", (items,))
            }
            Tree::Nest(kind, items) => {
                let mut all = Vec::with_capacity(items.len());
                for item in items {
                    all.push(item.give(py, value)?);
                }
                nest(py, *kind, all)
            }
        }
    }
}

/// Whether the object is a value that nobody can change and that holds no array.
fn is_plain(obj: &Obj<'_>) -> PyResult<bool> {
    Ok(obj.is_none()
        || obj.is_instance_of::<PyBool>()
        || obj.is_instance_of::<PyInt>()
        || obj.is_instance_of::<PyFloat>()
        || obj.is_instance_of::<PyComplex>()
        || obj.is_instance_of::<PyString>()
        || obj.is_instance_of::<PyBytes>()
        || obj.is_instance_of::<PyType>()
        || obj.is_instance_of::<PyEllipsis>()
        || convert::is_scalar(obj)?
        || obj.get_type().getattr("__module__")?.to_string().starts_with("numpy.dtype")
        || obj.is_instance(&obj.py().import("enum")?.getattr("Enum")?)?)
}
