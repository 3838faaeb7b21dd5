//! Recording again what was recorded before, without its graph.
//!
//! A block that is built anew on each call records the same few ops on other samples. A [`Tape`] lists what
//! one block records: arrays in memory, numbers, and ops on them. Each entry has a [`Form`]: what an
//! expression looks like, down to arrays of a dtype and shape and to numbers. A form is found by the op and
//! the forms of the operands, and with it dtype, shape, and the plan of an evaluation. Only a form that was
//! never met infers anything, and only somebody who asks for the expression of an entry has its nodes made.
//!
//! Forms are traced over parameters, as functions are: they hold no samples and no numbers. What would be
//! recorded differently for another number is declined ([`Request::is_of_any`]). May not know: Python, how
//! anything is computed.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::buffer::Storage;
use crate::dtype::{DType, Kind};
use crate::error::Result;
use crate::expr::{Array, Number, Over, Span, with_span};
use crate::fork::PerProcess;
use crate::op::{Op, Weak};
use crate::runtime::direct::Reduction;
use crate::shape::Shape;
use crate::trace::{Bare, Inputs, Ready, Trace};

/// The most arrays in memory, numbers and entries of a tape.
const MEMORIES: usize = 8;
const NUMBERS: usize = 16;
const ENTRIES: usize = 64;
/// The most sets of forms, evaluated together, that a form keeps plans for.
const TOGETHER: usize = 16;
/// The most forms that are kept.
const FORMS: usize = 4096;

/// The length that stands for any from two elements on.
const LINE: usize = 2;

/// An entry of a tape.
pub type Place = u8;

/// What is recorded of some operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// An op of the table.
    Map(Op),
    /// A conversion.
    Cast(DType),
    /// `clip` by the bounds that follow the array.
    Clip {
        /// Whether the lower bound is given.
        low: bool,
        /// Whether the upper bound is given.
        high: bool,
    },
    /// A reduction over one axis, or over all.
    Reduce {
        /// Which.
        what: Reduction,
        /// The axis; negative ones count from the end.
        axis: Option<i64>,
        /// Whether reduced axes stay with length 1.
        keepdims: bool,
    },
}

impl Request {
    /// Records it.
    fn of(self, operands: &[Array]) -> Result<Array> {
        match self {
            Request::Map(op) => Array::map(op, operands),
            Request::Cast(dtype) => operands[0].strong().cast(dtype),
            Request::Clip { low, high } => {
                let mut bounds = operands[1..].iter();
                let low = if low { bounds.next() } else { None };
                let high = if high { bounds.next() } else { None };
                operands[0].clip(low, high)
            }
            Request::Reduce { what, axis, keepdims } => {
                let over = Over { axis: axis.map(|a| vec![a]), keepdims, dtype: None };
                match what {
                    Reduction::Fold(fold) => operands[0].reduce(fold, &over),
                    Reduction::Mean => operands[0].mean(&over),
                    Reduction::Var(ddof) => operands[0].var(&over, ddof),
                    Reduction::Std(ddof) => operands[0].std(&over, ddof),
                }
            }
        }
    }

    /// Whether numbers among the operands can be noted: powers have forms of their own for some exponents, and
    /// logic asks whether a number is zero.
    pub fn takes_numbers(self) -> bool {
        use Op::{Ldexp, LogicalAnd, LogicalOr, LogicalXor, Power};
        !matches!(self, Request::Map(Power | Ldexp | LogicalAnd | LogicalOr | LogicalXor))
    }

    /// Whether the same is recorded for any number in place of this one, beside an array of `dtype`. An
    /// integer that the dtype cannot hold is an error, or bounds nothing.
    fn is_of_any(self, number: Number, dtype: DType) -> bool {
        match number {
            _ if !self.takes_numbers() => false,
            Number::Float(_) => true,
            Number::Int(v) => match (dtype, dtype.kind()) {
                (DType::F16, _) => v.unsigned_abs() <= 1 << 11,
                (_, Kind::Float) => v.unsigned_abs() <= 1 << 24,
                (_, Kind::Int) => {
                    let (low, high) = dtype.int_range();
                    low < v && v < high
                }
                _ => false,
            },
        }
    }
}

/// What an expression looks like.
pub struct Form {
    id: u64,
    /// It, over parameters: arrays in memory come first, numbers from [`MEMORIES`] on.
    expr: Array,
    /// What was recorded of it before.
    next: Mutex<Nexts>,
    /// How evaluations that ask for it first run, if their plans take given memory.
    ready: Mutex<SmallVec<[Evaluation; 1]>>,
}

/// Forms, and the steps that lead to them.
type Nexts = SmallVec<[(Step, Arc<Form>); 2]>;

/// Which forms are evaluated with another, and how.
type Evaluation = (SmallVec<[u64; 2]>, Option<Arc<(Trace, Ready)>>);

/// How one form leads to another.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Step {
    request: Request,
    /// Which operand the form is.
    place: u8,
    /// The forms that the other operands are.
    others: [u64; 2],
}

/// The forms of lines with one number.
type Lines = SmallVec<[(DType, Arc<Form>); 2]>;

/// The forms of arrays in memory and of numbers, which all others hang on.
#[derive(Default)]
struct Roots {
    /// Lines, by number and dtype.
    lines: [Lines; MEMORIES],
    /// Arrays of other shapes.
    memories: FxHashMap<(u8, DType, Shape), Arc<Form>>,
    numbers: FxHashMap<(u8, bool), Arc<Form>>,
}

static ROOTS: PerProcess<Mutex<Roots>> = PerProcess::new(Mutex::default);
/// The form made last, and the one that was made last when all were forgotten.
static MADE: AtomicU64 = AtomicU64::new(0);
static FORGOTTEN: AtomicU64 = AtomicU64::new(0);

fn roots() -> MutexGuard<'static, Roots> {
    let mut roots = ROOTS.get().lock().unwrap_or_else(PoisonError::into_inner);
    let made = MADE.load(Ordering::Relaxed);
    if made - FORGOTTEN.load(Ordering::Relaxed) > FORMS as u64 {
        FORGOTTEN.store(made, Ordering::Relaxed);
        // Tapes keep those that they use.
        *roots = Roots::default();
    }
    roots
}

impl Form {
    fn new(expr: Array) -> Arc<Self> {
        let id = MADE.fetch_add(1, Ordering::Relaxed) + 1;
        Arc::new(Self { id, expr, next: Mutex::default(), ready: Mutex::default() })
    }

    /// The array in memory with this number, of a shape that counts.
    fn memory(number: u8, dtype: DType, shape: &[usize]) -> Arc<Self> {
        let key = (number, dtype, Shape::from_slice(shape));
        let make = || Form::new(Array::param(number.into(), dtype, Shape::from_slice(shape)));
        roots().memories.entry(key).or_insert_with(make).clone()
    }

    /// The line in memory with this number.
    fn line(number: u8, dtype: DType) -> Arc<Self> {
        let mut roots = roots();
        let lines = &mut roots.lines[usize::from(number)];
        if let Some((_, form)) = lines.iter().find(|(known, _)| *known == dtype) {
            return form.clone();
        }
        let form = Form::new(Array::param(number.into(), dtype, Shape::from_slice(&[LINE])));
        lines.push((dtype, form.clone()));
        form
    }

    /// The Python number with this number.
    fn number(number: u8, value: Number) -> Arc<Self> {
        let is_float = matches!(value, Number::Float(_));
        let weak = if is_float { Weak::Float } else { Weak::Int };
        let place = MEMORIES as u32 + u32::from(number);
        let make = || Form::new(Array::weak_param(place, weak));
        roots().numbers.entry((number, is_float)).or_insert_with(make).clone()
    }

    fn next(&self) -> MutexGuard<'_, Nexts> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What `step` made of it before.
    fn known(&self, step: Step) -> Option<Arc<Form>> {
        self.next().iter().find(|(known, _)| *known == step).map(|(_, form)| form.clone())
    }

    /// What `step` makes of it; `None` if that is an error.
    fn infer(&self, step: Step, operands: &[Array], span: Span) -> Option<Arc<Form>> {
        let expr = with_span(span, || step.request.of(operands)).ok()?;
        if expr.dtype().is_complex() {
            return None;
        }
        let form = Form::new(expr);
        self.next().push((step, form.clone()));
        Some(form)
    }

    /// What is recorded of operands with these forms; `owner` is one that is no number.
    fn of(
        request: Request,
        owner: usize,
        operands: &[&Arc<Form>],
        span: Span,
    ) -> Option<Arc<Form>> {
        let mut step = Step { request, place: owner as u8, others: [0; 2] };
        let mut slots = step.others.iter_mut();
        for (i, operand) in operands.iter().enumerate() {
            if i != owner
                && let Some(slot) = slots.next()
            {
                *slot = operand.id;
            }
        }
        if let Some(form) = operands[owner].known(step) {
            return Some(form);
        }
        let exprs: SmallVec<[Array; 3]> = operands.iter().map(|form| form.expr.clone()).collect();
        operands[owner].infer(step, &exprs, span)
    }

    /// How an evaluation of some forms together runs, if its plan takes given memory; plans the first.
    fn ready(forms: &[&Form]) -> Option<Arc<(Trace, Ready)>> {
        let (first, others) = forms.split_first()?;
        let known = || first.ready.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |(ids, _): &&Evaluation| ids.iter().copied().eq(others.iter().map(|f| f.id));
        if let Some((_, ready)) = known().iter().find(same) {
            return ready.clone();
        }
        let results: SmallVec<[Array; 4]> = forms.iter().map(|form| form.expr.clone()).collect();
        let plan = || {
            let trace = Trace::new(&results).ok()?;
            let ready = trace.ready_as_traced()?;
            Some(Arc::new((trace, ready)))
        };
        let ready = plan();
        let mut known = known();
        if known.len() == TOGETHER {
            known.remove(0);
        }
        known.push((others.iter().map(|form| form.id).collect(), ready.clone()));
        ready
    }
}

/// What one block records, in order.
#[derive(Default)]
pub struct Tape {
    entries: Vec<Entry>,
    /// The length of all arrays in memory, if forms do not depend on it.
    line: Option<usize>,
    /// The arrays, each with the address that it was taken from.
    memories: SmallVec<[(Storage, usize); 1]>,
    numbers: SmallVec<[Number; 4]>,
    /// Whether some of the memory is the user's own, who promised not to write it.
    pub is_borrowed: bool,
}

struct Entry {
    form: Arc<Form>,
    what: What,
    span: Span,
    /// The expression, once somebody asked for it.
    expr: Option<Array>,
    /// How many have it in hand.
    held: u32,
    evaluated: bool,
}

#[derive(Clone, Copy)]
enum What {
    /// The array with this number.
    Memory(u8),
    /// The number with this number.
    Number(u8),
    /// What is asked for of so many operands.
    Made(Request, [Place; 3], u8),
}

impl Tape {
    fn push(&mut self, form: Arc<Form>, what: What, span: Span) -> Place {
        if self.entries.capacity() == 0 {
            self.entries.reserve(8);
        }
        let entry = Entry { form, what, span, expr: None, held: 0, evaluated: false };
        self.entries.push(entry);
        (self.entries.len() - 1) as Place
    }

    /// The newest array taken from this address, of this dtype and shape.
    pub fn find(
        &self,
        from: *const u8,
        dtype: DType,
        shape: &[usize],
    ) -> Option<(Place, &Storage)> {
        let is = |(memory, address): &(Storage, usize)| {
            *address == from as usize && memory.dtype == dtype && memory.shape[..] == *shape
        };
        let number = self.memories.iter().rposition(is)?;
        let is = |e: &Entry| matches!(e.what, What::Memory(n) if usize::from(n) == number);
        Some((self.entries.iter().position(is)? as Place, &self.memories[number].0))
    }

    /// Whether there is room for another array.
    pub fn has_room(&self) -> bool {
        self.memories.len() < MEMORIES && self.entries.len() < ENTRIES
    }

    /// Notes an array in memory, C-ordered, that was taken from an address.
    pub fn memory(&mut self, storage: Storage, from: *const u8) -> Option<Place> {
        if !self.has_room() {
            return None;
        }
        let number = self.memories.len() as u8;
        match (self.line, &storage.shape[..]) {
            (Some(line), &[n]) if n == line => {}
            (None, &[n]) if number == 0 && n >= LINE => self.line = Some(n),
            (Some(_), _) => self.make_exact()?,
            (None, _) => {}
        }
        let form = match self.line {
            Some(_) => Form::line(number, storage.dtype),
            None => Form::memory(number, storage.dtype, &storage.shape),
        };
        self.memories.push((storage, from as usize));
        Some(self.push(form, What::Memory(number), Span::default()))
    }

    /// Notes a Python number; equal ones are one entry.
    pub fn number(&mut self, value: Number) -> Option<Place> {
        let same = |known: &Number| match (known, value) {
            (Number::Float(a), Number::Float(b)) => a.to_bits() == b.to_bits(),
            (Number::Int(a), Number::Int(b)) => *a == b,
            _ => false,
        };
        if let Some(number) = self.numbers.iter().position(same) {
            let is = |e: &Entry| matches!(e.what, What::Number(n) if usize::from(n) == number);
            return self.entries.iter().position(is).map(|at| at as Place);
        }
        if self.numbers.len() == NUMBERS || self.entries.len() == ENTRIES {
            return None;
        }
        let number = self.numbers.len() as u8;
        self.numbers.push(value);
        let form = Form::number(number, value);
        Some(self.push(form, What::Number(number), Span::default()))
    }

    fn entry(&self, at: Place) -> &Entry {
        &self.entries[usize::from(at)]
    }

    /// Notes what is made of one to three entries, one an array at least; `None` for what is recorded as an
    /// expression or refused: errors, numbers whose value matters, more than there is room for.
    pub fn make(&mut self, request: Request, operands: &[Place], span: Span) -> Option<Place> {
        if self.entries.len() == ENTRIES || operands.len() > 3 {
            return None;
        }
        let (mut owner, mut numbers) = (None, false);
        for (i, &at) in operands.iter().enumerate() {
            match self.entry(at).what {
                What::Number(_) => numbers = true,
                _ => owner = owner.or(Some(i)),
            }
        }
        let owner = owner?;
        if numbers && !self.serves_any(request, operands) {
            return None;
        }
        let form = {
            let forms: SmallVec<[&Arc<Form>; 3]> =
                operands.iter().map(|&at| &self.entry(at).form).collect();
            Form::of(request, owner, &forms, span)?
        };
        let mut places = [0; 3];
        places[..operands.len()].copy_from_slice(operands);
        Some(self.push(form, What::Made(request, places, operands.len() as u8), span))
    }

    /// Whether the same is recorded of other numbers in place of those among the operands.
    fn serves_any(&self, request: Request, operands: &[Place]) -> bool {
        // Beside a condition a number may be any.
        let beside = &operands[usize::from(request == Request::Map(Op::Where))..];
        operands.iter().all(|&number| match self.entry(number).what {
            What::Number(n) => beside.iter().all(|&array| {
                let Entry { what, form, .. } = self.entry(array);
                let number = self.numbers[usize::from(n)];
                matches!(what, What::Number(_)) || request.is_of_any(number, form.expr.dtype())
            }),
            _ => true,
        })
    }

    /// The dtype and the shape of an entry.
    pub fn meta(&self, at: Place) -> (DType, Shape) {
        let expr = &self.entry(at).form.expr;
        let mut shape = expr.shape().clone();
        if let Some(line) = self.line {
            shape.iter_mut().filter(|n| **n == LINE).for_each(|n| *n = line);
        }
        (expr.dtype(), shape)
    }

    /// Gives all entries the forms of their own shapes.
    fn make_exact(&mut self) -> Option<()> {
        let mut forms: Vec<Arc<Form>> = Vec::with_capacity(self.entries.len());
        for entry in &self.entries {
            let form = match &entry.what {
                What::Memory(n) => {
                    let (memory, _) = &self.memories[usize::from(*n)];
                    Form::memory(*n, memory.dtype, &memory.shape)
                }
                What::Number(_) => entry.form.clone(),
                What::Made(request, operands, n) => {
                    let operands = &operands[..usize::from(*n)];
                    let is_array = |&at: &Place| !matches!(self.entry(at).what, What::Number(_));
                    let owner = operands.iter().position(is_array)?;
                    let operands: SmallVec<[&Arc<Form>; 3]> =
                        operands.iter().map(|&at| &forms[usize::from(at)]).collect();
                    Form::of(*request, owner, &operands, entry.span)?
                }
            };
            forms.push(form);
        }
        for (entry, form) in self.entries.iter_mut().zip(forms) {
            entry.form = form;
        }
        self.line = None;
        Some(())
    }

    /// How an evaluation of entries together runs, and on arrays of which length if that is no part of it;
    /// `None` if its plan does not take given memory.
    pub fn ready(&mut self, places: &[Place]) -> Option<(Arc<(Trace, Ready)>, usize)> {
        loop {
            let made = {
                let forms = places.iter().map(|&at| &*self.entry(at).form);
                Form::ready(&forms.collect::<SmallVec<[&Form; 4]>>())
            };
            let Some(line) = self.line else {
                let made = made?;
                let length = made.1.line().unwrap_or_default();
                return Some((made, length));
            };
            if let Some(made) = made.filter(|made| made.1.line().is_some() && made.1.takes(line)) {
                return Some((made, line));
            }
            self.make_exact()?;
        }
    }

    /// Somebody more has an entry in hand.
    pub fn hold(&mut self, at: Place) {
        self.entries[usize::from(at)].held += 1;
    }

    /// Somebody let go of an entry.
    pub fn release(&mut self, at: Place) {
        self.entries[usize::from(at)].held -= 1;
    }

    /// Notes that an entry was evaluated; returns whether it had been before.
    pub fn evaluated(&mut self, at: Place) -> bool {
        std::mem::replace(&mut self.entries[usize::from(at)].evaluated, true)
    }

    /// Whether an entry has a value: it is in memory, or was evaluated.
    pub fn is_evaluated(&self, at: Place) -> bool {
        self.entry(at).evaluated || self.is_memory(at)
    }

    /// Whether an entry is an array in memory.
    pub fn is_memory(&self, at: Place) -> bool {
        matches!(self.entry(at).what, What::Memory(_))
    }

    /// Those entries that somebody has in hand and that were not evaluated.
    pub fn pending(&self) -> Vec<Place> {
        let all = 0..self.entries.len() as Place;
        all.filter(|&at| self.entry(at).held > 0 && !self.is_evaluated(at)).collect()
    }

    /// The entries that some are made of, and they, as bits.
    fn needed(&self, places: &[Place]) -> u64 {
        let mut needed = places.iter().fold(0u64, |all, &at| all | 1 << at);
        // What an entry is made of comes before it.
        for i in (0..self.entries.len()).rev().filter(|i| needed >> i & 1 == 1).collect::<Vec<_>>()
        {
            if let What::Made(_, operands, n) = &self.entries[i].what {
                needed = operands[..usize::from(*n)].iter().fold(needed, |all, &o| all | 1 << o);
            }
        }
        needed
    }

    /// What an evaluation of entries runs on, on arrays of a length if that is no part of it; `false` if one that
    /// they are made of has an expression with a value.
    ///
    /// # Errors
    /// `Overflow` for an integer that does not fit.
    pub fn bind(
        &self,
        places: &[Place],
        (trace, ready): &(Trace, Ready),
        length: usize,
        inputs: &mut Inputs,
    ) -> Result<bool> {
        let valued = |e: &Entry| {
            let made = matches!(e.what, What::Made(..));
            made && e.expr.as_ref().is_some_and(Array::is_evaluated)
        };
        if self.entries.iter().any(valued) {
            let needed = self.needed(places);
            if self.entries.iter().enumerate().any(|(i, e)| needed >> i & 1 == 1 && valued(e)) {
                return Ok(false);
            }
        }
        let mut arguments = [Bare::Number(Number::Int(0)); MEMORIES + NUMBERS];
        for (argument, (memory, _)) in arguments.iter_mut().zip(&self.memories) {
            *argument = Bare::Array(memory.ptr);
        }
        let (_, rest) = arguments.split_at_mut(MEMORIES);
        for (argument, &number) in rest.iter_mut().zip(&self.numbers) {
            *argument = Bare::Number(number);
        }
        ready.bind(trace, &arguments[..MEMORIES + self.numbers.len()], length, inputs)?;
        Ok(true)
    }

    /// The expression of an entry, made when it is first asked for.
    pub fn expr(&mut self, at: Place) -> Array {
        let at = usize::from(at);
        // What it is made of comes before it.
        let mut needed = 1u64 << at;
        for i in (0..=at).rev() {
            if let Entry { what: What::Made(_, operands, n), expr: None, .. } = &self.entries[i]
                && needed >> i & 1 == 1
            {
                needed = operands[..usize::from(*n)].iter().fold(needed, |all, &o| all | 1 << o);
            }
        }
        for i in (0..=at).filter(|i| needed >> i & 1 == 1) {
            let Entry { what, expr: None, span, .. } = &self.entries[i] else { continue };
            let made = match what {
                What::Memory(n) => Ok(Array::input(self.memories[usize::from(*n)].0.clone())),
                What::Number(n) => Ok(Array::number(self.numbers[usize::from(*n)])),
                What::Made(request, operands, n) => {
                    let operands = operands[..usize::from(*n)].iter();
                    let operands: SmallVec<[Array; 3]> =
                        operands.filter_map(|&o| self.entry(o).expr.clone()).collect();
                    with_span(*span, || request.of(&operands))
                }
            };
            // Recording its form was no error; should this be one, the form has it told when evaluated.
            let made = made.unwrap_or_else(|_| self.entries[i].form.expr.clone());
            self.entries[i].expr = Some(made);
        }
        self.entries[at].expr.clone().unwrap_or_else(|| self.entries[at].form.expr.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HALF: Number = Number::Float(0.5);

    fn tape(samples: &[f32]) -> (Tape, Place) {
        let mut tape = Tape::default();
        let storage = Storage::from_slice(samples, &[samples.len()]).unwrap();
        let x = tape.memory(storage, samples.as_ptr().cast()).unwrap();
        (tape, x)
    }

    fn scaled(tape: &mut Tape, x: Place, by: Number) -> Option<Place> {
        let by = tape.number(by)?;
        tape.make(Request::Map(Op::Multiply), &[x, by], Span::default())
    }

    #[test]
    fn what_was_recorded_before_has_its_form() {
        let (mut first, x) = tape(&[1.0, 2.0]);
        let y = scaled(&mut first, x, HALF).unwrap();
        let (mut second, x) = tape(&[3.0, 4.0]);
        let z = scaled(&mut second, x, Number::Float(0.25)).unwrap();
        let same = |a: &Tape, y: Place, b: &Tape, z: Place| {
            Arc::ptr_eq(&a.entry(y).form, &b.entry(z).form)
        };
        assert!(same(&first, y, &second, z));
        let integer = scaled(&mut second, x, Number::Int(2)).unwrap();
        assert!(!same(&first, y, &second, integer));
        let (mut longer, x) = tape(&[0.0; 3]);
        let w = scaled(&mut longer, x, HALF).unwrap();
        assert!(same(&first, y, &longer, w));
        assert_eq!(longer.meta(w).1[..], [3]);
        let (mut single, x) = tape(&[0.0]);
        let v = scaled(&mut single, x, HALF).unwrap();
        assert!(!same(&first, y, &single, v));
    }

    #[test]
    fn arrays_of_other_lengths_give_all_their_own_forms() {
        let (mut tape, x) = tape(&[1.0, -2.0, 3.0]);
        let y = scaled(&mut tape, x, HALF).unwrap();
        let two = Storage::from_slice(&[1f32, 2.0], &[2]).unwrap();
        let z = tape.memory(two, std::ptr::null()).unwrap();
        assert!(tape.make(Request::Map(Op::Add), &[y, z], Span::default()).is_none());
        let one = Storage::from_slice(&[1f32], &[1]).unwrap();
        let one = tape.memory(one, std::ptr::null()).unwrap();
        let both = tape.make(Request::Map(Op::Add), &[y, one], Span::default()).unwrap();
        for (at, shape) in [(x, 3), (y, 3), (z, 2), (one, 1), (both, 3)] {
            assert_eq!(tape.meta(at).1[..], [shape]);
        }
        let values = crate::eval::eval_once(&[tape.expr(both)], &crate::eval::Context::default());
        assert_eq!(values.unwrap()[0].to_vec::<f32>().unwrap(), [1.5, 0.0, 2.5]);
    }

    #[test]
    fn expressions_are_what_was_noted() {
        let (mut tape, x) = tape(&[1.0, -2.0]);
        let y = scaled(&mut tape, x, HALF).unwrap();
        let both = tape.make(Request::Map(Op::Add), &[y, x], Span::default()).unwrap();
        let expr = tape.expr(both);
        assert!(expr.args()[1].same(&tape.expr(x)));
        let values = crate::eval::eval_once(&[expr], &crate::eval::Context::default()).unwrap();
        assert_eq!(values[0].to_vec::<f32>().unwrap(), [1.5, -3.0]);
    }

    #[test]
    fn numbers_whose_value_matters_are_declined() {
        let (mut tape, x) = tape(&[1.0]);
        let two = tape.number(Number::Int(2)).unwrap();
        assert!(tape.make(Request::Map(Op::Power), &[x, two], Span::default()).is_none());
        assert!(scaled(&mut tape, x, Number::Int(1 << 25)).is_none());
        assert!(scaled(&mut tape, x, Number::Int(1 << 24)).is_some());
        assert_eq!(tape.number(HALF), tape.number(HALF));
    }

    #[test]
    fn a_tape_has_an_end() {
        let (mut tape, x) = tape(&[1.0]);
        let mut y = x;
        while let Some(next) = scaled(&mut tape, y, HALF) {
            y = next;
        }
        assert_eq!(usize::from(y), ENTRIES - 1);
        assert!(!tape.has_room());
    }
}
