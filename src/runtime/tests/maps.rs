//! Elementwise nests: strides, packing, scalars, tables, temporaries, zero sizes.

use super::super::single::Single;
use super::*;
use crate::loops::{Points, Positions, Table};
use DType::{Bool, F32, F64, I64};

/// `a * b + 0.5` with the buffers' strides in elements.
fn plan(flat: bool, extents: &[usize], a: (Step, &[isize]), b: (Step, &[isize])) -> Plan {
    let mut k = Builder::new(Form::Map, flat, extents, &vec![false; extents.len()]);
    let bytes = |s: &[isize]| s.iter().map(|s| s * 4).collect::<Vec<_>>();
    let x = k.input(F32, a.0, &bytes(a.1));
    let y = k.input(F32, b.0, &bytes(b.1));
    let half = k.scalar(F32);
    let product = k.map(Op::Multiply, F32, &[x, y]);
    let sum = k.map(Op::Add, F32, &[product, half]);
    k.store(F32, sum);
    k.finish()
}

/// Runs `plan` and compares each element with the definition.
fn check(flat: bool, extents: &[usize], a: (Step, &[isize]), b: (Step, &[isize])) {
    let data: Vec<f32> = noise(20_000).iter().map(|&x| x as f32).collect();
    let total: usize = extents.iter().product();
    let mut plan = plan(flat, extents, a, b);
    // Negative strides start at the far end.
    for (place, (_, strides)) in first(&mut plan).bufs.iter_mut().zip([a, b]) {
        let back = strides.iter().zip(extents).map(|(&s, &e)| s.min(0) * (e as isize - 1));
        place.offset = -4 * back.sum::<isize>();
    }
    let inputs = [storage(F32, &data), storage(F32, &data)];
    let out = run_all(&plan, &inputs, &[Scalar::f32(0.5)]).unwrap();
    let got = values::<f32>(&out[0]);
    assert_eq!(got.len(), total);
    let at = |strides: &[isize], mut i: usize| {
        let mut at = 0;
        for (&s, &e) in strides.iter().zip(extents).rev() {
            let place = (i % e) as isize;
            at += if s < 0 { s * (place + 1 - e as isize) } else { s * place };
            i /= e;
        }
        data[at as usize]
    };
    for (i, &x) in got.iter().enumerate() {
        assert_eq!(x, at(a.1, i) * at(b.1, i) + 0.5, "element {i} of {extents:?}");
    }
}

#[test]
fn walked_nests_follow_their_strides() {
    use Step::{Fixed, Packed, Stride, Unit};
    check(false, &[5, 70], (Unit, &[70, 1]), (Stride, &[3, -2]));
    check(false, &[2, 3, 4, 37], (Unit, &[444, 148, 37, 1]), (Fixed, &[0, 9, 1, 0]));
    check(false, &[17], (Stride, &[-1]), (Packed, &[2]));
    check(false, &[1000, 2], (Unit, &[2, 1]), (Unit, &[0, 1]));
    check(false, &[3, 1], (Unit, &[1, 5]), (Stride, &[2, 77]));
    check(false, &[9, 1, 1], (Fixed, &[1, 0, 0]), (Fixed, &[0, 0, 0]));
}

#[test]
fn flat_nests_pack_what_does_not_advance_evenly() {
    use Step::{Fixed, Packed, Stride, Unit};
    check(true, &[5000, 2], (Unit, &[2, 1]), (Packed, &[0, 1]));
    check(true, &[5000, 2], (Unit, &[2, 1]), (Packed, &[1, 5000]));
    check(true, &[5000, 2], (Stride, &[-2, -1]), (Packed, &[1, 0]));
    check(true, &[7, 11, 13], (Packed, &[1, 7, 77]), (Packed, &[143, -13, 1]));
    check(true, &[3000], (Packed, &[3]), (Fixed, &[0]));
    check(true, &[2, 1, 300, 3], (Unit, &[900, 4, 3, 1]), (Packed, &[300, 0, 1, 0]));
    check(true, &[1, 1], (Unit, &[1, 1]), (Packed, &[0, 1]));
}

#[test]
fn short_nests_that_pack_inputs_need_no_binding() {
    use Step::{Packed, Unit};
    let single = |a, b| Single::of(first(&mut plan(true, &[500, 2], a, b)), None).is_some();
    assert!(single((Packed, &[1, 0]), (Packed, &[0, 1])));
    assert!(single((Unit, &[2, 1]), (Packed, &[1, 500])));
}

#[test]
fn no_loops_is_one_element() {
    check(false, &[], (Step::Unit, &[]), (Step::Fixed, &[]));
    check(true, &[], (Step::Unit, &[]), (Step::Packed, &[]));
}

#[test]
fn zero_sizes_touch_nothing() {
    let empty: [f32; 0] = [];
    for (flat, extents) in [(false, [0, 7]), (false, [7, 0]), (true, [0, 7]), (true, [7, 0])] {
        let step = if flat { Step::Packed } else { Step::Unit };
        let plan = plan(flat, &extents, (Step::Unit, &[7, 1]), (step, &[0, 1]));
        let inputs = [storage(F32, &empty), storage(F32, &empty)];
        let out = run_all(&plan, &inputs, &[Scalar::f32(0.5)]).unwrap();
        assert!(out[0].is_empty());
    }
}

#[test]
fn places_along_loops_count_from_zero() {
    for extents in [vec![40, 3000], vec![70_000], vec![3, 5, 7]] {
        let n = extents.len();
        let mut k = Builder::new(Form::Map, false, &extents, &vec![false; n]);
        let last = k.line(Line::Index { dim: n as u32 - 1 });
        let first = k.line(Line::Index { dim: 0 });
        let thousand = k.scalar(I64);
        let scaled = k.map(Op::Multiply, I64, &[first, thousand]);
        let sum = k.map(Op::Add, I64, &[scaled, last]);
        k.store(I64, sum);
        let out = run_all(&k.finish(), &[], &[Scalar::i64(1 << 20)]).unwrap();
        let inner: i64 = extents[1..].iter().product::<usize>() as i64;
        for (i, x) in values::<i64>(&out[0]).into_iter().enumerate() {
            let i = i as i64;
            assert_eq!(x, ((i / inner) << 20) + i % extents[n - 1] as i64, "{i} of {extents:?}");
        }
    }
}

#[test]
fn scalars_are_computed_before_the_loops() {
    let mut k = Builder::new(Form::Map, false, &[3], &[false]);
    let x = k.input(F64, Step::Unit, &[8]);
    k.kernel.scalars.push(F64);
    let s = k.line(Line::Scalar { slot: 0 });
    let y = k.map(Op::Multiply, F64, &[x, s]);
    k.store(F64, y);
    let mut plan = k.finish();
    plan.scalars = vec![
        ScalarSource::Argument(0),
        ScalarSource::Shape(Scalar::i64(3)),
        ScalarSource::Cast { from: I64, to: F64, arg: 1 },
        ScalarSource::Map { op: Op::Divide, dtype: F64, args: smallvec![0, 2] },
        ScalarSource::Map { op: Op::Less, dtype: F64, args: smallvec![0, 2] },
        ScalarSource::Map { op: Op::Where, dtype: F64, args: smallvec![4, 3, 0] },
    ];
    first(&mut plan).scalars = vec![5];
    let inputs = [storage(F64, &[3.0f64, 6.0, -9.0])];
    let out = run_all(&plan, &inputs, &[Scalar::f64(1.5)]).unwrap();
    assert_eq!(values::<f64>(&out[0]), [1.5, 3.0, -4.5]);
    let wrong = run(&plan, &inputs, &[Scalar::f32(1.5)], &Context::default());
    assert_eq!(wrong.unwrap_err().kind(), crate::error::ErrorKind::Bug);
}

#[test]
fn a_negative_integer_power_is_refused() {
    let mut k = Builder::new(Form::Map, false, &[40_000], &[false]);
    let x = k.input(I64, Step::Unit, &[8]);
    let y = k.map(Op::Power, I64, &[x, x]);
    k.store(I64, y);
    let plan = k.finish();
    let mut data = vec![2i64; 40_000];
    run_all(&plan, &[storage(I64, &data)], &[]).unwrap();
    data[39_000] = -1;
    for threads in [1, 3] {
        let ctx = Context { interrupt: None, threads: Some(threads) };
        let err = run(&plan, &[storage(I64, &data)], &[], &ctx).unwrap_err();
        assert_eq!(
            err,
            crate::error::Error::value("Integers to negative integer powers are not allowed.")
        );
    }
}

#[test]
fn temporaries_pass_from_launch_to_launch() {
    let n = 5000;
    let mut plan = plan(false, &[n], (Step::Unit, &[1]), (Step::Fixed, &[0]));
    let mut second = first(&mut plan).clone();
    second.bufs[0].memory = Memory::Buffer(0);
    second.bufs[2].memory = Memory::Buffer(1);
    plan.steps.push(Task::Launch(second));
    plan.buffers.push(plan.buffers[0].clone());
    plan.buffers[0].last_use = Some(1);
    plan.outputs = vec![1];
    let data: Vec<f32> = (0..n).map(|i| i as f32).collect();
    let inputs = [storage(F32, &data), storage(F32, &[2.0f32])];
    let out = run_all(&plan, &inputs, &[Scalar::f32(1.0)]).unwrap();
    assert_eq!(out.len(), 1);
    assert!(values::<f32>(&out[0]).iter().zip(&data).all(|(y, x)| *y == x * 4.0 + 3.0));
}

#[test]
fn tables_interpolate_from_any_memory() {
    let mut k = Builder::new(Form::Map, false, &[5], &[false]);
    let x = k.input(F64, Step::Unit, &[8]);
    k.kernel.tables = 2;
    let y = k.line(Line::Interp { table: 0, x: Some(x), dtype: F64 });
    let z = k.line(Line::Interp { table: 1, x: Some(x), dtype: F64 });
    k.store(F64, y);
    k.store(F64, z);
    let mut plan = k.finish();
    plan.scalars = [0.0, 1.0, -7.0].map(|v| ScalarSource::Shape(Scalar::f64(v))).to_vec();
    // The values begin at byte 1 of the second input, so they are not aligned.
    let mut bytes = vec![0u8];
    bytes.extend([10.0f64, 20.0, 40.0].iter().flat_map(|v| v.to_le_bytes()));
    bytes.extend([0.0f64, 1.0, 2.0].iter().flat_map(|v| v.to_le_bytes()));
    let fp = (Memory::Input(1), 1, F64);
    first(&mut plan).tables = vec![
        Table {
            at: Positions::Given,
            len: 3,
            xp: Points::Memory(Memory::Input(1), 25),
            fp,
            left: Some(2),
            right: None,
        },
        Table {
            at: Positions::Given,
            len: 3,
            xp: Points::Arange { start: 0, step: 1 },
            fp,
            left: None,
            right: Some(2),
        },
    ];
    let inputs = [storage(F64, &[-1.0f64, 0.0, 0.5, 1.5, 9.0]), storage(Bool, &bytes)];
    let out = run_all(&plan, &inputs, &[]).unwrap();
    assert_eq!(values::<f64>(&out[0]), [-7.0, 10.0, 15.0, 30.0, 40.0]);
    assert_eq!(values::<f64>(&out[1]), [10.0, 10.0, 15.0, 30.0, -7.0]);
    first(&mut plan).tables[0].len = 4;
    let err = run(&plan, &inputs, &[], &Context::default()).unwrap_err();
    assert_eq!(err.kind(), crate::error::ErrorKind::Bug);
}

#[test]
fn a_plan_that_leaves_its_memory_is_refused() {
    let data = [0f32; 8];
    let inputs = [storage(F32, &data), storage(F32, &data)];
    let good = plan(false, &[2, 4], (Step::Unit, &[4, 1]), (Step::Unit, &[4, 1]));
    run_all(&good, &inputs, &[Scalar::f32(0.0)]).unwrap();
    let spoil: [fn(&mut Plan); 6] = [
        |p| first(p).extents[0] = 3,
        |p| first(p).bufs[0].offset = 4,
        |p| first(p).bufs[1].offset = -4,
        |p| first(p).bufs[2].strides[0] = 1 << 62,
        |p| first(p).bufs[0].strides[1] = 0,
        |p| first(p).bufs[0].memory = Memory::Input(7),
    ];
    for spoil in spoil {
        let mut bad = good.clone();
        spoil(&mut bad);
        let err = run(&bad, &inputs, &[Scalar::f32(0.0)], &Context::default()).unwrap_err();
        assert_eq!(err.kind(), crate::error::ErrorKind::Bug);
    }
}
