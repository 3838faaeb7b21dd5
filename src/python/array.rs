//! `rnp.Array`: the Python object of a deferred array, its attributes and its conversions.
//!
//! Operators and methods are thin: they call the functions that the module exports.

use std::sync::Arc;

use pyo3::basic::CompareOp;
use pyo3::exceptions::{PyAttributeError, PyTypeError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyTuple};

use super::cell::{Handle, Lens, Step};
use super::jit::Tracing;
use super::run::{self, Call};
use super::tape::{Keep, Noted};
use super::{elementwise, error, index, inspect, nd, reduce, ufunc, views};
use crate::dtype::DType;
use crate::expr::{self, Prim};
use crate::op::Op;
use crate::shape::Shape;

/// An array whose value is computed when it is needed, and then kept.
///
/// Made by rnp's functions inside `with rnp.lazy():`. Its dtype and shape are known at once; `.eval()`
/// gives the value as a NumPy array. Operators and methods follow NumPy; outside a block they compute
/// at once and return what NumPy returns.
#[pyclass(frozen, weakref, sequence, module = "rnp", name = "Array")]
pub struct Array {
    handle: Handle,
}

impl Array {
    /// The Python object of an expression; `trace` is the one that its tracers belong to.
    pub fn new(expr: expr::Array, trace: Option<Arc<Tracing>>) -> Self {
        Self { handle: Handle::own(expr, trace) }
    }

    /// An object that stands for an entry of a tape.
    pub fn noted(noted: Noted) -> Self {
        Self { handle: Handle::on_tape(noted) }
    }

    /// The object of a handle.
    pub fn at(handle: Handle) -> Self {
        Self { handle }
    }

    /// An argument of a function that is traced.
    pub fn argument(expr: expr::Array, trace: Arc<Tracing>) -> Self {
        Self { handle: Handle::argument(expr, trace) }
    }

    /// An object that shows what `step` makes of this one, `expr`.
    pub fn view(&self, step: Prim, expr: expr::Array) -> Self {
        Self { handle: self.handle.view(Step::Prim(step), expr) }
    }

    /// An object that shows what a lens makes of this one, `expr`.
    pub fn seen(&self, lens: Arc<Lens>, expr: expr::Array) -> Self {
        Self { handle: self.handle.view(Step::Lens(lens), expr) }
    }

    /// What the object stands for.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// The expression as of now.
    pub fn expr(&self) -> expr::Array {
        self.handle.get().expr
    }

    /// Its dtype and shape.
    pub fn meta(&self) -> (DType, Shape) {
        // SAFETY: an object of Python's, which only who holds the GIL has in hand.
        let py = unsafe { Python::assume_attached() };
        match self.handle.noted() {
            Some((taped, at)) => taped.meta(py, at),
            None => {
                let expr = self.expr();
                (expr.dtype(), expr.shape().clone())
            }
        }
    }

    /// The trace that it belongs to, if a traced argument lies below it.
    pub fn trace(&self) -> Option<Arc<Tracing>> {
        self.handle.get().trace
    }

    /// Tells the trace, if there is one, that the function looked at a length.
    pub fn look(&self) {
        if self.handle.noted().is_some() {
            return;
        }
        let held = self.handle.get();
        if let Some(trace) = held.trace.filter(|_| held.expr.rank() > 0) {
            trace.look_at_lengths();
        }
    }

    /// The kept value as a read-only ndarray; evaluates if need be. `TraceError` for a tracer.
    pub fn value<'py>(&self, py: Python<'py>, why: &str) -> PyResult<Bound<'py, PyAny>> {
        self.compute(py, Keep::Always)?;
        let held = self.handle.get();
        if let Some(trace) = &held.trace {
            return Err(trace.refuse(py, why, &held.expr));
        }
        let value = run::keep(py, std::slice::from_ref(&held.expr))?.pop();
        nd::view(py, &value.ok_or_else(run::missing)?)
    }

    /// The value of an entry of a tape, computed at once; `None` if it stands for none, or that takes longer.
    fn compute<'py>(&self, py: Python<'py>, keep: Keep) -> PyResult<Option<Bound<'py, PyAny>>> {
        let Some((taped, at)) = self.handle.noted() else { return Ok(None) };
        let keep = match keep {
            Keep::Always if self.handle.is_seen() => return Ok(None),
            Keep::Worth if self.handle.is_seen() => Keep::Elsewhere,
            keep => keep,
        };
        let values = taped.evaluate(py, &[at], keep)?;
        let Some((value, kept)) = values.and_then(|mut values| values.pop()) else {
            return Ok(None);
        };
        if let Some(kept) = kept {
            self.handle.settle(*kept);
        }
        Ok(Some(value))
    }

    /// A fresh value as `.eval()` returns it, for the method `what`; `temporary` if the Python object is
    /// about to go.
    pub fn evaluate<'py>(
        &self,
        py: Python<'py>,
        what: &str,
        temporary: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let keep = if temporary { Keep::Not } else { Keep::Worth };
        if let Some(value) = self.compute(py, keep)? {
            return Ok(value);
        }
        let unseen = temporary && !self.handle.is_shared();
        let held = self.handle.get();
        if let Some(trace) = &held.trace {
            return Err(trace.refuse(py, what, &held.expr));
        }
        let arrays = std::slice::from_ref(&held.expr);
        let unseen = unseen && !held.expr.is_evaluated();
        let values = if unseen { run::once(py, arrays)? } else { run::keep(py, arrays)? };
        nd::result(py, &values.into_iter().next().ok_or_else(run::missing)?)
    }
}

/// Whether nobody but the running call, with so many references, holds the object.
pub fn is_temporary(obj: &Bound<'_, PyAny>, holders: isize) -> bool {
    // From 3.14 on the interpreter lends references of local variables without counting them.
    static COUNTED: PyOnceLock<bool> = PyOnceLock::new();
    let py = obj.py();
    // SAFETY: the object is alive, and the GIL is held.
    *COUNTED.get_or_init(py, || py.version_info() < (3, 14))
        && unsafe { pyo3::ffi::Py_REFCNT(obj.as_ptr()) } == holders
}

fn map2<'py>(op: Op, a: &Bound<'py, PyAny>, b: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    elementwise::operator(op, a, b)
}

type Obj<'py> = Bound<'py, PyAny>;
type Out<'py> = PyResult<Bound<'py, PyAny>>;

/// Writes the methods that the operators of Python call: their forward and their reflected form.
macro_rules! array_methods {
    ($($forward:ident $reflected:ident $op:ident;)+ ; $($unary:ident $uop:ident;)+ ; $($rest:tt)*) => {
        #[pymethods]
        impl Array {
            $(
                fn $forward<'py>(slf: &Bound<'py, Self>, other: &Obj<'py>) -> Out<'py> {
                    map2(Op::$op, slf.as_any(), other)
                }
                fn $reflected<'py>(slf: &Bound<'py, Self>, other: &Obj<'py>) -> Out<'py> {
                    map2(Op::$op, other, slf.as_any())
                }
            )+
            $(
                fn $unary<'py>(slf: &Bound<'py, Self>) -> Out<'py> {
                    elementwise::or_numpy(Op::$uop, &[slf.as_any()])
                }
            )+
            $($rest)*
        }
    };
}

array_methods! {
    __add__ __radd__ Add;
    __sub__ __rsub__ Subtract;
    __mul__ __rmul__ Multiply;
    __truediv__ __rtruediv__ Divide;
    __floordiv__ __rfloordiv__ FloorDivide;
    __mod__ __rmod__ Remainder;
    __and__ __rand__ BitwiseAnd;
    __or__ __ror__ BitwiseOr;
    __xor__ __rxor__ BitwiseXor;
    __lshift__ __rlshift__ LeftShift;
    __rshift__ __rrshift__ RightShift;
    ;
    __neg__ Negative;
    __pos__ Positive;
    __abs__ Absolute;
    __invert__ Invert;
    ;

    fn __pow__<'py>(slf: &Bound<'py, Self>, other: &Obj<'py>, modulo: Option<&Obj<'py>>) -> Out<'py> {
        if modulo.is_some() {
            return Ok(slf.py().NotImplemented().into_bound(slf.py()));
        }
        elementwise::power(slf, other)
    }

    fn __rpow__<'py>(slf: &Bound<'py, Self>, other: &Obj<'py>, modulo: Option<&Obj<'py>>) -> Out<'py> {
        if modulo.is_some() {
            return Ok(slf.py().NotImplemented().into_bound(slf.py()));
        }
        map2(Op::Power, other, slf.as_any())
    }

    fn __divmod__<'py>(slf: &Bound<'py, Self>, other: &Obj<'py>) -> Out<'py> {
        let parts = [map2(Op::FloorDivide, slf.as_any(), other)?, map2(Op::Remainder, slf.as_any(), other)?];
        Ok(PyTuple::new(slf.py(), parts)?.into_any())
    }

    fn __rdivmod__<'py>(slf: &Bound<'py, Self>, other: &Obj<'py>) -> Out<'py> {
        let parts = [map2(Op::FloorDivide, other, slf.as_any())?, map2(Op::Remainder, other, slf.as_any())?];
        Ok(PyTuple::new(slf.py(), parts)?.into_any())
    }

    fn __richcmp__<'py>(slf: &Bound<'py, Self>, other: &Obj<'py>, compare: CompareOp) -> Out<'py> {
        let op = match compare {
            CompareOp::Lt => Op::Less,
            CompareOp::Le => Op::LessEqual,
            CompareOp::Eq => Op::Equal,
            CompareOp::Ne => Op::NotEqual,
            CompareOp::Gt => Op::Greater,
            CompareOp::Ge => Op::GreaterEqual,
        };
        elementwise::compare(op, slf.as_any(), other)
    }

    #[classattr]
    fn __array_priority__() -> f64 {
        100.0
    }

    /// The type of the elements, a `numpy.dtype`.
    #[getter]
    fn dtype<'py>(&self, py: Python<'py>) -> Out<'py> {
        nd::dtype_object(py, self.meta().0)
    }

    /// The length of each axis.
    #[getter]
    fn shape<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        self.look();
        PyTuple::new(py, self.meta().1)
    }

    /// Gives the same elements another shape, for this object alone; the value must have as many. Where
    /// NumPy's array could not be seen under it without moving elements it is an AttributeError.
    #[setter]
    fn set_shape<'py>(slf: &Bound<'py, Self>, shape: &Obj<'py>) -> PyResult<()> {
        let array = slf.get();
        let dims = reduce::integers("shape", "a length", shape)?;
        let out = error::checked(slf.py(), || array.expr().reshape(&dims))?;
        if !array.handle().reshapes_in_place(out.shape()) {
            return Err(PyAttributeError::new_err(
                "incompatible shape for in-place modification; make a copy with the shape by x.reshape(...)",
            ));
        }
        error::checked(slf.py(), || array.handle().reshape(out))
    }

    /// Gives an object that views nothing, and is viewed by none, another value.
    fn _become<'py>(slf: &Bound<'py, Self>, value: &Bound<'py, Self>) -> PyResult<()> {
        error::checked(slf.py(), || slf.get().handle().replace(value.get().handle().get()))
    }

    /// The real part, a view; of a real array the array itself.
    #[getter]
    fn real<'py>(slf: &Bound<'py, Self>) -> Out<'py> {
        let mut call = Call::new(slf.py(), "real")?;
        let x = call.operand(slf.as_any())?;
        if call.is_lazy() && !x.dtype().is_complex() {
            return Ok(slf.clone().into_any());
        }
        call.run_part(slf.get(), false)
    }

    /// The imaginary part, a view; of a real array zeros.
    #[getter]
    fn imag<'py>(slf: &Bound<'py, Self>) -> Out<'py> {
        let mut call = Call::new(slf.py(), "imag")?;
        let x = call.operand(slf.as_any())?;
        if x.dtype().is_complex() { call.run_part(slf.get(), true) } else { call.run(|| x.imag()) }
    }

    /// The number of axes.
    #[getter]
    fn ndim(&self) -> usize {
        self.meta().1.len()
    }

    /// The number of elements.
    #[getter]
    fn size(&self) -> usize {
        self.look();
        self.meta().1.iter().product()
    }

    /// The bytes that the value takes.
    #[getter]
    fn nbytes(&self) -> usize {
        self.look();
        let (dtype, shape) = self.meta();
        shape.iter().product::<usize>() * dtype.size()
    }

    /// The bytes of one element.
    #[getter]
    fn itemsize(&self) -> usize {
        self.meta().0.size()
    }

    /// The array with its axes in reverse order.
    #[getter(T)]
    fn transposed<'py>(slf: &Bound<'py, Self>) -> Out<'py> {
        views::transpose(slf.as_any(), None)
    }

    /// The value as a fresh, writable NumPy array; of a 0-d array as a NumPy scalar.
    ///
    /// It is computed once and kept: a second call, and arrays made from this one, do not compute it
    /// again, and never see what the caller writes into the result.
    fn eval<'py>(slf: &Bound<'py, Self>) -> Out<'py> {
        slf.get().evaluate(slf.py(), ".eval()", is_temporary(slf.as_any(), 1))
    }

    /// The value as a fresh NumPy array; of a 0-d array as a 0-d array.
    fn to_numpy<'py>(slf: &Bound<'py, Self>) -> Out<'py> {
        nd::numpy_copy(&slf.get().value(slf.py(), ".to_numpy()")?)
    }

    /// The graph, what each pass changed, the loops; see `rnp.explain`.
    #[pyo3(signature = (*, machine_code = false))]
    fn explain(slf: &Bound<'_, Self>, machine_code: bool) -> PyResult<String> {
        inspect::explain_function(slf.as_any(), machine_code)
    }

    /// A copy, which later writes into this array do not reach; outside a block the value.
    #[pyo3(signature = (order = "C"))]
    fn copy<'py>(slf: &Bound<'py, Self>, order: &str) -> Out<'py> {
        // Values are in C order, and what is deferred has none.
        let _ = order;
        let mut call = Call::new(slf.py(), "copy")?;
        let expr = call.array(slf.get())?;
        call.finish(expr)
    }

    fn __copy__(&self) -> Self {
        let held = self.handle.get();
        Self::new(held.expr, held.trace)
    }

    fn __deepcopy__(&self, _memo: &Obj<'_>) -> Self {
        self.__copy__()
    }

    fn __getitem__<'py>(slf: &Bound<'py, Self>, key: &Obj<'py>) -> Out<'py> {
        index::get(slf, key)
    }

    fn __setitem__<'py>(slf: &Bound<'py, Self>, key: &Obj<'py>, value: &Obj<'py>) -> PyResult<()> {
        index::set(slf, key, value)
    }

    fn __len__(slf: &Bound<'_, Self>) -> PyResult<usize> {
        let array = slf.get();
        array.look();
        array.meta().1.first().copied().ok_or_else(|| PyTypeError::new_err("len() of unsized object"))
    }

    fn __iter__<'py>(slf: &Bound<'py, Self>) -> Out<'py> {
        index::iterate(slf)
    }

    fn __contains__(slf: &Bound<'_, Self>, item: &Obj<'_>) -> PyResult<bool> {
        slf.get().value(slf.py(), "`in`")?.contains(item)
    }

    fn __repr__(&self) -> String {
        let (dtype, shape) = self.meta();
        let state = match self.handle.is_evaluated() {
            _ if self.handle.noted().is_none() && self.trace().is_some() => "traced",
            true => "evaluated",
            false => "deferred",
        };
        format!("Array({dtype}{}, {state})", crate::shape::show(&shape))
    }

    fn __str__<'py>(slf: &Bound<'py, Self>) -> Out<'py> {
        Ok(slf.get().value(slf.py(), "str()")?.str()?.into_any())
    }

    fn __format__<'py>(slf: &Bound<'py, Self>, spec: &str) -> Out<'py> {
        let value = slf.get().value(slf.py(), "format()")?;
        // A 0-d array formats as its scalar.
        let value = if slf.get().expr().rank() == 0 { value.get_item(())? } else { value };
        value.call_method1("__format__", (spec,))
    }

    fn __bool__(slf: &Bound<'_, Self>) -> PyResult<bool> {
        slf.get().value(slf.py(), "bool() (an `if`, `and`, `or`, `not` or `while` on it)")?.is_truthy()
    }

    fn __float__<'py>(slf: &Bound<'py, Self>) -> Out<'py> {
        slf.get().value(slf.py(), "float()")?.call_method0("__float__")
    }

    fn __int__<'py>(slf: &Bound<'py, Self>) -> Out<'py> {
        slf.get().value(slf.py(), "int()")?.call_method0("__int__")
    }

    fn __complex__<'py>(slf: &Bound<'py, Self>) -> Out<'py> {
        slf.get().value(slf.py(), "complex()")?.call_method0("__complex__")
    }

    fn __index__<'py>(slf: &Bound<'py, Self>) -> Out<'py> {
        let array = slf.get();
        if let Some(trace) = array.trace() {
            return trace.index(slf.py(), &array.expr());
        }
        array.value(slf.py(), "an index")?.call_method0("__index__")
    }

    /// The value as nested Python lists of Python numbers.
    fn tolist<'py>(slf: &Bound<'py, Self>) -> Out<'py> {
        slf.get().value(slf.py(), ".tolist()")?.call_method0("tolist")
    }

    /// One element as a Python number; see `numpy.ndarray.item`.
    #[pyo3(signature = (*index))]
    fn item<'py>(slf: &Bound<'py, Self>, index: &Bound<'py, PyTuple>) -> Out<'py> {
        slf.get().value(slf.py(), ".item()")?.call_method1("item", index.clone())
    }

    #[pyo3(signature = (dtype = None, copy = None))]
    fn __array__<'py>(slf: &Bound<'py, Self>, dtype: Option<&Obj<'py>>, copy: Option<bool>) -> Out<'py> {
        ufunc::array(slf, dtype, copy)
    }

    #[pyo3(signature = (ufunc, method, *inputs, **keywords))]
    fn __array_ufunc__<'py>(slf: &Bound<'py, Self>, ufunc: &Obj<'py>, method: &str, inputs: &Bound<'py, PyTuple>, keywords: Option<&Bound<'py, PyDict>>) -> Out<'py> {
        let _ = slf;
        ufunc::array_ufunc(ufunc, method, inputs, keywords)
    }

    fn __array_function__<'py>(slf: &Bound<'py, Self>, function: &Obj<'py>, types: &Obj<'py>, args: &Obj<'py>, keywords: &Obj<'py>) -> Out<'py> {
        let helper = slf.py().import("rnp._dispatch")?.getattr("array_function")?;
        helper.call1((function, types, args, keywords))
    }

    fn __dlpack_device__(&self) -> (i32, i32) {
        (1, 0)
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> Out<'py> {
        ufunc::reduce_to_value(slf)
    }
}
