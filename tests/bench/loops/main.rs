//! Times what the code generator makes of cheap chains beside the same chains fused by hand with
//! AVX2: `cargo bench --bench loops`. One thread; no Python, no plan, no memory allocated: the loops
//! alone, from the first-level cache, the second-level cache and memory.
//!
//! Bias: the chains are those that rnp was made for; the hand-written loops have unaligned loads,
//! four vectors a turn and no checks.

#![allow(clippy::print_stdout, reason = "prints its table")]
#![allow(unsafe_code, reason = "runs kernels on its own memory and calls intrinsics")]

#[cfg(target_arch = "x86_64")]
mod avx2;

#[cfg(target_arch = "x86_64")]
fn main() -> rnp::error::Result<()> {
    avx2::main()
}

#[cfg(not(target_arch = "x86_64"))]
fn main() {
    println!("there is no AVX2 to compare with");
}
