//! Order statistics: median and quantiles, as opaque calls.
//!
//! Elements become unsigned integers of the same order, among which a selection puts the wanted ones in their
//! places, without sorting the rest. Where one or two of many are wanted, a sample tells between which keys they
//! are likely to be, and the selection is among those alone. Of very many not all are kept: a first pass counts
//! how many have which leading bits, and a second one keeps those that share them with a wanted one. What is
//! computed from those follows NumPy's formulas step by step, each rounded in NumPy's dtype, so that results
//! have its bits (but for the sign of a zero among zeros of both signs, which NumPy leaves to chance).
//!
//! May not know: arrays that are not in memory, graphs, Python.

use std::collections::TryReserveError;
use std::ops::Range;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::buffer::{Buffer, Storage};
use crate::call::Call;
use crate::dtype::{DType, Scalar};
use crate::error::{Error, Result};
use crate::shape::{self, Shape, Strides};

/// What stands at a place of the sorted elements, or between two places.
#[derive(Clone, Debug, PartialEq)]
pub enum Statistic {
    /// The middle one, or the mean of the middle two.
    Median,
    /// By linear interpolation between neighbours (NumPy's method `linear`).
    Quantiles {
        /// Fractions of the way from the smallest to the largest, between 0 and 1.
        at: Vec<f64>,
        /// Whether the result has a leading axis for them.
        many: bool,
        /// Whether the fractions leave a float dtype as it is, as Python's numbers do.
        weak: bool,
    },
}

/// A statistic along axes.
#[derive(Clone, Debug, PartialEq)]
pub struct Select {
    /// What texts and errors call it.
    pub name: &'static str,
    /// What is wanted.
    pub statistic: Statistic,
    /// Along which axes; `None`: all.
    pub axis: Option<Vec<i64>>,
    /// Whether those stay, with length 1.
    pub keepdims: bool,
}

impl Select {
    /// Whether it gives one value of each line.
    pub fn is_single(&self) -> bool {
        !matches!(self.statistic, Statistic::Quantiles { many: true, .. })
    }

    fn dtype(&self, of: DType) -> Result<DType> {
        use DType::*;
        let (median, weak) = match self.statistic {
            Statistic::Median => (true, true),
            Statistic::Quantiles { weak, .. } => (false, weak),
        };
        match of {
            F16 if median => Ok(F16),
            F32 if weak => Ok(F32),
            Bool if !median => Err(self.unsupported(of)),
            F16 | C64 | C128 => Err(self.unsupported(of)),
            _ => Ok(F64),
        }
    }

    fn unsupported(&self, of: DType) -> Error {
        let known = "integers, float32 and float64";
        Error::unsupported(format!("{}: no kernel for {of}; there are some for {known}", self.name))
    }

    /// The axes that stay, then those that are reduced.
    fn split(&self, rank: usize) -> Result<(Shape, Shape)> {
        let reduced = shape::axes(self.name, self.axis.as_deref(), rank)?;
        Ok((0..rank).partition(|axis| !reduced.contains(axis)))
    }

    /// How many results each run of elements has.
    fn results(&self) -> usize {
        match &self.statistic {
            Statistic::Median => 1,
            Statistic::Quantiles { at, .. } => at.len(),
        }
    }

    /// The places of the sorted elements that results are made of.
    fn points(&self, n: usize) -> SmallVec<[Point; 1]> {
        match &self.statistic {
            Statistic::Median => smallvec::smallvec![Point::middle(n)],
            Statistic::Quantiles { at, .. } => at.iter().map(|&q| Point::linear(n, q)).collect(),
        }
    }

    /// The result of all of a few elements, whose bytes follow each other; `None` for several results, and
    /// where [`Call::run`] has an error to tell.
    pub fn of_all(&self, from: DType, elements: &[u8]) -> Result<Option<Scalar>> {
        let many = matches!(self.statistic, Statistic::Quantiles { many: true, .. });
        let Some(dtype) = self.dtype(from).ok().filter(|_| !many && !elements.is_empty()) else {
            return Ok(None);
        };
        let n = elements.len() / from.size();
        let pieces = |f: &mut dyn FnMut(&[u8])| {
            elements.chunks(1024 * from.size()).for_each(f);
            Ok(())
        };
        let mut value = 0.0;
        self.sized(from, n, &pieces, |_, result| value = result)?;
        Ok(Some(Scalar::from_f64(value, dtype)))
    }

    /// The results of `n` elements, each with its number.
    fn sized(
        &self,
        from: DType,
        n: usize,
        pieces: &Pieces<'_>,
        put: impl FnMut(usize, f64),
    ) -> Result<()> {
        match from.size() {
            1 => self.fill::<u8>(from, n, pieces, put),
            2 => self.fill::<u16>(from, n, pieces, put),
            4 => self.fill::<u32>(from, n, pieces, put),
            _ => self.fill::<u64>(from, n, pieces, put),
        }
    }

    /// The same, by keys.
    fn fill<K: Key>(
        &self,
        from: DType,
        n: usize,
        pieces: &Pieces<'_>,
        mut put: impl FnMut(usize, f64),
    ) -> Result<()> {
        let points = self.points(n);
        let mut places: SmallVec<[usize; 4]> =
            points.iter().flat_map(|p| [p.low, p.high]).collect();
        places.sort_unstable();
        places.dedup();
        let memory = |_| Error::memory(format!("{}: no memory for {n} elements", self.name));
        let mut settled = Vec::new();
        let nan = if LONG.contains(&n) && places.len() <= MANY {
            let found = settle::<K>(from, pieces, &places, &mut settled)?;
            found.map_err(memory)?
        } else {
            let mut keys = Vec::<K>::new();
            keys.try_reserve_exact(n).map_err(memory)?;
            pieces(&mut |bytes| K::extend(&mut keys, bytes, from))?;
            let nan = from.is_float() && K::any_nan(&keys, from);
            let sampled = !nan
                && SAMPLED.contains(&n)
                && places.len() <= MANY
                && settle_sampled(&keys, &places, &mut settled);
            if !nan && !sampled {
                select(&mut keys, &places, 0, &mut settled);
            }
            nan
        };
        for (k, point) in points.iter().enumerate() {
            if nan {
                put(k, f64::NAN);
                continue;
            }
            let at = |place: usize| places.partition_point(|&p| p < place);
            let value = |place: usize| settled[at(place)].value(from);
            put(k, self.combine(point, value(point.low), value(point.high)));
        }
        Ok(())
    }

    /// What a result is made of its neighbours, as NumPy computes it.
    fn combine(&self, point: &Point, low: Scalar, high: Scalar) -> f64 {
        match &self.statistic {
            Statistic::Median => point.mean(low, high),
            Statistic::Quantiles { weak, .. } => point.between(low, high, *weak),
        }
    }
}

impl Call for Select {
    fn name(&self) -> &str {
        self.name
    }

    fn infer(&self, operands: &[(DType, &[usize])]) -> Result<(DType, Shape)> {
        let (from, full) = operands[0];
        let dtype = self.dtype(from)?;
        let (kept, reduced) = self.split(full.len())?;
        if full.is_empty() || reduced.iter().any(|&axis| full[axis] == 0) {
            let what = if full.is_empty() { "a single value" } else { "no elements" };
            return Err(Error::unsupported(format!("{}: no kernel for {what}", self.name)));
        }
        let mut shape = Shape::new();
        if let Statistic::Quantiles { at, many: true, .. } = &self.statistic {
            shape.push(at.len());
        }
        shape.extend((0..full.len()).filter_map(|axis| {
            if kept.contains(&axis) { Some(full[axis]) } else { self.keepdims.then_some(1) }
        }));
        Ok((dtype, shape))
    }

    fn run(&self, operands: &[Storage]) -> Result<Storage> {
        let a = &operands[0];
        let (dtype, shape) = self.infer(&[(a.dtype, &a.shape)])?;
        let (kept, reduced) = self.split(a.shape.len())?;
        let n: usize = reduced.iter().map(|&axis| a.shape[axis]).product();
        let order = || kept.iter().chain(&reduced);
        let lined = Storage {
            shape: order().map(|&axis| a.shape[axis]).collect(),
            strides: order().map(|&axis| a.strides[axis]).collect::<Strides>(),
            ..a.clone()
        };
        let lined = if lined.is_contiguous() { lined } else { lined.c_ordered()? };
        let mut out = Results { buffer: Buffer::new(shape::count(&shape)? * dtype.size())?, dtype };
        // Those of one fraction are together.
        let runs = shape::count(&a.shape)? / n;
        debug_assert_eq!(shape::count(&shape)?, runs * self.results());
        for run in 0..runs {
            let bytes = n * a.dtype.size();
            let pieces = |f: &mut dyn FnMut(&[u8])| lined.pieces(run * bytes..(run + 1) * bytes, f);
            self.sized(a.dtype, n, &pieces, |k, value| out.put(k * runs + run, value))?;
        }
        Storage::from_buffer(Arc::new(out.buffer), dtype, shape)
    }
}

/// Hands on the bytes of a run's elements, piece by piece.
type Pieces<'a> = dyn Fn(&mut dyn FnMut(&[u8])) -> Result<()> + 'a;

/// Runs shorter than this are selected from as they are.
const SAMPLED: Range<usize> = 2048..1 << 17;
/// Of runs from this length on not all keys are kept, unless they are too long to count.
const LONG: Range<usize> = SAMPLED.end..u32::MAX as usize;
/// For more places than this the keys are kept: each bin that has some is a pass over the elements.
const MANY: usize = 2;
/// One key of so many is in a sample, which has no more than [`SAMPLE`].
const ONE_OF: usize = 16;
const SAMPLE: usize = 1024;
/// So many deviations of a place in a sample, on either side, nearly always hold the wanted one.
const DEVIATIONS: usize = 3;
/// Leading bits that elements of long runs are sorted into bins by.
const BIN_BITS: u32 = 11;
/// Keys that are looked at together when those of a bin are picked out.
const TOGETHER: usize = 16;

/// Puts the keys that would stand at ascending `places`, were all sorted, into `settled`, unless one is NaN,
/// which is what it tells; an error inside is lack of memory.
fn settle<K: Key>(
    from: DType,
    pieces: &Pieces<'_>,
    places: &[usize],
    settled: &mut Vec<K>,
) -> Result<std::result::Result<bool, TryReserveError>> {
    // Two tables, since neighbours are often alike, and one count would wait for the other.
    let mut counts = [[0u32; 1 << BIN_BITS]; 2];
    let (mut keys, mut nan) = (Vec::<K>::new(), false);
    pieces(&mut |bytes| {
        keys.clear();
        K::extend(&mut keys, bytes, from);
        nan |= from.is_float() && K::any_nan(&keys, from);
        let pairs = keys.chunks_exact(2);
        pairs.remainder().iter().for_each(|key| counts[0][key.bin()] += 1);
        for pair in pairs {
            counts[0][pair[0].bin()] += 1;
            counts[1][pair[1].bin()] += 1;
        }
    })?;
    let mut room = Vec::new();
    let (mut bin, mut below, mut wanted) = (0, 0, places);
    while !nan && !wanted.is_empty() && bin < 1 << BIN_BITS {
        let count = (counts[0][bin] + counts[1][bin]) as usize;
        if wanted[0] < below + count {
            let here = wanted.partition_point(|&place| place < below + count);
            if let Err(e) = room.try_reserve(count + 1) {
                return Ok(Err(e));
            }
            room.resize(count + 1, keys[0]);
            let mut taken = 0;
            pieces(&mut |bytes| {
                keys.clear();
                K::extend(&mut keys, bytes, from);
                for some in keys.chunks(TOGETHER) {
                    // Often there are none, and that is seen at once.
                    if !some.iter().fold(false, |any, key| any | (key.bin() == bin)) {
                        continue;
                    }
                    // Each key is written, and stays if the place moves on.
                    for &key in some {
                        room[taken.min(count)] = key;
                        taken += usize::from(key.bin() == bin);
                    }
                }
            })?;
            // What was counted is there, unless somebody writes to the elements meanwhile.
            room.truncate(count);
            select(&mut room, &wanted[..here], below, settled);
            wanted = &wanted[here..];
        }
        below += count;
        bin += 1;
    }
    Ok(Ok(nan))
}

/// Appends the keys at ascending `places` to `settled`, if they are where a sample has them; what it tells.
fn settle_sampled<K: Key>(keys: &[K], places: &[usize], settled: &mut Vec<K>) -> bool {
    let (n, first, last) = (keys.len(), places[0], places[places.len() - 1]);
    let size = SAMPLE.min(n / ONE_OF);
    let mut sample: Vec<K> = (0..size).map(|k| keys[sampled(k, n)]).collect();
    let rank = |place: usize| place * size / n;
    let margin = |place: usize| {
        let variance = rank(place) * (size - rank(place)) / size;
        1 + DEVIATIONS * variance.isqrt()
    };
    let low = rank(first).checked_sub(margin(first));
    let high = Some(rank(last) + margin(last)).filter(|&rank| rank < size);
    let mut bounds = Vec::with_capacity(2);
    let ranks: SmallVec<[usize; 2]> = low.into_iter().chain(high).collect();
    select(&mut sample, &ranks, 0, &mut bounds);
    let low = low.map_or(K::LEAST, |_| bounds[0]);
    let high = high.map_or(K::MOST, |_| bounds[bounds.len() - 1]);
    let (mut below, mut taken, mut between) = (0, 0, Vec::new());
    for some in keys.chunks(TOGETHER) {
        below += some.iter().map(|key| u32::from(*key < low)).sum::<u32>() as usize;
        // Often there are none, and that is seen at once.
        if !some.iter().fold(false, |any, key| any | key.is_between(low, high)) {
            continue;
        }
        if between.len() < taken + TOGETHER {
            between.resize(2 * taken + n / 8 + TOGETHER, low);
        }
        let (room, mut count) = (&mut between[taken..taken + TOGETHER], 0);
        // Each key is written, and stays if the place moves on.
        for &key in some {
            room[count % TOGETHER] = key;
            count += usize::from(key.is_between(low, high));
        }
        taken += count;
    }
    between.truncate(taken);
    let is_there = below <= first && last < below + between.len();
    if is_there {
        select(&mut between, places, below, settled);
    }
    is_there
}

/// The place of a sample's key among `n`. Steps of the golden ratio come by everywhere, and keep no time with what
/// repeats itself.
fn sampled(k: usize, n: usize) -> usize {
    let part = (k as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
    ((part * n as u64) >> 32) as usize
}

/// Appends the keys at ascending `places`, counted from `base`, of those that are here.
fn select<K: Key>(keys: &mut [K], places: &[usize], base: usize, settled: &mut Vec<K>) {
    settle_middle(keys, places, base);
    settled.extend(places.iter().map(|place| keys[place - base]));
}

/// Puts the key of the middle place there, and so on among those before it and those behind it: as deep as
/// places can be halved.
fn settle_middle<K: Key>(keys: &mut [K], places: &[usize], base: usize) {
    let middle = places.len() / 2;
    let Some(&place) = places.get(middle) else { return };
    let (before, _, behind) = keys.select_nth_unstable(place - base);
    settle_middle(before, &places[..middle], base);
    settle_middle(behind, &places[middle + 1..], place + 1);
}

/// Results as they come, by number.
struct Results {
    buffer: Buffer,
    dtype: DType,
}

impl Results {
    fn put(&mut self, i: usize, value: f64) {
        let size = self.dtype.size();
        let bytes = Scalar::from_f64(value, self.dtype).to_bytes();
        self.buffer.bytes_mut()[i * size..][..size].copy_from_slice(&bytes[..size]);
    }
}

/// Neighbours among the sorted elements, and how far from the lower to the upper a result is.
#[derive(Debug, PartialEq)]
struct Point {
    low: usize,
    high: usize,
    way: f64,
}

impl Point {
    /// The middle of `n` elements.
    fn middle(n: usize) -> Self {
        Self { low: (n - 1) / 2, high: n / 2, way: 0.5 }
    }

    /// The fraction `q` of the way through `n` elements.
    fn linear(n: usize, q: f64) -> Self {
        let last = n - 1;
        let at = last as f64 * q;
        if at >= last as f64 {
            // NumPy counts the last place as -1 here, in the difference too.
            return Self { low: last, high: last, way: at + 1.0 };
        }
        let low = at.floor();
        Self { low: low as usize, high: low as usize + 1, way: at - low }
    }

    /// NumPy's mean of one or two elements, which it adds in `float32` if they are no wider, and
    /// whose sum may overflow.
    fn mean(&self, low: Scalar, high: Scalar) -> f64 {
        let (a, b) = (low.to_f64(), high.to_f64());
        if self.low == self.high {
            // The sum starts from 0.0, and loses the sign of -0.0.
            return 0.0 + a;
        }
        let narrow = matches!(low.dtype, DType::F16 | DType::F32);
        let sum = if narrow { f64::from(a as f32 + b as f32) } else { a + b };
        sum / 2.0
    }

    /// NumPy's interpolation: from the nearer end, the difference of integers in their own dtype.
    fn between(&self, low: Scalar, high: Scalar, weak: bool) -> f64 {
        let (a, b, t) = (low.to_f64(), high.to_f64(), self.way);
        match low.dtype {
            DType::F32 if weak => {
                let (a, b) = (a as f32, b as f32);
                let step = b - a;
                let near = a + step * t as f32;
                (if t >= 0.5 { b - step * (1.0 - t) as f32 } else { near }).into()
            }
            from => {
                let step = match from {
                    DType::F32 => (b as f32 - a as f32).into(),
                    DType::F64 => b - a,
                    _ => Scalar::wrap_int(high.to_i128() - low.to_i128(), from).to_f64(),
                };
                if t >= 0.5 { b - step * (1.0 - t) } else { a + step * t }
            }
        }
    }
}

/// Integers by which elements are ordered: as the elements are, NaN after and before all.
trait Key: Copy + Ord {
    /// Before all others, and after them.
    const LEAST: Self;
    const MOST: Self;
    /// Appends the keys of elements.
    fn extend(keys: &mut Vec<Self>, elements: &[u8], from: DType);
    /// The leading bits.
    fn bin(self) -> usize;
    /// Whether it is one of the keys from `low` to `high`, which is no less; by one comparison.
    fn is_between(self, low: Self, high: Self) -> bool;
    /// The element of a key.
    fn value(self, from: DType) -> Scalar;
    /// Whether one of these floats is NaN.
    fn any_nan(keys: &[Self], from: DType) -> bool;
}

/// All bits where the top one is set, else none.
macro_rules! all_if_negative {
    ($key:ident, $x:expr) => {
        (($x).cast_signed() >> ($key::BITS - 1)).cast_unsigned()
    };
}

macro_rules! keys {
    ($($key:ident $signed:ident;)+) => {$(
        impl Key for $key {
            const LEAST: Self = $key::MIN;
            const MOST: Self = $key::MAX;

            fn extend(keys: &mut Vec<Self>, elements: &[u8], from: DType) {
                const SIGN: $key = $signed::MIN.cast_unsigned();
                let bits = elements.chunks_exact(size_of::<$key>());
                let bits = bits.map(|x| x.try_into().map_or(0, $key::from_le_bytes));
                if from.is_float() {
                    // The sign is flipped, and of a negative number the rest too.
                    keys.extend(bits.map(|x| x ^ (all_if_negative!($key, x) | SIGN)));
                } else if from.is_signed_int() {
                    keys.extend(bits.map(|x| x ^ SIGN));
                } else if from == DType::Bool {
                    keys.extend(bits.map(|x| $key::from(x != 0)));
                } else {
                    keys.extend(bits);
                }
            }

            #[inline(always)]
            fn bin(self) -> usize {
                (self >> $key::BITS.saturating_sub(BIN_BITS)) as usize
            }

            #[inline(always)]
            fn is_between(self, low: Self, high: Self) -> bool {
                self.wrapping_sub(low) <= high.wrapping_sub(low)
            }

            fn value(self, from: DType) -> Scalar {
                const SIGN: $key = $signed::MIN.cast_unsigned();
                let bits = if from.is_float() {
                    self ^ (all_if_negative!($key, !self) | SIGN)
                } else if from.is_signed_int() {
                    self ^ SIGN
                } else {
                    self
                };
                Scalar { dtype: from, bits: bits.into() }
            }

            fn any_nan(keys: &[Self], from: DType) -> bool {
                const SIGN: $key = $signed::MIN.cast_unsigned();
                let top = Scalar::from_f64(f64::INFINITY, from).bits as $key | SIGN;
                keys.iter().fold(false, |any, &key| any | (key > top) | (key < !top))
            }
        }
    )+};
}

keys! {
    u8 i8;
    u16 i16;
    u32 i32;
    u64 i64;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of<T: crate::dtype::Element>(statistic: Statistic, x: &[T]) -> Scalar {
        let select = Select { name: "select", statistic, axis: None, keepdims: false };
        let operand = Storage::from_slice(x, &[x.len()]).unwrap();
        select.run(&[operand]).unwrap().read_scalar()
    }

    fn quantile(q: f64) -> Statistic {
        Statistic::Quantiles { at: vec![q], many: false, weak: true }
    }

    #[test]
    fn keys_are_ordered_as_elements_are() {
        let (inf, tiny) = (f32::INFINITY, f32::from_bits(1));
        let sorted = [-inf, -1.5, -tiny, -0.0, 0.0, tiny, 1.0, inf];
        let bytes: Vec<u8> = sorted.iter().flat_map(|x| x.to_le_bytes()).collect();
        let mut keys: Vec<u32> = Vec::new();
        Key::extend(&mut keys, &bytes, DType::F32);
        assert!(keys.is_sorted_by(|a, b| a < b) && !Key::any_nan(&keys, DType::F32));
        for (key, x) in keys.iter().zip(sorted) {
            assert_eq!(key.value(DType::F32), Scalar::f32(x));
        }
        for nan in [f32::NAN, -f32::NAN] {
            keys.clear();
            Key::extend(&mut keys, &nan.to_le_bytes(), DType::F32);
            assert!(Key::any_nan(&keys, DType::F32));
        }
    }

    #[test]
    fn every_place_is_that_of_the_sorted_elements() {
        let mut state = 1u32;
        let mut next = || {
            state = state.wrapping_mul(1664525).wrapping_add(1013904223);
            (state >> 16) as i16 % 300
        };
        for n in [1, 2, 3, 10, 99, 2047, 2048, 5000, 40_000, 1 << 17] {
            let x: Vec<i16> = (0..n).map(|_| next()).collect();
            let mut sorted = x.clone();
            sorted.sort_unstable();
            let (low, high) = (sorted[(n - 1) / 2], sorted[n / 2]);
            let want = f64::midpoint(low.into(), high.into());
            assert_eq!(of(Statistic::Median, &x), Scalar::f64(want), "{n}");
            for k in (0..n).step_by(1 + n / 40) {
                let q = k as f64 / (n - 1).max(1) as f64;
                let got = of(quantile(q), &x).to_f64();
                assert!((got - f64::from(sorted[k])).abs() < 1e-9, "{k} of {n}");
            }
        }
    }

    #[test]
    fn a_sample_that_misleads_is_seen() {
        let n = 5000;
        let mut x: Vec<f32> = (0..n).map(|i| (i * 7919 % n) as f32).collect();
        let keys = |x: &[f32]| -> Vec<u32> { x.iter().map(|x| x.to_bits()).collect() };
        let mut settled = Vec::new();
        let middle = n / 2;
        assert!(settle_sampled(&keys(&x), &[middle], &mut settled));
        assert_eq!(settled, [(middle as f32).to_bits()]);
        for k in 0..n / ONE_OF {
            x[sampled(k, n)] = 1e6;
        }
        assert!(!settle_sampled(&keys(&x), &[middle], &mut settled));
        let mut sorted = x.clone();
        sorted.sort_by(f32::total_cmp);
        let want = f32::midpoint(sorted[middle - 1], sorted[middle]);
        assert_eq!(of(Statistic::Median, &x), Scalar::f32(want));
    }

    #[test]
    fn float32_is_interpolated_in_float32_or_for_wide_fractions_in_float64() {
        let x = [1.0f32, 1.1];
        assert_eq!(of(quantile(0.3), &x), Scalar::f32(1.0 + (1.1f32 - 1.0) * 0.3));
        let wide = Statistic::Quantiles { at: vec![0.3], many: false, weak: false };
        assert_eq!(of(wide, &x), Scalar::f64(1.0 + f64::from(1.1f32 - 1.0) * 0.3));
        assert_eq!(of(Statistic::Median, &[3e38f32, 3.2e38]), Scalar::f32(f32::INFINITY));
        assert!(of(quantile(1.0), &[1.0, f64::INFINITY]).to_f64().is_nan()); // as NumPy's
    }

    #[test]
    fn what_has_no_kernel_says_so() {
        let select = |statistic| Select { name: "f", statistic, axis: None, keepdims: false };
        for (statistic, dtype) in [
            (Statistic::Median, DType::C64),
            (quantile(0.5), DType::Bool),
            (quantile(0.5), DType::F16),
        ] {
            let error = select(statistic).infer(&[(dtype, &[3])]).unwrap_err();
            assert_eq!(error.kind(), crate::error::ErrorKind::Unsupported);
        }
        assert!(select(Statistic::Median).infer(&[(DType::F32, &[0])]).is_err());
    }
}
