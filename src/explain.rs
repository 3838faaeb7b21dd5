//! What an evaluation would do, as figures and as text: each landing of the stair, printed.
//!
//! Plans as `eval` does, with the same floors, but looks on. Runs nothing.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use crate::call::Call;
use crate::error::Result;
use crate::expr::{Array, Program};
use crate::figures::{bytes_moved, numpy_work};
use crate::graph::{Graph, Kind, Reason};
use crate::loops::{Form, Launch, Memory, Operand, Place, Plan, Role, Task, lower, print};
use crate::pass::{self, PASSES};
use crate::{codegen, graph};

/// The figures of an evaluation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Ops in the user's graph: elementwise ops, conversions, reductions, interpolations, opaque calls.
    pub ops: usize,
    /// Fused loop nests.
    pub loops: usize,
    /// Arrays that one nest or opaque call writes for another, reductions' results not counted.
    pub temporaries: usize,
    /// Bytes that the nests and the opaque calls read and write.
    pub bytes_moved: u64,
    /// Bytes that NumPy reads and writes, one op at a time.
    pub numpy_bytes: u64,
    /// The loop IR.
    pub text: String,
    /// Where chains were cut and why, one line each.
    pub cuts: Vec<String>,
    /// The opaque calls in the order they run.
    pub calls: Vec<Called>,
}

/// An opaque call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Called {
    /// The function's name.
    pub name: String,
    /// The user's line if it is known.
    pub place: Option<String>,
    /// Whether it leaves the engine.
    pub is_foreign: bool,
}

/// A program on its way to a plan.
struct Planned {
    source: Graph,
    graph: Graph,
    plan: Plan,
    functions: Vec<Arc<dyn Call>>,
}

/// Plans an evaluation of arrays that are not evaluated yet; `seen` sees the graph after each pass.
fn plan(arrays: &[Array], seen: impl FnMut(&pass::Pass, &Graph)) -> Result<Planned> {
    let pending: Vec<Array> = arrays.iter().filter(|a| !a.is_evaluated()).cloned().collect();
    let (program, bindings) = Program::new(&pending);
    let source = graph::build(&program)?;
    let mut graph = source.clone();
    pass::optimize(&mut graph, seen)?;
    let plan = lower(&graph)?;
    Ok(Planned { source, graph, plan, functions: bindings.calls })
}

/// The figures of evaluating arrays together.
///
/// # Errors
/// `Trace` for an array that escaped its trace; else bugs.
pub fn report(arrays: &[Array]) -> Result<Report> {
    let Planned { source, graph, plan, functions } = plan(arrays, |_, _| {})?;
    let (ops, numpy_bytes) = numpy_work(&source);
    Ok(Report {
        ops,
        loops: plan.launches().count(),
        temporaries: temporaries(&plan),
        bytes_moved: bytes_moved(&plan),
        numpy_bytes,
        text: steps(&plan),
        cuts: cuts(&graph),
        calls: calls(&graph, &functions),
    })
}

/// The graph, what each pass changed, the loops, and on request the machine code.
///
/// # Errors
/// As for [`report`].
pub fn explain(arrays: &[Array], machine_code: bool) -> Result<String> {
    let mut out = String::new();
    if arrays.iter().all(Array::is_evaluated) {
        return Ok("evaluated: the value is kept, nothing is left to run\n".to_owned());
    }
    let mut stages: Vec<(&str, &str, String)> = Vec::new();
    let Planned { source, graph, plan, .. } = plan(arrays, |pass, graph| {
        stages.push((pass.name, pass.purpose, graph.text(true)));
    })?;
    let (ops, numpy_bytes) = numpy_work(&source);
    let mut last = source.text(true);
    let _ = write!(out, "graph: {ops} ops\n{last}");
    debug_assert_eq!(stages.len(), PASSES.len(), "every pass is shown");
    for (name, purpose, text) in stages {
        let _ = write!(out, "\nafter {name}: {purpose}\n");
        out += if text == last { "same as above\n" } else { &text };
        last = text;
    }
    let called = match plan.calls().count() {
        0 => String::new(),
        n => format!(", opaque calls: {n}"),
    };
    let _ = write!(
        out,
        "\nloops: {}{called}, temporaries: {}, bytes moved: {} (NumPy, op by op: {numpy_bytes})\n{}",
        plan.launches().count(),
        temporaries(&plan),
        bytes_moved(&plan),
        steps(&plan)
    );
    out += "\ncuts:\n";
    for cut in cuts(&graph) {
        let _ = writeln!(out, "  {cut}");
    }
    if machine_code {
        for (i, launch) in plan.launches().enumerate() {
            let _ =
                write!(out, "\nmachine code of k{i}:\n{}", codegen::disassemble(&launch.kernel)?);
        }
    }
    Ok(out)
}

/// Arrays between steps: written by a store or a call, and no result.
fn temporaries(plan: &Plan) -> usize {
    let stored = |b: u32| {
        plan.calls().any(|c| c.result == b)
            || plan.launches().any(|l| {
                l.bufs
                    .iter()
                    .zip(&l.kernel.bufs)
                    .any(|(p, k)| p.memory == Memory::Buffer(b) && k.role == Role::Output)
            })
    };
    (0..plan.buffers.len() as u32).filter(|b| !plan.outputs.contains(b) && stored(*b)).count()
}

/// Every launch with its extents, then its kernel; every call with its memory.
fn steps(plan: &Plan) -> String {
    let mut out = String::new();
    let mut kernels = 0;
    for step in &plan.steps {
        match step {
            Task::Launch(launch) => {
                out += &kernel(plan, launch, kernels);
                kernels += 1;
            }
            Task::Call(call) => {
                let operands: Vec<String> = call
                    .operands
                    .iter()
                    .map(|operand| match operand {
                        Operand::Scalar(n) => format!("scalar {n}"),
                        Operand::View { place, .. } => memory(plan, place.memory),
                    })
                    .collect();
                let (name, operands) = (&call.name, operands.join(", "));
                let result = memory(plan, Memory::Buffer(call.result));
                let _ = write!(out, "\ncall {name}({operands}) -> {result}\n");
            }
        }
    }
    out
}

/// The name of some memory.
fn memory(plan: &Plan, memory: Memory) -> String {
    match memory {
        Memory::Input(n) => format!("input {n}"),
        Memory::Buffer(n) => match plan.outputs.iter().position(|&o| o == n) {
            Some(o) => format!("result {o}"),
            None => format!("buffer {n}"),
        },
    }
}

/// A launch with its extents, then its kernel.
fn kernel(plan: &Plan, launch: &Launch, number: usize) -> String {
    let extents: Vec<String> =
        launch.extents.iter().enumerate().map(|(d, e)| format!("n{d} = {e}")).collect();
    let form = match launch.kernel.form {
        Form::Map => "",
        Form::Inner => ", folds along the run",
        Form::Rows => ", folds across the run",
        Form::Frames => ", folds frames",
    };
    let place = |(b, place): (usize, &Place)| {
        let name = print::buf_name(&launch.kernel, b as u32);
        format!("{name} = {}", memory(plan, place.memory))
    };
    let places: Vec<String> = launch.bufs.iter().enumerate().map(place).collect();
    let mut out = format!("\n; {}{form}; {}\n", extents.join(", "), places.join(", "));
    out += &print::text(&launch.kernel, &format!("k{number}"));
    out
}

/// The opaque calls, in the order they run.
fn calls(graph: &Graph, functions: &[Arc<dyn Call>]) -> Vec<Called> {
    let roots = graph.fusion.iter().flat_map(|fusion| &fusion.groups).flat_map(|g| &g.roots);
    let call = |&at: &graph::Ix| match graph[at].kind {
        Kind::Call(slot) => functions.get(slot as usize).map(|function| Called {
            name: function.name().to_owned(),
            place: graph[at].span.text(),
            is_foreign: function.is_foreign(),
        }),
        _ => None,
    };
    roots.filter_map(call).collect()
}

/// Why nodes are in memory, and what that cuts; what was asked for cuts nothing.
fn cuts(graph: &Graph) -> Vec<String> {
    let Some(fusion) = &graph.fusion else { return Vec::new() };
    let ordered: BTreeMap<_, _> = fusion.roots.iter().collect();
    let mut out = Vec::new();
    for (&at, &reason) in ordered {
        let users = graph.users(at);
        let ends = matches!(reason, Reason::Reduction | Reason::Called | Reason::Updated);
        // What is stored on top of a store waits for nothing else.
        let chain = reason == Reason::Updated
            && users
                .iter()
                .all(|&u| matches!(graph[u].kind, Kind::Update(_)) && graph.operands(u)[0] == at);
        if reason == Reason::Wanted || (ends && users.is_empty()) || chain {
            continue;
        }
        let node = &graph[at];
        let act = match &node.kind {
            Kind::Map(op) => op.to_string(),
            Kind::Reduce { fold, .. } => fold.to_string(),
            Kind::Call(slot) => graph.calls[*slot as usize].to_string(),
            kind => format!("{kind:?}").split([' ', '(']).next().unwrap_or("node").to_lowercase(),
        };
        let place = node.span.text().map_or(String::new(), |p| format!(" ({p})"));
        out.push(format!("after {act}{place}: {}", reason.text(&graph.calls)));
    }
    out
}
