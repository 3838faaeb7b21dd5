//! Random graphs: fused machine code, the fused interpreter and op-by-op evaluation give the same bits.
//!
//! Op by op means that every node is evaluated alone, so nothing is fused and every view is copied:
//! a wrong cut, view, collapse, packing or loop order shows as different bits. NumPy is not needed
//! here; `tests/python/test_random.py` asks it.

mod common;

use proptest::prelude::*;
use rnp::dtype::{DType, Scalar};
use rnp::eval::{Context, eval_once};
use rnp::expr::{Array, InputSpec, Number, Over, Prim};
use rnp::op::{Fold, Op};
use rnp::runtime::{Tier, set_tier};
use rnp::shape::{Item, Slice};

/// One step of a random program; every number is taken modulo what fits.
#[derive(Clone, Debug)]
struct Step {
    act: u8,
    which: u8,
    a: u16,
    b: u16,
    n: i8,
}

#[derive(Clone, Debug)]
struct Plan {
    inputs: Vec<(u8, u8, bool, i8)>,
    steps: Vec<Step>,
    outputs: Vec<u16>,
    threads: usize,
}

const SHAPES: &[&[usize]] = &[
    &[],
    &[1],
    &[7],
    &[70],
    &[3, 70],
    &[3, 1],
    &[70, 2],
    &[1, 2],
    &[2, 3, 7],
    &[0],
    &[3, 1, 70],
    &[1500, 2],
    &[2, 1500],
    &[5000],
];

const NASTY: &[f64] =
    &[0.0, -0.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e30, 5e-324, 1e-40, -1.0, 0.5];

fn plans() -> impl Strategy<Value = Plan> {
    let step = (any::<u8>(), any::<u8>(), any::<u16>(), any::<u16>(), any::<i8>())
        .prop_map(|(act, which, a, b, n)| Step { act, which, a, b, n });
    let input = (any::<u8>(), any::<u8>(), any::<bool>(), -3i8..4);
    (
        prop::collection::vec(input, 1..4),
        prop::collection::vec(step, 1..25),
        prop::collection::vec(any::<u16>(), 1..4),
        1usize..4,
    )
        .prop_map(|(inputs, steps, outputs, threads)| Plan { inputs, steps, outputs, threads })
}

fn input(number: usize, (dtype, shape, fortran, step): (u8, u8, bool, i8)) -> Array {
    let spec = InputSpec {
        number,
        dtype: DType::ALL[dtype as usize % DType::ALL.len()],
        shape: SHAPES[shape as usize % SHAPES.len()].into(),
        fortran,
        step: if step == 0 { 1 } else { step.into() },
    };
    let value = |k: usize| {
        let special = spec.dtype.is_float() && k % 5 == 3;
        if special {
            Scalar::from_f64(NASTY[(k / 5 + number) % NASTY.len()], spec.dtype)
        } else {
            common::element(spec.dtype, number, k)
        }
    };
    Array::input(common::storage(&spec, value).unwrap())
}

/// Slices of every axis, and now and then a new one.
fn items(step: &Step, rank: usize) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    let bound = |bits: i8| (bits % 3 != 0).then_some(i64::from(bits) % 9);
    for a in 0..rank {
        let n = step.n.wrapping_add(a as i8);
        let pace = if step.which & 4 == 0 { 1 } else { [-1, 2, 3, -2][n.rem_euclid(4) as usize] };
        items.push(Item::Slice(Slice { start: bound(n), stop: None, step: pace }));
    }
    if step.which & 8 != 0 {
        items.insert(step.which as usize % (rank + 1), Item::NewAxis);
    }
    items
}

/// A store into a part of `x`: of a number, of `y`, of the part itself or of a part beside it.
fn update(step: &Step, x: &Array, y: &Array) -> rnp::error::Result<Array> {
    let mut path = vec![Prim::Index(items(step, x.rank()).into())];
    let mut part = x.index(&items(step, x.rank()))?;
    if step.which & 16 != 0 {
        path.push(Prim::Transpose((0..part.rank()).rev().collect()));
        part = part.transpose(None)?;
    }
    if step.which & 32 != 0 && step.n % 5 == 0 {
        let dims: Vec<i64> = if step.n % 2 == 0 { vec![-1] } else { vec![-1, 2] };
        path = vec![Prim::Reshape(dims.as_slice().into())];
        part = x.reshape(&dims)?;
        let every = Slice { start: Some(i64::from(step.n % 3)), stop: None, step: 2 };
        path.push(Prim::Index([Item::Slice(every)].as_slice().into()));
        part = part.index(&[Item::Slice(every)])?;
    }
    let beside = |a: usize, n: i64| {
        let back = Slice { start: (n > 0).then_some(n), stop: (n <= 0).then_some(n - 1), step: 1 };
        let whole = Slice { start: None, stop: None, step: 1 };
        part.index(
            &(0..=a).map(|i| Item::Slice(if i == a { back } else { whole })).collect::<Vec<_>>(),
        )
    };
    let value = match step.b % 5 {
        0 => Array::number(Number::Int(i128::from(step.n))).strong(),
        1 => y.clone(),
        2 => part.clone(),
        3 if part.rank() > 0 => {
            // As `b[1:] = b[1:] + b[:-1]`: what is read was not yet stored to.
            let (from, to) = (beside(0, 0)?, beside(0, 1)?);
            let rest = Slice { start: Some(1), stop: None, step: 1 };
            path.push(Prim::Index([Item::Slice(rest)].as_slice().into()));
            Array::map(Op::Maximum, &[from, to])?
        }
        _ => Array::map(Op::Minimum, &[part.clone(), y.clone()])?,
    };
    x.update(&path, &value.cast(x.dtype())?)
}

/// The node that a step makes of earlier ones; `None` where NumPy would refuse it.
fn apply(step: &Step, pool: &[Array]) -> Option<Array> {
    // Chains of updates are what is stored into again.
    let last = step.act % 24 >= 15 && step.a.is_multiple_of(2);
    let x = &pool[if last { pool.len() - 1 } else { step.a as usize % pool.len() }];
    let y = &pool[step.b as usize % pool.len()];
    let rank = x.rank();
    let axis = |n: i8| i64::from(n).rem_euclid(rank.max(1) as i64);
    let over = Over {
        axis: (step.which & 1 == 0 && rank > 0).then(|| vec![axis(step.n)]),
        keepdims: step.which & 2 != 0,
        dtype: None,
    };
    let made = match step.act % 24 {
        0..=5 => {
            let op = Op::ALL[step.which as usize % Op::ALL.len()];
            // Integer powers that are negative are errors of the data.
            if op == Op::Power && !x.dtype().is_float() {
                return None;
            }
            let number = Array::number(Number::Int(i128::from(step.n) % 5));
            let args = [x.clone(), if step.n % 3 == 0 { number } else { y.clone() }, x.clone()];
            Array::map(op, &args[..op.info().arity])
        }
        6 | 7 => x.cast(DType::ALL[step.which as usize % DType::ALL.len()]),
        8 | 9 => x.reduce(Fold::ALL[step.which as usize % Fold::ALL.len()], &over),
        10 => x.std(&over, 0),
        11 | 12 => x.index(&items(step, rank)),
        13 => x.transpose(None),
        14 => x.reshape(if step.which & 1 == 0 { &[-1] } else { &[-1, 2] }),
        15..=18 => update(step, x, y),
        19 | 20 => {
            let other = y.cast(x.dtype()).ok()?;
            let other = if other.shape() == x.shape() { other } else { x.clone() };
            let parts = [x.clone(), x.index(&items(step, rank)).ok()?, other];
            Array::concatenate(&parts[..=step.which as usize % 3], axis(step.n) as usize)
        }
        21 => common::function("flip").and_then(|f| Array::call(f, std::slice::from_ref(x))),
        22 => common::function("append").and_then(|f| Array::call(f, &[x.clone(), y.clone()])),
        _ => x.clip(Some(&Array::number(Number::Int(-1))), Some(y)),
    };
    // A graph of many large arrays adds time, not insight.
    made.ok().filter(|m| m.shape().iter().product::<usize>() <= 20_000)
}

/// Bytes with every NaN written alike: payloads follow from operand order, which no rule fixes.
fn canonical(storage: &rnp::buffer::Storage) -> Vec<u8> {
    let mut bytes = common::bytes(storage);
    let size = storage.dtype.size();
    if storage.dtype.is_float() {
        for element in bytes.chunks_mut(size) {
            let mut word = [0u8; 8];
            word[..size].copy_from_slice(element);
            if (Scalar { dtype: storage.dtype, bits: u64::from_le_bytes(word) }).to_f64().is_nan() {
                element.fill(0xff);
            }
        }
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn fused_equals_op_by_op(plan in plans()) {
        let ctx = Context::default();
        let mut lazy: Vec<Array> = plan.inputs.iter().enumerate().map(|(i, x)| input(i, *x)).collect();
        let mut eager = lazy.clone();
        for step in &plan.steps {
            if let (Some(l), Some(e)) = (apply(step, &lazy), apply(step, &eager)) {
                prop_assert_eq!(l.dtype(), e.dtype());
                prop_assert_eq!(l.shape(), e.shape());
                set_tier(Tier::Interp);
                let value = eval_once(&[e], &ctx).unwrap().remove(0);
                eager.push(Array::input(value));
                lazy.push(l);
            }
        }
        let wanted: Vec<usize> = plan.outputs.iter().map(|&o| o as usize % lazy.len()).chain([lazy.len() - 1]).collect();
        let arrays: Vec<Array> = wanted.iter().map(|&w| lazy[w].clone()).collect();
        let plain: Vec<Vec<u8>> = {
            let plain: Vec<Array> = wanted.iter().map(|&w| eager[w].clone()).collect();
            eval_once(&plain, &ctx).unwrap().iter().map(canonical).collect()
        };
        for tier in [Tier::Interp, Tier::Jit] {
            set_tier(tier);
            let ctx = Context { threads: Some(plan.threads), ..ctx };
            let fused: Vec<Vec<u8>> = eval_once(&arrays, &ctx).unwrap().iter().map(canonical).collect();
            for (i, (f, p)) in fused.iter().zip(&plain).enumerate() {
                prop_assert!(f == p, "{:?} differs in output {}:\n{}", tier, i, rnp::explain::explain(&arrays, false).unwrap());
            }
        }
    }
}

/// How many graphs: `RNP_CASES`, else enough for every change.
fn cases() -> u32 {
    std::env::var("RNP_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(2000)
}
