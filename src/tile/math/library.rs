//! Functions that have no vector form yet: those of the crate `libm`, which is portable Rust code, so
//! that all machines give the same bits.
//!
//! `float32` is computed in `float64` and rounded once. May not know: tiles, machines.

macro_rules! by_libm {
    ($($(#[doc = $doc:literal])+ $seen:vis $single:ident $double:ident $function:ident($($arg:ident),+);)+) => {$(
        $(#[doc = $doc])+
        #[inline(always)]
        pub fn $double($($arg: f64),+) -> f64 {
            libm::$function($($arg),+)
        }

        $(#[doc = $doc])+
        #[inline(always)]
        $seen fn $single($($arg: f32),+) -> f32 {
            $double($($arg.into()),+) as f32
        }
    )+};
}

by_libm! {
    /// Cube root, within 0.51 ulp.
    pub cbrt_f32 cbrt_f64 cbrt(x);
    /// Tangent, within an ulp.
    pub(super) tan_wide tan_f64 tan(x);
    /// Inverse sine, within an ulp.
    pub arcsin_f32 arcsin_f64 asin(x);
    /// Inverse cosine, within an ulp.
    pub arccos_f32 arccos_f64 acos(x);
    /// Hypotenuse, within an ulp.
    pub hypot_f32 hypot_f64 hypot(x, y);
}
