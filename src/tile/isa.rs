//! Instruction sets: which there are builds for, which this machine has, and the choice of a build.
//!
//! Every build of a function gives the same bits, so the choice is one of speed alone. The environment may lower it:
//! to see what a narrower machine would do, or to have a report's conditions again. Whoever chooses asks here, and
//! nobody else asks the machine. May not know: what is built.

use std::sync::atomic::{AtomicU8, Ordering};

/// The variable that lowers the choice.
const VARIABLE: &str = "RNP_ISA";

/// An instruction set that functions are built for, the narrowest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Isa {
    /// What every machine of the target has.
    Portable,
    /// 256 bits, with fused multiply-add.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// 512 bits.
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

/// Each by the name that the variable has for it.
const NAMES: &[(&str, Isa)] = &[
    ("portable", Isa::Portable),
    #[cfg(target_arch = "x86_64")]
    ("avx2", Isa::Avx2),
    #[cfg(target_arch = "x86_64")]
    ("avx512", Isa::Avx512),
];

/// What was chosen: its place in [`NAMES`], counted from 1, and whether the variable lowered it; 0 is not yet.
static CHOSEN: AtomicU8 = AtomicU8::new(0);
const LOWERED: u8 = 1 << 7;

impl Isa {
    /// The one to use: the widest that this machine has and the environment allows.
    pub fn here() -> Isa {
        NAMES[usize::from(chosen() & !LOWERED) - 1].1
    }

    /// Whether the environment allows less than the machine has.
    pub fn is_lowered() -> bool {
        chosen() & LOWERED != 0
    }

    /// The widest that this machine has.
    #[cfg(target_arch = "x86_64")]
    fn of_machine() -> Isa {
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
    fn of_machine() -> Isa {
        Isa::Portable
    }

    /// All that this machine has.
    #[cfg(test)]
    pub(super) fn all() -> &'static [Isa] {
        match Isa::of_machine() {
            Isa::Portable => &[Isa::Portable],
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => &[Isa::Portable, Isa::Avx2],
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => &[Isa::Portable, Isa::Avx2, Isa::Avx512],
        }
    }
}

/// See [`CHOSEN`]. The variable is read once.
fn chosen() -> u8 {
    let known = CHOSEN.load(Ordering::Relaxed);
    if known != 0 {
        return known;
    }
    let machine = Isa::of_machine();
    let isa = asked(machine).0;
    let place = NAMES.iter().position(|&(_, it)| it == isa).unwrap_or(0) as u8 + 1;
    let chosen = place | if isa < machine { LOWERED } else { 0 };
    CHOSEN.store(chosen, Ordering::Relaxed);
    chosen
}

/// What is wrong with the variable, if anything.
pub fn isa_complaint() -> Option<String> {
    asked(Isa::of_machine()).1
}

/// What the environment asks for, on this machine; and what is wrong with it.
fn asked(machine: Isa) -> (Isa, Option<String>) {
    match std::env::var_os(VARIABLE).filter(|text| !text.is_empty()) {
        Some(text) => from_variable(&text.to_string_lossy(), machine),
        None => (machine, None),
    }
}

/// What the variable's text asks for, on a machine; and what is wrong with it.
fn from_variable(text: &str, machine: Isa) -> (Isa, Option<String>) {
    let wanted = NAMES.iter().find(|(name, _)| *name == text.trim()).map(|&(_, isa)| isa);
    if let Some(isa) = wanted.filter(|&isa| isa <= machine) {
        return (isa, None);
    }
    let names: Vec<&str> =
        NAMES.iter().filter(|(_, isa)| *isa <= machine).map(|&(name, _)| name).collect();
    let complaint = format!(
        "{VARIABLE}={text:?} is none of this machine's instruction sets, which are {}; using the last one",
        names.join(", ")
    );
    (machine, Some(complaint))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_lowers_the_choice_and_never_raises_it() {
        for &(_, machine) in NAMES {
            for &(name, isa) in NAMES {
                let (got, complaint) = from_variable(name, machine);
                assert_eq!(got, isa.min(machine), "{name} on {machine:?}");
                assert_eq!(complaint.is_some(), isa > machine, "{name} on {machine:?}");
            }
            for text in ["", "AVX", "avx3", "avx2,avx512"] {
                let (got, complaint) = from_variable(text, machine);
                assert_eq!(got, machine);
                assert!(
                    complaint.is_some_and(|why| why.contains(text) && why.contains("portable"))
                );
            }
            assert_eq!(from_variable(" portable\n", machine), (Isa::Portable, None));
        }
    }
}
