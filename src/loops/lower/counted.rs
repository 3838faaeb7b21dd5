//! Positions that are a formula of their number, as those of `arange` and `linspace` are: interpolation counts
//! for itself, and no position goes through memory.
//!
//! May not know: views, lines.

use crate::dtype::DType;
use crate::graph::{Graph, Ix, Kind};
use crate::op::Op;

/// What positions are made of.
#[derive(Debug, Default)]
pub(super) struct Counted {
    /// What they are multiplied by, if they are.
    pub step: Option<Ix>,
    /// What is added then.
    pub start: Option<Ix>,
    /// A number, and the position that it has instead.
    pub stop: Option<(Ix, Ix)>,
    /// All nodes from the positions to their numbers, `0, 1, 2, ...`.
    pub nodes: Vec<Ix>,
}

/// Finds `where(n == last, stop, n * step + start)` or less of it, where `n` counts and the others are scalars.
pub(super) fn counted(graph: &Graph, positions: Ix) -> Option<Counted> {
    let mut all = Counted { nodes: vec![positions], ..Counted::default() };
    let mut at = positions;
    let mut compared = None;
    if let Some([is_last, stop, rest]) = operands(graph, at, Op::Where) {
        let [n, last] = operands(graph, is_last, Op::Equal)?;
        if !(graph.is_scalar(last) && graph.is_scalar(stop)) {
            return None;
        }
        all.stop = Some((last, stop));
        all.nodes.extend([is_last, rest]);
        (at, compared) = (rest, Some(n));
    }
    for (op, operand) in [(Op::Add, &mut all.start), (Op::Multiply, &mut all.step)] {
        if let Some([a, b]) = operands(graph, at, op) {
            let (scalar, rest) = if graph.is_scalar(a) { (a, b) } else { (b, a) };
            if !graph.is_scalar(scalar) {
                return None;
            }
            *operand = Some(scalar);
            all.nodes.push(rest);
            at = rest;
        }
    }
    if graph[at].kind != Kind::Cast || graph[at].dtype != DType::F64 {
        return None;
    }
    let numbers = graph.operands(at)[0];
    all.nodes.push(numbers);
    let counts = graph[numbers].kind == Kind::Iota;
    (counts && compared.is_none_or(|n| n == numbers)).then_some(all)
}

/// The operands of a node that is this op.
fn operands<const N: usize>(graph: &Graph, at: Ix, op: Op) -> Option<[Ix; N]> {
    let operands = (graph[at].kind == Kind::Map(op)).then(|| graph.operands(at))?;
    operands.as_slice().try_into().ok()
}
