//! Both forms against each other and against plain folds.

use super::*;
use crate::op::Op;
use crate::tile::{BLOCK, RUN, TILE};

/// Drives the inner form over `n` elements as a runtime does, blocks apart.
fn inner(fns: &FoldFns, data: &[u8], size: usize, n: usize) -> Vec<u8> {
    let mut tree = Tree::new(fns, 1);
    for block in (0..n).step_by(BLOCK) {
        let run = BLOCK.min(n - block);
        let mut state = vec![0u8; fns.state_bytes + 1];
        let mut partial = vec![0u64; fns.partial_bytes / 8];
        // SAFETY: a state one byte off its alignment, tiles within `data`, and a partial.
        unsafe {
            let state = state.as_mut_ptr().add(1);
            (fns.open)(state);
            for off in (0..run).step_by(TILE) {
                let tile = data.as_ptr().add((block + off) * size);
                (fns.inner)(state, tile, TILE.min(run - off), block as u64, off);
            }
            (fns.close)(state, partial.as_mut_ptr().cast());
        }
        tree.push(&partial).unwrap();
    }
    finish(fns, tree, 1)
}

/// Drives the rows form over the same elements in each of `columns` columns.
fn rows(fns: &FoldFns, data: &[u8], size: usize, n: usize, columns: usize) -> Vec<u8> {
    let words = columns * fns.partial_bytes / 8;
    let mut tree = Tree::new(fns, columns);
    for leaf in (0..n).step_by(fns.leaf) {
        let mut lanes = vec![0u64; words * fns.lanes];
        let at = |lanes: &mut Vec<u64>, k: usize| lanes[k * words..].as_mut_ptr().cast::<u8>();
        // SAFETY: lanes of `columns` partials each; rows of `columns` elements, in two tiles.
        unsafe {
            (fns.clear)(lanes.as_mut_ptr().cast(), columns * fns.lanes);
            for k in 0..fns.leaf.min(n - leaf) {
                let x = &data[(leaf + k) * size..][..size];
                let row = x.repeat(columns);
                let (lane, cut) = (at(&mut lanes, k % fns.lanes), columns / 3);
                (fns.rows)(lane, row.as_ptr(), cut, (leaf + k) as u64, 0);
                let rest = row.as_ptr().add(cut * size);
                (fns.rows)(lane, rest, columns - cut, (leaf + k) as u64, cut);
            }
            let mut apart = 1;
            while apart < fns.lanes {
                for k in (0..fns.lanes).step_by(2 * apart) {
                    let right = at(&mut lanes, k + apart);
                    (fns.combine)(at(&mut lanes, k), right, columns);
                }
                apart *= 2;
            }
        }
        tree.push(&lanes[..words]).unwrap();
    }
    finish(fns, tree, columns)
}

fn finish(fns: &FoldFns, tree: Tree, columns: usize) -> Vec<u8> {
    let partials = tree.collapse().unwrap_or_else(|| {
        let mut empty = vec![0u64; columns * fns.partial_bytes / 8];
        // SAFETY: `columns` partials.
        unsafe { (fns.clear)(empty.as_mut_ptr().cast(), columns) };
        empty.into()
    });
    let mut out = vec![0u8; columns * 8];
    // SAFETY: results have 8 bytes at most.
    unsafe { (fns.finish)(partials.as_ptr().cast(), out.as_mut_ptr(), columns) };
    out
}

/// Elements of a dtype as bytes: ordinary ones from `seed`, and every so often a special one.
fn elements(dtype: DType, n: usize, seed: u64, special: &[f64]) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2).wrapping_add(1);
    let mut bytes = Vec::new();
    for _ in 0..n {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let random = state >> 33;
        let value = if random.is_multiple_of(97) && !special.is_empty() {
            special[(random / 97) as usize % special.len()]
        } else {
            (random as f64 / f64::from(u32::MAX) - 0.25) * 1e3
        };
        match dtype {
            DType::F32 => bytes.extend((value as f32).to_le_bytes()),
            DType::F64 => bytes.extend(value.to_le_bytes()),
            DType::Bool => bytes.push((random % 3) as u8),
            _ => bytes
                .extend(&random.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes()[..dtype.size()]),
        }
    }
    bytes
}

const LENGTHS: [usize; 18] =
    [0, 1, 2, 15, 16, 17, 255, 256, 257, 1023, 1024, 1025, 4095, 4096, 4097, 8193, 10000, 13000];

/// Every fold of everything that it may take.
fn kinds() -> impl Iterator<Item = (Fold, Measure)> {
    Fold::ALL.iter().flat_map(|&fold| Measure::ALL.into_iter().map(move |of| (fold, of)))
}

#[test]
fn there_are_functions_for_what_folds_take() {
    for (fold_kind, measure) in kinds() {
        for dtype in DType::ALL {
            let plain = fold(fold_kind, Measure::Itself, dtype).is_some();
            let found = fold(fold_kind, measure, dtype).is_some();
            assert_eq!(found, plain && fold_kind.takes(measure, dtype));
        }
    }
}

#[test]
fn measures_are_those_of_the_ops() {
    let of_floats = |k: &(Fold, Measure)| !matches!(k.1, Measure::Itself | Measure::Truth);
    for (fold_kind, measure) in kinds().filter(of_floats) {
        for (dtype, size) in [(DType::F32, 4), (DType::F64, 8)] {
            let Some(fns) = fold(fold_kind, measure, dtype) else { continue };
            let plain = fold(fold_kind, Measure::Itself, dtype).unwrap();
            let op = if measure == Measure::Square { Op::Square } else { Op::Absolute };
            let function = crate::tile::map(op, dtype).unwrap();
            for n in LENGTHS {
                for special in [&[][..], &[0.0, -0.0], &[f64::NAN, 1.0], &[1e300, 5e-324]] {
                    let data = elements(dtype, n, n as u64, special);
                    let mut taken = data.clone();
                    let (a, mut status) = (data.as_ptr(), 0);
                    // SAFETY: `n` elements on both sides.
                    unsafe { function(taken.as_mut_ptr(), a, a, a, n, &raw mut status) };
                    let want = inner(&plain, &taken, size, n);
                    let empty = n == 0 && fold_kind == Fold::Max;
                    assert!(empty || inner(&fns, &data, size, n) == want, "{fold_kind} {n}");
                }
            }
        }
    }
}

#[test]
fn both_forms_give_the_same_bits() {
    let (inf, nan) = (f64::INFINITY, f64::NAN);
    let specials: [&[f64]; 5] =
        [&[], &[0.0, -0.0], &[inf, -inf], &[nan, -nan, inf], &[1e300, -1e300, 5e-324]];
    for (fold_kind, measure) in kinds() {
        for dtype in DType::ALL {
            let Some(fns) = fold(fold_kind, measure, dtype) else { continue };
            assert_eq!(fns.partial_bytes % 8 + fns.state_bytes % 8, 0);
            for n in LENGTHS {
                for (seed, special) in specials.iter().enumerate() {
                    let of = measure.element(dtype);
                    let data = elements(of, n, seed as u64, special);
                    let one = inner(&fns, &data, of.size(), n);
                    let out_size = fold_kind.out_dtype(dtype).size();
                    let columns = if n < 300 { 70 } else { 3 };
                    let many = rows(&fns, &data, of.size(), n, columns);
                    for column in many.chunks(out_size).take(columns) {
                        assert_eq!(column, &one[..out_size], "{fold_kind} {dtype} {n} {special:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn runs_are_folded_in_one_call_as_in_tiles() {
    for (fold_kind, measure) in kinds() {
        for dtype in [DType::F32, DType::F64, DType::I64] {
            for fns in Isa::all().iter().filter_map(|&isa| fold_on(isa, fold_kind, measure, dtype))
            {
                for n in [256, 1023, 2048, 3000, 5 * 1024, 5 * BLOCK + 77, RUN - 1, RUN] {
                    for special in [&[][..], &[0.0, -0.0], &[f64::NAN], &[1e30, -2e19, 3e-42]] {
                        let of = measure.element(dtype);
                        let data = elements(of, n, n as u64, special);
                        let run = |each: usize| {
                            let mut state = vec![0u64; fns.state_bytes / 8];
                            let mut partial = vec![0u64; fns.partial_bytes / 8];
                            let state: *mut u8 = state.as_mut_ptr().cast();
                            // SAFETY: a state, tiles within `data`, and a partial.
                            unsafe {
                                (fns.open)(state);
                                for off in (0..n).step_by(each) {
                                    let tile = data.as_ptr().add(off * of.size());
                                    (fns.inner)(state, tile, each.min(n - off), 0, off);
                                }
                                (fns.close)(state, partial.as_mut_ptr().cast());
                            }
                            finish_one(&fns, &partial)
                        };
                        assert_eq!(run(n), run(TILE), "{fold_kind} {measure:?} {dtype} {n}");
                    }
                }
            }
        }
    }
}

/// The result of one partial.
fn finish_one(fns: &FoldFns, partial: &[u64]) -> [u8; 8] {
    let mut out = [0u8; 8];
    // SAFETY: a partial, and results have 8 bytes at most.
    unsafe { (fns.finish)(partial.as_ptr().cast(), out.as_mut_ptr(), 1) };
    out
}

#[test]
fn frames_are_short_runs() {
    for (fold_kind, measure) in kinds() {
        for dtype in DType::ALL {
            for fns in Isa::all().iter().filter_map(|&isa| fold_on(isa, fold_kind, measure, dtype))
            {
                let of = measure.element(dtype);
                let (size, out_size) = (of.size(), fold_kind.out_dtype(dtype).size());
                for each in crate::op::FRAMES {
                    for special in
                        [&[][..], &[0.0, -0.0], &[f64::NAN, -f64::INFINITY], &[3e38, -1e-40]]
                    {
                        let n = 40 * each;
                        let data = elements(of, n, each as u64, special);
                        let mut out = vec![0u8; 48 * 8];
                        // SAFETY: 40 frames, and room for the results of 48.
                        unsafe {
                            let to = out.as_mut_ptr();
                            (fns.frames)(to, data.as_ptr(), n, each as u64, 8 * each);
                        }
                        for (k, frame) in data.chunks(each * size).enumerate() {
                            let want = &inner(&fns, frame, size, each)[..out_size];
                            let got = &out[(8 + k) * out_size..][..out_size];
                            assert_eq!(got, want, "{fold_kind} {dtype} {each} {special:?}");
                        }
                    }
                }
            }
        }
    }
}

/// The results of folds done together, as of [`inner`]; tiles have `each` elements.
fn at_once(
    kinds: &[(Fold, Measure)],
    dtype: DType,
    tile: &[u8],
    n: usize,
    each: usize,
) -> Option<Vec<Vec<u8>>> {
    let team = together(kinds, dtype)?;
    let fns = |k: usize| fold(kinds[k].0, kinds[k].1, dtype).unwrap();
    let mut trees: Vec<Vec<u64>> = Vec::new();
    let mut out = Vec::new();
    for k in 0..kinds.len() {
        let mut state = vec![0u64; fns(k).state_bytes / 8];
        // SAFETY: a state of the fold.
        unsafe { (fns(k).open)(state.as_mut_ptr().cast()) };
        trees.push(state);
    }
    let mut board: Board = [std::ptr::null_mut(); 5];
    for (&place, state) in team.places.iter().zip(&mut trees) {
        board[place] = state.as_mut_ptr().cast();
    }
    for off in (0..n).step_by(each) {
        let (len, at) = (each.min(n - off), &tile[off * dtype.size()..]);
        // SAFETY: the tile has `len` elements, and the board the states of the folds.
        unsafe { (team.inner)(board.as_mut_ptr().cast(), at.as_ptr(), len, 0, off) };
    }
    for (k, state) in trees.iter().enumerate() {
        let mut partial = [0u64; 4];
        // SAFETY: room for a partial.
        unsafe { (fns(k).close)(state.as_ptr().cast(), partial.as_mut_ptr().cast()) };
        out.push(finish_one(&fns(k), &partial).to_vec());
    }
    Some(out)
}

#[test]
fn folds_done_together_have_their_own_bits() {
    let all = [
        (Fold::Sum, Measure::Itself),
        (Fold::Sum, Measure::Square),
        (Fold::Min, Measure::Itself),
        (Fold::Max, Measure::Itself),
        (Fold::Max, Measure::Magnitude),
    ];
    let (inf, nan) = (f64::INFINITY, f64::NAN);
    let specials: [&[f64]; 8] = [
        &[],
        &[0.0, -0.0],
        &[inf],
        &[nan, -nan, -inf],
        &[1e300, -1e300, 5e-324],
        &[1e20, -1.5e19],
        &[1e-23, -3e-42],
        &[-nan],
    ];
    let mut found = 0;
    for subset in 1..32_usize {
        let kinds: Vec<_> = (0..5).filter(|k| subset >> k & 1 == 1).map(|k| all[k]).collect();
        for dtype in [DType::F32, DType::F64] {
            for n in LENGTHS.into_iter().filter(|n| (1..=4097).contains(n)) {
                for (seed, special) in specials.iter().enumerate() {
                    let mut data = elements(dtype, n, seed as u64, special);
                    if seed == 1 {
                        data.fill(0);
                        data[n * dtype.size() - 1] = 0x80 * (n % 2) as u8;
                    }
                    let tiled = at_once(&kinds, dtype, &data, n, TILE);
                    let Some(got) = at_once(&kinds, dtype, &data, n, n) else { continue };
                    assert_eq!(Some(&got), tiled.as_ref());
                    found += 1;
                    for (got, &(kind, measure)) in got.iter().zip(&kinds) {
                        let want =
                            inner(&fold(kind, measure, dtype).unwrap(), &data, dtype.size(), n);
                        assert_eq!(
                            got[..8],
                            want[..8],
                            "{kind} {measure:?} {dtype} {n} {special:?}"
                        );
                    }
                }
            }
        }
    }
    // Of the pairs and more all but those of a sum without squares, where there are fast builds.
    let sets = if Isa::here() == Isa::Portable { 4 } else { 19 };
    assert_eq!(found, sets * 2 * 14 * specials.len());
}

#[test]
fn every_instruction_set_gives_the_same_bits() {
    for (fold_kind, measure) in kinds() {
        for dtype in DType::ALL {
            let all = Isa::all().iter().filter_map(|&isa| fold_on(isa, fold_kind, measure, dtype));
            let all: Vec<FoldFns> = all.collect();
            for n in [1, 31, 100, 1023, 1024, 4097, 9000] {
                for special in [&[][..], &[0.0, -0.0], &[f64::NAN, f64::INFINITY]] {
                    let of = measure.element(dtype);
                    let data = elements(of, n, 7, special);
                    let results = all.iter().map(|fns| {
                        let one = inner(fns, &data, of.size(), n);
                        (one, rows(fns, &data, of.size(), n.min(2000), 3))
                    });
                    let results: Vec<_> = results.collect();
                    assert!(results.windows(2).all(|w| w[0] == w[1]), "{fold_kind} {dtype} {n}");
                }
            }
        }
    }
}

fn of_f64(kind: Fold, x: &[f64]) -> [u8; 8] {
    let data: Vec<u8> = x.iter().flat_map(|x| x.to_le_bytes()).collect();
    inner(&fold(kind, Measure::Itself, DType::F64).unwrap(), &data, 8, x.len()).try_into().unwrap()
}

#[test]
fn float_extremes_are_exact() {
    let (inf, nan) = (f64::INFINITY, f64::NAN);
    for (x, least, greatest) in [
        (vec![inf], inf, inf),
        (vec![-inf; 70], -inf, -inf),
        (vec![1.0, nan, -inf], nan, nan),
        (vec![-3.0, 2.0, 2.5], -3.0, 2.5),
        (vec![5e-324, 1e308], 5e-324, 1e308),
        (vec![0.0, -0.0], -0.0, 0.0),
    ] {
        for (kind, want) in [(Fold::Min, least), (Fold::Max, greatest)] {
            let got = f64::from_le_bytes(of_f64(kind, &x));
            assert!(
                got.to_bits() == want.to_bits() || got.is_nan() && want.is_nan(),
                "{kind} {x:?}"
            );
        }
    }
    // A lone zero of either sign, anywhere among enough others.
    for at in 0..100 {
        let mut x = vec![0.0; 100];
        x[at] = -0.0;
        assert!(f64::from_le_bytes(of_f64(Fold::Min, &x)).is_sign_negative());
        let x: Vec<f64> = x.iter().map(|x| -x).collect();
        assert!(f64::from_le_bytes(of_f64(Fold::Max, &x)).is_sign_positive());
        let mut x = vec![1.0; 100];
        x[at] = nan;
        assert!(f64::from_le_bytes(of_f64(Fold::Min, &x)).is_nan());
    }
}

#[test]
fn the_first_of_equals_and_the_first_nan_win() {
    let at = |kind, x: &[f64]| u64::from_le_bytes(of_f64(kind, x));
    let (inf, nan) = (f64::INFINITY, f64::NAN);
    assert_eq!(at(Fold::Argmin, &[0.0, -0.0]), 0);
    assert_eq!(at(Fold::Argmax, &[-0.0, 0.0]), 0);
    assert_eq!(at(Fold::Argmax, &[1.0, nan, inf, nan]), 1);
    assert_eq!(at(Fold::Argmin, &[inf, inf]), 0);
    assert_eq!(at(Fold::Argmax, &vec![-inf; 5000]), 0);
    for place in [0, 31, 32, 1023, 1024, 4095, 4096, 9999] {
        let mut x = vec![1.0; 10000];
        x[place] = 2.0;
        x[9999] = 2.0;
        assert_eq!(at(Fold::Argmax, &x), place as u64);
        x[place] = nan;
        assert_eq!(at(Fold::Argmin, &x), place as u64);
    }
}

#[test]
fn sums_start_from_plus_zero_and_integers_wrap() {
    let sum = |x: &[f64]| f64::from_le_bytes(of_f64(Fold::Sum, x));
    assert_eq!(sum(&[]).to_bits(), 0);
    assert_eq!(sum(&[-0.0; 20]).to_bits(), 0);
    assert!((sum(&vec![0.1; 10_000]) - 1000.0).abs() < 3e-13);
    assert_eq!(f64::from_le_bytes(of_f64(Fold::Prod, &[])), 1.0);
    assert_eq!(f64::from_le_bytes(of_f64(Fold::Prod, &[-0.0])).to_bits(), (-0.0f64).to_bits());
    let data: Vec<u8> = [i64::MAX, 1, -5].iter().flat_map(|x| x.to_le_bytes()).collect();
    let got = inner(&fold(Fold::Sum, Measure::Itself, DType::I64).unwrap(), &data, 8, 3);
    assert_eq!(i64::from_le_bytes(got.try_into().unwrap()), i64::MAX.wrapping_add(1) - 5);
}

#[test]
fn many_ones_are_counted_in_float32() {
    let fns = fold(Fold::Sum, Measure::Itself, DType::F32).unwrap();
    let data: Vec<u8> = 1f32.to_le_bytes().repeat(1 << 25);
    let got = inner(&fns, &data, 4, 1 << 25);
    assert_eq!(f32::from_le_bytes(got[..4].try_into().unwrap()), 33_554_432.0);
}

#[test]
fn truth_values_are_counted() {
    let count = fold(Fold::Sum, Measure::Truth, DType::I64).unwrap();
    for n in [0, 1, 63, 64, 65, 1000, 255 * 64, 255 * 64 + 70, 2 * 255 * 64 + 1] {
        let bytes: Vec<u8> = (0..n).map(|i| (i % 3) as u8 * 100).collect();
        let want = bytes.iter().filter(|&&b| b != 0).count() as i64;
        assert_eq!(i64::from_le_bytes(inner(&count, &bytes, 1, n).try_into().unwrap()), want);
        let all = inner(&count, &vec![1; n], 1, n);
        assert_eq!(i64::from_le_bytes(all.try_into().unwrap()), n as i64);
    }
}

#[test]
fn truth_values_fold() {
    let run = |kind, x: &[u8]| {
        inner(&fold(kind, Measure::Itself, DType::Bool).unwrap(), x, 1, x.len())[0]
    };
    assert_eq!([run(Fold::Any, &[]), run(Fold::All, &[])], [0, 1]);
    assert_eq!([run(Fold::Any, &[0, 2]), run(Fold::All, &[4, 2])], [1, 1]);
    assert_eq!([run(Fold::Any, &[0, 0]), run(Fold::All, &[1, 0])], [0, 0]);
    assert_eq!(run(Fold::Argmax, &[0, 2, 1]), 1);
    assert!(
        fold(Fold::Any, Measure::Itself, DType::I8).is_none()
            && fold(Fold::Sum, Measure::Itself, DType::I32).is_none()
    );
    assert!(fold(Fold::Min, Measure::Itself, DType::F16).is_none());
}

#[test]
fn the_tree_collapses_right_to_left() {
    let fns = fold(Fold::Sum, Measure::Itself, DType::F64).unwrap();
    for n in 0..40_u64 {
        let mut tree = Tree::new(&fns, 1);
        let mut stack: Vec<f64> = Vec::new();
        for i in 0..n {
            let mut x = 1.0 / (i + 1) as f64;
            tree.push(&[x.to_bits()]).unwrap();
            for _ in 0..i.trailing_ones() {
                x += stack.pop().unwrap();
            }
            stack.push(x);
        }
        let want = stack.into_iter().rev().reduce(|right, left| left + right);
        assert_eq!(tree.collapse().map(|p| p[0]), want.map(f64::to_bits), "{n}");
    }
}
