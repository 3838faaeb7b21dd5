//! Accurate elementary functions, as scalar functions and as tile functions.
//!
//! Every function is written once, as branch-free scalar code with explicit fused steps. `float32` has
//! up to two forms: one in [`single`] precision for ordinary arguments, and one by way of `float64`
//! for the rest. The tile functions run that code in loops that the compiler vectorizes, compiled once
//! for every instruction set below; so all of them, and the scalar functions, give the same bits (but
//! for which NaN a NaN is).
//!
//! May not know: graphs, loops, other ops.

mod angle;
mod arc;
mod arctan_single;
mod exp;
mod hyperbolic;
mod lanes;
mod log;
mod log_table;
mod logaddexp;
mod power;
mod root;
mod single;
mod table;
mod tanh_single;
#[cfg(test)]
mod tests;
mod trig;

pub use angle::{arctan_f64, arctan2_f64};
pub use arc::{arccos_f32, arccos_f64, arcsin_f32, arcsin_f64};
pub use arctan_single::arctan_f32;
pub use exp::{exp_f64, exp2_f64, expm1_f64};
pub use hyperbolic::{arccosh_f64, arcsinh_f64, arctanh_f64, cosh_f64, sinh_f64, tanh_f64};
pub use log::log1p_f64;
pub use log_table::{log_f32, log_f64, log2_f32, log2_f64, log10_f32, log10_f64};
pub use logaddexp::{logaddexp_f32, logaddexp_f64, logaddexp2_f32, logaddexp2_f64};
pub use power::{power_f32, power_f64};
pub use root::{cbrt_f64, hypot_f32, hypot_f64};
pub use single::{
    arccosh_f32, arcsinh_f32, arctan2_f32, arctanh_f32, cbrt_f32, cos_f32, cosh_f32, exp_f32,
    exp2_f32, expm1_f32, log1p_f32, sin_f32, sinh_f32, tan_f32,
};
pub use tanh_single::tanh_f32;
pub use trig::{cos_f64, sin_f64, tan_f64};

use super::MapFn;
use super::isa::{Isa, pick};
use crate::dtype::DType;
use crate::op::Op;
use lanes::{Binary, Unary};
use table::{Real, Table, Tables};

/// An instruction set, for which tile functions are built.
trait Build<T: Real> {
    /// The tile function of a function of one operand.
    fn one<F: Unary<T, 0>>() -> MapFn;
    /// The same of one that looks up.
    fn one_by_table<F: Unary<T, K>, const K: usize>() -> MapFn;
    /// The tile function of a function of two operands.
    fn two<F: Binary<T, 0>>() -> MapFn;
    /// The same of one that looks up.
    fn two_by_table<F: Binary<T, K>, const K: usize>() -> MapFn;
}

/// The builds for an instruction set, by which functions with tables take so many bytes of `float32` at once, and so
/// many of `float64`.
///
/// One vector stays in registers between lookup and function, if the compiler packs its elements again, as it does
/// sixteen. Other loops over a few elements it packs in part: they are made longer, and what is found passes through
/// memory.
macro_rules! build {
    ($isa:ident $single:literal $double:literal $(#[$attr:meta])*) => {
        build!(@of f32 $isa $single $(#[$attr])*);
        build!(@of f64 $isa $double $(#[$attr])*);
    };
    (@of $t:ident $isa:ident $bytes:literal $(#[$attr:meta])*) => {
        impl Build<$t> for table::$isa {
            fn one<F: Unary<$t, 0>>() -> MapFn {
                build!(@run [$(#[$attr])*] [F] [F: Unary<$t, 0>] (out, a, _b, n)
                    lanes::unary::<$t, F, { 128 / size_of::<$t>() }>(out, a, n))
            }

            fn one_by_table<F: Unary<$t, K>, const K: usize>() -> MapFn {
                /// # Safety
                /// As of [`lanes::vectors`].
                $(#[$attr])*
                unsafe fn fast<F: Unary<$t, K>, const K: usize>(
                    to: *mut $t, from: *const $t, count: usize,
                ) -> bool {
                    // SAFETY: the caller's promise.
                    unsafe { lanes::vectors::<$t, table::$isa, F, { $bytes / size_of::<$t>() }, K>(to, from, count) }
                }
                build!(@run [$(#[$attr])*] [F, K] [F: Unary<$t, K>, const K: usize] (out, a, _b, n)
                    lanes::unary_by_table::<$t, F, { 256 / size_of::<$t>() }, K>(out, a, n, fast::<F, K>))
            }

            fn two<F: Binary<$t, 0>>() -> MapFn {
                build!(@run [$(#[$attr])*] [F] [F: Binary<$t, 0>] (out, a, b, n)
                    lanes::binary::<$t, F, { 128 / size_of::<$t>() }>(out, a, b, n))
            }

            fn two_by_table<F: Binary<$t, K>, const K: usize>() -> MapFn {
                /// # Safety
                /// As of [`lanes::vectors_of_two`].
                $(#[$attr])*
                unsafe fn fast<F: Binary<$t, K>, const K: usize>(
                    to: *mut $t, from: *const $t, other: *const $t, count: usize,
                ) -> bool {
                    // SAFETY: the caller's promise.
                    unsafe {
                        lanes::vectors_of_two::<$t, table::$isa, F, { $bytes / size_of::<$t>() }, K>(to, from, other, count)
                    }
                }
                build!(@run [$(#[$attr])*] [F, K] [F: Binary<$t, K>, const K: usize] (out, a, b, n)
                    lanes::binary_by_table::<$t, F, { 256 / size_of::<$t>() }, K>(out, a, b, n, fast::<F, K>))
            }
        }
    };
    (@run [$(#[$attr:meta])*] [$($given:tt)+] [$($of:tt)+] ($out:ident, $a:ident, $b:ident, $n:ident) $loop:expr) => {{
        /// # Safety
        /// As of [`MapFn`], on a machine that has the instruction set.
        $(#[$attr])*
        unsafe extern "C" fn run<$($of)+>(
            $out: *mut u8, $a: *const u8, $b: *const u8, _: *const u8, $n: usize, _: *mut u32,
        ) {
            // SAFETY: the caller promises the instructions, and readable and writable tiles.
            unsafe { $loop }
        }
        run::<$($given)+>
    }};
}

build!(Portable 256 256);
#[cfg(target_arch = "x86_64")]
build!(Avx2 256 256 #[target_feature(enable = "avx2,fma")]);
#[cfg(target_arch = "x86_64")]
build!(Avx512 64 128 #[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")]);

/// A function that looks nothing up, in its forms: the fast one, where that applies, and one for all else.
macro_rules! one {
    ($t:ident: $of:path) => {
        one!($t: $of, lanes::always, $of)
    };
    ($t:ident: $fast:path, $applies:path, $wide:path) => {{
        struct It;
        impl Tables<$t, 0> for It {
            const TABLES: [Table<$t>; 0] = [];
        }

        impl Unary<$t, 0> for It {
            #[inline(always)]
            fn index(_: $t) -> <$t as Real>::Index {
                0
            }
            #[inline(always)]
            fn fast(x: $t, _: [$t; 0]) -> $t {
                $fast(x)
            }
            #[inline(always)]
            fn applies(x: $t) -> bool {
                $applies(x)
            }
            #[inline(always)]
            fn wide(x: $t) -> $t {
                $wide(x)
            }
        }
        B::one::<It>()
    }};
}
/// The same of two operands.
macro_rules! two {
    ($t:ident: $of:path) => {
        two!($t: $of, lanes::always_two, $of)
    };
    ($t:ident: $fast:path, $applies:path, $wide:path) => {{
        struct It;
        impl Tables<$t, 0> for It {
            const TABLES: [Table<$t>; 0] = [];
        }

        impl Binary<$t, 0> for It {
            #[inline(always)]
            fn index(_: $t, _: $t) -> <$t as Real>::Index {
                0
            }
            #[inline(always)]
            fn fast(x: $t, y: $t, _: [$t; 0]) -> $t {
                $fast(x, y)
            }
            #[inline(always)]
            fn applies(x: $t, y: $t, _: [$t; 0]) -> bool {
                $applies(x, y)
            }
            #[inline(always)]
            fn wide(x: $t, y: $t) -> $t {
                $wide(x, y)
            }
        }
        B::two::<It>()
    }};
}

/// The tile function of `op` on `float32`, built by `B`.
fn on_f32<B: Build<f32>>(op: Op) -> Option<MapFn> {
    Some(match op {
        Op::Exp => one!(f32: single::exp_single, single::exp_applies, exp::exp_wide),
        Op::Log => B::one_by_table::<log_table::LogF32, 3>(),
        Op::Log10 => B::one_by_table::<log_table::Log10F32, 3>(),
        Op::Log1p => one!(f32: single::log1p_single, single::log1p_applies, log::log1p_wide),
        Op::Cbrt => one!(f32: root::cbrt_single, root::cbrt_applies, root::cbrt_wide),
        Op::Exp2 => one!(f32: single::exp2_single, single::exp2_applies, exp::exp2_wide),
        Op::Expm1 => one!(f32: single::expm1_single, single::exp_applies, exp::expm1_wide),
        Op::Log2 => B::one_by_table::<log_table::Log2F32, 3>(),
        Op::Tan => one!(f32: single::tan_single, single::sin_applies, trig::tan_wide),
        Op::Arcsin => one!(f32: arcsin_f32),
        Op::Arccos => one!(f32: arccos_f32),
        Op::Arctan => B::one_by_table::<arctan_single::Arctan, 6>(),
        Op::Sinh => {
            one!(f32: single::sinh_single, single::exp_applies, hyperbolic::sinh_wide)
        }
        Op::Cosh => {
            one!(f32: single::cosh_single, single::exp_applies, hyperbolic::cosh_wide)
        }
        Op::Arcsinh => {
            one!(f32: single::arcsinh_single, single::arcsinh_applies, hyperbolic::arcsinh_wide)
        }
        Op::Arccosh => {
            one!(f32: single::arccosh_single, single::arccosh_applies, hyperbolic::arccosh_wide)
        }
        Op::Arctanh => {
            one!(f32: single::arctanh_single, single::arctanh_applies, hyperbolic::arctanh_wide)
        }
        Op::Tanh => B::one_by_table::<tanh_single::Tanh, 8>(),
        Op::Sin => one!(f32: single::sin_single, single::sin_applies, trig::sin_wide),
        Op::Cos => one!(f32: single::cos_single, single::sin_applies, trig::cos_wide),
        Op::Power => B::two_by_table::<power::Power, 3>(),
        Op::Hypot => two!(f32: hypot_f32),
        Op::Arctan2 => {
            two!(f32: single::arctan2_single, single::arctan2_applies, angle::arctan2_wide)
        }
        Op::Logaddexp => two!(f32: logaddexp_f32),
        Op::Logaddexp2 => two!(f32: logaddexp2_f32),
        _ => return None,
    })
}

/// The tile function of `op` on `float64`, built by `B`.
fn on_f64<B: Build<f64>>(op: Op) -> Option<MapFn> {
    Some(match op {
        Op::Exp => one!(f64: exp::exp_fast, exp::exp_applies, exp::exp_any),
        Op::Log => B::one_by_table::<log_table::LogF64, 3>(),
        Op::Log10 => B::one_by_table::<log_table::Log10F64, 3>(),
        Op::Log1p => one!(f64: log::log1p_fast, log::log1p_applies, log::log1p_any),
        Op::Cbrt => one!(f64: root::cbrt_fast, root::cbrt_fast_applies, root::cbrt_any),
        Op::Exp2 => one!(f64: exp::exp2_fast, exp::exp2_applies, exp::exp2_any),
        Op::Expm1 => one!(f64: exp::expm1_fast, exp::exp_applies, exp::expm1_any),
        Op::Log2 => B::one_by_table::<log_table::Log2F64, 3>(),
        Op::Tan => one!(f64: trig::tan_fast, trig::fast_applies, tan_f64),
        Op::Arcsin => one!(f64: arcsin_f64),
        Op::Arccos => one!(f64: arccos_f64),
        Op::Arctan => one!(f64: arctan_f64),
        Op::Sinh => {
            one!(f64: hyperbolic::sinh_fast, hyperbolic::fast_applies, hyperbolic::sinh_any)
        }
        Op::Cosh => {
            one!(f64: hyperbolic::cosh_fast, hyperbolic::fast_applies, hyperbolic::cosh_any)
        }
        Op::Arcsinh => {
            one!(f64: hyperbolic::arcsinh_fast, hyperbolic::arcsinh_applies, hyperbolic::arcsinh_any)
        }
        Op::Arccosh => {
            one!(f64: hyperbolic::arccosh_fast, hyperbolic::arccosh_applies, hyperbolic::arccosh_any)
        }
        Op::Arctanh => {
            one!(f64: hyperbolic::arctanh_fast, hyperbolic::arctanh_applies, hyperbolic::arctanh_any)
        }
        Op::Tanh => one!(f64: tanh_f64),
        Op::Sin => one!(f64: trig::sin_fast, trig::fast_applies, sin_f64),
        Op::Cos => one!(f64: trig::cos_fast, trig::fast_applies, cos_f64),
        Op::Power | Op::FloatPower => {
            two!(f64: power::power_fast, power::power_applies, power::power_any)
        }
        Op::Hypot => two!(f64: hypot_f64),
        Op::Arctan2 => {
            two!(f64: angle::arctan2_fast, angle::arctan2_applies, angle::arctan2_any)
        }
        Op::Logaddexp => two!(f64: logaddexp_f64),
        Op::Logaddexp2 => two!(f64: logaddexp2_f64),
        _ => return None,
    })
}

/// The tile function of `op` on operands of `dtype`, built by `B`.
fn map_by<B: Build<f32> + Build<f64>>(op: Op, dtype: DType) -> Option<MapFn> {
    match dtype {
        DType::F32 => on_f32::<B>(op),
        DType::F64 => on_f64::<B>(op),
        _ => None,
    }
}

/// The tile function of `op` on operands of `dtype`; `None` where this module has none.
pub fn map(op: Op, dtype: DType) -> Option<MapFn> {
    map_on(Isa::here(), op, dtype)
}

/// The same, built for `isa`.
fn map_on(isa: Isa, op: Op, dtype: DType) -> Option<MapFn> {
    pick!(isa => fn(Op, DType) -> Option<MapFn>,
        map_by::<table::Portable>, map_by::<table::Avx2>, map_by::<table::Avx512>)(op, dtype)
}
