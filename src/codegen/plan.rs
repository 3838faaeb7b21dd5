//! What is emitted where: the body of a kernel cut at its tile calls.
//!
//! Lines that vary along the run are put into steps: inline loops and calls in turn. A value that
//! one step makes and another uses lies in a tile of scratch memory, or where its store puts it
//! anyway. A kernel without calls is one inline step, which then covers the whole run at once.
//!
//! May not know: Cranelift.

use std::collections::HashMap;

use crate::dtype::DType;
use crate::loops::{Form, Kernel, Line, Role, Step as Move};
use crate::op::Cost;
use crate::tile::TILE;

use super::inline;
use super::shift::shifts;

/// Where a value that varies along the run lies in memory, from the run's (or tile's) start on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Place {
    /// In a contiguous buffer of the kernel.
    Buf(u32),
    /// In scratch memory, one tile, from this byte on.
    Tile(usize),
}

/// One part of the body.
#[derive(Debug)]
pub(super) enum Step {
    /// A loop over groups of `lanes` elements.
    Inline(Inline),
    /// A tile function: a map, a cast, an interpolation or a fold.
    Call(u32),
}

/// A loop with vector instructions.
#[derive(Debug)]
pub(super) struct Inline {
    /// The lines it runs, in order.
    pub lines: Vec<u32>,
    /// Elements of a group.
    pub lanes: usize,
    /// Bytes of the widest element.
    pub widest: usize,
    /// Groups of one turn of the main loop.
    pub unroll: usize,
    /// Whether each line is emitted for all groups of a turn before the next line, so that long
    /// chains of operations overlap; only where the values of all groups fit the registers.
    pub side_by_side: bool,
}

impl Inline {
    fn new(lines: Vec<u32>) -> Self {
        Self { lines, lanes: 1, widest: 1, unroll: 1, side_by_side: false }
    }

    /// Chooses how many groups a turn has; a value takes up to `vectors` registers.
    fn unroll_by(&mut self, kernel: &Kernel, vectors: usize, strided: bool) {
        let work = self.lines.len() * vectors;
        let live = self.live(kernel) * vectors;
        self.unroll = (16 / self.lanes).clamp(1, 4);
        // Addresses of single elements take instructions enough; long code takes long to compile.
        while self.unroll > 1 && (strided || work * self.unroll > LONGEST) {
            self.unroll /= 2;
        }
        while self.unroll > 2 && live * self.unroll > LIVE {
            self.unroll /= 2;
        }
        self.side_by_side = live * self.unroll <= LIVE;
    }

    /// The most values that are needed at once.
    fn live(&self, kernel: &Kernel) -> usize {
        let mut last: HashMap<u32, u32> = HashMap::new();
        for &i in &self.lines {
            for a in kernel.lines[i as usize].args() {
                last.insert(a, i);
            }
        }
        let (mut now, mut most) = (0usize, 0);
        for &i in &self.lines {
            now += usize::from(last.contains_key(&i));
            most = most.max(now);
            let ends = |a: &u32| last.get(a) == Some(&i) && self.lines.binary_search(a).is_ok();
            let mut args = kernel.lines[i as usize].args();
            args.sort_unstable();
            args.dedup();
            now -= args.iter().filter(|a| ends(a)).count();
        }
        most
    }
}

/// The most vector instructions of a main loop, about.
const LONGEST: usize = 256;

/// The most vector registers for values, beside constants.
const LIVE: usize = 8;

/// The body, cut up.
#[derive(Debug)]
pub(super) struct Plan {
    /// Per line, whether it is the same all along the run.
    pub invariant: Vec<bool>,
    /// Per line, whether it is emitted inline.
    pub inline: Vec<bool>,
    /// Per line of dtype `bool`, bytes of a lane of its mask.
    pub width: Vec<usize>,
    /// Per line, where its value lies between steps.
    pub place: Vec<Option<Place>>,
    /// Per line, whether a call writes its place, so that nothing is left to store.
    pub stored: Vec<bool>,
    /// Invariant lines that calls read, each with its tile of copies.
    pub copies: Vec<(u32, usize)>,
    /// The steps.
    pub steps: Vec<Step>,
    /// Whether the run is cut into tiles.
    pub tiled: bool,
    /// Bytes of scratch memory for the tiles.
    pub scratch: usize,
}

const LATER: usize = usize::MAX;

impl Plan {
    /// Cuts up a kernel's body; `full` is the machine's inline set.
    pub(super) fn new(kernel: &Kernel, full: bool) -> Plan {
        let n = kernel.lines.len();
        let mut plan = Plan {
            invariant: vec![false; n],
            inline: vec![false; n],
            width: vec![1; n],
            place: vec![None; n],
            stored: vec![false; n],
            copies: Vec::new(),
            steps: Vec::new(),
            tiled: false,
            scratch: 0,
        };
        plan.classify(kernel, full);
        let stage = plan.stages(kernel);
        let depth = stage.iter().filter(|s| **s != LATER).max().map_or(0, |s| s + 1);
        for s in 0..depth {
            let here = (0..n).filter(|&i| stage[i] == s).map(|i| i as u32);
            if s % 2 == 0 {
                let lines: Vec<u32> = here.collect();
                if !lines.is_empty() {
                    plan.steps.push(Step::Inline(Inline::new(lines)));
                }
            } else {
                plan.steps.extend(here.map(Step::Call));
            }
        }
        plan.lay_out(kernel);
        plan.tiled = plan.needs_tiles(kernel);
        plan.shape_loops(kernel);
        plan
    }

    /// Whether the run must be cut: values between steps lie in tiles, or several steps read what should
    /// stay in the nearest cache. A run of the inner form is short enough for that as it is.
    fn needs_tiles(&self, kernel: &Kernel) -> bool {
        let calls = self.steps.iter().filter(|s| matches!(s, Step::Call(_))).count();
        let alone = calls == self.steps.len() && self.scratch == 0;
        calls > 0 && !(alone && (calls == 1 || kernel.form == Form::Inner))
    }

    fn classify(&mut self, kernel: &Kernel, full: bool) {
        let run = kernel.loops.len().wrapping_sub(1);
        for (i, line) in kernel.lines.iter().enumerate() {
            let args = line.args();
            self.invariant[i] = match line {
                Line::Scalar { .. } => true,
                Line::Index { dim } => *dim as usize != run,
                Line::Load { buf } => kernel.bufs[*buf as usize].run == Move::Fixed,
                Line::Store { .. } | Line::Fold { .. } | Line::Interp { x: None, .. } => false,
                _ => args.iter().all(|&a| self.invariant[a as usize]),
            };
            self.inline[i] = match line {
                Line::Map { op, dtype, .. } if shifts(*op, *dtype) => {
                    let fixed = |a: usize| self.invariant[args[a] as usize];
                    full && fixed(1) && !fixed(0)
                }
                Line::Map { op, dtype, .. } => inline::maps(*op, *dtype, full),
                Line::Cast { from, to, arg } => {
                    let index = matches!(kernel.lines[*arg as usize], Line::Index { .. });
                    inline::casts(*from, *to, index, full)
                }
                Line::Interp { .. } | Line::Fold { .. } => false,
                _ => true,
            };
            self.width[i] = match line {
                Line::Map { op, dtype, .. } if op.out_dtype(*dtype) == DType::Bool => {
                    let of = |a: &u32| self.width[*a as usize];
                    if *dtype == DType::Bool {
                        let varying = args.iter().filter(|&&a| !self.invariant[a as usize]);
                        varying.map(of).max().unwrap_or(1)
                    } else if self.inline[i] {
                        dtype.size()
                    } else {
                        1
                    }
                }
                Line::Cast { from, to: DType::Bool, .. } if *from != DType::Bool => from.size(),
                Line::Cast { to: DType::Bool, arg, .. } => self.width[*arg as usize],
                _ => 1,
            };
            if !self.inline[i] {
                self.width[i] = 1;
            }
        }
    }

    /// Whether a line is a load that a call can read in place.
    fn direct(kernel: &Kernel, line: u32) -> Option<u32> {
        match &kernel.lines[line as usize] {
            Line::Load { buf } => {
                let run = kernel.bufs[*buf as usize].run;
                matches!(run, Move::Unit | Move::Packed).then_some(*buf)
            }
            _ => None,
        }
    }

    /// Per line, its stage: even ones are inline, odd ones are calls; loads have none unless a call
    /// needs them gathered.
    fn stages(&self, kernel: &Kernel) -> Vec<usize> {
        let n = kernel.lines.len();
        let mut stage = vec![LATER; n];
        let load = |a: usize| matches!(kernel.lines[a], Line::Load { .. });
        for (i, line) in kernel.lines.iter().enumerate() {
            if self.invariant[i] || load(i) {
                continue;
            }
            let call = !self.inline[i];
            let mut at = usize::from(call);
            for a in line.args() {
                let a = a as usize;
                if self.invariant[a] || load(a) {
                    continue;
                }
                let after = if self.inline[a] == call { stage[a] + 1 } else { stage[a] };
                at = at.max(after);
            }
            stage[i] = at;
        }
        // As late as the users allow: what only a later step needs is then not kept in a tile.
        let mut limit = vec![LATER; n];
        for i in (0..n).rev() {
            let line = &kernel.lines[i];
            if self.invariant[i] {
                continue;
            }
            if self.inline[i] && limit[i] != LATER && (stage[i] != LATER || load(i)) {
                stage[i] = limit[i];
            }
            if load(i) {
                continue;
            }
            let call = !self.inline[i];
            for a in line.args() {
                let at = a as usize;
                if self.invariant[at] || (load(at) && (!call || Self::direct(kernel, a).is_some()))
                {
                    continue;
                }
                limit[at] = limit[at].min(stage[i] - usize::from(call));
            }
        }
        stage
    }

    /// Finds a place for each value that crosses from one step to another.
    fn lay_out(&mut self, kernel: &Kernel) {
        let n = kernel.lines.len();
        let mut made = vec![LATER; n];
        let mut last = vec![0; n];
        let mut crosses = vec![false; n];
        for (s, step) in self.steps.iter().enumerate() {
            let (lines, call): (&[u32], bool) = match step {
                Step::Inline(inline) => (&inline.lines, false),
                Step::Call(line) => (std::slice::from_ref(line), true),
            };
            for &i in lines {
                made[i as usize] = s;
                crosses[i as usize] |= call;
                for a in kernel.lines[i as usize].args() {
                    let a = a as usize;
                    last[a] = s;
                    crosses[a] |= made[a] != s && made[a] != LATER;
                    if call && self.invariant[a] && !self.copies.iter().any(|c| c.0 == a as u32) {
                        self.copies.push((a as u32, 0));
                    }
                }
            }
        }
        self.store_directly(kernel, &crosses, &made);
        let mut pool = Pool::default();
        for s in 0..self.steps.len() {
            let (lines, call) = match &self.steps[s] {
                Step::Inline(inline) => (inline.lines.clone(), false),
                Step::Call(line) => (vec![*line], true),
            };
            let dying: Vec<(usize, usize)> = (0..n)
                .filter(|&i| last[i] == s && made[i] != LATER && made[i] < s)
                .filter_map(|i| match self.place[i] {
                    Some(Place::Tile(at)) => {
                        kernel.line_dtype(&kernel.lines[i]).map(|d| (at, d.size()))
                    }
                    _ => None,
                })
                .collect();
            // A call may write over an operand that nothing reads again; a loop may not, because it
            // does not read all of its operands before it writes. Elementary functions may, but take
            // longer where they have to keep what they mend.
            let over = call && !lines.iter().any(|&i| is_heavy(&kernel.lines[i as usize]));
            if over {
                for d in &dying {
                    pool.give(*d);
                }
            }
            for i in lines {
                let i = i as usize;
                let Some(dtype) = kernel.line_dtype(&kernel.lines[i]) else { continue };
                if crosses[i] && self.place[i].is_none() {
                    self.place[i] = Some(Place::Tile(pool.take(dtype.size())));
                }
            }
            if !over {
                for d in &dying {
                    pool.give(*d);
                }
            }
        }
        for (line, at) in &mut self.copies {
            let dtype = kernel.line_dtype(&kernel.lines[*line as usize]).unwrap_or(DType::F64);
            *at = pool.grow(dtype.size());
        }
        self.scratch = pool.end;
    }

    /// Lets values that cross steps lie in the output that they are stored to.
    fn store_directly(&mut self, kernel: &Kernel, crosses: &[bool], made: &[usize]) {
        for (i, line) in kernel.lines.iter().enumerate() {
            let Line::Store { buf, value } = line else { continue };
            let v = *value as usize;
            let unit = matches!(kernel.bufs[*buf as usize].run, Move::Unit | Move::Packed);
            let load = matches!(kernel.lines[v], Line::Load { .. });
            if unit && crosses[v] && self.place[v].is_none() && !load {
                debug_assert!(kernel.bufs[*buf as usize].role == Role::Output && made[v] != LATER);
                self.place[v] = Some(Place::Buf(*buf));
                self.stored[i] = true;
            }
        }
    }

    /// Chooses each loop's group and unrolling.
    fn shape_loops(&mut self, kernel: &Kernel) {
        let mut steps = std::mem::take(&mut self.steps);
        for step in &mut steps {
            let Step::Inline(inline) = step else { continue };
            inline.lines.retain(|&i| !self.stored[i as usize]);
            let (mut min, mut max, mut strided) = (8, 1, false);
            for &i in &inline.lines {
                for v in kernel.lines[i as usize].args().into_iter().chain([i]) {
                    let line = &kernel.lines[v as usize];
                    let size = match kernel.line_dtype(line) {
                        None => continue,
                        Some(DType::Bool) if self.invariant[v as usize] => continue,
                        Some(DType::Bool) if inline.lines.contains(&v) => self.width[v as usize],
                        Some(d) => d.size(),
                    };
                    (min, max) = (min.min(size), max.max(size));
                    if let Line::Load { buf } = line {
                        strided |= kernel.bufs[*buf as usize].run == Move::Stride;
                    }
                }
                let stored = match &kernel.lines[i as usize] {
                    Line::Store { buf, .. } => {
                        let buf = &kernel.bufs[*buf as usize];
                        strided |= !matches!(buf.run, Move::Unit | Move::Packed);
                        Some(buf.dtype)
                    }
                    line if self.place[i as usize].is_some() => kernel.line_dtype(line),
                    _ => None,
                };
                if let Some(dtype) = stored {
                    (min, max) = (min.min(dtype.size()), max.max(dtype.size()));
                }
            }
            inline.widest = max.max(min);
            inline.lanes = (16 / min).min(32 / inline.widest);
            inline.unroll_by(kernel, (inline.lanes * max).div_ceil(16), strided);
        }
        steps.retain(|s| !matches!(s, Step::Inline(i) if i.lines.is_empty()));
        self.steps = steps;
    }
}

/// Whether a line is an elementary function.
fn is_heavy(line: &Line) -> bool {
    matches!(line, Line::Map { op, .. } if op.info().cost == Cost::Heavy)
}

/// Tiles of scratch memory, reused by element size.
#[derive(Default)]
struct Pool {
    free: Vec<(usize, usize)>,
    end: usize,
}

impl Pool {
    fn take(&mut self, size: usize) -> usize {
        match self.free.iter().position(|f| f.1 == size) {
            Some(at) => self.free.swap_remove(at).0,
            None => self.grow(size),
        }
    }

    fn give(&mut self, tile: (usize, usize)) {
        self.free.push(tile);
    }

    fn grow(&mut self, size: usize) -> usize {
        let at = self.end;
        self.end += TILE * size;
        at
    }
}
