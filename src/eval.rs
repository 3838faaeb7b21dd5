//! From deferred arrays to values: the staircase, one step per floor.
//!
//! The only module that sees the whole stair: program, graph, passes, loops, run. Plans are kept by
//! program, so an evaluation that was seen before goes from the first step to the last.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::buffer::Storage;
use crate::error::{Error, Result};
use crate::expr::{Array, Bindings, Program};
use crate::fork::PerProcess;
use crate::loops::{Plan, lower};
use crate::runtime::Arguments;
use crate::shape::Shape;
use crate::{graph, pass, runtime};

pub use crate::runtime::Context;

/// How many plans are kept.
const PLANS: usize = 512;
/// Programs larger than this are planned anew: they are rarely seen twice, and keys would be large.
const LARGEST: usize = 4096;

/// A plan, and which of its results each wanted node is.
#[derive(Debug)]
pub(crate) struct Planned {
    pub(crate) plan: Plan,
    /// Per wanted node a place in `plan.outputs`; equal nodes share one.
    results: Vec<usize>,
}

/// Plans by program, with the time of their last use.
#[derive(Default)]
struct Plans {
    by_program: HashMap<Program, (Arc<Planned>, u64)>,
    clock: u64,
}

static CACHE: PerProcess<Mutex<Plans>> = PerProcess::new(Mutex::default);

/// Evaluates arrays together, sharing loops, and keeps their values in them.
///
/// Values are C-ordered. Equal arrays may share a value, so it must be copied before it is given away.
///
/// # Errors
/// `Memory`, `Interrupted`, `Value` for an integer raised to a negative power, `Overflow` for a
/// traced Python integer that does not fit, `Trace` for an array that escaped its trace, and what an
/// opaque call gives.
pub fn eval(arrays: &[Array], ctx: &Context<'_>) -> Result<Vec<Storage>> {
    let mut pending: Vec<&Array> = Vec::new();
    for array in arrays {
        if array.value().is_none() && !pending.iter().any(|p| p.same(array)) {
            pending.push(array);
        }
    }
    if !pending.is_empty() {
        let wanted: Vec<Array> = pending.into_iter().cloned().collect();
        let values = eval_once(&wanted, ctx)?;
        for (array, value) in wanted.iter().zip(values) {
            array.set_value(value);
        }
    }
    Ok(arrays.iter().filter_map(Array::value).collect())
}

/// Evaluates arrays together without keeping values in them; the values share no memory.
///
/// # Errors
/// As for [`eval`].
pub fn eval_once(arrays: &[Array], ctx: &Context<'_>) -> Result<Vec<Storage>> {
    let (program, bindings) = Program::new(arrays);
    let planned = plan(program)?;
    let Bindings { inputs, scalars, calls } = &bindings;
    let values = runtime::run(&planned.plan, &Arguments { inputs, scalars, calls }, ctx)?;
    planned.give(values, arrays.iter().map(Array::shape))
}

impl Planned {
    /// The results in these shapes; one that is wanted twice is copied.
    pub(crate) fn give<'a>(
        &self,
        values: Vec<Storage>,
        shapes: impl Iterator<Item = &'a Shape>,
    ) -> Result<Vec<Storage>> {
        let mut values: Vec<Option<Storage>> = values.into_iter().map(Some).collect();
        let mut out: Vec<Option<Storage>> = vec![None; self.results.len()];
        // The last wish for a result gets the memory itself.
        for (i, shape) in shapes.enumerate().collect::<Vec<_>>().into_iter().rev() {
            let place = self.results[i];
            let value = match values[place].take() {
                Some(value) => value,
                None => {
                    let again = self.results[i + 1..].iter().position(|&p| p == place);
                    let twin = again.and_then(|j| out[i + 1 + j].as_ref());
                    twin.ok_or_else(|| Error::bug("eval: a result is missing"))?.c_ordered()?
                }
            };
            out[i] = Some(value.in_c_order_as(shape)?);
        }
        Ok(out.into_iter().flatten().collect())
    }
}

/// The plan of a program, made or found.
pub(crate) fn plan(program: Program) -> Result<Arc<Planned>> {
    if program.nodes.len() > LARGEST {
        return Ok(Arc::new(make(&program)?));
    }
    if let Some(found) = CACHE.get().lock().unwrap_or_else(PoisonError::into_inner).find(&program) {
        return Ok(found);
    }
    // Made outside the lock: planning may take long and other threads go on.
    let planned = Arc::new(make(&program)?);
    CACHE.get().lock().unwrap_or_else(PoisonError::into_inner).keep(program, planned.clone());
    Ok(planned)
}

/// Plans a program: graph, passes, loops.
pub(crate) fn make(program: &Program) -> Result<Planned> {
    let mut graph = graph::build(program)?;
    pass::optimize(&mut graph, |_, _| {})?;
    let mut plan = lower(&graph)?;
    // Nodes found equal have one buffer.
    let wanted = std::mem::take(&mut plan.outputs);
    let mut results = Vec::with_capacity(wanted.len());
    for buffer in wanted {
        let place = plan.outputs.iter().position(|&o| o == buffer).unwrap_or_else(|| {
            plan.outputs.push(buffer);
            plan.outputs.len() - 1
        });
        results.push(place);
    }
    Ok(Planned { plan, results })
}

impl Plans {
    fn find(&mut self, program: &Program) -> Option<Arc<Planned>> {
        self.clock += 1;
        let clock = self.clock;
        self.by_program.get_mut(program).map(|(plan, used)| {
            *used = clock;
            plan.clone()
        })
    }

    /// Keeps a plan; when there are too many, the older half of them goes.
    fn keep(&mut self, program: Program, planned: Arc<Planned>) {
        if self.by_program.len() >= PLANS {
            let mut times: Vec<u64> = self.by_program.values().map(|v| v.1).collect();
            times.sort_unstable();
            let median = times[times.len() / 2];
            self.by_program.retain(|_, v| v.1 > median);
        }
        self.clock += 1;
        self.by_program.insert(program, (planned, self.clock));
    }
}
