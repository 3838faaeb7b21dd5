//! Squares and magnitudes that nothing but folds sees: the folds take them themselves, with no tile between.
//!
//! May not know: graphs, loops.

use super::super::{Line, Value};
use crate::op::{Measure, Op};

/// What a line is of another line, as a fold may take it.
fn measured(line: &Line) -> Option<(Measure, Value)> {
    let Line::Map { op, args, .. } = line else { return None };
    match (op, &args[..]) {
        (Op::Square, &[a]) => Some((Measure::Square, a)),
        (Op::Multiply, &[a, b]) if a == b => Some((Measure::Square, a)),
        (Op::Absolute | Op::Fabs, &[a]) => Some((Measure::Magnitude, a)),
        _ => None,
    }
}

/// Makes folds of measures of what was measured, and drops the lines between.
pub(super) fn absorb(lines: &mut Vec<Line>) {
    let mut alone: Vec<bool> = lines.iter().map(|line| measured(line).is_some()).collect();
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
    if !alone.contains(&true) {
        return;
    }
    let mut place: Vec<Value> = Vec::with_capacity(lines.len());
    let mut kept = Vec::with_capacity(lines.len());
    for (line, &gone) in lines.iter().zip(&alone) {
        place.push(kept.len() as Value);
        if gone {
            continue;
        }
        let mut line = line.clone();
        if let Line::Fold { measure, value, .. } = &mut line
            && alone[*value as usize]
            && let Some((of, a)) = measured(&lines[*value as usize])
        {
            (*measure, *value) = (of, a);
        }
        line.each_arg(|a| *a = place[*a as usize]);
        kept.push(line);
    }
    *lines = kept;
}
