//! A launch bound to memory: how its loops are cut into units of work, and checked addresses.
//!
//! A wrong plan must not touch memory that is not its own, so every address range is checked here,
//! once per launch. May not know: threads, what the kernel computes.

use std::sync::atomic::AtomicU32;

use smallvec::SmallVec;

use super::cache::{Engine, Runner, tier};
use super::fold::Teams;
use super::pack::Strided;
use super::stream;
use crate::buffer::Buffer;
use crate::dtype::Scalar;
use crate::error::{Error, Result};
use crate::loops::{Buf, Form, Kernel, Launch, Layout, Line, Memory, Role, Step, Value};
use crate::op::{Cost, FRAMES};
use crate::shape::count;
use crate::tile::{self, BLOCK, FoldFns, InterpTable, RUN};

/// Memory by name: where it is and which bytes of it may be touched.
pub(super) trait Memories {
    /// The address that places count from, and the first and one past the last byte, counted from it.
    fn find(&self, memory: Memory) -> Result<(*mut u8, isize, isize)>;
}

/// A buffer of the launch.
pub(super) struct Slot {
    /// The address of the nest's first element.
    pub base: *mut u8,
    /// Bytes of an element.
    pub size: usize,
    /// What the kernel does with it.
    pub role: Role,
    /// How it moves along the run.
    pub run: Step,
    /// Bytes from one element of the run to the next, before packing.
    pub run_stride: isize,
    /// How to pack it.
    pub gather: Option<Strided>,
    /// Whether units fill a tile of this output, which is then copied past the caches.
    pub streamed: bool,
}

/// A fold of the launch.
pub(super) struct FoldSlot {
    /// Its functions.
    pub fns: FoldFns,
    /// The buffer of its results.
    pub buf: usize,
    /// Its first argument word.
    pub word: usize,
    /// Partial results of all units, when they are combined later.
    pub store: Option<Buffer>,
}

/// A launch, ready to run. Loops `0..outer` are places; `outer..middle` are the reducing loops of
/// the rows form; the rest are the run.
///
/// Unit `u` is segment `u % segs` of cut `u / segs % cuts` of place `u / segs / cuts`: a cut is a
/// part of a kept run, a segment a part of what is reduced.
pub(super) struct Nest<'a> {
    pub engine: Engine<'a>,
    pub layout: Layout,
    pub form: Form,
    pub extents: SmallVec<[usize; 4]>,
    pub outer: usize,
    pub middle: usize,
    /// How many places there are.
    pub places: usize,
    /// How often the reducing loops of the rows form run.
    pub repeats: usize,
    /// Elements of the run.
    pub run: usize,
    /// Elements of a cut, but for the last.
    pub cut: usize,
    pub cuts: usize,
    /// Places of the reducing loops in a segment, but for the last.
    pub seg: usize,
    pub segs: usize,
    /// Per loop, the strides of all buffers.
    pub steps: Vec<Vec<isize>>,
    pub slots: Vec<Slot>,
    pub folds: Vec<FoldSlot>,
    pub teams: Teams,
    /// The argument words that all runs share.
    pub words: Vec<u64>,
    /// What one element costs, in light ops.
    pub weight: usize,
    pub status: AtomicU32,
    tables: Vec<InterpTable>,
}

// SAFETY: the raw pointers lead to memory that outlives the nest (its maker holds it); threads
// write disjoint elements, and read what nobody writes.
unsafe impl Sync for Nest<'_> {}

/// Elements of a cut of a kept run: enough to forget the call, few enough to share out and to stop.
pub(super) const CHUNK: usize = 32 * 1024;
/// The same with packing: a few tiles must stay in the first-level cache.
pub(super) const PACKED_CHUNK: usize = 2 * tile::TILE;
/// The same with outputs that are streamed; shorter runs are not worth it.
const STREAMED_CHUNK: usize = PACKED_CHUNK;
/// Bytes of lanes that the rows form may use per cut.
const LANE_BYTES: usize = 32 * 1024;

/// A broken plan.
pub(super) fn bug(what: &str) -> Error {
    Error::bug(format!("the plan does not fit its kernel: {what}"))
}

impl<'a> Nest<'a> {
    /// Binds `launch`; `None` when it has nothing to do.
    pub(super) fn bind(
        runner: &'a Runner,
        launch: &Launch,
        scalars: &[Scalar],
        tables: Vec<InterpTable>,
        memories: &dyn Memories,
    ) -> Result<Option<Self>> {
        let kernel = runner.kernel();
        check_counts(kernel, launch)?;
        let (outer, middle) = split(kernel)?;
        let extents = launch.extents.clone();
        let kept: SmallVec<[usize; 4]> =
            extents.iter().zip(&kernel.loops).filter(|(_, l)| !l.reduce).map(|(&e, _)| e).collect();
        let (places, repeats) = (count(&extents[..outer])?, count(&extents[outer..middle])?);
        let run = count(&extents[middle..])?;
        let (kept, all) = (count(&kept)?, count(&extents)?);
        let (folds, teams) = (find_folds(kernel)?, Teams::of(kernel));
        if kept == 0 || (all == 0 && folds.is_empty()) {
            return Ok(None);
        }
        if all == 0
            && let Some((fold, ..)) = kernel.folds().find(|f| !f.0.has_identity())
        {
            return Err(Error::value(format!(
                "zero-size array to reduction operation {fold} which has no identity"
            )));
        }
        let streamed =
            kernel.form == Form::Map && run >= STREAMED_CHUNK && streams(all, written(kernel));
        let (cut, seg) = match sizes(kernel, &folds, &teams, run, repeats) {
            (_, seg) if streamed => (STREAMED_CHUNK, seg),
            sizes => sizes,
        };
        let weight = weight(kernel);
        let (reduced, columns) = match kernel.form {
            Form::Map => (1, run),
            Form::Inner => (run, 1),
            Form::Rows => (repeats, run),
            Form::Frames => (1, run),
        };
        let mut nest = Nest {
            // An empty nest calls no kernel, so none is compiled for it.
            engine: match all {
                0 => runner.engine(super::Tier::Interp, 0),
                _ => runner.engine(tier(), all.saturating_mul(weight)),
            },
            layout: kernel.layout(),
            form: kernel.form,
            extents,
            outer,
            middle,
            places,
            repeats,
            run,
            cut,
            cuts: if kernel.form == Form::Inner { 1 } else { columns.div_ceil(cut) },
            seg,
            segs: reduced.div_ceil(seg).max(1),
            steps: Vec::new(),
            slots: Vec::new(),
            folds,
            teams,
            words: Vec::new(),
            weight,
            status: AtomicU32::new(0),
            tables,
        };
        nest.place_buffers(kernel, launch, memories, (all == 0, streamed))?;
        nest.fill_words(kernel, launch, scalars)?;
        nest.make_stores()?;
        Ok(Some(nest))
    }

    /// How many units there are.
    pub(super) fn units(&self) -> usize {
        self.places * self.cuts * self.segs
    }

    /// Elements of a full unit.
    pub(super) fn unit_elements(&self) -> usize {
        match self.form {
            Form::Map | Form::Frames => self.cut.min(self.run),
            Form::Inner => self.seg.min(self.run),
            Form::Rows => self.cut.min(self.run) * self.seg.min(self.repeats),
        }
    }

    /// Elements of a frame.
    pub(super) fn frame(&self) -> usize {
        self.extents.last().copied().unwrap_or(1)
    }

    /// Partials of one unit.
    pub(super) fn width(&self) -> usize {
        if self.form == Form::Rows { self.cut } else { 1 }
    }

    /// Finds each buffer, and refuses one whose elements lie outside its memory.
    fn place_buffers(
        &mut self,
        kernel: &Kernel,
        launch: &Launch,
        memories: &dyn Memories,
        (empty, streamed): (bool, bool),
    ) -> Result<()> {
        self.steps = vec![vec![0; kernel.bufs.len()]; self.extents.len()];
        for (b, (buf, place)) in kernel.bufs.iter().zip(&launch.bufs).enumerate() {
            let size = buf.dtype.size();
            let (mut low, mut high) = (place.offset, place.offset.saturating_add_unsigned(size));
            for (l, &extent) in self.extents.iter().enumerate() {
                let folded = buf.role == Role::Folded && kernel.loops[l].reduce;
                if extent <= 1 || !buf.moves[l] || folded {
                    continue;
                }
                self.steps[l][b] = place.strides[l];
                let span = place.strides[l].saturating_mul(extent.cast_signed() - 1);
                low = low.saturating_add(span.min(0));
                high = high.saturating_add(span.max(0));
            }
            let (base, first, end) = memories.find(place.memory)?;
            // Without elements only the results of folds are touched.
            if (low < first || high > end) && !(empty && buf.role != Role::Folded) {
                return Err(bug(&format!(
                    "buffer {b} covers bytes {low} to {high} of memory that has {first} to {end}"
                )));
            }
            let run_stride = self.run_stride(b, buf.run, buf.role, size)?;
            let pack = buf.run == Step::Packed && buf.role != Role::Folded && !empty;
            let gather = pack.then(|| {
                let strides: SmallVec<[isize; 4]> =
                    self.steps[self.middle..].iter().map(|s| s[b]).collect();
                let chunk = if self.form == Form::Inner { self.seg } else { self.cut };
                Strided::new(&self.extents[self.middle..], &strides, size, chunk.min(self.run))
            });
            let base = base.wrapping_offset(place.offset);
            let streamed = streamed && buf.role == Role::Output && buf.run == Step::Unit;
            let (role, run) = (buf.role, buf.run);
            self.slots.push(Slot { base, size, role, run, run_stride, gather, streamed });
        }
        Ok(())
    }

    /// The stride along the run, which must be what the kernel believes.
    fn run_stride(&self, b: usize, run: Step, role: Role, size: usize) -> Result<isize> {
        let loops = (self.middle..self.extents.len()).rev().filter(|&l| self.extents[l] > 1);
        let mut strides = loops.map(|l| (self.extents[l], self.steps[l][b])).peekable();
        let first = strides.peek().map(|s| s.1);
        if role == Role::Folded && self.form == Form::Frames {
            let kept = self.extents.len() - 1;
            if !in_order(&self.extents[..kept], |l| self.steps[l][b], size) {
                return Err(bug(&format!("the results in buffer {b} do not follow each other")));
            }
            return Ok(size.cast_signed());
        }
        if role == Role::Folded {
            return Ok(first.unwrap_or(size.cast_signed()));
        }
        let stride = match run {
            Step::Fixed => 0,
            Step::Unit => size.cast_signed(),
            Step::Stride => first.unwrap_or(0),
            Step::Packed => return Ok(size.cast_signed()),
        };
        // Without elements nothing moves, and strides say nothing.
        if self.extents.contains(&0) {
            return Ok(stride);
        }
        let mut want = stride;
        for (extent, step) in strides {
            if step != want {
                return Err(bug(&format!("buffer {b} does not advance along the run as it says")));
            }
            want = want.wrapping_mul(extent.cast_signed());
        }
        Ok(stride)
    }

    fn fill_words(&mut self, kernel: &Kernel, launch: &Launch, scalars: &[Scalar]) -> Result<()> {
        let layout = self.layout;
        self.words = vec![0; layout.len];
        self.words[Layout::FOLD_BASE] = self.frame() as u64;
        for (b, slot) in self.slots.iter().enumerate() {
            self.words[layout.bufs + 2 * b + 1] = slot.run_stride as u64;
        }
        for (s, (&dtype, &place)) in kernel.scalars.iter().zip(&launch.scalars).enumerate() {
            let value = scalars.get(place as usize).filter(|v| v.dtype == dtype);
            self.words[layout.scalars + s] = value.ok_or_else(|| bug("a scalar's dtype"))?.bits;
        }
        for (t, table) in self.tables.iter().enumerate() {
            // The vector's memory does not move when the nest does.
            self.words[layout.tables + t] = std::ptr::from_ref(table) as u64;
        }
        for (f, fold) in self.folds.iter_mut().enumerate() {
            fold.word = layout.folds + 2 * f;
            let function = match self.form {
                Form::Rows => fold.fns.rows,
                Form::Frames => fold.fns.frames,
                Form::Map | Form::Inner => fold.fns.inner,
            };
            self.words[fold.word + 1] = function as usize as u64;
        }
        self.teams.hire(&mut self.words, layout.folds);
        Ok(())
    }

    /// Memory for partial results, where a fold takes more than one unit.
    fn make_stores(&mut self) -> Result<()> {
        if self.segs == 1 {
            return Ok(());
        }
        let (units, width) = (self.units(), self.width());
        for fold in &mut self.folds {
            let bytes = units.checked_mul(width * fold.fns.partial_bytes);
            let bytes = bytes.ok_or_else(|| Error::memory("too many partial results"))?;
            fold.store = Some(Buffer::new(bytes)?);
        }
        Ok(())
    }
}

/// Refuses a launch that is not parallel to its kernel.
pub(super) fn check_counts(kernel: &Kernel, launch: &Launch) -> Result<()> {
    let rank = kernel.loops.len();
    let fits = launch.extents.len() == rank
        && launch.bufs.len() == kernel.bufs.len()
        && launch.scalars.len() == kernel.scalars.len()
        && launch.tables.len() == kernel.tables
        && launch.bufs.iter().all(|p| p.strides.len() == rank)
        && kernel.bufs.iter().all(|b| b.moves.len() == rank);
    let frame = launch.extents.last().is_some_and(|n| FRAMES.contains(n));
    let fits = fits && (kernel.form != Form::Frames || frame);
    if fits { Ok(()) } else { Err(bug("counts differ")) }
}

/// Whether loops of these extents go through elements of `size` bytes one after the other.
pub(super) fn in_order(extents: &[usize], stride: impl Fn(usize) -> isize, size: usize) -> bool {
    let mut want = size.cast_signed();
    extents.iter().enumerate().rev().all(|(l, &extent)| {
        let fits = extent == 1 || stride(l) == want;
        want = want.wrapping_mul(extent.cast_signed());
        fits
    })
}

/// Where the places end and where the run begins.
pub(super) fn split(kernel: &Kernel) -> Result<(usize, usize)> {
    let n = kernel.loops.len();
    let first = kernel.loops.iter().position(|l| l.reduce).unwrap_or(n);
    let reducing = kernel.loops.iter().filter(|l| l.reduce).count();
    let after = first + reducing;
    let together = kernel.loops[first..after].iter().all(|l| l.reduce);
    match kernel.form {
        Form::Map if reducing == 0 && kernel.flat => Ok((0, 0)),
        Form::Map if reducing == 0 => Ok((n.saturating_sub(1), n.saturating_sub(1))),
        Form::Frames if reducing == 1 && after == n && n > 1 && kernel.flat => Ok((0, 0)),
        Form::Inner if together && after == n && (kernel.flat || reducing <= 1) => {
            Ok((first, first))
        }
        Form::Rows if together && after + 1 == n && !kernel.flat => Ok((first, after)),
        Form::Rows if reducing == 0 && n > 0 && !kernel.flat => Ok((n - 1, n - 1)),
        _ => Err(bug("the order of loops")),
    }
}

fn find_folds(kernel: &Kernel) -> Result<Vec<FoldSlot>> {
    let slot = |(fold, measure, dtype, buf)| {
        let fns =
            tile::fold(fold, measure, dtype).ok_or_else(|| bug("a fold without functions"))?;
        Ok(FoldSlot { fns, buf: buf as usize, word: 0, store: None })
    };
    kernel.folds().map(slot).collect()
}

/// Elements of a run of folds in the inner form. What is folded where it lies, by one function, needs no tiles, and
/// fewer runs.
pub(super) fn each_run(kernel: &Kernel, teams: &Teams) -> usize {
    let [Line::Load { buf }, ref rest @ ..] = kernel.lines[..] else { return BLOCK };
    let plain = rest.iter().all(|line| matches!(line, Line::Fold { .. }))
        && kernel.bufs[buf as usize].run != Step::Packed;
    let alone = rest.len() == 1 || teams.are_one_of(rest.len());
    if alone && plain { RUN } else { BLOCK }
}

/// Elements of a cut and places of a segment.
///
/// A segment of a power of two of leaves is a whole subtree, so its length does not show in the bits.
fn sizes(
    kernel: &Kernel,
    folds: &[FoldSlot],
    teams: &Teams,
    run: usize,
    repeats: usize,
) -> (usize, usize) {
    match kernel.form {
        Form::Map | Form::Frames => {
            let packed = kernel.bufs.iter().any(|b| b.run == Step::Packed);
            (if packed { PACKED_CHUNK } else { CHUNK }, 1)
        }
        Form::Inner => (1, each_run(kernel, teams)),
        Form::Rows => {
            // Short reductions reach few lanes, and leave room for more columns.
            let lanes = |f: &FoldSlot| f.fns.lanes.min(repeats) * f.fns.partial_bytes;
            let bytes: usize = folds.iter().map(lanes).sum();
            let cut = (LANE_BYTES / bytes.max(1) / 64 * 64).clamp(64, 1024);
            let leaf = folds.iter().map(|f| f.fns.leaf).max().unwrap_or(1);
            (cut.min(run.max(1)), leaf.clamp(1024, BLOCK))
        }
    }
}

/// Bytes that a kernel writes for each element, side by side.
pub(super) fn written(kernel: &Kernel) -> usize {
    let bytes = |b: &Buf| {
        let out = b.role == Role::Output && b.run == Step::Unit;
        if out { b.dtype.size() } else { 0 }
    };
    kernel.bufs.iter().map(bytes).sum()
}

/// Whether what is written of so many elements is too large for any cache to keep.
pub(super) fn streams(elements: usize, written: usize) -> bool {
    stream::is_large(elements.saturating_mul(written))
}

/// What one element costs, in light ops.
pub(super) fn weight(kernel: &Kernel) -> usize {
    let folded = |value: Value, before: usize| {
        let of = |line: &Line| matches!(line, Line::Fold { value: v, .. } if *v == value);
        kernel.lines[..before].iter().any(of)
    };
    let cost = |(at, line): (usize, &Line)| match line {
        Line::Scalar { .. } => 0,
        Line::Map { op, dtype, .. } if op.info().cost == Cost::Heavy && dtype.is_float() => 8,
        Line::Map { .. } | Line::Cast { .. } | Line::Index { .. } => 1,
        Line::Load { .. } | Line::Store { .. } => 1,
        // Of several folds each value is read once, and often they are one function.
        Line::Fold { value, .. } if folded(*value, at) => 1,
        Line::Fold { .. } => 2,
        Line::Interp { .. } => 8,
    };
    kernel.lines.iter().enumerate().map(cost).sum::<usize>().max(1)
}
