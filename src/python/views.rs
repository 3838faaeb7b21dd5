//! Views: the same elements under another shape or in another order.
//!
//! In a block they move nothing; outside they return fresh arrays, as all results of rnp are.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::array::Array;
use super::error::Unsupported;
use super::mode::{self, Block};
use super::reduce::{integer, integers};
use super::run::Call;
use super::{nd, tape};
use crate::expr::Prim;
use crate::shape::{self, Item, Slice};

type Obj<'py> = Bound<'py, PyAny>;
type Out<'py> = PyResult<Bound<'py, PyAny>>;

const WHOLE: Item = Item::Slice(Slice { start: None, stop: None, step: 1 });

/// The lengths of a shape argument: an integer or a sequence, none negative.
pub fn lengths(op: &str, obj: &Obj<'_>) -> PyResult<Vec<usize>> {
    let dims = integers(op, "shape", obj)?;
    let dims: Option<Vec<usize>> = dims.iter().map(|&d| usize::try_from(d).ok()).collect();
    let dims = dims.ok_or_else(|| {
        PyValueError::new_err(format!("{op}: negative dimensions are not allowed"))
    })?;
    if dims.len() > shape::MAX_RANK {
        return Err(PyValueError::new_err(format!("{op}: more than {} axes", shape::MAX_RANK)));
    }
    super::error::checked(obj.py(), || shape::count(&dims))?;
    Ok(dims)
}

/// A view of an array that is on a block's tape, if it can be noted there.
fn noted<'py>(
    a: &Obj<'py>,
    block: Option<&Bound<'py, Block>>,
    step: impl FnOnce() -> Prim,
) -> PyResult<Option<Obj<'py>>> {
    let (Some(block), Ok(array)) = (block, a.cast::<Array>()) else { return Ok(None) };
    if array.get().handle().noted().is_none() {
        return Ok(None);
    }
    tape::view(block.get(), array, step())
}

/// The same elements in C order under another shape; one length may be -1, which is worked out.
///
/// A shape of another number of elements is a ValueError.
///
/// >>> rnp.reshape([1, 2, 3, 4], (2, -1))
/// array([[1, 2],
///        [3, 4]])
#[pyfunction]
#[pyo3(signature = (a, shape, /))]
pub fn reshape<'py>(a: &Obj<'py>, shape: &Obj<'py>) -> Out<'py> {
    if nd::is_subclass(a)? {
        return Err(Unsupported::new_err("reshape: subclasses of ndarray are left to NumPy"));
    }
    let dims = integers("reshape", "shape", shape)?;
    let block = mode::current(a.py())?;
    if let Some(out) = noted(a, block.as_ref(), || Prim::Reshape(dims.as_slice().into()))? {
        return Ok(out);
    }
    let mut call = Call::of(a.py(), "reshape", block);
    let x = call.operand(a)?;
    call.run_view(a, || x.reshape(&dims))
}

/// `reshape` outside of blocks, of an ndarray: NumPy's view, or its copy, without what NumPy does in Python.
#[pyfunction]
#[pyo3(signature = (a, shape, /))]
fn _reshaped<'py>(a: &Obj<'py>, shape: &Obj<'py>) -> Out<'py> {
    nd::reshaped(a, shape)?.ok_or_else(|| Unsupported::new_err("reshape: NumPy answers this call"))
}

/// The axes in the order `axes` (negative ones count from the end), by default in reverse.
///
/// >>> rnp.transpose([[1, 2], [3, 4]])
/// array([[1, 3],
///        [2, 4]])
#[pyfunction]
#[pyo3(signature = (a, axes = None))]
pub fn transpose<'py>(a: &Obj<'py>, axes: Option<&Obj<'py>>) -> Out<'py> {
    let axes = axes.map(|x| integers("transpose", "axes", x)).transpose()?;
    let block = mode::current(a.py())?.filter(|_| axes.is_none());
    let reversed = || {
        let rank = a.cast::<Array>().map_or(0, |array| array.get().meta().1.len());
        Prim::Transpose((0..rank).rev().collect())
    };
    if let Some(out) = noted(a, block.as_ref(), reversed)? {
        return Ok(out);
    }
    let mut call = Call::new(a.py(), "transpose")?;
    let x = call.operand(a)?;
    call.run_view(a, || x.transpose(axes.as_deref()))
}

/// The array repeated to `shape`; a shape that it does not broadcast to is a ValueError.
///
/// >>> rnp.broadcast_to([1, 2], (2, 2))
/// array([[1, 2],
///        [1, 2]])
#[pyfunction]
#[pyo3(signature = (array, shape))]
fn broadcast_to<'py>(array: &Obj<'py>, shape: &Obj<'py>) -> Out<'py> {
    let dims = lengths("broadcast_to", shape)?;
    let mut call = Call::new(array.py(), "broadcast_to")?;
    let x = call.operand(array)?;
    call.run_view(array, || x.broadcast_to(&dims))
}

/// New axes of length 1 at the places `axis` of the result.
///
/// >>> rnp.expand_dims([1, 2], 1)
/// array([[1],
///        [2]])
#[pyfunction]
#[pyo3(signature = (a, axis))]
fn expand_dims<'py>(a: &Obj<'py>, axis: &Obj<'py>) -> Out<'py> {
    let wanted = integers("expand_dims", "axis", axis)?;
    let mut call = Call::new(a.py(), "expand_dims")?;
    let x = call.operand(a)?;
    call.run_view(a, || {
        let rank = x.rank() + wanted.len();
        let new = shape::axes("expand_dims", Some(&wanted), rank)?;
        let items: Vec<Item> =
            (0..rank).map(|a| if new.contains(&a) { Item::NewAxis } else { WHOLE }).collect();
        x.index(&items)
    })
}

/// The array without the axes `axis`, which must have length 1; by default without all such axes.
///
/// >>> rnp.squeeze([[1, 2]])
/// array([1, 2])
#[pyfunction]
#[pyo3(signature = (a, axis = None))]
pub fn squeeze<'py>(a: &Obj<'py>, axis: Option<&Obj<'py>>) -> Out<'py> {
    let wanted = axis.map(|x| integers("squeeze", "axis", x)).transpose()?;
    let mut call = Call::new(a.py(), "squeeze")?;
    let x = call.operand(a)?;
    if let Ok(array) = a.cast::<Array>() {
        array.get().look();
    }
    call.run_view(a, || {
        let ones = (0..x.rank()).filter(|&a| x.shape()[a] == 1).collect();
        let gone = match &wanted {
            Some(wanted) => shape::axes("squeeze", Some(wanted), x.rank())?,
            None => ones,
        };
        if gone.iter().any(|&a| x.shape()[a] != 1) {
            return Err(crate::error::Error::value(
                "squeeze: cannot select an axis to squeeze out which has size not equal to one",
            ));
        }
        let items: Vec<Item> =
            (0..x.rank()).map(|a| if gone.contains(&a) { Item::At(0) } else { WHOLE }).collect();
        x.index(&items)
    })
}

/// All elements along one axis, in C order.
///
/// >>> rnp.ravel([[1, 2], [3, 4]])
/// array([1, 2, 3, 4])
#[pyfunction]
#[pyo3(signature = (a, /))]
pub fn ravel<'py>(a: &Obj<'py>) -> Out<'py> {
    let mut call = Call::new(a.py(), "ravel")?;
    let x = call.operand(a)?;
    let apart = a.cast::<Array>().is_ok_and(|a| !a.get().handle().is_contiguous());
    if call.is_lazy() && apart {
        return call.run(|| x.reshape(&[-1]));
    }
    call.run_view(a, || x.reshape(&[-1]))
}

/// Adds the views to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(reshape, m)?)?;
    m.add_function(wrap_pyfunction!(_reshaped, m)?)?;
    m.add_function(wrap_pyfunction!(transpose, m)?)?;
    m.add_function(wrap_pyfunction!(broadcast_to, m)?)?;
    m.add_function(wrap_pyfunction!(expand_dims, m)?)?;
    m.add_function(wrap_pyfunction!(squeeze, m)?)?;
    m.add_function(wrap_pyfunction!(ravel, m)?)
}

/// An index on an axis.
pub fn at(obj: &Obj<'_>) -> PyResult<i64> {
    integer("index", "an index", obj)
}
