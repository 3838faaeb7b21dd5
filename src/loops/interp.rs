//! The meaning of a kernel: its lines run one after another on tiles, with no machine code made.
//!
//! Machine code must give the same bits, and this takes its place where none can be had. May not
//! know: plans, threads, how results are computed (that is `tile`).

use super::{Kernel, Layout, Line, Step};
use crate::dtype::DType;
use crate::tile::{self, FoldFn, TILE};

/// Bytes of a tile's memory, enough for every dtype.
const BYTES: usize = TILE * 8;

/// Where a line's value lies while the body runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// A line without a value, or one that nothing uses.
    None,
    /// This tile of the scratch memory.
    Tile(usize),
    /// In the buffer itself.
    Buf(u32),
}

/// Where the values of a kernel lie.
struct Places {
    of: Vec<Place>,
    tiles: usize,
}

impl Places {
    /// Gives each line a place: a tile is used again after its last reader, but no line writes over
    /// its own operands, whose elements may have another size.
    fn new(kernel: &Kernel) -> Self {
        let n = kernel.lines.len();
        let mut last = vec![0; n];
        for (i, line) in kernel.lines.iter().enumerate() {
            last[i] = last[i].max(i);
            for a in line.args() {
                last[a as usize] = i;
            }
        }
        let mut places = Places { of: vec![Place::None; n], tiles: 0 };
        for line in &kernel.lines {
            if let Line::Store { buf, value } = line {
                places.write_through(kernel, *buf, *value);
            }
        }
        let mut free = Vec::new();
        for (i, line) in kernel.lines.iter().enumerate() {
            if places.of[i] == Place::None && kernel.line_dtype(line).is_some() {
                places.of[i] = match line {
                    Line::Load { buf } if contiguous(kernel, *buf) => Place::Buf(*buf),
                    // A tile that is filled once must not have served an earlier line either,
                    // because that line runs again for the next tile.
                    _ => Place::Tile(match free.pop().filter(|_| !filled_once(kernel, line)) {
                        Some(tile) => tile,
                        None => {
                            places.tiles += 1;
                            places.tiles - 1
                        }
                    }),
                };
            }
            for a in line.args().into_iter().chain([i as u32]) {
                let a = a as usize;
                let done = last[a] == i && !filled_once(kernel, &kernel.lines[a]);
                if let (true, Place::Tile(at)) = (done, places.of[a]) {
                    free.push(at);
                    // An operand that occurs twice is freed once.
                    last[a] = usize::MAX;
                }
            }
        }
        places
    }

    /// Lets what is computed and stored to contiguous memory be computed right there.
    fn write_through(&mut self, kernel: &Kernel, buf: u32, value: u32) {
        let computed = matches!(
            kernel.lines[value as usize],
            Line::Map { .. } | Line::Cast { .. } | Line::Interp { .. }
        );
        if computed && contiguous(kernel, buf) && self.of[value as usize] == Place::None {
            self.of[value as usize] = Place::Buf(buf);
        }
    }
}

fn contiguous(kernel: &Kernel, buf: u32) -> bool {
    matches!(kernel.bufs[buf as usize].run, Step::Unit | Step::Packed)
}

/// Whether a line's tile is filled before the loop over tiles, and kept.
fn filled_once(kernel: &Kernel, line: &Line) -> bool {
    match line {
        Line::Scalar { .. } => true,
        Line::Index { dim } => *dim as usize + 1 != kernel.loops.len(),
        Line::Load { buf } => kernel.bufs[*buf as usize].run == Step::Fixed,
        _ => false,
    }
}

/// Bytes of scratch memory that [`run`] needs.
pub fn scratch(kernel: &Kernel) -> usize {
    Places::new(kernel).tiles * BYTES
}

/// Runs `kernel` on the argument words of one run (see [`super::Layout`]).
///
/// # Safety
/// The words must describe memory that the kernel may touch, with [`scratch`] bytes of scratch.
pub unsafe fn run(kernel: &Kernel, words: *const u64) {
    let layout = kernel.layout();
    let places = Places::new(kernel);
    // SAFETY: the caller promises that the words are the kernel's, so all of them can be read.
    let words = unsafe { std::slice::from_raw_parts(words, layout.len) };
    let run = Run { kernel, layout, places, words };
    let n = words[Layout::N] as usize;
    if n == 0 {
        return;
    }
    for (i, line) in kernel.lines.iter().enumerate() {
        if filled_once(kernel, line) {
            // SAFETY: the caller's promise about the words.
            unsafe { run.fill(i, n.min(TILE)) };
        }
    }
    for off in (0..n).step_by(TILE) {
        for i in 0..kernel.lines.len() {
            // SAFETY: as above; `off` and what follows it lie in the run.
            unsafe { run.line(i, off, TILE.min(n - off)) };
        }
    }
}

/// One run as it is interpreted.
struct Run<'a> {
    kernel: &'a Kernel,
    layout: Layout,
    places: Places,
    words: &'a [u64],
}

impl Run<'_> {
    fn buf(&self, buf: u32) -> (*mut u8, isize) {
        let at = self.layout.bufs + 2 * buf as usize;
        let stride = match self.kernel.bufs[buf as usize].run {
            Step::Fixed => 0,
            Step::Stride => self.words[at + 1].cast_signed() as isize,
            Step::Unit | Step::Packed => self.kernel.bufs[buf as usize].dtype.size() as isize,
        };
        (self.words[at] as *mut u8, stride)
    }

    /// Where element `off` of a buffer lies.
    fn element(&self, buf: u32, off: usize) -> *mut u8 {
        let (base, stride) = self.buf(buf);
        base.wrapping_offset(stride * off as isize)
    }

    /// Where a line's value for the tile at `off` lies.
    fn at(&self, line: usize, off: usize) -> *mut u8 {
        match self.places.of[line] {
            Place::None => std::ptr::null_mut(),
            Place::Tile(tile) => {
                (self.words[Layout::SCRATCH] as *mut u8).wrapping_add(tile * BYTES)
            }
            Place::Buf(buf) => self.element(buf, off),
        }
    }

    /// Fills the tile of a line that does not change along the run.
    ///
    /// # Safety
    /// The words describe memory that the kernel may touch.
    unsafe fn fill(&self, line: usize, n: usize) {
        let out = self.at(line, 0);
        let value = match self.kernel.lines[line] {
            Line::Scalar { slot } => &raw const self.words[self.layout.scalars + slot as usize],
            Line::Index { dim } => &raw const self.words[self.layout.index + dim as usize],
            Line::Load { buf } => self.buf(buf).0.cast_const().cast(),
            _ => return,
        };
        let size = self.kernel.line_dtype(&self.kernel.lines[line]).map_or(8, DType::size);
        // SAFETY: the tile has room for `n` elements; words are little-endian and at least as
        // large as the element.
        unsafe { copy(size, value.cast(), 0, out, size as isize, n) };
    }

    /// Runs a line on `n` elements from `off` on.
    ///
    /// # Safety
    /// The words describe memory that the kernel may touch, and the elements lie in the run.
    unsafe fn line(&self, line: usize, off: usize, n: usize) {
        let out = self.at(line, off);
        let status = self.words[Layout::STATUS] as *mut u32;
        let arg = |a: u32| self.at(a as usize, off).cast_const();
        match &self.kernel.lines[line] {
            Line::Scalar { .. } => {}
            Line::Index { dim } => {
                if filled_once(self.kernel, &self.kernel.lines[line]) {
                    return;
                }
                let first = self.words[self.layout.index + *dim as usize] + off as u64;
                for k in 0..n {
                    // SAFETY: a tile has room for `n` words.
                    unsafe { out.cast::<u64>().add(k).write_unaligned(first + k as u64) };
                }
            }
            Line::Load { buf } => {
                if self.kernel.bufs[*buf as usize].run != Step::Stride {
                    return;
                }
                let (_, stride) = self.buf(*buf);
                let size = self.kernel.bufs[*buf as usize].dtype.size();
                // SAFETY: the caller's promise; a tile has room for `n` elements.
                unsafe { copy(size, self.element(*buf, off), stride, out, size as isize, n) };
            }
            Line::Map { op, dtype, args } => {
                let Some(function) = tile::map(*op, *dtype) else {
                    unreachable!("the verifier admits no op without a loop: {op} on {dtype}")
                };
                let at = |k: usize| args.get(k).map_or(std::ptr::null(), |&a| arg(a));
                // SAFETY: operands and result are tiles of `n` elements; a result is an operand's very
                // memory, with elements of the same size, or shares none with it.
                unsafe { function(out, at(0), at(1), at(2), n, status) };
            }
            Line::Cast { from, to, arg: a } => {
                let none = std::ptr::null();
                // SAFETY: as for maps.
                unsafe { tile::cast(*from, *to)(out, arg(*a), none, none, n, status) };
            }
            Line::Interp { table, x, dtype } => {
                let table = self.words[self.layout.tables + *table as usize] as *const u8;
                let number = self.words[self.layout.index] as usize + off;
                let x = x.map_or(std::ptr::without_provenance(number), arg);
                // SAFETY: as for maps; the caller promises that the table is one.
                unsafe { tile::interp(*dtype)(out, x, table, std::ptr::null(), n, status) };
            }
            Line::Store { buf, value } => {
                // SAFETY: the caller's promise.
                unsafe { self.store(*buf, *value, off, n) };
            }
            Line::Fold { value, .. } => {
                // SAFETY: the caller's promise.
                unsafe { self.fold(line, arg(*value), off, n) };
            }
        }
    }

    /// # Safety
    /// As for [`Run::line`].
    unsafe fn store(&self, buf: u32, value: u32, off: usize, n: usize) {
        if self.places.of[value as usize] == Place::Buf(buf) {
            return;
        }
        let (_, stride) = self.buf(buf);
        let size = self.kernel.bufs[buf as usize].dtype.size();
        let from = self.at(value as usize, off);
        // SAFETY: the value is a tile of `n` elements; the caller's promise for the buffer.
        unsafe { copy(size, from, size as isize, self.element(buf, off), stride, n) };
    }

    /// # Safety
    /// As for [`Run::line`]; the words hold the fold's state and function.
    unsafe fn fold(&self, line: usize, tile: *const u8, off: usize, n: usize) {
        let before = &self.kernel.lines[..line];
        let k = before.iter().filter(|l| matches!(l, Line::Fold { .. })).count();
        let at = self.layout.folds + 2 * k;
        let state = self.words[at] as *mut u8;
        // SAFETY: the caller promises that this word is a `FoldFn`.
        let function =
            unsafe { std::mem::transmute::<*const (), FoldFn>(self.words[at + 1] as *const ()) };
        // SAFETY: the state is that function's, and the tile has `n` elements.
        unsafe { function(state, tile, n, self.words[Layout::FOLD_BASE], off) };
    }
}

/// Copies `n` elements of `size` bytes between places any number of bytes apart.
///
/// # Safety
/// All elements must be readable and writable; the two sides must not overlap.
unsafe fn copy(size: usize, from: *const u8, from_by: isize, to: *mut u8, to_by: isize, n: usize) {
    macro_rules! each {
        ($t:ty) => {
            for k in 0..n as isize {
                let from = from.wrapping_offset(from_by * k).cast::<$t>();
                let to = to.wrapping_offset(to_by * k).cast::<$t>();
                // SAFETY: the caller's promise; no alignment is needed.
                unsafe { to.write_unaligned(from.read_unaligned()) };
            }
        };
    }
    match size {
        1 => each!(u8),
        2 => each!(u16),
        4 => each!(u32),
        _ => each!(u64),
    }
}
