//! Accuracy against correctly rounded functions (`core-math`), special values as NumPy's, and the same
//! bits on every path.

use super::*;

const NAN: f64 = f64::NAN;
const INF: f64 = f64::INFINITY;
const LN_2: f64 = std::f64::consts::LN_2;

/// Random bits, the same in every run (Steele, Lea and Flood's `SplitMix64`).
struct Random(u64);

impl Random {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn within(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// A unary function in both dtypes, its correctly rounded twins, and what it must keep to.
struct Case {
    op: Op,
    f32: fn(f32) -> f32,
    f64: fn(f64) -> f64,
    true_f64: fn(f64) -> f64,
    ulp_f32: f64,
    /// Where random doubles are drawn from, beside all bit patterns.
    range: (f64, f64),
}

fn cases() -> Vec<Case> {
    macro_rules! case {
        ($op:ident $f32:ident $f64:ident $truth:ident $ulp:literal $range:expr) => {
            Case {
                op: Op::$op,
                f32: |x| $f32(x),
                f64: |x| $f64(x),
                true_f64: core_math::$truth,
                ulp_f32: $ulp,
                range: $range,
            }
        };
    }
    vec![
        case!(Exp exp_f32 exp_f64 exp 0.95 (-750.0, 712.0)),
        case!(Log log_f32 log_f64 log 0.8 (0.3, 3.0)),
        case!(Log10 log10_f32 log10_f64 log10 0.8 (0.3, 3.0)),
        case!(Log1p log1p_f32 log1p_f64 log1p 0.9 (-1.0, 3.0)),
        case!(Tanh tanh_f32 tanh_f64 tanh 0.8 (-3.0, 3.0)),
        case!(Cbrt cbrt_f32 cbrt_f64 cbrt 0.55 (-1e3, 1e3)),
        case!(Exp2 exp2_f32 exp2_f64 exp2 0.7 (-1080.0, 1025.0)),
        case!(Expm1 expm1_f32 expm1_f64 expm1 0.8 (-40.0, 712.0)),
        case!(Log2 log2_f32 log2_f64 log2 0.8 (0.3, 3.0)),
        case!(Tan tan_f32 tan_f64 tan 1.0 (-100.0, 100.0)),
        case!(Arcsin arcsin_f32 arcsin_f64 asin 0.75 (-1.0, 1.0)),
        case!(Arccos arccos_f32 arccos_f64 acos 0.7 (-1.0, 1.0)),
        case!(Arctan arctan_f32 arctan_f64 atan 0.9 (-10.0, 10.0)),
        case!(Sinh sinh_f32 sinh_f64 sinh 0.95 (-712.0, 712.0)),
        case!(Cosh cosh_f32 cosh_f64 cosh 1.0 (-712.0, 712.0)),
        case!(Arcsinh arcsinh_f32 arcsinh_f64 asinh 0.8 (-30.0, 30.0)),
        case!(Arccosh arccosh_f32 arccosh_f64 acosh 0.9 (1.0, 30.0)),
        case!(Arctanh arctanh_f32 arctanh_f64 atanh 0.9 (-1.0, 1.0)),
        case!(Sin sin_f32 sin_f64 sin 0.95 (-100.0, 100.0)),
        case!(Cos cos_f32 cos_f64 cos 0.95 (-100.0, 100.0)),
    ]
}

/// The error of a `float32` result in units of its last place.
fn ulps_f32(got: f32, want: f64) -> f64 {
    let rounded = want as f32;
    if got.is_nan() || !got.is_finite() || !rounded.is_finite() {
        let same = got == rounded || (got.is_nan() && rounded.is_nan());
        return if same { 0.0 } else { INF };
    }
    let exponent = ((want.to_bits() >> 52) & 0x7ff) as i32 - 1023;
    let ulp = 2f64.powi(exponent.max(-126) - 23);
    (f64::from(got) - want).abs() / ulp
}

/// How many numbers apart two doubles are.
fn steps(a: f64, b: f64) -> u64 {
    let place = |x: f64| {
        let bits = x.to_bits().cast_signed();
        if bits < 0 { i64::MIN - bits } else { bits }
    };
    if a.is_nan() && b.is_nan() { 0 } else { place(a).abs_diff(place(b)) }
}

fn same(a: f64, b: f64) -> bool {
    a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
}

/// Doubles of every kind: all magnitudes, subnormals, near 1, the range, huge.
fn doubles(n: usize, range: (f64, f64), seed: u64) -> impl Iterator<Item = f64> {
    let mut random = Random(seed);
    (0..n).map(move |i| match i % 6 {
        0 => f64::from_bits(random.bits()),
        1 => f64::from_bits(random.bits() & !(0x7ff << 52)),
        2 => 1.0 + random.within(-1.0, 1.0) * 2f64.powi(-((random.bits() % 52) as i32)),
        3 => random.within(-1.0, 1.0) * 2f64.powi(-((random.bits() % 60) as i32)),
        _ => random.within(range.0, range.1),
    })
}

/// Runs a tile function. In place means that the first operand is also the output.
fn run<T: Copy>(f: MapFn, a: &[T], b: &[T], offset: usize, in_place: bool) -> Vec<T> {
    let bytes = size_of_val(a);
    let pack = |s: &[T]| {
        let mut v = vec![0u8; bytes + offset];
        // SAFETY: the buffer has room for all bytes after the offset.
        unsafe {
            std::ptr::copy_nonoverlapping(s.as_ptr().cast(), v.as_mut_ptr().add(offset), bytes);
        };
        v
    };
    let (mut a, b, mut out) = (pack(a), pack(b), vec![0u8; bytes + offset + 8]);
    out[bytes + offset..].fill(0xa5);
    let n = bytes / size_of::<T>();
    // SAFETY: all tiles hold `n` elements after the offset.
    unsafe {
        let (first, second) = (a.as_mut_ptr().add(offset), b.as_ptr().add(offset));
        let to = if in_place { first } else { out.as_mut_ptr().add(offset) };
        f(to, first, second, std::ptr::null(), n, std::ptr::null_mut());
        assert!(out[bytes + offset..].iter().all(|&x| x == 0xa5), "wrote past the end");
        (0..n).map(|i| to.cast::<T>().add(i).read_unaligned()).collect()
    }
}

#[test]
fn float32_is_within_its_bound() {
    for case in cases() {
        let (mut worst, mut at) = (0.0, 0.0);
        for bits in (0..=u32::MAX).step_by(3989) {
            let x = f32::from_bits(bits);
            let error = ulps_f32((case.f32)(x), (case.true_f64)(x.into()));
            if error > worst {
                (worst, at) = (error, x);
            }
        }
        println!("{} float32: {worst:.4} ulp at {at:e}", case.op.info().name);
        assert!(worst <= case.ulp_f32, "{:?} float32: {worst} ulp at {at:e}", case.op);
    }
}

#[test]
fn float64_is_within_a_step_of_correct_rounding_and_mostly_on_it() {
    for case in cases() {
        let n = 200_000;
        let mut off = 0;
        for x in doubles(n, case.range, 1) {
            let (got, want) = ((case.f64)(x), (case.true_f64)(x));
            let apart = steps(got, want);
            assert!(apart <= 1, "{:?} of {x:e}: {got:e}, not {want:e}", case.op);
            off += apart;
        }
        println!("{} float64: {off} of {n} not rounded correctly", case.op.info().name);
        // An error below 1 ulp, evenly spread, would miss far more often.
        assert!(off < n as u64 / 16, "{:?}: {off} of {n} not rounded correctly", case.op);
    }
}

/// Where half of what is added to `exp |x|` falls off, or of what is taken from it: it counts all the same.
#[test]
fn hyperbolic_sums_keep_what_falls_off() {
    let mut random = Random(12);
    let n = 50_000;
    let (mut sinh_off, mut cosh_off) = (0, 0);
    for _ in 0..n {
        let x = random.within(18.37, 18.72);
        sinh_off += steps(sinh_f64(x), core_math::sinh(x));
        cosh_off += steps(cosh_f64(x), core_math::cosh(x));
    }
    assert!(sinh_off < n / 8, "sinh: {sinh_off} of {n} not rounded correctly");
    assert!(cosh_off < n / 8, "cosh: {cosh_off} of {n} not rounded correctly");
}

/// Pairs of every kind, their results mostly finite.
fn pairs(n: usize) -> impl Iterator<Item = (f64, f64)> {
    let mut random = Random(3);
    doubles(n, (0.1, 8.0), 2).enumerate().map(move |(i, x)| {
        let log = x.abs().ln();
        let y = match i % 5 {
            0 => random.within(-745.0, 710.0) / if log == 0.0 { 1.0 } else { log },
            1 => (random.bits() % 21) as f64 - 10.0,
            2 => f64::from_bits(random.bits()),
            _ => random.within(-8.0, 8.0),
        };
        (if i % 4 == 0 { x } else { x.abs() }, y)
    })
}

#[test]
fn power_is_within_its_bound() {
    let (mut worst, mut off) = (0.0f64, 0);
    let n = 300_000;
    for (x, y) in pairs(n) {
        let (got, want) = (power_f64(x, y), core_math::pow(x, y));
        let apart = steps(got, want);
        assert!(apart <= 1, "{x:e} ** {y:e}: {got:e}, not {want:e}");
        off += apart;
        let (x, y) = (x as f32, y as f32);
        let (got, want) = (power_f32(x, y), core_math::pow(x.into(), y.into()));
        let error = ulps_f32(got, want);
        // Computed in single precision, of which 0.4 ulp are left to the logarithm and the product.
        assert!(error <= 0.9, "{x:e} ** {y:e}: {got:e}, {error} ulp from {want:e}");
        worst = worst.max(error);
    }
    println!("power float32: {worst:.4} ulp; float64: {off} of {n} not rounded correctly");
    assert!(off < n as u64 / 16, "{off} of {n} not rounded correctly");
}

#[test]
fn hypot_and_arctan2_are_within_their_bounds() {
    let cases: [(Op, Binary<f64>); 2] =
        [(Op::Hypot, core_math::hypot), (Op::Arctan2, core_math::atan2)];
    for (op, truth) in cases {
        let (double, single) = binary_of(op);
        let (mut worst, mut off, n) = (0.0f64, 0, 200_000);
        let other = doubles(n, (-10.0, 10.0), 11).collect::<Vec<_>>();
        for (x, &y) in doubles(n, (-10.0, 10.0), 10).zip(other.iter().rev()) {
            let (got, want) = (double(x, y), truth(x, y));
            let apart = steps(got, want);
            assert!(apart <= 1, "{op} of {x:e} and {y:e}: {got:e}, not {want:e}");
            off += apart;
            let (x, y) = (x as f32, y as f32);
            let (got, want) = (single(x, y), truth(x.into(), y.into()));
            let error = ulps_f32(got, want);
            let bound = if op == Op::Arctan2 { 1.0 } else { 0.51 };
            assert!(error <= bound, "{op} of {x:e} and {y:e}: {got:e}, {error} ulp from {want:e}");
            worst = worst.max(error);
        }
        println!("{op} float32: {worst:.4} ulp; float64: {off} of {n} not rounded correctly");
        assert!(off < n as u64 / 20, "{op}: {off} of {n} not rounded correctly");
    }
}

/// `log(1 + b**d)` for `d <= 0`, of which the double nearest to it is close enough to judge by.
fn log1p_of_power(d: f64, base: f64) -> f64 {
    if base == 2.0 {
        core_math::log2p1(core_math::exp2(d))
    } else {
        core_math::log1p(core_math::exp(d))
    }
}

#[test]
fn angles_of_special_points_follow_c99() {
    use std::f64::consts::{FRAC_PI_2, FRAC_PI_4, PI};
    let tiny = f64::MIN_POSITIVE;
    for (y, x, want) in [
        (0.0, 0.0, 0.0),
        (-0.0, 0.0, -0.0),
        (0.0, -0.0, PI),
        (-0.0, -0.0, -PI),
        (-0.0, -3.0, -PI),
        (0.0, INF, 0.0),
        (1.0, 0.0, FRAC_PI_2),
        (-1.0, -0.0, -FRAC_PI_2),
        (1.0, -INF, PI),
        (-1.0, INF, -0.0),
        (INF, 1.0, FRAC_PI_2),
        (INF, INF, FRAC_PI_4),
        (-INF, -INF, -3.0 * FRAC_PI_4),
        (INF, -INF, 3.0 * FRAC_PI_4),
        (NAN, 1.0, NAN),
        (1.0, NAN, NAN),
        (INF, NAN, NAN),
        (tiny, tiny, FRAC_PI_4),
        (5e-324, -5e-324, 3.0 * FRAC_PI_4),
        (f64::MAX, f64::MAX, FRAC_PI_4),
        (5e-324, f64::MAX, 0.0),
        (5e-324, -f64::MAX, PI),
        (tiny, 4.0, tiny / 4.0),
    ] {
        let got = arctan2_f64(y, x);
        assert!(same(got, want), "angle of ({x:e}, {y:e}): {got:e}, not {want:e}");
    }
    assert_eq!((arctan_f64(INF), arctan_f64(-INF)), (FRAC_PI_2, -FRAC_PI_2));
}

#[test]
fn logaddexp_is_within_its_bound() {
    for (op, base) in [(Op::Logaddexp, 1.0), (Op::Logaddexp2, 2.0)] {
        let (double, single) = binary_of(op);
        let (n, mut worst) = (200_000, 0.0f64);
        let mut random = Random(12);
        for _ in 0..n {
            // Where both operands are the same to 12 bits their difference is exact.
            let y = random.within(-60.0, 60.0);
            let x = y + (random.within(-40.0, 40.0) * 256.0).round() / 256.0;
            let (large, d) = (x.max(y), -(x - y).abs());
            let (got, tail) = (double(x, y), log1p_of_power(d, base));
            let want = large + tail;
            // What the reference itself may be off by, and the result in units of the larger.
            let unit = want.abs().max(large.abs()).max(tail).max(1e-300) * f64::EPSILON;
            let error = ((got - large) - tail).abs() / unit;
            assert!(error <= 1.5, "{op} of {x:e} and {y:e}: {got:e}, {error} from {want:e}");
            let (x, y) = (x as f32, y as f32);
            let got = single(x, y);
            let wide = double(x.into(), y.into());
            worst = worst.max(ulps_f32(got, wide));
        }
        println!("{op} float32: {worst:.4} ulp");
        assert!(worst <= 0.51);
        for (x, y, want) in [
            (INF, 1.0, INF),
            (-INF, 1.0, 1.0),
            (-INF, -INF, -INF),
            (INF, -INF, INF),
            (INF, INF, INF),
            (NAN, -INF, NAN),
            (INF, NAN, NAN),
            (0.0, -700.0, if base == 2.0 { exp2_f64(-700.0) / LN_2 } else { exp_f64(-700.0) }),
            (1e300, -1e300, 1e300),
            (1e308, 1e308, 1e308),
        ] {
            assert!(same(double(x, y), want), "{op} of {x} and {y}: {}", double(x, y));
            assert!(same(double(y, x), want), "{op} of {y} and {x}: {}", double(y, x));
        }
    }
}

#[test]
fn powers_that_are_exact() {
    for x in doubles(20_000, (-1e3, 1e3), 4) {
        let single = x as f32;
        assert!(same(power_f64(x, 2.0), x * x), "{x:e} squared");
        assert!(
            same(power_f32(single, 2.0).into(), (single * single).into()),
            "{single:e} squared"
        );
        assert!(same(power_f64(x, 1.0), x), "{x:e} to 1");
        assert!(same(power_f32(single, 1.0).into(), single.into()), "{single:e} to 1");
    }
    for (x, y, want) in [
        (3.0, 3.0, 27.0),
        (-3.0, 3.0, -27.0),
        (10.0, 22.0, 1e22),
        (9.0, 0.5, 3.0),
        (2.0, -1074.0, 5e-324),
    ] {
        assert_eq!(power_f64(x, y), want, "{x} ** {y}");
    }
}

#[test]
fn powers_of_special_values_follow_c99() {
    for (x, y, want) in [
        (NAN, 0.0, 1.0),
        (NAN, -0.0, 1.0),
        (INF, 0.0, 1.0),
        (0.0, 0.0, 1.0),
        (1.0, NAN, 1.0),
        (1.0, -INF, 1.0),
        (-1.0, INF, 1.0),
        (-1.0, -INF, 1.0),
        (-1.0, NAN, NAN),
        (NAN, 1.0, NAN),
        (2.0, NAN, NAN),
        (-INF, NAN, NAN),
        (0.0, -3.0, INF),
        (-0.0, -3.0, -INF),
        (-0.0, -2.0, INF),
        (-0.0, -0.5, INF),
        (-0.0, 3.0, -0.0),
        (-0.0, 2.0, 0.0),
        (-0.0, 0.5, 0.0),
        (0.0, INF, 0.0),
        (-0.0, -INF, INF),
        (0.5, INF, 0.0),
        (0.5, -INF, INF),
        (-0.5, INF, 0.0),
        (2.0, INF, INF),
        (-2.0, -INF, 0.0),
        (INF, 0.5, INF),
        (INF, -0.5, 0.0),
        (-INF, 3.0, -INF),
        (-INF, 2.0, INF),
        (-INF, 0.5, INF),
        (-INF, -3.0, -0.0),
        (-INF, -2.5, 0.0),
        (-8.0, 1.0 / 3.0, NAN),
        (-2.0, 3.0, -8.0),
        (-2.0, 1e300, INF),
        (2.0, 1e300, INF),
        (2.0, -1e300, 0.0),
        (-2.0, -1e300, 0.0),
    ] {
        let (got, single) = (power_f64(x, y), power_f32(x as f32, y as f32));
        assert!(same(got, want), "{x} ** {y}: {got}, not {want}");
        if y.abs() != 1e300 {
            assert!(same(single.into(), want), "{x} ** {y}: {single}, not {want}");
        }
    }
}

#[test]
fn special_values_and_exact_points() {
    let table: &[(Op, &[(f64, f64)])] = &[
        (Op::Exp, &[(0.0, 1.0), (-0.0, 1.0), (INF, INF), (-INF, 0.0), (NAN, NAN)]),
        (Op::Log, &[(1.0, 0.0), (0.0, -INF), (-0.0, -INF), (-1.0, NAN), (INF, INF), (-INF, NAN)]),
        (Op::Log10, &[(1.0, 0.0), (0.0, -INF), (-0.0, -INF), (-1.0, NAN), (INF, INF), (NAN, NAN)]),
        (Op::Log1p, &[(0.0, 0.0), (-0.0, -0.0), (-1.0, -INF), (-2.0, NAN), (INF, INF), (NAN, NAN)]),
        (Op::Tanh, &[(0.0, 0.0), (-0.0, -0.0), (INF, 1.0), (-INF, -1.0), (NAN, NAN)]),
        (
            Op::Cbrt,
            &[(0.0, 0.0), (-0.0, -0.0), (INF, INF), (-INF, -INF), (NAN, NAN), (-27.0, -3.0)],
        ),
        (Op::Exp2, &[(0.0, 1.0), (-0.0, 1.0), (INF, INF), (-INF, 0.0), (NAN, NAN), (-3.0, 0.125)]),
        (Op::Expm1, &[(0.0, 0.0), (-0.0, -0.0), (INF, INF), (-INF, -1.0), (NAN, NAN)]),
        (Op::Log2, &[(1.0, 0.0), (0.0, -INF), (-0.0, -INF), (-1.0, NAN), (INF, INF), (NAN, NAN)]),
        (Op::Tan, &[(0.0, 0.0), (-0.0, -0.0), (INF, NAN), (-INF, NAN), (NAN, NAN)]),
        (Op::Arcsin, &[(0.0, 0.0), (-0.0, -0.0), (1.5, NAN), (-INF, NAN), (NAN, NAN)]),
        (Op::Arccos, &[(1.0, 0.0), (1.5, NAN), (-INF, NAN), (NAN, NAN)]),
        (Op::Arctan, &[(0.0, 0.0), (-0.0, -0.0), (NAN, NAN)]),
        (Op::Sinh, &[(0.0, 0.0), (-0.0, -0.0), (INF, INF), (-INF, -INF), (NAN, NAN)]),
        (Op::Cosh, &[(0.0, 1.0), (-0.0, 1.0), (INF, INF), (-INF, INF), (NAN, NAN)]),
        (Op::Arcsinh, &[(0.0, 0.0), (-0.0, -0.0), (INF, INF), (-INF, -INF), (NAN, NAN)]),
        (Op::Arccosh, &[(1.0, 0.0), (0.5, NAN), (-INF, NAN), (INF, INF), (NAN, NAN)]),
        (
            Op::Arctanh,
            &[
                (0.0, 0.0),
                (-0.0, -0.0),
                (1.0, INF),
                (-1.0, -INF),
                (1.5, NAN),
                (-INF, NAN),
                (NAN, NAN),
            ],
        ),
        (Op::Sin, &[(0.0, 0.0), (-0.0, -0.0), (INF, NAN), (-INF, NAN), (NAN, NAN)]),
        (Op::Cos, &[(0.0, 1.0), (-0.0, 1.0), (INF, NAN), (-INF, NAN), (NAN, NAN)]),
    ];
    for case in cases() {
        let rows = table.iter().find(|row| row.0 == case.op).expect("every case has rows").1;
        for &(x, want) in rows {
            let (double, single) = ((case.f64)(x), (case.f32)(x as f32));
            assert!(same(double, want), "{:?} of {x}: {double}, not {want}", case.op);
            assert!(same(single.into(), want), "{:?} of {x}: {single}, not {want}", case.op);
        }
    }
    for k in -307..=308 {
        let x: f64 = format!("1e{k}").parse().unwrap();
        assert_eq!(log10_f64(x), f64::from(k));
        if (-37..=38).contains(&k) {
            assert_eq!(log10_f32(x as f32), k as f32);
        }
    }
    for k in -1074..1024 {
        let x = 2f64.powi(k.max(-1022)) * 2f64.powi(k.min(-1022) + 1022);
        assert_eq!((log2_f64(x), exp2_f64(k.into())), (k.into(), x));
    }
    assert_eq!(exp2_f32(-149.0), f32::from_bits(1));
    assert_eq!((exp2_f64(1024.0), expm1_f64(710.0)), (INF, INF));
    assert_eq!(exp_f64(-745.0), 5e-324);
    assert_eq!(exp_f64(709.8), INF);
    assert_eq!(exp_f32(-103.0), f32::from_bits(1));
    assert_eq!(log_f64(5e-324), -744.4400719213812);
}

#[test]
fn odd_and_even_functions_are_so_bit_for_bit() {
    for x in doubles(20_000, (-1e4, 1e4), 5) {
        assert!(same(sin_f64(-x), -sin_f64(x)), "sin of {x:e}");
        assert!(same(cos_f64(-x), cos_f64(x)), "cos of {x:e}");
        assert!(same(tanh_f64(-x), -tanh_f64(x)), "tanh of {x:e}");
        assert!(same(sinh_f64(-x), -sinh_f64(x)), "sinh of {x:e}");
        assert!(same(cosh_f64(-x), cosh_f64(x)), "cosh of {x:e}");
        assert!(same(arcsinh_f64(-x), -arcsinh_f64(x)), "arcsinh of {x:e}");
        assert!(same(arctanh_f64(-x), -arctanh_f64(x)), "arctanh of {x:e}");
        let x = x as f32;
        assert!(same(sin_f32(-x).into(), (-sin_f32(x)).into()), "sin of {x:e}");
        assert!(same(cos_f32(-x).into(), cos_f32(x).into()), "cos of {x:e}");
        assert!(same(tanh_f32(-x).into(), (-tanh_f32(x)).into()), "tanh of {x:e}");
    }
}

/// Every op that the module maps: the heavy ones of floats, both of them.
fn ops() -> Vec<Op> {
    let heavy = |op: &Op| op.info().cost == crate::op::Cost::Heavy && op.has_loop(DType::F32);
    Op::ALL.iter().copied().filter(heavy).collect()
}

type Binary<T> = fn(T, T) -> T;

/// The scalar functions of a binary op.
fn binary_of(op: Op) -> (Binary<f64>, Binary<f32>) {
    match op {
        Op::Power => (power_f64, power_f32),
        Op::Hypot => (hypot_f64, hypot_f32),
        Op::Arctan2 => (arctan2_f64, arctan2_f32),
        Op::Logaddexp => (logaddexp_f64, logaddexp_f32),
        Op::Logaddexp2 => (logaddexp2_f64, logaddexp2_f32),
        _ => panic!("{op:?} is not binary"),
    }
}

#[test]
fn every_instance_and_the_scalar_functions_give_the_same_bits() {
    let scalars = cases();
    for op in ops() {
        let range = op.info().domain;
        let a: Vec<f64> = doubles(10_007, range, 6).collect();
        let b: Vec<f64> = doubles(10_007, (-8.0, 8.0), 7).collect();
        let singles = |v: &[f64]| v.iter().map(|&x| x as f32).collect::<Vec<f32>>();
        let (a32, b32) = (singles(&a), singles(&b));
        let case = scalars.iter().find(|case| case.op == op);
        for &isa in Isa::all() {
            let got = run(map_on(isa, op, DType::F64).unwrap(), &a, &b, 0, false);
            let got32 = run(map_on(isa, op, DType::F32).unwrap(), &a32, &b32, 0, false);
            for i in 0..a.len() {
                let (want, want32) = match case {
                    Some(case) => ((case.f64)(a[i]), (case.f32)(a32[i])),
                    None => (binary_of(op).0(a[i], b[i]), binary_of(op).1(a32[i], b32[i])),
                };
                assert!(same(got[i], want), "{op:?} of {:e}: {:e}, not {want:e}", a[i], got[i]);
                assert!(
                    same(got32[i].into(), want32.into()),
                    "{op:?} of {:e}: {:e}, not {want32:e}",
                    a32[i],
                    got32[i]
                );
            }
        }
    }
}

#[test]
fn lookups_take_the_low_four_bits_of_an_index() {
    use table::{Lines, Lookup, Portable, Table, Tables};
    struct It;
    impl Tables<f32, 3> for It {
        const TABLES: [Table<f32>; 3] = [[1.5; 16], single(2.0), single(-7.0)];
    }
    impl Tables<f64, 3> for It {
        const TABLES: [Table<f64>; 3] = [[1.5; 16], double(2.0), double(-7.0)];
    }
    const fn single(from: f32) -> Table<f32> {
        let (mut table, mut i) = ([from; 16], 0);
        while i < table.len() {
            table[i] += i as f32;
            i += 1;
        }
        table
    }
    const fn double(from: f64) -> Table<f64> {
        let (mut table, mut i) = ([from; 16], 0);
        while i < table.len() {
            table[i] += i as f64;
            i += 1;
        }
        table
    }
    fn check<V: Lookup<f32, 32> + Lookup<f64, 32>>() {
        let indices: [u64; 32] = std::array::from_fn(|i| (i as u64 * 7) ^ 0x3fff_ffd0);
        let (mut found, mut wide) = ([Lines([0f32; 32]); 3], [Lines([0f64; 32]); 3]);
        // SAFETY: the caller asks for what the machine has.
        unsafe {
            V::lookup::<It, 3>(&indices.map(|i| i as u32), &mut found);
            V::lookup::<It, 3>(&indices, &mut wide);
        }
        for (i, index) in indices.iter().enumerate() {
            let at = (index & 15) as f32;
            assert_eq!(found.map(|column| column.0[i]), [1.5, 2.0 + at, at - 7.0]);
            assert_eq!(wide.map(|column| column.0[i]), found.map(|column| f64::from(column.0[i])));
        }
    }
    for &isa in Isa::all() {
        match isa {
            Isa::Portable => check::<Portable>(),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => check::<table::Avx2>(),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => check::<table::Avx512>(),
        }
    }
}

#[test]
fn tiles_may_be_unaligned_of_any_length_and_in_place() {
    fn check<T: Copy + Into<f64>>(f: MapFn, a: &[T], b: &[T], what: &str) {
        let whole = run(f, a, b, 0, false);
        for n in [0, 1, 7, 8, 31, 32, 33, 63, 64, 65, 300] {
            for (offset, in_place) in [(0, true), (1, false), (3, true)] {
                let got = run(f, &a[..n], &b[..n], offset, in_place);
                for (i, &got) in got.iter().enumerate() {
                    assert!(same(got.into(), whole[i].into()), "{what}: element {i} of {n}");
                }
            }
        }
    }
    let a: Vec<f64> = doubles(300, (0.1, 50.0), 8).collect();
    let b: Vec<f64> = doubles(300, (-3.0, 3.0), 9).collect();
    let singles = |v: &[f64]| v.iter().map(|&x| x as f32).collect::<Vec<f32>>();
    for op in ops() {
        check(map(op, DType::F64).unwrap(), &a, &b, op.info().name);
        check(map(op, DType::F32).unwrap(), &singles(&a), &singles(&b), op.info().name);
    }
}

#[test]
fn what_the_fast_form_leaves_is_mended_wherever_it_stands() {
    let odd = [0.0, -0.0, -1.0, INF, -INF, NAN, 1e-310, 1e-42, 1e30, 1e300, 710.0];
    for case in cases() {
        let (double, single) =
            (map(case.op, DType::F64).unwrap(), map(case.op, DType::F32).unwrap());
        for (k, &odd) in odd.iter().enumerate() {
            // Silence and the like; and one such element among others, in any chunk and in the rest.
            let silence = vec![odd; 300];
            let mut alone = vec![1.25; 300];
            alone[(k * 37) % 300] = odd;
            alone[290 + k % 10] = odd;
            for x in [silence, alone] {
                let x32: Vec<f32> = x.iter().map(|&x| x as f32).collect();
                let (y, y32) = (run(double, &x, &x, 0, false), run(single, &x32, &x32, 0, false));
                for i in 0..x.len() {
                    assert!(same(y[i], (case.f64)(x[i])), "{:?} of {:e} at {i}", case.op, x[i]);
                    let want = (case.f32)(x32[i]);
                    assert!(
                        same(y32[i].into(), want.into()),
                        "{:?} of {:e} at {i}",
                        case.op,
                        x32[i]
                    );
                }
            }
        }
    }
}

#[test]
fn other_ops_and_dtypes_have_none() {
    assert!(map(Op::Add, DType::F64).is_none());
    assert!(map(Op::Exp, DType::I32).is_none());
    assert!(map(Op::Power, DType::I64).is_none());
}
