//! Fourier transforms along an axis, with NumPy's arguments.
//!
//! Outside of a block an ndarray is transformed from its memory into the result's, with no graph between.

use std::sync::Arc;

use pyo3::exceptions::{PyIndexError, PyValueError};
use pyo3::prelude::*;

use super::reduce::{integer, no_out};
use super::run::Call;
use super::{error, nd};
use crate::buffer::Storage;
use crate::dtype::DType;
use crate::error::Error;
use crate::fft::{Fourier, Norm, Transform};
use crate::runtime::FloatMode;
use crate::shape;

type Obj<'py> = Bound<'py, PyAny>;
type Out<'py> = PyResult<Bound<'py, PyAny>>;

/// An axis as it was given.
#[derive(Clone, Copy)]
struct Axis(i64);

impl<'py> FromPyObject<'_, 'py> for Axis {
    type Error = PyErr;

    fn extract(obj: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        integer("fft", "axis", &obj).map(Self)
    }
}

fn norm(text: Option<&str>) -> PyResult<Norm> {
    match text {
        None | Some("backward") => Ok(Norm::Backward),
        Some("ortho") => Ok(Norm::Ortho),
        Some("forward") => Ok(Norm::Forward),
        Some(other) => Err(PyValueError::new_err(format!(
            "Invalid norm value {other}; should be \"backward\", \"ortho\" or \"forward\"."
        ))),
    }
}

fn transform<'py>(
    kind: Transform,
    a: &Obj<'py>,
    n: Option<&Obj<'py>>,
    axis: Axis,
    scale: Option<&str>,
) -> Out<'py> {
    let (py, name) = (a.py(), kind.name());
    let points = n.map(|n| integer(name, "n", n)).transpose()?;
    let Axis(axis) = axis;
    let scale = norm(scale)?;
    let mut call = Call::new(py, name)?;
    if !call.is_lazy() && nd::is_exact_ndarray(a) {
        let nd::Layout { ptr, dtype, swapped, shape, strides, .. } = nd::layout(name, a)?;
        let known = match dtype {
            DType::F32 | DType::F64 => kind != Transform::FromHalf,
            other => other.is_complex(),
        };
        if known && !swapped {
            let points = points.map(|n| n.try_into().unwrap_or(0));
            let planned = shape::axis(name, axis, shape.len()).and_then(|axis| {
                let call = Fourier::new(kind, axis, points, scale);
                Ok((call, call.result(dtype, &shape)?))
            });
            let (fourier, (out, lengths)) = planned.map_err(|e| error::raise(py, &e))?;
            let keeper = Arc::new(nd::PyKeeper(a.clone().unbind()));
            let from = Storage { ptr, dtype, shape, strides, keeper };
            return nd::filled(py, out, &lengths, |out| {
                let _float = FloatMode::standard();
                fourier.fill(&from, out)
            });
        }
    }
    let x = call.operand(a)?;
    let (dtype, rank) = (x.dtype(), x.rank() as i64);
    if points.is_none() && !(-rank..rank).contains(&axis) {
        // NumPy asks the shape for a length.
        return Err(PyIndexError::new_err(format!("{name}: axis {axis} of {rank} axes")));
    }
    call.run(|| {
        if kind == Transform::Half && dtype.is_complex() {
            return Err(Error::dtype(format!("{name}: points must be real, got {dtype}")));
        }
        x.fft(kind, points, axis, scale)
    })
}

/// Writes the transforms of `numpy.fft` along one axis.
macro_rules! transforms {
    ($($(#[doc = $doc:literal])+ $function:ident $name:literal $kind:ident;)+) => {
        $(
            $(#[doc = $doc])+
            ///
            /// `n` is how many points are taken along `axis`: of a shorter operand with zeros after them. By
            /// default it is what the operand has. `norm` says which direction is divided by `n`:
            /// "backward", "forward", or "ortho", both by its root. In single precision for float32 and
            /// complex64, else in double. `out` must be None. Of no points it is a ValueError.
            #[pyfunction]
            #[pyo3(name = $name, signature = (a, n = None, axis = Axis(-1), norm = None, out = None))]
            fn $function<'py>(
                a: &Obj<'py>,
                n: Option<&Obj<'py>>,
                axis: Axis,
                norm: Option<&str>,
                out: Option<&Obj<'py>>,
            ) -> Out<'py> {
                no_out(&$name[1..], out)?;
                transform(Transform::$kind, a, n, axis, norm)
            }
        )+

        /// Adds the functions to the module.
        pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
            $(m.add_function(wrap_pyfunction!($function, m)?)?;)+
            Ok(())
        }
    };
}

transforms! {
    /// Frequencies of points: the sum of `a[k] * exp(-2j * pi * f * k / n)` for each `f` below `n`.
    fft "_fft" Forward;
    /// Points of frequencies: the inverse of `fft`.
    ifft "_ifft" Inverse;
    /// Frequencies of real points that are not negative: the first `n // 2 + 1` of `fft`.
    rfft "_rfft" Half;
    /// Real points of such frequencies: the inverse of `rfft`, of `2 * (a.shape[axis] - 1)` points by default.
    irfft "_irfft" FromHalf;
}
