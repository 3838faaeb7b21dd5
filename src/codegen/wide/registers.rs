//! Which values of a turn lie in which of the sixteen vector registers; none is ever put aside.
//!
//! May not know: what instructions do.

use std::collections::HashMap;

use super::encode::{Address, Inst, Source, forms};

/// Vector registers.
const REGISTERS: usize = 16;

/// A turn whose values have registers.
pub(super) struct Allocated {
    /// Loads of what stays in registers all along the loop.
    pub once: Vec<Inst>,
    /// The turn.
    pub turn: Vec<Inst>,
}

/// Gives registers to a turn's values, of which there are `values`; `None` if they are too many.
///
/// What no loop changes is kept in the registers that are left, what is used most first; the rest is loaded
/// where it is used.
pub(super) fn allocate(turn: &[Inst], values: u32) -> Option<Allocated> {
    let mut kept = fixed(turn);
    loop {
        let once: Vec<Inst> = (values..).zip(&kept).map(|(v, &at)| Inst::load(at, v)).collect();
        let (turn, values) = from_registers(turn, &once, values + kept.len() as u32);
        let (allocated, registers) = give_out(once, turn, values);
        match registers.saturating_sub(REGISTERS) {
            0 => return Some(allocated),
            _ if kept.is_empty() => return None,
            missing => kept.truncate(kept.len().saturating_sub(missing)),
        }
    }
}

/// What the turn reads and no loop changes, in the order of how often.
fn fixed(turn: &[Inst]) -> Vec<Address> {
    let mut found: Vec<(Address, usize)> = Vec::new();
    for source in turn.iter().flat_map(|i| [i.first, Some(i.second)]).flatten() {
        let Source::At(at) = source else { continue };
        match found.iter_mut().find(|f| f.0 == at) {
            Some(f) => f.1 += 1,
            None if at.is_fixed() => found.push((at, 1)),
            None => {}
        }
    }
    found.sort_by_key(|f| std::cmp::Reverse(f.1));
    found.into_iter().map(|f| f.0).collect()
}

/// The turn with what was loaded `once` read from registers, and all else of memory that no loop changes
/// loaded right before; and how many values there are then.
fn from_registers(turn: &[Inst], once: &[Inst], mut values: u32) -> (Vec<Inst>, u32) {
    let kept: HashMap<Source, u32> = once.iter().filter_map(|i| Some((i.second, i.out?))).collect();
    let mut out = Vec::with_capacity(turn.len());
    for inst in turn {
        let mut inst = inst.clone();
        for source in [inst.first.as_mut(), Some(&mut inst.second)].into_iter().flatten() {
            let Source::At(at) = *source else { continue };
            if !at.is_fixed() {
                continue;
            }
            let register = kept.get(source).copied().unwrap_or_else(|| {
                out.push(Inst::load(at, values));
                values += 1;
                values - 1
            });
            *source = Source::Register(register);
        }
        out.push(inst);
    }
    (out, values)
}

/// Gives out registers, as many as it takes.
fn give_out(once: Vec<Inst>, mut turn: Vec<Inst>, values: u32) -> (Allocated, usize) {
    let mut ends = vec![None; values as usize];
    for (k, inst) in turn.iter_mut().enumerate() {
        inst.each_read(|v| ends[*v as usize] = Some(k));
    }
    // What was loaded once is needed again in the next turn.
    once.iter().filter_map(|i| i.out).for_each(|v| ends[v as usize] = Some(usize::MAX));
    let mut given = Given { of: vec![0; values as usize], free: Vec::new(), count: 0 };
    let mut out = Allocated { once: Vec::new(), turn: Vec::new() };
    for mut inst in once {
        inst.out = inst.out.map(|v| given.take(v));
        out.once.push(inst);
    }
    for (k, mut inst) in turn.into_iter().enumerate() {
        let mut dying: Vec<u32> = Vec::new();
        let overwritten = inst.becomes;
        inst.each_read(|v| {
            if ends[*v as usize] == Some(k) && !dying.contains(v) {
                dying.push(*v);
            }
            *v = given.of[*v as usize];
        });
        let Some(result) = inst.out else {
            dying.drain(..).for_each(|v| given.give(v));
            out.turn.push(inst);
            continue;
        };
        let end = dying.iter().position(|v| Some(*v) == overwritten);
        let register = match (overwritten, end) {
            (Some(_), None) => {
                // A copy is overwritten, which must not lie where another operand does.
                let copy = given.take(result);
                let from = Source::Register(inst.becomes.unwrap_or(copy));
                out.turn.push(Inst::of(forms::MOVE, from, copy));
                inst.becomes = Some(copy);
                copy
            }
            (Some(_), Some(end)) => given.pass(dying.swap_remove(end), result),
            (None, _) => {
                dying.drain(..).for_each(|v| given.give(v));
                given.take(result)
            }
        };
        dying.drain(..).for_each(|v| given.give(v));
        if ends[result as usize].is_none() {
            given.give(result);
        }
        inst.out = Some(register);
        out.turn.push(inst);
    }
    (out, given.count as usize)
}

/// Registers that values have.
struct Given {
    /// Per value, the register that it has or had.
    of: Vec<u32>,
    free: Vec<u32>,
    /// How many there are.
    count: u32,
}

impl Given {
    fn take(&mut self, v: u32) -> u32 {
        let register = self.free.pop().unwrap_or_else(|| {
            self.count += 1;
            self.count - 1
        });
        self.of[v as usize] = register;
        register
    }

    fn give(&mut self, v: u32) {
        self.free.push(self.of[v as usize]);
    }

    /// Gives one value's register to another.
    fn pass(&mut self, from: u32, to: u32) -> u32 {
        self.of[to as usize] = self.of[from as usize];
        self.of[to as usize]
    }
}
