//! The loops over tiles: what runs a scalar function over a run of elements, and the few numeric
//! steps that every function shares.
//!
//! Elements pass through small local buffers, so the compiler sees that nothing overlaps and
//! vectorizes the loop in between, wherever the tiles lie and whether or not they are the same
//! memory. May not know: which function it runs, or on which machine.

/// Elements that pass through the local buffers at once.
const CHUNK: usize = 128;

/// A partial chunk is computed up to a multiple of this, so that it needs no scalar loop.
const STEP: usize = 16;

/// An element type: `f32` or `f64`.
pub(super) trait Real: Copy + PartialEq {
    /// A harmless argument of every function.
    const ONE: Self;
}

impl Real for f32 {
    const ONE: f32 = 1.0;
}

impl Real for f64 {
    const ONE: f64 = 1.0;
}

/// Computes `out[i] = f(a[i])`, then again by `slow` where `rare` says that `f` does not apply.
///
/// # Safety
/// `a` must be readable and `out` writable for `n` elements of `T`. They need no alignment and are
/// either the same memory or disjoint.
#[inline(always)]
pub(super) unsafe fn unary<T: Real>(
    out: *mut u8,
    a: *const u8,
    n: usize,
    f: impl Fn(T) -> T,
    rare: impl Fn(T) -> bool,
    slow: impl Fn(T) -> T,
) {
    let (mut x, mut y) = ([T::ONE; CHUNK], [T::ONE; CHUNK]);
    let mut done = 0;
    while done < n {
        let m = CHUNK.min(n - done);
        // SAFETY: elements done..done + m are among the caller's `n`.
        unsafe { load(&mut x, a.cast::<T>().add(done), m) };
        let some = compute(m, |i| {
            y[i] = f(x[i]);
            rare(x[i])
        });
        if some {
            fix(&x[..m], &mut y[..m], &rare, &slow);
        }
        // SAFETY: as above.
        unsafe { store(out.cast::<T>().add(done), &y, m) };
        done += m;
    }
}

/// Computes `out[i] = f(a[i], b[i])`.
///
/// # Safety
/// `a` and `b` must be readable and `out` writable for `n` elements of `T`. They need no alignment;
/// each of `a` and `b` is the same memory as `out` or disjoint from it.
#[inline(always)]
pub(super) unsafe fn binary<T: Real>(
    out: *mut u8,
    a: *const u8,
    b: *const u8,
    n: usize,
    f: impl Fn(T, T) -> T,
) {
    let (mut x, mut z, mut y) = ([T::ONE; CHUNK], [T::ONE; CHUNK], [T::ONE; CHUNK]);
    let mut done = 0;
    while done < n {
        let m = CHUNK.min(n - done);
        // SAFETY: elements done..done + m are among the caller's `n`.
        unsafe {
            load(&mut x, a.cast::<T>().add(done), m);
            load(&mut z, b.cast::<T>().add(done), m);
        }
        compute(m, |i| {
            y[i] = f(x[i], z[i]);
            false
        });
        // SAFETY: as above.
        unsafe { store(out.cast::<T>().add(done), &y, m) };
        done += m;
    }
}

/// Runs `each` on `0..m`, with `m` rounded up to whole steps; whether any call returned true.
///
/// What lies in the buffers past `m` is old, but valid, so computing it does no harm.
#[inline(always)]
fn compute(m: usize, mut each: impl FnMut(usize) -> bool) -> bool {
    let mut some = false;
    for i in 0..m.next_multiple_of(STEP).min(CHUNK) {
        some |= each(i);
    }
    some
}

/// Replaces the results of rare arguments. Inlined, so that it too may use the machine's fused steps.
#[inline(always)]
fn fix<T: Real>(x: &[T], y: &mut [T], rare: &impl Fn(T) -> bool, slow: &impl Fn(T) -> T) {
    for (y, &x) in y.iter_mut().zip(x) {
        if rare(x) {
            *y = slow(x);
        }
    }
}

/// # Safety
/// `m <= CHUNK`, and `from` is readable for `m` elements, aligned or not.
#[inline(always)]
unsafe fn load<T: Copy>(to: &mut [T; CHUNK], from: *const T, m: usize) {
    if m == CHUNK {
        // SAFETY: the caller's promise; an array has no padding.
        *to = unsafe { from.cast::<[T; CHUNK]>().read_unaligned() };
    } else {
        let bytes = m * size_of::<T>();
        // SAFETY: the caller's promise; byte pointers need no alignment, and `to` is a local buffer.
        unsafe { from.cast::<u8>().copy_to_nonoverlapping(to.as_mut_ptr().cast(), bytes) };
    }
}

/// # Safety
/// `m <= CHUNK`, and `to` is writable for `m` elements, aligned or not.
#[inline(always)]
unsafe fn store<T: Copy>(to: *mut T, from: &[T; CHUNK], m: usize) {
    if m == CHUNK {
        // SAFETY: the caller's promise.
        unsafe { to.cast::<[T; CHUNK]>().write_unaligned(*from) };
    } else {
        let bytes = m * size_of::<T>();
        // SAFETY: the caller's promise; byte pointers need no alignment, and `from` is a local buffer.
        unsafe { from.as_ptr().cast::<u8>().copy_to_nonoverlapping(to.cast(), bytes) };
    }
}

/// Adding this to a number below `2**51` rounds it to an integer, held in the sum's low bits.
pub(super) const ROUND: f64 = 6_755_399_441_055_744.0;

/// `ln 2`, and what rounding it to a double left over.
pub(super) const LN2: f64 = std::f64::consts::LN_2;
/// See [`LN2`].
pub(super) const LN2_REST: f64 = 2.319_046_813_846_299_6e-17;
/// The first 42 bits of `ln 2`: a product with an exponent is exact. And the rest.
pub(super) const LN2_42: f64 = 0.693_147_180_559_890_3;
/// See [`LN2_42`].
pub(super) const LN2_42_REST: f64 = 5.497_923_018_708_371e-14;

/// A polynomial, lowest coefficient first, by Horner's rule in fused steps.
#[inline(always)]
pub(super) fn poly<const N: usize>(x: f64, c: [f64; N]) -> f64 {
    let mut sum = c[N - 1];
    let mut i = N - 1;
    while i > 0 {
        i -= 1;
        sum = sum.mul_add(x, c[i]);
    }
    sum
}

/// The error of `sum = a + b`, exactly (Knuth's two-sum).
#[inline(always)]
pub(super) fn sum_error(a: f64, b: f64, sum: f64) -> f64 {
    let b_part = sum - a;
    (a - (sum - b_part)) + (b - b_part)
}
