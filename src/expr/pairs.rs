//! Functions of two results, as graphs of ops: `frexp`, `modf`, `divmod`.
//!
//! The results are two arrays; evaluated together they share their loop. May not know: how anything
//! is computed.

use super::{Array, Number};
use crate::error::Result;
use crate::op::{Op, Resolved, resolve};

impl Array {
    /// `frexp`: `m` and an `int32` `e` of `x = m * 2**e`, with `0.5 <= |m| < 1`.
    pub fn frexp(&self) -> Result<(Array, Array)> {
        let x = std::slice::from_ref(self);
        Ok((Self::map(Op::FrexpMantissa, x)?, Self::map(Op::FrexpExponent, x)?))
    }

    /// `modf`: what is behind the point, and what is before it; both have the sign of `x`.
    pub fn modf(&self) -> Result<(Array, Array)> {
        // The float that NumPy's loop is of.
        let Resolved { operand, .. } = resolve(Op::Fabs, &[self.operand()])?;
        let x = self.coerce(operand)?;
        let whole = Self::map(Op::Trunc, std::slice::from_ref(&x))?;
        let rest = Self::map(Op::Subtract, &[x.clone(), whole.clone()])?;
        // An infinity less itself is NaN, but nothing is behind its point.
        let endless = Self::map(Op::Isinf, std::slice::from_ref(&x))?;
        let rest = Self::map(Op::Where, &[endless, Self::number(Number::Float(0.0)), rest])?;
        Ok((Self::map(Op::Copysign, &[rest, x])?, whole))
    }

    /// `divmod`: the quotient rounded down, and what it leaves.
    pub fn divmod(&self, other: &Array) -> Result<(Array, Array)> {
        let both = [self.clone(), other.clone()];
        Ok((Self::map(Op::FloorDivide, &both)?, Self::map(Op::Remainder, &both)?))
    }
}
