//! Exact simplification: rewrites that keep every bit, NaN and -0.0 included.
//!
//! Each rule looks at one node and its operands and answers with what the node becomes; operands are
//! already simple when their user is looked at, so one walk is enough. Values are never looked at.

use crate::dtype::{DType, Kind as Family};
use crate::graph::{Graph, Ix, Kind, Operands, View};
use crate::op::Op;

/// What a node becomes.
enum Become {
    /// An earlier node.
    Other(Ix),
    /// Another act on other operands, dtype and shape staying.
    Act(Kind, Operands),
}

/// What a node becomes, if the rule fits it.
type Rule = fn(&Graph, Ix, &[Ix]) -> Option<Become>;

/// The rules in the order they are tried.
const RULES: &[Rule] = &[
    view_of_view,
    reshape_as_view,
    reshape_of_reshape,
    view_of_nothing,
    update_of_nothing,
    update_of_everything,
    cast_of_cast,
    sign_changes,
    repeated_rounding,
    same_choice,
    negated_comparison,
];

/// Applies the rules to every node until none fits.
pub(super) fn run(graph: &mut Graph) {
    for at in graph.order() {
        loop {
            let operands = graph.operands(at);
            match RULES.iter().find_map(|rule| rule(graph, at, &operands)) {
                None => break,
                Some(Become::Other(other)) => {
                    graph.replace(at, other);
                    break;
                }
                Some(Become::Act(kind, operands)) => {
                    graph.nodes[at].kind = kind;
                    graph.set_operands(at, &operands);
                }
            }
        }
    }
}

/// A view of a view is one view.
fn view_of_view(graph: &Graph, at: Ix, operands: &[Ix]) -> Option<Become> {
    let Kind::View(outer) = &graph[at].kind else { return None };
    let Kind::View(inner) = &graph[operands[0]].kind else { return None };
    Some(Become::Act(Kind::View(outer.of(inner)), graph.operands(operands[0])))
}

/// A reshape that only adds or drops axes of length 1 is a view.
fn reshape_as_view(graph: &Graph, at: Ix, operands: &[Ix]) -> Option<Become> {
    if graph[at].kind != Kind::Reshape {
        return None;
    }
    let view = View::reshape(&graph[operands[0]].shape, &graph[at].shape)?;
    Some(Become::Act(Kind::View(view), operands.into()))
}

/// A reshape of a reshape is one reshape.
fn reshape_of_reshape(graph: &Graph, at: Ix, operands: &[Ix]) -> Option<Become> {
    let both = graph[at].kind == Kind::Reshape && graph[operands[0]].kind == Kind::Reshape;
    both.then(|| Become::Act(Kind::Reshape, graph.operands(operands[0])))
}

/// A view or reshape that moves nothing is its operand; so are `positive` and `conjugate`.
fn view_of_nothing(graph: &Graph, at: Ix, operands: &[Ix]) -> Option<Become> {
    let idle = match &graph[at].kind {
        Kind::View(view) => view.is_identity(&graph[operands[0]].shape, &graph[at].shape),
        Kind::Reshape => graph[operands[0]].shape == graph[at].shape,
        Kind::Map(Op::Positive | Op::Conjugate) => true,
        _ => false,
    };
    idle.then(|| Become::Other(operands[0]))
}

/// An update of no element is its base.
fn update_of_nothing(graph: &Graph, at: Ix, operands: &[Ix]) -> Option<Become> {
    let idle = matches!(graph[at].kind, Kind::Update(_)) && graph[operands[1]].size() == 0;
    idle.then(|| Become::Other(operands[0]))
}

/// An update of every element is its value, seen in the base's order.
fn update_of_everything(graph: &Graph, at: Ix, operands: &[Ix]) -> Option<Become> {
    let Kind::Update(view) = &graph[at].kind else { return None };
    let back = view.inverse(&graph[operands[1]].shape, &graph[at].shape)?;
    Some(Become::Act(Kind::View(back), operands[1..].into()))
}

/// A cast to a dtype that holds every value, then another, is the other alone; and back is nothing.
fn cast_of_cast(graph: &Graph, at: Ix, operands: &[Ix]) -> Option<Become> {
    let kind = &graph[at].kind;
    if *kind != Kind::Cast {
        return None;
    }
    let middle = &graph[operands[0]];
    let to = graph[at].dtype;
    if middle.dtype == to {
        return Some(Become::Other(operands[0]));
    }
    if middle.kind != Kind::Cast {
        return None;
    }
    let from = graph.operands(operands[0]);
    let source = graph[from[0]].dtype;
    // An integer that does not fit wraps when it comes from an integer, but not from a float.
    let wraps = middle.dtype.is_float() && to.kind() == Family::Int && !source.casts_safely(to);
    if !holds(source, middle.dtype) || (wraps && source.kind() == Family::Int) {
        return None;
    }
    Some(if source == to { Become::Other(from[0]) } else { Become::Act(Kind::Cast, from) })
}

/// Whether every value of `from` survives in `to`.
fn holds(from: DType, to: DType) -> bool {
    let digits = match to {
        DType::F16 => 11,
        DType::F32 => 24,
        DType::F64 => 53,
        _ => {
            return from != DType::Bool
                && to != DType::Bool
                && from.kind() == Family::Int
                && from.casts_safely(to);
        }
    };
    match from.kind() {
        Family::Bool => true,
        Family::Int => 8 * from.size() <= digits,
        Family::Float => from.size() <= to.size(),
        Family::Complex => false,
    }
}

/// `-(-x)`, `|-x|`, `x - (-y)` and their like.
fn sign_changes(graph: &Graph, at: Ix, operands: &[Ix]) -> Option<Become> {
    let Kind::Map(op) = graph[at].kind else { return None };
    let inner = |i: usize| match graph[operands[i]].kind {
        Kind::Map(op) => Some(op),
        _ => None,
    };
    let below = |i: usize| graph.operands(operands[i])[0];
    let act = |op, operands: &[Ix]| Some(Become::Act(Kind::Map(op), operands.into()));
    match (op, inner(0)?, operands.len()) {
        (Op::Negative, Op::Negative, _) => Some(Become::Other(below(0))),
        (Op::Absolute, Op::Absolute, _) => Some(Become::Other(operands[0])),
        // Unsigned integers negate by wrapping, which their absolute value keeps.
        (Op::Absolute, Op::Negative, _) if !graph[at].dtype.is_unsigned() => act(op, &[below(0)]),
        (Op::Square, Op::Negative | Op::Absolute, _) => act(op, &[below(0)]),
        _ => None,
    }
}

/// Rounding what is rounded already.
fn repeated_rounding(graph: &Graph, at: Ix, operands: &[Ix]) -> Option<Become> {
    let round =
        |kind: &Kind| matches!(kind, Kind::Map(Op::Floor | Op::Ceil | Op::Trunc | Op::Rint));
    let idle = round(&graph[at].kind)
        && (round(&graph[operands[0]].kind) || !graph[operands[0]].dtype.is_float());
    idle.then(|| Become::Other(operands[0]))
}

/// `where(c, x, x)`, `minimum(x, x)`, `fmax(x, x)`, `bitwise_and(x, x)` and their like.
fn same_choice(graph: &Graph, at: Ix, operands: &[Ix]) -> Option<Become> {
    let Kind::Map(op) = graph[at].kind else { return None };
    let pair = match op {
        Op::Where => &operands[1..],
        Op::Minimum | Op::Maximum | Op::Fmin | Op::Fmax | Op::BitwiseAnd | Op::BitwiseOr => {
            operands
        }
        _ => return None,
    };
    let same = pair[0] == pair[1] && graph[pair[0]].shape == graph[at].shape;
    same.then(|| Become::Other(pair[0]))
}

/// `not (a == b)` is `a != b`, for NaN too; the ordered comparisons have no such twin.
fn negated_comparison(graph: &Graph, at: Ix, operands: &[Ix]) -> Option<Become> {
    if !matches!(graph[at].kind, Kind::Map(Op::LogicalNot | Op::Invert))
        || graph[operands[0]].dtype != DType::Bool
    {
        return None;
    }
    let twin = match graph[operands[0]].kind {
        Kind::Map(Op::Equal) => Op::NotEqual,
        Kind::Map(Op::NotEqual) => Op::Equal,
        _ => return None,
    };
    Some(Become::Act(Kind::Map(twin), graph.operands(operands[0])))
}
