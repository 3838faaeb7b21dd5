//! NumPy's protocols: `__array__`, `__array_ufunc__`, and pickling.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};

use super::array::{Array, is_temporary};
use super::error::Unsupported;
use super::{elementwise, nd};
use crate::op::Op;

type Obj<'py> = Bound<'py, PyAny>;
type Out<'py> = PyResult<Bound<'py, PyAny>>;

/// `__array__`: a fresh array, or with `copy=False` a read-only view of the kept value.
pub fn array<'py>(x: &Bound<'py, Array>, dtype: Option<&Obj<'py>>, copy: Option<bool>) -> Out<'py> {
    let py = x.py();
    let wanted = match dtype {
        Some(d) => Some(py.import("numpy")?.call_method1("dtype", (d,))?),
        None => None,
    };
    let same = match &wanted {
        Some(d) => d.eq(nd::dtype_object(py, x.get().meta().0)?)?,
        None => true,
    };
    if same && copy != Some(false) && !x.get().meta().1.is_empty() {
        // NumPy holds what it converts by the method that it calls and by its own argument.
        return x.get().evaluate(py, "numpy.asarray()", is_temporary(x.as_any(), 2));
    }
    let value = x.get().value(py, "numpy.asarray()")?;
    match (wanted, copy) {
        (Some(_), Some(false)) if !same => Err(PyValueError::new_err(
            "unable to avoid a copy while converting a deferred array to another dtype",
        )),
        (Some(d), _) if !same => value.call_method1("astype", (d,)),
        (_, Some(false)) => Ok(value),
        _ => nd::numpy_copy(&value),
    }
}

/// The op of the table that a ufunc of NumPy is.
fn op_of(ufunc: &Obj<'_>) -> PyResult<Option<Op>> {
    let name: String = ufunc.getattr("__name__")?.extract()?;
    let Some(op) = Op::from_name(&name) else { return Ok(None) };
    // SciPy has ufuncs of the same names.
    let numpy = ufunc.py().import("numpy")?.getattr_opt(name.as_str())?;
    Ok(numpy.filter(|f| f.is(ufunc)).map(|_| op))
}

/// `__array_ufunc__`: plain calls of ufuncs in the table are recorded here, all else by `rnp._ufunc`.
pub fn array_ufunc<'py>(
    ufunc: &Obj<'py>,
    method: &str,
    inputs: &Bound<'py, PyTuple>,
    keywords: Option<&Bound<'py, PyDict>>,
) -> Out<'py> {
    let py = ufunc.py();
    let plain = method == "__call__" && keywords.is_none_or(PyDictMethods::is_empty);
    if plain && let Some(op) = op_of(ufunc)? {
        let inputs: Vec<Obj<'py>> = inputs.iter().collect();
        let inputs: Vec<&Obj<'py>> = inputs.iter().collect();
        match elementwise::apply(py, op, &inputs) {
            Err(e) if e.is_instance_of::<Unsupported>(py) => {}
            out => return out,
        }
    }
    let helper = py.import("rnp._ufunc")?.getattr("array_ufunc")?;
    let keywords = keywords.map_or_else(|| PyDict::new(py), Clone::clone);
    helper.call1((ufunc, method, inputs, keywords))
}

/// An rnp array as the ndarray of its value; anything else as it is.
pub fn value<'py>(obj: &Obj<'py>) -> Out<'py> {
    match obj.cast::<Array>() {
        Ok(array) => array.get().value(obj.py(), "a NumPy function"),
        Err(_) => Ok(obj.clone()),
    }
}

/// `__reduce__`: by value, never a graph.
pub fn reduce_to_value<'py>(x: &Bound<'py, Array>) -> Out<'py> {
    let py = x.py();
    let value = nd::numpy_copy(&x.get().value(py, "pickling")?)?;
    let make = py.import("rnp._core")?.getattr("_restore")?;
    Ok(PyTuple::new(py, [make, PyTuple::new(py, [value])?.into_any()])?.into_any())
}

/// Makes a pickled array again.
#[pyfunction]
#[pyo3(signature = (value, /))]
pub fn _restore<'py>(value: &Obj<'py>) -> Out<'py> {
    use super::convert::{Copying, asarray, memory};
    let value = asarray(value)?;
    let storage = memory("unpickling", &value, Copying::Always)?;
    let array = Array::new(crate::expr::Array::input(storage), None);
    Ok(Bound::new(value.py(), array)?.into_any())
}

/// The rnp arrays of arguments that may be nested in a tuple or list.
pub fn flatten<'py>(args: &Bound<'py, PyTuple>) -> PyResult<Vec<Obj<'py>>> {
    let mut all = Vec::new();
    for arg in args.iter() {
        if arg.is_instance_of::<PyTuple>() || arg.is_instance_of::<PyList>() {
            for item in arg.try_iter()? {
                all.push(item?);
            }
        } else {
            all.push(arg);
        }
    }
    Ok(all)
}
