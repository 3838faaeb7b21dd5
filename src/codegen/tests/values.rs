//! What numbers are decides which main loop runs, never what it computes: bounds, divisors, counts of shifts.

use super::super::disassemble;
use super::super::target::target;
use super::{agree_on, buf, kernel, one_op};
use crate::dtype::{DType, Kind};
use crate::loops::{Line, Role, Step};
use crate::op::Op;

#[test]
fn values_of_bounds_and_divisors_do_not_show() {
    let (nan, inf) = (f64::NAN, f64::INFINITY);
    let bounds = [(-1.0, 1.0), (0.0, 1.0), (-0.0, 0.5), (-1.0, 0.0), (0.0, -0.0), (nan, 1.0)];
    let powers = [1.0, -32768.0, 0.5, 2f64.powi(126), 2f64.powi(127), 2f64.powi(-126)];
    let others = [3.0, 0.0, -0.0, inf, nan, 2f64.powi(-127), 2f64.powi(-149), 1e30];
    for dtype in [DType::F32, DType::F64] {
        let map = |op, args: &[u32]| Line::Map { op, dtype, args: args.into() };
        let bufs = vec![buf(dtype, Role::Input, Step::Unit), buf(dtype, Role::Output, Step::Unit)];
        for swapped in [false, true] {
            let pair = |x: u32, s: u32| if swapped { [s, x] } else { [x, s] };
            let mut lines: Vec<Line> = (0..3).map(|slot| Line::Scalar { slot }).collect();
            lines.extend([
                Line::Load { buf: 0 },
                map(Op::Divide, &[3, 0]),
                map(Op::Maximum, &pair(4, 1)),
                map(Op::Minimum, &[5, 2]),
                Line::Store { buf: 1, value: 6 },
            ]);
            let kernel = kernel(bufs.clone(), vec![dtype; 3], lines);
            for (low, high) in bounds {
                for divisor in powers.into_iter().chain(others) {
                    let scalars = [divisor, low, high].map(|v| match dtype {
                        DType::F32 => u64::from((v as f32).to_bits()),
                        _ => v.to_bits(),
                    });
                    agree_on(&kernel, &[3, 16, 75, 200], 7, &scalars);
                }
            }
        }
    }
}

/// Bounds between a `rint` and a cast, whole and not; also where something else looks at what lies between.
#[test]
fn values_of_bounds_after_rint_do_not_show() {
    use DType::{F32, I8, I16, I32, I64, U8};
    let (nan, inf) = (f32::NAN, f32::INFINITY);
    let bounds =
        [(-32768.0, 32767.0), (-0.75, 2.75), (0.0, 255.0), (-0.0, 7.0), (-7.0, -0.0), (3.0, -3.0)];
    let odd = [(nan, 1.0), (-1.0, nan), (-inf, inf), (1e9, 3e9)];
    let map = |op, args: &[u32]| Line::Map { op, dtype: F32, args: args.into() };
    for to in [I8, I16, I32, I64, U8] {
        for (swapped, seen) in [(false, None), (true, None), (false, Some(3)), (false, Some(4))] {
            let pair = |x: u32, s: u32| if swapped { [s, x] } else { [x, s] };
            let lines: Vec<Line> = [
                Line::Scalar { slot: 0 },
                Line::Scalar { slot: 1 },
                Line::Load { buf: 0 },
                map(Op::Rint, &[2]),
                map(Op::Maximum, &pair(3, 0)),
                map(Op::Minimum, &pair(4, 1)),
                Line::Cast { from: F32, to, arg: 5 },
                Line::Store { buf: 1, value: 6 },
            ]
            .into_iter()
            .chain(seen.map(|value| Line::Store { buf: 2, value }))
            .collect();
            let mut bufs =
                vec![buf(F32, Role::Input, Step::Unit), buf(to, Role::Output, Step::Unit)];
            bufs.extend(seen.map(|_| buf(F32, Role::Output, Step::Unit)));
            let kernel = kernel(bufs, vec![F32; 2], lines);
            for (low, high) in bounds.into_iter().chain(odd) {
                let scalars = [low, high].map(|v: f32| u64::from(v.to_bits()));
                agree_on(&kernel, &[3, 16, 40, 75, 200], 11, &scalars);
            }
        }
    }
}

/// Counts within the bits of the dtype, at their end, beyond it and negative ones.
#[test]
fn counts_of_shifts_do_not_show() {
    for dtype in DType::ALL.into_iter().filter(|&d| d.kind() == Kind::Int) {
        let (bits, all) = (8 * dtype.size() as u64, u64::MAX >> (64 - 8 * dtype.size()));
        for op in [Op::LeftShift, Op::RightShift] {
            let kernel = one_op(op, dtype, &[Some(Step::Unit), None]);
            for count in [0, 1, bits / 2, bits - 1, bits, bits + 1, 64, all, 1 << (bits - 1)] {
                agree_on(&kernel, &[3, 16, 75, 200], count, &[count & all]);
            }
            let wide = disassemble(&kernel).unwrap().contains("wide loop");
            assert_eq!(wide, target().unwrap().wide, "{kernel}");
        }
    }
}
