//! Complex arrays as pairs: every op is recorded on real and imaginary parts, so that complex chains
//! fuse as real loops and no kernel knows complex numbers.
//!
//! A complex array is a [`Prim::Complex`] of two real ones, or memory (an input, what a call gives) whose
//! parts are strided views ([`Prim::Component`]). A part may be 0-d where the array is not: the zero of
//! a real number that became complex. What has no form here is `Unsupported`.

use smallvec::smallvec;

use super::{Array, Number, Prim};
use crate::dtype::{DType, Scalar};
use crate::error::{Error, Result};
use crate::op::{Op, Operand, Weak, result_dtype};
use crate::shape;

/// Real and imaginary part, of one real dtype.
type Pair = (Array, Array);

fn map(op: Op, args: &[&Array]) -> Result<Array> {
    Array::map(op, &args.iter().map(|&a| a.clone()).collect::<Vec<_>>())
}

impl Prim {
    /// What users call it, for errors.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Prim::Map(op) => op.info().name,
            Prim::Reduce { fold, .. } => fold.name(),
            Prim::Interp { .. } => "interp",
            _ => "this operation",
        }
    }
}

impl Array {
    /// A complex number of Python, weak in promotion.
    pub fn complex_number(re: f64, im: f64) -> Array {
        let args = smallvec![Array::scalar(Scalar::f64(re)), Array::scalar(Scalar::f64(im))];
        Self::node(Prim::Complex, DType::C128, shape::Shape::new(), args)
            .with_weak(Some(Weak::Complex))
    }

    /// The error for what rnp does not do with a dtype.
    pub(super) fn no_kernel(op: &str, dtype: DType) -> Error {
        Error::unsupported(format!("{op}: no kernel for {dtype}"))
    }

    /// Complex numbers of two real arrays of one dtype, `float32` or `float64`.
    pub(super) fn complex((re, im): Pair) -> Result<Array> {
        let dtype = re.dtype().to_complex();
        Self::derive(Prim::Complex, dtype, smallvec![re, im])
    }

    /// The parts of a complex array, or of a real one, whose imaginary part is 0.
    fn pair(&self, dtype: DType) -> Result<Pair> {
        if !self.dtype().is_complex() {
            return Ok((self.cast(dtype)?, Array::scalar(Scalar::from_f64(0.0, dtype))));
        }
        // Those of a node that was evaluated meanwhile are gone: it is memory then.
        let args = if *self.prim() == Prim::Complex { self.args() } else { super::Args::new() };
        let own = self.dtype().component();
        let (re, im) = if let [re, im] = &args[..] {
            (re.clone(), im.clone())
        } else {
            let part = |imag| Self::derive(Prim::Component(imag), own, smallvec![self.clone()]);
            (part(false)?, part(true)?)
        };
        Ok((re.cast(dtype)?, im.cast(dtype)?))
    }

    /// The parts, both in the array's shape.
    fn whole_pair(&self) -> Result<Pair> {
        let (re, im) = self.pair(self.dtype().component())?;
        let spread = |part: &Array, other: &Array| {
            if part.shape() == self.shape() {
                return Ok(part.clone());
            }
            // A choice of the same twice, so that a trace infers the shape again.
            map(Op::Where, &[&other.to_bool()?, part, part])
        };
        Ok((spread(&re, &im)?, spread(&im, &re)?))
    }

    /// The real part; a real array's is the array.
    pub fn real(&self) -> Result<Array> {
        if self.dtype().is_complex() { Ok(self.whole_pair()?.0) } else { Ok(self.strong()) }
    }

    /// The imaginary part; a real array's is 0.
    pub fn imag(&self) -> Result<Array> {
        if self.dtype().is_complex() {
            return Ok(self.whole_pair()?.1);
        }
        // Nothing of anything, so that a trace infers the shape again.
        let any = self.to_bool()?;
        map(Op::LogicalXor, &[&any, &any])?.cast(self.dtype())
    }

    /// The complex conjugate; a real array is its own.
    pub fn conj(&self) -> Result<Array> {
        if !self.dtype().is_complex() {
            return Ok(self.strong());
        }
        let (re, im) = self.pair(self.dtype().component())?;
        Self::complex((re, map(Op::Negative, &[&im])?))
    }

    /// `cast` from or to a complex dtype: the imaginary part is dropped, or 0.
    pub(super) fn cast_complex(&self, dtype: DType) -> Result<Array> {
        if dtype == self.dtype() && self.weak().is_none() {
            return Ok(self.clone());
        }
        if dtype.is_complex() {
            return Self::complex(self.pair(dtype.component())?);
        }
        let (re, im) = self.whole_pair()?;
        if dtype != DType::Bool {
            return re.cast(dtype);
        }
        map(Op::LogicalOr, &[&re.to_bool()?, &im.to_bool()?])
    }

    /// A view of both parts; a 0-d part stays what it is.
    pub(super) fn each_view(&self, view: impl Fn(&Array) -> Result<Array>) -> Result<Array> {
        let (re, im) = self.pair(self.dtype().component())?;
        let part = |part: &Array| {
            if part.shape() == self.shape() { view(part) } else { Ok(part.clone()) }
        };
        if re.shape() != self.shape() || im.shape() != self.shape() {
            let (re, im) = self.whole_pair()?;
            return Self::complex((view(&re)?, view(&im)?));
        }
        Self::complex((part(&re)?, part(&im)?))
    }

    /// A reduction of both parts.
    pub(super) fn each_reduced(&self, fold: impl Fn(&Array) -> Result<Array>) -> Result<Array> {
        let (re, im) = self.whole_pair()?;
        Self::complex((fold(&re)?, fold(&im)?))
    }

    /// An update of both parts.
    pub(super) fn each_updated(&self, path: &[Prim], value: &Array) -> Result<Array> {
        let ((re, im), (x, y)) = (self.whole_pair()?, value.pair(self.dtype().component())?);
        Self::complex((re.update(path, &x)?, im.update(path, &y)?))
    }

    /// Parts after parts.
    pub(super) fn each_concatenated(parts: &[Array], axis: usize) -> Result<Array> {
        let pairs = parts.iter().map(Array::whole_pair).collect::<Result<Vec<_>>>()?;
        let (re, im): (Vec<Array>, Vec<Array>) = pairs.into_iter().unzip();
        Self::complex((Self::concatenate(&re, axis)?, Self::concatenate(&im, axis)?))
    }

    /// `map` with an operand that is complex.
    pub(super) fn map_complex(op: Op, args: &[Array]) -> Result<Array> {
        let typed = &args[usize::from(op == Op::Where)..];
        let operands: Vec<Operand> = typed.iter().map(Array::operand).collect();
        let dtype = result_dtype(&operands);
        shape::broadcast(op.info().name, args.iter().map(|a| a.shape().as_slice()))?;
        let pair = |i: usize| match args[i].as_number() {
            // Python integers of any size become floats.
            Some(Number::Int(v)) => {
                let real = Array::scalar(Scalar::from_f64(v as f64, dtype.component()));
                real.pair(dtype.component())
            }
            _ => args[i].pair(dtype.component()),
        };
        match op {
            Op::Where => {
                let condition = args[0].to_bool()?;
                let (a, b) = (pair(1)?, pair(2)?);
                let choose = |x: &Array, y: &Array| map(Op::Where, &[&condition, x, y]);
                Self::complex((choose(&a.0, &b.0)?, choose(&a.1, &b.1)?))
            }
            Op::Positive => Ok(args[0].strong()),
            Op::Conjugate => args[0].conj(),
            Op::Negative | Op::Add | Op::Subtract => {
                let pairs: Vec<Pair> = (0..args.len()).map(pair).collect::<Result<_>>()?;
                let re: Vec<&Array> = pairs.iter().map(|p| &p.0).collect();
                let im: Vec<&Array> = pairs.iter().map(|p| &p.1).collect();
                Self::complex((map(op, &re)?, map(op, &im)?))
            }
            Op::Multiply => Self::complex(product(&pair(0)?, &pair(1)?)?),
            Op::Square => Self::complex(product(&pair(0)?, &pair(0)?)?),
            Op::Divide => Self::complex(quotient(&pair(0)?, &pair(1)?)?),
            Op::Reciprocal => Self::complex(reciprocal(&pair(0)?)?),
            Op::Absolute => hypot(&pair(0)?),
            Op::Sign => Self::complex(direction(&pair(0)?)?),
            Op::Exp => Self::complex(exp(&pair(0)?)?),
            Op::Sqrt => Self::complex(root(&pair(0)?)?),
            Op::Equal | Op::NotEqual => {
                let (a, b) = (pair(0)?, pair(1)?);
                let both = if op == Op::Equal { Op::LogicalAnd } else { Op::LogicalOr };
                map(both, &[&map(op, &[&a.0, &b.0])?, &map(op, &[&a.1, &b.1])?])
            }
            Op::Isnan | Op::Isinf | Op::Isfinite => {
                let (re, im) = pair(0)?;
                let both = if op == Op::Isfinite { Op::LogicalAnd } else { Op::LogicalOr };
                map(both, &[&map(op, &[&re])?, &map(op, &[&im])?])
            }
            Op::LogicalNot | Op::LogicalAnd | Op::LogicalOr | Op::LogicalXor => {
                let args = args.iter().map(Array::to_bool).collect::<Result<Vec<_>>>()?;
                Self::map(op, &args)
            }
            _ => Err(Self::no_kernel(op.info().name, dtype)),
        }
    }
}

fn scalar(like: &Array, value: f64) -> Array {
    Array::scalar(Scalar::from_f64(value, like.dtype()))
}

fn product((a, b): &Pair, (c, d): &Pair) -> Result<Pair> {
    let times = |x, y| map(Op::Multiply, &[x, y]);
    Ok((
        map(Op::Subtract, &[&times(a, c)?, &times(b, d)?])?,
        map(Op::Add, &[&times(a, d)?, &times(b, c)?])?,
    ))
}

/// Smith's algorithm, as NumPy divides: the larger part of the divisor is divided out first.
fn quotient((a, b): &Pair, (c, d): &Pair) -> Result<Pair> {
    let absolute = |x| map(Op::Absolute, &[x]);
    let size = absolute(c)?;
    let real = map(Op::GreaterEqual, &[&size, &absolute(d)?])?;
    let choose = |x, y| map(Op::Where, &[&real, x, y]);
    let (large, small) = (choose(c, d)?, choose(d, c)?);
    let (x, y) = (choose(a, b)?, choose(b, a)?);
    let ratio = map(Op::Divide, &[&small, &large])?;
    let sum = map(Op::Add, &[&large, &map(Op::Multiply, &[&small, &ratio])?])?;
    let scale = map(Op::Divide, &[&scalar(&sum, 1.0), &sum])?;
    let re = map(Op::Add, &[&x, &map(Op::Multiply, &[&y, &ratio])?])?;
    let turned = map(Op::Multiply, &[&x, &ratio])?;
    let im = choose(&map(Op::Subtract, &[&y, &turned])?, &map(Op::Subtract, &[&turned, &y])?)?;
    // By zero, each part is divided by itself: infinities and NaN as NumPy has them.
    let zero = map(Op::Equal, &[&large, &scalar(&large, 0.0)])?;
    let zero = map(Op::LogicalAnd, &[&zero, &real])?;
    let part = |x: &Array, y: &Array| {
        let plain = map(Op::Multiply, &[y, &scale])?;
        map(Op::Where, &[&zero, &map(Op::Divide, &[x, &size])?, &plain])
    };
    Ok((part(a, &re)?, part(b, &im)?))
}

/// Smith's algorithm for one divided by a number, with NumPy's roundings: no scale between.
fn reciprocal((a, b): &Pair) -> Result<Pair> {
    let absolute = |x| map(Op::Absolute, &[x]);
    let real = map(Op::LessEqual, &[&absolute(b)?, &absolute(a)?])?;
    let choose = |x, y| map(Op::Where, &[&real, x, y]);
    let (large, small) = (choose(a, b)?, choose(b, a)?);
    let ratio = map(Op::Divide, &[&small, &large])?;
    let sum = map(Op::Add, &[&large, &map(Op::Multiply, &[&small, &ratio])?])?;
    let one = map(Op::Divide, &[&scalar(&sum, 1.0), &sum])?;
    let other = map(Op::Divide, &[&ratio, &sum])?;
    Ok((choose(&one, &other)?, map(Op::Negative, &[&choose(&other, &one)?])?))
}

/// The distance from 0.
fn hypot((a, b): &Pair) -> Result<Array> {
    map(Op::Hypot, &[a, b])
}

/// `z / |z|`, and 0 for 0. Where the size is beyond all numbers it is the direction of the infinite part:
/// none if both are, and that of the imaginary part if none is.
fn direction(z: &Pair) -> Result<Pair> {
    let (a, b) = z;
    let size = hypot(z)?;
    let (zero, nan) = (scalar(&size, 0.0), scalar(&size, f64::NAN));
    let none = map(Op::Equal, &[&size, &zero])?;
    let endless = map(Op::Isinf, &[&size])?;
    let (real, imag) = (map(Op::Isinf, &[a])?, map(Op::Isinf, &[b])?);
    let re = map(Op::Where, &[&imag, &nan, &map(Op::Sign, &[a])?])?;
    let re = map(Op::Where, &[&real, &re, &zero])?;
    let im = map(Op::Where, &[&imag, &nan, &zero])?;
    let im = map(Op::Where, &[&real, &im, &map(Op::Sign, &[b])?])?;
    let part = |x: &Array, far: &Array| {
        let near = map(Op::Where, &[&none, &zero, &map(Op::Divide, &[x, &size])?])?;
        map(Op::Where, &[&endless, far, &near])
    };
    Ok((part(a, &re)?, part(b, &im)?))
}

/// A real argument gives a real value, so that an infinite one is not turned to NaN. An argument without
/// direction gives 0, or an infinity without one, where C's annex G has them.
fn exp((a, b): &Pair) -> Result<Pair> {
    let size = map(Op::Exp, &[a])?;
    let (zero, infinity) = (scalar(a, 0.0), scalar(a, f64::INFINITY));
    let directed = map(Op::Isfinite, &[b])?;
    let vanishes = map(Op::Equal, &[a, &scalar(a, f64::NEG_INFINITY)])?;
    let explodes = map(Op::Equal, &[a, &infinity])?;
    let nan = scalar(a, f64::NAN);
    let part = |wave: Op, endless: &Array| {
        let lost = map(Op::Where, &[&explodes, endless, &nan])?;
        let lost = map(Op::Where, &[&vanishes, &zero, &lost])?;
        map(Op::Where, &[&directed, &map(Op::Multiply, &[&size, &map(wave, &[b])?])?, &lost])
    };
    let real = map(Op::Equal, &[b, &zero])?;
    let im = map(Op::Where, &[&real, b, &part(Op::Sin, &nan)?])?;
    Ok((part(Op::Cos, &infinity)?, im))
}

/// The root with a real part that is not negative; its imaginary part has the sign of the argument's. An
/// infinite imaginary part is the root's, whatever the real one. The largest and the least numbers are scaled, so that
/// no sum overflows and no product loses bits.
fn root((a, b): &Pair) -> Result<Pair> {
    let absolute = |x| map(Op::Absolute, &[x]);
    let (top, least, up) = match a.dtype() {
        DType::F32 => (2f64.powi(125), 2f64.powi(-100), 2f64.powi(24)),
        _ => (2f64.powi(1021), 2f64.powi(-960), 2f64.powi(55)),
    };
    let size = map(Op::Maximum, &[&absolute(a)?, &absolute(b)?])?;
    let huge = map(Op::Less, &[&scalar(a, top), &size])?;
    let tiny = map(Op::Less, &[&size, &scalar(a, least)])?;
    let scaled = |if_huge, if_tiny| {
        let rest = map(Op::Where, &[&tiny, &scalar(a, if_tiny), &scalar(a, 1.0)])?;
        map(Op::Where, &[&huge, &scalar(a, if_huge), &rest])
    };
    let (before, after) = (scaled(0.25, up * up)?, scaled(2.0, 1.0 / up)?);
    let (a, b) = (&map(Op::Multiply, &[a, &before])?, &map(Op::Multiply, &[b, &before])?);

    let zero = scalar(a, 0.0);
    let sum = map(Op::Add, &[&absolute(a)?, &hypot(&(a.clone(), b.clone()))?])?;
    let t = map(Op::Sqrt, &[&map(Op::Multiply, &[&sum, &scalar(a, 0.5)])?])?;
    let none = map(Op::Equal, &[&t, &zero])?;
    let double = map(Op::Multiply, &[&t, &scalar(a, 2.0)])?;
    let low = map(Op::Divide, &[b, &double])?;
    let low = map(Op::Where, &[&none, b, &low])?;
    let right = map(Op::GreaterEqual, &[a, &zero])?;
    let below = map(
        Op::LogicalOr,
        &[&map(Op::Less, &[b, &zero])?, &map(Op::Less, &[&map(Op::Reciprocal, &[b])?, &zero])?],
    )?;
    let high = map(Op::Where, &[&below, &map(Op::Negative, &[&t])?, &t])?;
    let steep = map(Op::Isinf, &[b])?;
    let re = map(Op::Where, &[&right, &t, &absolute(&low)?])?;
    let im = map(Op::Where, &[&right, &low, &high])?;
    let re = map(Op::Where, &[&steep, &scalar(a, f64::INFINITY), &re])?;
    let im = map(Op::Where, &[&steep, b, &im])?;
    Ok((map(Op::Multiply, &[&re, &after])?, map(Op::Multiply, &[&im, &after])?))
}
