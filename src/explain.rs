//! What an evaluation would do, as figures and as text: each landing of the stair, printed.
//!
//! Plans as `eval` does, with the same floors, but looks on. Runs nothing.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::error::Result;
use crate::expr::{Array, Program};
use crate::graph::{Graph, Kind, Reason};
use crate::figures::{bytes, numpy_work};
use crate::loops::{Form, Memory, Plan, Role, lower, print};
use crate::pass::{self, PASSES};
use crate::{codegen, graph};

/// The figures of an evaluation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Ops in the user's graph: elementwise ops, conversions, reductions, interpolations.
    pub ops: usize,
    /// Fused loop nests.
    pub loops: usize,
    /// Arrays that one nest writes for another, reductions' results not counted.
    pub temporaries: usize,
    /// Bytes that the nests read and write.
    pub bytes_moved: u64,
    /// Bytes that NumPy reads and writes, one op at a time.
    pub numpy_bytes: u64,
    /// The loop IR.
    pub text: String,
    /// Where chains were cut and why, one line each.
    pub cuts: Vec<String>,
}

/// Plans an evaluation of arrays that are not evaluated yet; `seen` sees the graph after each pass.
fn plan(arrays: &[Array], seen: impl FnMut(&pass::Pass, &Graph)) -> Result<(Graph, Graph, Plan)> {
    let pending: Vec<Array> = arrays.iter().filter(|a| a.value().is_none()).cloned().collect();
    let (program, _) = Program::new(&pending);
    let source = graph::build(&program)?;
    let mut graph = source.clone();
    pass::optimize(&mut graph, seen)?;
    let plan = lower(&graph)?;
    Ok((source, graph, plan))
}

/// The figures of evaluating arrays together.
///
/// # Errors
/// `Trace` for an array that escaped its trace; else bugs.
pub fn report(arrays: &[Array]) -> Result<Report> {
    let (source, graph, plan) = plan(arrays, |_, _| {})?;
    let (ops, numpy_bytes) = numpy_work(&source);
    Ok(Report {
        ops,
        loops: plan.launches.len(),
        temporaries: temporaries(&plan),
        bytes_moved: plan.launches.iter().map(bytes).sum(),
        numpy_bytes,
        text: kernels(&plan),
        cuts: cuts(&graph),
    })
}

/// The graph, what each pass changed, the loops, and on request the machine code.
///
/// # Errors
/// As for [`report`].
pub fn explain(arrays: &[Array], machine_code: bool) -> Result<String> {
    let mut out = String::new();
    if arrays.iter().all(|a| a.value().is_some()) {
        return Ok("evaluated: the value is kept, nothing is left to run\n".to_owned());
    }
    let mut stages: Vec<(&str, &str, String)> = Vec::new();
    let (source, graph, plan) = plan(arrays, |pass, graph| {
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
    let moved: u64 = plan.launches.iter().map(bytes).sum();
    let _ = write!(
        out,
        "\nloops: {}, temporaries: {}, bytes moved: {moved} (NumPy, op by op: {numpy_bytes})\n{}",
        plan.launches.len(),
        temporaries(&plan),
        kernels(&plan)
    );
    out += "\ncuts:\n";
    for cut in cuts(&graph) {
        let _ = writeln!(out, "  {cut}");
    }
    if machine_code {
        for (i, launch) in plan.launches.iter().enumerate() {
            let _ =
                write!(out, "\nmachine code of k{i}:\n{}", codegen::disassemble(&launch.kernel)?);
        }
    }
    Ok(out)
}

/// Arrays between nests: written by a store, and no result.
fn temporaries(plan: &Plan) -> usize {
    let stored = |b: u32| {
        plan.launches.iter().any(|l| {
            l.bufs
                .iter()
                .zip(&l.kernel.bufs)
                .any(|(p, k)| p.memory == Memory::Buffer(b) && k.role == Role::Output)
        })
    };
    (0..plan.buffers.len() as u32).filter(|b| !plan.outputs.contains(b) && stored(*b)).count()
}

/// Every launch with its extents, then its kernel.
fn kernels(plan: &Plan) -> String {
    let mut out = String::new();
    for (i, launch) in plan.launches.iter().enumerate() {
        let extents: Vec<String> =
            launch.extents.iter().enumerate().map(|(d, e)| format!("n{d} = {e}")).collect();
        let form = match launch.kernel.form {
            Form::Map => "",
            Form::Inner => ", folds along the run",
            Form::Rows => ", folds across the run",
        };
        let places: Vec<String> = launch
            .bufs
            .iter()
            .zip(&launch.kernel.bufs)
            .enumerate()
            .map(|(b, (p, _))| {
                format!(
                    "{} = {}",
                    print::buf_name(&launch.kernel, b as u32),
                    match p.memory {
                        Memory::Input(n) => format!("input {n}"),
                        Memory::Buffer(n) => match plan.outputs.iter().position(|&o| o == n) {
                            Some(o) => format!("result {o}"),
                            None => format!("buffer {n}"),
                        },
                    }
                )
            })
            .collect();
        let _ = write!(out, "\n; {}{form}; {}\n", extents.join(", "), places.join(", "));
        out += &print::text(&launch.kernel, &format!("k{i}"));
    }
    out
}

/// Why nodes are in memory, and what that cuts; what was asked for cuts nothing.
fn cuts(graph: &Graph) -> Vec<String> {
    let Some(fusion) = &graph.fusion else { return Vec::new() };
    let ordered: BTreeMap<_, _> = fusion.roots.iter().collect();
    let mut out = Vec::new();
    for (&at, &reason) in ordered {
        if reason == Reason::Wanted || (reason == Reason::Reduction && graph.users(at).is_empty()) {
            continue;
        }
        let node = &graph[at];
        let act = match &node.kind {
            Kind::Map(op) => op.to_string(),
            Kind::Reduce { fold, .. } => fold.to_string(),
            kind => format!("{kind:?}").split([' ', '(']).next().unwrap_or("node").to_lowercase(),
        };
        let place = node.span.text().map_or(String::new(), |p| format!(" ({p})"));
        out.push(format!("after {act}{place}: {}", reason.text()));
    }
    out
}
