//! Common subexpressions: a node equal to an earlier one gives its users to that one.

use std::collections::HashMap;

use crate::dtype::DType;
use crate::graph::{Graph, Ix, Kind, Operands};
use crate::shape::Shape;

/// Merges nodes that do the same to the same operands.
pub(super) fn run(graph: &mut Graph) {
    let mut seen: HashMap<(Kind, Operands, DType, Shape), Ix> = HashMap::new();
    for at in graph.order() {
        let operands = graph.operands(at);
        let node = &graph[at];
        let key = (node.kind.clone(), operands, node.dtype, node.shape.clone());
        match seen.get(&key) {
            Some(&first) => graph.replace(at, first),
            None => {
                seen.insert(key, at);
            }
        }
    }
}
