//! Plans written by hand, run in every tier and with several thread counts, against plain loops.

mod calls;
mod folds;
mod maps;
mod system;

use std::sync::Arc;

use smallvec::{SmallVec, smallvec};

use super::{Arguments, Context, Prepared, Tier, set_tier};
use crate::buffer::{Buffer, Storage};
use crate::dtype::{DType, Scalar};
use crate::error::Result;
use crate::loops::{
    Buf, BufferSpec, Form, Kernel, Launch, Line, Loop, Memory, Place, Plan, Role, ScalarSource,
    Step, Task, Value,
};
use crate::op::{Fold, Measure, Op};
use crate::shape::{Shape, c_strides};

/// Builds a plan of one launch. Buffers are added in order, then lines.
pub(super) struct Builder {
    pub kernel: Kernel,
    pub extents: SmallVec<[usize; 4]>,
    pub places: Vec<Place>,
    pub plan: Plan,
    pub inputs: u32,
}

impl Builder {
    /// A nest; `reduce` says which loops fold.
    pub(super) fn new(form: Form, flat: bool, extents: &[usize], reduce: &[bool]) -> Self {
        let loops = reduce.iter().map(|&reduce| Loop { reduce }).collect();
        Self {
            kernel: Kernel {
                loops,
                form,
                flat,
                bufs: vec![],
                scalars: vec![],
                tables: 0,
                lines: vec![],
            },
            extents: extents.into(),
            places: vec![],
            plan: Plan::default(),
            inputs: 0,
        }
    }

    /// Any buffer; it moves along loops with a stride.
    pub(super) fn buf(
        &mut self,
        dtype: DType,
        role: Role,
        run: Step,
        memory: Memory,
        strides: &[isize],
    ) {
        let moves = strides.iter().map(|&s| s != 0).collect();
        self.kernel.bufs.push(Buf { dtype, role, moves, run });
        self.places.push(Place { memory, offset: 0, strides: strides.into() });
    }

    /// Loads the next input.
    pub(super) fn input(&mut self, dtype: DType, run: Step, strides: &[isize]) -> Value {
        self.buf(dtype, Role::Input, run, Memory::Input(self.inputs), strides);
        self.inputs += 1;
        self.line(Line::Load { buf: self.kernel.bufs.len() as u32 - 1 })
    }

    /// Adds a line.
    pub(super) fn line(&mut self, line: Line) -> Value {
        self.kernel.lines.push(line);
        self.kernel.lines.len() as u32 - 1
    }

    /// Adds an op.
    pub(super) fn map(&mut self, op: Op, dtype: DType, args: &[Value]) -> Value {
        self.line(Line::Map { op, dtype, args: args.into() })
    }

    /// Loads the next scalar argument.
    pub(super) fn scalar(&mut self, dtype: DType) -> Value {
        let slot = self.kernel.scalars.len() as u32;
        self.kernel.scalars.push(dtype);
        self.plan.scalars.push(ScalarSource::Argument(slot));
        self.line(Line::Scalar { slot })
    }

    fn result(&mut self, dtype: DType, role: Role, run: Step) -> u32 {
        let kept = |l: usize| role == Role::Output || !self.kernel.loops[l].reduce;
        let shape: Shape =
            (0..self.extents.len()).filter(|&l| kept(l)).map(|l| self.extents[l]).collect();
        let mut own = c_strides(&shape, dtype.size()).into_iter();
        let strides: Vec<isize> = (0..self.extents.len())
            .map(|l| if kept(l) { own.next().unwrap_or(0) } else { 0 })
            .collect();
        let place = self.plan.buffers.len() as u32;
        self.plan.buffers.push(BufferSpec { dtype, shape, last_use: None });
        self.plan.outputs.push(place);
        self.buf(dtype, role, run, Memory::Buffer(place), &strides);
        self.kernel.bufs.len() as u32 - 1
    }

    /// Stores a value into a new output of the nest's shape.
    pub(super) fn store(&mut self, dtype: DType, value: Value) {
        let buf = self.result(dtype, Role::Output, Step::Unit);
        self.line(Line::Store { buf, value });
    }

    /// Folds a value into a new output of the kept loops' shape.
    pub(super) fn fold(&mut self, fold: Fold, dtype: DType, value: Value) {
        let run = if self.kernel.form == Form::Rows { Step::Unit } else { Step::Fixed };
        let buf = self.result(fold.out_dtype(dtype), Role::Folded, run);
        let measure = Measure::Itself;
        self.line(Line::Fold { fold, measure, dtype, buf, value });
    }

    /// The plan.
    pub(super) fn finish(mut self) -> Plan {
        self.plan.steps.push(Task::Launch(Launch {
            kernel: Arc::new(self.kernel),
            extents: self.extents,
            bufs: self.places,
            scalars: (0..self.plan.scalars.len() as u32).collect(),
            tables: vec![],
        }));
        self.plan
    }
}

/// An input of the bytes of `values`.
pub(super) fn storage<T: Copy + Send + Sync + 'static>(dtype: DType, values: &[T]) -> Storage {
    let keeper = Arc::new(values.to_vec());
    Storage {
        ptr: keeper.as_ptr().cast(),
        dtype,
        shape: smallvec![values.len()],
        strides: smallvec![dtype.size().cast_signed()],
        keeper,
    }
}

/// The elements of a result.
pub(super) fn values<T: Copy>(buffer: &Buffer) -> Vec<T> {
    assert_eq!(buffer.len() % size_of::<T>(), 0);
    let n = buffer.len() / size_of::<T>();
    // SAFETY: buffers are aligned and as long as their elements; T is plain numbers.
    (0..n).map(|i| unsafe { buffer.as_ptr().cast::<T>().add(i).read() }).collect()
}

/// The first step of a plan, which is a launch.
pub(super) fn first(plan: &mut Plan) -> &mut Launch {
    match &mut plan.steps[0] {
        Task::Launch(launch) => launch,
        Task::Call(_) => panic!("a call"),
    }
}

/// Runs a plan without calls.
pub(super) fn run(
    plan: &Plan,
    inputs: &[Storage],
    scalars: &[Scalar],
    ctx: &Context,
) -> Result<Vec<Arc<Buffer>>> {
    let arguments = Arguments { inputs, scalars, calls: &[] };
    let out = super::run(&Prepared::new(plan.clone()), &arguments, ctx)?;
    Ok(out.into_iter().map(|s| s.keeper.downcast().unwrap()).collect())
}

/// Runs the plan in each tier and with several thread counts; all must give the same bytes.
pub(super) fn run_all(
    plan: &Plan,
    inputs: &[Storage],
    scalars: &[Scalar],
) -> Result<Vec<Arc<Buffer>>> {
    let ctx = |threads| Context { interrupt: None, threads };
    let first = run(plan, inputs, scalars, &ctx(None))?;
    for tier in [Tier::Interp, Tier::Jit] {
        // Other tests may change the tier meanwhile, which must not matter either.
        set_tier(tier);
        for threads in [1, 2, 3, 7] {
            let again = run(plan, inputs, scalars, &ctx(Some(threads)))?;
            for (a, b) in first.iter().zip(&again) {
                assert!(a.bytes() == b.bytes(), "{tier:?} with {threads} threads differs");
            }
        }
    }
    set_tier(Tier::Auto);
    Ok(first)
}

/// Numbers without a pattern, from -1 to 1.
pub(super) fn noise(n: usize) -> Vec<f64> {
    let mut x = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = || {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        (x >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    };
    (0..n).map(|_| next()).collect()
}
