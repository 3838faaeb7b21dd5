//! The loops of a kernel: which axes become one loop, in which order, and which one is the run.

use smallvec::{SmallVec, smallvec};

use super::super::{Buf, Form, Kernel, Line, Loop, Place, Role, Step};
use super::body::Access;
use crate::dtype::DType;
use crate::graph::Group;
use crate::op::FRAMES;
use crate::shape::Strides;

/// A run shorter than this costs more in calls than in work.
const SHORT: usize = 32;
/// A reduction at least this long is worth a run of its own.
const LONG: usize = 64;

/// One loop while the nest is put together.
#[derive(Clone)]
struct Dim {
    extent: usize,
    reduce: bool,
    /// Per access, its stride.
    strides: Strides,
    /// The axes of the space that it covers; more than one if they were collapsed.
    axes: SmallVec<[usize; 4]>,
}

/// The kernel of a body, the extents of its loops and the places of its buffers.
pub(super) fn choose(
    group: &Group,
    lines: Vec<Line>,
    accesses: &[Access],
    tables: usize,
    scalars: &[(u32, DType)],
) -> (Kernel, SmallVec<[usize; 4]>, Vec<Place>) {
    let indexed = |axis: usize| {
        lines.iter().any(|l| matches!(l, Line::Index { dim } if *dim as usize == axis))
    };
    let dims = collapse(dims(group, accesses), indexed);
    let indices = lines.iter().any(|l| matches!(l, Line::Index { .. }));
    let (dims, form) = if !indices && are_frames(&dims, accesses) {
        (dims, Form::Frames)
    } else {
        arrange(dims, group.axes.is_some())
    };
    let flat = is_flat(&dims, form);
    let loop_of =
        |axis: u32| dims.iter().position(|d| d.axes.contains(&(axis as usize))).unwrap_or(0) as u32;
    let lines = lines
        .into_iter()
        .map(|l| match l {
            Line::Index { dim } => Line::Index { dim: loop_of(dim) },
            other => other,
        })
        .collect();
    let buf = |(i, access): (usize, &Access)| Buf {
        dtype: access.dtype,
        role: access.role,
        moves: dims.iter().map(|d| d.strides[i] != 0).collect(),
        run: step(&dims, form, flat, i, access),
    };
    let kernel = Kernel {
        loops: dims.iter().map(|d| Loop { reduce: d.reduce }).collect(),
        form,
        flat,
        bufs: accesses.iter().enumerate().map(buf).collect(),
        scalars: scalars.iter().map(|s| s.1).collect(),
        tables,
        lines,
    };
    let place = |(i, access): (usize, &Access)| Place {
        memory: access.memory,
        offset: access.offset,
        strides: dims.iter().map(|d| d.strides[i]).collect(),
    };
    let places = accesses.iter().enumerate().map(place).collect();
    (kernel, dims.iter().map(|d| d.extent).collect(), places)
}

/// The axes as loops, without those of length 1; at least one, and one that reduces if any does.
fn dims(group: &Group, accesses: &[Access]) -> Vec<Dim> {
    let reduces = |axis: usize| group.axes.as_ref().is_some_and(|a| a.contains(&axis));
    let mut dims: Vec<Dim> = (0..group.shape.len())
        .filter(|&a| group.shape[a] != 1)
        .map(|a| Dim {
            extent: group.shape[a],
            reduce: reduces(a),
            strides: accesses.iter().map(|x| x.strides[a]).collect(),
            axes: smallvec![a],
        })
        .collect();
    let unit = |reduce| Dim {
        extent: 1,
        reduce,
        strides: smallvec![0; accesses.len()],
        axes: SmallVec::new(),
    };
    // Without elements strides say nothing: one contiguous loop of no length stands for all.
    for reduce in [false, true] {
        if dims.iter().any(|d| d.reduce == reduce && d.extent == 0) {
            let (gone, rest): (Vec<Dim>, Vec<Dim>) =
                dims.into_iter().partition(|d| d.reduce == reduce);
            let stride = |x: &Access| match x.role {
                Role::Folded if reduce => 0,
                _ => x.dtype.size().cast_signed(),
            };
            dims = rest;
            dims.push(Dim {
                extent: 0,
                reduce,
                strides: accesses.iter().map(stride).collect(),
                axes: gone.into_iter().flat_map(|d| d.axes).collect(),
            });
        }
    }
    let needs_reduce = group.axes.is_some() && !dims.iter().any(|d| d.reduce);
    if needs_reduce || dims.is_empty() {
        dims.push(unit(group.axes.is_some()));
    }
    dims
}

/// Makes one loop of neighbours that every buffer walks evenly.
fn collapse(dims: Vec<Dim>, indexed: impl Fn(usize) -> bool) -> Vec<Dim> {
    let mut out: Vec<Dim> = Vec::new();
    for dim in dims {
        let even = |outer: &Dim| {
            outer.reduce == dim.reduce
                && !outer.axes.iter().chain(&dim.axes).any(|&a| indexed(a))
                && outer
                    .strides
                    .iter()
                    .zip(&dim.strides)
                    .all(|(&o, &i)| o == i.wrapping_mul(dim.extent.cast_signed()))
        };
        match out.last_mut() {
            Some(outer) if even(outer) => {
                outer.extent *= dim.extent;
                outer.strides = dim.strides;
                outer.axes.extend(dim.axes);
            }
            _ => out.push(dim),
        }
    }
    out
}

/// Whether the last loop reduces a few elements that an input has next to each other, frame after frame.
fn are_frames(dims: &[Dim], accesses: &[Access]) -> bool {
    let [.., kept, last] = dims else { return false };
    let framed = |(i, access): (usize, &Access)| {
        let size = access.dtype.size().cast_signed();
        access.role == Role::Input
            && last.strides[i] == size
            && kept.strides[i] == size * last.extent.cast_signed()
    };
    last.reduce
        && FRAMES.contains(&last.extent)
        && dims[..dims.len() - 1].iter().all(|d| !d.reduce && d.extent > 0)
        && accesses.iter().enumerate().any(framed)
}

/// The order of the loops, and how they are walked.
fn arrange(dims: Vec<Dim>, folds: bool) -> (Vec<Dim>, Form) {
    if !folds {
        return (dims, Form::Map);
    }
    let last_reduces = dims.last().is_some_and(|d| d.reduce);
    let (reduced, mut kept): (Vec<Dim>, Vec<Dim>) = dims.into_iter().partition(|d| d.reduce);
    let length: usize = reduced.iter().map(|d| d.extent).product();
    // The run of the rows form: the last kept loop, unless it is short and another is not.
    let run = match kept.last() {
        Some(last) if last.extent >= SHORT => Some(kept.len() - 1),
        _ => (0..kept.len()).max_by_key(|&i| kept[i].extent),
    };
    let width = run.map_or(0, |i| kept[i].extent);
    let inner =
        width < SHORT || (last_reduces && length >= LONG) || length >= width.saturating_mul(4);
    match run.filter(|_| !inner) {
        None => {
            kept.extend(reduced);
            (kept, Form::Inner)
        }
        Some(i) => {
            let run = kept.remove(i);
            kept.extend(reduced);
            kept.push(run);
            (kept, Form::Rows)
        }
    }
}

/// Whether the run covers several loops at once.
fn is_flat(dims: &[Dim], form: Form) -> bool {
    match form {
        Form::Map => {
            dims.len() > 1
                && dims.last().is_some_and(|d| d.extent < SHORT)
                && !dims.iter().any(|d| d.extent == 0)
        }
        Form::Inner => dims.iter().filter(|d| d.reduce).count() > 1,
        Form::Rows => false,
        Form::Frames => true,
    }
}

/// How a buffer moves along the run.
fn step(dims: &[Dim], form: Form, flat: bool, buf: usize, access: &Access) -> Step {
    if access.role == Role::Folded && form == Form::Inner {
        return Step::Fixed;
    }
    let run = dims.last().map_or(0, |d| d.strides[buf]);
    let simple = |stride: isize| match stride {
        0 => Step::Fixed,
        s if s == access.dtype.size().cast_signed() => Step::Unit,
        _ => Step::Stride,
    };
    if !flat {
        return simple(run);
    }
    let all = matches!(form, Form::Map | Form::Frames);
    let covered: Vec<&Dim> = dims.iter().filter(|d| all || d.reduce).collect();
    let even = covered
        .windows(2)
        .all(|w| w[0].strides[buf] == w[1].strides[buf].wrapping_mul(w[1].extent.cast_signed()));
    match access.role {
        _ if even => simple(run),
        Role::Input | Role::Output => Step::Packed,
        Role::Folded => Step::Stride,
    }
}
