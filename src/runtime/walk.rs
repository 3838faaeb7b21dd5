//! Walking a nest: one thread's argument words, kept in step with its place in the loops.
//!
//! May not know: how units are shared out, how folds combine.

use std::ops::Range;
use std::sync::atomic::Ordering;

use smallvec::SmallVec;

use super::fold::Local;
use super::nest::Nest;
use super::pack::Pack;
use super::stream::stream;
use crate::buffer::Buffer;
use crate::error::Result;
use crate::loops::{Form, Layout, Role, Step};

/// What one thread needs to run units of a nest.
pub(super) struct Worker {
    pub words: Vec<u64>,
    /// Per buffer, the address of the first element of the run at this place.
    pub ptrs: Vec<*mut u8>,
    /// Per loop outside the run, the place along it.
    place: SmallVec<[usize; 4]>,
    /// The linear index of the place.
    at: usize,
    /// Per packed buffer, which and its tile.
    packs: Vec<(usize, Pack)>,
    /// Per streamed output, which and its tile.
    streams: Vec<(usize, Buffer)>,
    status: Box<u32>,
    _scratch: Buffer,
    _boards: Buffer,
    pub locals: Vec<Local>,
}

impl Worker {
    /// A worker at the nest's first place.
    pub(super) fn new(nest: &Nest) -> Result<Self> {
        let mut scratch = Buffer::new(nest.engine.scratch())?;
        let mut status = Box::new(0u32);
        let mut words = nest.words.clone();
        words[Layout::SCRATCH] = scratch.as_mut_ptr() as u64;
        words[Layout::STATUS] = std::ptr::from_mut(&mut *status) as u64;
        let (mut packs, mut streams) = (Vec::new(), Vec::new());
        for (b, slot) in nest.slots.iter().enumerate() {
            if let Some(gather) = &slot.gather {
                packs.push((b, Pack::new(gather)?));
            }
            if slot.streamed {
                let mut tile = Buffer::new(nest.cut * slot.size)?;
                words[nest.layout.bufs + 2 * b] = tile.as_mut_ptr() as u64;
                streams.push((b, tile));
            }
        }
        let locals = nest.folds.iter().map(|f| Local::new(nest, f)).collect::<Result<Vec<_>>>()?;
        for (fold, local) in nest.folds.iter().zip(&locals) {
            words[fold.word] = local.state() as u64;
        }
        let mut boards = Buffer::new(8 * nest.teams.words())?;
        // SAFETY: as many words.
        unsafe { nest.teams.seat(&mut words, nest.layout.folds, boards.as_mut_ptr()) };
        Ok(Self {
            words,
            ptrs: nest.slots.iter().map(|s| s.base).collect(),
            place: smallvec::smallvec![0; nest.middle],
            at: 0,
            packs,
            streams,
            status,
            _scratch: scratch,
            _boards: boards,
            locals,
        })
    }

    /// Runs a unit of a nest of any form.
    pub(super) fn unit(&mut self, nest: &Nest, unit: usize) -> Result<()> {
        match nest.form {
            Form::Map => {
                // The usual cases divide nothing: a place per unit, or one place alone.
                let (place, cut) = match (nest.places, nest.cuts) {
                    (_, 1) => (unit, 0),
                    (1, _) => (0, unit),
                    (_, cuts) => (unit / cuts, unit % cuts),
                };
                self.seek(nest, place);
                let lo = cut * nest.cut;
                self.run(nest, lo, nest.cut.min(nest.run - lo));
            }
            Form::Inner => self.inner_unit(nest, unit),
            Form::Rows => self.rows_unit(nest, unit)?,
            Form::Frames => self.frames_unit(nest, unit),
        }
        Ok(())
    }

    /// Goes to a place of the outer loops; cheap when it is the next one.
    pub(super) fn seek(&mut self, nest: &Nest, place: usize) {
        if place == self.at + 1 {
            self.step(nest, 0..nest.outer);
        } else if place != self.at {
            self.jump(nest, 0..nest.outer, place);
        }
        self.at = place;
    }

    /// Goes one place on along `loops`, and from the last place back to the first.
    pub(super) fn step(&mut self, nest: &Nest, loops: Range<usize>) {
        for l in loops.rev() {
            let (extent, strides) = (nest.extents[l], &nest.steps[l]);
            let wrap = self.place[l] + 1 == extent;
            let times = if wrap { -(self.place[l].cast_signed()) } else { 1 };
            self.place[l] = if wrap { 0 } else { self.place[l] + 1 };
            self.words[nest.layout.index + l] = self.place[l] as u64;
            for (ptr, &stride) in self.ptrs.iter_mut().zip(strides) {
                *ptr = ptr.wrapping_offset(stride.wrapping_mul(times));
            }
            if !wrap {
                return;
            }
        }
    }

    /// Goes to the place with linear index `to` along `loops`.
    pub(super) fn jump(&mut self, nest: &Nest, loops: Range<usize>, to: usize) {
        let mut rest = to;
        for l in loops.rev() {
            let place = rest % nest.extents[l];
            rest /= nest.extents[l];
            let times = place.cast_signed() - self.place[l].cast_signed();
            self.place[l] = place;
            self.words[nest.layout.index + l] = place as u64;
            for (ptr, &stride) in self.ptrs.iter_mut().zip(&nest.steps[l]) {
                *ptr = ptr.wrapping_offset(stride.wrapping_mul(times));
            }
        }
    }

    /// Runs the kernel on elements `lo..lo + n` of the run at this place.
    pub(super) fn run(&mut self, nest: &Nest, lo: usize, n: usize) {
        self.words[Layout::N] = n as u64;
        if nest.middle + 1 == nest.extents.len() {
            self.words[nest.layout.index + nest.middle] = lo as u64;
        }
        let mut word = nest.layout.bufs;
        for (slot, &ptr) in nest.slots.iter().zip(&self.ptrs) {
            if slot.role != Role::Folded && slot.run != Step::Packed && !slot.streamed {
                let offset = slot.run_stride.wrapping_mul(lo.cast_signed());
                self.words[word] = ptr.wrapping_offset(offset) as u64;
            }
            word += 2;
        }
        for (b, pack) in &mut self.packs {
            if let Some(gather) = &nest.slots[*b].gather {
                let tile = match nest.slots[*b].role {
                    // SAFETY: the run's elements are within the input (checked when the nest was
                    // bound). What changes of it while the nest runs is what this unit writes, later.
                    // `n` is at most a cut or a segment.
                    Role::Input => unsafe { pack.bind(gather, self.ptrs[*b], lo, n) },
                    _ => pack.tile(),
                };
                self.words[nest.layout.bufs + 2 * *b] = tile as u64;
            }
        }
        // SAFETY: every address range was checked when the nest was bound, scratch memory and status
        // word are this worker's own, and units write disjoint elements.
        unsafe { nest.engine.run(self.words.as_ptr()) };
        for (b, tile) in &self.streams {
            let slot = &nest.slots[*b];
            let to = self.ptrs[*b].wrapping_add(lo * slot.size);
            // SAFETY: the run's elements are within the output (checked when the nest was bound), units
            // write disjoint elements, and the kernel has filled `n` of the tile, which holds a cut.
            unsafe { stream(tile.as_ptr(), to, n * slot.size) };
        }
        for (b, pack) in &mut self.packs {
            let slot = &nest.slots[*b];
            if let Some(gather) = slot.gather.as_ref().filter(|_| slot.role == Role::Output) {
                // SAFETY: the run's elements are within the output (checked when the nest was bound),
                // units write disjoint elements, and the kernel has filled `n` of the tile.
                unsafe { gather.scatter(pack.tile(), self.ptrs[*b], lo, n) };
            }
        }
    }

    /// Hands over what the worker found in the data.
    pub(super) fn finish(self, nest: &Nest) {
        // SAFETY: the worker's own word; read through its address, since kernels write it there.
        let status = unsafe { std::ptr::from_ref(&*self.status).read_volatile() };
        nest.status.fetch_or(status, Ordering::Relaxed);
    }
}
