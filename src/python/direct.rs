//! Calls outside of blocks on ndarrays and numbers, straight to the engine's direct way.
//!
//! NumPy's own memory goes in, and NumPy's own memory comes out: small results are allocated by NumPy,
//! which recycles them, large ones come from the engine's pool, which needs no fresh pages. What is out
//! of the ordinary gives `None`, and is recorded and evaluated as in a block.
//!
//! May not know: what functions mean, blocks: whoever calls has seen that there is none.

use std::sync::{Mutex, PoisonError};

use numpy::npyffi::{NpyTypes, PY_ARRAY_API, PyArrayObject, get_type_object};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyList, PyTuple};
use smallvec::SmallVec;

use super::{cpython, error, nd, run};
use crate::buffer::Storage;
use crate::dot::Lines;
use crate::dtype::{DType, Scalar};
use crate::error::Error;
use crate::op::Op;
use crate::runtime::direct::{self, Column, Host, Input, LONG, Ramp, Reduction, View};
use crate::runtime::{Context, Target};
use crate::select::Select;
use crate::shape::Shape;
use crate::trace::{Inputs, Ready, Trace};

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
            (Some(a), Some(b)) => {
                result.odd = overflows(&[a, b]);
                direct::map(op, &[a, b], &mut result)
            }
            _ => return Ok(None),
        },
        _ => return Ok(None),
    };
    result.told(done, |out| tell(op, args, out))
}

/// The whole quotient and the remainder, in one call: NumPy tells of both by one name.
pub fn divmod<'py>(a: &Obj<'py>, b: &Obj<'py>) -> Out<'py> {
    let (py, mut odd) = (a.py(), false);
    let mut part = |op| match (input(a), input(b)) {
        (Some(x), Some(y)) => {
            let mut result = Fresh::new(py, false);
            result.odd = overflows(&[x, y]);
            let done = direct::map(op, &[x, y], &mut result);
            odd |= std::mem::take(&mut result.odd);
            result.given(done)
        }
        _ => Ok(None),
    };
    let Some(quotient) = part(Op::FloorDivide)? else { return Ok(None) };
    let Some(remainder) = part(Op::Remainder)? else { return Ok(None) };
    if odd {
        ask("divmod", &PyTuple::new(py, [a, b])?, &PyDict::new(py))?;
    }
    PyTuple::new(py, [quotient, remainder]).map(|both| Some(both.into_any()))
}

/// Has NumPy compute the odd elements of a result, so that it warns, raises or is silent by its own rules and
/// its `errstate`, on the caller's line.
#[cold]
fn tell<'py>(op: Op, args: &[&Obj<'py>], out: &Obj<'py>) -> PyResult<()> {
    let py = out.py();
    if is_silenced(py)? {
        return Ok(());
    }
    let numpy = py.import("numpy")?;
    // All of a scalar; of integers it is the operands that are odd.
    let keywords = PyDict::new(py);
    if nd::is_exact_ndarray(out) && out.getattr("dtype")?.getattr("kind")?.eq("f")? {
        let finite = numpy.call_method1("isfinite", (out,))?;
        keywords.set_item("where", numpy.call_method1("logical_not", (finite,))?)?;
        keywords.set_item("out", numpy.call_method1("empty_like", (out,))?)?;
    }
    ask(op.info().name, &PyTuple::new(py, args)?, &keywords)
}

/// Has NumPy make a call about which it has something to say. Its answer is not needed.
#[cold]
pub fn ask(name: &str, args: &Bound<'_, PyTuple>, keywords: &Bound<'_, PyDict>) -> PyResult<()> {
    let py = args.py();
    if !is_silenced(py)? {
        py.import("numpy")?.getattr(name)?.call(args, Some(keywords))?;
    }
    Ok(())
}

/// Whether a Python number becomes infinite in the dtype of the operands beside it, of which NumPy warns.
fn overflows(inputs: &[Input<'_>]) -> bool {
    let size = |input: &Input<'_>| match *input {
        Input::Float(v) if v.is_finite() => v.abs(),
        Input::Int(v) => v.unsigned_abs() as f64,
        _ => 0.0,
    };
    let size = inputs.iter().map(size).fold(0.0, f64::max);
    size >= ROUND_TO_INFINITY.0 && is_beyond(inputs, size)
}

/// From here on numbers are infinite in `float16`, and in `float32`.
const ROUND_TO_INFINITY: (f64, f64) = (65520.0, 3.4028235677973366e38);

#[cold]
fn is_beyond(inputs: &[Input<'_>], size: f64) -> bool {
    let limit = |input: &Input<'_>| {
        let dtype = match input {
            Input::View(view) => view.dtype,
            Input::Scalar(value) => value.dtype,
            _ => return 0.0,
        };
        match dtype {
            DType::F16 => ROUND_TO_INFINITY.0,
            DType::F32 => ROUND_TO_INFINITY.1,
            _ => f64::INFINITY,
        }
    };
    let limit = inputs.iter().map(limit).fold(0.0, f64::max);
    limit > 0.0 && size >= limit
}

/// Whether `numpy.errstate` ignores all that is told of. What it says in this context is an object, which NumPy
/// never changes: that is asked once what it says.
fn is_silenced(py: Python<'_>) -> PyResult<bool> {
    static STATE: PyOnceLock<Option<Py<PyAny>>> = PyOnceLock::new();
    static KNOWN: Mutex<Option<(Py<PyAny>, bool)>> = Mutex::new(None);
    let umath = || py.import("numpy._core.umath");
    // NumPy's own business: where it keeps the state elsewhere, it is always asked.
    let variable = STATE.get_or_init(py, || {
        umath().and_then(|m| m.getattr("_extobj_contextvar")).ok().map(Bound::unbind)
    });
    let Some(variable) = variable else { return Ok(false) };
    let Some(state) = cpython::value(variable.bind(py))? else { return Ok(false) };
    let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((of, silenced)) = &*known()
        && of.is(&state)
    {
        return Ok(*silenced);
    }
    let says = umath()?.call_method0("_get_extobj_dict")?;
    let mut silenced = true;
    for kind in ["divide", "over", "invalid"] {
        silenced &= says.get_item(kind)?.eq("ignore")?;
    }
    let old = known().replace((state.unbind(), silenced));
    drop(old);
    Ok(silenced)
}

/// `where`, whose result is an array even if it is 0-d.
pub fn choose<'py>(py: Python<'py>, args: [&Obj<'py>; 3]) -> Out<'py> {
    let [Some(condition), Some(x), Some(y)] = args.map(input) else { return Ok(None) };
    let mut result = Fresh::new(py, true);
    result.odd = overflows(&[x, y]);
    let done = direct::choose(&[condition, x, y], &mut result);
    result.told(done, |_| ask("where", &PyTuple::new(py, args)?, &PyDict::new(py)))
}

/// `clip` with the bounds that there are.
pub fn clip<'py>(a: &Obj<'py>, low: Option<&Obj<'py>>, high: Option<&Obj<'py>>) -> Out<'py> {
    let (py, args) = (a.py(), (a, low, high));
    let (given, limits) = (input(a), [low, high].map(|bound| bound.map(input)));
    let (Some(x), false) = (given, limits.iter().any(|bound| matches!(bound, Some(None)))) else {
        return Ok(None);
    };
    let [low, high] = limits.map(Option::flatten);
    let mut result = Fresh::new(py, false);
    result.odd = [low, high].into_iter().flatten().any(|bound| overflows(&[x, bound]));
    let done = direct::clip(&x, low.as_ref(), high.as_ref(), &mut result);
    result.told(done, |_| ask("clip", &args.into_pyobject(py)?, &PyDict::new(py)))
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
    let along = match axis {
        None => None,
        Some(axis) => match index(axis, view.shape.len()) {
            Some(axis) => Some(axis),
            None => return Ok(None),
        },
    };
    let mut result = Fresh::new(py, false);
    let done = direct::reduce(what, &view, along, keepdims, &mut result);
    result.told(done, |_| tell_of(what, x, axis))
}

/// Has NumPy reduce what became NaN or infinite, so that it warns of it.
#[cold]
pub fn tell_of<'py>(what: Reduction, x: &Obj<'py>, axis: Option<&Obj<'py>>) -> PyResult<()> {
    let name = match what {
        Reduction::Fold(fold) => fold.name(),
        Reduction::Mean => "mean",
        Reduction::Var(_) => "var",
        Reduction::Std(_) => "std",
    };
    ask(name, &(x, axis).into_pyobject(x.py())?, &PyDict::new(x.py()))
}

/// The statistic of all of an ndarray's elements, of which there are a few; and whether it is infinite.
pub fn select<'py>(select: &Select, x: &Obj<'py>) -> PyResult<Option<(Obj<'py>, bool)>> {
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
        Some(value) => {
            let infinite = value.to_f64().is_infinite();
            Ok(Some((nd::value(py, value.dtype, &[value.bits])?, infinite)))
        }
    }
}

/// Interpolation in a table of two ndarrays, or of a few numbers.
pub fn interp<'py>(
    [x, xp, fp]: [&Obj<'py>; 3],
    left: Option<&Obj<'py>>,
    right: Option<&Obj<'py>>,
) -> Out<'py> {
    let py = x.py();
    let sides = [left, right].map(|side| side.map(real));
    if sides.contains(&Some(None)) {
        return Ok(None);
    }
    let [left, right] = sides.map(Option::flatten);
    let (mut points, mut values) = (Numbers::new(), Numbers::new());
    let columns = (column(xp, &mut points), column(fp, &mut values));
    let (Some(x), (Some(xp), Some(fp))) = (input(x), columns) else { return Ok(None) };
    let mut result = Fresh::new(py, false);
    let done = direct::interp(&x, [xp, fp], (left, right), &mut result);
    result.given(done)
}

/// A few numbers of a list.
type Numbers = SmallVec<[f64; MANY]>;

/// Longer lists are NumPy's to read.
const MANY: usize = 16;

/// A side of a table.
fn column<'a>(obj: &'a Obj<'_>, list: &'a mut Numbers) -> Option<Column<'a>> {
    if let Some(view) = view(obj) {
        return Some(Column::View(view));
    }
    if let Ok(items) = obj.cast_exact::<PyTuple>() {
        list.extend(items.iter_borrowed().take(MANY).map_while(|item| real(&item)));
        return (list.len() == items.len()).then_some(Column::List(list));
    }
    let items = obj.cast_exact::<PyList>().ok()?;
    list.extend(items.iter().take(MANY).map_while(|item| real(&item)));
    (list.len() == items.len()).then_some(Column::List(list))
}

/// A list or a tuple of a few numbers, as `float64`.
pub fn points(obj: &Obj<'_>) -> Option<SmallVec<[f64; MANY]>> {
    let mut points = Numbers::new();
    match column(obj, &mut points)? {
        Column::List(list) => Some(list.into()),
        Column::View(_) => None,
    }
}

/// A number of Python as `float64`.
pub fn real(obj: &Obj<'_>) -> Option<f64> {
    float(obj).or_else(|| integer(obj).map(|v| v as f64))
}

/// `linspace` between two numbers, in `float64`.
pub fn linspace<'py>(
    start: &Obj<'py>,
    stop: &Obj<'py>,
    num: Option<&Obj<'py>>,
    endpoint: bool,
) -> Out<'py> {
    let py = start.py();
    let num = num.map_or(Some(50), integer).and_then(|n| usize::try_from(n).ok());
    let (Some(start), Some(stop), Some(num)) = (real(start), real(stop), num) else {
        return Ok(None);
    };
    if !(1..=LONGEST).contains(&num) {
        return Ok(None);
    }
    let (delta, steps) = (stop - start, if endpoint { num - 1 } else { num });
    let step = if steps > 0 { delta / steps as f64 } else { delta };
    if !delta.is_finite() || !start.is_finite() {
        return Err(error::Unsupported::new_err("linspace: NumPy warns of what is not finite"));
    }
    if step == 0.0 && delta != 0.0 {
        return Ok(None);
    }
    let stop = (endpoint && num > 1).then_some(stop);
    made(py, Ramp::Line { start, step, stop }, num)
}

/// `arange` of integers.
pub fn arange<'py>(start: &Obj<'py>, stop: Option<&Obj<'py>>, step: Option<&Obj<'py>>) -> Out<'py> {
    let py = start.py();
    let (first, last) = match stop {
        Some(stop) => (integer(start), integer(stop)),
        None => (Some(0), integer(start)),
    };
    let (Some(start), Some(stop), Some(step)) = (first, last, step.map_or(Some(1), integer)) else {
        return Ok(None);
    };
    // Far from where anything wraps.
    let near = |v: i64| v.unsigned_abs() < 1 << 62;
    if ![start, stop, step].into_iter().all(near) || step == 0 {
        return Ok(None);
    }
    let span = if step > 0 { stop - start } else { start - stop };
    let len = (span - 1).div_euclid(step.abs()) + 1;
    match usize::try_from(len) {
        Ok(len) if (1..=LONGEST).contains(&len) => made(py, Ramp::Whole { start, step }, len),
        _ => Ok(None),
    }
}

/// Longer grids may not fit memory, which is said elsewhere.
const LONGEST: usize = 1 << 32;

fn made(py: Python<'_>, ramp: Ramp, len: usize) -> Out<'_> {
    let mut result = Fresh::new(py, true);
    let done = direct::ramp(ramp, len, &mut result).map(|()| true);
    result.given(done)
}

/// The dot product of two lines of floats of one dtype and length.
pub fn dot<'py>(a: &Obj<'py>, b: &Obj<'py>) -> Out<'py> {
    let py = a.py();
    let (Some(a), Some(b)) = (view(a), view(b)) else { return Ok(None) };
    let alike = a.dtype == b.dtype && a.shape == b.shape && a.shape.len() == 1;
    let floats = matches!(a.dtype, DType::F32 | DType::F64);
    let together = a.is_contiguous() && b.is_contiguous();
    if !(alike && floats && together) {
        return Ok(None);
    }
    // SAFETY: lines of as many elements of one dtype, which are held while this runs.
    let lines = unsafe { Lines::new(a.dtype, a.ptr, b.ptr, a.shape[0]) };
    let sum = if a.shape[0] < LONG {
        error::checked(py, || lines.dot(None))?
    } else {
        run::released(py, |ctx| lines.dot(ctx.interrupt))?
    };
    nd::value(py, sum.dtype, &[sum.bits]).map(Some)
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
    let mut bytes = [0u8; 8];
    if let Some(dtype) = nd::of_class(obj.get_type().as_any()) {
        // SAFETY: a NumPy scalar, whose value fits.
        unsafe { PY_ARRAY_API.PyArray_ScalarAsCtype(py, ptr, bytes.as_mut_ptr().cast()) };
        return Some(Input::Scalar(Scalar { dtype, bits: u64::from_le_bytes(bytes) }));
    }
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
        let (array, ptr) = nd::unwritten(self.py, dtype, shape).map_err(Failure::Python)?;
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

/// Memory for the results of a plan that runs on given memory.
pub struct Outputs<'py> {
    py: Python<'py>,
    results: SmallVec<[Output<'py>; 2]>,
}

struct Output<'py> {
    dtype: DType,
    /// An array and its first byte; a result without axes has neither.
    array: Option<(Obj<'py>, *mut u8)>,
    /// The memory of a value.
    word: [u64; 1],
}

impl<'py> Outputs<'py> {
    /// For results of these dtypes and shapes; those without axes are not complex.
    pub fn new(py: Python<'py>, metas: impl Iterator<Item = (DType, Shape)>) -> PyResult<Self> {
        let mut results = SmallVec::new();
        results.reserve(metas.size_hint().1.unwrap_or(0));
        for (dtype, shape) in metas {
            let array =
                if shape.is_empty() { None } else { Some(nd::unwritten(py, dtype, &shape)?) };
            results.push(Output { dtype, array, word: [0] });
        }
        Ok(Self { py, results })
    }

    /// Where each is to be written, for as long as this stays in its place.
    pub fn places(&mut self) -> SmallVec<[Target; 2]> {
        let place = |output: &mut Output<'_>| match &output.array {
            Some((_, ptr)) => Target(*ptr),
            None => Target(output.word.as_mut_ptr().cast()),
        };
        self.results.iter_mut().map(place).collect()
    }

    /// How many elements the results have.
    pub fn elements(&self) -> usize {
        self.results.iter().map(|output| output.shape().iter().product::<usize>()).sum()
    }

    fn get(&self, at: usize) -> PyResult<&Output<'py>> {
        self.results.get(at).ok_or_else(run::missing)
    }

    /// A result, which was written: an ndarray, or a NumPy scalar.
    pub fn give(&self, at: usize) -> PyResult<Obj<'py>> {
        let Output { dtype, array, word, .. } = self.get(at)?;
        match array {
            Some((array, _)) => Ok(array.clone()),
            None => nd::value(self.py, *dtype, word),
        }
    }

    /// A copy of a result, which was written.
    pub fn copy(&self, at: usize) -> PyResult<Storage> {
        let output = self.get(at)?;
        let (dtype, shape) = (output.dtype, output.shape());
        let word = output.word.as_ptr().cast();
        let ptr = output.array.as_ref().map_or(word, |(_, ptr)| ptr.cast_const());
        let bytes = shape.iter().product::<usize>() * dtype.size();
        // SAFETY: the memory of the result, all of whose elements were written.
        let bytes = unsafe { std::slice::from_raw_parts(ptr, bytes) };
        error::checked(self.py, || Storage::from_bytes(bytes, dtype, shape.into()))
    }
}

impl Output<'_> {
    fn shape(&self) -> &[usize] {
        self.array.as_ref().and_then(|(array, _)| view(array)).map_or(&[], |view| view.shape)
    }
}

/// Runs a plan on what was bound to it, on arrays of a length if that may be another one, without the GIL if it
/// takes long.
///
/// # Safety
/// The inputs' memory is of the layouts that the plan was made for, and is there and not written until this is
/// over.
pub unsafe fn run_ready<'py>(
    py: Python<'py>,
    trace: &Trace,
    ready: &Ready,
    inputs: &Inputs,
    length: usize,
) -> PyResult<Outputs<'py>> {
    let mut outputs = Outputs::new(py, ready.results(length))?;
    let places = outputs.places();
    let (what, steps) = (ready.givens(trace, inputs), ready.length(length));
    // SAFETY: the caller's promise; results have the sizes that were asked for, and nobody else has them yet.
    let run = |ctx: &Context<'_>| unsafe { ready.plan().run_given(&what, &places, steps, ctx) };
    if ready.is_quick(length) {
        run::held(py, run)?;
    } else {
        run::released(py, run)?;
    }
    Ok(outputs)
}
