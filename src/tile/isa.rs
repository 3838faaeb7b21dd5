//! Instruction sets: which there are builds for, which this machine has, and the choice of a build.
//!
//! Every build of a function gives the same bits, so the choice is one of speed alone. May not know:
//! what is built.

/// An instruction set that functions are built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Isa {
    /// What every machine of the target has.
    Portable,
    /// 256 bits, with fused multiply-add.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// 512 bits.
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Isa {
    /// The widest that this machine has.
    #[cfg(target_arch = "x86_64")]
    pub(super) fn here() -> Isa {
        let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
        let avx512 = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl");
        match (avx2, avx512) {
            (true, true) => Isa::Avx512,
            (true, false) => Isa::Avx2,
            _ => Isa::Portable,
        }
    }

    /// The widest that this machine has.
    #[cfg(not(target_arch = "x86_64"))]
    pub(super) fn here() -> Isa {
        Isa::Portable
    }

    /// All that this machine has.
    #[cfg(test)]
    pub(super) fn all() -> &'static [Isa] {
        match Isa::here() {
            Isa::Portable => &[Isa::Portable],
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => &[Isa::Portable, Isa::Avx2],
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => &[Isa::Portable, Isa::Avx2, Isa::Avx512],
        }
    }
}

/// The build for an [`Isa`]: `pick!(isa: type, portable, avx2, avx512)`.
macro_rules! pick {
    ($isa:expr => $ty:ty, $portable:expr, $avx2:expr, $avx512:expr) => {{
        let picked: $ty = match $isa {
            $crate::tile::isa::Isa::Portable => $portable,
            #[cfg(target_arch = "x86_64")]
            $crate::tile::isa::Isa::Avx2 => $avx2,
            #[cfg(target_arch = "x86_64")]
            $crate::tile::isa::Isa::Avx512 => $avx512,
        };
        picked
    }};
}
pub(super) use pick;
