//! Kernels as text: one act a line, memory in brackets, loops by indentation.
//!
//! ```text
//! kernel gain(a0: f32[n0, n1], a1: f32[n0] fixed, s0: f32) -> (y0: f32[n0, n1])
//! ; 2 loops  2 loads  1 op  1 store  8 n0 n1 + 4 n0 bytes
//! for i0 in 0..n0
//!   %1 = load.f32       a1[i0]
//!   for i1 in 0..n1
//!     %0 = load.f32       a0[i0, i1]
//!     %2 = multiply.f32   %0, %1
//!     store.f32           y0[i0, i1], %2
//! ```
//!
//! Inputs are `a`, outputs `y`, scalars `s`, tables `t`, each numbered in its own order; a place or
//! extent belongs to the loop of its number. The text follows from the kernel alone. May not know:
//! lengths, addresses, machines.

use std::fmt::{Display, Formatter, Result, Write};

use super::{Form, Kernel, Line, Role, Step};
use crate::dtype::DType;

/// The widest line of the text.
const WIDTH: usize = 80;

impl Display for Kernel {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(&text(self, "kernel"))
    }
}

/// The text of a kernel called `name`.
pub fn text(kernel: &Kernel, name: &str) -> String {
    let mut out = String::new();
    signature(kernel, name, &mut out);
    counts(kernel, &mut out);
    let depths = depths(kernel);
    for depth in 0..=kernel.loops.len() {
        if depth > 0 {
            let (l, pad) = (depth - 1, "  ".repeat(depth - 1));
            let what = if kernel.loops[l].reduce { "  ; reduces" } else { "" };
            let _ = writeln!(out, "{pad}for i{l} in 0..n{l}{what}");
        }
        for (i, line) in kernel.lines.iter().enumerate() {
            if depths[i] == depth {
                write_line(kernel, i, line, depth, &mut out);
            }
        }
    }
    out
}

/// The name of a buffer: by its role, numbered in order.
pub(crate) fn buf_name(kernel: &Kernel, buf: u32) -> String {
    let input = |b: &super::Buf| b.role == Role::Input;
    let this = input(&kernel.bufs[buf as usize]);
    let number = kernel.bufs[..buf as usize].iter().filter(|b| input(b) == this).count();
    format!("{}{number}", if this { 'a' } else { 'y' })
}

/// What stands for each loop that a buffer moves along, in brackets.
fn places(kernel: &Kernel, buf: u32, symbol: char) -> String {
    let moves = kernel.bufs[buf as usize].moves.iter().enumerate().filter(|(_, m)| **m);
    let all: Vec<String> = moves.map(|(l, _)| format!("{symbol}{l}")).collect();
    format!("[{}]", all.join(", "))
}

fn signature(kernel: &Kernel, name: &str, out: &mut String) {
    let mut inputs = Vec::new();
    let mut outputs = Vec::new();
    for (b, buf) in kernel.bufs.iter().enumerate() {
        let b = b as u32;
        let mark = match (buf.role, buf.run) {
            (Role::Folded, _) | (_, Step::Unit) => "",
            (_, Step::Fixed) if !buf.moves.contains(&true) => "",
            (_, Step::Fixed) => " fixed",
            (_, Step::Stride) => " step",
            (_, Step::Packed) => " packed",
        };
        let name = buf_name(kernel, b);
        let text = format!("{name}: {}{}{mark}", buf.dtype.short(), places(kernel, b, 'n'));
        if buf.role == Role::Input { inputs.push(text) } else { outputs.push(text) }
    }
    for (s, dtype) in kernel.scalars.iter().enumerate() {
        inputs.push(format!("s{s}: {}", dtype.short()));
    }
    for t in 0..kernel.tables {
        inputs.push(format!("t{t}: table"));
    }
    let mut words = Vec::new();
    let group = |words: &mut Vec<String>, open: &str, all: &[String], close: &str| {
        for (i, one) in all.iter().enumerate() {
            let (first, last) = (i == 0, i + 1 == all.len());
            let (open, close) = (if first { open } else { "" }, if last { close } else { "," });
            words.push(format!("{open}{one}{close}"));
        }
        if all.is_empty() {
            words.push(format!("{open}{close}"));
        }
    };
    group(&mut words, &format!("kernel {name}("), &inputs, ")");
    group(&mut words, "-> (", &outputs, ")");
    let form = match kernel.form {
        Form::Map => "",
        Form::Inner => "inner",
        Form::Rows => "rows",
        Form::Frames => "frames",
    };
    let flat = if kernel.flat && kernel.loops.len() > 1 { "flat" } else { "" };
    words.extend([form, flat].iter().filter(|w| !w.is_empty()).map(|&w| w.to_owned()));
    wrap(&words, 4, out);
}

/// Writes words in lines of at most [`WIDTH`], the later ones indented.
fn wrap(words: &[String], indent: usize, out: &mut String) {
    let mut column = 0;
    for word in words {
        if column > 0 && column + 1 + word.len() > WIDTH {
            let _ = write!(out, "\n{}", " ".repeat(indent));
            column = indent;
        } else if column > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += word.len();
    }
    out.push('\n');
}

fn counts(kernel: &Kernel, out: &mut String) {
    let count = |f: fn(&Line) -> bool| kernel.lines.iter().filter(|l| f(l)).count();
    let parts = [
        (kernel.loops.len(), "loop"),
        (count(|l| matches!(l, Line::Load { .. })), "load"),
        (count(|l| matches!(l, Line::Map { .. } | Line::Cast { .. } | Line::Interp { .. })), "op"),
        (count(|l| matches!(l, Line::Store { .. })), "store"),
        (count(|l| matches!(l, Line::Fold { .. })), "fold"),
    ];
    let mut words: Vec<String> = parts
        .iter()
        .filter(|(n, what)| *n > 0 || *what != "fold")
        .map(|(n, what)| format!(" {n} {what}{}", if *n == 1 { "" } else { "s" }))
        .collect();
    words.push(format!(" {} bytes", bytes(kernel)));
    words[0] = format!(";{}", words[0]);
    wrap(&words, 2, out);
}

/// The bytes that the nest reads and writes, each element once: a sum over sets of loops.
fn bytes(kernel: &Kernel) -> String {
    let mut terms: Vec<(Vec<usize>, usize)> = Vec::new();
    for buf in &kernel.bufs {
        let loops: Vec<usize> = (0..buf.moves.len()).filter(|&l| buf.moves[l]).collect();
        match terms.iter_mut().find(|t| t.0 == loops) {
            Some(term) => term.1 += buf.dtype.size(),
            None => terms.push((loops, buf.dtype.size())),
        }
    }
    terms.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then(a.0.cmp(&b.0)));
    let text: Vec<String> = terms
        .iter()
        .map(|(loops, size)| {
            let extents: Vec<String> = loops.iter().map(|l| format!("n{l}")).collect();
            if extents.is_empty() {
                size.to_string()
            } else {
                format!("{size} {}", extents.join(" "))
            }
        })
        .collect();
    if text.is_empty() { "0".into() } else { text.join(" + ") }
}

/// Per line, how many loops stand around it: what moves along no inner loop stands outside.
fn depths(kernel: &Kernel) -> Vec<usize> {
    let all = kernel.loops.len();
    let mut depths: Vec<usize> = Vec::new();
    for line in &kernel.lines {
        let depth = match line {
            Line::Scalar { .. } => 0,
            Line::Index { dim } => *dim as usize + 1,
            Line::Load { buf } => {
                kernel.bufs[*buf as usize].moves.iter().rposition(|&m| m).map_or(0, |l| l + 1)
            }
            Line::Store { .. } | Line::Fold { .. } | Line::Interp { x: None, .. } => all,
            _ => line.args().iter().map(|&a| depths[a as usize]).max().unwrap_or(0),
        };
        depths.push(depth.min(all));
    }
    depths
}

fn write_line(kernel: &Kernel, i: usize, line: &Line, depth: usize, out: &mut String) {
    let dtype = |d: DType| d.short();
    let at = |buf: u32| format!("{}{}", buf_name(kernel, buf), places(kernel, buf, 'i'));
    let (verb, rest) = match line {
        Line::Scalar { slot } => {
            (format!("scalar.{}", dtype(kernel.scalars[*slot as usize])), format!("s{slot}"))
        }
        Line::Index { dim } => ("index.i64".into(), format!("i{dim}")),
        Line::Load { buf } => {
            (format!("load.{}", dtype(kernel.bufs[*buf as usize].dtype)), at(*buf))
        }
        Line::Map { op, dtype: d, args } => {
            let args: Vec<String> = args.iter().map(|a| format!("%{a}")).collect();
            (format!("{op}.{}", dtype(*d)), args.join(", "))
        }
        Line::Cast { from, to, arg } => {
            (format!("cast.{}.{}", dtype(*from), dtype(*to)), format!("%{arg}"))
        }
        Line::Interp { table, x, dtype: d } => {
            let x = x.map_or("i0".into(), |x| format!("%{x}"));
            (format!("interp.{}", dtype(*d)), format!("t{table}, {x}"))
        }
        Line::Store { buf, value } => {
            let d = kernel.bufs[*buf as usize].dtype;
            (format!("store.{}", dtype(d)), format!("{}, %{value}", at(*buf)))
        }
        Line::Fold { fold, measure, dtype: d, buf, value } => {
            let verb = format!("fold.{fold}{}.{}", measure.suffix(), dtype(*d));
            (verb, format!("{}, %{value}", at(*buf)))
        }
    };
    let digits = kernel.lines.len().to_string().len();
    let name = match kernel.line_dtype(line) {
        Some(_) => format!("{:>1$} = ", format!("%{i}"), digits + 1),
        None => String::new(),
    };
    // The verb's column is the same for lines with and without a result.
    let width = digits + 4 + 18;
    let head = format!("{name}{verb}");
    let _ = writeln!(out, "{}{head:<width$}  {rest}", "  ".repeat(depth));
}

#[cfg(test)]
mod tests {
    use smallvec::smallvec;

    use super::*;
    use crate::loops::{Buf, Loop};
    use crate::op::{Fold, Measure, Op};

    fn stereo_gain() -> Kernel {
        let buf = |role, moves: [bool; 2], run| Buf {
            dtype: DType::F32,
            role,
            moves: moves.into_iter().collect(),
            run,
        };
        Kernel {
            loops: smallvec![Loop { reduce: false }, Loop { reduce: true }],
            form: Form::Inner,
            flat: false,
            bufs: vec![
                buf(Role::Input, [true, true], Step::Stride),
                buf(Role::Input, [true, false], Step::Fixed),
                buf(Role::Output, [true, true], Step::Unit),
                buf(Role::Folded, [true, false], Step::Fixed),
            ],
            scalars: vec![DType::F32],
            tables: 0,
            lines: vec![
                Line::Load { buf: 0 },
                Line::Load { buf: 1 },
                Line::Scalar { slot: 0 },
                Line::Map { op: Op::Multiply, dtype: DType::F32, args: smallvec![1, 2] },
                Line::Map { op: Op::Multiply, dtype: DType::F32, args: smallvec![0, 3] },
                Line::Store { buf: 2, value: 4 },
                Line::Fold {
                    fold: Fold::Max,
                    measure: Measure::Itself,
                    dtype: DType::F32,
                    buf: 3,
                    value: 4,
                },
            ],
        }
    }

    #[test]
    fn a_kernel_reads_like_its_loops() {
        let want = "\
kernel stereo_gain(a0: f32[n0, n1] step, a1: f32[n0] fixed, s0: f32)
    -> (y0: f32[n0, n1], y1: f32[n0]) inner
; 2 loops  2 loads  2 ops  1 store  1 fold  8 n0 n1 + 8 n0 bytes
%2 = scalar.f32          s0
for i0 in 0..n0
  %1 = load.f32            a1[i0]
  %3 = multiply.f32        %1, %2
  for i1 in 0..n1  ; reduces
    %0 = load.f32            a0[i0, i1]
    %4 = multiply.f32        %0, %3
    store.f32                y0[i0, i1], %4
    fold.max.f32             y1[i0], %4
";
        assert_eq!(text(&stereo_gain(), "stereo_gain"), want);
    }

    #[test]
    fn no_line_is_too_long() {
        let mut kernel = stereo_gain();
        for _ in 0..40 {
            kernel.scalars.push(DType::F64);
        }
        let text = text(&kernel, "a_rather_long_name_for_a_kernel_of_no_use");
        assert!(text.lines().all(|l| l.len() <= WIDTH), "{text}");
    }
}
