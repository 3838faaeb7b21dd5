//! Running sums and their kin, with NumPy's keyword arguments in NumPy's order.
//!
//! Outside of a block an ndarray is scanned from its memory into the result's, with no graph between.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::array::Array;
use super::error::Unsupported;
use super::reduce::{integer, no_out};
use super::run::Call;
use super::{direct, error, mode, nd, tape};
use crate::buffer::Storage;
use crate::runtime::FloatMode;
use crate::scan::{Running, Scan, ends_finite};
use crate::shape;
use crate::tape::Request;

type Obj<'py> = Bound<'py, PyAny>;
type Out<'py> = PyResult<Bound<'py, PyAny>>;

/// An axis as it was given, None too.
#[derive(Clone, Copy)]
struct Axis(Option<i64>);

impl<'py> FromPyObject<'_, 'py> for Axis {
    type Error = PyErr;

    fn extract(obj: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let axis = if obj.is_none() { None } else { Some(integer("accumulate", "axis", &obj)?) };
        Ok(Self(axis))
    }
}

/// `strict` refuses an array without axes, which the functions take for one element.
fn scan<'py>(
    scan: Scan,
    a: &Obj<'py>,
    axis: Option<i64>,
    dtype: Option<&Obj<'py>>,
    strict: bool,
) -> Out<'py> {
    let name = scan.name();
    let as_given = dtype;
    let dtype = dtype.map(|d| nd::parse_dtype(name, d)).transpose()?;
    let py = a.py();
    let block = mode::current(py)?;
    if let Some(block) = block.as_ref().filter(|_| !strict)
        && let Some(out) = tape::record(block.get(), Request::Scan { scan, axis, dtype }, &[a])?
    {
        return Ok(out);
    }
    let mut call = Call::of(py, name, block);
    if !call.is_lazy() && nd::is_exact_ndarray(a) {
        let nd::Layout { ptr, dtype: from, swapped, shape, strides, .. } = nd::layout(name, a)?;
        let steps = scan.dtype(from, dtype);
        let is_line = if axis.is_some() { !shape.is_empty() } else { shape.len() == 1 };
        if is_line && !swapped && Scan::reads(from, steps) && scan.takes(from, steps) {
            let axis = shape::axis(name, axis.unwrap_or(0), shape.len());
            let axis = axis.map_err(|e| error::raise(py, &e))?;
            let keeper = Arc::new(nd::PyKeeper(a.clone().unbind()));
            let from = Storage { ptr, dtype: from, shape, strides, keeper };
            let running = Running::new(scan, axis, steps);
            let out = nd::filled(py, steps, &from.shape, |out| {
                let _float = FloatMode::standard();
                running.fill(&from, out)
            })?;
            tell(scan, (a, Some(axis as i64), as_given), &out)?;
            return Ok(out);
        }
    }
    let x = call.operand(a)?;
    if strict && x.rank() == 0 {
        return Err(Unsupported::new_err(format!("{name}: nothing to accumulate along")));
    }
    if !scan.takes(x.dtype(), scan.dtype(x.dtype(), dtype)) {
        return Err(Unsupported::new_err(format!("{name}: no kernel for {}", x.dtype())));
    }
    let asks = !call.is_lazy() && !a.is_instance_of::<Array>();
    let out = call.run(|| x.scan(scan, axis, dtype))?;
    if asks {
        tell(scan, (a, axis, as_given), &out)?;
    }
    Ok(out)
}

/// Has NumPy compute sums and products that overflowed, or met what is not finite, so that it warns.
fn tell<'py>(
    scan: Scan,
    (a, axis, dtype): (&Obj<'py>, Option<i64>, Option<&Obj<'py>>),
    out: &Obj<'py>,
) -> PyResult<()> {
    let Some(view) = direct::view(out).filter(|view| view.dtype.is_float()) else { return Ok(()) };
    if !matches!(scan, Scan::Add | Scan::Multiply) {
        return Ok(());
    }
    let bytes = view.shape.iter().product::<usize>() * view.dtype.size();
    // SAFETY: a fresh result in C order, which nobody else has yet.
    let bytes = unsafe { std::slice::from_raw_parts(view.ptr, bytes) };
    let along = shape::axis(scan.name(), axis.unwrap_or(0), view.shape.len());
    let along = along.map_err(|e| error::raise(a.py(), &e))?;
    if !ends_finite(view.dtype, view.shape, along, bytes) {
        let args = (a, axis, dtype).into_pyobject(a.py())?;
        direct::ask(scan.name(), &args, &PyDict::new(a.py()))?;
    }
    Ok(())
}

fn function<'py>(
    kind: Scan,
    a: &Obj<'py>,
    axis: Option<&Obj<'py>>,
    dtype: Option<&Obj<'py>>,
    out: Option<&Obj<'py>>,
) -> Out<'py> {
    no_out(kind.name(), out)?;
    let axis = axis.map(|axis| integer(kind.name(), "axis", axis)).transpose()?;
    scan(kind, a, axis, dtype, false)
}

/// Sums of the elements so far along an axis; of all of them in C order where `axis` is None.
///
/// `dtype` is what to add and return in: by default the operand's, 64 bits for integers and bool. The
/// additions come one after the other, each rounded to that dtype, so the bits are NumPy's. `out` must be
/// None. An axis that is not there is an AxisError.
///
/// >>> rnp.cumsum([1, 2, 3])
/// array([1, 3, 6])
#[pyfunction]
#[pyo3(signature = (a, axis = None, dtype = None, out = None))]
fn cumsum<'py>(
    a: &Obj<'py>,
    axis: Option<&Obj<'py>>,
    dtype: Option<&Obj<'py>>,
    out: Option<&Obj<'py>>,
) -> Out<'py> {
    function(Scan::Add, a, axis, dtype, out)
}

/// Products of the elements so far along an axis; of all of them in C order where `axis` is None.
///
/// `dtype` is what to multiply and return in: by default the operand's, 64 bits for integers and bool.
/// `out` must be None. An axis that is not there is an AxisError.
///
/// >>> rnp.cumprod([1, 2, 3])
/// array([1, 2, 6])
#[pyfunction]
#[pyo3(signature = (a, axis = None, dtype = None, out = None))]
fn cumprod<'py>(
    a: &Obj<'py>,
    axis: Option<&Obj<'py>>,
    dtype: Option<&Obj<'py>>,
    out: Option<&Obj<'py>>,
) -> Out<'py> {
    function(Scan::Multiply, a, axis, dtype, out)
}

/// `accumulate` of a ufunc: without `out`, and if the kernel takes it; else that of `rnp._ufunc`.
fn accumulate<'py>(
    kind: Scan,
    ufunc: &str,
    array: &Obj<'py>,
    axis: Axis,
    dtype: Option<&Obj<'py>>,
    out: Option<&Obj<'py>>,
) -> Out<'py> {
    let (py, Axis(axis)) = (array.py(), axis);
    if out.is_none() && axis.is_some() {
        match scan(kind, array, axis, dtype, true) {
            Err(e) if e.is_instance_of::<Unsupported>(py) => {}
            done => return done,
        }
    }
    let other = py.import("rnp._ufunc")?.getattr("accumulate")?;
    other.call1((ufunc, array, axis, dtype, out))
}

/// Writes the method `accumulate` of ufuncs.
macro_rules! accumulate {
    ($($name:ident $ufunc:literal $kind:ident;)+) => {
        $(
            /// Give all partial results along an axis: `numpy.ufunc.accumulate`.
            #[pyfunction]
            #[pyo3(
                signature = (array, /, axis = Axis(Some(0)), dtype = None, out = None),
                text_signature = "(array, /, axis=0, dtype=None, out=None)"
            )]
            fn $name<'py>(
                array: &Obj<'py>,
                axis: Axis,
                dtype: Option<&Obj<'py>>,
                out: Option<&Obj<'py>>,
            ) -> Out<'py> {
                accumulate(Scan::$kind, $ufunc, array, axis, dtype, out)
            }
        )+

        fn register_accumulate(m: &Bound<'_, PyModule>) -> PyResult<()> {
            $(m.add_function(wrap_pyfunction!($name, m)?)?;)+
            Ok(())
        }
    };
}

accumulate! {
    _accumulate_add "add" Add;
    _accumulate_multiply "multiply" Multiply;
    _accumulate_maximum "maximum" Maximum;
    _accumulate_minimum "minimum" Minimum;
    _accumulate_logaddexp "logaddexp" Logaddexp;
    _accumulate_logaddexp2 "logaddexp2" Logaddexp2;
}

/// Adds the functions to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(cumsum, m)?)?;
    m.add_function(wrap_pyfunction!(cumprod, m)?)?;
    register_accumulate(m)
}
