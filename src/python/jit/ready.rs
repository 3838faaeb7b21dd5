//! A call like the one before: the same layouts, other samples and numbers.
//!
//! Most calls of a jitted function are. They need no signature: each argument is compared with what it was,
//! and the kernels run on the memory of arguments and results as it is.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyTuple;
use smallvec::SmallVec;

use super::super::{direct, error, nd, run};
use super::Entry;
use crate::dtype::DType;
use crate::expr::Number;
use crate::runtime::direct::View;
use crate::shape::{Shape, Strides};
use crate::trace::{Argument, Bare, Inputs, Ready};

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
}

impl Kind {
    /// What the engine is given for an argument that is of this kind.
    fn take(&self, arg: &Obj<'_>) -> Option<Bare> {
        match self {
            Kind::Array(dtype, shape, strides) => {
                let View { ptr, dtype: d, shape: s, strides: t } = direct::view(arg)?;
                (d == *dtype && *s == shape[..] && *t == strides[..]).then_some(Bare::Array(ptr))
            }
            Kind::Float => direct::float(arg).map(|v| Bare::Number(Number::Float(v))),
            Kind::Int => direct::integer(arg).map(|v| Bare::Number(Number::Int(v.into()))),
        }
    }
}

impl Again {
    /// What calls like one with these arguments need, if they are plain and its kernels run for a moment.
    pub fn new(
        entry: &Arc<Entry>,
        args: &Bound<'_, PyTuple>,
        arguments: &[Argument],
    ) -> Option<Self> {
        // What counts by its value, and what the function closed over, is compared at length.
        if entry.integers.is_some() || !entry.captured.is_empty() || args.len() != arguments.len() {
            return None;
        }
        let mut kinds = SmallVec::new();
        for arg in args.iter() {
            kinds.push(if let Some(view) = direct::view(&arg) {
                Kind::Array(view.dtype, view.shape.into(), view.strides.into())
            } else if direct::float(&arg).is_some() {
                Kind::Float
            } else {
                direct::integer(&arg).map(|_| Kind::Int)?
            });
        }
        let ready = entry.trace.as_ref()?.ready(arguments)?;
        let mut results = ready.results();
        if results.any(|(dtype, shape)| dtype.is_complex() && shape.is_empty()) {
            return None;
        }
        drop(results);
        Some(Self { entry: entry.clone(), ready, kinds })
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
            let Some(bare) = kind.take(&arg) else { return Ok(None) };
            arguments.push(bare);
        }
        let Some(trace) = &entry.trace else { return Ok(None) };
        let mut words: SmallVec<[[u64; 1]; 4]> = SmallVec::new();
        let mut made: SmallVec<[Option<Obj<'py>>; 4]> = SmallVec::new();
        let mut places: SmallVec<[*mut u8; 4]> = SmallVec::new();
        words.resize(ready.results().count(), [0]);
        for ((dtype, shape), word) in ready.results().zip(&mut words) {
            let (array, ptr) = if shape.is_empty() {
                (None, word.as_mut_ptr().cast())
            } else {
                nd::unwritten(py, dtype, shape).map(|(array, ptr)| (Some(array), ptr))?
            };
            made.push(array);
            places.push(ptr);
        }
        error::checked(py, || {
            let mut inputs = Inputs::default();
            ready.bind(trace, &arguments, &mut inputs)?;
            // SAFETY: the arrays are of the layouts that the plan was made for and are held by the caller, as
            // is the GIL; results have the sizes that were asked for, and nobody else has them yet.
            unsafe { ready.plan().run_short(&inputs.arrays, &inputs.scalars, &places) }
        })?;
        run::warn(py)?;
        let mut give = |at: usize| match made.get_mut(at).and_then(Option::take) {
            Some(array) => Ok(array),
            None => {
                let (dtype, _) = ready.results().nth(at).ok_or_else(run::missing)?;
                nd::value(py, dtype, &words[at])
            }
        };
        entry.result.give(py, &mut give).map(Some)
    }
}
