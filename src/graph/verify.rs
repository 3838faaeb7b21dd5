//! The graph's invariants, checked after every pass in test builds.

use super::{Graph, Ix, Kind, Node, View};
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::op::Op;
use crate::shape;

/// Checks every node; an error is our bug and names the node and the rule.
pub fn verify(graph: &Graph) -> Result<()> {
    for at in graph.order() {
        let operands = graph.operands(at);
        if operands.iter().any(|&o| o >= at) {
            return Err(fail(graph, at, "an operand comes after its user"));
        }
        let places: Vec<&Node> = operands.iter().map(|&o| &graph[o]).collect();
        if let Some(rule) = broken(&graph[at], &places) {
            return Err(fail(graph, at, rule));
        }
        if matches!(graph[at].kind, Kind::Call(slot) if slot as usize >= graph.calls.len()) {
            return Err(fail(graph, at, "the call has no function"));
        }
    }
    for &output in &graph.outputs {
        if !graph.nodes.contains_node(output) {
            return Err(Error::bug("graph: an output was removed"));
        }
    }
    Ok(())
}

fn fail(graph: &Graph, at: Ix, rule: &str) -> Error {
    Error::bug(format!("graph: node {}: {rule}\n{}", at.index(), graph.text(true)))
}

/// The rule that a node breaks, if any.
fn broken(node: &Node, args: &[&Node]) -> Option<&'static str> {
    let count = match &node.kind {
        Kind::Input(_) | Kind::Scalar(_) | Kind::Literal(_) | Kind::Iota | Kind::Empty => 0,
        Kind::Update(_) | Kind::Complex => 2,
        Kind::Map(op) => op.info().arity,
        Kind::Interp { grid, left, right } => {
            let points = match grid {
                super::GridKind::Points => 1,
                super::GridKind::Arange => 2,
                super::GridKind::Linspace => 3,
            };
            2 + points + usize::from(*left) + usize::from(*right)
        }
        // A function may take any number.
        Kind::Call(_) => args.len(),
        _ => 1,
    };
    if args.len() != count {
        return Some("the number of operands is wrong");
    }
    if node.once && !(node.shape.is_empty() && args.iter().all(|a| is_once(a))) {
        return Some("marked `once` but depends on an array");
    }
    match &node.kind {
        Kind::Map(op) => broken_map(*op, node, args),
        Kind::View(view) => broken_view(view, args[0], &node.shape, node.dtype),
        Kind::Update(view) => {
            let (base, value) = (args[0], args[1]);
            if base.shape != node.shape || base.dtype != node.dtype {
                return Some("an update changes the shape or dtype");
            }
            if !view.is_injective(&value.shape) {
                return Some("an update stores one element twice");
            }
            broken_view(view, base, &value.shape, value.dtype)
        }
        Kind::Complex => {
            let fits = |a: &&Node| a.dtype == node.dtype.component();
            (!node.dtype.is_complex() || !args.iter().all(fits)).then_some("the parts are not real")
        }
        Kind::Component(_) => (args[0].shape != node.shape
            || !args[0].dtype.is_complex()
            || args[0].dtype.component() != node.dtype)
            .then_some("a part of what is not complex"),
        Kind::Copy => (args[0].shape != node.shape || args[0].dtype != node.dtype)
            .then_some("a copy changes the shape or dtype"),
        Kind::Reshape => (args[0].size() != node.size() || args[0].dtype != node.dtype)
            .then_some("the reshape changes the number of elements"),
        Kind::Reduce { fold, axes } => {
            let kept: usize = args[0]
                .shape
                .iter()
                .enumerate()
                .filter(|(a, _)| !axes.contains(a))
                .map(|(_, e)| e)
                .product();
            (kept != node.size() || fold.out_dtype(args[0].dtype) != node.dtype)
                .then_some("the reduction's shape or dtype is wrong")
        }
        Kind::Cast | Kind::Narrow => {
            (args[0].shape != node.shape).then_some("a cast changes the shape")
        }
        Kind::Interp { grid, .. } => {
            let points = usize::from(*grid == super::GridKind::Points);
            let listed = args[2..2 + points].iter().all(|xp| xp.dtype == DType::F64);
            let values = matches!(args[1].dtype, DType::F64 | DType::F32);
            (args[0].shape != node.shape || node.dtype != DType::F64 || !listed || !values)
                .then_some("interp works in float64 and keeps the shape")
        }
        _ => None,
    }
}

/// The rule that a view of `from` with this shape and dtype breaks, if any.
fn broken_view(view: &View, from: &Node, shape: &[usize], dtype: DType) -> Option<&'static str> {
    if view.dims.len() != from.shape.len() || from.dtype != dtype {
        return Some("the view does not fit its operand");
    }
    let empty = shape.contains(&0);
    let inside = view.dims.iter().zip(&from.shape).all(|(d, &e)| {
        let last = d.axis.map_or(0, |a| d.step * (shape[a] as i64 - 1));
        empty || (d.offset.min(d.offset + last) >= 0 && d.offset.max(d.offset + last) < e as i64)
    });
    (!inside).then_some("the view reaches outside its operand")
}

fn is_once(node: &Node) -> bool {
    node.once || matches!(node.kind, Kind::Scalar(_) | Kind::Literal(_))
}

fn broken_map(op: Op, node: &Node, args: &[&Node]) -> Option<&'static str> {
    let typed = if op == Op::Where { &args[1..] } else { args };
    if typed.iter().any(|a| a.dtype != typed[0].dtype) {
        return Some("operands differ in dtype");
    }
    if op == Op::Where && args[0].dtype != DType::Bool {
        return Some("the condition is not bool");
    }
    if !op.has_loop(typed[0].dtype) {
        return Some("the op has no loop for the dtype");
    }
    let result = op.out_dtype(typed[0].dtype);
    let shape = shape::broadcast(op.info().name, args.iter().map(|a| a.shape.as_slice()));
    (result != node.dtype || shape.ok().as_ref() != Some(&node.shape))
        .then_some("the result's dtype or shape is wrong")
}
