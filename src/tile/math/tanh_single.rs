//! Hyperbolic tangent of `float32`.
//!
//! Sixteen polynomials: one for `|x|` up to 1/8, the others for a stretch each, up to where the tangent is 1. They are
//! of the distance from a point of the stretch whose tangent is very nearly a single, so that nothing is lost in it.
//! May not know: tiles, machines.

use super::lanes::{Unary, of_one};
use super::table::{Real, Table, Tables};

/// Beyond this the tangent is 1.
const END: f32 = 9.3;
/// What is added to a number so that its highest bits tell the stretch: four to each power of two.
const SHIFT: f32 = 0.625;

/// Where a polynomial's distance is from; the tangent there, or, of the first stretch, 1; and the coefficients from the
/// linear one on. In the first stretch they give what the tangent is more than the number. To `2**-28` of the tangent.
const TABLES: [Table<f32>; 8] = [
    [
        1.624_752_3,
        2.124_457_6,
        2.624_212_5,
        3.124_786_9,
        3.874_449_7,
        4.873_450_8,
        5.874_47,
        6.873_092_7,
        8.333_685,
        0.0,
        0.125_249_74,
        0.254_496_37,
        0.392_809_57,
        0.729_926_65,
        0.999_794,
        1.249_612_5,
    ],
    [
        0.925_310_6,
        0.971_842_65,
        0.989_543_4,
        0.996_144_9,
        0.999_137_94,
        0.999_883_06,
        0.999_984_2,
        0.999_997_85,
        0.999_999_9,
        1.0,
        0.124_598_876,
        0.249_140_64,
        0.373_779_8,
        0.623_020_47,
        0.761_507_63,
        0.848_174_9,
    ],
    [
        0.143_800_2,
        0.055_521_86,
        0.020_803_904,
        0.007_695_358_7,
        0.001_723_415_3,
        0.000_233_879_88,
        3.159_092_4e-5,
        4.287_221_6e-6,
        2.312_066_4e-7,
        0.0,
        0.984_475_14,
        0.937_928_9,
        0.860_288_7,
        0.611_845_5,
        0.420_106_14,
        0.280_599_3,
    ],
    [
        -0.133_059_81,
        -0.053_958_52,
        -0.020_586_362,
        -0.007_665_69,
        -0.001_721_917_9,
        -0.000_233_850_6,
        -3.159_022_5e-5,
        -4.287_174_8e-6,
        -2.311_217_5e-7,
        -3.894_387e-8,
        -0.122_666_46,
        -0.233_674_93,
        -0.321_558_65,
        -0.381_192_15,
        -0.319_914,
        -0.237_997_28,
    ],
    [
        0.075_198_04,
        0.033_933_025,
        0.013_436_164,
        0.005_070_752_5,
        0.001_144_816_3,
        0.000_155_699_64,
        2.103_715_3e-5,
        2.855_068e-6,
        1.516_370_1e-7,
        -0.333_328_9,
        -0.312_794_98,
        -0.254_417_72,
        -0.166_596_2,
        0.033_540_428,
        0.103_577_71,
        0.108_329_006,
    ],
    [
        -0.025_226_442,
        -0.014_991_069,
        -0.006_433_963_3,
        -0.002_496_230_9,
        -0.000_570_553_4,
        -7.783_361e-5,
        -1.051_973_2e-5,
        -1.427_924_2e-6,
        -7.605_27e-8,
        -0.000_163_888_78,
        0.078_467_69,
        0.140_465_54,
        0.170_022_5,
        0.106_126_59,
        0.027_758_72,
        -0.012_551_05,
    ],
    [
        0.001_152_561_5,
        0.004_456_438_6,
        0.002_360_662_2,
        0.000_975_604_8,
        0.000_235_953_14,
        3.243_326_5e-5,
        4.388_317e-6,
        5.957_033e-7,
        3.581_432e-8,
        0.135_983_54,
        0.127_835_45,
        0.080_800_77,
        0.006_519_679_4,
        -0.063_331_62,
        -0.046_089_22,
        -0.019_246_671,
    ],
    [
        0.004_244_381_6,
        -0.000_538_209_5,
        -0.000_636_044_4,
        -0.000_302_751_6,
        -7.718_68e-5,
        -1.073_301e-5,
        -1.457_679_6e-6,
        -1.974_072_5e-7,
        -1.176_258e-8,
        -0.019_521_862,
        -0.085_009_23,
        -0.109_909_32,
        -0.051_174_324,
        -0.001_572_777_3,
        0.018_846_212,
        0.015_205_051,
    ],
];

/// `|x|`, or the end; NaN stays NaN.
#[inline(always)]
fn ended(x: f32) -> f32 {
    let a = x.abs();
    if a > END { END } else { a }
}

/// Hyperbolic tangent, of anything, within 0.8 ulp.
pub(super) struct Tanh;

impl Tables<f32, 8> for Tanh {
    const TABLES: [Table<f32>; 8] = TABLES;
}

impl Unary<f32, 8> for Tanh {
    #[inline(always)]
    fn index(x: f32) -> <f32 as Real>::Index {
        (ended(x) + SHIFT).to_bits() >> 21
    }

    #[inline(always)]
    fn fast(x: f32, [from, there, c1, c2, c3, c4, c5, c6]: [f32; 8]) -> f32 {
        let a = ended(x);
        let t = a - from;
        let series = t.mul_add(t.mul_add(t.mul_add(c6, c5), c4), c3);
        let slope = t.mul_add(t.mul_add(series, c2), c1);
        // Of all stretches but the first the tangent at the point is less than any number of the stretch.
        let base = if a < there { a } else { there };
        t.mul_add(slope, base).copysign(x)
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

/// Hyperbolic tangent, within 0.8 ulp.
#[inline(always)]
pub fn tanh_f32(x: f32) -> f32 {
    of_one::<f32, Tanh, 8>(x)
}
