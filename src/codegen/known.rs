//! What a run's invariant operands are like, asked once before a loop, so that its main loop can do
//! with fewer instructions and the same bits.
//!
//! - A bound of `minimum` or `maximum` that is no NaN: NaN comes from the other operand alone.
//! - Bounds that are whole numbers, of what `rint` gives and a cast to integers takes: rounding may come last,
//!   where some machines do it with the cast.
//! - A divisor that is a power of two: to divide by it is to multiply by its reciprocal, exactly.
//!
//! Kernels hold no values, so each case is a main loop of its own. May not know: how loops are written.

use cranelift_codegen::cursor::FuncCursor;
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Value};

use super::emit::{Emit, splat};
use super::group::Turn;
use super::inline;
use super::plan::Inline;
use super::vector::{Key, Lanes, vector};
use crate::dtype::{DType, Kind};
use crate::error::Result;
use crate::loops::Line;
use crate::op::Op;

/// What the bounds of `minimum` and `maximum` are known to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Bounds {
    /// Anything.
    #[default]
    Any,
    /// Neither NaN nor -0.0.
    Numbers,
    /// Neither NaN nor a zero.
    NotZero,
}

/// What a loop takes for granted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Known {
    bounds: Bounds,
    /// Whether bounds between a `rint` and a cast to integers are whole numbers.
    whole: bool,
    /// Whether divisors are powers of two, whose reciprocals are exact.
    powers: bool,
}

/// A line with an operand that does not vary.
struct Against {
    /// The invariant operand.
    fixed: u32,
    /// The other one.
    moving: u32,
    /// Whether the invariant one stands first.
    first: bool,
}

impl Emit<'_, '_> {
    /// The main loops of a step, each with the condition under which it is right; the first that is
    /// right is run. `always`: the last one is always right, even if it takes nothing for granted.
    pub(super) fn variants(
        &mut self,
        step: &Inline,
        always: bool,
    ) -> Result<Vec<(Known, Option<Value>)>> {
        let bounds: Vec<u32> =
            step.lines.iter().filter_map(|&l| self.bound(l)).map(|b| b.fixed).collect();
        let divisors: Vec<u32> = step.lines.iter().filter_map(|&l| self.divisor(l)).collect();
        let powers = self.all(&divisors, Self::is_power)?;
        let mut out = Vec::new();
        let mut add = |e: &mut Self, bounds: Bounds, whole: bool, holds: Option<Value>| {
            let holds = e.both(holds, powers);
            out.push((Known { bounds, whole, powers: powers.is_some() }, holds));
        };
        if bounds.is_empty() {
            if powers.is_some() {
                add(self, Bounds::Any, false, None);
            }
        } else {
            let rounded: Vec<u32> = step.lines.iter().flat_map(|&l| self.rounded(l)).collect();
            let fixed: Vec<u32> =
                rounded.iter().filter_map(|&l| self.bound(l)).map(|b| b.fixed).collect();
            let whole = self.all(&fixed, Self::is_whole)?;
            let holds = self.all(&bounds, Self::is_not_zero)?;
            let holds = self.both(holds, whole);
            add(self, Bounds::NotZero, whole.is_some(), holds);
            let holds = self.all(&bounds, Self::is_number)?;
            add(self, Bounds::Numbers, false, holds);
        }
        if always && (bounds.is_empty() || powers.is_some()) {
            out.push((Known::default(), None));
        }
        Ok(out)
    }

    /// Whether `test` holds for all these lines; `None` where there are none.
    fn all(
        &mut self,
        lines: &[u32],
        test: fn(&mut Self, Value, DType) -> Value,
    ) -> Result<Option<Value>> {
        let mut all = None;
        for (k, &line) in lines.iter().enumerate() {
            if lines[..k].contains(&line) {
                continue;
            }
            let (v, dtype) = (self.scalar(line)?, self.dtype(line)?);
            let holds = test(self, v, dtype);
            all = Some(match all {
                Some(all) => self.f.ins().band(all, holds),
                None => holds,
            });
        }
        Ok(all)
    }

    /// Whether both hold, where there are any.
    fn both(&mut self, a: Option<Value>, b: Option<Value>) -> Option<Value> {
        match (a, b) {
            (Some(a), Some(b)) => Some(self.f.ins().band(a, b)),
            (a, b) => a.or(b),
        }
    }

    /// The operands of a float minimum or maximum of which one varies.
    fn bound(&self, line: u32) -> Option<Against> {
        match &self.kernel.lines[line as usize] {
            Line::Map { op: Op::Minimum | Op::Maximum, dtype, args } if dtype.is_float() => {
                let invariant = |v: u32| self.plan.invariant[v as usize];
                match (invariant(args[0]), invariant(args[1])) {
                    (true, false) => Some(Against { fixed: args[0], moving: args[1], first: true }),
                    (false, true) => {
                        Some(Against { fixed: args[1], moving: args[0], first: false })
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// The line that alone uses a value.
    fn only_user(&self, line: u32) -> Option<u32> {
        let lines = &self.kernel.lines;
        let mut users = (0..lines.len()).filter(|&u| lines[u].args().contains(&line));
        let (user, more) = (users.next(), users.next());
        more.is_none().then_some(user? as u32)
    }

    /// The lines that bound what a `rint` gives before it is cast to integers, each the only user of the one
    /// before; none if the line is something else, or something else looks at them.
    fn rounded(&self, line: u32) -> Vec<u32> {
        let lines = &self.kernel.lines;
        let mut bounds = Vec::new();
        if !matches!(lines[line as usize], Line::Map { op: Op::Rint, dtype: DType::F32, .. }) {
            return bounds;
        }
        let mut at = line;
        while self.plan.place[at as usize].is_none()
            && let Some(user) = self.only_user(at)
        {
            match lines[user as usize] {
                Line::Cast { to, .. } if to.kind() == Kind::Int => return bounds,
                _ if self.bound(user).is_some() => bounds.push(user),
                _ => break,
            }
            at = user;
        }
        Vec::new()
    }

    /// Whether a line is the last that bounds what a `rint` gives.
    fn is_last_of_rounded(&self, line: u32) -> bool {
        let mut at = line;
        while let Some(Against { moving, .. }) = self.bound(at) {
            at = moving;
        }
        self.rounded(at).last() == Some(&line)
    }

    /// The invariant divisor of a float division of what varies.
    fn divisor(&self, line: u32) -> Option<u32> {
        match &self.kernel.lines[line as usize] {
            Line::Map { op: Op::Divide, dtype, args } if dtype.is_float() => {
                let invariant = |v: u32| self.plan.invariant[v as usize];
                (invariant(args[1]) && !invariant(args[0])).then_some(args[1])
            }
            _ => None,
        }
    }

    fn is_not_zero(&mut self, v: Value, dtype: DType) -> Value {
        let zero = self.float(0.0, dtype);
        let above = self.f.ins().fcmp(FloatCC::GreaterThan, v, zero);
        let below = self.f.ins().fcmp(FloatCC::GreaterThan, zero, v);
        self.f.ins().bor(above, below)
    }

    fn is_number(&mut self, v: Value, dtype: DType) -> Value {
        let some = self.is_not_zero(v, dtype);
        let bits = self.bits(v, dtype);
        let zero = self.f.ins().icmp_imm_s(IntCC::Equal, bits, 0);
        self.f.ins().bor(some, zero)
    }

    fn is_whole(&mut self, v: Value, _: DType) -> Value {
        let nearest = self.f.ins().nearest(v);
        self.f.ins().fcmp(FloatCC::Equal, nearest, v)
    }

    /// Whether a float is a power of two, of either sign, whose reciprocal is a normal number too.
    fn is_power(&mut self, v: Value, dtype: DType) -> Value {
        let (fraction, top) = if dtype == DType::F32 { (23, 253) } else { (52, 2045) };
        let bits = self.bits(v, dtype);
        // Without the sign. A power of two has no fraction; its exponent is 1 to `top`.
        let bits = self.f.ins().ishl_imm_u(bits, 1);
        let rest = self.f.ins().ishl_imm_u(bits, i64::from(dtype.size() as i32 * 8 - fraction - 1));
        let whole = self.f.ins().icmp_imm_s(IntCC::Equal, rest, 0);
        let exponent = self.f.ins().ushr_imm_u(bits, i64::from(fraction + 1));
        let exponent = self.f.ins().iadd_imm_s(exponent, -1);
        let normal = self.f.ins().icmp_imm_u(IntCC::UnsignedLessThan, exponent, top);
        self.f.ins().band(whole, normal)
    }

    fn bits(&mut self, v: Value, dtype: DType) -> Value {
        let ty = if dtype == DType::F32 { I32 } else { I64 };
        self.f.ins().bitcast(ty, MemFlagsData::new(), v)
    }

    fn float(&mut self, x: f64, dtype: DType) -> Value {
        float(&mut self.f.cursor(), x, dtype)
    }

    /// A line's value for the group in fewer instructions, if what is known allows it.
    pub(super) fn compute_knowing(
        &mut self,
        t: &Turn,
        line: u32,
        args: &[Lanes],
    ) -> Result<Option<Lanes>> {
        let Line::Map { op, dtype, .. } = &self.kernel.lines[line as usize] else {
            return Ok(None);
        };
        let (dtype, ty) = (*dtype, vector(*dtype));
        if t.known.whole && !self.rounded(line).is_empty() {
            // The last bound rounds.
            return Ok(Some(args[0].clone()));
        }
        if t.known.powers
            && let Some(divisor) = self.divisor(line)
        {
            let v = self.scalar(divisor)?;
            let mut b = self.body(t);
            let factor = b.constant(Key::Reciprocal(divisor), ty, |at| {
                let one = float(at, 1.0, dtype);
                let v = at.ins().fdiv(one, v);
                splat(at, v, dtype)
            });
            return Ok(Some(b.each(&args[0], |b, x| b.f.ins().fmul(x, factor))));
        }
        if t.known.bounds != Bounds::Any
            && let Some(Against { first, .. }) = self.bound(line)
        {
            let max = *op == Op::Maximum;
            let (c, x) = if first { (&args[0], &args[1]) } else { (&args[1], &args[0]) };
            // One instruction: the bound if it is larger (smaller), else the other, be it NaN.
            let out = self.body(t).pairs(c, x, |b, c, x| inline::bare_minmax(b, max, ty, c, x));
            if t.known.whole && self.is_last_of_rounded(line) {
                return Ok(Some(self.body(t).each(&out, |b, x| b.f.ins().nearest(x))));
            }
            if t.known.bounds == Bounds::NotZero || self.bounded_again(line) {
                return Ok(Some(out));
            }
            return self.with_zeros_of_bounds(t, line, dtype, &out).map(Some);
        }
        Ok(None)
    }

    /// Whether the one use of a bounded value is to be bounded again.
    fn bounded_again(&self, line: u32) -> bool {
        self.only_user(line).is_some_and(|user| self.bound(user).is_some())
    }

    /// Of two equal operands NumPy takes the second, which shows in zeros alone: a bound of 0.0 in second
    /// place turns -0.0 into 0.0. So does its addition, where that of -0.0 changes nothing. Once is
    /// enough for bounds in a row.
    fn with_zeros_of_bounds(
        &mut self,
        t: &Turn,
        line: u32,
        dtype: DType,
        v: &Lanes,
    ) -> Result<Lanes> {
        let mut bounds = Vec::new();
        let mut at = line;
        while let Some(Against { fixed, moving, first }) = self.bound(at) {
            if !first {
                bounds.push(self.scalar(fixed)?);
            }
            if !self.bounded_again(moving) {
                break;
            }
            at = moving;
        }
        if bounds.is_empty() {
            return Ok(v.clone());
        }
        let ty = vector(dtype);
        let fused = self.target.fma;
        let mut b = self.body(t);
        let zero = b.constant(Key::Zero(line), ty, |at| {
            let (plus, minus) = (float(at, 0.0, dtype), float(at, -0.0, dtype));
            let zero = bounds.into_iter().fold(minus, |zero, bound| {
                let same = at.ins().fcmp(FloatCC::Equal, bound, plus);
                at.ins().select(same, plus, zero)
            });
            splat(at, zero, dtype)
        });
        if !fused {
            return Ok(b.each(v, |b, x| b.f.ins().fadd(x, zero)));
        }
        // The same sum by the multiplier's ports: adding shares its own with minimum and maximum.
        let one = if dtype == DType::F32 { 1f32.to_bits().into() } else { 1f64.to_bits() };
        let one = b.lanes_of(ty, one);
        Ok(b.each(v, |b, x| b.f.ins().fma(x, one, zero)))
    }
}

fn float(at: &mut FuncCursor, x: f64, dtype: DType) -> Value {
    if dtype == DType::F32 { at.ins().f32const(x as f32) } else { at.ins().f64const(x) }
}
