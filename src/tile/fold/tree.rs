//! The binary counter that combines the partials of leaves or blocks in order.
//!
//! Pushing whole blocks (each closed from its leaves) builds the same tree as pushing the leaves:
//! a block has a power of two of leaves, and the last, shorter one is collapsed right to left either
//! way.
//!
//! May not know: what a fold is; it moves words and calls [`FoldFns::combine`].

use super::FoldFns;
use crate::error::{Error, Result};

/// Combines partials pairwise in the order in which they come, for many results at once.
#[derive(Debug)]
pub struct Tree<'a> {
    fns: &'a FoldFns,
    columns: usize,
    /// How many were pushed.
    pushed: u64,
    /// The partials of each power of two of pushes that is set in `pushed`, the largest first; then
    /// spare ones.
    levels: Vec<Vec<u64>>,
}

impl<'a> Tree<'a> {
    /// A tree of no partials yet, for `columns` results.
    pub fn new(fns: &'a FoldFns, columns: usize) -> Self {
        Self { fns, columns, pushed: 0, levels: Vec::new() }
    }

    /// Appends the next `columns` partials. An error is lack of memory, and leaves the tree as it was.
    ///
    /// # Panics
    /// If `partials` is not as long as the columns' partials.
    pub fn push(&mut self, partials: &[u64]) -> Result<()> {
        assert_eq!(partials.len() * 8, self.columns * self.fns.partial_bytes, "partials of a push");
        let depth = self.pushed.count_ones() as usize;
        if depth == self.levels.len() {
            let mut level = Vec::new();
            level
                .try_reserve_exact(partials.len())
                .map_err(|_| Error::memory("no memory for the partial results of a reduction"))?;
            self.levels.push(level);
        }
        self.levels[depth].clear();
        self.levels[depth].extend_from_slice(partials);
        for right in (0..=depth).rev().take(self.pushed.trailing_ones() as usize) {
            self.combine(right);
        }
        self.pushed += 1;
        Ok(())
    }

    /// Combines what is left from right to left: the partials of the results, or `None` if nothing
    /// was pushed.
    pub fn collapse(mut self) -> Option<Vec<u64>> {
        let depth = self.pushed.count_ones() as usize;
        for right in (1..depth).rev() {
            self.combine(right);
        }
        if depth == 0 { None } else { Some(self.levels.swap_remove(0)) }
    }

    /// Folds a level into the one to its left.
    fn combine(&mut self, right: usize) {
        let (lefts, rights) = self.levels.split_at_mut(right);
        let left = &mut lefts[right - 1];
        // SAFETY: both hold `columns` partials, and are different vectors.
        unsafe {
            (self.fns.combine)(left.as_mut_ptr().cast(), rights[0].as_ptr().cast(), self.columns);
        }
    }
}
