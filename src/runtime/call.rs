//! Opaque calls: operands as views of memory, the function itself, and what it gave back, checked.
//!
//! The function runs on the thread that evaluates, between launches: nothing is locked, and no worker
//! waits for it. May not know: kernels, threads.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::pool::FloatMode;
use crate::buffer::Storage;
use crate::call::{Call, Stop};
use crate::dtype::Scalar;
use crate::error::{Error, Result};
use crate::loops::{BufferSpec, Invocation, Memory, Operand};
use crate::shape::show;

/// What a plan runs on.
#[derive(Clone, Copy, Default)]
pub struct Arguments<'a> {
    /// The inputs, of the layouts that the plan was made for.
    pub inputs: &'a [Storage],
    /// The scalars.
    pub scalars: &'a [Scalar],
    /// The functions.
    pub calls: &'a [Arc<dyn Call>],
}

/// Some memory, as the operands of a call are views of it.
pub(super) struct Whole {
    pub ptr: *const u8,
    /// The first byte and one past the last, counted from there.
    pub reach: (isize, isize),
    pub keeper: Arc<dyn Any + Send + Sync>,
}

/// Calls the function; `find` gives the whole of some memory, and `stop` says whether to stop.
pub(super) fn run(
    task: &Invocation,
    spec: &BufferSpec,
    calls: &[Arc<dyn Call>],
    values: &[Scalar],
    find: impl Fn(Memory) -> Result<Whole>,
    stop: Stop<'_>,
) -> Result<Storage> {
    let name = &task.name;
    let call = calls.get(task.slot as usize);
    let call = call.ok_or_else(|| Error::bug(format!("{name}: the plan's function is missing")))?;
    let operands: Vec<Storage> = task
        .operands
        .iter()
        .map(|operand| match operand {
            Operand::Scalar(i) => {
                let value = values.get(*i as usize).copied();
                Storage::from_scalar(value.ok_or_else(|| Error::bug("a call without its scalar"))?)
            }
            Operand::View { place, dtype, shape } => {
                let whole = find(place.memory)?;
                let view = Storage {
                    ptr: whole.ptr.wrapping_offset(place.offset),
                    dtype: *dtype,
                    shape: shape.clone(),
                    strides: place.strides.clone(),
                    keeper: whole.keeper,
                };
                let (all, part) = (whole.reach, view.reach());
                let inside = place.offset.saturating_add(part.0) >= all.0
                    && place.offset.saturating_add(part.1) <= all.1;
                if view.shape.contains(&0) || inside {
                    Ok(view)
                } else {
                    Err(Error::bug(format!("{name}: an operand outside its memory")))
                }
            }
        })
        .collect::<Result<_>>()?;
    let given = {
        let _float = FloatMode::standard();
        guard(name, || call.run_asking(&operands, stop))?
    };
    if given.dtype != spec.dtype || given.shape != spec.shape {
        return Err(Error::value(format!(
            "{name}: returned {} of shape {}, where {} of shape {} was announced",
            given.dtype,
            show(&given.shape),
            spec.dtype,
            show(&spec.shape)
        )));
    }
    // What is read on must be in C order, and must not change when an input does.
    if given.is_contiguous() && !operands.iter().any(|o| o.overlaps(&given)) {
        Ok(given)
    } else {
        given.c_ordered()
    }
}

/// A panic of somebody else's function is an error like any other.
fn guard(name: &str, f: impl FnOnce() -> Result<Storage>) -> Result<Storage> {
    catch_unwind(AssertUnwindSafe(f)).unwrap_or_else(|panic| {
        let text = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("no message");
        Err(Error::bug(format!("{name}: the function panicked: {text}")))
    })
}
