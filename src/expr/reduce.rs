//! Recording reductions, and those that are graphs of others: `mean`, `var`, `std`.

use smallvec::smallvec;

use super::{Array, Number, Prim};
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::op::{Fold, Op, mean_dtypes, sum_dtype};
use crate::shape;

/// The keyword arguments that reductions share.
#[derive(Clone, Debug, Default)]
pub struct Over {
    /// Over which axes (negative ones count from the end); `None`: all.
    pub axis: Option<Vec<i64>>,
    /// Whether reduced axes stay with length 1.
    pub keepdims: bool,
    /// The dtype to compute and return in (`sum`, `prod`, `mean`, `var`, `std`).
    pub dtype: Option<DType>,
}

impl Array {
    /// `sum`, `prod`, `min`, `max`, `any`, `all`, `argmin`, `argmax`.
    ///
    /// # Errors
    /// `Axis` for an axis that is not there, `Value` for a repeated one and for an empty operand
    /// without identity.
    pub fn reduce(&self, fold: Fold, over: &Over) -> Result<Array> {
        let x = self.strong();
        // NumPy's products of complex numbers are of each with all before it, real ones too.
        let product = over.dtype.filter(|d| d.is_complex() && fold == Fold::Prod);
        if let Some(complex) = product {
            return Err(Self::no_kernel(fold.name(), complex));
        }
        if x.dtype().is_complex() && !matches!(fold, Fold::Sum | Fold::Any | Fold::All) {
            return Err(Self::no_kernel(fold.name(), x.dtype()));
        }
        let out = match fold {
            Fold::Sum | Fold::Prod => {
                let out = over.dtype.unwrap_or_else(|| sum_dtype(x.dtype()));
                if out.is_complex() {
                    let over = Over { dtype: Some(out.component()), ..over.clone() };
                    return x.cast(out)?.each_reduced(|part| part.reduce(fold, &over));
                }
                let compute = match out {
                    DType::F16 => DType::F32,
                    DType::Bool => return x.reduce_bool(fold, over),
                    d if d.is_float() => d,
                    d if d.is_unsigned() => DType::U64,
                    _ => DType::I64,
                };
                return x.cast(out)?.cast(compute)?.fold(fold, over)?.cast(out);
            }
            Fold::Any | Fold::All => return x.to_bool()?.fold(fold, over),
            Fold::Min | Fold::Max => x.dtype(),
            Fold::Argmin | Fold::Argmax => {
                if over.axis.as_ref().is_some_and(|a| a.len() != 1) {
                    return Err(Error::dtype(format!("{fold}: axis must be an integer or None")));
                }
                DType::I64
            }
        };
        let x = if x.dtype() == DType::F16 { x.cast(DType::F32)? } else { x };
        x.fold(fold, over)?.cast(out)
    }

    fn reduce_bool(&self, fold: Fold, over: &Over) -> Result<Array> {
        let fold = if fold == Fold::Sum { Fold::Any } else { Fold::All };
        self.to_bool()?.fold(fold, over)
    }

    fn fold(&self, fold: Fold, over: &Over) -> Result<Array> {
        let axes = reduced(fold.name(), over.axis.as_deref(), self.rank())?;
        let prim = Prim::Reduce { fold, axes, keepdims: over.keepdims };
        Self::derive(prim, fold.out_dtype(self.dtype()), smallvec![self.clone()])
    }

    /// The number of elements along `axis` less `ddof`, at least 0, as `dtype`. Moments ask for it first: of an
    /// array without axes they have none, as in NumPy.
    fn count(&self, op: &str, over: &Over, ddof: i64, dtype: DType) -> Result<Array> {
        let axes = shape::axes(op, over.axis.as_deref(), self.rank())?;
        Self::derive(Prim::Count { axes, ddof }, dtype, smallvec![self.clone()])
    }

    /// `mean`: the sum over the count. Integers are averaged in `float64`, and `float16` in `float32`.
    pub fn mean(&self, over: &Over) -> Result<Array> {
        let x = self.strong();
        let (out, compute) = mean_dtypes(x.dtype(), over.dtype);
        let x = x.cast(compute)?;
        if compute.is_complex() {
            let over = Over { dtype: Some(compute.component()), ..over.clone() };
            return x.each_reduced(|part| part.mean(&over));
        }
        let count = x.count("mean", over, 0, compute)?;
        let sum = x.reduce(Fold::Sum, &Over { dtype: Some(compute), ..over.clone() })?;
        let mean = if compute.is_float() {
            Self::map(Op::Divide, &[sum, count])?
        } else {
            Self::map(Op::Divide, &[sum, count])?.cast(compute)?
        };
        mean.cast(out)
    }

    /// `var`: the mean squared distance from the mean, over the count less `ddof`.
    pub fn var(&self, over: &Over, ddof: i64) -> Result<Array> {
        self.spread("var", over, ddof)
    }

    fn spread(&self, op: &str, over: &Over, ddof: i64) -> Result<Array> {
        let x = self.strong();
        let (out, compute) = mean_dtypes(x.dtype(), over.dtype);
        if let Some(complex) = [x.dtype(), compute].into_iter().find(|d| d.is_complex()) {
            return Err(Self::no_kernel(op, complex));
        }
        if !compute.is_float() {
            return Err(Self::no_kernel(op, compute));
        }
        let x = x.cast(compute)?;
        let kept = Over { axis: over.axis.clone(), keepdims: true, dtype: Some(compute) };
        let count = x.count(op, over, 0, compute)?;
        // The mean of nothing is NaN, and so is what follows.
        let sum = x.reduce(Fold::Sum, &kept)?;
        let mean = Self::map(Op::Divide, &[sum, count])?;
        let distance = Self::map(Op::Subtract, &[x.clone(), mean])?;
        let squares = Self::map(Op::Multiply, &[distance.clone(), distance])?;
        let sum = squares.reduce(Fold::Sum, &Over { dtype: Some(compute), ..over.clone() })?;
        Self::map(Op::Divide, &[sum, x.count(op, over, ddof, compute)?])?.cast(out)
    }

    /// `std`: the square root of `var`.
    pub fn std(&self, over: &Over, ddof: i64) -> Result<Array> {
        let (out, compute) = mean_dtypes(self.dtype(), over.dtype);
        let var = self.spread("std", &Over { dtype: Some(compute), ..over.clone() }, ddof)?;
        Self::map(Op::Sqrt, &[var])?.cast(out)
    }

    /// A 0-d Python integer.
    pub fn int(v: i128) -> Array {
        Array::number(Number::Int(v))
    }
}

/// The axes of a reduction; NumPy lets a 0-d array have a first axis there.
fn reduced(op: &str, wanted: Option<&[i64]>, rank: usize) -> Result<shape::Axes> {
    match wanted {
        Some([0 | -1]) if rank == 0 => Ok(shape::Axes::new()),
        _ => shape::axes(op, wanted, rank),
    }
}
