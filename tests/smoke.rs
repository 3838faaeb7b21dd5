use rnp::buffer::{Buffer, Storage};
use rnp::dtype::{DType, Scalar};
use rnp::eval::{Context, eval};
use rnp::expr::{Array, Number, Over};
use rnp::op::{Fold, Op};
use std::sync::Arc;
fn f32s(v: &[f32], shape: &[usize]) -> Array {
    let mut b = Buffer::new(v.len() * 4).unwrap();
    unsafe { std::ptr::copy_nonoverlapping(v.as_ptr().cast::<u8>(), b.as_mut_ptr(), v.len() * 4) };
    Array::input(Storage::from_buffer(Arc::new(b), DType::F32, shape.into()).unwrap())
}
fn read(s: &Storage) -> Vec<f64> {
    let n: usize = s.shape.iter().product();
    (0..n)
        .map(|i| {
            let mut bits = [0u8; 8];
            let z = s.dtype.size();
            unsafe { std::ptr::copy_nonoverlapping(s.ptr.add(i * z), bits.as_mut_ptr(), z) };
            Scalar { dtype: s.dtype, bits: u64::from_le_bytes(bits) }.to_f64()
        })
        .collect()
}
#[test]
fn normalize() {
    let v: Vec<f32> = (0..1000).map(|i| ((i * 37) % 201) as f32 - 100.0).collect();
    let x = f32s(&v, &[1000]);
    let mean = x.mean(&Over::default()).unwrap();
    let y = Array::map(Op::Subtract, &[x, mean]).unwrap();
    let peak = Array::map(Op::Absolute, &[y.clone()])
        .unwrap()
        .reduce(Fold::Max, &Over::default())
        .unwrap();
    let z = Array::map(Op::Divide, &[y, peak]).unwrap();
    let z = Array::map(Op::Multiply, &[z, Array::number(Number::Float(32767.0))]).unwrap();
    let z = Array::map(Op::Rint, &[z]).unwrap().cast(DType::I16).unwrap();
    let out = eval(&[z], &Context::default()).unwrap();
    let r = read(&out[0]);
    let m = v.iter().sum::<f32>() / 1000.0;
    let p = v.iter().fold(0f32, |a, b| a.max((b - m).abs()));
    for (i, a) in v.iter().enumerate() {
        assert_eq!(r[i], f64::from(((a - m) / p * 32767.0).round_ties_even()), "{i}");
    }
    let s = f32s(&v, &[500, 2]);
    for axis in [0i64, 1] {
        let o = Over { axis: Some(vec![axis]), ..Over::default() };
        let st = s.std(&o, 0).unwrap();
        let r = read(&eval(&[st], &Context::default()).unwrap()[0]);
        println!("{axis} {:?}", &r[..2]);
    }
    println!("{:?}", rnp::runtime::stats());
    let x = f32s(&[1.0, 2.0, 4.0], &[3]);
    let l = Array::linspace(
        &Array::number(Number::Float(0.0)),
        &Array::number(Number::Float(2.0)),
        5,
        true,
        None,
    )
    .unwrap();
    let g = Array::arange(Number::Int(0), Number::Int(3), Number::Int(1), None).unwrap();
    let i = l.interp(&g, &x, None, None).unwrap();
    println!("{:?}", read(&eval(&[i], &Context::default()).unwrap()[0]));
}
