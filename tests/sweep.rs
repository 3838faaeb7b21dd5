//! The accuracy of every `float32` function of one operand, over all its 2^32 arguments.
//!
//! Minutes of work, so `make sweep` runs it and `cargo test` does not. Judged against the functions of
//! `float64`, which are within an ulp of `float64` themselves.

use rnp::dtype::DType;
use rnp::op::Op;
use rnp::tile::{MapFn, TILE, map};

/// Applies a tile function to a tile of one operand.
fn apply<T: Copy>(f: MapFn, x: &[T; TILE], y: &mut [T; TILE]) {
    let (x, mut status) = (x.as_ptr().cast(), 0);
    // SAFETY: both hold `TILE` elements, and functions of one operand read no other.
    unsafe { f(y.as_mut_ptr().cast(), x, x, x, TILE, &raw mut status) };
}

/// The error of a result in units of its last place; infinite where a special value is another.
fn ulps(got: f32, want: f64) -> f64 {
    let rounded = want as f32;
    if !got.is_finite() || !rounded.is_finite() {
        let same = got == rounded || got.is_nan() && rounded.is_nan();
        return if same { 0.0 } else { f64::INFINITY };
    }
    if got == 0.0 && want == 0.0 && got.is_sign_negative() != want.is_sign_negative() {
        return f64::INFINITY;
    }
    let exponent = ((want.to_bits() >> 52) & 0x7ff) as i32 - 1023;
    (f64::from(got) - want).abs() / 2f64.powi(exponent.max(-126) - 23)
}

/// The worst error over a range of bit patterns, and where it is.
fn worst(op: Op, patterns: std::ops::Range<u64>) -> (f64, f32) {
    let single = map(op, DType::F32).expect("a function of float32");
    let double = map(op, DType::F64).expect("a function of float64");
    let (mut x, mut got) = ([0f32; TILE], [0f32; TILE]);
    let (mut wide, mut want) = ([0f64; TILE], [0f64; TILE]);
    let mut found = (0.0, 0.0);
    for start in patterns.step_by(TILE) {
        for (i, (x, wide)) in x.iter_mut().zip(&mut wide).enumerate() {
            *x = f32::from_bits((start + i as u64) as u32);
            *wide = f64::from(*x);
        }
        apply(single, &x, &mut got);
        apply(double, &wide, &mut want);
        for i in 0..TILE {
            let error = ulps(got[i], want[i]);
            if error > found.0 {
                found = (error, x[i]);
            }
        }
    }
    found
}

#[test]
#[ignore = "minutes: make sweep"]
fn every_argument_is_within_the_bound_of_the_table() {
    let mut beyond = Vec::new();
    for &op in Op::ALL.iter().filter(|op| op.info().ulp > 0.0 && op.info().arity == 1) {
        let half = 1 << 31;
        let (low, high) = std::thread::scope(|scope| {
            let low = scope.spawn(|| worst(op, 0..half));
            (worst(op, half..2 * half), low.join().expect("a thread that ends"))
        });
        let (error, at) = if low.0 > high.0 { low } else { high };
        println!("{op}: {error:.4} ulp at {at:e}");
        if error > 1.0 {
            beyond.push(op);
        }
    }
    assert!(beyond.is_empty(), "beyond 1.0 ulp: {beyond:?}");
}
