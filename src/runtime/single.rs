//! Launches that are one run of their kernel, or one fold of a few: bound by filling a few words, without a
//! nest.
//!
//! Most launches on arrays of one axis are, and on short ones the making of a nest would cost more than the
//! work. What depends on the plan alone is worked out once; addresses are checked at each launch, as for a
//! nest. Long ones are done in pieces, by threads (`split`). May not know: how loops are walked.

mod split;

use smallvec::SmallVec;

use super::cache::{Engine, Runner, tier};
use super::exec::{SHORT, SHORT_FOLD};
use super::fold::Teams;
use super::nest::{self, Memories};
use super::pack::{Pack, Strided};
use super::pool::{FloatMode, Poll};
use super::scalars::check_status;
use crate::buffer::Buffer;
use crate::dtype::{DType, Scalar};
use crate::error::Result;
use crate::loops::{Form, Kernel, Launch, Layout, Memory, Role, Step};
use crate::shape::{Strides, count};
use crate::tile::{FoldFns, Tree};

/// A launch that needs no nest.
#[derive(Debug)]
pub(super) struct Single {
    /// The argument words, without addresses and scalars.
    words: SmallVec<[u64; 24]>,
    layout: Layout,
    places: SmallVec<[Reach; 4]>,
    /// Per scalar of the kernel, its place in the plan and its dtype.
    scalars: SmallVec<[(u32, DType); 4]>,
    folds: Folds,
    teams: Teams,
    form: Form,
    /// The inputs that are packed, and how.
    packed: SmallVec<[(usize, Strided); 2]>,
    /// The word of the place along the run, if that is one loop.
    index: Option<usize>,
    /// Elements of all runs, and of each but the last.
    all: usize,
    each: usize,
    /// Whether the elements are as many as the arrays of the plan are long.
    stretches: bool,
    /// Bytes that are written for each element, but for folds.
    written: usize,
    /// Bytes of the states of folds, of their boards, and of the largest partial result.
    states: usize,
    /// What an element costs, in light ops.
    weight: usize,
}

/// The functions of folds, and the buffers of their results.
type Folds = SmallVec<[(FoldFns, usize); 2]>;

/// Which bytes of some memory a buffer covers.
#[derive(Debug)]
struct Reach {
    memory: Memory,
    offset: isize,
    low: isize,
    high: isize,
    /// Bytes to the next element of the run.
    step: isize,
    /// Whether it goes along with the run.
    moves: bool,
}

/// Launches of more light ops are done in pieces, between which one may be asked to stop.
const ALONE: usize = 1 << 20;

/// Launches over frames, and those that pack, are nests from so many light ops on: they have no pieces.
const UNCUT: usize = 1 << 19;

/// Memory on the stack for a kernel's scratch and for folds; what needs more comes from the heap.
#[repr(align(64))]
struct Desk([std::mem::MaybeUninit<u64>; Desk::WORDS]);

impl Desk {
    const WORDS: usize = 512;
}

impl Single {
    /// `None` for a launch that needs a nest, or is empty. One over arrays that are all of one `length`, if they
    /// are, is asked each time whether it takes so many.
    pub(super) fn of(launch: &Launch, length: Option<usize>) -> Option<Self> {
        let kernel = &launch.kernel;
        nest::check_counts(kernel, launch).ok()?;
        let (outer, middle) = nest::split(kernel).ok()?;
        let once = launch.extents[..middle].iter().all(|&e| e == 1) && outer <= middle;
        let run = count(&launch.extents[middle..]).ok()?;
        let stretches = length.is_some_and(|length| launch.extents[..] == [length]);
        let written = nest::written(kernel);
        let fits = match kernel.form {
            Form::Map => stretches || !nest::streams(run, written),
            Form::Inner => true,
            Form::Frames => !stretches && run <= nest::CHUNK.max(UNCUT / nest::weight(kernel)),
            Form::Rows => false,
        };
        if !once || run == 0 || kernel.tables > 0 || !fits {
            return None;
        }
        let layout = kernel.layout();
        let mut words: SmallVec<[u64; 24]> = smallvec::smallvec![0; layout.len];
        words[Layout::N] = run as u64;
        let frame = launch.extents.last().copied().unwrap_or(1);
        words[Layout::FOLD_BASE] = if kernel.form == Form::Frames { frame as u64 } else { 0 };
        let (mut places, mut packed) = (SmallVec::new(), SmallVec::new());
        for (b, (buf, place)) in kernel.bufs.iter().zip(&launch.bufs).enumerate() {
            let size = buf.dtype.size().cast_signed();
            let folded = buf.role == Role::Folded;
            let (mut low, mut high) = (place.offset, place.offset.checked_add(size)?);
            if folded && kernel.form == Form::Frames {
                let kept = &launch.extents[..launch.extents.len() - 1];
                if !nest::in_order(kept, |l| place.strides[l], buf.dtype.size()) {
                    return None;
                }
                high = place.offset.checked_add_unsigned(run / frame * buf.dtype.size())?;
            }
            let loops = (middle..launch.extents.len()).rev().filter(|&l| launch.extents[l] > 1);
            let moves = |l: usize| if folded || !buf.moves[l] { 0 } else { place.strides[l] };
            let stride = match buf.run {
                _ if folded => size,
                Step::Fixed => 0,
                Step::Unit => size,
                Step::Stride => loops.clone().next().map_or(0, moves),
                Step::Packed if buf.role == Role::Input && kernel.form == Form::Map => size,
                Step::Packed => return None,
            };
            let gathered = buf.run == Step::Packed && !folded;
            // The loops of the run must be one even walk, of the buffer or of what is packed of it.
            let mut want = stride;
            for l in loops {
                if !folded && !gathered && moves(l) != want {
                    return None;
                }
                let extent = launch.extents[l].cast_signed();
                let span = moves(l).checked_mul(extent - 1)?;
                (low, high) = (low.checked_add(span.min(0))?, high.checked_add(span.max(0))?);
                want = want.wrapping_mul(extent);
            }
            words[layout.bufs + 2 * b + 1] = stride as u64;
            let (memory, offset) = (place.memory, place.offset);
            let step = if folded { 0 } else { stride };
            if stretches && (step < 0 || gathered) {
                return None;
            }
            if gathered {
                if run > nest::CHUNK.max(UNCUT / nest::weight(kernel)) {
                    return None;
                }
                let strides = (middle..launch.extents.len()).map(moves).collect();
                packed.push((b, gather(&launch.extents[middle..], strides, size, run)));
            }
            places.push(Reach { memory, offset, low, high, step, moves: !folded && !gathered });
        }
        let (folds, states) = folds(kernel, &mut words[layout.folds..])?;
        let scalars = launch.scalars.iter().copied().zip(kernel.scalars.iter().copied()).collect();
        let teams = Teams::of(kernel);
        teams.hire(&mut words, layout.folds);
        let (states, weight) = (states + 8 * teams.words(), nest::weight(kernel));
        let index = (middle + 1 == launch.extents.len()).then_some(layout.index + middle);
        let (form, all) = (kernel.form, run);
        let each = match form {
            _ if !packed.is_empty() => nest::PACKED_CHUNK,
            Form::Inner => nest::each_run(kernel, &teams),
            _ => run,
        };
        Some(Self {
            words,
            layout,
            places,
            scalars,
            folds,
            teams,
            form,
            packed,
            index,
            all,
            each,
            stretches,
            written,
            states,
            weight,
        })
    }

    /// Whether it can run when the arrays of the plan have this length.
    pub(super) fn takes(&self, length: usize) -> bool {
        !self.stretches || self.form != Form::Map || !nest::streams(length, self.written)
    }

    /// What it costs on arrays of this length, in light ops.
    pub(super) fn cost(&self, length: usize) -> usize {
        self.weight.saturating_mul(if self.stretches { length } else { self.all })
    }

    /// The light ops below which no other thread is let in.
    pub(super) fn short(&self) -> usize {
        if self.form == Form::Inner { SHORT_FOLD } else { SHORT }
    }

    /// Runs the launch, on up to so many threads; `length` is that of the arrays, if the plan is for all lengths.
    pub(super) fn run(
        &self,
        runner: &Runner,
        scalars: &[Scalar],
        memories: &impl Memories,
        length: usize,
        threads: usize,
        poll: &Poll,
    ) -> Result<()> {
        let mut words: SmallVec<[u64; 24]> = SmallVec::from_slice(&self.words);
        let all = if self.stretches { length } else { self.all };
        let more = all.cast_signed() - self.all.cast_signed();
        words[Layout::N] = all as u64;
        let mut word = self.layout.bufs;
        for (b, place) in self.places.iter().enumerate() {
            let (base, first, end) = memories.find(place.memory)?;
            let high = place.high + place.step * more;
            if place.low < first || high > end {
                return Err(nest::bug(&format!(
                    "buffer {b} covers bytes {} to {high} of memory that has {first} to {end}",
                    place.low
                )));
            }
            words[word] = base.wrapping_offset(place.offset) as u64;
            word += 2;
        }
        for (s, &(place, dtype)) in self.scalars.iter().enumerate() {
            let value = scalars.get(place as usize).filter(|v| v.dtype == dtype);
            words[self.layout.scalars + s] =
                value.ok_or_else(|| nest::bug("a scalar's dtype"))?.bits;
        }
        let engine = runner.engine(tier(), self.cost(length));
        let whole = self.form == Form::Frames || !self.packed.is_empty();
        if !whole && (threads > 1 || self.cost(length) > ALONE) {
            // SAFETY: every address range was checked above.
            return unsafe { split::run(self, engine, &words, all, threads, poll) };
        }
        let _float = FloatMode::standard();
        let (scratch, need) = (engine.scratch().next_multiple_of(64), self.states);
        let mut desk = Desk([const { std::mem::MaybeUninit::uninit() }; Desk::WORDS]);
        let mut heap = None;
        let desk: *mut u8 = if scratch + need <= size_of::<Desk>() {
            desk.0.as_mut_ptr().cast()
        } else {
            heap.insert(Buffer::new(scratch + need)?).as_mut_ptr()
        };
        let mut status = 0u32;
        words[Layout::SCRATCH] = desk as u64;
        words[Layout::STATUS] = std::ptr::from_mut(&mut status) as u64;
        match self.form {
            // SAFETY: every address range was checked above, and scratch memory and status word are ours.
            Form::Map if !self.packed.is_empty() => unsafe { self.pack(&engine, &mut words)? },
            // SAFETY: as above.
            Form::Map | Form::Rows => unsafe { engine.run(words.as_ptr()) },
            Form::Frames => {
                for (f, (_, buf)) in self.folds.iter().enumerate() {
                    words[self.layout.folds + 2 * f] = words[self.layout.bufs + 2 * buf];
                }
                // SAFETY: as above; the results follow each other.
                unsafe { engine.run(words.as_ptr()) };
            }
            // SAFETY: as above; behind the scratch memory is room for states and a partial result.
            Form::Inner => unsafe {
                self.fold(&engine, &mut words, all, desk.wrapping_add(scratch))?;
            },
        }
        // SAFETY: our own word; kernels write it through its address.
        check_status(unsafe { std::ptr::from_ref(&status).read_volatile() })
    }

    /// Runs on tiles of what is packed.
    ///
    /// # Safety
    /// The words are those of the whole run, whose buffers are there.
    unsafe fn pack(&self, engine: &Engine<'_>, words: &mut [u64]) -> Result<()> {
        let mut packs = SmallVec::<[(Pack, *const u8); 2]>::new();
        for (b, gather) in &self.packed {
            packs.push((Pack::new(gather)?, words[self.layout.bufs + 2 * b] as *const u8));
        }
        for lo in (0..self.all).step_by(self.each) {
            let n = self.each.min(self.all - lo);
            words[Layout::N] = n as u64;
            if let Some(index) = self.index {
                words[index] = lo as u64;
            }
            for ((b, gather), (pack, from)) in self.packed.iter().zip(&mut packs) {
                // SAFETY: the run's elements are within the input, and stay as they are but for what this
                // launch writes of them, later; `n` is at most the chunk.
                words[self.layout.bufs + 2 * b] = unsafe { pack.bind(gather, *from, lo, n) } as u64;
            }
            // SAFETY: every address range was checked, and scratch memory and status word are ours.
            unsafe { engine.run(words.as_ptr()) };
            self.advance(words);
        }
        Ok(())
    }

    /// Goes on to the next run.
    fn advance(&self, words: &mut [u64]) {
        for (b, _) in self.places.iter().enumerate().filter(|(_, place)| place.moves) {
            let at = self.layout.bufs + 2 * b;
            words[at] = words[at].wrapping_add(words[at + 1].wrapping_mul(self.each as u64));
        }
    }

    /// Folds all elements, run by run.
    ///
    /// # Safety
    /// The words are those of the first run, and at `desk` is room for the states, the boards and the largest
    /// partial.
    unsafe fn fold(
        &self,
        engine: &Engine<'_>,
        words: &mut [u64],
        all: usize,
        desk: *mut u8,
    ) -> Result<()> {
        // The partial result of one run alone is the total.
        let alone = all <= self.each;
        let runs = if alone { &[] } else { &self.folds[..] };
        let mut trees: SmallVec<[Tree<'_>; 2]> =
            runs.iter().map(|(fold, _)| Tree::new(fold, 1)).collect();
        let (at, mut partial) = (self.layout.folds, desk);
        let mut states = SmallVec::<[*mut u8; 8]>::new();
        for (f, (fold, _)) in self.folds.iter().enumerate() {
            words[at + 2 * f] = partial as u64;
            states.push(partial);
            partial = partial.wrapping_add(fold.state_bytes);
        }
        // SAFETY: the desk has room for the boards behind the states.
        unsafe { self.teams.seat(words, at, partial) };
        partial = partial.wrapping_add(8 * self.teams.words());
        for lo in (0..all).step_by(self.each) {
            words[Layout::N] = self.each.min(all - lo) as u64;
            words[Layout::FOLD_BASE] = lo as u64;
            if let Some(index) = self.index {
                words[index] = lo as u64;
            }
            for ((fold, _), &state) in self.folds.iter().zip(&states) {
                // SAFETY: the desk has room for all states, one after another.
                unsafe { (fold.open)(state) };
            }
            // SAFETY: every address range was checked, and scratch memory and status word are ours.
            unsafe { engine.run(words.as_ptr()) };
            if alone {
                for ((fold, buf), &state) in self.folds.iter().zip(&states) {
                    let result = words[self.layout.bufs + 2 * buf] as *mut u8;
                    // SAFETY: the state is one run's; behind the states is room for a partial; the place of the
                    // result was checked.
                    unsafe {
                        (fold.close)(state, partial);
                        (fold.finish)(partial, result, 1);
                    }
                }
                return Ok(());
            }
            for (((fold, _), &state), tree) in self.folds.iter().zip(&states).zip(&mut trees) {
                // SAFETY: the state is one run's; behind the states is room for a partial, in whole words.
                let partial = unsafe {
                    (fold.close)(state, partial);
                    std::slice::from_raw_parts(partial.cast::<u64>(), fold.partial_bytes / 8)
                };
                tree.push(partial)?;
            }
            self.advance(words);
        }
        for ((fold, buf), tree) in self.folds.iter().zip(trees) {
            let total = tree.collapse().unwrap_or_default();
            let result = words[self.layout.bufs + 2 * buf] as *mut u8;
            // SAFETY: a partial, as there is a block at least; the place of the result was checked.
            unsafe { (fold.finish)(total.as_ptr().cast(), result, 1) };
        }
        Ok(())
    }
}

/// How an input's elements of a run over loops of these extents are packed, whose strides along loops of one element
/// do not matter.
fn gather(extents: &[usize], mut strides: Strides, size: isize, run: usize) -> Strided {
    for (stride, _) in strides.iter_mut().zip(extents).filter(|(_, extent)| **extent == 1) {
        *stride = 0;
    }
    Strided::new(extents, &strides, size.unsigned_abs(), nest::PACKED_CHUNK.min(run))
}

/// A kernel's folds, and the bytes of all states and the largest partial; `words` are
/// told of the functions.
fn folds(kernel: &Kernel, words: &mut [u64]) -> Option<(Folds, usize)> {
    let mut folds = Folds::new();
    let (mut states, mut partial) = (0, 0);
    for (f, (fold, measure, dtype, buf)) in kernel.folds().enumerate() {
        let fns = crate::tile::fold(fold, measure, dtype)?;
        let function = if kernel.form == Form::Frames { fns.frames } else { fns.inner };
        words[2 * f + 1] = function as usize as u64;
        states += fns.state_bytes;
        partial = partial.max(fns.partial_bytes);
        folds.push((fns, buf as usize));
    }
    Some((folds, states + partial))
}
