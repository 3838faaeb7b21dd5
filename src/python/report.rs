//! What a lazy block recorded and ran: the log that it keeps, and the report made of it.
//!
//! May not know: modes, how anything is evaluated.

use std::fmt::Write as _;
use std::sync::{Arc, Weak};

use pyo3::prelude::*;
use smallvec::SmallVec;

use super::run::released;
use super::tape::Taped;
use crate::eval::Tally;
use crate::explain;
use crate::expr;

/// How many recorded arrays are noted before those that nobody holds any more are let go of.
const SWEEP: usize = 1024;

/// What happened in a block.
#[derive(Clone, Default)]
pub struct Log {
    fallbacks: Vec<String>,
    evaluations: Vec<String>,
    done: Tally,
    recorded: Vec<expr::WeakArray>,
    /// Short arrays that were recorded.
    tapes: SmallVec<[Weak<Taped>; 1]>,
    left: bool,
    /// When to sweep next.
    sweep: usize,
}

impl Log {
    /// Whether at most `few` arrays are noted.
    pub fn is_short(&self, few: usize) -> bool {
        self.recorded.len() <= few
    }

    /// NumPy answers a call, `at_once` or as an opaque node.
    pub fn fallback(&mut self, text: String, at_once: bool) {
        if at_once {
            self.evaluations.push(text.clone());
        }
        self.fallbacks.push(text);
    }

    /// An evaluation ran.
    pub fn evaluated(&mut self, done: &Tally) {
        self.done.add(done);
    }

    /// Whether the array is among those noted.
    pub fn has_recorded(&self, array: &expr::Array) -> bool {
        self.recorded.iter().any(|weak| weak.is(array))
    }

    /// An array was recorded.
    pub fn recorded(&mut self, array: &expr::Array) {
        if self.recorded.len() >= self.sweep.max(SWEEP) {
            self.recorded.retain(expr::WeakArray::is_held);
            self.sweep = 2 * self.recorded.len();
        }
        self.recorded.push(array.downgrade());
    }

    /// A tape is written on from now on.
    pub fn taped(&mut self, tape: &Arc<Taped>) {
        if !self.tapes.is_empty() {
            self.tapes.retain(|tape| tape.strong_count() > 0);
        }
        self.tapes.push(Arc::downgrade(tape));
    }

    /// The block was left.
    pub fn leave(&mut self) {
        self.left = true;
    }

    /// Whether the block was left.
    pub fn is_left(&self) -> bool {
        self.left
    }

    /// The report: what was done, and what an evaluation of all that is held would do.
    pub fn report(mut self, py: Python<'_>) -> PyResult<Report> {
        let tapes: Vec<_> = self.tapes.iter().filter_map(Weak::upgrade).collect();
        let noted: Vec<expr::Array> = tapes.iter().flat_map(|tape| tape.pending(py)).collect();
        self.recorded.extend(noted.iter().map(expr::Array::downgrade));
        let ends = expr::WeakArray::ends(&self.recorded);
        let mut all = self.done;
        if !ends.is_empty() {
            let next = released(py, |_| explain::report(&ends))?;
            all.add(&Tally {
                ops: next.ops,
                loops: next.loops,
                bytes_moved: next.bytes_moved,
                numpy_bytes: next.numpy_bytes,
            });
        }
        Ok(Report {
            ops: all.ops,
            loops: all.loops,
            bytes_moved: all.bytes_moved,
            numpy_bytes: all.numpy_bytes,
            fallbacks: self.fallbacks,
            at_once: self.evaluations,
        })
    }
}

/// What a lazy block did: returned by `Block.report()`.
#[pyclass(frozen, get_all, module = "rnp", name = "Report")]
pub struct Report {
    /// Ops in the graphs; views and leaves are not counted.
    ops: usize,
    /// Fused loops.
    loops: usize,
    /// Bytes that the loops read and write.
    bytes_moved: u64,
    /// Bytes that NumPy would read and write, one op at a time.
    numpy_bytes: u64,
    /// Calls that NumPy answers, with the line that made them.
    fallbacks: Vec<String>,
    /// Those of them that had to be answered at once: their operands were evaluated first.
    at_once: Vec<String>,
}

#[pymethods]
impl Report {
    fn __repr__(&self) -> String {
        format!(
            "Report(ops={}, loops={}, bytes_moved={}, numpy_bytes={}, fallbacks={:?}, at_once={:?})",
            self.ops, self.loops, self.bytes_moved, self.numpy_bytes, self.fallbacks, self.at_once
        )
    }

    fn __str__(&self) -> String {
        let mut text = format!(
            "{} ops in {} loops; {} bytes moved, {} by NumPy\n",
            self.ops, self.loops, self.bytes_moved, self.numpy_bytes
        );
        for call in &self.fallbacks {
            let when = if self.at_once.contains(call) { "at once" } else { "when evaluated" };
            let _ = writeln!(text, "NumPy, {when}: {call}");
        }
        text
    }
}
