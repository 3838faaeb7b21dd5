//! Process-wide state that survives `fork`.
//!
//! A forked child has one thread and a copy of every lock, some of them held by threads that are
//! not there. So state behind locks lives in a [`PerProcess`], which a child makes afresh.
//!
//! May not know: anything else in the crate.

use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

static GENERATION: AtomicU64 = AtomicU64::new(1);

#[cfg(unix)]
mod hook {
    use std::sync::atomic::{AtomicBool, Ordering};

    static REGISTERED: AtomicBool = AtomicBool::new(false);

    extern "C" fn in_child() {
        super::GENERATION.fetch_add(1, Ordering::AcqRel);
    }

    pub(super) fn register() {
        if !REGISTERED.load(Ordering::Acquire) {
            // Two threads may both get here; a second handler only counts twice. Marking first would
            // let a fork slip in between with no handler at all.
            // SAFETY: the handler only touches an atomic, which is allowed between fork and exec.
            unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
            REGISTERED.store(true, Ordering::Release);
        }
    }
}

#[cfg(not(unix))]
mod hook {
    pub fn register() {}
}

/// How many forks lie between the first process that used the engine and this one, counted from 1.
pub fn generation() -> u64 {
    hook::register();
    GENERATION.load(Ordering::Acquire)
}

struct Slot<T> {
    generation: u64,
    value: T,
}

/// A lazily made value that a forked child makes afresh. Values are never dropped.
pub struct PerProcess<T: 'static> {
    slot: AtomicPtr<Slot<T>>,
    make: fn() -> T,
}

impl<T: Send + Sync + 'static> PerProcess<T> {
    /// A value that `make` makes at first use in each process.
    pub const fn new(make: fn() -> T) -> Self {
        Self { slot: AtomicPtr::new(std::ptr::null_mut()), make }
    }

    /// This process's value. Takes no lock.
    pub fn get(&self) -> &'static T {
        let generation = generation();
        loop {
            let old = self.slot.load(Ordering::Acquire);
            // SAFETY: a slot once published is never freed nor changed.
            if let Some(slot) = unsafe { old.as_ref() }
                && slot.generation == generation
            {
                return &slot.value;
            }
            let new = Box::into_raw(Box::new(Slot { generation, value: (self.make)() }));
            // An older slot is left alone: it belongs to the parent's threads, and dropping it
            // could wait for them.
            if self.slot.compare_exchange(old, new, Ordering::AcqRel, Ordering::Acquire).is_err() {
                // SAFETY: it was made just above and never published.
                drop(unsafe { Box::from_raw(new) });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    static COUNT: PerProcess<Mutex<u32>> = PerProcess::new(|| Mutex::new(0));

    #[test]
    #[cfg(unix)]
    fn a_child_gets_a_fresh_value_though_the_lock_was_held() {
        let mut held = COUNT.get().lock().unwrap();
        *held = 7;
        // SAFETY: the child only takes a fresh lock and leaves.
        unsafe {
            let pid = libc::fork();
            if pid == 0 {
                libc::alarm(20);
                let fresh = COUNT.get().lock().map_or(99, |n| *n);
                libc::_exit(i32::from(fresh != 0));
            }
            let mut status = 0;
            assert_eq!(libc::waitpid(pid, &raw mut status, 0), pid);
            assert_eq!(status, 0);
        }
        assert_eq!(*held, 7);
    }
}
