//! Where in the user's program a node was made.
//!
//! The face sets the current place before it builds; nodes pick it up. File names are interned, so
//! a span is two words and a node per op stays cheap.

use std::cell::Cell;
use std::sync::{Arc, Mutex, PoisonError};

/// A line of the user's program; the default is "unknown".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Span {
    file: u32,
    line: u32,
}

static FILES: Mutex<Vec<Arc<str>>> = Mutex::new(Vec::new());

thread_local! {
    static CURRENT: Cell<Span> = const { Cell::new(Span { file: 0, line: 0 }) };
}

impl Span {
    /// A line (from 1) of a file.
    pub fn new(file: &str, line: u32) -> Self {
        let mut files = FILES.lock().unwrap_or_else(PoisonError::into_inner);
        // A program has few files, and the newest one is the likeliest.
        let at = files.iter().rposition(|f| &**f == file).unwrap_or_else(|| {
            files.push(file.into());
            files.len() - 1
        });
        Self { file: at as u32 + 1, line }
    }

    /// `file.py:12`, the file without its folders; `None` when unknown.
    pub fn text(self) -> Option<String> {
        let at = self.file.checked_sub(1)? as usize;
        let files = FILES.lock().unwrap_or_else(PoisonError::into_inner);
        let file = files.get(at)?;
        let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
        Some(format!("{name}:{}", self.line))
    }
}

/// Runs `f`; the nodes it makes carry `span`.
pub fn with_span<T>(span: Span, f: impl FnOnce() -> T) -> T {
    let old = CURRENT.replace(span);
    let out = f();
    CURRENT.set(old);
    out
}

/// The span for a node made now.
pub(super) fn current() -> Span {
    CURRENT.get()
}
