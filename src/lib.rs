//! rnp: a lazy array engine.
#![allow(missing_docs)]

pub mod buffer;
pub mod codegen;
pub mod dtype;
pub mod error;
pub mod eval;
pub mod expr;
pub mod fork;
pub mod loops;
pub mod op;
#[cfg(feature = "python")]
mod python;
pub mod runtime;
pub mod shape;
pub mod stubs;
pub mod tile;
