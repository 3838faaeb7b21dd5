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

use super::{error, nd, run};
use crate::dtype::{DType, Scalar};
use crate::error::Error;
use crate::op::Op;
use crate::runtime::Context;
use crate::runtime::direct::{self, Host, Input, LONG, Reduction, View};
use crate::select::Select;

type Obj<'py> = Bound<'py, PyAny>;
type Out<'py> = PyResult<Option<Bound<'py, PyAny>>>;

/// More elements than this are selected from without the GIL.
const FEW: usize = 1 << 16;

/// `op` of one or two operands.
pub fn map<'py>(py: Python<'py>, op: Op, args: &[&Obj<'py>]) -> Out<'py> {
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
    result.given(done)
}

/// `where`, whose result is an array even if it is 0-d.
pub fn choose<'py>(py: Python<'py>, args: [&Obj<'py>; 3]) -> Out<'py> {
    let [Some(condition), Some(x), Some(y)] = args.map(input) else { return Ok(None) };
    let mut result = Fresh::new(py, true);
    let done = direct::choose(&[condition, x, y], &mut result);
    result.given(done)
}

/// `clip` with the bounds that there are.
pub fn clip<'py>(x: &Obj<'py>, low: Option<&Obj<'py>>, high: Option<&Obj<'py>>) -> Out<'py> {
    let py = x.py();
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
    let Some(view) = view(x) else { return Ok(None) };
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
    let Some(view) = view(x) else { return Ok(None) };
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

/// The statistic of all of an ndarray's elements, of which there are a few.
pub fn select<'py>(select: &Select, x: &Obj<'py>) -> Out<'py> {
    let py = x.py();
    let Some(view) = view(x) else { return Ok(None) };
    let n = view.shape.iter().product::<usize>();
    if view.shape.is_empty() || n == 0 || n > FEW || !view.is_contiguous() {
        return Ok(None);
    }
    // SAFETY: the elements follow each other, and nobody writes to them while the GIL is held.
    let bytes = unsafe { std::slice::from_raw_parts(view.ptr, n * view.dtype.size()) };
    let found = error::guard(|| select.of_all(view.dtype, bytes));
    match found.map_err(|e| error::raise(py, &e))? {
        None => Ok(None),
        Some(value) => nd::value(py, value.dtype, &[value.bits]).map(Some),
    }
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

/// `view` as an operand.
#[inline]
fn array<'a>(obj: &'a Obj<'_>) -> Option<Input<'a>> {
    view(obj).map(Input::View)
}

/// An ndarray of native byte order that is of no subclass.
#[inline]
pub fn view<'a>(obj: &'a Obj<'_>) -> Option<View<'a>> {
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
        Some(View { ptr: fields.data.cast(), dtype, shape, strides })
    }
}

/// A Python number, or a NumPy scalar.
fn number<'a>(obj: &Obj<'_>) -> Option<Input<'a>> {
    if let Some(value) = float(obj) {
        return Some(Input::Float(value));
    }
    // SAFETY: any object may be asked.
    unsafe {
        if ffi::PyBool_Check(obj.as_ptr()) != 0 {
            return Some(Input::Scalar(Scalar::bool(obj.as_ptr() == ffi::Py_True())));
        }
    }
    integer(obj).map(Input::Int).or_else(|| scalar(obj))
}

/// A Python float of no subclass.
#[inline]
pub fn float(obj: &Obj<'_>) -> Option<f64> {
    // SAFETY: any object may be asked; a float has a value.
    unsafe {
        let is = ffi::PyFloat_CheckExact(obj.as_ptr()) != 0;
        is.then(|| ffi::PyFloat_AsDouble(obj.as_ptr()))
    }
}

/// A Python integer of no subclass, of 64 bits at most.
pub fn integer(obj: &Obj<'_>) -> Option<i64> {
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
        Self { py, array, made: Made::Nothing, word: [0] }
    }

    /// The result, if the op was not declined.
    fn given(self, done: Result<bool, Failure>) -> Out<'py> {
        match done {
            Ok(false) => return Ok(None),
            Ok(true) => {}
            Err(Failure::Python(e)) => return Err(e),
            Err(Failure::Engine(e)) => return Err(error::raise(self.py, &e)),
        }
        match self.made {
            Made::Nothing => Ok(None),
            Made::Array(array) => Ok(Some(array)),
            Made::Value(dtype) => nd::value(self.py, dtype, &self.word).map(Some),
        }
    }
}

impl Host for Fresh<'_> {
    type Error = Failure;

    fn allocate(&mut self, dtype: DType, shape: &[usize]) -> Result<*mut u8, Failure> {
        if shape.is_empty() && !self.array {
            self.made = Made::Value(dtype);
            return Ok(self.word.as_mut_ptr().cast());
        }
        let (array, ptr) = nd::unwritten(self.py, dtype, shape).map_err(Failure::Python)?;
        self.made = Made::Array(array);
        Ok(ptr)
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
