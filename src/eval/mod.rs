//! From deferred arrays to values: the staircase, one step per floor.
//!
//! The only module that sees the whole stair: program, graph, passes, loops, run. Plans are kept by
//! program, so an evaluation that was seen before goes from the first step to the last.

mod stretch;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::buffer::Storage;
use crate::error::{Error, Result};
use crate::expr::{Array, Bindings, Number, Program, Walk};
pub use crate::figures::Tally;
use crate::fork::PerProcess;
use crate::loops::lower;
use crate::op::Op;
use crate::runtime::{Arguments, Line, Prepared};
use crate::shape::Shape;
use crate::{graph, pass, runtime};

pub use crate::runtime::Context;

/// How many plans are kept.
const PLANS: usize = 512;
/// How many nodes their programs have together; a larger program is planned anew each time.
const NODES: usize = 1 << 18;
/// Larger programs are not looked up by what they are on other lengths: few are run on several.
const STRETCHED: usize = 4096;

/// A plan, and which of its results each wanted node is.
#[derive(Debug)]
pub(crate) struct Planned {
    pub(crate) plan: Prepared,
    /// Per wanted node a place in the plan's outputs; equal nodes share one.
    results: Vec<usize>,
    pub(crate) tally: Tally,
    /// What an element more adds to it, where the arrays may have another length.
    each: Tally,
}

/// The plans that were made.
#[derive(Default)]
struct Cache {
    plans: Plans,
    /// By the program on arrays of the length [`MODEL`], one for all lengths.
    models: Plans,
}

/// The length that stands for all.
const MODEL: usize = 2;

/// Plans by the hash of their program, with the time of their last use.
#[derive(Default)]
struct Plans {
    by_hash: FxHashMap<u64, SmallVec<[Kept; 1]>>,
    count: usize,
    /// Of all programs together.
    nodes: usize,
    clock: u64,
}

struct Kept {
    program: Program,
    planned: Arc<Planned>,
    used: u64,
}

static CACHE: PerProcess<Mutex<Cache>> = PerProcess::new(Mutex::default);

/// Arrays to be evaluated together, with their plan if one was made before.
pub struct Evaluation<'a> {
    arrays: &'a [Array],
    step: Step,
}

enum Step {
    Known(Arc<Planned>, Bindings),
    New(Walk),
}

impl<'a> Evaluation<'a> {
    /// Finds what lies below the arrays, and plans nothing.
    pub fn new(arrays: &'a [Array]) -> Self {
        let walk = Walk::new(arrays);
        let known = cache().plans.find(walk.hash(), |p| walk.is(p));
        let step = match known {
            Some(planned) => Step::Known(planned, walk.into_bindings()),
            None => Step::New(walk),
        };
        Self { arrays, step }
    }

    /// Whether it is over sooner than anybody could wait for it.
    pub fn is_quick(&self) -> bool {
        matches!(&self.step, Step::Known(planned, _) if planned.is_quick())
    }

    /// The values, which share no memory, and what they cost; the arrays do not keep them.
    ///
    /// # Errors
    /// `Memory`, `Interrupted`, `Value` for an integer raised to a negative power, `Overflow` for a
    /// traced Python integer that does not fit, `Trace` for an array that escaped its trace, and what an
    /// opaque call gives.
    pub fn run(self, ctx: &Context<'_>) -> Result<(Vec<Storage>, Tally)> {
        let (planned, bindings) = match self.step {
            Step::Known(planned, bindings) => (planned, bindings),
            Step::New(walk) => {
                let hash = walk.hash();
                let (program, bindings) = walk.into_program();
                (plan_new(hash, program)?, bindings)
            }
        };
        let Bindings { inputs, scalars, calls } = &bindings;
        let values = runtime::run(&planned.plan, &Arguments { inputs, scalars, calls }, ctx)?;
        Ok((planned.give(values, self.arrays.iter().map(Array::shape))?, planned.tally))
    }
}

/// Those of the arrays that have no value yet, each once.
pub fn pending(arrays: &[Array]) -> SmallVec<[Array; 1]> {
    let mut pending: SmallVec<[Array; 1]> = SmallVec::new();
    for array in arrays {
        if !array.is_evaluated() && !pending.iter().any(|p| p.same(array)) {
            pending.push(array.clone());
        }
    }
    pending
}

/// Evaluates arrays together, sharing loops, and keeps their values in them.
///
/// Values are C-ordered. Equal arrays may share a value, so it must be copied before it is given away.
///
/// # Errors
/// As for [`Evaluation::run`].
pub fn eval(arrays: &[Array], ctx: &Context<'_>) -> Result<Vec<Storage>> {
    let wanted = pending(arrays);
    if !wanted.is_empty() {
        let (values, _) = Evaluation::new(&wanted).run(ctx)?;
        for (array, value) in wanted.iter().zip(values) {
            array.set_value(value);
        }
    }
    Ok(arrays.iter().filter_map(Array::value).collect())
}

/// Evaluates arrays together without keeping values in them; the values share no memory.
///
/// # Errors
/// As for [`Evaluation::run`].
pub fn eval_once(arrays: &[Array], ctx: &Context<'_>) -> Result<Vec<Storage>> {
    Evaluation::new(arrays).run(ctx).map(|(values, _)| values)
}

impl Planned {
    /// The plan for the same program on arrays of another length.
    fn stretched(&self, length: usize) -> Option<Planned> {
        let line = self.plan.line()?;
        let plan = stretch::plan(self.plan.plan(), line, length)?;
        let tally = self.tally_for(self.tally, length);
        let plan = Prepared::of(plan, Some(Line { length, ..line.clone() }));
        Some(Planned { plan, results: self.results.clone(), tally, each: self.each })
    }

    /// The same plan, whose arrays may have another length than this one, if no loop depends on it.
    fn stretching(self, program: &Program, length: usize) -> Planned {
        let longer = stretch::line(program, self.plan.plan(), length).and_then(|line| {
            let plan = stretch::plan(self.plan.plan(), &line, length + 1)?;
            let program = stretch::program(program, length + 1);
            Some((line, Tally::of_graph(&graph::build(&program).ok()?).with_plan(&plan)))
        });
        let Some((line, longer)) = longer else { return self };
        let each = Tally {
            bytes_moved: longer.bytes_moved - self.tally.bytes_moved,
            numpy_bytes: longer.numpy_bytes - self.tally.numpy_bytes,
            ..Tally::default()
        };
        Planned { plan: Prepared::of(self.plan.into_plan(), Some(line)), each, ..self }
    }

    /// The figures of a run on arrays of another length, of those for the length that was planned.
    pub(crate) fn tally_for(&self, planned: Tally, length: usize) -> Tally {
        let (each, from, to) = (self.each, self.plan.planned() as u64, length as u64);
        Tally {
            bytes_moved: planned.bytes_moved + each.bytes_moved * to - each.bytes_moved * from,
            numpy_bytes: planned.numpy_bytes + each.numpy_bytes * to - each.numpy_bytes * from,
            ..planned
        }
    }

    /// Whether it is over sooner than anybody could wait for it.
    pub(crate) fn is_quick(&self) -> bool {
        self.plan.is_quick(self.plan.planned())
    }

    /// Whether the wanted nodes are the plan's outputs one by one.
    pub(crate) fn gives_in_order(&self) -> bool {
        self.results.iter().copied().eq(0..self.plan.plan().outputs.len())
    }

    /// The results in these shapes; one that is wanted twice is copied.
    pub(crate) fn give<'a>(
        &self,
        values: Vec<Storage>,
        shapes: impl Iterator<Item = &'a Shape>,
    ) -> Result<Vec<Storage>> {
        if self.results.iter().copied().eq(0..values.len()) {
            return values.into_iter().zip(shapes).map(|(v, s)| v.in_c_order_as(s)).collect();
        }
        let mut values: Vec<Option<Storage>> = values.into_iter().map(Some).collect();
        let mut out: Vec<Option<Storage>> = vec![None; self.results.len()];
        // Per result, the wish for it that was met last: the last of all gets the memory itself.
        let mut met: Vec<Option<usize>> = vec![None; values.len()];
        for (i, shape) in shapes.enumerate().collect::<Vec<_>>().into_iter().rev() {
            let place = self.results[i];
            let value = match values[place].take() {
                Some(value) => value,
                None => {
                    let twin = met[place].and_then(|j| out[j].as_ref());
                    twin.ok_or_else(|| Error::bug("eval: a result is missing"))?.c_ordered()?
                }
            };
            met[place] = Some(i);
            out[i] = Some(value.in_c_order_as(shape)?);
        }
        Ok(out.into_iter().flatten().collect())
    }
}

fn cache() -> MutexGuard<'static, Cache> {
    CACHE.get().lock().unwrap_or_else(PoisonError::into_inner)
}

/// The plan of a program, made or found.
pub(crate) fn plan(program: Program) -> Result<Arc<Planned>> {
    let hash = program.hash();
    let known = cache().plans.find(hash, |p| *p == program);
    known.map_or_else(|| plan_new(hash, program), Ok)
}

/// Goes up the stair once, with two elements. The first evaluation of a process pays for what all do: the
/// pages of the code, and questions about the machine. So it is made before somebody waits for its values.
///
/// # Errors
/// `Memory`.
pub fn rehearse() -> Result<()> {
    eval_once(&[rehearsal()?], &Context::default()).map(|_| ())
}

/// A short chain.
fn rehearsal() -> Result<Array> {
    let number = |value| Array::number(Number::Float(value));
    let x = Array::from_slice(&[0.25f32, -0.5], &[2])?;
    let y = Array::map(Op::Multiply, &[Array::map(Op::Absolute, &[x])?, number(0.5)])?;
    Array::map(Op::Add, &[y, number(0.25)])
}

/// The plan of a program that is not known, from now on kept.
fn plan_new(hash: u64, program: Program) -> Result<Arc<Planned>> {
    // Made outside the lock: planning may take long and other threads go on.
    if program.nodes.len() > NODES {
        return make(&program).map(Arc::new);
    }
    let length = stretch::length(&program).filter(|_| program.nodes.len() <= STRETCHED);
    let model = length.map(|n| (n, stretch::program(&program, MODEL)));
    if let Some((length, model)) = model {
        let key = model.hash();
        let known = cache().models.find(key, |p| *p == model);
        let stretched = known.and_then(|known| known.stretched(length));
        #[cfg(feature = "verify")]
        if let Some(planned) = &stretched {
            let anew = make(&program)?;
            let texts = [planned, &anew].map(|p| format!("{:?} {:?}", p.plan.plan(), p.tally));
            assert_eq!(texts[0], texts[1], "stretched and planned anew");
        }
        let planned = match stretched {
            Some(planned) => Arc::new(planned),
            None => {
                let planned = Arc::new(make(&program)?.stretching(&program, length));
                cache().models.keep(key, model, planned.clone());
                planned
            }
        };
        cache().plans.keep(hash, program, planned.clone());
        return Ok(planned);
    }
    let planned = Arc::new(make(&program)?);
    cache().plans.keep(hash, program, planned.clone());
    Ok(planned)
}

/// Plans a program: graph, passes, loops.
pub(crate) fn make(program: &Program) -> Result<Planned> {
    let mut graph = graph::build(program)?;
    let tally = Tally::of_graph(&graph);
    pass::optimize(&mut graph, |_, _| {})?;
    let mut plan = lower(&graph)?;
    let tally = tally.with_plan(&plan);
    // Nodes found equal have one buffer.
    let wanted = std::mem::take(&mut plan.outputs);
    let mut results = Vec::with_capacity(wanted.len());
    let mut places: FxHashMap<u32, usize> = FxHashMap::default();
    for buffer in wanted {
        let place = *places.entry(buffer).or_insert_with(|| {
            plan.outputs.push(buffer);
            plan.outputs.len() - 1
        });
        results.push(place);
    }
    Ok(Planned { plan: Prepared::new(plan), results, tally, each: Tally::default() })
}

impl Plans {
    fn find(&mut self, hash: u64, is: impl Fn(&Program) -> bool) -> Option<Arc<Planned>> {
        self.clock += 1;
        let kept = self.by_hash.get_mut(&hash)?.iter_mut().find(|kept| is(&kept.program))?;
        kept.used = self.clock;
        Some(kept.planned.clone())
    }

    /// Keeps a plan in place of an equal program's; when there are too many, the older half of them goes.
    fn keep(&mut self, hash: u64, program: Program, planned: Arc<Planned>) {
        if let Some(same) = self.by_hash.get_mut(&hash) {
            same.retain(|kept| kept.program != program);
            self.counted();
        }
        while self.count > 0 && (self.count >= PLANS || self.nodes + program.nodes.len() > NODES) {
            let mut times: Vec<u64> = self.by_hash.values().flatten().map(|k| k.used).collect();
            times.sort_unstable();
            let median = times[times.len() / 2];
            self.by_hash.retain(|_, same| {
                same.retain(|kept| kept.used > median);
                !same.is_empty()
            });
            self.counted();
        }
        self.clock += 1;
        self.count += 1;
        self.nodes += program.nodes.len();
        let kept = Kept { program, planned, used: self.clock };
        self.by_hash.entry(hash).or_default().push(kept);
    }

    fn counted(&mut self) {
        let all = || self.by_hash.values().flatten();
        (self.count, self.nodes) = (all().count(), all().map(|k| k.program.nodes.len()).sum());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(ops: usize) -> Array {
        let number = |v| Array::number(Number::Float(v));
        let mut y = Array::from_slice(&[1f64, 2.0, 3.0], &[3]).unwrap();
        for i in 0..ops {
            let op = if i % 2 == 0 { Op::Multiply } else { Op::Add };
            y = Array::map(op, &[y, number(0.5)]).unwrap();
        }
        y
    }

    #[test]
    fn a_large_program_is_planned_once() {
        let is_known = |ops| matches!(Evaluation::new(&[chain(ops)]).step, Step::Known(..));
        for ops in [10, 20_000] {
            let first = eval_once(&[chain(ops)], &Context::default()).unwrap();
            assert!(is_known(ops), "{ops} ops");
            let again = eval_once(&[chain(ops)], &Context::default()).unwrap();
            assert_eq!(first[0].to_vec::<f64>().unwrap(), again[0].to_vec::<f64>().unwrap());
        }
    }

    #[test]
    fn a_rehearsal_goes_all_the_way() {
        let is_known = || {
            let array = [rehearsal().unwrap()];
            matches!(Evaluation::new(&array).step, Step::Known(..))
        };
        assert!(!is_known());
        rehearse().unwrap();
        assert!(is_known());
    }

    #[test]
    fn plans_are_kept_up_to_so_many_nodes() {
        let mut plans = Plans::default();
        let planned = Arc::new(make(&Program::new(&[chain(2)]).0).unwrap());
        for ops in 0..40 {
            let program = Program::new(&[chain(10_000 + ops)]).0;
            let nodes = program.nodes.len();
            plans.keep(program.hash(), program, planned.clone());
            let kept: usize = plans.by_hash.values().flatten().map(|k| k.program.nodes.len()).sum();
            assert_eq!(kept, plans.nodes);
            assert!(nodes <= kept && kept <= NODES, "{kept} nodes");
        }
        assert!(plans.count < 40);
    }
}
