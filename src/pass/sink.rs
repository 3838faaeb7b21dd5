//! Reshapes move down through elementwise ops to memory, where they cost nothing.
//!
//! A loop's indices are lines through its operands, and a reshape is no line: left in the middle of a
//! chain it would cut it. `reshape(f(a, b))` is `f(reshape(a), reshape(b))` when `a` and `b` have the
//! shape of `f` or are scalars, and nobody else sees `f` in its old shape.

use std::collections::HashMap;

use crate::graph::{Graph, Ix, Kind, Node};
use crate::shape::Shape;

/// Sinks every reshape as far as it goes.
pub(super) fn run(graph: &mut Graph) {
    let targets = targets(graph);
    if !targets.is_empty() {
        rebuild(graph, &targets);
    }
}

/// The nodes that take another shape, with that shape; users are looked at before their operands.
fn targets(graph: &Graph) -> HashMap<Ix, Shape> {
    let mut targets: HashMap<Ix, Shape> = HashMap::new();
    for at in graph.order().into_iter().rev() {
        let shape = match targets.get(&at) {
            Some(shape) => shape.clone(),
            None if graph[at].kind == Kind::Reshape => graph[at].shape.clone(),
            None => continue,
        };
        for operand in graph.operands(at) {
            let node = &graph[operand];
            let same = graph[at].kind == Kind::Reshape || node.shape == graph[at].shape;
            if same && sinkable(graph, operand) {
                targets.insert(operand, shape.clone());
            }
        }
    }
    targets
}

fn sinkable(graph: &Graph, at: Ix) -> bool {
    let node = &graph[at];
    let elementwise = match node.kind {
        Kind::Map(_) | Kind::Cast => !node.once,
        Kind::Reshape => true,
        _ => false,
    };
    elementwise
        && graph.users(at).len() == 1
        && !graph.outputs.contains(&at)
        && (node.kind == Kind::Reshape
            || graph
                .operands(at)
                .iter()
                .all(|&o| graph[o].shape == node.shape || graph[o].shape.is_empty()))
}

/// The graph again, with the targets in their new shapes and reshapes where they meet others.
fn rebuild(graph: &mut Graph, targets: &HashMap<Ix, Shape>) {
    let mut out =
        Graph { inputs: graph.inputs.clone(), calls: graph.calls.clone(), ..Graph::default() };
    let mut places: HashMap<Ix, Ix> = HashMap::new();
    for at in graph.order() {
        let node = &graph[at];
        let shape = targets.get(&at).unwrap_or(&node.shape).clone();
        let operands = graph.operands(at);
        if node.kind == Kind::Reshape {
            let from = places[&operands[0]];
            let place =
                if out[from].shape == shape { from } else { reshape(&mut out, from, node, &shape) };
            places.insert(at, place);
            continue;
        }
        let mut args = crate::graph::Operands::new();
        for &o in &operands {
            let from = places[&o];
            let follow = targets.contains_key(&at)
                && graph[o].shape == node.shape
                && out[from].shape != shape;
            args.push(if follow { reshape(&mut out, from, node, &shape) } else { from });
        }
        let place = out.add(Node { shape, ..node.clone() }, &args);
        places.insert(at, place);
    }
    out.outputs = graph.outputs.iter().map(|o| places[o]).collect();
    *graph = out;
}

fn reshape(graph: &mut Graph, from: Ix, user: &Node, shape: &Shape) -> Ix {
    let dtype = graph[from].dtype;
    let node =
        Node { kind: Kind::Reshape, dtype, shape: shape.clone(), span: user.span, once: false };
    graph.add(node, &[from])
}
