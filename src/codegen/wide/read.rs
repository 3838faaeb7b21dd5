//! One turn of a loop, read as Cranelift's instructions and written as AVX2's.
//!
//! The turn computes a group of `n` elements, each value in the low lanes of one vector of 128 bits. Here
//! it computes `2 n` of them, each value in the low lanes of one of 256 bits: what it reads or writes at an
//! address it then does for twice as many bytes, and the neighbouring group lies right behind. Vectors
//! that no loop changes lie in scratch memory, and are the same for both groups.
//!
//! May not know: kernels, ops, registers of the machine.

use std::collections::HashMap;

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::types::{F32, F64, I64, I64X2};
use cranelift_codegen::ir::{Block, Function, Inst as Clif, InstructionData, Opcode, Type, Value};

use super::encode::{Address, Form, Inst, MAX_POINTERS, Source, forms};

/// The low halves of both halves of a vector, next to each other: the quarters that go first.
pub(super) const LOW_HALVES: u8 = 0b_00_00_10_00;

/// The byte by which a float is rounded to the nearest whole number, as the processor rounds.
const TO_NEAREST: u8 = 8;

/// A value that was read.
#[derive(Clone, Copy, Debug)]
enum Known {
    /// A number.
    Number(i64),
    /// The place along the run, times `1 << shift`.
    Place(u8),
    /// An address, or the place along the run plus something.
    Address(Address),
    /// A vector of which a group has so many bytes.
    Vector(u32, usize),
    /// A vector that no loop changes.
    Fixed(Address),
    /// A vector that is not there yet: its only user may read it from memory, or widen it further.
    Late(Late),
    /// A comparison that is not there yet.
    Compare { predicate: FloatCC, x: Value, y: Value },
    /// The complement of a value, which only a conjunction may ask for.
    Not(Value),
}

impl Known {
    fn register(self) -> Option<Source> {
        match self {
            Known::Vector(r, _) => Some(Source::Register(r)),
            _ => None,
        }
    }
}

/// Integers of `from` bytes that become ones of `to` bytes; the same where they are only loaded.
#[derive(Clone, Copy, Debug)]
struct Late {
    source: Source,
    from: usize,
    to: usize,
    signed: bool,
    /// Bytes of a group once it is there.
    bytes: usize,
}

/// Reads a turn and writes another.
pub(super) struct Reader<'f> {
    func: &'f Function,
    known: HashMap<Value, Known>,
    /// How often each value is used.
    uses: HashMap<Value, usize>,
    /// Values that must be there before the next store, which may overwrite what they are read from.
    late: Vec<Value>,
    /// The pointers, the first of which is scratch memory's.
    pub pointers: Vec<Value>,
    /// What was written.
    pub insts: Vec<Inst>,
    /// How many values there are.
    pub values: u32,
}

fn log2(bytes: usize) -> usize {
    bytes.trailing_zeros() as usize
}

fn lane(ty: Type) -> usize {
    ty.lane_type().bytes() as usize
}

/// Which row of a table for `float32` and `float64`.
fn precision(ty: Type) -> usize {
    usize::from(ty.lane_type() == F64)
}

/// The same with one for integers.
fn domain(ty: Type) -> usize {
    if ty.lane_type().is_float() { precision(ty) } else { 2 }
}

impl<'f> Reader<'f> {
    /// Reads the block of a turn, whose parameter is the place along the run; `None` where something has no
    /// form here.
    pub(super) fn read(func: &'f Function, block: Block, scratch: Value) -> Option<Self> {
        let mut reader = Self {
            func,
            known: HashMap::new(),
            uses: HashMap::new(),
            late: Vec::new(),
            pointers: vec![scratch],
            insts: Vec::new(),
            values: 0,
        };
        for inst in func.layout.block_insts(block) {
            for &v in func.dfg.inst_args(inst) {
                *reader.uses.entry(v).or_default() += 1;
            }
        }
        let place = *func.dfg.block_params(block).first()?;
        reader.known.insert(place, Known::Place(0));
        reader
            .known
            .insert(scratch, Known::Address(Address { pointer: 0, shift: None, offset: 0 }));
        for inst in func.layout.block_insts(block) {
            if !func.dfg.insts[inst].opcode().is_terminator() {
                let known = reader.inst(inst)?;
                if let (Some(known), Some(&out)) = (known, func.dfg.inst_results(inst).first()) {
                    reader.define(out, known);
                }
            }
        }
        (reader.pointers.len() <= MAX_POINTERS).then_some(reader)
    }

    fn define(&mut self, out: Value, known: Known) {
        let known = match known {
            Known::Late(late) if self.uses.get(&out) == Some(&1) => {
                self.late.push(out);
                Known::Late(late)
            }
            Known::Late(late) => self.now(late),
            known => known,
        };
        self.known.insert(out, known);
    }

    fn ty(&self, v: Value) -> Type {
        self.func.dfg.value_type(v)
    }

    /// What a value is; one from outside of the turn is an address.
    fn get(&mut self, v: Value) -> Option<Known> {
        if let Some(&known) = self.known.get(&v) {
            return Some(known);
        }
        if self.ty(v) != I64 {
            return None;
        }
        let at = Address { pointer: self.pointers.len(), shift: None, offset: 0 };
        self.pointers.push(v);
        self.known.insert(v, Known::Address(at));
        Some(Known::Address(at))
    }

    /// Writes an instruction with a result of which a group has `bytes` bytes.
    fn write(&mut self, form: Form, bytes: usize, first: Option<Source>, second: Source) -> Known {
        self.write_long(form, bytes == 16, bytes, first, second)
    }

    fn write_long(
        &mut self,
        form: Form,
        long: bool,
        bytes: usize,
        first: Option<Source>,
        second: Source,
    ) -> Known {
        let out = self.values;
        self.values += 1;
        self.insts.push(Inst { long, first, ..Inst::of(form, second, out) });
        Known::Vector(out, bytes)
    }

    /// Gives the last byte of the instruction written last.
    fn with(&mut self, byte: u8, known: Known) -> Known {
        if let Some(inst) = self.insts.last_mut() {
            inst.byte = Some(byte);
        }
        known
    }

    /// Makes what was put off.
    fn now(&mut self, late: Late) -> Known {
        let Late { source, from, to, signed, bytes } = late;
        if from == to {
            return self.write(forms::LOAD[log2(bytes) - 1], bytes, None, source);
        }
        // The instruction reads as much as makes 16 bytes: where a turn has less, it lies beyond what is ours.
        let source = match source {
            Source::At(_) if bytes < 8 => {
                match self.write(forms::LOAD[log2(bytes * from / to) - 1], bytes, None, source) {
                    Known::Vector(r, _) => Source::Register(r),
                    known => return known,
                }
            }
            source => source,
        };
        let rows = if signed { forms::PMOVSX } else { forms::PMOVZX };
        let row = [0, 3, 5][log2(from)] + log2(to / from) - 1;
        self.write(rows[row], bytes, None, source)
    }

    /// A vector as something that an instruction may read, and its bytes: 0 for what no loop changes, which
    /// has all.
    fn source(&mut self, v: Value, in_memory: bool) -> Option<(Source, usize)> {
        match self.get(v)? {
            Known::Late(late) if in_memory && late.from == late.to && late.bytes >= 8 => {
                self.taken(v);
                Some((late.source, late.bytes))
            }
            Known::Late(late) => {
                let known = self.now(late);
                self.known.insert(v, known);
                self.source(v, in_memory)
            }
            Known::Compare { predicate, x, y } => {
                let known = self.compare(predicate, x, y)?;
                self.known.insert(v, known);
                self.source(v, in_memory)
            }
            Known::Vector(r, bytes) => Some((Source::Register(r), bytes)),
            Known::Fixed(at) => Some((Source::At(at), 0)),
            _ => None,
        }
    }

    /// A vector in a register.
    fn register(&mut self, v: Value) -> Option<(u32, usize)> {
        match self.source(v, false)? {
            (Source::Register(r), bytes) => Some((r, bytes)),
            (at, _) => match self.write(forms::MOVE, 16, None, at) {
                Known::Vector(r, bytes) => Some((r, bytes)),
                _ => None,
            },
        }
    }

    /// `form` of one vector.
    fn one(&mut self, form: Form, x: Value) -> Option<Known> {
        let (x, bytes) = self.source(x, true)?;
        let bytes = if bytes == 0 { 16 } else { bytes };
        Some(self.write(form, bytes, None, x))
    }

    /// `form` of two vectors, of which the second one may lie in memory.
    fn two(&mut self, form: Form, x: Value, y: Value) -> Option<Known> {
        let (first, a) = self.source(x, false)?;
        let (second, b) = self.source(y, true)?;
        let bytes = match (a, b) {
            (0, 0) => 16,
            (0, n) | (n, 0) => n,
            (a, b) if a == b => a,
            _ => return None,
        };
        Some(self.write(form, bytes, Some(first), second))
    }

    /// The same where the order does not matter: memory goes second.
    fn either(&mut self, form: Form, x: Value, y: Value) -> Option<Known> {
        let lies = |known| matches!(known, Known::Late(_) | Known::Fixed(_));
        if lies(self.get(x)?) && !matches!(self.get(y)?, Known::Late(_)) {
            return self.two(form, y, x);
        }
        self.two(form, x, y)
    }

    fn compare(&mut self, predicate: FloatCC, x: Value, y: Value) -> Option<Known> {
        let (predicate, x, y) = match predicate {
            FloatCC::GreaterThan => (1, y, x),
            FloatCC::GreaterThanOrEqual => (2, y, x),
            FloatCC::Equal => (0, x, y),
            FloatCC::LessThan => (1, x, y),
            FloatCC::LessThanOrEqual => (2, x, y),
            FloatCC::Unordered => (3, x, y),
            FloatCC::NotEqual => (4, x, y),
            _ => return None,
        };
        let form = forms::CMP[precision(self.ty(x))];
        let known = self.two(form, x, y)?;
        Some(self.with(predicate, known))
    }

    /// What an instruction computes; `Some(None)` if nothing, `None` if it has no form here.
    #[allow(clippy::option_option, reason = "nothing to define and no form differ")]
    fn inst(&mut self, inst: Clif) -> Option<Option<Known>> {
        use InstructionData as I;
        let dfg = &self.func.dfg;
        let ty = dfg.inst_results(inst).first().map(|&v| self.func.dfg.value_type(v));
        let known = match dfg.insts[inst] {
            I::UnaryImm { opcode: Opcode::Iconst, imm } => Known::Number(imm.bits()),
            I::UnaryConst { .. } => Known::Number(0),
            I::Load { opcode, arg, offset, .. } => self.load(opcode, arg, offset.into(), ty?)?,
            I::Store { opcode: Opcode::Store, args: [v, at], offset, .. } => {
                self.store(v, at, offset.into())?;
                return Some(None);
            }
            I::LoadNoOffset { opcode: Opcode::Bitcast, arg, .. } => self.alias(arg)?,
            I::Unary { opcode, arg } => self.unary(opcode, arg, ty?)?,
            I::BinaryImm8 { opcode: Opcode::Extractlane, arg, imm: 0 } => self.alias(arg)?,
            I::Binary { opcode, args: [x, y] } if ty? == I64 => self.address(opcode, x, y)?,
            I::Binary { opcode, args: [x, y] } => self.binary(opcode, x, y, ty?)?,
            I::FloatCompare { cond, args: [x, y], .. } => Known::Compare { predicate: cond, x, y },
            I::IntCompare { cond, args: [x, y], .. } => self.int_compare(cond, x, y)?,
            I::Ternary { opcode: Opcode::Bitselect, args: [mask, x, y] } => {
                self.choose(mask, x, y)?
            }
            I::Ternary { opcode: Opcode::Fma, args: [x, y, z] } => {
                let ((x, n), (y, _)) = (self.register(x)?, self.source(y, false)?);
                let (z, _) = self.source(z, true)?;
                let known = self.write(forms::FMADD213[precision(ty?)], n, Some(y), z);
                self.insts.last_mut()?.becomes = Some(x);
                known
            }
            I::Shuffle { args: [x, y], imm, .. } => {
                // The low halves of integers of 8 bytes.
                let low = [0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27];
                let same = self.origin(x) == self.origin(y);
                if !same || dfg.immediates.get(imm)?.as_slice() != low {
                    return None;
                }
                let (x, bytes) = self.register(x)?;
                let known = self.write(forms::PSHUFD, bytes, None, Source::Register(x));
                let known = self.with(0b_00_00_10_00, known);
                self.pack(known)?
            }
            _ => return None,
        };
        Some(Some(known))
    }

    /// The same value under another type.
    fn alias(&mut self, v: Value) -> Option<Known> {
        if let Known::Compare { .. } = self.get(v)?
            && self.uses.get(&v) != Some(&1)
        {
            // Made once: its operands may be overwritten before it is made again.
            self.source(v, false)?;
        }
        self.taken(v);
        self.get(v)
    }

    /// What was put off is now its user's.
    fn taken(&mut self, v: Value) {
        self.late.retain(|&l| l != v);
    }

    fn address(&mut self, opcode: Opcode, x: Value, y: Value) -> Option<Known> {
        Some(match (opcode, self.get(x)?, self.get(y)?) {
            (Opcode::Ishl, Known::Place(0), Known::Number(by)) => Known::Place(by as u8),
            (Opcode::Iadd, Known::Address(at), Known::Place(shift)) if at.is_fixed() => {
                Known::Address(Address { shift: Some(shift), ..at })
            }
            _ => return None,
        })
    }

    fn load(&mut self, opcode: Opcode, at: Value, offset: i32, ty: Type) -> Option<Known> {
        let Known::Address(at) = self.get(at)? else { return None };
        let at = Address { offset: at.offset + offset, ..at };
        if at.is_fixed() {
            return (at.pointer == 0 && ty.bytes() == 16).then_some(Known::Fixed(at));
        }
        let (from, to, signed) = match opcode {
            Opcode::Load => (1, 1, false),
            Opcode::Uload16 => (1, 1, false),
            Opcode::Sload8x8 => (1, 2, true),
            Opcode::Uload8x8 => (1, 2, false),
            Opcode::Sload16x4 => (2, 4, true),
            Opcode::Uload16x4 => (2, 4, false),
            _ => return None,
        };
        let bytes = if opcode == Opcode::Uload16 { 2 } else { ty.bytes() as usize };
        let late = Late { source: Source::At(at), from, to, signed, bytes };
        (bytes > 1).then_some(Known::Late(late))
    }

    fn store(&mut self, v: Value, at: Value, offset: i32) -> Option<()> {
        let Known::Address(at) = self.get(at)? else { return None };
        // A scalar is the low lane of a vector of which the group has as many bytes.
        let stored = self.ty(v).bytes() as usize;
        let fixed = matches!(self.get(v)?, Known::Fixed(_));
        let (r, bytes) = self.register(v)?;
        if stored == 1 || (stored != bytes && !fixed) {
            return None;
        }
        for late in std::mem::take(&mut self.late) {
            self.register(late)?;
        }
        let to = Source::At(Address { offset: at.offset + offset, ..at });
        let (out, first) = (None, Some(Source::Register(r)));
        let form = forms::STORE[log2(stored) - 1];
        self.insts.push(Inst { long: stored == 16, out, first, ..Inst::of(form, to, 0) });
        Some(())
    }

    fn unary(&mut self, opcode: Opcode, x: Value, ty: Type) -> Option<Known> {
        let rounded = |by: u8| Some((forms::ROUND[precision(ty)], by));
        let form = match opcode {
            Opcode::ScalarToVector => return self.alias(x),
            Opcode::Bnot => return Some(Known::Not(x)),
            Opcode::Sqrt => Some((forms::SQRT[precision(ty)], 0)),
            Opcode::Nearest => rounded(TO_NEAREST),
            Opcode::Floor => rounded(9),
            Opcode::Ceil => rounded(10),
            Opcode::Trunc => rounded(11),
            _ => None,
        };
        if let Some((form, by)) = form {
            let known = self.one(form, x)?;
            return Some(if opcode == Opcode::Sqrt { known } else { self.with(by, known) });
        }
        match opcode {
            Opcode::Iabs if lane(ty) < 8 => self.one(forms::PABS[log2(lane(ty))], x),
            Opcode::SwidenLow => self.widen(x, true),
            Opcode::UwidenLow => self.widen(x, false),
            Opcode::FcvtFromSint if ty.lane_type() == F32 => self.one(forms::CVTDQ2PS, x),
            Opcode::FcvtFromSint => self.int_to_double(x),
            Opcode::FvpromoteLow => {
                let (x, bytes) = self.source(x, true)?;
                (bytes == 8).then(|| self.write(forms::CVTPS2PD, 16, None, x))
            }
            Opcode::Fvdemote => self.halve(forms::CVTPD2PS, x),
            Opcode::X86Cvtt2dq if lane(ty) == 4 => self.truncated(x),
            // As integers of 4 bytes already, which the narrowing after it then leaves as they are.
            Opcode::X86Cvtt2dq => self.halve(forms::CVTTPD2DQ, x),
            Opcode::Splat => {
                let Known::Address(at) = self.get(x)? else { return None };
                // Integers of 8 bytes, two a group: the group behind is two places ahead.
                let place = |r: &mut Self, ahead| {
                    let at = Source::At(Address { offset: at.offset + ahead, ..at });
                    r.write_long(forms::MOVE_ADDRESS, false, 8, None, at)
                };
                let (low, high) = (place(self, 0).register()?, place(self, 2).register()?);
                let both = self.write_long(forms::PUNPCKLQDQ, false, 16, Some(low), high);
                let both = self.write_long(forms::PERMQ, true, 16, None, both.register()?);
                Some(self.with(0b_01_01_00_00, both))
            }
            _ => None,
        }
    }

    /// `float32` truncated to integers. What was rounded for that alone is converted by one instruction.
    fn truncated(&mut self, x: Value) -> Option<Known> {
        let (from, bytes) = self.source(x, true)?;
        let once = self.uses.get(&x) == Some(&1) && self.origin(x) == x;
        match self.insts.last_mut() {
            Some(last)
                if once
                    && last.form == forms::ROUND[0]
                    && last.byte == Some(TO_NEAREST)
                    && last.out.map(Source::Register) == Some(from) =>
            {
                last.form = forms::CVTPS2DQ;
                last.byte = None;
                last.out.map(|r| Known::Vector(r, bytes))
            }
            _ => self.one(forms::CVTTPS2DQ, x),
        }
    }

    /// `form` of a whole vector, with a result of half as many bytes.
    fn halve(&mut self, form: Form, x: Value) -> Option<Known> {
        let (x, bytes) = self.source(x, true)?;
        (bytes == 16 || bytes == 0).then(|| self.write_long(form, true, 8, None, x))
    }

    fn binary(&mut self, opcode: Opcode, x: Value, y: Value, ty: Type) -> Option<Known> {
        let size = log2(lane(ty));
        let row = |rows: &[Form]| rows.get(size).copied();
        let float = precision(ty);
        match opcode {
            Opcode::Fadd => self.either(forms::ADD[float], x, y),
            Opcode::Fmul => self.either(forms::MUL[float], x, y),
            Opcode::Fsub => self.two(forms::SUB[float], x, y),
            Opcode::Fdiv => self.two(forms::DIV[float], x, y),
            Opcode::Band => match self.get(y)? {
                Known::Not(y) => self.two(forms::ANDN[domain(ty)], y, x),
                _ => self.either(forms::AND[domain(ty)], x, y),
            },
            Opcode::Bor => self.either(forms::OR[domain(ty)], x, y),
            Opcode::Bxor => self.either(forms::XOR[domain(ty)], x, y),
            Opcode::Iadd => self.either(forms::PADD[size], x, y),
            Opcode::Isub => self.two(forms::PSUB[size], x, y),
            Opcode::Ishl => self.two(forms::PSLL.get(size.wrapping_sub(1)).copied()?, x, y),
            Opcode::Ushr => self.two(forms::PSRL.get(size.wrapping_sub(1)).copied()?, x, y),
            Opcode::Sshr => self.two(forms::PSRA.get(size.wrapping_sub(1)).copied()?, x, y),
            Opcode::Imul if size == 1 || size == 2 => self.either(forms::PMULL[size - 1], x, y),
            Opcode::Smin => self.either(row(&forms::PMINS)?, x, y),
            Opcode::Umin => self.either(row(&forms::PMINU)?, x, y),
            Opcode::Smax => self.either(row(&forms::PMAXS)?, x, y),
            Opcode::Umax => self.either(row(&forms::PMAXU)?, x, y),
            // Of float64 truncated to integers, which are narrow already.
            Opcode::Snarrow if self.ty(x) == I64X2 => match self.alias(x)? {
                Known::Vector(r, 8) => Some(Known::Vector(r, 8)),
                _ => None,
            },
            Opcode::Snarrow if x == y => self.narrow(forms::PACKSS[size], x),
            Opcode::Unarrow if x == y => self.narrow(forms::PACKUS[size], x),
            _ => None,
        }
    }

    fn widen(&mut self, x: Value, signed: bool) -> Option<Known> {
        let from = lane(self.ty(x));
        if let Known::Late(late) = self.get(x)? {
            if late.bytes > 8 {
                return None;
            }
            let first = late.from == late.to;
            // What was widened with zeros has no sign.
            if first || !late.signed || signed {
                self.taken(x);
                let (from, to) = if first { (from, 2 * from) } else { (late.from, 2 * late.to) };
                let signed = signed && (first || late.signed);
                return Some(Known::Late(Late { from, to, signed, bytes: 2 * late.bytes, ..late }));
            }
        }
        let (source, bytes) = self.source(x, false)?;
        let late = Late { source, from, to: 2 * from, signed, bytes: 2 * bytes };
        matches!(bytes, 2..=8).then_some(Known::Late(late))
    }

    /// Integers to half of their width by an instruction that narrows each half of a vector.
    fn narrow(&mut self, form: Form, x: Value) -> Option<Known> {
        let (x, bytes) = self.register(x)?;
        let x = Source::Register(x);
        let known = self.write(form, bytes, Some(x), x);
        self.pack(known)
    }

    /// The low halves of both halves of a vector, next to each other.
    fn pack(&mut self, v: Known) -> Option<Known> {
        let Known::Vector(r, bytes) = v else { return None };
        if bytes < 16 {
            return Some(Known::Vector(r, bytes / 2));
        }
        let known = self.write_long(forms::PERMQ, true, 8, None, Source::Register(r));
        Some(self.with(LOW_HALVES, known))
    }

    /// Integers of 8 bytes that are known to have come from 4 to `float64`.
    fn int_to_double(&mut self, x: Value) -> Option<Known> {
        let Known::Late(late) = self.get(x)? else { return None };
        if late.from == late.to || late.to != 8 || (late.from == 4 && !late.signed) {
            return None;
        }
        self.taken(x);
        let source = if late.from == 4 {
            late.source
        } else {
            let known = self.now(Late { to: 4, bytes: late.bytes / 2, ..late });
            let Known::Vector(r, _) = known else { return None };
            Source::Register(r)
        };
        Some(self.write(forms::CVTDQ2PD, 16, None, source))
    }

    /// A vector with all bits set, made of any other.
    fn ones(&mut self, like: Known) -> Option<Source> {
        let Known::Vector(r, bytes) = like else { return None };
        let r = Source::Register(r);
        match self.write(forms::PCMPEQ[0], bytes, Some(r), r) {
            Known::Vector(ones, _) => Some(Source::Register(ones)),
            _ => None,
        }
    }

    fn not(&mut self, v: Known) -> Option<Known> {
        let Known::Vector(r, bytes) = v else { return None };
        let ones = self.ones(v)?;
        Some(self.write(forms::XOR[2], bytes, Some(ones), Source::Register(r)))
    }

    fn int_compare(&mut self, cond: IntCC, x: Value, y: Value) -> Option<Known> {
        let size = log2(lane(self.ty(x)));
        // `x` is at most `y` if the smaller of both is `x`.
        let bound = |r: &mut Self, rows: &[Form], x: Value, y: Value| {
            let Known::Vector(best, bytes) = r.either(*rows.get(size)?, x, y)? else { return None };
            let (x, _) = r.source(x, false)?;
            Some(r.write(forms::PCMPEQ[size], bytes, Some(Source::Register(best)), x))
        };
        let (known, negated) = match cond {
            IntCC::Equal => (self.either(forms::PCMPEQ[size], x, y)?, false),
            IntCC::NotEqual => (self.either(forms::PCMPEQ[size], x, y)?, true),
            IntCC::SignedGreaterThan => (self.two(forms::PCMPGT[size], x, y)?, false),
            IntCC::SignedLessThan => (self.two(forms::PCMPGT[size], y, x)?, false),
            IntCC::SignedLessThanOrEqual => (self.two(forms::PCMPGT[size], x, y)?, true),
            IntCC::SignedGreaterThanOrEqual => (self.two(forms::PCMPGT[size], y, x)?, true),
            IntCC::UnsignedLessThanOrEqual => (bound(self, &forms::PMINU, x, y)?, false),
            IntCC::UnsignedGreaterThanOrEqual => (bound(self, &forms::PMAXU, x, y)?, false),
            IntCC::UnsignedGreaterThan => (bound(self, &forms::PMINU, x, y)?, true),
            IntCC::UnsignedLessThan => (bound(self, &forms::PMAXU, x, y)?, true),
        };
        if negated { self.not(known) } else { Some(known) }
    }

    /// `x` where the mask is set, else `y`. Masks have lanes of ones or zeros, so bytes can be chosen.
    fn choose(&mut self, mask: Value, x: Value, y: Value) -> Option<Known> {
        if let Known::Compare { predicate: FloatCC::LessThan, x: l, y: r } = self.get(mask)? {
            let float = precision(self.ty(l));
            let (l, r) = (self.origin(l), self.origin(r));
            let (a, b) = (self.origin(x), self.origin(y));
            if (l, r) == (a, b) {
                return self.two(forms::MIN[float], x, y);
            }
            if (l, r) == (b, a) {
                return self.two(forms::MAX[float], x, y);
            }
        }
        let (m, bytes) = self.register(mask)?;
        let (no, a) = self.source(y, false)?;
        let (yes, b) = self.source(x, true)?;
        if [a, b].iter().any(|&n| n != 0 && n != bytes) {
            return None;
        }
        let known = self.write(forms::PBLENDVB, bytes, Some(no), yes);
        self.insts.last_mut()?.mask = Some(m);
        Some(known)
    }

    /// The value that a value is under another type.
    fn origin(&self, mut v: Value) -> Value {
        while let Some(inst) = self.func.dfg.value_def(v).inst() {
            match self.func.dfg.insts[inst] {
                InstructionData::LoadNoOffset { opcode: Opcode::Bitcast, arg, .. } => v = arg,
                _ => break,
            }
        }
        v
    }
}
