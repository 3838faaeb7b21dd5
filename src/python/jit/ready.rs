//! A call like one before: the same layouts or another length, other samples and numbers.
//!
//! Most calls of a jitted function are. They need no signature: each argument is compared with what it was,
//! and the kernels run on the memory of arguments and results as it is.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyString, PyTuple};
use smallvec::SmallVec;

use super::super::{direct, error};
use super::Entry;
use super::trace::Captured;
use crate::dtype::DType;
use crate::expr::Number;
use crate::shape::{Shape, Strides};
use crate::trace::{Bare, Inputs, Ready};

type Obj<'py> = Bound<'py, PyAny>;

/// What calls like one that was made need.
pub struct Again {
    entry: Arc<Entry>,
    ready: Ready,
    /// Of the arguments, and of what the function closed over.
    kinds: SmallVec<[Kind; 4]>,
    captured: SmallVec<[Kind; 1]>,
}

/// What an argument was.
enum Kind {
    Array(DType, Shape, Strides),
    /// An array of one axis without gaps: as long as all others.
    Line(DType),
    Float,
    Int,
    /// A value that counts: this object, which nobody can change.
    Fixed(Py<PyAny>),
}

/// What the arguments of a call are.
#[derive(Default)]
struct Given {
    arguments: SmallVec<[Bare; 4]>,
    /// The length of all lines; 0 if there is none.
    length: usize,
}

impl Kind {
    /// The kind of an argument; `fixed` if its value counts, `line` if arrays of one axis may have any length.
    fn of(arg: &Obj<'_>, fixed: bool, line: bool) -> Option<Self> {
        let number = direct::float(arg).is_some() || direct::integer(arg).is_some();
        let plain = arg.is_none() || arg.is_exact_instance_of::<PyBool>();
        if plain || arg.is_exact_instance_of::<PyString>() || (fixed && number) {
            return Some(Kind::Fixed(arg.clone().unbind()));
        }
        if fixed {
            return None;
        }
        if let Some(view) = direct::view(arg) {
            if line && view.shape.len() == 1 {
                return Some(Kind::Line(view.dtype));
            }
            return Some(Kind::Array(view.dtype, view.shape.into(), view.strides.into()));
        }
        match direct::float(arg) {
            Some(_) => Some(Kind::Float),
            None => direct::integer(arg).map(|_| Kind::Int),
        }
    }

    /// Adds what the engine is given for an argument, if that is of this kind.
    fn take(&self, arg: &Obj<'_>, given: &mut Given) -> bool {
        let bare = match self {
            Kind::Fixed(value) => return value.is(arg),
            Kind::Array(dtype, shape, strides) => direct::view(arg)
                .filter(|v| v.dtype == *dtype && *v.shape == shape[..] && *v.strides == strides[..])
                .map(|v| Bare::Array(v.ptr)),
            Kind::Line(dtype) => direct::view(arg).and_then(|v| {
                let (&[length], &[stride]) = (v.shape, v.strides) else { return None };
                let fits = given.length == 0 || given.length == length;
                let plain = v.dtype == *dtype && stride == dtype.size().cast_signed();
                if !plain || !fits || length == 0 {
                    return None;
                }
                given.length = length;
                Some(Bare::Array(v.ptr))
            }),
            Kind::Float => direct::float(arg).map(|v| Bare::Number(Number::Float(v))),
            Kind::Int => direct::integer(arg).map(|v| Bare::Number(Number::Int(v.into()))),
        };
        bare.map(|bare| given.arguments.push(bare)).is_some()
    }
}

impl Again {
    /// What calls like one with these arguments need, if they are plain; `fixed` says whether the value of an
    /// argument counts.
    pub fn new(
        entry: &Arc<Entry>,
        args: &Bound<'_, PyTuple>,
        fixed: impl Fn(usize) -> bool,
        ready: Ready,
    ) -> Option<Self> {
        // Integers that count are compared at length.
        if entry.integers.is_some() {
            return None;
        }
        let mut results = ready.results(0);
        if results.any(|(dtype, shape)| dtype.is_complex() && shape.is_empty()) {
            return None;
        }
        drop(results);
        let py = args.py();
        let closed = |captured: &Captured| Kind::of(captured.array.bind(py), false, false);
        let captured: SmallVec<[Kind; 1]> =
            entry.captured.iter().map(closed).collect::<Option<_>>()?;
        // Where a length was looked at it counts, and what the function closed over has its own.
        let own = |kind: &Kind| matches!(kind, Kind::Array(_, shape, _) if !shape.is_empty());
        let line = ready.line().is_some() && entry.shapes.is_none() && !captured.iter().any(own);
        let kinds = args.iter().enumerate().map(|(place, arg)| Kind::of(&arg, fixed(place), line));
        let kinds: SmallVec<[Kind; 4]> = kinds.collect::<Option<_>>()?;
        Some(Self { entry: entry.clone(), ready, kinds, captured })
    }

    /// Whether this is another handle on the entry, and nobody calls by it.
    pub fn holds(self: &Arc<Self>, entry: &Arc<Entry>) -> bool {
        Arc::strong_count(self) == 1 && Arc::ptr_eq(&self.entry, entry)
    }

    /// The result of a call with other arguments of the same kinds; `None` for other kinds.
    pub fn call<'py>(&self, args: &Bound<'py, PyTuple>) -> PyResult<Option<Obj<'py>>> {
        let (py, Self { entry, ready, kinds, captured }) = (args.py(), self);
        // Guards may run Python code: before any address is taken.
        if args.len() != kinds.len() || !entry.guards.hold(py, args)? {
            return Ok(None);
        }
        let mut given = Given::default();
        for (kind, arg) in kinds.iter().zip(args.iter_borrowed()) {
            if !kind.take(&arg, &mut given) {
                return Ok(None);
            }
        }
        for (kind, of) in captured.iter().zip(&entry.captured) {
            if !kind.take(of.array.bind(py), &mut given) {
                return Ok(None);
            }
        }
        let Some(trace) = &entry.trace else { return Ok(None) };
        let planned = ready.line().unwrap_or_default();
        let line = if given.length > 0 { given.length } else { planned };
        if !ready.takes(line) {
            return Ok(None);
        }
        let mut inputs = Inputs::default();
        let argument = |at: usize| given.arguments.get(at).copied();
        error::checked(py, || ready.bind(trace, argument, line, &mut inputs))?;
        // SAFETY: the arrays are of the layouts that the plan was made for, and are held by the caller.
        let outputs = unsafe { direct::run_ready(py, trace, ready, &inputs, line)? };
        entry.result.give(py, &mut |at| outputs.give(at)).map(Some)
    }
}
