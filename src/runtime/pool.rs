//! Threads: work items shared between the calling thread and helpers.
//!
//! May not know: what an item does. Which thread takes which item is chance, so items must not
//! depend on each other.

use std::cell::Cell;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::Context;
use super::helpers::together;
use crate::call::Stop;
use crate::error::{Error, Result};

/// The most threads ever used.
pub const MAX_THREADS: usize = 512;

/// Light ops of an item of work that can be cut anywhere: enough to forget the call, few enough that nobody waits
/// long for the last one.
pub(super) const PIECE: usize = 1 << 14;

/// The variable that sets how many threads there are.
const VARIABLE: &str = "RNP_NUM_THREADS";

/// 0: not chosen.
static CHOSEN: AtomicUsize = AtomicUsize::new(0);
/// 0: not worked out yet.
static DEFAULT: AtomicUsize = AtomicUsize::new(0);

/// Sets how many threads large work uses, the calling one included; 0 goes back to the default.
pub fn set_num_threads(n: usize) {
    CHOSEN.store(n.min(MAX_THREADS), Ordering::Relaxed);
}

/// How many threads large work uses, the calling one included.
pub fn num_threads() -> usize {
    let chosen = CHOSEN.load(Ordering::Relaxed);
    if chosen != 0 {
        return chosen;
    }
    let known = DEFAULT.load(Ordering::Relaxed);
    if known != 0 {
        return known;
    }
    let machine = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let (n, warning) = match std::env::var_os(VARIABLE).filter(|text| !text.is_empty()) {
        Some(text) => from_variable(&text.to_string_lossy(), machine),
        None => (machine.min(MAX_THREADS), None),
    };
    if let Some(text) = warning {
        super::warn_once(&text);
    }
    DEFAULT.store(n, Ordering::Relaxed);
    n
}

/// What the variable's text asks for, given the machine's own number, and what is wrong with it.
fn from_variable(text: &str, machine: usize) -> (usize, Option<String>) {
    let digits = text.trim();
    let wanted = digits.parse::<usize>().ok().filter(|&n| n > 0);
    // A number too large even to parse is still a number: it means "as many as there may be".
    let huge = digits.len() > 9 && digits.bytes().all(|b| b.is_ascii_digit());
    let (n, trouble) = match wanted {
        Some(n) if n <= MAX_THREADS => (n, false),
        Some(_) => (MAX_THREADS, true),
        None if huge => (MAX_THREADS, true),
        None => (machine.min(MAX_THREADS), true),
    };
    let warning = trouble.then(|| {
        format!("{VARIABLE}={text:?} is not a number from 1 to {MAX_THREADS}; using {n} threads")
    });
    (n, warning)
}

/// Asks the caller now and then whether to stop. Stays on the calling thread.
pub(super) struct Poll<'a> {
    /// Whom to ask, and when that was done last.
    interrupt: Option<(&'a dyn Fn() -> bool, Cell<Instant>)>,
}

impl<'a> Poll<'a> {
    /// How long between two questions: short against a person's patience, long against their price.
    const PAUSE: Duration = Duration::from_millis(25);

    /// The first question comes one pause from now.
    pub(super) fn new(ctx: &Context<'a>) -> Self {
        Self { interrupt: ctx.interrupt.map(|ask| (ask, Cell::new(Instant::now()))) }
    }

    /// An `Interrupted` error when the caller wants to stop.
    pub(super) fn check(&self) -> Result<()> {
        let Some((ask, last)) = &self.interrupt else { return Ok(()) };
        if last.get().elapsed() < Self::PAUSE {
            return Ok(());
        }
        let stop = ask();
        last.set(Instant::now());
        if stop { Err(Error::interrupted("the evaluation was interrupted")) } else { Ok(()) }
    }
}

/// Work cut into independent items.
pub(super) trait Work: Sync {
    /// What one thread needs for its items.
    type Worker;
    /// Makes it, once per thread.
    fn worker(&self) -> Result<Self::Worker>;
    /// Does some items.
    fn items(&self, worker: &mut Self::Worker, items: Range<usize>) -> Result<()>;
    /// A thread is done.
    fn done(&self, worker: Self::Worker);
}

/// Does all `items` with up to `threads` threads. The first error stops everybody.
pub(super) fn drive<T: Work>(work: &T, items: usize, threads: usize, poll: &Poll) -> Result<()> {
    let crew = Crew {
        work,
        items,
        share: 2 * threads.max(1),
        next: AtomicUsize::new(0),
        stop: AtomicBool::new(false),
        error: Mutex::new(None),
    };
    let wanted = threads.min(items).saturating_sub(1);
    if wanted == 0 {
        crew.labour(Some(poll));
    } else {
        together(wanted, &|| crew.labour(None), || crew.labour(Some(poll)));
    }
    crew.error.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
}

/// Items that are a function of their number.
struct Each<F>(F);

impl<F: Fn(usize) -> Result<()> + Sync> Work for Each<F> {
    type Worker = ();
    fn worker(&self) -> Result<()> {
        Ok(())
    }
    fn items(&self, (): &mut (), mut items: Range<usize>) -> Result<()> {
        items.try_for_each(&self.0)
    }
    fn done(&self, (): ()) {}
}

/// Does `item` for each of `items`, on up to `threads` threads: for opaque calls, on the thread that
/// evaluates, which asks `stop`. Which thread takes which is chance.
///
/// # Errors
/// The first of an item, which stops all, and `Interrupted`.
pub fn share(
    items: usize,
    threads: usize,
    stop: Stop<'_>,
    item: impl Fn(usize) -> Result<()> + Sync,
) -> Result<()> {
    let ctx = Context { interrupt: stop, ..Context::default() };
    drive(&Each(item), items, threads, &Poll::new(&ctx))
}

/// The most items that are taken at once: their caller must be asked in time whether to stop.
const MOST: usize = 256;

struct Crew<'a, T> {
    work: &'a T,
    items: usize,
    /// Who comes takes this part of the items that are left.
    share: usize,
    next: AtomicUsize,
    stop: AtomicBool,
    error: Mutex<Option<Error>>,
}

impl<T: Work> Crew<'_, T> {
    /// Takes items until there are none. Never panics.
    fn labour(&self, poll: Option<&Poll>) {
        let outcome = catch_unwind(AssertUnwindSafe(|| self.take_items(poll)));
        let error = match outcome {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error,
            Err(panic) => {
                let text = panic
                    .downcast_ref::<String>()
                    .map(String::as_str)
                    .or_else(|| panic.downcast_ref::<&str>().copied());
                Error::bug(format!("panic while computing: {}", text.unwrap_or("no message")))
            }
        };
        self.stop.store(true, Ordering::Relaxed);
        self.error.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    }

    /// Items that nobody has: many while there are many, which lie side by side, and one at the end, so that
    /// nobody is waited for long.
    fn take(&self) -> Option<Range<usize>> {
        let mut from = self.next.load(Ordering::Relaxed);
        while from < self.items && !self.stop.load(Ordering::Relaxed) {
            let to = from + ((self.items - from) / self.share).clamp(1, MOST);
            match self.next.compare_exchange_weak(from, to, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Some(from..to),
                Err(now) => from = now,
            }
        }
        None
    }

    fn take_items(&self, poll: Option<&Poll>) -> Result<()> {
        let mut worker = None;
        while let Some(taken) = self.take() {
            let worker = match &mut worker {
                Some(worker) => worker,
                none => none.insert(self.work.worker()?),
            };
            {
                let _float = FloatMode::standard();
                self.work.items(worker, taken)?;
            }
            if let Some(poll) = poll {
                poll.check()?;
            }
        }
        if let Some(worker) = worker {
            self.work.done(worker);
        }
        Ok(())
    }
}

/// While it lives, floating point is in the standard mode: subnormals kept, to nearest, no traps, no flag
/// raised at first.
///
/// Some libraries switch subnormals off in the thread that loads them. Restoring also hides the
/// status flags that kernels raise, which NumPy would take for its own.
pub struct FloatMode {
    #[cfg(target_arch = "x86_64")]
    before: u32,
    /// Mode and flags.
    #[cfg(target_arch = "aarch64")]
    before: [u64; 2],
}

impl FloatMode {
    /// Switches to the standard mode.
    #[cfg(target_arch = "x86_64")]
    pub fn standard() -> Self {
        let mut before = 0u32;
        let standard = 0x1f80u32;
        // SAFETY: this is the mode that compiled code expects.
        unsafe {
            std::arch::asm!(
                "stmxcsr [{}]", "ldmxcsr [{}]",
                in(reg) &raw mut before, in(reg) &raw const standard, options(nostack)
            );
        }
        Self { before }
    }

    /// Switches to the standard mode.
    #[cfg(target_arch = "aarch64")]
    pub fn standard() -> Self {
        let (mode, flags): (u64, u64);
        // SAFETY: this is the mode that compiled code expects.
        unsafe {
            std::arch::asm!(
                "mrs {}, fpcr", "msr fpcr, xzr", "mrs {}, fpsr", "msr fpsr, xzr",
                out(reg) mode, out(reg) flags
            );
        }
        Self { before: [mode, flags] }
    }

    /// Switches to the standard mode.
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    pub fn standard() -> Self {
        Self {}
    }

    /// Whether this thread has met an overflow, a division by zero or an operation without a result since.
    #[cfg(target_arch = "x86_64")]
    pub fn has_flags() -> bool {
        let mut now = 0u32;
        // SAFETY: the register is read.
        unsafe { std::arch::asm!("stmxcsr [{}]", in(reg) &raw mut now, options(nostack)) };
        now & 0b1101 != 0
    }

    /// Whether this thread has met an overflow, a division by zero or an operation without a result since.
    #[cfg(target_arch = "aarch64")]
    pub fn has_flags() -> bool {
        let now: u64;
        // SAFETY: the register is read.
        unsafe { std::arch::asm!("mrs {}, fpsr", out(reg) now) };
        now & 0b111 != 0
    }

    /// Other machines do not tell.
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    pub fn has_flags() -> bool {
        false
    }
}

impl Drop for FloatMode {
    fn drop(&mut self) {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the mode that the thread had.
        unsafe {
            std::arch::asm!("ldmxcsr [{}]", in(reg) &raw const self.before, options(nostack));
        }
        #[cfg(target_arch = "aarch64")]
        // SAFETY: the mode that the thread had.
        unsafe {
            let [mode, flags] = self.before;
            std::arch::asm!("msr fpcr, {}", "msr fpsr, {}", in(reg) mode, in(reg) flags);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Count {
        hits: Vec<AtomicUsize>,
        bad: Option<usize>,
    }

    impl Work for Count {
        type Worker = ();
        fn worker(&self) -> Result<()> {
            Ok(())
        }
        fn items(&self, (): &mut (), items: Range<usize>) -> Result<()> {
            for i in items {
                assert_ne!(self.bad, Some(i), "item {i}");
                self.hits[i].fetch_add(1, Ordering::Relaxed);
            }
            Ok(())
        }
        fn done(&self, (): ()) {}
    }

    fn count(items: usize, bad: Option<usize>) -> Count {
        Count { hits: (0..items).map(|_| AtomicUsize::new(0)).collect(), bad }
    }

    #[test]
    fn every_item_is_done_once() {
        for (items, threads) in [(0, 3), (1, 3), (1000, 1), (1000, 2), (1000, 7)] {
            let work = count(items, None);
            drive(&work, items, threads, &Poll::new(&Context::default())).unwrap();
            assert!(work.hits.iter().all(|h| h.load(Ordering::Relaxed) == 1));
        }
    }

    #[test]
    fn a_panic_is_an_error_and_the_pool_lives_on() {
        for threads in [1, 4] {
            let poll = Poll::new(&Context::default());
            let err = drive(&count(500, Some(99)), 500, threads, &poll).unwrap_err();
            assert_eq!(err.kind(), crate::error::ErrorKind::Bug);
            assert!(err.message().contains("item 99"), "{err}");
            drive(&count(500, None), 500, threads, &poll).unwrap();
        }
    }

    #[test]
    fn the_variable_is_read_leniently() {
        for (text, want, warns) in [
            ("4", 4, false),
            (" 2 ", 2, false),
            ("", 8, true),
            ("abc", 8, true),
            ("-1", 8, true),
            ("0", 8, true),
            ("999999999", MAX_THREADS, true),
            ("99999999999999999999999", MAX_THREADS, true),
        ] {
            let (n, warning) = from_variable(text, 8);
            assert_eq!((n, warning.is_some()), (want, warns), "{text:?}");
        }
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn items_run_with_subnormals_and_the_mode_comes_back() {
        let read = || {
            let mut mode = 0u32;
            // SAFETY: stores one word.
            unsafe { std::arch::asm!("stmxcsr [{}]", in(reg) &raw mut mode, options(nostack)) };
            mode
        };
        let flush = 0x9fc0u32;
        let before = FloatMode::standard();
        // SAFETY: flush-to-zero, undone when `before` drops.
        unsafe { std::arch::asm!("ldmxcsr [{}]", in(reg) &raw const flush, options(nostack)) };
        {
            let _inner = FloatMode::standard();
            assert_eq!(read() & 0xffc0, 0x1f80);
        }
        let seen = read();
        drop(before);
        assert_eq!(seen & 0xffc0, flush & 0xffc0);
    }
}
