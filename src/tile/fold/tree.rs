//! The binary counter that combines the partials of leaves or blocks in order.
//!
//! Pushing whole blocks (each closed from its leaves) builds the same tree as pushing the leaves:
//! a block has a power of two of leaves, and the last, shorter one is collapsed right to left either
//! way.
//!
//! May not know: what a fold is; it moves words and calls [`FoldFns::combine`].

use smallvec::SmallVec;

use super::FoldFns;
use crate::error::{Error, Result};

/// Words of partials; those of one result need no memory of their own.
type Words = SmallVec<[u64; 32]>;

/// Combines partials pairwise in the order in which they come, for many results at once.
#[derive(Debug)]
pub struct Tree<'a> {
    fns: &'a FoldFns,
    columns: usize,
    /// How many were pushed.
    pushed: u64,
    /// The partials of each power of two of pushes that is set in `pushed`, the largest first; then
    /// spare ones.
    levels: Words,
}

impl<'a> Tree<'a> {
    /// A tree of no partials yet, for `columns` results.
    pub fn new(fns: &'a FoldFns, columns: usize) -> Self {
        Self { fns, columns, pushed: 0, levels: Words::new() }
    }

    /// Words of a level.
    fn row(&self) -> usize {
        self.columns * self.fns.partial_bytes / 8
    }

    /// Appends the next `columns` partials. An error is lack of memory, and leaves the tree as it was.
    ///
    /// # Panics
    /// If `partials` is not as long as the columns' partials.
    pub fn push(&mut self, partials: &[u64]) -> Result<()> {
        let row = self.row();
        assert_eq!(partials.len(), row, "partials of a push");
        let depth = self.pushed.count_ones() as usize;
        self.levels.truncate(depth * row);
        self.levels
            .try_reserve(row)
            .map_err(|_| Error::memory("no memory for the partial results of a reduction"))?;
        self.levels.extend_from_slice(partials);
        for right in (0..=depth).rev().take(self.pushed.trailing_ones() as usize) {
            self.combine(right);
        }
        self.pushed += 1;
        Ok(())
    }

    /// Combines what is left from right to left: the partials of the results, or `None` if nothing
    /// was pushed.
    pub fn collapse(mut self) -> Option<Words> {
        let depth = self.pushed.count_ones() as usize;
        for right in (1..depth).rev() {
            self.combine(right);
        }
        self.levels.truncate(self.row());
        (depth > 0).then_some(self.levels)
    }

    /// Folds a level into the one to its left.
    fn combine(&mut self, right: usize) {
        let row = self.row();
        let (lefts, rights) = self.levels.split_at_mut(right * row);
        let left = &mut lefts[(right - 1) * row..];
        // SAFETY: both hold `columns` partials, and are different parts of the list.
        unsafe {
            (self.fns.combine)(left.as_mut_ptr().cast(), rights.as_ptr().cast(), self.columns);
        }
    }
}
