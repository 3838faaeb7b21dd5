//! Folds: blocks into partial results, partial results into results, in an order that only the
//! number of elements decides.
//!
//! May not know: which fold it is; `tile` knows that.

use super::nest::{FoldSlot, Nest};
use super::walk::Worker;
use crate::buffer::Buffer;
use crate::error::Result;
use crate::loops::{Form, Layout};
use crate::tile::FoldFns;

/// Combines rows of partials pairwise in order, as a binary counter adds.
pub struct Tree {
    fns: FoldFns,
    /// Partials of a row.
    width: usize,
    /// The rows not yet combined, the oldest and largest first.
    rows: Buffer,
    depth: usize,
    pushed: usize,
}

impl Tree {
    /// A tree for up to `most` rows of up to `width` partials.
    pub fn new(fns: FoldFns, width: usize, most: usize) -> Result<Self> {
        let depth = most.max(1).ilog2() as usize + 2;
        let rows = Buffer::new(depth * width * fns.partial_bytes)?;
        Ok(Self { fns, width, rows, depth: 0, pushed: 0 })
    }

    /// Forgets everything; rows now have `width` partials, not more than at first.
    pub fn reset(&mut self, width: usize) {
        (self.width, self.depth, self.pushed) = (width, 0, 0);
    }

    fn row(&mut self, i: usize) -> *mut u8 {
        let bytes = self.width * self.fns.partial_bytes;
        debug_assert!((i + 1) * bytes <= self.rows.len());
        self.rows.as_mut_ptr().wrapping_add(i * bytes)
    }

    /// Adds the next row.
    ///
    /// # Safety
    /// `row` holds as many partials as the tree is wide, and no more rows come than it was made for.
    pub unsafe fn push(&mut self, row: *const u8) {
        let top = self.row(self.depth);
        let bytes = self.width * self.fns.partial_bytes;
        // SAFETY: the caller's promise; `new` made room for one row per bit of the count, and one more.
        unsafe { std::ptr::copy_nonoverlapping(row, top, bytes) };
        self.depth += 1;
        for _ in 0..self.pushed.trailing_ones() {
            self.fold_top();
        }
        self.pushed += 1;
    }

    /// Combines the last two rows.
    fn fold_top(&mut self) {
        let (left, right) = (self.row(self.depth - 2), self.row(self.depth - 1));
        // SAFETY: two different rows of the tree.
        unsafe { (self.fns.combine)(left, right, self.width) };
        self.depth -= 1;
    }

    /// The row that all rows together make. At least one was pushed.
    pub fn total(&mut self) -> *const u8 {
        while self.depth > 1 {
            self.fold_top();
        }
        self.row(0)
    }
}

/// One thread's memory for one fold.
pub struct Local {
    /// Inner: the state of a run. Rows: the lanes, each a row of partials.
    state: Buffer,
    /// Inner: room for one partial.
    partial: Buffer,
    /// Rows: the leaves of a segment.
    tree: Tree,
    /// Rows: the lane that comes next, and the place in its leaf.
    next: usize,
}

impl Local {
    /// Memory for `fold`.
    pub fn new(nest: &Nest, fold: &FoldSlot) -> Result<Self> {
        let (fns, width) = (fold.fns, nest.width());
        let state = match nest.form {
            Form::Rows => fns.lanes * width * fns.partial_bytes,
            _ => fns.state_bytes,
        };
        let leaves = if nest.form == Form::Rows { nest.seg.div_ceil(fns.leaf) } else { 1 };
        Ok(Self {
            state: Buffer::new(state)?,
            partial: Buffer::new(fns.partial_bytes)?,
            tree: Tree::new(fns, width, leaves)?,
            next: 0,
        })
    }

    /// The address of the state.
    pub fn state(&self) -> *const u8 {
        self.state.as_ptr()
    }

    /// Combines the lanes of a leaf pairwise, adds them to the tree, and empties them.
    fn close_leaf(&mut self, fns: &FoldFns, n: usize) {
        let row = n * fns.partial_bytes;
        let lanes = self.state.as_mut_ptr();
        let mut apart = 1;
        while apart < fns.lanes {
            for i in (0..fns.lanes).step_by(2 * apart) {
                // SAFETY: two different lanes of `n` partials each.
                unsafe { (fns.combine)(lanes.add(i * row), lanes.add((i + apart) * row), n) };
            }
            apart *= 2;
        }
        // SAFETY: lane 0 is a row of the tree's width; a segment has no more leaves than the tree
        // was made for; the lanes are `lanes * n` partials.
        unsafe {
            self.tree.push(lanes);
            (fns.clear)(lanes, fns.lanes * n);
        }
        self.next = 0;
    }
}

impl Worker {
    /// One segment of one place, inner form: a block folds into one partial.
    pub fn inner_unit(&mut self, nest: &Nest, unit: usize) {
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
            self.deliver(nest, fold, unit, 0, 1, partial);
        }
    }

    /// One segment of one cut of one place, rows form.
    pub fn rows_unit(&mut self, nest: &Nest, unit: usize) {
        let (cut, seg) = (unit / nest.segs, unit % nest.segs);
        self.seek(nest, cut / nest.cuts);
        let lo = cut % nest.cuts * nest.cut;
        let n = nest.cut.min(nest.run - lo);
        for (fold, local) in nest.folds.iter().zip(&mut self.locals) {
            local.tree.reset(n);
            local.next = 0;
            // SAFETY: the lanes have room for rows of a cut, of which `n` is part.
            unsafe { (fold.fns.clear)(local.state.as_mut_ptr(), fold.fns.lanes * n) };
        }
        let from = seg * nest.seg;
        let to = nest.repeats.min(from + nest.seg);
        if from < to {
            self.jump(nest, nest.outer..nest.middle, from);
        }
        for k in from..to {
            self.row(nest, k, lo, n);
            self.step(nest, nest.outer..nest.middle);
        }
        for (f, fold) in nest.folds.iter().enumerate() {
            let local = &mut self.locals[f];
            if local.next > 0 || from >= to {
                local.close_leaf(&fold.fns, n);
            }
            let total = local.tree.total();
            self.deliver(nest, fold, unit, lo, n, total);
        }
    }

    /// One place of the reducing loops, rows form: a row of elements, each into its own partial.
    fn row(&mut self, nest: &Nest, k: usize, lo: usize, n: usize) {
        for (fold, local) in nest.folds.iter().zip(&mut self.locals) {
            // The next leaf begins when the next lane does, at a multiple of `lanes`.
            let lane = local.next & (fold.fns.lanes - 1);
            let state = local.state.as_mut_ptr().wrapping_add(lane * n * fold.fns.partial_bytes);
            self.words[fold.word] = state as u64;
        }
        self.words[Layout::FOLD_BASE] = k as u64;
        self.run(nest, lo, n);
        for (fold, local) in nest.folds.iter().zip(&mut self.locals) {
            local.next += 1;
            if local.next == fold.fns.leaf {
                local.close_leaf(&fold.fns, n);
            }
        }
    }

    /// Keeps a unit's partials for later, or writes them out if they are the whole fold.
    fn deliver(
        &self,
        nest: &Nest,
        fold: &FoldSlot,
        unit: usize,
        lo: usize,
        n: usize,
        partials: *const u8,
    ) {
        match &fold.store {
            Some(store) => {
                let bytes = fold.fns.partial_bytes;
                let at = unit * nest.width() * bytes;
                debug_assert!(at + n * bytes <= store.len());
                // SAFETY: each unit has its own part of the store, which has room for a full one;
                // the store is read only when all units are done.
                unsafe {
                    let to = store.as_ptr().cast_mut().add(at);
                    std::ptr::copy_nonoverlapping(partials, to, n * bytes);
                }
            }
            None => self.write_results(nest, fold, lo, n, partials),
        }
    }

    /// Converts partials into results, at elements `lo..lo + n` of the run at this place.
    fn write_results(
        &self,
        nest: &Nest,
        fold: &FoldSlot,
        lo: usize,
        n: usize,
        partials: *const u8,
    ) {
        let slot = &nest.slots[fold.buf];
        let (stride, size) = (slot.run_stride, slot.size.cast_signed());
        let out = self.ptrs[fold.buf].wrapping_offset(stride.wrapping_mul(lo.cast_signed()));
        if n == 1 || stride == size {
            // SAFETY: the elements are within the buffer (checked when the nest was bound).
            unsafe { (fold.fns.finish)(partials, out, n) };
            return;
        }
        for i in 0..n {
            let to = out.wrapping_offset(stride.wrapping_mul(i.cast_signed()));
            // SAFETY: as above, one element at a time.
            unsafe { (fold.fns.finish)(partials.add(i * fold.fns.partial_bytes), to, 1) };
        }
    }
}

/// Combines the stored partials of all segments, in order, and writes the results.
pub fn combine(nest: &Nest) -> Result<()> {
    if nest.segs == 1 || nest.folds.is_empty() {
        return Ok(());
    }
    let mut worker = Worker::new(nest)?;
    let width = nest.width();
    for fold in &nest.folds {
        let Some(store) = &fold.store else { continue };
        let mut tree = Tree::new(fold.fns, width, nest.segs)?;
        for cut in 0..nest.places * nest.cuts {
            worker.seek(nest, cut / nest.cuts);
            let lo = cut % nest.cuts * nest.cut;
            let n = if nest.form == Form::Rows { nest.cut.min(nest.run - lo) } else { 1 };
            tree.reset(n);
            for unit in cut * nest.segs..(cut + 1) * nest.segs {
                // SAFETY: every unit wrote its part of the store, and all of them are done.
                unsafe { tree.push(store.as_ptr().add(unit * width * fold.fns.partial_bytes)) };
            }
            worker.write_results(nest, fold, lo, n, tree.total());
        }
    }
    Ok(())
}
