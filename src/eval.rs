//! From deferred arrays to values: the staircase, one step per floor.
//!
//! The only module that sees the whole stair: program, plan (graph, passes, loops), run.

use std::sync::Arc;

use crate::buffer::Storage;
use crate::error::Result;
use crate::expr::{Array, InputMeta, Number, Program};

/// What an evaluation may ask of its caller.
#[derive(Clone, Copy, Default)]
pub struct Context<'a> {
    /// Asked now and then during long work; true stops the evaluation with an `Interrupted` error.
    pub interrupt: Option<&'a dyn Fn() -> bool>,
}

/// Evaluates arrays together, sharing loops, and keeps their values in them.
///
/// Results are contiguous and share no memory with inputs or each other.
pub fn eval(arrays: &[Array], ctx: &Context<'_>) -> Result<Vec<Storage>> {
    let _ = (arrays, ctx);
    todo!()
}

/// Evaluates without keeping values in the arrays (eager calls, whose arrays nobody holds).
pub fn eval_once(arrays: &[Array], ctx: &Context<'_>) -> Result<Vec<Storage>> {
    let _ = (arrays, ctx);
    todo!()
}

/// What an evaluation of some arrays would run.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Ops in the user's graph (views and leaves not counted).
    pub ops: usize,
    /// Fused loops.
    pub loops: usize,
    /// Temporaries between loops.
    pub temporaries: usize,
    /// Bytes that the loops read and write.
    pub bytes_moved: u64,
    /// Bytes that NumPy would read and write, one op at a time.
    pub numpy_bytes: u64,
    /// The loop IR.
    pub text: String,
    /// Why chains were cut, one line each.
    pub cuts: Vec<String>,
}

/// Plans an evaluation without running it.
pub fn report(arrays: &[Array]) -> Result<Report> {
    let _ = arrays;
    todo!()
}

/// The graph, what each pass changed, the loops, and on request the machine code.
pub fn explain(arrays: &[Array], machine_code: bool) -> Result<String> {
    let _ = (arrays, machine_code);
    todo!()
}

/// A traced function: a program whose arguments come with each call.
///
/// Array arguments are numbered in the order of their [`crate::expr::Prim::Param`] numbers, as are
/// scalar ones; both kinds share one numbering. Constants captured while tracing stay inside.
pub struct Trace {
    program: Program,
}

/// An argument of a call of a [`Trace`], by parameter number.
#[derive(Clone)]
pub enum Argument {
    /// For an array parameter (dtype and rank as traced).
    Array(Storage),
    /// For a Python-number parameter.
    Number(Number),
}

impl Trace {
    /// Closes a trace over its outputs. `captured` are arrays in memory that the function closed over,
    /// each to be given anew at every call as the parameters after the first `params` ones.
    pub fn new(outputs: &[Array], params: usize) -> Result<Trace> {
        let _ = (outputs, params);
        todo!()
    }

    /// Runs it. A new length makes a new plan (no tracing, and no compiling: kernels are found in the cache).
    pub fn call(&self, arguments: &[Argument], ctx: &Context<'_>) -> Result<Vec<Storage>> {
        let _ = (arguments, ctx, &self.program);
        todo!()
    }
}

#[allow(dead_code)]
fn unused(_: Arc<InputMeta>) {}
