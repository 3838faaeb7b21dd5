//! From a call to its result: record in a block, compute at once outside of one.
//!
//! The only file that starts evaluations.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::exceptions::PyRuntimeWarning;
use pyo3::prelude::*;

use super::array::Array;
use super::cell::Held;
use super::jit::Tracing;
use super::mode::{self, Block};
use super::{convert, error, nd, span};
use crate::buffer::Storage;
use crate::error::Result;
use crate::eval::{self, Context, Evaluation, Tally};
use crate::expr::{self, Prim, Span, with_span};
use crate::shape::Item;

/// A call of one of rnp's functions: its mode, and the trace that its operands belong to.
pub struct Call<'py> {
    py: Python<'py>,
    op: Cow<'static, str>,
    block: Option<Bound<'py, Block>>,
    trace: Option<Arc<Tracing>>,
    span: Span,
}

impl<'py> Call<'py> {
    /// Starts the call of `op`.
    pub fn new(py: Python<'py>, op: impl Into<Cow<'static, str>>) -> PyResult<Self> {
        Ok(Self::of(py, op, mode::current(py)?))
    }

    /// Starts the call of `op` in a block, or outside of all.
    pub fn of(
        py: Python<'py>,
        op: impl Into<Cow<'static, str>>,
        block: Option<Bound<'py, Block>>,
    ) -> Self {
        let span = if block.is_some() { span::here(py) } else { Span::default() };
        let trace = block.as_ref().and_then(|b| b.get().trace().cloned());
        Self { py, op: op.into(), block, trace, span }
    }

    /// Whether results are recorded.
    pub fn is_lazy(&self) -> bool {
        self.block.is_some()
    }

    /// The innermost block.
    pub fn block(&self) -> Option<&Block> {
        self.block.as_ref().map(Bound::get)
    }

    /// The trace that the operands so far belong to.
    pub fn trace(&self) -> Option<&Arc<Tracing>> {
        self.trace.as_ref()
    }

    /// The user's line, if results are recorded.
    pub fn span(&self) -> Span {
        self.span
    }

    /// An operand; outside a block a deferred one is evaluated first, and keeps its value.
    pub fn operand(&mut self, obj: &Bound<'py, PyAny>) -> PyResult<expr::Array> {
        if let Ok(array) = obj.cast::<Array>() {
            return self.array(array.get());
        }
        with_span(self.span, || {
            convert::capture(&self.op, obj, self.block.as_ref().map(Bound::get))
        })
    }

    /// `operand`, for an rnp array.
    pub fn array(&mut self, array: &Array) -> PyResult<expr::Array> {
        let held = array.handle().get();
        match held.trace {
            Some(trace) => {
                trace.check(self.py, &self.op)?;
                if self.trace.is_none() {
                    self.trace = Some(trace);
                }
            }
            None if self.block.is_none() => {
                keep(self.py, std::slice::from_ref(&held.expr))?;
            }
            None => {}
        }
        Ok(held.expr)
    }

    /// What is about to be written into a deferred array: recorded in either mode.
    pub fn written(&self, obj: &Bound<'py, PyAny>) -> PyResult<Held> {
        if let Ok(array) = obj.cast::<Array>() {
            let held = array.get().handle().get();
            if let Some(trace) = &held.trace {
                trace.check(self.py, &self.op)?;
            }
            return Ok(held);
        }
        let expr = self.spanned(|| convert::recorded(&self.op, obj, self.block()))?;
        let trace = self.trace.clone().filter(|_| expr.is_traced());
        Ok(Held { expr, trace })
    }

    /// Builds an expression; its nodes carry the user's line.
    pub fn build<T>(&self, f: impl FnOnce() -> Result<T>) -> PyResult<T> {
        error::checked(self.py, || with_span(self.span, f))
    }

    /// Runs `f`; the nodes that it makes carry the user's line.
    pub fn spanned<T>(&self, f: impl FnOnce() -> T) -> T {
        with_span(self.span, f)
    }

    /// The result: an `rnp.Array` in a block, else what NumPy returns.
    pub fn finish(&self, out: expr::Array) -> PyResult<Bound<'py, PyAny>> {
        if self.block.is_some() || out.is_traced() {
            let trace = self.trace.clone().filter(|_| out.is_traced());
            if let Some(block) = self.block().filter(|_| trace.is_none()) {
                mode::note_recorded(self.py, block, &out);
            }
            return Ok(Bound::new(self.py, Array::new(out, trace))?.into_any());
        }
        let value = once(self.py, &[out])?.pop();
        nd::result(self.py, &value.ok_or_else(missing)?)
    }

    /// `run`, for functions that make arrays: outside a block the result is one, even a 0-d one.
    pub fn run_array(self, f: impl FnOnce() -> Result<expr::Array>) -> PyResult<Bound<'py, PyAny>> {
        let py = self.py;
        let lazy = self.is_lazy();
        let out = self.run(f)?;
        if lazy || out.is_instance_of::<Array>() {
            return Ok(out);
        }
        py.import("numpy")?.call_method1("asarray", (out,))
    }

    /// `run_array`, for views of `a`: a NumPy scalar stays one.
    pub fn run_view(
        self,
        a: &Bound<'py, PyAny>,
        f: impl FnOnce() -> Result<expr::Array>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if self.block.is_some()
            && let Ok(array) = a.cast::<Array>()
        {
            let out = self.build(f)?;
            return self.finish_view(array.get(), out);
        }
        if a.is_instance(&self.py.import("numpy")?.getattr("generic")?)? {
            return self.run(f);
        }
        self.run_array(f)
    }

    /// A recorded result that is one view of `base`: writes go both ways where NumPy's would.
    fn finish_view(&self, base: &Array, out: expr::Array) -> PyResult<Bound<'py, PyAny>> {
        let step = out.last_view();
        let aliased = match &step {
            // An element is a value, where NumPy gives a scalar and no 0-d array.
            Prim::Index(items) => out.rank() > 0 || items.contains(&Item::Ellipsis),
            Prim::Transpose(_) | Prim::Broadcast(_) => true,
            Prim::Reshape(_) => base.handle().reshapes_in_place(out.shape()),
            _ => false,
        };
        if !aliased {
            return self.finish(out);
        }
        self.finish_as(base, step, out)
    }

    /// A recorded result that is what `step` makes of `base`.
    fn finish_as(&self, base: &Array, step: Prim, out: expr::Array) -> PyResult<Bound<'py, PyAny>> {
        if let Some(block) = self.block().filter(|_| !out.is_traced()) {
            mode::note_recorded(self.py, block, &out);
        }
        Ok(Bound::new(self.py, base.view(step, out))?.into_any())
    }

    /// A part of complex numbers as a view.
    pub fn run_part(self, base: &Array, imag: bool) -> PyResult<Bound<'py, PyAny>> {
        let step = Prim::Component(imag);
        let out = self.build(|| base.expr().view(&step))?;
        if self.block.is_none() && !out.is_traced() {
            return self.finish(out);
        }
        self.finish_as(base, step, out)
    }

    /// Builds and finishes.
    pub fn run(self, f: impl FnOnce() -> Result<expr::Array>) -> PyResult<Bound<'py, PyAny>> {
        let out = self.build(f)?;
        self.finish(out)
    }
}

/// One of as many values as arrays did not come.
pub fn missing() -> PyErr {
    pyo3::exceptions::PyRuntimeError::new_err("an evaluation gave too few values (a bug in rnp)")
}

/// Evaluates and keeps the values in the arrays.
pub fn keep(py: Python<'_>, arrays: &[expr::Array]) -> PyResult<Vec<Storage>> {
    let wanted = eval::pending(arrays);
    if !wanted.is_empty() {
        let (values, tally) = counted(py, &wanted)?;
        mode::note_kept(py, &wanted, &tally);
        for (array, value) in wanted.iter().zip(values) {
            array.set_value(value);
        }
    }
    Ok(arrays.iter().filter_map(expr::Array::value).collect())
}

/// Evaluates arrays, which do not keep their values.
pub fn once(py: Python<'_>, arrays: &[expr::Array]) -> PyResult<Vec<Storage>> {
    Ok(counted(py, arrays)?.0)
}

fn counted(py: Python<'_>, arrays: &[expr::Array]) -> PyResult<(Vec<Storage>, Tally)> {
    let evaluation = error::guard(|| Ok(Evaluation::new(arrays)));
    let evaluation = evaluation.map_err(|e| error::raise(py, &e))?;
    let (values, tally) = if evaluation.is_quick() {
        held(py, |ctx| evaluation.run(ctx))?
    } else {
        released(py, |ctx| evaluation.run(ctx))?
    };
    mode::note_evaluation(py, &tally)?;
    Ok((values, tally))
}

/// Runs the engine for a moment, with the GIL: giving it up and taking it again would take longer.
pub fn held<T>(py: Python<'_>, f: impl FnOnce(&Context<'_>) -> Result<T>) -> PyResult<T> {
    let out = error::guard(|| f(&Context::default()));
    warn(py)?;
    out.map_err(|e| error::raise(py, &e))
}

/// Runs the engine without the GIL. Signals are looked at when the engine asks, and the exception that
/// a handler raised is raised here.
pub fn released<T: Send>(
    py: Python<'_>,
    f: impl FnOnce(&Context<'_>) -> Result<T> + Send,
) -> PyResult<T> {
    let raised: Mutex<Option<PyErr>> = Mutex::new(None);
    let out = py.detach(|| {
        let check = || {
            Python::attach(|py| match py.check_signals() {
                Ok(()) => false,
                Err(e) => {
                    *raised.lock().unwrap_or_else(PoisonError::into_inner) = Some(e);
                    true
                }
            })
        };
        error::guard(|| f(&Context { interrupt: Some(&check), ..Context::default() }))
    });
    if let Some(e) = raised.into_inner().unwrap_or_else(PoisonError::into_inner) {
        return Err(e);
    }
    warn(py)?;
    out.map_err(|e| error::raise(py, &e))
}

/// Raises the warnings that the engine has kept.
pub fn warn(py: Python<'_>) -> PyResult<()> {
    while let Some(text) = crate::runtime::take_warning() {
        let text = std::ffi::CString::new(text).unwrap_or_default();
        PyErr::warn(py, &py.get_type::<PyRuntimeWarning>(), &text, 1)?;
    }
    Ok(())
}
