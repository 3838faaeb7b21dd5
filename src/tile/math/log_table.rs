//! Logarithms: natural, binary and decimal.
//!
//! `x = 2**e m` with `m` from 0.698 to 1.395. The inverse `c` of a number near `m`, from a table of sixteen, makes
//! `m c = 1 + r` with a small `r`, of which a short polynomial is the logarithm. So `log x` is `e log 2`, and
//! `-log c`, from a table, and that. The first two are held as sums of two numbers, the first of which are multiples
//! of one power of two and add up exactly. Around 1 both are 0; next to that, where the sum cancels, `c` has so few
//! bits that `r` is exact. Written once for both precisions. May not know: tiles, machines.

use super::lanes::{Unary, of_one};
use super::log;
use super::table::{Real, Table, Tables};

/// `c`, by the four highest bits of where a number lies between two powers of two.
const INVERSE: Table<f64> = [
    1.40234375, 1.34375, 1.2890625, 1.2421875, 1.1953125, 1.15234375, 1.109375, 1.0625, 1.03125,
    1.0, 0.96875, 0.90625, 0.8515625, 0.80859375, 0.76953125, 0.734375,
];

/// The logarithms to a base: of 2, and of the inverses, each as a sum of two; and the polynomial in `r`, whose first
/// coefficient is a sum of two.
struct Base<T, const N: usize> {
    two: [T; 2],
    head: Table<T>,
    rest: Table<T>,
    series: [T; N],
}

/// An exponent that is held where a number has its own: as an integer, with the fraction's bits behind it.
#[inline(always)]
fn number_f32(exponent: u32) -> f32 {
    exponent.cast_signed() as f32
}

/// The same in double precision: as an integer in the low bits of a double near `2**52`, since only AVX-512 converts
/// integers of 64 bits.
#[inline(always)]
fn number_f64(exponent: u64) -> f64 {
    const NEAR: f64 = 4_503_599_627_370_496.0;
    f64::from_bits((exponent >> 52) | NEAR.to_bits()) - NEAR
}

/// A polynomial, lowest coefficient first: few enough for one step after the other.
#[inline(always)]
fn series_f32(r: f32, c: [f32; 4]) -> f32 {
    r.mul_add(r.mul_add(r.mul_add(c[3], c[2]), c[1]), c[0])
}

/// The same of so many that pairs are taken side by side (Estrin's scheme): what waits for each other is the time.
#[inline(always)]
fn series_f64(r: f64, c: [f64; 9]) -> f64 {
    let square = r * r;
    let pair = |i: usize| r.mul_add(c[i + 1], c[i]);
    let low = square.mul_add(pair(2), pair(0));
    let high = square.mul_add(square.mul_add(c[8], pair(6)), pair(4));
    (square * square).mul_add(high, low)
}

macro_rules! define_logs {
    ($t:ident $bits:ident, $fraction:literal, $least:literal, $infinity:literal, $bias:literal,
        $number:ident $unit:expr, $series:ident $terms:literal;
        $split:ident, $($(#[$doc:meta])+ $name:ident $of:ident: $base:ident, $wide:path;)+) => {
        /// A number in parts, and what the tables hold for it.
        pub(super) struct $split {
            /// `e + BIAS`, of which `UNIT` is 1.
            pub(super) e: $t,
            /// `m` and `c`, one divided by and one times `2**BIAS`.
            pub(super) lowered: $t,
            pub(super) inverse: $t,
            /// `-log c - BIAS log 2`, and what that leaves over.
            pub(super) head: $t,
            pub(super) rest: $t,
        }

        impl $split {
            /// The bits of the least number that is split.
            const LEAST: $bits = $least;
            /// How far above it the bits of infinity are.
            const BEYOND: $bits = $infinity - $least;
            /// What is added to an exponent, so that it is never below 0.
            const BIAS: $t = $bias as $t;
            const FRACTION: $bits = (1 << $fraction) - 1;
            /// What an exponent of 1 is in `e`.
            pub(super) const UNIT: $t = $unit;

            /// A number's bits above the least one's: the biased exponent, and where between two powers of two.
            #[inline(always)]
            fn above(x: $t) -> $bits {
                x.to_bits().wrapping_sub(Self::LEAST)
            }

            #[inline(always)]
            pub(super) fn of(x: $t, [inverse, head, rest]: [$t; 3]) -> $split {
                let exponent = Self::above(x) & !Self::FRACTION;
                let lowered = $t::from_bits(x.to_bits().wrapping_sub(exponent));
                $split { e: $number(exponent), lowered, inverse, head, rest }
            }

            /// What is looked up for a base. All of it is exact: inverses and the parts of `log 2` have few bits.
            const fn tables(base: &Base<$t, $terms>) -> [Table<$t>; 3] {
                let [mut inverse, mut head, mut rest] = [[0.0; 16]; 3];
                let lift = $t::from_bits(($t::MAX_EXP as $bits - 1 + $bias) << $fraction);
                let mut i = 0;
                while i < inverse.len() {
                    inverse[i] = INVERSE[i] as $t * lift;
                    head[i] = base.head[i] - Self::BIAS * base.two[0];
                    rest[i] = base.rest[i] - Self::BIAS * base.two[1];
                    i += 1;
                }
                [inverse, head, rest]
            }

            /// The logarithm of the number.
            #[inline(always)]
            fn log(&self, base: &Base<$t, $terms>) -> $t {
                // Exact, and what that leaves over.
                let head = self.e.mul_add(base.two[0] * Self::UNIT, self.head);
                let rest = self.e.mul_add(base.two[1] * Self::UNIT, self.rest);
                let r = self.lowered.mul_add(self.inverse, -1.0);
                let [c0, c1, c @ ..] = base.series;
                head + r.mul_add(c0, r.mul_add($series(r, c).mul_add(r, c1), rest))
            }
        }

        $(
            $(#[$doc])+
            pub(super) struct $name;

            impl Tables<$t, 3> for $name {
                const TABLES: [Table<$t>; 3] = $split::tables(&$base);
            }

            impl Unary<$t, 3> for $name {
                #[inline(always)]
                fn index(x: $t) -> <$t as Real>::Index {
                    $split::above(x) >> ($fraction - 4)
                }

                #[inline(always)]
                fn fast(x: $t, row: [$t; 3]) -> $t {
                    $split::of(x, row).log(&$base)
                }

                #[inline(always)]
                fn plain(x: $t) -> bool {
                    $split::above(x) < $split::BEYOND
                }

                /// Silence has zeros, signals are below 0, and neither must be slow.
                #[inline(always)]
                fn applies(x: $t) -> bool {
                    Self::plain(x) || x <= 0.0
                }

                #[inline(always)]
                fn ends(x: $t, y: $t) -> $t {
                    let end = if x == 0.0 { $t::NEG_INFINITY } else { $t::NAN };
                    if x <= 0.0 { end } else { y }
                }

                #[inline(always)]
                fn wide(x: $t) -> $t {
                    $wide(x.into()) as $t
                }
            }

            $(#[$doc])+
            #[inline(always)]
            pub fn $of(x: $t) -> $t {
                of_one::<$t, $name, 3>(x)
            }
        )+
    };
}

const NATURAL_F32: Base<f32, 6> = Base {
    two: [0.693_145_75, 1.428_605_2e-6],
    head: [
        -0.338_150_02,
        -0.295_471_2,
        -0.253_921_5,
        -0.216_873_17,
        -0.178_405_76,
        -0.141_799_93,
        -0.103_790_28,
        -0.060_623_17,
        -0.030_776_978,
        0.0,
        0.031_753_54,
        0.098_434_45,
        0.160_675_05,
        0.212_463_38,
        0.261_978_15,
        0.308_731_08,
    ],
    rest: [
        5.080_405_6e-6,
        6.978_512_4e-6,
        6.298_808e-6,
        -7.693_553e-7,
        -1.895_754e-6,
        2.014_897_5e-6,
        -6.510_478_7e-6,
        -1.452_871_2e-6,
        5.318_872_4e-6,
        0.0,
        -4.841_724_6e-6,
        5.624_571_3e-6,
        7.332_862_4e-6,
        -4.727_692e-6,
        -4.433_672_5e-6,
        4.402_548_3e-6,
    ],
    series: [1.0, 0.0, -0.5, 0.333_337_46, -0.250_074_36, 0.192_380_23],
};

const BINARY_F32: Base<f32, 6> = Base {
    two: [1.0, 0.0],
    head: [
        -0.487_838_75,
        -0.426_269_53,
        -0.366_317_75,
        -0.312_881_47,
        -0.257_385_25,
        -0.204_574_58,
        -0.149_749_76,
        -0.087_463_38,
        -0.044_387_817,
        0.0,
        0.045_806_885,
        0.142_013_55,
        0.231_811_52,
        0.306_518_55,
        0.377_944_95,
        0.445_404_05,
    ],
    rest: [
        -1.288_705_9e-6,
        4.776_548e-6,
        -4.465_222_4e-6,
        -1.485_557_8e-6,
        -2.588_786_4e-6,
        3.440_711_7e-6,
        2.636_354_8e-6,
        5.376_559e-7,
        -6.301_975_6e-6,
        0.0,
        -3.195_152_4e-6,
        5.455_068e-6,
        4.151_785_6e-6,
        -5.512_187e-6,
        3.234_254_6e-6,
        7.095_588e-6,
    ],
    series: [
        std::f32::consts::LOG2_E,
        1.925_963e-8,
        -0.721_347_5,
        0.480_904_46,
        -0.360_793_38,
        0.277_626_7,
    ],
};

const DECIMAL_F32: Base<f32, 6> = Base {
    two: [0.301_025_4, 4.605_041e-6],
    head: [
        -0.146_858_22,
        -0.128_318_79,
        -0.110_275_27,
        -0.094_184_875,
        -0.077_484_13,
        -0.061_584_473,
        -0.045_082_092,
        -0.026_329_04,
        -0.013_366_699,
        0.0,
        0.013_786_316,
        0.042_755_127,
        0.069_786_07,
        0.092_269_9,
        0.113_777_16,
        0.134_078_98,
    ],
    rest: [
        3.732_065_6e-6,
        3.093_614e-7,
        1.293_988_7e-6,
        -2.279_184_4e-6,
        2.669_689_6e-6,
        2.421_989_8e-6,
        3.717_55e-6,
        1.018_049_9e-7,
        2.737_660_7e-6,
        0.0,
        1.968_567_6e-6,
        -3.146_532_2e-6,
        -2.600_07e-6,
        -2.776_06e-7,
        -3.421_494_3e-6,
        3.136_556e-6,
    ],
    series: [
        std::f32::consts::LOG10_E,
        -1.010_305e-8,
        -0.217_147_23,
        0.144_766_54,
        -0.108_617_604,
        0.083_737_545,
    ],
};

const NATURAL_F64: Base<f64, 11> = Base {
    two: [0.693147180559663, 2.8235290563035586e-13],
    head: [
        -0.3381449440084907,
        -0.2954642128938758,
        -0.2539152099811872,
        -0.21687393830052315,
        -0.1784076574726896,
        -0.14179791186006696,
        -0.10379679368179495,
        -0.060624621816259605,
        -0.03077165866670839,
        0.0,
        0.031748698314459034,
        0.09844007281344602,
        0.16068238169054894,
        0.21245865121409224,
        0.26197371574153294,
        0.3087354816498191,
    ],
    rest: [
        -2.2568672532041902e-13,
        3.993416384387844e-14,
        2.2377349871059472e-13,
        -9.120937249914984e-14,
        -1.2869017157588258e-13,
        -1.9038908037626108e-13,
        1.5138730947129065e-13,
        -1.7523746905186702e-13,
        -4.529814257790929e-14,
        0.0,
        1.2126714809099119e-13,
        -1.9350243441399066e-13,
        -7.547106028244807e-14,
        1.0115944196590467e-13,
        4.102651071698446e-14,
        -2.0585154795158916e-13,
    ],
    series: [
        1.0,
        0.0,
        -0.5,
        0.3333333333333466,
        -0.2500000000006003,
        0.19999999988555853,
        -0.1666666620486879,
        0.14285738960297767,
        -0.12501122207681103,
        0.11101963650362551,
        -0.0916720919772217,
    ],
};

const BINARY_F64: Base<f64, 11> = Base {
    two: [1.0, 0.0],
    head: [
        -0.4878400338229767,
        -0.4262647547020606,
        -0.3663222142458835,
        -0.31288295528429444,
        -0.2573878426928786,
        -0.20457114424925749,
        -0.14974711950480923,
        -0.0874628412502716,
        -0.04439411935845783,
        0.0,
        0.04580368961296699,
        0.14201900487250896,
        0.23181567522306068,
        0.3065130425006828,
        0.3779481805436262,
        0.44541114832236417,
    ],
    rest: [
        -7.465230539625898e-14,
        -3.733907276649932e-14,
        6.772958123003094e-14,
        -6.092125480829092e-14,
        2.268500031654309e-13,
        5.38794030244616e-14,
        1.2717265173764345e-13,
        -6.781363655020842e-14,
        4.390985973169353e-15,
        0.0,
        1.5779993136598194e-13,
        -8.107893466726174e-14,
        1.2961666388058281e-14,
        -8.021541520069169e-15,
        -2.4888447947828258e-15,
        -1.5420422453235895e-15,
    ],
    series: [
        std::f64::consts::LOG2_E,
        2.0355273740931033e-17,
        -0.7213475204444817,
        0.48089834696300693,
        -0.3606737602231069,
        0.28853900801268856,
        -0.24044916681915884,
        0.20609964753455845,
        -0.1803530701456842,
        0.16016747902507586,
        -0.1322548724834547,
    ],
};

const DECIMAL_F64: Base<f64, 11> = Base {
    two: [0.30102999566361177, 3.694239077158516e-13],
    head: [
        -0.146854483266452,
        -0.12831847725965417,
        -0.11027397456609833,
        -0.0941871546724542,
        -0.07748146116955468,
        -0.06158205066640221,
        -0.04507837473511245,
        -0.026328938722144812,
        -0.01336396155784314,
        0.0,
        0.013788284485599434,
        0.04275198042114425,
        0.06978347170706911,
        0.09226961985496018,
        0.11377373915047428,
        0.1340821160483756,
    ],
    rest: [
        -1.7578878109644966e-14,
        -2.6376941728557574e-14,
        6.041537128168437e-14,
        -1.2891784229946323e-13,
        -1.7575930782124286e-13,
        8.877714445853081e-14,
        -7.566728595279791e-14,
        -2.043353397095547e-13,
        -1.3836165009306655e-13,
        0.0,
        3.38628644177512e-14,
        -1.9436460563337893e-13,
        1.7562000620246876e-13,
        -2.837489526277392e-14,
        -2.176502045576501e-13,
        -2.0590339394156393e-13,
    ],
    series: [
        std::f64::consts::LOG10_E,
        1.098319650216765e-17,
        -0.2171472409516259,
        0.1447648273010897,
        -0.10857362047607366,
        0.08685889633094906,
        -0.07238241164497927,
        0.06204217600367618,
        -0.05429168392394101,
        0.048215215516429384,
        -0.039812683690234746,
    ],
};

define_logs! { f32 u32, 23, 0x00b2_6000, 0x7f80_0000, 125, number_f32 1.0 / 8_388_608.0, series_f32 6;
    SplitF32,
    /// Natural logarithm, within 0.8 ulp.
    LogF32 log_f32: NATURAL_F32, log::log_any;
    /// Binary logarithm, within 0.8 ulp; exact at powers of two.
    Log2F32 log2_f32: BINARY_F32, log::log2_any;
    /// Decimal logarithm, within 0.8 ulp; exact at powers of ten.
    Log10F32 log10_f32: DECIMAL_F32, log::log10_any;
}

define_logs! { f64 u64, 52, 0x0016_4c00_0000_0000, 0x7ff0_0000_0000_0000, 1021, number_f64 1.0, series_f64 11;
    SplitF64,
    /// Natural logarithm, within 0.8 ulp.
    LogF64 log_f64: NATURAL_F64, log::log_any;
    /// Binary logarithm, within 0.8 ulp; exact at powers of two.
    Log2F64 log2_f64: BINARY_F64, log::log2_any;
    /// Decimal logarithm, within 0.8 ulp; exact at powers of ten.
    Log10F64 log10_f64: DECIMAL_F64, log::log10_any;
}
