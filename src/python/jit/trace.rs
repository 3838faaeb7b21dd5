//! A trace while it is being recorded: what the function looked at and what it closed over.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;

use super::super::convert::{Copying, memory};
use super::super::error::TraceError;
use super::super::{nd, run, span};
use crate::buffer::Storage;
use crate::dtype::DType;
use crate::expr::{self, Number};
use crate::op::Weak;
use crate::shape::Shape;
use crate::trace::{Argument, Trace};

/// An ndarray that the function closed over: read anew at each call.
pub struct Captured {
    /// The ndarray.
    pub array: Py<PyAny>,
    /// Its elements when traced.
    pub dtype: DType,
    /// Its shape when traced.
    pub shape: Shape,
    expr: expr::Array,
}

/// What the recording of a function shares with its tracers.
pub struct Tracing {
    active: AtomicBool,
    lengths: AtomicBool,
    /// Whether a value of a Python integer was used as an index.
    integers: AtomicBool,
    /// The arguments of the call that is traced.
    arguments: Vec<Argument>,
    captured: Mutex<Vec<Captured>>,
    name: String,
}

impl Tracing {
    /// Starts the recording of a function called `name`.
    pub fn new(arguments: Vec<Argument>, name: String) -> Self {
        Self {
            active: AtomicBool::new(true),
            lengths: AtomicBool::new(false),
            integers: AtomicBool::new(false),
            arguments,
            captured: Mutex::default(),
            name,
        }
    }

    /// The recording is over: its tracers are worth nothing from here on.
    pub fn close(&self) {
        self.active.store(false, Ordering::Release);
    }

    /// Whether the function is still being recorded.
    pub fn is_active(&self) -> bool {
        self.active.load(Ordering::Acquire)
    }

    /// Notes that the function looked at a length.
    pub fn look_at_lengths(&self) {
        self.lengths.store(true, Ordering::Release);
    }

    /// Whether the function looked at a length.
    pub fn looked_at_lengths(&self) -> bool {
        self.lengths.load(Ordering::Acquire)
    }

    /// Whether the function used a Python integer as an index.
    pub fn looked_at_integers(&self) -> bool {
        self.integers.load(Ordering::Acquire)
    }

    fn captured(&self) -> MutexGuard<'_, Vec<Captured>> {
        self.captured.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The ndarrays that the function closed over, in the order of their parameters.
    pub fn take_captured(&self) -> Vec<Captured> {
        std::mem::take(&mut *self.captured())
    }

    /// An ndarray that the function closed over, as a further parameter.
    pub fn capture(&self, op: &str, array: &Bound<'_, PyAny>) -> PyResult<expr::Array> {
        let known =
            |all: &[Captured]| all.iter().find(|c| c.array.is(array)).map(|c| c.expr.clone());
        if let Some(expr) = known(&self.captured()) {
            return Ok(expr);
        }
        let layout = nd::layout(op, array)?;
        let mut all = self.captured();
        let at = (self.arguments.len() + all.len()) as u32;
        let expr = expr::Array::param(at, layout.dtype, layout.shape.clone());
        all.push(Captured {
            array: array.clone().unbind(),
            dtype: layout.dtype,
            shape: layout.shape,
            expr: expr.clone(),
        });
        Ok(expr)
    }

    /// An error if the recording is over.
    pub fn check(&self, py: Python<'_>, op: &str) -> PyResult<()> {
        if self.is_active() {
            return Ok(());
        }
        let at = span::here(py).text().map(|t| format!(" ({t})")).unwrap_or_default();
        Err(TraceError::new_err(format!(
            "{op}: this array stood for an argument while {} was traced, and has no value{at}; return \
             it from the function instead of keeping it",
            self.name
        )))
    }

    /// The error of asking a tracer for its value.
    pub fn refuse(&self, py: Python<'_>, why: &str, expr: &expr::Array) -> PyErr {
        if let Err(leaked) = self.check(py, why) {
            return leaked;
        }
        let at = span::here(py).text().map(|t| format!("{t}: ")).unwrap_or_default();
        let made = expr.span().text().map(|t| format!(", made at {t},")).unwrap_or_default();
        let shape = crate::shape::show(expr.shape());
        TraceError::new_err(format!(
            "{at}{why} needs a value, but {} is being traced, and this {} array of shape {shape}{made} \
             has none yet; to choose by value use rnp.where(condition, a, b), and to fix an argument while tracing name \
             it in rnp.jit(static=(...))",
            self.name,
            expr.dtype()
        ))
    }

    /// A traced Python integer used as an index, a length or an axis: its value in this call, on which
    /// the trace then depends.
    pub fn index<'py>(&self, py: Python<'py>, expr: &expr::Array) -> PyResult<Bound<'py, PyAny>> {
        if expr.weak() != Some(Weak::Int) {
            return Err(self.refuse(py, "an index, a length or an axis", expr));
        }
        self.check(py, "an index")?;
        self.integers.store(true, Ordering::Release);
        if let expr::Prim::NumberParam(at) = expr.prim()
            && let Some(Argument::Number(Number::Int(v))) = self.arguments.get(*at as usize)
        {
            return Ok(v.into_pyobject(py)?.into_any());
        }
        let arguments = self.arguments_now(py)?;
        let outputs = [expr.clone()];
        let value = run::released(py, |ctx| Trace::new(&outputs)?.call(&arguments, ctx))?;
        let value = nd::result(py, value.first().ok_or_else(run::missing)?)?;
        value.call_method0("__index__")
    }

    fn arguments_now(&self, py: Python<'_>) -> PyResult<Vec<Argument>> {
        let mut all = self.arguments.clone();
        let arrays: Vec<Py<PyAny>> =
            self.captured().iter().map(|c| c.array.clone_ref(py)).collect();
        for array in arrays {
            all.push(Argument::Array(borrow(array.bind(py))?));
        }
        Ok(all)
    }
}

/// The memory of an ndarray as an argument.
pub fn borrow(array: &Bound<'_, PyAny>) -> PyResult<Storage> {
    memory("rnp.jit", array, Copying::Never)
}
