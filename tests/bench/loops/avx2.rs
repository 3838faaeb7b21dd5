//! The chains, both ways, and the race.

use std::sync::Arc;
use std::time::Instant;

use rnp::buffer::{Buffer, Storage};
use rnp::dtype::{DType, Element};
use rnp::error::Result;
use rnp::expr::{Array, Number, Program};
use rnp::loops::{Kernel, Layout, Role, Task, lower};
use rnp::op::Op;
use rnp::runtime::{Engine, Runner, Tier, lookup};
use rnp::{graph, pass};

/// A chain, its dtypes in and out, and the same by hand.
struct Case {
    name: &'static str,
    input: DType,
    output: DType,
    build: fn(&Array) -> Result<Array>,
    hand: unsafe fn(*const u8, *mut u8, usize),
}

fn map(op: Op, args: &[Array]) -> Result<Array> {
    Array::map(op, args)
}

fn number(x: f64) -> Array {
    Array::number(Number::Float(x))
}

fn clip(x: &Array, low: f64, high: f64) -> Result<Array> {
    map(Op::Minimum, &[map(Op::Maximum, &[x.clone(), number(low)])?, number(high)])
}

fn louder(x: &Array) -> Result<Array> {
    map(
        Op::Add,
        &[
            map(Op::Multiply, &[map(Op::Absolute, std::slice::from_ref(x))?, number(0.5)])?,
            number(0.1),
        ],
    )
}

fn decode(x: &Array) -> Result<Array> {
    map(Op::Divide, &[x.cast(DType::F32)?, number(32768.0)])
}

fn encode(x: &Array) -> Result<Array> {
    let x = map(Op::Rint, &[map(Op::Multiply, &[x.clone(), number(32767.0)])?])?;
    clip(&x, -32768.0, 32767.0)?.cast(DType::I16)
}

const CASES: &[Case] = &[
    Case {
        name: "gain",
        input: DType::F32,
        output: DType::F32,
        build: |x| map(Op::Multiply, &[x.clone(), number(0.7)]),
        hand: hand::gain,
    },
    Case {
        name: "abs, gain, add, clip to -1, 1",
        input: DType::F32,
        output: DType::F32,
        build: |x| clip(&louder(x)?, -1.0, 1.0),
        hand: hand::clip,
    },
    Case {
        name: "abs, gain, add, clip to 0, 1",
        input: DType::F32,
        output: DType::F32,
        build: |x| clip(&louder(x)?, 0.0, 1.0),
        hand: hand::clip,
    },
    Case {
        name: "decode int16",
        input: DType::I16,
        output: DType::F32,
        build: decode,
        hand: hand::decode,
    },
    Case {
        name: "encode int16",
        input: DType::F32,
        output: DType::I16,
        build: encode,
        hand: hand::encode,
    },
    Case {
        name: "decode, gain, encode",
        input: DType::I16,
        output: DType::I16,
        build: |x| encode(&map(Op::Multiply, &[decode(x)?, number(0.7)])?),
        hand: hand::recode,
    },
];

/// The chains by hand.
mod hand {
    #![allow(clippy::wildcard_imports, reason = "intrinsics are known by their names")]

    use std::arch::x86_64::*;

    /// Computes `$step` elements at `$p` for `$q`, 32 a turn, with a tail that none of the lengths here has.
    macro_rules! turns {
        ($x:ident, $y:ident, $n:ident, $from:ty, $to:ty, $step:literal, |$p:ident, $q:ident| $body:expr) => {{
            let mut i = 0;
            while i + 32 <= $n {
                for k in 0..32 / $step {
                    // SAFETY: `$step` elements from `i + $step * k` on are within both arrays.
                    unsafe {
                        let $p = $x.cast::<$from>().add(i + $step * k);
                        let $q = $y.cast::<$to>().add(i + $step * k);
                        $body;
                    }
                }
                i += 32;
            }
        }};
    }

    #[target_feature(enable = "avx2")]
    pub(super) unsafe fn gain(x: *const u8, y: *mut u8, n: usize) {
        let g = _mm256_set1_ps(0.7);
        turns!(x, y, n, f32, f32, 8, |p, q| {
            _mm256_storeu_ps(q, _mm256_mul_ps(g, _mm256_loadu_ps(p)));
        });
    }

    #[target_feature(enable = "avx2")]
    pub(super) unsafe fn clip(x: *const u8, y: *mut u8, n: usize) {
        let (g, b) = (_mm256_set1_ps(0.5), _mm256_set1_ps(0.1));
        let (low, high) = (_mm256_set1_ps(-1.0), _mm256_set1_ps(1.0));
        let sign = _mm256_set1_ps(-0.0);
        turns!(x, y, n, f32, f32, 8, |p, q| {
            let v = _mm256_andnot_ps(sign, _mm256_loadu_ps(p));
            let v = _mm256_add_ps(_mm256_mul_ps(v, g), b);
            _mm256_storeu_ps(q, _mm256_min_ps(high, _mm256_max_ps(low, v)));
        });
    }

    #[target_feature(enable = "avx2")]
    unsafe fn to_floats(p: *const i16) -> __m256 {
        // SAFETY: the caller has 8 elements there.
        unsafe { _mm256_cvtepi32_ps(_mm256_cvtepi16_epi32(_mm_loadu_si128(p.cast()))) }
    }

    #[target_feature(enable = "avx2")]
    unsafe fn to_ints(a: __m256, b: __m256, q: *mut i16) {
        let [a, b] = [a, b].map(|v| {
            let v = _mm256_mul_ps(v, _mm256_set1_ps(32767.0));
            let v = _mm256_max_ps(_mm256_set1_ps(-32768.0), v);
            _mm256_cvtps_epi32(_mm256_min_ps(_mm256_set1_ps(32767.0), v))
        });
        let v = _mm256_permute4x64_epi64(_mm256_packs_epi32(a, b), 0b_11_01_10_00);
        // SAFETY: the caller has room for 16 elements there.
        unsafe { _mm256_storeu_si256(q.cast(), v) }
    }

    #[target_feature(enable = "avx2")]
    pub(super) unsafe fn decode(x: *const u8, y: *mut u8, n: usize) {
        let scale = _mm256_set1_ps(1.0 / 32768.0);
        turns!(x, y, n, i16, f32, 8, |p, q| {
            _mm256_storeu_ps(q, _mm256_mul_ps(to_floats(p), scale));
        });
    }

    #[target_feature(enable = "avx2")]
    pub(super) unsafe fn encode(x: *const u8, y: *mut u8, n: usize) {
        turns!(x, y, n, f32, i16, 16, |p, q| {
            to_ints(_mm256_loadu_ps(p), _mm256_loadu_ps(p.add(8)), q);
        });
    }

    #[target_feature(enable = "avx2")]
    pub(super) unsafe fn recode(x: *const u8, y: *mut u8, n: usize) {
        let (scale, g) = (_mm256_set1_ps(1.0 / 32768.0), _mm256_set1_ps(0.7));
        let louder = |v| _mm256_mul_ps(_mm256_mul_ps(v, scale), g);
        turns!(x, y, n, i16, i16, 16, |p, q| {
            to_ints(louder(to_floats(p)), louder(to_floats(p.add(8))), q);
        });
    }
}

/// A kernel with the argument words of one run over the whole of its two buffers.
struct Bound {
    runner: Arc<Runner>,
    words: Vec<u64>,
    _scratch: Buffer,
    _status: Box<u32>,
}

fn bind(case: &Case, x: &Storage, y: &Buffer, n: usize) -> Result<Bound> {
    let out = (case.build)(&Array::input(x.clone()))?;
    let (program, bindings) = Program::new(&[out]);
    let mut graph = graph::build(&program)?;
    pass::optimize(&mut graph, |_, _| {})?;
    let plan = lower(&graph)?;
    let [Task::Launch(launch)] = &plan.steps[..] else { panic!("{} is not one loop", case.name) };
    let runner = lookup(&launch.kernel);
    let kernel: &Kernel = runner.kernel();
    let layout = kernel.layout();
    let mut words = vec![0; layout.len];
    for (b, buf) in kernel.bufs.iter().enumerate() {
        let at = if buf.role == Role::Input { x.ptr } else { y.as_ptr() };
        words[layout.bufs + 2 * b] = at as u64;
        words[layout.bufs + 2 * b + 1] = buf.dtype.size() as u64;
    }
    for (s, &place) in launch.scalars.iter().enumerate() {
        let rnp::loops::ScalarSource::Argument(a) = plan.scalars[place as usize] else {
            panic!("{} computes a scalar", case.name)
        };
        words[layout.scalars + s] = bindings.scalars[a as usize].bits;
    }
    let Engine::Jit(code) = runner.engine(Tier::Jit, 0) else { panic!("no machine code") };
    let mut scratch = Buffer::new(code.scratch().max(64))?;
    let mut status = Box::new(0u32);
    words[Layout::N] = n as u64;
    words[Layout::SCRATCH] = scratch.as_mut_ptr() as u64;
    words[Layout::STATUS] = std::ptr::from_mut(&mut *status) as u64;
    Ok(Bound { runner, words, _scratch: scratch, _status: status })
}

/// Nanoseconds per element of each, the best of many rounds in turns.
fn race(n: usize, mut ours: impl FnMut(), mut theirs: impl FnMut()) -> (f64, f64) {
    let repeats = (1 << 18) / n + 1;
    let time = |f: &mut dyn FnMut()| {
        let start = Instant::now();
        for _ in 0..repeats {
            f();
        }
        start.elapsed().as_secs_f64() * 1e9 / (repeats * n) as f64
    };
    let mut best = (f64::INFINITY, f64::INFINITY);
    let start = Instant::now();
    let mut rounds = 0;
    while rounds < 9 || start.elapsed().as_millis() < 400 {
        best.0 = best.0.min(time(&mut ours));
        best.1 = best.1.min(time(&mut theirs));
        rounds += 1;
    }
    best
}

fn row(case: &Case, place: &str, n: usize) -> Result<()> {
    let x = match case.input {
        DType::I16 => input(n, |k| ((k * 37) % 40_000) as i16)?,
        _ => input(n, |k| ((k * 37) % 4001) as f32 / 2000.0 - 1.0)?,
    };
    let mut y = Buffer::new(n * case.output.size())?;
    let bound = bind(case, &x, &y, n)?;
    let Engine::Jit(code) = bound.runner.engine(Tier::Jit, 0) else { panic!("no machine code") };
    let (from, to) = (x.ptr, y.as_mut_ptr());
    let (ours, hand) = race(
        n,
        // SAFETY: the words describe `n` elements of both buffers.
        || unsafe { code.run(bound.words.as_ptr()) },
        // SAFETY: as above; `main` asked for AVX2.
        || unsafe { (case.hand)(from, to, n) },
    );
    println!("{:32}{place:>8}{n:>10}{ours:>9.3}{hand:>9.3}{:>8.2}", case.name, ours / hand);
    Ok(())
}

fn input<T: Element>(n: usize, f: impl Fn(usize) -> T) -> Result<Storage> {
    Storage::from_slice(&(0..n).map(f).collect::<Vec<_>>(), &[n])
}

/// Prints the table.
pub(crate) fn main() -> Result<()> {
    if !std::arch::is_x86_feature_detected!("avx2") {
        println!("this machine has no AVX2 to compare with");
        return Ok(());
    }
    println!("{:32}{:>8}{:>10}{:>9}{:>9}{:>8}", "chain", "from", "elements", "ns", "AVX2", "ratio");
    for case in CASES {
        for (place, n) in [("L1", 2048), ("L2", 65_536), ("memory", 16 << 20)] {
            row(case, place, n)?;
        }
    }
    Ok(())
}
