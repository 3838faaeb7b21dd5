//! Two groups of a turn as one, where what they store was narrowed: the instruction that narrows takes two
//! vectors, so both groups' results go through it at once and leave in one store.
//!
//! May not know: kernels, ops, registers of the machine.

use super::encode::{Inst, Source, forms};
use super::read::LOW_HALVES;

/// The quarters of a vector that was narrowed from two: the low halves of both, then the high ones.
const IN_ORDER: u8 = 0b_11_01_10_00;

/// Where the instructions are that narrow a vector, bring its halves together and store it.
struct Narrowed {
    narrow: usize,
    order: usize,
    store: usize,
}

/// The group and the one behind it, `step` elements further along, as one turn of twice as many values; `None` if
/// nothing in it was narrowed for its store alone.
pub(super) fn pair(group: &[Inst], values: u32, step: usize) -> Option<Vec<Inst>> {
    let narrowed = narrowed(group, values);
    if narrowed.is_empty() {
        return None;
    }
    let is_part = |k: usize| narrowed.iter().any(|n| [n.narrow, n.order, n.store].contains(&k));
    let mut both: Vec<Inst> =
        (0..group.len()).filter(|&k| !is_part(k)).map(|k| group[k].clone()).collect();
    for (k, first) in group.iter().enumerate() {
        let mut inst = behind(first, values, step);
        for n in &narrowed {
            if k == n.narrow {
                inst.first = first.first;
            } else if k == n.order {
                inst.byte = Some(IN_ORDER);
            } else if k == n.store {
                inst.second = first.second;
                inst.long = true;
            }
        }
        both.push(inst);
    }
    Some(both)
}

/// What is narrowed for its store alone.
fn narrowed(group: &[Inst], values: u32) -> Vec<Narrowed> {
    let mut made = vec![0; values as usize];
    let mut read = vec![0; values as usize];
    for (k, inst) in group.iter().enumerate() {
        inst.clone().each_read(|v| read[*v as usize] += 1);
        inst.out.into_iter().for_each(|v| made[v as usize] = k);
    }
    // The instruction that made a register which is read once.
    let maker = |source: Option<Source>| match source {
        Some(Source::Register(r)) if read[r as usize] == 1 => Some(made[r as usize]),
        _ => None,
    };
    let of = |store: usize| {
        let order = maker(group[store].out.is_none().then_some(group[store].first)?)?;
        let is_order = group[order].form == forms::PERMQ && group[order].byte == Some(LOW_HALVES);
        let narrow = maker(is_order.then_some(Some(group[order].second))?)?;
        let narrows = forms::PACKSS.iter().chain(&forms::PACKUS).any(|&f| f == group[narrow].form);
        narrows.then_some(Narrowed { narrow, order, store })
    };
    (0..group.len()).filter_map(of).collect()
}

/// An instruction for the group behind, whose values are others.
fn behind(inst: &Inst, values: u32, step: usize) -> Inst {
    let mut inst = inst.clone();
    inst.each_read(|v| *v += values);
    inst.out = inst.out.map(|v| v + values);
    inst.second = inst.second.ahead(step);
    inst
}
