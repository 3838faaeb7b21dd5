//! Logarithms of sums of powers: `log(e**x + e**y)` and `log2(2**x + 2**y)`.
//!
//! With `m` the larger and `d` the smaller less the larger, `m + log(1 + e**d)`. Everything after `m` is
//! held as a sum of two doubles, so that little is lost when `m` cancels it. May not know: tiles,
//! machines.

use super::exp::{Reduced, clamp, exp_short, exp2_short, reduce, reduce_two};
use super::lanes::sum_error;
use super::log::{INV_LN2, INV_LN2_REST, log1p_parts, log1p_short};

/// The larger, and the smaller less it as a sum of two doubles.
#[inline(always)]
fn ordered(x: f64, y: f64) -> (f64, f64, f64) {
    let (large, small) = if x > y { (x, y) } else { (y, x) };
    let d = small - large;
    let rest = sum_error(small, -large, d);
    (large, d, if d > -2000.0 { rest } else { 0.0 })
}

/// `log(1 + p)` of a power that is reduced.
#[inline(always)]
fn log1p_of(power: &Reduced) -> (f64, f64) {
    let (p, rest) = power.exp_parts();
    log1p_parts(power.scale(p), power.scale(rest))
}

/// `large + (l + l_rest)`, where the operands are numbers.
#[inline(always)]
fn finish(x: f64, y: f64, large: f64, (l, l_rest): (f64, f64)) -> f64 {
    let sum = large + l;
    let sum = sum + (sum_error(large, l, sum) + l_rest);
    let sum = if large.abs() < f64::INFINITY { sum } else { large };
    if x.is_nan() | y.is_nan() { x + y } else { sum }
}

/// `large + l(smaller - large)`, where the operands are numbers, in double precision alone.
#[inline(always)]
fn short(x: f32, y: f32, l: impl Fn(f64) -> f64) -> f32 {
    let (large, small) = if x > y { (x, y) } else { (y, x) };
    let d = f64::from(small) - f64::from(large);
    let sum = (f64::from(large) + l(clamp(d, -700.0, 0.0))) as f32;
    let sum = if large.abs() < f32::INFINITY { sum } else { large };
    if x.is_nan() | y.is_nan() { x + y } else { sum }
}

/// `log(e**x + e**y)`, within 0.51 ulp of the largest of operands and result.
#[inline(always)]
pub fn logaddexp_f32(x: f32, y: f32) -> f32 {
    short(x, y, |d| log1p_short(exp_short(d)))
}

/// `log(e**x + e**y)`, within 0.8 ulp of the largest of operands and result.
#[inline(always)]
pub fn logaddexp_f64(x: f64, y: f64) -> f64 {
    let (large, d, rest) = ordered(x, y);
    finish(x, y, large, log1p_of(&reduce(clamp(d, -746.0, 0.0), rest)))
}

/// `log2(2**x + 2**y)`, within 0.51 ulp of the largest of operands and result.
#[inline(always)]
pub fn logaddexp2_f32(x: f32, y: f32) -> f32 {
    short(x, y, |d| log1p_short(exp2_short(d)) * INV_LN2)
}

/// `log2(2**x + 2**y)`, within 0.8 ulp of the largest of operands and result.
#[inline(always)]
pub fn logaddexp2_f64(x: f64, y: f64) -> f64 {
    let (large, d, rest) = ordered(x, y);
    let (l, l_rest) = log1p_of(&reduce_two(clamp(d, -1080.0, 0.0), rest));
    let part = l * INV_LN2;
    let part_rest = l_rest.mul_add(INV_LN2, l.mul_add(INV_LN2_REST, l.mul_add(INV_LN2, -part)));
    finish(x, y, large, (part, part_rest))
}
