//! THE table: one row per op. Enum, names, docs, stubs, tests and Python functions come from it.
//!
//! To add an op write its row here and its scalar meaning in `tile::scalar` (or `tile::math`); an
//! inline form in `codegen::inline` is optional. `design/adding.md` walks through one.

use super::{Cost, Loops, OpInfo, Out};

/// Hands the rows to another macro, so that no second list of ops is ever written.
///
/// Row: `Variant name arity Loops Out Cost ulp domain "doc";`
#[macro_export]
#[doc(hidden)]
macro_rules! for_each_op {
    ($then:ident) => {
        $then! {
            unary {
            Negative negative NoBool Same Light 0.0 (-1e6, 1e6) "Negates: `-x`. Integers wrap.";
            Positive positive NoBool Same Light 0.0 (-1e6, 1e6) "Returns `+x`, unchanged.";
            Absolute absolute All Same Light 0.0 (-1e6, 1e6) "Absolute value: `|x|`. The lowest signed integer is its own.";
            Sign sign NoBool Same Light 0.0 (-1e6, 1e6) "Sign: -1, 0 or 1; NaN for NaN.";
            Sqrt sqrt Float Same Light 0.0 (0.0, 1e6) "Square root, correctly rounded; NaN below zero.";
            Square square Number Same Light 0.0 (-1e3, 1e3) "Square: `x * x`. Integers wrap.";
            Reciprocal reciprocal Number Same Light 0.0 (0.1, 1e3) "Reciprocal: `1 / x`. Integers truncate.";
            Floor floor All Same Light 0.0 (-1e4, 1e4) "Largest integer not above `x`.";
            Ceil ceil All Same Light 0.0 (-1e4, 1e4) "Smallest integer not below `x`.";
            Trunc trunc All Same Light 0.0 (-1e4, 1e4) "The integer part of `x`.";
            Rint rint Float Same Light 0.0 (-1e4, 1e4) "Nearest integer, halves to even.";
            Exp exp Float Same Heavy 1.0 (-80.0, 80.0) "Exponential: `e**x`.";
            Log log Float Same Heavy 1.0 (1e-6, 1e6) "Natural logarithm; -inf at 0, NaN below.";
            Log10 log10 Float Same Heavy 1.0 (1e-6, 1e6) "Decimal logarithm; -inf at 0, NaN below.";
            Log1p log1p Float Same Heavy 1.0 (-0.9, 1e6) "`log(1 + x)`, accurate near 0.";
            Tanh tanh Float Same Heavy 1.5 (-8.0, 8.0) "Hyperbolic tangent.";
            Sin sin Float Same Heavy 1.0 (-100.0, 100.0) "Sine of radians.";
            Cos cos Float Same Heavy 1.0 (-100.0, 100.0) "Cosine of radians.";
            Isnan isnan All Bool Light 0.0 (-1e6, 1e6) "Whether `x` is NaN.";
            Isinf isinf All Bool Light 0.0 (-1e6, 1e6) "Whether `x` is an infinity.";
            Isfinite isfinite All Bool Light 0.0 (-1e6, 1e6) "Whether `x` is neither NaN nor an infinity.";
            LogicalNot logical_not All Bool Light 0.0 (-2.0, 2.0) "Whether `x` is zero.";
            Invert invert Bits Same Light 0.0 (-1e6, 1e6) "Flips every bit; of a `bool`, not.";
            } binary {
            Add add All Same Light 0.0 (-1e6, 1e6) "Sum: `a + b`. Integers wrap; of `bool`, or.";
            Subtract subtract NoBool Same Light 0.0 (-1e6, 1e6) "Difference: `a - b`. Integers wrap.";
            Multiply multiply All Same Light 0.0 (-1e3, 1e3) "Product: `a * b`. Integers wrap; of `bool`, and.";
            Divide divide Divide Same Light 0.0 (-1e3, 1e3) "Quotient: `a / b`, always floating point.";
            FloorDivide floor_divide Number Same Light 0.0 (-1e3, 1e3) "Quotient rounded down; an integer by 0 is 0.";
            Remainder remainder Number Same Light 0.0 (-1e3, 1e3) "Remainder with the divisor's sign; an integer by 0 is 0.";
            Power power Number Same Heavy 1.0 (0.1, 8.0) "`a` to the power `b`. Integers wrap; a negative integer exponent is a `ValueError`.";
            Minimum minimum All Same Light 0.0 (-1e6, 1e6) "Smaller of two; NaN if either is.";
            Maximum maximum All Same Light 0.0 (-1e6, 1e6) "Larger of two; NaN if either is.";
            Equal equal All Bool Light 0.0 (-4.0, 4.0) "Whether `a == b`.";
            NotEqual not_equal All Bool Light 0.0 (-4.0, 4.0) "Whether `a != b`.";
            Less less All Bool Light 0.0 (-4.0, 4.0) "Whether `a < b`.";
            LessEqual less_equal All Bool Light 0.0 (-4.0, 4.0) "Whether `a <= b`.";
            Greater greater All Bool Light 0.0 (-4.0, 4.0) "Whether `a > b`.";
            GreaterEqual greater_equal All Bool Light 0.0 (-4.0, 4.0) "Whether `a >= b`.";
            LogicalAnd logical_and All Bool Light 0.0 (-2.0, 2.0) "Whether both are nonzero.";
            LogicalOr logical_or All Bool Light 0.0 (-2.0, 2.0) "Whether either is nonzero.";
            LogicalXor logical_xor All Bool Light 0.0 (-2.0, 2.0) "Whether exactly one is nonzero.";
            BitwiseAnd bitwise_and Bits Same Light 0.0 (-1e6, 1e6) "Bits set in both.";
            BitwiseOr bitwise_or Bits Same Light 0.0 (-1e6, 1e6) "Bits set in either.";
            BitwiseXor bitwise_xor Bits Same Light 0.0 (-1e6, 1e6) "Bits set in exactly one.";
            LeftShift left_shift Int Same Light 0.0 (0.0, 40.0) "Bits of `a` moved up by `b`; 0 once all are out.";
            RightShift right_shift Int Same Light 0.0 (0.0, 40.0) "Bits of `a` moved down by `b`, keeping the sign.";
            } ternary {
            Where where All Same Light 0.0 (-1e6, 1e6) "`a` where the condition holds, else `b`.";
            }
        }
    };
}

macro_rules! define_ops {
    (unary { $($u:ident $un:ident $ul:ident $uo:ident $uc:ident $uu:literal ($ua:literal, $ub:literal) $ud:literal;)+ }
     binary { $($b:ident $bn:ident $bl:ident $bo:ident $bc:ident $bu:literal ($ba:literal, $bb:literal) $bd:literal;)+ }
     ternary { $($t:ident $tn:ident $tl:ident $to:ident $tc:ident $tu:literal ($ta:literal, $tb:literal) $td:literal;)+ }
    ) => {
        /// An elementwise op. All operands have one dtype, but for the condition of [`Op::Where`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Op {
            $(#[doc = $ud] $u,)+
            $(#[doc = $bd] $b,)+
            $(#[doc = $td] $t,)+
        }

        impl Op {
            /// Every op, in table order.
            pub const ALL: &[Op] = &[$(Op::$u,)+ $(Op::$b,)+ $(Op::$t,)+];

            /// The op's row.
            pub const fn info(self) -> OpInfo {
                match self {
                    $(Op::$u => OpInfo { name: stringify!($un), arity: 1, loops: Loops::$ul, out: Out::$uo,
                        cost: Cost::$uc, ulp: $uu, domain: ($ua, $ub), doc: $ud },)+
                    $(Op::$b => OpInfo { name: stringify!($bn), arity: 2, loops: Loops::$bl, out: Out::$bo,
                        cost: Cost::$bc, ulp: $bu, domain: ($ba, $bb), doc: $bd },)+
                    $(Op::$t => OpInfo { name: stringify!($tn), arity: 3, loops: Loops::$tl, out: Out::$to,
                        cost: Cost::$tc, ulp: $tu, domain: ($ta, $tb), doc: $td },)+
                }
            }
        }
    };
}

for_each_op!(define_ops);

impl Op {
    /// The op with this NumPy name.
    pub fn from_name(name: &str) -> Option<Op> {
        Self::ALL.iter().copied().find(|op| op.info().name == name)
    }
}

macro_rules! define_folds {
    ($(#[doc = $doc:literal] $variant:ident $name:ident;)+) => {
        /// How a reduction combines elements. Composite reductions (`mean`, `var`, `std`) are graphs of these.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Fold {
            $(#[doc = $doc] $variant,)+
        }

        impl Fold {
            /// Every fold, in table order.
            pub const ALL: &[Fold] = &[$(Fold::$variant,)+];

            /// NumPy's name.
            pub const fn name(self) -> &'static str {
                match self { $(Fold::$variant => stringify!($name),)+ }
            }

            /// One line of prose.
            pub const fn doc(self) -> &'static str {
                match self { $(Fold::$variant => $doc.trim_ascii(),)+ }
            }

            /// The fold with this name.
            pub fn from_name(name: &str) -> Option<Fold> {
                Self::ALL.iter().copied().find(|f| f.name() == name)
            }
        }
    };
}

define_folds! {
    /// Sum, over a fixed tree; `float32` accumulates in `float64`. Operands are 64-bit integers or floats.
    Sum sum;
    /// Product, in order. Operands are 64-bit integers or floats.
    Prod prod;
    /// Smallest element; NaN if any is.
    Min min;
    /// Largest element; NaN if any is.
    Max max;
    /// Whether any element is nonzero. Operands and result are `bool`.
    Any any;
    /// Whether all elements are nonzero. Operands and result are `bool`.
    All all;
    /// Index of the first smallest element, or of the first NaN. The result is `int64`.
    Argmin argmin;
    /// Index of the first largest element, or of the first NaN. The result is `int64`.
    Argmax argmax;
}

impl Fold {
    /// The dtype of the result for operands of `dtype`.
    pub fn out_dtype(self, dtype: crate::dtype::DType) -> crate::dtype::DType {
        match self {
            Fold::Argmin | Fold::Argmax => crate::dtype::DType::I64,
            _ => dtype,
        }
    }

    /// Whether an empty operand has a result.
    pub fn has_identity(self) -> bool {
        matches!(self, Fold::Sum | Fold::Prod | Fold::Any | Fold::All)
    }
}
