//! The loops over tiles: what runs a scalar function over a run of elements, and the few numeric
//! steps that every function shares.
//!
//! Results pass through a small local buffer, so the compiler sees that nothing overlaps and
//! vectorizes the loop that fills it, wherever the tiles lie and whether or not they are the same
//! memory. May not know: which function it runs, or on which machine.

/// An element type: `f32` or `f64`.
pub(super) trait Real: Copy {
    /// A harmless argument of every function.
    const ONE: Self;
}

impl Real for f32 {
    const ONE: f32 = 1.0;
}

impl Real for f64 {
    const ONE: f64 = 1.0;
}

/// Says of a form that it applies to every argument.
#[inline(always)]
pub(super) fn always<T>(_: T) -> bool {
    true
}

/// The same of two operands.
#[inline(always)]
pub(super) fn always_two<T>(_: T, _: T) -> bool {
    true
}

/// Computes `out[i] = fast(a[i])`, and `wide(a[i])` where `fast` does not apply.
///
/// A buffer in which it applies to all, as it mostly does, pays for the test alone. `N` elements
/// pass through the buffer at once: best 256 bytes of them, which are copied inline.
///
/// # Safety
/// `a` must be readable and `out` writable for `n` elements of `T`. They need no alignment and are
/// either the same memory or disjoint.
#[inline(always)]
pub(super) unsafe fn unary<T: Real, const N: usize>(
    out: *mut u8,
    a: *const u8,
    n: usize,
    fast: impl Fn(T) -> T,
    applies: impl Fn(T) -> bool,
    wide: impl Fn(T) -> T,
) {
    let (mut x, mut y) = ([T::ONE; N], [T::ONE; N]);
    let mut done = 0;
    while done < n {
        let m = N.min(n - done);
        // SAFETY: elements done..done + m are among the caller's `n`; what `source` gives is readable
        // for the whole steps in `m`, and `m` is within `y` and `out`.
        unsafe {
            let a = source(a.cast::<T>().add(done), &mut x, m);
            let steps = whole_steps::<N>(m);
            let mut all = true;
            for i in 0..steps {
                let x = a.add(i).read_unaligned();
                *y.get_unchecked_mut(i) = fast(x);
                all &= applies(x);
            }
            if !all {
                for i in 0..steps {
                    let x = a.add(i).read_unaligned();
                    let y = y.get_unchecked_mut(i);
                    *y = if applies(x) { *y } else { wide(x) };
                }
            }
            store(out.cast::<T>().add(done), &y, m);
        }
        done += m;
    }
}

/// Computes `out[i] = fast(a[i], b[i])`, and `wide` of both where `fast` does not apply; `N` as in
/// [`unary`].
///
/// # Safety
/// `a` and `b` must be readable and `out` writable for `n` elements of `T`. They need no alignment;
/// each of `a` and `b` is the same memory as `out` or disjoint from it.
#[inline(always)]
pub(super) unsafe fn binary<T: Real, const N: usize>(
    out: *mut u8,
    a: *const u8,
    b: *const u8,
    n: usize,
    fast: impl Fn(T, T) -> T,
    applies: impl Fn(T, T) -> bool,
    wide: impl Fn(T, T) -> T,
) {
    let (mut x, mut z, mut y) = ([T::ONE; N], [T::ONE; N], [T::ONE; N]);
    let mut done = 0;
    while done < n {
        let m = N.min(n - done);
        // SAFETY: as in `unary`.
        unsafe {
            let a = source(a.cast::<T>().add(done), &mut x, m);
            let b = source(b.cast::<T>().add(done), &mut z, m);
            let steps = whole_steps::<N>(m);
            let mut all = true;
            for i in 0..steps {
                let (x, z) = (a.add(i).read_unaligned(), b.add(i).read_unaligned());
                *y.get_unchecked_mut(i) = fast(x, z);
                all &= applies(x, z);
            }
            if !all {
                for i in 0..steps {
                    let (x, z) = (a.add(i).read_unaligned(), b.add(i).read_unaligned());
                    let y = y.get_unchecked_mut(i);
                    *y = if applies(x, z) { *y } else { wide(x, z) };
                }
            }
            store(out.cast::<T>().add(done), &y, m);
        }
        done += m;
    }
}

/// `m` rounded up to whole steps, so that a partial buffer needs no scalar loop. At most `N`.
#[inline(always)]
fn whole_steps<const N: usize>(m: usize) -> usize {
    const { assert!(N.is_multiple_of(4)) };
    m.div_ceil(N / 4) * (N / 4)
}

/// Where to read `m` elements rounded up to whole steps: at `from` itself if `m` is `N`, else in
/// `buffer`, past whose `m` elements there are ones.
///
/// # Safety
/// `m <= N`, and `from` is readable for `m` elements, aligned or not.
#[inline(always)]
unsafe fn source<T: Real, const N: usize>(
    from: *const T,
    buffer: &mut [T; N],
    m: usize,
) -> *const T {
    if m == N {
        return from;
    }
    let bytes = m * size_of::<T>();
    // SAFETY: the caller's promise; byte pointers need no alignment, and `buffer` is a local one.
    unsafe { from.cast::<u8>().copy_to_nonoverlapping(buffer.as_mut_ptr().cast(), bytes) };
    buffer.as_ptr()
}

/// # Safety
/// `m <= N`, and `to` is writable for `m` elements, aligned or not.
#[inline(always)]
unsafe fn store<T: Real, const N: usize>(to: *mut T, from: &[T; N], m: usize) {
    if m == N {
        // SAFETY: the caller's promise.
        unsafe { to.cast::<[T; N]>().write_unaligned(*from) };
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

macro_rules! define_poly {
    ($name:ident $t:ty) => {
        /// A polynomial of degree 1 or more, lowest coefficient first.
        ///
        /// Horner's rule in fused steps, for even and odd powers apart: the same work, but half as
        /// long a chain of dependent steps.
        #[inline(always)]
        pub(super) fn $name<const N: usize>(x: $t, c: [$t; N]) -> $t {
            let square = x * x;
            let (mut upper, mut lower) = (c[N - 1], c[N - 2]);
            let mut i = N - 2;
            while i > 0 {
                i -= 1;
                (upper, lower) = (lower, upper.mul_add(square, c[i]));
            }
            upper.mul_add(x, lower)
        }
    };
}
define_poly!(poly f64);
define_poly!(poly_f32 f32);

/// The error of `sum = a + b`, exactly (Knuth's two-sum).
#[inline(always)]
pub(super) fn sum_error(a: f64, b: f64, sum: f64) -> f64 {
    let b_part = sum - a;
    (a - (sum - b_part)) + (b - b_part)
}
