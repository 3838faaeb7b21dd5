//! Reductions: the same bits in every form, for every number of threads, at every length.

use super::super::{num_threads, set_num_threads};
use super::*;
use DType::{Bool, F32, F64, I64};

/// Every fold of one value, in one kernel.
fn add_folds(k: &mut Builder, x: Value) {
    for fold in [Fold::Sum, Fold::Prod, Fold::Min, Fold::Max, Fold::Argmin, Fold::Argmax] {
        k.fold(fold, F64, x);
    }
    let zero = k.scalar(F64);
    let positive = k.map(Op::Less, F64, &[zero, x]);
    k.fold(Fold::Any, Bool, positive);
    k.fold(Fold::All, Bool, positive);
    let narrow = k.line(Line::Cast { from: F64, to: F32, arg: x });
    k.fold(Fold::Sum, F32, narrow);
}

/// Folds the rows of a (`length`, `columns`) array, over one reducing loop or two.
fn plan(form: Form, packed: bool, (length, columns): (usize, usize), split: usize) -> Plan {
    let column = 8 * columns as isize;
    let part = (length / split).max(1);
    let step = if packed { Step::Packed } else { Step::Stride };
    let mut k;
    let x = match (form, split) {
        (Form::Rows, 1) => {
            k = Builder::new(form, false, &[length, columns], &[true, false]);
            k.input(F64, Step::Unit, &[column, 8])
        }
        (Form::Rows, _) => {
            k = Builder::new(form, false, &[split, part, columns], &[true, true, false]);
            k.input(F64, Step::Unit, &[column * part as isize, column, 8])
        }
        (_, 1) => {
            k = Builder::new(form, packed, &[columns, length], &[false, true]);
            k.input(F64, step, &[8, column])
        }
        _ => {
            k = Builder::new(form, true, &[columns, split, part], &[false, true, true]);
            k.input(F64, step, &[8, column * part as isize, column])
        }
    };
    add_folds(&mut k, x);
    k.finish()
}

const SHAPES: [(usize, usize); 16] = [
    (1, 1),
    (2, 3),
    (8, 1),
    (15, 2),
    (64, 70),
    (127, 1),
    (128, 2),
    (129, 1),
    (1023, 3),
    (1024, 1),
    (1026, 520),
    (4096, 1),
    (4097, 2),
    (8190, 66),
    (12_288, 1),
    (20_481, 2),
];

#[test]
fn every_form_gives_the_same_bits() {
    for shape in SHAPES {
        let data = noise(shape.0 * shape.1);
        let inputs = [storage(F64, &data)];
        let zero = [Scalar::f64(0.0)];
        let want = run_all(&plan(Form::Inner, false, shape, 1), &inputs, &zero).unwrap();
        let mut others = vec![plan(Form::Inner, true, shape, 1), plan(Form::Rows, false, shape, 1)];
        for split in [2, 3].into_iter().filter(|s| shape.0 % s == 0) {
            others.push(plan(Form::Inner, false, shape, split));
            others.push(plan(Form::Inner, true, shape, split));
            others.push(plan(Form::Rows, false, shape, split));
        }
        for (i, other) in others.iter().enumerate() {
            let got = run_all(other, &inputs, &zero).unwrap();
            for (f, (a, b)) in want.iter().zip(&got).enumerate() {
                assert!(a.bytes() == b.bytes(), "fold {f} of {shape:?}, plan {i}");
            }
        }
        against_definition(&data, shape, &want);
    }
}

#[test]
fn frames_give_the_bits_of_lines() {
    for each in [2, 4, 8] {
        for frames in [1, 3, 100, 1025, 20_000] {
            let data = noise(frames * each);
            let inputs = [storage(F64, &data)];
            let plan = |form, flat, step, strides: [usize; 2]| {
                let mut k = Builder::new(form, flat, &[frames, each], &[false, true]);
                let x = k.input(F64, step, &strides.map(|s| 8 * s.cast_signed()));
                add_folds(&mut k, x);
                k.finish()
            };
            for (strides, step) in [([each, 1], Step::Unit), ([1, frames], Step::Packed)] {
                let lines = plan(Form::Inner, false, Step::Stride, strides);
                let want = run_all(&lines, &inputs, &[Scalar::f64(0.0)]).unwrap();
                let got = plan(Form::Frames, true, step, strides);
                let got = run_all(&got, &inputs, &[Scalar::f64(0.0)]).unwrap();
                for (f, (a, b)) in want.iter().zip(&got).enumerate() {
                    assert!(a.bytes() == b.bytes(), "fold {f} of {frames} frames of {each}");
                }
            }
        }
    }
}

fn against_definition(data: &[f64], (length, columns): (usize, usize), got: &[Arc<Buffer>]) {
    let result = |f: usize, c: usize| values::<f64>(&got[f])[c];
    let places = |f: usize, c: usize| values::<i64>(&got[f])[c] as usize;
    for c in 0..columns {
        let column: Vec<f64> = (0..length).map(|k| data[k * columns + c]).collect();
        let sum: f64 = column.iter().sum();
        let size: f64 = column.iter().map(|x| x.abs()).sum();
        assert!((result(0, c) - sum).abs() <= 1e-12 * size, "sum {c}");
        assert!((f64::from(values::<f32>(&got[8])[c]) - sum).abs() <= 1e-6 * size, "f32 sum {c}");
        let min = column.iter().copied().fold(f64::INFINITY, f64::min);
        let max = column.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        assert_eq!((result(2, c), result(3, c)), (min, max));
        assert_eq!(Some(places(4, c)), column.iter().position(|&x| x == min));
        assert_eq!(Some(places(5, c)), column.iter().position(|&x| x == max));
        let any = u8::from(column.iter().any(|&x| x > 0.0));
        let all = u8::from(column.iter().all(|&x| x > 0.0));
        assert_eq!((got[6].bytes()[c], got[7].bytes()[c]), (any, all));
    }
}

#[test]
fn nothing_folds_to_the_identity() {
    for form in [Form::Inner, Form::Rows] {
        let (extents, reduce) = match form {
            Form::Rows => ([0, 3], [true, false]),
            _ => ([3, 0], [false, true]),
        };
        let mut k = Builder::new(form, false, &extents, &reduce);
        let x = k.input(F64, if form == Form::Rows { Step::Unit } else { Step::Stride }, &[8, 8]);
        k.fold(Fold::Sum, F64, x);
        k.fold(Fold::Prod, F64, x);
        let b = k.line(Line::Cast { from: F64, to: Bool, arg: x });
        k.fold(Fold::Any, Bool, b);
        k.fold(Fold::All, Bool, b);
        let plan = k.finish();
        let none: [f64; 0] = [];
        let out = run_all(&plan, &[storage(F64, &none)], &[]).unwrap();
        assert_eq!(values::<f64>(&out[0]), [0.0; 3]);
        assert_eq!(values::<f64>(&out[1]), [1.0; 3]);
        assert_eq!((out[2].bytes(), out[3].bytes()), (&[0u8; 3][..], &[1u8; 3][..]));
        let mut k = Builder::new(form, false, &extents, &reduce);
        let x = k.input(F64, if form == Form::Rows { Step::Unit } else { Step::Stride }, &[8, 8]);
        k.fold(Fold::Max, F64, x);
        let err = run(&k.finish(), &[storage(F64, &none)], &[], &Context::default()).unwrap_err();
        assert_eq!(err.kind(), crate::error::ErrorKind::Value);
    }
}

#[test]
fn no_kept_elements_is_nothing_to_do() {
    let mut k = Builder::new(Form::Inner, false, &[0, 5], &[false, true]);
    let x = k.input(F64, Step::Unit, &[40, 8]);
    k.fold(Fold::Max, F64, x);
    let none: [f64; 0] = [];
    let out = run_all(&k.finish(), &[storage(F64, &none)], &[]).unwrap();
    assert!(out[0].is_empty());
}

#[test]
fn stores_beside_folds_happen_once() {
    for form in [Form::Inner, Form::Rows] {
        let (extents, reduce) = match form {
            Form::Rows => ([5000, 130], [true, false]),
            _ => ([130, 5000], [false, true]),
        };
        let mut k = Builder::new(form, false, &extents, &reduce);
        let x = k.input(I64, Step::Unit, &[extents[1] as isize * 8, 8]);
        let y = k.map(Op::Add, I64, &[x, x]);
        k.store(I64, y);
        k.fold(Fold::Sum, I64, y);
        let data: Vec<i64> = (0..650_000).collect();
        let out = run_all(&k.finish(), &[storage(I64, &data)], &[]).unwrap();
        assert!(values::<i64>(&out[0]).iter().zip(&data).all(|(y, x)| *y == 2 * x));
        let sums = values::<i64>(&out[1]);
        for (c, &sum) in sums.iter().enumerate() {
            let column =
                (0..5000).map(|k| if form == Form::Rows { k * 130 + c } else { c * 5000 + k });
            assert_eq!(sum, column.map(|i| 2 * i as i64).sum::<i64>());
        }
    }
}

#[test]
fn a_float32_sum_of_many_ones_is_exact() {
    let n = 1 << 25;
    let mut k = Builder::new(Form::Inner, false, &[n], &[true]);
    let one = k.input(F32, Step::Fixed, &[0]);
    k.fold(Fold::Sum, F32, one);
    let out = run(&k.finish(), &[storage(F32, &[1f32])], &[], &Context::default()).unwrap();
    assert_eq!(values::<f32>(&out[0]), [n as f32]);
}

#[test]
fn many_short_rows() {
    let n = 100_000;
    let mut k = Builder::new(Form::Inner, false, &[n, 3], &[false, true]);
    let x = k.input(I64, Step::Unit, &[24, 8]);
    k.fold(Fold::Sum, I64, x);
    k.fold(Fold::Argmax, I64, x);
    let data: Vec<i64> = (0..3 * n as i64).collect();
    let out = run(&k.finish(), &[storage(I64, &data)], &[], &Context::default()).unwrap();
    assert!(values::<i64>(&out[0]).iter().zip(0..).all(|(&s, i): (_, i64)| s == 9 * i + 3));
    assert!(values::<i64>(&out[1]).iter().all(|&i| i == 2));
}

#[test]
fn long_lines_in_pieces_have_the_bits_of_nests() {
    // Of a plain fold runs are longer than of a computed value; lengths are whole runs, and not.
    for (n, shares) in [(300_001, 2), (1 << 19, 3), (150_000, 5)] {
        let before = num_threads();
        set_num_threads(shares);
        let line = || Builder::new(Form::Inner, true, &[n], &[true]);
        let (mut plain, mut team, mut computed) = (line(), line(), line());
        let x = plain.input(F64, Step::Unit, &[8]);
        plain.fold(Fold::Sum, F64, x);
        // One function does all of these, and finds their states on a board.
        let x = team.input(F64, Step::Unit, &[8]);
        for fold in [Fold::Sum, Fold::Min, Fold::Max] {
            team.fold(fold, F64, x);
        }
        let x = computed.input(F64, Step::Unit, &[8]);
        let y = computed.map(Op::Multiply, F64, &[x, x]);
        add_folds(&mut computed, y);
        let input = [storage(F64, &noise(n))];
        run_all(&plain.finish(), &input, &[]).unwrap();
        run_all(&team.finish(), &input, &[]).unwrap();
        run_all(&computed.finish(), &input, &[Scalar::f64(0.1)]).unwrap();
        let mut map = Builder::new(Form::Map, true, &[n], &[false]);
        let x = map.input(F64, Step::Unit, &[8]);
        let place = map.line(Line::Index { dim: 0 });
        let place = map.line(Line::Cast { from: I64, to: F64, arg: place });
        let y = map.map(Op::Multiply, F64, &[x, place]);
        map.store(F64, y);
        let out = run_all(&map.finish(), &input, &[]).unwrap();
        let want: Vec<f64> = noise(n).iter().enumerate().map(|(i, x)| x * i as f64).collect();
        assert_eq!(values::<f64>(&out[0]), want);
        set_num_threads(before);
    }
}

#[test]
#[cfg(target_arch = "x86_64")]
fn pieces_are_combined_with_subnormals() {
    let n = 300_000;
    let mut k = Builder::new(Form::Inner, true, &[n], &[true]);
    let x = k.input(F64, Step::Unit, &[8]);
    k.fold(Fold::Sum, F64, x);
    let (plan, input) = (k.finish(), [storage(F64, &vec![5e-324; n])]);
    // As a library leaves it that drops subnormals.
    let (mut before, drops) = (0u32, 0x9fc0u32);
    // SAFETY: the mode of this thread, which is put back.
    unsafe {
        std::arch::asm!("stmxcsr [{}]", in(reg) &raw mut before, options(nostack));
        std::arch::asm!("ldmxcsr [{}]", in(reg) &raw const drops, options(nostack));
    }
    let out = run(&plan, &input, &[], &Context::default());
    // SAFETY: as above.
    unsafe { std::arch::asm!("ldmxcsr [{}]", in(reg) &raw const before, options(nostack)) };
    assert_eq!(out.unwrap()[0].words()[0], n as u64);
}
