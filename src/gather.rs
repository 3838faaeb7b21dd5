//! Elements by number: `take`, and indexing by arrays of integers, as opaque calls.
//!
//! Of one array an operand, and of each axis that is indexed one of numbers; these broadcast. Runs of elements
//! behind the indexed axes are copied as they lie.
//!
//! May not know: what elements mean, arrays that are not in memory, graphs, Python.

use std::borrow::Cow;
use std::cell::Cell;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::buffer::{Buffer, Storage};
use crate::call::Call;
use crate::dtype::{DType, Kind};
use crate::error::{Error, Result};
use crate::shape::{self, Places, Shape, Strides, count};

/// What a number means that is of no element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beyond {
    /// A mistake; but negative ones count from the end.
    Raise,
    /// The one that comes when the axis is gone round.
    Wrap,
    /// The first or the last; no number counts from the end.
    Clip,
}

/// Elements by their numbers along some axes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gather {
    /// What texts and errors call it.
    pub name: String,
    /// The first of the indexed axes, which follow each other.
    pub axis: usize,
    /// What errors call each of them.
    pub called: SmallVec<[usize; 4]>,
    /// What is done with numbers of no element.
    pub beyond: Beyond,
}

/// Numbers that are looked up at a time.
const CHUNK: usize = 1024;

impl Gather {
    /// Adds to `out` the bytes from the start of an axis to its elements of the numbers from `from` on, and tells
    /// whether all have one.
    fn places(
        &self,
        numbers: &Numbers,
        from: usize,
        (length, stride): (usize, isize),
        out: &mut [isize],
    ) -> bool {
        let n = length as i64;
        let step = move |at: i64| (at as isize).wrapping_mul(stride);
        match self.beyond {
            Beyond::Raise => numbers.each(from, out, move |out, i| {
                *out = out.wrapping_add(step(i.wrapping_add(n & (i >> 63))));
                has_element(i, n)
            }),
            _ if n == 0 => out.is_empty(),
            Beyond::Wrap => numbers.each(from, out, move |out, i| {
                *out += step(i.rem_euclid(n));
                true
            }),
            Beyond::Clip => numbers.each(from, out, move |out, i| {
                *out += step(i.clamp(0, n - 1));
                true
            }),
        }
    }

    /// The error for numbers of the indexed axis `k`, which has `length` elements, if one is of none of them.
    ///
    /// # Errors
    /// `Index`, `Memory`.
    pub fn check(&self, k: usize, length: usize, numbers: &Storage) -> Result<()> {
        if self.beyond != Beyond::Raise {
            return Ok(());
        }
        let (line, n) = (Numbers::new(numbers, &numbers.shape)?, length as i64);
        // Nothing is kept of each.
        let mut all = vec![(); count(&numbers.shape)?];
        if line.each(0, &mut all, move |(), i| has_element(i, n)) {
            return Ok(());
        }
        let wrong = Cell::new(None);
        line.each(0, &mut all, |(), i| {
            if wrong.get().is_none() && !has_element(i, n) {
                wrong.set(Some(i));
            }
            true
        });
        let Some(i) = wrong.get() else { return Ok(()) };
        let axis = self.called.get(k).copied().unwrap_or(k);
        Err(Error::index(format!("index {i} is out of bounds for axis {axis} with size {length}")))
    }
}

/// Whether a number is one of `n` elements', from the start or from the end.
#[inline(always)]
fn has_element(i: i64, n: i64) -> bool {
    // Lengths are less than half of what is counted here.
    (i.wrapping_add(n).cast_unsigned()) < 2 * n.cast_unsigned()
}

impl Call for Gather {
    fn name(&self) -> &str {
        &self.name
    }

    fn key(&self) -> Option<Cow<'_, str>> {
        Some(format!("{self:?}").into())
    }

    fn infer(&self, operands: &[(DType, &[usize])]) -> Result<(DType, Shape)> {
        let bug = || Error::bug(format!("{}: operands that do not fit", self.name));
        let [(dtype, full), numbers @ ..] = operands else { return Err(bug()) };
        let behind = full.get(self.axis + numbers.len()..).ok_or_else(bug)?;
        if let Some((d, _)) =
            numbers.iter().find(|(d, _)| !matches!(d.kind(), Kind::Bool | Kind::Int))
        {
            return Err(Error::unsupported(format!("{}: {d} does not number elements", self.name)));
        }
        if numbers.is_empty() || numbers.len() != self.called.len() {
            return Err(bug());
        }
        let shared = shape::broadcast(&self.name, numbers.iter().map(|(_, shape)| *shape))?;
        let mut out = Shape::from_slice(&full[..self.axis]);
        out.extend_from_slice(&shared);
        out.extend_from_slice(behind);
        Ok((*dtype, out))
    }

    fn run(&self, operands: &[Storage]) -> Result<Storage> {
        let known: SmallVec<[(DType, &[usize]); 3]> =
            operands.iter().map(|o| (o.dtype, o.shape.as_slice())).collect();
        let (dtype, shape) = self.infer(&known)?;
        let [a, numbers @ ..] = operands else { return Err(Error::bug("gather: no operand")) };
        let shared = shape::broadcast(&self.name, numbers.iter().map(|i| i.shape.as_slice()))?;
        let lines = numbers.iter().map(|i| Numbers::new(i, &shared)).collect::<Result<Vec<_>>>()?;
        let indexed = self.axis..self.axis + numbers.len();
        let (lengths, steps) = (&a.shape[indexed.clone()], &a.strides[indexed.clone()]);
        let ahead = (&a.shape[..indexed.start], &a.strides[..indexed.start]);
        let behind = Runs::new(&a.shape[indexed.end..], &a.strides[indexed.end..], dtype.size())?;

        let mut out = Buffer::new(count(&shape)? * dtype.size())?;
        if let ([line], [length], [step]) = (&*lines, lengths, steps)
            && self.beyond == Beyond::Raise
            && ahead.0.is_empty()
            && behind.places == [0]
            && behind.bytes.cast_signed() == *step
            // SAFETY: the storage keeps `length` runs without gaps; the result has one for each number.
            && unsafe { line.copy(a.ptr, *length, behind.bytes, out.bytes_mut()) }
        {
            return Storage::from_buffer(Arc::new(out), dtype, shape);
        }
        let (all, blocks) = (count(&shared)?, count(ahead.0)?);
        let mut places = [0isize; CHUNK];
        for from in (0..all).step_by(CHUNK) {
            let range = from..all.min(from + CHUNK);
            let places = &mut places[..range.len()];
            places.fill(0);
            for ((line, &length), &step) in lines.iter().zip(lengths).zip(steps) {
                if self.places(line, from, (length, step), places) {
                    continue;
                }
                if self.beyond == Beyond::Raise {
                    for (k, numbers) in numbers.iter().enumerate() {
                        self.check(k, lengths[k], numbers)?;
                    }
                }
                if !out.is_empty() {
                    return Err(Error::index("cannot do a non-empty take from an empty axes."));
                }
            }
            if out.is_empty() {
                continue;
            }
            let mut block = Places::new(ahead.0, ahead.1);
            let row = behind.bytes();
            for i in 0..blocks {
                let to = &mut out.bytes_mut()[(i * all + range.start) * row..][..range.len() * row];
                let base = block.advance();
                // SAFETY: there are elements, so the axes ahead and behind have some, and each number was
                // found to be one of its axis: all these places are of elements of the view, which the
                // storage keeps.
                unsafe { behind.copy(a.ptr.offset(base), places, to) };
            }
        }
        Storage::from_buffer(Arc::new(out), dtype, shape)
    }
}

/// Integers of any dtype in C order.
struct Numbers(Storage);

impl Numbers {
    fn new(numbers: &Storage, shape: &Shape) -> Result<Self> {
        let pad = shape.len() - numbers.shape.len();
        let stride = |axis: usize| match axis.checked_sub(pad) {
            Some(axis) if numbers.shape[axis] != 1 => numbers.strides[axis],
            _ => 0,
        };
        let strides = (0..shape.len()).map(stride).collect::<Strides>();
        let all = Storage { shape: shape.clone(), strides, ..numbers.clone() };
        Ok(Self(if all.is_contiguous() { all } else { all.c_ordered()? }))
    }

    /// Copies runs of so many bytes by their numbers, where both are of the most frequent kinds; false where they
    /// are not, or a number has no run.
    ///
    /// # Safety
    /// There are `length` runs without gaps, and room in `to` for one for each number.
    unsafe fn copy(&self, from: *const u8, length: usize, bytes: usize, to: &mut [u8]) -> bool {
        if self.0.dtype != DType::I64 {
            return false;
        }
        let numbers = self.0.ptr.cast();
        // SAFETY: the caller's promise; there is a number for each run that `to` has room for.
        unsafe {
            match bytes {
                1 => line::<u8>(from, length, numbers, to),
                2 => line::<u16>(from, length, numbers, to),
                4 => line::<u32>(from, length, numbers, to),
                8 => line::<u64>(from, length, numbers, to),
                16 => line::<u128>(from, length, numbers, to),
                _ => false,
            }
        }
    }

    /// Hands each of the numbers from `from` on to `f`, with one of `beside`, and tells whether it held for all.
    fn each<T>(&self, from: usize, beside: &mut [T], f: impl Fn(&mut T, i64) -> bool) -> bool {
        use DType::*;
        macro_rules! widened {
            ($t:ty, $widen:expr) => {{
                let (first, mut all) = (self.0.ptr.cast::<$t>(), true);
                for (k, beside) in beside.iter_mut().enumerate() {
                    // SAFETY: the numbers lie in C order, as many as the shape says, and nobody asks for more;
                    // they need not be aligned.
                    let i = unsafe { first.add(from + k).read_unaligned() };
                    all &= f(beside, $widen(i));
                }
                all
            }};
        }
        assert!(count(&self.0.shape).is_ok_and(|n| from + beside.len() <= n));
        match self.0.dtype {
            I8 => widened!(i8, i64::from),
            I16 => widened!(i16, i64::from),
            I32 => widened!(i32, i64::from),
            I64 => widened!(i64, |i| i),
            U16 => widened!(u16, i64::from),
            U32 => widened!(u32, i64::from),
            // As NumPy's cast to a signed number, of which what has no element is told.
            U64 => widened!(u64, u64::cast_signed),
            // Bytes, of `bool` too.
            _ => widened!(u8, i64::from),
        }
    }
}

/// The elements behind the indexed axes, as runs without gaps.
struct Runs {
    /// Where they begin.
    places: Vec<isize>,
    /// The bytes of each.
    bytes: usize,
}

impl Runs {
    fn new(shape: &[usize], strides: &[isize], size: usize) -> Result<Self> {
        let (mut bytes, mut rank) = (size, shape.len());
        while rank > 0 && (shape[rank - 1] == 1 || strides[rank - 1] == bytes.cast_signed()) {
            rank -= 1;
            bytes *= shape[rank];
        }
        let n = count(&shape[..rank])?;
        let mut places = Vec::new();
        let refused = |_| Error::memory(format!("no memory for the places of {n} runs"));
        places.try_reserve_exact(n).map_err(refused)?;
        let mut at = Places::new(&shape[..rank], &strides[..rank]);
        places.extend((0..n).map(|_| at.advance()));
        Ok(Self { places, bytes })
    }

    /// The bytes of all of them.
    fn bytes(&self) -> usize {
        self.places.len() * self.bytes
    }

    /// Copies the runs that begin at each of `places` behind each other.
    ///
    /// # Safety
    /// They are there; `to` has [`Runs::bytes`] for each place.
    unsafe fn copy(&self, from: *const u8, places: &[isize], to: &mut [u8]) {
        // SAFETY: the caller's promise, for each of them.
        unsafe {
            match (self.places.as_slice(), self.bytes) {
                ([0], 1) => each::<u8>(from, places, to),
                ([0], 2) => each::<u16>(from, places, to),
                ([0], 4) => each::<u32>(from, places, to),
                ([0], 8) => each::<u64>(from, places, to),
                ([0], 16) => each::<u128>(from, places, to),
                (_, 0) => {}
                _ => {
                    let mut parts = to.chunks_exact_mut(self.bytes);
                    for place in places {
                        for (run, part) in self.places.iter().zip(&mut parts) {
                            let run = from.offset(place + run);
                            std::ptr::copy_nonoverlapping(run, part.as_mut_ptr(), part.len());
                        }
                    }
                }
            }
        }
    }
}

/// Copies elements of a line by their numbers, up to the first of no element, which is told.
///
/// # Safety
/// There are `length` elements side by side, and a number for each that `to` has room for.
unsafe fn line<T: Copy>(
    from: *const u8,
    length: usize,
    numbers: *const i64,
    to: &mut [u8],
) -> bool {
    let (from, n) = (from.cast::<T>(), length as i64);
    let out = to.as_mut_ptr().cast::<T>();
    for k in 0..to.len() / size_of::<T>() {
        // SAFETY: the caller's promise; the number is that of an element, counted from either end.
        unsafe {
            let i = numbers.add(k).read_unaligned();
            if !has_element(i, n) {
                return false;
            }
            let at = i.wrapping_add(n & (i >> 63)) as usize;
            out.add(k).write_unaligned(from.add(at).read_unaligned());
        }
    }
    true
}

/// Copies what lies at each of `places`.
///
/// # Safety
/// There are a `T`'s bytes, and as many in `to` for each.
unsafe fn each<T: Copy>(from: *const u8, places: &[isize], to: &mut [u8]) {
    let to = to.as_mut_ptr().cast::<T>();
    for (k, &place) in places.iter().enumerate() {
        // SAFETY: the caller's promise.
        unsafe { to.add(k).write_unaligned(from.offset(place).cast::<T>().read_unaligned()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gather(name: &str, axis: usize, axes: usize, beyond: Beyond) -> Gather {
        Gather { name: name.into(), axis, called: (axis..axis + axes).collect(), beyond }
    }

    fn of(x: &[f32], shape: &[usize]) -> Storage {
        Storage::from_slice(x, shape).unwrap()
    }

    fn transposed(x: &Storage) -> Storage {
        let (mut shape, mut strides) = (x.shape.clone(), x.strides.clone());
        shape.reverse();
        strides.reverse();
        Storage { shape, strides, ..x.clone() }
    }

    const X: [f32; 6] = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0];

    #[test]
    fn numbers_of_any_dtype_and_layout_are_looked_up() {
        let line = gather("take", 0, 1, Beyond::Raise);
        let x = of(&X, &[6]);
        for numbers in [
            Storage::from_slice(&[5i64, -6, 3], &[3]).unwrap(),
            Storage::from_slice(&[5i8, -6, 3], &[3]).unwrap(),
            Storage::from_slice(&[5u16, 0, 3], &[3]).unwrap(),
        ] {
            let got = line.run(&[x.clone(), numbers]).unwrap();
            assert_eq!(got.to_vec::<f32>().unwrap(), [5.0, 0.0, 3.0]);
        }
        let square = transposed(&Storage::from_slice(&[0i32, 1, 2, 3], &[2, 2]).unwrap());
        let got = line.run(&[x, square]).unwrap();
        assert_eq!(
            (&got.shape[..], got.to_vec::<f32>().unwrap()),
            (&[2, 2][..], vec![0.0, 2.0, 1.0, 3.0])
        );
    }

    #[test]
    fn axes_ahead_and_behind_stay_whatever_their_strides() {
        let x = of(&X, &[2, 3]);
        let numbers = Storage::from_slice(&[1i64, 0], &[2]).unwrap();
        let rows = gather("rows", 0, 1, Beyond::Raise);
        let columns = gather("columns", 1, 1, Beyond::Raise);
        let run = |g: &Gather, x: &Storage| g.run(&[x.clone(), numbers.clone()]).unwrap();
        assert_eq!(run(&rows, &x).to_vec::<f32>().unwrap(), [3.0, 4.0, 5.0, 0.0, 1.0, 2.0]);
        assert_eq!(run(&columns, &x).to_vec::<f32>().unwrap(), [1.0, 0.0, 4.0, 3.0]);
        let t = transposed(&x);
        assert_eq!(run(&rows, &t).to_vec::<f32>().unwrap(), [1.0, 4.0, 0.0, 3.0]);
        let both = gather("both", 0, 2, Beyond::Raise);
        let got = both.run(&[x, numbers.clone(), numbers]).unwrap();
        assert_eq!(got.to_vec::<f32>().unwrap(), [4.0, 0.0]);
    }

    #[test]
    fn numbers_of_no_element_are_refused_or_meant() {
        let x = of(&X, &[2, 3]);
        let numbers = Storage::from_slice(&[1i64, 7, -9], &[3]).unwrap();
        let run = |beyond| gather("take", 1, 1, beyond).run(&[x.clone(), numbers.clone()]);
        let error = run(Beyond::Raise).err().unwrap();
        assert_eq!(error.message(), "index 7 is out of bounds for axis 1 with size 3");
        assert_eq!(
            run(Beyond::Wrap).unwrap().to_vec::<f32>().unwrap(),
            [1.0, 1.0, 0.0, 4.0, 4.0, 3.0]
        );
        assert_eq!(
            run(Beyond::Clip).unwrap().to_vec::<f32>().unwrap(),
            [1.0, 2.0, 0.0, 4.0, 5.0, 3.0]
        );
        // Of two arrays of numbers the first one's mistake is told, wherever it stands.
        let both = gather("both", 0, 2, Beyond::Raise);
        let first = Storage::from_slice(&[0i64, 0, -3], &[3]).unwrap();
        let error = both.run(&[x, first, numbers]).err().unwrap();
        assert_eq!(error.message(), "index -3 is out of bounds for axis 0 with size 2");
    }

    #[test]
    fn of_nothing_only_nothing_is_taken() {
        let x = of(&[], &[0, 2]);
        let none = Storage::from_slice::<i64>(&[], &[0]).unwrap();
        let one = Storage::from_slice(&[0i64], &[1]).unwrap();
        for (beyond, numbers, fits) in [
            (Beyond::Raise, &none, true),
            (Beyond::Clip, &none, true),
            (Beyond::Raise, &one, false),
            (Beyond::Wrap, &one, false),
        ] {
            let got = gather("take", 0, 1, beyond).run(&[x.clone(), numbers.clone()]);
            assert_eq!(got.is_ok(), fits);
        }
    }
}
