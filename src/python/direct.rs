//! Calls outside of blocks on ndarrays and numbers, straight to the engine's direct way.
//!
//! NumPy's own memory goes in, and NumPy's own memory comes out: small results are allocated by NumPy,
//! which recycles them, large ones come from the engine's pool, which needs no fresh pages. What is out
//! of the ordinary gives `None`, and is recorded and evaluated as in a block.
//!
//! May not know: what functions mean.

use numpy::npyffi::{NpyTypes, PY_ARRAY_API, PyArrayObject, get_type_object};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use super::{error, mode, nd, run};
use crate::buffer::{Buffer, Storage};
use crate::dtype::{DType, Scalar};
use crate::error::Error;
use crate::op::Op;
use crate::runtime::Context;
use crate::runtime::direct::{self, Host, Input, LONG, Reduction, View};

type Obj<'py> = Bound<'py, PyAny>;
type Out<'py> = PyResult<Option<Bound<'py, PyAny>>>;

/// Results of at least this many bytes are pooled memory.
const POOLED: usize = 256 << 10;

/// `op` of one or two operands.
pub fn map<'py>(py: Python<'py>, op: Op, args: &[&Obj<'py>]) -> Out<'py> {
    if mode::current(py)?.is_some() {
        return Ok(None);
    }
    let mut result = Fresh::new(py, false);
    let done = match args {
        [a] => match input(a) {
            Some(a) => direct::map(op, &[a], &mut result),
            None => return Ok(None),
        },
        [a, b] => match (input(a), input(b)) {
            (Some(a), Some(b)) => direct::map(op, &[a, b], &mut result),
            _ => return Ok(None),
        },
        _ => return Ok(None),
    };
    result.told(done, |out| tell(op, args, out))
}

/// Has NumPy compute the odd elements of a result, so that it warns, raises or is silent by its own rules and
/// its `errstate`, on the caller's line.
#[cold]
fn tell<'py>(op: Op, args: &[&Obj<'py>], out: &Obj<'py>) -> PyResult<()> {
    let py = out.py();
    let numpy = py.import("numpy")?;
    let function = numpy.getattr(op.info().name)?;
    let args = PyTuple::new(py, args)?;
    // All of a scalar; of integers it is the operands that are odd.
    let keywords = PyDict::new(py);
    if nd::is_exact_ndarray(out) && out.getattr("dtype")?.getattr("kind")?.eq("f")? {
        let finite = numpy.call_method1("isfinite", (out,))?;
        keywords.set_item("where", numpy.call_method1("logical_not", (finite,))?)?;
        keywords.set_item("out", numpy.call_method1("empty_like", (out,))?)?;
    }
    function.call(args, Some(&keywords)).map(|_| ())
}

/// `where`, whose result is an array even if it is 0-d.
pub fn choose<'py>(py: Python<'py>, args: [&Obj<'py>; 3]) -> Out<'py> {
    if mode::current(py)?.is_some() {
        return Ok(None);
    }
    let [Some(condition), Some(x), Some(y)] = args.map(input) else { return Ok(None) };
    let mut result = Fresh::new(py, true);
    let done = direct::choose(&[condition, x, y], &mut result);
    result.given(done)
}

/// `clip` with the bounds that there are.
pub fn clip<'py>(x: &Obj<'py>, low: Option<&Obj<'py>>, high: Option<&Obj<'py>>) -> Out<'py> {
    let py = x.py();
    if mode::current(py)?.is_some() {
        return Ok(None);
    }
    let (given, limits) = (input(x), [low, high].map(|bound| bound.map(input)));
    let (Some(x), false) = (given, limits.iter().any(|bound| matches!(bound, Some(None)))) else {
        return Ok(None);
    };
    let [low, high] = limits.map(Option::flatten);
    let mut result = Fresh::new(py, false);
    let done = direct::clip(&x, low.as_ref(), high.as_ref(), &mut result);
    result.given(done)
}

/// An ndarray as another dtype.
pub fn astype<'py>(x: &Obj<'py>, dtype: DType) -> Out<'py> {
    let py = x.py();
    if mode::current(py)?.is_some() {
        return Ok(None);
    }
    let Some(Input::View(view)) = array(x) else { return Ok(None) };
    let mut result = Fresh::new(py, true);
    let done = direct::convert(&view, dtype, &mut result);
    result.given(done)
}

/// A reduction of an ndarray over all elements, or over one axis.
pub fn reduce<'py>(
    what: Reduction,
    x: &Obj<'py>,
    axis: Option<&Obj<'py>>,
    keepdims: bool,
) -> Out<'py> {
    let py = x.py();
    if mode::current(py)?.is_some() {
        return Ok(None);
    }
    let Some(Input::View(view)) = array(x) else { return Ok(None) };
    let axis = match axis {
        None => None,
        Some(axis) => match index(axis, view.shape.len()) {
            Some(axis) => Some(axis),
            None => return Ok(None),
        },
    };
    let mut result = Fresh::new(py, false);
    let done = direct::reduce(what, &view, axis, keepdims, &mut result);
    result.given(done)
}

/// An axis that is there, given as a plain integer.
fn index(axis: &Obj<'_>, rank: usize) -> Option<usize> {
    let axis = integer(axis)?;
    let rank = rank as i64;
    (-rank..rank).contains(&axis).then(|| axis.rem_euclid(rank) as usize)
}

/// An operand, if it is an ordinary one.
fn input<'a>(obj: &'a Obj<'_>) -> Option<Input<'a>> {
    array(obj).or_else(|| number(obj))
}

/// An ndarray of native byte order that is of no subclass.
#[inline]
fn array<'a>(obj: &'a Obj<'_>) -> Option<Input<'a>> {
    if !nd::is_exact_ndarray(obj) {
        return None;
    }
    // SAFETY: an ndarray, whose fields stay as they are while the GIL is held. What is read of them here is
    // not used any more once it is let go of.
    unsafe {
        let fields = &(*obj.as_ptr().cast::<PyArrayObject>()).fields;
        let dtype = nd::native(fields.descr)?;
        let (shape, strides): (&[usize], &[isize]) = match fields.nd {
            0 => (&[], &[]),
            n => (
                std::slice::from_raw_parts(fields.dimensions.cast(), n as usize),
                std::slice::from_raw_parts(fields.strides, n as usize),
            ),
        };
        Some(Input::View(View { ptr: fields.data.cast(), dtype, shape, strides }))
    }
}

/// A Python number, or a NumPy scalar.
fn number<'a>(obj: &Obj<'_>) -> Option<Input<'a>> {
    // SAFETY: any object may be asked; a float has a value.
    unsafe {
        if ffi::PyFloat_CheckExact(obj.as_ptr()) != 0 {
            return Some(Input::Float(ffi::PyFloat_AsDouble(obj.as_ptr())));
        }
        if ffi::PyBool_Check(obj.as_ptr()) != 0 {
            return Some(Input::Scalar(Scalar::bool(obj.as_ptr() == ffi::Py_True())));
        }
    }
    integer(obj).map(Input::Int).or_else(|| scalar(obj))
}

/// A Python integer of no subclass, of 64 bits at most.
fn integer(obj: &Obj<'_>) -> Option<i64> {
    let mut overflow = 0;
    // SAFETY: an integer; one that is too large is told by `overflow`, without an exception.
    unsafe {
        if ffi::PyLong_CheckExact(obj.as_ptr()) == 0 {
            return None;
        }
        let value = ffi::PyLong_AsLongLongAndOverflow(obj.as_ptr(), &raw mut overflow);
        (overflow == 0).then_some(value)
    }
}

/// A NumPy scalar of a dtype that rnp computes on.
fn scalar<'a>(obj: &Obj<'_>) -> Option<Input<'a>> {
    let (py, ptr) = (obj.py(), obj.as_ptr());
    // SAFETY: a NumPy scalar has a dtype, which is a new reference, and its value fits 16 bytes once
    // the dtype is known to be one of ours.
    unsafe {
        let generic = get_type_object(py, NpyTypes::PyGenericArrType_Type);
        if ffi::PyObject_TypeCheck(ptr, generic) == 0 {
            return None;
        }
        let descr = PY_ARRAY_API.PyArray_DescrFromScalar(py, ptr);
        let held = Bound::from_owned_ptr_or_opt(py, descr.cast())?;
        let dtype = nd::native(held.as_ptr().cast()).filter(|d| !d.is_complex())?;
        let mut bytes = [0u8; 8];
        PY_ARRAY_API.PyArray_ScalarAsCtype(py, ptr, bytes.as_mut_ptr().cast());
        Some(Input::Scalar(Scalar { dtype, bits: u64::from_le_bytes(bytes) }))
    }
}

/// A result in the making.
struct Fresh<'py> {
    py: Python<'py>,
    /// Whether a result without axes is an array.
    array: bool,
    /// Whether NumPy may have something to say.
    odd: bool,
    made: Made<'py>,
    /// The memory of a value.
    word: [u64; 1],
}

enum Made<'py> {
    Nothing,
    Array(Obj<'py>),
    Value(DType),
}

/// Why there is no result.
enum Failure {
    Engine(Error),
    Python(PyErr),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Engine(error)
    }
}

impl<'py> Fresh<'py> {
    fn new(py: Python<'py>, array: bool) -> Self {
        Self { py, array, odd: false, made: Made::Nothing, word: [0] }
    }

    /// The result, if the op was not declined.
    fn given(self, done: Result<bool, Failure>) -> Out<'py> {
        self.told(done, |_| Ok(()))
    }

    /// The result; `tell` sees it first if it is odd.
    fn told(
        self,
        done: Result<bool, Failure>,
        tell: impl FnOnce(&Obj<'py>) -> PyResult<()>,
    ) -> Out<'py> {
        match done {
            Ok(false) => return Ok(None),
            Ok(true) => {}
            Err(Failure::Python(e)) => return Err(e),
            Err(Failure::Engine(e)) => return Err(error::raise(self.py, &e)),
        }
        let out = match self.made {
            Made::Nothing => return Ok(None),
            Made::Array(array) => array,
            Made::Value(dtype) => nd::value(self.py, dtype, &self.word)?,
        };
        if self.odd {
            tell(&out)?;
        }
        Ok(Some(out))
    }
}

impl Host for Fresh<'_> {
    type Error = Failure;

    fn allocate(&mut self, dtype: DType, shape: &[usize]) -> Result<*mut u8, Failure> {
        if shape.is_empty() && !self.array {
            self.made = Made::Value(dtype);
            return Ok(self.word.as_mut_ptr().cast());
        }
        let bytes = shape.iter().product::<usize>() * dtype.size();
        let (array, ptr) = if bytes < POOLED {
            nd::empty(self.py, dtype, shape).map_err(Failure::Python)?
        } else {
            let mut buffer = Buffer::new(bytes)?;
            let ptr = buffer.as_mut_ptr();
            let storage = Storage::from_buffer(std::sync::Arc::new(buffer), dtype, shape.into())?;
            (nd::fresh(self.py, &storage).map_err(Failure::Python)?, ptr)
        };
        self.made = Made::Array(array);
        Ok(ptr)
    }

    fn is_odd(&mut self) {
        self.odd = true;
    }

    fn run(
        &mut self,
        cost: usize,
        work: &(dyn Fn(&Context<'_>) -> crate::error::Result<()> + Sync),
    ) -> Result<(), Failure> {
        if cost < LONG {
            return error::guard(|| work(&Context::default())).map_err(Failure::Engine);
        }
        run::released(self.py, |ctx| work(ctx)).map_err(Failure::Python)
    }
}
