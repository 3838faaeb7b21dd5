//! Inverse tangent of `float32`.
//!
//! Of `q`, which is `|x|` or, beyond 1, its inverse, sixteen polynomials, one for each sixteenth of what is between
//! 0 and 1, each of the distance from a point whose angle is very nearly a single. Beyond 1 what they give is taken
//! from a right angle, in two numbers. May not know: tiles, machines.

use std::f32::consts::FRAC_PI_2;

use super::lanes::{Unary, of_one};
use super::table::{Real, Table, Tables};

/// `pi / 2` less the single nearest to it.
const RIGHT_REST: f32 = -4.371_139e-8;
/// The last number below 2.
const BELOW_TWO: f32 = 1.999_999_9;

/// Where a polynomial's distance is from; the angle there, or, of the first, 1; and the coefficients from the linear
/// one on. In the first they give what the angle is more than `q`. To `2**-25` of the angle.
const TABLES: [Table<f32>; 6] = [
    [
        0.0,
        0.062_453_747,
        0.125_358_73,
        0.189_302_89,
        0.254_783_2,
        0.322_355_63,
        0.392_712_12,
        0.466_575_56,
        0.531_114_76,
        0.593_773_07,
        0.656_109_15,
        0.718_630_43,
        0.781_082_63,
        0.843_681_45,
        0.906_080_8,
        0.968_574_05,
    ],
    [
        1.0,
        0.062_372_737,
        0.124_708_19,
        0.187_089_04,
        0.249_475_42,
        0.311_838_3,
        0.374_207_97,
        0.436_552_35,
        0.488_228_47,
        0.535_828_3,
        0.580_657_9,
        0.623_120_5,
        0.663_099_05,
        0.700_814_37,
        0.736_164_5,
        0.769_435_7,
    ],
    [
        -2.356_904e-8,
        0.996_114_55,
        0.984_528_2,
        0.965_404_1,
        0.939_042_5,
        0.905_868_35,
        0.866_383_85,
        0.821_225_2,
        0.779_980_8,
        0.739_335_24,
        0.699_066_46,
        0.659_443_74,
        0.621_083_26,
        0.584_180_95,
        0.549_154_16,
        0.515_959_74,
    ],
    [
        1.208_844_2e-5,
        -0.061_945_308,
        -0.121_487_23,
        -0.176_418_77,
        -0.224_665_66,
        -0.264_524_13,
        -0.294_777_1,
        -0.314_663_26,
        -0.323_114_3,
        -0.324_566_16,
        -0.320_636_48,
        -0.312_507_9,
        -0.301_298_3,
        -0.287_920_98,
        -0.273_247,
        -0.257_848_44,
    ],
    [
        -0.334_302_3,
        -0.326_893_72,
        -0.304_221_54,
        -0.268_321_78,
        -0.222_415_64,
        -0.170_499_77,
        -0.116_466_86,
        -0.064_113_56,
        -0.024_395_98,
        0.007_656_815,
        0.033_074_714,
        0.052_382_19,
        0.066_260_725,
        0.075_398_594,
        0.080_681_89,
        0.083_059_706,
    ],
    [
        0.024_874_18,
        0.087_681_53,
        0.137_947_22,
        0.172_215_91,
        0.189_963_92,
        0.193_559_97,
        0.184_447_41,
        0.165_287_33,
        0.141_114_34,
        0.114_812_076,
        0.089_186_184,
        0.065_694_93,
        0.045_352_116,
        0.028_372_848,
        0.014_759_261,
        0.004_280_835_4,
    ],
];

/// `|x|`, or its inverse where that is less.
#[inline(always)]
fn ratio(x: f32) -> (bool, f32) {
    let a = x.abs();
    let steep = a > 1.0;
    (steep, if steep { 1.0 / a } else { a })
}

/// Inverse tangent, of anything, within 0.9 ulp.
pub(super) struct Arctan;

impl Tables<f32, 6> for Arctan {
    const TABLES: [Table<f32>; 6] = TABLES;
}

impl Unary<f32, 6> for Arctan {
    #[inline(always)]
    fn index(x: f32) -> <f32 as Real>::Index {
        let above = ratio(x).1 + 1.0;
        (if above > BELOW_TWO { BELOW_TWO } else { above }).to_bits() >> 19
    }

    #[inline(always)]
    fn fast(x: f32, [from, there, c1, c2, c3, c4]: [f32; 6]) -> f32 {
        let (steep, q) = ratio(x);
        let t = q - from;
        let slope = t.mul_add(t.mul_add(t.mul_add(c4, c3), c2), c1);
        // Of all but the first the angle at the point is less than any `q`.
        let part = if q < there { q } else { there };
        // Beyond 1: the right angle less the part, in two numbers, of which the larger is added last.
        let head = FRAC_PI_2 - part;
        let rest = ((FRAC_PI_2 - head) - part) + RIGHT_REST;
        let (t, small, large) = if steep { (-t, rest, head) } else { (t, part, 0.0) };
        (t.mul_add(slope, small) + large).copysign(x)
    }

    #[inline(always)]
    fn applies(_: f32) -> bool {
        true
    }

    #[inline(always)]
    fn wide(x: f32) -> f32 {
        x
    }
}

/// Inverse tangent, within 0.9 ulp.
#[inline(always)]
pub fn arctan_f32(x: f32) -> f32 {
    of_one::<f32, Arctan, 6>(x)
}
