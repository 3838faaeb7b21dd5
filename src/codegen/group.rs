//! Inline loops: the main loop over unrolled groups, one over single groups, and the tail, which
//! runs the very same instructions on one element.
//!
//! May not know: tile calls, memory for code.

use std::collections::HashMap;

use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::types::{I64, I64X2};
use cranelift_codegen::ir::{Block, BlockArg, Inst, InstBuilder, Value};
use smallvec::smallvec;

use super::emit::{Emit, emit_line, splat};
use super::inline;
use super::plan::{Inline, Place, Plan};
use super::vector::{Body, Key, Lanes, int, plain, vector};
use crate::dtype::DType;
use crate::error::Result;
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
struct Turn {
    /// The first element.
    i: Value,
    /// Elements of the group.
    lanes: usize,
    /// Elements of the turn before the group.
    skip: usize,
    /// Whether the invariant operands of minimum and maximum are known not to be NaN or 0.
    fast: bool,
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
        let fast = self.fast_flag(step)?;
        let unrolled = step.lanes * step.unroll;
        let (blocks, i): (Vec<Block>, _) = {
            let blocks: Vec<Block> = (0..5).map(|_| self.f.create_block()).collect();
            for &block in &blocks {
                for _ in 0..=strided.len() {
                    self.f.append_block_param(block, I64);
                }
            }
            (blocks, self.f.ins().iconst(I64, 0))
        };
        let [main, group_test, group, tail_test, tail] = blocks[..] else { unreachable!() };
        let done = self.f.create_block();
        let start: Vec<BlockArg> = [i].into_iter().chain(first).map(BlockArg::from).collect();
        let group_end = self.round_down(count, step.lanes);
        let has_main = fast.is_some() || step.unroll > 1;
        let (main_end, prelude) = if has_main {
            let mut end = self.round_down(count, unrolled);
            if let Some(fast) = fast {
                end = self.f.ins().select(fast, end, i);
            }
            (end, self.f.ins().brif(end, main, &start, group_test, &start))
        } else {
            (i, self.f.ins().jump(group_test, &start))
        };
        self.consts.begin(prelude);
        let (bases, at) = (HashMap::new(), HashMap::new());
        let mut l = Loop { step, strided, bases, at, prelude };
        if has_main {
            self.turn(
                &mut l,
                main,
                (step.lanes, step.unroll),
                fast.is_some(),
                main_end,
                group_test,
            )?;
        }
        self.test(group_test, group_end, group, tail_test);
        self.turn(&mut l, group, (step.lanes, 1), false, group_end, tail_test)?;
        self.test(tail_test, count, tail, done);
        self.turn(&mut l, tail, (1, 1), false, count, done)?;
        self.f.switch_to_block(done);
        Ok(())
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

    /// The invariant operand of a float minimum or maximum whose other operand varies.
    fn bound(&self, line: u32) -> Option<(u32, u32)> {
        match &self.kernel.lines[line as usize] {
            Line::Map { op: Op::Minimum | Op::Maximum, dtype, args } if dtype.is_float() => {
                let invariant = |v: u32| self.plan.invariant[v as usize];
                match (invariant(args[0]), invariant(args[1])) {
                    (true, false) => Some((args[0], args[1])),
                    (false, true) => Some((args[1], args[0])),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// Whether all bounds of a loop are neither NaN nor 0: then minimum and maximum need one
    /// instruction, because NaN comes from the other operand alone and equal operands have equal
    /// bits. `None` where there are no bounds.
    fn fast_flag(&mut self, step: &Inline) -> Result<Option<Value>> {
        let mut flag = None;
        for &line in &step.lines {
            let Some((bound, _)) = self.bound(line) else { continue };
            let v = self.scalar(bound)?;
            let zero = match self.dtype(bound)? {
                DType::F32 => self.f.ins().f32const(0.0),
                _ => self.f.ins().f64const(0.0),
            };
            let above = self.f.ins().fcmp(FloatCC::GreaterThan, v, zero);
            let below = self.f.ins().fcmp(FloatCC::GreaterThan, zero, v);
            let plain = self.f.ins().bor(above, below);
            flag = Some(match flag {
                Some(flag) => self.f.ins().band(flag, plain),
                None => plain,
            });
        }
        Ok(flag)
    }

    /// Emits a loop's block: `groups` groups, then back while elements before `end` are left.
    fn turn(
        &mut self,
        l: &mut Loop,
        block: Block,
        (lanes, groups): (usize, usize),
        fast: bool,
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
                Turn { i: params[0], lanes, skip: k * lanes, fast, addrs, done: HashMap::new() }
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
    fn body<'a>(&'a mut self, t: &Turn) -> Body<'a, 'f> {
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

    fn compute(&mut self, t: &Turn, line: u32, args: &[Lanes]) -> Result<Lanes> {
        let kernel = self.kernel;
        if let (true, Some((bound, _))) = (t.fast, self.bound(line))
            && let Line::Map { op, dtype, args: lines } = &kernel.lines[line as usize]
        {
            let (c, x) =
                if lines[0] == bound { (&args[0], &args[1]) } else { (&args[1], &args[0]) };
            let (max, ty) = (*op == Op::Maximum, vector(*dtype));
            let mut b = self.body(t);
            return Ok(b.pairs(c, x, |b, c, x| inline::bare_minmax(b, max, ty, c, x)));
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
                let place = self.plan.place[line as usize].ok_or_else(|| {
                    crate::error::Error::bug(format!("%{line} has no place in memory"))
                })?;
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
        let mut pair = [0u8; 16];
        pair[8] = 1;
        let pair = b.bytes(pair, I64X2);
        (0..b.vectors(8))
            .map(|k| {
                let v = b.f.ins().iadd_imm_s(first, (t.skip + 2 * k) as i64);
                let v = b.f.ins().splat(I64X2, v);
                b.f.ins().iadd(v, pair)
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
