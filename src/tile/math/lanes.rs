//! The loops over tiles: what runs a scalar function over a run of elements, and the few numeric
//! steps that every function shares.
//!
//! A loop runs straight from the operands to the result, its constants in registers, and notes whether the
//! fast form applied to all; where it did not, a second one mends. What has its result in its own place, and what is
//! left of less than a chunk, passes through local buffers: the compiler makes vector code only for memory that
//! is not the same. A function that looks numbers up in tables is split in two, before and after the lookup,
//! which is the machine's own. May not know: which function it runs, or on which machine.

use super::table::{Lines, Lookup, Real, Tables, row};
use crate::tile::TILE;

/// A function of one operand, in its forms.
pub(super) trait Unary<T: Real, const K: usize>: Tables<T, K> {
    /// Where in the tables.
    fn index(x: T) -> T::Index;

    /// The function where [`Unary::plain`] holds, given what stands in the tables.
    fn fast(x: T, row: [T; K]) -> T;

    /// Whether the fast form alone is the function.
    #[inline(always)]
    fn plain(x: T) -> bool {
        Self::applies(x)
    }

    /// Whether it is with [`Unary::ends`] after it.
    fn applies(x: T) -> bool;

    /// The function of an `x` to which the fast form applies and gave `y`.
    #[inline(always)]
    fn ends(_: T, y: T) -> T {
        y
    }

    /// The function of anything else.
    fn wide(x: T) -> T;
}

/// A function of two operands, in its forms.
pub(super) trait Binary<T: Real, const K: usize>: Tables<T, K> {
    /// Where in the tables.
    fn index(x: T, y: T) -> T::Index;

    /// The function where [`Binary::applies`] holds, given what stands in the tables.
    fn fast(x: T, y: T, row: [T; K]) -> T;

    /// Whether the fast form is the function.
    fn applies(x: T, y: T, row: [T; K]) -> bool;

    /// The function of anything else.
    fn wide(x: T, y: T) -> T;
}

/// A function of one operand, of one element.
#[inline(always)]
pub(super) fn of_one<T: Real, F: Unary<T, K>, const K: usize>(x: T) -> T {
    if F::applies(x) { F::ends(x, F::fast(x, row(&F::TABLES, F::index(x)))) } else { F::wide(x) }
}

/// A function of two operands, of one element of each.
#[inline(always)]
pub(super) fn of_two<T: Real, F: Binary<T, K>, const K: usize>(x: T, y: T) -> T {
    let row = row(&F::TABLES, F::index(x, y));
    if F::applies(x, y, row) { F::fast(x, y, row) } else { F::wide(x, y) }
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

/// Computes `out[i] = F(a[i])` of a function without tables.
///
/// `N` elements are a chunk: what is mended, and what passes through a buffer, at once.
///
/// # Safety
/// `a` must be readable and `out` writable for `n` elements of `T`. They need no alignment and are
/// either the same memory or disjoint.
#[inline(always)]
pub(super) unsafe fn unary<T: Real, F: Unary<T, 0>, const N: usize>(
    out: *mut u8,
    a: *const u8,
    n: usize,
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
                to.add(i).write_unaligned(F::fast(x, []));
                all &= F::applies(x);
            }
            if !all {
                mend::<T, F, N, 0>(to, from, count);
            }
            if !direct {
                copy(out.add(done), y.as_ptr(), m);
            }
            done += m;
        }
    }
}

/// Computes `out[i] = F(a[i], b[i])`, as [`unary`] does.
///
/// # Safety
/// `a` and `b` must be readable and `out` writable for `n` elements of `T`. They need no alignment;
/// each of `a` and `b` is the same memory as `out` or disjoint from it.
#[inline(always)]
pub(super) unsafe fn binary<T: Real, F: Binary<T, 0>, const N: usize>(
    out: *mut u8,
    a: *const u8,
    b: *const u8,
    n: usize,
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
            let mut all = true;
            for i in 0..count {
                let (x, z) = (from.add(i).read_unaligned(), other.add(i).read_unaligned());
                to.add(i).write_unaligned(F::fast(x, z, []));
                all &= F::applies(x, z, []);
            }
            if !all {
                mend_two::<T, F, N, 0>(to, from, other, count);
            }
            if !direct {
                copy(out.add(done), y.as_ptr(), m);
            }
            done += m;
        }
    }
}

/// Computes the elements again to which the fast form does not apply, in the chunks that have one.
///
/// # Safety
/// `from` is readable and `to`, which is other memory, readable and writable for `count` elements.
#[inline(always)]
unsafe fn mend<T: Real, F: Unary<T, K>, const N: usize, const K: usize>(
    to: *mut T,
    from: *const T,
    count: usize,
) {
    for at in (0..count).step_by(N) {
        let chunk = at..count.min(at + N);
        // SAFETY: the caller's promise.
        unsafe {
            let mut all = true;
            for i in chunk.clone() {
                all &= F::applies(from.add(i).read_unaligned());
            }
            if all {
                continue;
            }
            for i in chunk {
                let (x, y) = (from.add(i).read_unaligned(), to.add(i).read_unaligned());
                to.add(i).write_unaligned(if F::applies(x) { y } else { F::wide(x) });
            }
        }
    }
}

/// The same of two operands.
///
/// # Safety
/// As of [`mend`], for `other` too.
#[inline(always)]
unsafe fn mend_two<T: Real, F: Binary<T, K>, const N: usize, const K: usize>(
    to: *mut T,
    from: *const T,
    other: *const T,
    count: usize,
) {
    let applies = |x, z| F::applies(x, z, row(&F::TABLES, F::index(x, z)));
    for at in (0..count).step_by(N) {
        let chunk = at..count.min(at + N);
        // SAFETY: the caller's promise.
        unsafe {
            let pair = |i| (from.add(i).read_unaligned(), other.add(i).read_unaligned());
            let mut all = true;
            for i in chunk.clone() {
                let (x, z) = pair(i);
                all &= applies(x, z);
            }
            if all {
                continue;
            }
            for i in chunk {
                let ((x, z), y) = (pair(i), to.add(i).read_unaligned());
                to.add(i).write_unaligned(if applies(x, z) { y } else { F::wide(x, z) });
            }
        }
    }
}

/// The fast form of a function with tables, which are looked up for a vector of `L` elements at once; and whether it
/// alone is the function of all of them.
///
/// # Safety
/// `from` is readable and `to` writable for `count` elements, a multiple of `L`, on a machine that has the
/// instructions of `V`.
#[inline(always)]
pub(super) unsafe fn vectors<T, V, F, const L: usize, const K: usize>(
    to: *mut T,
    from: *const T,
    count: usize,
) -> bool
where
    T: Real,
    V: Lookup<T, L>,
    F: Unary<T, K>,
{
    let mut all = true;
    let mut at = 0;
    while at < count {
        let mut x = Lines([T::ONE; L]);
        let mut indices = Lines([T::Index::from(0); L]);
        let mut rows = [const { Lines([T::ONE; L]) }; K];
        // SAFETY: the caller's promise.
        unsafe { copy(x.0.as_mut_ptr(), from.add(at), L) };
        for i in 0..L {
            indices.0[i] = F::index(x.0[i]);
        }
        // SAFETY: the caller's promise.
        unsafe { V::lookup::<F, K>(&indices.0, &mut rows) };
        let mut plain = true;
        for i in 0..L {
            let mut row = [T::ONE; K];
            for k in 0..K {
                row[k] = rows[k].0[i];
            }
            // SAFETY: the caller's promise.
            unsafe { to.add(at + i).write_unaligned(F::fast(x.0[i], row)) };
        }
        for x in x.0 {
            plain &= F::plain(x);
        }
        all &= plain;
        at += L;
    }
    all
}

/// The same of two operands.
///
/// # Safety
/// As of [`vectors`], for `other` too.
#[inline(always)]
pub(super) unsafe fn vectors_of_two<T, V, F, const L: usize, const K: usize>(
    to: *mut T,
    from: *const T,
    other: *const T,
    count: usize,
) -> bool
where
    T: Real,
    V: Lookup<T, L>,
    F: Binary<T, K>,
{
    let mut all = true;
    let mut at = 0;
    while at < count {
        let (mut x, mut z) = (Lines([T::ONE; L]), Lines([T::ONE; L]));
        let mut indices = Lines([T::Index::from(0); L]);
        let mut rows = [const { Lines([T::ONE; L]) }; K];
        // SAFETY: the caller's promise.
        unsafe {
            copy(x.0.as_mut_ptr(), from.add(at), L);
            copy(z.0.as_mut_ptr(), other.add(at), L);
        }
        for i in 0..L {
            indices.0[i] = F::index(x.0[i], z.0[i]);
        }
        // SAFETY: the caller's promise.
        unsafe { V::lookup::<F, K>(&indices.0, &mut rows) };
        let mut applies = true;
        for i in 0..L {
            let mut row = [T::ONE; K];
            for k in 0..K {
                row[k] = rows[k].0[i];
            }
            // SAFETY: the caller's promise.
            unsafe { to.add(at + i).write_unaligned(F::fast(x.0[i], z.0[i], row)) };
            applies &= F::applies(x.0[i], z.0[i], row);
        }
        all &= applies;
        at += L;
    }
    all
}

/// Computes `out[i] = F(a[i])` of a function with tables, given what runs its fast form.
///
/// `N` elements are a chunk, as in [`unary`], and a number of vectors.
///
/// # Safety
/// As of [`unary`]; `fast` is [`vectors`] of the function, on a machine that has its instructions.
#[inline(always)]
pub(super) unsafe fn unary_by_table<T: Real, F: Unary<T, K>, const N: usize, const K: usize>(
    out: *mut u8,
    a: *const u8,
    n: usize,
    fast: unsafe fn(*mut T, *const T, usize) -> bool,
) {
    // Hidden from the compiler, which would put that loop into this one and load its constants for each vector anew.
    // (`inline(never)` has no effect on functions with target features.)
    let fast = std::hint::black_box(fast);
    let (mut x, mut y) = ([T::ONE; N], [T::ONE; N]);
    let (out, a) = (out.cast::<T>(), a.cast::<T>());
    let mut done = 0;
    while done < n {
        // SAFETY: as in `unary`; a chunk is a number of vectors.
        unsafe {
            // What the second pass reads is in the nearest cache.
            let (direct, m) = span::<N>((n - done).min(TILE), out == a.cast_mut());
            let (mut from, mut to, mut count) = (a.add(done), out.add(done), m);
            if !direct {
                copy(x.as_mut_ptr(), from, m);
                (from, to, count) = (x.as_ptr(), y.as_mut_ptr(), N);
            }
            let mut all = fast(to, from, count);
            if !all {
                all = true;
                for i in 0..count {
                    let x = from.add(i).read_unaligned();
                    to.add(i).write_unaligned(F::ends(x, to.add(i).read_unaligned()));
                    all &= F::applies(x);
                }
            }
            if !all {
                mend::<T, F, N, K>(to, from, count);
            }
            if !direct {
                copy(out.add(done), y.as_ptr(), m);
            }
            done += m;
        }
    }
}

/// Computes `out[i] = F(a[i], b[i])`, as [`unary_by_table`] does.
///
/// # Safety
/// As of [`binary`]; `fast` is [`vectors_of_two`] of the function, on a machine that has its instructions.
#[inline(always)]
pub(super) unsafe fn binary_by_table<T: Real, F: Binary<T, K>, const N: usize, const K: usize>(
    out: *mut u8,
    a: *const u8,
    b: *const u8,
    n: usize,
    fast: unsafe fn(*mut T, *const T, *const T, usize) -> bool,
) {
    let fast = std::hint::black_box(fast);
    let (mut x, mut z, mut y) = ([T::ONE; N], [T::ONE; N], [T::ONE; N]);
    let (out, a, b) = (out.cast::<T>(), a.cast::<T>(), b.cast::<T>());
    let in_place = (out == a.cast_mut()) | (out == b.cast_mut());
    let mut done = 0;
    while done < n {
        // SAFETY: as in `unary_by_table`.
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
            if !fast(to, from, other, count) {
                mend_two::<T, F, N, K>(to, from, other, count);
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
