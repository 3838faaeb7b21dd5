//! Traced functions: a program recorded once, called with other arguments.
//!
//! A call makes no graph. A new length infers the recorded program again and plans it; its kernels
//! are found in the cache, since lengths are no part of them. May not know: Python.

use std::sync::{Arc, Mutex};

use smallvec::SmallVec;

use crate::buffer::Storage;
use crate::dtype::{DType, Scalar};
use crate::error::{Error, Result};
use crate::eval::{Context, Planned, Tally, plan};
use crate::expr::{Array, Bindings, InputMeta, Number, Prim, Program};
use crate::runtime::{self, Arguments, Given, Givens, Prepared};
use crate::shape::{self, Shape};

/// How many shapes of arguments a trace keeps plans for.
const PLANS: usize = 64;

/// A function as recorded. Constants that it captured stay inside.
pub struct Trace {
    program: Program,
    constants: Bindings,
    /// Per traced array argument: its place among the arguments and among the program's inputs.
    arrays: Vec<(usize, usize)>,
    /// Per traced number: its place among the arguments and among the program's scalars, and its dtype.
    numbers: Vec<(usize, usize, DType)>,
    /// The newest last.
    plans: Mutex<Vec<Arc<Specialized>>>,
}

/// A plan for arguments of certain shapes, with the shapes of its results.
struct Specialized {
    inputs: Vec<InputMeta>,
    planned: Arc<Planned>,
    results: Vec<Shape>,
}

/// A trace with the plan for arguments of certain layouts, or of one length whatever it is: calls that look
/// for nothing and hold nothing.
pub struct Ready {
    special: Arc<Specialized>,
    /// Per input the bytes that it covers, counted from its first element.
    reaches: SmallVec<[Reach; 4]>,
    /// The length of all arrays that was planned; 0 if they have several, which are part of the plan.
    length: usize,
    tally: Tally,
}

/// The bytes that an input covers.
struct Reach {
    low: isize,
    high: isize,
    /// Per element of the one length.
    each: isize,
}

/// What a plan runs on.
#[derive(Default)]
pub struct Inputs {
    /// Memory.
    pub arrays: SmallVec<[Given; 4]>,
    /// Values.
    pub scalars: SmallVec<[Scalar; 8]>,
}

/// An argument that the caller holds: the address of an array's first element, or a number.
#[derive(Clone, Copy, Debug)]
pub enum Bare {
    /// Of the layout that the call was made ready for.
    Array(*const u8),
    /// A Python number.
    Number(Number),
}

/// An argument of a call, by its place among the traced arguments.
#[derive(Clone)]
pub enum Argument {
    /// For an array argument: of the dtype and rank that were traced.
    Array(Storage),
    /// For a Python number.
    Number(Number),
}

impl Trace {
    /// Closes a trace over its results.
    ///
    /// # Errors
    /// As for planning: the recorded program is checked on the shapes that it was traced with.
    pub fn new(results: &[Array]) -> Result<Trace> {
        let (mut program, constants) = Program::new(results);
        let (mut arrays, mut numbers) = (Vec::new(), Vec::new());
        for node in &mut program.nodes {
            match node.prim {
                Prim::Param(i) => {
                    node.prim = Prim::Input;
                    node.slot = program.inputs.len() as u32;
                    arrays.push((i as usize, program.inputs.len()));
                    program.inputs.push(InputMeta {
                        dtype: node.dtype,
                        shape: node.shape.clone(),
                        strides: shape::c_strides(&node.shape, node.dtype.size()),
                    });
                }
                Prim::NumberParam(i) => {
                    node.prim = Prim::Scalar;
                    node.slot = program.scalars as u32;
                    numbers.push((i as usize, program.scalars, node.dtype));
                    program.scalars += 1;
                }
                _ => {}
            }
        }
        Ok(Trace { program, constants, arrays, numbers, plans: Mutex::default() })
    }

    /// Runs the function. Results are C-ordered and share no memory with anything.
    ///
    /// # Errors
    /// Those that recording it for these shapes would give, and those of [`crate::eval::eval`].
    pub fn call(&self, arguments: &[Argument], ctx: &Context<'_>) -> Result<Vec<Storage>> {
        self.bind(arguments)?.run(ctx)
    }

    /// Binds the function's arguments; finds the plan for their shapes, if there is one.
    ///
    /// # Errors
    /// A bug, or `Overflow` for an integer that does not fit.
    pub fn bind(&self, arguments: &[Argument]) -> Result<Bound<'_>> {
        let mut inputs = self.constants.inputs.clone();
        for &(at, _) in &self.arrays {
            match arguments.get(at) {
                Some(Argument::Array(storage)) => inputs.push(storage.clone()),
                _ => return Err(Error::bug(format!("trace: argument {at} is not an array"))),
            }
        }
        let mut scalars = self.constants.scalars.clone();
        for &(at, _, dtype) in &self.numbers {
            scalars.push(match arguments.get(at) {
                Some(Argument::Number(number)) => scalar(*number, dtype)?,
                _ => return Err(Error::bug(format!("trace: argument {at} is not a number"))),
            });
        }
        let special = self.find(&inputs);
        Ok(Bound { trace: self, inputs, scalars, special })
    }

    fn ready(&self, special: Arc<Specialized>) -> Option<Ready> {
        let Specialized { planned, inputs, .. } = &*special;
        let Planned { plan, .. } = &**planned;
        let planned_for = plan.planned();
        if self.constants.calls.iter().any(|call| call.is_foreign())
            || !plan.takes_given(planned_for)
            || !planned.gives_in_order()
        {
            return None;
        }
        // Memory that the function captured has its length.
        let constants = &inputs[..self.constants.inputs.len()];
        let length = if constants.iter().any(|m| !m.shape.is_empty()) { 0 } else { planned_for };
        let reach = |meta: &InputMeta| {
            let (low, high) = shape::reach(&meta.shape, &meta.strides, meta.dtype.size());
            let each = if length > 0 && !meta.shape.is_empty() { meta.dtype.size() } else { 0 };
            Reach { low, high, each: each.cast_signed() }
        };
        let reaches = inputs.iter().map(reach).collect();
        let tally = self.without_numbers(planned.tally);
        Some(Ready { special, reaches, length, tally })
    }

    /// What calls with arguments need that lie as those that were traced, in C order, if its plan takes
    /// given memory.
    pub fn ready_as_traced(&self) -> Option<Ready> {
        let special = self.specialize(self.program.inputs.clone()).ok()?;
        self.ready(special)
    }

    /// The plan for inputs of these layouts, if there is one.
    fn find(&self, inputs: &[Storage]) -> Option<Arc<Specialized>> {
        // Never waited for: a forked child may have inherited the lock from a thread that is not there.
        let plans = self.plans.try_lock().ok()?;
        let fits = |s: &&Arc<Specialized>| s.inputs.iter().zip(inputs).all(|(m, i)| m.is_of(i));
        plans.iter().rev().find(fits).cloned()
    }

    /// A tally without conversions of traced numbers, which count as little as those of other numbers.
    fn without_numbers(&self, mut tally: Tally) -> Tally {
        for node in self.program.nodes.iter().filter(|node| node.prim == Prim::Cast) {
            let Some(of) = node.args.first().map(|&at| &self.program.nodes[at as usize]) else {
                continue;
            };
            let number = |&(_, scalar, _): &(usize, usize, DType)| scalar == of.slot as usize;
            if of.prim == Prim::Scalar && self.numbers.iter().any(number) {
                tally.ops -= 1;
                tally.numpy_bytes -= (node.dtype.size() + of.dtype.size()) as u64;
            }
        }
        tally
    }

    fn specialize(&self, metas: Vec<InputMeta>) -> Result<Arc<Specialized>> {
        for (meta, traced) in metas.iter().zip(&self.program.inputs) {
            if meta.dtype != traced.dtype || meta.shape.len() != traced.shape.len() {
                return Err(Error::bug(
                    "trace: an argument has another dtype or rank than was traced",
                ));
            }
        }
        let program = self.program.reshaped(metas.clone(), &self.constants.calls)?;
        let results =
            program.outputs.iter().map(|&o| program.nodes[o as usize].shape.clone()).collect();
        let special = Arc::new(Specialized { inputs: metas, planned: plan(program)?, results });
        if let Ok(mut plans) = self.plans.try_lock() {
            if plans.len() >= PLANS {
                plans.drain(..PLANS / 2);
            }
            plans.push(special.clone());
        }
        Ok(special)
    }
}

impl Ready {
    /// The length of all arrays that was planned, if runs may give another one: their arguments are lines
    /// without gaps, or values.
    pub fn line(&self) -> Option<usize> {
        (self.length > 0).then_some(self.length)
    }

    /// Whether it runs on arrays of this length.
    pub fn takes(&self, length: usize) -> bool {
        self.plan().takes_given(self.length(length))
    }

    /// The dtype and shape of each result, for arrays of a length if that may be another one.
    pub fn results(&self, length: usize) -> impl Iterator<Item = (DType, Shape)> {
        let shapes = self.special.results.iter().enumerate();
        shapes
            .filter_map(move |(r, shape)| Some((self.plan().result(r)?, self.shape(shape, length))))
    }

    fn shape(&self, planned: &Shape, length: usize) -> Shape {
        let mut shape = Shape::from_slice(planned);
        if self.length > 0 {
            shape.fill(length);
        }
        shape
    }

    /// What a run counts as.
    pub fn tally(&self, length: usize) -> Tally {
        self.special.planned.tally_for(self.tally, self.length(length))
    }

    /// The plan.
    pub fn plan(&self) -> &Prepared {
        &self.special.planned.plan
    }

    /// Whether it is over sooner than anybody could wait for it.
    pub fn is_quick(&self, length: usize) -> bool {
        self.plan().is_quick_at_home(self.length(length))
    }

    /// What a run costs, in light ops.
    pub fn cost(&self, length: usize) -> usize {
        self.plan().cost(self.length(length))
    }

    /// What the plan runs on.
    pub fn givens<'a>(
        &self,
        trace: &'a Trace,
        Inputs { arrays, scalars }: &'a Inputs,
    ) -> Givens<'a> {
        Givens { inputs: arrays, scalars, calls: &trace.constants.calls }
    }

    /// The length to run the plan with, on arrays of a length if that may be another one.
    pub fn length(&self, length: usize) -> usize {
        if self.length > 0 { length } else { self.plan().planned() }
    }

    /// What the plan runs on in a call of the function that it was made from, with the arguments that `argument`
    /// has at their places, on arrays of a length if that may be another one.
    ///
    /// # Errors
    /// `Overflow` for an integer that does not fit; a bug for arguments of other kinds.
    pub fn bind(
        &self,
        trace: &Trace,
        argument: impl Fn(usize) -> Option<Bare>,
        length: usize,
        inputs: &mut Inputs,
    ) -> Result<()> {
        let Inputs { arrays, scalars } = inputs;
        for (input, &Reach { low, high, each }) in self.reaches.iter().enumerate() {
            let constant = trace.constants.inputs.get(input);
            let ptr = constant.map_or(std::ptr::null(), |constant| constant.ptr);
            let high = if each > 0 { each * length.cast_signed() } else { high };
            arrays.push(Given { ptr, low, high });
        }
        scalars.extend_from_slice(&trace.constants.scalars);
        for &(at, input) in &trace.arrays {
            match (argument(at), arrays.get_mut(input)) {
                (Some(Bare::Array(ptr)), Some(given)) => given.ptr = ptr,
                _ => return Err(Error::bug(format!("trace: argument {at} is not an array"))),
            }
        }
        for &(at, _, dtype) in &trace.numbers {
            match argument(at) {
                Some(Bare::Number(number)) => scalars.push(scalar(number, dtype)?),
                _ => return Err(Error::bug(format!("trace: argument {at} is not a number"))),
            }
        }
        Ok(())
    }
}

/// A Python number as an argument of a program.
fn scalar(number: Number, dtype: DType) -> Result<Scalar> {
    match number {
        Number::Int(v) => Scalar::from_int(v, dtype),
        Number::Float(v) => Ok(Scalar::from_f64(v, dtype)),
    }
}

/// A traced function with the arguments of one call.
pub struct Bound<'a> {
    trace: &'a Trace,
    inputs: Vec<Storage>,
    scalars: Vec<Scalar>,
    special: Option<Arc<Specialized>>,
}

impl Bound<'_> {
    /// Whether the call is over sooner than anybody could wait for it.
    pub fn is_quick(&self) -> bool {
        self.special.as_ref().is_some_and(|special| special.planned.is_quick())
    }

    /// Runs the function.
    ///
    /// # Errors
    /// As for [`Trace::call`].
    pub fn run(&mut self, ctx: &Context<'_>) -> Result<Vec<Storage>> {
        let Self { trace, inputs, scalars, special } = self;
        let special = match special {
            Some(special) => special,
            None => special.insert(trace.specialize(inputs.iter().map(InputMeta::of).collect())?),
        };
        let calls = &trace.constants.calls;
        let arguments = Arguments { inputs, scalars, calls };
        let values = runtime::run(&special.planned.plan, &arguments, ctx)?;
        special.planned.give(values, special.results.iter())
    }

    /// What further calls with arguments of these layouts need, if the function ran and its plan takes
    /// given memory.
    pub fn ready(&self) -> Option<Ready> {
        self.trace.ready(self.special.clone()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::Op;

    #[test]
    fn beside_an_array_that_is_part_of_the_trace_arguments_have_one_length() {
        let x = Array::param(0, DType::F32, Shape::from_slice(&[4]));
        let square = Array::map(Op::Multiply, &[x.clone(), x.clone()]).unwrap();
        let own = Array::input(Storage::from_slice(&[1.0f32, 2.0, 3.0, 4.0], &[4]).unwrap());
        let beside = Array::map(Op::Multiply, &[x, own]).unwrap();
        let ready =
            |y: &Array| Trace::new(std::slice::from_ref(y)).unwrap().ready_as_traced().unwrap();
        assert_eq!(ready(&square).line(), Some(4));
        assert!(ready(&square).takes(300));
        // Without a line the length that is asked for is none.
        assert_eq!(ready(&beside).line(), None);
        assert!(ready(&beside).takes(0));
    }
}
