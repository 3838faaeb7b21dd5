//! Plans of short launches alone, run on memory that the caller gives.
//!
//! Where every launch is one run of its kernel, an evaluation is shorter than the making of what would
//! hold its arrays. The results' memory comes with the arguments, and all that lies between is one piece.
//! May not know: threads, who owns the memory.

use smallvec::SmallVec;

use super::exec::Prepared;
use super::nest::{self, Memories};
use super::pool::FloatMode;
use super::scalars;
use crate::buffer::{ALIGN, Buffer};
use crate::dtype::{DType, Scalar};
use crate::error::Result;
use crate::loops::{Memory, Plan, ScalarSource, Task};
use crate::shape::{Shape, count};

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

/// Where the buffers of a plan lie.
#[derive(Debug)]
pub(super) struct Homes {
    /// Per buffer.
    buffers: SmallVec<[Home; 4]>,
    /// Bytes of what is no result.
    between: usize,
    /// Whether the plan's scalars are the arguments as they are.
    plain: bool,
}

#[derive(Clone, Copy, Debug)]
struct Home {
    place: Place,
    bytes: usize,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    /// The result with this number.
    Result(usize),
    /// This many bytes into what lies between.
    Between(usize),
}

impl Homes {
    /// `None` if a launch may take several runs, a step is a call, or a buffer has no elements.
    pub(super) fn of(plan: &Plan, all_single: bool) -> Option<Self> {
        let launches = plan.steps.iter().all(|step| matches!(step, Task::Launch(_)));
        if !all_single || !launches {
            return None;
        }
        let mut between = 0;
        let mut buffers = SmallVec::new();
        for (b, spec) in plan.buffers.iter().enumerate() {
            let bytes = count(&spec.shape).ok()? * spec.dtype.size();
            if bytes == 0 {
                return None;
            }
            let mut results = (0..plan.outputs.len()).filter(|&o| plan.outputs[o] as usize == b);
            let place = match (results.next(), results.next()) {
                (Some(result), None) => Place::Result(result),
                (None, _) => Place::Between(between),
                _ => return None,
            };
            if let Place::Between(_) = place {
                between += bytes.next_multiple_of(ALIGN);
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
}

/// The memory of one evaluation.
struct Desk<'a> {
    inputs: &'a [Given],
    results: &'a [*mut u8],
    between: *mut u8,
    buffers: &'a [Home],
}

impl Memories for Desk<'_> {
    fn find(&self, memory: Memory) -> Result<(*mut u8, isize, isize)> {
        let found = match memory {
            Memory::Input(i) => {
                self.inputs.get(i as usize).map(|g| (g.ptr.cast_mut(), g.low, g.high))
            }
            Memory::Buffer(b) => self.buffers.get(b as usize).and_then(|home| {
                let ptr = match home.place {
                    Place::Result(r) => *self.results.get(r)?,
                    Place::Between(at) => self.between.wrapping_add(at),
                };
                Some((ptr, 0, home.bytes.cast_signed()))
            }),
        };
        found.ok_or_else(|| nest::bug(&format!("the plan uses {memory:?}, which is not there")))
    }
}

impl Prepared {
    /// Whether [`Prepared::run_short`] can run it.
    pub fn is_short(&self) -> bool {
        self.homes.is_some()
    }

    /// The elements and the shape of a result.
    pub fn result(&self, result: usize) -> Option<(DType, &Shape)> {
        let spec = self.plan().buffers.get(*self.plan().outputs.get(result)? as usize)?;
        Some((spec.dtype, &spec.shape))
    }

    /// Runs a plan that is short on the calling thread.
    ///
    /// # Errors
    /// `Memory`; `Value` for an integer raised to a negative power; `Overflow` for a traced Python integer
    /// that does not fit; a bug for a plan that is not short, and for inputs that it was not made for.
    ///
    /// # Safety
    /// The inputs' bytes must be there and not be written meanwhile; each of `results`, one per output of
    /// the plan, must have room for its elements, which nobody else reads or writes.
    pub unsafe fn run_short(
        &self,
        inputs: &[Given],
        arguments: &[Scalar],
        results: &[*mut u8],
    ) -> Result<()> {
        let Some(Homes { buffers, between, plain }) = &self.homes else {
            return Err(nest::bug("a plan that is not short"));
        };
        let _float = FloatMode::standard();
        let made;
        let values = if *plain {
            arguments
        } else {
            made = scalars::evaluate(&self.plan().scalars, arguments)?;
            &made
        };
        let mut heap = None;
        let between = match between {
            0 => std::ptr::null_mut(),
            &bytes => heap.insert(Buffer::new(bytes)?).as_mut_ptr(),
        };
        let memory = Desk { inputs, results, between, buffers };
        self.launch_all(values, &memory)
    }
}
