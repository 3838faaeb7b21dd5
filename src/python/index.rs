//! `x[...]` and `x[...] = y`: basic indexing is recorded here, indexing by arrays in `rnp._index`.

use pyo3::exceptions::{PyIndexError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyEllipsis, PyInt, PySlice, PyTuple};

use super::array::Array;
use super::cell::Held;
use super::elementwise::is_weak_int;
use super::run::Call;
use super::{convert, views};
use crate::dtype::DType;
use crate::error::Error;
use crate::expr::Prim;
use crate::shape::{Item, Slice};

type Obj<'py> = Bound<'py, PyAny>;
type Out<'py> = PyResult<Bound<'py, PyAny>>;

/// An item of a basic index; `None` where NumPy would gather.
fn item(obj: &Obj<'_>) -> PyResult<Option<Item>> {
    if let Ok(slice) = obj.cast::<PySlice>() {
        return Ok(Some(Item::Slice(self::slice(slice)?)));
    }
    if obj.is_none() {
        return Ok(Some(Item::NewAxis));
    }
    if obj.is_instance_of::<PyEllipsis>() {
        return Ok(Some(Item::Ellipsis));
    }
    if obj.is_instance_of::<PyBool>() {
        return Ok(None);
    }
    if let Ok(array) = obj.cast::<Array>() {
        let expr = array.get().expr();
        if !(array.get().trace().is_some() && is_weak_int(&expr)) {
            return Ok(None);
        }
    }
    let integer = obj.is_instance_of::<PyInt>()
        || obj.is_instance_of::<Array>()
        || (convert::is_scalar(obj)? && !obj.is_instance_of::<pyo3::types::PyFloat>());
    if integer && let Ok(at) = views::at(obj) {
        return Ok(Some(Item::At(at)));
    }
    Ok(None)
}

fn slice(slice: &Bound<'_, PySlice>) -> PyResult<Slice> {
    let part = |name: &str| {
        let value = slice.getattr(name)?;
        if value.is_none() {
            Ok(None)
        } else {
            super::reduce::integer("slice", name, &value).map(Some)
        }
    };
    let step = part("step")?.unwrap_or(1);
    if step == 0 {
        return Err(PyValueError::new_err("slice step cannot be zero"));
    }
    Ok(Slice { start: part("start")?, stop: part("stop")?, step })
}

/// `value` as it is written into an array of `dtype`: a Python number must fit.
#[pyfunction]
#[pyo3(signature = (value, dtype, /))]
pub fn _fitted<'py>(value: &Obj<'py>, dtype: &Obj<'py>) -> Out<'py> {
    let dtype = super::nd::parse_dtype("assignment", dtype)?;
    let call = Call::new(value.py(), "assignment")?;
    let held = call.written(value)?;
    let expr = call.build(|| held.expr.fitted(dtype))?;
    Ok(Bound::new(value.py(), Array::new(expr, held.trace))?.into_any())
}

/// A basic index; `None` where NumPy would gather.
pub fn items(key: &Obj<'_>) -> PyResult<Option<Vec<Item>>> {
    match key.cast::<PyTuple>() {
        Ok(keys) => keys.iter().map(|k| item(&k)).collect(),
        Err(_) => item(key).map(|i| i.map(|i| vec![i])),
    }
}

/// `x[key]`.
pub fn get<'py>(x: &Bound<'py, Array>, key: &Obj<'py>) -> Out<'py> {
    let py = x.py();
    if let Some(items) = items(key)? {
        let block = super::mode::current(py)?;
        if let Some(block) = &block
            && let Some(out) =
                super::tape::view(block.get(), x, Prim::Index(items.as_slice().into()))?
        {
            return Ok(out);
        }
        let mut call = Call::of(py, "index", block);
        let expr = call.array(x.get())?;
        if call.is_lazy() {
            return call.run_view(x.as_any(), || expr.index(&items));
        }
        return call.run(|| expr.index(&items));
    }
    if super::mode::current(py)?.is_some() {
        return py.import("rnp._index")?.call_method1("get", (x, key));
    }
    gather(x, key)
}

/// `x[key] = value`: gives the object the array with the value written, whatever the mode.
pub fn set<'py>(x: &Bound<'py, Array>, key: &Obj<'py>, value: &Obj<'py>) -> PyResult<()> {
    let py = x.py();
    let Some(items) = items(key)? else {
        py.import("rnp._index")?.call_method1("put", (x, key, value))?;
        return Ok(());
    };
    let numbers = items.iter().all(|item| matches!(item, Item::At(_))).then_some(items.len());
    let step = Prim::Index(items.into());
    // What `x[key] += y` ends with: the view was written already.
    if let Ok(same) = value.cast::<Array>()
        && x.get().handle().shows(&step, same.get().handle())
    {
        return Ok(());
    }
    let call = Call::new(py, "assignment")?;
    let held = call.written(value)?;
    let array = x.get().expr();
    // Of one bool NumPy takes the truth.
    let truth = array.dtype() == DType::Bool && held.expr.shape().iter().all(|&n| n == 1);
    let sequence = numbers == Some(array.rank()) && held.expr.rank() > 0 && !truth;
    let fitted = || {
        if sequence {
            return Err(Error::value(format!(
                "assignment: setting an array element with a sequence, of shape {}; an element takes one \
                 value",
                crate::shape::show(held.expr.shape())
            )));
        }
        held.expr.fitted(array.dtype())
    };
    let value = call.build(|| {
        fitted().or_else(|error| match &step {
            // A place that is none is told before a value that does not fit.
            Prim::Index(items) => array.index(items).and(Err(error)),
            _ => Err(error),
        })
    })?;
    let held = Held { expr: value, ..held };
    call.build(|| x.get().handle().store(&[step], &held))
}

/// Indexing by arrays, masks and lists: the value is gathered by NumPy.
fn gather<'py>(x: &Bound<'py, Array>, key: &Obj<'py>) -> Out<'py> {
    let py = x.py();
    let plain = |k: &Obj<'py>| -> Out<'py> {
        match k.cast::<Array>() {
            Ok(array) => array.get().value(py, "an index"),
            Err(_) if k.is_instance_of::<pyo3::types::PyFloat>() => Err(PyIndexError::new_err(
                "only integers, slices (`:`), ellipsis (`...`), numpy.newaxis (`None`) and integer \
                 or boolean arrays are valid indices",
            )),
            Err(_) => Ok(k.clone()),
        }
    };
    let key = match key.cast::<PyTuple>() {
        Ok(keys) => {
            let keys = keys.iter().map(|k| plain(&k)).collect::<PyResult<Vec<_>>>()?;
            PyTuple::new(py, keys)?.into_any()
        }
        Err(_) => plain(key)?,
    };
    let out = x.get().value(py, "indexing by an array")?.get_item(key)?;
    // What NumPy answers with a view must not be one of the kept value.
    if super::nd::is_ndarray(&out) { super::nd::numpy_copy(&out) } else { Ok(out) }
}

/// `iter(x)`: over the value, or over the items of a tracer.
pub fn iterate<'py>(x: &Bound<'py, Array>) -> Out<'py> {
    let array = x.get();
    if array.expr().rank() == 0 {
        return Err(PyTypeError::new_err("iteration over a 0-d array"));
    }
    if array.trace().is_none() {
        // Rows are views, which may be written; elements are values.
        if array.expr().rank() > 1 && super::mode::current(x.py())?.is_some() {
            return x.py().import("rnp._array")?.call_method1("rows", (x,));
        }
        let value = super::nd::numpy_copy(&array.value(x.py(), "iter()")?)?;
        return Ok(value.try_iter()?.into_any());
    }
    array.look();
    let items = (0..array.expr().shape()[0]).map(|i| x.get_item(i));
    let items = items.collect::<PyResult<Vec<_>>>()?;
    Ok(PyTuple::new(x.py(), items)?.try_iter()?.into_any())
}
