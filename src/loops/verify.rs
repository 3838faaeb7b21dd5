//! Checks that a kernel is one: what the interpreter and the code generator take for granted.
//!
//! A failure is our bug, never the caller's. May not know: how kernels are made or run.

use super::{Form, Kernel, Line, Role, Step};
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::op::Op;

/// Checks a kernel's own rules.
pub fn verify(kernel: &Kernel) -> Result<()> {
    form(kernel)?;
    for (b, buf) in kernel.bufs.iter().enumerate() {
        let rank = kernel.loops.len();
        check(buf.moves.len() == rank, || {
            format!("buffer {b} says how it moves along {} of {rank} loops", buf.moves.len())
        })?;
        check_run(kernel, b)?;
    }
    check(!kernel.bufs.iter().any(|b| b.dtype.is_complex()), || "complex elements".to_owned())?;
    for (i, line) in kernel.lines.iter().enumerate() {
        verify_line(kernel, i, line)
            .map_err(|e| Error::bug(format!("line {i}: {}", e.message())))?;
    }
    for (b, buf) in kernel.bufs.iter().enumerate() {
        let uses = |f: fn(&Line) -> Option<u32>| {
            kernel.lines.iter().filter(|l| f(l) == Some(b as u32)).count()
        };
        let (stores, folds) = (uses(stored), uses(folded));
        let want = match buf.role {
            Role::Input => (0, 0),
            Role::Output => (1, 0),
            Role::Folded => (0, 1),
        };
        check((stores, folds) == want, || {
            format!("{:?} buffer {b} is stored {stores} times and folded {folds} times", buf.role)
        })?;
    }
    Ok(())
}

fn stored(line: &Line) -> Option<u32> {
    if let Line::Store { buf, .. } = line { Some(*buf) } else { None }
}

fn folded(line: &Line) -> Option<u32> {
    if let Line::Fold { buf, .. } = line { Some(*buf) } else { None }
}

fn check(holds: bool, what: impl FnOnce() -> String) -> Result<()> {
    if holds { Ok(()) } else { Err(Error::bug(format!("bad kernel: {}", what()))) }
}

/// Whether loops and folds are as the form has them.
fn form(kernel: &Kernel) -> Result<()> {
    let reduce: Vec<bool> = kernel.loops.iter().map(|l| l.reduce).collect();
    let folds = kernel.folds().count();
    let (run, outer) = reduce.split_last().map_or((false, &[][..]), |(run, outer)| (*run, outer));
    match kernel.form {
        Form::Map => check(!reduce.contains(&true) && folds == 0, || {
            format!("a map has reducing loops {reduce:?} or {folds} folds")
        }),
        Form::Inner => {
            let last = reduce.iter().position(|&r| r).unwrap_or(reduce.len());
            let one_run = kernel.flat || last + 1 == reduce.len();
            check(folds > 0 && run && one_run && reduce[last..].iter().all(|&r| r), || {
                format!("inner form with {folds} folds and reducing loops {reduce:?}")
            })
        }
        Form::Frames => check(folds > 0 && run && kernel.flat && !outer.contains(&true), || {
            format!("frames with {folds} folds and reducing loops {reduce:?}")
        }),
        Form::Rows => {
            let first = outer.iter().position(|&r| r);
            let block = first.is_some_and(|at| outer[at..].iter().all(|&r| r));
            check(folds > 0 && !run && block && !kernel.flat, || {
                format!("rows form with {folds} folds and reducing loops {reduce:?}")
            })
        }
    }
}

/// Whether a buffer's step along the run agrees with the loops that the run covers.
fn check_run(kernel: &Kernel, b: usize) -> Result<()> {
    let buf = &kernel.bufs[b];
    let rank = kernel.loops.len();
    let covered = match (kernel.flat, kernel.form) {
        (false, _) | (_, Form::Rows) => rank.saturating_sub(1),
        (true, Form::Map | Form::Frames) => 0,
        (true, Form::Inner) => kernel.loops.iter().position(|l| l.reduce).unwrap_or(0),
    };
    let moves = buf.moves[covered..].iter().any(|&m| m);
    let good = match (buf.role, buf.run) {
        // Where it moves is decided by the loops outside: the runtime writes it.
        (Role::Folded, _) => {
            kernel.loops.iter().zip(&buf.moves).all(|(l, &moves)| !(l.reduce && moves))
        }
        (_, Step::Fixed) => !moves,
        (_, Step::Unit | Step::Stride) => moves,
        (_, Step::Packed) => moves,
    };
    check(good, || {
        format!("{:?} buffer {b} moves {:?} but steps {:?}", buf.role, buf.moves, buf.run)
    })
}

fn verify_line(kernel: &Kernel, i: usize, line: &Line) -> Result<()> {
    for a in line.args() {
        check((a as usize) < i, || format!("%{a} is used before it is defined"))?;
        check(kernel.line_dtype(&kernel.lines[a as usize]).is_some(), || {
            format!("%{a} has no value")
        })?;
    }
    let is = |v: u32, want: DType| {
        let got = kernel.line_dtype(&kernel.lines[v as usize]);
        check(got == Some(want), || format!("%{v} is {got:?}, not {want}"))
    };
    let buffer = |b: u32, role: Role, dtype: Option<DType>| {
        let buf = kernel.bufs.get(b as usize);
        check(buf.is_some_and(|x| x.role == role && dtype.is_none_or(|d| x.dtype == d)), || {
            format!("no {role:?} buffer {b} of {dtype:?}")
        })
    };
    match line {
        Line::Scalar { slot } => {
            check((*slot as usize) < kernel.scalars.len(), || format!("no scalar {slot}"))
        }
        Line::Index { dim } => check(
            (*dim as usize) < kernel.loops.len() && (!kernel.flat || kernel.loops.len() == 1),
            || format!("no place along loop {dim}"),
        ),
        Line::Load { buf } => buffer(*buf, Role::Input, None),
        Line::Map { op, dtype, args } => verify_map(*op, *dtype, args, is),
        Line::Cast { from, arg, .. } => is(*arg, *from),
        Line::Interp { table, x, dtype } => {
            check((*table as usize) < kernel.tables, || format!("no table {table}"))?;
            let floats = matches!(dtype, DType::F64 | DType::F32);
            check(floats, || format!("interpolation to {dtype}"))?;
            match x {
                Some(x) => is(*x, DType::F64),
                None => check(kernel.loops.len() == 1, || "places are not counted".into()),
            }
        }
        Line::Store { buf, value } => {
            buffer(*buf, Role::Output, kernel.line_dtype(&kernel.lines[*value as usize]))
        }
        Line::Fold { fold, measure, dtype, buf, value } => {
            let known = *dtype != DType::F16 && fold.takes(*measure, *dtype);
            check(known, || format!("{fold}{} on {dtype}", measure.suffix()))?;
            is(*value, measure.element(*dtype))?;
            buffer(*buf, Role::Folded, Some(fold.out_dtype(*dtype)))
        }
    }
}

fn verify_map(
    op: Op,
    dtype: DType,
    args: &[u32],
    is: impl Fn(u32, DType) -> Result<()>,
) -> Result<()> {
    let info = op.info();
    check(args.len() == info.arity, || format!("{op} on {} operands", args.len()))?;
    check(op.has_loop(dtype), || format!("{op} has no loop for {dtype}"))?;
    for (k, &a) in args.iter().enumerate() {
        is(a, if op == Op::Where && k == 0 { DType::Bool } else { dtype })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use smallvec::smallvec;

    use super::*;
    use crate::loops::{Buf, Loop};

    fn add() -> Kernel {
        let buf = |role| Buf { dtype: DType::F32, role, moves: smallvec![true], run: Step::Unit };
        Kernel {
            loops: smallvec![Loop { reduce: false }],
            form: Form::Map,
            flat: true,
            bufs: vec![buf(Role::Input), buf(Role::Output)],
            scalars: vec![DType::F32],
            tables: 0,
            lines: vec![
                Line::Load { buf: 0 },
                Line::Scalar { slot: 0 },
                Line::Map { op: Op::Add, dtype: DType::F32, args: smallvec![0, 1] },
                Line::Store { buf: 1, value: 2 },
            ],
        }
    }

    #[test]
    fn a_good_kernel_passes() {
        verify(&add()).unwrap();
    }

    #[test]
    fn bad_kernels_are_told_apart() {
        type Change = fn(&mut Kernel);
        let mut bad: Vec<(&str, Change)> = Vec::new();
        bad.push(("used before", |k| k.lines.swap(1, 2)));
        bad.push(("not float64", |k| {
            k.lines[2] = Line::Map { op: Op::Add, dtype: DType::F64, args: smallvec![0, 1] };
        }));
        bad.push(("stored 0 times", |k| drop(k.lines.pop())));
        bad.push(("stored 2 times", |k| k.lines.push(k.lines[3].clone())));
        bad.push(("operands", |k| {
            k.lines[2] = Line::Map { op: Op::Add, dtype: DType::F32, args: smallvec![0] };
        }));
        bad.push(("has no value", |k| k.lines.push(Line::Store { buf: 1, value: 3 })));
        bad.push(("no scalar", |k| k.scalars.clear()));
        bad.push(("no Input buffer", |k| k.lines[0] = Line::Load { buf: 1 }));
        bad.push(("reducing loops", |k| k.loops[0].reduce = true));
        bad.push(("folds", |k| k.form = Form::Inner));
        bad.push(("steps", |k| k.bufs[0].run = Step::Fixed));
        bad.push(("along 0 of 1", |k| k.bufs[0].moves.clear()));
        bad.push(("no place", |k| k.lines[0] = Line::Index { dim: 1 }));
        bad.push(("no loop for", |k| {
            k.lines[2] = Line::Map { op: Op::BitwiseAnd, dtype: DType::F32, args: smallvec![0, 1] };
        }));
        for (want, change) in bad {
            let mut kernel = add();
            change(&mut kernel);
            let error = verify(&kernel).expect_err(want);
            assert!(error.message().contains(want), "{want}: {error}");
        }
    }
}
