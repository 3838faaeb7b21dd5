//! Dead code: what no output needs is removed.

use petgraph::stable_graph::NodeIndex;

use crate::graph::Graph;

/// Removes every node that no output reaches.
pub(super) fn run(graph: &mut Graph) {
    let bound = graph.nodes.node_indices().next_back().map_or(0, |n| n.index() + 1);
    let mut live = vec![false; bound];
    let mut stack = graph.outputs.clone();
    while let Some(at) = stack.pop() {
        if !std::mem::replace(&mut live[at.index()], true) {
            stack.extend(graph.operands(at));
        }
    }
    // From the end: an edge is found fastest when it is the newest of its node, so that removing the
    // hundred thousand users of one node takes linear time.
    for (index, live) in live.into_iter().enumerate().rev() {
        if !live {
            graph.nodes.remove_node(NodeIndex::new(index));
        }
    }
}
