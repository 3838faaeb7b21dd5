//! Inline loops: the main loops over unrolled groups, one over single groups, and the tail, which
//! runs the very same instructions on one element.
//!
//! A main loop may take for granted what a run's invariant values are like (see `known`); the
//! loop over single groups takes nothing. Where `wide` has a form for all lines, a main loop is a call.
//!
//! May not know: tile calls, memory for code.

use std::collections::HashMap;

use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I64, I64X2};
use cranelift_codegen::ir::{Block, BlockArg, Inst, InstBuilder, Value};
use smallvec::smallvec;

use super::emit::{Emit, emit_line, splat};
use super::inline;
use super::known::Known;
use super::plan::{Inline, Place, Plan};
use super::shift::shifts;
use super::vector::{Body, Key, Lanes, int, plain, vector};
use super::wide::{ARGUMENTS, Wide};
use crate::dtype::{DType, Kind};
use crate::error::{Error, Result};
use crate::loops::{Kernel, Line, Step as Move};
use crate::op::Op;

/// One loop as it is written.
struct Loop<'s> {
    step: &'s Inline,
    /// The buffers that advance by strides, in the order of their pointers, with their strides.
    strided: Vec<(u32, Value)>,
    /// The addresses of contiguous memory, at the loop's first element.
    bases: HashMap<Place, Value>,
    /// The same at the first element of the turn that is being written.
    at: HashMap<Place, Value>,
    /// The end of what is computed once per loop.
    prelude: Inst,
}

/// One turn of a loop as it is written.
pub(super) struct Turn {
    /// The first element.
    i: Value,
    /// Elements of the group.
    lanes: usize,
    /// Elements of the turn before the group.
    skip: usize,
    /// What the invariant operands are known to be like.
    pub known: Known,
    /// The group's addresses in each strided buffer.
    addrs: Vec<Vec<Value>>,
    /// What is computed.
    done: HashMap<u32, Lanes>,
}

/// The lane width of a mask that is operand `k` of a line.
pub(super) fn width_of(kernel: &Kernel, plan: &Plan, line: u32, k: usize) -> usize {
    match &kernel.lines[line as usize] {
        Line::Map { op: Op::Where, dtype, .. } if k == 0 && *dtype != DType::Bool => dtype.size(),
        Line::Store { .. } => 1,
        Line::Cast { from: DType::Bool, to, .. } if *to != DType::Bool => to.size(),
        _ => plan.width[line as usize],
    }
}

impl<'f> Emit<'_, 'f> {
    /// Emits an inline step over `count` elements.
    pub(super) fn inline_loop(&mut self, step: &Inline, count: Value) -> Result<()> {
        let (strided, first) = self.strided(step);
        let wide = self.target.wide && strided.is_empty();
        let variants = self.variants(step, wide || step.unroll > 1)?;
        let names = 1 + strided.len();
        let blocks: Vec<Block> = (0..4 + 2 * variants.len()).map(|_| self.block(names)).collect();
        let [group_test, group, tail_test, tail, ref mains @ ..] = blocks[..] else {
            return Err(Error::bug("a loop without its blocks"));
        };
        let done = self.f.create_block();
        let i = self.f.ins().iconst(I64, 0);
        let start: Vec<BlockArg> = [i].into_iter().chain(first).map(BlockArg::from).collect();
        let group_end = self.round_down(count, step.lanes);
        let main_end = self.round_down(count, step.lanes * step.unroll);
        // The first test: everything that is computed once per loop stands before it.
        let prelude = match mains.first() {
            Some(&choice) => self.f.ins().brif(main_end, choice, &start, group_test, &start),
            None => self.f.ins().jump(group_test, &start),
        };
        self.consts.begin(prelude);
        let (bases, at) = (HashMap::new(), HashMap::new());
        let mut l = Loop { step, strided, bases, at, prelude };
        for (k, &(known, holds)) in variants.iter().enumerate() {
            let (choice, main) = (mains[2 * k], mains[2 * k + 1]);
            let otherwise = mains.get(2 * k + 2).copied().unwrap_or(group_test);
            self.choose(choice, holds, main, otherwise);
            let loops = if wide { self.wide(&mut l, known)? } else { None };
            if let Some(loops) = loops {
                self.call_wide(main, loops, count, group_test);
            } else if step.unroll == 1 && known == Known::default() {
                // The loop over single groups is the same.
                self.choose(main, None, group_test, group_test);
            } else {
                self.turn(&mut l, main, (step.lanes, step.unroll), known, main_end, group_test)?;
            }
        }
        self.test(group_test, group_end, group, tail_test);
        self.turn(&mut l, group, (step.lanes, 1), Known::default(), group_end, tail_test)?;
        self.test(tail_test, count, tail, done);
        self.turn(&mut l, tail, (1, 1), Known::default(), count, done)?;
        self.f.switch_to_block(done);
        Ok(())
    }

    /// The loop in wide vectors, if all lines have a form for them.
    fn wide(&mut self, l: &mut Loop, known: Known) -> Result<Option<Wide>> {
        // A turn that is read and taken away again.
        let block = self.block(1);
        self.f.switch_to_block(block);
        l.at.clear();
        let (i, lanes) = (self.f.block_params(block)[0], 16 / l.step.widest);
        let mut t = Turn { i, lanes, skip: 0, known, addrs: Vec::new(), done: HashMap::new() };
        self.consts.wide = true;
        let written = l.step.lines.iter().try_for_each(|&line| self.line(l, &mut t, line));
        self.consts.wide = false;
        written?;
        self.f.ins().return_(&[]);
        let wide = Wide::new(self.f.func, block, self.consts.scratch, lanes, self.consts.end);
        self.f.func.layout.remove_block_and_insts(block);
        Ok(wide)
    }

    /// Calls a wide loop for all that it can compute; where that is little it is not worth the call.
    fn call_wide(&mut self, main: Block, wide: Wide, count: Value, after: Block) {
        self.f.switch_to_block(main);
        let i = self.f.block_params(main)[0];
        let call = self.f.create_block();
        let end = self.round_down(count, wide.step);
        let little = self.f.ins().icmp_imm_u(IntCC::UnsignedLessThan, count, 2 * wide.step as i64);
        self.f.ins().brif(little, after, &[i.into()], call, &[]);
        self.f.switch_to_block(call);
        let (in_registers, in_memory) = wide.pointers.split_at(wide.pointers.len().min(ARGUMENTS));
        for &pointer in in_memory {
            self.f.ins().store(plain(), pointer, self.consts.scratch, self.consts.end as i32);
            self.consts.end += 8;
        }
        let mut args = vec![self.consts.scratch, end];
        args.extend(in_registers);
        let function = self.import_wide(wide);
        self.f.ins().call(function, &args);
        self.f.ins().jump(after, &[end.into()]);
    }

    /// A block with the place along the run and the strided buffers' addresses as parameters.
    fn block(&mut self, params: usize) -> Block {
        let block = self.f.create_block();
        for _ in 0..params {
            self.f.append_block_param(block, I64);
        }
        block
    }

    /// Goes on to `then` if the condition holds or there is none, else to `or`.
    fn choose(&mut self, block: Block, holds: Option<Value>, then: Block, or: Block) {
        self.f.switch_to_block(block);
        let args: Vec<BlockArg> =
            self.f.block_params(block).iter().map(|&p| BlockArg::from(p)).collect();
        match holds {
            Some(holds) => self.f.ins().brif(holds, then, &args, or, &args),
            None => self.f.ins().jump(then, &args),
        };
    }

    /// `count` without what does not fill a group.
    fn round_down(&mut self, count: Value, group: usize) -> Value {
        let rest = self.f.ins().band_imm_u(count, group as i64 - 1);
        self.f.ins().isub(count, rest)
    }

    /// Goes on to `then` while elements before `end` are left, else to `or`.
    fn test(&mut self, block: Block, end: Value, then: Block, or: Block) {
        self.f.switch_to_block(block);
        let params = self.f.block_params(block).to_vec();
        self.branch(&params, end, then, or);
    }

    fn branch(&mut self, params: &[Value], end: Value, then: Block, or: Block) {
        let more = self.f.ins().icmp(IntCC::UnsignedLessThan, params[0], end);
        let args: Vec<BlockArg> = params.iter().map(|&p| p.into()).collect();
        let rest = if self.f.block_params(or).is_empty() { &[][..] } else { &args[..] };
        self.f.ins().brif(more, then, &args, or, rest);
    }

    /// The strided buffers of a loop, and the addresses of their first elements.
    fn strided(&mut self, step: &Inline) -> (Vec<(u32, Value)>, Vec<Value>) {
        let mut bufs: Vec<u32> = Vec::new();
        let kernel = self.kernel;
        for &i in &step.lines {
            let line = &kernel.lines[i as usize];
            let loads =
                line.args().into_iter().chain([i]).filter_map(|v| match kernel.lines[v as usize] {
                    Line::Load { buf } if kernel.bufs[buf as usize].run == Move::Stride => {
                        Some(buf)
                    }
                    _ => None,
                });
            let stores = match line {
                Line::Store { buf, .. } => {
                    let run = kernel.bufs[*buf as usize].run;
                    (!matches!(run, Move::Unit | Move::Packed)).then_some(*buf)
                }
                _ => None,
            };
            for buf in loads.chain(stores) {
                if !bufs.contains(&buf) {
                    bufs.push(buf);
                }
            }
        }
        let mut out = (Vec::new(), Vec::new());
        for buf in bufs {
            let at = self.layout.bufs + 2 * buf as usize;
            let base = self.word(at);
            let stride = match kernel.bufs[buf as usize].run {
                Move::Stride => self.word(at + 1),
                _ => self.f.ins().iconst(I64, 0),
            };
            let first = match self.off {
                Some(off) => {
                    let bytes = self.f.ins().imul(off, stride);
                    self.f.ins().iadd(base, bytes)
                }
                None => base,
            };
            out.0.push((buf, stride));
            out.1.push(first);
        }
        out
    }

    /// Emits a loop's block: `groups` groups, then back while elements before `end` are left.
    fn turn(
        &mut self,
        l: &mut Loop,
        block: Block,
        (lanes, groups): (usize, usize),
        known: Known,
        end: Value,
        after: Block,
    ) -> Result<()> {
        self.f.switch_to_block(block);
        let params = self.f.block_params(block).to_vec();
        l.at.clear();
        let mut first = params[1..].to_vec();
        let mut turns: Vec<Turn> = (0..groups)
            .map(|k| {
                let addrs = self.advance(l, &mut first, lanes);
                Turn { i: params[0], lanes, skip: k * lanes, known, addrs, done: HashMap::new() }
            })
            .collect();
        if l.step.side_by_side {
            for &line in &l.step.lines {
                turns.iter_mut().try_for_each(|t| self.line(l, t, line))?;
            }
        } else {
            for t in &mut turns {
                l.step.lines.iter().try_for_each(|&line| self.line(l, t, line))?;
            }
        }
        let mut next = vec![self.f.ins().iadd_imm_s(params[0], (lanes * groups) as i64)];
        next.extend(first);
        self.branch(&next, end, block, after);
        Ok(())
    }

    /// The addresses of a group in each strided buffer, from `first` on, which moves past it.
    fn advance(&mut self, l: &Loop, first: &mut [Value], lanes: usize) -> Vec<Vec<Value>> {
        let mut all = Vec::new();
        for (first, &(_, stride)) in first.iter_mut().zip(&l.strided) {
            let mut addrs = Vec::new();
            for _ in 0..lanes {
                addrs.push(*first);
                *first = self.f.ins().iadd(*first, stride);
            }
            all.push(addrs);
        }
        all
    }

    /// What writes vector instructions for the group.
    pub(super) fn body<'a>(&'a mut self, t: &Turn) -> Body<'a, 'f> {
        Body { f: &mut self.f, consts: &mut self.consts, lanes: t.lanes }
    }

    /// Emits one line for one group.
    fn line(&mut self, l: &mut Loop, t: &mut Turn, line: u32) -> Result<()> {
        let kernel = self.kernel;
        let value = match &kernel.lines[line as usize] {
            Line::Store { buf, value } => {
                let v = self.operand(l, t, *value, 1)?;
                return self.put(l, t, &v, *buf, self.dtype(*value)?);
            }
            Line::Load { buf } => self.get(l, t, *buf)?,
            Line::Index { .. } => self.index(l, t, line),
            &Line::Cast { from, to, arg } if self.loads_wide(t, from, to, arg) => {
                self.get_wide(l, t, from, to, arg)?
            }
            &Line::Map { op, dtype, ref args } if shifts(op, dtype) => {
                let x = self.operand(l, t, args[0], dtype.size())?;
                self.shift(t, (line, op, dtype), args[1], &x)?
            }
            other => {
                let mut args = Vec::new();
                for (k, a) in other.args().into_iter().enumerate() {
                    let width = width_of(kernel, self.plan, line, k);
                    args.push(self.operand(l, t, a, width)?);
                }
                self.compute(t, line, &args)?
            }
        };
        if let Some(place) = self.plan.place[line as usize] {
            let dtype = self.dtype(line)?;
            let value = self.bytes(t, &value, dtype, self.plan.width[line as usize]);
            let (addr, offset) = self.contiguous(l, t, place, dtype.size());
            self.body(t).store(&value, dtype.size(), addr, offset);
        }
        t.done.insert(line, value);
        Ok(())
    }

    /// Whether a cast's operand can be widened by the instruction that loads it.
    fn loads_wide(&self, t: &Turn, from: DType, to: DType, arg: u32) -> bool {
        let lines = &self.kernel.lines;
        let Line::Load { buf } = lines[arg as usize] else { return false };
        from.kind() == Kind::Int
            && from.size() <= 2
            && to.size() > from.size()
            && self.target.full
            && t.lanes * from.size() >= 8
            && matches!(self.kernel.bufs[buf as usize].run, Move::Unit | Move::Packed)
            && lines.iter().filter(|l| l.args().contains(&arg)).count() == 1
    }

    /// Loads and casts the group: as integers of twice the width first, which hold the same values.
    fn get_wide(
        &mut self,
        l: &mut Loop,
        t: &mut Turn,
        from: DType,
        to: DType,
        arg: u32,
    ) -> Result<Lanes> {
        let Line::Load { buf } = self.kernel.lines[arg as usize] else { return Ok(Lanes::new()) };
        let (addr, offset) = self.contiguous(l, t, Place::Buf(buf), from.size());
        let wide = if from.size() == 1 { DType::I16 } else { DType::I32 };
        let mut b = self.body(t);
        let v = b.load_wide(from, addr, offset);
        inline::cast(&mut b, wide, to, &v, false)
    }

    fn compute(&mut self, t: &Turn, line: u32, args: &[Lanes]) -> Result<Lanes> {
        let kernel = self.kernel;
        if let Some(out) = self.compute_knowing(t, line, args)? {
            return Ok(out);
        }
        emit_line(&mut self.body(t), kernel, line, args)
    }

    /// The lane width of a varying mask as it is at hand.
    fn mask_width(&self, t: &Turn, line: u32) -> usize {
        if t.done.contains_key(&line) { self.plan.width[line as usize] } else { 1 }
    }

    /// A line's value for the group; a mask with lanes of `width` bytes.
    fn operand(&mut self, l: &mut Loop, t: &mut Turn, line: u32, width: usize) -> Result<Lanes> {
        let dtype = self.dtype(line)?;
        let size = if dtype == DType::Bool { width } else { dtype.size() };
        if self.plan.invariant[line as usize] {
            let v = self.scalar(line)?;
            let ty = if dtype == DType::Bool { int(width) } else { vector(dtype) };
            let mut b = self.body(t);
            let count = b.vectors(size);
            let v = b.constant(Key::Line(line), ty, |at| splat(at, v, dtype));
            return Ok(smallvec![v; count]);
        }
        let from = self.mask_width(t, line);
        let v = match (t.done.get(&line), &self.kernel.lines[line as usize]) {
            (Some(v), _) => v.clone(),
            (None, &Line::Load { buf }) => {
                let v = self.get(l, t, buf)?;
                t.done.insert(line, v.clone());
                v
            }
            _ => {
                let place = self.plan.place[line as usize]
                    .ok_or_else(|| Error::bug(format!("%{line} has no place in memory")))?;
                let (addr, offset) = self.contiguous(l, t, place, dtype.size());
                let v = self.body(t).load(dtype, addr, offset);
                let v = if dtype == DType::Bool { self.body(t).mask_of_bytes(&v) } else { v };
                if dtype != DType::Bool {
                    t.done.insert(line, v.clone());
                }
                v
            }
        };
        Ok(if dtype == DType::Bool { self.body(t).mask(&v, from, width) } else { v })
    }

    /// A value as it lies in memory.
    fn bytes(&mut self, t: &Turn, v: &Lanes, dtype: DType, width: usize) -> Lanes {
        if dtype != DType::Bool {
            return v.clone();
        }
        let mut b = self.body(t);
        let mask = b.mask(v, width, 1);
        let mask = b.as_types(&mask, int(1));
        b.bytes_of_mask(&mask)
    }

    /// Loads the group from a buffer.
    fn get(&mut self, l: &mut Loop, t: &mut Turn, buf: u32) -> Result<Lanes> {
        let dtype = self.kernel.bufs[buf as usize].dtype;
        let v = match l.strided.iter().position(|s| s.0 == buf) {
            Some(k) => self.body(t).gather(dtype, &t.addrs[k]),
            None => {
                let (addr, offset) = self.contiguous(l, t, Place::Buf(buf), dtype.size());
                self.body(t).load(dtype, addr, offset)
            }
        };
        Ok(if dtype == DType::Bool { self.body(t).mask_of_bytes(&v) } else { v })
    }

    /// Stores the group to a buffer; a mask has byte lanes.
    fn put(&mut self, l: &mut Loop, t: &mut Turn, v: &Lanes, buf: u32, dtype: DType) -> Result<()> {
        let v = self.bytes(t, v, dtype, 1);
        match l.strided.iter().position(|s| s.0 == buf) {
            Some(k) => {
                self.body(t).scatter(&v, dtype.size(), &t.addrs[k]);
            }
            None => {
                let (addr, offset) = self.contiguous(l, t, Place::Buf(buf), dtype.size());
                self.body(t).store(&v, dtype.size(), addr, offset);
            }
        }
        Ok(())
    }

    /// The places along the run.
    fn index(&mut self, l: &mut Loop, t: &mut Turn, line: u32) -> Lanes {
        let Line::Index { dim } = self.kernel.lines[line as usize] else { return Lanes::new() };
        let (words, off) = (self.words, self.off);
        let at = self.layout.index + dim as usize;
        let mut c = FuncCursor::new(self.f.func).at_inst(l.prelude);
        let mut base = c.ins().load(I64, plain(), words, 8 * at as i32);
        if let Some(off) = off {
            base = c.ins().iadd(base, off);
        }
        let first = self.f.ins().iadd(base, t.i);
        let mut b = self.body(t);
        let first = b.f.ins().splat(I64X2, first);
        (0..b.vectors(8))
            .map(|k| {
                let mut pair = [0u8; 16];
                let at = (t.skip + 2 * k) as u64;
                pair[..8].copy_from_slice(&at.to_le_bytes());
                pair[8..].copy_from_slice(&(at + 1).to_le_bytes());
                let pair = b.bytes(pair, I64X2);
                b.f.ins().iadd(first, pair)
            })
            .collect()
    }

    /// The address of the group in contiguous memory, as a value and a number of bytes.
    fn contiguous(
        &mut self,
        l: &mut Loop,
        t: &mut Turn,
        place: Place,
        size: usize,
    ) -> (Value, i32) {
        let skip = (t.skip * size) as i32;
        // Tiles of one element size differ by a number of bytes alone.
        let (fixed, key) = match place {
            Place::Tile(at) => (at as i32, Place::Tile(size)),
            Place::Buf(_) => (0, place),
        };
        if let Some(&addr) = l.at.get(&key) {
            return (addr, skip + fixed);
        }
        let base = match place {
            Place::Tile(_) => self.consts.scratch,
            Place::Buf(buf) => self.base(l, buf, size),
        };
        let shift = i64::from(size.trailing_zeros());
        let step = if shift == 0 { t.i } else { self.f.ins().ishl_imm_u(t.i, shift) };
        let addr = self.f.ins().iadd(base, step);
        l.at.insert(key, addr);
        (addr, skip + fixed)
    }

    fn base(&mut self, l: &mut Loop, buf: u32, size: usize) -> Value {
        let place = Place::Buf(buf);
        if let Some(&base) = l.bases.get(&place) {
            return base;
        }
        let at = self.layout.bufs + 2 * buf as usize;
        let (words, off) = (self.words, self.off);
        let mut c = FuncCursor::new(self.f.func).at_inst(l.prelude);
        let mut base = c.ins().load(I64, plain(), words, 8 * at as i32);
        if let Some(off) = off {
            let bytes = c.ins().imul_imm_s(off, size as i64);
            base = c.ins().iadd(base, bytes);
        }
        l.bases.insert(place, base);
        base
    }
}
