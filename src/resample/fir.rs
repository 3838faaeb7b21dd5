//! The inner loop: dot products of filter rows with samples, one for each output.
//!
//! Written once and compiled for the baseline and for AVX2, without fused steps, in one order: the same
//! bits on every machine. May not know: where samples come from.

use super::filter::Filter;
#[cfg(target_arch = "x86_64")]
use crate::tile::Isa;

/// Sums that a dot product keeps side by side: element `k` goes to the sum `k mod LANES`.
pub(super) const LANES: usize = 8;
/// Outputs of one phase that are computed together, at most.
pub(super) const TOGETHER: usize = 8;

/// An element that the filters work in.
pub(super) trait Real:
    Copy
    + Default
    + Send
    + Sync
    + std::ops::Add<Output = Self>
    + std::ops::Sub<Output = Self>
    + std::ops::Mul<Output = Self>
    + 'static
{
    /// Rounds.
    fn from_f64(value: f64) -> Self;
}

impl Real for f32 {
    fn from_f64(value: f64) -> Self {
        value as f32
    }
}

impl Real for f64 {
    fn from_f64(value: f64) -> Self {
        value
    }
}

/// Where the outputs of a run stand among the input samples: every `step + rest / parts` samples.
#[derive(Clone, Copy, Debug)]
pub(super) struct Walk {
    /// The sample that the first output falls on or behind, counted from the run's first sample.
    pub(super) at: usize,
    /// How far behind it, in `parts` of a sample.
    pub(super) past: u64,
    /// Whole samples from one output to the next.
    pub(super) step: usize,
    /// And parts of one.
    pub(super) rest: u64,
    /// How many parts make a sample.
    pub(super) parts: u64,
}

impl Walk {
    /// Goes on to the next output.
    #[inline(always)]
    fn next(&mut self) {
        self.at += self.step;
        self.past += self.rest;
        if self.past >= self.parts {
            self.past -= self.parts;
            self.at += 1;
        }
    }
}

/// A sum for each lane.
type Lanes<T> = [T; LANES];

/// Adds products to the lanes.
#[inline(always)]
fn add<T: Real>(sums: &mut Lanes<T>, row: &Lanes<T>, samples: &Lanes<T>) {
    for k in 0..LANES {
        sums[k] = sums[k] + row[k] * samples[k];
    }
}

/// Adds the lanes of each up, in pairs, into its first. Not inlined: together with the loops before, the
/// compiler would mix the lanes of several.
#[inline(never)]
fn total<T: Real>(sums: &mut [Lanes<T>]) {
    for sums in sums {
        let mut width = LANES / 2;
        while width > 0 {
            for k in 0..width {
                sums[k] = sums[k] + sums[k + width];
            }
            width /= 2;
        }
    }
}

/// The dot products of a row with several runs of as many samples.
#[inline(always)]
fn dots<T: Real, const N: usize>(row: &[T], samples: [&[T]; N]) -> [T; N] {
    let mut sums = [[T::default(); LANES]; N];
    let samples = samples.map(|s| s.as_chunks().0);
    for (i, row) in row.as_chunks().0.iter().enumerate() {
        for n in 0..N {
            add(&mut sums[n], row, &samples[n][i]);
        }
    }
    total(&mut sums);
    sums.map(|s| s[0])
}

/// The dot products of two rows each with a run of samples.
#[inline(always)]
fn pairs<T: Real, const N: usize>(rows: [[&[T]; 2]; N], samples: [&[T]; N]) -> [[T; 2]; N] {
    let mut sums = [[[T::default(); LANES]; 2]; N];
    let samples = samples.map(|s| s.as_chunks().0);
    let rows = rows.map(|pair| pair.map(|row| row.as_chunks().0));
    for i in 0..rows[0][0].len() {
        for n in 0..N {
            let [low, high] = &mut sums[n];
            add(low, &rows[n][0][i], &samples[n][i]);
            add(high, &rows[n][1][i], &samples[n][i]);
        }
    }
    total(sums.as_flattened_mut());
    sums.map(|pair| pair.map(|s| s[0]))
}

/// One output for each place of `out`, from `samples` that reach as far as the filter does; `N` or `N / 2`
/// of them together, as many as the sums have registers. That changes no bit.
#[inline(always)]
fn outputs<T: Real, const N: usize, const HALF: usize>(
    filter: &Filter<T>,
    samples: &[T],
    walk: Walk,
    out: &mut [T],
) {
    if walk.parts == filter.phases as u64 {
        by_phase::<T, N>(filter, samples, walk, out);
    } else {
        between::<T, HALF>(filter, samples, walk, out);
    }
}

/// A row for each phase: the outputs that share one are computed together, while it is at hand.
#[inline(always)]
fn by_phase<T: Real, const N: usize>(
    filter: &Filter<T>,
    samples: &[T],
    mut walk: Walk,
    out: &mut [T],
) {
    let (phases, taps) = (filter.phases, filter.taps);
    // From one output of a phase to its next, in samples.
    let step = walk.step * phases + walk.rest as usize;
    for first in 0..phases.min(out.len()) {
        let row = filter.row(walk.past as usize);
        let (mut place, mut at) = (first, walk.at);
        while place + (N - 1) * phases < out.len() {
            let runs = std::array::from_fn(|n| &samples[at + n * step..at + n * step + taps]);
            for (n, value) in dots::<T, N>(row, runs).into_iter().enumerate() {
                out[place + n * phases] = value;
            }
            place += N * phases;
            at += N * step;
        }
        while place < out.len() {
            [out[place]] = dots(row, [&samples[at..at + taps]]);
            place += phases;
            at += step;
        }
        walk.next();
    }
}

/// Between two rows of a table, on a straight line.
#[inline(always)]
fn between<T: Real, const N: usize>(
    filter: &Filter<T>,
    samples: &[T],
    mut walk: Walk,
    out: &mut [T],
) {
    let scale = filter.phases as f64 / walk.parts as f64;
    let mut next = || {
        // Signed: that is what machines convert.
        let phase = walk.past.cast_signed() as f64 * scale;
        let row = ((phase as i64).cast_unsigned() as usize).min(filter.phases - 1);
        let from = &samples[walk.at..walk.at + filter.taps];
        walk.next();
        ([filter.row(row), filter.row(row + 1)], from, T::from_f64(phase - row as f64))
    };
    let (together, rest) = out.as_chunks_mut::<N>();
    for out in together {
        let places: [_; N] = std::array::from_fn(|_| next());
        let sums = pairs::<T, N>(places.map(|p| p.0), places.map(|p| p.1));
        for n in 0..N {
            let [low, high] = sums[n];
            out[n] = low + places[n].2 * (high - low);
        }
    }
    for out in rest {
        let (rows, from, part) = next();
        let [[low, high]] = pairs([rows], [from]);
        *out = low + part * (high - low);
    }
}

/// [`outputs`], by the widest instructions there are.
pub(super) fn run<T: Real>(filter: &Filter<T>, samples: &[T], walk: Walk, out: &mut [T]) {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx2")]
        fn avx2<T: Real>(filter: &Filter<T>, samples: &[T], walk: Walk, out: &mut [T]) {
            if size_of::<T>() == 4 {
                outputs::<T, TOGETHER, 4>(filter, samples, walk, out);
            } else {
                outputs::<T, 4, 2>(filter, samples, walk, out);
            }
        }
        if Isa::here() != Isa::Portable {
            // SAFETY: the machine has the instructions.
            return unsafe { avx2(filter, samples, walk, out) };
        }
    }
    outputs::<T, 4, 2>(filter, samples, walk, out);
}

#[cfg(test)]
mod tests {
    use super::super::filter::Quality;
    use super::*;

    fn noise(n: usize) -> Vec<f32> {
        let mut state = 1u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        };
        (0..n).map(|_| next()).collect()
    }

    #[test]
    fn every_instruction_set_gives_the_same_bits() {
        let samples = noise(900);
        for (phases, parts) in [(3, 3), (4, 3)] {
            let filter = Filter::<f32>::new(Quality::Best, 1.0, phases);
            let walk = Walk { at: 0, past: 1, step: 0, rest: 2, parts };
            let (mut a, mut b) = (vec![0f32; 900], vec![0f32; 900]);
            run(&filter, &samples, walk, &mut a);
            outputs::<_, 4, 2>(&filter, &samples, walk, &mut b);
            assert!(a.iter().zip(&b).all(|(a, b)| a.to_bits() == b.to_bits()));
        }
    }

    #[test]
    fn a_walk_is_exact() {
        let mut walk = Walk { at: 0, past: 0, step: 1, rest: 3, parts: 7 };
        for i in 0..1000u64 {
            assert_eq!((walk.at as u64 * 7 + walk.past, walk.past < 7), (i * 10, true));
            walk.next();
        }
    }
}
