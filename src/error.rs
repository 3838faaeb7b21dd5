//! Errors: the caller's mistake or our bug, never mixed.
//!
//! May not know: anything else in the crate. Every message names the operation, what came and what
//! would be accepted, because the caller sees nothing else.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

/// What kind of exception the face raises for an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// A value or shape that no rule accepts (`ValueError`).
    Value,
    /// A dtype or type that no rule accepts (`TypeError`).
    Type,
    /// What rnp has no kernel for, though NumPy may (`TypeError`).
    Unsupported,
    /// An index past the end (`IndexError`).
    Index,
    /// An axis that the array does not have (`numpy.exceptions.AxisError`).
    Axis,
    /// A Python integer that its dtype cannot hold (`OverflowError`).
    Overflow,
    /// A number divided by 0 where it decides a shape (`ZeroDivisionError`).
    ZeroDivision,
    /// Memory that could not be had (`MemoryError`).
    Memory,
    /// A traced value used where a concrete one is needed (`rnp.TraceError`).
    Trace,
    /// The caller asked to stop (`KeyboardInterrupt`, raised by the face's own check).
    Interrupted,
    /// What a function that the engine called raised ([`Error::payload`], handed on as it is).
    Foreign,
    /// Our bug (`RuntimeError`, with a request to report it).
    Bug,
}

/// An error with its kind and its whole message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    payload: Option<Payload>,
}

/// Something of the face's, equal to itself alone.
#[derive(Clone)]
struct Payload(Arc<dyn Any + Send + Sync>);

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Payload")
    }
}

impl PartialEq for Payload {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Payload {}

/// The result of every fallible function of the crate.
pub type Result<T> = std::result::Result<T, Error>;

macro_rules! constructors {
    ($($(#[$doc:meta])* $name:ident => $kind:ident;)+) => {
        impl Error {
            $($(#[$doc])* pub fn $name(message: impl Into<String>) -> Self {
                Self { kind: ErrorKind::$kind, message: message.into(), payload: None }
            })+
        }
    };
}

constructors! {
    /// A value or shape that no rule accepts.
    value => Value;
    /// A dtype or type that no rule accepts.
    dtype => Type;
    /// What rnp has no kernel for, though NumPy may.
    unsupported => Unsupported;
    /// An index past the end.
    index => Index;
    /// An axis that the array does not have.
    axis => Axis;
    /// A Python integer that its dtype cannot hold.
    overflow => Overflow;
    /// A number divided by 0 where it decides a shape.
    zero_division => ZeroDivision;
    /// Memory that could not be had.
    memory => Memory;
    /// A traced value used where a concrete one is needed.
    trace => Trace;
    /// The caller asked to stop.
    interrupted => Interrupted;
    /// Our bug: an invariant of the crate does not hold.
    bug => Bug;
}

impl Error {
    /// What a called function raised; only who made the payload can read it.
    pub fn foreign(message: impl Into<String>, payload: Arc<dyn Any + Send + Sync>) -> Self {
        Self { kind: ErrorKind::Foreign, message: message.into(), payload: Some(Payload(payload)) }
    }

    /// What [`Error::foreign`] was given.
    pub fn payload(&self) -> Option<&(dyn Any + Send + Sync)> {
        self.payload.as_ref().map(|p| &*p.0)
    }

    /// The kind, which decides the Python exception.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The whole message.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
