//! Scans against the definition, one element after the other.

use super::*;
use crate::dtype::Scalar;

fn storage(values: &[f32], shape: &[usize]) -> Storage {
    Storage::from_slice(values, shape).unwrap()
}

fn scanned(scan: Scan, axis: usize, dtype: DType, from: &Storage) -> Storage {
    Running::new(scan, axis, dtype).run(std::slice::from_ref(from)).unwrap()
}

/// Awkward to add in any other order.
fn values(n: usize) -> Vec<f32> {
    (0..n).map(|k| ((k * 7919) % 1009) as f32 * 1.1e-3 - 0.5).collect()
}

#[test]
fn a_line_is_added_in_order_whatever_its_neighbours() {
    for (outer, n, inner) in
        [(1, 1, 1), (1, 700, 1), (3, 40, 1), (11, 300, 1), (2, 33, 3), (2, 9, 50)]
    {
        let x = values(outer * n * inner);
        let from = storage(&x, &[outer, n, inner]);
        for wide in [false, true] {
            let dtype = if wide { DType::F64 } else { DType::F32 };
            let got = scanned(Scan::Add, 1, dtype, &from);
            let got: Vec<f64> = if wide {
                got.to_vec::<f64>().unwrap()
            } else {
                got.to_vec::<f32>().unwrap().into_iter().map(f64::from).collect()
            };
            for line in 0..outer * inner {
                let at = |k: usize| line / inner * n * inner + k * inner + line % inner;
                let mut so_far = f64::from(x[at(0)]);
                for k in 1..n {
                    let next = f64::from(x[at(k)]);
                    so_far =
                        if wide { so_far + next } else { (so_far as f32 + next as f32).into() };
                    assert_eq!(
                        got[at(k)].to_bits(),
                        so_far.to_bits(),
                        "{outer} {n} {inner} {wide}"
                    );
                }
            }
        }
    }
}

#[test]
fn strides_do_not_matter() {
    let x = values(6 * 40);
    let mut turned = storage(&x, &[6, 40]);
    turned.shape.swap(0, 1);
    turned.strides.swap(0, 1);
    let copy = turned.c_ordered().unwrap();
    let mut back = turned.clone();
    back.ptr = back.ptr.wrapping_offset(39 * back.strides[0]);
    back.strides[0] = -back.strides[0];
    let back_copy = back.c_ordered().unwrap();
    for dtype in [DType::F32, DType::F64, DType::I16] {
        for axis in [0, 1] {
            for (a, b) in [(&turned, &copy), (&back, &back_copy)] {
                let both = [a, b].map(|x| scanned(Scan::Add, axis, dtype, x).copied().unwrap());
                assert_eq!(both[0].bytes(), both[1].bytes(), "{dtype} {axis}");
            }
        }
    }
}

#[test]
fn nan_stays_and_of_equal_zeros_the_later_is_kept() {
    let from = storage(&[0.0, -0.0, 1.0, f32::NAN, 2.0], &[5]);
    let got = scanned(Scan::Maximum, 0, DType::F32, &from).to_vec::<f32>().unwrap();
    assert!(got[1].is_sign_negative() && got[2] == 1.0 && got[3].is_nan() && got[4].is_nan());
}

#[test]
fn what_does_not_fit_is_refused() {
    let from = storage(&[1.0, 2.0], &[2]);
    assert!(Running::new(Scan::Add, 0, DType::F32).fill(&from, &mut [0; 4]).is_err());
    assert!(Running::new(Scan::Add, 1, DType::F32).fill(&from, &mut [0; 8]).is_err());
    assert!(Running::new(Scan::Add, 0, DType::C64).fill(&from, &mut [0; 16]).is_err());
    assert_eq!(Scan::Add.dtype(DType::U8, None), DType::U64);
    assert_eq!(Scan::Maximum.dtype(DType::U8, None), DType::U8);
    let none = Storage::from_scalar(Scalar::f32(1.0)).unwrap();
    assert!(Running::new(Scan::Add, 0, DType::F32).fill(&none, &mut [0; 4]).is_err());
}

#[test]
fn half_precision_is_widened_exactly_and_rounded_once() {
    for bits in 0..=u16::MAX {
        let x = half::f16::from_bits(bits);
        let (got, want) = (lines::widen(x), x.to_f32());
        assert!(got.to_bits() == want.to_bits() || got.is_nan() && want.is_nan(), "{bits:04x}");
    }
    for bits in (0..=u32::MAX).step_by(4093).chain((0x3300_0000..0x4780_0000).step_by(1023)) {
        for x in [f32::from_bits(bits), f32::from_bits(bits & !0x1fff | 0x1000)] {
            let (got, want) = (lines::narrow(x), half::f16::from_f32(x));
            let same = got.to_bits() == want.to_bits() || got.is_nan() && want.is_nan();
            assert!(same, "{bits:08x}");
        }
    }
}

#[test]
fn sums_of_exponentials_are_those_of_the_op() {
    for (scan, op) in [(Scan::Logaddexp, Op::Logaddexp), (Scan::Logaddexp2, Op::Logaddexp2)] {
        let function = tile::map(op, DType::F32).unwrap();
        let (outer, n, inner) = (3, 20, 5);
        let x = values(outer * n * inner);
        let from = storage(&x, &[outer, n, inner]);
        for axis in 0..3 {
            let got = scanned(scan, axis, DType::F32, &from).to_vec::<f32>().unwrap();
            let step: usize = from.shape[axis + 1..].iter().product();
            for at in 0..x.len() {
                let mut want = x[at];
                if !(at / step).is_multiple_of(from.shape[axis]) {
                    let (a, b) = (&raw const got[at - step], &raw const x[at]);
                    let (out, mut status) = ((&raw mut want).cast(), 0);
                    // SAFETY: an element each.
                    unsafe { function(out, a.cast(), b.cast(), b.cast(), 1, &raw mut status) };
                }
                assert_eq!(got[at].to_bits(), want.to_bits(), "{scan:?} {axis} {at}");
            }
        }
    }
    assert!(!Scan::Logaddexp.takes(DType::I32, DType::F64));
}
