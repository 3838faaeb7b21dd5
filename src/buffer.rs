//! Memory: aligned buffers that the engine owns, and views of memory that somebody else owns.
//!
//! May not know: ops, graphs, loops. Buffers come from a bounded pool, so that large results do not
//! pay for fresh pages each time.

use std::alloc::{Layout, alloc, dealloc};
use std::any::Any;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::dtype::{DType, Element};
use crate::error::{Error, Result};
use crate::fork::PerProcess;
use crate::shape::{Shape, Strides, c_strides};

/// The alignment of every buffer: a cache line, and the widest vector there is.
pub const ALIGN: usize = 64;

/// Owned memory, aligned to 64 bytes; returned to the pool when dropped.
#[derive(Debug)]
pub struct Buffer {
    ptr: *mut u8,
    len: usize,
    /// Bytes allocated: `len` rounded up to a size class; 0 for no memory at all.
    room: usize,
}

// SAFETY: a buffer owns its memory alone; shared references only read.
unsafe impl Send for Buffer {}
// SAFETY: as above.
unsafe impl Sync for Buffer {}

impl Buffer {
    /// Memory of `len` bytes with unspecified (but initialized) contents; a `Memory` error when there is none.
    pub fn new(len: usize) -> Result<Self> {
        if len == 0 {
            return Ok(Self { ptr: std::ptr::without_provenance_mut(ALIGN), len, room: 0 });
        }
        let class = Class::of(len);
        if let Some(ptr) = class.and_then(|c| POOL.get().take(c)) {
            return Ok(Self { ptr, len, room: class.map_or(len, |c| c.bytes) });
        }
        let refused = || Error::memory(format!("cannot allocate {len} bytes for a result"));
        let room = match class {
            Some(class) => class.bytes,
            None => len.checked_next_multiple_of(ALIGN).ok_or_else(refused)?,
        };
        let mut ptr = allocate(room);
        if ptr.is_null() && pooled_bytes() > 0 {
            trim();
            ptr = allocate(room);
        }
        if ptr.is_null() { Err(refused()) } else { Ok(Self { ptr, len, room }) }
    }

    /// The address of the first byte.
    pub fn as_ptr(&self) -> *const u8 {
        self.ptr
    }

    /// The address of the first byte, for writing.
    pub fn as_mut_ptr(&mut self) -> *mut u8 {
        self.ptr
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: `len` bytes are ours and initialized (see `allocate`), and none is written while
        // the buffer is borrowed.
        unsafe { std::slice::from_raw_parts(self.ptr, self.len) }
    }

    /// The bytes, for writing.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as for `bytes`, and the borrow is exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.ptr, self.len) }
    }

    /// The whole words that the bytes make.
    pub fn words(&self) -> &[u64] {
        // SAFETY: as for `bytes`; the address is a multiple of 64.
        unsafe { std::slice::from_raw_parts(self.ptr.cast(), self.len / 8) }
    }

    /// Bytes asked for.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if self.room == 0 {
            return;
        }
        let kept = Class::of(self.len).is_some_and(|c| POOL.get().put(c, self.ptr));
        if !kept {
            // SAFETY: allocated with the same size and alignment; nobody else has it.
            unsafe { free(self.ptr, self.room) };
        }
    }
}

/// Bytes of the machine's last cache.
pub fn cache_bytes() -> usize {
    /// What is assumed where the system does not say.
    const USUAL: usize = 32 << 20;
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        // SAFETY: asks the C library for a number.
        let known = unsafe { libc::sysconf(libc::_SC_LEVEL3_CACHE_SIZE) };
        usize::try_from(known).ok().filter(|&n| n > 0).unwrap_or(USUAL)
    }
    #[cfg(not(all(target_os = "linux", target_env = "gnu")))]
    USUAL
}

/// Pages of this size and more are asked for as huge ones: page faults are the price of fresh memory.
const HUGE: usize = 4 << 20;

/// Blocks of at most this many bytes are aligned by hand: the system's aligned blocks come slowly, and
/// are not kept at hand when they are freed.
const LITTLE: usize = 4 << 10;

/// The block of a little buffer: `room` bytes, and as many as alignment may take.
const fn little(room: usize) -> Layout {
    // SAFETY: `LITTLE` and `ALIGN` are far below what a layout may have.
    unsafe { Layout::from_size_align_unchecked(room + ALIGN, align_of::<usize>()) }
}

/// Fresh memory of `room` bytes (not 0), or null.
fn allocate(room: usize) -> *mut u8 {
    if room <= LITTLE {
        // SAFETY: the size is not 0. Blocks start at a multiple of a word, so that before the next
        // multiple of `ALIGN` there is room for a word, and behind it for `room` bytes.
        return unsafe {
            let block = alloc(little(room));
            if block.is_null() {
                return block;
            }
            let ahead = ALIGN - block.addr() % ALIGN;
            let ptr = block.add(ahead);
            ptr.cast::<usize>().sub(1).write(ahead);
            known(ptr)
        };
    }
    let Ok(layout) = Layout::from_size_align(room, ALIGN) else { return std::ptr::null_mut() };
    // SAFETY: the size is not 0.
    let ptr = known(unsafe { alloc(layout) });
    #[cfg(target_os = "linux")]
    if room >= HUGE && !ptr.is_null() {
        let page = 4096;
        let start = (ptr as usize).next_multiple_of(page);
        let len = (ptr as usize + room - start) / page * page;
        // SAFETY: whole pages within our memory; the call is a hint that changes no contents.
        unsafe { libc::madvise(ptr.with_addr(start).cast(), len, libc::MADV_HUGEPAGE) };
    }
    ptr
}

/// What malloc gives holds some bytes or other, but to the compiler they are undefined. This empty
/// block might have written them all, so afterwards they are merely unknown.
fn known(ptr: *mut u8) -> *mut u8 {
    // SAFETY: it does nothing.
    unsafe { std::arch::asm!("/* {0} */", in(reg) ptr, options(nostack, preserves_flags)) };
    ptr
}

/// Gives memory back to the system.
///
/// # Safety
/// `ptr` came from `allocate(room)` and is used no more.
unsafe fn free(ptr: *mut u8, room: usize) {
    // SAFETY: the caller's promise; the same layout was accepted when it was allocated, and a little
    // buffer says in the word before it where its block begins.
    unsafe {
        if room <= LITTLE {
            let ahead = ptr.cast::<usize>().sub(1).read();
            return dealloc(ptr.sub(ahead), little(room));
        }
        dealloc(ptr, Layout::from_size_align_unchecked(room, ALIGN));
    }
}

/// A size class of pooled buffers: four to each doubling.
#[derive(Clone, Copy)]
struct Class {
    place: usize,
    bytes: usize,
}

impl Class {
    /// log2 of the size from which buffers are pooled. Below, malloc recycles by itself.
    const MIN: u32 = 16;
    /// log2 of the largest pooled size.
    const MAX: u32 = 27;
    const COUNT: usize = 4 * (Self::MAX - Self::MIN + 1) as usize;

    fn of(len: usize) -> Option<Self> {
        if !(1 << Self::MIN..=1 << Self::MAX).contains(&len) {
            return None;
        }
        let octave = (len - 1).ilog2();
        let (low, step) = (1 << octave, 1 << (octave - 2));
        let quarter = (len - low).div_ceil(step);
        let place = 4 * (octave + 1 - Self::MIN) as usize + quarter - 1;
        Some(Self { place, bytes: low + quarter * step })
    }
}

/// Freed buffers, kept for the next one of their class.
struct Pool {
    /// Addresses, whose provenance was exposed.
    classes: [Mutex<Vec<usize>>; Class::COUNT],
    held: AtomicUsize,
}

static POOL: PerProcess<Pool> = PerProcess::new(|| Pool {
    classes: [const { Mutex::new(Vec::new()) }; Class::COUNT],
    held: AtomicUsize::new(0),
});

impl Pool {
    /// The most bytes kept.
    const LIMIT: usize = 256 << 20;
    /// The most buffers kept of one class.
    const EACH: usize = 4;

    fn take(&self, class: Class) -> Option<*mut u8> {
        let mut list = self.classes[class.place].lock().unwrap_or_else(PoisonError::into_inner);
        let address = list.pop()?;
        self.held.fetch_sub(class.bytes, Ordering::Relaxed);
        Some(std::ptr::with_exposed_provenance_mut(address))
    }

    /// Whether the buffer was kept.
    fn put(&self, class: Class, ptr: *mut u8) -> bool {
        let mut list = self.classes[class.place].lock().unwrap_or_else(PoisonError::into_inner);
        let room = list.len() < Self::EACH
            && (list.capacity() > list.len() || list.try_reserve(Self::EACH).is_ok());
        if !room {
            return false;
        }
        if self.held.fetch_add(class.bytes, Ordering::Relaxed) + class.bytes > Self::LIMIT {
            self.held.fetch_sub(class.bytes, Ordering::Relaxed);
            return false;
        }
        list.push(ptr.expose_provenance());
        true
    }
}

/// Gives all pooled memory back to the system.
pub fn trim() {
    let pool = POOL.get();
    for len in (Class::MIN - 1..Class::MAX).flat_map(|o| (1..=4).map(move |q| (4 + q) << (o - 2))) {
        let Some(class) = Class::of(len) else { continue };
        while let Some(ptr) = pool.take(class) {
            // SAFETY: a pooled buffer has its class's size and no owner.
            unsafe { free(ptr, class.bytes) };
        }
    }
}

/// Bytes that the pool holds.
pub fn pooled_bytes() -> usize {
    POOL.get().held.load(Ordering::Relaxed)
}

/// A strided view of memory, native byte order, any alignment.
pub struct Storage {
    /// The address of element (0, 0, ...).
    pub ptr: *const u8,
    /// The elements.
    pub dtype: DType,
    /// The shape.
    pub shape: Shape,
    /// Byte strides, any sign.
    pub strides: Strides,
    /// Keeps the memory alive and unchanged.
    pub keeper: Arc<dyn Any + Send + Sync>,
}

impl Clone for Storage {
    fn clone(&self) -> Self {
        // Lists of numbers are copied as bytes, which their own `clone` does not do.
        let (shape, strides) = (Shape::from_slice(&self.shape), Strides::from_slice(&self.strides));
        Self { ptr: self.ptr, dtype: self.dtype, shape, strides, keeper: self.keeper.clone() }
    }
}

// SAFETY: the memory is only read, and the keeper, which is Send and Sync, keeps it alive.
unsafe impl Send for Storage {}
// SAFETY: as above.
unsafe impl Sync for Storage {}

impl Storage {
    /// A copy of a slice as a C-ordered array of this shape.
    ///
    /// # Errors
    /// `Value` when the shape has another number of elements; `Memory`.
    pub fn from_slice<T: Element>(values: &[T], shape: &[usize]) -> Result<Self> {
        if crate::shape::count(shape)? != values.len() {
            return Err(Error::value(format!(
                "{} values for an array of shape {}",
                values.len(),
                crate::shape::show(shape)
            )));
        }
        // SAFETY: an element's bytes are all initialized.
        let bytes = unsafe {
            std::slice::from_raw_parts(values.as_ptr().cast::<u8>(), size_of_val(values))
        };
        Self::from_bytes(bytes, T::DTYPE, shape.into())
    }

    /// A copy of elements in C order.
    ///
    /// # Errors
    /// `Memory`; a bug for too few bytes.
    pub fn from_bytes(bytes: &[u8], dtype: DType, shape: Shape) -> Result<Self> {
        let mut buffer = Buffer::new(bytes.len())?;
        buffer.bytes_mut().copy_from_slice(bytes);
        Self::from_buffer(Arc::new(buffer), dtype, shape)
    }

    /// The elements in C order.
    ///
    /// # Errors
    /// `Type` when `T` is not the dtype's; `Memory`.
    pub fn to_vec<T: Element>(&self) -> Result<Vec<T>> {
        if self.dtype != T::DTYPE {
            return Err(Error::dtype(format!("{} asked of an array of {}", T::DTYPE, self.dtype)));
        }
        let (n, size) = (crate::shape::count(&self.shape)?, self.dtype.size());
        let mut out = Vec::new();
        out.try_reserve_exact(n).map_err(|_| {
            Error::memory(format!("cannot allocate {n} elements of {}", self.dtype))
        })?;
        for k in 0..n {
            let (mut rest, mut at) = (k, 0isize);
            for (&extent, &stride) in self.shape.iter().zip(&self.strides).rev() {
                at += (rest % extent).cast_signed() * stride;
                rest /= extent;
            }
            let mut bytes = [0u8; 8];
            // SAFETY: `at` is the place of an element of the view, which has `size` bytes.
            unsafe {
                std::ptr::copy_nonoverlapping(self.ptr.offset(at), bytes.as_mut_ptr(), size);
            }
            out.push(T::from_bits(u64::from_le_bytes(bytes)));
        }
        Ok(out)
    }

    /// One value as a 0-d array.
    ///
    /// # Errors
    /// `Memory`.
    pub fn from_scalar(value: crate::dtype::Scalar) -> Result<Self> {
        let size = value.dtype.size();
        let mut buffer = Buffer::new(size)?;
        buffer.bytes_mut().copy_from_slice(&value.to_bytes()[..size]);
        Self::from_buffer(Arc::new(buffer), value.dtype, Shape::new())
    }

    /// The elements in C order, in memory of their own.
    ///
    /// # Errors
    /// `Memory`.
    pub fn c_ordered(&self) -> Result<Self> {
        let (n, size) = (crate::shape::count(&self.shape)?, self.dtype.size());
        if self.is_contiguous() {
            return Self::from_buffer(Arc::new(self.copied()?), self.dtype, self.shape.clone());
        }
        let mut out = Buffer::new(n * size)?;
        let mut index: Shape = smallvec::smallvec![0; self.shape.len()];
        let mut at = 0isize;
        for to in out.bytes_mut().chunks_exact_mut(size) {
            // SAFETY: `at` is the place of an element of the view, which has `size` bytes.
            unsafe { std::ptr::copy_nonoverlapping(self.ptr.offset(at), to.as_mut_ptr(), size) };
            for axis in (0..index.len()).rev() {
                index[axis] += 1;
                at += self.strides[axis];
                if index[axis] < self.shape[axis] {
                    break;
                }
                at -= self.strides[axis] * self.shape[axis].cast_signed();
                index[axis] = 0;
            }
        }
        Self::from_buffer(Arc::new(out), self.dtype, self.shape.clone())
    }

    /// The same memory under another shape; a `Bug` error for a strided view or another number of elements.
    pub fn in_c_order_as(self, shape: &Shape) -> Result<Self> {
        if !self.is_contiguous() || crate::shape::count(&self.shape)? != crate::shape::count(shape)?
        {
            return Err(Error::bug("an array was to be seen under a shape that does not fit"));
        }
        if *shape == self.shape {
            return Ok(self);
        }
        let strides = c_strides(shape, self.dtype.size());
        Ok(Self { shape: shape.clone(), strides, ..self })
    }

    /// Whether a byte of one may be a byte of the other.
    pub fn overlaps(&self, other: &Storage) -> bool {
        let span = |s: &Storage| {
            let (low, high) = s.reach();
            (s.ptr.addr().wrapping_add_signed(low), s.ptr.addr().wrapping_add_signed(high))
        };
        let (a, b) = (span(self), span(other));
        a.0 < b.1 && b.0 < a.1
    }

    /// A copy of a C-ordered view's bytes.
    pub fn copied(&self) -> Result<Buffer> {
        if !self.is_contiguous() {
            return Err(Error::bug("a strided view was to be copied as bytes"));
        }
        let len = crate::shape::count(&self.shape)? * self.dtype.size();
        let mut out = Buffer::new(len)?;
        // SAFETY: the view is contiguous, so `len` bytes are there; the copy has room for them.
        unsafe { std::ptr::copy_nonoverlapping(self.ptr, out.as_mut_ptr(), len) };
        Ok(out)
    }

    /// Hands a part of a C-ordered view's bytes on, copied piece by piece, since the memory may be anyone's:
    /// pieces of 4 KiB, but for the last.
    pub fn pieces(&self, bytes: std::ops::Range<usize>, mut f: impl FnMut(&[u8])) -> Result<()> {
        let len = crate::shape::count(&self.shape)? * self.dtype.size();
        if !self.is_contiguous() || bytes.start > bytes.end || bytes.end > len {
            return Err(Error::bug("pieces of a view that does not have them"));
        }
        let mut room = [0u8; 4096];
        for at in bytes.clone().step_by(room.len()) {
            let n = room.len().min(bytes.end - at);
            // SAFETY: the view is contiguous, so these bytes are there; the room is our own.
            unsafe { std::ptr::copy_nonoverlapping(self.ptr.add(at), room.as_mut_ptr(), n) };
            f(&room[..n]);
        }
        Ok(())
    }

    /// The element of a 0-d view.
    pub fn read_scalar(&self) -> crate::dtype::Scalar {
        let mut bytes = [0u8; 8];
        let size = self.dtype.size();
        // SAFETY: the view has one element of `size` bytes at `ptr`, kept alive by the keeper.
        unsafe { std::ptr::copy_nonoverlapping(self.ptr, bytes.as_mut_ptr(), size) };
        crate::dtype::Scalar { dtype: self.dtype, bits: u64::from_le_bytes(bytes) }
    }

    /// The whole of a buffer as a C-ordered array; a `Bug` error when it is too short.
    pub fn from_buffer(buffer: Arc<Buffer>, dtype: DType, shape: Shape) -> Result<Self> {
        let need = crate::shape::count(&shape)? * dtype.size();
        if buffer.len() < need {
            return Err(Error::bug(format!("{} bytes for an array of {need}", buffer.len())));
        }
        let strides = c_strides(&shape, dtype.size());
        Ok(Self { ptr: buffer.as_ptr(), dtype, shape, strides, keeper: buffer })
    }

    /// Whether the elements lie in C order without gaps. Strides of axes of length 1 do not matter.
    pub fn is_contiguous(&self) -> bool {
        if self.shape.contains(&0) {
            return true;
        }
        let mut step = self.dtype.size().cast_signed();
        for (&extent, &stride) in self.shape.iter().zip(&self.strides).rev() {
            if extent != 1 {
                if stride != step {
                    return false;
                }
                step *= extent.cast_signed();
            }
        }
        true
    }

    /// The bytes that the view covers, from the first to one past the last, counted from `ptr`.
    pub fn reach(&self) -> (isize, isize) {
        crate::shape::reach(&self.shape, &self.strides, self.dtype.size())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_are_aligned_and_writable_at_every_size() {
        for len in [0, 1, 63, 64, 65, 4096, 65_535, 65_536, 65_537, 5 << 20] {
            let mut b = Buffer::new(len).unwrap();
            assert_eq!(b.as_ptr() as usize % ALIGN, 0);
            assert_eq!(b.len(), len);
            b.bytes_mut().fill(0xA5);
            assert!(b.bytes().iter().all(|&x| x == 0xA5));
        }
    }

    #[test]
    fn classes_cover_every_pooled_size_with_little_waste() {
        for len in (1usize << Class::MIN..=1 << 20).step_by(977).chain([1 << 27, (1 << 27) - 1]) {
            let c = Class::of(len).unwrap();
            assert!(c.bytes >= len && c.bytes <= len + len / 4, "{len} in {}", c.bytes);
            assert_eq!(Class::of(c.bytes).unwrap().place, c.place);
        }
        assert!(Class::of((1 << 16) - 1).is_none() && Class::of((1 << 27) + 1).is_none());
    }

    #[test]
    fn the_pool_is_bounded() {
        let many: Vec<_> = (0..40).map(|_| Buffer::new(40 << 20).unwrap()).collect();
        drop(many);
        assert!(pooled_bytes() <= Pool::LIMIT);
    }

    #[test]
    fn too_much_is_an_error() {
        for len in [usize::MAX, usize::MAX - 63, isize::MAX as usize, 1 << 62] {
            let err = Buffer::new(len).unwrap_err();
            assert_eq!(err.kind(), crate::error::ErrorKind::Memory);
        }
    }

    #[test]
    fn slices_go_in_and_vectors_come_out() {
        let mut s = Storage::from_slice(&[1i16, -2, 3, -4, 5, -6], &[2, 3]).unwrap();
        assert_eq!(s.to_vec::<i16>().unwrap(), [1, -2, 3, -4, 5, -6]);
        s.shape.swap(0, 1);
        s.strides.swap(0, 1);
        assert_eq!(s.to_vec::<i16>().unwrap(), [1, -4, -2, 5, 3, -6]);
        assert!(s.to_vec::<u16>().is_err());
        assert!(Storage::from_slice(&[1.0f32], &[2]).is_err());
        assert!(Storage::from_slice::<f64>(&[], &[0]).unwrap().to_vec::<f64>().unwrap().is_empty());
        assert_eq!(Storage::from_slice(&[true], &[]).unwrap().to_vec::<bool>().unwrap(), [true]);
    }

    #[test]
    fn copies_are_in_c_order_and_apart() {
        let mut s = Storage::from_slice(&[1i16, -2, 3, -4, 5, -6], &[2, 3]).unwrap();
        assert!(s.overlaps(&s) && !s.overlaps(&s.c_ordered().unwrap()));
        s.shape.swap(0, 1);
        s.strides.swap(0, 1);
        let copy = s.c_ordered().unwrap();
        assert!(copy.is_contiguous() && !copy.overlaps(&s));
        assert_eq!(copy.to_vec::<i16>().unwrap(), [1, -4, -2, 5, 3, -6]);
        let one = Storage::from_scalar(crate::dtype::Scalar::f64(0.5)).unwrap();
        assert_eq!((one.shape.len(), one.to_vec::<f64>().unwrap()), (0, vec![0.5]));
    }

    #[test]
    fn contiguity_ignores_axes_of_length_one() {
        let b = Arc::new(Buffer::new(24).unwrap());
        let mut s = Storage::from_buffer(b.clone(), DType::F32, [2, 1, 3][..].into()).unwrap();
        s.strides[1] = 999;
        assert!(s.is_contiguous());
        assert_eq!(s.reach(), (0, 24));
        s.strides[0] = -12;
        assert!(!s.is_contiguous());
        assert_eq!(s.reach(), (-12, 12));
        assert!(Storage::from_buffer(b, DType::F64, [4][..].into()).is_err());
    }
}
