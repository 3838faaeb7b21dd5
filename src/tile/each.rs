//! Runs a scalar function over tiles: the one loop under every map and cast.
//!
//! A tile is taken in chunks of fixed size: a chunk is read whole before any of it is written, so
//! that the compiler makes vector code of it without asking whether output and input overlap, and
//! an output may be the very memory of an input. The rest of a tile goes through a padded copy,
//! never past the end.
//!
//! May not know: what is computed.

use std::mem::MaybeUninit;

/// What is done to a chunk of three operands.
///
/// A trait and not a closure: only a method can be told to become part of the loop around it, and one
/// that does not is compiled for no more than the baseline.
trait Step<A, B, C, O, const W: usize> {
    /// The results of a chunk.
    fn step(&self, a: [A; W], b: [B; W], c: [C; W]) -> [O; W];
}

/// A scalar function, on each element of a chunk.
struct Scalar<F>(F);

impl<A: Copy, B: Copy, C: Copy, O: Copy, F: Fn(A, B, C) -> O, const W: usize> Step<A, B, C, O, W>
    for Scalar<F>
{
    #[inline(always)]
    fn step(&self, a: [A; W], b: [B; W], c: [C; W]) -> [O; W] {
        let mut out = MaybeUninit::<[O; W]>::uninit();
        for k in 0..W {
            // SAFETY: `k < W`.
            unsafe { out.as_mut_ptr().cast::<O>().add(k).write((self.0)(a[k], b[k], c[k])) };
        }
        // SAFETY: every element is written.
        unsafe { out.assume_init() }
    }
}

/// A function of whole chunks of one operand.
struct Whole<F>(F);

impl<A, O, F: Fn([A; W]) -> [O; W], const W: usize> Step<A, (), (), O, W> for Whole<F> {
    #[inline(always)]
    fn step(&self, a: [A; W], _b: [(); W], _c: [(); W]) -> [O; W] {
        (self.0)(a)
    }
}

/// A scalar function of two operands that says of which it does not hold; a chunk with one of those is left to
/// another one.
struct Mended<F, G>(F, G);

impl<T: Copy, O: Copy, F: Fn(T, T) -> (O, bool), G: Fn(T, T) -> O, const W: usize>
    Step<T, T, (), O, W> for Mended<F, G>
{
    #[inline(always)]
    fn step(&self, a: [T; W], b: [T; W], c: [(); W]) -> [O; W] {
        let mut out = MaybeUninit::<[O; W]>::uninit();
        let mut any = 0u32;
        for k in 0..W {
            let (value, odd) = (self.0)(a[k], b[k]);
            any |= u32::from(odd);
            // SAFETY: `k < W`.
            unsafe { out.as_mut_ptr().cast::<O>().add(k).write(value) };
        }
        if any != 0 {
            return Scalar(|x, y, ()| (self.1)(x, y)).step(a, b, c);
        }
        // SAFETY: every element is written.
        unsafe { out.assume_init() }
    }
}

/// `out[i] = f(a[i])`.
///
/// # Safety
/// `a` is valid for reading `n` of `T`, `out` for writing `n` of `O`. They are the same memory (with
/// `O` of `T`'s size) or disjoint. `T` is valid for all-zero bytes.
#[inline(always)]
pub(super) unsafe fn unary<T: Copy, O: Copy, const W: usize>(
    out: *mut u8,
    a: *const u8,
    n: usize,
    f: impl Fn(T) -> O,
) {
    // SAFETY: the caller's promise; the second and third operand are of no size.
    unsafe { chunks::<T, (), (), O, W>(out, a, a, a, n, &Scalar(|x, (), ()| f(x))) }
}

/// `out = f(a)`, a chunk at a time. The last chunk is padded with zeros.
///
/// # Safety
/// As for [`unary`].
#[inline(always)]
pub(super) unsafe fn unary_chunks<T: Copy, O: Copy, const W: usize>(
    out: *mut u8,
    a: *const u8,
    n: usize,
    f: impl Fn([T; W]) -> [O; W],
) {
    // SAFETY: the caller's promise; the second and third operand are of no size.
    unsafe { chunks::<T, (), (), O, W>(out, a, a, a, n, &Whole(f)) }
}

/// `out[i] = f(a[i], b[i])`.
///
/// # Safety
/// As for [`unary`], of both operands.
#[inline(always)]
pub(super) unsafe fn binary<T: Copy, O: Copy, const W: usize>(
    out: *mut u8,
    a: *const u8,
    b: *const u8,
    n: usize,
    f: impl Fn(T, T) -> O,
) {
    // SAFETY: the caller's promise; the third operand is of no size.
    unsafe { chunks::<T, T, (), O, W>(out, a, b, a, n, &Scalar(|x, y, ()| f(x, y))) }
}

/// `out[i] = f(a[i], b[i])`, or `g` of them in a chunk for one of whose elements `f` says that it does not hold.
///
/// # Safety
/// As for [`unary`], of both operands.
#[inline(always)]
pub(super) unsafe fn mended<T: Copy, O: Copy, const W: usize>(
    out: *mut u8,
    a: *const u8,
    b: *const u8,
    n: usize,
    f: impl Fn(T, T) -> (O, bool),
    g: impl Fn(T, T) -> O,
) {
    // SAFETY: the caller's promise; the third operand is of no size.
    unsafe { chunks::<T, T, (), O, W>(out, a, b, a, n, &Mended(f, g)) }
}

/// `out[i] = f(a[i], b[i], c[i])`.
///
/// # Safety
/// As for [`unary`], of every operand.
#[inline(always)]
pub(super) unsafe fn ternary<A: Copy, B: Copy, C: Copy, O: Copy, const W: usize>(
    out: *mut u8,
    a: *const u8,
    b: *const u8,
    c: *const u8,
    n: usize,
    f: impl Fn(A, B, C) -> O,
) {
    // SAFETY: the caller's promise.
    unsafe { chunks::<A, B, C, O, W>(out, a, b, c, n, &Scalar(f)) }
}

/// The loop of all of these.
///
/// # Safety
/// As for [`unary`], of every operand.
#[inline(always)]
unsafe fn chunks<A: Copy, B: Copy, C: Copy, O: Copy, const W: usize>(
    out: *mut u8,
    a: *const u8,
    b: *const u8,
    c: *const u8,
    n: usize,
    f: &impl Step<A, B, C, O, W>,
) {
    let (out, a, b, c) = (out.cast::<O>(), a.cast::<A>(), b.cast::<B>(), c.cast::<C>());
    let mut rest_a = MaybeUninit::<[A; W]>::zeroed();
    let mut rest_b = MaybeUninit::<[B; W]>::zeroed();
    let mut rest_c = MaybeUninit::<[C; W]>::zeroed();
    let mut rest_out = MaybeUninit::<[O; W]>::uninit();
    let mut i = 0;
    while i < n {
        let left = n - i;
        // SAFETY: elements `i..n` are the caller's. A chunk reads and writes `W` of them where that
        // many are left, else goes through the padded copies, which hold `W`.
        unsafe {
            let (from_a, from_b, from_c, to) = if left >= W {
                (a.add(i), b.add(i), c.add(i), out.add(i))
            } else {
                copy_bytes(rest_a.as_mut_ptr().cast(), a.add(i), left);
                copy_bytes(rest_b.as_mut_ptr().cast(), b.add(i), left);
                copy_bytes(rest_c.as_mut_ptr().cast(), c.add(i), left);
                (
                    rest_a.as_ptr().cast(),
                    rest_b.as_ptr().cast(),
                    rest_c.as_ptr().cast(),
                    rest_out.as_mut_ptr().cast(),
                )
            };
            let x = from_a.cast::<[A; W]>().read_unaligned();
            let y = from_b.cast::<[B; W]>().read_unaligned();
            let z = from_c.cast::<[C; W]>().read_unaligned();
            to.cast::<[O; W]>().write_unaligned(f.step(x, y, z));
            if left < W {
                copy_bytes(out.add(i), rest_out.as_ptr().cast(), left);
            }
        }
        i += W;
    }
}

/// Copies `n` elements between places that need no alignment and do not overlap.
///
/// # Safety
/// `to` is valid for writing `n` elements, `from` for reading them.
#[inline(always)]
unsafe fn copy_bytes<T>(to: *mut T, from: *const T, n: usize) {
    // SAFETY: the caller's promise, in bytes.
    unsafe { to.cast::<u8>().copy_from_nonoverlapping(from.cast(), n * size_of::<T>()) }
}

/// A tile function with this body, compiled for the baseline and for AVX2; the machine's is picked.
///
/// Both give the same bits: no body has a fused multiply-add, and nothing else rounds differently.
/// (Wider vectors win nothing here: what these functions wait for is memory.)
macro_rules! tile_fn {
    ($ty:ty, |$($arg:ident: $arg_ty:ty),+| $body:expr) => {{
        unsafe extern "C" fn portable($($arg: $arg_ty),+) {
            // SAFETY: a tile function's caller promises what the body needs.
            unsafe { $body }
        }
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2")]
        unsafe extern "C" fn avx2($($arg: $arg_ty),+) {
            // SAFETY: a tile function's caller promises what the body needs.
            unsafe { $body }
        }
        let isa = $crate::tile::isa::Isa::here();
        $crate::tile::isa::pick!(isa => $ty, portable, avx2, avx2)
    }};
}
pub(super) use tile_fn;

/// A [`super::MapFn`] from a scalar function of one operand: `unary_fn!(T => O, f)`.
macro_rules! unary_fn {
    ($t:ty => $o:ty, $f:expr) => {
        $crate::tile::each::tile_fn!(
            $crate::tile::MapFn,
            |out: *mut u8, a: *const u8, _b: *const u8, _c: *const u8, n: usize, _s: *mut u32| {
                $crate::tile::each::unary::<$t, $o, { $crate::tile::each::chunk::<$t, $o>() }>(
                    out, a, n, $f,
                )
            }
        )
    };
}
pub(super) use unary_fn;

/// A [`super::MapFn`] from a scalar function of two operands: `binary_fn!(T => O, f)`.
macro_rules! binary_fn {
    ($t:ty => $o:ty, $f:expr) => {
        $crate::tile::each::tile_fn!(
            $crate::tile::MapFn,
            |out: *mut u8, a: *const u8, b: *const u8, _c: *const u8, n: usize, _s: *mut u32| {
                $crate::tile::each::binary::<$t, $o, { $crate::tile::each::chunk::<$t, $o>() }>(
                    out, a, b, n, $f,
                )
            }
        )
    };
}
pub(super) use binary_fn;

/// A [`super::MapFn`] from a scalar function of two operands, and one that holds for most: `mended_fn!(T, near, f)`.
macro_rules! mended_fn {
    ($t:ty, $near:expr, $f:expr) => {
        $crate::tile::each::tile_fn!(
            $crate::tile::MapFn,
            |out: *mut u8, a: *const u8, b: *const u8, _c: *const u8, n: usize, _s: *mut u32| {
                $crate::tile::each::mended::<$t, $t, { $crate::tile::each::chunk::<$t, $t>() }>(
                    out, a, b, n, $near, $f,
                )
            }
        )
    };
}
pub(super) use mended_fn;

/// A [`super::MapFn`] from a scalar function of two operands of which the second is one element for all:
/// `second_fn!(T => O, f)`.
macro_rules! second_fn {
    ($t:ty => $o:ty, $f:expr) => {
        $crate::tile::each::tile_fn!(
            $crate::tile::MapFn,
            |out: *mut u8, a: *const u8, b: *const u8, _c: *const u8, n: usize, _s: *mut u32| {
                let second = b.cast::<$t>().read_unaligned();
                $crate::tile::each::unary::<$t, $o, { $crate::tile::each::chunk::<$t, $o>() }>(
                    out,
                    a,
                    n,
                    |x| ($f)(x, second),
                )
            }
        )
    };
}
pub(super) use second_fn;

/// The same with the first operand: `first_fn!(T => O, f)`.
macro_rules! first_fn {
    ($t:ty => $o:ty, $f:expr) => {
        $crate::tile::each::tile_fn!(
            $crate::tile::MapFn,
            |out: *mut u8, a: *const u8, b: *const u8, _c: *const u8, n: usize, _s: *mut u32| {
                let first = a.cast::<$t>().read_unaligned();
                $crate::tile::each::unary::<$t, $o, { $crate::tile::each::chunk::<$t, $o>() }>(
                    out,
                    b,
                    n,
                    |x| ($f)(first, x),
                )
            }
        )
    };
}
pub(super) use first_fn;

/// A [`super::MapFn`] from a scalar function of three operands: `ternary_fn!(A, B, C => O, f)`.
macro_rules! ternary_fn {
    ($a:ty, $b:ty, $c:ty => $o:ty, $f:expr) => {
        $crate::tile::each::tile_fn!(
            $crate::tile::MapFn,
            |out: *mut u8, a: *const u8, b: *const u8, c: *const u8, n: usize, _s: *mut u32| {
                $crate::tile::each::ternary::<
                    $a,
                    $b,
                    $c,
                    $o,
                    { $crate::tile::each::chunk::<$b, $o>() },
                >(out, a, b, c, n, $f)
            }
        )
    };
}
pub(super) use ternary_fn;

/// Elements of a chunk: a few vectors, but no more than unrolled code should hold.
pub(super) const fn chunk<T, O>() -> usize {
    if size_of::<T>() == 8 || size_of::<O>() == 8 { 16 } else { 32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_writes_exactly_its_elements() {
        for n in 0..70 {
            for off in 0..3 {
                let a: Vec<u8> = (0..80).collect();
                let mut out = vec![0xAA_u8; 160];
                // SAFETY: 80 bytes hold `n + off`, and 160 hold twice that.
                unsafe {
                    unary::<u8, u16, 32>(out.as_mut_ptr().add(off), a.as_ptr().add(off), n, |x| {
                        u16::from(x) + 1
                    });
                }
                for i in 0..n {
                    let got = u16::from_le_bytes([out[off + 2 * i], out[off + 2 * i + 1]]);
                    assert_eq!(got, (off + i + 1) as u16);
                }
                assert!(out[..off].iter().chain(&out[off + 2 * n..]).all(|&b| b == 0xAA));
            }
        }
    }

    #[test]
    fn an_output_may_be_its_input() {
        for n in 0..70_u8 {
            let mut a: Vec<u8> = (0..n).collect();
            let p = a.as_mut_ptr();
            // SAFETY: the same `n` bytes.
            unsafe { binary::<u8, u8, 32>(p, p, p, n.into(), |x, y| x + y) };
            assert!(a.iter().enumerate().all(|(i, &v)| usize::from(v) == 2 * i));
        }
    }
}
