//! Executing a plan: its scalars, its memory, its steps in order.
//!
//! May not know: how a nest is walked, how a function is called.

use std::any::Any;
use std::ops::Range;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};

use smallvec::SmallVec;

use super::cache::{Runner, lookup};
use super::call::{self, Arguments, Whole};
use super::given::Homes;
use super::nest::{self, Memories, Nest};
use super::pool::{FloatMode, Poll, Work, drive, num_threads};
use super::single::Single;
use super::table::Tables;
use super::walk::Worker;
use super::{Context, fold, helpers, scalars};
use crate::buffer::{Buffer, Storage};
use crate::call::Call;
use crate::dtype::{DType, Scalar};
use crate::error::{Error, Result};
use crate::fork;
use crate::loops::{BufferSpec, Launch, Memory, Operand, Plan, Task};
use crate::shape::count;

/// Work below this many light ops stays on the calling thread: waking others costs as much.
pub(super) const PARALLEL: usize = 1 << 19;
/// Work below this many light ops stays there although another thread is awake.
pub(super) const SHORT: usize = 1 << 18;
/// The same of folds in plans, which leave nothing in another core's cache.
pub(super) const SHORT_FOLD: usize = 1 << 16;
/// Light ops that make another thread worth its waking.
const SHARE: usize = 1 << 17;
/// Evaluations below this many light ops are over before another Python thread would have begun.
const QUICK: usize = 1 << 16;
/// Light ops of a nest that a thread takes at a time, at the least.
const ITEM: usize = 1 << 17;

/// A plan, with what is known of its launches before and after their first run.
#[derive(Debug)]
pub struct Prepared {
    plan: Plan,
    /// Per step.
    steps: Vec<Step>,
    /// What each element of each launch costs together, in light ops.
    cost: Cost,
    /// What another length changes, if all arrays have one.
    line: Option<Line>,
    /// Where its buffers lie in an evaluation on given memory, if none is too large.
    homes: Option<Homes>,
}

/// The one length of all arrays of a plan, none of whose loops depends on it, and what does.
#[derive(Clone, Debug)]
pub struct Line {
    /// The length that it was planned for.
    pub length: usize,
    /// Scalars of the plan that are the length less a number, at least 1.
    pub counts: SmallVec<[Count; 1]>,
}

/// A scalar that counts elements.
#[derive(Clone, Copy, Debug)]
pub struct Count {
    /// Its place among the plan's scalars.
    pub at: usize,
    /// What it is less than the length.
    pub less: i64,
    /// Its dtype.
    pub dtype: DType,
}

impl Line {
    /// The shortest length.
    const LEAST: usize = 2;

    fn serves(&self, length: usize) -> bool {
        let counts = |count: &Count| i64::try_from(length).is_ok_and(|n| n > count.less);
        length >= Self::LEAST && self.counts.iter().all(counts)
    }
}

/// What a run costs, in light ops.
#[derive(Clone, Copy, Debug, Default)]
struct Cost {
    fixed: usize,
    /// Per element of the arrays, where their length may change.
    each: usize,
    /// Of calls, if they are the engine's own.
    called: usize,
}

/// What an element costs that a function of the engine's is shown, in light ops.
const CALLED: usize = 16;

#[derive(Debug, Default)]
struct Step {
    /// The buffers that are released after it.
    last: SmallVec<[u32; 4]>,
    single: Option<Single>,
    /// The runner that was found, and for which process: another's may have been in the making.
    runner: OnceLock<(u64, Arc<Runner>)>,
}

impl Prepared {
    /// Works out what depends on the plan alone.
    pub fn new(plan: Plan) -> Self {
        Self::of(plan, None)
    }

    /// The same of a plan whose arrays may get another length.
    pub fn of(plan: Plan, line: Option<Line>) -> Self {
        let length = line.as_ref().map(|line| line.length);
        let step = |task: &Task| match task {
            Task::Launch(launch) => Step { single: Single::of(launch, length), ..Step::default() },
            Task::Call(_) => Step::default(),
        };
        let mut cost = Cost::default();
        for task in &plan.steps {
            let part = match task {
                Task::Launch(launch) if length.is_some_and(|n| launch.extents[..] == [n]) => {
                    cost.each += nest::weight(&launch.kernel);
                    continue;
                }
                Task::Launch(launch) => {
                    let elements = count(&launch.extents).unwrap_or(usize::MAX);
                    elements.saturating_mul(nest::weight(&launch.kernel))
                }
                Task::Call(call) => {
                    let elements = call.operands.iter().map(|operand| match operand {
                        Operand::Scalar(_) => 1,
                        Operand::View { shape, .. } => count(shape).unwrap_or(usize::MAX),
                    });
                    let elements = elements.fold(1, usize::saturating_add);
                    cost.called = cost.called.saturating_add(elements.saturating_mul(CALLED));
                    continue;
                }
            };
            cost.fixed = cost.fixed.saturating_add(part);
        }
        let mut steps: Vec<Step> = plan.steps.iter().map(step).collect();
        for (b, spec) in plan.buffers.iter().enumerate() {
            if let Some(step) = spec.last_use.and_then(|last| steps.get_mut(last as usize)) {
                step.last.push(b as u32);
            }
        }
        let homes = Homes::of(&plan, length);
        Self { plan, steps, cost, line, homes }
    }

    /// The plan, to be prepared otherwise.
    pub fn into_plan(self) -> Plan {
        self.plan
    }

    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The length of all arrays, and what else changes with it, if it may be another one.
    pub fn line(&self) -> Option<&Line> {
        self.line.as_ref()
    }

    /// Whether a run on arrays of this length, or of the lengths that were planned, takes no longer than it
    /// takes to let another thread go first.
    pub fn is_quick(&self, length: usize) -> bool {
        self.cost.called == 0 && self.is_quick_at_home(length)
    }

    /// The same of a plan whose calls, if there are any, are of the engine's own functions.
    pub fn is_quick_at_home(&self, length: usize) -> bool {
        self.cost(length).saturating_add(self.cost.called) <= QUICK
    }

    /// What a run costs without its calls, in light ops.
    pub fn cost(&self, length: usize) -> usize {
        self.cost.fixed.saturating_add(self.cost.each.saturating_mul(length))
    }

    /// The length that was planned; 0 if there are several.
    pub fn planned(&self) -> usize {
        self.line.as_ref().map_or(0, |line| line.length)
    }

    /// Where its buffers lie in an evaluation on given memory of arrays of some length.
    pub(super) fn homes(&self, length: usize) -> Option<&Homes> {
        let serves = self.line.as_ref().is_none_or(|line| line.serves(length));
        self.homes.as_ref().filter(|_| serves)
    }

    /// The values of the plan's scalars.
    pub(super) fn scalars(
        &self,
        arguments: &[Scalar],
        length: usize,
    ) -> Result<SmallVec<[Scalar; 8]>> {
        let counts = match &self.line {
            Some(line) if length != line.length => line.counts.as_slice(),
            _ => &[],
        };
        scalars::evaluate(&self.plan.scalars, arguments, |at| {
            let count = counts.iter().find(|count| count.at == at)?;
            Some(Scalar::wrap_int(length as i128 - i128::from(count.less), count.dtype))
        })
    }

    /// Runs the steps, in order, on memory that is there; what calls give is copied to it.
    pub(super) fn run_on(
        &self,
        values: &[Scalar],
        memory: &impl Memories,
        length: usize,
        calls: &[Arc<dyn Call>],
        ctx: &Context,
    ) -> Result<()> {
        let poll = Poll::new(ctx);
        for (task, step) in self.plan.steps.iter().zip(&self.steps) {
            match task {
                Task::Launch(launch) => {
                    let stretched = || self.stretched(launch, length);
                    step.launch(launch, stretched, values, memory, length, ctx, &poll)?;
                }
                Task::Call(call) => {
                    let spec = self.plan.buffers.get(call.result as usize);
                    let spec = spec.ok_or_else(|| Error::bug("a call without its result"))?;
                    // Who runs it holds the memory until it is over.
                    let nobody: Arc<dyn Any + Send + Sync> = Arc::new(());
                    let find = |m| {
                        let (ptr, low, high) = memory.find(m)?;
                        Ok(Whole { ptr, reach: (low, high), keeper: nobody.clone() })
                    };
                    let given = call::run(call, spec, calls, values, find, ctx.interrupt)?;
                    let bytes = count(&given.shape)? * given.dtype.size();
                    let (to, low, high) = memory.find(Memory::Buffer(call.result))?;
                    if low > 0 || high < bytes.cast_signed() {
                        return Err(Error::bug("a call whose result has no room"));
                    }
                    // SAFETY: the result is in C order and not in the memory of operands; there is room for it.
                    unsafe { std::ptr::copy_nonoverlapping(given.ptr, to, bytes) };
                }
            }
            poll.check()?;
        }
        Ok(())
    }

    /// A launch over arrays of another length than was planned.
    fn stretched(&self, launch: &Launch, length: usize) -> Option<Launch> {
        let planned = self.planned();
        if planned == 0 || planned == length {
            return None;
        }
        let mut launch = launch.clone();
        launch.extents.iter_mut().filter(|n| **n == planned).for_each(|n| *n = length);
        Some(launch)
    }
}

/// Runs a plan on arguments of the shapes it was made for; returns its outputs, C-ordered.
pub fn run(prepared: &Prepared, arguments: &Arguments, ctx: &Context) -> Result<Vec<Storage>> {
    let (plan, length) = (&prepared.plan, prepared.planned());
    let values = {
        let _float = FloatMode::standard();
        prepared.scalars(arguments.scalars, length)?
    };
    let poll = Poll::new(ctx);
    let buffers = plan.buffers.iter().map(|_| None).collect();
    let mut memory = Bank { plan, inputs: arguments.inputs, buffers };
    for (task, step) in plan.steps.iter().zip(&prepared.steps) {
        match task {
            Task::Launch(launch) => {
                memory.prepare(launch)?;
                step.launch(launch, || None, &values, &memory, length, ctx, &poll)?;
            }
            Task::Call(call) => {
                let spec = memory.spec(call.result)?;
                let find = |m| {
                    let Storage { ptr, keeper, .. } = memory.whole(m)?.clone();
                    Ok(Whole { ptr, reach: memory.whole(m)?.reach(), keeper })
                };
                let given = call::run(call, spec, arguments.calls, &values, find, ctx.interrupt)?;
                memory.buffers[call.result as usize] = Some(given);
            }
        }
        poll.check()?;
        for &buffer in &step.last {
            memory.buffers[buffer as usize] = None;
        }
    }
    plan.outputs.iter().map(|&o| memory.take(o)).collect()
}

impl Step {
    /// Runs the launch on arrays of this length, as one run or as a nest: of what `stretched` says, or as it
    /// was planned.
    #[allow(clippy::too_many_arguments, reason = "what one launch needs, from two callers")]
    fn launch(
        &self,
        launch: &Launch,
        stretched: impl FnOnce() -> Option<Launch>,
        values: &[Scalar],
        memory: &impl Memories,
        length: usize,
        ctx: &Context,
        poll: &Poll,
    ) -> Result<()> {
        let single = self.single.as_ref();
        let single = single.filter(|single| ctx.threads.is_none() && single.takes(length));
        self.with_runner(launch, |runner| match single {
            Some(single) => {
                let threads = threads_for(single.cost(length), single.short(), ctx);
                single.run(runner, values, memory, length, threads, poll)
            }
            None => match stretched() {
                Some(launch) => run_launch(runner, &launch, values, memory, ctx, poll),
                None => run_launch(runner, launch, values, memory, ctx, poll),
            },
        })
    }

    /// Calls `f` with the launch's runner, looked up once per process.
    fn with_runner<T>(&self, launch: &Launch, f: impl FnOnce(&Runner) -> T) -> T {
        let process = fork::generation();
        match self.runner.get() {
            Some((known, runner)) if *known == process => f(runner),
            _ => {
                let runner = lookup(&launch.kernel);
                // Kept by the first who comes here.
                let _ = self.runner.set((process, runner.clone()));
                f(&runner)
            }
        }
    }
}

/// The memory of one evaluation.
struct Bank<'a> {
    plan: &'a Plan,
    inputs: &'a [Storage],
    /// C-ordered: allocated here, or given by a call. A call may still hold what it was shown, but none
    /// is written after the launch that it was allocated for.
    buffers: SmallVec<[Option<Storage>; 2]>,
}

impl Bank<'_> {
    /// Allocates what a launch touches first.
    fn prepare(&mut self, launch: &Launch) -> Result<()> {
        for place in &launch.bufs {
            if let Memory::Buffer(b) = place.memory {
                self.allocate(b)?;
            }
        }
        Ok(())
    }

    fn spec(&self, b: u32) -> Result<&'_ BufferSpec> {
        let spec = self.plan.buffers.get(b as usize);
        spec.ok_or_else(|| Error::bug(format!("the plan has no buffer {b}")))
    }

    fn allocate(&mut self, b: u32) -> Result<()> {
        let BufferSpec { dtype, shape, .. } = self.spec(b)?;
        if self.buffers[b as usize].is_none() {
            let buffer = Arc::new(Buffer::new(count(shape)? * dtype.size())?);
            let storage = Storage::from_buffer(buffer, *dtype, shape.clone())?;
            self.buffers[b as usize] = Some(storage);
        }
        Ok(())
    }

    /// The whole of some memory.
    fn whole(&self, memory: Memory) -> Result<&Storage> {
        match memory {
            Memory::Input(i) => self.inputs.get(i as usize),
            Memory::Buffer(b) => self.buffers.get(b as usize).and_then(Option::as_ref),
        }
        .ok_or_else(|| Error::bug(format!("the plan uses {memory:?}, which is not there")))
    }

    /// An output. One that no step touched (it has no elements) is made now.
    fn take(&mut self, b: u32) -> Result<Storage> {
        self.allocate(b)?;
        self.buffers[b as usize].take().ok_or_else(|| Error::bug("an output taken twice"))
    }
}

impl Memories for Bank<'_> {
    fn find(&self, memory: Memory) -> Result<(*mut u8, isize, isize)> {
        // The bank's buffers are written through this address, but by kernels alone.
        let storage = self.whole(memory)?;
        let (low, high) = storage.reach();
        Ok((storage.ptr.cast_mut(), low, high))
    }
}

/// A nest as items for threads: ranges of its units.
struct Job<'n, 'a> {
    nest: &'n Nest<'a>,
    units: usize,
    each: usize,
}

impl Work for Job<'_, '_> {
    type Worker = Worker;

    fn worker(&self) -> Result<Worker> {
        Worker::new(self.nest)
    }

    fn items(&self, worker: &mut Worker, items: Range<usize>) -> Result<()> {
        let mut units = items.start * self.each..self.units.min(items.end * self.each);
        units.try_for_each(|unit| worker.unit(self.nest, unit))
    }

    fn done(&self, worker: Worker) {
        worker.finish(self.nest);
    }
}

/// How many threads work that costs `cost` light ops pays for; below `short` none but the caller.
pub(super) fn threads_for(cost: usize, short: usize, ctx: &Context) -> usize {
    match ctx.threads {
        Some(threads) => threads.clamp(1, super::MAX_THREADS),
        None if cost < short => 1,
        None if cost < PARALLEL => {
            let threads = num_threads().min(2);
            if threads > 1 && helpers::are_awake() { threads } else { 1 }
        }
        None => num_threads().min(cost / SHARE + 1),
    }
}

fn run_launch(
    runner: &Runner,
    launch: &Launch,
    values: &[Scalar],
    memory: &dyn Memories,
    ctx: &Context,
    poll: &Poll,
) -> Result<()> {
    let tables = Tables::new(launch, values, memory)?;
    let Some(nest) = Nest::bind(runner, launch, values, tables.tables, memory)? else {
        return Ok(());
    };
    let (units, elements) = (nest.units(), nest.unit_elements());
    let cost = units.saturating_mul(elements).saturating_mul(nest.weight);
    let each = match ctx.threads {
        Some(_) => 1,
        None => (ITEM / elements.saturating_mul(nest.weight).max(1)).max(1),
    };
    let threads = threads_for(cost, SHORT, ctx);
    let job = Job { nest: &nest, units, each };
    drive(&job, units.div_ceil(each), threads, poll)?;
    {
        let _float = FloatMode::standard();
        fold::combine(&nest)?;
    }
    scalars::check_status(nest.status.load(Ordering::Relaxed))
}
