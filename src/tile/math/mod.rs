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
mod exp;
mod hyperbolic;
mod lanes;
mod log;
mod logaddexp;
mod power;
mod root;
mod single;
#[cfg(test)]
mod tests;
mod trig;

pub use angle::{arctan_f64, arctan2_f64};
pub use arc::{arccos_f32, arccos_f64, arcsin_f32, arcsin_f64};
pub use exp::{exp_f64, exp2_f64, expm1_f64};
pub use hyperbolic::{arccosh_f64, arcsinh_f64, arctanh_f64, cosh_f64, sinh_f64, tanh_f64};
pub use log::{log_f64, log1p_f64, log2_f64, log10_f64};
pub use logaddexp::{logaddexp_f32, logaddexp_f64, logaddexp2_f32, logaddexp2_f64};
pub use power::{power_f32, power_f64};
pub use root::{cbrt_f64, hypot_f32, hypot_f64};
pub use single::{
    arccosh_f32, arcsinh_f32, arctan_f32, arctan2_f32, arctanh_f32, cbrt_f32, cos_f32, cosh_f32,
    exp_f32, exp2_f32, expm1_f32, log_f32, log1p_f32, log2_f32, log10_f32, sin_f32, sinh_f32,
    tan_f32, tanh_f32,
};
pub use trig::{cos_f64, sin_f64, tan_f64};

use super::MapFn;
use super::isa::{Isa, pick};
use crate::dtype::DType;
use crate::op::Op;

/// A module of tile functions, compiled for the instruction set in the attribute, and its `map`.
macro_rules! instances {
    ($(#[$attr:meta])* $module:ident) => {
        mod $module {
            use super::{DType, MapFn, Op, angle, exp, hyperbolic, lanes, log, power, root, single, trig};

            instances!(@unary $(#[$attr])*
                exp_f32 f32 single::exp_single, single::exp_applies, exp::exp_wide;
                exp_f64 f64 exp::exp_fast, exp::exp_applies, exp::exp_any;
                log_f32 f32 single::log_single, single::log_applies, single::log_any;
                log_f64 f64 log::log_fast, log::log_applies, log::log_any;
                log10_f32 f32 single::log10_single, single::log_applies, single::log10_any;
                log10_f64 f64 log::log10_fast, log::log_applies, log::log10_any;
                log1p_f32 f32 single::log1p_single, single::log1p_applies, log::log1p_wide;
                log1p_f64 f64 log::log1p_fast, log::log1p_applies, log::log1p_any;
                cbrt_f32 f32 root::cbrt_single, root::cbrt_applies, root::cbrt_wide;
                cbrt_f64 f64 super::cbrt_f64, lanes::always, super::cbrt_f64;
                exp2_f32 f32 single::exp2_single, single::exp2_applies, exp::exp2_wide;
                exp2_f64 f64 exp::exp2_fast, exp::exp2_applies, exp::exp2_any;
                expm1_f32 f32 single::expm1_single, single::exp_applies, exp::expm1_wide;
                expm1_f64 f64 super::expm1_f64, lanes::always, super::expm1_f64;
                log2_f32 f32 single::log2_single, single::log_applies, single::log2_any;
                log2_f64 f64 log::log2_fast, log::log_applies, log::log2_any;
                tan_f32 f32 single::tan_single, single::sin_applies, trig::tan_wide;
                tan_f64 f64 trig::tan_fast, trig::fast_applies, super::tan_f64;
                arcsin_f32 f32 super::arcsin_f32, lanes::always, super::arcsin_f32;
                arcsin_f64 f64 super::arcsin_f64, lanes::always, super::arcsin_f64;
                arccos_f32 f32 super::arccos_f32, lanes::always, super::arccos_f32;
                arccos_f64 f64 super::arccos_f64, lanes::always, super::arccos_f64;
                arctan_f32 f32 super::arctan_f32, lanes::always, super::arctan_f32;
                arctan_f64 f64 super::arctan_f64, lanes::always, super::arctan_f64;
                sinh_f32 f32 single::sinh_single, single::exp_applies, hyperbolic::sinh_wide;
                sinh_f64 f64 hyperbolic::sinh_fast, hyperbolic::fast_applies, hyperbolic::sinh_any;
                cosh_f32 f32 single::cosh_single, single::exp_applies, hyperbolic::cosh_wide;
                cosh_f64 f64 hyperbolic::cosh_fast, hyperbolic::fast_applies, hyperbolic::cosh_any;
                arcsinh_f32 f32 single::arcsinh_single, single::arcsinh_applies, hyperbolic::arcsinh_wide;
                arcsinh_f64 f64 hyperbolic::arcsinh_fast, hyperbolic::arcsinh_applies, hyperbolic::arcsinh_any;
                arccosh_f32 f32 single::arccosh_single, single::arccosh_applies, hyperbolic::arccosh_wide;
                arccosh_f64 f64 hyperbolic::arccosh_fast, hyperbolic::arccosh_applies, hyperbolic::arccosh_any;
                arctanh_f32 f32 single::arctanh_single, single::arctanh_applies, hyperbolic::arctanh_wide;
                arctanh_f64 f64 hyperbolic::arctanh_fast, hyperbolic::arctanh_applies, hyperbolic::arctanh_any;
                tanh_f32 f32 super::tanh_f32, lanes::always, super::tanh_f32;
                tanh_f64 f64 super::tanh_f64, lanes::always, super::tanh_f64;
                sin_f32 f32 single::sin_single, single::sin_applies, trig::sin_wide;
                sin_f64 f64 trig::sin_fast, trig::fast_applies, super::sin_f64;
                cos_f32 f32 single::cos_single, single::sin_applies, trig::cos_wide;
                cos_f64 f64 trig::cos_fast, trig::fast_applies, super::cos_f64;
            );
            instances!(@binary $(#[$attr])*
                power_f32 f32 power::power_single, power::power_single_applies, power::power_wide;
                power_f64 f64 power::power_fast, power::power_applies, power::power_any;
                hypot_f32 f32 super::hypot_f32, lanes::always_two, super::hypot_f32;
                hypot_f64 f64 super::hypot_f64, lanes::always_two, super::hypot_f64;
                arctan2_f32 f32 single::arctan2_single, single::arctan2_applies, angle::arctan2_wide;
                arctan2_f64 f64 angle::arctan2_fast, angle::arctan2_applies, angle::arctan2_any;
                logaddexp_f32 f32 super::logaddexp_f32, lanes::always_two, super::logaddexp_f32;
                logaddexp_f64 f64 super::logaddexp_f64, lanes::always_two, super::logaddexp_f64;
                logaddexp2_f32 f32 super::logaddexp2_f32, lanes::always_two, super::logaddexp2_f32;
                logaddexp2_f64 f64 super::logaddexp2_f64, lanes::always_two, super::logaddexp2_f64;
            );

            pub(super) fn map(op: Op, dtype: DType) -> Option<MapFn> {
                Some(match (op, dtype) {
                    (Op::Exp, DType::F32) => exp_f32,
                    (Op::Exp, DType::F64) => exp_f64,
                    (Op::Log, DType::F32) => log_f32,
                    (Op::Log, DType::F64) => log_f64,
                    (Op::Log10, DType::F32) => log10_f32,
                    (Op::Log10, DType::F64) => log10_f64,
                    (Op::Log1p, DType::F32) => log1p_f32,
                    (Op::Log1p, DType::F64) => log1p_f64,
                    (Op::Tanh, DType::F32) => tanh_f32,
                    (Op::Tanh, DType::F64) => tanh_f64,
                    (Op::Sin, DType::F32) => sin_f32,
                    (Op::Sin, DType::F64) => sin_f64,
                    (Op::Cos, DType::F32) => cos_f32,
                    (Op::Cos, DType::F64) => cos_f64,
                    (Op::Power, DType::F32) => power_f32,
                    (Op::Power | Op::FloatPower, DType::F64) => power_f64,
                    (Op::Cbrt, DType::F32) => cbrt_f32,
                    (Op::Cbrt, DType::F64) => cbrt_f64,
                    (Op::Exp2, DType::F32) => exp2_f32,
                    (Op::Exp2, DType::F64) => exp2_f64,
                    (Op::Expm1, DType::F32) => expm1_f32,
                    (Op::Expm1, DType::F64) => expm1_f64,
                    (Op::Log2, DType::F32) => log2_f32,
                    (Op::Log2, DType::F64) => log2_f64,
                    (Op::Tan, DType::F32) => tan_f32,
                    (Op::Tan, DType::F64) => tan_f64,
                    (Op::Arcsin, DType::F32) => arcsin_f32,
                    (Op::Arcsin, DType::F64) => arcsin_f64,
                    (Op::Arccos, DType::F32) => arccos_f32,
                    (Op::Arccos, DType::F64) => arccos_f64,
                    (Op::Arctan, DType::F32) => arctan_f32,
                    (Op::Arctan, DType::F64) => arctan_f64,
                    (Op::Sinh, DType::F32) => sinh_f32,
                    (Op::Sinh, DType::F64) => sinh_f64,
                    (Op::Cosh, DType::F32) => cosh_f32,
                    (Op::Cosh, DType::F64) => cosh_f64,
                    (Op::Arcsinh, DType::F32) => arcsinh_f32,
                    (Op::Arcsinh, DType::F64) => arcsinh_f64,
                    (Op::Arccosh, DType::F32) => arccosh_f32,
                    (Op::Arccosh, DType::F64) => arccosh_f64,
                    (Op::Arctanh, DType::F32) => arctanh_f32,
                    (Op::Arctanh, DType::F64) => arctanh_f64,
                    (Op::Hypot, DType::F32) => hypot_f32,
                    (Op::Hypot, DType::F64) => hypot_f64,
                    (Op::Arctan2, DType::F32) => arctan2_f32,
                    (Op::Arctan2, DType::F64) => arctan2_f64,
                    (Op::Logaddexp, DType::F32) => logaddexp_f32,
                    (Op::Logaddexp, DType::F64) => logaddexp_f64,
                    (Op::Logaddexp2, DType::F32) => logaddexp2_f32,
                    (Op::Logaddexp2, DType::F64) => logaddexp2_f64,
                    _ => return None,
                })
            }
        }
    };
    (@unary $(#[$attr:meta])* $($name:ident $t:ident $fast:expr, $applies:expr, $wide:expr;)+) => {
        instances!(@each [$(#[$attr])*] $([$name $t $fast, $applies, $wide])+);
    };
    (@each $attrs:tt $($row:tt)+) => { $(instances!(@one $attrs $row);)+ };
    (@one [$(#[$attr:meta])*] [$name:ident $t:ident $fast:expr, $applies:expr, $wide:expr]) => {
        /// # Safety
        /// As of [`MapFn`], on a machine that has the instruction set of the module.
        $(#[$attr])*
        unsafe extern "C" fn $name(
            out: *mut u8, a: *const u8, _: *const u8, _: *const u8, n: usize, _: *mut u32,
        ) {
            // SAFETY: the caller promises readable and writable tiles.
            unsafe { lanes::unary::<$t, { 128 / size_of::<$t>() }>(out, a, n, |x| $fast(x), |x| $applies(x), |x| $wide(x)) }
        }
    };
    (@binary $(#[$attr:meta])* $($name:ident $t:ident $fast:expr, $applies:expr, $wide:expr;)+) => {
        instances!(@each2 [$(#[$attr])*] $([$name $t $fast, $applies, $wide])+);
    };
    (@each2 $attrs:tt $($row:tt)+) => { $(instances!(@one2 $attrs $row);)+ };
    (@one2 [$(#[$attr:meta])*] [$name:ident $t:ident $fast:expr, $applies:expr, $wide:expr]) => {
        /// # Safety
        /// As of [`MapFn`], on a machine that has the instruction set of the module.
        $(#[$attr])*
        unsafe extern "C" fn $name(
            out: *mut u8, a: *const u8, b: *const u8, _: *const u8, n: usize, _: *mut u32,
        ) {
            // SAFETY: the caller promises readable and writable tiles.
            unsafe { lanes::binary::<$t, { 128 / size_of::<$t>() }>(out, a, b, n, |x, y| $fast(x, y), |x, y| $applies(x, y), |x, y| $wide(x, y)) }
        }
    };
}

instances!(portable);
#[cfg(target_arch = "x86_64")]
instances!(
    #[target_feature(enable = "avx2,fma")]
    avx2
);

#[cfg(target_arch = "x86_64")]
instances!(
    #[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")]
    avx512
);

/// The tile function of `op` on operands of `dtype`; `None` where this module has none.
pub fn map(op: Op, dtype: DType) -> Option<MapFn> {
    map_on(Isa::here(), op, dtype)
}

/// The same, built for `isa`.
fn map_on(isa: Isa, op: Op, dtype: DType) -> Option<MapFn> {
    pick!(isa => fn(Op, DType) -> Option<MapFn>, portable::map, avx2::map, avx512::map)(op, dtype)
}
