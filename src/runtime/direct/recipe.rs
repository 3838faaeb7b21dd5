//! What an op is on operands of given kinds: worked out once, by the rules of `op`, then looked up.
//!
//! May not know: memory, shapes, values.

use std::sync::atomic::{AtomicPtr, Ordering};

use super::{FloatMode, Input};
use crate::dtype::{DType, Kind};
use crate::op::{Cost, Op, Operand, Weak, resolve, result_dtype};
use crate::tile::{self, MapFn, OddFn};

/// An op on operands of given kinds.
pub(super) struct Recipe {
    /// The dtype of NumPy's loop, which Python numbers must fit.
    pub operand: DType,
    /// The dtype that operands are converted to.
    pub compute: DType,
    /// The result's dtype.
    pub result: DType,
    /// The op.
    pub function: MapFn,
    /// From what the function gives to the result.
    pub back: Option<MapFn>,
    /// The op of elements and a number, by the number's place.
    pub numbers: [Option<MapFn>; 2],
    /// What an element costs, in light ops.
    pub weight: usize,
    /// How it is seen that NumPy may warn.
    pub watch: Watch,
}

/// How it is seen that NumPy may warn of an op's elements. None of these overlooks anything but underflow.
#[derive(Clone, Copy)]
pub(super) enum Watch {
    /// There is nothing that it would warn of.
    Nothing,
    /// By the flags that the machine raises: for what is one instruction.
    Flags,
    /// By both: where a vector that is filled up with zeros raises a flag by itself.
    FlaggedResults(OddFn),
    /// By the results.
    Results(OddFn),
    /// By the divisors, the last operand.
    Divisors(OddFn),
}

impl Watch {
    fn of(op: Op, compute: DType, result: DType) -> Self {
        use Op::{
            Absolute, Add, Ceil, Conjugate, Copysign, Divide, Fabs, Floor, FloorDivide, Fmax, Fmin,
            Fmod, FrexpMantissa, Maximum, Minimum, ModfFraction, ModfWhole, Multiply, Negative,
            Positive, Reciprocal, Remainder, Rint, Sign, Sqrt, Square, Subtract, Trunc, Where,
        };
        let odd = tile::odd(result);
        match (op, odd) {
            (FloorDivide | Remainder | Fmod | Reciprocal, Some(odd))
                if result.kind() == Kind::Int =>
            {
                Self::Divisors(odd)
            }
            (_, Some(odd)) if result.is_float() => match op {
                Absolute | Ceil | Conjugate | Copysign | Fabs | Floor | Fmax | Fmin
                | FrexpMantissa | Maximum | Minimum | ModfFraction | ModfWhole | Negative
                | Positive | Rint | Sign | Trunc | Where => Self::Nothing,
                Add | Subtract | Multiply | Square | Sqrt if compute == result => Self::Flags,
                Divide | Reciprocal if compute == result => Self::FlaggedResults(odd),
                _ => Self::Results(odd),
            },
            _ => Self::Nothing,
        }
    }

    /// Whether NumPy may warn of `n` elements that were just computed with these divisors.
    ///
    /// # Safety
    /// Both have `n` elements: the results of the result's dtype, the divisors of the operands'.
    #[inline]
    pub(super) unsafe fn sees(self, divisors: *const u8, results: *const u8, n: usize) -> bool {
        let mut found = false;
        // SAFETY: the caller's promise.
        unsafe {
            match self {
                Self::Nothing => {}
                Self::Flags => found = FloatMode::has_flags(),
                Self::FlaggedResults(odd) => {
                    if FloatMode::has_flags() {
                        odd(results, n, &raw mut found);
                    }
                }
                Self::Results(odd) => odd(results, n, &raw mut found),
                Self::Divisors(odd) => odd(divisors, n, &raw mut found),
            }
        }
        found
    }
}

impl Recipe {
    /// For each operand, the dtype that a number must fit and the one that it is converted to.
    pub(super) fn dtypes(&self) -> [(DType, DType); 3] {
        [(self.operand, self.compute); 3]
    }
}

/// Kinds of operands: the dtypes, Python integers, Python floats.
const KINDS: usize = 16;
const OPS: usize = Op::ALL.len();

/// Per op and kinds of operands; null where nobody asked yet. What is found is kept for good: there
/// are a few thousand at most.
static RECIPES: [[AtomicPtr<Option<Recipe>>; KINDS * KINDS]; OPS] =
    [const { [const { AtomicPtr::new(std::ptr::null_mut()) }; KINDS * KINDS] }; OPS];

/// How promotion sees an operand.
fn operand(input: &Input<'_>) -> Operand {
    match input {
        Input::View(view) => Operand::Strong(view.dtype),
        Input::Scalar(value) => Operand::Strong(value.dtype),
        Input::Int(_) => Operand::Weak(Weak::Int),
        Input::Float(_) => Operand::Weak(Weak::Float),
    }
}

fn kind(input: &Input<'_>) -> usize {
    match input {
        Input::View(view) => view.dtype as usize,
        Input::Scalar(value) => value.dtype as usize,
        Input::Int(_) => KINDS - 2,
        Input::Float(_) => KINDS - 1,
    }
}

/// The recipe of `op` for these operands (for [`Op::Where`], the two after the condition); `None` where
/// the stair must be taken.
pub(super) fn recipe(op: Op, inputs: &[Input<'_>]) -> Option<&'static Recipe> {
    let place = match inputs {
        [a] => kind(a) * KINDS,
        [a, b] => kind(a) * KINDS + kind(b),
        _ => return None,
    };
    let cell = &RECIPES[op as usize][place];
    let mut found = cell.load(Ordering::Acquire);
    if found.is_null() {
        let made = Box::into_raw(Box::new(make(op, inputs)));
        found = match cell.compare_exchange(
            std::ptr::null_mut(),
            made,
            Ordering::AcqRel,
            Ordering::Acquire,
        ) {
            Ok(_) => made,
            Err(first) => {
                // SAFETY: nobody else has seen it.
                drop(unsafe { Box::from_raw(made) });
                first
            }
        };
    }
    // SAFETY: what a cell holds came from a box and is never freed.
    unsafe { (*found).as_ref() }
}

fn make(op: Op, inputs: &[Input<'_>]) -> Option<Recipe> {
    let operands: smallvec::SmallVec<[Operand; 2]> = inputs.iter().map(operand).collect();
    if operands.iter().any(|o| matches!(o, Operand::Strong(d) if d.is_complex())) {
        return None;
    }
    if op == Op::Where {
        let dtype = result_dtype(&operands);
        return finish(op, dtype, dtype, dtype);
    }
    let weak = operands.iter().any(|o| matches!(o, Operand::Weak(_)));
    // Of a Python number only its truth counts; the stair looks at it.
    if weak && matches!(op, Op::LogicalAnd | Op::LogicalOr | Op::LogicalXor) {
        return None;
    }
    if mixes_signs(op, &operands) {
        return None;
    }
    let found = resolve(op, &operands).ok()?;
    finish(op, found.operand, op.compute_dtype(found.operand), found.result)
}

/// Comparisons that no loop of one dtype gets right.
fn mixes_signs(op: Op, operands: &[Operand]) -> bool {
    use Op::{Equal, Greater, GreaterEqual, Less, LessEqual, NotEqual};
    let compares = matches!(op, Equal | NotEqual | Less | LessEqual | Greater | GreaterEqual);
    let has =
        |f: fn(DType) -> bool| operands.iter().any(|o| matches!(o, Operand::Strong(d) if f(*d)));
    compares && has(|d| d == DType::U64) && has(DType::is_signed_int)
}

fn finish(op: Op, operand: DType, compute: DType, result: DType) -> Option<Recipe> {
    let function = tile::map(op, compute)?;
    let given = op.out_dtype(compute);
    let back = (given != result).then(|| tile::cast(given, result));
    let heavy = op.info().cost == Cost::Heavy && compute.is_float();
    let watch = Watch::of(op, compute, result);
    let weight = match compute {
        DType::F64 if heavy => 25,
        _ if heavy => 10,
        _ => 3,
    };
    let of = |first| if back.is_none() { tile::number(op, compute, first) } else { None };
    let numbers = [of(true), of(false)];
    Some(Recipe { operand, compute, result, function, back, numbers, weight, watch })
}

/// The dtypes of the exponent of `ldexp`, which is an integer: that of NumPy's loop, and that of ours.
pub(super) fn exponent(x: &Input<'_>, recipe: &Recipe) -> (DType, DType) {
    let long = operand(x) == Operand::Strong(DType::Bool);
    (if long { DType::I64 } else { DType::I32 }, recipe.compute)
}

/// The op that NumPy's loop takes for a power by a Python number, and of which operands.
pub(super) enum Power {
    /// As it is.
    Plain,
    /// Of the base alone.
    Of(Op),
    /// An error, or what depends on the value.
    Declined,
}

/// How `x ** exponent` is computed for operands of `dtype`.
pub(super) fn power(exponent: &Input<'_>, dtype: DType) -> Power {
    match *exponent {
        Input::View(_) => Power::Plain,
        Input::Scalar(_) => Power::Declined,
        Input::Int(2) => Power::Of(Op::Square),
        Input::Int(v) if v < 0 && dtype.kind() == Kind::Int => Power::Declined,
        Input::Float(2.0) => Power::Of(Op::Square),
        Input::Float(0.5) if dtype != DType::F16 => Power::Of(Op::Sqrt),
        Input::Int(_) | Input::Float(_) => Power::Plain,
    }
}
