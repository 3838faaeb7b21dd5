//! Short arrays in blocks: noted on the block's tape, and evaluated from there.
//!
//! What the tape has no room for, or would not answer in a moment, is recorded as an expression.

use std::cell::RefMut;
use std::sync::{Arc, Weak};

use pyo3::prelude::*;
use smallvec::SmallVec;

use super::array::Array;
use super::gil::GilCell;
use super::mode::{self, Block};
use super::nd::PyKeeper;
use super::report::Log;
use super::{direct, error, span};
use crate::buffer::Storage;
use crate::dtype::DType;
use crate::error::Result;
use crate::expr::{self, Number, Prim};
use crate::runtime::direct::View;
use crate::shape::{self, Item, Shape};
use crate::tape::{Place, Range, Request, Tape};
use crate::trace::Inputs;

type Obj<'py> = Bound<'py, PyAny>;
type Out<'py> = PyResult<Option<Obj<'py>>>;
/// A value, and its copy for who asks again.
type Value<'py> = (Obj<'py>, Option<Box<Storage>>);

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
    tape: GilCell<Tape>,
    log: Weak<GilCell<Log>>,
}

/// An entry of a tape that an object stands for.
pub struct Noted {
    taped: Arc<Taped>,
    at: Place,
}

impl Drop for Noted {
    fn drop(&mut self) {
        // SAFETY: it is part of an object of Python's, which goes with the GIL held.
        self.taped.tape(unsafe { Python::assume_attached() }).release(self.at);
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
    /// What would be worth it is not evaluated here.
    Elsewhere,
}

impl Taped {
    /// The tape of a block with this log.
    pub fn new(log: &Arc<GilCell<Log>>) -> Arc<Self> {
        Arc::new(Self { tape: GilCell::default(), log: Arc::downgrade(log) })
    }

    fn tape<'a>(&'a self, py: Python<'a>) -> RefMut<'a, Tape> {
        self.tape.borrow(py)
    }

    /// The dtype and the shape of an entry.
    pub fn meta(&self, py: Python<'_>, at: Place) -> (DType, Shape) {
        self.tape(py).meta(at)
    }

    /// Whether arrays can still be noted.
    pub fn has_room(&self, py: Python<'_>) -> bool {
        self.tape(py).has_room()
    }

    /// The expression of an entry.
    pub fn expr(&self, py: Python<'_>, at: Place) -> expr::Array {
        self.tape(py).expr(at)
    }

    /// The expressions of entries that are held and not evaluated.
    pub fn pending(&self, py: Python<'_>) -> Vec<expr::Array> {
        let mut tape = self.tape(py);
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
        let mut tape = self.tape(py);
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
        let is_worth = |elements: &dyn Fn() -> usize| {
            let cost = ready.cost(length);
            borrowed || (cost > AGAIN && cost > AGAIN_EACH * elements())
        };
        let expected =
            || ready.results(length).map(|(_, shape)| shape.iter().product::<usize>()).sum();
        if keep == Keep::Elsewhere && is_worth(&expected) {
            return Ok(None);
        }
        // SAFETY: the tape keeps the memory, of the layout that the plan was made for, for as long as it is
        // there, and nobody writes it.
        let outputs = unsafe { direct::run_ready(py, trace, ready, &inputs, length)? };
        let again = {
            let mut tape = self.tape(py);
            // All are marked, whatever they were.
            places.iter().filter(|&&at| !tape.evaluated(at)).count() == 0
        };
        if !again {
            let tally = ready.tally(length);
            mode::note_evaluation(py, &tally)?;
            if let Some(log) = self.log.upgrade() {
                mode::note_left(py, &log, &tally);
            }
        }
        let keeps = match keep {
            Keep::Not | Keep::Elsewhere => false,
            Keep::Worth => is_worth(&|| outputs.elements()),
            Keep::Always => true,
        };
        let mut values = SmallVec::new();
        for i in 0..places.len() {
            let kept = if keeps { Some(Box::new(outputs.copy(i)?)) } else { None };
            values.push((outputs.give(i)?, kept));
        }
        Ok(Some(values))
    }
}

impl Noted {
    /// The expression, with which the object leaves the tape.
    pub fn expr(&self, py: Python<'_>) -> expr::Array {
        let (expr, evaluated) = {
            let mut tape = self.taped.tape(py);
            (tape.expr(self.at), tape.is_evaluated(self.at))
        };
        // What was evaluated has been told of.
        if let Some(log) = self.taped.log.upgrade().filter(|_| !evaluated) {
            mode::note_late(py, &log, &expr);
        }
        expr
    }

    /// Whether the value was computed.
    pub fn is_evaluated(&self, py: Python<'_>) -> bool {
        self.taped.tape(py).is_evaluated(self.at)
    }

    /// The tape and the entry.
    pub fn place(&self) -> (Arc<Taped>, Place) {
        (self.taped.clone(), self.at)
    }
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
    // Most are lines, of which a look tells.
    let is_line = view.shape.len() == 1 && view.strides == [size.cast_signed()];
    let is_ordered = || shape::is_c_ordered(view.shape, view.strides, size);
    some && !view.dtype.is_complex() && (is_line || is_ordered())
}

/// A short array as it is now: a copy, or one that was made of the same bytes.
fn memory(tape: &mut Tape, view: &View<'_>) -> Result<Option<Place>> {
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
    Ok(tape.memory(Storage::from_bytes(bytes, view.dtype, view.shape.into())?, view.ptr))
}

/// What is noted of an operand.
#[derive(Clone, Copy)]
enum Operand {
    /// An entry of the tape.
    Entry(Place),
    Number(Number),
    Memory,
    /// Points of a table.
    Points,
}

impl Operand {
    /// What an object that is no array of ours is; `None` if it cannot be noted.
    fn of(request: &Request, object: &Obj<'_>) -> Option<Self> {
        if let Some(number) = number(object) {
            return request.takes_numbers().then_some(Self::Number(number));
        }
        if let Some(view) = direct::view(object) {
            return is_short(&view).then_some(Self::Memory);
        }
        let points = direct::points(object).filter(|_| *request == Request::Interp)?;
        (!points.is_empty()).then_some(Self::Points)
    }

    /// Its place on the tape.
    fn note(self, tape: &mut Tape, object: &Obj<'_>) -> Result<Option<Place>> {
        match self {
            Self::Entry(at) => Ok(Some(at)),
            Self::Number(number) => Ok(tape.number(number)),
            Self::Memory => match direct::view(object) {
                Some(view) => memory(tape, &view),
                None => Ok(None),
            },
            Self::Points => match direct::points(object).filter(|_| tape.has_room()) {
                Some(points) => {
                    let points = Storage::from_slice(&points, &[points.len()])?;
                    Ok(tape.memory(points, std::ptr::null()))
                }
                None => Ok(None),
            },
        }
    }
}

/// The tape of this block that operands are on, or else its newest, and what the operands are; `None` if they are
/// on several tapes, or cannot be noted.
fn operands(
    block: &Block,
    request: &Request,
    objects: &[&Obj<'_>],
) -> Option<(Arc<Taped>, [Operand; OPERANDS])> {
    if block.trace().is_some() || objects.len() > OPERANDS {
        return None;
    }
    let (mut tape, mut operands): (Option<Arc<Taped>>, _) = (None, [Operand::Entry(0); OPERANDS]);
    for (operand, object) in operands.iter_mut().zip(objects) {
        let Ok(array) = object.cast_exact::<Array>() else {
            *operand = Operand::of(request, object)?;
            continue;
        };
        let (taped, at) = array.get().handle().noted()?;
        if !tape.as_ref().map_or(block.has_log(&taped.log), |tape| Arc::ptr_eq(tape, &taped)) {
            return None;
        }
        tape = Some(taped);
        *operand = Operand::Entry(at);
    }
    Some((tape.unwrap_or_else(|| block.taped(objects[0].py())), operands))
}

/// An object for an entry, which its tape was told of.
fn held(py: Python<'_>, taped: Arc<Taped>, at: Place) -> Out<'_> {
    Ok(Some(Bound::new(py, Array::noted(Noted { taped, at }))?.into_any()))
}

/// An object for an entry.
fn object(py: Python<'_>, taped: Arc<Taped>, at: Place) -> Out<'_> {
    taped.tape(py).hold(at);
    held(py, taped, at)
}

/// Notes what is asked for of some operands; `None` if it must be recorded as an expression.
pub fn record<'py>(block: &Block, request: Request, objects: &[&Obj<'py>]) -> Out<'py> {
    let Some((taped, operands)) = operands(block, &request, objects) else { return Ok(None) };
    let py = objects[0].py();
    let span = span::here(py);
    let at = error::checked(py, || {
        let mut tape = taped.tape(py);
        let mut places = [0; OPERANDS];
        let places = &mut places[..objects.len()];
        for ((place, operand), object) in places.iter_mut().zip(operands).zip(objects) {
            *place = match operand.note(&mut tape, object)? {
                Some(at) => at,
                None => return Ok(None),
            };
        }
        let at = tape.make(request, places, span);
        if let Some(at) = at {
            tape.hold(at);
        }
        Ok(at)
    })?;
    at.map_or(Ok(None), |at| held(py, taped, at))
}

/// Notes a view of an array; `None` if it must be recorded as an expression.
pub fn view<'py>(block: &Block, base: &Bound<'py, Array>, step: Prim) -> Out<'py> {
    let py = base.py();
    let Some((taped, at)) = base.get().handle().noted() else { return Ok(None) };
    if block.trace().is_some() || !block.has_log(&taped.log) {
        return Ok(None);
    }
    let span = span::here(py);
    let request = Request::View(step.clone());
    let at = error::checked(py, || Ok(taped.tape(py).make(request, &[at], span)))?;
    let Some(at) = at else { return Ok(None) };
    // An element is a value, where NumPy gives a scalar and no 0-d array.
    let is_value = match &step {
        Prim::Index(items) => taped.meta(py, at).1.is_empty() && !items.contains(&Item::Ellipsis),
        _ => false,
    };
    if is_value {
        return object(py, taped, at);
    }
    taped.tape(py).hold(at);
    let Some(handle) = base.get().handle().see(Noted { taped, at }, step) else { return Ok(None) };
    Ok(Some(Bound::new(py, Array::at(handle))?.into_any()))
}

/// Notes a range; `None` if it must be recorded as an expression.
pub fn range<'py>(py: Python<'py>, block: &Block, range: Range) -> Out<'py> {
    if block.trace().is_some() || !(1..=SHORT / size_of::<f64>()).contains(&range.count()) {
        return Ok(None);
    }
    let taped = block.taped(py);
    let span = span::here(py);
    let at = error::checked(py, || Ok(taped.tape(py).range(range, span)))?;
    at.map_or(Ok(None), |at| object(py, taped, at))
}

/// Notes an ndarray as it is now, or, `borrowed`, its memory.
pub fn array<'py>(block: &Block, obj: &Obj<'py>, borrowed: bool) -> Out<'py> {
    let Some(view) = direct::view(obj).filter(is_short) else { return Ok(None) };
    if block.trace().is_some() {
        return Ok(None);
    }
    let py = obj.py();
    let taped = block.taped(py);
    let at = {
        let mut tape = taped.tape(py);
        if borrowed {
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
            error::checked(py, || memory(&mut tape, &view))?
        }
    };
    at.map_or(Ok(None), |at| object(py, taped, at))
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
        let handle = array.get().handle();
        let Some((taped, at)) = handle.noted().filter(|_| !handle.is_seen()) else {
            return Ok(None);
        };
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
            array.get().handle().settle(*kept);
        }
        value
    };
    Ok(Some(arrays.iter().zip(values).map(settle).collect()))
}
