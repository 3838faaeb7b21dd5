//! Several folds of the same floats in one go: sum, sum of squares, smallest, largest, largest magnitude.
//!
//! Each element is read once, and what tells of a NaN for one fold tells of it for all. The states are those of
//! the folds, with the same bits; their addresses are on a [`Board`].
//!
//! May not know: which folds a kernel has.

use std::hint::black_box;

use smallvec::SmallVec;

use super::extreme::{Max, Min, Peak, Spread, Wide};
use super::rule::{Counter, Leaf, Rule, in_lanes_body, in_order_body};
use super::square::Squares;
use super::sum::{FloatSum, Itself, LANES, Square, pairwise};
use crate::dtype::DType;
use crate::op::{Fold, Measure};
use crate::tile::FoldFn;
use crate::tile::isa::{Isa, pick};

/// Where the states of folds are that are done together; null for those that nobody asks for.
pub type Board = [*mut u8; 5];

const SUM: usize = 0;
const SQUARE: usize = 1;
const LEAST: usize = 2;
const GREATEST: usize = 3;
const PEAK: usize = 4;

/// Folds of one operand that one function does.
#[derive(Clone, Debug)]
pub struct Team {
    /// The function; its state is a [`Board`].
    pub inner: FoldFn,
    /// For each fold, its place on the board.
    pub places: SmallVec<[usize; 5]>,
}

/// What does these folds of operands of `dtype` together; `None` where they are to be done one after another.
pub fn together(folds: &[(Fold, Measure)], dtype: DType) -> Option<Team> {
    let place = |&(fold, measure): &(Fold, Measure)| match (fold, measure) {
        (Fold::Sum, Measure::Itself) => Some(SUM),
        (Fold::Sum, Measure::Square) => Some(SQUARE),
        (Fold::Min, Measure::Itself) => Some(LEAST),
        (Fold::Max, Measure::Itself) => Some(GREATEST),
        (Fold::Max, Measure::Magnitude) => Some(PEAK),
        _ => None,
    };
    let places: SmallVec<[usize; 5]> = folds.iter().map(place).collect::<Option<_>>()?;
    let has = |place| places.iter().filter(|&&p| p == place).count();
    if folds.len() < 2 || (0..=PEAK).any(|place| has(place) > 1) {
        return None;
    }
    let spread = (LEAST..=PEAK).any(|place| has(place) > 0);
    let inner = match (dtype, has(SUM) > 0, has(SQUARE) > 0, spread) {
        (DType::F32, false, false, _) => spread_fn::<f32>(Isa::here()),
        (DType::F64, false, false, _) => spread_fn::<f64>(Isa::here()),
        (DType::F32, sum, true, spread) => level_fn::<f32>(Isa::here(), sum, spread)?,
        (DType::F64, sum, true, spread) => level_fn::<f64>(Isa::here(), sum, spread)?,
        _ => return None,
    };
    Some(Team { inner, places })
}

/// What is done already: the place of a fold that another one does.
///
/// # Safety
/// None is needed.
pub unsafe extern "C" fn done(_state: *mut u8, _tile: *const u8, _n: usize, _at: u64, _off: usize) {
}

/// The sums of a leaf.
pub(super) struct Found {
    sum: f64,
    square: f64,
}

/// Smallest and largest elements so far, in lanes.
pub(super) struct Ends<T> {
    low: [T; LANES],
    high: [T; LANES],
}

impl<T: Spread> Ends<T> {
    /// Of no elements.
    fn new() -> Self {
        let (low, high) = (T::narrow(f64::INFINITY), T::narrow(f64::NEG_INFINITY));
        Self { low: [low; LANES], high: [high; LANES] }
    }

    /// The smallest and the largest of all lanes, none of which is NaN.
    fn of_all(&self) -> (f64, f64) {
        let least = |a: f64, b: f64| if b < a { b } else { a };
        let greatest = |a: f64, b: f64| if b > a { b } else { a };
        let (low, high) = (self.low.map(T::widen), self.high.map(T::widen));
        (
            low.into_iter().fold(f64::INFINITY, least),
            high.into_iter().fold(f64::NEG_INFINITY, greatest),
        )
    }
}

/// Floats whose folds may be done together.
pub(super) trait Levels: Spread {
    type Sum: Rule<Elem = Self, Partial = f64> + Leaf;
    type Squares: Rule<Elem = Self, Partial = f64> + Leaf;

    /// The sums of a whole leaf, whose elements are taken into `ends`; `None` if something in it is infinite or NaN,
    /// or a square too large.
    ///
    /// # Safety
    /// The leaf is valid for reading, and the machine has AVX2 and fused multiply-add.
    unsafe fn found<const SUMS: bool, const SPREAD: bool>(
        leaf: *const Self,
        ends: &mut Ends<Self>,
    ) -> Option<Found>;

    /// Takes the largest magnitudes into the state at `peak`.
    ///
    /// # Safety
    /// There is such a state, and a tile of `n` elements.
    unsafe fn peak(peak: *mut u8, tile: *const u8, n: usize);
}

/// Takes what is found into the states of extremes.
///
/// # Safety
/// The board is one.
#[inline(always)]
unsafe fn take(board: &Board, least: f64, greatest: f64) {
    let of = |place: usize, value: f64, better: fn(f64, f64) -> f64| {
        let state = board[place].cast::<f64>();
        if !state.is_null() {
            // SAFETY: the caller's promise.
            unsafe { state.write_unaligned(better(state.read_unaligned(), value)) }
        }
    };
    of(LEAST, least, Wide::least);
    of(GREATEST, greatest, Wide::greatest);
    of(PEAK, least.abs().greatest(greatest.abs()), Wide::greatest);
}

/// # Safety
/// As for a [`FoldFn`] whose state is a board.
#[inline(always)]
unsafe fn spread_body<T: Spread>(board: *mut u8, tile: *const u8, n: usize) {
    if n > 0 {
        // SAFETY: the caller's promise.
        unsafe {
            let (least, greatest) = T::spread(tile.cast(), n);
            take(&board.cast::<Board>().read_unaligned(), least, greatest);
        }
    }
}

/// # Safety
/// As for a [`FoldFn`] whose state is a board; the machine has the instructions of `isa`.
#[inline(always)]
unsafe fn level_body<T: Levels, const SUMS: bool, const SPREAD: bool>(
    isa: Isa,
    board: *mut u8,
    tile: *const u8,
    n: usize,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let board = board.cast::<Board>().read_unaligned();
        let sums = |place: usize| board[place].cast::<Counter>();
        let mut square = sums(SQUARE).read_unaligned();
        let mut sum = if SUMS { sums(SUM).read_unaligned() } else { square };
        let mut ends = Ends::<T>::new();
        let (mut least, mut greatest) = (f64::INFINITY, f64::NEG_INFINITY);
        let (first, leaf) = (tile.cast::<T>(), <T::Sum as Rule>::LEAF);
        for start in (0..n).step_by(leaf) {
            let (at, left) = (first.add(start), leaf.min(n - start));
            if left < leaf {
                square.push::<T::Squares>(T::Squares::leaf(at, left));
                if SUMS {
                    sum.push::<T::Sum>(T::Sum::leaf(at, left));
                }
                if SPREAD {
                    let (low, high) = T::spread(at, left);
                    (least, greatest) = (low, high);
                }
                continue;
            }
            let Some(found) = T::found::<SUMS, SPREAD>(at, &mut ends) else {
                return one_by_one::<T>(isa, &board, tile, n);
            };
            square.push::<T::Squares>(found.square);
            if SUMS {
                sum.push::<T::Sum>(found.sum);
            }
        }
        sums(SQUARE).write_unaligned(square);
        if SUMS {
            sums(SUM).write_unaligned(sum);
        }
        if SPREAD && n > 0 {
            let (low, high) = ends.of_all();
            (least, greatest) = (least.least(low), greatest.greatest(high));
            take(&board, T::signed_least(least, first, n), T::signed_greatest(greatest, first, n));
        }
    }
}

/// Each fold by itself.
///
/// # Safety
/// As for [`level_body`].
#[inline(always)]
unsafe fn one_by_one<T: Levels>(isa: Isa, board: &Board, tile: *const u8, n: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        in_lanes_body::<T::Squares>(isa, board[SQUARE], tile, n);
        if !board[SUM].is_null() {
            in_lanes_body::<T::Sum>(isa, board[SUM], tile, n);
        }
        if !board[LEAST].is_null() {
            in_order_body::<Min<T>>(board[LEAST], tile, n, 0, 0);
        }
        if !board[GREATEST].is_null() {
            in_order_body::<Max<T>>(board[GREATEST], tile, n, 0, 0);
        }
        if !board[PEAK].is_null() {
            T::peak(board[PEAK], tile, n);
        }
    }
}

macro_rules! levels {
    ($($t:ident $squares:ty, |$leaf:ident, $ends:ident| $found:expr;)+) => {$(
        impl Levels for $t {
            type Sum = FloatSum<$t, Itself>;
            type Squares = $squares;

            #[inline(always)]
            unsafe fn found<const SUMS: bool, const SPREAD: bool>(
                $leaf: *const $t,
                $ends: &mut Ends<$t>,
            ) -> Option<Found> {
                // SAFETY: the caller's promise.
                unsafe { $found }
            }
            #[inline(always)]
            unsafe fn peak(peak: *mut u8, tile: *const u8, n: usize) {
                // SAFETY: the caller's promise.
                unsafe { in_order_body::<Peak<$t>>(peak, tile, n, 0, 0) }
            }
        }
    )+};
}

#[cfg(target_arch = "x86_64")]
levels! {
    f32 Squares, |leaf, ends| machine::found::<SUMS, SPREAD>(leaf, ends);
}
#[cfg(not(target_arch = "x86_64"))]
levels! {
    f32 Squares, |_leaf, _ends| None;
}
levels! {
    f64 FloatSum<f64, Square>, |leaf, ends| found_in_lanes::<SUMS, SPREAD>(leaf, ends);
}

/// # Safety
/// The leaf is valid for reading.
#[inline(always)]
unsafe fn found_in_lanes<const SUMS: bool, const SPREAD: bool>(
    leaf: *const f64,
    ends: &mut Ends<f64>,
) -> Option<Found> {
    let (mut sums, mut squares) = ([0.0_f64; LANES], [0.0_f64; LANES]);
    let Ends { mut low, mut high } = *ends;
    for start in (0..<FloatSum<f64, Square> as Rule>::LEAF).step_by(LANES) {
        // SAFETY: the leaf has these.
        let x = unsafe { leaf.add(start).cast::<[f64; LANES]>().read_unaligned() };
        for k in 0..LANES {
            squares[k] += x[k] * x[k];
            if SUMS {
                sums[k] += x[k];
            }
            if SPREAD {
                low[k] = if x[k] < low[k] { x[k] } else { low[k] };
                high[k] = if x[k] > high[k] { x[k] } else { high[k] };
            }
        }
    }
    *ends = Ends { low, high };
    let square = pairwise(black_box(squares));
    if square.is_finite() { Some(Found { sum: pairwise(black_box(sums)), square }) } else { None }
}

#[cfg(target_arch = "x86_64")]
mod machine {
    use std::arch::x86_64::{
        __m256, __m256d, _mm_loadu_ps, _mm256_cvtps_pd, _mm256_fmadd_pd, _mm256_loadu_ps,
        _mm256_max_ps, _mm256_min_ps, _mm256_set1_pd, _mm256_setzero_pd,
    };
    use std::hint::black_box;

    use super::super::square::machine::{Scale, lanes, may_be_odd};
    use super::super::sum::{LANES, pairwise};
    use super::{Ends, Found, Rule, Squares};

    /// # Safety
    /// The leaf is valid for reading, and the machine has AVX2 and fused multiply-add.
    #[inline(always)]
    pub(super) unsafe fn found<const SUMS: bool, const SPREAD: bool>(
        leaf: *const f32,
        ends: &mut Ends<f32>,
    ) -> Option<Found> {
        // SAFETY: the caller's promise; vectors are as many numbers.
        unsafe {
            let (scale, one) = (Scale::new(), _mm256_set1_pd(black_box(1.0)));
            let mut sums = [_mm256_setzero_pd(); 4];
            let mut squares = [[_mm256_setzero_pd(); 2]; 2];
            let halves = |x: [f32; LANES]| std::mem::transmute::<[f32; LANES], [__m256; 2]>(x);
            let (mut low, mut high) = (halves(ends.low), halves(ends.high));
            for start in (0..Squares::LEAF).step_by(LANES) {
                let at = leaf.add(start);
                if SUMS {
                    for (k, sum) in sums.iter_mut().enumerate() {
                        let x = _mm256_cvtps_pd(_mm_loadu_ps(at.add(4 * k)));
                        *sum = _mm256_fmadd_pd(x, one, *sum);
                    }
                }
                for half in 0..2 {
                    let x = _mm256_loadu_ps(at.add(8 * half));
                    scale.add(x, &mut squares, half);
                    if SPREAD {
                        low[half] = _mm256_min_ps(x, low[half]);
                        high[half] = _mm256_max_ps(x, high[half]);
                    }
                }
            }
            let square = lanes(std::mem::transmute::<[[__m256d; 2]; 2], [[f64; 8]; 2]>(squares));
            if may_be_odd(square) {
                return None;
            }
            let sums = std::mem::transmute::<[__m256d; 4], [f64; LANES]>(sums);
            let whole = |x: [__m256; 2]| std::mem::transmute::<[__m256; 2], [f32; LANES]>(x);
            *ends = Ends { low: whole(low), high: whole(high) };
            Some(Found { sum: pairwise(black_box(sums)), square })
        }
    }
}

fn spread_fn<T: Spread>(isa: Isa) -> FoldFn {
    pick!(isa => FoldFn, spread::<T>, spread_avx2::<T>, spread_avx512::<T>)
}

fn level_fn<T: Levels>(isa: Isa, sum: bool, spread: bool) -> Option<FoldFn> {
    macro_rules! build {
        ($sum:literal, $spread:literal) => {
            pick!(isa => Option<FoldFn>, None, Some(level_avx2::<T, $sum, $spread>),
                Some(level_avx512::<T, $sum, $spread>))
        };
    }
    match (sum, spread) {
        (true, true) => build!(true, true),
        (true, false) => build!(true, false),
        (false, true) => build!(false, true),
        (false, false) => None,
    }
}

/// # Safety
/// As for [`spread_body`].
unsafe extern "C" fn spread<T: Spread>(
    board: *mut u8,
    tile: *const u8,
    n: usize,
    _: u64,
    _: usize,
) {
    // SAFETY: the caller's promise.
    unsafe { spread_body::<T>(board, tile, n) }
}

macro_rules! builds {
    ($($isa:ident $features:literal $spread:ident $level:ident;)+) => {$(
        /// # Safety
        /// As for [`spread_body`]; the machine has these instructions.
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = $features)]
        unsafe extern "C" fn $spread<T: Spread>(
            board: *mut u8, tile: *const u8, n: usize, _: u64, _: usize,
        ) {
            // SAFETY: the caller's promise.
            unsafe { spread_body::<T>(board, tile, n) }
        }

        /// # Safety
        /// As for [`level_body`]; the machine has these instructions.
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = $features)]
        unsafe extern "C" fn $level<T: Levels, const SUMS: bool, const SPREAD: bool>(
            board: *mut u8, tile: *const u8, n: usize, _: u64, _: usize,
        ) {
            // SAFETY: the caller's promise.
            unsafe { level_body::<T, SUMS, SPREAD>(Isa::$isa, board, tile, n) }
        }
    )+};
}

builds! {
    Avx2 "avx2,fma" spread_avx2 level_avx2;
    Avx512 "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl" spread_avx512 level_avx512;
}
