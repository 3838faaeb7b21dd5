//! A lazy array engine: NumPy's functions and NumPy's meaning, one fused loop per chain.
//!
//! Operations on an [`expr::Array`] are recorded, not run. Asked for a value, the engine turns what
//! was recorded into a graph, simplifies it, cuts it into as few loops as it allows, and runs them without
//! the arrays in between: by Cranelift's machine code once they prove hot. The crate is the engine of the Python
//! package `rnp` and works without Python; the feature `python` adds the face.
//!
//! ```
#![doc = include_str!("../examples/normalize.rs")]
//! ```
//!
//! # The house
//!
//! Data flows down this list, and a module uses only what stands above it:
//!
//! | floor | module | what it holds |
//! |---|---|---|
//! | ground | [`error`] | the caller's mistakes and our bugs, never mixed |
//! | ground | [`dtype`] | element types, their promotion, single values |
//! | ground | [`shape`] | shapes, strides, axes, slices |
//! | ground | [`fork`] | state that survives `fork` |
//! | ground | [`buffer`] | memory: our own, and views of others' |
//! | ground | [`call`] | functions that the engine calls and cannot see into |
//! | ground | [`gather`] | elements by number, a native opaque call |
//! | ground | [`select`] | order statistics of lines of values, a native opaque call |
//! | 1 | [`op`] | the op table: one row per op, and all that follows from a row |
//! | 2 | [`tile`] | what each op means, on short runs of elements |
//! | 2 | [`scan`] | all partial results along an axis |
//! | 2 | [`fft`] | Fourier transforms along an axis |
//! | 3 | [`expr`] | deferred arrays: they record, infer dtype and shape, and keep values |
//! | 4 | [`graph`] | a program as a petgraph graph that can be rewritten |
//! | 5 | [`pass`] | the optimizer: one file per pass, one visible list |
//! | 6 | [`loops`] | kernels: fused loop nests as data and text, and their meaning |
//! | 7 | [`codegen`] | kernels to machine code |
//! | 8 | [`runtime`] | plans run: memory, threads, kernel cache |
//! | 8 | [`resample`] | windowed-sinc resampling, a native opaque call |
//! | 8 | [`dot`] | dot products of two lines, a native opaque call |
//! | 9 | [`figures`] | what evaluations cost: ops, loops, bytes |
//! | 9 | [`eval`] | the staircase from an array to its value |
//! | 9 | [`trace`] | a program recorded once and called again |
//! | 9 | [`tape`] | recording again what was recorded before |
//! | 9 | [`explain`] | the stair, printed |
//! | beside | [`stubs`] | texts generated from the op table |
//! | face | `python` | names, arguments, conversions, modes; no arithmetic |
//!
//! The same with its rules, which a test checks, is in `design/architecture.md`.

#![deny(unsafe_code)]

pub mod error;

pub mod dtype;
pub mod shape;

#[allow(unsafe_code, reason = "registers a fork handler and publishes values by pointer")]
pub mod fork;

#[allow(unsafe_code, reason = "owns memory and reads that of others")]
pub mod buffer;

pub mod call;

#[allow(unsafe_code, reason = "copies elements of memory from places that it has checked")]
pub mod gather;

pub mod select;

pub mod op;

#[allow(
    unsafe_code,
    reason = "tile functions work on addresses, so that machine code can call them"
)]
pub mod tile;

#[allow(unsafe_code, reason = "reads operands with any strides and hands addresses to tiles")]
pub mod scan;

#[allow(unsafe_code, reason = "reads operands with any strides, and bytes as numbers")]
pub mod fft;

pub mod expr;
pub mod graph;
pub mod loops;
pub mod pass;

#[allow(unsafe_code, reason = "turns bytes into functions")]
pub mod codegen;

#[allow(
    unsafe_code,
    reason = "hands checked addresses to kernels, and work on the stack to threads"
)]
pub mod runtime;

#[allow(
    unsafe_code,
    reason = "reads strided lines, writes shares of a buffer, runs code for the machine's instructions"
)]
pub mod resample;

#[allow(unsafe_code, reason = "reads lines of memory, and hands shares of them to tiles")]
pub mod dot;

pub mod eval;
pub mod explain;
pub mod figures;
pub mod stubs;
pub mod tape;
pub mod trace;

#[cfg(feature = "python")]
#[allow(
    unsafe_code,
    reason = "reads NumPy's structures, whose safe wrappers refuse misaligned arrays"
)]
#[allow(unsafe_op_in_unsafe_fn, reason = "pyo3's macros, used from a macro of ours")]
#[allow(unreachable_pub, reason = "within a private module, `pub` says what other files may use")]
#[allow(clippy::doc_markdown, reason = "docs of Python functions are read in Python")]
#[allow(clippy::unused_self, reason = "Python's protocols decide the signatures of methods")]
mod python;
