//! Short arrays in blocks: noted on the block's tape, and evaluated from there.
//!
//! What the tape has no room for, or would not answer in a moment, is recorded as an expression. Tapes are
//! locked with the GIL held, and no Python code runs meanwhile.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use pyo3::prelude::*;
use smallvec::SmallVec;

use super::array::Array;
use super::mode::{self, Block};
use super::nd::PyKeeper;
use super::report::Log;
use super::{direct, error, span};
use crate::buffer::Storage;
use crate::dtype::DType;
use crate::expr::{self, Number};
use crate::runtime::direct::View;
use crate::shape::{self, Shape};
use crate::tape::{Place, Request, Tape};
use crate::trace::Inputs;

type Obj<'py> = Bound<'py, PyAny>;
type Out<'py> = PyResult<Option<Obj<'py>>>;
/// A value, and its copy for who asks again.
type Value<'py> = (Obj<'py>, Option<Storage>);

/// Arrays of more bytes are recorded as expressions: beside their copy that costs nothing, and a tape
/// keeps what is noted on it for as long as one of its entries is held.
const SHORT: usize = 1 << 20;
/// The most operands of what is noted.
const OPERANDS: usize = 3;
/// Up to so many light ops, in all or per element, it takes no longer to compute a value again than to keep it.
const AGAIN: usize = 4096;
const AGAIN_EACH: usize = 8;

/// The tape of a block, and the log that is told of evaluations.
pub struct Taped {
    tape: Mutex<Tape>,
    log: Weak<Mutex<Log>>,
}

/// An entry of a tape that an object stands for.
pub struct Noted {
    taped: Arc<Taped>,
    at: Place,
}

impl Drop for Noted {
    fn drop(&mut self) {
        self.taped.tape().release(self.at);
    }
}

/// Whether an evaluation keeps the value for who asks again.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// Nobody can ask again.
    Not,
    /// Only what takes longer to compute than to copy, or could come out otherwise.
    Worth,
    /// In any case.
    Always,
}

impl Taped {
    /// The tape of a block with this log.
    pub fn new(log: &Arc<Mutex<Log>>) -> Arc<Self> {
        Arc::new(Self { tape: Mutex::default(), log: Arc::downgrade(log) })
    }

    fn tape(&self) -> MutexGuard<'_, Tape> {
        self.tape.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The dtype and the shape of an entry.
    pub fn meta(&self, at: Place) -> (DType, Shape) {
        self.tape().meta(at)
    }

    /// Whether arrays can still be noted.
    pub fn has_room(&self) -> bool {
        self.tape().has_room()
    }

    /// The expressions of entries that are held and not evaluated.
    pub fn pending(&self) -> Vec<expr::Array> {
        let mut tape = self.tape();
        tape.pending().into_iter().map(|at| tape.expr(at)).collect()
    }

    /// The values of entries, each as a fresh array or scalar of NumPy's and what is to be kept of it; `None`
    /// if they are not computed on the memory that is there.
    pub fn evaluate<'py>(
        &self,
        py: Python<'py>,
        places: &[Place],
        keep: Keep,
    ) -> PyResult<Option<SmallVec<[Value<'py>; 1]>>> {
        let mut tape = self.tape();
        if places.iter().any(|&at| tape.is_memory(at)) {
            return Ok(None);
        }
        let mut inputs = Inputs::default();
        let bound = error::checked(py, || {
            let Some((made, length)) = tape.ready(places) else { return Ok(None) };
            let bound = tape.bind(places, &made, length, &mut inputs)?;
            Ok(bound.then_some((made, length)))
        })?;
        let Some((made, length)) = bound else { return Ok(None) };
        let (trace, ready) = &*made;
        let borrowed = tape.is_borrowed;
        drop(tape);
        // SAFETY: the tape keeps the memory, of the layout that the plan was made for, for as long as it is
        // there, and nobody writes it.
        let outputs = unsafe { direct::run_ready(py, trace, ready, &inputs, length)? };
        let again = {
            let mut tape = self.tape();
            // All are marked, whatever they were.
            places.iter().filter(|&&at| !tape.evaluated(at)).count() == 0
        };
        if !again {
            let tally = ready.tally(length);
            mode::note_evaluation(py, &tally)?;
            if let Some(log) = self.log.upgrade() {
                mode::note_left(&log, &tally);
            }
        }
        let keeps = match keep {
            Keep::Not => false,
            Keep::Worth => {
                let cost = ready.cost(length);
                borrowed || (cost > AGAIN && cost > AGAIN_EACH * outputs.elements())
            }
            Keep::Always => true,
        };
        let value = |i: usize| {
            let kept = if keeps { Some(outputs.copy(i)?) } else { None };
            Ok((outputs.give(i)?, kept))
        };
        (0..places.len()).map(value).collect::<PyResult<_>>().map(Some)
    }
}

impl Noted {
    /// The expression, with which the object leaves the tape.
    pub fn expr(&self) -> expr::Array {
        let (expr, evaluated) = {
            let mut tape = self.taped.tape();
            (tape.expr(self.at), tape.is_evaluated(self.at))
        };
        // What was evaluated has been told of.
        if let Some(log) = self.taped.log.upgrade().filter(|_| !evaluated) {
            mode::note_late(&log, &expr);
        }
        expr
    }

    /// Whether the value was computed.
    pub fn is_evaluated(&self) -> bool {
        self.taped.tape().is_evaluated(self.at)
    }

    /// The tape and the entry.
    pub fn place(&self) -> (Arc<Taped>, Place) {
        (self.taped.clone(), self.at)
    }
}

/// An operand that is no array of ours as an entry, if it can be noted.
fn note(tape: &mut Tape, obj: &Obj<'_>) -> PyResult<Option<Place>> {
    if let Some(view) = direct::view(obj) {
        return memory(obj.py(), tape, &view);
    }
    Ok(number(obj).and_then(|number| tape.number(number)))
}

/// A Python number.
fn number(obj: &Obj<'_>) -> Option<Number> {
    match direct::float(obj) {
        Some(value) => Some(Number::Float(value)),
        None => direct::integer(obj).map(|value| Number::Int(value.into())),
    }
}

/// Whether an array may be noted.
fn is_short(view: &View<'_>) -> bool {
    let (count, size) = (view.shape.iter().product::<usize>(), view.dtype.size());
    let some = !view.shape.is_empty() && count > 0 && count <= SHORT / size;
    some && !view.dtype.is_complex() && shape::is_c_ordered(view.shape, view.strides, size)
}

/// An array as it is now: a copy, or one that was made of the same bytes.
fn memory(py: Python<'_>, tape: &mut Tape, view: &View<'_>) -> PyResult<Option<Place>> {
    if !is_short(view) {
        return Ok(None);
    }
    let count = view.shape.iter().product::<usize>();
    // SAFETY: an ndarray of the caller's, in C order, with the GIL held.
    let bytes = unsafe { std::slice::from_raw_parts(view.ptr, count * view.dtype.size()) };
    if let Some((at, copy)) = tape.find(view.ptr, view.dtype, view.shape) {
        // SAFETY: of the same dtype and shape, and in C order.
        let known = unsafe { std::slice::from_raw_parts(copy.ptr, bytes.len()) };
        if known == bytes {
            return Ok(Some(at));
        }
    }
    if !tape.has_room() {
        return Ok(None);
    }
    let copy = error::checked(py, || Storage::from_bytes(bytes, view.dtype, view.shape.into()))?;
    Ok(tape.memory(copy, view.ptr))
}

/// The tape of this block that operands are on, or else its newest, and the entries that operands are; `None`
/// if they are on several, or not on any.
fn places(block: &Block, operands: &[&Obj<'_>]) -> Option<(Arc<Taped>, [Option<Place>; OPERANDS])> {
    if block.trace().is_some() || operands.len() > OPERANDS {
        return None;
    }
    let (mut tape, mut places): (Option<Arc<Taped>>, _) = (None, [None; OPERANDS]);
    for (operand, place) in operands.iter().zip(&mut places) {
        let Ok(array) = operand.cast::<Array>() else { continue };
        let (taped, at) = array.get().handle().noted()?;
        if !block.has_log(&taped.log) {
            return None;
        }
        if tape.as_ref().is_some_and(|tape| !Arc::ptr_eq(tape, &taped)) {
            return None;
        }
        tape = Some(taped);
        *place = Some(at);
    }
    Some((tape.unwrap_or_else(|| block.taped()), places))
}

/// An object for an entry.
fn object(py: Python<'_>, taped: Arc<Taped>, at: Place) -> Out<'_> {
    let array = Array::noted(Noted { taped, at });
    Ok(Some(Bound::new(py, array)?.into_any()))
}

/// Notes what is asked for of some operands; `None` if it must be recorded as an expression.
pub fn record<'py>(block: &Block, request: Request, operands: &[&Obj<'py>]) -> Out<'py> {
    // Before anything is copied.
    if !request.takes_numbers() && operands.iter().any(|operand| number(operand).is_some()) {
        return Ok(None);
    }
    let Some((taped, known)) = places(block, operands) else { return Ok(None) };
    let py = operands[0].py();
    let span = span::here(py);
    let at = {
        let mut tape = taped.tape();
        let mut places = [0; OPERANDS];
        let places = &mut places[..operands.len()];
        for ((place, known), operand) in places.iter_mut().zip(known).zip(operands) {
            *place = match known {
                Some(at) => at,
                None => match note(&mut tape, operand)? {
                    Some(at) => at,
                    None => return Ok(None),
                },
            };
        }
        let Some(at) = error::checked(py, || Ok(tape.make(request, places, span)))? else {
            return Ok(None);
        };
        tape.hold(at);
        at
    };
    object(py, taped, at)
}

/// Notes an ndarray as it is now, or, `borrowed`, its memory.
pub fn array<'py>(block: &Block, obj: &Obj<'py>, borrowed: bool) -> Out<'py> {
    let Some(view) = direct::view(obj).filter(is_short) else { return Ok(None) };
    let Some((taped, _)) = places(block, &[]) else { return Ok(None) };
    let py = obj.py();
    let at = {
        let mut tape = taped.tape();
        let at = if borrowed {
            let storage = Storage {
                ptr: view.ptr,
                dtype: view.dtype,
                shape: view.shape.into(),
                strides: view.strides.into(),
                keeper: Arc::new(PyKeeper(obj.clone().unbind())),
            };
            // No address: nothing is compared with it.
            let at = tape.memory(storage, std::ptr::null());
            tape.is_borrowed |= at.is_some();
            at
        } else {
            memory(py, &mut tape, &view)?
        };
        let Some(at) = at else { return Ok(None) };
        tape.hold(at);
        at
    };
    object(py, taped, at)
}

/// The values of arrays that are entries of one tape, none twice; `None` for others, and for what is not
/// computed in a moment. They may be asked for again.
pub fn evaluate<'py>(
    py: Python<'py>,
    arrays: &[Bound<'py, Array>],
) -> PyResult<Option<SmallVec<[Obj<'py>; 1]>>> {
    let mut tape: Option<Arc<Taped>> = None;
    let mut places: SmallVec<[Place; 8]> = SmallVec::new();
    for array in arrays {
        let Some((taped, at)) = array.get().handle().noted() else { return Ok(None) };
        if places.contains(&at) || tape.as_ref().is_some_and(|tape| !Arc::ptr_eq(tape, &taped)) {
            return Ok(None);
        }
        tape = Some(taped);
        places.push(at);
    }
    let Some(tape) = tape else { return Ok(None) };
    let Some(values) = tape.evaluate(py, &places, Keep::Worth)? else { return Ok(None) };
    let settle = |(array, (value, kept)): (&Bound<'py, Array>, Value<'py>)| {
        if let Some(kept) = kept {
            array.get().handle().settle(kept);
        }
        value
    };
    Ok(Some(arrays.iter().zip(values).map(settle).collect()))
}
