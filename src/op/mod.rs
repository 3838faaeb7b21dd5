//! The op table and what follows from a row: name, arity, dtype loops, accuracy, cost.
//!
//! May not know: how an op is computed (`tile`, `codegen`) or recorded (`expr`). Everything else
//! in the crate that needs a list of ops derives it from [`table`].

mod infer;
mod table;

pub use infer::{Operand, Resolved, Weak, mean_dtypes, resolve, result_dtype, sum_dtype};
pub use table::{FRAMES, Fold, Measure, Op};

use crate::dtype::{DType, Kind};

/// Which dtypes an op computes in, in NumPy's order; operands are cast to the first that fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loops {
    /// Every dtype.
    All,
    /// Every dtype but `bool`, whose use is a `TypeError`.
    NoBool,
    /// Integers and floats; `bool` is computed as `int8`.
    Number,
    /// `bool` and integers.
    Bits,
    /// Integers; `bool` is computed as `int8`.
    Int,
    /// Floats; integers go to the first float that holds them.
    Float,
    /// Floats; `bool` and integers go to `float64`.
    Divide,
    /// `float64`, to which all others go.
    Double,
    /// Integers; `bool` alone is a `TypeError`.
    Whole,
    /// The first operand as for [`Loops::Float`]; the second one is an integer, computed in the
    /// float of the first.
    Ldexp,
}

impl Loops {
    /// Whether the op has a loop for `dtype` itself.
    pub fn contain(self, dtype: DType) -> bool {
        match self {
            _ if dtype.is_complex() => false,
            Loops::All => true,
            Loops::NoBool | Loops::Number => dtype.kind() != Kind::Bool,
            Loops::Int | Loops::Whole => dtype.kind() == Kind::Int,
            Loops::Bits => dtype.kind() != Kind::Float,
            Loops::Float | Loops::Divide | Loops::Ldexp => dtype.is_float(),
            Loops::Double => dtype == DType::F64,
        }
    }
}

/// The dtype of an op's result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Out {
    /// The loop's dtype.
    Same,
    /// `bool`.
    Bool,
    /// `uint8`.
    U8,
    /// `int32`.
    I32,
}

/// How much an op costs beside a load, which decides between computing twice and keeping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cost {
    /// A few vector instructions.
    Light,
    /// A polynomial or a scalar loop: always a tile kernel.
    Heavy,
}

/// Everything the table says of an [`Op`].
#[derive(Clone, Copy, Debug)]
pub struct OpInfo {
    /// NumPy's name, which is also the name in IR texts and in Python.
    pub name: &'static str,
    /// Operands.
    pub arity: usize,
    /// The dtypes it computes in.
    pub loops: Loops,
    /// The dtype of its result.
    pub out: Out,
    /// The cost class for float operands.
    pub cost: Cost,
    /// Worst error in units in the last place; 0 means exactly NumPy's bits.
    pub ulp: f64,
    /// The interval its tests draw ordinary values from.
    pub domain: (f64, f64),
    /// One line of prose, with the formula where there is one.
    pub doc: &'static str,
}

impl std::fmt::Display for Op {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.info().name)
    }
}

impl std::fmt::Display for Fold {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
