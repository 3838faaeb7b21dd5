//! The walk of a transform: each line is gathered, cut or filled up with zeros, and transformed.
//!
//! May not know: what is recorded, how transforms are planned.

use rustfft::num_complex::Complex;

use super::plans::{Kind, Plan, Precision};
use super::{Fourier, Transform};
use crate::buffer::Storage;
use crate::error::{Error, Result};
use crate::shape::Places;

/// Lines that are gathered together where the axis is not the last: a cache line's worth.
const GROUP: usize = 8;

/// Transforms memory into `out`, which is not empty and as large as [`Fourier::result`] says.
pub(super) fn run<T: Precision>(
    call: &Fourier,
    from: &Storage,
    points: usize,
    scale: T,
    out: &mut [u8],
) -> Result<()> {
    // A plan's tables and scratch are not asked for in a way that can fail, so this asks before.
    if Vec::<Complex<T>>::new().try_reserve_exact(points.saturating_mul(4)).is_err() {
        return Err(refused(points));
    }
    let (half, axis) = (points / 2 + 1, call.axis);
    let failed = |e: realfft::FftError| Error::bug(format!("{}: {e}", call.transform.name()));
    match (call.transform, from.dtype.is_complex()) {
        (Transform::Forward | Transform::Inverse, true) => {
            let kind = match call.transform {
                Transform::Forward => Kind::Forward,
                _ => Kind::Inverse,
            };
            let Plan::Whole(plan) = T::plan(kind, points) else { return Err(wrong_plan()) };
            let mut scratch = room(plan.get_inplace_scratch_len())?;
            let act = |line: &mut [Complex<T>], out: &mut [Complex<T>]| {
                plan.process_with_scratch(line, &mut scratch);
                for (to, x) in out.iter_mut().zip(line) {
                    *to = *x * scale;
                }
                Ok(())
            };
            each_line(from, axis, points, points, slice(out)?, act)
        }
        (Transform::Forward | Transform::Inverse | Transform::Half, _) => {
            let Plan::Half(plan) = T::plan(Kind::Half, points) else { return Err(wrong_plan()) };
            let mut scratch = room(plan.get_scratch_len())?;
            let (given, inverse) = match call.transform {
                Transform::Half => (half, false),
                other => (points, other == Transform::Inverse),
            };
            let act = |line: &mut [T], out: &mut [Complex<T>]| {
                plan.process_with_scratch(line, &mut out[..half], &mut scratch).map_err(failed)?;
                if scale != T::one() {
                    out[..half].iter_mut().for_each(|x| *x = *x * scale);
                }
                if inverse {
                    out[..half].iter_mut().for_each(|x| x.im = -x.im);
                }
                // Frequencies below 0 mirror those above.
                for k in half..given {
                    out[k] = out[points - k].conj();
                }
                Ok(())
            };
            each_line(from, axis, points, given, slice(out)?, act)
        }
        (Transform::FromHalf, true) => {
            let Plan::FromHalf(plan) = T::plan(Kind::FromHalf, points) else {
                return Err(wrong_plan());
            };
            let mut scratch = room(plan.get_scratch_len())?;
            let act = |line: &mut [Complex<T>], out: &mut [T]| {
                // Of real points these have no imaginary part, and NumPy does not look at it.
                line[0].im = T::default();
                if points.is_multiple_of(2) {
                    line[half - 1].im = T::default();
                }
                plan.process_with_scratch(line, out, &mut scratch).map_err(failed)?;
                if scale != T::one() {
                    for x in out {
                        *x = *x * scale;
                    }
                }
                Ok(())
            };
            each_line(from, axis, half, points, slice(out)?, act)
        }
        (Transform::FromHalf, false) => Err(Error::bug("irfft: real frequencies")),
    }
}

fn wrong_plan() -> Error {
    Error::bug("a transform with the plan of another")
}

fn refused(n: usize) -> Error {
    Error::memory(format!("cannot allocate a transform's {n} numbers"))
}

/// Zeros; a `Memory` error when there is no room.
fn room<E: Clone + Default>(n: usize) -> Result<Vec<E>> {
    let mut out = Vec::new();
    out.try_reserve_exact(n).map_err(|_| refused(n))?;
    out.resize(n, E::default());
    Ok(out)
}

/// The result's memory as numbers.
fn slice<E>(out: &mut [u8]) -> Result<&mut [E]> {
    if out.as_ptr().align_offset(align_of::<E>()) != 0 {
        return Err(Error::bug("a transform into memory that is not aligned"));
    }
    // SAFETY: aligned, and as many bytes as whole numbers take; `E` is one or two floats, which any bytes
    // are, and the borrow is exclusive.
    Ok(unsafe {
        std::slice::from_raw_parts_mut(out.as_mut_ptr().cast(), out.len() / size_of::<E>())
    })
}

/// Calls `act` with `taken` numbers of each line of `from` along `axis`, zeros where it has no more, and room
/// for the `given` numbers of its result.
fn each_line<I: Copy + Default, O: Copy + Default>(
    from: &Storage,
    axis: usize,
    taken: usize,
    given: usize,
    out: &mut [O],
    mut act: impl FnMut(&mut [I], &mut [O]) -> Result<()>,
) -> Result<()> {
    debug_assert_eq!(size_of::<I>(), from.dtype.size());
    let there = from.shape[axis].min(taken);
    let step = from.strides[axis];
    let outer: usize = from.shape[..axis].iter().product();
    let inner: usize = from.shape[axis + 1..].iter().product();
    let mut outers = Places::new(&from.shape[..axis], &from.strides[..axis]);
    let mut inners = Places::new(&from.shape[axis + 1..], &from.strides[axis + 1..]);
    // SAFETY: `first` is the place of a line's first element, and `k` is below its length.
    let read = |first: *const u8, k: usize| unsafe {
        first.offset(step * k.cast_signed()).cast::<I>().read_unaligned()
    };
    let group = GROUP.min(inner);
    let mut lines: Vec<I> = room(group * taken)?;
    let mut results: Vec<O> = if inner == 1 { Vec::new() } else { room(group * given)? };
    for o in 0..outer {
        let base = from.ptr.wrapping_offset(outers.advance());
        if inner == 1 {
            if step == size_of::<I>().cast_signed() {
                // SAFETY: `there` elements lie beside each other at `base`; the line has room for them.
                unsafe {
                    let to = lines.as_mut_ptr().cast::<u8>();
                    std::ptr::copy_nonoverlapping(base, to, there * size_of::<I>());
                }
            } else {
                for (k, x) in lines[..there].iter_mut().enumerate() {
                    *x = read(base, k);
                }
            }
            lines[there..].fill(I::default());
            act(&mut lines, &mut out[o * given..][..given])?;
            continue;
        }
        for i in (0..inner).step_by(group) {
            let firsts: [*const u8; GROUP] = std::array::from_fn(|j| {
                let within = i + j < inner;
                base.wrapping_offset(if within { inners.advance() } else { 0 })
            });
            let firsts = &firsts[..group.min(inner - i)];
            // Element by element, since those of lines beside each other share a cache line.
            for k in 0..there {
                for (j, first) in firsts.iter().enumerate() {
                    lines[j * taken + k] = read(*first, k);
                }
            }
            for j in 0..firsts.len() {
                let line = &mut lines[j * taken..][..taken];
                line[there..].fill(I::default());
                act(line, &mut results[j * given..][..given])?;
            }
            for k in 0..given {
                let row = &mut out[(o * given + k) * inner + i..][..firsts.len()];
                for (j, to) in row.iter_mut().enumerate() {
                    *to = results[j * given + k];
                }
            }
        }
    }
    Ok(())
}
