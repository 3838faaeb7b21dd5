//! Running plans: memory, threads, code cache.
//!
//! [`run`] takes a plan and its arguments and returns the results. Results have the same bits
//! for any number of threads. May not know: graphs, Python, what a call does.

mod cache;
mod call;
pub mod direct;
mod exec;
mod fold;
mod given;
mod helpers;
mod nest;
mod pack;
mod pool;
mod scalars;
mod single;
mod stream;
mod table;
mod walk;

#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

pub use cache::{CAPACITY, Engine, Runner, Stats, Tier, clear, lookup, set_tier, stats, tier};
pub use call::Arguments;
pub use exec::{Count, Line, Prepared, run};
pub use given::{Given, Givens, Target};
pub use pool::{FloatMode, MAX_THREADS, num_threads, set_num_threads, share};
pub use stream::copy;

use crate::call::Stop;
use crate::fork::PerProcess;

/// What one evaluation asks of the engine.
#[derive(Clone, Copy, Default)]
pub struct Context<'a> {
    /// Asked now and then, on the calling thread only: whether to stop. Nothing is locked meanwhile.
    pub interrupt: Stop<'a>,
    /// Overrides [`num_threads`] for this evaluation, however small its work (for tests).
    pub threads: Option<usize>,
}

/// Warnings for the face to raise: those given and those waiting.
#[derive(Default)]
struct Warnings {
    given: Vec<String>,
    waiting: Vec<String>,
}

/// Whether a warning may be waiting: asked after each evaluation.
static WAITING: AtomicBool = AtomicBool::new(false);

static WARNINGS: PerProcess<Mutex<Warnings>> = PerProcess::new(Mutex::default);

/// Keeps a warning if the environment asks for instructions that are not there.
pub fn check_environment() {
    if let Some(text) = crate::tile::isa_complaint() {
        warn_once(&text);
    }
}

/// Keeps a warning for [`take_warning`], unless the same text was kept before.
fn warn_once(text: &str) {
    let mut all = WARNINGS.get().lock().unwrap_or_else(PoisonError::into_inner);
    // Bounded: a warning that tells of each of thousands of kernels helps nobody.
    if all.given.len() < 16 && !all.given.iter().any(|t| t == text) {
        all.given.push(text.to_owned());
        all.waiting.push(text.to_owned());
        WAITING.store(true, Ordering::Release);
    }
}

/// The oldest warning that was not taken yet; each text comes once per process.
pub fn take_warning() -> Option<String> {
    if !WAITING.load(Ordering::Acquire) {
        return None;
    }
    let mut all = WARNINGS.get().lock().unwrap_or_else(PoisonError::into_inner);
    let text = if all.waiting.is_empty() { None } else { Some(all.waiting.remove(0)) };
    WAITING.store(!all.waiting.is_empty(), Ordering::Release);
    text
}
