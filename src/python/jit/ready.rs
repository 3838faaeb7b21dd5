//! A call like the one before: the same layouts, other samples and numbers.
//!
//! Most calls of a jitted function are. They need no signature: each argument is compared with what it was,
//! and the kernels run on the memory of arguments and results as it is.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyString, PyTuple};
use smallvec::SmallVec;

use super::super::{direct, error, run};
use super::Entry;
use crate::dtype::DType;
use crate::error::Result;
use crate::expr::Number;
use crate::shape::{Shape, Strides};
use crate::trace::{Argument, Bare, Inputs, Ready, Trace};

type Obj<'py> = Bound<'py, PyAny>;

/// What calls like one that was made need.
pub struct Again {
    entry: Arc<Entry>,
    ready: Ready,
    kinds: SmallVec<[Kind; 4]>,
}

/// What an argument was.
enum Kind {
    Array(DType, Shape, Strides),
    Float,
    Int,
    /// A value that counts: this object, which nobody can change.
    Fixed(Py<PyAny>),
}

impl Kind {
    /// The kind of an argument; `fixed` if its value counts.
    fn of(arg: &Obj<'_>, fixed: bool) -> Option<Self> {
        let number = direct::float(arg).is_some() || direct::integer(arg).is_some();
        let plain = arg.is_none() || arg.is_exact_instance_of::<PyBool>();
        if plain || arg.is_exact_instance_of::<PyString>() || (fixed && number) {
            return Some(Kind::Fixed(arg.clone().unbind()));
        }
        if fixed {
            return None;
        }
        if let Some(view) = direct::view(arg) {
            return Some(Kind::Array(view.dtype, view.shape.into(), view.strides.into()));
        }
        match direct::float(arg) {
            Some(_) => Some(Kind::Float),
            None => direct::integer(arg).map(|_| Kind::Int),
        }
    }

    /// Adds what the engine is given for an argument, if that is of this kind.
    fn take(&self, arg: &Obj<'_>, arguments: &mut SmallVec<[Bare; 4]>) -> bool {
        let bare = match self {
            Kind::Fixed(value) => return value.is(arg),
            Kind::Array(dtype, shape, strides) => direct::view(arg)
                .filter(|v| v.dtype == *dtype && *v.shape == shape[..] && *v.strides == strides[..])
                .map(|v| Bare::Array(v.ptr)),
            Kind::Float => direct::float(arg).map(|v| Bare::Number(Number::Float(v))),
            Kind::Int => direct::integer(arg).map(|v| Bare::Number(Number::Int(v.into()))),
        };
        bare.map(|bare| arguments.push(bare)).is_some()
    }
}

impl Again {
    /// What calls like one with these arguments need, if they are plain and its kernels run for a moment;
    /// `fixed` says whether the value of an argument counts.
    pub fn new(
        entry: &Arc<Entry>,
        args: &Bound<'_, PyTuple>,
        fixed: impl Fn(usize) -> bool,
        arguments: &[Argument],
    ) -> Option<Self> {
        // Integers that count, and what the function closed over, are compared at length.
        if entry.integers.is_some() || !entry.captured.is_empty() {
            return None;
        }
        let kinds = args.iter().enumerate().map(|(place, arg)| Kind::of(&arg, fixed(place)));
        let kinds: SmallVec<[Kind; 4]> = kinds.collect::<Option<_>>()?;
        let ready = entry.trace.as_ref()?.ready(arguments)?;
        let mut results = ready.results();
        if results.any(|(dtype, shape)| dtype.is_complex() && shape.is_empty()) {
            return None;
        }
        drop(results);
        Some(Self { entry: entry.clone(), ready, kinds })
    }

    /// Whether this is another handle on the entry, and nobody calls by it.
    pub fn holds(self: &Arc<Self>, entry: &Arc<Entry>) -> bool {
        Arc::strong_count(self) == 1 && Arc::ptr_eq(&self.entry, entry)
    }

    /// The result of a call with other arguments of the same kinds; `None` for other kinds.
    pub fn call<'py>(&self, args: &Bound<'py, PyTuple>) -> PyResult<Option<Obj<'py>>> {
        let (py, Self { entry, ready, kinds }) = (args.py(), self);
        // Guards may run Python code: before any address is taken.
        if args.len() != kinds.len() || !entry.guards.hold(py, args)? {
            return Ok(None);
        }
        let mut arguments: SmallVec<[Bare; 4]> = SmallVec::new();
        for (kind, arg) in kinds.iter().zip(args.iter_borrowed()) {
            if !kind.take(&arg, &mut arguments) {
                return Ok(None);
            }
        }
        let Some(trace) = &entry.trace else { return Ok(None) };
        let mut outputs = direct::Outputs::new(py, ready.results())?;
        let places = outputs.places();
        let run = Run { ready, trace, arguments, places };
        if ready.plan().is_quick() {
            error::checked(py, || run.run())?;
            run::warn(py)?;
        } else {
            run::released(py, |_| run.run())?;
        }
        entry.result.give(py, &mut |at| outputs.give(at)).map(Some)
    }
}

/// One call: whoever makes it keeps the arguments and holds the results, which nobody else has yet.
struct Run<'a> {
    ready: &'a Ready,
    trace: &'a Trace,
    arguments: SmallVec<[Bare; 4]>,
    places: SmallVec<[*mut u8; 2]>,
}

// SAFETY: the addresses lead to memory that the caller keeps until the call is over.
unsafe impl Send for Run<'_> {}
// SAFETY: as above.
unsafe impl Sync for Run<'_> {}

impl Run<'_> {
    fn run(&self) -> Result<()> {
        let mut inputs = Inputs::default();
        self.ready.bind(self.trace, &self.arguments, &mut inputs)?;
        // SAFETY: the arrays are of the layouts that the plan was made for and are held by the caller; results
        // have the sizes that were asked for.
        unsafe { self.ready.plan().run_short(&inputs.arrays, &inputs.scalars, &self.places) }
    }
}
