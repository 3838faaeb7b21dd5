//! What the engine owes the process it lives in: no byte too far, interrupts, forks, bounded caches.

use std::cell::Cell;
use std::time::{Duration, Instant};

use super::super::{CAPACITY, cache, stats};
use super::*;
use DType::{F32, F64, I64};

/// `x * x + s` over `n` elements, and its sum.
fn square_sum(n: usize, dtype: DType) -> Plan {
    let mut k = Builder::new(Form::Inner, false, &[n], &[true]);
    let x = k.input(dtype, Step::Unit, &[dtype.size() as isize]);
    let s = k.scalar(dtype);
    let y = k.map(Op::Multiply, dtype, &[x, x]);
    let z = k.map(Op::Add, dtype, &[y, s]);
    k.store(dtype, z);
    k.fold(Fold::Sum, dtype, z);
    k.finish()
}

/// A page of `len` bytes of data that ends, or begins, at a page that must not be touched.
#[cfg(unix)]
struct Guarded {
    map: *mut u8,
    page: usize,
}

#[cfg(unix)]
impl Guarded {
    fn new() -> Self {
        // SAFETY: a fresh map of three pages, of which only the middle one may be used.
        unsafe {
            let page = libc::sysconf(libc::_SC_PAGESIZE) as usize;
            let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
            let map = libc::mmap(std::ptr::null_mut(), 3 * page, libc::PROT_NONE, flags, -1, 0);
            assert_ne!(map, libc::MAP_FAILED);
            let map = map.cast::<u8>();
            let access = libc::PROT_READ | libc::PROT_WRITE;
            assert_eq!(libc::mprotect(map.add(page).cast(), page, access), 0);
            Self { map, page }
        }
    }

    /// An input of these values at one edge of the page.
    fn input(&self, values: &[f32], at_end: bool) -> Storage {
        let offset = if at_end { self.page - 4 * values.len() } else { 0 };
        // SAFETY: within the middle page.
        let ptr = unsafe {
            let ptr = self.map.add(self.page + offset);
            std::ptr::copy_nonoverlapping(values.as_ptr().cast(), ptr, 4 * values.len());
            ptr
        };
        Storage {
            ptr,
            dtype: F32,
            shape: smallvec![values.len()],
            strides: smallvec![4],
            keeper: Arc::new(()),
        }
    }
}

#[cfg(unix)]
impl Drop for Guarded {
    fn drop(&mut self) {
        // SAFETY: mapped by `new`.
        unsafe { libc::munmap(self.map.cast(), 3 * self.page) };
    }
}

#[test]
#[cfg(unix)]
fn no_byte_before_or_after_an_input_is_read() {
    let guarded = Guarded::new();
    let sums = |n: usize| {
        let mut k = Builder::new(Form::Map, true, &[n, 2], &[false, false]);
        let x = k.input(F32, Step::Packed, &[4, 0]);
        let y = k.input(F32, Step::Packed, &[0, 4]);
        let z = k.map(Op::Add, F32, &[x, y]);
        k.store(F32, z);
        k.finish()
    };
    for n in 1..=70 {
        let data: Vec<f32> = (0..n).map(|i| i as f32).collect();
        for at_end in [false, true] {
            let input = guarded.input(&data, at_end);
            let out = run_all(&square_sum(n, F32), &[input], &[Scalar::f32(1.0)]).unwrap();
            assert!(values::<f32>(&out[0]).iter().zip(&data).all(|(y, x)| *y == x * x + 1.0));
            let input = guarded.input(&data, at_end);
            let out = run_all(&sums(n), &[input, storage(F32, &[1f32, 2.0])], &[]).unwrap();
            assert_eq!(values::<f32>(&out[0])[2 * n - 1], data[n - 1] + 2.0);
        }
    }
}

#[test]
fn an_interrupt_stops_and_leaves_the_engine_usable() {
    // A run without memory: seconds of work on one element.
    let mut k = Builder::new(Form::Inner, false, &[1 << 34], &[true]);
    let x = k.input(F64, Step::Fixed, &[0]);
    let y = k.map(Op::Sqrt, F64, &[x]);
    k.fold(Fold::Sum, F64, y);
    let plan = k.finish();
    for threads in [None, Some(1), Some(3)] {
        let (start, asked) = (Instant::now(), Cell::new(0));
        let interrupt = || {
            asked.set(asked.get() + 1);
            start.elapsed() > Duration::from_millis(120)
        };
        let ctx = Context { interrupt: Some(&interrupt), threads };
        let err = run(&plan, &[storage(F64, &[0.5f64])], &[], &ctx).unwrap_err();
        assert_eq!(err.kind(), crate::error::ErrorKind::Interrupted);
        assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
        assert!((2..20).contains(&asked.get()), "asked {} times", asked.get());
        let out =
            run_all(&square_sum(3, F64), &[storage(F64, &[1f64, 2.0, 3.0])], &[Scalar::f64(0.0)]);
        assert_eq!(values::<f64>(&out.unwrap()[1]), [14.0]);
    }
}

#[test]
#[cfg(unix)]
fn a_forked_child_computes() {
    let n = 300_000;
    let plan = square_sum(n, F64);
    let inputs = [storage(F64, &vec![2f64; n])];
    let compute = || {
        let ctx = Context { interrupt: None, threads: Some(3) };
        let out = run(&plan, &inputs, &[Scalar::f64(0.0)], &ctx);
        out.is_ok_and(|out| values::<f64>(&out[1]) == [4.0 * n as f64])
    };
    assert!(compute());
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|s| {
        // Others are in the middle of things, with locks held now and then.
        for _ in 0..2 {
            s.spawn(|| {
                while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                    assert!(compute());
                }
            });
        }
        for _ in 0..10 {
            // SAFETY: the child computes and leaves at once, touching no test machinery.
            unsafe {
                let pid = libc::fork();
                if pid == 0 {
                    libc::alarm(20);
                    libc::_exit(i32::from(!compute()));
                }
                let mut status = 0;
                assert_eq!(libc::waitpid(pid, &raw mut status, 0), pid);
                assert_eq!(status, 0, "the child failed");
            }
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    assert!(compute());
}

#[test]
fn a_new_length_or_scalar_is_no_new_kernel() {
    let shared = cache::lookup(&first(&mut square_sum(1, I64)).kernel);
    for n in [1, 2, 1000] {
        for s in [0, 1, -5] {
            let mut plan = square_sum(n, I64);
            let out =
                run(&plan, &[storage(I64, &vec![3i64; n])], &[Scalar::i64(s)], &Context::default());
            assert_eq!(values::<i64>(&out.unwrap()[1]), [n as i64 * (9 + s)]);
            assert!(Arc::ptr_eq(&shared, &cache::lookup(&first(&mut plan).kernel)));
        }
    }
    let other = cache::lookup(&first(&mut square_sum(1, F32)).kernel);
    assert!(!Arc::ptr_eq(&shared, &other));
}

#[test]
fn the_cache_is_bounded() {
    for i in 0..CAPACITY + 100 {
        let mut k = Builder::new(Form::Map, false, &[4], &[false]);
        k.kernel.tables = 1000 + i;
        let kernel = Arc::new(k.kernel);
        let runner = cache::lookup(&kernel);
        assert!(Arc::ptr_eq(&runner, &cache::lookup(&kernel)));
        assert!(Arc::ptr_eq(&runner, &cache::lookup(&Arc::new((*kernel).clone()))));
    }
    assert!(stats().kernels <= CAPACITY);
}

#[test]
fn threads_share_kernels_and_the_pool() {
    let plan = square_sum(100_000, F64);
    let data = noise(100_000);
    let inputs = [storage(F64, &data)];
    let ctx = Context { interrupt: None, threads: Some(2) };
    let want = run(&plan, &inputs, &[Scalar::f64(0.5)], &ctx).unwrap();
    std::thread::scope(|s| {
        for _ in 0..6 {
            s.spawn(|| {
                let ctx = Context { interrupt: None, threads: Some(2) };
                for _ in 0..20 {
                    let got = run(&plan, &inputs, &[Scalar::f64(0.5)], &ctx).unwrap();
                    assert!(got.iter().zip(&want).all(|(a, b)| a.bytes() == b.bytes()));
                }
            });
        }
    });
}

#[test]
fn warnings_come_once() {
    super::super::warn_once("only a test");
    super::super::warn_once("only a test");
    let mut seen = 0;
    while let Some(text) = super::super::take_warning() {
        seen += usize::from(text == "only a test");
    }
    assert_eq!(seen, 1);
}
