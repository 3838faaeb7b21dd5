//! The signature of a call: what of its arguments a trace depends on, and what is passed to it.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PySlice, PyString, PyTuple, PyWeakrefMethods,
    PyWeakrefReference,
};

use super::super::array::Array;
use super::super::convert::{self, Operand};
use super::super::{run, ufunc};
use super::trace::borrow;
use crate::buffer::{Buffer, Storage};
use crate::dtype::{DType, Scalar};
use crate::expr::Number;
use crate::op::Weak;
use crate::trace::Argument;

/// One part of a signature.
pub enum Key {
    /// An array: its type and rank. Its lengths count only if the function looked at one.
    Array(DType, usize),
    /// A Python number: its kind. The value is an argument.
    Number(Weak),
    /// A value that counts, compared by type and by `==`.
    Equal(Py<PyAny>),
    /// A float that counts, compared by its bits.
    Float(u64),
    /// An object that counts, compared by identity, held weakly.
    Weak(Py<PyWeakrefReference>),
    /// An object that counts, compared by identity.
    Same(Py<PyAny>),
    /// The beginning of a tuple (0), list (1), dict (2), slice (3), or keyword arguments (4).
    Open(u8, usize),
}

impl Key {
    fn matches(&self, other: &Key, py: Python<'_>) -> bool {
        match (self, other) {
            (Key::Array(d, r), Key::Array(e, s)) => d == e && r == s,
            (Key::Number(a), Key::Number(b)) => a == b,
            (Key::Float(a), Key::Float(b)) => a == b,
            (Key::Open(a, n), Key::Open(b, m)) => a == b && n == m,
            (Key::Same(a), Key::Same(b)) => a.is(b),
            (Key::Equal(a), Key::Equal(b)) => {
                let (a, b) = (a.bind(py), b.bind(py));
                a.is(b) || (a.get_type().is(b.get_type()) && a.eq(b).unwrap_or(false))
            }
            (Key::Weak(a), Key::Weak(b)) => {
                let (a, b) = (a.bind(py).upgrade(), b.bind(py).upgrade());
                a.is_some_and(|a| b.is_some_and(|b| a.is(&b)))
            }
            _ => false,
        }
    }

    /// Whether the object that it is about is gone.
    pub fn is_dead(&self, py: Python<'_>) -> bool {
        matches!(self, Key::Weak(w) if w.bind(py).upgrade().is_none())
    }
}

/// Whether two signatures are one.
pub fn same(a: &[Key], b: &[Key], py: Python<'_>) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.matches(b, py))
}

/// A call's signature and the arguments of its trace.
#[derive(Default)]
pub struct Flat {
    /// The signature.
    pub key: Vec<Key>,
    /// Arrays and numbers in order.
    pub arguments: Vec<Argument>,
}

/// What becomes of one object.
pub enum Leaf<'py> {
    /// An array in memory.
    Array(Storage),
    /// A Python number.
    Number(Number),
    /// A tuple, list, dict or slice of further objects.
    Nest(u8, Vec<Bound<'py, PyAny>>),
    /// A value that counts as it is.
    Static,
}

/// Sorts an argument.
pub fn leaf<'py>(obj: &Bound<'py, PyAny>) -> PyResult<Leaf<'py>> {
    if super::super::nd::is_ndarray(obj) {
        return Ok(Leaf::Array(borrow(obj)?));
    }
    if obj.is_exact_instance_of::<PyFloat>() || obj.is_exact_instance_of::<PyInt>() {
        return Ok(match convert::classify("rnp.jit", obj)? {
            Operand::Number(n) => Leaf::Number(n),
            _ => Leaf::Static,
        });
    }
    if obj.is_none() || obj.is_instance_of::<PyBool>() || obj.is_instance_of::<PyString>() {
        return Ok(Leaf::Static);
    }
    if let Ok(array) = obj.cast::<Array>() {
        // A deferred argument is evaluated and keeps its value.
        if array.get().trace().is_some() {
            ufunc::value(obj)?;
        }
        let value = run::keep(obj.py(), std::slice::from_ref(&array.get().expr()))?.pop();
        return Ok(Leaf::Array(value.ok_or_else(run::missing)?));
    }
    if convert::is_scalar(obj)? {
        return match convert::classify("rnp.jit", obj) {
            Ok(Operand::Scalar(value)) => Ok(Leaf::Array(stored(obj.py(), value)?)),
            _ => Ok(Leaf::Static),
        };
    }
    if let Ok(tuple) = obj.cast_exact::<PyTuple>() {
        return Ok(Leaf::Nest(0, tuple.iter().collect()));
    }
    if let Ok(list) = obj.cast_exact::<PyList>() {
        return Ok(Leaf::Nest(1, list.iter().collect()));
    }
    if let Ok(dict) = obj.cast_exact::<PyDict>() {
        return Ok(Leaf::Nest(2, dict.iter().flat_map(|(k, v)| [k, v]).collect()));
    }
    if obj.is_instance_of::<PySlice>() {
        let parts = ["start", "stop", "step"].map(|name| obj.getattr(name));
        return Ok(Leaf::Nest(3, parts.into_iter().collect::<PyResult<_>>()?));
    }
    Ok(Leaf::Static)
}

/// A NumPy scalar as a 0-d array in memory.
fn stored(py: Python<'_>, value: Scalar) -> PyResult<Storage> {
    let mut buffer = super::super::error::checked(py, || Buffer::new(value.dtype.size()))?;
    let ptr = buffer.as_mut_ptr();
    // SAFETY: the buffer has room for one element.
    unsafe { std::ptr::copy_nonoverlapping(value.to_bytes().as_ptr(), ptr, value.dtype.size()) };
    Ok(Storage {
        ptr,
        dtype: value.dtype,
        shape: crate::shape::Shape::new(),
        strides: crate::shape::Strides::new(),
        keeper: std::sync::Arc::new(buffer),
    })
}

/// How deep arguments may nest.
const DEPTH: usize = 32;

impl Flat {
    /// Adds an argument; `fixed` if it was named in `static=`.
    pub fn add(&mut self, obj: &Bound<'_, PyAny>, fixed: bool, depth: usize) -> PyResult<()> {
        if depth > DEPTH {
            return Err(PyTypeError::new_err("rnp.jit: an argument nests too deeply"));
        }
        match leaf(obj)? {
            Leaf::Nest(kind, items) => {
                self.key.push(Key::Open(kind, items.len()));
                for (i, item) in items.iter().enumerate() {
                    // The keys of a dict are part of the signature.
                    self.add(item, fixed || (kind == 2 && i % 2 == 0), depth + 1)?;
                }
                Ok(())
            }
            _ if fixed => self.fix(obj),
            Leaf::Array(storage) => {
                self.key.push(Key::Array(storage.dtype, storage.shape.len()));
                self.arguments.push(Argument::Array(storage));
                Ok(())
            }
            Leaf::Number(number) => {
                let weak = match number {
                    Number::Int(_) => Weak::Int,
                    Number::Float(_) => Weak::Float,
                };
                self.key.push(Key::Number(weak));
                self.arguments.push(Argument::Number(number));
                Ok(())
            }
            Leaf::Static => self.fix(obj),
        }
    }

    fn fix(&mut self, obj: &Bound<'_, PyAny>) -> PyResult<()> {
        if super::super::nd::is_ndarray(obj) || obj.is_instance_of::<Array>() {
            return Err(PyTypeError::new_err("rnp.jit: an array cannot be a static argument"));
        }
        let by_value = obj.is_none()
            || obj.is_exact_instance_of::<PyBool>()
            || obj.is_exact_instance_of::<PyInt>()
            || obj.is_exact_instance_of::<PyString>()
            || obj.is_exact_instance_of::<PyBytes>()
            || convert::is_scalar(obj)?
            || obj.get_type().getattr("__module__")?.to_string().starts_with("numpy.dtype");
        self.key.push(if obj.is_exact_instance_of::<PyFloat>() {
            Key::Float(obj.extract::<f64>()?.to_bits())
        } else if by_value {
            Key::Equal(obj.clone().unbind())
        } else if let Ok(weak) = PyWeakrefReference::new(obj) {
            // Not kept alive: a method's object must not live as long as its class.
            Key::Weak(weak.unbind())
        } else {
            obj.hash().map_err(|_| {
                PyTypeError::new_err(format!(
                    "rnp.jit: an argument of type {} is neither an array, a number, nor hashable",
                    obj.get_type().name().map_or_else(|_| "?".into(), |n| n.to_string())
                ))
            })?;
            Key::Same(obj.clone().unbind())
        });
        Ok(())
    }
}
