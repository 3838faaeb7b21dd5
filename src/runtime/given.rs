//! Plans run on memory that the caller gives.
//!
//! Most evaluations of short arrays are over sooner than what would hold their arrays is made. Here the results'
//! memory comes with the arguments, and all that lies between is one piece. Where all arrays have one length,
//! it comes with them too. May not know: who owns the memory.

use std::sync::Arc;

use smallvec::SmallVec;

use super::Context;
use super::exec::Prepared;
use super::nest::{self, Memories};
use super::pool::FloatMode;
use crate::buffer::{ALIGN, Buffer};
use crate::call::Call;
use crate::dtype::{DType, Scalar};
use crate::error::Result;
use crate::loops::{Memory, Plan, ScalarSource};
use crate::shape::count;

/// An array's memory: an address, and the first and one past the last byte there, counted from it.
#[derive(Clone, Copy, Debug)]
pub struct Given {
    /// The address that offsets count from.
    pub ptr: *const u8,
    /// The first byte.
    pub low: isize,
    /// One past the last byte.
    pub high: isize,
}

/// What a plan runs on.
#[derive(Clone, Copy)]
pub struct Givens<'a> {
    /// The inputs.
    pub inputs: &'a [Given],
    /// The scalars.
    pub scalars: &'a [Scalar],
    /// The functions.
    pub calls: &'a [Arc<dyn Call>],
}

/// A result's memory.
#[derive(Clone, Copy, Debug)]
pub struct Target(pub *mut u8);

// SAFETY: addresses, which nobody follows but a run of a plan, whose caller vouches for what lies there.
unsafe impl Send for Given {}
// SAFETY: as above.
unsafe impl Sync for Given {}
// SAFETY: as above.
unsafe impl Send for Target {}
// SAFETY: as above.
unsafe impl Sync for Target {}

/// More bytes than this between inputs and results are left to who lets go of each piece when it was read.
const BETWEEN: usize = 1 << 18;
/// What a call gives is copied to its place up to so many bytes.
const COPIED: usize = 1 << 16;

/// Where the buffers of a plan lie.
#[derive(Debug)]
pub(super) struct Homes {
    /// Per buffer.
    buffers: SmallVec<[Home; 4]>,
    /// Bytes of what is no result.
    between: Extent,
    /// Whether the plan's scalars are the arguments as they are.
    plain: bool,
}

#[derive(Clone, Copy, Debug)]
struct Home {
    place: Place,
    bytes: Extent,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    /// The result with this number.
    Result(usize),
    /// This many bytes into what lies between.
    Between(Extent),
}

/// Bytes, some of them per element of arrays whose length may be another one.
#[derive(Clone, Copy, Debug, Default)]
struct Extent {
    fixed: usize,
    each: usize,
}

impl Extent {
    fn of(self, length: usize) -> usize {
        self.fixed + self.each * length
    }
}

impl Homes {
    /// `None` if a call gives much, or a buffer has no elements; `length` is that of all arrays, if it may be
    /// another one.
    pub(super) fn of(plan: &Plan, length: Option<usize>) -> Option<Self> {
        for call in plan.calls() {
            let spec = plan.buffers.get(call.result as usize)?;
            if count(&spec.shape).ok()?.checked_mul(spec.dtype.size())? > COPIED {
                return None;
            }
        }
        let mut between = Extent::default();
        let mut buffers = SmallVec::new();
        for (b, spec) in plan.buffers.iter().enumerate() {
            let size = spec.dtype.size();
            let bytes = match length {
                Some(n) if spec.shape[..] == [n] => Extent { fixed: 0, each: size },
                _ => Extent { fixed: count(&spec.shape).ok()?.checked_mul(size)?, each: 0 },
            };
            if bytes.fixed + bytes.each == 0 {
                return None;
            }
            let mut results = (0..plan.outputs.len()).filter(|&o| plan.outputs[o] as usize == b);
            let place = match (results.next(), results.next()) {
                (Some(result), None) => Place::Result(result),
                (None, _) => Place::Between(between),
                _ => return None,
            };
            if let Place::Between(_) = place {
                // Lengths are rounded up, so that each begins where it is aligned.
                between.fixed += bytes.fixed.next_multiple_of(ALIGN);
                between.each += bytes.each;
            }
            buffers.push(Home { place, bytes });
        }
        let plain = plan
            .scalars
            .iter()
            .enumerate()
            .all(|(i, source)| matches!(source, ScalarSource::Argument(a) if *a as usize == i));
        Some(Self { buffers, between, plain })
    }

    /// Bytes of what lies between, for arrays of a length, if they are few enough for one piece.
    fn between(&self, length: usize) -> Option<usize> {
        let bytes = self.between.of(length.next_multiple_of(ALIGN));
        (bytes <= BETWEEN).then_some(bytes)
    }
}

/// The memory of one evaluation.
struct Desk<'a> {
    inputs: &'a [Given],
    results: &'a [Target],
    between: *mut u8,
    buffers: &'a [Home],
    length: usize,
}

impl Memories for Desk<'_> {
    fn find(&self, memory: Memory) -> Result<(*mut u8, isize, isize)> {
        let found = match memory {
            Memory::Input(i) => {
                self.inputs.get(i as usize).map(|g| (g.ptr.cast_mut(), g.low, g.high))
            }
            Memory::Buffer(b) => self.buffers.get(b as usize).and_then(|home| {
                let ptr = match home.place {
                    Place::Result(r) => self.results.get(r)?.0,
                    Place::Between(at) => {
                        self.between.wrapping_add(at.of(self.length.next_multiple_of(ALIGN)))
                    }
                };
                Some((ptr, 0, home.bytes.of(self.length).cast_signed()))
            }),
        };
        found.ok_or_else(|| nest::bug(&format!("the plan uses {memory:?}, which is not there")))
    }
}

impl Prepared {
    /// Whether [`Prepared::run_given`] can run it on arrays of this length.
    pub fn takes_given(&self, length: usize) -> bool {
        self.homes(length).is_some_and(|homes| homes.between(length).is_some())
    }

    /// The elements of a result.
    pub fn result(&self, result: usize) -> Option<DType> {
        let spec = self.plan().buffers.get(*self.plan().outputs.get(result)? as usize)?;
        Some(spec.dtype)
    }

    /// Runs a plan whose calls are of the engine's own functions. If all its arrays have one length, `length`
    /// says it, and may be another than was planned.
    ///
    /// # Errors
    /// As for [`run`](super::run), and a bug for other plans, and for inputs that it was not made for.
    ///
    /// # Safety
    /// The inputs' bytes must be there and not be written meanwhile; each of `results`, one per output of
    /// the plan, must have room for its elements, which nobody else reads or writes.
    pub unsafe fn run_given(
        &self,
        what: &Givens<'_>,
        results: &[Target],
        length: usize,
        ctx: &Context,
    ) -> Result<()> {
        let homes = self.homes(length).and_then(|homes| Some((homes, homes.between(length)?)));
        let Some((homes, between)) = homes else {
            return Err(nest::bug("a plan that does not run on given memory"));
        };
        let made;
        let values = if homes.plain {
            what.scalars
        } else {
            let _float = FloatMode::standard();
            made = self.scalars(what.scalars, length)?;
            &made
        };
        let mut heap = None;
        let between = match between {
            0 => std::ptr::null_mut(),
            bytes => heap.insert(Buffer::new(bytes)?).as_mut_ptr(),
        };
        let memory =
            Desk { inputs: what.inputs, results, between, buffers: &homes.buffers, length };
        self.run_on(values, &memory, length, what.calls, ctx)
    }
}
