//! The machine that code is made for: Cranelift's description of it, built once, and what may be
//! emitted inline on it.
//!
//! May not know: kernels.

use std::sync::OnceLock;

use cranelift_codegen::isa::{Builder, OwnedTargetIsa};
use cranelift_codegen::settings::{self, Configurable};

use crate::error::{Error, Result};
use crate::fork::PerProcess;
use crate::tile::Isa;

/// What the machine offers.
pub(super) struct Target {
    /// Cranelift's description; cheap to clone.
    pub isa: OwnedTargetIsa,
    /// Whether the whole inline set may be used. Elsewhere a small set that every back end is known
    /// to lower is used, and the rest are calls: some back ends panic on what they cannot lower.
    pub full: bool,
    /// Whether it multiplies and adds in one instruction.
    pub fma: bool,
    /// Whether it has vectors of 256 bits that wide loops are written for.
    pub wide: bool,
}

/// The machine, or why there is none.
pub(super) fn target() -> Result<&'static Target> {
    static TARGET: PerProcess<OnceLock<std::result::Result<Target, String>>> =
        PerProcess::new(OnceLock::new);
    TARGET
        .get()
        .get_or_init(probe)
        .as_ref()
        .map_err(|why| Error::bug(format!("no code generator for this machine: {why}")))
}

fn probe() -> std::result::Result<Target, String> {
    let mut flags = settings::builder();
    let checks = if cfg!(feature = "verify") { "true" } else { "false" };
    for (name, value) in [
        // The kernel's own order is kept: the optimizing levels move loads and constants about.
        ("opt_level", "none"),
        ("enable_verifier", checks),
        ("regalloc_checker", checks),
        ("unwind_info", "false"),
        ("is_pic", "false"),
        ("use_colocated_libcalls", "false"),
        ("enable_probestack", "false"),
    ] {
        flags.set(name, value).map_err(|e| e.to_string())?;
    }
    let isa = builder()?.finish(settings::Flags::new(flags)).map_err(|e| e.to_string())?;
    let has =
        |name: &str| isa.isa_flags().iter().any(|f| f.name == name && f.as_bool() == Some(true));
    let full = isa.name() == "x64" && has("has_sse41") && has("has_sse42") && has("has_ssse3");
    let fma = isa.name() == "x64" && has("has_fma") && has("has_avx");
    let wide = full && fma && has("has_avx2");
    Ok(Target { isa, full, fma, wide })
}

/// Cranelift's description of the machine, less what the environment does not allow.
fn builder() -> std::result::Result<Builder, String> {
    let portable = Isa::is_lowered() && Isa::here() == Isa::Portable;
    let mut builder = cranelift_native::builder_with_options(!portable)?;
    if Isa::is_lowered() {
        let wide =
            builder.iter().map(|flag| flag.name).filter(|name| name.starts_with("has_avx512"));
        for name in wide.collect::<Vec<_>>() {
            builder.set(name, "false").map_err(|e| e.to_string())?;
        }
    }
    Ok(builder)
}
