//! Whether a line is recorded or computed at once: lazy blocks, in a `ContextVar`.
//!
//! The variable holds the block that was entered last in this context, which leads to the one around it. A
//! block says itself whether it is still active, so neither a mis-ordered exit nor a task that copied the
//! context can leave anybody lazy. May not know: arrays, ops.

use std::cell::RefMut;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use smallvec::SmallVec;

use super::error::FallbackError;
use super::gil::GilCell;
use super::jit::Tracing;
use super::report::{Log, Report};
use super::snapshot::Snapshots;
use super::tape::Taped;
use super::{cpython, span};
use crate::eval::Tally;
use crate::expr;

/// How many blocks are active in the process: with none the variable need not be read.
static ACTIVE: AtomicUsize = AtomicUsize::new(0);
static VARIABLE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
/// The logs of blocks that were left and are held: of what is recorded in them, some is evaluated afterwards.
static LEFT: GilCell<Vec<Weak<GilCell<Log>>>> = GilCell::new(Vec::new());
/// A block that recorded at most this many arrays may be left in the variable, inactive, until the next
/// one takes its place: taking it out costs as much as recording an operation.
const FEW: usize = 64;

/// An entered `with rnp.lazy():`.
#[pyclass(frozen, module = "rnp", name = "Block")]
pub struct Block {
    active: AtomicBool,
    /// The block around it, or another one that is around that.
    outer: GilCell<Option<Py<Block>>>,
    /// The outermost block, whose snapshots this one uses; `None` if it is that itself, and once it was left.
    outermost: GilCell<Option<Py<Block>>>,
    snapshots: GilCell<Snapshots>,
    /// Whether what NumPy would have to answer is an error.
    strict: bool,
    trace: Option<Arc<Tracing>>,
    log: Arc<GilCell<Log>>,
    /// Short arrays that are recorded.
    taped: GilCell<Option<Arc<Taped>>>,
}

impl Block {
    /// The trace that the block records, if it is one of `rnp.jit` or inside one. A block that was left
    /// open inside a trace records no more of it once the trace is over.
    pub fn trace(&self) -> Option<&Arc<Tracing>> {
        self.trace.as_ref().filter(|t| t.is_active())
    }

    /// Does something with the copies of inputs made in it.
    pub fn with_snapshots<T>(&self, py: Python<'_>, f: impl FnOnce(&mut Snapshots) -> T) -> T {
        let outermost = self.outermost.borrow(py).as_ref().map(|block| block.clone_ref(py));
        let owner = outermost.as_ref().map_or(self, Py::get);
        f(&mut owner.snapshots.borrow(py))
    }

    /// What happened in it.
    fn log<'a>(&'a self, py: Python<'a>) -> RefMut<'a, Log> {
        self.log.borrow(py)
    }

    /// The tape that is written on.
    pub fn taped(&self, py: Python<'_>) -> Arc<Taped> {
        let mut taped = self.taped.borrow(py);
        if let Some(taped) = taped.as_ref().filter(|taped| taped.has_room(py)) {
            return taped.clone();
        }
        let new = Taped::new(&self.log);
        self.log(py).taped(&new);
        let old = taped.replace(new.clone());
        // What nobody holds of it goes, and its keeper may be a Python object: with nothing borrowed.
        drop(taped);
        drop(old);
        new
    }

    /// Whether the log is told of what is recorded in the block.
    pub fn has_log(&self, log: &Weak<GilCell<Log>>) -> bool {
        std::ptr::eq(log.as_ptr(), Arc::as_ptr(&self.log))
    }

    /// The innermost active block around it, to which it leads directly from now on.
    fn around<'py>(&self, py: Python<'py>) -> Option<Bound<'py, Block>> {
        let next = self.outer.borrow(py).as_ref().map(|outer| outer.bind(py).clone());
        let active = innermost(next.clone());
        if !same(next.as_ref(), active.as_ref()) {
            let new = active.clone().map(Bound::unbind);
            let gone = std::mem::replace(&mut *self.outer.borrow(py), new);
            // With nothing borrowed.
            drop((gone, next));
        }
        active
    }

    fn close(&self, py: Python<'_>) {
        if self.active.swap(false, Ordering::AcqRel) {
            ACTIVE.fetch_sub(1, Ordering::AcqRel);
            // What is held of it lives on; what is not goes with nothing borrowed.
            let gone = self.taped.borrow(py).take();
            drop(gone);
            let outermost = self.outermost.borrow(py).take();
            if outermost.is_none() {
                self.snapshots.borrow(py).clear();
            }
            let is_empty = {
                let mut log = self.log(py);
                log.leave();
                log.is_short(0)
            };
            if self.trace.is_none() && !is_empty {
                note_log(py, &self.log);
            }
        }
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        // SAFETY: objects of Python's go with the GIL held.
        let py = unsafe { Python::assume_attached() };
        self.close(py);
        // A long chain that nobody else holds goes in a loop.
        let mut next = self.outer.borrow(py).take();
        // SAFETY: the object is alive, and the GIL is held.
        let alone = |block: &Py<Block>| unsafe { pyo3::ffi::Py_REFCNT(block.as_ptr()) } == 1;
        while let Some(block) = next.take().filter(alone) {
            next = block.bind(py).get().outer.borrow(py).take();
        }
    }
}

#[pymethods]
impl Block {
    /// Whether the block has not been left yet.
    #[getter]
    fn active(&self) -> bool {
        self.active.load(Ordering::Acquire)
    }

    /// What was recorded and run in the block, and what is still to run: ops, loops, bytes, fallbacks.
    ///
    /// Arrays recorded in the block that are held and not evaluated count as if they were evaluated
    /// together now; those evaluated after the block was left, as they were. Runs nothing.
    fn report(&self, py: Python<'_>) -> PyResult<Report> {
        let log = self.log(py).clone();
        log.report(py)
    }

    fn __repr__(&self) -> &'static str {
        if self.active() { "<rnp.lazy block, active>" } else { "<rnp.lazy block, left>" }
    }
}

fn variable(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    let var = VARIABLE.get_or_try_init(py, || {
        let class = py.import("contextvars")?.getattr("ContextVar")?;
        Ok::<_, PyErr>(class.call1(("rnp.lazy",))?.unbind())
    })?;
    Ok(var.bind(py))
}

fn same(a: Option<&Bound<'_, Block>>, b: Option<&Bound<'_, Block>>) -> bool {
    a.map(Bound::as_ptr) == b.map(Bound::as_ptr)
}

/// The block that was entered last in this context and not taken out again.
fn entered(py: Python<'_>) -> PyResult<Option<Bound<'_, Block>>> {
    Ok(cpython::value(variable(py)?)?.and_then(|value| value.cast_into().ok()))
}

/// A block or the next one around it that is active.
fn innermost(block: Option<Bound<'_, Block>>) -> Option<Bound<'_, Block>> {
    let mut block = block?;
    while !block.get().active() {
        let py = block.py();
        let outer = block.get().outer.borrow(py).as_ref().map(|outer| outer.bind(py).clone())?;
        block = outer;
    }
    Some(block)
}

/// The blocks of this context that are active, innermost first.
fn blocks(py: Python<'_>) -> PyResult<SmallVec<[Bound<'_, Block>; 2]>> {
    let mut all = SmallVec::new();
    let mut next = current(py)?;
    while let Some(block) = next {
        next = block.get().around(py);
        all.push(block);
    }
    Ok(all)
}

/// The innermost active block.
pub fn current(py: Python<'_>) -> PyResult<Option<Bound<'_, Block>>> {
    if ACTIVE.load(Ordering::Acquire) == 0 {
        return Ok(None);
    }
    Ok(innermost(entered(py)?))
}

/// Notes that NumPy answers a call, at once or as an opaque node, in all blocks of this context.
///
/// A block made with `fallbacks="error"` refuses: `rnp.FallbackError`.
#[pyfunction]
#[pyo3(signature = (name, at_once, /))]
fn _note_fallback(py: Python<'_>, name: &str, at_once: bool) -> PyResult<()> {
    let blocks = blocks(py)?;
    let place = span::here(py).text().map_or(String::new(), |t| format!(" ({t})"));
    if blocks.first().is_some_and(|b| b.get().strict) {
        return Err(FallbackError::new_err(format!(
            "{name}{place} has no kernel of rnp and would run through NumPy, which \
             rnp.lazy(fallbacks=\"error\") forbids"
        )));
    }
    for block in blocks {
        block.get().log(py).fallback(format!("{name}{place}"), at_once);
    }
    Ok(())
}

/// Tells all blocks of this context of an evaluation that runs in it.
pub fn note_evaluation(py: Python<'_>, done: &Tally) -> PyResult<()> {
    if ACTIVE.load(Ordering::Acquire) > 0 {
        let mut next = current(py)?;
        while let Some(block) = next {
            block.get().log(py).evaluated(done);
            next = block.get().around(py);
        }
    }
    Ok(())
}

/// Tells blocks that were left of an evaluation of arrays that were recorded in them.
pub fn note_kept(py: Python<'_>, arrays: &[expr::Array], done: &Tally) {
    for log in LEFT.borrow(py).iter().filter_map(Weak::upgrade) {
        let mut log = log.borrow(py);
        if arrays.iter().any(|array| log.has_recorded(array)) {
            log.evaluated(done);
        }
    }
}

/// Keeps the log of a block that was left.
fn note_log(py: Python<'_>, log: &Arc<GilCell<Log>>) {
    let mut left = LEFT.borrow(py);
    left.retain(|known| known.strong_count() > 0 && known.as_ptr() != Arc::as_ptr(log));
    left.push(Arc::downgrade(log));
}

/// Tells a block of an array that was noted in it and that has become an expression.
pub fn note_late(py: Python<'_>, log: &Arc<GilCell<Log>>, array: &expr::Array) {
    let is_left = {
        let mut log = log.borrow(py);
        log.recorded(array);
        log.is_left()
    };
    if is_left {
        note_log(py, log);
    }
}

/// Tells a block that was left of an evaluation of what was noted in it.
pub fn note_left(py: Python<'_>, log: &GilCell<Log>, done: &Tally) {
    let mut log = log.borrow(py);
    if log.is_left() {
        log.evaluated(done);
    }
}

/// Tells the innermost block of an array that was recorded in it.
pub fn note_recorded(py: Python<'_>, block: &Block, array: &expr::Array) {
    block.log(py).recorded(array);
}

/// Enters a block; one without a trace of its own belongs to the trace that it is entered in.
pub fn enter(
    py: Python<'_>,
    trace: Option<Arc<Tracing>>,
    strict: Option<bool>,
) -> PyResult<Bound<'_, Block>> {
    let outer = current(py)?;
    let around = outer.as_ref().map(Bound::get);
    let strict = strict.unwrap_or_else(|| around.is_some_and(|outer| outer.strict));
    // A trace reads its inputs anew at each call, so it keeps no copies beyond itself.
    let outermost = outer.as_ref().filter(|_| trace.is_none()).map(|outer| {
        let outermost = outer.get().outermost.borrow(py).as_ref().map(|block| block.clone_ref(py));
        let active = outermost.filter(|block| block.get().active());
        active.unwrap_or_else(|| outer.clone().unbind())
    });
    let trace = trace.or_else(|| around.and_then(|outer| outer.trace().cloned()));
    if let Some(outer) = around {
        // What was left of those around it goes, however long blocks overlap.
        outer.around(py);
    }
    let block = Block {
        active: AtomicBool::new(false),
        outer: GilCell::new(outer.map(Bound::unbind)),
        outermost: GilCell::new(outermost),
        snapshots: GilCell::default(),
        strict,
        trace,
        log: Arc::default(),
        taped: GilCell::default(),
    };
    let block = Bound::new(py, block)?;
    cpython::set_value(variable(py)?, block.as_any())?;
    block.get().active.store(true, Ordering::Release);
    ACTIVE.fetch_add(1, Ordering::AcqRel);
    Ok(block)
}

/// Leaves a block, in whatever order and context.
pub fn exit(block: &Bound<'_, Block>) -> PyResult<()> {
    let py = block.py();
    block.get().close(py);
    let alone = block.get().outer.borrow(py).is_none();
    if alone && block.get().log(py).is_short(FEW) {
        return Ok(());
    }
    let last = entered(py)?;
    let next = innermost(last.clone());
    if same(last.as_ref(), next.as_ref()) {
        return Ok(());
    }
    let none = py.None().into_bound(py);
    cpython::set_value(variable(py)?, next.as_ref().map_or(&none, |next| next.as_any()))?;
    Ok(())
}

/// Runs `f` as if no block had been entered: what an evaluation calls must not depend on who asked for it.
pub fn outside<T>(py: Python<'_>, f: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
    let variable = variable(py)?;
    let token = cpython::set_value(variable, py.None().bind(py))?;
    let out = f();
    variable.call_method1(pyo3::intern!(py, "reset"), (token,))?;
    out
}

/// Records instead of computing, as a context manager or a decorator.
///
/// Inside `with rnp.lazy():` rnp's functions and operators return `rnp.Array`, which knows its dtype and
/// shape at once and its value later; one pass over memory then computes the whole chain. Blocks nest,
/// and end on any exception. Neither other threads nor other tasks of asyncio see them.
///
/// What rnp has no kernel for runs through NumPy, and `block.report()` names it;
/// `fallbacks="error"` makes it an `rnp.FallbackError` instead, in the blocks inside too.
///
/// >>> with rnp.lazy():
/// ...     y = rnp.sqrt([1.0, 4.0]) + 1.0
/// >>> y.eval()
/// array([2., 3.])
#[pyclass(frozen, module = "rnp", name = "lazy")]
pub struct Lazy {
    entered: GilCell<SmallVec<[Py<Block>; 1]>>,
    strict: Option<bool>,
}

#[pymethods]
impl Lazy {
    #[new]
    #[pyo3(signature = (*, fallbacks = None))]
    fn new(fallbacks: Option<&str>) -> PyResult<Self> {
        let strict = match fallbacks {
            None => None,
            Some("allow") => Some(false),
            Some("error") => Some(true),
            Some(other) => {
                return Err(PyValueError::new_err(format!(
                    "lazy: fallbacks is \"allow\" or \"error\", not {other:?}"
                )));
            }
        };
        Ok(Self { entered: GilCell::default(), strict })
    }

    /// Enters a block and returns it.
    fn __enter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, Block>> {
        let block = enter(py, None, self.strict)?;
        self.entered.borrow(py).push(block.clone().unbind());
        Ok(block)
    }

    /// Leaves the block that was entered last in this context.
    #[pyo3(signature = (_class = None, _exception = None, _traceback = None, /))]
    fn __exit__(
        &self,
        py: Python<'_>,
        _class: Option<&Bound<'_, PyAny>>,
        _exception: Option<&Bound<'_, PyAny>>,
        _traceback: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let several = self.entered.borrow(py).len() > 1;
        let here = if several { blocks(py)? } else { SmallVec::new() };
        let block = {
            let mut entered = self.entered.borrow(py);
            let mine = entered.iter().rposition(|b| here.iter().any(|h| h.is(b)));
            match mine {
                Some(at) => Some(entered.remove(at)),
                None => entered.pop(),
            }
        };
        block.map_or(Ok(()), |b| exit(b.bind(py)))
    }

    /// Decorates a function: each call runs in a block of its own.
    fn __call__<'py>(&self, function: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let helper = function.py().import("rnp._lazy")?;
        helper.getattr("decorate")?.call1((function,))
    }
}

/// Adds the blocks to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<Lazy>()?;
    m.add_class::<Block>()?;
    m.add_function(wrap_pyfunction!(_note_fallback, m)?)
}
