//! Size: long chains, wide graphs, small stacks, shared subgraphs.

mod common;

use rnp::dtype::{DType, Scalar};
use rnp::eval::{Context, eval_once};
use rnp::expr::{Array, InputSpec, Number, Prim};
use rnp::op::Op;
use rnp::shape::{Item, Slice};

fn ramp(len: usize) -> Array {
    let spec = InputSpec {
        number: 0,
        dtype: DType::F64,
        shape: smallvec::smallvec![len],
        fortran: false,
        step: 1,
    };
    common::input(&spec).unwrap()
}

fn first(array: &Array) -> f64 {
    let value = eval_once(std::slice::from_ref(array), &Context::default()).unwrap().remove(0);
    f64::from_le_bytes(common::bytes(&value)[..8].try_into().unwrap())
}

fn on_small_stack(work: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(256 << 10).spawn(work).unwrap().join().unwrap();
}

#[test]
fn a_hundred_thousand_ops_on_a_small_stack() {
    on_small_stack(|| {
        let x = ramp(8);
        let one = Array::number(Number::Float(1.0));
        let mut y = x.clone();
        for _ in 0..100_000 {
            y = Array::map(Op::Add, &[y, one.clone()]).unwrap();
        }
        assert_eq!(first(&y), first(&x) + 100_000.0);
    });
}

#[test]
fn a_shared_subgraph_costs_once() {
    on_small_stack(|| {
        let mut y =
            Array::map(Op::Multiply, &[ramp(8), Array::number(Number::Float(0.0))]).unwrap();
        y = Array::map(Op::Add, &[y, Array::number(Number::Float(1.0))]).unwrap();
        for _ in 0..1000 {
            y = Array::map(Op::Add, &[y.clone(), y]).unwrap();
        }
        assert_eq!(first(&y), 2f64.powi(1000));
        let (mut a, mut b) = (ramp(4), ramp(4));
        for _ in 0..5000 {
            (a, b) = (b.clone(), Array::map(Op::Maximum, &[a, b]).unwrap());
        }
        assert_eq!(first(&b), first(&ramp(4)));
    });
}

#[test]
fn wide_graphs_are_split() {
    let leaves: Vec<Array> = (0..4096)
        .map(|i| {
            Array::map(Op::Add, &[ramp(5), Array::number(Number::Float(f64::from(i)))]).unwrap()
        })
        .collect();
    let mut level = leaves.clone();
    while level.len() > 1 {
        level = level
            .chunks(2)
            .map(|p| Array::map(Op::Add, &[p[0].clone(), p[1].clone()]).unwrap())
            .collect();
    }
    assert_eq!(first(&level[0]), 4096.0 * first(&ramp(5)) + 4095.0 * 2048.0);
    let values = eval_once(&leaves[..1000], &Context::default()).unwrap();
    assert_eq!(values.len(), 1000);
    let many: Vec<Array> = (0..3000).map(|_| ramp(5)).collect();
    let sum = many.into_iter().reduce(|a, b| Array::map(Op::Add, &[a, b]).unwrap()).unwrap();
    assert_eq!(first(&sum), 3000.0 * first(&ramp(5)));
}

#[test]
fn views_of_views_are_one_view() {
    let mut x = ramp(300_001);
    for _ in 0..100_000 {
        x = x.index(&[Item::Slice(Slice { start: Some(1), stop: None, step: 1 })]).unwrap();
    }
    assert_eq!(x.shape()[..], [200_001]);
    assert_eq!(rnp::explain::report(&[x.clone()]).unwrap().loops, 1);
    let value = eval_once(&[x], &Context::default()).unwrap().remove(0);
    let expected = common::element(DType::F64, 0, 100_000).to_f64();
    assert_eq!(f64::from_le_bytes(common::bytes(&value)[..8].try_into().unwrap()), expected);
}

#[test]
fn ten_thousand_stores_in_one_buffer() {
    on_small_stack(|| {
        let slice = |i: i64| Item::Slice(Slice { start: Some(i), stop: Some(i + 2), step: 1 });
        let mut y = Array::map(Op::Add, &[ramp(20_000), ramp(20_000)]).unwrap();
        for i in 0..10_000 {
            let part = y.index(&[slice(2 * i)]).unwrap();
            let value = Array::map(Op::Add, &[part, Array::number(Number::Int(1))]).unwrap();
            y = y.update(&[Prim::Index([slice(2 * i)].as_slice().into())], &value).unwrap();
        }
        let report = rnp::explain::report(&[y.clone()]).unwrap();
        assert_eq!((report.loops, report.temporaries), (10_001, 0));
        assert_eq!(first(&y), 2.0 * first(&ramp(8)) + 1.0);
    });
}

#[test]
fn a_store_per_row_is_a_small_loop_in_one_buffer() {
    let rows = |n: usize| ramp(n).reshape(&[128, -1]).unwrap();
    let mut w = Array::full(&[128, 50], &Array::scalar(Scalar::f64(0.0)), None).unwrap();
    for i in 0..128 {
        let at = [Item::At(i)];
        let row = Array::map(Op::Square, &[rows(6400).index(&at).unwrap()]).unwrap();
        w = w.update(&[Prim::Index(at.as_slice().into())], &row).unwrap();
    }
    let report = rnp::explain::report(&[w.clone()]).unwrap();
    assert_eq!((report.loops, report.temporaries), (129, 0));
    let all = Array::map(Op::Square, &[rows(6400)]).unwrap();
    let values = eval_once(&[w, all], &Context::default()).unwrap();
    assert_eq!(common::bytes(&values[0]), common::bytes(&values[1]));
}
