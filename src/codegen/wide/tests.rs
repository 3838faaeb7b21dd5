//! Instructions against an assembler's: bytes and text were compared with what objdump of GNU binutils reads.

use super::encode::{Address, Code, Form, Inst, Source, forms};

/// Each row with registers, and each kind of address.
const KNOWN: &str = "\
c52c58cb vaddps ymm9, ymm10, ymm3
c52d58cb vaddpd ymm9, ymm10, ymm3
c52c5ccb vsubps ymm9, ymm10, ymm3
c52d5ccb vsubpd ymm9, ymm10, ymm3
c52c59cb vmulps ymm9, ymm10, ymm3
c52d59cb vmulpd ymm9, ymm10, ymm3
c52c5ecb vdivps ymm9, ymm10, ymm3
c52d5ecb vdivpd ymm9, ymm10, ymm3
c52c5dcb vminps ymm9, ymm10, ymm3
c52d5dcb vminpd ymm9, ymm10, ymm3
c52c5fcb vmaxps ymm9, ymm10, ymm3
c52d5fcb vmaxpd ymm9, ymm10, ymm3
c57c51cb vsqrtps ymm9, ymm3
c57d51cb vsqrtpd ymm9, ymm3
c52cc2cb02 vcmpps ymm9, ymm10, ymm3, 2
c52dc2cb02 vcmppd ymm9, ymm10, ymm3, 2
c4637d08cb02 vroundps ymm9, ymm3, 2
c4637d09cb02 vroundpd ymm9, ymm3, 2
c52c54cb vandps ymm9, ymm10, ymm3
c52d54cb vandpd ymm9, ymm10, ymm3
c52ddbcb vpand ymm9, ymm10, ymm3
c52c55cb vandnps ymm9, ymm10, ymm3
c52d55cb vandnpd ymm9, ymm10, ymm3
c52ddfcb vpandn ymm9, ymm10, ymm3
c52c56cb vorps ymm9, ymm10, ymm3
c52d56cb vorpd ymm9, ymm10, ymm3
c52debcb vpor ymm9, ymm10, ymm3
c52c57cb vxorps ymm9, ymm10, ymm3
c52d57cb vxorpd ymm9, ymm10, ymm3
c52defcb vpxor ymm9, ymm10, ymm3
c52dfccb vpaddb ymm9, ymm10, ymm3
c52dfdcb vpaddw ymm9, ymm10, ymm3
c52dfecb vpaddd ymm9, ymm10, ymm3
c52dd4cb vpaddq ymm9, ymm10, ymm3
c52df8cb vpsubb ymm9, ymm10, ymm3
c52df9cb vpsubw ymm9, ymm10, ymm3
c52dfacb vpsubd ymm9, ymm10, ymm3
c52dfbcb vpsubq ymm9, ymm10, ymm3
c52d74cb vpcmpeqb ymm9, ymm10, ymm3
c52d75cb vpcmpeqw ymm9, ymm10, ymm3
c52d76cb vpcmpeqd ymm9, ymm10, ymm3
c4622d29cb vpcmpeqq ymm9, ymm10, ymm3
c52d64cb vpcmpgtb ymm9, ymm10, ymm3
c52d65cb vpcmpgtw ymm9, ymm10, ymm3
c52d66cb vpcmpgtd ymm9, ymm10, ymm3
c4622d37cb vpcmpgtq ymm9, ymm10, ymm3
c4627d1ccb vpabsb ymm9, ymm3
c4627d1dcb vpabsw ymm9, ymm3
c4627d1ecb vpabsd ymm9, ymm3
c4622d38cb vpminsb ymm9, ymm10, ymm3
c52deacb vpminsw ymm9, ymm10, ymm3
c4622d39cb vpminsd ymm9, ymm10, ymm3
c52ddacb vpminub ymm9, ymm10, ymm3
c4622d3acb vpminuw ymm9, ymm10, ymm3
c4622d3bcb vpminud ymm9, ymm10, ymm3
c4622d3ccb vpmaxsb ymm9, ymm10, ymm3
c52deecb vpmaxsw ymm9, ymm10, ymm3
c4622d3dcb vpmaxsd ymm9, ymm10, ymm3
c52ddecb vpmaxub ymm9, ymm10, ymm3
c4622d3ecb vpmaxuw ymm9, ymm10, ymm3
c4622d3fcb vpmaxud ymm9, ymm10, ymm3
c52df1cb vpsllw ymm9, ymm10, ymm3
c52df2cb vpslld ymm9, ymm10, ymm3
c52df3cb vpsllq ymm9, ymm10, ymm3
c52dd1cb vpsrlw ymm9, ymm10, ymm3
c52dd2cb vpsrld ymm9, ymm10, ymm3
c52dd3cb vpsrlq ymm9, ymm10, ymm3
c52de1cb vpsraw ymm9, ymm10, ymm3
c52de2cb vpsrad ymm9, ymm10, ymm3
c52dd5cb vpmullw ymm9, ymm10, ymm3
c4622d40cb vpmulld ymm9, ymm10, ymm3
c52d63cb vpacksswb ymm9, ymm10, ymm3
c52d6bcb vpackssdw ymm9, ymm10, ymm3
c52d67cb vpackuswb ymm9, ymm10, ymm3
c4622d2bcb vpackusdw ymm9, ymm10, ymm3
c4627d20cb vpmovsxbw ymm9, ymm3
c4627d21cb vpmovsxbd ymm9, ymm3
c4627d22cb vpmovsxbq ymm9, ymm3
c4627d23cb vpmovsxwd ymm9, ymm3
c4627d24cb vpmovsxwq ymm9, ymm3
c4627d25cb vpmovsxdq ymm9, ymm3
c4627d30cb vpmovzxbw ymm9, ymm3
c4627d31cb vpmovzxbd ymm9, ymm3
c4627d32cb vpmovzxbq ymm9, ymm3
c4627d33cb vpmovzxwd ymm9, ymm3
c4627d34cb vpmovzxwq ymm9, ymm3
c4627d35cb vpmovzxdq ymm9, ymm3
c4622da8cb vfmadd213ps ymm9, ymm10, ymm3
c462ada8cb vfmadd213pd ymm9, ymm10, ymm3
c57c5bcb vcvtdq2ps ymm9, ymm3
c57d5bcb vcvtps2dq ymm9, ymm3
c57e5bcb vcvttps2dq ymm9, ymm3
c57ee6cb vcvtdq2pd ymm9, ymm3
c57de6cb vcvttpd2dq ymm9, ymm3
c57c5acb vcvtps2pd ymm9, ymm3
c57d5acb vcvtpd2ps ymm9, ymm3
c4632d4ccbc0 vpblendvb ymm9, ymm10, ymm3, ymm12
c463fd00cb02 vpermq ymm9, ymm3, 2
c57d70cb02 vpshufd ymm9, ymm3, 2
c52d6ccb vpunpcklqdq ymm9, ymm10, ymm3
c57c28cb vmovaps ymm9, ymm3
c5796e0f vmovd xmm9, [rdi]
c5f97e2f vmovd [rdi], xmm5
c57a7e0c02 vmovq xmm9, [rdx+rax*1]
c5f9d62c02 vmovq [rdx+rax*1], xmm5
c578100cc1 vmovups xmm9, [rcx+rax*8]
c5f8112cc1 vmovups [rcx+rax*8], xmm5
c4417c1048f8 vmovups ymm9, [r8-8]
c4c17c1168f8 vmovups [r8-8], ymm5
c441796e4c01f8 vmovd xmm9, [r9+rax*1-8]
c4c1797e6c01f8 vmovd [r9+rax*1-8], xmm5
c4417a7e4cc2f8 vmovq xmm9, [r10+rax*8-8]
c4c179d66cc2f8 vmovq [r10+rax*8-8], xmm5
c578104b7f vmovups xmm9, [rbx+127]
c5f8116b7f vmovups [rbx+127], xmm5
c57c104c057f vmovups ymm9, [rbp+rax*1+127]
c5fc116c057f vmovups [rbp+rax*1+127], ymm5
c441796e4cc47f vmovd xmm9, [r12+rax*8+127]
c4c1797e6cc47f vmovd [r12+rax*8+127], xmm5
c4417a7e8d80000000 vmovq xmm9, [r13+128]
c4c179d6ad80000000 vmovq [r13+128], xmm5
c44178108c0680000000 vmovups xmm9, [r14+rax*1+128]
c4c17811ac0680000000 vmovups [r14+rax*1+128], xmm5
c4417c108cc780000000 vmovups ymm9, [r15+rax*8+128]
c4c17c11acc780000000 vmovups [r15+rax*8+128], ymm5
4d8d5c0204c441f96ecb vmovq xmm9, [r10+rax*1+4]
c4627d1a4f40 vbroadcastf128 ymm9, [rdi+64]
53554c8b9700100000488b9f08100000488baf1010000031c0
4c8d98200000004939f30f8717000000904805200000004c8d98200000004939f30f86e9ffffff
c5f8775d5bc3";

fn bytes(write: impl FnOnce(&mut Code)) -> String {
    let mut code = Code::default();
    write(&mut code);
    let bytes: Vec<String> = code.bytes.iter().map(|b| format!("{b:02x}")).collect();
    bytes.concat()
}

fn line(inst: &Inst) -> String {
    let text = inst.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
    format!("{} {text}", bytes(|code| code.inst(inst, 0)))
}

/// The row on the registers 9, 10 if it has three operands, and 3.
fn with_registers(form: Form) -> Inst {
    let starts = |names: &[&str]| names.iter().any(|n| form.name.starts_with(n));
    let two = ["vsqrt", "vround", "vpabs", "vcvt", "vpmov", "vperm", "vpshuf", "vmov"];
    let mut inst = Inst::of(form, Source::Register(3), 9);
    inst.first = (!starts(&two)).then_some(Source::Register(10));
    inst.mask = starts(&["vpblend"]).then_some(12);
    inst.byte = starts(&["vcmp", "vround", "vperm", "vpshuf"]).then_some(2);
    inst
}

#[test]
fn instructions_are_those_of_an_assembler() {
    let single = [
        forms::CVTDQ2PS,
        forms::CVTPS2DQ,
        forms::CVTTPS2DQ,
        forms::CVTDQ2PD,
        forms::CVTTPD2DQ,
        forms::CVTPS2PD,
        forms::CVTPD2PS,
        forms::PBLENDVB,
        forms::PERMQ,
        forms::PSHUFD,
        forms::PUNPCKLQDQ,
        forms::MOVE,
    ];
    let rows = forms::ROWS.iter().copied().flatten();
    let mut lines: Vec<String> = rows
        .filter(|f| !forms::LOAD.contains(f) && !forms::STORE.contains(f))
        .chain(&forms::FMADD213)
        .chain(&single)
        .map(|&form| line(&with_registers(form)))
        .collect();
    for pointer in 0..12 {
        let shift = [None, Some(0), Some(3)][pointer % 3];
        let offset = [0, -8, 127, 128][pointer / 3];
        let at = Source::At(Address { pointer, shift, offset });
        let k = pointer % 4;
        let load = Inst { long: k == 3, ..Inst::of(forms::LOAD[k], at, 9) };
        let first = Some(Source::Register(5));
        let store = Inst { long: k == 3, out: None, first, ..Inst::of(forms::STORE[k], at, 0) };
        lines.extend([line(&load), line(&store)]);
    }
    let place = Source::At(Address { pointer: 5, shift: Some(0), offset: 4 });
    lines.push(line(&Inst { long: false, ..Inst::of(forms::MOVE_ADDRESS, place, 9) }));
    lines.push(line(&Inst::load(Address { pointer: 0, shift: None, offset: 64 }, 9)));
    lines.push(bytes(|code| code.begin(8, 4096)));
    lines.push(bytes(|code| code.repeat(32, |code| code.bytes.push(0x90))));
    lines.push(bytes(|code| code.end(8)));
    assert_eq!(lines.join("\n"), KNOWN);
}

/// A turn's second group lies behind its first one, in elements of each size.
#[test]
fn groups_follow_each_other() {
    for (shift, ahead) in [(0, 16), (2, 64), (3, 128)] {
        let at = |offset| Source::At(Address { pointer: 1, shift: Some(shift), offset });
        let load = |offset| Inst::of(forms::LOAD[3], at(offset), 0);
        assert_eq!(
            bytes(|code| code.inst(&load(8), 16)),
            bytes(|code| code.inst(&load(8 + ahead), 0))
        );
    }
    let fixed = Inst::load(Address { pointer: 0, shift: None, offset: 8 }, 0);
    assert_eq!(bytes(|code| code.inst(&fixed, 16)), bytes(|code| code.inst(&fixed, 0)));
}
