//! The shape of a node's result from the shapes of its operands.
//!
//! Used when a node is recorded, and again when a traced program meets inputs of another length.

use smallvec::SmallVec;

use super::{GridKind, Prim};
use crate::error::{Error, Result};
use crate::shape::{self, Item, Shape, show};

/// The result's shape. `own` is that of leaves, and of calls, whose function decides it.
pub fn infer_shape(prim: &Prim, args: &[&[usize]], own: &[usize]) -> Result<Shape> {
    match prim {
        Prim::Input | Prim::Param(_) | Prim::NumberParam(_) | Prim::Scalar | Prim::Call => {
            Ok(own.into())
        }
        Prim::Map(op) => shape::broadcast(op.info().name, args.iter().copied()),
        Prim::Cast | Prim::Narrow => Ok(args[0].into()),
        Prim::Interp { grid, points, .. } => interp(*grid, *points, args),
        Prim::Index(items) => index(items, args[0]),
        Prim::Transpose(perm) => Ok(perm.iter().map(|&a| args[0][a]).collect()),
        Prim::Reshape(dims) => reshape(dims, args[0]),
        Prim::Broadcast(to) => broadcast_to(args[0], to),
        Prim::Reduce { fold, axes, keepdims } => {
            let input = args[0];
            if !fold.has_identity() && axes.iter().any(|&a| input[a] == 0) {
                return Err(empty_reduction(*fold));
            }
            Ok(input
                .iter()
                .enumerate()
                .filter(|(a, _)| *keepdims || !axes.contains(a))
                .map(|(a, &e)| if axes.contains(&a) { 1 } else { e })
                .collect())
        }
        Prim::Complex => shape::broadcast("complex", args.iter().copied()),
        Prim::Component(_) => Ok(args[0].into()),
        Prim::Update(path) => update(path, args[0], args[1]),
        Prim::Concatenate(axis) => concatenate(*axis, args),
        Prim::Count { .. } => Ok(Shape::new()),
        Prim::Iota { len } => Ok(smallvec::smallvec![*len]),
    }
}

fn empty_reduction(fold: crate::op::Fold) -> Error {
    use crate::op::Fold;
    Error::value(match fold {
        Fold::Argmin | Fold::Argmax => format!("attempt to get {fold} of an empty sequence"),
        Fold::Min => {
            "zero-size array to reduction operation minimum which has no identity".to_owned()
        }
        _ => "zero-size array to reduction operation maximum which has no identity".to_owned(),
    })
}

fn interp(grid: GridKind, points: usize, args: &[&[usize]]) -> Result<Shape> {
    let values = args[1].first().copied().unwrap_or(0);
    let points =
        if grid == GridKind::Points { args[2].first().copied().unwrap_or(0) } else { points };
    if points == 0 {
        return Err(Error::value("interp: array of sample points is empty"));
    }
    if points != values {
        return Err(Error::value(format!(
            "interp: fp and xp are not of the same length: {values} and {points}"
        )));
    }
    Ok(args[0].into())
}

fn index(items: &[Item], input: &[usize]) -> Result<Shape> {
    let mut out = Shape::new();
    let mut axis = 0;
    for item in expand(items, input.len())? {
        match item {
            Item::NewAxis => out.push(1),
            Item::At(i) => {
                at(i, axis, input[axis])?;
                axis += 1;
            }
            Item::Slice(slice) => {
                out.push(slice.resolve(input[axis]).2);
                axis += 1;
            }
            Item::Ellipsis => return Err(Error::bug("index: an ellipsis was not expanded")),
        }
    }
    if out.len() > shape::MAX_RANK {
        return Err(Error::value(format!("index: more than {} axes", shape::MAX_RANK)));
    }
    Ok(out)
}

/// A non-negative index on an axis of length `len`.
pub(crate) fn at(i: i64, axis: usize, len: usize) -> Result<usize> {
    let n = len as i64;
    if i < -n || i >= n {
        return Err(Error::index(format!(
            "index {i} is out of bounds for axis {axis} with size {len}"
        )));
    }
    Ok(if i < 0 { i + n } else { i } as usize)
}

/// The items with the ellipsis (given, or implied at the end) spelt out as whole slices.
pub(crate) fn expand(items: &[Item], rank: usize) -> Result<SmallVec<[Item; 4]>> {
    let used = items.iter().filter(|i| matches!(i, Item::At(_) | Item::Slice(_))).count();
    if used > rank {
        return Err(Error::index(format!(
            "too many indices for array: array is {rank}-dimensional, but {used} were indexed"
        )));
    }
    if items.iter().filter(|i| matches!(i, Item::Ellipsis)).count() > 1 {
        return Err(Error::index("an index can only have a single ellipsis ('...')"));
    }
    let whole = Item::Slice(shape::Slice { start: None, stop: None, step: 1 });
    let mut out = SmallVec::new();
    let mut seen = false;
    for &item in items {
        if matches!(item, Item::Ellipsis) {
            seen = true;
            out.extend(std::iter::repeat_n(whole, rank - used));
        } else {
            out.push(item);
        }
    }
    if !seen {
        out.extend(std::iter::repeat_n(whole, rank - used));
    }
    Ok(out)
}

fn reshape(dims: &[i64], input: &[usize]) -> Result<Shape> {
    let size = shape::count(input)?;
    let wanted: Vec<String> = dims.iter().map(ToString::to_string).collect();
    let wanted = if wanted.len() == 1 {
        format!("({},)", wanted[0])
    } else {
        format!("({})", wanted.join(", "))
    };
    let fail = || Error::value(format!("cannot reshape array of size {size} into shape {wanted}"));
    if dims.iter().filter(|&&d| d < 0).count() > 1 {
        return Err(Error::value("can only specify one unknown dimension"));
    }
    if dims.iter().any(|&d| d < -1) {
        return Err(fail());
    }
    let known = dims
        .iter()
        .filter(|&&d| d >= 0)
        .try_fold(1usize, |n, &d| n.checked_mul(d as usize))
        .ok_or_else(fail)?;
    let unknown = size.checked_div(known).unwrap_or(0);
    let out: Shape = dims.iter().map(|&d| if d < 0 { unknown } else { d as usize }).collect();
    let ambiguous = known == 0 && dims.contains(&-1);
    if ambiguous || shape::count(&out)? != size || out.len() > shape::MAX_RANK {
        return Err(fail());
    }
    Ok(out)
}

fn broadcast_to(input: &[usize], to: &[usize]) -> Result<Shape> {
    let fits = input.len() <= to.len()
        && input.iter().rev().zip(to.iter().rev()).all(|(&e, &t)| e == 1 || e == t);
    if !fits {
        return Err(Error::value(format!(
            "broadcast_to: input of shape {} could not be broadcast to shape {}",
            show(input),
            show(to)
        )));
    }
    shape::count(to)?;
    Ok(to.into())
}

/// The shape of the place of a [`Prim::Update`] in an array of shape `base`.
///
/// # Errors
/// `Value` for a view whose elements are repeated, `Unsupported` for a reshape in the middle that moves
/// axes together or apart, else those of the views.
pub(crate) fn region(path: &[Prim], base: &[usize]) -> Result<Shape> {
    let mut shape: Shape = base.into();
    let mut whole = true;
    for prim in path {
        let next = match prim {
            Prim::Index(_) | Prim::Transpose(_) | Prim::Reshape(_) => {
                infer_shape(prim, &[&shape], &[])?
            }
            Prim::Broadcast(_) => return Err(Error::value("assignment destination is read-only")),
            _ => return Err(Error::bug(format!("update: {prim:?} is no view"))),
        };
        let reshape = matches!(prim, Prim::Reshape(_));
        if reshape && !whole && !same_but_for_ones(&shape, &next) {
            return Err(Error::unsupported(format!(
                "update: a part of shape {} reshaped to {} is no view of the array",
                show(&shape),
                show(&next)
            )));
        }
        whole &= reshape;
        shape = next;
    }
    Ok(shape)
}

/// Whether two shapes differ in axes of length 1 alone.
pub(crate) fn same_but_for_ones(a: &[usize], b: &[usize]) -> bool {
    a.iter().filter(|&&e| e != 1).eq(b.iter().filter(|&&e| e != 1))
}

fn update(path: &[Prim], base: &[usize], value: &[usize]) -> Result<Shape> {
    let region = region(path, base)?;
    // As NumPy assigns: further axes of length 1 in front are let go.
    let extra = value.len().saturating_sub(region.len());
    let fits = value[..extra].iter().all(|&e| e == 1)
        && value[extra..].iter().rev().zip(region.iter().rev()).all(|(&e, &r)| e == 1 || e == r);
    if !fits {
        return Err(Error::value(format!(
            "could not broadcast input array from shape {} into shape {}",
            tight(value),
            tight(&region)
        )));
    }
    Ok(base.into())
}

/// A shape as NumPy's assignment errors print it: `(2,480)`.
fn tight(shape: &[usize]) -> String {
    show(shape).replace(' ', "")
}

fn concatenate(axis: usize, parts: &[&[usize]]) -> Result<Shape> {
    let first =
        parts.first().ok_or_else(|| Error::value("need at least one array to concatenate"))?;
    if first.is_empty() {
        return Err(Error::value("zero-dimensional arrays cannot be concatenated"));
    }
    let mut out: Shape = (*first).into();
    for (i, part) in parts.iter().enumerate().skip(1) {
        if part.len() != first.len() {
            return Err(Error::value(format!(
                "all the input arrays must have same number of dimensions, but the array at index 0 \
                 has {} dimension(s) and the array at index {i} has {} dimension(s)",
                first.len(),
                part.len()
            )));
        }
        for (d, (&e, &f)) in part.iter().zip(*first).enumerate() {
            if d == axis {
                out[axis] = out[axis].saturating_add(e);
            } else if e != f {
                return Err(Error::value(format!(
                    "all the input array dimensions except for the concatenation axis must match \
                     exactly, but along dimension {d}, the array at index 0 has size {f} and the \
                     array at index {i} has size {e}"
                )));
            }
        }
    }
    Ok(out)
}
