//! Reductions, with NumPy's keyword arguments in NumPy's order.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};

use super::array::Array;
use super::run::Call;
use super::{direct, error, mode, nd, tape};
use crate::dtype::DType;
use crate::error::Error;
use crate::expr::{self, Over};
use crate::op::Fold;
use crate::runtime::direct::Reduction;
use crate::shape;
use crate::tape::Request;

type Obj<'py> = Bound<'py, PyAny>;
type Out<'py> = PyResult<Bound<'py, PyAny>>;

/// The keyword arguments as they came.
pub struct Keywords<'a, 'py> {
    /// None, an integer, or integers.
    pub axis: Option<&'a Obj<'py>>,
    /// What to compute and return in.
    pub dtype: Option<&'a Obj<'py>>,
    /// Must be None.
    pub out: Option<&'a Obj<'py>>,
    /// Whether reduced axes stay.
    pub keepdims: bool,
}

/// NumPy passes `out=None` along, so it is taken; anything else is refused.
pub fn no_out(op: &str, out: Option<&Obj<'_>>) -> PyResult<()> {
    match out {
        None => Ok(()),
        Some(_) => Err(error::Unsupported::new_err(format!(
            "{op}: out= is not supported; assign the result instead"
        ))),
    }
}

/// An integer of an axis or a shape; huge ones saturate, as no array has them.
pub fn integer(op: &str, what: &str, obj: &Obj<'_>) -> PyResult<i64> {
    // SAFETY: the call gives a new reference or sets an exception.
    let index =
        unsafe { Bound::from_owned_ptr_or_err(obj.py(), pyo3::ffi::PyNumber_Index(obj.as_ptr())) };
    let index = index.map_err(|e| {
        if e.is_instance_of::<PyTypeError>(obj.py()) && !is_trace_error(&e, obj.py()) {
            let name = obj.get_type().name().map_or_else(|_| "?".into(), |n| n.to_string());
            return PyTypeError::new_err(format!("{op}: {what} must be an integer, not {name}"));
        }
        e
    })?;
    match index.extract::<i64>() {
        Ok(v) => Ok(v),
        Err(_) => Ok(if index.lt(0)? { i64::MIN } else { i64::MAX }),
    }
}

fn is_trace_error(e: &PyErr, py: Python<'_>) -> bool {
    e.is_instance_of::<error::TraceError>(py)
}

/// One integer or a sequence of them.
pub fn integers(op: &str, what: &str, obj: &Obj<'_>) -> PyResult<Vec<i64>> {
    let sequence = obj.is_instance_of::<PyTuple>()
        || obj.is_instance_of::<PyList>()
        || (nd::is_ndarray(obj) && obj.len().is_ok());
    if sequence {
        return obj.try_iter()?.map(|item| integer(op, what, &item?)).collect();
    }
    Ok(vec![integer(op, what, obj)?])
}

fn over(op: &str, k: &Keywords<'_, '_>) -> PyResult<Over> {
    no_out(op, k.out)?;
    Ok(Over {
        axis: k.axis.map(|a| integers(op, "axis", a)).transpose()?,
        keepdims: k.keepdims,
        dtype: k.dtype.map(|d| nd::parse_dtype(op, d)).transpose()?,
    })
}

fn reduce<'py>(
    op: &'static str,
    what: Reduction,
    a: &Obj<'py>,
    k: &Keywords<'_, 'py>,
    f: impl FnOnce(&expr::Array, &Over) -> Result<expr::Array, Error>,
) -> Out<'py> {
    let block = mode::current(a.py())?;
    if k.out.is_none() && k.dtype.is_none() {
        let out = match (&block, k.axis.map(direct::integer)) {
            (None, _) => {
                let out = direct::reduce(what, a, k.axis, k.keepdims)?;
                signed_zeros(what, a, out.as_ref())?;
                out
            }
            (Some(_), Some(None)) => None,
            // Of how many there are less so many, NumPy may warn.
            (Some(_), _) if matches!(what, Reduction::Var(1..) | Reduction::Std(1..)) => None,
            (Some(block), axis) => {
                let request = Request::Reduce { what, axis: axis.flatten(), keepdims: k.keepdims };
                tape::record(block.get(), request, &[a])?
            }
        };
        if let Some(out) = out {
            return Ok(out);
        }
    }
    let over = over(op, k)?;
    let mut call = Call::of(a.py(), op, block);
    let x = call.operand(a)?;
    if x.rank() == 0 && k.axis.is_some_and(|axis| axis.cast::<PyTuple>().is_ok()) {
        // What NumPy lets pass there is one number.
        call.build(|| shape::axes(op, over.axis.as_deref(), 0))?;
    }
    if let Some(text) = warning(what, &x, &over) {
        if !call.is_lazy() {
            return Err(error::Unsupported::new_err(text)); // NumPy warns itself
        }
        if call.trace().is_none() {
            a.py().import("rnp._dispatch")?.call_method1("warn", (text,))?;
        }
    }
    let eager = !call.is_lazy();
    let asks = eager && what.may_overflow() && !a.is_instance_of::<Array>();
    let out = call.run(|| f(&x, &over))?;
    if eager {
        signed_zeros(what, a, Some(&out))?;
    }
    if asks && !is_finite(&out)? {
        direct::tell_of(what, a, k.axis)?;
    }
    Ok(out)
}

/// Leaves extremes of `float16` that are zeros to NumPy, which gives the first of both signs.
fn signed_zeros(what: Reduction, a: &Obj<'_>, out: Option<&Obj<'_>>) -> PyResult<()> {
    let half = |a| direct::view(a).is_some_and(|view| view.dtype == DType::F16);
    if let (Reduction::Fold(Fold::Min | Fold::Max), Some(out)) = (what, out)
        && half(a)
        && !out.call_method0("all")?.is_truthy()?
    {
        return Err(error::Unsupported::new_err("float16 zeros are left to NumPy"));
    }
    Ok(())
}

/// Whether NumPy has nothing to say about sums.
fn is_finite(out: &Obj<'_>) -> PyResult<bool> {
    out.py().import("numpy")?.call_method1("isfinite", (out,))?.call_method0("all")?.is_truthy()
}

/// What NumPy warns of an average of too few elements, which the shape tells.
fn warning(what: Reduction, x: &expr::Array, over: &Over) -> Option<&'static str> {
    let (least, text) = match what {
        Reduction::Mean => (0, "Mean of empty slice"),
        Reduction::Var(ddof) | Reduction::Std(ddof) => (ddof, "Degrees of freedom <= 0 for slice"),
        Reduction::Fold(_) => return None,
    };
    let axes = shape::axes("", over.axis.as_deref(), x.rank()).ok()?;
    let count: usize = axes.iter().map(|&axis| x.shape()[axis]).product();
    (i64::try_from(count).is_ok_and(|count| count <= least)).then_some(text)
}

/// A fold of the table.
pub fn fold<'py>(fold: Fold, a: &Obj<'py>, k: &Keywords<'_, 'py>) -> Out<'py> {
    reduce(fold.name(), Reduction::Fold(fold), a, k, |x, over| x.reduce(fold, over))
}

/// The arithmetic mean.
pub fn mean<'py>(a: &Obj<'py>, k: &Keywords<'_, 'py>) -> Out<'py> {
    reduce("mean", Reduction::Mean, a, k, expr::Array::mean)
}

/// The variance.
pub fn var<'py>(a: &Obj<'py>, k: &Keywords<'_, 'py>, ddof: i64) -> Out<'py> {
    reduce("var", Reduction::Var(ddof), a, k, |x, over| x.var(over, ddof))
}

/// The standard deviation.
pub fn std<'py>(a: &Obj<'py>, k: &Keywords<'_, 'py>, ddof: i64) -> Out<'py> {
    reduce("std", Reduction::Std(ddof), a, k, |x, over| x.std(over, ddof))
}

/// Writes reductions that take a dtype.
macro_rules! with_dtype {
    ($($(#[doc = $doc:literal])+ $name:ident $fold:ident;)+) => {
        $(
            $(#[doc = $doc])+
            ///
            /// `axis` is None (all axes), an integer or a tuple; an axis that is not there is an AxisError.
            /// `keepdims` leaves reduced axes with length 1. `out` must be None.
            #[pyfunction]
            #[pyo3(signature = (a, axis = None, dtype = None, out = None, keepdims = false))]
            fn $name<'py>(a: &Obj<'py>, axis: Option<&Obj<'py>>, dtype: Option<&Obj<'py>>, out: Option<&Obj<'py>>, keepdims: bool) -> Out<'py> {
                fold(Fold::$fold, a, &Keywords { axis, dtype, out, keepdims })
            }
        )+
    };
}

/// Writes reductions that take no dtype.
macro_rules! without_dtype {
    ($($(#[doc = $doc:literal])+ $name:ident $fold:ident;)+) => {
        $(
            $(#[doc = $doc])+
            ///
            /// `axis` is None (all axes), an integer or (but for argmin and argmax) a tuple; an axis that is
            /// not there is an AxisError. `keepdims` leaves reduced axes with length 1. `out` must be None.
            #[pyfunction]
            #[pyo3(signature = (a, axis = None, out = None, keepdims = false))]
            fn $name<'py>(a: &Obj<'py>, axis: Option<&Obj<'py>>, out: Option<&Obj<'py>>, keepdims: bool) -> Out<'py> {
                fold(Fold::$fold, a, &Keywords { axis, dtype: None, out, keepdims })
            }
        )+
    };
}

with_dtype! {
    /// Sum. Integers and bool add up in 64 bits; float32 is accumulated in float64 and rounded once.
    ///
    /// The order of additions is fixed: the same bits for any number of threads. The sum of nothing is 0.
    ///
    /// >>> rnp.sum([1, 2, 3])
    /// np.int64(6)
    sum Sum;
    /// Product. Integers and bool multiply in 64 bits. The product of nothing is 1.
    ///
    /// >>> rnp.prod([1.0, 2.0, 3.0])
    /// np.float64(6.0)
    prod Prod;
}

without_dtype! {
    /// Smallest element; NaN if any is NaN. Of nothing it is a ValueError.
    ///
    /// >>> rnp.min([3, 1, 2])
    /// np.int64(1)
    min Min;
    /// Largest element; NaN if any is NaN. Of nothing it is a ValueError.
    ///
    /// >>> rnp.max([3, 1, 2])
    /// np.int64(3)
    max Max;
    /// Whether any element is nonzero (NaN is); of nothing, False.
    ///
    /// >>> rnp.any([0.0, 1.0])
    /// np.True_
    any Any;
    /// Whether all elements are nonzero (NaN is); of nothing, True.
    ///
    /// >>> rnp.all([0.0, 1.0])
    /// np.False_
    all All;
    /// Index of the first smallest element, or of the first NaN; int64. Of nothing it is a ValueError.
    ///
    /// >>> rnp.argmin([3, 1, 2])
    /// np.int64(1)
    argmin Argmin;
    /// Index of the first largest element, or of the first NaN; int64. Of nothing it is a ValueError.
    ///
    /// >>> rnp.argmax([3, 1, 2])
    /// np.int64(0)
    argmax Argmax;
}

/// Arithmetic mean. Integers and bool are averaged in float64, float32 is accumulated in float64.
///
/// `axis` is None (all axes), an integer or a tuple; `dtype` is what to compute and return in;
/// `keepdims` leaves reduced axes with length 1; `out` must be None. The mean of nothing is NaN.
///
/// >>> rnp.mean([1, 2, 4, 5])
/// np.float64(3.0)
#[pyfunction]
#[pyo3(name = "mean", signature = (a, axis = None, dtype = None, out = None, keepdims = false))]
fn mean_function<'py>(
    a: &Obj<'py>,
    axis: Option<&Obj<'py>>,
    dtype: Option<&Obj<'py>>,
    out: Option<&Obj<'py>>,
    keepdims: bool,
) -> Out<'py> {
    mean(a, &Keywords { axis, dtype, out, keepdims })
}

/// What is taken off the count; a fraction is NumPy's business.
#[derive(Clone, Copy)]
struct Ddof(i64);

impl<'py> FromPyObject<'_, 'py> for Ddof {
    type Error = PyErr;

    fn extract(obj: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let whole = obj.extract().map(Self);
        whole.map_err(|_| error::Unsupported::new_err("var, std: ddof is no integer"))
    }
}

/// Variance: the mean squared distance from the mean, over the count less `ddof`.
///
/// `axis` is None (all axes), an integer or a tuple; `dtype` is what to compute and return in, a float;
/// `keepdims` leaves reduced axes with length 1; `out` must be None.
///
/// >>> rnp.var([1.0, 3.0])
/// np.float64(1.0)
#[pyfunction]
#[pyo3(name = "var", signature = (a, axis = None, dtype = None, out = None, ddof = Ddof(0), keepdims = false))]
fn var_function<'py>(
    a: &Obj<'py>,
    axis: Option<&Obj<'py>>,
    dtype: Option<&Obj<'py>>,
    out: Option<&Obj<'py>>,
    ddof: Ddof,
    keepdims: bool,
) -> Out<'py> {
    var(a, &Keywords { axis, dtype, out, keepdims }, ddof.0)
}

/// Standard deviation: the square root of `rnp.var` with the same arguments.
///
/// >>> rnp.std([1.0, 3.0])
/// np.float64(1.0)
#[pyfunction]
#[pyo3(name = "std", signature = (a, axis = None, dtype = None, out = None, ddof = Ddof(0), keepdims = false))]
fn std_function<'py>(
    a: &Obj<'py>,
    axis: Option<&Obj<'py>>,
    dtype: Option<&Obj<'py>>,
    out: Option<&Obj<'py>>,
    ddof: Ddof,
    keepdims: bool,
) -> Out<'py> {
    std(a, &Keywords { axis, dtype, out, keepdims }, ddof.0)
}

/// Adds the reductions to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(sum, m)?)?;
    m.add_function(wrap_pyfunction!(prod, m)?)?;
    m.add_function(wrap_pyfunction!(min, m)?)?;
    m.add_function(wrap_pyfunction!(max, m)?)?;
    m.add_function(wrap_pyfunction!(any, m)?)?;
    m.add_function(wrap_pyfunction!(all, m)?)?;
    m.add_function(wrap_pyfunction!(argmin, m)?)?;
    m.add_function(wrap_pyfunction!(argmax, m)?)?;
    m.add_function(wrap_pyfunction!(mean_function, m)?)?;
    m.add_function(wrap_pyfunction!(var_function, m)?)?;
    m.add_function(wrap_pyfunction!(std_function, m)?)
}
