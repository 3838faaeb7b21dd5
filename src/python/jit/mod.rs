//! `rnp.jit`: a function is traced once per signature; later calls run its kernels.
//!
//! A signature is what the trace depends on: dtypes and ranks of arrays, kinds of Python numbers, the
//! values of anything else. Lengths and numbers are arguments, unless the function looked at them.

mod guard;
mod key;
mod ready;
mod trace;
mod tree;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pyo3::exceptions::PyTypeError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};
use smallvec::SmallVec;

use self::guard::Guards;
use self::key::{Flat, Key};
use self::ready::Again;
pub use self::trace::Tracing;
use self::trace::{Captured, borrow};
use self::tree::{Tree, tracers};
use super::{error, mode, nd, run};
use crate::expr::Number;
use crate::shape::Shape;
use crate::trace::{Argument, Ready, Trace};

/// Keyword arguments that take no place of a parameter.
type Named<'py> = Vec<(String, Obj<'py>)>;

/// How many traces a function keeps; the one used longest ago goes first.
const TRACES: usize = 256;
/// How many kinds of calls need no signature.
const AGAINS: usize = 4;

type Obj<'py> = Bound<'py, PyAny>;
type Out<'py> = PyResult<Bound<'py, PyAny>>;

/// A traced function and all that has to be so for it to be right.
struct Entry {
    key: Vec<Key>,
    /// The lengths of all array arguments, if the function looked at one.
    shapes: Option<Vec<Shape>>,
    /// All Python integers, if the function used one as an index.
    integers: Option<Vec<i128>>,
    guards: Guards,
    captured: Vec<Captured>,
    trace: Option<Trace>,
    result: Tree,
}

/// What `rnp.jit` makes of a function.
///
/// `.traces` says how often it was traced, `.__wrapped__` is the function.
#[pyclass(frozen, dict, weakref, module = "rnp", name = "Jitted")]
pub struct Jitted {
    function: Py<PyAny>,
    /// Names of the parameters that can be given by position.
    names: Vec<String>,
    /// Names of the arguments that are part of the signature.
    fixed: Vec<String>,
    entries: Mutex<Vec<Arc<Entry>>>,
    /// What calls like the last ones need, the newest first.
    again: Mutex<SmallVec<[Arc<Again>; 1]>>,
    traces: AtomicUsize,
}

fn shapes(arguments: &[Argument]) -> Vec<Shape> {
    let arrays = arguments.iter().filter_map(|a| match a {
        Argument::Array(storage) => Some(storage.shape.clone()),
        Argument::Number(_) => None,
    });
    arrays.collect()
}

fn integers(arguments: &[Argument]) -> Vec<i128> {
    let numbers = arguments.iter().filter_map(|a| match a {
        Argument::Number(Number::Int(v)) => Some(*v),
        _ => None,
    });
    numbers.collect()
}

impl Entry {
    fn matches(&self, py: Python<'_>, flat: &Flat, args: &Bound<'_, PyTuple>) -> PyResult<bool> {
        Ok(key::same(&self.key, &flat.key, py)
            && self.shapes.as_ref().is_none_or(|s| *s == shapes(&flat.arguments))
            && self.integers.as_ref().is_none_or(|i| *i == integers(&flat.arguments))
            && self.captured.iter().all(|c| {
                let now = nd::layout("rnp.jit", c.array.bind(py));
                now.is_ok_and(|l| l.dtype == c.dtype && l.shape == c.shape)
            })
            && self.guards.hold(py, args)?)
    }

    /// The result, and what calls like this one need, if they can do with less. Arguments that were used are let
    /// go of.
    fn run<'py>(
        &self,
        py: Python<'py>,
        arguments: &mut Vec<Argument>,
    ) -> PyResult<(Obj<'py>, Option<Ready>)> {
        let given = arguments.len();
        for captured in &self.captured {
            arguments.push(Argument::Array(borrow(captured.array.bind(py))?));
        }
        let (values, ready) = match &self.trace {
            None => (Vec::new(), None),
            Some(trace) => {
                let mut bound = error::checked(py, || trace.bind(arguments))
                    .inspect_err(|_| arguments.truncate(given))?;
                let values = if bound.is_quick() {
                    run::held(py, |ctx| bound.run(ctx))?
                } else {
                    run::released(py, |ctx| bound.run(ctx))?
                };
                (values, bound.ready())
            }
        };
        arguments.clear();
        let mut values: Vec<_> = values.into_iter().map(Some).collect();
        let give = &mut |at: usize| nd::result(py, &values[at].take().ok_or_else(run::missing)?);
        Ok((self.result.give(py, give)?, ready))
    }
}

impl Jitted {
    fn entries(&self) -> MutexGuard<'_, Vec<Arc<Entry>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn again(&self) -> MutexGuard<'_, SmallVec<[Arc<Again>; 1]>> {
        self.again.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The result of a call like one of the last.
    fn call_again<'py>(&self, args: &Bound<'py, PyTuple>) -> PyResult<Option<Obj<'py>>> {
        let Some(newest) = self.again().first().cloned() else { return Ok(None) };
        if let Some(out) = newest.call(args)? {
            return Ok(Some(out));
        }
        let others: SmallVec<[Arc<Again>; AGAINS]> = self.again().iter().skip(1).cloned().collect();
        for again in others {
            if let Some(out) = again.call(args)? {
                let mut all = self.again();
                if let Some(at) = all.iter().position(|a| Arc::ptr_eq(a, &again)) {
                    all[..=at].rotate_right(1);
                }
                return Ok(Some(out));
            }
        }
        Ok(None)
    }

    /// Calls like one that was made go this way from now on.
    fn keep_again(&self, again: Again) {
        let again = Arc::new(again);
        let old = {
            let mut all = self.again();
            let old = if all.len() == AGAINS { all.pop() } else { None };
            all.insert(0, again);
            old
        };
        // Its objects may run code when they go.
        drop(old);
    }

    fn is_fixed(&self, name: &str) -> bool {
        self.fixed.iter().any(|f| f == name)
    }

    /// Keyword arguments that name a parameter take its place, so that `f(x, 2)` and `f(x, gain=2)` have
    /// one signature; the others are sorted by name.
    fn bind<'py>(
        &self,
        args: &Bound<'py, PyTuple>,
        keywords: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<(Bound<'py, PyTuple>, Named<'py>)> {
        let Some(keywords) = keywords.filter(|k| !k.is_empty()) else {
            return Ok((args.clone(), Vec::new()));
        };
        let mut positional: Vec<Obj<'py>> = args.iter().collect();
        let mut rest = Vec::new();
        for (name, value) in keywords.iter() {
            rest.push((name.extract::<String>()?, value));
        }
        while let Some(name) = self.names.get(positional.len()) {
            let Some(at) = rest.iter().position(|(n, _)| n == name) else { break };
            positional.push(rest.swap_remove(at).1);
        }
        rest.sort_by(|a, b| a.0.cmp(&b.0));
        Ok((PyTuple::new(args.py(), positional)?, rest))
    }

    fn place_is_fixed(&self, place: usize) -> bool {
        !self.fixed.is_empty() && self.names.get(place).is_some_and(|n| self.is_fixed(n))
    }

    fn flatten<'py>(
        &self,
        args: &Bound<'py, PyTuple>,
        rest: &[(String, Obj<'py>)],
    ) -> PyResult<Flat> {
        let mut flat = Flat::default();
        for (place, arg) in args.iter().enumerate() {
            flat.add(&arg, self.place_is_fixed(place), 0)?;
        }
        if !rest.is_empty() {
            flat.key.push(Key::Open(4, rest.len()));
            for (name, value) in rest {
                flat.key.push(Key::Equal(PyString::new(args.py(), name).into_any().unbind()));
                flat.add(value, self.is_fixed(name), 0)?;
            }
        }
        Ok(flat)
    }

    /// The trace for a call, if there is one; it becomes the newest.
    fn find(
        &self,
        py: Python<'_>,
        flat: &Flat,
        args: &Bound<'_, PyTuple>,
    ) -> PyResult<Option<Arc<Entry>>> {
        // Comparing may run Python code: never while the list is locked.
        let newest = self.entries().last().cloned();
        let Some(newest) = newest else { return Ok(None) };
        if newest.matches(py, flat, args)? {
            return Ok(Some(newest));
        }
        let all: Vec<Arc<Entry>> = self.entries().clone();
        for entry in all.iter().rev().filter(|e| !Arc::ptr_eq(e, &newest)) {
            if entry.matches(py, flat, args)? {
                let mut entries = self.entries();
                if let Some(at) = entries.iter().position(|e| Arc::ptr_eq(e, entry)) {
                    let newest = entries.remove(at);
                    entries.push(newest);
                }
                return Ok(Some(entry.clone()));
            }
        }
        Ok(None)
    }

    fn keep(&self, py: Python<'_>, entry: Arc<Entry>) {
        let gone: Vec<Arc<Entry>> = {
            let mut entries = self.entries();
            let all = std::mem::take(&mut *entries);
            let (mut gone, mut left): (Vec<_>, Vec<_>) =
                all.into_iter().partition(|e| e.key.iter().any(|k| k.is_dead(py)));
            left.push(entry);
            let surplus = left.len().saturating_sub(TRACES);
            gone.extend(left.drain(..surplus));
            *entries = left;
            gone
        };
        // Their objects may run code when they go.
        drop(gone);
    }

    /// Records the function and keeps the trace, for these lengths alone if so asked.
    fn traced<'py>(
        &self,
        args: &Bound<'py, PyTuple>,
        rest: &[(String, Obj<'py>)],
        flat: &mut Flat,
        of_lengths: bool,
    ) -> PyResult<Arc<Entry>> {
        let mut entry = self.trace(args, rest, flat)?;
        if of_lengths {
            entry.shapes = Some(shapes(&flat.arguments));
        }
        entry.key = std::mem::take(&mut flat.key);
        let entry = Arc::new(entry);
        self.keep(args.py(), entry.clone());
        Ok(entry)
    }

    /// Records the function for this call's signature.
    fn trace<'py>(
        &self,
        args: &Bound<'py, PyTuple>,
        rest: &[(String, Obj<'py>)],
        flat: &Flat,
    ) -> PyResult<Entry> {
        let py = args.py();
        let function = self.function.bind(py);
        let mut guards = Guards::collect(function, args)?;
        let name = function
            .getattr("__qualname__")
            .map_or_else(|_| "a function".into(), |n| n.to_string());
        let tracing = Arc::new(Tracing::new(flat.arguments.clone(), name));
        let mut next = 0;
        let positional = args
            .iter()
            .enumerate()
            .map(|(place, arg)| tracers(&arg, self.place_is_fixed(place), &tracing, &mut next));
        let positional = PyTuple::new(py, positional.collect::<PyResult<Vec<_>>>()?)?;
        let keywords = PyDict::new(py);
        for (name, value) in rest {
            keywords.set_item(name, tracers(value, self.is_fixed(name), &tracing, &mut next)?)?;
        }
        self.traces.fetch_add(1, Ordering::AcqRel);
        let block = mode::enter(py, Some(tracing.clone()), None)?;
        let result = function.call(positional, Some(&keywords));
        let left = mode::exit(&block);
        tracing.close();
        let result = result?;
        left?;
        guards.settle(py, args)?;
        let mut outputs = Vec::new();
        let result = Tree::take(&result, &mut outputs, 0)?;
        let trace = if outputs.is_empty() {
            None
        } else {
            Some(run::released(py, |_| Trace::new(&outputs))?)
        };
        Ok(Entry {
            key: Vec::new(),
            shapes: tracing.looked_at_lengths().then(|| shapes(&flat.arguments)),
            integers: tracing.looked_at_integers().then(|| integers(&flat.arguments)),
            guards,
            captured: tracing.take_captured(),
            trace,
            result,
        })
    }
}

#[pymethods]
impl Jitted {
    #[pyo3(signature = (*args, **keywords))]
    fn __call__<'py>(
        &self,
        args: &Bound<'py, PyTuple>,
        keywords: Option<&Bound<'py, PyDict>>,
    ) -> Out<'py> {
        let py = args.py();
        if let Some(block) = mode::current(py)?
            && block.get().trace().is_some()
        {
            // Part of another trace.
            return self.function.bind(py).call(args, keywords);
        }
        let plain = keywords.is_none_or(PyDictMethods::is_empty);
        if plain && let Some(out) = self.call_again(args)? {
            return Ok(out);
        }
        let (args, rest) = self.bind(args, keywords)?;
        let mut flat = self.flatten(&args, &rest)?;
        let found = self.find(py, &flat, &args)?;
        let is_known = found.is_some();
        let entry = match found {
            Some(entry) => entry,
            None => self.traced(&args, &rest, &mut flat, false)?,
        };
        let (entry, (out, ready)) = match entry.run(py, &mut flat.arguments) {
            // What it calls has no kernel for these lengths: traced for them, it may have another answer.
            Err(e)
                if is_known
                    && entry.shapes.is_none()
                    && e.is_instance_of::<error::Unsupported>(py) =>
            {
                let entry = self.traced(&args, &rest, &mut flat, true)?;
                let ran = entry.run(py, &mut flat.arguments)?;
                (entry, ran)
            }
            ran => (entry, ran?),
        };
        let fixed = |place| self.place_is_fixed(place);
        if let Some(ready) = ready.filter(|_| plain)
            && let Some(again) = Again::new(&entry, &args, fixed, ready)
        {
            self.keep_again(again);
        }
        Ok(out)
    }

    /// As a method: bound to the object, which becomes the first argument.
    fn __get__<'py>(
        slf: &Bound<'py, Self>,
        object: &Obj<'py>,
        _class: Option<&Obj<'py>>,
    ) -> Out<'py> {
        if object.is_none() {
            return Ok(slf.clone().into_any());
        }
        let method = slf.py().import("types")?.getattr("MethodType")?;
        method.call1((slf, object))
    }

    /// How often the function was traced.
    #[getter]
    fn traces(&self) -> usize {
        self.traces.load(Ordering::Acquire)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("<rnp.jit of {}>", self.function.bind(py).repr()?))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.function)?;
        if let Ok(entries) = self.entries.try_lock() {
            let again = self.again.try_lock().ok();
            // An entry in use elsewhere is not ours alone to report.
            for entry in entries.iter() {
                let holds =
                    |all: &SmallVec<_>| all.iter().filter(|a| Again::holds(a, entry)).count();
                let ours = 1 + again.as_deref().map_or(0, holds);
                if Arc::strong_count(entry) == ours {
                    entry.guards.traverse(&visit)?;
                }
            }
        }
        Ok(())
    }

    fn __clear__(&self) {
        let gone = (std::mem::take(&mut *self.entries()), std::mem::take(&mut *self.again()));
        drop(gone);
    }
}

/// Compiles a function: traced once per signature, then run without building anything.
///
/// Array arguments are told apart by dtype and number of axes, Python ints and floats are run-time
/// arguments, everything else (bool, str, None, objects) is part of the signature; `static` names further
/// arguments that are. A new length neither traces nor compiles, unless the function looked at a length.
/// Tuples, lists and dicts may nest arrays, as arguments and as results. Results are fresh NumPy arrays.
///
/// The function must not choose by value: `if x > 0` raises rnp.TraceError, which names the line and the
/// way out, `rnp.where`. It sees later changes of globals, closure variables and attributes of `self` and
/// of its class (`__slots__` too) that are numbers, strings, tuples, functions or ndarrays, also where they
/// are read by inner functions, by Python functions, jitted functions, partials and bound methods that it
/// names, and by methods of `self`; an ndarray it closes over is read at each call.
///
/// It does not see changes: inside lists, dicts, sets and tuples; of attributes of objects other than
/// arguments and what a bound method is bound to; of attributes of modules (`config.GAIN`); in functions
/// reached only through those, or through operators (`self[x]`), default arguments or names made at run
/// time; of what it reads from files, clocks or random numbers; of values that NumPy computes while
/// tracing; and beyond the first 128 functions.
///
/// A function that assigns what it reads (`self.n += 1`) raises rnp.TraceError: return the new value and
/// assign it outside. Other side effects happen while tracing only. Results are arrays, numbers, None,
/// strings, and tuples, namedtuples, lists and dicts of them; any other object raises rnp.TraceError.
///
/// >>> @rnp.jit
/// ... def scale(x, gain):
/// ...     return x * gain
/// >>> scale(np.ones(2), 0.5)
/// array([0.5, 0.5])
#[pyfunction]
#[pyo3(name = "jit", signature = (function = None, /, *, r#static = None))]
fn jit<'py>(py: Python<'py>, function: Option<&Obj<'py>>, r#static: Option<&Obj<'py>>) -> Out<'py> {
    let Some(function) = function else {
        let keywords = PyDict::new(py);
        keywords.set_item("static", r#static)?;
        let this = py.import("rnp._core")?.getattr("jit")?;
        return py.import("functools")?.getattr("partial")?.call((this,), Some(&keywords));
    };
    if !function.is_callable() {
        return Err(PyTypeError::new_err("rnp.jit: takes a function"));
    }
    let fixed: Vec<String> = match r#static {
        None => Vec::new(),
        Some(one) if one.is_instance_of::<PyString>() => vec![one.extract()?],
        Some(names) => names.extract()?,
    };
    let (names, others) = parameters(function)?;
    if let Some(unknown) = fixed.iter().find(|f| !names.contains(f) && !others.contains(f)) {
        return Err(PyTypeError::new_err(format!(
            "rnp.jit: static names {unknown:?}, which is not a parameter of the function"
        )));
    }
    let jitted = Jitted {
        function: function.clone().unbind(),
        names,
        fixed,
        entries: Mutex::default(),
        again: Mutex::default(),
        traces: AtomicUsize::new(0),
    };
    let jitted = Bound::new(py, jitted)?.into_any();
    py.import("functools")?.call_method1("update_wrapper", (&jitted, function))?;
    Ok(jitted)
}

/// The names of parameters that can be given by position and by name, and of those by name only.
fn parameters(function: &Obj<'_>) -> PyResult<(Vec<String>, Vec<String>)> {
    let inspect = function.py().import("inspect")?;
    let (mut names, mut others) = (Vec::new(), Vec::new());
    let Ok(signature) = inspect.call_method1("signature", (function,)) else {
        return Ok((names, others));
    };
    let mut open = true;
    for parameter in signature.getattr("parameters")?.call_method0("values")?.try_iter()? {
        let parameter = parameter?;
        let kind: i32 = parameter.getattr("kind")?.call_method0("__index__")?.extract()?;
        let name: String = parameter.getattr("name")?.extract()?;
        match kind {
            // Positional-only ones keep the places of those that follow, but have no name to be given by.
            0 => names.push(name),
            1 if open => names.push(name),
            _ => {
                open = false;
                others.push(name);
            }
        }
    }
    Ok((names, others))
}

/// Adds the decorator to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<Jitted>()?;
    m.add_function(wrap_pyfunction!(jit, m)?)
}
