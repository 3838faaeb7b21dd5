//! Squares, magnitudes and truth values as integers that folds see: the folds take them themselves, with no tile
//! between.
//!
//! Of what is in memory always; of what is computed if nothing else sees what is taken, since else there would be two
//! values to keep for calls in place of one.
//!
//! May not know: graphs, loops.

use super::super::{Line, Value};
use crate::dtype::DType;
use crate::op::{Measure, Op};

/// What a line is of another line, as a fold may take it.
fn measured(line: &Line) -> Option<(Measure, Value)> {
    let (op, args) = match line {
        Line::Map { op, args, .. } => (op, args),
        Line::Cast { from: DType::Bool, arg, .. } => return Some((Measure::Truth, *arg)),
        _ => return None,
    };
    match (op, &args[..]) {
        (Op::Square, &[a]) => Some((Measure::Square, a)),
        (Op::Multiply, &[a, b]) if a == b => Some((Measure::Square, a)),
        (Op::Absolute | Op::Fabs, &[a]) => Some((Measure::Magnitude, a)),
        _ => None,
    }
}

/// Makes folds of measures of what was measured, and drops the lines that nothing sees any more.
pub(super) fn absorb(lines: &mut Vec<Line>) {
    let mut alone: Vec<bool> = lines.iter().map(|line| measured(line).is_some()).collect();
    if !alone.contains(&true) {
        return;
    }
    for line in &*lines {
        for a in line.args() {
            let takes = match (line, measured(&lines[a as usize])) {
                (Line::Fold { fold, measure: Measure::Itself, dtype, .. }, Some((of, _))) => {
                    fold.takes(of, *dtype)
                }
                _ => false,
            };
            alone[a as usize] &= takes;
        }
    }
    let mut place: Vec<Value> = Vec::with_capacity(lines.len());
    let mut kept = Vec::with_capacity(lines.len());
    for (line, &gone) in lines.iter().zip(&alone) {
        place.push(kept.len() as Value);
        if gone {
            continue;
        }
        let mut line = line.clone();
        if let Line::Fold { fold, measure, dtype, value, .. } = &mut line
            && let Some((of, a)) = measured(&lines[*value as usize])
            && (alone[*value as usize] || matches!(lines[a as usize], Line::Load { .. }))
            && *measure == Measure::Itself
            && fold.takes(of, *dtype)
        {
            (*measure, *value) = (of, a);
        }
        line.each_arg(|a| *a = place[*a as usize]);
        kept.push(line);
    }
    *lines = kept;
}
