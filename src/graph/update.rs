//! Updates and concatenations as nodes: one view for the whole path, values in the view's shape.

use super::{Graph, Ix, Kind, Node, View, ViewDim};
use crate::error::{Error, Result};
use crate::expr::{self, Prim};
use crate::shape::Shape;

/// Adds a node like `like`, but of another kind and shape.
fn add(graph: &mut Graph, like: &expr::Node, kind: Kind, shape: &Shape, operands: &[Ix]) -> Ix {
    let (dtype, span) = (like.dtype, like.span);
    graph.add(Node { kind, dtype, shape: shape.clone(), span, once: false }, operands)
}

/// The nodes of a [`Prim::Update`]; reshapes of the whole array stand around the update.
pub(super) fn build(
    graph: &mut Graph,
    node: &expr::Node,
    path: &[Prim],
    [mut base, value]: [Ix; 2],
) -> Result<Ix> {
    let reshapes = path.iter().take_while(|p| matches!(p, Prim::Reshape(_))).count();
    let mut shape = node.shape.clone();
    for prim in &path[..reshapes] {
        shape = expr::infer_shape(prim, &[&shape], &[])?;
    }
    if shape != node.shape {
        base = add(graph, node, Kind::Reshape, &shape, &[base]);
    }
    let whole = shape.clone();
    let mut view = View::identity(shape.len());
    for prim in &path[reshapes..] {
        let next = expr::infer_shape(prim, &[&shape], &[])?;
        let outer = match prim {
            Prim::Index(items) => View::index(items, &shape)?.0,
            Prim::Transpose(perm) => View::transpose(perm),
            Prim::Reshape(_) => View::reshape(&shape, &next)
                .ok_or_else(|| Error::bug("graph: a part of an array is reshaped"))?,
            _ => return Err(Error::bug("graph: the path of an update is no view")),
        };
        view = outer.of(&view);
        shape = next;
    }
    let mut value = value;
    let from = graph[value].shape.clone();
    if from != shape {
        // Further axes of length 1 in front are let go.
        let extra = from.len().saturating_sub(shape.len());
        let mut dims = View::broadcast(&from[extra..], &shape).dims;
        dims.insert_many(0, (0..extra).map(|_| ViewDim { offset: 0, step: 0, axis: None }));
        value = add(graph, node, Kind::View(View { dims }), &shape, &[value]);
    }
    let mut at = add(graph, node, Kind::Update(view), &whole, &[base, value]);
    if whole != node.shape {
        at = add(graph, node, Kind::Reshape, &node.shape, &[at]);
    }
    Ok(at)
}

/// The nodes of a [`Prim::Concatenate`]: each part is stored into memory with nothing in it.
pub(super) fn concatenate(graph: &mut Graph, node: &expr::Node, axis: usize, parts: &[Ix]) -> Ix {
    if node.shape.contains(&0) {
        return add(graph, node, Kind::Reshape, &node.shape, &parts[..1]);
    }
    let mut at = add(graph, node, Kind::Empty, &node.shape, &[]);
    let mut offset = 0;
    for &part in parts {
        let length = graph[part].shape[axis];
        if length > 0 {
            let mut view = View::identity(node.shape.len());
            view.dims[axis].offset = offset;
            at = add(graph, node, Kind::Update(view), &node.shape, &[at, part]);
        }
        offset += length as i64;
    }
    at
}
