//! Helper threads: started when they are first wanted, they wait at a gate and work behind it.
//!
//! Work of a few dozen microseconds is worth sharing only if the others begin at once. So who is done looks
//! out for more for a while before it sleeps, and so does the caller who waits for the last ones. Work of a
//! few microseconds is worth sharing with those alone who look out ([`are_awake`]). May not know: what the
//! work is.

use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::fork::PerProcess;

/// How long a thread looks out and lets nobody have its core: about what waking it takes.
const LOOK_OUT: Duration = Duration::from_micros(50);
/// How long a helper looks out in all: a program that calls NumPy between two evaluations finds it awake.
const LINGER: Duration = Duration::from_micros(300);
/// The same where the work before came within as long: there is likely to be more.
const STAY: Duration = Duration::from_millis(1);

/// Within this who looks out does so again.
const GLANCE: Duration = Duration::from_micros(5);
/// So long nobody is asked for short work after a helper has lost its core to others.
const CROWDED: Duration = Duration::from_millis(20);

/// How looking out has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Looked {
    /// It is done.
    Done,
    /// It took too long.
    InVain,
    /// Somebody else has the core.
    Lost,
}

/// Looks out for `done`, for so long. After [`LOOK_OUT`] whoever else wants the core has it, and if that takes as long
/// again it is theirs. `at` is told the time now and then.
fn look_out(longest: Duration, done: impl Fn() -> bool, at: impl Fn(Instant)) -> Looked {
    let (start, mut looked) = (Instant::now(), Duration::ZERO);
    loop {
        at(start + looked);
        for _ in 0..64 {
            if done() {
                return Looked::Done;
            }
            std::hint::spin_loop();
        }
        let (before, now) = (looked, start.elapsed());
        looked = now;
        if before > LOOK_OUT && now > before + LOOK_OUT {
            return Looked::Lost;
        }
        if looked > longest {
            return Looked::InVain;
        }
        if looked > LOOK_OUT {
            std::thread::yield_now();
        }
    }
}

/// Threads and the gates that they are to enter.
struct Helpers {
    state: Mutex<State>,
    changed: Condvar,
    /// How many gates wait, for who looks out.
    waiting: AtomicUsize,
    /// Who looks out, and finds a gate without being woken. Changed with the lock held.
    looking: AtomicUsize,
    /// When one of them did last, in nanoseconds since `start`: who looks out may have lost its core.
    looked: AtomicU64,
    /// When one had lost its core for long, likewise.
    lost: AtomicU64,
    start: Instant,
}

#[derive(Default)]
struct State {
    gates: VecDeque<Arc<Gate>>,
    threads: usize,
    asleep: usize,
}

static HELPERS: PerProcess<Helpers> = PerProcess::new(Helpers::new);

impl Helpers {
    fn new() -> Self {
        Self {
            state: Mutex::default(),
            changed: Condvar::new(),
            waiting: AtomicUsize::new(0),
            looking: AtomicUsize::new(0),
            looked: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            start: Instant::now(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks `wanted` threads in. There may be fewer, if the system refuses more.
    fn post(&'static self, gate: &Arc<Gate>, wanted: usize) {
        let mut state = self.lock();
        while state.threads < wanted {
            let builder = std::thread::Builder::new().name(format!("rnp-{}", state.threads));
            if builder.spawn(|| self.serve()).is_err() {
                break;
            }
            state.threads += 1;
        }
        let wanted = wanted.min(state.threads);
        state.gates.extend((0..wanted).map(|_| gate.clone()));
        self.waiting.store(state.gates.len(), Ordering::Release);
        let looking = self.looking.load(Ordering::Relaxed);
        for _ in 0..wanted.saturating_sub(looking).min(state.asleep) {
            self.changed.notify_one();
        }
    }

    /// Forgets who has not come.
    fn withdraw(&self, gate: &Arc<Gate>) {
        if self.waiting.load(Ordering::Acquire) > 0 {
            let mut state = self.lock();
            state.gates.retain(|g| !Arc::ptr_eq(g, gate));
            self.waiting.store(state.gates.len(), Ordering::Release);
        }
    }

    fn take(&self, state: &mut State) -> Option<Arc<Gate>> {
        let gate = state.gates.pop_front();
        self.waiting.store(state.gates.len(), Ordering::Release);
        gate
    }

    /// A helper's life.
    fn serve(&self) {
        let mut patience = LINGER;
        loop {
            let idle = Instant::now();
            let gate = self.next(patience);
            patience = if idle.elapsed() < STAY { STAY } else { LINGER };
            gate.enter();
        }
    }

    /// The gate to enter, when there is one; so long it is looked out for.
    fn next(&self, patience: Duration) -> Arc<Gate> {
        let at = |now: Instant| self.looked.store(self.time(now), Ordering::Relaxed);
        loop {
            let mut state = self.lock();
            if let Some(gate) = self.take(&mut state) {
                return gate;
            }
            self.looking.fetch_add(1, Ordering::Relaxed);
            drop(state);
            let looked = look_out(patience, || self.waiting.load(Ordering::Acquire) > 0, at);
            if looked == Looked::Lost {
                self.lost.store(self.time(Instant::now()), Ordering::Relaxed);
            }
            let mut state = self.lock();
            self.looking.fetch_sub(1, Ordering::Relaxed);
            if let Some(gate) = self.take(&mut state) {
                return gate;
            }
            // Who is woken for work that is over by then looks out for the next.
            state.asleep += 1;
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.asleep -= 1;
        }
    }

    /// Nanoseconds from the start on, at least one.
    fn time(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.start).as_nanos() as u64 + 1
    }

    /// Whether so little time has passed since something happened, if it ever did.
    fn is_recent(&self, happened: &AtomicU64, now: Instant, within: Duration) -> bool {
        let happened = happened.load(Ordering::Relaxed);
        happened > 0 && u128::from(self.time(now).saturating_sub(happened)) < within.as_nanos()
    }
}

/// Lets up to `helpers` threads into `body`, which the calling thread runs too, by `own`.
///
/// A helper that comes late, because it was busy with other work, finds the gate closed; so the caller
/// waits for nobody who has not begun. Neither may panic.
pub(super) fn together<'a>(helpers: usize, body: &'a (dyn Fn() + Sync + 'a), own: impl FnOnce()) {
    let gate = Gate::new(body);
    let all = HELPERS.get();
    all.post(&gate, helpers);
    own();
    all.withdraw(&gate);
    gate.close();
}

/// Whether work of a few microseconds is worth sharing: a helper looks out for it, or there was so much such
/// work just now that one is worth waking, who then does.
pub(super) fn are_awake() -> bool {
    let (helpers, now) = (HELPERS.get(), Instant::now());
    if helpers.looking.load(Ordering::Relaxed) > 0 {
        return helpers.is_recent(&helpers.looked, now, GLANCE);
    }
    if helpers.is_recent(&helpers.lost, now, CROWDED) {
        return false;
    }
    BURST.with(|burst| {
        let (last, asked) = burst.get().unwrap_or((now, 0));
        let goes_on = now.duration_since(last) < STAY;
        let asked = if goes_on { asked + 1 } else { 1 };
        let enough = asked == ENOUGH;
        burst.set(Some((now, if enough { 0 } else { asked })));
        enough
    })
}

/// So many works, one soon after the other, are worth a helper's waking.
const ENOUGH: u32 = 64;

thread_local! {
    /// When this thread asked last for helpers for a short work, and how often in a row.
    static BURST: Cell<Option<(Instant, u32)>> = const { Cell::new(None) };
}

/// Lets helpers into work that lives on the caller's stack, and keeps the caller until they are out.
struct Gate {
    body: *const (dyn Fn() + Sync + 'static),
    /// How many are inside, and [`CLOSED`].
    inside: AtomicUsize,
    lock: Mutex<()>,
    left: Condvar,
}

/// Nobody may enter.
const CLOSED: usize = 1 << (usize::BITS - 1);

// SAFETY: the body is Sync, and is only called while it is alive (see `enter`).
unsafe impl Send for Gate {}
// SAFETY: as above.
unsafe impl Sync for Gate {}

impl Gate {
    /// `body` must not panic, and the caller must `close` the gate before it dies.
    fn new<'a>(body: &'a (dyn Fn() + Sync + 'a)) -> Arc<Self> {
        // SAFETY: only the lifetime changes; `enter` upholds it.
        let body: &'static (dyn Fn() + Sync + 'static) = unsafe { std::mem::transmute(body) };
        let (lock, left) = (Mutex::new(()), Condvar::new());
        Arc::new(Self { body, inside: AtomicUsize::new(0), lock, left })
    }

    fn enter(&self) {
        let open = |inside| if inside & CLOSED == 0 { Some(inside + 1) } else { None };
        if self.inside.fetch_update(Ordering::AcqRel, Ordering::Acquire, open).is_err() {
            return;
        }
        // SAFETY: the gate was open, so its owner is before or within `close`, which waits for us.
        unsafe { (*self.body)() };
        if self.inside.fetch_sub(1, Ordering::AcqRel) == CLOSED + 1 {
            // Between its look and its sleep the owner holds the lock.
            drop(self.lock.lock().unwrap_or_else(PoisonError::into_inner));
            self.left.notify_all();
        }
    }

    fn close(&self) {
        let inside = self.inside.fetch_or(CLOSED, Ordering::AcqRel);
        let empty = || self.inside.load(Ordering::Acquire) == CLOSED;
        if inside == 0 || look_out(LOOK_OUT, empty, |_| ()) == Looked::Done {
            return;
        }
        let mut guard = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        while !empty() {
            guard = self.left.wait(guard).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_let_in_is_waited_for() {
        for (round, helpers) in [1, 3, 7].into_iter().cycle().take(300).enumerate() {
            let (begun, ended) = (AtomicUsize::new(0), AtomicUsize::new(0));
            let body = || {
                begun.fetch_add(1, Ordering::Relaxed);
                if round % 100 == 0 {
                    std::thread::sleep(Duration::from_millis(2));
                }
                ended.fetch_add(1, Ordering::Relaxed);
            };
            together(helpers, &body, body);
            let begun = begun.into_inner();
            assert!((1..=helpers + 1).contains(&begun), "{begun} of {helpers}");
            assert_eq!(begun, ended.into_inner());
        }
    }

    #[test]
    fn helpers_come_when_the_caller_lingers() {
        let come = AtomicUsize::new(0);
        let body = || {
            come.fetch_add(1, Ordering::Relaxed);
        };
        together(2, &body, || {
            let start = Instant::now();
            while come.load(Ordering::Relaxed) < 2 && start.elapsed().as_secs() < 20 {
                std::thread::yield_now();
            }
        });
        assert_eq!(come.into_inner(), 2);
    }

    #[test]
    fn who_is_woken_too_late_looks_out() {
        let helpers: &'static Helpers = Box::leak(Box::new(Helpers::new()));
        let start = Instant::now();
        let wait = |what: &str, done: &dyn Fn() -> bool| {
            while !done() {
                assert!(start.elapsed().as_secs() < 20, "{what}");
                std::thread::yield_now();
            }
        };
        let body = || {};
        let gate = Gate::new(&body);
        helpers.post(&gate, 1);
        helpers.withdraw(&gate);
        gate.close();
        wait("it sleeps", &|| helpers.lock().asleep == 1);
        let before = helpers.looked.load(Ordering::Relaxed);
        helpers.changed.notify_one();
        wait("it looks out", &|| helpers.looked.load(Ordering::Relaxed) > before);
    }

    #[test]
    fn who_has_lost_its_core_is_not_counted_on() {
        let helpers = Helpers::new();
        let at = |micros| helpers.start + Duration::from_micros(micros);
        assert!(!helpers.is_recent(&helpers.looked, at(1), GLANCE), "nobody has looked out yet");
        helpers.looked.store(helpers.time(at(100)), Ordering::Relaxed);
        assert!(helpers.is_recent(&helpers.looked, at(103), GLANCE));
        assert!(!helpers.is_recent(&helpers.looked, at(110), GLANCE));
        let away = |_: Instant| std::thread::sleep(2 * LOOK_OUT);
        assert_eq!(look_out(LINGER * 100, || false, away), Looked::Lost);
        assert_eq!(look_out(Duration::ZERO, || false, |_| ()), Looked::InVain);
        assert_eq!(look_out(Duration::ZERO, || true, |_| ()), Looked::Done);
    }

    #[test]
    fn work_within_work_and_beside_it_ends() {
        let done = AtomicUsize::new(0);
        let count = || {
            done.fetch_add(1, Ordering::Relaxed);
        };
        let outer = || together(2, &count, count);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..50).for_each(|_| together(3, &outer, outer)));
            }
        });
        assert!(done.into_inner() >= 200);
    }
}
