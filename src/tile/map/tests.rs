//! Tile functions against the scalar meanings, over lengths, offsets and shared memory.

use super::*;

/// Computes `n` elements with every tile one byte off its alignment; `shared` is the operand whose
/// memory is also the output's.
fn run(op: Op, dtype: DType, args: &[Vec<u8>], n: usize, shared: Option<usize>) -> (Vec<u8>, u32) {
    let size = op.out_dtype(dtype).size();
    let mut tiles: Vec<Vec<u8>> =
        args.iter().map(|arg| [&[0xAA], arg.as_slice(), &[0xAA; 9]].concat()).collect();
    tiles.push(vec![0xAA; n * size + 10]);
    let at: Vec<*mut u8> = tiles.iter_mut().map(|t| t.as_mut_ptr().wrapping_add(1)).collect();
    let out = shared.unwrap_or(args.len());
    let arg = |i: usize| at[i.min(args.len() - 1)].cast_const();
    let mut status = 0;
    let f = map(op, dtype).expect("a loop");
    // SAFETY: every tile has `n` elements after its first byte.
    unsafe { f(at[out], arg(0), arg(1), arg(2), n, &raw mut status) };
    if shared.is_none() {
        assert_eq!(tiles[out][0], 0xAA);
        assert!(tiles[out][1 + n * size..].iter().all(|&b| b == 0xAA), "{op} {dtype} wrote on");
    }
    (tiles[out][1..=(n * size)].to_vec(), status)
}

/// Elements of a dtype: the special ones against each other, in an order that differs by operand.
fn operand(dtype: DType, n: usize, which: usize) -> Vec<u8> {
    let floats = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        0.5,
        -2.5,
        3.0,
        1e30,
        -1e30,
        5e-324,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
        7.25,
        -0.1,
        100.0,
        1e-40,
    ];
    let ints = [
        0,
        1,
        -1,
        2,
        7,
        -7,
        100,
        i64::MIN,
        i64::MAX,
        1 << 31,
        1 << 15,
        0x80,
        0x7F,
        -128,
        63,
        64,
        5,
    ];
    let mut bytes = Vec::new();
    for i in 0..n {
        let k = if which == 0 { i % 17 } else { (i / 17 + i * which) % 17 };
        match dtype {
            DType::F32 => bytes.extend((floats[k] as f32).to_le_bytes()),
            DType::F64 => bytes.extend(floats[k].to_le_bytes()),
            DType::Bool => bytes.push([0, 1, 2][k % 3]),
            _ => bytes.extend(&ints[k].to_le_bytes()[..dtype.size()]),
        }
    }
    bytes
}

fn has_loop(op: Op, dtype: DType) -> bool {
    map(op, dtype).is_some()
}

#[test]
fn every_loop_of_the_table_is_here() {
    for &op in Op::ALL {
        for dtype in DType::ALL {
            let elementary = crate::op::Cost::Heavy == op.info().cost && dtype.is_float();
            if !elementary {
                assert_eq!(has_loop(op, dtype), op.has_loop(dtype), "{op} {dtype}");
            }
        }
    }
}

#[test]
fn an_element_does_not_depend_on_its_place() {
    for &op in Op::ALL {
        for dtype in DType::ALL {
            if !has_loop(op, dtype) {
                continue;
            }
            let n = 17 * 18;
            let mut args: Vec<_> = (0..op.info().arity).map(|k| operand(dtype, n, k)).collect();
            let mut sizes = vec![dtype.size(); args.len()];
            if op == Op::Where {
                (args[0], sizes[0]) = (operand(DType::Bool, n, 0), 1);
            }
            let out_size = op.out_dtype(dtype).size();
            let (whole, status) = run(op, dtype, &args, n, None);
            let mut any_status = 0;
            for i in 0..n {
                let one: Vec<_> =
                    args.iter().zip(&sizes).map(|(a, s)| a[i * s..(i + 1) * s].to_vec()).collect();
                let (single, bits) = run(op, dtype, &one, 1, None);
                any_status |= bits;
                assert_eq!(single, whole[i * out_size..(i + 1) * out_size], "{op} {dtype} {one:?}");
            }
            assert_eq!(status, any_status, "{op} {dtype}");
            for n in 0..70 {
                let part: Vec<_> =
                    args.iter().zip(&sizes).map(|(a, s)| a[..n * s].to_vec()).collect();
                assert_eq!(
                    run(op, dtype, &part, n, None).0,
                    whole[..n * out_size],
                    "{op} {dtype} {n}"
                );
                for (k, size) in sizes.iter().enumerate() {
                    if *size == out_size {
                        let (got, _) = run(op, dtype, &part, n, Some(k));
                        assert_eq!(got, whole[..n * out_size], "{op} {dtype} {n}, in place");
                    }
                }
            }
        }
    }
}

fn bytes_of<T: Copy + Into<Bytes<N>>, const N: usize>(x: &[T]) -> Vec<u8> {
    x.iter().flat_map(|&v| v.into().0).collect()
}

/// A value's bytes.
struct Bytes<const N: usize>([u8; N]);

impl From<f32> for Bytes<4> {
    fn from(v: f32) -> Self {
        Bytes(v.to_le_bytes())
    }
}

impl From<f64> for Bytes<8> {
    fn from(v: f64) -> Self {
        Bytes(v.to_le_bytes())
    }
}

impl From<i16> for Bytes<2> {
    fn from(v: i16) -> Self {
        Bytes(v.to_le_bytes())
    }
}

#[test]
fn a_few_values_of_each_family() {
    let (a, b) = (bytes_of(&[7.5, -7.5, -0.0, f64::NAN]), bytes_of(&[2.0, 2.0, 0.0, 1.0]));
    let pair = [a, b];
    let got = |op| run(op, DType::F64, &pair, 4, None).0;
    assert_eq!(got(Op::FloorDivide)[..16], bytes_of(&[3.0, -4.0]));
    assert_eq!(got(Op::Remainder)[..16], bytes_of(&[1.5, 0.5]));
    assert_eq!(got(Op::Maximum)[..24], bytes_of(&[7.5, 2.0, 0.0]));
    assert_eq!(got(Op::LessEqual), [0, 1, 1, 0]);
    assert_eq!(got(Op::NotEqual), [1, 1, 0, 1]);
    assert_eq!(got(Op::LogicalXor), [0, 0, 0, 0]);
    assert_eq!(got(Op::Isnan), [0, 0, 0, 1]);
    let pair = [bytes_of(&[i16::MIN, 7, -7]), bytes_of(&[-1_i16, 0, 3])];
    let got = |op| run(op, DType::I16, &pair, 3, None);
    assert_eq!(got(Op::FloorDivide).0, bytes_of(&[i16::MIN, 0, -3]));
    assert_eq!(got(Op::Remainder).0, bytes_of(&[0_i16, 0, 2]));
    assert_eq!(got(Op::RightShift).0, bytes_of(&[-1_i16, 7, -1]));
    assert_eq!(got(Op::Power), (bytes_of(&[0_i16, 1, -343]), NEGATIVE_POWER));
    assert_eq!(got(Op::Isfinite).0, [1, 1, 1]);
}

#[test]
fn where_chooses_by_truth_on_every_dtype() {
    for dtype in DType::ALL {
        let n = 50;
        let args = [
            (0..n).map(|i| [0, 1, 255][i % 3]).collect(),
            vec![1; n * dtype.size()],
            vec![2; n * dtype.size()],
        ];
        let (got, _) = run(Op::Where, dtype, &args, n, None);
        for i in 0..n {
            let want = if i % 3 == 0 { 2 } else { 1 };
            assert!(got[i * dtype.size()..(i + 1) * dtype.size()].iter().all(|&b| b == want));
        }
    }
}

/// What an op means for two numbers.
type Meaning = fn(f32, f32) -> f32;

/// Chunks whose operands are near each other, and chunks where one pair is not.
#[test]
fn rests_of_vectors_are_those_of_single_numbers() {
    let mut bits = 1u64;
    let mut random = || {
        bits = bits.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (bits >> 33) as u32
    };
    let mut near = |scale: f32| (random() as f32 / 2f32.powi(30) - 1.0) * scale;
    let (mut a, mut b): (Vec<f32>, Vec<f32>) = (0..3200).map(|_| (near(100.0), near(3.0))).unzip();
    for k in 0..800 {
        // Whole quotients, and signed zeros.
        a[k] = a[k].round();
        b[k] = [0.5, -0.25, 1.0, -2.0][k % 4];
    }
    let odd = [0.0, -0.0, 1e-40, f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, 1e-20];
    for (k, (&x, y)) in odd.iter().zip(odd.iter().rev()).enumerate() {
        a[1600 + 100 * k] = x;
        b[1650 + 100 * k] = *y;
    }
    let scalar: [(Op, Meaning); 3] = [
        (Op::Fmod, Number::fmod),
        (Op::Remainder, Number::remainder),
        (Op::FloorDivide, Number::floor_divide),
    ];
    for (op, scalar) in scalar {
        let (got, _) = run(op, DType::F32, &[bytes_of(&a), bytes_of(&b)], a.len(), None);
        for (k, got) in got.chunks_exact(4).enumerate() {
            let (want, got) = (scalar(a[k], b[k]), f32::from_le_bytes(got.try_into().unwrap()));
            let same = want.to_bits() == got.to_bits() || (want.is_nan() && got.is_nan());
            assert!(same, "{op} of {:?} and {:?}: {got:?}, not {want:?}", a[k], b[k]);
        }
    }
}
