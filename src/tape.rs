//! Recording again what was recorded before, without its graph.
//!
//! A block that is built anew on each call records the same few ops on other samples. A [`Tape`] lists what
//! one block records: arrays in memory, numbers, and ops on them. Each entry has a [`Form`]: what an
//! expression looks like, down to arrays of a dtype and shape and to numbers. A form is found by the op and
//! the forms of the operands, and with it dtype, shape, and the plan of an evaluation. Only a form that was
//! never met infers anything, and only somebody who asks for the expression of an entry has its nodes made.
//!
//! Forms are traced over parameters, as functions are: they hold no samples and no numbers. What would be
//! recorded differently for another number is declined. May not know: Python, how
//! anything is computed.

mod form;
mod request;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use smallvec::{SmallVec, smallvec};

use self::form::{Form, Look};
pub use self::request::{Range, Request};
use crate::buffer::Storage;
use crate::dtype::DType;
use crate::error::Result;
use crate::expr::{Array, Number, Span, with_span};
use crate::op::Op;
use crate::shape::Shape;
use crate::trace::{Bare, Inputs, Ready, Trace};

/// The most arrays in memory, numbers and entries of a tape.
const MEMORIES: usize = 8;
const NUMBERS: usize = 16;
const ENTRIES: usize = 64;

/// The most elements of what a function of the engine's gives.
const LITTLE: usize = 1 << 13;

/// The length that stands for any from two elements on.
const LINE: usize = 2;

/// An entry of a tape; from [`ENTRIES`] on, one of its numbers.
pub type Place = u8;

/// What one block records, in order.
#[derive(Default)]
pub struct Tape {
    entries: Vec<Entry>,
    /// The length of all arrays in memory, if forms do not depend on it.
    line: Option<usize>,
    memories: SmallVec<[Memory; 1]>,
    numbers: SmallVec<[Number; 4]>,
    /// Whether some of the memory is the user's own, who promised not to write it.
    pub is_borrowed: bool,
}

/// An array in memory.
struct Memory {
    storage: Storage,
    /// The address that it was taken from.
    from: usize,
    /// Its entry.
    at: Place,
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

enum What {
    /// The array with this number.
    Memory(u8),
    /// What is asked for of so many operands.
    Made(Request, [Place; 3], u8),
}

impl What {
    /// What it is made of.
    fn operands(&self) -> &[Place] {
        match self {
            What::Memory(_) => &[],
            What::Made(_, operands, n) => &operands[..usize::from(*n)],
        }
    }
}

/// The number that a place stands for, if it is not that of an entry.
fn number_at(at: Place) -> Option<u8> {
    at.checked_sub(ENTRIES as Place)
}

/// The entries among some places, as bits.
fn entries(places: &[Place]) -> u64 {
    let entries = places.iter().filter(|&&at| number_at(at).is_none());
    entries.fold(0, |all, &at| all | 1 << at)
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
        let is = |memory: &&Memory| {
            let Storage { dtype: known, shape: its, .. } = &memory.storage;
            memory.from == from as usize && *known == dtype && its[..] == *shape
        };
        let memory = self.memories.iter().rev().find(is)?;
        Some((memory.at, &memory.storage))
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
            (None, &[n]) if self.entries.is_empty() && n >= LINE => self.line = Some(n),
            (Some(_), _) => self.make_exact()?,
            (None, _) => {}
        }
        let form = match self.line {
            Some(_) => Form::line(number, storage.dtype),
            None => Form::memory(number, storage.dtype, &storage.shape),
        };
        let at = self.push(form, What::Memory(number), Span::default());
        self.memories.push(Memory { storage, from: from as usize, at });
        Some(at)
    }

    /// Notes a Python number; equal ones are one.
    pub fn number(&mut self, value: Number) -> Option<Place> {
        let same = |known: &Number| match (known, value) {
            (Number::Float(a), Number::Float(b)) => a.to_bits() == b.to_bits(),
            (Number::Int(a), Number::Int(b)) => *a == b,
            _ => false,
        };
        let number = match self.numbers.iter().position(same) {
            Some(number) => number,
            None if self.numbers.len() == NUMBERS => return None,
            None => {
                self.numbers.push(value);
                self.numbers.len() - 1
            }
        };
        Some((ENTRIES + number) as Place)
    }

    fn entry(&self, at: Place) -> &Entry {
        &self.entries[usize::from(at)]
    }

    fn look(&self, at: Place) -> Look<'_> {
        match number_at(at) {
            None => Look::Form(&self.entry(at).form),
            Some(number) => {
                let value = self.numbers[usize::from(number)];
                Look::Number(number, matches!(value, Number::Float(_)))
            }
        }
    }

    /// Notes what is made of one to three entries and numbers, one an entry at least; `None` for what is
    /// recorded as an expression or refused: errors, numbers whose value matters, more than there is room for.
    pub fn make(&mut self, request: Request, operands: &[Place], span: Span) -> Option<Place> {
        let is_full = self.entries.len() == ENTRIES || operands.len() > 3;
        if is_full || !self.serves_any(&request, operands) || !self.gives_little(&request, operands)
        {
            return None;
        }
        if matches!(request, Request::View(_)) && self.line.is_some() {
            // What is seen depends on the length.
            self.make_exact()?;
        }
        let form = self.form(&request, operands, span)?;
        let mut places = [0; 3];
        places[..operands.len()].copy_from_slice(operands);
        Some(self.push(form, What::Made(request, places, operands.len() as u8), span))
    }

    /// Notes a range, whose length is its own; `None` for one that is met for the first time.
    pub fn range(&mut self, range: Range, span: Span) -> Option<Place> {
        if self.entries.len() == ENTRIES {
            return None;
        }
        let form = Form::range(range, span)?;
        if self.line.is_some() {
            self.make_exact()?;
        }
        Some(self.push(form, What::Made(Request::Range(range), [0; 3], 0), span))
    }

    fn form(&self, request: &Request, operands: &[Place], span: Span) -> Option<Arc<Form>> {
        if let Request::Range(range) = request {
            return Form::range(*range, span);
        }
        let mut words = [0; 3];
        for (word, &at) in words.iter_mut().zip(operands) {
            *word = self.look(at).id();
        }
        let owner = operands.iter().find(|&&at| number_at(at).is_none())?;
        let exprs = || operands.iter().map(|&at| self.look(at).expr()).collect();
        self.entry(*owner).form.made(request, words, exprs, span)
    }

    /// Whether what the engine's functions give, which is copied to its place, is short enough for that, and its
    /// shape says nothing of the array's length.
    fn gives_little(&self, request: &Request, operands: &[Place]) -> bool {
        match request {
            Request::Scan { .. } => {
                let (_, shape) = self.meta(operands[0]);
                shape.iter().product::<usize>() <= LITTLE
            }
            Request::Select(select) => select.is_single(),
            _ => true,
        }
    }

    /// Whether the same is recorded of other numbers in place of those among the operands.
    fn serves_any(&self, request: &Request, operands: &[Place]) -> bool {
        // Beside a condition a number may be any.
        let beside = &operands[usize::from(*request == Request::Map(Op::Where))..];
        operands.iter().filter_map(|&at| number_at(at)).all(|number| {
            let number = self.numbers[usize::from(number)];
            let arrays = beside.iter().filter(|&&at| number_at(at).is_none());
            arrays
                .into_iter()
                .all(|&at| request.is_of_any(number, self.entry(at).form.expr.dtype()))
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
        let old: Vec<Arc<Form>> = self.entries.iter().map(|entry| entry.form.clone()).collect();
        // What an entry is made of comes before it.
        let done = (0..self.entries.len()).try_for_each(|at| {
            let Entry { what, span, .. } = &self.entries[at];
            let form = match what {
                What::Memory(n) => {
                    let Memory { storage, .. } = &self.memories[usize::from(*n)];
                    Form::memory(*n, storage.dtype, &storage.shape)
                }
                What::Made(request, ..) => self.form(request, what.operands(), *span)?,
            };
            self.entries[at].form = form;
            Some(())
        });
        if done.is_some() {
            self.line = None;
        } else {
            self.entries.iter_mut().zip(old).for_each(|(entry, form)| entry.form = form);
        }
        done
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
        let mut needed = entries(places);
        // What an entry is made of comes before it.
        for (i, entry) in self.entries.iter().enumerate().rev() {
            if needed >> i & 1 == 1 {
                needed |= entries(entry.what.operands());
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
        let argument = |at: usize| match at.checked_sub(MEMORIES) {
            None => self.memories.get(at).map(|memory| Bare::Array(memory.storage.ptr)),
            Some(number) => self.numbers.get(number).map(|&number| Bare::Number(number)),
        };
        ready.bind(trace, argument, length, inputs)?;
        Ok(true)
    }

    /// The expression of an entry, made when it is first asked for.
    pub fn expr(&mut self, at: Place) -> Array {
        let at = usize::from(at);
        // What it is made of comes before it.
        let mut needed = 1u64 << at;
        for i in (0..=at).rev() {
            let Entry { what, expr, .. } = &self.entries[i];
            if expr.is_none() && needed >> i & 1 == 1 {
                needed |= entries(what.operands());
            }
        }
        // A number is one node in an expression.
        let mut numbers: SmallVec<[Option<Array>; 4]> = smallvec![None; self.numbers.len()];
        for i in (0..=at).filter(|i| needed >> i & 1 == 1) {
            let Entry { what, expr: None, span, .. } = &self.entries[i] else { continue };
            let made = match what {
                What::Memory(n) => Ok(Array::input(self.memories[usize::from(*n)].storage.clone())),
                What::Made(request, ..) => {
                    let operand = |&o: &Place| match number_at(o).map(usize::from) {
                        None => self.entry(o).expr.clone(),
                        Some(n) => {
                            let value = self.numbers[n];
                            Some(numbers[n].get_or_insert_with(|| Array::number(value)).clone())
                        }
                    };
                    let operands: SmallVec<[Array; 3]> =
                        what.operands().iter().filter_map(operand).collect();
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
