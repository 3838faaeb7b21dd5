//! What evaluations cost, as figures: ops, loops, and bytes moved by rnp and by NumPy.
//!
//! May not know: text, data, how anything runs.

use crate::graph::{Graph, Kind};
use crate::loops::{Invocation, Launch, Operand, Plan, Role};

/// The figures of one evaluation or of several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Ops in the user's graph: elementwise ops, conversions, reductions, interpolations.
    pub ops: usize,
    /// Fused loop nests.
    pub loops: usize,
    /// Bytes that the nests read and write.
    pub bytes_moved: u64,
    /// Bytes that NumPy reads and writes, one op at a time.
    pub numpy_bytes: u64,
}

impl Tally {
    /// The figures of a graph that is not optimized yet: what NumPy would do.
    pub fn of_graph(source: &Graph) -> Self {
        let (ops, numpy_bytes) = numpy_work(source);
        Self { ops, numpy_bytes, ..Self::default() }
    }

    /// With the figures of the plan that was made of it.
    pub fn with_plan(self, plan: &Plan) -> Self {
        Self { loops: plan.launches().count(), bytes_moved: bytes_moved(plan), ..self }
    }

    /// Adds the figures of a further evaluation.
    pub fn add(&mut self, other: &Tally) {
        self.ops += other.ops;
        self.loops += other.loops;
        self.bytes_moved += other.bytes_moved;
        self.numpy_bytes += other.numpy_bytes;
    }
}

/// Ops of a graph, and the bytes that they move one at a time.
pub(crate) fn numpy_work(graph: &Graph) -> (usize, u64) {
    let (mut ops, mut moved) = (0, 0);
    for at in graph.order() {
        let node = &graph[at];
        if !matches!(
            node.kind,
            Kind::Map(_)
                | Kind::Cast
                | Kind::Reduce { .. }
                | Kind::Interp { .. }
                | Kind::Update(_)
                | Kind::Call(_)
        ) {
            continue;
        }
        ops += 1;
        let size = |n: &crate::graph::Node| (n.size() * n.dtype.size()) as u64;
        if let Kind::Update(_) = node.kind {
            // The value is read, and as much is written.
            moved += 2 * size(&graph[graph.operands(at)[1]]);
            continue;
        }
        moved += size(node);
        for operand in graph.operands(at) {
            // Views are read through at the size of what is read.
            moved += size(&graph[operand]);
        }
    }
    (ops, moved)
}

/// Bytes that a launch reads and writes.
fn bytes(launch: &Launch) -> u64 {
    let buf = |buf: &crate::loops::Buf| {
        let touched: usize =
            buf.moves.iter().zip(&launch.extents).filter(|(m, _)| **m).map(|(_, e)| e).product();
        let empty = launch.extents.contains(&0) && buf.role != Role::Folded;
        if empty { 0 } else { (touched * buf.dtype.size()) as u64 }
    };
    let tables: usize = launch.tables.iter().map(|t| t.len * t.fp.2.size()).sum();
    launch.kernel.bufs.iter().map(buf).sum::<u64>() + tables as u64
}

/// Bytes that a plan reads and writes.
pub(crate) fn bytes_moved(plan: &Plan) -> u64 {
    let called = |call: &Invocation| {
        let operands = call.operands.iter().map(|operand| match operand {
            Operand::Scalar(_) => 0,
            Operand::View { dtype, shape, .. } => shape.iter().product::<usize>() * dtype.size(),
        });
        let result = &plan.buffers[call.result as usize];
        let result = result.shape.iter().product::<usize>() * result.dtype.size();
        (operands.sum::<usize>() + result) as u64
    };
    plan.launches().map(bytes).chain(plan.calls().map(called)).sum()
}
