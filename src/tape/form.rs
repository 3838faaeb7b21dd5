//! Forms: what was recorded of something, found by what it is made of.

use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::{LINE, MEMORIES, NUMBERS, Range, Request};
use crate::dtype::DType;
use crate::expr::{Array, Span, with_span};
use crate::fork::PerProcess;
use crate::op::Weak;
use crate::shape::Shape;
use crate::trace::{Ready, Trace};

/// The most sets of forms, evaluated together, that a form keeps plans for.
const TOGETHER: usize = 16;
/// The most forms that are kept.
const FORMS: usize = 4096;
/// The most that is kept of what was recorded of one form.
const NEXTS: usize = 64;
/// The most ranges that are kept, or were met once.
const RANGES: usize = 1024;
/// Words up to here say which number an operand is.
const NUMBERED: u64 = 2 * NUMBERS as u64;

/// What an expression looks like.
pub(super) struct Form {
    id: u64,
    /// It, over parameters: arrays in memory come first, numbers from [`MEMORIES`] on.
    pub(super) expr: Array,
    /// What was recorded of it first, which is most of all that ever is: read without a lock.
    first: OnceLock<(Step, Arc<Form>)>,
    /// What else was recorded of it before, the likeliest first.
    next: Mutex<Nexts>,
    /// How an evaluation of it alone runs, if its plan takes given memory.
    alone: OnceLock<Option<Plan>>,
    /// The same of evaluations that ask for it first, and for others.
    together: Mutex<Vec<Evaluation>>,
}

/// What was recorded of a form; `None` for what was met once, of a kind that is noted when it is met again.
type Nexts = SmallVec<[(Step, Option<Arc<Form>>); 2]>;

/// How forms are evaluated.
type Plan = Arc<(Trace, Ready)>;

/// Which forms are evaluated with another, and how.
type Evaluation = (SmallVec<[u64; 2]>, Option<Plan>);

/// How one form leads to another.
#[derive(PartialEq)]
struct Step {
    request: Request,
    /// What the operands are: words of [`Look::id`], and zeros. The first form among them is the one it leads from.
    operands: [u64; 3],
}

impl Step {
    fn is(&self, request: &Request, operands: [u64; 3]) -> bool {
        self.operands == operands && self.request == *request
    }
}

/// What an operand looks like.
#[derive(Clone, Copy)]
pub(super) enum Look<'a> {
    Form(&'a Arc<Form>),
    /// The Python number with this number, and whether it is a float.
    Number(u8, bool),
}

impl Look<'_> {
    /// Says it in a word: numbers come before all forms.
    pub(super) fn id(self) -> u64 {
        match self {
            Look::Form(form) => form.id,
            Look::Number(number, is_float) => 2 * u64::from(number) + u64::from(is_float) + 1,
        }
    }

    /// Its expression, over parameters.
    pub(super) fn expr(self) -> Array {
        match self {
            Look::Form(form) => form.expr.clone(),
            Look::Number(number, is_float) => roots().number(number, is_float),
        }
    }
}

/// The forms of lines with one number, by dtype.
type Lines = SmallVec<[(DType, Arc<Form>); 2]>;

/// The forms of arrays in memory, and numbers, which all others hang on.
#[derive(Default)]
struct Roots {
    /// Lines, by number and dtype.
    lines: [Lines; MEMORIES],
    /// Arrays of other shapes.
    memories: FxHashMap<(u8, DType, Shape), Arc<Form>>,
    numbers: FxHashMap<(u8, bool), Array>,
    ranges: FxHashMap<Range, Option<Arc<Form>>>,
}

impl Roots {
    fn number(&mut self, number: u8, is_float: bool) -> Array {
        let weak = if is_float { Weak::Float } else { Weak::Int };
        let place = MEMORIES as u32 + u32::from(number);
        let make = || Array::weak_param(place, weak);
        self.numbers.entry((number, is_float)).or_insert_with(make).clone()
    }
}

static ROOTS: PerProcess<Mutex<Roots>> = PerProcess::new(Mutex::default);
/// The form made last, and the one that was made last when all were forgotten.
static MADE: AtomicU64 = AtomicU64::new(NUMBERED);
static FORGOTTEN: AtomicU64 = AtomicU64::new(NUMBERED);

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

/// Keeps what was recorded, in the place of what was met once or of what was asked for long ago.
fn keep(next: &mut Nexts, step: Step, form: Option<Arc<Form>>) {
    if let Some(at) = next.iter().position(|(known, _)| *known == step) {
        next.swap_remove(at);
    } else if next.len() >= NEXTS {
        next.pop();
    }
    next.insert(0, (step, form));
}

impl Form {
    fn new(expr: Array) -> Arc<Self> {
        let id = MADE.fetch_add(1, Ordering::Relaxed) + 1;
        let (first, next) = (OnceLock::new(), Mutex::default());
        let (alone, together) = (OnceLock::new(), Mutex::default());
        Arc::new(Self { id, expr, first, next, alone, together })
    }

    /// The array in memory with this number, of a shape that counts.
    pub(super) fn memory(number: u8, dtype: DType, shape: &[usize]) -> Arc<Self> {
        let key = (number, dtype, Shape::from_slice(shape));
        let make = || Form::new(Array::param(number.into(), dtype, Shape::from_slice(shape)));
        roots().memories.entry(key).or_insert_with(make).clone()
    }

    /// The line in memory with this number.
    pub(super) fn line(number: u8, dtype: DType) -> Arc<Self> {
        let mut roots = roots();
        let lines = &mut roots.lines[usize::from(number)];
        if let Some((_, form)) = lines.iter().find(|(known, _)| *known == dtype) {
            return form.clone();
        }
        let form = Form::new(Array::param(number.into(), dtype, Shape::from_slice(&[LINE])));
        lines.push((dtype, form.clone()));
        form
    }

    /// A range; `None` when it is met for the first time: its numbers are part of the form, and may be others the
    /// next time.
    pub(super) fn range(range: Range, span: Span) -> Option<Arc<Self>> {
        let known = {
            let mut roots = roots();
            if roots.ranges.len() > RANGES {
                roots.ranges.clear();
            }
            match roots.ranges.entry(range) {
                Entry::Occupied(known) => known.get().clone(),
                Entry::Vacant(slot) => {
                    slot.insert(None);
                    return None;
                }
            }
        };
        if known.is_some() {
            return known;
        }
        let expr = with_span(span, || Request::Range(range).of(&[])).ok()?;
        let form = Self::new(expr);
        roots().ranges.insert(range, Some(form.clone()));
        Some(form)
    }

    fn next(&self) -> MutexGuard<'_, Nexts> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is recorded of operands with these words and expressions, the form being the first of them that is one;
    /// `None` if that is an error, or met for the first time and may never come back.
    pub(super) fn made(
        &self,
        request: &Request,
        operands: [u64; 3],
        exprs: impl FnOnce() -> SmallVec<[Array; 3]>,
        span: Span,
    ) -> Option<Arc<Self>> {
        if let Some((step, form)) = self.first.get()
            && step.is(request, operands)
        {
            return Some(form.clone());
        }
        {
            let mut next = self.next();
            if let Some(at) = next.iter().position(|(step, _)| step.is(request, operands)) {
                if at > 0 {
                    // What is asked for now will be asked for again.
                    next.swap(0, at);
                }
                if let Some(form) = &next[0].1 {
                    return Some(form.clone());
                }
            } else if request.may_never_come_back() {
                keep(&mut next, Step { request: request.clone(), operands }, None);
                return None;
            }
        }
        let expr = with_span(span, || request.of(&exprs())).ok()?;
        if expr.dtype().is_complex() {
            return None;
        }
        let form = Self::new(expr);
        let step = || Step { request: request.clone(), operands };
        if request.may_never_come_back() || self.first.set((step(), form.clone())).is_err() {
            keep(&mut self.next(), step(), Some(form.clone()));
        }
        Some(form)
    }

    /// How an evaluation of some forms together runs, if its plan takes given memory; plans the first.
    pub(super) fn ready(forms: &[&Form]) -> Option<Plan> {
        let (first, others) = forms.split_first()?;
        if others.is_empty() {
            return first.alone.get_or_init(|| Self::plan(forms)).clone();
        }
        let known = || first.together.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |(ids, _): &&Evaluation| ids.iter().copied().eq(others.iter().map(|f| f.id));
        if let Some((_, ready)) = known().iter().find(same) {
            return ready.clone();
        }
        let ready = Self::plan(forms);
        let mut known = known();
        if known.len() == TOGETHER {
            known.remove(0);
        }
        known.push((others.iter().map(|form| form.id).collect(), ready.clone()));
        ready
    }

    fn plan(forms: &[&Form]) -> Option<Plan> {
        let results: SmallVec<[Array; 4]> = forms.iter().map(|form| form.expr.clone()).collect();
        let trace = Trace::new(&results).ok()?;
        let ready = trace.ready_as_traced()?;
        Some(Arc::new((trace, ready)))
    }
}
