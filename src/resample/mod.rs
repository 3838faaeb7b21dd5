//! Resampling by windowed-sinc filters: a native opaque call on one axis of an array.
//!
//! Output `i` stands at the input's `i * down / up`, to the bit: positions are integers. Beyond its ends
//! the input is silence. A line is cut into runs of outputs that do not depend on each other, so results
//! have the same bits for any number of threads. May not know: graphs, Python.

mod filter;
mod fir;

use std::sync::{Arc, Mutex, PoisonError};

use self::filter::Filter;
pub use self::filter::Quality;
use self::fir::{Real, TOGETHER, Walk};
use crate::buffer::{Buffer, Storage};
use crate::call::{Call, Stop};
use crate::dtype::{DType, Element};
use crate::error::{Error, Result};
use crate::fork::PerProcess;
use crate::runtime;
use crate::shape::{Shape, c_strides, count};

/// The largest term of a ratio: positions stay within 64 bits.
pub const PARTS: u64 = 1 << 62;

/// The length that an axis is brought to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// This many samples, whatever there were.
    Length(usize),
    /// `up` samples for every `down`, rounded up; from 1 to [`PARTS`], without a common factor.
    Rate {
        /// Samples made of `down`.
        up: u64,
        /// Samples that `up` are made of.
        down: u64,
    },
}

/// A conversion of one axis.
#[derive(Debug)]
pub struct Resample {
    /// The axis.
    pub axis: usize,
    /// The filter.
    pub quality: Quality,
    /// What becomes of the axis's length.
    pub target: Target,
}

/// What a line of a known length becomes.
struct Ratio {
    up: u64,
    down: u64,
    length: usize,
}

fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

impl Target {
    fn of(self, n: usize) -> Result<Ratio> {
        match self {
            Target::Length(length) => {
                let shared = gcd(length as u64, n as u64).max(1);
                let (up, down) = (length as u64 / shared, n as u64 / shared);
                Ok(Ratio { up, down, length })
            }
            Target::Rate { up, down } => {
                if !(1..=PARTS).contains(&up) || !(1..=PARTS).contains(&down) {
                    return Err(Error::value(format!(
                        "resample: a ratio of {up} to {down}; both must be from 1 to {PARTS}"
                    )));
                }
                let length = (n as u128 * u128::from(up)).div_ceil(u128::from(down));
                let length = usize::try_from(length)
                    .map_err(|_| Error::value("resample: too many samples for an array"))?;
                Ok(Ratio { up, down, length })
            }
        }
    }
}

impl Call for Resample {
    fn name(&self) -> &'static str {
        "resample"
    }

    fn infer(&self, operands: &[(DType, &[usize])]) -> Result<(DType, Shape)> {
        let [(dtype, shape)] = operands else { return Err(Error::bug("resample: one operand")) };
        if !matches!(dtype, DType::F32 | DType::F64) {
            return Err(Error::dtype(format!("resample: takes float32 and float64, not {dtype}")));
        }
        let Some(&n) = shape.get(self.axis) else {
            return Err(Error::axis(format!(
                "resample: axis {} of an array with {} axes",
                self.axis,
                shape.len()
            )));
        };
        if n == 0 {
            return Err(Error::value("resample: the axis has no samples; it needs one at least"));
        }
        let ratio = self.target.of(n)?;
        let width = self.quality.width(ratio.up as f64 / ratio.down as f64);
        if ratio.length > 0 && width > WIDEST {
            return Err(Error::value(format!(
                "resample: {} samples for every {} take a filter {width:.0} samples wide, and {WIDEST} is \
                 the most; resample in steps, or at a lower quality",
                ratio.up, ratio.down
            )));
        }
        let mut out = Shape::from_slice(shape);
        out[self.axis] = ratio.length;
        count(&out)?;
        Ok((*dtype, out))
    }

    fn run(&self, operands: &[Storage]) -> Result<Storage> {
        self.run_asking(operands, None)
    }

    fn run_asking(&self, operands: &[Storage], stop: Stop<'_>) -> Result<Storage> {
        let [x] = operands else { return Err(Error::bug("resample: one operand")) };
        match x.dtype {
            DType::F32 => self.convert::<f32>(x, stop),
            DType::F64 => self.convert::<f64>(x, stop),
            other => Err(Error::bug(format!("resample: {other}"))),
        }
    }
}

/// Up to here a filter has a row for every phase there is; beyond, a table is read between its rows.
const EXACT: u64 = 4096;
/// The widest filter, in input samples.
const WIDEST: f64 = (1u64 << 22) as f64;
/// Outputs of a run, and input samples at most.
const RUN: usize = 4096;
/// Multiplications below which another thread is not worth waking.
const SHARE: usize = 1 << 18;

/// An element with its table of filters.
trait Sample: Real + Element {
    fn filters() -> &'static Filters<Self>;
}

/// Filters that were made, the one used last at the end.
type Filters<T> = Mutex<Vec<(Key, Arc<Filter<T>>)>>;

/// What a filter depends on: quality, the bits of its scale, phases. All that is made faster shares a scale.
type Key = (Quality, u64, usize);

/// How many filters are kept.
const KEPT: usize = 16;

macro_rules! samples {
    ($($t:ty)+) => {$(
        impl Sample for $t {
            fn filters() -> &'static Filters<Self> {
                static FILTERS: PerProcess<Filters<$t>> = PerProcess::new(Mutex::default);
                FILTERS.get()
            }
        }
    )+};
}

samples!(f32 f64);

/// The filter for a ratio, made at its first use.
fn filter<T: Sample>(quality: Quality, up: u64, down: u64) -> Arc<Filter<T>> {
    let scale = (up as f64 / down as f64).min(1.0);
    let phases = if up.max(down) <= EXACT {
        up as usize
    } else {
        // A table of many taps needs the fewer phases.
        ((quality.phases() as f64 * scale).ceil() as usize).max(1)
    };
    let key = (quality, scale.to_bits(), phases);
    let lock = || T::filters().lock().unwrap_or_else(PoisonError::into_inner);
    {
        let mut all = lock();
        if let Some(at) = all.iter().position(|(k, _)| *k == key) {
            all[at..].rotate_left(1);
            return all[all.len() - 1].1.clone();
        }
    }
    let made = Arc::new(Filter::new(quality, scale, phases));
    let mut all = lock();
    all.push((key, made.clone()));
    if all.len() > KEPT {
        all.remove(0);
    }
    made
}

/// Memory that threads write to, each at places of its own.
struct Places<T>(*mut T);

// SAFETY: what is written through it is Send, and no two threads write the same place (see `convert`).
unsafe impl<T: Send> Sync for Places<T> {}

impl Resample {
    fn convert<T: Sample>(&self, x: &Storage, stop: Stop<'_>) -> Result<Storage> {
        let n = x.shape[self.axis];
        let Ratio { up, down, length } = self.target.of(n)?;
        let mut shape = x.shape.clone();
        shape[self.axis] = length;
        let total = count(&shape)?;
        let mut buffer = Buffer::new(total * size_of::<T>())?;
        if total > 0 {
            let filter = filter::<T>(self.quality, up, down);
            let strides = c_strides(&shape, size_of::<T>());
            let places = Places(buffer.as_mut_ptr().cast::<T>());
            let line = Line { n, stride: x.strides[self.axis], up, down, filter: &filter };
            let each = line.run_length();
            let runs = length.div_ceil(each);
            let threads = runtime::num_threads().min(total.saturating_mul(filter.taps) / SHARE + 1);
            runtime::share(total / length * runs, threads, stop, |item| {
                let (mut rest, run) = (item / runs, item % runs);
                let (mut from, mut to) = (0isize, 0isize);
                for axis in (0..shape.len()).rev().filter(|&a| a != self.axis) {
                    let index = (rest % shape[axis]).cast_signed();
                    rest /= shape[axis];
                    from += index * x.strides[axis];
                    to += index * strides[axis];
                }
                let first = run * each;
                let mut out = vec![T::default(); each.min(length - first)];
                // SAFETY: `from` is the place of the line's first sample, of which there are `n`, a stride
                // apart, kept by the storage.
                unsafe { line.outputs(x.ptr.offset(from), first, &mut out) };
                // SAFETY: the places of outputs `first..` of this line, in a buffer that has them all,
                // aligned since it begins at a multiple of 64; items have lines or runs of their own.
                unsafe { places.write(to, strides[self.axis], first, &out) };
                Ok(())
            })?;
        }
        Storage::from_buffer(Arc::new(buffer), T::DTYPE, shape)
    }
}

impl<T: Copy> Places<T> {
    /// Writes values to a line's places from `first` on. The line begins at `to`, its places are `step`
    /// bytes apart.
    ///
    /// # Safety
    /// There is room for each, aligned, which nobody else touches now.
    unsafe fn write(&self, to: isize, step: isize, first: usize, values: &[T]) {
        // SAFETY: the caller's promise.
        unsafe {
            let line = self.0.byte_offset(to + first.cast_signed() * step);
            if step == size_of::<T>().cast_signed() {
                line.copy_from_nonoverlapping(values.as_ptr(), values.len());
            } else {
                for (k, &value) in values.iter().enumerate() {
                    line.byte_offset(k.cast_signed() * step).write(value);
                }
            }
        }
    }
}

/// What all lines of a conversion share.
struct Line<'a, T> {
    n: usize,
    stride: isize,
    up: u64,
    down: u64,
    filter: &'a Filter<T>,
}

impl<T: Sample> Line<'_, T> {
    /// Outputs of a run: so many that their input is about as long, in whole rounds of the phases.
    fn run_length(&self) -> usize {
        let fitting = RUN as u128 * u128::from(self.up) / u128::from(self.down);
        let fitting = (fitting as usize).clamp(16, RUN);
        let round = TOGETHER * self.filter.phases;
        if round > TOGETHER * RUN { fitting } else { fitting.next_multiple_of(round) }
    }

    /// Outputs from `first` on.
    ///
    /// # Safety
    /// From `ptr` on there are `n` samples, `stride` bytes apart.
    unsafe fn outputs(&self, ptr: *const u8, first: usize, out: &mut [T]) {
        let filter = self.filter;
        let place = |i: usize| {
            let at = i as u128 * u128::from(self.down);
            (at / u128::from(self.up), (at % u128::from(self.up)) as u64)
        };
        let (at, past) = place(first);
        let (last, _) = place(first + out.len() - 1);
        let (at, last) = (at as usize, last as usize);
        // The row's first sample is `before - 1` before the one that the output falls on or behind.
        let mut samples = vec![T::default(); last - at + filter.taps];
        let skipped = (filter.before - 1).saturating_sub(at);
        let begin = (at + skipped + 1).saturating_sub(filter.before);
        let some = &mut samples[skipped..];
        let there = some.len().min(self.n.saturating_sub(begin));
        // SAFETY: elements `begin..begin + there` are among the line's `n`, `stride` bytes apart; where they
        // lie side by side, their bytes are copied at once. They are not memory of ours.
        unsafe {
            let from = ptr.wrapping_offset(begin.cast_signed() * self.stride);
            if self.stride == size_of::<T>().cast_signed() {
                let bytes = there * size_of::<T>();
                from.copy_to_nonoverlapping(some.as_mut_ptr().cast(), bytes);
            } else {
                for (k, sample) in some[..there].iter_mut().enumerate() {
                    let at = from.offset(k.cast_signed() * self.stride);
                    *sample = at.cast::<T>().read_unaligned();
                }
            }
        }
        let walk = Walk {
            at: 0,
            past,
            step: (self.down / self.up) as usize,
            rest: self.down % self.up,
            parts: self.up,
        };
        fir::run(filter, &samples, walk, out);
    }
}

#[cfg(test)]
mod tests;
