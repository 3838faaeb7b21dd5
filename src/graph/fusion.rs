//! The cuts of a graph and the loops between them, as data.
//!
//! The `fuse` pass decides them, `loops` lowers them. May not know: how either is done.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::Ix;
use crate::shape::{Axes, Shape};

/// Why a node is in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The caller wants it.
    Wanted,
    /// A reduction: all its elements are needed before any use.
    Reduction,
    /// A reshape that is no view of it, or a table, needs it in C order.
    Contiguous,
    /// Values are stored into a part of it.
    Updated,
    /// It is what values are stored into.
    Base,
    /// It is changed, and needed as it was.
    Kept,
    /// It is dear, and several loops would compute it again.
    Dear,
    /// It is repeated along an axis, and would be computed again for each repeat.
    Repeated,
    /// The loop grew too long for the registers.
    TooLong,
    /// An opaque call gives it.
    Called,
    /// An opaque call reads it: the one of this number.
    Opaque(u32),
}

impl Reason {
    /// The reason as `explain` words it; `calls` are the names of the calls.
    pub fn text(self, calls: &[Arc<str>]) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Reason::Wanted => "asked for",
            Reason::Reduction => "a reduction ends here: what follows needs all of it",
            Reason::Contiguous => "its elements are needed in C order",
            Reason::Updated => "what follows needs all of it, not the part that was stored",
            Reason::Base => "parts of it are stored to afterwards",
            Reason::Kept => "parts of it are stored to, and it is needed as it was",
            Reason::Dear => "dear to compute, and used by several loops",
            Reason::Repeated => "repeated along an axis: computed once, read again",
            Reason::TooLong => "the loop would be too long",
            Reason::Called => "an opaque call, which no loop can contain",
            Reason::Opaque(slot) => {
                let name = calls.get(slot as usize).map_or("?", |name| name);
                return Cow::Owned(format!("an opaque call ({name}) needs it in memory"));
            }
        })
    }
}

/// The cuts, and the loops between them.
#[derive(Clone, Debug, Default)]
pub struct Fusion {
    /// The nodes in memory, with the reason.
    pub roots: HashMap<Ix, Reason>,
    /// The loops and the opaque calls, in an order in which they can run.
    pub groups: Vec<Group>,
}

/// The roots that one loop nest computes, or one opaque call, alone in its group.
#[derive(Clone, Debug)]
pub struct Group {
    /// What the nest covers: the shape of its stores, and of its reductions' operands.
    pub shape: Shape,
    /// The axes that its reductions reduce; `None` without reductions.
    pub axes: Option<Axes>,
    /// Its roots, operands before users.
    pub roots: Vec<Ix>,
    /// Loops of a lower stage run first.
    pub stage: usize,
    /// Everything that it computes or reads.
    pub(crate) nodes: HashSet<Ix>,
}
