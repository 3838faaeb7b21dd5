//! Low-pass filters for other rates: a sinc under a Kaiser window, tabulated by phase.
//!
//! May not know: arrays, lines, threads.

use crate::tile::math::sin_f64;

use super::fir::{LANES, Real};

/// How good a conversion is, and what it costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quality {
    /// 8 samples of the slower rate on either side, 60 dB.
    Eight,
    /// 12 samples, 70 dB.
    Twelve,
    /// 16 samples, 80 dB.
    Sixteen,
    /// 112 samples, 140 dB, all of the stop band above the slower rate's Nyquist frequency.
    Best,
}

/// What a filter is made to.
struct Design {
    /// Half its width, in samples of the slower rate.
    half: f64,
    /// Stop-band attenuation in dB.
    attenuation: f64,
    /// Phases of a table that is read between its rows: the error of a straight line stays below the
    /// attenuation.
    phases: usize,
}

impl Quality {
    fn design(self) -> Design {
        let (half, attenuation, phases) = match self {
            Quality::Eight => (8.0, 60.0, 256),
            Quality::Twelve => (12.0, 70.0, 512),
            Quality::Sixteen => (16.0, 80.0, 512),
            Quality::Best => (112.0, 140.0, 4096),
        };
        Design { half, attenuation, phases }
    }

    /// Where the response is down by 6 dB, as a part of the slower rate's Nyquist frequency.
    ///
    /// At 1 for the short filters: what aliases lies above the mirror of the stop band's edge, where the
    /// response falls anyway. The best one has its stop band begin at 1.
    fn cutoff(self) -> f64 {
        let Design { half, attenuation, .. } = self.design();
        match self {
            // Half of Kaiser's transition width, (A - 7.95) / (2.285 N) in radians per sample.
            Quality::Best => {
                1.0 - (attenuation - 7.95) / (2.285 * 2.0 * half) / std::f64::consts::TAU
            }
            _ => 1.0,
        }
    }

    /// The input samples that a filter spans for an output of `speed` samples per input sample.
    pub(super) fn width(self, speed: f64) -> f64 {
        2.0 * self.design().half / speed.min(1.0)
    }

    /// The rows that a table read between them has for one sample of the slower rate.
    pub(super) fn phases(self) -> usize {
        self.design().phases
    }
}

/// The window's shape parameter for an attenuation above 50 dB (Kaiser's formula).
fn beta(attenuation: f64) -> f64 {
    0.1102 * (attenuation - 8.7)
}

/// `1 / k^2` from `k = 1` on: as many terms as the largest window needs, and more.
const INVERSE_SQUARES: [f64; 64] = {
    let mut all = [0.0; 64];
    let mut k = 0;
    while k < 64 {
        all[k] = 1.0 / ((k + 1) * (k + 1)) as f64;
        k += 1;
    }
    all
};

/// The modified Bessel function of order 0, by its power series; `x` is a window's parameter at most.
fn bessel(x: f64) -> f64 {
    let quarter = x * x / 4.0;
    let (mut term, mut sum) = (1.0, 1.0);
    for inverse in INVERSE_SQUARES {
        term *= quarter * inverse;
        sum += term;
        if term < sum * 1e-17 {
            break;
        }
    }
    sum
}

/// A filter's coefficients, a row for each phase.
#[derive(Debug)]
pub(super) struct Filter<T> {
    /// How many samples of a row stand before the one that the position falls behind.
    pub(super) before: usize,
    /// Samples that a row weighs, rounded up to whole [`LANES`] with zeros.
    pub(super) taps: usize,
    /// How many phases part one input sample.
    pub(super) phases: usize,
    /// Row `r` is for positions `r / phases` past a sample; there is one more than phases, so that each
    /// phase has a row after it.
    rows: Vec<T>,
}

impl<T: Real> Filter<T> {
    /// For an output of `scale` samples per input sample, or of more if that is 1.
    pub(super) fn new(quality: Quality, scale: f64, phases: usize) -> Self {
        let Design { half, attenuation, .. } = quality.design();
        let (cutoff, beta) = (quality.cutoff(), beta(attenuation));
        let before = (half / scale).ceil() as usize;
        let (width, taps) = (2 * before, (2 * before).next_multiple_of(LANES));
        let mut rows = vec![T::default(); (phases + 1) * taps];
        let mut row = vec![0.0; width];
        for phase in 0..=phases / 2 {
            let past = phase as f64 / phases as f64;
            for (k, value) in row.iter_mut().enumerate() {
                let t = (k as f64 - (before as f64 - 1.0 + past)) * scale;
                let edge = 1.0 - (t / half) * (t / half);
                let inside = edge >= 0.0;
                *value = if inside { sinc(cutoff * t) * bessel(beta * edge.sqrt()) } else { 0.0 };
            }
            // Each phase passes a constant as it is.
            let sum: f64 = row.iter().sum();
            // The filter is even: a phase from the next sample's side is this one turned round.
            for (k, value) in row.iter().enumerate() {
                let value = T::from_f64(value / sum);
                rows[phase * taps + k] = value;
                rows[(phases - phase) * taps + width - 1 - k] = value;
            }
        }
        Self { before, taps, phases, rows }
    }

    /// The row of a phase.
    pub(super) fn row(&self, phase: usize) -> &[T] {
        &self.rows[phase * self.taps..(phase + 1) * self.taps]
    }
}

/// `sin(pi x) / (pi x)`.
fn sinc(x: f64) -> f64 {
    let x = x * std::f64::consts::PI;
    if x == 0.0 { 1.0 } else { sin_f64(x) / x }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bessel_function_is_the_known_one() {
        // NumPy's `i0`.
        for (x, y) in [
            (0.0, 1.0),
            (1.0, 1.2660658777520082),
            (5.65, 48.90371266768244),
            (14.5, 209594.32396212607),
        ] {
            assert!((bessel(x) / y - 1.0).abs() < 1e-14, "{x}: {}", bessel(x));
        }
    }

    #[test]
    fn rows_pass_a_constant_and_mirror_each_other() {
        for quality in [Quality::Eight, Quality::Twelve, Quality::Sixteen, Quality::Best] {
            for scale in [0.3, 1.0] {
                let filter = Filter::<f64>::new(quality, scale, 5);
                for phase in 0..=5 {
                    let (row, width) = (filter.row(phase), 2 * filter.before);
                    assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-14);
                    assert!(row[width..].iter().all(|&c| c == 0.0));
                    let mirror = filter.row(5 - phase);
                    for k in 0..width {
                        assert!((row[k] - mirror[width - 1 - k]).abs() < 1e-15);
                    }
                }
                // Without a shift the sample itself weighs most, at the place that `before` says.
                let row = filter.row(0);
                assert!(row.iter().all(|&c| c <= row[filter.before - 1]));
            }
        }
    }
}
