//! A kernel's function: what is computed once, the loop over tiles, and the tile calls.
//!
//! The function is `fn(words: *const u64)` over [`Layout`]'s words. It holds no addresses but those
//! of tile functions and of the kernel's wide loops, which are its only relocations. May not know: memory
//! for code.

use cranelift_codegen::cursor::FuncCursor;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I8, I8X16, I64};
use cranelift_codegen::ir::{
    AbiParam, BlockArg, ExtFuncData, ExternalName, FuncRef, Function, InstBuilder, SigRef,
    Signature, Type, UserExternalName, Value,
};
use cranelift_codegen::isa::{CallConv, TargetIsa};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};

use super::group::width_of;
use super::inline;
use super::plan::{Place, Plan, Step};
use super::target::Target;
use super::vector::{Body, Consts, Lanes, int, plain, scalar, vector};
use super::wide::{ARGUMENTS, Wide};
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::loops::{Kernel, Layout, Line};
use crate::op::Op;
use crate::tile::{self, TILE};

/// Writes a function.
pub(super) struct Emit<'k, 'f> {
    pub kernel: &'k Kernel,
    pub plan: &'k Plan,
    pub layout: Layout,
    pub f: FunctionBuilder<'f>,
    pub words: Value,
    pub consts: Consts,
    /// Per invariant line, its value.
    pub scalars: Vec<Option<Value>>,
    /// How many elements of the run lie before the tile; `None` where there are no tiles.
    pub off: Option<Value>,
    pub target: &'k Target,
    /// The loops in wide vectors, in the order in which they are called.
    wides: Vec<Wide>,
    map: SigRef,
    fold: SigRef,
    /// Where operands and results of calls on one element lie in scratch memory.
    slots: usize,
}

/// Bytes of scratch memory for calls on one element.
const SLOTS: usize = 64;

/// The signature of a kernel's function.
pub(super) fn signature(isa: &dyn TargetIsa) -> Signature {
    signature_of(isa, 1)
}

fn signature_of(isa: &dyn TargetIsa, words: usize) -> Signature {
    let mut sig = Signature::new(isa.default_call_conv());
    sig.params.resize(words, AbiParam::new(I64));
    sig
}

/// What belongs to a function that was written.
pub(super) struct Written {
    /// Bytes of scratch memory that it needs.
    pub scratch: usize,
    /// The functions that it calls, by numbers from 1 on.
    pub wides: Vec<Wide>,
}

/// Writes `kernel`'s function into `func`.
pub(super) fn emit<'k>(
    kernel: &'k Kernel,
    plan: &'k Plan,
    target: &'k Target,
    func: &mut Function,
    context: &mut FunctionBuilderContext,
) -> Result<Written> {
    let isa = target.isa.as_ref();
    func.signature = signature(isa);
    let mut f = FunctionBuilder::new(func, context);
    let map = f.import_signature(signature_of(isa, 6));
    let fold = f.import_signature(signature_of(isa, 5));
    let entry = f.create_block();
    let (start, lines, exit) = (f.create_block(), f.create_block(), f.create_block());
    f.append_block_params_for_function_params(entry);
    f.switch_to_block(entry);
    let words = f.block_params(entry)[0];
    let n = word(&mut f, words, Layout::N);
    f.ins().brif(n, start, &[], exit, &[]);
    f.switch_to_block(start);
    let scratch = word(&mut f, words, Layout::SCRATCH);
    let start_end = f.ins().jump(lines, &[]);
    f.switch_to_block(lines);
    let slots = plan.scratch;
    let mut e = Emit {
        kernel,
        plan,
        layout: kernel.layout(),
        f,
        words,
        consts: Consts::new(start_end, scratch, slots + SLOTS),
        scalars: vec![None; kernel.lines.len()],
        off: None,
        target,
        wides: Vec::new(),
        map,
        fold,
        slots,
    };
    e.invariants()?;
    e.copies(n)?;
    let body = e.f.create_block();
    e.consts.entry = e.f.ins().jump(body, &[]);
    e.f.switch_to_block(body);
    if plan.tiled {
        e.tiles(n, exit)?;
    } else {
        for step in &plan.steps {
            match step {
                Step::Inline(inline) => e.inline_loop(inline, n)?,
                Step::Call(line) => {
                    let off = e.f.ins().iconst(I64, 0);
                    e.tile_call(*line, off, n)?;
                }
            }
        }
        e.f.ins().jump(exit, &[]);
    }
    e.f.switch_to_block(exit);
    e.f.ins().return_(&[]);
    e.f.seal_all_blocks();
    let written = Written { scratch: e.consts.end, wides: e.wides };
    e.f.finalize(isa.frontend_config());
    Ok(written)
}

/// The signature of a wide loop's function, whatever the machine's other functions have.
pub(super) fn wide_signature(wide: &Wide) -> Signature {
    let mut sig = Signature::new(CallConv::SystemV);
    sig.params.resize(2 + wide.pointers.len().min(ARGUMENTS), AbiParam::new(I64));
    sig
}

/// Loads an argument word.
pub(super) fn word(f: &mut FunctionBuilder, words: Value, at: usize) -> Value {
    f.ins().load(I64, plain(), words, 8 * at as i32)
}

impl Emit<'_, '_> {
    /// Makes a wide loop a function that this one calls.
    pub(super) fn import_wide(&mut self, wide: Wide) -> FuncRef {
        let signature = self.f.import_signature(wide_signature(&wide));
        self.wides.push(wide);
        let name = UserExternalName::new(0, self.wides.len() as u32);
        let name = ExternalName::user(self.f.func.declare_imported_user_function(name));
        let function = ExtFuncData { name, signature, colocated: false, patchable: false };
        self.f.import_function(function)
    }

    pub(super) fn word(&mut self, at: usize) -> Value {
        word(&mut self.f, self.words, at)
    }

    pub(super) fn dtype(&self, line: u32) -> Result<DType> {
        self.kernel
            .line_dtype(&self.kernel.lines[line as usize])
            .ok_or_else(|| Error::bug(format!("%{line} is an operand but has no value")))
    }

    /// Computes the lines that are the same all along the run.
    fn invariants(&mut self) -> Result<()> {
        for i in 0..self.kernel.lines.len() {
            if !self.plan.invariant[i] {
                continue;
            }
            let ty = scalar(self.dtype(i as u32)?);
            let value = match &self.kernel.lines[i] {
                Line::Scalar { slot } => self.scalar_word(ty, self.layout.scalars + *slot as usize),
                Line::Index { dim } => self.word(self.layout.index + *dim as usize),
                Line::Load { buf } => {
                    let at = self.word(self.layout.bufs + 2 * *buf as usize);
                    self.f.ins().load(ty, plain(), at, 0)
                }
                _ if self.plan.inline[i] => self.invariant_inline(i as u32)?,
                _ => self.invariant_call(i as u32)?,
            };
            self.scalars[i] = Some(value);
        }
        Ok(())
    }

    fn scalar_word(&mut self, ty: Type, at: usize) -> Value {
        self.f.ins().load(ty, plain(), self.words, 8 * at as i32)
    }

    /// An invariant line's value.
    pub(super) fn scalar(&self, line: u32) -> Result<Value> {
        self.scalars[line as usize]
            .ok_or_else(|| Error::bug(format!("%{line} is used before it is computed")))
    }

    /// An op on invariants: on vectors of which only the lowest lane counts, so that it has the
    /// same meaning as in a loop.
    fn invariant_inline(&mut self, line: u32) -> Result<Value> {
        let mut operands: Vec<Lanes> = Vec::new();
        let kernel = self.kernel;
        for (k, a) in kernel.lines[line as usize].args().into_iter().enumerate() {
            let (v, dtype) = (self.scalar(a)?, self.dtype(a)?);
            let width = width_of(kernel, self.plan, line, k);
            let v = splat(&mut self.f.cursor(), v, dtype);
            let mut b = Body { f: &mut self.f, consts: &mut self.consts, lanes: 1 };
            let ty = if dtype == DType::Bool { int(width) } else { vector(dtype) };
            operands.push(smallvec::smallvec![b.as_type(v, ty)]);
        }
        let mut b = Body { f: &mut self.f, consts: &mut self.consts, lanes: 1 };
        let width = self.plan.width[line as usize];
        let out = emit_line(&mut b, kernel, line, &operands)?;
        let out = if self.dtype(line)? == DType::Bool {
            let mut b = Body { f: &mut self.f, consts: &mut self.consts, lanes: 1 };
            let mask = b.mask(&out, width, 1);
            let mask = b.as_types(&mask, I8X16);
            b.bytes_of_mask(&mask)
        } else {
            out
        };
        Ok(self.f.ins().extractlane(out[0], 0))
    }

    /// An op on invariants that has no inline form: its tile function on one element.
    fn invariant_call(&mut self, line: u32) -> Result<Value> {
        let args = self.kernel.lines[line as usize].args();
        for (k, &a) in args.iter().enumerate() {
            let v = self.scalar(a)?;
            self.f.ins().store(plain(), v, self.consts.scratch, (self.slots + 16 * k) as i32);
        }
        let at: Vec<Value> = (0..4).map(|k| self.scratch_at(self.slots + 16 * k)).collect();
        let one = self.f.ins().iconst(I64, 1);
        self.call_line(line, at[3], &at[..args.len()], one)?;
        let ty = scalar(self.dtype(line)?);
        Ok(self.f.ins().load(ty, plain(), self.consts.scratch, (self.slots + 48) as i32))
    }

    fn scratch_at(&mut self, offset: usize) -> Value {
        self.f.ins().iadd_imm_s(self.consts.scratch, offset as i64)
    }

    /// Fills a tile with copies of each invariant that calls read.
    fn copies(&mut self, n: Value) -> Result<()> {
        for &(line, offset) in &self.plan.copies {
            let (v, dtype) = (self.scalar(line)?, self.dtype(line)?);
            let v = self.f.ins().splat(vector(dtype), v);
            let len = self.at_most_a_tile(n);
            let bytes = self.f.ins().imul_imm_s(len, dtype.size() as i64);
            let base = self.scratch_at(offset);
            let (fill, done) = (self.f.create_block(), self.f.create_block());
            let at = self.f.append_block_param(fill, I64);
            let zero = self.f.ins().iconst(I64, 0);
            self.f.ins().jump(fill, &[zero.into()]);
            self.f.switch_to_block(fill);
            let to = self.f.ins().iadd(base, at);
            self.f.ins().store(plain(), v, to, 0);
            let next = self.f.ins().iadd_imm_s(at, 16);
            let more = self.f.ins().icmp(IntCC::UnsignedLessThan, next, bytes);
            self.f.ins().brif(more, fill, &[next.into()], done, &[]);
            self.f.switch_to_block(done);
        }
        Ok(())
    }

    fn at_most_a_tile(&mut self, n: Value) -> Value {
        let tile = self.f.ins().iconst(I64, TILE as i64);
        let less = self.f.ins().icmp(IntCC::UnsignedLessThan, n, tile);
        self.f.ins().select(less, n, tile)
    }

    /// The loop over tiles: each step on one tile after another.
    fn tiles(&mut self, n: Value, exit: cranelift_codegen::ir::Block) -> Result<()> {
        let block = self.f.create_block();
        let off = self.f.append_block_param(block, I64);
        let zero = self.f.ins().iconst(I64, 0);
        self.f.ins().jump(block, &[zero.into()]);
        self.f.switch_to_block(block);
        self.off = Some(off);
        let rest = self.f.ins().isub(n, off);
        let len = self.at_most_a_tile(rest);
        let plan = self.plan;
        for step in &plan.steps {
            match step {
                Step::Inline(inline) => self.inline_loop(inline, len)?,
                Step::Call(line) => self.tile_call(*line, off, len)?,
            }
        }
        let next = self.f.ins().iadd_imm_s(off, TILE as i64);
        let more = self.f.ins().icmp(IntCC::UnsignedLessThan, next, n);
        let args: [BlockArg; 1] = [next.into()];
        self.f.ins().brif(more, block, &args, exit, &[]);
        Ok(())
    }

    fn tile_call(&mut self, line: u32, off: Value, len: Value) -> Result<()> {
        let mut args = Vec::new();
        for a in self.kernel.lines[line as usize].args() {
            args.push(self.address(a, off)?);
        }
        if let Line::Fold { .. } = self.kernel.lines[line as usize] {
            let before = &self.kernel.lines[..line as usize];
            let k = before.iter().filter(|l| matches!(l, Line::Fold { .. })).count();
            let state = self.word(self.layout.folds + 2 * k);
            let function = self.word(self.layout.folds + 2 * k + 1);
            let base = self.word(Layout::FOLD_BASE);
            let args = [state, args[0], len, base, off];
            self.f.ins().call_indirect(self.fold, function, &args);
            return Ok(());
        }
        if let Line::Interp { x: None, .. } = self.kernel.lines[line as usize] {
            let first = self.word(self.layout.index);
            args.push(self.f.ins().iadd(first, off));
        }
        let out = self.address(line, off)?;
        self.call_line(line, out, &args, len)
    }

    /// Where a value lies in memory, for a call.
    fn address(&mut self, line: u32, off: Value) -> Result<Value> {
        if let Some(copy) = self.plan.copies.iter().find(|c| c.0 == line) {
            return Ok(self.scratch_at(copy.1));
        }
        let buf = match (self.plan.place[line as usize], &self.kernel.lines[line as usize]) {
            (Some(Place::Tile(at)), _) => return Ok(self.scratch_at(at)),
            (Some(Place::Buf(buf)), _) | (None, &Line::Load { buf }) => buf,
            _ => return Err(Error::bug(format!("%{line} has no place in memory"))),
        };
        let base = self.word(self.layout.bufs + 2 * buf as usize);
        let size = self.kernel.bufs[buf as usize].dtype.size();
        let bytes = self.f.ins().imul_imm_s(off, size as i64);
        Ok(self.f.ins().iadd(base, bytes))
    }

    /// Calls the tile function of a line.
    fn call_line(&mut self, line: u32, out: Value, args: &[Value], len: Value) -> Result<()> {
        let missing =
            |op: Op, d: DType| Error::bug(format!("{op}.{}: no tile function", d.short()));
        let (function, table) = match &self.kernel.lines[line as usize] {
            Line::Map { op, dtype, .. } => {
                (tile::map(*op, *dtype).ok_or_else(|| missing(*op, *dtype))?, None)
            }
            Line::Cast { from, to, .. } => (tile::cast(*from, *to), None),
            Line::Interp { table, dtype, .. } => (tile::interp(*dtype), Some(*table)),
            _ => return Err(Error::bug(format!("%{line} is no call"))),
        };
        let function = self.f.ins().iconst(I64, function as usize as i64);
        let status = self.word(Layout::STATUS);
        let a = args[0];
        let b = match table {
            Some(table) => self.word(self.layout.tables + table as usize),
            None => args.get(1).copied().unwrap_or(a),
        };
        let c = args.get(2).copied().unwrap_or(a);
        self.f.ins().call_indirect(self.map, function, &[out, a, b, c, len, status]);
        Ok(())
    }
}

/// A value in all lanes; `bool` as a mask, whose bits serve every lane width.
pub(super) fn splat(at: &mut FuncCursor, v: Value, dtype: DType) -> Value {
    if dtype != DType::Bool {
        return at.ins().splat(vector(dtype), v);
    }
    let zero = at.ins().iconst(I8, 0);
    let set = at.ins().icmp(IntCC::NotEqual, v, zero);
    let ones = at.ins().isub(zero, set);
    at.ins().splat(I8X16, ones)
}

/// A map or cast on operands that are ready.
pub(super) fn emit_line(b: &mut Body, kernel: &Kernel, line: u32, args: &[Lanes]) -> Result<Lanes> {
    match &kernel.lines[line as usize] {
        Line::Map { op, dtype, .. } => inline::map(b, *op, *dtype, args),
        Line::Cast { from, to, arg } => {
            let index = matches!(kernel.lines[*arg as usize], Line::Index { .. });
            inline::cast(b, *from, *to, &args[0], index)
        }
        _ => Err(Error::bug(format!("%{line} has no inline form"))),
    }
}
