//! Reductions at once: over all elements, or along one axis where the work is small.
//!
//! May not know: what a fold does to its elements.

use std::sync::atomic::{AtomicPtr, Ordering};

use smallvec::SmallVec;

use super::super::stream::{is_large, stream};
use super::source::{Source, Tile, converted, fill};
use super::{FloatMode, Host, LONG, PART, Parts, View, share, share_among};
use crate::dtype::{DType, Scalar};
use crate::error::Result;
use crate::op::{FRAMES, Fold, Measure, Op, mean_dtypes, sum_dtype};
use crate::shape::Shape;
use crate::tile::{self, BLOCK, FoldFns, MapFn, RUN, TILE, Tree};

/// What an axis or all of them are reduced to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduction {
    /// By a fold of the table.
    Fold(Fold),
    /// Arithmetic mean.
    Mean,
    /// Variance, over the count less so many.
    Var(i64),
    /// Its root.
    Std(i64),
}

impl Reduction {
    /// Whether it may be NaN or infinite where no element is.
    pub fn may_overflow(self) -> bool {
        matches!(
            self,
            Self::Fold(Fold::Sum | Fold::Prod) | Self::Mean | Self::Var(_) | Self::Std(_)
        )
    }
}

/// Along an axis, or strided, more elements than this are a plan's business.
const SMALL: usize = 1 << 15;
/// More results than this, taken one by one, are, too.
const FEW: usize = 128;
/// Words of a state, and of a partial.
const STATE: usize = 64;
const PARTIAL: usize = 4;
/// Bytes of the lanes of several columns.
const LANES: usize = 32 * 1024;

/// The dtypes that a reduction computes in and results in.
fn dtypes(what: Reduction, dtype: DType) -> (DType, DType) {
    let single = |d| if d == DType::F16 { DType::F32 } else { d };
    match what {
        Reduction::Fold(Fold::Sum | Fold::Prod) => {
            let out = sum_dtype(dtype);
            (single(out), out)
        }
        Reduction::Fold(Fold::Any | Fold::All) => (DType::Bool, DType::Bool),
        Reduction::Fold(Fold::Min | Fold::Max) => (single(dtype), dtype),
        Reduction::Fold(Fold::Argmin | Fold::Argmax) => (single(dtype), DType::I64),
        Reduction::Mean | Reduction::Var(_) | Reduction::Std(_) => {
            let (out, compute) = mean_dtypes(dtype, None);
            (compute, out)
        }
    }
}

/// Where the elements of results are.
struct Lines<'a> {
    view: View<'a>,
    /// `None`: all elements make one result.
    axis: Option<usize>,
    /// Elements of a result.
    each: usize,
    /// How many results.
    results: usize,
}

/// Reduces a view; false when that is declined.
pub fn reduce<H: Host>(
    what: Reduction,
    view: &View<'_>,
    axis: Option<usize>,
    keepdims: bool,
    host: &mut H,
) -> std::result::Result<bool, H::Error> {
    let _float = FloatMode::standard();
    let len = view.len();
    if len == 0 || view.dtype.is_complex() {
        return Ok(false);
    }
    let fold = match what {
        Reduction::Fold(fold) => fold,
        _ => Fold::Sum,
    };
    let (compute, result) = dtypes(what, view.dtype);
    let Some(fns) = tile::fold(fold, Measure::Itself, compute) else { return Ok(false) };
    if fns.state_bytes > STATE * 8 || fns.partial_bytes > PARTIAL * 8 {
        return Ok(false);
    }
    // One axis of one is all of them.
    let axis = axis.filter(|_| view.shape.len() > 1);
    let each = axis.map_or(len, |a| view.shape[a]);
    // Of that NumPy warns, and the stair knows how.
    let left_over = |ddof: i64| i64::try_from(each).is_ok_and(|each| each <= ddof);
    if matches!(what, Reduction::Var(ddof) | Reduction::Std(ddof) if left_over(ddof)) {
        return Ok(false);
    }
    let lines = Lines { view: *view, axis, each, results: len / each };
    let frames = lines.are_frames(what);
    if len > SMALL && !((axis.is_none() || frames) && view.is_contiguous()) {
        return Ok(false);
    }
    let mut job = Job { what, fns, compute, result, out: AtomicPtr::new(std::ptr::null_mut()) };
    if lines.results > FEW && !frames && lines.columns(&job).is_none() {
        return Ok(false);
    }
    let shape: Shape = view
        .shape
        .iter()
        .enumerate()
        .filter(|(a, _)| keepdims || axis.is_some_and(|axis| axis != *a))
        .map(|(a, &e)| if axis.is_none_or(|axis| axis == a) { 1 } else { e })
        .collect();
    job.out = AtomicPtr::new(host.allocate(result, &shape)?);
    let cost = len * if matches!(what, Reduction::Var(_) | Reduction::Std(_)) { 6 } else { 3 };
    if axis.is_none() {
        let source = Source::of_view(view, compute, view.shape, len);
        host.run(cost, &|ctx| job.total(&source, len, cost, ctx))?;
    } else if frames {
        let source = Source::of_view(view, compute, view.shape, len);
        let streamed = is_large(lines.results * result.size());
        let frames = Frames { job: &job, source, each, streamed };
        host.run(cost, &|ctx| share(&frames, len, cost, ctx))?;
    } else {
        job.lines(&lines)?;
    }
    if what.may_overflow()
        && let Some(odd) = tile::odd(result).filter(|_| result.is_float())
    {
        let mut found = false;
        // SAFETY: the results, which were written.
        unsafe { odd(job.out.load(Ordering::Relaxed), lines.results, &raw mut found) };
        if found {
            host.is_odd();
        }
    }
    Ok(true)
}

/// A reduction and where its results go.
struct Job {
    what: Reduction,
    fns: FoldFns,
    compute: DType,
    result: DType,
    out: AtomicPtr<u8>,
}

/// The elements as they are, or squares of their distances from a value.
struct Elements<'a> {
    source: &'a Source,
    centre: Option<Centre>,
}

impl Elements<'_> {
    /// How many are folded at a time: more where nothing is made for it.
    fn run(&self) -> usize {
        let plain = matches!(self.source, Source::Whole { .. }) && self.centre.is_none();
        if plain { RUN } else { BLOCK }
    }
}

/// What squares of distances are made with.
struct Centre {
    mean: Source,
    subtract: MapFn,
    squares: FoldFns,
}

type Partial = [u64; PARTIAL];

impl Lines<'_> {
    /// Whether results are of a few elements each, which lie next to each other.
    fn are_frames(&self, what: Reduction) -> bool {
        self.axis.is_some_and(|axis| axis + 1 == self.view.shape.len())
            && FRAMES.contains(&self.each)
            && self.view.is_contiguous()
            && matches!(what, Reduction::Fold(_) | Reduction::Mean)
    }

    /// The columns of a row, where whole rows are folded: side by side, and no more than a leaf of them.
    fn columns(&self, job: &Job) -> Option<usize> {
        let inner = self.view.shape[self.axis? + 1..].iter().product();
        let short = self.each <= job.fns.leaf.min(TILE) && inner >= 8;
        (short && self.view.is_contiguous()).then_some(inner)
    }
}

impl Job {
    /// One result of all elements.
    fn total(&self, source: &Source, len: usize, cost: usize, ctx: &super::Context) -> Result<()> {
        let value = self.value(&|elements| self.fold(elements, len, cost, ctx), source, len)?;
        // SAFETY: there is room for the result.
        unsafe { write(self.out.load(Ordering::Relaxed), value) };
        Ok(())
    }

    /// The value of `n` elements, each fold of which `fold` does.
    fn value(
        &self,
        fold: &dyn Fn(&Elements<'_>) -> Result<Partial>,
        source: &Source,
        n: usize,
    ) -> Result<Scalar> {
        let partial = fold(&Elements { source, centre: None })?;
        let first = self.finished(&partial);
        let value = match self.what {
            Reduction::Fold(_) => Scalar { dtype: self.given(), bits: first },
            Reduction::Mean => self.over(first, n, 0),
            Reduction::Var(ddof) | Reduction::Std(ddof) => {
                let mean = self.over(first, n, 0);
                let subtract = tile::map(Op::Subtract, self.compute);
                let squares = tile::fold(Fold::Sum, Measure::Square, self.compute);
                let centre = match (subtract, squares) {
                    (Some(subtract), Some(squares)) => {
                        Centre { mean: Source::Repeated(mean), subtract, squares }
                    }
                    _ => return Err(no_loop()),
                };
                let partial = fold(&Elements { source, centre: Some(centre) })?;
                let var = self.over(self.finished(&partial), n, ddof);
                match self.what {
                    Reduction::Std(_) => self.apply(Op::Sqrt, var, var),
                    _ => var,
                }
            }
        };
        Ok(converted(value, self.result))
    }

    /// The dtype that the fold gives.
    fn given(&self) -> DType {
        match self.what {
            Reduction::Fold(fold) => fold.out_dtype(self.compute),
            _ => self.compute,
        }
    }

    /// What the fold gives for a partial.
    fn finished(&self, partial: &Partial) -> u64 {
        let mut bits = 0u64;
        // SAFETY: a partial of the fold, and room for any result.
        unsafe { (self.fns.finish)(partial.as_ptr().cast(), (&raw mut bits).cast(), 1) };
        bits
    }

    /// The number of elements less `ddof`.
    fn count(&self, n: usize, ddof: i64) -> Scalar {
        Scalar::wrap_int((n as i128 - i128::from(ddof)).max(0), self.compute)
    }

    /// A sum over the count less `ddof`.
    fn over(&self, sum: u64, n: usize, ddof: i64) -> Scalar {
        let sum = Scalar { dtype: self.compute, bits: sum };
        self.apply(Op::Divide, sum, self.count(n, ddof))
    }

    /// An op of the floats that the reduction computes in.
    fn apply(&self, op: Op, a: Scalar, b: Scalar) -> Scalar {
        let (a, b, mut out, mut status) = (a.to_bytes(), b.to_bytes(), [0u8; 8], 0);
        if let Some(function) = tile::map(op, self.compute) {
            // SAFETY: room for one element each.
            unsafe {
                let (x, y) = (a.as_ptr(), b.as_ptr());
                function(out.as_mut_ptr(), x, y, x, 1, &raw mut status);
            }
        }
        Scalar { dtype: self.compute, bits: u64::from_le_bytes(out) }
    }

    /// The partial of all elements: blocks by as many threads as pay, combined in order.
    fn fold(
        &self,
        elements: &Elements<'_>,
        len: usize,
        cost: usize,
        ctx: &super::Context,
    ) -> Result<Partial> {
        let run = elements.run();
        if len <= run {
            return Ok(self.block(elements, 0, len));
        }
        let words = self.fns.partial_bytes / 8;
        let mut tree = Tree::new(&self.fns, 1);
        let threads = super::threads(cost, ctx);
        if threads == 1 && cost < LONG {
            for lo in (0..len).step_by(run) {
                tree.push(&self.block(elements, lo, run.min(len - lo))[..words])?;
            }
        } else {
            let mut partials = vec![0u64; len.div_ceil(run) * words];
            let blocks =
                Blocks { job: self, elements, partials: AtomicPtr::new(partials.as_mut_ptr()) };
            share_among(threads, &blocks, len, cost, ctx)?;
            for partial in partials.chunks_exact(words) {
                tree.push(partial)?;
            }
        }
        let mut out = [0; PARTIAL];
        out[..words].copy_from_slice(&tree.collapse().unwrap_or_default());
        Ok(out)
    }

    /// The partial of `n` elements from `lo` on, at most a run.
    fn block(&self, elements: &Elements<'_>, lo: usize, n: usize) -> Partial {
        let (mut state, mut partial) = ([0u64; STATE], [0u64; PARTIAL]);
        let state = state.as_mut_ptr().cast::<u8>();
        // SAFETY: state and partial are large enough (`reduce` asked), and the elements are there.
        unsafe {
            (self.fns.open)(state);
            match (elements.source, &elements.centre) {
                (Source::Whole { ptr, size }, None) => {
                    (self.fns.inner)(state, ptr.add(lo * size), n, lo as u64, 0);
                }
                _ => self.tiles(elements, lo, n, state),
            }
            (self.fns.close)(state, partial.as_mut_ptr().cast());
        }
        partial
    }

    /// Folds `n` elements from `lo` on, a tile at a time.
    ///
    /// # Safety
    /// The elements are there; the state is open.
    #[inline(never)]
    unsafe fn tiles(&self, elements: &Elements<'_>, lo: usize, n: usize, state: *mut u8) {
        let (mut own, mut spare, mut mean) = (Tile::new(), Tile::new(), Tile::new());
        let mut status = 0;
        let fold = elements.centre.as_ref().map_or(self.fns.inner, |c| c.squares.inner);
        // SAFETY: tiles have room for as many elements, and the caller's promise; sums of squares have the
        // states of sums.
        unsafe {
            elements.source.open(TILE.min(n), &mut own);
            if let Some(centre) = &elements.centre {
                centre.mean.open(TILE.min(n), &mut mean);
            }
            for at in (0..n).step_by(TILE) {
                let m = TILE.min(n - at);
                let mut tile = elements.source.tile(lo + at, m, &mut own, &mut spare);
                if let Some(centre) = &elements.centre {
                    let (to, mean) = (spare.ptr(), mean.ptr());
                    (centre.subtract)(to, tile, mean, mean, m, &raw mut status);
                    tile = to;
                }
                fold(state, tile, m, lo as u64, at);
            }
        }
    }

    /// One result per line along the axis.
    fn lines(&self, lines: &Lines<'_>) -> Result<()> {
        let axis = lines.axis.unwrap_or(0);
        let view = &lines.view;
        if let Some(inner) = lines.columns(self) {
            self.rows(lines, inner);
            return Ok(());
        }
        let kept: SmallVec<[(usize, isize); 4]> = (0..view.shape.len())
            .filter(|&a| a != axis)
            .map(|a| (view.shape[a], view.strides[a]))
            .collect();
        let mut place: SmallVec<[usize; 4]> = smallvec::smallvec![0; kept.len()];
        let (mut at, mut out) = (view.ptr, self.out.load(Ordering::Relaxed));
        for _ in 0..lines.results {
            let stride = view.strides[axis];
            let source = Source::along(at, view.dtype, self.compute, lines.each, stride);
            let fold = |elements: &Elements<'_>| {
                self.fold(elements, lines.each, 0, &super::Context::default())
            };
            let value = self.value(&fold, &source, lines.each)?;
            // SAFETY: the results are C-ordered, one per line.
            unsafe { write(out, value) };
            out = out.wrapping_add(self.result.size());
            for (p, &(extent, stride)) in place.iter_mut().zip(&kept).rev() {
                *p += 1;
                at = at.wrapping_offset(stride);
                if *p < extent {
                    break;
                }
                at = at.wrapping_offset(stride.wrapping_mul(extent.cast_signed()).wrapping_neg());
                *p = 0;
            }
        }
        Ok(())
    }

    /// One result per column of `inner` columns, for each place before the axis: a leaf of rows.
    fn rows(&self, lines: &Lines<'_>, inner: usize) {
        let view = &lines.view;
        let lanes = self.fns.lanes.min(lines.each);
        let width = (LANES / (lanes * self.fns.partial_bytes)).clamp(8, TILE).min(inner);
        let rows = Rows {
            job: self,
            source: Source::of_view(view, self.compute, view.shape, view.len()),
            n: lines.each,
            inner,
            lanes,
        };
        let mut partials = vec![0u64; lanes * width * self.fns.partial_bytes / 8];
        for outer in 0..lines.results / inner {
            for lo in (0..inner).step_by(width) {
                let m = width.min(inner - lo);
                // SAFETY: there is room for the lanes of `m` columns, and for as many results.
                unsafe {
                    let out = self.out.load(Ordering::Relaxed);
                    let to = out.add((outer * inner + lo) * self.result.size());
                    rows.columns(outer * lines.each * inner + lo, m, &mut partials, to);
                }
            }
        }
    }
}

/// Rows side by side, each column of which is a result.
struct Rows<'a> {
    job: &'a Job,
    source: Source,
    /// How many rows, of how many columns.
    n: usize,
    inner: usize,
    lanes: usize,
}

impl Rows<'_> {
    /// Results of the `m` columns (at most a tile) from element `first` on.
    ///
    /// # Safety
    /// `partials` has room for the lanes of `m` columns, and `out` for as many results.
    unsafe fn columns(&self, first: usize, m: usize, partials: &mut [u64], out: *mut u8) {
        let (job, state) = (self.job, partials.as_mut_ptr().cast::<u8>());
        let (mut given, mut means) = (Tile::new(), Tile::new());
        let dtype = job.given();
        let exact = dtype == job.result;
        let to = if exact { out } else { given.ptr() };
        let mut status = 0;
        // SAFETY: the caller's promise; tiles have room for `m` elements.
        unsafe {
            self.fold(first, m, state, None);
            match job.what {
                Reduction::Fold(_) => (job.fns.finish)(state, to, m),
                Reduction::Mean => self.over(state, to, m, 0),
                Reduction::Var(ddof) | Reduction::Std(ddof) => {
                    self.over(state, means.ptr(), m, 0);
                    self.fold(first, m, state, Some(means.ptr()));
                    self.over(state, to, m, ddof);
                }
            }
            if let (Reduction::Std(_), Some(root)) = (job.what, tile::map(Op::Sqrt, dtype)) {
                root(to, to, to, to, m, &raw mut status);
            }
            if !exact {
                tile::cast(dtype, job.result)(out, to, to, to, m, &raw mut status);
            }
        }
    }

    /// Folds the rows, or squares of their distances from a row of means, into the first lane.
    ///
    /// # Safety
    /// As for `columns`; `state` are the partials, and there are `m` means.
    unsafe fn fold(&self, first: usize, m: usize, state: *mut u8, means: Option<*const u8>) {
        let (fns, compute) = (&self.job.fns, self.job.compute);
        let (mut own, mut spare) = (Tile::new(), Tile::new());
        let lane = |k: usize| state.wrapping_add(k * m * fns.partial_bytes);
        let squares =
            means.zip(tile::map(Op::Subtract, compute)).zip(tile::map(Op::Multiply, compute));
        let mut status = 0;
        // SAFETY: `lanes` lanes of `m` partials each; the rows have `m` elements from `first` on.
        unsafe {
            (fns.clear)(state, self.lanes * m);
            for k in 0..self.n {
                let mut tile = self.source.tile(first + k * self.inner, m, &mut own, &mut spare);
                if let Some(((means, subtract), multiply)) = squares {
                    let to = spare.ptr();
                    subtract(to, tile, means, means, m, &raw mut status);
                    multiply(to, to, to, to, m, &raw mut status);
                    tile = to;
                }
                (fns.rows)(lane(k % self.lanes), tile, m, k as u64, 0);
            }
            let mut apart = 1;
            while apart < self.lanes {
                for i in (0..self.lanes - apart).step_by(2 * apart) {
                    (fns.combine)(lane(i), lane(i + apart), m);
                }
                apart *= 2;
            }
        }
    }

    /// Writes the sums of `m` columns over the count less `ddof`.
    ///
    /// # Safety
    /// There are `m` partials, and room for as many results.
    unsafe fn over(&self, state: *const u8, to: *mut u8, m: usize, ddof: i64) {
        let mut counts = Tile::new();
        let mut status = 0;
        // SAFETY: the caller's promise; a tile has room for `m` elements.
        unsafe {
            (self.job.fns.finish)(state, to, m);
            fill(counts.ptr(), self.job.count(self.n, ddof), m);
            if let Some(divide) = tile::map(Op::Divide, self.job.compute) {
                divide(to, to, counts.ptr(), to, m, &raw mut status);
            }
        }
    }
}

/// Frames, each into a result.
struct Frames<'a> {
    job: &'a Job,
    source: Source,
    /// Elements of a frame.
    each: usize,
    /// Whether the results pass the caches by.
    streamed: bool,
}

impl Parts for Frames<'_> {
    fn part(&self, lo: usize, hi: usize) -> Result<()> {
        let (job, each) = (self.job, self.each);
        let (mut own, mut spare, mut given) = (Tile::new(), Tile::new(), Tile::new());
        let (mut share, mut made) = (Tile::new(), Tile::new());
        let (dtype, mut status) = (job.given(), 0);
        let back = (dtype != job.result).then(|| tile::cast(dtype, job.result));
        let mean = tile::map(Op::Multiply, dtype).filter(|_| matches!(job.what, Reduction::Mean));
        // SAFETY: a part has whole tiles, but for the last, and a tile whole frames. Tiles have room for as
        // many elements, and the job for all results.
        unsafe {
            self.source.open(TILE.min(hi - lo), &mut own);
            if mean.is_some() {
                // The count is a power of two, and multiplying by its reciprocal is dividing by it.
                let n = TILE.min(hi - lo) / each;
                fill(share.ptr(), Scalar::from_f64(1.0 / each as f64, dtype), n);
            }
            for at in (lo..hi).step_by(TILE) {
                let m = TILE.min(hi - at);
                let tile = self.source.tile(at, m, &mut own, &mut spare);
                let result = job.out.load(Ordering::Relaxed).add(at / each * job.result.size());
                let out = if self.streamed { made.ptr() } else { result };
                let to = if back.is_some() { given.ptr() } else { out };
                (job.fns.frames)(to, tile, m, each as u64, 0);
                if let Some(multiply) = mean {
                    multiply(to, to, share.ptr(), to, m / each, &raw mut status);
                }
                if let Some(back) = back {
                    back(out, to, to, to, m / each, &raw mut status);
                }
                if self.streamed {
                    stream(out, result, m / each * job.result.size());
                }
            }
        }
        Ok(())
    }
}

/// Blocks of elements, each into a partial of its own.
struct Blocks<'a> {
    job: &'a Job,
    elements: &'a Elements<'a>,
    partials: AtomicPtr<u64>,
}

impl Parts for Blocks<'_> {
    const UNIT: usize = RUN;

    fn part(&self, lo: usize, hi: usize) -> Result<()> {
        const { assert!(PART.is_multiple_of(RUN)) };
        let (words, run) = (self.job.fns.partial_bytes / 8, self.elements.run());
        for at in (lo..hi).step_by(run) {
            let partial = self.job.block(self.elements, at, run.min(hi - at));
            let to = self.partials.load(Ordering::Relaxed).wrapping_add(at / run * words);
            // SAFETY: each block has its own partial in the list, which nobody reads until all are done.
            unsafe { std::ptr::copy_nonoverlapping(partial.as_ptr(), to, words) };
        }
        Ok(())
    }
}

fn no_loop() -> crate::error::Error {
    crate::error::Error::bug("a variance without loops for its differences")
}

/// # Safety
/// There is room for the value.
unsafe fn write(to: *mut u8, value: Scalar) {
    // SAFETY: the caller's promise.
    unsafe {
        std::ptr::copy_nonoverlapping(value.to_bytes().as_ptr(), to, value.dtype.size());
    }
}
