//! The direct way against plain loops, and what it leaves to the stair.

use super::*;
use crate::op::{Fold, Op};

/// Gives memory of a vector, and a number of threads.
struct Vector {
    bytes: Vec<u8>,
    made: Option<(DType, Vec<usize>)>,
    threads: usize,
    odd: bool,
}

impl Host for Vector {
    type Error = Error;

    fn allocate(&mut self, dtype: DType, shape: &[usize]) -> Result<*mut u8> {
        assert!(self.made.is_none(), "memory is asked for once");
        self.made = Some((dtype, shape.to_vec()));
        self.bytes = vec![0xAA; shape.iter().product::<usize>() * dtype.size()];
        Ok(self.bytes.as_mut_ptr())
    }

    fn is_odd(&mut self) {
        self.odd = true;
    }

    fn run(&mut self, _: usize, work: &(dyn Fn(&Context<'_>) -> Result<()> + Sync)) -> Result<()> {
        work(&Context { threads: Some(self.threads), ..Context::default() })
    }
}

fn vector(threads: usize) -> Vector {
    Vector { bytes: Vec::new(), made: None, threads, odd: false }
}

fn floats(n: usize) -> Vec<f32> {
    (0..n).map(|i| (i as f32 * 0.37).sin() * 3.0).collect()
}

fn view<'a>(x: &'a [f32], shape: &'a [usize], strides: &'a [isize]) -> View<'a> {
    View { ptr: x.as_ptr().cast(), dtype: DType::F32, shape, strides }
}

#[test]
fn results_do_not_depend_on_threads() {
    let n = 5 * PART + 77;
    let x = floats(n);
    let (shape, strides) = ([n], [4]);
    let x = view(&x, &shape, &strides);
    let mut seen: Vec<[Vec<u8>; 3]> = Vec::new();
    for threads in [1, 2, 7] {
        let [mut sum, mut std, mut product] = [(); 3].map(|()| vector(threads));
        assert!(reduce(Reduction::Fold(Fold::Sum), &x, None, false, &mut sum).unwrap());
        assert!(reduce(Reduction::Std(1), &x, None, true, &mut std).unwrap());
        let half = Input::Float(0.5);
        assert!(map(Op::Multiply, &[Input::View(x), half], &mut product).unwrap());
        assert_eq!(std.made, Some((DType::F32, vec![1])));
        seen.push([sum.bytes, std.bytes, product.bytes]);
    }
    assert!(seen.iter().all(|results| *results == seen[0]));
}

#[test]
fn operands_are_gathered_converted_and_repeated() {
    let x = floats(60);
    let column = [2i16, -3, 4];
    // Every other column of three rows, from the last row up.
    let (shape, strides) = ([3, 10], [-80, 8]);
    let a = View { ptr: x[40..].as_ptr().cast(), ..view(&x, &shape, &strides) };
    let (own, steps) = ([3, 1], [2, 0]);
    let b = View { ptr: column.as_ptr().cast(), dtype: DType::I16, shape: &own, strides: &steps };
    let mut host = vector(1);
    assert!(map(Op::Add, &[Input::View(a), Input::View(b)], &mut host).unwrap());
    assert_eq!(host.made, Some((DType::F32, vec![3, 10])));
    for i in 0..30 {
        let got = f32::from_le_bytes(host.bytes[4 * i..][..4].try_into().unwrap());
        assert_eq!(got, x[(2 - i / 10) * 20 + i % 10 * 2] + f32::from(column[i / 10]));
    }
}

#[test]
fn what_is_out_of_the_ordinary_is_declined_before_memory_is_asked_for() {
    let x = floats(6);
    let (shape, empty, strides) = ([6], [0], [4]);
    let full = view(&x, &shape, &strides);
    let complex = View { dtype: DType::C64, ..full };
    let int = View { dtype: DType::I16, ..full };
    let (few, one) = ([3], [4]);
    let short = view(&x, &few, &one);
    let mut host = vector(1);
    for (op, inputs) in [
        (Op::Add, [Input::View(view(&x, &empty, &strides)), Input::Int(1)]),
        (Op::Add, [Input::View(complex), Input::Int(1)]),
        (Op::Add, [Input::View(int), Input::Int(40_000)]),
        (Op::Add, [Input::View(full), Input::View(short)]),
        (Op::Power, [Input::View(int), Input::Int(-1)]),
        (Op::BitwiseAnd, [Input::View(full), Input::Int(1)]),
    ] {
        assert!(!map(op, &inputs, &mut host).unwrap(), "{op}");
    }
    let none = view(&x, &empty, &strides);
    assert!(!reduce(Reduction::Fold(Fold::Sum), &none, None, false, &mut host).unwrap());
    assert!(!reduce(Reduction::Mean, &complex, None, false, &mut host).unwrap());
    assert!(!convert(&complex, DType::F32, &mut host).unwrap());
    assert!(host.made.is_none());
}

#[test]
fn what_numpy_may_warn_of_is_seen_wherever_it_is() {
    let n = 3 * PART + 5;
    let (ones, strides) = (vec![1f32; n], [4]);
    let whole = vec![1i32; n];
    for (op, odd) in [
        (Op::Add, f32::MAX),
        (Op::Multiply, f32::INFINITY),
        (Op::Sqrt, -1.0),
        (Op::Divide, 0.0),
        (Op::Log, 0.0),
        (Op::Exp, 1000.0),
    ] {
        for (len, threads) in [(1, 1), (5, 1), (64, 1), (1027, 1), (n, 1), (n, 2)] {
            let shape = [len];
            let seen = |last: f32| {
                let mut x = ones[..len].to_vec();
                x[len - 1] = last;
                let x = Input::View(view(&x, &shape, &strides));
                // What an infinity is multiplied by raises no flag, and NumPy would not warn.
                let by = if last.is_infinite() { Input::Float(0.0) } else { x };
                let mut host = vector(threads);
                let inputs = [Input::View(view(&ones, &shape, &strides)), x];
                let done = match op {
                    Op::Add | Op::Multiply => map(op, &[x, by], &mut host),
                    Op::Divide => map(op, &inputs, &mut host),
                    _ => map(op, &[x], &mut host),
                };
                assert!(done.unwrap());
                host.odd
            };
            assert!(seen(odd) && !seen(1.0), "{op} of {len} elements on {threads} threads");
        }
    }
    let (shape, strides) = ([n], [4]);
    for divisor in [1, 0] {
        let mut by = whole.clone();
        by[n - 1] = divisor;
        let int = |x: &[i32]| {
            Input::View(View {
                ptr: x.as_ptr().cast(),
                dtype: DType::I32,
                shape: &shape,
                strides: &strides,
            })
        };
        let mut host = vector(2);
        assert!(map(Op::FloorDivide, &[int(&whole), int(&by)], &mut host).unwrap());
        assert_eq!(host.odd, divisor == 0);
    }
}
