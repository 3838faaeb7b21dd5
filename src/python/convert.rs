//! Whatever the user passes as an operand, as an expression.
//!
//! Recording copies what somebody could write before the value is needed; computing at once does not.

use std::sync::Arc;

use pyo3::exceptions::{PyOverflowError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyBytes, PyComplex, PyFloat, PyInt, PyMemoryView};

use super::array::Array;
use super::error::Unsupported;
use super::mode::Block;
use super::nd::{self, Layout, PyKeeper};
use super::snapshot::same_bytes;
use crate::buffer::Storage;
use crate::dtype::Scalar;
use crate::expr::{self, Number};

/// Comparing this many bytes or more lets go of the GIL.
const LONG: usize = 1 << 20;

/// How an ndarray's memory is taken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Copying {
    /// A copy, unless nobody can write the memory.
    IfWritable,
    /// Always a copy.
    Always,
    /// The memory itself; native order is the caller's promise or our need.
    Never,
}

/// An operand: an array, or a plain value.
pub enum Operand<'py> {
    /// An rnp array.
    Array(Bound<'py, Array>),
    /// An ndarray, as it came or as NumPy made it from something else.
    Memory(Bound<'py, PyAny>),
    /// A NumPy scalar or a Python `bool`.
    Scalar(Scalar),
    /// A Python number.
    Number(Number),
    /// A Python complex number.
    Complex(f64, f64),
}

static GENERIC: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
static ASARRAY: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

fn from_numpy<'py>(
    py: Python<'py>,
    cell: &'static PyOnceLock<Py<PyAny>>,
    name: &str,
) -> PyResult<&'py Bound<'py, PyAny>> {
    let get = || Ok::<_, PyErr>(py.import("numpy")?.getattr(name)?.unbind());
    Ok(cell.get_or_try_init(py, get)?.bind(py))
}

/// Whether the object is a NumPy scalar.
pub fn is_scalar(obj: &Bound<'_, PyAny>) -> PyResult<bool> {
    obj.is_instance(from_numpy(obj.py(), &GENERIC, "generic")?)
}

/// `numpy.asarray`.
pub fn asarray<'py>(obj: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    from_numpy(obj.py(), &ASARRAY, "asarray")?.call1((obj,))
}

/// Sorts an object into what it is; `Unsupported` when rnp cannot compute on it.
pub fn classify<'py>(op: &str, obj: &Bound<'py, PyAny>) -> PyResult<Operand<'py>> {
    if let Ok(array) = obj.cast::<Array>() {
        return Ok(Operand::Array(array.clone()));
    }
    if nd::is_exact_ndarray(obj) {
        return Ok(Operand::Memory(obj.clone()));
    }
    if obj.is_exact_instance_of::<PyFloat>() {
        return Ok(Operand::Number(Number::Float(obj.extract()?)));
    }
    if obj.is_instance_of::<PyBool>() {
        return Ok(Operand::Scalar(Scalar::bool(obj.is_truthy()?)));
    }
    if obj.is_exact_instance_of::<PyInt>() {
        return Ok(Operand::Number(Number::Int(integer(op, obj)?)));
    }
    if is_scalar(obj)? {
        let array = asarray(obj)?;
        if nd::layout(op, &array).is_ok_and(|l| l.dtype.is_complex()) {
            return Ok(Operand::Memory(array));
        }
        return Ok(Operand::Scalar(nd::scalar(op, obj)?));
    }
    if obj.is_instance_of::<PyFloat>() {
        return Ok(Operand::Number(Number::Float(obj.extract()?)));
    }
    if obj.is_instance_of::<PyInt>() {
        return Ok(Operand::Number(Number::Int(integer(op, obj)?)));
    }
    if let Ok(number) = obj.cast::<PyComplex>() {
        return Ok(Operand::Complex(number.real(), number.imag()));
    }
    if obj.is_none() {
        return Err(Unsupported::new_err(format!(
            "{op}: {} is not supported; accepted are arrays and numbers of {}",
            obj.get_type().name()?,
            nd::ACCEPTED
        )));
    }
    if nd::is_ndarray(obj) {
        if obj.get_type().name()?.to_cow()? == "MaskedArray" {
            return Err(Unsupported::new_err(format!(
                "{op}: a MaskedArray would lose its mask; pass x.filled(value) or x.data"
            )));
        }
        return Ok(Operand::Memory(obj.clone()));
    }
    Ok(Operand::Memory(asarray(obj)?))
}

fn integer(op: &str, obj: &Bound<'_, PyAny>) -> PyResult<i128> {
    obj.extract().map_err(|_| {
        PyOverflowError::new_err(format!("{op}: Python integer has more than 127 bits"))
    })
}

/// The operand as an expression that later writes do not reach, in either mode.
pub fn recorded(op: &str, obj: &Bound<'_, PyAny>, block: Option<&Block>) -> PyResult<expr::Array> {
    match (classify(op, obj)?, block) {
        (Operand::Memory(array), None) => record(op, &array, None),
        _ => capture(op, obj, block),
    }
}

/// The operand as an expression. In a block its memory is copied unless nobody can write it.
pub fn capture(op: &str, obj: &Bound<'_, PyAny>, block: Option<&Block>) -> PyResult<expr::Array> {
    match classify(op, obj)? {
        Operand::Array(array) => Ok(array.get().expr()),
        Operand::Scalar(value) => Ok(expr::Array::scalar(value)),
        Operand::Number(number) => Ok(expr::Array::number(number)),
        Operand::Complex(re, im) => Ok(expr::Array::complex_number(re, im)),
        Operand::Memory(array) => {
            let trace = block.and_then(Block::trace);
            if trace.is_none() && nd::is_subclass(&array)? {
                // Only its class knows what a call of it means and gives.
                return Err(Unsupported::new_err(format!(
                    "{op}: subclasses of ndarray are left to NumPy"
                )));
            }
            match (trace, block) {
                (Some(trace), _) => trace.capture(op, &array),
                (None, Some(block)) => record(op, &array, Some(block)),
                (None, None) => Ok(expr::Array::input(memory(op, &array, Copying::Never)?)),
            }
        }
    }
}

/// An ndarray as an expression that later writes do not reach.
pub fn record(op: &str, array: &Bound<'_, PyAny>, block: Option<&Block>) -> PyResult<expr::Array> {
    let layout = nd::layout(op, array)?;
    let plain = !layout.swapped && !nd::overlaps(&layout) && !is_immutable(array, &layout);
    let Some(block) = block.filter(|_| plain) else {
        return Ok(expr::Array::input(memory(op, array, Copying::IfWritable)?));
    };
    let found = block.with_snapshots(array.py(), |snapshots| {
        snapshots.find(layout.ptr, layout.dtype, &layout.shape, &layout.strides)
    });
    if let Some(copy) = found.filter(|copy| unchanged(array.py(), copy, &layout)) {
        return Ok(expr::Array::input(copy));
    }
    let copy = memory(op, array, Copying::IfWritable)?;
    block.with_snapshots(array.py(), |snapshots| {
        snapshots.insert(layout.ptr, &layout.shape, &layout.strides, &copy);
    });
    Ok(expr::Array::input(copy))
}

fn unchanged(py: Python<'_>, copy: &Storage, layout: &Layout) -> bool {
    let bytes = layout.shape.iter().product::<usize>() * layout.dtype.size();
    let (place, strides) = (layout.ptr as usize, layout.strides.as_slice());
    // SAFETY: the caller holds the ndarray and the copy. Another thread that writes the array while
    // this line reads it has raced with the line itself, as it would in NumPy.
    let compare = || unsafe { same_bytes(copy, (place as *const u8, strides)) };
    if bytes < LONG { compare() } else { py.detach(compare) }
}

/// The memory of an ndarray as a view that the expression keeps alive.
pub fn memory(op: &str, array: &Bound<'_, PyAny>, copying: Copying) -> PyResult<Storage> {
    let layout = nd::layout(op, array)?;
    let borrow = match copying {
        Copying::Always => false,
        Copying::Never => true,
        Copying::IfWritable => is_immutable(array, &layout),
    };
    if borrow && !layout.swapped {
        return Ok(Storage {
            ptr: layout.ptr,
            dtype: layout.dtype,
            shape: layout.shape,
            strides: layout.strides,
            keeper: Arc::new(PyKeeper(array.clone().unbind())),
        });
    }
    if nd::overlaps(&layout) {
        return nd::copy_covered(array.py(), &layout);
    }
    // An axis that repeats one element is copied once and repeats the copy.
    let narrowed = nd::narrowed(array, &layout)?;
    let mut copy = nd::copy(array.py(), &narrowed, layout.dtype)?;
    for (axis, &n) in layout.shape.iter().enumerate() {
        if copy.shape[axis] != n {
            copy.shape[axis] = n;
            copy.strides[axis] = 0;
        }
    }
    Ok(copy)
}

/// Whether nobody can ever write the memory: read-only all the way down to a `bytes` object, or a view
/// of a value that rnp keeps.
fn is_immutable(array: &Bound<'_, PyAny>, layout: &Layout) -> bool {
    if layout.writeable {
        return false;
    }
    let mut at = array.clone();
    // NumPy collapses chains of views; a longer one is somebody's construction.
    for _ in 0..8 {
        let Some(base) = nd::base(&at) else { return false };
        if base.is_exact_instance_of::<PyBytes>() || base.is_instance_of::<nd::Kept>() {
            return true;
        }
        if base.is_instance_of::<PyMemoryView>() {
            let owner = base.getattr("obj");
            return owner.is_ok_and(|o| o.is_exact_instance_of::<PyBytes>());
        }
        if !nd::is_exact_ndarray(&base) || nd::layout("", &base).is_ok_and(|l| l.writeable) {
            return false;
        }
        at = base;
    }
    false
}

/// An array of `x`: recorded in a block or by `copy=False`, else an ndarray's worth of NumPy.
pub fn for_asarray(
    x: &Bound<'_, PyAny>,
    copy: Option<bool>,
    block: Option<&Block>,
) -> PyResult<expr::Array> {
    let array = match classify("asarray", x)? {
        Operand::Array(array) => return Ok(array.get().expr()),
        Operand::Scalar(value) => return Ok(expr::Array::scalar(value)),
        Operand::Number(number) => return Ok(expr::Array::number(number).strong()),
        Operand::Complex(re, im) => return Ok(expr::Array::complex_number(re, im).strong()),
        Operand::Memory(array) => array,
    };
    match copy {
        Some(false) => {
            if !nd::is_ndarray(x) || nd::layout("asarray", &array)?.swapped {
                return Err(PyValueError::new_err(
                    "asarray: copy=False, but a copy is needed: only ndarrays of native byte \
                     order are used in place",
                ));
            }
            Ok(expr::Array::input(memory("asarray", &array, Copying::Never)?))
        }
        Some(true) => Ok(expr::Array::input(memory("asarray", &array, Copying::Always)?)),
        None => match block.and_then(Block::trace) {
            Some(trace) => trace.capture("asarray", &array),
            None => record("asarray", &array, block),
        },
    }
}
