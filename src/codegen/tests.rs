//! Machine code against the interpreter: every op, every dtype, and whole random kernels, bit for
//! bit, on every length that changes which loops run, with nothing touched beyond the buffers.

mod values;

use smallvec::{SmallVec, smallvec};

use super::target::{Target, target};
use super::{available, compile, compile_for, disassemble, inline};
use crate::dtype::DType;
use crate::loops::{Buf, Form, Kernel, Layout, Line, Loop, Role, Step, interp, verify};
use crate::op::{Fold, Measure, Op};
use crate::tile;

/// A small generator of numbers, so that each failure can be repeated.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let x = self.0 ^ (self.0 >> 33);
        x.wrapping_mul(0xff51_afd7_ed55_8ccd) >> 11
    }

    fn below(&mut self, n: usize) -> usize {
        self.next() as usize % n
    }

    /// An element, often a special one.
    fn element(&mut self, dtype: DType) -> u64 {
        let bits = self.next() ^ (self.next() << 32);
        match dtype {
            DType::Bool => bits & 1,
            DType::F32 => {
                let special = [
                    f32::NAN,
                    -f32::NAN,
                    f32::INFINITY,
                    f32::NEG_INFINITY,
                    0.0,
                    -0.0,
                    1e-45,
                    -1e-40,
                    f32::MAX,
                    f32::MIN_POSITIVE,
                    2147483648.0,
                    -2147483648.0,
                    2147483520.0,
                    40000.7,
                    -129.9,
                    1.0,
                    0.5,
                    1.5,
                    -2.5,
                    3e9,
                ];
                match self.below(4) {
                    0 => special[self.below(special.len())].to_bits().into(),
                    1 => (bits as u32).into(),
                    _ => ((self.below(4001) as f32 - 2000.0) / 16.0).to_bits().into(),
                }
            }
            DType::F64 => {
                let special = [
                    f64::NAN,
                    -f64::NAN,
                    f64::INFINITY,
                    f64::NEG_INFINITY,
                    0.0,
                    -0.0,
                    5e-324,
                    -1e-310,
                    f64::MAX,
                    f64::MIN_POSITIVE,
                    2147483648.0,
                    -2147483648.9,
                    2147483647.5,
                    70000.7,
                    9.3e18,
                    -1.9e19,
                    1.0,
                    0.5,
                    1.5,
                    -2.5,
                ];
                match self.below(4) {
                    0 => special[self.below(special.len())].to_bits(),
                    1 => bits,
                    _ => ((self.below(4001) as f64 - 2000.0) / 16.0).to_bits(),
                }
            }
            _ => match self.below(4) {
                0 => [0, 1, u64::MAX, 1 << (8 * dtype.size() - 1), u64::MAX >> 1][self.below(5)],
                1 => (self.below(7) as u64).wrapping_sub(3),
                _ => bits,
            },
        }
    }
}

fn kernel(bufs: Vec<Buf>, scalars: Vec<DType>, lines: Vec<Line>) -> Kernel {
    Kernel {
        loops: smallvec![Loop { reduce: false }],
        form: Form::Map,
        flat: true,
        bufs,
        scalars,
        tables: 0,
        lines,
    }
}

fn buf(dtype: DType, role: Role, run: Step) -> Buf {
    Buf { dtype, role, moves: smallvec![run != Step::Fixed], run }
}

/// One buffer's memory for a test: its elements anywhere, at any alignment, between other bytes.
struct Area {
    bytes: Vec<u8>,
    first: usize,
    stride: isize,
}

impl Area {
    fn new(r: &mut Random, buf: &Buf, n: usize) -> Self {
        let size = buf.dtype.size() as isize;
        let stride = match buf.run {
            Step::Fixed => 0,
            Step::Unit | Step::Packed => size,
            Step::Stride => {
                let input = buf.role == Role::Input;
                [-size, 2 * size, -3 * size, 7 * size + 1, if input { 0 } else { 5 * size }]
                    [r.below(5)]
            }
        };
        let span = stride.unsigned_abs() * n + 8;
        let skip = 24 + r.below(16);
        let mut bytes: Vec<u8> = (0..span + 96).map(|_| r.next() as u8).collect();
        let first = if stride < 0 { skip + stride.unsigned_abs() * n.max(1) } else { skip };
        for k in 0..n.max(1) {
            let at = (first as isize + stride * k as isize) as usize;
            let v = r.element(buf.dtype).to_le_bytes();
            if buf.role == Role::Input {
                bytes[at..at + size as usize].copy_from_slice(&v[..size as usize]);
            }
        }
        Self { bytes, first, stride }
    }
}

/// Everything that one run needs.
struct Job {
    areas: Vec<Area>,
    words: Vec<u64>,
    status: Box<u32>,
    scratch: Vec<u64>,
    states: Vec<Vec<u64>>,
}

impl Job {
    fn new(kernel: &Kernel, n: usize, seed: u64, scratch: usize) -> Self {
        let r = &mut Random(seed);
        let layout = kernel.layout();
        let areas: Vec<Area> = kernel.bufs.iter().map(|b| Area::new(r, b, n)).collect();
        let mut job = Job {
            areas,
            words: vec![0; layout.len],
            status: Box::new(0),
            scratch: vec![0x5a5a_5a5a_5a5a_5a5a; scratch / 8 + 16],
            states: Vec::new(),
        };
        job.words[Layout::N] = n as u64;
        let base = job.scratch.as_ptr() as usize;
        job.words[Layout::SCRATCH] = base.next_multiple_of(64) as u64;
        job.words[Layout::STATUS] = &raw mut *job.status as u64;
        for (k, area) in job.areas.iter_mut().enumerate() {
            job.words[layout.bufs + 2 * k] = area.bytes.as_mut_ptr() as u64 + area.first as u64;
            job.words[layout.bufs + 2 * k + 1] = area.stride as u64;
        }
        for (k, dtype) in kernel.scalars.iter().enumerate() {
            job.words[layout.scalars + k] =
                r.element(*dtype) & (u64::MAX >> (64 - 8 * dtype.size()));
        }
        for k in 0..kernel.loops.len() {
            job.words[layout.index + k] = r.below(100_000) as u64;
        }
        for (k, (fold, measure, dtype, _)) in kernel.folds().enumerate() {
            let f = tile::fold(fold, measure, dtype).expect("a fold");
            let mut state = vec![0u64; f.state_bytes.max(f.partial_bytes) / 8];
            // SAFETY: the state has the size it asks for.
            unsafe { (f.open)(state.as_mut_ptr().cast()) };
            job.words[layout.folds + 2 * k] = state.as_ptr() as u64;
            job.words[layout.folds + 2 * k + 1] = f.inner as usize as u64;
            job.states.push(state);
        }
        job
    }
}

/// Compares what two runs left, all NaNs being one in float buffers.
fn compare(kernel: &Kernel, n: usize, a: &Job, b: &Job) -> Result<(), String> {
    for (k, buf) in kernel.bufs.iter().enumerate() {
        let (mut x, mut y) = (a.areas[k].bytes.clone(), b.areas[k].bytes.clone());
        let size = buf.dtype.size();
        for i in 0..n.max(1) {
            let at = (a.areas[k].first as isize + a.areas[k].stride * i as isize) as usize;
            let nan = |bytes: &[u8]| match buf.dtype {
                DType::F32 => f32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()).is_nan(),
                DType::F64 => f64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()).is_nan(),
                _ => false,
            };
            if nan(&x) && nan(&y) {
                x[at..at + size].fill(0);
                y[at..at + size].fill(0);
            }
            if x[at..at + size] != y[at..at + size] {
                return Err(format!(
                    "buffer {k}, element {i} of {n}: interpreter {:x?}, code {:x?}",
                    &x[at..at + size],
                    &y[at..at + size]
                ));
            }
        }
        if x != y {
            return Err(format!("buffer {k} of {n} elements: bytes between elements differ"));
        }
    }
    (a.states == b.states && a.status == b.status).then_some(()).ok_or("folds differ".into())
}

fn agree(kernel: &Kernel, lengths: &[usize], seed: u64) {
    agree_on(kernel, lengths, seed, &[]);
}

/// The machine without wide loops.
fn narrow() -> Target {
    let &Target { ref isa, full, fma, .. } = target().unwrap();
    Target { isa: isa.clone(), full, fma, wide: false }
}

/// `agree`, the first scalars being these; with wide loops, if the machine has them, and without.
fn agree_on(kernel: &Kernel, lengths: &[usize], seed: u64, scalars: &[u64]) {
    verify::verify(kernel).unwrap_or_else(|e| panic!("{e}\n{kernel}"));
    agree_by(kernel, lengths, seed, scalars, &narrow());
    if target().unwrap().wide {
        agree_by(kernel, lengths, seed, scalars, target().unwrap());
    }
}

fn agree_by(kernel: &Kernel, lengths: &[usize], seed: u64, scalars: &[u64], target: &Target) {
    let code = compile_for(kernel, target).unwrap_or_else(|e| panic!("{e}\n{kernel}"));
    for &n in lengths {
        let seed = seed.wrapping_add(n as u64);
        let mut a = Job::new(kernel, n, seed, interp::scratch(kernel));
        let mut b = Job::new(kernel, n, seed, code.scratch());
        for job in [&mut a, &mut b] {
            job.words[kernel.layout().scalars..][..scalars.len()].copy_from_slice(scalars);
        }
        // SAFETY: the words describe the jobs' own memory.
        unsafe {
            interp::run(kernel, a.words.as_ptr());
            code.run(b.words.as_ptr());
        }
        if let Err(e) = compare(kernel, n, &a, &b) {
            panic!("{e}\nseed {seed}, wide loops: {}\n{kernel}", target.wide);
        }
    }
}

fn lengths() -> Vec<usize> {
    (0..70).chain([1023, 1024, 1025, 3001]).collect()
}

/// A kernel of one op, its operands moving as `runs` says (`None`: a scalar).
fn one_op(op: Op, dtype: DType, runs: &[Option<Step>]) -> Kernel {
    let (mut bufs, mut scalars, mut lines) = (Vec::new(), Vec::new(), Vec::new());
    for k in 0..op.info().arity {
        let d = if op == Op::Where && k == 0 { DType::Bool } else { dtype };
        match runs[k % runs.len()] {
            Some(run) => {
                lines.push(Line::Load { buf: bufs.len() as u32 });
                bufs.push(buf(d, Role::Input, run));
            }
            None => {
                lines.push(Line::Scalar { slot: scalars.len() as u32 });
                scalars.push(d);
            }
        }
    }
    let args: SmallVec<[u32; 3]> = (0..op.info().arity as u32).collect();
    let value = lines.len() as u32;
    lines.push(Line::Map { op, dtype, args });
    let out = op.out_dtype(dtype);
    lines.push(Line::Store { buf: bufs.len() as u32, value });
    bufs.push(buf(out, Role::Output, Step::Unit));
    kernel(bufs, scalars, lines)
}

#[test]
fn executable_memory_is_available() {
    assert!(available());
}

#[test]
fn every_op_has_the_interpreters_bits() {
    use Step::{Fixed, Stride, Unit};
    let lengths: Vec<usize> = (0..36).chain([67, 1025, 2055]).collect();
    for &op in Op::ALL {
        for dtype in DType::ALL {
            if !op.has_loop(dtype) {
                continue;
            }
            for (seed, runs) in [
                &[Some(Unit)][..],
                &[Some(Unit), None, Some(Unit)],
                &[None, Some(Unit), None],
                &[Some(Stride), Some(Unit), Some(Fixed)],
                &[None, None, None],
            ]
            .into_iter()
            .enumerate()
            {
                for again in 0..3 {
                    agree(&one_op(op, dtype, runs), &lengths, (seed * 1000 + again * 77777) as u64);
                }
            }
        }
    }
}

#[test]
fn every_cast_has_the_interpreters_bits() {
    for from in DType::ALL {
        for to in DType::ALL {
            for scalar in [false, true] {
                let (mut bufs, mut scalars) = (Vec::new(), Vec::new());
                let first = if scalar {
                    scalars.push(from);
                    Line::Scalar { slot: 0 }
                } else {
                    bufs.push(buf(from, Role::Input, Step::Unit));
                    Line::Load { buf: 0 }
                };
                let out = bufs.len() as u32;
                bufs.push(buf(to, Role::Output, Step::Unit));
                let lines = vec![
                    first,
                    Line::Cast { from, to, arg: 0 },
                    Line::Store { buf: out, value: 1 },
                ];
                for seed in 0..4 {
                    agree(&kernel(bufs.clone(), scalars.clone(), lines.clone()), &lengths(), seed);
                }
            }
        }
    }
}

/// A random kernel of up to `size` lines over all dtypes.
fn random_kernel(r: &mut Random, size: usize, only_inline: bool) -> Kernel {
    let (mut bufs, mut scalars, mut lines) = (Vec::new(), Vec::new(), Vec::new());
    let mut dtypes: Vec<Option<DType>> = Vec::new();
    let family = [
        &DType::ALL[..9],
        &[DType::F32, DType::I16, DType::Bool],
        &[DType::F32, DType::F64, DType::I32, DType::Bool],
        &[DType::F32],
        &[DType::F64, DType::I64, DType::U8],
    ][r.below(5)];
    let steps = [Step::Unit, Step::Unit, Step::Packed, Step::Stride, Step::Fixed];
    for _ in 0..=r.below(4) {
        let dtype = family[r.below(family.len())];
        dtypes.push(Some(dtype));
        if r.below(4) == 0 {
            lines.push(Line::Scalar { slot: scalars.len() as u32 });
            scalars.push(dtype);
        } else {
            lines.push(Line::Load { buf: bufs.len() as u32 });
            bufs.push(buf(dtype, Role::Input, steps[r.below(5)]));
        }
    }
    if r.below(3) == 0 {
        lines.push(Line::Index { dim: 0 });
        dtypes.push(Some(DType::I64));
    }
    for _ in 0..=r.below(size) {
        let from = r.below(lines.len());
        let Some(dtype) = dtypes[from] else { continue };
        let op = Op::ALL[r.below(Op::ALL.len())];
        let line = if r.below(4) == 0 {
            let to = family[r.below(family.len())];
            let index = matches!(lines[from], Line::Index { .. });
            if only_inline && !inline::casts(dtype, to, index, true) {
                continue;
            }
            dtypes.push(Some(to));
            Line::Cast { from: dtype, to, arg: from as u32 }
        } else {
            if !op.has_loop(dtype) || (only_inline && !inline::maps(op, dtype, true)) {
                continue;
            }
            let mut args: SmallVec<[u32; 3]> = smallvec![from as u32];
            let pick = |r: &mut Random, want: DType| {
                let all: Vec<usize> =
                    (0..dtypes.len()).filter(|&i| dtypes[i] == Some(want)).collect();
                (!all.is_empty()).then(|| all[r.below(all.len())] as u32)
            };
            if op == Op::Where {
                let Some(cond) = pick(r, DType::Bool) else { continue };
                args.insert(0, cond);
            }
            while args.len() < op.info().arity {
                args.push(pick(r, dtype).unwrap_or(from as u32));
            }
            dtypes.push(Some(op.out_dtype(dtype)));
            Line::Map { op, dtype, args }
        };
        lines.push(line);
        if r.below(5) == 0 {
            store(r, &mut bufs, &mut lines, &mut dtypes, None);
        }
    }
    store(r, &mut bufs, &mut lines, &mut dtypes, None);
    let last = (0..lines.len()).rev().find(|&i| dtypes[i].is_some());
    store(r, &mut bufs, &mut lines, &mut dtypes, last);
    kernel(bufs, scalars, lines)
}

fn store(
    r: &mut Random,
    bufs: &mut Vec<Buf>,
    lines: &mut Vec<Line>,
    dtypes: &mut Vec<Option<DType>>,
    value: Option<usize>,
) {
    let value = value.unwrap_or_else(|| r.below(lines.len()));
    let Some(dtype) = dtypes[value] else { return };
    let run = [Step::Unit, Step::Unit, Step::Stride][r.below(3)];
    lines.push(Line::Store { buf: bufs.len() as u32, value: value as u32 });
    dtypes.push(None);
    bufs.push(buf(dtype, Role::Output, run));
}

#[test]
fn random_inline_kernels_agree() {
    for seed in 0..400 {
        let r = &mut Random(seed * 31 + 5);
        let size = [4, 12, 40][r.below(3)];
        let mut lengths: Vec<usize> = (0..20).collect();
        lengths.extend([20 + r.below(50), 3000 + r.below(100)]);
        agree(&random_kernel(r, size, true), &lengths, seed);
    }
}

#[test]
fn random_kernels_with_calls_agree() {
    for seed in 0..400 {
        let r = &mut Random(seed * 17 + 3);
        let size = [4, 12, 40][r.below(3)];
        let mut lengths: Vec<usize> = (0..20).collect();
        lengths.extend([20 + r.below(50), 1024, 3000 + r.below(100)]);
        agree(&random_kernel(r, size, false), &lengths, seed);
    }
}

/// Folds of a loaded value, of a computed one, of a gathered one and of a scalar.
#[test]
fn folds_see_the_same_values() {
    for fold in Fold::ALL {
        for dtype in DType::ALL {
            if dtype == DType::F16 || tile::fold(*fold, Measure::Itself, dtype).is_none() {
                continue;
            }
            let map = |op, args: &[u32]| Line::Map { op, dtype, args: args.into() };
            let folds = [0u32, 3, 1, 2].into_iter().enumerate().map(|(k, value)| Line::Fold {
                fold: *fold,
                measure: Measure::Itself,
                dtype,
                buf: 3 + k as u32,
                value,
            });
            let mut lines = vec![
                Line::Load { buf: 0 },
                Line::Load { buf: 1 },
                Line::Scalar { slot: 0 },
                map(Op::Absolute, &[0]),
                Line::Store { buf: 2, value: 3 },
            ];
            lines.extend(folds);
            let mut bufs = vec![
                buf(dtype, Role::Input, Step::Unit),
                buf(dtype, Role::Input, Step::Stride),
                buf(dtype, Role::Output, Step::Unit),
            ];
            let out = Buf {
                moves: smallvec![false],
                ..buf(fold.out_dtype(dtype), Role::Folded, Step::Fixed)
            };
            bufs.extend([out.clone(), out.clone(), out.clone(), out]);
            let mut kernel = kernel(bufs, vec![dtype], lines);
            kernel.loops[0].reduce = true;
            kernel.form = Form::Inner;
            for seed in 0..3 {
                agree(&kernel, &[0, 1, 2, 7, 8, 64, 1000, 1024, 1025, 4095, 4096], seed);
            }
        }
    }
}

#[test]
fn a_table_is_read_by_its_tile_function() {
    let xp = [0.0, 1.0, 2.0, 4.0];
    let fp = [0.0, 10.0, 5.0, -3.0];
    let grid = tile::Grid::Memory(xp.as_ptr());
    let fp = tile::Values::Double(fp.as_ptr());
    let table =
        tile::InterpTable { at: tile::Positions::Given, grid, fp, len: 4, left: -1.0, right: 9.0 };
    let mut kernel = kernel(
        vec![buf(DType::F32, Role::Input, Step::Unit), buf(DType::F64, Role::Output, Step::Unit)],
        vec![],
        vec![
            Line::Load { buf: 0 },
            Line::Cast { from: DType::F32, to: DType::F64, arg: 0 },
            Line::Interp { table: 0, x: Some(1), dtype: DType::F64 },
            Line::Map { op: Op::Negative, dtype: DType::F64, args: smallvec![2] },
            Line::Store { buf: 1, value: 3 },
        ],
    );
    kernel.tables = 1;
    let code = compile(&kernel).unwrap();
    for n in [1, 5, 2000] {
        let mut a = Job::new(&kernel, n, 7, interp::scratch(&kernel));
        let mut b = Job::new(&kernel, n, 7, code.scratch());
        for job in [&mut a, &mut b] {
            job.words[kernel.layout().tables] = &raw const table as u64;
        }
        // SAFETY: the words describe the jobs' own memory and the table.
        unsafe {
            interp::run(&kernel, a.words.as_ptr());
            code.run(b.words.as_ptr());
        }
        compare(&kernel, n, &a, &b).unwrap();
    }
}

#[test]
fn a_large_kernel_compiles() {
    let r = &mut Random(9);
    let kernel = random_kernel(r, 400, false);
    agree(&kernel, &[0, 1, 5, 2000], 1);
}

#[test]
fn a_small_stack_is_enough() {
    let r = &mut Random(9);
    let kernel = random_kernel(r, 200, false);
    let work = move || compile(&kernel).map(|code| code.size());
    let thread = std::thread::Builder::new().stack_size(256 << 10).spawn(work).unwrap();
    assert!(thread.join().unwrap().unwrap() > 0);
}

#[test]
fn disassembly_is_text() {
    let kernel = one_op(Op::Add, DType::F32, &[Some(Step::Unit)]);
    assert!(disassemble(&kernel).unwrap().lines().count() > 10);
}

/// Code lies in pages that cannot be written, and goes away with its last owner.
#[test]
#[cfg(target_os = "linux")]
fn code_is_not_writable_and_is_freed() {
    let kernel = one_op(Op::Add, DType::F32, &[Some(Step::Unit)]);
    let code = compile(&kernel).unwrap();
    let entry = code.entry as usize;
    let rights = |at: usize| {
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        maps.lines().find_map(|line| {
            let (range, rest) = line.split_once(' ')?;
            let (from, to) = range.split_once('-')?;
            let from = usize::from_str_radix(from, 16).ok()?;
            let to = usize::from_str_radix(to, 16).ok()?;
            (from..to).contains(&at).then(|| rest[..4].to_string())
        })
    };
    assert_eq!(rights(entry).as_deref(), Some("r-xp"));
    drop(code);
    // Nothing else in this process makes code but other tests, on pages of their own.
    for _ in 0..100 {
        drop(compile(&kernel).unwrap());
    }
}

#[test]
fn random_contiguous_kernels_agree() {
    let lengths: Vec<usize> = (0..200).collect();
    for seed in 0..300 {
        let r = &mut Random(seed * 13 + 1);
        let size = [4, 12, 40][r.below(3)];
        let only_inline = r.below(4) != 0;
        let mut kernel = random_kernel(r, size, only_inline);
        let strided = kernel.bufs.iter_mut().filter(|b| b.run == Step::Stride);
        strided.for_each(|b| b.run = Step::Unit);
        agree(&kernel, &lengths, seed);
    }
}

/// What audio code does most has wide loops, on machines that have the vectors.
#[test]
fn cheap_chains_have_wide_loops() {
    use DType::{Bool, F32, F64, I16, I32, U8};
    let map = |op, dtype, args: &[u32]| Line::Map { op, dtype, args: args.into() };
    let cast = |from, to, arg| Line::Cast { from, to, arg };
    let (load, scalar) = (Line::Load { buf: 0 }, |slot| Line::Scalar { slot });
    let chain = |from: DType, to: DType, lines: &[Line]| {
        let mut all = vec![load.clone(), scalar(0), scalar(1)];
        all.extend_from_slice(lines);
        all.push(Line::Store { buf: 1, value: all.len() as u32 - 1 });
        let bufs = vec![buf(from, Role::Input, Step::Unit), buf(to, Role::Output, Step::Unit)];
        let float = if from == F64 || to == F64 { F64 } else { F32 };
        kernel(bufs, vec![float; 2], all)
    };
    let chains = [
        chain(F32, F32, &[map(Op::Multiply, F32, &[0, 1])]),
        chain(F64, F64, &[map(Op::Multiply, F64, &[0, 1])]),
        chain(I16, I16, &[map(Op::Multiply, I16, &[0, 0])]),
        chain(I32, I32, &[map(Op::Maximum, I32, &[0, 0])]),
        chain(U8, U8, &[map(Op::Add, U8, &[0, 0])]),
        chain(
            F32,
            F32,
            &[
                map(Op::Absolute, F32, &[0]),
                map(Op::Multiply, F32, &[3, 1]),
                map(Op::Maximum, F32, &[4, 1]),
                map(Op::Minimum, F32, &[5, 2]),
            ],
        ),
        chain(I16, F32, &[cast(I16, F32, 0), map(Op::Divide, F32, &[3, 1])]),
        chain(U8, F32, &[cast(U8, F32, 0), map(Op::Subtract, F32, &[3, 1])]),
        chain(F32, I16, &[map(Op::Rint, F32, &[0]), cast(F32, I16, 3)]),
        chain(F64, I16, &[map(Op::Rint, F64, &[0]), cast(F64, I16, 3)]),
        chain(F32, F64, &[cast(F32, F64, 0), map(Op::Add, F64, &[3, 1]), map(Op::Sqrt, F64, &[4])]),
        chain(F64, F32, &[cast(F64, F32, 0), map(Op::Square, F32, &[3])]),
        chain(F64, Bool, &[map(Op::Less, F64, &[0, 1])]),
        chain(F32, F32, &[map(Op::Less, F32, &[0, 1]), map(Op::Where, F32, &[3, 0, 2])]),
    ];
    let encoder = chain(
        F32,
        I16,
        &[
            map(Op::Rint, F32, &[0]),
            map(Op::Maximum, F32, &[3, 1]),
            map(Op::Minimum, F32, &[4, 2]),
            cast(F32, I16, 5),
        ],
    );
    let text = disassemble(&encoder).unwrap();
    for part in ["for each two groups", "vcvtps2dq"] {
        assert_eq!(text.contains(part), target().unwrap().wide, "{text}");
    }
    for kernel in chains {
        verify::verify(&kernel).unwrap();
        let text = disassemble(&kernel).unwrap();
        assert_eq!(text.contains("wide loop"), target().unwrap().wide, "{kernel}\n{text}");
        agree(&kernel, &[3, 64, 1000], 5);
    }
}
