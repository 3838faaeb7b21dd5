//! Opaque calls: functions that the engine cannot see into, as arguments of a program.
//!
//! May not know: arrays, graphs, plans, Python. Whoever records a call brings the function; the runtime
//! calls it on the thread that evaluates, with nothing locked, and checks what it gives back.

use std::borrow::Cow;
use std::fmt::Debug;

use crate::buffer::Storage;
use crate::dtype::DType;
use crate::error::Result;
use crate::shape::Shape;

/// Whom to ask whether to stop, if there is anybody.
pub type Stop<'a> = Option<&'a dyn Fn() -> bool>;

/// A function of arrays in memory, such as a sort.
///
/// It must be a function of its operands: an equal call may be run once for several users, and one
/// whose result nobody needs is not run.
pub trait Call: Send + Sync + Debug {
    /// What texts and errors call it.
    fn name(&self) -> &str;

    /// What two functions have in common that are one; `None` where only itself is.
    fn key(&self) -> Option<Cow<'_, str>> {
        None
    }

    /// Whether it leaves the engine, which reports name. One that does not holds none of its operands when it
    /// is over.
    fn is_foreign(&self) -> bool {
        false
    }

    /// The result's dtype and shape for operands of these.
    ///
    /// Asked when the call is recorded, and again when a trace meets operands of other lengths; the
    /// dtype must not depend on lengths.
    ///
    /// # Errors
    /// Those that the user is to see on the line of the call.
    fn infer(&self, operands: &[(DType, &[usize])]) -> Result<(DType, Shape)>;

    /// The result, of the dtype and shape that were inferred.
    ///
    /// Operands may be views with any strides, and are not to be written. A result that is not in C order,
    /// or that lies in an operand's memory, is copied.
    ///
    /// # Errors
    /// Any; they reach whoever evaluates unchanged.
    fn run(&self, operands: &[Storage]) -> Result<Storage>;

    /// `run`, for a function that takes long: it asks now and then, on this thread, whether to stop.
    ///
    /// # Errors
    /// As of `run`, and `Interrupted`.
    fn run_asking(&self, operands: &[Storage], stop: Stop<'_>) -> Result<Storage> {
        let _ = stop;
        self.run(operands)
    }
}
