//! Elements by number: `take`, and indexing by arrays of integers, as opaque calls.
//!
//! Of one array an operand, and of each axis that is indexed one of numbers; these broadcast. Runs of elements
//! behind the indexed axes are copied as they lie.
//!
//! May not know: what elements mean, arrays that are not in memory, graphs, Python.

use std::borrow::Cow;
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
const CHUNK: usize = 4096;

impl Gather {
    /// Adds to `out` the bytes from the start of an axis to its elements of such numbers, and tells whether
    /// all have one.
    fn places(&self, numbers: &[i64], length: usize, stride: isize, out: &mut [isize]) -> bool {
        let n = length as i64;
        let step = |at: i64| (at as isize).wrapping_mul(stride);
        let pairs = out.iter_mut().zip(numbers);
        let mut inside = true;
        match self.beyond {
            Beyond::Raise => pairs.for_each(|(out, &i)| {
                inside &= (-n..n).contains(&i);
                *out = out.wrapping_add(step(if i < 0 { i.wrapping_add(n) } else { i }));
            }),
            _ if n == 0 => inside = numbers.is_empty(),
            Beyond::Wrap => pairs.for_each(|(out, &i)| *out += step(i.rem_euclid(n))),
            Beyond::Clip => pairs.for_each(|(out, &i)| *out += step(i.clamp(0, n - 1))),
        }
        inside
    }

    /// The error for numbers of the indexed axis `k`, which has `length` elements, if one is of none of them.
    ///
    /// # Errors
    /// `Index`, `Memory`.
    pub fn check(&self, k: usize, length: usize, numbers: &Storage) -> Result<()> {
        if self.beyond != Beyond::Raise {
            return Ok(());
        }
        let (line, all, n) =
            (Numbers::new(numbers, &numbers.shape)?, count(&numbers.shape)?, length as i64);
        let mut read = Vec::new();
        for from in (0..all).step_by(CHUNK) {
            line.read(from..all.min(from + CHUNK), &mut read);
            if let Some(i) = read.iter().find(|i| !(-n..n).contains(*i)) {
                let axis = self.called.get(k).copied().unwrap_or(k);
                let message =
                    format!("index {i} is out of bounds for axis {axis} with size {length}");
                return Err(Error::index(message));
            }
        }
        Ok(())
    }
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
        let (all, blocks) = (count(&shared)?, count(ahead.0)?);
        let mut read = Vec::new();
        let mut places = [0isize; CHUNK];
        for from in (0..all).step_by(CHUNK) {
            let range = from..all.min(from + CHUNK);
            let places = &mut places[..range.len()];
            places.fill(0);
            for ((line, &length), &step) in lines.iter().zip(lengths).zip(steps) {
                line.read(range.clone(), &mut read);
                if self.places(&read, length, step, places) {
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

    fn read(&self, range: std::ops::Range<usize>, out: &mut Vec<i64>) {
        use DType::*;
        out.clear();
        macro_rules! widened {
            ($t:ty) => {
                // SAFETY: the numbers lie in C order, as many as the shape says, which the range is in;
                // they need not be aligned.
                out.extend(range.map(|k| unsafe {
                    self.0.ptr.cast::<$t>().add(k).read_unaligned() as i64
                }))
            };
        }
        match self.0.dtype {
            I8 => widened!(i8),
            I16 => widened!(i16),
            I32 => widened!(i32),
            I64 => widened!(i64),
            U16 => widened!(u16),
            U32 => widened!(u32),
            // As NumPy's cast to a signed number, of which what has no element is told.
            U64 => widened!(u64),
            // Bytes, of `bool` too.
            _ => widened!(u8),
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
        let error = run(Beyond::Raise).unwrap_err();
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
        let error = both.run(&[x, first, numbers]).unwrap_err();
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
