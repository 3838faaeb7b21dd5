//! The walk of a scan: lines along the axis, in groups, or whole rows where the axis is not the last.
//!
//! May not know: arrays with an owner, what is recorded.

use half::f16;

use super::Scan;
use crate::buffer::Storage;
use crate::dtype::DType;
use crate::shape::Places;
use crate::tile::scalar::{Bool, Element, Number};
use crate::tile::{MapFn, cast};

/// Lines that are taken together.
const GROUP: usize = 8;
/// Elements that are cast at a time.
const CHUNK: usize = 256;
/// From so many elements beside each other on a scan takes them as rows.
const ROW: usize = 16;

/// One step.
trait Step<T> {
    fn step(so_far: T, next: T) -> T;
}

struct Add;
struct Multiply;
struct Maximum;
struct Minimum;

impl<T: Element> Step<T> for Add {
    #[inline(always)]
    fn step(so_far: T, next: T) -> T {
        so_far.add(next)
    }
}

impl<T: Element> Step<T> for Multiply {
    #[inline(always)]
    fn step(so_far: T, next: T) -> T {
        so_far.multiply(next)
    }
}

impl<T: Element> Step<T> for Maximum {
    #[inline(always)]
    fn step(so_far: T, next: T) -> T {
        so_far.maximum(next)
    }
}

impl<T: Element> Step<T> for Minimum {
    #[inline(always)]
    fn step(so_far: T, next: T) -> T {
        so_far.minimum(next)
    }
}

/// `half` asks the processor what it can do for each number; in a chain of steps that is most of the time.
#[inline(always)]
pub(super) fn widen(x: f16) -> f32 {
    let bits = u32::from(x.to_bits());
    let (sign, rest) = ((bits & 0x8000) << 16, (bits & 0x7fff) << 13);
    // The exponent's bias grows by 112, subnormals included; infinities and NaN keep the highest one.
    let value = f32::from_bits(rest) * f32::from_bits((127 + 112) << 23);
    let magnitude = if bits & 0x7c00 == 0x7c00 { rest | 0x7f80_0000 } else { value.to_bits() };
    f32::from_bits(sign | magnitude)
}

/// The nearest `float16`, of two the even one.
#[inline(always)]
pub(super) fn narrow(x: f32) -> f16 {
    let bits = x.to_bits();
    let (sign, rest) = ((bits >> 16) & 0x8000, bits & 0x7fff_ffff);
    let magnitude = if rest > 0x7f80_0000 {
        0x7e00 | (rest >> 13) & 0x3ff
    } else if rest >= (127 + 16) << 23 {
        0x7c00
    } else if rest < (127 - 14) << 23 {
        // Subnormal: beside a half the last bit of a sum is worth 2**-24, and the sum is rounded to it.
        let half = 0.5f32;
        (f32::from_bits(rest) + half).to_bits() - half.to_bits()
    } else {
        // Of the 13 bits that go, half of the last one that stays is added; at a tie only to an odd one.
        let odd = (rest >> 13) & 1;
        (rest - (112 << 23) + 0xfff + odd) >> 13
    };
    f16::from_bits((sign | magnitude) as u16)
}

// Each step rounds to float16, as NumPy's does; of two equal ones NumPy's float16 takes the first.
impl Step<f16> for Add {
    #[inline(always)]
    fn step(so_far: f16, next: f16) -> f16 {
        narrow(widen(so_far) + widen(next))
    }
}

impl Step<f16> for Multiply {
    #[inline(always)]
    fn step(so_far: f16, next: f16) -> f16 {
        narrow(widen(so_far) * widen(next))
    }
}

impl Step<f16> for Maximum {
    #[inline(always)]
    fn step(so_far: f16, next: f16) -> f16 {
        let (a, b) = (widen(so_far), widen(next));
        if a >= b || a.is_nan() { so_far } else { next }
    }
}

impl Step<f16> for Minimum {
    #[inline(always)]
    fn step(so_far: f16, next: f16) -> f16 {
        let (a, b) = (widen(so_far), widen(next));
        if a <= b || a.is_nan() { so_far } else { next }
    }
}

/// A complex number.
#[derive(Clone, Copy)]
#[repr(C)]
struct Pair<T> {
    re: T,
    im: T,
}

impl<T: Number> Pair<T> {
    /// Whether a part is NaN.
    #[inline(always)]
    fn isnan(self) -> bool {
        self.re.isnan() || self.im.isnan()
    }
}

impl<T: Number> Step<Pair<T>> for Add {
    #[inline(always)]
    fn step(so_far: Pair<T>, next: Pair<T>) -> Pair<T> {
        Pair { re: so_far.re.add(next.re), im: so_far.im.add(next.im) }
    }
}

impl<T: Number> Step<Pair<T>> for Multiply {
    #[inline(always)]
    fn step(so_far: Pair<T>, next: Pair<T>) -> Pair<T> {
        let Pair { re, im } = so_far;
        Pair {
            re: re.multiply(next.re).subtract(im.multiply(next.im)),
            im: re.multiply(next.im).add(im.multiply(next.re)),
        }
    }
}

// By the real part first; a NaN in either part stays; of two equal ones the first is taken.
impl<T: Number> Step<Pair<T>> for Maximum {
    #[inline(always)]
    fn step(a: Pair<T>, b: Pair<T>) -> Pair<T> {
        let above = a.re > b.re && !b.im.isnan() || a.re == b.re && a.im >= b.im;
        if above || a.isnan() { a } else { b }
    }
}

impl<T: Number> Step<Pair<T>> for Minimum {
    #[inline(always)]
    fn step(a: Pair<T>, b: Pair<T>) -> Pair<T> {
        let below = a.re < b.re && !b.im.isnan() || a.re == b.re && a.im <= b.im;
        if below || a.isnan() { a } else { b }
    }
}

/// What is scanned: `outer` times `n` times `inner` elements, written in C order.
struct Job<'a> {
    from: &'a Storage,
    axis: usize,
    to: *mut u8,
    outer: usize,
    n: usize,
    inner: usize,
    /// The conversion of elements, if they are of another dtype than the steps.
    cast: Option<MapFn>,
}

/// Scans memory that is not empty, along an axis that is there, into `out`, which has room for it.
pub(super) fn run(scan: Scan, from: &Storage, axis: usize, dtype: DType, out: &mut [u8]) {
    let job = Job {
        from,
        axis,
        to: out.as_mut_ptr(),
        outer: from.shape[..axis].iter().product(),
        n: from.shape[axis],
        inner: from.shape[axis + 1..].iter().product(),
        cast: (from.dtype != dtype).then(|| cast(from.dtype, dtype)),
    };
    let of = match dtype {
        DType::Bool => steps::<Bool, true>,
        DType::I8 => steps::<i8, true>,
        DType::U8 => steps::<u8, true>,
        DType::I16 => steps::<i16, true>,
        DType::U16 => steps::<u16, true>,
        DType::I32 => steps::<i32, true>,
        DType::U32 => steps::<u32, true>,
        DType::I64 => steps::<i64, true>,
        DType::U64 => steps::<u64, true>,
        DType::F16 => steps::<f16, false>,
        DType::F32 => steps::<f32, false>,
        DType::F64 => steps::<f64, false>,
        DType::C64 => steps::<Pair<f32>, false>,
        DType::C128 => steps::<Pair<f64>, false>,
    };
    // SAFETY: `T` is the type of `dtype`'s elements; `from` describes readable memory that is not written,
    // and `out` is as large as all its elements in `dtype`.
    unsafe { of(scan, &job) }
}

/// All scans of elements `T`. `EXACT` steps give the same in any grouping.
///
/// # Safety
/// As the call in [`run`] says.
unsafe fn steps<T: Copy, const EXACT: bool>(scan: Scan, job: &Job<'_>)
where
    Add: Step<T>,
    Multiply: Step<T>,
    Maximum: Step<T>,
    Minimum: Step<T>,
{
    // SAFETY: the caller's promise.
    unsafe {
        match scan {
            Scan::Add => walk::<T, Add, EXACT>(job),
            Scan::Multiply => walk::<T, Multiply, EXACT>(job),
            Scan::Maximum => walk::<T, Maximum, EXACT>(job),
            Scan::Minimum => walk::<T, Minimum, EXACT>(job),
            Scan::Logaddexp | Scan::Logaddexp2 => {} // by rows
        }
    }
}

/// # Safety
/// As the call in [`run`] says.
unsafe fn walk<T: Copy, S: Step<T>, const EXACT: bool>(job: &Job<'_>) {
    let run = beside(job.from, job.axis);
    // SAFETY: the caller's promise.
    unsafe { if run >= ROW { rows::<T, S>(job, run) } else { lines::<T, S, EXACT>(job) } }
}

/// How many elements after the axis lie beside each other without gaps.
fn beside(from: &Storage, axis: usize) -> usize {
    let size = from.dtype.size();
    let mut run = 1;
    for i in (axis + 1..from.shape.len()).rev() {
        if from.shape[i] != 1 && from.strides[i] != (run * size).cast_signed() {
            break;
        }
        run *= from.shape[i];
    }
    run
}

// -- lines

/// Line by line, [`GROUP`] of them at a time.
///
/// # Safety
/// As the call in [`run`] says.
unsafe fn lines<T: Copy, S: Step<T>, const EXACT: bool>(job: &Job<'_>) {
    let (from, axis) = (job.from, job.axis);
    let mut outer = Places::new(&from.shape[..axis], &from.strides[..axis]);
    let mut inner = Places::new(&from.shape[axis + 1..], &from.strides[axis + 1..]);
    let (mut base, mut count) = (0, 0);
    let mut next = || {
        if count % job.inner == 0 {
            base = outer.advance();
        }
        let place = (count / job.inner * job.n * job.inner + count % job.inner) * size_of::<T>();
        count += 1;
        (from.ptr.wrapping_offset(base + inner.advance()), job.to.wrapping_add(place))
    };
    let mut left = job.outer * job.inner;
    while left > 0 {
        // SAFETY: each line begins at an element of `from` and at its place in the result.
        left -= unsafe {
            match left {
                GROUP.. => group::<T, S, EXACT, GROUP>(job, std::array::from_fn(|_| next())),
                2.. => group::<T, S, EXACT, 2>(job, std::array::from_fn(|_| next())),
                _ => group::<T, S, EXACT, 1>(job, [next()]),
            }
        }
    }
}

/// `G` lines, each from its first element to its first place. Returns `G`.
///
/// # Safety
/// The lines have `n` elements of `from`, spaced as the axis says, and room for as many results.
unsafe fn group<T: Copy, S: Step<T>, const EXACT: bool, const G: usize>(
    job: &Job<'_>,
    mut ends: [(*const u8, *mut u8); G],
) -> usize {
    let (step, to_step) = (job.from.strides[job.axis], job.inner * size_of::<T>());
    let Some(cast) = job.cast else {
        // SAFETY: the elements are of type `T`, and there is one at least.
        unsafe {
            let mut so_far = ends.map(|(from, to)| {
                let first = from.cast::<T>().read_unaligned();
                to.cast::<T>().write_unaligned(first);
                first
            });
            let ends =
                ends.map(|(from, to)| (from.wrapping_offset(step), to.wrapping_add(to_step)));
            go_on::<T, S, EXACT, G>(&mut so_far, ends, step, to_step, job.n - 1);
        }
        return G;
    };
    // Wide enough for any element that is cast; a tile function writes all that is read.
    let mut raw = [0u64; CHUNK];
    let mut tiles = [[0u64; CHUNK]; G];
    let mut so_far: Option<[T; G]> = None;
    let mut done = 0;
    while done < job.n {
        let n = CHUNK.min(job.n - done);
        // SAFETY: `n` elements of each line are left, a tile has room for as many of 8 bytes, and the
        // first was converted before it is read.
        unsafe {
            for (tile, (from, _)) in tiles.iter_mut().zip(&ends) {
                convert(job, cast, *from, n, &mut raw, tile);
            }
            let mut skip = 0;
            let mut each = so_far.unwrap_or_else(|| {
                skip = 1;
                std::array::from_fn(|j| {
                    let first = tiles[j].as_ptr().cast::<T>().read();
                    ends[j].1.cast::<T>().write_unaligned(first);
                    first
                })
            });
            let rest = std::array::from_fn(|j| {
                let tile = tiles[j].as_ptr().cast::<u8>();
                (tile.wrapping_add(skip * size_of::<T>()), ends[j].1.wrapping_add(skip * to_step))
            });
            go_on::<T, S, EXACT, G>(
                &mut each,
                rest,
                size_of::<T>().cast_signed(),
                to_step,
                n - skip,
            );
            so_far = Some(each);
        }
        for (from, to) in &mut ends {
            *from = from.wrapping_offset(step * n.cast_signed());
            *to = to.wrapping_add(to_step * n);
        }
        done += n;
    }
    G
}

/// The next `n` steps of `G` lines.
///
/// # Safety
/// `n` elements of `T` are at the first places, `step` bytes apart, and room for as many at the second.
#[inline(always)]
unsafe fn go_on<T: Copy, S: Step<T>, const EXACT: bool, const G: usize>(
    so_far: &mut [T; G],
    ends: [(*const u8, *mut u8); G],
    step: isize,
    to_step: usize,
    n: usize,
) {
    let size = size_of::<T>();
    // SAFETY: the caller's promise.
    unsafe {
        if (step, to_step) == (size.cast_signed(), size) {
            stepped::<T, S, EXACT, G>(so_far, ends, size.cast_signed(), size, n);
        } else {
            stepped::<T, S, EXACT, G>(so_far, ends, step, to_step, n);
        }
    }
}

/// [`go_on`], with steps that the compiler may know.
///
/// # Safety
/// As for [`go_on`].
#[inline(always)]
unsafe fn stepped<T: Copy, S: Step<T>, const EXACT: bool, const G: usize>(
    so_far: &mut [T; G],
    ends: [(*const u8, *mut u8); G],
    step: isize,
    to_step: usize,
    n: usize,
) {
    let mut each = *so_far;
    let mut done = 0;
    if EXACT && G == 1 {
        // The next element waits for one step where it would wait for four.
        while n - done >= 4 {
            let (from, to) = ends[0];
            // SAFETY: the caller's promise, for the four from `done` on.
            unsafe {
                let next: [T; 4] = std::array::from_fn(|k| {
                    let k = done + k;
                    from.offset(step * k.cast_signed()).cast::<T>().read_unaligned()
                });
                let two = S::step(next[0], next[1]);
                let three = S::step(two, next[2]);
                let four = S::step(two, S::step(next[2], next[3]));
                let results = [next[0], two, three, four].map(|x| S::step(each[0], x));
                for (k, result) in results.into_iter().enumerate() {
                    to.add(to_step * (done + k)).cast::<T>().write_unaligned(result);
                }
                each[0] = results[3];
            }
            done += 4;
        }
    }
    for k in done..n {
        for j in 0..G {
            let (from, to) = ends[j];
            // SAFETY: the caller's promise, for `k` below `n`.
            unsafe {
                let next = from.offset(step * k.cast_signed()).cast::<T>().read_unaligned();
                each[j] = S::step(each[j], next);
                to.add(to_step * k).cast::<T>().write_unaligned(each[j]);
            }
        }
    }
    *so_far = each;
}

/// `n` elements of a line, beside each other and of the steps' dtype.
///
/// # Safety
/// `n`, at most [`CHUNK`], elements of `from` are at the place, spaced as the axis says.
unsafe fn convert(
    job: &Job<'_>,
    cast: MapFn,
    mut from: *const u8,
    n: usize,
    raw: &mut [u64; CHUNK],
    tile: &mut [u64; CHUNK],
) {
    let (size, step) = (job.from.dtype.size(), job.from.strides[job.axis]);
    // SAFETY: the caller's promise; both tiles have room for `n` elements of any dtype.
    unsafe {
        if step != size.cast_signed() {
            let to = raw.as_mut_ptr().cast::<u8>();
            for k in 0..n {
                let place = from.offset(step * k.cast_signed());
                std::ptr::copy_nonoverlapping(place, to.add(k * size), size);
            }
            from = to;
        }
        cast(tile.as_mut_ptr().cast(), from, from, from, n, &mut 0);
    }
}

// -- rows

/// Row after row: each is the one before and the operand's, element by element.
///
/// # Safety
/// As the call in [`run`] says; `run` elements after the axis lie beside each other in `from`.
unsafe fn rows<T: Copy, S: Step<T>>(job: &Job<'_>, run: usize) {
    let (from, axis) = (job.from, job.axis);
    let pieces = job.inner / run;
    let mut outer = Places::new(&from.shape[..axis], &from.strides[..axis]);
    // The axes that make the pieces; those of the run come after them.
    let mut inner = Places::new(&from.shape[axis + 1..], &from.strides[axis + 1..]);
    let starts: Vec<isize> = (0..job.inner).map(|_| inner.advance()).step_by(run).collect();
    debug_assert_eq!(starts.len(), pieces);
    let (row, size) = (job.inner * size_of::<T>(), from.dtype.size());
    let mut tile = [0u64; CHUNK];
    let mut to = job.to;
    for _ in 0..job.outer {
        let base = from.ptr.wrapping_offset(outer.advance());
        for k in 0..job.n {
            let line = base.wrapping_offset(from.strides[axis] * k.cast_signed());
            for start in &starts {
                let piece = line.wrapping_offset(*start);
                let mut done = 0;
                while done < run {
                    let (n, src) = match job.cast {
                        None => (run, piece),
                        Some(_) => (CHUNK.min(run - done), piece.wrapping_add(done * size)),
                    };
                    // SAFETY: `n` elements of the piece are at `src`; the tile has room for them; the
                    // result's row before this one is written.
                    unsafe {
                        let next = match job.cast {
                            None => src,
                            Some(cast) => {
                                cast(tile.as_mut_ptr().cast(), src, src, src, n, &mut 0);
                                tile.as_ptr().cast()
                            }
                        };
                        if k == 0 {
                            std::ptr::copy_nonoverlapping(next, to, n * size_of::<T>());
                        } else {
                            let before = to.wrapping_sub(row);
                            one_row::<T, S>(before.cast_const(), next, to, n);
                        }
                    }
                    to = to.wrapping_add(n * size_of::<T>());
                    done += n;
                }
            }
        }
    }
}

/// # Safety
/// `n` elements of `T` are at both places, and there is room for as many, which overlaps neither.
#[inline(always)]
unsafe fn one_row<T: Copy, S: Step<T>>(so_far: *const u8, next: *const u8, to: *mut u8, n: usize) {
    const W: usize = 16;
    let (so_far, next, to) = (so_far.cast::<T>(), next.cast::<T>(), to.cast::<T>());
    let whole = n / W * W;
    // SAFETY: the caller's promise, for places below `n`. A chunk is read before it is written.
    unsafe {
        for k in (0..whole).step_by(W) {
            let a = so_far.add(k).cast::<[T; W]>().read_unaligned();
            let b = next.add(k).cast::<[T; W]>().read_unaligned();
            let both: [T; W] = std::array::from_fn(|j| S::step(a[j], b[j]));
            to.add(k).cast::<[T; W]>().write_unaligned(both);
        }
        for k in whole..n {
            let step = S::step(so_far.add(k).read_unaligned(), next.add(k).read_unaligned());
            to.add(k).write_unaligned(step);
        }
    }
}
