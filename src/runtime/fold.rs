//! Folds: blocks into partial results, partial results into results, in an order that only the
//! number of elements decides.
//!
//! May not know: which fold it is; `tile` knows that.

use smallvec::SmallVec;

use super::nest::{FoldSlot, Nest};
use super::walk::Worker;
use crate::buffer::Buffer;
use crate::dtype::DType;
use crate::error::Result;
use crate::loops::{Form, Kernel, Layout, Line};
use crate::tile::{self, Board, FoldFns, Team, Tree};

/// Folds of a kernel that one function does for all of them, since they fold the same value.
///
/// The kernel calls a function for each fold. Of those that go together the first one's does all, and finds
/// their states on a board; those of the others do nothing.
#[derive(Debug)]
pub(super) struct Teams(SmallVec<[(Team, SmallVec<[usize; 5]>); 1]>);

impl Teams {
    /// The teams of a kernel of the inner form.
    pub(super) fn of(kernel: &Kernel) -> Self {
        let lines = kernel.lines.iter().filter_map(|line| match line {
            Line::Fold { fold, measure, dtype, value, .. } => Some((fold, measure, dtype, value)),
            _ => None,
        });
        let mut values = SmallVec::<[_; 4]>::new();
        for (f, (&fold, &measure, &dtype, &value)) in lines.enumerate() {
            match values.iter_mut().find(|of: &&mut (u32, _, SmallVec<[_; 5]>)| of.0 == value) {
                Some(of) => of.2.push((f, (fold, measure))),
                None => values.push((value, dtype, smallvec::smallvec![(f, (fold, measure))])),
            }
        }
        let team = |(_, dtype, folds): (u32, DType, SmallVec<[(usize, _); 5]>)| {
            let (members, kinds): (SmallVec<[usize; 5]>, SmallVec<[_; 5]>) =
                folds.into_iter().unzip();
            Some((tile::together(&kinds, dtype)?, members))
        };
        match kernel.form {
            Form::Inner => Self(values.into_iter().filter_map(team).collect()),
            _ => Self(SmallVec::new()),
        }
    }

    /// Whether one team does so many folds, which are all there are.
    pub(super) fn are_one_of(&self, folds: usize) -> bool {
        matches!(&self.0[..], [(_, members)] if members.len() == folds)
    }

    /// Words of the boards.
    pub(super) fn words(&self) -> usize {
        self.0.len() * (size_of::<Board>() / 8)
    }

    /// Puts the functions into the argument words, of which those of folds begin at `at`.
    pub(super) fn hire(&self, words: &mut [u64], at: usize) {
        for (team, members) in &self.0 {
            for (k, f) in members.iter().enumerate() {
                let function = if k == 0 { team.inner } else { tile::done };
                words[at + 2 * f + 1] = function as usize as u64;
            }
        }
    }

    /// Puts the boards, with the states' addresses that are in the argument words, where there is room, and
    /// their addresses into the words.
    ///
    /// # Safety
    /// At `boards` are as many words as [`Teams::words`].
    pub(super) unsafe fn seat(&self, words: &mut [u64], at: usize, boards: *mut u8) {
        for (k, (team, members)) in self.0.iter().enumerate() {
            let mut board: Board = [std::ptr::null_mut(); 5];
            for (&place, f) in team.places.iter().zip(members) {
                board[place] = words[at + 2 * f] as *mut u8;
            }
            let to = boards.wrapping_add(k * size_of::<Board>());
            // SAFETY: the caller's promise.
            unsafe { to.cast::<Board>().write_unaligned(board) };
            words[at + 2 * members[0]] = to as u64;
        }
    }
}

/// One thread's memory for one fold.
pub(super) struct Local {
    /// Inner: the state of a run. Rows: the lanes, each a row of partials.
    state: Buffer,
    /// Inner: room for one partial.
    partial: Buffer,
    /// Rows: the place in its leaf of the row that comes next.
    next: usize,
}

impl Local {
    /// Memory for `fold`.
    pub(super) fn new(nest: &Nest, fold: &FoldSlot) -> Result<Self> {
        let (fns, width) = (fold.fns, nest.width());
        let state = match nest.form {
            Form::Rows => fns.lanes * width * fns.partial_bytes,
            _ => fns.state_bytes,
        };
        Ok(Self { state: Buffer::new(state)?, partial: Buffer::new(fns.partial_bytes)?, next: 0 })
    }

    /// The address of the state.
    pub(super) fn state(&self) -> *const u8 {
        self.state.as_ptr()
    }

    /// Combines the lanes of a leaf pairwise, adds them to the tree, and empties them.
    fn close_leaf(&mut self, fns: &FoldFns, n: usize, tree: &mut Tree) -> Result<()> {
        let row = n * fns.partial_bytes;
        let lanes = self.state.as_mut_ptr();
        // Lanes that nothing reached hold the identity, and combining it changes no bit.
        let used = self.next.min(fns.lanes);
        let mut apart = 1;
        while apart < used {
            for i in (0..used - apart).step_by(2 * apart) {
                // SAFETY: two different lanes of `n` partials each.
                unsafe { (fns.combine)(lanes.add(i * row), lanes.add((i + apart) * row), n) };
            }
            apart *= 2;
        }
        tree.push(&self.state.words()[..row / 8])?;
        // SAFETY: the lanes are `lanes * n` partials.
        unsafe { (fns.clear)(lanes, used * n) };
        self.next = 0;
        Ok(())
    }
}

impl Worker {
    /// One segment of one place, inner form: a block folds into one partial.
    pub(super) fn inner_unit(&mut self, nest: &Nest, unit: usize) {
        let (place, seg) = match nest.segs {
            1 => (unit, 0),
            segs => (unit / segs, unit % segs),
        };
        self.seek(nest, place);
        let lo = seg * nest.seg;
        let n = nest.seg.min(nest.run - lo);
        if n > 0 {
            for (fold, local) in nest.folds.iter().zip(&mut self.locals) {
                // SAFETY: the state has the fold's size.
                unsafe { (fold.fns.open)(local.state.as_mut_ptr()) };
            }
            self.words[Layout::FOLD_BASE] = lo as u64;
            self.run(nest, lo, n);
        }
        for (f, fold) in nest.folds.iter().enumerate() {
            let local = &mut self.locals[f];
            let (state, partial) = (local.state.as_ptr(), local.partial.as_mut_ptr());
            // SAFETY: state and partial have the fold's sizes.
            unsafe {
                if n > 0 { (fold.fns.close)(state, partial) } else { (fold.fns.clear)(partial, 1) }
            }
            self.deliver(nest, fold, unit, 0, self.locals[f].partial.words());
        }
    }

    /// One cut of the run, frames form: whole frames, each into its result.
    pub(super) fn frames_unit(&mut self, nest: &Nest, unit: usize) {
        let lo = unit * nest.cut;
        for fold in &nest.folds {
            let results = lo / nest.frame() * nest.slots[fold.buf].size;
            self.words[fold.word] = self.ptrs[fold.buf].wrapping_add(results) as u64;
        }
        self.run(nest, lo, nest.cut.min(nest.run - lo));
    }

    /// One segment of one cut of one place, rows form.
    pub(super) fn rows_unit(&mut self, nest: &Nest, unit: usize) -> Result<()> {
        let (cut, seg) = (unit / nest.segs, unit % nest.segs);
        self.seek(nest, cut / nest.cuts);
        let lo = cut % nest.cuts * nest.cut;
        let n = nest.cut.min(nest.run - lo);
        let from = seg * nest.seg;
        let to = nest.repeats.min(from + nest.seg);
        for (fold, local) in nest.folds.iter().zip(&mut self.locals) {
            local.next = 0;
            let used = fold.fns.lanes.min(to.saturating_sub(from)).max(1);
            // SAFETY: the lanes have room for rows of a cut, of which `n` is part.
            unsafe { (fold.fns.clear)(local.state.as_mut_ptr(), used * n) };
        }
        let mut trees: SmallVec<[Tree; 2]> =
            nest.folds.iter().map(|f| Tree::new(&f.fns, n)).collect();
        if from < to {
            self.jump(nest, nest.outer..nest.middle, from);
        }
        for k in from..to {
            self.row(nest, k, lo, n);
            for ((fold, local), tree) in nest.folds.iter().zip(&mut self.locals).zip(&mut trees) {
                local.next += 1;
                if local.next == fold.fns.leaf {
                    local.close_leaf(&fold.fns, n, tree)?;
                }
            }
            self.step(nest, nest.outer..nest.middle);
        }
        for (f, (fold, mut tree)) in nest.folds.iter().zip(trees).enumerate() {
            let local = &mut self.locals[f];
            if local.next > 0 || from >= to {
                local.close_leaf(&fold.fns, n, &mut tree)?;
            }
            let total = tree.collapse().unwrap_or_default();
            self.deliver(nest, fold, unit, lo, &total);
        }
        Ok(())
    }

    /// One place of the reducing loops, rows form: a row of elements, each into its own partial.
    fn row(&mut self, nest: &Nest, k: usize, lo: usize, n: usize) {
        for (fold, local) in nest.folds.iter().zip(&mut self.locals) {
            let lane = local.next & (fold.fns.lanes - 1);
            let state = local.state.as_mut_ptr().wrapping_add(lane * n * fold.fns.partial_bytes);
            self.words[fold.word] = state as u64;
        }
        self.words[Layout::FOLD_BASE] = k as u64;
        self.run(nest, lo, n);
    }

    /// Keeps a unit's partials for later, or writes them out if they are the whole fold.
    fn deliver(&self, nest: &Nest, fold: &FoldSlot, unit: usize, lo: usize, partials: &[u64]) {
        let Some(store) = &fold.store else {
            return self.write_results(nest, fold, lo, partials);
        };
        let at = unit * nest.width() * fold.fns.partial_bytes;
        debug_assert!(at + size_of_val(partials) <= store.len());
        // SAFETY: each unit has its own part of the store, which has room for a full one; the store
        // is read only when all units are done.
        unsafe {
            let to = store.as_ptr().cast_mut().add(at).cast();
            std::ptr::copy_nonoverlapping(partials.as_ptr(), to, partials.len());
        }
    }

    /// Converts partials into results, from element `lo` of the run at this place on.
    fn write_results(&self, nest: &Nest, fold: &FoldSlot, lo: usize, partials: &[u64]) {
        let slot = &nest.slots[fold.buf];
        let stride = slot.run_stride;
        let bytes = fold.fns.partial_bytes;
        let n = size_of_val(partials) / bytes;
        let partials: *const u8 = partials.as_ptr().cast();
        let out = self.ptrs[fold.buf].wrapping_offset(stride.wrapping_mul(lo.cast_signed()));
        if n == 1 || stride == slot.size.cast_signed() {
            // SAFETY: the elements are within the buffer (checked when the nest was bound).
            unsafe { (fold.fns.finish)(partials, out, n) };
            return;
        }
        for i in 0..n {
            let to = out.wrapping_offset(stride.wrapping_mul(i.cast_signed()));
            // SAFETY: as above, one element at a time.
            unsafe { (fold.fns.finish)(partials.add(i * bytes), to, 1) };
        }
    }
}

/// Combines the stored partials of all segments, in order, and writes the results.
pub(super) fn combine(nest: &Nest) -> Result<()> {
    if nest.segs == 1 || nest.folds.is_empty() {
        return Ok(());
    }
    let mut worker = Worker::new(nest)?;
    for cut in 0..nest.places * nest.cuts {
        worker.seek(nest, cut / nest.cuts);
        let lo = cut % nest.cuts * nest.cut;
        let n = if nest.form == Form::Rows { nest.cut.min(nest.run - lo) } else { 1 };
        for fold in &nest.folds {
            let Some(store) = &fold.store else { continue };
            let words = fold.fns.partial_bytes / 8;
            let mut tree = Tree::new(&fold.fns, n);
            for unit in cut * nest.segs..(cut + 1) * nest.segs {
                tree.push(&store.words()[unit * nest.width() * words..][..n * words])?;
            }
            worker.write_results(nest, fold, lo, &tree.collapse().unwrap_or_default());
        }
    }
    Ok(())
}
