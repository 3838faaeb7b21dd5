//! Packing: gathers a strided run into a contiguous tile, and scatters a tile over a strided run.
//!
//! May not know: kernels, threads, what the elements mean.

use smallvec::SmallVec;

use crate::buffer::Buffer;
use crate::error::Result;

/// Where the elements of a run over several loops lie; loops are merged where they advance evenly.
#[derive(Clone, Debug)]
pub(super) struct Strided {
    /// Extent and stride in bytes, outermost first; at least one.
    dims: SmallVec<[(usize, isize); 4]>,
    size: usize,
    /// After how many elements the run repeats itself, if that is short enough to keep.
    period: Option<usize>,
    /// Elements that the tile has room for.
    room: usize,
}

/// Inner loops up to this length are walked with the loops swapped.
const SHORT: usize = 16;

impl Strided {
    /// For a run over loops of these extents (none 0), taken at most `chunk` elements at a time.
    pub(super) fn new(extents: &[usize], strides: &[isize], size: usize, chunk: usize) -> Self {
        let mut dims: SmallVec<[(usize, isize); 4]> = SmallVec::new();
        for (&extent, &stride) in extents.iter().zip(strides).rev() {
            if extent == 1 {
                continue;
            }
            match dims.last_mut() {
                Some((inner, step)) if stride == step.wrapping_mul(inner.cast_signed()) => {
                    *inner *= extent;
                }
                _ => dims.push((extent, stride)),
            }
        }
        dims.reverse();
        if dims.is_empty() {
            dims.push((1, 0));
        }
        let pattern: usize = dims[1..].iter().map(|d| d.0).product();
        let period = (dims[0].1 == 0 && pattern <= chunk).then_some(pattern);
        Self { dims, size, period, room: chunk + period.unwrap_or(0) }
    }

    /// After how many elements the run repeats itself, if a tile has a whole number of repeats.
    pub(super) fn period(&self) -> Option<usize> {
        self.period.filter(|&p| crate::tile::TILE.is_multiple_of(p))
    }

    /// Copies the elements from `lo` on, `n` of them, of the run at `src` to `dst`.
    ///
    /// # Safety
    /// The run's elements may be read; `dst` has room, and is aligned for the element.
    pub(super) unsafe fn copy(&self, src: *const u8, lo: usize, n: usize, dst: *mut u8) {
        // SAFETY: the caller's promise.
        unsafe { self.sized::<false>(src.cast_mut(), lo, n, dst) };
    }

    /// Copies `n` elements from `tile` to those from `lo` on of the run at `dst`.
    ///
    /// # Safety
    /// The run's elements may be written, and are nobody else's; `tile` has `n` elements and is
    /// aligned for them.
    pub(super) unsafe fn scatter(&self, tile: *mut u8, dst: *mut u8, lo: usize, n: usize) {
        // SAFETY: the caller's promise.
        unsafe { self.sized::<true>(dst, lo, n, tile) };
    }

    /// Copies between a run and a tile; `OUT`: to the run.
    unsafe fn sized<const OUT: bool>(&self, run: *mut u8, lo: usize, n: usize, tile: *mut u8) {
        // SAFETY: the caller's promise.
        unsafe {
            match self.size {
                1 => self.copy_as::<u8, OUT>(run, lo, n, tile.cast()),
                2 => self.copy_as::<u16, OUT>(run, lo, n, tile.cast()),
                4 => self.copy_as::<u32, OUT>(run, lo, n, tile.cast()),
                _ => self.copy_as::<u64, OUT>(run, lo, n, tile.cast()),
            }
        }
    }

    /// As `sized`, for elements as wide as `T`.
    unsafe fn copy_as<T: Copy, const OUT: bool>(
        &self,
        src: *mut u8,
        lo: usize,
        n: usize,
        dst: *mut T,
    ) {
        let (last, mut outer) = (self.dims.len() - 1, SmallVec::<[usize; 4]>::new());
        let inner = self.dims[last];
        // The two innermost loops make a plane; the odometer walks the planes.
        let (rows, planes) = match last {
            0 => ((1, 0), 0),
            _ => (self.dims[last - 1], last - 1),
        };
        let (mut col, mut row, mut rest) =
            (lo % inner.0, lo / inner.0 % rows.0, lo / inner.0 / rows.0);
        let mut plane = src;
        outer.resize(planes, 0);
        for (place, &(extent, stride)) in outer.iter_mut().zip(&self.dims[..planes]).rev() {
            *place = rest % extent;
            rest /= extent;
            plane = plane.wrapping_offset(stride.wrapping_mul(place.cast_signed()));
        }
        let mut done = 0;
        while done < n {
            let take = (n - done).min((rows.0 - row) * inner.0 - col);
            let at = plane.wrapping_offset(rows.1.wrapping_mul(row.cast_signed()));
            // SAFETY: `take` elements of this plane belong to the run.
            unsafe { copy_plane::<T, OUT>(dst.add(done), at, col, take, inner, rows.1) };
            done += take;
            (row, col) = (0, 0);
            for (place, &(extent, stride)) in outer.iter_mut().zip(&self.dims[..planes]).rev() {
                *place += 1;
                plane = plane.wrapping_offset(stride);
                if *place < extent {
                    break;
                }
                *place = 0;
                plane =
                    plane.wrapping_offset(stride.wrapping_mul(extent.cast_signed()).wrapping_neg());
            }
        }
    }
}

/// Copies `n` elements of a plane: the row at `src` from column `col` on, then the rows after it.
unsafe fn copy_plane<T: Copy, const OUT: bool>(
    tile: *mut T,
    mut src: *mut u8,
    col: usize,
    n: usize,
    (width, step): (usize, isize),
    row_step: isize,
) {
    let mut done = 0;
    if col > 0 {
        done = n.min(width - col);
        let at = src.wrapping_offset(step.wrapping_mul(col.cast_signed()));
        // SAFETY: the caller's promise; `done` never passes `n`.
        unsafe { copy_line::<T, OUT>(tile, at, done, step) };
        src = src.wrapping_offset(row_step);
    }
    let full = (n - done) / width;
    if width == 2 && step == 0 && row_step == size_of::<T>().cast_signed() && !OUT {
        // A channel for both sides.
        for i in 0..full {
            // SAFETY: as above.
            unsafe {
                let value = src.cast::<T>().add(i).read_unaligned();
                tile.add(done + 2 * i).cast::<[T; 2]>().write_unaligned([value, value]);
            }
        }
        done += full * width;
        src = src.wrapping_offset(row_step.wrapping_mul(full.cast_signed()));
    } else if width <= SHORT && full > width {
        for j in 0..width {
            let from = src.wrapping_offset(step.wrapping_mul(j.cast_signed()));
            // SAFETY: as above.
            let to = unsafe { tile.add(done + j) };
            for i in 0..full {
                let at = from.wrapping_offset(row_step.wrapping_mul(i.cast_signed()));
                // SAFETY: as above.
                unsafe { copy_one::<T, OUT>(to.add(i * width), at) };
            }
        }
        done += full * width;
        src = src.wrapping_offset(row_step.wrapping_mul(full.cast_signed()));
    }
    while done < n {
        let take = width.min(n - done);
        // SAFETY: as above.
        unsafe { copy_line::<T, OUT>(tile.add(done), src, take, step) };
        done += take;
        src = src.wrapping_offset(row_step);
    }
}

/// Copies an element of a run, which need not be aligned, to a tile, or back.
#[inline(always)]
unsafe fn copy_one<T: Copy, const OUT: bool>(tile: *mut T, at: *mut u8) {
    // SAFETY: the caller's promise.
    unsafe {
        if OUT {
            at.cast::<T>().write_unaligned(tile.read());
        } else {
            tile.write(at.cast::<T>().read_unaligned());
        }
    }
}

/// Copies `n` elements that lie `step` bytes apart in the run.
unsafe fn copy_line<T: Copy, const OUT: bool>(tile: *mut T, src: *mut u8, n: usize, step: isize) {
    if step == size_of::<T>().cast_signed() {
        let (from, to) = if OUT { (tile.cast(), src) } else { (src, tile.cast()) };
        // SAFETY: the caller's promise. As bytes: the run need not be aligned.
        unsafe { std::ptr::copy_nonoverlapping(from, to, n * size_of::<T>()) };
    } else if step == 0 && !OUT {
        if n > 0 {
            // SAFETY: the caller's promise.
            let value = unsafe { src.cast::<T>().read_unaligned() };
            for i in 0..n {
                // SAFETY: the caller's promise.
                unsafe { tile.add(i).write(value) };
            }
        }
    } else {
        for i in 0..n {
            let at = src.wrapping_offset(step.wrapping_mul(i.cast_signed()));
            // SAFETY: the caller's promise.
            unsafe { copy_one::<T, OUT>(tile.add(i), at) };
        }
    }
}

/// One thread's tile for one packed buffer.
pub(super) struct Pack {
    tile: Buffer,
    /// Where the repeating pattern in the tile came from; null: there is none yet.
    filled: *const u8,
}

impl Pack {
    /// A tile for `gather`.
    pub(super) fn new(gather: &Strided) -> Result<Self> {
        Ok(Self { tile: Buffer::new(gather.room * gather.size)?, filled: std::ptr::null() })
    }

    /// The tile itself, for a kernel to fill.
    pub(super) fn tile(&mut self) -> *mut u8 {
        self.tile.as_mut_ptr()
    }

    /// Elements `lo..lo + n` of the run at `src`, contiguous.
    ///
    /// # Safety
    /// The run's elements may be read and do not change while the pack lives; `n` is at most the chunk.
    pub(super) unsafe fn bind(
        &mut self,
        gather: &Strided,
        src: *const u8,
        lo: usize,
        n: usize,
    ) -> *const u8 {
        let tile = self.tile.as_mut_ptr();
        let Some(period) = gather.period else {
            // SAFETY: the caller's promise; the tile holds a chunk.
            unsafe { gather.copy(src, lo, n, tile) };
            return tile;
        };
        if self.filled != src {
            let bytes = gather.room * gather.size;
            let mut have = period * gather.size;
            // SAFETY: one period is within the run and the tile; copies stay within the tile.
            unsafe {
                gather.copy(src, 0, period, tile);
                while have < bytes {
                    let more = have.min(bytes - have);
                    std::ptr::copy_nonoverlapping(tile, tile.add(have), more);
                    have += more;
                }
            }
            self.filled = src;
        }
        tile.wrapping_add(lo % period * gather.size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Element `i` of the run by the definition.
    fn naive(data: &[u32], extents: &[usize], strides: &[isize], base: usize, mut i: usize) -> u32 {
        let mut at = base.cast_signed() * 4;
        for (&e, &s) in extents.iter().zip(strides).rev() {
            at += s * (i % e).cast_signed();
            i /= e;
        }
        data[at as usize / 4]
    }

    #[test]
    fn gathers_what_the_strides_say() {
        let data: Vec<u32> = (0..4096).collect();
        for (extents, strides, base) in [
            (vec![100, 2], vec![4, 400], 0),
            (vec![100, 2], vec![0, 4], 3),
            (vec![100, 2], vec![8, 0], 3),
            (vec![7, 1, 30], vec![120, 999, 4], 0),
            (vec![7, 30], vec![-120, -4], 300),
            (vec![3, 5, 7, 4], vec![4, 140, 12, 0], 9),
            (vec![5, 3, 20], vec![0, 4, 12], 1),
            (vec![200], vec![0], 5),
            (vec![1, 1], vec![0, 0], 5),
            (vec![20, 20, 3], vec![4, 80, 1600], 0),
        ] {
            let total: usize = extents.iter().product();
            for chunk in [1, 3, 64, 1000] {
                let gather = Strided::new(&extents, &strides, 4, chunk);
                let mut pack = Pack::new(&gather).unwrap();
                for lo in (0..total).step_by(chunk) {
                    let n = chunk.min(total - lo);
                    let src = data[base..].as_ptr().cast();
                    // SAFETY: the cases above stay within the data.
                    let got = unsafe {
                        let at = pack.bind(&gather, src, lo, n).cast::<u32>();
                        std::slice::from_raw_parts(at, n)
                    };
                    for (i, &x) in got.iter().enumerate() {
                        let want = naive(&data, &extents, &strides, base, lo + i);
                        assert_eq!(x, want, "{extents:?} {strides:?} at {}", lo + i);
                    }
                }
            }
        }
    }

    #[test]
    fn scatters_where_it_would_gather() {
        for (extents, strides, base) in [
            (vec![100, 2], vec![4, 400], 0),
            (vec![7, 1, 30], vec![120, 999, 4], 0),
            (vec![7, 30], vec![-120, -4], 300),
            (vec![3, 5, 7], vec![4, 140, 12], 9),
            (vec![1, 1], vec![0, 0], 5),
            (vec![20, 20, 3], vec![4, 80, 1600], 0),
            (vec![40, 20], vec![4, 160], 0),
        ] {
            let total: usize = extents.iter().product();
            for chunk in [1, 3, 64, 1000] {
                let mut data = vec![0u32; 4096];
                let mut tile: Vec<u32> = (1..=total as u32).collect();
                let gather = Strided::new(&extents, &strides, 4, chunk);
                let run = data[base..].as_mut_ptr().cast();
                for lo in (0..total).step_by(chunk) {
                    // SAFETY: the cases above stay within the data.
                    unsafe {
                        let n = chunk.min(total - lo);
                        gather.scatter(tile[lo..].as_mut_ptr().cast(), run, lo, n);
                    }
                }
                for (i, &x) in tile.iter().enumerate() {
                    let found = naive(&data, &extents, &strides, base, i);
                    assert_eq!(found, x, "{extents:?} {strides:?} at {i}");
                }
                assert_eq!(data.iter().filter(|&&x| x != 0).count(), total, "and nowhere else");
            }
        }
    }

    #[test]
    fn other_widths_and_odd_addresses() {
        let bytes: Vec<u8> = (0..=255).collect();
        for size in [1usize, 2, 4, 8] {
            let gather = Strided::new(&[9, 2], &[3, 1], size, 5);
            let mut dst = [0u64; 9];
            // SAFETY: the run ends before byte 1 + 24 + 1 + 8.
            unsafe { gather.copy(bytes[1..].as_ptr(), 4, 9, dst.as_mut_ptr().cast()) };
            // SAFETY: nine elements of `size` bytes were written.
            let got = unsafe { std::slice::from_raw_parts(dst.as_ptr().cast::<u8>(), 9 * size) };
            for (i, element) in got.chunks(size).enumerate() {
                let k = 4 + i;
                let at = 1 + k / 2 * 3 + k % 2;
                assert_eq!(element, &bytes[at..at + size]);
            }
        }
    }
}
