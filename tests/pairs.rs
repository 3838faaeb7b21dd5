//! Functions of two results against what NumPy 2.4 prints for them.

mod common;

use rnp::dtype::{DType, Scalar};
use rnp::eval::{Context, eval_once};
use rnp::expr::{Array, InputSpec};
use rnp::runtime::{Tier, set_tier};

const INF: f64 = f64::INFINITY;
const NAN: f64 = f64::NAN;

fn input(dtype: DType, values: &[f64]) -> Array {
    let shape = [values.len()].as_slice().into();
    let spec = InputSpec { number: 0, dtype, shape, fortran: false, step: -1 };
    let value = |k: usize| {
        if dtype.is_float() {
            Scalar::from_f64(values[k], dtype)
        } else {
            Scalar::wrap_int(values[k] as i128, dtype)
        }
    };
    Array::input(common::storage(&spec, value).unwrap())
}

/// Evaluates a pair, by the interpreter and by machine code, and compares both results with `wanted`.
fn check(pair: &(Array, Array), dtypes: [DType; 2], wanted: [&[f64]; 2]) {
    assert_eq!([pair.0.dtype(), pair.1.dtype()], dtypes);
    for tier in [Tier::Interp, Tier::Jit] {
        set_tier(tier);
        let both = [pair.0.clone(), pair.1.clone()];
        let values = eval_once(&both, &Context::default()).unwrap();
        for ((value, dtype), wanted) in values.iter().zip(dtypes).zip(wanted) {
            let bytes = common::bytes(value);
            let got = bytes.chunks(dtype.size()).map(|element| {
                let mut word = [0u8; 8];
                word[..dtype.size()].copy_from_slice(element);
                let scalar = Scalar { dtype, bits: u64::from_le_bytes(word) };
                if dtype.is_float() { scalar.to_f64() } else { scalar.to_i128() as f64 }
            });
            for (k, (got, &want)) in got.zip(wanted).enumerate() {
                let same = got.to_bits() == want.to_bits() || got.is_nan() && want.is_nan();
                assert!(same, "{tier:?} {dtype}, element {k}: {got}, not {want}");
            }
        }
    }
}

#[test]
fn frexp() {
    let x = [1.0, -6.0, 0.75, 0.0, -0.0, INF, -INF, NAN];
    let mantissas = [0.5, -0.75, 0.75, 0.0, -0.0, INF, -INF, NAN];
    let exponents = [1.0, 3.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
    for dtype in [DType::F16, DType::F32, DType::F64] {
        let pair = input(dtype, &x).frexp().unwrap();
        check(&pair, [dtype, DType::I32], [&mantissas, &exponents]);
    }
    let pair = input(DType::I8, &[-128.0, 3.0]).frexp().unwrap();
    check(&pair, [DType::F16, DType::I32], [&[-0.5, 0.75], &[8.0, 2.0]]);
}

#[test]
fn modf() {
    let x = [2.75, -2.75, 3.0, -3.0, 0.0, -0.0, -0.5, INF, -INF, NAN];
    let rests = [0.75, -0.75, 0.0, -0.0, 0.0, -0.0, -0.5, 0.0, -0.0, NAN];
    let wholes = [2.0, -2.0, 3.0, -3.0, 0.0, -0.0, -0.0, INF, -INF, NAN];
    for dtype in [DType::F16, DType::F32, DType::F64] {
        check(&input(dtype, &x).modf().unwrap(), [dtype, dtype], [&rests, &wholes]);
    }
    let pair = input(DType::U16, &[65535.0, 0.0]).modf().unwrap();
    check(&pair, [DType::F32, DType::F32], [&[0.0, 0.0], &[65535.0, 0.0]]);
}

#[test]
fn divmod() {
    let (a, b) = ([7.0, -7.0, 7.0, -128.0, 5.0], [3.0, 3.0, -3.0, -1.0, 0.0]);
    let pair = input(DType::I8, &a).divmod(&input(DType::I8, &b)).unwrap();
    check(
        &pair,
        [DType::I8, DType::I8],
        [&[2.0, -3.0, -3.0, -128.0, 0.0], &[1.0, 2.0, -2.0, 0.0, 0.0]],
    );
    let (a, b) = ([7.5, -7.5, 1.0, 0.0, 1.0, INF], [2.0, 2.0, 0.0, 0.0, -INF, 1.0]);
    let quotients = [3.0, -4.0, INF, NAN, -1.0, NAN];
    let rests = [1.5, 0.5, NAN, NAN, -INF, NAN];
    for dtype in [DType::F32, DType::F64] {
        let pair = input(dtype, &a).divmod(&input(dtype, &b)).unwrap();
        check(&pair, [dtype, dtype], [&quotients, &rests]);
    }
}
