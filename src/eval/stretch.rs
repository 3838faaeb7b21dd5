//! Plans for other lengths: what was planned for arrays of one length serves all of them.
//!
//! A clip of another length is the usual reason for a program that was not seen before. Where all arrays of a
//! program are 0-d or of one length, from two elements on, the length decides nothing about its plan: it is
//! written in it, and another can be written there. May not know: graphs, passes, how anything runs.

use crate::dtype::Scalar;
use crate::expr::{Prim, Program};
use crate::loops::{Plan, ScalarSource, Task};

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
            Prim::Scalar | Prim::Map(_) | Prim::Cast | Prim::Narrow | Prim::Count { .. } => true,
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

/// The plan of a program on arrays of length `to`, made of that for length `from`; `None` if the plan holds
/// something that is not known to be a length or none.
pub(super) fn plan(program: &Program, plan: &Plan, from: usize, to: usize) -> Option<Plan> {
    let mut plan = plan.clone();
    for source in &mut plan.scalars {
        if let ScalarSource::Shape(value) = source {
            *value = counted(program, *value, from, to)?;
        }
    }
    for spec in &mut plan.buffers {
        spec.shape.fill(to);
    }
    for step in &mut plan.steps {
        let Task::Launch(launch) = step else { return None };
        let places = launch.bufs.iter().all(|place| place.offset == 0);
        let extents = launch.extents.iter().all(|&n| n == from || n == 1);
        if !places || !extents || !launch.tables.is_empty() {
            return None;
        }
        launch.extents.iter_mut().filter(|n| **n == from).for_each(|n| *n = to);
    }
    Some(plan)
}

/// What a number that a program counted is for another length.
fn counted(program: &Program, value: Scalar, from: usize, to: usize) -> Option<Scalar> {
    let mut found = None;
    for node in &program.nodes {
        let Prim::Count { ddof, .. } = node.prim else { continue };
        let count = |n: usize| (n as i64 > ddof).then(|| i128::from(n as i64 - ddof));
        let (old, new) = (count(from)?, count(to)?);
        if Scalar::wrap_int(old, node.dtype) == value {
            let new = Scalar::wrap_int(new, node.dtype);
            if found.is_some_and(|other| other != new) {
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
