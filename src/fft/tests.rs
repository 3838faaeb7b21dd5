//! Transforms against their definition.

use rustfft::num_complex::Complex;

use super::*;

type C = Complex<f64>;

/// The sum over `x[k] * exp(sign * 2 i pi j k / n)`.
fn naive(x: &[C], sign: f64) -> Vec<C> {
    let n = x.len();
    let at = |j: usize| {
        let term = |(k, x): (usize, &C)| {
            let turn = (j * k % n) as f64 / n as f64;
            x * C::from_polar(1.0, sign * std::f64::consts::TAU * turn)
        };
        x.iter().enumerate().map(term).sum()
    };
    (0..n).map(at).collect()
}

fn values(n: usize) -> Vec<f64> {
    (0..n).map(|k| ((k * 7919) % 1009) as f64 * 1e-3 - 0.5).collect()
}

fn close(got: &[C], want: &[C]) {
    assert_eq!(got.len(), want.len());
    for (a, b) in got.iter().zip(want) {
        assert!((a - b).norm() < 1e-12 * want.len() as f64, "{a} {b}");
    }
}

/// Memory of complex numbers, two floats each.
fn pairs(x: &[C], shape: &[usize]) -> Storage {
    let flat: Vec<f64> = x.iter().flat_map(|c| [c.re, c.im]).collect();
    let mut out = Storage::from_slice(&flat, &[flat.len()]).unwrap();
    out.dtype = DType::C128;
    out.in_c_order_as_complex(shape)
}

trait AsComplex {
    fn in_c_order_as_complex(self, shape: &[usize]) -> Storage;
    fn numbers(&self) -> Vec<C>;
}

impl AsComplex for Storage {
    fn in_c_order_as_complex(self, shape: &[usize]) -> Storage {
        let strides = crate::shape::c_strides(shape, 16);
        Storage { shape: shape.into(), strides, ..self }
    }

    fn numbers(&self) -> Vec<C> {
        let bytes = self.copied().unwrap();
        let float = |b: &[u8]| f64::from_le_bytes(b.try_into().unwrap());
        bytes.bytes().chunks(16).map(|b| C::new(float(&b[..8]), float(&b[8..]))).collect()
    }
}

fn run(transform: Transform, points: Option<usize>, axis: usize, from: &Storage) -> Storage {
    let call = Fourier::new(transform, axis, points, Norm::Backward);
    call.run(std::slice::from_ref(from)).unwrap()
}

#[test]
fn transforms_are_the_sums_that_define_them() {
    for n in [1, 2, 3, 8, 15, 17, 64, 101] {
        let x = values(n);
        let complex: Vec<C> =
            x.iter().zip(values(2 * n).iter().skip(n)).map(|(&a, &b)| C::new(a, b)).collect();
        let real: Vec<C> = x.iter().map(|&a| C::from(a)).collect();
        let from = pairs(&complex, &[n]);
        close(&run(Transform::Forward, None, 0, &from).numbers(), &naive(&complex, -1.0));
        let back: Vec<C> = naive(&complex, 1.0).iter().map(|x| x / n as f64).collect();
        close(&run(Transform::Inverse, None, 0, &from).numbers(), &back);
        let from = Storage::from_slice(&x, &[n]).unwrap();
        let want = naive(&real, -1.0);
        close(&run(Transform::Forward, None, 0, &from).numbers(), &want);
        let half = run(Transform::Half, None, 0, &from);
        close(&half.numbers(), &want[..=n / 2]);
        let again = run(Transform::FromHalf, Some(n), 0, &half).to_vec::<f64>().unwrap();
        close(&again.iter().map(|&a| C::from(a)).collect::<Vec<_>>(), &real);
    }
}

#[test]
fn a_line_has_one_result_wherever_it_lies() {
    // 11 lines of 12 along each axis, cut to 10 points and filled up to 20.
    let x = values(12 * 11);
    let rows = Storage::from_slice(&x, &[11, 12]).unwrap();
    let mut columns = rows.clone();
    columns.shape.swap(0, 1);
    columns.strides.swap(0, 1);
    for points in [10, 20] {
        let a = run(Transform::Half, Some(points), 1, &rows).numbers();
        let b = run(Transform::Half, Some(points), 0, &columns).numbers();
        let n = points / 2 + 1;
        for (i, x) in a.iter().enumerate() {
            assert_eq!(*x, b[i % n * 11 + i / n]);
        }
        let mut line = x[12..24].to_vec();
        line.resize(points, 0.0);
        let alone = Storage::from_slice(&line, &[points]).unwrap();
        assert_eq!(run(Transform::Half, None, 0, &alone).numbers(), a[n..2 * n]);
    }
}

#[test]
fn norms_divide_one_direction_or_both() {
    let from = Storage::from_slice(&[4f64, 0.0, 0.0, 0.0], &[4]).unwrap();
    let first = |transform, norm| {
        let out = Fourier::new(transform, 0, None, norm).run(std::slice::from_ref(&from));
        out.unwrap().numbers()[1].re
    };
    let each =
        |transform| [Norm::Backward, Norm::Ortho, Norm::Forward].map(|n| first(transform, n));
    assert_eq!(each(Transform::Forward), [4.0, 2.0, 1.0]);
    assert_eq!(each(Transform::Inverse), [1.0, 2.0, 4.0]);
}

#[test]
fn what_is_no_transform_is_refused() {
    let call = |transform, points| Fourier::new(transform, 0, points, Norm::Backward);
    assert!(call(Transform::Forward, Some(0)).result(DType::F64, &[4]).is_err());
    assert!(call(Transform::FromHalf, None).result(DType::C128, &[1]).is_err());
    assert!(call(Transform::Half, None).result(DType::C64, &[4]).is_err());
    assert!(call(Transform::Half, None).result(DType::F16, &[4]).is_err());
    assert!(call(Transform::Forward, Some(usize::MAX)).result(DType::F32, &[4]).is_err());
    let huge = call(Transform::Forward, Some(1 << 45));
    let from = Storage::from_slice(&[1f32], &[1]).unwrap();
    assert_eq!(huge.run(&[from]).map(|_| ()).unwrap_err().kind(), crate::error::ErrorKind::Memory);
}
