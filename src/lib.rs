//! rnp: a lazy array engine.
#![allow(missing_docs)]

pub mod buffer;
pub mod codegen;
pub mod dtype;
pub mod error;
pub mod fork;
pub mod loops;
pub mod op;
pub mod runtime;
pub mod shape;
pub mod tile;
