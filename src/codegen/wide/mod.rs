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
mod pair;
mod read;
mod registers;
#[cfg(test)]
mod tests;

use std::fmt::Write;

use cranelift_codegen::ir::{Block, Function, Value};

pub(super) use encode::ARGUMENTS;
use encode::Code;
use pair::pair;
use read::Reader;
use registers::{Allocated, allocate};

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
    group: Allocated,
    /// Two groups whose narrow results are stored together.
    pair: Option<Allocated>,
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
        let (step, values) = (2 * lanes, reader.values);
        let group = allocate(&reader.insts, values)?;
        let pair = pair(&reader.insts, values, step).and_then(|both| allocate(&both, 2 * values));
        let pointers = reader.pointers.split_off(1);
        let mut code = Code::default();
        code.begin(1 + pointers.len(), slots as i32);
        // As many groups at a time as pay, then single ones.
        let (most, groups) = pair.as_ref().map_or((&group, 1), |pair| (pair, 2));
        let mut times = MOST / groups;
        while times > 1 && times * most.turn.len() > LONGEST {
            times /= 2;
        }
        most.once.iter().for_each(|inst| code.inst(inst, 0));
        if times * groups > 1 {
            code.turn(&most.turn, groups * step, times);
        }
        if most.once != group.once {
            group.once.iter().for_each(|inst| code.inst(inst, 0));
        }
        code.turn(&group.turn, step, 1);
        code.end(1 + pointers.len());
        Some(Self { code: code.bytes, step, pointers, group, pair })
    }

    /// The instructions, those of a group once.
    pub(super) fn text(&self) -> String {
        let mut text =
            format!("wide loop, {} elements a group, {} bytes:\n", self.step, self.code.len());
        let mut add = |each: &str, turn: &Allocated| {
            for inst in &turn.once {
                let _ = writeln!(text, "  {inst}");
            }
            let _ = writeln!(text, "for each {each}:");
            for inst in &turn.turn {
                let _ = writeln!(text, "  {inst}");
            }
        };
        if let Some(pair) = &self.pair {
            add("two groups", pair);
        }
        add("group", &self.group);
        text
    }
}
