//! Whether a line is recorded or computed at once: lazy blocks, in a `ContextVar`.
//!
//! The variable holds a tuple of the blocks that were entered in this context. A block says itself
//! whether it is still active, so neither a mis-ordered exit nor a task that copied the context can
//! leave anybody lazy. May not know: arrays, ops.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyTuple;

use super::jit::Tracing;
use super::snapshot::Snapshots;

/// How many blocks are active in the process: with none the variable need not be read.
static ACTIVE: AtomicUsize = AtomicUsize::new(0);
static VARIABLE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// An entered `with rnp.lazy():`.
#[pyclass(frozen, module = "rnp", name = "Block")]
pub struct Block {
    active: AtomicBool,
    /// Shared with the blocks inside.
    snapshots: Arc<Mutex<Snapshots>>,
    outermost: bool,
    trace: Option<Arc<Tracing>>,
}

impl Block {
    /// The trace that the block records, if it is one of `rnp.jit` or inside one. A block that was left
    /// open inside a trace records no more of it once the trace is over.
    pub fn trace(&self) -> Option<&Arc<Tracing>> {
        self.trace.as_ref().filter(|t| t.is_active())
    }

    /// The copies of inputs made in it.
    pub fn snapshots(&self) -> MutexGuard<'_, Snapshots> {
        self.snapshots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self) {
        if self.active.swap(false, Ordering::AcqRel) {
            ACTIVE.fetch_sub(1, Ordering::AcqRel);
            if self.outermost {
                self.snapshots().clear();
            }
        }
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        self.close();
    }
}

#[pymethods]
impl Block {
    /// Whether the block has not been left yet.
    #[getter]
    fn active(&self) -> bool {
        self.active.load(Ordering::Acquire)
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

/// The blocks of this context that are active, outermost first.
fn blocks(py: Python<'_>) -> PyResult<Vec<Bound<'_, Block>>> {
    let value = variable(py)?.call_method1(pyo3::intern!(py, "get"), (py.None(),))?;
    let Ok(tuple) = value.cast_into::<PyTuple>() else { return Ok(Vec::new()) };
    let all = tuple.iter().filter_map(|b| b.cast_into::<Block>().ok());
    Ok(all.filter(|b| b.get().active()).collect())
}

/// The innermost active block.
pub fn current(py: Python<'_>) -> PyResult<Option<Bound<'_, Block>>> {
    if ACTIVE.load(Ordering::Acquire) == 0 {
        return Ok(None);
    }
    Ok(blocks(py)?.pop())
}

/// Enters a block; one without a trace of its own belongs to the trace that it is entered in.
pub fn enter(py: Python<'_>, trace: Option<Arc<Tracing>>) -> PyResult<Bound<'_, Block>> {
    let mut all = blocks(py)?;
    let snapshots = match all.last() {
        // A trace reads its inputs anew at each call, so it keeps no copies beyond itself.
        Some(outer) if trace.is_none() => outer.get().snapshots.clone(),
        _ => Arc::default(),
    };
    let outermost = all.is_empty() || trace.is_some();
    let trace = trace.or_else(|| all.last().and_then(|outer| outer.get().trace().cloned()));
    let block = Block { active: AtomicBool::new(false), snapshots, outermost, trace };
    let block = Bound::new(py, block)?;
    all.push(block.clone());
    variable(py)?.call_method1(pyo3::intern!(py, "set"), (PyTuple::new(py, all)?,))?;
    block.get().active.store(true, Ordering::Release);
    ACTIVE.fetch_add(1, Ordering::AcqRel);
    Ok(block)
}

/// Leaves a block, in whatever order and context.
pub fn exit(block: &Bound<'_, Block>) -> PyResult<()> {
    let py = block.py();
    block.get().close();
    let left = PyTuple::new(py, blocks(py)?)?;
    variable(py)?.call_method1(pyo3::intern!(py, "set"), (left,))?;
    Ok(())
}

/// Runs `f` as if no block had been entered: what an evaluation calls must not depend on who asked for it.
pub fn outside<T>(py: Python<'_>, f: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
    let variable = variable(py)?;
    let token = variable.call_method1(pyo3::intern!(py, "set"), (PyTuple::empty(py),))?;
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
/// >>> with rnp.lazy():
/// ...     y = rnp.sqrt([1.0, 4.0]) + 1.0
/// >>> y.eval()
/// array([2., 3.])
#[pyclass(frozen, module = "rnp", name = "lazy")]
pub struct Lazy {
    entered: Mutex<Vec<Py<Block>>>,
}

#[pymethods]
impl Lazy {
    #[new]
    fn new() -> Self {
        Self { entered: Mutex::default() }
    }

    /// Enters a block and returns it.
    fn __enter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, Block>> {
        let block = enter(py, None)?;
        self.entered().push(block.clone().unbind());
        Ok(block)
    }

    /// Leaves the block that was entered last in this context.
    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, PyTuple>) -> PyResult<()> {
        let here = blocks(py)?;
        let block = {
            let mut entered = self.entered();
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

impl Lazy {
    fn entered(&self) -> MutexGuard<'_, Vec<Py<Block>>> {
        self.entered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
