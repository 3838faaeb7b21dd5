//! Programs to graphs: one node each, views in their common form.

use super::{Graph, Ix, Kind, Node, View, update};
use crate::dtype::Scalar;
use crate::error::{Error, Result};
use crate::expr::{Prim, Program};
use crate::shape::Shape;

/// The graph of a program.
///
/// # Errors
/// A bug if the program is not one (a traced argument without a place, an operand after its user).
pub fn build(program: &Program) -> Result<Graph> {
    let mut graph =
        Graph { inputs: program.inputs.clone(), calls: program.calls.clone(), ..Graph::default() };
    let mut places: Vec<Ix> = Vec::with_capacity(program.nodes.len());
    for node in &program.nodes {
        let args: Vec<Ix> = node.args.iter().map(|&a| places[a as usize]).collect();
        match &node.prim {
            Prim::Update(path) => {
                places.push(update::build(&mut graph, node, path, [args[0], args[1]])?);
                continue;
            }
            Prim::Concatenate(axis) => {
                places.push(update::concatenate(&mut graph, node, *axis, &args));
                continue;
            }
            _ => {}
        }
        let first = node.args.first().map(|&a| &program.nodes[a as usize].shape);
        let kind = kind(&node.prim, node.slot, node.dtype, first)?;
        // A count needs its operand's shape alone.
        let operands = if matches!(kind, Kind::Literal(_)) { &[][..] } else { &args };
        let (dtype, shape) = (node.dtype, node.shape.clone());
        places.push(graph.add(Node { kind, dtype, shape, span: node.span, once: false }, operands));
    }
    graph.outputs =
        program.outputs.iter().map(|&o| output(&mut graph, places[o as usize])).collect();
    Ok(graph)
}

/// What is wanted for `at`: a complex input is copied by its parts, for no loop has complex elements.
fn output(graph: &mut Graph, at: Ix) -> Ix {
    let whole = graph[at].clone();
    if !(matches!(whole.kind, Kind::Input(_)) && whole.dtype.is_complex()) {
        return at;
    }
    let parts = [false, true].map(|imag| {
        let dtype = whole.dtype.component();
        let part = Node { kind: Kind::Component(imag), dtype, ..whole.clone() };
        graph.add(part, &[at])
    });
    graph.add(Node { kind: Kind::Complex, ..whole }, &parts)
}

fn kind(prim: &Prim, slot: u32, dtype: crate::dtype::DType, from: Option<&Shape>) -> Result<Kind> {
    let from = || from.ok_or_else(|| Error::bug("graph: an operand is missing"));
    Ok(match prim {
        Prim::Input => Kind::Input(slot),
        Prim::Scalar => Kind::Scalar(slot),
        Prim::Param(i) | Prim::NumberParam(i) => {
            return Err(Error::trace(format!(
                "argument {i} of a traced function was used after the trace; return values instead of keeping them"
            )));
        }
        Prim::Map(op) => Kind::Map(*op),
        Prim::Cast => Kind::Cast,
        Prim::Narrow => Kind::Narrow,
        Prim::Index(items) => Kind::View(View::index(items, from()?)?.0),
        Prim::Transpose(perm) => Kind::View(View::transpose(perm)),
        Prim::Broadcast(to) => Kind::View(View::broadcast(from()?, to)),
        Prim::Reshape(_) => Kind::Reshape,
        Prim::Complex => Kind::Complex,
        Prim::Component(imag) => Kind::Component(*imag),
        Prim::Update(_) | Prim::Concatenate(_) => {
            return Err(Error::bug("graph: an update is several nodes"));
        }
        Prim::Reduce { fold, axes, .. } => Kind::Reduce { fold: *fold, axes: axes.clone() },
        Prim::Count { axes, ddof } => {
            let from = from()?;
            let count: i128 = axes.iter().map(|&a| from[a] as i128).product();
            Kind::Literal(Scalar::wrap_int((count - i128::from(*ddof)).max(0), dtype))
        }
        Prim::Iota { .. } => Kind::Iota,
        Prim::Call => Kind::Call(slot),
        Prim::Interp { grid, left, right, .. } => {
            Kind::Interp { grid: *grid, left: *left, right: *right }
        }
    })
}
