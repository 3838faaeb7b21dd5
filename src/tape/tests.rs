//! Tapes against expressions.

use super::*;

const HALF: Number = Number::Float(0.5);

fn tape(samples: &[f32]) -> (Tape, Place) {
    let mut tape = Tape::default();
    let storage = Storage::from_slice(samples, &[samples.len()]).unwrap();
    let x = tape.memory(storage, samples.as_ptr().cast()).unwrap();
    (tape, x)
}

fn scaled(tape: &mut Tape, x: Place, by: Number) -> Option<Place> {
    let by = tape.number(by)?;
    tape.make(Request::Map(Op::Multiply), &[x, by], Span::default())
}

#[test]
fn what_was_recorded_before_has_its_form() {
    let (mut first, x) = tape(&[1.0, 2.0]);
    let y = scaled(&mut first, x, HALF).unwrap();
    let (mut second, x) = tape(&[3.0, 4.0]);
    let z = scaled(&mut second, x, Number::Float(0.25)).unwrap();
    let same =
        |a: &Tape, y: Place, b: &Tape, z: Place| Arc::ptr_eq(&a.entry(y).form, &b.entry(z).form);
    assert!(same(&first, y, &second, z));
    let integer = scaled(&mut second, x, Number::Int(2)).unwrap();
    assert!(!same(&first, y, &second, integer));
    let (mut longer, x) = tape(&[0.0; 3]);
    let w = scaled(&mut longer, x, HALF).unwrap();
    assert!(same(&first, y, &longer, w));
    assert_eq!(longer.meta(w).1[..], [3]);
    let (mut single, x) = tape(&[0.0]);
    let v = scaled(&mut single, x, HALF).unwrap();
    assert!(!same(&first, y, &single, v));
}

#[test]
fn all_that_follows_a_form_is_found_again() {
    let follow = |op: Op| {
        let (mut tape, x) = tape(&[1.0, 2.0]);
        let y = tape.make(Request::Map(op), &[x], Span::default()).unwrap();
        tape.entry(y).form.clone()
    };
    let mut ops = [Op::Negative, Op::Absolute, Op::Sqrt, Op::Square];
    let before = ops.map(follow);
    ops.reverse();
    let again = ops.map(follow);
    for (a, b) in before.iter().zip(again.iter().rev()) {
        assert!(Arc::ptr_eq(a, b));
    }
    assert!(!Arc::ptr_eq(&before[0], &before[1]));
}

#[test]
fn arrays_of_other_lengths_give_all_their_own_forms() {
    let (mut tape, x) = tape(&[1.0, -2.0, 3.0]);
    let y = scaled(&mut tape, x, HALF).unwrap();
    let two = Storage::from_slice(&[1f32, 2.0], &[2]).unwrap();
    let z = tape.memory(two, std::ptr::null()).unwrap();
    assert!(tape.make(Request::Map(Op::Add), &[y, z], Span::default()).is_none());
    let one = Storage::from_slice(&[1f32], &[1]).unwrap();
    let one = tape.memory(one, std::ptr::null()).unwrap();
    let both = tape.make(Request::Map(Op::Add), &[y, one], Span::default()).unwrap();
    for (at, shape) in [(x, 3), (y, 3), (z, 2), (one, 1), (both, 3)] {
        assert_eq!(tape.meta(at).1[..], [shape]);
    }
    let values = crate::eval::eval_once(&[tape.expr(both)], &crate::eval::Context::default());
    assert_eq!(values.unwrap()[0].to_vec::<f32>().unwrap(), [1.5, 0.0, 2.5]);
}

#[test]
fn expressions_are_what_was_noted() {
    let (mut tape, x) = tape(&[1.0, -2.0]);
    let y = scaled(&mut tape, x, HALF).unwrap();
    let both = tape.make(Request::Map(Op::Add), &[y, x], Span::default()).unwrap();
    let expr = tape.expr(both);
    assert!(expr.args()[1].same(&tape.expr(x)));
    let values = crate::eval::eval_once(&[expr], &crate::eval::Context::default()).unwrap();
    assert_eq!(values[0].to_vec::<f32>().unwrap(), [1.5, -3.0]);
}

#[test]
fn numbers_whose_value_matters_are_declined() {
    let (mut tape, x) = tape(&[1.0]);
    let two = tape.number(Number::Int(2)).unwrap();
    assert!(tape.make(Request::Map(Op::Power), &[x, two], Span::default()).is_none());
    assert!(scaled(&mut tape, x, Number::Int(1 << 25)).is_none());
    assert!(scaled(&mut tape, x, Number::Int(1 << 24)).is_some());
    assert_eq!(tape.number(HALF), tape.number(HALF));
}

#[test]
fn a_tape_has_an_end() {
    let (mut tape, x) = tape(&[1.0]);
    let mut y = x;
    while let Some(next) = scaled(&mut tape, y, HALF) {
        y = next;
    }
    assert_eq!(usize::from(y), ENTRIES - 1);
    assert!(!tape.has_room());
}
