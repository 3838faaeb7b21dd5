//! Groups of elements in vector registers: loads and stores that never touch a byte too many,
//! changes of lane width, and constants that are made once, outside the loops.
//!
//! May not know: ops, kernels, steps.

use std::collections::HashMap;

use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{
    F32, F32X4, F64, F64X2, I8, I8X16, I16, I16X8, I32, I32X4, I64, I64X2,
};
use cranelift_codegen::ir::{ConstantData, Inst, InstBuilder, MemFlagsData, Type, Value};
use cranelift_frontend::FunctionBuilder;
use smallvec::{SmallVec, smallvec};

use crate::dtype::DType;

/// A group's elements of one value: whole vectors, or the low lanes of one.
pub(super) type Lanes = SmallVec<[Value; 2]>;

/// Vector registers that a loop's constants may keep; the rest are read from memory where used.
const REGISTERS: usize = 8;

/// Flags of every access: it cannot fault, and need not be aligned.
pub(super) fn plain() -> MemFlagsData {
    MemFlagsData::new().with_notrap()
}

/// The vector type of integers of `width` bytes.
pub(super) fn int(width: usize) -> Type {
    match width {
        1 => I8X16,
        2 => I16X8,
        4 => I32X4,
        _ => I64X2,
    }
}

/// The vector type of a dtype in memory.
pub(super) fn vector(dtype: DType) -> Type {
    match dtype {
        DType::F32 => F32X4,
        DType::F64 => F64X2,
        d => int(d.size()),
    }
}

/// The type of one element of a dtype.
pub(super) fn scalar(dtype: DType) -> Type {
    match dtype {
        DType::F32 => F32,
        DType::F64 => F64,
        d => [I8, I16, I32, I64][d.size().trailing_zeros() as usize],
    }
}

/// Sixteen bytes that repeat the low `width` bytes of `bits`.
pub(super) fn repeat(width: usize, bits: u64) -> [u8; 16] {
    let bytes = bits.to_le_bytes();
    std::array::from_fn(|i| bytes[i % width])
}

/// Which constant: by its bytes, or what an invariant line's value makes, in all lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Key {
    /// These bytes.
    Bits([u8; 16]),
    /// The value of a line; for `bool` a mask, which serves every lane width.
    Line(u32),
    /// One over it.
    Reciprocal(u32),
    /// 0.0 if a bound that makes it is a zero, else -0.0.
    Zero(u32),
    /// The value of a line as a count of bits, below those of its dtype.
    Count(u32),
    /// The bits that a shift leaves.
    Mask(u32),
    /// Where the sign's bit is after a shift.
    Sign(u32),
}

/// Vectors that no loop changes.
pub(super) struct Consts {
    /// Where what is computed once per run ends.
    pub entry: Inst,
    /// Where what is computed once per loop ends.
    pub prelude: Inst,
    /// The scratch memory's address.
    pub scratch: Value,
    /// Where the next constant goes in it.
    pub end: usize,
    /// Whether a turn of a wide loop is being written, which has all its constants from memory.
    pub wide: bool,
    registers: HashMap<Key, Value>,
    memory: HashMap<Key, i32>,
}

impl Consts {
    /// No constants yet; those in memory start at `end`.
    pub(super) fn new(entry: Inst, scratch: Value, end: usize) -> Self {
        let (registers, memory) = (HashMap::new(), HashMap::new());
        Self { entry, prelude: entry, scratch, end, wide: false, registers, memory }
    }

    /// Begins a loop, whose registers are all free.
    pub(super) fn begin(&mut self, prelude: Inst) {
        self.prelude = prelude;
        self.registers.clear();
    }
}

/// Writes the body for one group.
pub(super) struct Body<'a, 'b> {
    /// Where it goes.
    pub f: &'a mut FunctionBuilder<'b>,
    /// What it may use.
    pub consts: &'a mut Consts,
    /// Elements of the group.
    pub lanes: usize,
}

impl Body<'_, '_> {
    /// The same bits as another vector type.
    pub(super) fn as_type(&mut self, v: Value, to: Type) -> Value {
        if self.f.func.dfg.value_type(v) == to {
            return v;
        }
        let flags = MemFlagsData::new().with_endianness(cranelift_codegen::ir::Endianness::Little);
        self.f.ins().bitcast(to, flags, v)
    }

    /// All vectors of a value as another type.
    pub(super) fn as_types(&mut self, v: &Lanes, to: Type) -> Lanes {
        v.iter().map(|&v| self.as_type(v, to)).collect()
    }

    /// A constant, made by `make` where it is made only once.
    pub(super) fn constant(
        &mut self,
        key: Key,
        to: Type,
        make: impl FnOnce(&mut FuncCursor) -> Value,
    ) -> Value {
        if !self.consts.wide {
            if let Some(&v) = self.consts.registers.get(&key) {
                return self.as_type(v, to);
            }
            if self.consts.registers.len() < REGISTERS {
                let mut at = FuncCursor::new(self.f.func).at_inst(self.consts.prelude);
                let v = make(&mut at);
                self.consts.registers.insert(key, v);
                return self.as_type(v, to);
            }
        }
        let offset = match self.consts.memory.get(&key) {
            Some(&offset) => offset,
            None => {
                let offset = self.consts.end as i32;
                self.consts.end += 16;
                let mut at = FuncCursor::new(self.f.func).at_inst(self.consts.entry);
                let v = make(&mut at);
                at.ins().store(plain(), v, self.consts.scratch, offset);
                self.consts.memory.insert(key, offset);
                offset
            }
        };
        self.f.ins().load(to, plain(), self.consts.scratch, offset)
    }

    /// A number of 64 bits, made by `make` where it is made only once; in wide loops it lies in memory too.
    pub(super) fn scalar(
        &mut self,
        key: Key,
        make: impl FnOnce(&mut FuncCursor) -> Value,
    ) -> Value {
        if self.consts.wide {
            let v = self.constant(key, I64X2, |at| {
                let v = make(at);
                at.ins().splat(I64X2, v)
            });
            return self.f.ins().extractlane(v, 0);
        }
        if let Some(&v) = self.consts.registers.get(&key) {
            return v;
        }
        let v = make(&mut FuncCursor::new(self.f.func).at_inst(self.consts.prelude));
        self.consts.registers.insert(key, v);
        v
    }

    /// A constant of these bytes.
    pub(super) fn bytes(&mut self, bytes: [u8; 16], to: Type) -> Value {
        self.constant(Key::Bits(bytes), to, |at| {
            let data = at.func.dfg.constants.insert(ConstantData::from(bytes.as_slice()));
            at.ins().vconst(I8X16, data)
        })
    }

    /// A constant with `bits` in each lane of `to`.
    pub(super) fn lanes_of(&mut self, to: Type, bits: u64) -> Value {
        self.bytes(repeat(to.lane_type().bytes() as usize, bits), to)
    }

    /// Applies `op` to each vector of a value.
    pub(super) fn each(&mut self, v: &Lanes, op: impl Fn(&mut Self, Value) -> Value) -> Lanes {
        v.iter().map(|&v| op(self, v)).collect()
    }

    /// Applies `op` to the vectors of two values in pairs.
    pub(super) fn pairs(
        &mut self,
        a: &Lanes,
        b: &Lanes,
        op: impl Fn(&mut Self, Value, Value) -> Value,
    ) -> Lanes {
        a.iter().zip(b).map(|(&a, &b)| op(self, a, b)).collect()
    }

    /// How many vectors hold the group at `width` bytes an element.
    pub(super) fn vectors(&self, width: usize) -> usize {
        (self.lanes * width).div_ceil(16)
    }

    /// Loads the group from contiguous memory.
    pub(super) fn load(&mut self, dtype: DType, addr: Value, offset: i32) -> Lanes {
        let ty = vector(dtype);
        let bytes = self.lanes * dtype.size();
        if bytes >= 16 {
            return (0..bytes as i32 / 16)
                .map(|k| self.f.ins().load(ty, plain(), addr, offset + 16 * k))
                .collect();
        }
        let ins = self.f.ins();
        let v = match bytes {
            8 => ins.load(F64, plain(), addr, offset),
            4 => ins.load(F32, plain(), addr, offset),
            2 => ins.uload16(I32, plain(), addr, offset),
            _ => ins.uload8(I32, plain(), addr, offset),
        };
        let v = self.widen_scalar(v);
        smallvec![self.as_type(v, ty)]
    }

    /// Loads the group from contiguous memory as integers of twice their width.
    pub(super) fn load_wide(&mut self, dtype: DType, addr: Value, offset: i32) -> Lanes {
        let signed = dtype.is_signed_int();
        (0..self.vectors(2 * dtype.size()) as i32)
            .map(|k| {
                let (ins, at) = (self.f.ins(), offset + 8 * k);
                match (dtype.size(), signed) {
                    (1, true) => ins.sload8x8(plain(), addr, at),
                    (1, false) => ins.uload8x8(plain(), addr, at),
                    (_, true) => ins.sload16x4(plain(), addr, at),
                    (_, false) => ins.uload16x4(plain(), addr, at),
                }
            })
            .collect()
    }

    /// A vector whose lowest lane is a scalar of at least 32 bits.
    fn widen_scalar(&mut self, v: Value) -> Value {
        let lane = self.f.func.dfg.value_type(v);
        self.f.ins().scalar_to_vector(lane.by(128 / lane.bits()).unwrap_or(I32X4), v)
    }

    /// Stores the group to contiguous memory.
    pub(super) fn store(&mut self, v: &Lanes, width: usize, addr: Value, offset: i32) {
        let bytes = self.lanes * width;
        if bytes >= 16 {
            for (k, &v) in v.iter().enumerate() {
                self.f.ins().store(plain(), v, addr, offset + 16 * k as i32);
            }
            return;
        }
        let ty = match bytes {
            8 => F64X2,
            4 => F32X4,
            2 => I16X8,
            _ => I8X16,
        };
        let low = self.as_type(v[0], ty);
        let low = self.f.ins().extractlane(low, 0);
        self.f.ins().store(plain(), low, addr, offset);
    }

    /// Loads the group element by element, one from each address.
    pub(super) fn gather(&mut self, dtype: DType, addrs: &[Value]) -> Lanes {
        let (ty, per) = (vector(dtype), 16 / dtype.size());
        let mut out = Lanes::new();
        for part in addrs.chunks(per) {
            let lane = scalar(dtype);
            let ins = self.f.ins();
            let first = match dtype.size() {
                1 => ins.uload8(I32, plain(), part[0], 0),
                2 => ins.uload16(I32, plain(), part[0], 0),
                _ => ins.load(lane, plain(), part[0], 0),
            };
            let first = self.widen_scalar(first);
            let mut v = self.as_type(first, ty);
            for (k, &addr) in part.iter().enumerate().skip(1) {
                let x = self.f.ins().load(lane, plain(), addr, 0);
                v = self.f.ins().insertlane(v, x, k as u8);
            }
            out.push(v);
        }
        out
    }

    /// Stores the group element by element, one to each address.
    pub(super) fn scatter(&mut self, v: &Lanes, width: usize, addrs: &[Value]) {
        let per = 16 / width;
        for (k, &addr) in addrs.iter().enumerate() {
            let x = self.f.ins().extractlane(v[k / per], (k % per) as u8);
            self.f.ins().store(plain(), x, addr, 0);
        }
    }

    /// Integers of `width` bytes to twice that.
    pub(super) fn widen(&mut self, v: &Lanes, width: usize, signed: bool) -> Lanes {
        let two = self.lanes * width * 2 > 16;
        let mut out = Lanes::new();
        for &v in v {
            let v = self.as_type(v, int(width));
            let ins = self.f.ins();
            out.push(if signed { ins.swiden_low(v) } else { ins.uwiden_low(v) });
            if two {
                let ins = self.f.ins();
                out.push(if signed { ins.swiden_high(v) } else { ins.uwiden_high(v) });
            }
        }
        out
    }

    /// Integers of `width` bytes to half of that: the low bits, or a mask if they are one.
    pub(super) fn narrow(&mut self, v: &Lanes, width: usize, mask: bool) -> Lanes {
        let from = int(width);
        let v: Lanes = v
            .iter()
            .map(|&v| {
                let v = self.as_type(v, from);
                if mask || width == 8 {
                    return v;
                }
                // What is left fits the unsigned half, so that saturation changes nothing.
                let low = self.lanes_of(from, u64::MAX >> (64 - 4 * width));
                self.f.ins().band(v, low)
            })
            .collect();
        v.chunks(2)
            .map(|pair| {
                let (a, b) = (pair[0], *pair.last().unwrap_or(&pair[0]));
                match width {
                    8 => self.shuffle(a, b, [0, 1, 2, 3, 8, 9, 10, 11], 4),
                    _ if mask => self.f.ins().snarrow(a, b),
                    _ => self.f.ins().unarrow(a, b),
                }
            })
            .collect()
    }

    /// Bytes `low` of `a`, then the same bytes of `b`, as integers of `width` bytes.
    pub(super) fn shuffle(&mut self, a: Value, b: Value, low: [u8; 8], width: usize) -> Value {
        let (a, b) = (self.as_type(a, I8X16), self.as_type(b, I8X16));
        let mut bytes = [0u8; 16];
        for i in 0..8 {
            bytes[i] = low[i];
            bytes[8 + i] = low[i] + 16;
        }
        let mask = self.f.func.dfg.immediates.push(ConstantData::from(bytes.as_slice()));
        let v = self.f.ins().shuffle(a, b, mask);
        self.as_type(v, int(width))
    }

    /// The high half of a vector in the low half.
    pub(super) fn high(&mut self, v: Value) -> Value {
        let ty = self.f.func.dfg.value_type(v);
        let high = self.shuffle(v, v, [8, 9, 10, 11, 12, 13, 14, 15], 8);
        self.as_type(high, ty)
    }

    /// The low halves of two vectors side by side.
    pub(super) fn join(&mut self, a: Value, b: Value) -> Value {
        let ty = self.f.func.dfg.value_type(a);
        let v = self.shuffle(a, b, [0, 1, 2, 3, 4, 5, 6, 7], 8);
        self.as_type(v, ty)
    }

    /// A mask with lanes of another width.
    pub(super) fn mask(&mut self, v: &Lanes, from: usize, to: usize) -> Lanes {
        let (mut v, mut width) = (v.clone(), from);
        while width < to {
            v = self.widen(&v, width, true);
            width *= 2;
        }
        while width > to {
            v = self.narrow(&v, width, true);
            width /= 2;
        }
        v
    }

    /// Bytes 0 and 1 as a mask.
    pub(super) fn mask_of_bytes(&mut self, v: &Lanes) -> Lanes {
        let zero = self.lanes_of(I8X16, 0);
        self.each(v, |b, v| b.f.ins().icmp(IntCC::SignedGreaterThan, v, zero))
    }

    /// A mask of byte lanes as bytes 0 and 1.
    pub(super) fn bytes_of_mask(&mut self, v: &Lanes) -> Lanes {
        let one = self.lanes_of(I8X16, 1);
        self.each(v, |b, v| b.f.ins().band(v, one))
    }
}
