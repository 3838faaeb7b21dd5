//! Running plans: memory, threads, code cache.
