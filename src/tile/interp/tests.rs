//! Interpolation against `np.interp` as it is written, with a plain search.

use super::*;

/// `np.interp` as it is written, with a plain search.
fn naive(x: f64, xp: &[f64], fp: &[f64], left: f64, right: f64) -> f64 {
    let last = xp.len() - 1;
    if last == 0 {
        return if x < xp[0] {
            left
        } else if x > xp[0] {
            right
        } else {
            fp[0]
        };
    }
    if x.is_nan() {
        return x;
    }
    if x > xp[last] {
        return right;
    }
    if x < xp[0] {
        return left;
    }
    let Some(j) = xp.iter().rposition(|&p| p <= x) else { return left };
    if j == last || xp[j] == x {
        return fp[j];
    }
    let slope = (fp[j + 1] - fp[j]) / (xp[j + 1] - xp[j]);
    let mut y = slope * (x - xp[j]) + fp[j];
    if y.is_nan() {
        y = slope * (x - xp[j + 1]) + fp[j + 1];
        if y.is_nan() && fp[j] == fp[j + 1] {
            y = fp[j];
        }
    }
    y
}

/// The values at `x`, which all builds agree on.
fn run(table: &InterpTable, x: &[f64]) -> Vec<f64> {
    let p = x.as_ptr().cast();
    let outs = Isa::all().iter().map(|&isa| {
        let mut out = vec![0.0; x.len()];
        // SAFETY: tiles of `x.len()` doubles, a valid table, and a build for this machine.
        unsafe {
            let b = std::ptr::from_ref(table).cast();
            interp_on(isa, DType::F64)(
                out.as_mut_ptr().cast(),
                p,
                b,
                p,
                x.len(),
                std::ptr::null_mut(),
            );
        }
        out
    });
    outs.reduce(|first, other| {
        assert!(first.iter().zip(&other).all(|(&a, &b)| same(a, b)), "{table:?}");
        first
    })
    .unwrap()
}

/// The values at `count` positions of a line from place `from` on, which all builds agree on: as `float64`, and
/// each of them as `float32` too.
fn run_counted(table: &InterpTable, from: usize, count: usize) -> Vec<f64> {
    let outs = Isa::all().iter().map(|&isa| {
        let (mut double, mut single) = (vec![0f64; count], vec![0f32; count]);
        let (b, p) = (std::ptr::from_ref(table).cast(), std::ptr::without_provenance(from));
        // SAFETY: tiles of `count` elements, a valid table, and builds for this machine.
        unsafe {
            let (wide, narrow) = (double.as_mut_ptr().cast(), single.as_mut_ptr().cast());
            interp_on(isa, DType::F64)(wide, p, b, p, count, std::ptr::null_mut());
            interp_on(isa, DType::F32)(narrow, p, b, p, count, std::ptr::null_mut());
        }
        for (&wide, &narrow) in double.iter().zip(&single) {
            assert!(same((wide as f32).into(), narrow.into()), "{table:?}");
        }
        double
    });
    outs.reduce(|first, other| {
        assert!(first.iter().zip(&other).all(|(&a, &b)| same(a, b)), "{table:?}");
        first
    })
    .unwrap()
}

#[test]
fn positions_that_are_counted_are_those_of_the_formula() {
    let singles: Vec<f32> = (0..400).map(|i| ((i * 37 % 101) as f32 - 50.0) / 7.0).collect();
    let fp: Vec<f64> = singles.iter().map(|&v| v.into()).collect();
    let knots = [0.0, 40.0, 41.5, 300.0, 399.0];
    for step in [0.5, 1.0 / 3.0, 0.91875, 1.0, 1.9, 2.1, 3.0, 0.0, -0.7, f64::NAN, f64::INFINITY] {
        for (start, len) in [(0.0, 400), (-3.0, 400), (200.25, 33), (0.1, 32), (0.0, 5)] {
            // The position of `last` may be out of order.
            for (last, stop) in [(i64::MAX, 0.0), (350, 4.5), (31, 1e9), (70, f64::NAN)] {
                let at = Positions::Counted(Line { first: 3, start, step, last, stop });
                let grids = [
                    (Grid::Arange { start: 0.0, step: 1.0 }, len),
                    (Grid::Arange { start: -1.0, step: 0.75 }, len),
                    (Grid::Memory(knots.as_ptr()), 5),
                ];
                let values = [Values::Double(fp.as_ptr()), Values::Single(singles.as_ptr())];
                for ((grid, len), fp_of) in grids.into_iter().flat_map(|g| values.map(|v| (g, v))) {
                    let table = InterpTable { at, grid, fp: fp_of, len, left: -7.0, right: 9.0 };
                    let xp = points(grid, len);
                    for (from, count) in [(0, 1024), (5, 100), (320, 64), (349, 3)] {
                        let got = run_counted(&table, from, count);
                        for (number, got) in (3 + from as i64..).zip(got) {
                            let x =
                                if number == last { stop } else { number as f64 * step + start };
                            let want = naive(x, &xp, &fp[..len], -7.0, 9.0);
                            assert!(
                                same(got, want),
                                "{number} of {table:?}: {got:?}, not {want:?}"
                            );
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn integers_are_positions() {
    let fp: Vec<f64> = (0..300).map(|i| f64::from(i * 37 % 101) - 50.0).collect();
    let knots = [0.0, 40.0, 41.5, 300.0, 399.0];
    let x: Vec<i64> = (-40..400).chain([i64::MIN, i64::MAX, 7, 3, 1 << 60]).collect();
    let p = x.as_ptr().cast();
    for (grid, len) in [
        (Grid::Arange { start: 0.0, step: 1.0 }, 300),
        (Grid::Arange { start: 0.5, step: 1.25 }, 300),
        (Grid::Memory(knots.as_ptr()), 5),
    ] {
        let (at, values) = (Positions::Integers, Values::Double(fp.as_ptr()));
        let table = InterpTable { at, grid, fp: values, len, left: -7.0, right: 9.0 };
        for &isa in Isa::all() {
            let mut out = vec![0f64; x.len()];
            let b = std::ptr::from_ref(&table).cast();
            // SAFETY: tiles of as many words, a valid table, and a build for this machine.
            unsafe {
                let (out, status) = (out.as_mut_ptr().cast(), std::ptr::null_mut());
                interp_on(isa, DType::F64)(out, p, b, p, x.len(), status);
            }
            for (&x, got) in x.iter().zip(out) {
                let want = naive(x as f64, &points(grid, len), &fp[..len], -7.0, 9.0);
                assert!(same(got, want), "{x} in {grid:?}: {got:?}, not {want:?}");
            }
        }
    }
}

#[test]
fn lines_that_are_none_go_the_way_of_numpy() {
    let knots = [0.0, 100.0, 100.0, 200.0, 300.0, 400.0, f64::INFINITY];
    let odd = [1.0, f64::INFINITY, -f64::INFINITY, f64::NAN, -0.0, f64::MAX, f64::MIN];
    for seed in 0..odd.len() {
        let fp: Vec<f64> = (0..7).map(|i| odd[(i * (seed + 1) + seed) % 7]).collect();
        let line = Line { first: 0, start: 0.0, step: 1.0, last: i64::MAX, stop: 0.0 };
        let (grid, values) = (Grid::Memory(knots.as_ptr()), Values::Double(fp.as_ptr()));
        let given = Positions::Given;
        let table = InterpTable { at: given, grid, fp: values, len: 7, left: -7.0, right: 9.0 };
        let x: Vec<f64> = (0..500).map(f64::from).collect();
        let counted = run_counted(&InterpTable { at: Positions::Counted(line), ..table }, 0, 500);
        for ((&x, counted), given) in x.iter().zip(counted).zip(run(&table, &x)) {
            let want = naive(x, &knots, &fp, -7.0, 9.0);
            assert!(same(counted, want) && same(given, want), "{x:?} in {fp:?}: not {want:?}");
        }
    }
}

fn points(grid: Grid, len: usize) -> Vec<f64> {
    (0..len)
        .map(|i| match grid {
            // SAFETY: the tests' tables have `len` points.
            Grid::Memory(xp) => unsafe { *xp.add(i) },
            Grid::Arange { start, step } => start + i as f64 * step,
            Grid::Linspace { start, step, stop } => match i {
                0 => start,
                _ if i == len - 1 => stop,
                _ => i as f64 * step + start,
            },
        })
        .collect()
}

fn same(a: f64, b: f64) -> bool {
    a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan()
}

/// Points, their neighbours, places between (of a few points, long runs of them), and special values: up,
/// down and shuffled.
fn queries(xp: &[f64]) -> Vec<f64> {
    let mut x = vec![f64::NEG_INFINITY, f64::MIN, -1.0, -0.0, 0.0, 0.3, 1.0, f64::MAX];
    for (i, &p) in xp.iter().enumerate() {
        let next = xp[(i + 1) % xp.len()];
        x.extend([p, p.next_up(), p.next_down(), p + 0.25 * (next - p)]);
        if xp.len() <= 5 {
            x.extend((0..40).map(|k| p + f64::from(k) / 40.0 * (next - p)));
        }
    }
    x.push(f64::INFINITY);
    x.retain(|x| !x.is_nan());
    x.sort_by(f64::total_cmp);
    let down: Vec<f64> = x.iter().rev().copied().collect();
    let shuffled: Vec<f64> = (0..x.len()).map(|i| x[i * 7919 % x.len()]).collect();
    x.push(f64::NAN);
    x.extend(down);
    x.extend(shuffled);
    x
}

fn check(grid: Grid, fp: &[f64]) {
    let xp = points(grid, fp.len());
    let x = queries(&xp);
    let singles: Vec<f32> = fp.iter().map(|&v| v as f32).collect();
    let rounded: Vec<f64> = singles.iter().map(|&v| v.into()).collect();
    let single = (Values::Single(singles.as_ptr()), &rounded[..]);
    for (values, fp) in [(Values::Double(fp.as_ptr()), fp), single] {
        let table = InterpTable {
            at: Positions::Given,
            grid,
            fp: values,
            len: fp.len(),
            left: -7.0,
            right: 9.0,
        };
        // Of any length, so that chunks are cut anywhere.
        for x in [&x[..], &x[1..], &x[..x.len() / 3], &x[..1]] {
            for (&x, got) in x.iter().zip(run(&table, x)) {
                let want = naive(x, &xp, fp, -7.0, 9.0);
                assert!(same(got, want), "{x:?} in {grid:?}: {got:?}, not {want:?}");
            }
        }
    }
}

fn values(len: usize) -> Vec<f64> {
    (0..len).map(|i| ((i * 37 % 101) as f64 - 50.0) / 7.0).collect()
}

#[test]
fn ascending_points_follow_numpy() {
    for len in [1, 2, 3, 4, 5, 17, 300] {
        let even: Vec<f64> = (0..len).map(|i| i as f64 * 0.1 - 1.0).collect();
        let uneven: Vec<f64> = (0..len).map(|i| (i as f64).powi(2) * 0.1).collect();
        let repeated: Vec<f64> = (0..len).map(|i| (i / 3) as f64).collect();
        let mut infinite = even.clone();
        infinite[0] = f64::NEG_INFINITY;
        infinite[len - 1] = f64::INFINITY;
        for xp in [even, uneven, repeated, infinite] {
            check(Grid::Memory(xp.as_ptr()), &values(len));
        }
    }
    let fp = [1.0, f64::INFINITY, f64::INFINITY, f64::NAN, 2.0, f64::NEG_INFINITY];
    check(Grid::Arange { start: 0.0, step: 1.0 }, &fp);
}

#[test]
fn formulas_follow_numpy_on_their_points() {
    for len in [1, 2, 3, 4, 5, 17, 300] {
        for (start, step) in [
            (0.0, 1.0),
            (-1.0, 0.1),
            (1e9, 1e-7),
            (1e300, 1e292),
            (0.0, 5e-324),
            (3.0, 0.0),
            (1.0, 1e-17),
            (0.0, 1e308),
        ] {
            check(Grid::Arange { start, step }, &values(len));
            let stop = start + (len - 1) as f64 * step;
            check(Grid::Linspace { start, step, stop }, &values(len));
        }
        // Descending ones: only the ends are ever compared with.
        check(Grid::Arange { start: 5.0, step: -0.5 }, &values(len));
    }
}

#[test]
fn hostile_points_harm_nothing() {
    let nasty = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, 0.0, 1e308, 5e-324];
    let x = queries(&[0.0, 1.0, 2.0]);
    for start in nasty {
        for step in nasty {
            for stop in nasty {
                for len in [1, 2, 5, 64] {
                    let fp = values(len);
                    for grid in [Grid::Arange { start, step }, Grid::Linspace { start, step, stop }]
                    {
                        let fp = Values::Double(fp.as_ptr());
                        run(
                            &InterpTable {
                                at: Positions::Given,
                                grid,
                                fp,
                                len,
                                left: 0.0,
                                right: 0.0,
                            },
                            &x,
                        );
                    }
                }
            }
        }
    }
    for seed in 0..200_usize {
        let xp: Vec<f64> = (0..40).map(|i| nasty[(i * (seed + 3) + seed) % 7] * i as f64).collect();
        let (grid, fp) = (Grid::Memory(xp.as_ptr()), values(40));
        run(
            &InterpTable {
                at: Positions::Given,
                grid,
                fp: Values::Double(fp.as_ptr()),
                len: 40,
                left: 0.0,
                right: 0.0,
            },
            &queries(&xp),
        );
    }
}

#[test]
fn one_point_follows_numpy_even_for_nan() {
    let (xp, fp) = ([2.0], [5.0]);
    let grid = Grid::Memory(xp.as_ptr());
    let table = InterpTable {
        at: Positions::Given,
        grid,
        fp: Values::Double(fp.as_ptr()),
        len: 1,
        left: 1.0,
        right: 3.0,
    };
    assert_eq!(run(&table, &[1.0, 2.0, 2.5, f64::NAN]), [1.0, 5.0, 3.0, 5.0]);
}

#[test]
fn an_output_may_be_its_input() {
    let fp = [10.0, 20.0, 30.0];
    let grid = Grid::Arange { start: 0.0, step: 1.0 };
    let table = InterpTable {
        at: Positions::Given,
        grid,
        fp: Values::Double(fp.as_ptr()),
        len: 3,
        left: 0.0,
        right: 0.0,
    };
    let mut x = [0.5, 1.0, 1.25];
    let p = x.as_mut_ptr().cast::<u8>();
    // SAFETY: three doubles and a valid table.
    unsafe {
        interp(DType::F64)(p, p, std::ptr::from_ref(&table).cast(), p, 3, std::ptr::null_mut());
    };
    assert_eq!(x, [15.0, 20.0, 22.5]);
}

#[test]
fn nothing_strange_hides_among_ordinary_elements() {
    // A chunk with one NaN, one infinity, one point, or a value that is none, at each place of it.
    let fp: Vec<f64> = (0..200).map(|i| f64::from(i * 37 % 101) - 50.0).collect();
    for grid in [
        Grid::Arange { start: 0.0, step: 1.0 },
        Grid::Arange { start: -3.0, step: 0.25 },
        Grid::Linspace { start: 1.0, step: 0.1, stop: 1.0 + 199.0 * 0.1 },
    ] {
        let xp = points(grid, 200);
        let ordinary: Vec<f64> = (0..100).map(|i| xp[0] + f64::from(i) * 0.19).collect();
        for odd in [f64::NAN, f64::INFINITY, -f64::INFINITY, -0.0, xp[0], xp[7], xp[199], 1e18] {
            for place in 0..100 {
                let mut x = ordinary.clone();
                x[place] = odd;
                let table = InterpTable {
                    at: Positions::Given,
                    grid,
                    fp: Values::Double(fp.as_ptr()),
                    len: 200,
                    left: -7.0,
                    right: 9.0,
                };
                for (&x, got) in x.iter().zip(run(&table, &x)) {
                    let want = naive(x, &xp, &fp, -7.0, 9.0);
                    assert!(same(got, want), "{x:?} in {grid:?}: {got:?}, not {want:?}");
                }
            }
        }
    }
    for odd in [f64::NAN, f64::INFINITY, -0.0] {
        for place in [0, 1, 50, 198, 199] {
            let mut fp = fp.clone();
            fp[place] = odd;
            check(Grid::Arange { start: 0.0, step: 1.0 }, &fp);
            check(Grid::Arange { start: 0.5, step: 0.3 }, &fp);
            let few: Vec<f64> = [0.0, 1.0, 1.5, 7.0, 7.0, 9.0].into();
            let fp: Vec<f64> = (0..6).map(|i| fp[(place + i) % 200]).collect();
            check(Grid::Memory(few.as_ptr()), &fp);
        }
    }
}

#[test]
fn even_points_are_known() {
    for len in [3, 4, 257, 258, 1000] {
        for (start, step) in [(0.0, 1.0), (-1.0, 0.1), (1e9, 1e-3), (0.0, 5e-324), (3.0, 1e300)] {
            // As `arange` rounds it.
            let step = (start + step) - start;
            let formula: Vec<f64> = (0..len).map(|i| f64::from(i) * step + start).collect();
            let last = formula.len() - 1;
            let found = even(&formula).expect("the points are even");
            assert_eq!(points(found, formula.len()), formula);
            let stop = start + f64::from(len - 1) * step * 1.01;
            let step = (stop - start) / f64::from(len - 1);
            let mut line: Vec<f64> = (0..len).map(|i| f64::from(i) * step + start).collect();
            line[last] = stop;
            if line.windows(2).all(|pair| pair[0] < pair[1]) {
                assert_eq!(points(even(&line).expect("the points are even"), line.len()), line);
            }
            for at in 1..last {
                let mut other = formula.clone();
                other[at] = other[at].next_up();
                assert!(even(&other).is_none_or(|grid| points(grid, other.len()) == other));
            }
        }
        let whole: Vec<i64> = (0..len).map(|i| i64::from(i) * 3 - 7).collect();
        let found = even_integers(&whole).expect("the points are even");
        assert!(points(found, whole.len()).iter().zip(&whole).all(|(&a, &b)| a == b as f64));
        for at in 0..whole.len() {
            let mut other = whole.clone();
            other[at] += 1;
            assert!(even_integers(&other).is_none());
        }
    }
    let falling = [3.0, 2.0, 1.0];
    assert!(even(&falling).is_none() && even(&[1.0; 5]).is_none() && even(&[]).is_none());
    assert!(even(&[f64::NAN; 5]).is_none() && even(&[0.0, f64::INFINITY, f64::NAN]).is_none());
    let wrapping = [i64::MAX - 1, i64::MAX, i64::MIN];
    assert!(even_integers(&wrapping).is_none());
    assert!(even_integers(&[1 << 53, (1 << 53) + 1, (1 << 53) + 2]).is_none());
}
