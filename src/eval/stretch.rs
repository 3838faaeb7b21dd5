//! Plans for other lengths: what was planned for arrays of one length serves all of them.
//!
//! A clip of another length is the usual reason for a program that was not seen before. Where all arrays of a
//! program are 0-d or of one length, from two elements on, the length decides nothing about its plan: it is
//! written in it, and another can be written there. May not know: graphs, passes, how anything runs.

use smallvec::SmallVec;

use crate::dtype::Scalar;
use crate::expr::{Prim, Program};
use crate::loops::{Plan, ScalarSource, Task};
use crate::runtime::{Count, Line};

/// The one length of all arrays of a program that is not longer than most, if that is so.
pub(super) fn length(program: &Program) -> Option<usize> {
    let mut length = None;
    for node in &program.nodes {
        let plain = match &node.prim {
            Prim::Input => {
                let meta = &program.inputs[node.slot as usize];
                meta.strides[..] == [node.dtype.size().cast_signed()] && !node.dtype.is_complex()
            }
            Prim::Reduce { keepdims, .. } => !keepdims,
            Prim::Scalar | Prim::Map(_) | Prim::Cast | Prim::Narrow => true,
            // Of a single value there is one, whatever the length.
            Prim::Count { .. } => {
                node.args.iter().all(|&arg| program.nodes[arg as usize].shape.len() == 1)
            }
            _ => false,
        };
        let fits = match node.shape[..] {
            [] => true,
            [n] => n >= 2 && *length.get_or_insert(n) == n,
            _ => false,
        };
        if !plain || !fits {
            return None;
        }
    }
    length
}

/// The program on arrays of another length.
pub(super) fn program(program: &Program, length: usize) -> Program {
    let mut program = program.clone();
    let shapes = program.nodes.iter_mut().map(|n| &mut n.shape);
    for shape in shapes.chain(program.inputs.iter_mut().map(|i| &mut i.shape)) {
        shape.fill(length);
    }
    program
}

/// What another length changes in the plan of a program whose arrays all have length `length`; `None` if the
/// plan holds something that is not known to be a length or none.
pub(super) fn line(program: &Program, plan: &Plan, length: usize) -> Option<Line> {
    let mut counts = SmallVec::new();
    for (at, source) in plan.scalars.iter().enumerate() {
        if let ScalarSource::Shape(value) = source {
            counts.push(counted(program, *value, at, length)?);
        }
    }
    for step in &plan.steps {
        let Task::Launch(launch) = step else { return None };
        let places = launch.bufs.iter().all(|place| place.offset == 0);
        let extents = match launch.extents[..] {
            [] | [1] => true,
            [n] => n == length,
            _ => false,
        };
        if !places || !extents || !launch.tables.is_empty() {
            return None;
        }
    }
    Some(Line { length, counts })
}

/// The plan for arrays of another length.
pub(super) fn plan(plan: &Plan, line: &Line, to: usize) -> Option<Plan> {
    let mut plan = plan.clone();
    for &Count { at, less, dtype } in &line.counts {
        let count = i64::try_from(to).ok().filter(|&n| n > less)?;
        plan.scalars[at] = ScalarSource::Shape(Scalar::wrap_int((count - less).into(), dtype));
    }
    for spec in &mut plan.buffers {
        spec.shape.fill(to);
    }
    for step in &mut plan.steps {
        let Task::Launch(launch) = step else { return None };
        launch.extents.iter_mut().filter(|n| **n == line.length).for_each(|n| *n = to);
    }
    Some(plan)
}

/// What a number that a program counted for this length is less than it.
fn counted(program: &Program, value: Scalar, at: usize, length: usize) -> Option<Count> {
    let mut found: Option<Count> = None;
    for node in &program.nodes {
        let Prim::Count { ddof, .. } = node.prim else { continue };
        let count = i128::from(length as i64) - i128::from(ddof);
        if count > 0 && Scalar::wrap_int(count, node.dtype) == value {
            let new = Count { at, less: ddof, dtype: node.dtype };
            if found.is_some_and(|other| other.less != new.less) {
                return None;
            }
            found = Some(new);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::{Context, eval_once};
    use crate::expr::{Array, Number, Over};
    use crate::op::Op;

    /// The mean square, and half of what the values are over it.
    fn levels(values: &[f64]) -> Vec<Vec<f64>> {
        let x = Array::from_slice(values, &[values.len()]).unwrap();
        let square = Array::map(Op::Square, std::slice::from_ref(&x)).unwrap();
        let level = square.mean(&Over::default()).unwrap();
        let over = Array::map(Op::Subtract, &[x, level.clone()]).unwrap();
        let over = Array::map(Op::Multiply, &[over, Array::number(Number::Float(0.5))]).unwrap();
        let out = eval_once(&[level, over], &Context::default()).unwrap();
        out.iter().map(|v| v.to_vec().unwrap()).collect()
    }

    #[test]
    fn every_length_has_its_own_counts_and_extents() {
        for n in [7usize, 2, 3, 1, 5000, 70_000, 7, 4] {
            let values: Vec<f64> = (0..n).map(|i| (i % 5) as f64 - 2.0).collect();
            let level = values.iter().map(|v| v * v).sum::<f64>() / n as f64;
            let want: Vec<f64> = values.iter().map(|v| (v - level) * 0.5).collect();
            assert_eq!(levels(&values), [vec![level], want], "{n} elements");
        }
    }

    #[test]
    fn only_programs_of_one_length_have_one() {
        let vector = |n: usize| Array::from_slice(&vec![1f32; n], &[n]).unwrap();
        let length_of = |out: Array| length(&Program::new(&[out]).0);
        let twice = |x: &Array| Array::map(Op::Add, &[x.clone(), x.clone()]).unwrap();
        assert_eq!(length_of(twice(&vector(9))), Some(9));
        assert_eq!(length_of(twice(&vector(1))), None);
        assert_eq!(length_of(twice(&vector(0))), None);
        assert_eq!(length_of(twice(&Array::from_slice(&[1f32; 6], &[2, 3]).unwrap())), None);
        let row = vector(9).reshape(&[1, 9]).unwrap();
        assert_eq!(length_of(twice(&row)), None);
    }
}
