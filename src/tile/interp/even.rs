//! Points in memory that are an even grid: then they need not be searched.
//!
//! May not know: who asks, and whether it pays.

use super::Grid;

/// Points that are compared before anybody leaves.
const CHUNK: usize = 256;

/// The formula of points that `np.arange` or `np.linspace` made, or whoever makes the same: each is
/// compared with its own. `None` for others, and where they do not ascend.
pub fn even(points: &[f64]) -> Option<Grid> {
    let &[start, next, .., stop] = points else { return None };
    let last = points.len() - 1;
    // The last point is set, not computed; the others ascend as their formula does. NaN is in no order.
    let ordered = points[last - 1] <= stop;
    // `arange` steps by what its first two are apart, `linspace` by a part of the whole.
    let steps = [next - start, (stop - start) / last as f64];
    steps.into_iter().filter(|step| *step > 0.0).find_map(|step| {
        let formula = |i: f64| i * step + start;
        // Most that are not even are told from it by a few.
        let few = [1, last / 2, last - 1].into_iter().all(|i| points[i] == formula(i as f64));
        let all = || {
            points[1..last].chunks(CHUNK).enumerate().all(|(c, chunk)| {
                let from = (1 + c * CHUNK) as f64;
                // Without a way out the comparison of a chunk is vectors.
                chunk
                    .iter()
                    .zip(0..)
                    .fold(true, |same, (&point, i)| same & (point == formula(from + f64::from(i))))
            })
        };
        (ordered && few && all()).then_some(Grid::Linspace { start, step, stop })
    })
}

/// The same of integers, which must be exact in `float64`.
pub fn even_integers(points: &[i64]) -> Option<Grid> {
    let &[start, next, .., stop] = points else { return None };
    let small = |v: i64| v.unsigned_abs() < 1 << 52;
    let step = next.wrapping_sub(start);
    let ascending = small(start) && small(stop) && small(next) && step > 0;
    let all = || {
        let apart = points.iter().zip(&points[1..]);
        apart.map(|(a, b)| b.wrapping_sub(*a) == step).fold(true, |same, here| same & here)
    };
    // None wraps: more than 2^53 steps do not fit memory.
    (ascending && stop - start == step.wrapping_mul(points.len() as i64 - 1) && all())
        .then_some(Grid::Arange { start: start as f64, step: step as f64 })
}
