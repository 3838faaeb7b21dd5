//! Python functions as opaque calls: what has no kernel runs through NumPy, in the middle of a graph.
//!
//! The function sees read-only ndarrays over the engine's memory, runs with the GIL and outside of every
//! lazy block, and its exceptions reach the user as they are. May not know: which functions there are.

use std::borrow::Cow;
use std::sync::Arc;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyComplex, PyFloat, PyInt, PyTuple};

use super::array::Array;
use super::cell::Lens;
use super::convert::{self, Copying, Operand};
use super::run::Call;
use super::{error, mode, nd};
use crate::buffer::Storage;
use crate::call;
use crate::dtype::{DType, Scalar};
use crate::error::{Error, Result};
use crate::expr::{self, Number, Span};
use crate::op::Weak;
use crate::shape::Shape;

type Obj<'py> = Bound<'py, PyAny>;
/// A dtype and a shape.
type Typed = (DType, Shape);

/// A Python function with what is known of its result.
struct PyCall {
    function: Py<PyAny>,
    name: String,
    /// What says that another function is this one.
    key: Option<String>,
    /// The dtypes and shapes of the operands that it was recorded with.
    operands: Vec<Typed>,
    /// What the caller says of the result for those.
    result: Option<Typed>,
    /// Says it for others.
    infer: Option<Py<PyAny>>,
    span: Span,
}

impl std::fmt::Debug for PyCall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PyCall({:?})", self.name)
    }
}

/// A Python exception on its way through the engine, with a note that says which call it comes from.
pub(super) fn raised(py: Python<'_>, exception: PyErr, name: &str, span: Span) -> Error {
    if let Some(place) = span.text() {
        let note = format!("rnp: in {name}, recorded at {place}");
        let value = exception.value(py);
        // One object may be raised again and again.
        let noted = value.getattr("__notes__").and_then(|notes| notes.contains(&note));
        if !noted.unwrap_or(false)
            && let Err(e) = value.call_method1("add_note", (note,))
        {
            e.write_unraisable(py, Some(value.as_any()));
        }
    }
    let text = exception.to_string();
    Error::foreign(text, Arc::new(exception))
}

impl PyCall {
    fn raised(&self, py: Python<'_>, exception: PyErr) -> Error {
        raised(py, exception, &self.name, self.span)
    }

    fn call(&self, py: Python<'_>, operands: &[Storage]) -> PyResult<Storage> {
        let operands = operands.iter().map(|o| nd::view(py, o)).collect::<PyResult<Vec<_>>>()?;
        let operands = PyTuple::new(py, operands)?;
        let out = mode::outside(py, || self.function.bind(py).call1(operands))?;
        self.take(py, out)
    }

    /// The memory of what the function returned.
    fn take(&self, py: Python<'_>, out: Obj<'_>) -> PyResult<Storage> {
        let array = match convert::classify(&self.name, &out)? {
            Operand::Memory(array) => array,
            Operand::Array(array) => array.get().value(py, &self.name)?,
            // As NumPy makes an array of it.
            Operand::Complex(..) => convert::asarray(&out)?,
            Operand::Scalar(value) => return error::checked(py, || Storage::from_scalar(value)),
            Operand::Number(number) => {
                return error::checked(py, || {
                    Storage::from_scalar(match number {
                        Number::Int(v) => Scalar::from_int(v, DType::I64)?,
                        Number::Float(v) => Scalar::f64(v),
                    })
                });
            }
        };
        drop(out);
        match nd::owned(&self.name, &array)? {
            Some(storage) => Ok(storage),
            None => convert::memory(&self.name, &array, Copying::Always),
        }
    }

    /// What `infer` says of the result for operands of other shapes.
    fn ask(&self, py: Python<'_>, operands: &[(DType, &[usize])]) -> PyResult<Typed> {
        let Some(infer) = &self.infer else {
            return Err(error::TraceError::new_err(format!(
                "{}: nothing says what its result is for operands of other lengths than it was traced with",
                self.name
            )));
        };
        let each = operands.iter().map(|(dtype, shape)| {
            let pair = (nd::dtype_object(py, *dtype)?, PyTuple::new(py, *shape)?);
            Ok(pair.into_pyobject(py)?.into_any())
        });
        let each = PyTuple::new(py, each.collect::<PyResult<Vec<_>>>()?)?;
        let said = mode::outside(py, || infer.bind(py).call1(each))?;
        let (dtype, shape): (Obj<'_>, Obj<'_>) = said.extract()?;
        Ok((nd::parse_dtype(&self.name, &dtype)?, lengths(&shape)?))
    }
}

impl call::Call for PyCall {
    fn name(&self) -> &str {
        &self.name
    }

    fn key(&self) -> Option<Cow<'_, str>> {
        // What it said of its result holds for the operands that it was recorded with.
        self.key.as_ref().map(|key| format!("{key} {:?}", self.operands).into())
    }

    fn is_foreign(&self) -> bool {
        true
    }

    fn infer(&self, operands: &[(DType, &[usize])]) -> Result<Typed> {
        let recorded = self.operands.iter().map(|(d, s)| (*d, s.as_slice()));
        if let Some(result) = self.result.as_ref().filter(|_| recorded.eq(operands.iter().copied()))
        {
            return Ok(result.clone());
        }
        Python::attach(|py| self.ask(py, operands).map_err(|e| self.raised(py, e)))
    }

    fn run(&self, operands: &[Storage]) -> Result<Storage> {
        Python::attach(|py| self.call(py, operands).map_err(|e| self.raised(py, e)))
    }
}

fn lengths(shape: &Obj<'_>) -> PyResult<Shape> {
    Ok(shape.extract::<Vec<usize>>()?.into_iter().collect())
}

/// Calls `function` on ndarrays of the operands when the value is needed; at once outside of a block.
///
/// `function(*ndarrays)` gets read-only arrays, which may be views with any strides, and returns an array
/// of this dtype and shape. `infer(*[(dtype, shape), ...])`, which returns the two, stands in where they are
/// None, and is asked again when a function traced by `rnp.jit` meets other lengths; without it the
/// function is traced anew for those. Calls with equal `key` and operands are one: it must say all that the
/// result depends on.
#[pyfunction]
#[pyo3(signature = (function, operands, dtype, shape, name, infer = None, key = None))]
fn _call<'py>(
    function: &Obj<'py>,
    operands: &Obj<'py>,
    dtype: Option<&Obj<'py>>,
    shape: Option<&Obj<'py>>,
    name: String,
    infer: Option<Py<PyAny>>,
    key: Option<String>,
) -> PyResult<Obj<'py>> {
    let py = function.py();
    let mut call = Call::new(py, name.clone())?;
    let mut all: Vec<expr::Array> = Vec::new();
    for operand in operands.try_iter()? {
        all.push(call.operand(&operand?)?.strong());
    }
    let result = match (dtype, shape) {
        (Some(dtype), Some(shape)) => Some((nd::parse_dtype(&name, dtype)?, lengths(shape)?)),
        _ if infer.is_some() => None,
        _ => return Err(PyTypeError::new_err(format!("{name}: a dtype and a shape, or infer"))),
    };
    if infer.is_none()
        && let Some(trace) = call.trace()
    {
        trace.look_at_lengths();
    }
    let function = PyCall {
        function: function.clone().unbind(),
        name,
        key,
        operands: all.iter().map(|a| (a.dtype(), a.shape().clone())).collect(),
        result,
        infer,
        span: call.span(),
    };
    call.run(|| expr::Array::call(Arc::new(function), &all))
}

/// A view of a deferred array by functions, which writes go through: in a block `get(ndarray)` is what is
/// seen, of this dtype and shape, and `put(ndarray, seen)` is the array of which `seen` is seen. Where elements
/// are seen several times `marks` has it told, where it is known, which of them were written:
/// `put(ndarray, seen, written)`.
#[pyfunction]
#[pyo3(signature = (array, get, put, dtype, shape, name, marks = false, /))]
fn _lens<'py>(
    array: &Bound<'py, Array>,
    get: Py<PyAny>,
    put: Py<PyAny>,
    dtype: &Obj<'py>,
    shape: &Obj<'py>,
    name: &str,
    marks: bool,
) -> PyResult<Obj<'py>> {
    let py = array.py();
    let call = Call::new(py, name.to_owned())?;
    let held = array.get().handle().get();
    if let Some(trace) = &held.trace {
        trace.look_at_lengths();
    }
    let typed = |array: &expr::Array| (array.dtype(), array.shape().clone());
    let (whole, part) = (typed(&held.expr), (nd::parse_dtype(name, dtype)?, lengths(shape)?));
    let function = |function, operands: Vec<Typed>, result: &Typed| PyCall {
        function,
        name: name.to_owned(),
        key: None,
        operands,
        result: Some(result.clone()),
        infer: None,
        span: call.span(),
    };
    let marked = marks.then(|| {
        let written = (DType::Bool, part.1.clone());
        let put = put.clone_ref(py);
        Arc::new(function(put, vec![whole.clone(), part.clone(), written], &whole)) as Arc<_>
    });
    let lens = Arc::new(Lens {
        get: Arc::new(function(get, vec![whole.clone()], &part)),
        put: Arc::new(function(put, vec![whole.clone(), part.clone()], &whole)),
        put_marked: marked,
    });
    let expr = call.build(|| expr::Array::call(lens.get.clone(), &[held.expr.strong()]))?;
    Ok(Bound::new(py, array.get().seen(lens, expr))?.into_any())
}

/// Whether an array is one of a function that is being traced.
#[pyfunction]
#[pyo3(signature = (array, /))]
fn _is_traced(array: &Bound<'_, Array>) -> bool {
    array.get().trace().is_some()
}

/// The type of the Python number that an array stands for while a function is traced; None for others.
#[pyfunction]
#[pyo3(signature = (array, /))]
fn _number<'py>(array: &Bound<'py, Array>) -> Option<Obj<'py>> {
    let py = array.py();
    array.get().expr().weak().map(|weak| match weak {
        Weak::Int => py.get_type::<PyInt>().into_any(),
        Weak::Float => py.get_type::<PyFloat>().into_any(),
        Weak::Complex => py.get_type::<PyComplex>().into_any(),
    })
}

/// Adds the functions to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(_lens, m)?)?;
    m.add_function(wrap_pyfunction!(_is_traced, m)?)?;
    m.add_function(wrap_pyfunction!(_number, m)?)?;
    m.add_function(wrap_pyfunction!(_call, m)?)
}
