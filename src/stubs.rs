//! Texts rendered from the op table: the type stub of the Python face, `python/rnp/_core.pyi`, and the
//! page of ops, `design/ops.md`.
//!
//! A test fails until the files are what this renders; `make generate` writes them.

use std::fmt::Write as _;

use crate::op::{Fold, Loops, Op, Out};

/// NumPy's second names: the alias and the function that it is.
pub const ALIASES: &[(&str, &str)] = &[
    ("abs", "absolute"),
    ("amax", "max"),
    ("amin", "min"),
    ("bitwise_invert", "invert"),
    ("bitwise_left_shift", "left_shift"),
    ("bitwise_not", "invert"),
    ("bitwise_right_shift", "right_shift"),
    ("mod", "remainder"),
    ("permute_dims", "transpose"),
    ("pow", "power"),
    ("true_divide", "divide"),
];

/// The operators of Python: forward, reflected if there is one.
const OPERATORS: &[(&str, &str)] = &[
    ("add", "radd"),
    ("sub", "rsub"),
    ("mul", "rmul"),
    ("truediv", "rtruediv"),
    ("floordiv", "rfloordiv"),
    ("mod", "rmod"),
    ("and", "rand"),
    ("or", "ror"),
    ("xor", "rxor"),
    ("lshift", "rlshift"),
    ("rshift", "rrshift"),
    ("divmod", "rdivmod"),
];

/// What stands before the rows.
const HEAD: &str = include_str!("stubs/head.pyi");
/// What stands after the rows.
const TAIL: &str = include_str!("stubs/tail.pyi");

/// The parameters of a reduction after `a`.
fn reduction(fold: Fold) -> &'static str {
    match fold {
        Fold::Sum | Fold::Prod => {
            "axis: Axis = None, dtype: DTypeLike | None = None, out: None = None, keepdims: bool = False"
        }
        _ => "axis: Axis = None, out: None = None, keepdims: bool = False",
    }
}

/// The text of the stub.
pub fn stubs() -> String {
    let mut text = String::from(HEAD);
    let mut line = |s: String| {
        let _ = writeln!(text, "{s}");
    };
    for (forward, reflected) in OPERATORS {
        let out = if *forward == "divmod" { "tuple[Result, Result]" } else { "Result" };
        line(format!("    def __{forward}__(self, other: Operand, /) -> {out}: ..."));
        line(format!("    def __{reflected}__(self, other: Operand, /) -> {out}: ..."));
    }
    for name in ["lt", "le", "gt", "ge"] {
        line(format!("    def __{name}__(self, other: Operand, /) -> Result: ..."));
    }
    line(String::new());
    line("# From the op table.".to_owned());
    line(String::new());
    for op in Op::ALL {
        let info = op.info();
        let parameters = match info.arity {
            1 => "x: Operand, /",
            2 => "a: Operand, b: Operand, /",
            _ => "condition: Operand, x: Operand, y: Operand, /",
        };
        line(format!("def {}({parameters}) -> Result: ...", info.name));
    }
    for fold in Fold::ALL {
        line(format!("def {fold}(a: Operand, {}) -> Result: ...", reduction(*fold)));
    }
    for (alias, name) in ALIASES {
        line(format!("{alias} = {name}"));
    }
    text.push_str(TAIL);
    text
}

/// What the page says of an op's dtypes.
const fn computed_in(loops: Loops) -> &'static str {
    match loops {
        Loops::All => "all",
        Loops::NoBool => "numbers; `bool` is refused",
        Loops::Number => "numbers; `bool` as `int8`",
        Loops::Bits => "`bool`, integers",
        Loops::Int => "integers; `bool` as `int8`",
        Loops::Float => "floats; integers as the first float that holds them",
        Loops::Divide => "floats; integers as `float64`",
    }
}

/// The text of the page of ops.
pub fn op_page() -> String {
    let mut text = String::from(
        "# Ops\n\n\
         Written by `make generate` from the table in `src/op/table.rs`; not by hand. *Error* is the \
         worst one in\nunits in the last place of floats, 0 being NumPy's own bits. `float16` is \
         computed in `float32`. A second\nname of NumPy's is in brackets.\n\n\
         ## Elementwise\n\n\
         | op | operands | computed in | result | error | meaning |\n|---|---|---|---|---|---|\n",
    );
    let aliases = |name: &str| -> String {
        let all = ALIASES.iter().filter(|(_, of)| *of == name);
        all.map(|(alias, _)| format!(" (`{alias}`)")).collect()
    };
    let meaning = |doc: &str| doc.replace('|', "\\|");
    for op in Op::ALL {
        let info = op.info();
        let out = if info.out == Out::Bool { "`bool`" } else { "same" };
        let _ = writeln!(
            text,
            "| `{}`{} | {} | {} | {out} | {} | {} |",
            info.name,
            aliases(info.name),
            info.arity,
            computed_in(info.loops),
            info.ulp,
            meaning(info.doc)
        );
    }
    text.push_str("\n## Reductions\n\n| fold | of nothing | meaning |\n|---|---|---|\n");
    for fold in Fold::ALL {
        let empty = if fold.has_identity() { "its identity" } else { "`ValueError`" };
        let name = fold.name();
        let _ = writeln!(text, "| `{name}`{} | {empty} | {} |", aliases(name), meaning(fold.doc()));
    }
    text.push_str("\n`mean`, `var` and `std` are graphs of these.\n");
    text
}
