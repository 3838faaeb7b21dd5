//! Operands as tiles: contiguous elements of one dtype, wherever they come from.
//!
//! May not know: what is computed from them.

use std::mem::MaybeUninit;

use smallvec::SmallVec;

use super::super::pack::Strided;
use super::{Input, View};
use crate::dtype::{DType, Scalar};
use crate::tile::{MapFn, TILE, cast};

/// Room for a tile of any dtype.
#[repr(C, align(64))]
pub(super) struct Tile(MaybeUninit<[u64; TILE]>);

impl Tile {
    /// Room with nothing in it.
    #[inline(always)]
    pub(super) const fn new() -> Self {
        Self(MaybeUninit::uninit())
    }

    /// Its address.
    pub(super) fn ptr(&mut self) -> *mut u8 {
        self.0.as_mut_ptr().cast()
    }
}

/// Where the tiles of an operand come from.
pub(super) enum Source {
    /// Contiguous elements of the dtype asked for.
    Whole { ptr: *const u8, size: usize },
    /// Contiguous elements of another one.
    Cast { ptr: *const u8, size: usize, cast: MapFn },
    /// One value.
    Repeated(Scalar),
    /// Elements that repeat, so that a tile of them is like any other.
    Pattern { ptr: *const u8, gather: Box<Strided>, cast: Option<MapFn> },
    /// Elements from here and there.
    Gathered { ptr: *const u8, gather: Box<Strided>, cast: Option<MapFn> },
}

// SAFETY: the memory is only read, and is there as long as the source is used (see `of_view`).
unsafe impl Sync for Source {}

impl Source {
    /// An operand broadcast to `shape` (of `len` elements, at least one), as elements of `dtype`; a number
    /// goes by way of `loop_dtype`. `None` when a number does not fit.
    pub(super) fn new(
        input: &Input<'_>,
        loop_dtype: DType,
        dtype: DType,
        shape: &[usize],
        len: usize,
    ) -> Option<Self> {
        match input {
            Input::View(view) => Some(Self::of_view(view, dtype, shape, len)),
            Input::Scalar(value) => Some(Self::Repeated(converted(*value, dtype))),
            Input::Int(v) => {
                Scalar::from_int(i128::from(*v), loop_dtype).ok().map(|v| Self::number(v, dtype))
            }
            Input::Float(v) => Some(Self::number(Scalar::from_f64(*v, loop_dtype), dtype)),
        }
    }

    fn number(value: Scalar, dtype: DType) -> Self {
        Self::Repeated(if value.dtype == dtype { value } else { converted(value, dtype) })
    }

    /// The elements of a view, broadcast to `shape` of `len` elements, at least one.
    pub(super) fn of_view(view: &View<'_>, dtype: DType, shape: &[usize], len: usize) -> Self {
        let size = view.dtype.size();
        let convert = || (view.dtype != dtype).then(|| cast(view.dtype, dtype));
        if view.len() == len && view.is_contiguous() {
            return match convert() {
                None => Self::Whole { ptr: view.ptr, size },
                Some(cast) => Self::Cast { ptr: view.ptr, size, cast },
            };
        }
        if view.len() == 1 {
            // SAFETY: the view has this one element.
            let value = unsafe { read(view.ptr, view.dtype) };
            return Self::Repeated(converted(value, dtype));
        }
        let mut strides: SmallVec<[isize; 4]> = smallvec::smallvec![0; shape.len()];
        let own = strides.iter_mut().rev().zip(view.shape.iter().zip(view.strides).rev());
        for (stride, (&extent, &step)) in own {
            *stride = if extent == 1 { 0 } else { step };
        }
        let gather = Strided::new(shape, &strides, size, TILE.min(len));
        let (ptr, gather, cast) = (view.ptr, Box::new(gather), convert());
        match gather.period() {
            Some(_) => Self::Pattern { ptr, gather, cast },
            None => Self::Gathered { ptr, gather, cast },
        }
    }

    /// Elements along one axis of a view, `n` of them `stride` bytes apart.
    pub(super) fn along(ptr: *const u8, from: DType, to: DType, n: usize, stride: isize) -> Self {
        let (shape, strides) = ([n], [stride]);
        Self::of_view(&View { ptr, dtype: from, shape: &shape, strides: &strides }, to, &shape, n)
    }

    /// What must be done once before tiles of up to `n` elements are taken.
    ///
    /// # Safety
    /// `n` is at most [`TILE`].
    pub(super) unsafe fn open(&self, n: usize, own: &mut Tile) {
        // SAFETY: tiles have room for `n` elements of any dtype, and a pattern has them.
        unsafe {
            match self {
                Self::Repeated(value) => fill(own.ptr(), *value, n),
                Self::Pattern { ptr, gather, cast: None } => gather.copy(*ptr, 0, n, own.ptr()),
                Self::Pattern { ptr, gather, cast: Some(cast) } => {
                    let (mut given, mut status) = (Tile::new(), 0);
                    let from = given.ptr();
                    gather.copy(*ptr, 0, n, from);
                    cast(own.ptr(), from, from, from, n, &raw mut status);
                }
                _ => {}
            }
        }
    }

    /// Elements `lo..lo + n`, of a pattern from a whole tile on: where they are, or in `own`, for which
    /// `open` was called.
    ///
    /// # Safety
    /// The operand has them, its memory is alive, and `n` is at most [`TILE`].
    pub(super) unsafe fn tile(
        &self,
        lo: usize,
        n: usize,
        own: &mut Tile,
        spare: &mut Tile,
    ) -> *const u8 {
        let mut status = 0;
        // SAFETY: the caller's promise; a tile has room for as many elements of any dtype.
        unsafe {
            match self {
                Self::Whole { ptr, size } => ptr.add(lo * size),
                Self::Repeated(_) => own.ptr(),
                Self::Pattern { gather, .. } => {
                    debug_assert!(gather.period().is_some_and(|p| lo.is_multiple_of(p)));
                    own.ptr()
                }
                Self::Cast { ptr, size, cast } => {
                    let from = ptr.add(lo * size);
                    cast(own.ptr(), from, from, from, n, &raw mut status);
                    own.ptr()
                }
                Self::Gathered { ptr, gather, cast: None } => {
                    gather.copy(*ptr, lo, n, own.ptr());
                    own.ptr()
                }
                Self::Gathered { ptr, gather, cast: Some(cast) } => {
                    let from = spare.ptr();
                    gather.copy(*ptr, lo, n, from);
                    cast(own.ptr(), from, from, from, n, &raw mut status);
                    own.ptr()
                }
            }
        }
    }
}

/// A value as `dtype`, converted as elements are.
pub(super) fn converted(value: Scalar, dtype: DType) -> Scalar {
    if value.dtype == dtype {
        return value;
    }
    let (from, mut to, mut status) = (value.to_bytes(), [0u8; 8], 0);
    let a = from.as_ptr();
    // SAFETY: both have room for an element of any dtype.
    unsafe { cast(value.dtype, dtype)(to.as_mut_ptr(), a, a, a, 1, &raw mut status) };
    Scalar { dtype, bits: u64::from_le_bytes(to) }
}

/// The element at an address.
///
/// # Safety
/// There is one, and it is not complex.
pub(super) unsafe fn read(ptr: *const u8, dtype: DType) -> Scalar {
    let mut bytes = [0u8; 8];
    // SAFETY: the caller's promise.
    unsafe { std::ptr::copy_nonoverlapping(ptr, bytes.as_mut_ptr(), dtype.size()) };
    Scalar { dtype, bits: u64::from_le_bytes(bytes) }
}

/// Writes a value `n` times.
///
/// # Safety
/// There is room.
pub(super) unsafe fn fill(to: *mut u8, value: Scalar, n: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        match value.dtype.size() {
            1 => fill_as(to, value.bits as u8, n),
            2 => fill_as(to, value.bits as u16, n),
            4 => fill_as(to, value.bits as u32, n),
            _ => fill_as(to, value.bits, n),
        }
    }
}

/// # Safety
/// As for [`fill`].
unsafe fn fill_as<T: Copy>(to: *mut u8, value: T, n: usize) {
    for i in 0..n {
        // SAFETY: the caller's promise.
        unsafe { to.cast::<T>().add(i).write_unaligned(value) };
    }
}
