//! What the integration tests share: deterministic inputs, opaque functions, and values as bytes.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::sync::Arc;

use rnp::buffer::{Buffer, Storage};
use rnp::call::Call;
use rnp::dtype::{DType, Scalar};
use rnp::error::{Error, Result};
use rnp::expr::{Array, InputSpec};
use rnp::shape::{self, Shape, Strides};

/// Element `k` of input `number`: `(37 k + 11 number) mod 201 - 100`, floats over 64.
///
/// The Python tests fill the same programs by the same formula.
pub(crate) fn element(dtype: DType, number: usize, k: usize) -> Scalar {
    let v = ((37 * k + 11 * number) % 201) as i128 - 100;
    match dtype {
        DType::Bool => Scalar::bool(v > 0),
        d if d.is_float() => Scalar::from_f64(v as f64 / 64.0, d),
        // The imaginary part is the next element's real part.
        DType::C64 => {
            let [re, im] = [k, k + 1].map(|k| element(DType::F32, number, k).bits);
            Scalar { dtype, bits: re | im << 32 }
        }
        d => Scalar::wrap_int(v, d),
    }
}

/// Memory with a value per element of the spec, laid out as it says.
pub(crate) fn storage(spec: &InputSpec, value: impl Fn(usize) -> Scalar) -> Result<Storage> {
    let size = spec.dtype.size();
    let apart = spec.step.unsigned_abs() as usize;
    let mut strides: Strides = if spec.fortran {
        let reversed: Vec<usize> = spec.shape.iter().rev().copied().collect();
        shape::c_strides(&reversed, size).into_iter().rev().collect()
    } else {
        shape::c_strides(&spec.shape, size)
    };
    for s in &mut strides {
        *s *= apart as isize;
    }
    let count = shape::count(&spec.shape)?;
    let mut buffer = Buffer::new((count * apart * size).max(size))?;
    let mut origin = 0isize;
    if spec.step < 0
        && let (Some(s), Some(&n)) = (strides.last_mut(), spec.shape.last())
    {
        origin = *s * (n as isize - 1).max(0);
        *s = -*s;
    }
    let base = buffer.as_mut_ptr();
    for k in 0..count {
        let mut rest = k;
        let mut at = origin;
        for (&e, &s) in spec.shape.iter().zip(&strides).rev() {
            at += (rest % e) as isize * s;
            rest /= e;
        }
        let bytes = value(k).to_bytes();
        // SAFETY: `at` is the place of element `k`, inside the buffer.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), base.offset(at), size) };
    }
    let ptr = base.cast_const().wrapping_offset(origin);
    Ok(Storage {
        ptr,
        dtype: spec.dtype,
        shape: spec.shape.clone(),
        strides,
        keeper: Arc::new(buffer),
    })
}

/// An input filled by [`element`].
pub(crate) fn input(spec: &InputSpec) -> Result<Array> {
    storage(spec, |k| element(spec.dtype, spec.number, k)).map(Array::input)
}

/// The bytes of a C-ordered value.
pub(crate) fn bytes(storage: &Storage) -> Vec<u8> {
    let len = shape::count(&storage.shape).unwrap() * storage.dtype.size();
    assert!(storage.is_contiguous());
    // SAFETY: the value is contiguous and kept alive by `storage`.
    unsafe { std::slice::from_raw_parts(storage.ptr, len) }.to_vec()
}

/// Functions that the engine cannot see into, with NumPy's names and meaning; `test_golden.py` has the
/// same.
#[derive(Debug)]
pub(crate) enum Function {
    /// The elements along all axes in reverse.
    Flip,
    /// Two arrays of one dtype after each other, as one axis.
    Append,
    /// One axis of floats in ascending order.
    Sort,
}

/// The function of a name.
pub(crate) fn function(name: &str) -> Result<Arc<dyn Call>> {
    Ok(Arc::new(match name {
        "flip" => Function::Flip,
        "append" => Function::Append,
        "sort" => Function::Sort,
        _ => return Err(Error::value(format!("{name:?} is not known"))),
    }))
}

impl Call for Function {
    fn name(&self) -> &'static str {
        match self {
            Function::Flip => "flip",
            Function::Append => "append",
            Function::Sort => "sort",
        }
    }

    fn infer(&self, operands: &[(DType, &[usize])]) -> Result<(DType, Shape)> {
        match (self, operands) {
            (Function::Flip, [(dtype, shape)]) => Ok((*dtype, (*shape).into())),
            (Function::Append, [(a, x), (b, y)]) if a == b => {
                let len = x.iter().product::<usize>() + y.iter().product::<usize>();
                Ok((*a, Shape::from_slice(&[len])))
            }
            (Function::Sort, [(dtype, shape @ [_])]) if dtype.is_float() => {
                Ok((*dtype, (*shape).into()))
            }
            _ => Err(Error::value(format!("{}: the operands do not fit", self.name()))),
        }
    }

    fn run(&self, operands: &[Storage]) -> Result<Storage> {
        let (dtype, shape) = self
            .infer(&operands.iter().map(|o| (o.dtype, o.shape.as_slice())).collect::<Vec<_>>())?;
        let size = dtype.size();
        let mut all = Vec::new();
        for operand in operands {
            all.extend(bytes(&operand.c_ordered()?));
        }
        let mut elements: Vec<&[u8]> = all.chunks(size).collect();
        match self {
            Function::Flip => elements.reverse(),
            Function::Append => {}
            Function::Sort => elements.sort_by(|a, b| value(dtype, a).total_cmp(&value(dtype, b))),
        }
        let mut buffer = Buffer::new(all.len())?;
        buffer.bytes_mut().copy_from_slice(&elements.concat());
        Storage::from_buffer(Arc::new(buffer), dtype, shape)
    }
}

/// An element as a number.
fn value(dtype: DType, bytes: &[u8]) -> f64 {
    let mut word = [0u8; 8];
    word[..bytes.len()].copy_from_slice(bytes);
    Scalar { dtype, bits: u64::from_le_bytes(word) }.to_f64()
}
