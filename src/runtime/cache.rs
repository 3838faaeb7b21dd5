//! The kernel cache: one runner per kernel, made once, found by the whole kernel.
//!
//! Also decides how a kernel runs (machine code or interpreter). May not know: graphs, plans, shapes.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use crate::codegen::{self, Code};
use crate::fork::PerProcess;
use crate::loops::{Kernel, interp};

/// The most kernels kept.
pub const CAPACITY: usize = 1024;

/// How kernels run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Tier {
    /// By the interpreter until the kernel proves hot, from then on as machine code where that can be.
    Auto,
    /// As machine code at once; the interpreter only where none can be made.
    Jit,
    /// By the interpreter alone.
    Interp,
}

static TIER: AtomicU8 = AtomicU8::new(Tier::Auto as u8);

/// Chooses how kernels run from now on, in the whole process. Results do not depend on it.
pub fn set_tier(tier: Tier) {
    TIER.store(tier as u8, Ordering::Relaxed);
}

/// How kernels run.
pub fn tier() -> Tier {
    match TIER.load(Ordering::Relaxed) {
        1 => Tier::Jit,
        2 => Tier::Interp,
        _ => Tier::Auto,
    }
}

/// A kernel and, once it was wanted, its machine code.
#[derive(Debug)]
pub struct Runner {
    kernel: Arc<Kernel>,
    /// `None` inside: there is no machine code to be had.
    code: OnceLock<Option<Code>>,
    used: AtomicU64,
    /// What it cost to interpret it so far, in light ops.
    interpreted: AtomicUsize,
}

/// A run of this many light ops takes as long as making machine code, which helps it at once.
const LONG: usize = 1 << 20;
/// The light ops that a kernel's runs are interpreted for, before it counts as hot. A run counts as
/// `AT_LEAST`, so a kernel is interpreted some dozens of times at most.
const HOT: usize = 32 * AT_LEAST;
const AT_LEAST: usize = 1 << 19;

/// A kernel ready to run.
#[derive(Clone, Copy, Debug)]
pub enum Engine<'a> {
    /// By machine code.
    Jit(&'a Code),
    /// By the interpreter.
    Interp(&'a Kernel),
}

impl Engine<'_> {
    /// Bytes of scratch memory that a run needs.
    pub fn scratch(&self) -> usize {
        match self {
            Engine::Jit(code) => code.scratch(),
            Engine::Interp(kernel) => interp::scratch(kernel),
        }
    }

    /// Runs the kernel on the argument words of one run (see [`crate::loops::Layout`]).
    ///
    /// # Safety
    /// The words must describe memory that the kernel may touch.
    pub unsafe fn run(&self, words: *const u64) {
        // SAFETY: the caller's promise.
        unsafe {
            match self {
                Engine::Jit(code) => code.run(words),
                Engine::Interp(kernel) => interp::run(kernel, words),
            }
        }
    }
}

impl Runner {
    /// The kernel.
    pub fn kernel(&self) -> &Kernel {
        &self.kernel
    }

    /// How the kernel runs under `tier`, work of `cost` light ops; compiles it if it must.
    pub fn engine(&self, tier: Tier, cost: usize) -> Engine<'_> {
        let code = match tier {
            Tier::Interp => None,
            Tier::Auto if !self.is_hot(cost) => None,
            Tier::Jit | Tier::Auto => self.code.get_or_init(|| compile(&self.kernel)).as_ref(),
        };
        code.map_or(Engine::Interp(&self.kernel), Engine::Jit)
    }
}

impl Runner {
    /// Whether machine code is there or worth its making.
    fn is_hot(&self, cost: usize) -> bool {
        let before = self.interpreted.load(Ordering::Relaxed);
        if before >= HOT || cost >= LONG {
            self.interpreted.store(HOT, Ordering::Relaxed);
            return true;
        }
        self.interpreted.store(before + cost.max(AT_LEAST), Ordering::Relaxed);
        false
    }
}

/// Machine code, or `None` and a warning for the face.
fn compile(kernel: &Kernel) -> Option<Code> {
    if !codegen::available() {
        super::warn_once("this machine allows no code to be made; rnp interprets, which is slower");
        return None;
    }
    // The compiler promises not to panic, but Cranelift is large and its promise is not ours.
    let outcome = catch_unwind(AssertUnwindSafe(|| codegen::compile(kernel)));
    let error = match outcome {
        Ok(Ok(code)) => {
            CACHE.get().compiled.fetch_add(1, Ordering::Relaxed);
            return Some(code);
        }
        Ok(Err(error)) => error.message().to_owned(),
        Err(_) => "the compiler panicked".to_owned(),
    };
    super::warn_once(&format!(
        "a kernel could not be compiled and is interpreted, which is slower: {error}; please report this"
    ));
    None
}

/// What the cache did so far in this process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Kernels in the cache.
    pub kernels: usize,
    /// Kernels compiled, those since evicted included.
    pub compiled: u64,
    /// Look-ups that found their kernel.
    pub hits: u64,
    /// Look-ups that did not.
    pub misses: u64,
    /// Bytes of machine code of the kernels in the cache.
    pub code_bytes: usize,
}

#[derive(Default)]
struct Maps {
    /// The whole kernel is the key: equal hashes are not trusted.
    runners: HashMap<Arc<Kernel>, Arc<Runner>>,
    /// A shortcut for kernels met before. The key is kept alive beside its runner, so no other
    /// kernel can have its address.
    known: HashMap<usize, (Arc<Kernel>, Arc<Runner>)>,
}

#[derive(Default)]
struct Cache {
    maps: Mutex<Maps>,
    clock: AtomicU64,
    compiled: AtomicU64,
    hits: AtomicU64,
    misses: AtomicU64,
}

static CACHE: PerProcess<Cache> = PerProcess::new(Cache::default);

impl Cache {
    fn lock(&self) -> MutexGuard<'_, Maps> {
        self.maps.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn touch(&self, runner: &Runner) {
        runner.used.store(self.clock.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
    }
}

impl Maps {
    /// Makes room for one more. What falls out is returned, to be dropped without the lock.
    fn evict(&mut self) -> Vec<Arc<Runner>> {
        let mut out = Vec::new();
        while self.runners.len() >= CAPACITY {
            let oldest = self.runners.values().min_by_key(|r| r.used.load(Ordering::Relaxed));
            let Some(key) = oldest.map(|r| r.kernel.clone()) else { break };
            out.extend(self.runners.remove(&key));
        }
        if !out.is_empty() || self.known.len() >= 4 * CAPACITY {
            out.extend(self.known.drain().map(|(_, (_, runner))| runner));
        }
        out
    }
}

/// The runner of `kernel`, which may be new. Compiles nothing.
pub fn lookup(kernel: &Arc<Kernel>) -> Arc<Runner> {
    let cache = CACHE.get();
    let address = Arc::as_ptr(kernel) as usize;
    let mut maps = cache.lock();
    if let Some((_, runner)) = maps.known.get(&address) {
        cache.hits.fetch_add(1, Ordering::Relaxed);
        cache.touch(runner);
        return runner.clone();
    }
    let found = maps.runners.get(kernel).cloned();
    let counter = if found.is_some() { &cache.hits } else { &cache.misses };
    counter.fetch_add(1, Ordering::Relaxed);
    let mut evicted = Vec::new();
    let runner = found.unwrap_or_else(|| {
        evicted = maps.evict();
        let runner = Arc::new(Runner {
            kernel: kernel.clone(),
            code: OnceLock::new(),
            used: AtomicU64::new(0),
            interpreted: AtomicUsize::new(0),
        });
        maps.runners.insert(kernel.clone(), runner.clone());
        runner
    });
    maps.known.insert(address, (kernel.clone(), runner.clone()));
    cache.touch(&runner);
    drop(maps);
    drop(evicted);
    runner
}

/// Forgets every kernel; code in use lives on until its last user is done.
pub fn clear() {
    let old = std::mem::take(&mut *CACHE.get().lock());
    drop(old);
}

/// What the cache did so far.
pub fn stats() -> Stats {
    let cache = CACHE.get();
    let maps = cache.lock();
    let codes = maps.runners.values().filter_map(|r| r.code.get()?.as_ref());
    Stats {
        kernels: maps.runners.len(),
        compiled: cache.compiled.load(Ordering::Relaxed),
        hits: cache.hits.load(Ordering::Relaxed),
        misses: cache.misses.load(Ordering::Relaxed),
        code_bytes: codes.map(Code::size).sum(),
    }
}
