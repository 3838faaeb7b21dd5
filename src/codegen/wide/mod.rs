//! Loops in registers of 256 bits, which Cranelift does not have: a second back end for the main loops, on
//! x86-64 with AVX2.
//!
//! A loop's turn is written as for Cranelift, for one group of elements. [`Reader`] reads it and writes the
//! same operations for twice as many, so both have the same bits; what it has no form for stays with
//! Cranelift. The function, `fn(scratch, count, pointers...)`, goes over `count` elements, a multiple of
//! [`Wide::step`]; Cranelift's code calls it and does the rest. It calls nothing and needs no stack.
//!
//! May not know: kernels, ops, memory for code.

mod encode;
mod read;
mod registers;
#[cfg(test)]
mod tests;

use std::fmt::Write;

use cranelift_codegen::ir::{Block, Function, Value};

pub(super) use encode::ARGUMENTS;
use encode::{Code, Inst};
use read::Reader;

/// Instructions of a main loop, about.
const LONGEST: usize = 64;

/// Groups of one turn of it, at most.
const MOST: usize = 4;

/// A loop.
pub(super) struct Wide {
    /// Its function.
    pub code: Vec<u8>,
    /// Elements that it computes at a time, at least.
    pub step: usize,
    /// Addresses for the function: [`ARGUMENTS`] come as arguments, more of them in scratch memory, one after
    /// another.
    pub pointers: Vec<Value>,
    once: Vec<Inst>,
    group: Vec<Inst>,
}

impl Wide {
    /// Makes a loop of a block that computes `lanes` elements; addresses that are no arguments lie in
    /// scratch memory from `slots` on.
    pub(super) fn new(
        func: &Function,
        block: Block,
        scratch: Value,
        lanes: usize,
        slots: usize,
    ) -> Option<Self> {
        let mut reader = Reader::read(func, block, scratch)?;
        let allocated = registers::allocate(&reader.insts, reader.values)?;
        let (once, group) = (allocated.once, allocated.turn);
        let pointers = reader.pointers.split_off(1);
        let mut groups = MOST;
        while groups > 1 && groups * group.len() > LONGEST {
            groups /= 2;
        }
        let mut code = Code::default();
        code.begin(1 + pointers.len(), slots as i32);
        for inst in &once {
            code.inst(inst, 0);
        }
        let step = 2 * lanes;
        let mut turn = |groups: usize| {
            code.repeat(groups * step, |code| {
                let all = (0..groups).flat_map(|k| group.iter().map(move |inst| (inst, k * step)));
                all.for_each(|(inst, ahead)| code.inst(inst, ahead));
            });
        };
        if groups > 1 {
            turn(groups);
        }
        turn(1);
        code.end(1 + pointers.len());
        Some(Self { code: code.bytes, step, pointers, once, group })
    }

    /// The instructions, those of a group once.
    pub(super) fn text(&self) -> String {
        let mut text =
            format!("wide loop, {} elements a group, {} bytes:\n", self.step, self.code.len());
        for inst in &self.once {
            let _ = writeln!(text, "  {inst}");
        }
        text.push_str("for each group:\n");
        for inst in &self.group {
            let _ = writeln!(text, "  {inst}");
        }
        text
    }
}
