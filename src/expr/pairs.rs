//! Functions of two results, as graphs of ops: `frexp`, `modf`, `divmod`.
//!
//! The results are two arrays; evaluated together they share their loop. May not know: how anything
//! is computed.

use super::Array;
use crate::error::Result;
use crate::op::Op;

impl Array {
    /// `frexp`: `m` and an `int32` `e` of `x = m * 2**e`, with `0.5 <= |m| < 1`.
    pub fn frexp(&self) -> Result<(Array, Array)> {
        let x = std::slice::from_ref(self);
        Ok((Self::map(Op::FrexpMantissa, x)?, Self::map(Op::FrexpExponent, x)?))
    }

    /// `modf`: what is behind the point, and what is before it; both have the sign of `x`.
    pub fn modf(&self) -> Result<(Array, Array)> {
        let x = std::slice::from_ref(self);
        Ok((Self::map(Op::ModfFraction, x)?, Self::map(Op::ModfWhole, x)?))
    }

    /// `divmod`: the quotient rounded down, and what it leaves.
    pub fn divmod(&self, other: &Array) -> Result<(Array, Array)> {
        let both = [self.clone(), other.clone()];
        Ok((Self::map(Op::FloorDivide, &both)?, Self::map(Op::Remainder, &both)?))
    }
}
