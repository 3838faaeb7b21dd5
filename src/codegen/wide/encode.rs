//! AVX2 instructions as bytes and as text: the rows that loops need, in VEX encoding.
//!
//! May not know: where instructions come from, which registers they get.

use std::fmt;

/// A row of the table: what an instruction is called and how it is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Form {
    pub name: &'static str,
    /// The prefix that VEX stands for: 0 none, 1 `66`, 2 `F3`, 3 `F2`.
    prefix: u8,
    /// The opcode's map: 1 `0F`, 2 `0F38`, 3 `0F3A`.
    map: u8,
    /// VEX.W.
    w: bool,
    opcode: u8,
}

const fn form(name: &'static str, prefix: u8, map: u8, w: bool, opcode: u8) -> Form {
    Form { name, prefix, map, w, opcode }
}

/// The instructions, by their names without the `v`; of float ones those for `float32`, then `float64`.
pub(super) mod forms {
    use super::{Form, form};

    /// Rows `NAME = [name prefix map opcode, ...]`, with VEX.W clear, and a list of all of them.
    macro_rules! rows {
        ($($id:ident = [$($name:literal $prefix:literal $map:literal $opcode:literal),+];)*) => {
            $(pub(in super::super) const $id: [Form; [$($opcode),+].len()] =
                [$(form($name, $prefix, $map, false, $opcode)),+];)*
            #[cfg(test)]
            pub(in super::super) const ROWS: &[&[Form]] = &[$(&$id),*];
        };
    }

    rows! {
        ADD = ["vaddps" 0 1 0x58, "vaddpd" 1 1 0x58];
        SUB = ["vsubps" 0 1 0x5c, "vsubpd" 1 1 0x5c];
        MUL = ["vmulps" 0 1 0x59, "vmulpd" 1 1 0x59];
        DIV = ["vdivps" 0 1 0x5e, "vdivpd" 1 1 0x5e];
        MIN = ["vminps" 0 1 0x5d, "vminpd" 1 1 0x5d];
        MAX = ["vmaxps" 0 1 0x5f, "vmaxpd" 1 1 0x5f];
        SQRT = ["vsqrtps" 0 1 0x51, "vsqrtpd" 1 1 0x51];
        CMP = ["vcmpps" 0 1 0xc2, "vcmppd" 1 1 0xc2];
        ROUND = ["vroundps" 1 3 0x08, "vroundpd" 1 3 0x09];
        // Bits, for float32, float64 and integers.
        AND = ["vandps" 0 1 0x54, "vandpd" 1 1 0x54, "vpand" 1 1 0xdb];
        ANDN = ["vandnps" 0 1 0x55, "vandnpd" 1 1 0x55, "vpandn" 1 1 0xdf];
        OR = ["vorps" 0 1 0x56, "vorpd" 1 1 0x56, "vpor" 1 1 0xeb];
        XOR = ["vxorps" 0 1 0x57, "vxorpd" 1 1 0x57, "vpxor" 1 1 0xef];
        // Integers of 1, 2, 4 and 8 bytes.
        PADD = ["vpaddb" 1 1 0xfc, "vpaddw" 1 1 0xfd, "vpaddd" 1 1 0xfe, "vpaddq" 1 1 0xd4];
        PSUB = ["vpsubb" 1 1 0xf8, "vpsubw" 1 1 0xf9, "vpsubd" 1 1 0xfa, "vpsubq" 1 1 0xfb];
        PCMPEQ = ["vpcmpeqb" 1 1 0x74, "vpcmpeqw" 1 1 0x75, "vpcmpeqd" 1 1 0x76, "vpcmpeqq" 1 2 0x29];
        PCMPGT = ["vpcmpgtb" 1 1 0x64, "vpcmpgtw" 1 1 0x65, "vpcmpgtd" 1 1 0x66, "vpcmpgtq" 1 2 0x37];
        PABS = ["vpabsb" 1 2 0x1c, "vpabsw" 1 2 0x1d, "vpabsd" 1 2 0x1e];
        PMINS = ["vpminsb" 1 2 0x38, "vpminsw" 1 1 0xea, "vpminsd" 1 2 0x39];
        PMINU = ["vpminub" 1 1 0xda, "vpminuw" 1 2 0x3a, "vpminud" 1 2 0x3b];
        PMAXS = ["vpmaxsb" 1 2 0x3c, "vpmaxsw" 1 1 0xee, "vpmaxsd" 1 2 0x3d];
        PMAXU = ["vpmaxub" 1 1 0xde, "vpmaxuw" 1 2 0x3e, "vpmaxud" 1 2 0x3f];
        // Of 2, 4 and 8 bytes, by a number in the lowest 8 bytes of a register.
        PSLL = ["vpsllw" 1 1 0xf1, "vpslld" 1 1 0xf2, "vpsllq" 1 1 0xf3];
        PSRL = ["vpsrlw" 1 1 0xd1, "vpsrld" 1 1 0xd2, "vpsrlq" 1 1 0xd3];
        // Of 2 and 4 bytes.
        PSRA = ["vpsraw" 1 1 0xe1, "vpsrad" 1 1 0xe2];
        PMULL = ["vpmullw" 1 1 0xd5, "vpmulld" 1 2 0x40];
        PACKSS = ["vpacksswb" 1 1 0x63, "vpackssdw" 1 1 0x6b];
        PACKUS = ["vpackuswb" 1 1 0x67, "vpackusdw" 1 2 0x2b];
        // From 1 byte to 2, 4 and 8, from 2 to 4 and 8, from 4 to 8.
        PMOVSX = ["vpmovsxbw" 1 2 0x20, "vpmovsxbd" 1 2 0x21, "vpmovsxbq" 1 2 0x22,
                  "vpmovsxwd" 1 2 0x23, "vpmovsxwq" 1 2 0x24, "vpmovsxdq" 1 2 0x25];
        PMOVZX = ["vpmovzxbw" 1 2 0x30, "vpmovzxbd" 1 2 0x31, "vpmovzxbq" 1 2 0x32,
                  "vpmovzxwd" 1 2 0x33, "vpmovzxwq" 1 2 0x34, "vpmovzxdq" 1 2 0x35];
        // Of 2 bytes a group, 4, 8 and 16; from memory and to it.
        LOAD = ["vmovd" 1 1 0x6e, "vmovq" 2 1 0x7e, "vmovups" 0 1 0x10, "vmovups" 0 1 0x10];
        STORE = ["vmovd" 1 1 0x7e, "vmovq" 1 1 0xd6, "vmovups" 0 1 0x11, "vmovups" 0 1 0x11];
    }

    pub(in super::super) const FMADD213: [Form; 2] =
        [form("vfmadd213ps", 1, 2, false, 0xa8), form("vfmadd213pd", 1, 2, true, 0xa8)];
    pub(in super::super) const CVTDQ2PS: Form = form("vcvtdq2ps", 0, 1, false, 0x5b);
    pub(in super::super) const CVTPS2DQ: Form = form("vcvtps2dq", 1, 1, false, 0x5b);
    pub(in super::super) const CVTTPS2DQ: Form = form("vcvttps2dq", 2, 1, false, 0x5b);
    pub(in super::super) const CVTDQ2PD: Form = form("vcvtdq2pd", 2, 1, false, 0xe6);
    pub(in super::super) const CVTTPD2DQ: Form = form("vcvttpd2dq", 1, 1, false, 0xe6);
    pub(in super::super) const CVTPS2PD: Form = form("vcvtps2pd", 0, 1, false, 0x5a);
    pub(in super::super) const CVTPD2PS: Form = form("vcvtpd2ps", 1, 1, false, 0x5a);
    pub(in super::super) const PBLENDVB: Form = form("vpblendvb", 1, 3, false, 0x4c);
    pub(in super::super) const PERMQ: Form = form("vpermq", 1, 3, true, 0x00);
    pub(in super::super) const PSHUFD: Form = form("vpshufd", 1, 1, false, 0x70);
    pub(in super::super) const PUNPCKLQDQ: Form = form("vpunpcklqdq", 1, 1, false, 0x6c);
    /// Sixteen bytes of memory into both halves.
    pub(in super::super) const BROADCAST: Form = form("vbroadcastf128", 1, 2, false, 0x1a);
    pub(in super::super) const MOVE: Form = form("vmovaps", 0, 1, false, 0x28);
    /// From a general register, into which the address is computed first.
    pub(in super::super) const MOVE_ADDRESS: Form = form("vmovq", 1, 1, true, 0x6e);
}

/// A place in memory: a pointer, plus the place along the run times the size of an element if that is
/// given (as a shift), plus a number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Address {
    /// Which pointer: 0 is scratch memory.
    pub pointer: usize,
    pub shift: Option<u8>,
    pub offset: i32,
}

impl Address {
    /// Whether it is the same all along the run.
    pub(super) fn is_fixed(self) -> bool {
        self.shift.is_none()
    }
}

/// An operand that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Source {
    /// A vector register.
    Register(u32),
    /// Memory.
    At(Address),
}

impl Source {
    /// The same for what lies `ahead` elements further along the run.
    pub(super) fn ahead(mut self, ahead: usize) -> Self {
        if let Source::At(Address { shift: Some(shift), offset, .. }) = &mut self {
            *offset += (ahead << *shift) as i32;
        }
        self
    }
}

/// An instruction. Registers are those of the machine once they were given out, before that values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Inst {
    pub form: Form,
    /// Whether it works on 256 bits, not on 128.
    pub long: bool,
    /// What it writes; `None` for a store, which writes `second`.
    pub out: Option<u32>,
    /// A register that is read and becomes `out`.
    pub becomes: Option<u32>,
    /// The operand that must be a register.
    pub first: Option<Source>,
    /// The operand that may lie in memory.
    pub second: Source,
    /// A register that is named in the last byte.
    pub mask: Option<u32>,
    /// The last byte.
    pub byte: Option<u8>,
}

impl Inst {
    /// An instruction of 256 bits with one operand and a result.
    pub(super) fn of(form: Form, source: Source, out: u32) -> Self {
        let (becomes, first, mask, byte) = (None, None, None, None);
        Self { form, long: true, out: Some(out), becomes, first, second: source, mask, byte }
    }

    /// A load of what no loop changes.
    pub(super) fn load(at: Address, out: u32) -> Self {
        Self::of(forms::BROADCAST, Source::At(at), out)
    }

    /// Changes each register that is read.
    pub(super) fn each_read(&mut self, mut f: impl FnMut(&mut u32)) {
        for source in [self.first.as_mut(), Some(&mut self.second)].into_iter().flatten() {
            if let Source::Register(r) = source {
                f(r);
            }
        }
        self.mask.iter_mut().chain(&mut self.becomes).for_each(f);
    }
}

/// General registers, by their numbers.
const RAX: u8 = 0;
const RSI: u8 = 6;
const R11: u8 = 11;

/// The pointers' registers. In the first ones they come as arguments, scratch memory's address before all.
const POINTERS: [u8; 12] = [7, 2, 1, 8, 9, 10, 3, 5, 12, 13, 14, 15];
/// Pointers that come as arguments, beside scratch memory's.
pub(in super::super) const ARGUMENTS: usize = 4;
/// The first of those registers that belong to the caller.
const SAVED: usize = 6;

/// The most pointers.
pub(super) const MAX_POINTERS: usize = POINTERS.len();

/// What is assembled.
#[derive(Default)]
pub(super) struct Code {
    pub bytes: Vec<u8>,
}

impl Code {
    /// Begins a function: saves the caller's registers and loads the pointers that are no arguments, which
    /// lie in scratch memory from `slots` on. The place along the run is 0.
    pub(super) fn begin(&mut self, pointers: usize, slots: i32) {
        for &r in POINTERS.iter().take(pointers).skip(SAVED) {
            self.push_or_pop(0x50, r);
        }
        for (k, &r) in POINTERS.iter().take(pointers).skip(1 + ARGUMENTS).enumerate() {
            let at = Address { pointer: 0, shift: None, offset: slots + 8 * k as i32 };
            self.general(0x8b, r, at);
        }
        self.bytes.extend([0x31, 0xc0]);
    }

    /// Ends a function.
    pub(super) fn end(&mut self, pointers: usize) {
        self.bytes.extend([0xc5, 0xf8, 0x77]);
        for &r in POINTERS.iter().take(pointers).skip(SAVED).rev() {
            self.push_or_pop(0x58, r);
        }
        self.bytes.push(0xc3);
    }

    /// A loop over turns of `step` elements, `times` of them at a time.
    pub(super) fn turn(&mut self, turn: &[Inst], step: usize, times: usize) {
        self.repeat(times * step, |code| {
            for k in 0..times {
                for inst in turn {
                    code.inst(inst, k * step);
                }
            }
        });
    }

    /// A loop: as long as `step` elements are left before the end, which is the function's second argument,
    /// `body` is done and the place moves on.
    pub(super) fn repeat(&mut self, step: usize, body: impl FnOnce(&mut Self)) {
        let over = self.unless_left(step);
        let start = self.bytes.len();
        body(self);
        self.bytes.extend([0x48, 0x05]);
        self.bytes.extend((step as u32).to_le_bytes());
        let again = self.unless_left(step);
        // Back where it would go on.
        self.bytes[again - 5] ^= 1;
        self.jump_to(again, start);
        self.jump_to(over, self.bytes.len());
    }

    /// A jump that is taken unless `step` elements are left; returns where its distance ends.
    fn unless_left(&mut self, step: usize) -> usize {
        self.bytes.extend([0x4c, 0x8d, 0x80 | (R11 & 7) << 3 | RAX]);
        self.bytes.extend((step as u32).to_le_bytes());
        self.bytes.extend([0x49, 0x39, 0xc0 | RSI << 3 | R11 & 7, 0x0f, 0x87]);
        self.bytes.extend([0; 4]);
        self.bytes.len()
    }

    /// Sets the distance of a jump that ends at `from`.
    fn jump_to(&mut self, from: usize, to: usize) {
        let distance = to as i32 - from as i32;
        self.bytes[from - 4..from].copy_from_slice(&distance.to_le_bytes());
    }

    /// An instruction, `ahead` elements further along the run.
    pub(super) fn inst(&mut self, inst: &Inst, ahead: usize) {
        let mut second = inst.second.ahead(ahead);
        if inst.form == forms::MOVE_ADDRESS
            && let Source::At(at) = second
        {
            self.general(0x8d, R11, at);
            second = Source::Register(R11.into());
        }
        let first = match inst.first {
            Some(Source::Register(r)) => Some(r as u8),
            _ => None,
        };
        let (reg, other) = match inst.out {
            Some(out) => (out as u8, first),
            None => (first.unwrap_or(0), None),
        };
        self.vex(inst, reg, other, second);
        self.operand(reg, second);
        self.bytes.extend(inst.mask.map(|m| (m as u8) << 4));
        self.bytes.extend(inst.byte);
    }

    /// The prefix and the opcode.
    fn vex(&mut self, inst: &Inst, reg: u8, other: Option<u8>, second: Source) {
        let (x, b) = match second {
            Source::Register(r) => (0, r as u8 >> 3),
            Source::At(at) => (0, POINTERS[at.pointer] >> 3),
        };
        let form = inst.form;
        let last = (!other.unwrap_or(0) & 15) << 3 | u8::from(inst.long) << 2 | form.prefix;
        if b == 0 && form.map == 1 && !form.w {
            self.bytes.extend([0xc5, (!reg & 8) << 4 | last]);
        } else {
            let high = (reg >> 3) << 7 | x << 6 | b << 5;
            self.bytes.extend([0xc4, (!high & 0xe0) | form.map, u8::from(form.w) << 7 | last]);
        }
        self.bytes.push(form.opcode);
    }

    /// The bytes that name a register and another one or memory.
    fn operand(&mut self, reg: u8, second: Source) {
        let reg = (reg & 7) << 3;
        let at = match second {
            Source::Register(r) => return self.bytes.push(0xc0 | reg | r as u8 & 7),
            Source::At(at) => at,
        };
        let base = POINTERS[at.pointer] & 7;
        let short = i8::try_from(at.offset);
        // Of these bits, none mean no offset; the fifth register cannot go without one.
        let mode = match short {
            Ok(0) if base != 5 => 0x00,
            Ok(_) => 0x40,
            Err(_) => 0x80,
        };
        if at.shift.is_some() || base == 4 {
            let index = at.shift.map_or(4 << 3, |shift| shift << 6 | RAX << 3);
            self.bytes.extend([mode | reg | 4, index | base]);
        } else {
            self.bytes.push(mode | reg | base);
        }
        match short {
            _ if mode == 0 => {}
            Ok(short) => self.bytes.push(short as u8),
            Err(_) => self.bytes.extend(at.offset.to_le_bytes()),
        }
    }

    /// An instruction on a general register of 64 bits and memory.
    fn general(&mut self, opcode: u8, reg: u8, at: Address) {
        self.bytes.extend([0x48 | (reg >> 3) << 2 | POINTERS[at.pointer] >> 3, opcode]);
        self.operand(reg, Source::At(at));
    }

    fn push_or_pop(&mut self, opcode: u8, reg: u8) {
        self.bytes.extend((reg >= 8).then_some(0x41));
        self.bytes.push(opcode | reg & 7);
    }
}

const NAMES: [&str; 16] = [
    "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13",
    "r14", "r15",
];

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}", NAMES[usize::from(POINTERS[self.pointer])])?;
        if let Some(shift) = self.shift {
            write!(f, "+rax*{}", 1 << shift)?;
        }
        if self.offset != 0 {
            write!(f, "{:+}", self.offset)?;
        }
        write!(f, "]")
    }
}

impl fmt::Display for Inst {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.long { 'y' } else { 'x' };
        let register = |r: u32| format!("{kind}mm{r}");
        let source = |s: Source| match s {
            Source::Register(r) => register(r),
            Source::At(at) => at.to_string(),
        };
        let (out, first) = (self.out.map(register), self.first.map(source));
        let (second, mask) = (Some(source(self.second)), self.mask.map(register));
        let byte = self.byte.map(|b| b.to_string());
        let all = if out.is_some() {
            [out, first, second, mask, byte]
        } else {
            [second, first, out, mask, byte]
        };
        let all: Vec<String> = all.into_iter().flatten().collect();
        write!(f, "{:<15}{}", self.form.name, all.join(", "))
    }
}
