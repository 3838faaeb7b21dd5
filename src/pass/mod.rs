//! The optimizer: passes over the graph, in one list.
//!
//! A pass keeps every value and every dtype exactly: only rewrites that give IEEE's bits. Since plans
//! serve all scalar values, no pass may look at one. May not know: loops, machine code, data.

mod cse;
mod dead;
mod fold;
mod fuse;
mod place;
mod simplify;
mod sink;
mod spread;

use crate::error::Result;
use crate::graph::Graph;

/// A pass: its name, what it is for, and what it does.
pub struct Pass {
    /// The name in texts and goldens.
    pub name: &'static str,
    /// One line for `explain`.
    pub purpose: &'static str,
    run: fn(&mut Graph),
}

/// Every pass, in the order they run.
pub const PASSES: &[Pass] = &[
    // Before cse: rewritten nodes become equal.
    Pass { name: "simplify", purpose: "drop what changes nothing", run: simplify::run },
    Pass { name: "cse", purpose: "compute equal nodes once", run: cse::run },
    Pass { name: "dead", purpose: "remove what nothing uses", run: dead::run },
    // On the final nodes: what depends on scalars alone is a leaf for all that follows.
    Pass { name: "fold", purpose: "compute once what depends on scalars alone", run: fold::run },
    // After dead: only what one live node uses may move.
    Pass {
        name: "spread",
        purpose: "compute in the parts what follows their join",
        run: spread::run,
    },
    Pass { name: "sink", purpose: "move reshapes down to memory", run: sink::run },
    // Last: it decides on the final graph.
    Pass { name: "fuse", purpose: "gather chains into loops", run: fuse::run },
];

/// Runs every pass; `seen` is told the graph after each.
///
/// # Errors
/// A bug, when the verifier (in test builds) finds a broken graph after a pass.
pub fn optimize(graph: &mut Graph, mut seen: impl FnMut(&Pass, &Graph)) -> Result<()> {
    check(graph)?;
    for pass in PASSES {
        (pass.run)(graph);
        check(graph)?;
        seen(pass, graph);
    }
    Ok(())
}

fn check(graph: &Graph) -> Result<()> {
    if cfg!(any(test, debug_assertions, feature = "verify")) {
        crate::graph::verify(graph)?;
    }
    Ok(())
}
