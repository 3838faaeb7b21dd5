//! Plans of transforms, made once per length and kept.
//!
//! May not know: memory, arrays.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};
use rustfft::{Fft, FftDirection, FftNum, FftPlanner};

use crate::fork::PerProcess;

/// As many points as all kept plans have together, at most: their tables take some tens of bytes for each.
const MOST: usize = 1 << 21;

/// One transform of one length.
pub(super) enum Plan<T: FftNum> {
    /// Complex to complex, in place.
    Whole(Arc<dyn Fft<T>>),
    /// Real to half of the frequencies.
    Half(Arc<dyn RealToComplex<T>>),
    /// And back.
    FromHalf(Arc<dyn ComplexToReal<T>>),
}

impl<T: FftNum> Clone for Plan<T> {
    fn clone(&self) -> Self {
        match self {
            Plan::Whole(plan) => Plan::Whole(plan.clone()),
            Plan::Half(plan) => Plan::Half(plan.clone()),
            Plan::FromHalf(plan) => Plan::FromHalf(plan.clone()),
        }
    }
}

/// What tells plans of one precision apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// [`Plan::Whole`], to frequencies.
    Forward,
    /// [`Plan::Whole`], from frequencies.
    Inverse,
    /// [`Plan::Half`].
    Half,
    /// [`Plan::FromHalf`].
    FromHalf,
}

/// The plans kept of one precision.
pub(super) struct Plans<T: FftNum> {
    known: HashMap<(Kind, usize), Plan<T>>,
    points: usize,
}

impl<T: FftNum> Plans<T> {
    fn new() -> Self {
        Self { known: HashMap::new(), points: 0 }
    }

    fn get(&mut self, kind: Kind, n: usize) -> Plan<T> {
        if let Some(plan) = self.known.get(&(kind, n)) {
            return plan.clone();
        }
        let plan = match kind {
            Kind::Forward => Plan::Whole(FftPlanner::new().plan_fft(n, FftDirection::Forward)),
            Kind::Inverse => Plan::Whole(FftPlanner::new().plan_fft(n, FftDirection::Inverse)),
            Kind::Half => Plan::Half(RealFftPlanner::new().plan_fft_forward(n)),
            Kind::FromHalf => Plan::FromHalf(RealFftPlanner::new().plan_fft_inverse(n)),
        };
        self.points = self.points.saturating_add(n);
        if self.points > MOST {
            self.known.clear();
            self.points = n;
        }
        if n <= MOST {
            self.known.insert((kind, n), plan.clone());
        }
        plan
    }
}

static SINGLE: PerProcess<Mutex<Plans<f32>>> = PerProcess::new(|| Mutex::new(Plans::new()));
static DOUBLE: PerProcess<Mutex<Plans<f64>>> = PerProcess::new(|| Mutex::new(Plans::new()));

/// A precision.
pub(super) trait Precision: FftNum + Default {
    /// The plan of a transform, kept for the next time.
    fn plan(kind: Kind, n: usize) -> Plan<Self>;
}

impl Precision for f32 {
    fn plan(kind: Kind, n: usize) -> Plan<f32> {
        SINGLE.get().lock().unwrap_or_else(PoisonError::into_inner).get(kind, n)
    }
}

impl Precision for f64 {
    fn plan(kind: Kind, n: usize) -> Plan<f64> {
        DOUBLE.get().lock().unwrap_or_else(PoisonError::into_inner).get(kind, n)
    }
}
