//! A launch without a nest, in pieces for threads.
//!
//! A piece is a part of the one run: its words are those of the whole, moved on. Partial results of folds are
//! kept until all are there, and combined in the order of the pieces. May not know: how addresses are checked.

use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};

use smallvec::SmallVec;

use super::super::cache::Engine;
use super::super::pool::{FloatMode, PIECE, Poll, Work, drive};
use super::super::scalars::check_status;
use super::Single;
use crate::buffer::Buffer;
use crate::error::{Error, Result};
use crate::loops::{Form, Layout};
use crate::tile::{BLOCK, Tree};

/// Pieces of maps begin where vectors and cache lines do.
const TURN: usize = 1024;

/// Into about so many pieces a fold is cut, and more if it is long, so that nobody is waited for long.
const PARTS: usize = 8;

/// The pieces of a launch.
pub(super) struct Pieces<'a> {
    single: &'a Single,
    engine: Engine<'a>,
    /// The words of the launch, without memory of a thread's own.
    words: &'a [u64],
    /// Elements of all pieces, and of each but the last.
    all: usize,
    each: usize,
    /// Where partial results are kept: those of a fold one after another, fold after fold.
    store: *mut u8,
    status: AtomicU32,
}

// SAFETY: the addresses are of memory that outlives the pieces (see `Single::run` and `run`); threads write
// different elements and partial results, and read what nobody writes.
unsafe impl Sync for Pieces<'_> {}

/// Does a launch on `all` elements in pieces, on up to so many threads.
///
/// # Safety
/// The words are those of the launch on all elements, of which every address range was checked.
pub(super) unsafe fn run(
    single: &Single,
    engine: Engine<'_>,
    words: &[u64],
    all: usize,
    threads: usize,
    poll: &Poll,
) -> Result<()> {
    let each = match single.form {
        // A run of fewer blocks, as many as a power of two, is a whole subtree too.
        Form::Inner => {
            let least = (all / PARTS).max(1).next_power_of_two();
            single.each.min(least.max(BLOCK))
        }
        _ => (PIECE / single.weight).next_multiple_of(TURN),
    };
    let count = all.div_ceil(each);
    let partials: usize = single.folds.iter().map(|(fold, _)| fold.partial_bytes).sum();
    let bytes = partials.checked_mul(count);
    let bytes = bytes.ok_or_else(|| Error::memory("too many partial results"))?;
    let mut store = Buffer::new(bytes)?;
    let status = AtomicU32::new(0);
    let store = store.as_mut_ptr();
    let pieces = Pieces { single, engine, words, all, each, store, status };
    drive(&pieces, count, threads, poll)?;
    {
        let _float = FloatMode::standard();
        pieces.combine(count)?;
    }
    check_status(pieces.status.into_inner())
}

impl Pieces<'_> {
    /// Combines the partial results of each fold.
    fn combine(&self, count: usize) -> Result<()> {
        let mut at = self.store.cast_const();
        for (fold, buf) in &self.single.folds {
            let mut tree = Tree::new(fold, 1);
            for _ in 0..count {
                // SAFETY: the store has a partial of each piece, in whole words, and all were written.
                let partial =
                    unsafe { std::slice::from_raw_parts(at.cast::<u64>(), fold.partial_bytes / 8) };
                tree.push(partial)?;
                at = at.wrapping_add(fold.partial_bytes);
            }
            let total = tree.collapse().unwrap_or_default();
            let result = self.words[self.single.layout.bufs + 2 * buf] as *mut u8;
            // SAFETY: a partial, as there is a piece at least; the place of the result was checked.
            unsafe { (fold.finish)(total.as_ptr().cast(), result, 1) };
        }
        Ok(())
    }

    /// Runs the kernel on pieces `from..to`, and keeps what is folded as the partial result of `from`.
    fn piece(&self, desk: &mut Desk, from: usize, to: usize) {
        let (single, words, lo) = (self.single, &mut desk.words, from * self.each);
        words[Layout::N] = (self.all.min(to * self.each) - lo) as u64;
        if single.form == Form::Inner {
            words[Layout::FOLD_BASE] = lo as u64;
        }
        if let Some(index) = single.index {
            words[index] = lo as u64;
        }
        for (b, place) in single.places.iter().enumerate().filter(|(_, place)| place.moves) {
            let at = single.layout.bufs + 2 * b;
            words[at] = self.words[at].wrapping_add((place.step * lo.cast_signed()) as u64);
        }
        for ((fold, _), &state) in single.folds.iter().zip(&desk.states) {
            // SAFETY: the state is this thread's own.
            unsafe { (fold.open)(state) };
        }
        // SAFETY: every address range was checked, scratch memory, states and status word are this thread's
        // own, and pieces write different elements.
        unsafe { self.engine.run(words.as_ptr()) };
        let (mut store, count) = (self.store, self.all.div_ceil(self.each));
        for ((fold, _), &state) in single.folds.iter().zip(&desk.states) {
            let partial = store.wrapping_add(from * fold.partial_bytes);
            // SAFETY: the state is one piece's; the partial's place is this piece's alone.
            unsafe { (fold.close)(state, partial) };
            store = store.wrapping_add(count * fold.partial_bytes);
        }
    }
}

/// Memory of a thread's own.
pub(super) struct Desk {
    words: SmallVec<[u64; 24]>,
    /// Per fold, the address of its state.
    states: SmallVec<[*mut u8; 2]>,
    /// The kernel's scratch memory, and the states and boards of folds.
    memory: Buffer,
    status: Box<u32>,
}

impl Work for Pieces<'_> {
    type Worker = Desk;

    fn worker(&self) -> Result<Desk> {
        let single = self.single;
        let scratch = self.engine.scratch().next_multiple_of(64);
        let mut memory = Buffer::new(scratch + single.states)?;
        let (mut words, mut status) = (SmallVec::from_slice(self.words), Box::new(0));
        words[Layout::SCRATCH] = memory.as_mut_ptr() as u64;
        words[Layout::STATUS] = std::ptr::from_mut(&mut *status) as u64;
        let mut state = memory.as_mut_ptr().wrapping_add(scratch);
        let mut states = SmallVec::new();
        for (f, (fold, _)) in single.folds.iter().enumerate() {
            words[single.layout.folds + 2 * f] = state as u64;
            states.push(state);
            state = state.wrapping_add(fold.state_bytes);
        }
        // SAFETY: there is room for the boards behind the states.
        unsafe { single.teams.seat(&mut words, single.layout.folds, state) };
        Ok(Desk { words, states, memory, status })
    }

    fn items(&self, desk: &mut Desk, items: Range<usize>) -> Result<()> {
        // What is folded has a partial result for each piece; of a map any number is a piece.
        match self.single.form {
            Form::Inner => items.for_each(|i| self.piece(desk, i, i + 1)),
            _ => self.piece(desk, items.start, items.end),
        }
        Ok(())
    }

    fn done(&self, desk: Desk) {
        // SAFETY: the thread's own word; read through its address, since kernels write it there.
        let status = unsafe { std::ptr::from_ref(&*desk.status).read_volatile() };
        self.status.fetch_or(status, Ordering::Relaxed);
        drop(desk.memory);
    }
}
