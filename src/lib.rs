//! rnp: a lazy array engine.

pub mod buffer;
pub mod codegen;
pub mod dtype;
pub mod error;
pub mod eval;
pub mod explain;
pub mod expr;
pub mod fork;
pub mod graph;
pub mod loops;
pub mod op;
pub mod pass;
#[cfg(feature = "python")]
#[allow(unsafe_op_in_unsafe_fn, reason = "pyo3's macros, used from a macro of ours")]
mod python;
pub mod runtime;
pub mod shape;
pub mod stubs;
pub mod tile;
pub mod trace;
