//! THE table: one row per op. Enum, names, docs, stubs, tests and Python functions come from it.
//!
//! To add an op write its row here and its scalar meaning in `tile::scalar` (or `tile::math`); an
//! inline form in `codegen::inline` is optional. `design/adding.md` walks through one.

use super::{Cost, Loops, OpInfo, Out};
use crate::dtype::DType;

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
            Tanh tanh Float Same Heavy 1.0 (-8.0, 8.0) "Hyperbolic tangent.";
            Sin sin Float Same Heavy 1.0 (-100.0, 100.0) "Sine of radians.";
            Cos cos Float Same Heavy 1.0 (-100.0, 100.0) "Cosine of radians.";
            Isnan isnan All Bool Light 0.0 (-1e6, 1e6) "Whether `x` is NaN.";
            Isinf isinf All Bool Light 0.0 (-1e6, 1e6) "Whether `x` is an infinity.";
            Isfinite isfinite All Bool Light 0.0 (-1e6, 1e6) "Whether `x` is neither NaN nor an infinity.";
            LogicalNot logical_not All Bool Light 0.0 (-2.0, 2.0) "Whether `x` is zero.";
            Invert invert Bits Same Light 0.0 (-1e6, 1e6) "Flips every bit; of a `bool`, not.";
            Conjugate conjugate Number Same Light 0.0 (-1e6, 1e6) "Complex conjugate: of real numbers, themselves.";
            Fabs fabs Float Same Light 0.0 (-1e6, 1e6) "Absolute value: `|x|`, always floating point.";
            Signbit signbit Float Bool Light 0.0 (-1e6, 1e6) "Whether the sign is set: of negative numbers and -0.0.";
            Spacing spacing Float Same Light 0.0 (-1e6, 1e6) "Distance to the next number away from 0; of `float16`, to the next above.";
            Deg2rad deg2rad Float Same Light 0.0 (-720.0, 720.0) "Degrees as radians: `x * (pi / 180)`.";
            Rad2deg rad2deg Float Same Light 0.0 (-10.0, 10.0) "Radians as degrees: `x * (180 / pi)`.";
            FrexpMantissa frexp_mantissa Float Same Light 0.0 (-1e6, 1e6) "First result of `frexp`: `m` of `x = m * 2**e`, with `0.5 <= |m| < 1`.";
            FrexpExponent frexp_exponent Float I32 Light 0.0 (-1e6, 1e6) "Second result of `frexp`: `e` of `x = m * 2**e`; 0 for 0, NaN and infinities.";
            ModfFraction modf_fraction Float Same Light 0.0 (-1e4, 1e4) "First result of `modf`: what is behind the point, with the sign of `x`.";
            ModfWhole modf_whole Float Same Light 0.0 (-1e4, 1e4) "Second result of `modf`: what is before the point, always floating point.";
            BitwiseCount bitwise_count Int U8 Light 0.0 (-1e6, 1e6) "How many bits of `|x|` are set.";
            Cbrt cbrt Float Same Heavy 1.0 (-1e6, 1e6) "Cube root.";
            Exp2 exp2 Float Same Heavy 1.0 (-120.0, 120.0) "Power of two: `2**x`.";
            Expm1 expm1 Float Same Heavy 1.0 (-5.0, 80.0) "`e**x - 1`, accurate near 0.";
            Log2 log2 Float Same Heavy 1.0 (1e-6, 1e6) "Binary logarithm; -inf at 0, NaN below.";
            Tan tan Float Same Heavy 1.0 (-100.0, 100.0) "Tangent of radians.";
            Arcsin arcsin Float Same Heavy 1.0 (-1.0, 1.0) "Inverse sine, in radians; NaN outside of -1 to 1.";
            Arccos arccos Float Same Heavy 1.0 (-1.0, 1.0) "Inverse cosine, in radians; NaN outside of -1 to 1.";
            Arctan arctan Float Same Heavy 1.0 (-10.0, 10.0) "Inverse tangent, in radians.";
            Sinh sinh Float Same Heavy 1.0 (-80.0, 80.0) "Hyperbolic sine.";
            Cosh cosh Float Same Heavy 1.0 (-80.0, 80.0) "Hyperbolic cosine.";
            Arcsinh arcsinh Float Same Heavy 1.0 (-1e3, 1e3) "Inverse hyperbolic sine.";
            Arccosh arccosh Float Same Heavy 1.0 (1.0, 1e3) "Inverse hyperbolic cosine; NaN below 1.";
            Arctanh arctanh Float Same Heavy 1.0 (-1.0, 1.0) "Inverse hyperbolic tangent; infinite at -1 and 1, NaN beyond.";
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
            Fmod fmod Number Same Light 0.0 (-1e3, 1e3) "Remainder with the dividend's sign, as C has it; an integer by 0 is 0.";
            Fmin fmin All Same Light 0.0 (-1e6, 1e6) "Smaller of two; the other if one is NaN.";
            Fmax fmax All Same Light 0.0 (-1e6, 1e6) "Larger of two; the other if one is NaN.";
            Copysign copysign Float Same Light 0.0 (-1e6, 1e6) "`|a|` with the sign of `b`.";
            Nextafter nextafter Float Same Light 0.0 (-1e3, 1e3) "The number next to `a` in the direction of `b`.";
            Heaviside heaviside Float Same Light 0.0 (-1e3, 1e3) "0 below 0, 1 above, `b` at 0.";
            Ldexp ldexp Ldexp Same Light 0.0 (-100.0, 100.0) "`a * 2**b` with an integer `b`, rounded once.";
            Gcd gcd Whole Same Heavy 0.0 (-1e6, 1e6) "Greatest common divisor, never negative but for the lowest integer.";
            Lcm lcm Whole Same Heavy 0.0 (-1e3, 1e3) "Least common multiple; wraps.";
            FloatPower float_power Double Same Heavy 1.0 (0.1, 8.0) "`a` to the power `b`, in `float64`.";
            Hypot hypot Float Same Heavy 1.0 (-1e3, 1e3) "Hypotenuse: the root of `a*a + b*b`, without overflow on the way.";
            Arctan2 arctan2 Float Same Heavy 1.0 (-1e3, 1e3) "Angle of the point with ordinate `a` and abscissa `b`, in radians.";
            Logaddexp logaddexp Float Same Heavy 1.0 (-100.0, 100.0) "`log(e**a + e**b)`; the error is in units of the larger of result and operands.";
            Logaddexp2 logaddexp2 Float Same Heavy 1.0 (-100.0, 100.0) "`log2(2**a + 2**b)`; the error is in units of the larger of result and operands.";
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
    /// Whether it is one half of a function of NumPy's with two results, and no function itself.
    pub fn is_half(self) -> bool {
        matches!(self, Op::FrexpMantissa | Op::FrexpExponent | Op::ModfFraction | Op::ModfWhole)
    }

    /// The op with this NumPy name.
    pub fn from_name(name: &str) -> Option<Op> {
        Self::ALL.iter().copied().find(|op| op.info().name == name)
    }

    /// The dtype of the result for operands of `dtype` (for [`Op::Where`], the two after the condition).
    pub const fn out_dtype(self, dtype: DType) -> DType {
        match self.info().out {
            Out::Same => dtype,
            Out::Bool => DType::Bool,
            Out::U8 => DType::U8,
            Out::I32 => DType::I32,
        }
    }

    /// Whether the engine computes the op in `dtype` itself. It has few loops for `float16`: others are
    /// computed in `float32`.
    pub fn has_loop(self, dtype: DType) -> bool {
        let half = matches!(self, Op::Where | Op::Nextafter | Op::Spacing);
        self.info().loops.contain(dtype) && (dtype != DType::F16 || half)
    }

    /// The dtype that the engine computes the op of NumPy's loop for `dtype` in.
    pub fn compute_dtype(self, dtype: DType) -> DType {
        if self.has_loop(dtype) { dtype } else { DType::F32 }
    }

    /// Whether it compares, and numbers that a dtype cannot hold are no mistake.
    pub fn is_comparison(self) -> bool {
        use Op::{Equal, Greater, GreaterEqual, Less, LessEqual, NotEqual};
        matches!(self, Equal | NotEqual | Less | LessEqual | Greater | GreaterEqual)
    }

    /// Whether NumPy's loop for `dtype` takes the first of two equal operands, and ours the second, which shows
    /// in zeros of both signs.
    pub fn takes_first_of_equals(self, dtype: DType) -> bool {
        dtype == DType::F16 && matches!(self, Op::Minimum | Op::Maximum | Op::Fmin | Op::Fmax)
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

/// Reductions over so many elements, along the last axis, are folded side by side: as frames.
pub const FRAMES: [usize; 3] = [2, 4, 8];

/// What a fold takes of each element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Measure {
    /// The element.
    Itself,
    /// Its square, rounded as the op rounds it.
    Square,
    /// Its absolute value.
    Magnitude,
    /// Of truth values, 0 or 1 as the integer that is folded.
    Truth,
}

impl Measure {
    /// All of them.
    pub const ALL: [Measure; 4] =
        [Measure::Itself, Measure::Square, Measure::Magnitude, Measure::Truth];

    /// What it adds to a fold's name in texts.
    pub fn suffix(self) -> &'static str {
        match self {
            Measure::Itself => "",
            Measure::Square => ".square",
            Measure::Magnitude => ".absolute",
            Measure::Truth => ".truth",
        }
    }

    /// The dtype of elements of which it is taken for a fold of `dtype`.
    pub fn element(self, dtype: DType) -> DType {
        if self == Measure::Truth { DType::Bool } else { dtype }
    }
}

impl Fold {
    /// Whether there is a fold of `dtype` that takes `measure` of elements.
    pub fn takes(self, measure: Measure, dtype: DType) -> bool {
        let float = matches!(dtype, DType::F32 | DType::F64);
        match measure {
            Measure::Itself => true,
            Measure::Square => self == Fold::Sum && float,
            Measure::Magnitude => matches!(self, Fold::Sum | Fold::Max) && float,
            Measure::Truth => self == Fold::Sum && dtype == DType::I64,
        }
    }

    /// The dtype of the result for operands of `dtype`.
    pub fn out_dtype(self, dtype: DType) -> DType {
        match self {
            Fold::Argmin | Fold::Argmax => DType::I64,
            _ => dtype,
        }
    }

    /// Whether an empty operand has a result.
    pub fn has_identity(self) -> bool {
        matches!(self, Fold::Sum | Fold::Prod | Fold::Any | Fold::All)
    }
}
