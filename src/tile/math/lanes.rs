//! The loops over tiles: what runs a scalar function over a run of elements, and the few numeric
//! steps that every function shares.
//!
//! A loop runs straight from the operands to the result, its constants in registers, and notes whether the
//! fast form applied to all; where it did not, a second one mends. What has its result in its own place, and what is
//! left of less than a chunk, passes through local buffers: the compiler makes vector code only for memory that
//! is not the same. May not know: which function it runs, or on which machine.

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
/// `N` elements are a chunk: what is mended, and what passes through a buffer, at once.
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
    let (out, a) = (out.cast::<T>(), a.cast::<T>());
    let mut done = 0;
    while done < n {
        // SAFETY: elements done..done + m are among the caller's `n`; or they are copied to a buffer and
        // back, which holds a whole chunk and is computed whole.
        unsafe {
            let (direct, m) = span::<N>(n - done, out == a.cast_mut());
            let (mut from, mut to, mut count) = (a.add(done), out.add(done), m);
            if !direct {
                copy(x.as_mut_ptr(), from, m);
                (from, to, count) = (x.as_ptr(), y.as_mut_ptr(), N);
            }
            let mut all = true;
            for i in 0..count {
                let x = from.add(i).read_unaligned();
                to.add(i).write_unaligned(fast(x));
                all &= applies(x);
            }
            let mut at = if all { count } else { 0 };
            while at < count {
                let end = count.min(at + N);
                let mut all = true;
                for i in at..end {
                    all &= applies(from.add(i).read_unaligned());
                }
                if !all {
                    for i in at..end {
                        let x = from.add(i).read_unaligned();
                        let y = to.add(i).read_unaligned();
                        to.add(i).write_unaligned(if applies(x) { y } else { wide(x) });
                    }
                }
                at = end;
            }
            if !direct {
                copy(out.add(done), y.as_ptr(), m);
            }
            done += m;
        }
    }
}

/// Computes `out[i] = fast(a[i], b[i])`, and `wide` of both where `fast` does not apply; as [`unary`] does.
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
    let (out, a, b) = (out.cast::<T>(), a.cast::<T>(), b.cast::<T>());
    let in_place = (out == a.cast_mut()) | (out == b.cast_mut());
    let mut done = 0;
    while done < n {
        // SAFETY: as in `unary`.
        unsafe {
            let (direct, m) = span::<N>(n - done, in_place);
            let (mut from, mut other) = (a.add(done), b.add(done));
            let (mut to, mut count) = (out.add(done), m);
            if !direct {
                copy(x.as_mut_ptr(), from, m);
                copy(z.as_mut_ptr(), other, m);
                (from, other) = (x.as_ptr(), z.as_ptr());
                (to, count) = (y.as_mut_ptr(), N);
            }
            let pair = |i| (from.add(i).read_unaligned(), other.add(i).read_unaligned());
            let mut all = true;
            for i in 0..count {
                let (x, z) = pair(i);
                to.add(i).write_unaligned(fast(x, z));
                all &= applies(x, z);
            }
            let mut at = if all { count } else { 0 };
            while at < count {
                let end = count.min(at + N);
                let mut all = true;
                for i in at..end {
                    let (x, z) = pair(i);
                    all &= applies(x, z);
                }
                if !all {
                    for i in at..end {
                        let (x, z) = pair(i);
                        let y = to.add(i).read_unaligned();
                        to.add(i).write_unaligned(if applies(x, z) { y } else { wide(x, z) });
                    }
                }
                at = end;
            }
            if !direct {
                copy(out.add(done), y.as_ptr(), m);
            }
            done += m;
        }
    }
}

/// Whether the next elements are taken from where they are straight to where they go, and how many of the
/// `left` ones: whole chunks, or, through a buffer, one at most.
#[inline(always)]
fn span<const N: usize>(left: usize, in_place: bool) -> (bool, usize) {
    let direct = left >= N && !in_place;
    (direct, if direct { left / N * N } else { left.min(N) })
}

/// Copies `m` elements between places that need no alignment and do not overlap.
///
/// # Safety
/// `from` is readable and `to` writable for `m` elements.
#[inline(always)]
unsafe fn copy<T>(to: *mut T, from: *const T, m: usize) {
    // SAFETY: the caller's promise, in bytes.
    unsafe { to.cast::<u8>().copy_from_nonoverlapping(from.cast(), m * size_of::<T>()) }
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

/// Functions of anything from the forms of the tile loops.
macro_rules! complete {
    ($t:ident $($(#[$doc:meta])+ $name:ident($($arg:ident),+): $fast:ident, $applies:ident, $wide:path;)+) => {$(
        $(#[$doc])+
        #[inline(always)]
        pub fn $name($($arg: $t),+) -> $t {
            if $applies($($arg),+) { $fast($($arg),+) } else { $wide($($arg),+) }
        }
    )+};
}
pub(super) use complete;
