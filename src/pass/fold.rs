//! Constant folding: ops on scalars alone leave the loops and are computed once, before them.
//!
//! The values are arguments, so folding marks the nodes; the plan computes them when it is run.

use crate::graph::{Graph, Kind};

/// Marks every 0-d op whose operands are scalars or marked themselves.
pub(super) fn run(graph: &mut Graph) {
    for at in graph.order() {
        let foldable = matches!(graph[at].kind, Kind::Map(_) | Kind::Cast | Kind::Narrow)
            && graph[at].shape.is_empty();
        if !foldable {
            continue;
        }
        let once = graph
            .operands(at)
            .iter()
            .all(|&o| graph[o].once || matches!(graph[o].kind, Kind::Scalar(_) | Kind::Literal(_)));
        graph.nodes[at].once = once;
    }
}
