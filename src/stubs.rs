//! Texts rendered from the op table: the type stub of the Python face, `python/rnp/_core.pyi`, and the
//! page of ops, `design/ops.md`.
//!
//! A test fails until the files are what this renders; `make generate` writes them.

use std::fmt::Write as _;

use crate::op::{Fold, Loops, Op, Out};

/// NumPy's second names: the alias and the function that it is.
pub const ALIASES: &[(&str, &str)] = &[
    ("abs", "absolute"),
    ("acos", "arccos"),
    ("acosh", "arccosh"),
    ("amax", "max"),
    ("amin", "min"),
    ("asin", "arcsin"),
    ("asinh", "arcsinh"),
    ("atan", "arctan"),
    ("atan2", "arctan2"),
    ("atanh", "arctanh"),
    ("bitwise_invert", "invert"),
    ("bitwise_left_shift", "left_shift"),
    ("bitwise_not", "invert"),
    ("bitwise_right_shift", "right_shift"),
    ("conj", "conjugate"),
    ("degrees", "rad2deg"),
    ("mod", "remainder"),
    ("permute_dims", "transpose"),
    ("pow", "power"),
    ("radians", "deg2rad"),
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
const HEAD: &str = include_str!("stubs/head.txt");
/// What stands after the rows.
const TAIL: &str = include_str!("stubs/tail.txt");

/// The parameters of a reduction after `a`.
fn reduction(fold: Fold) -> &'static str {
    match fold {
        Fold::Sum | Fold::Prod => {
            "axis: _Axis = None, dtype: DTypeLike | None = None, out: None = None, keepdims: bool = False"
        }
        _ => "axis: _Axis = None, out: None = None, keepdims: bool = False",
    }
}

/// The text of the stub.
pub fn stubs() -> String {
    let mut text = String::from(HEAD);
    let mut line = |s: String| {
        let _ = writeln!(text, "{s}");
    };
    for (forward, reflected) in OPERATORS {
        let out = if *forward == "divmod" { "tuple[_Result, _Result]" } else { "_Result" };
        line(format!("    def __{forward}__(self, other: _Operand, /) -> {out}: ..."));
        line(format!("    def __{reflected}__(self, other: _Operand, /) -> {out}: ..."));
    }
    for name in ["lt", "le", "gt", "ge"] {
        line(format!("    def __{name}__(self, other: _Operand, /) -> _Result: ..."));
    }
    line(String::new());
    line("# From the op table.".to_owned());
    line(String::new());
    for op in Op::ALL {
        let info = op.info();
        let parameters = match info.arity {
            1 => "x: _Operand, /",
            2 => "a: _Operand, b: _Operand, /",
            _ => "condition: _Operand, x: _Operand, y: _Operand, /",
        };
        line(format!("def {}({parameters}) -> _Result: ...", info.name));
    }
    for fold in Fold::ALL {
        line(format!("def {fold}(a: _Operand, {}) -> _Result: ...", reduction(*fold)));
    }
    text.push_str(TAIL);
    for (alias, name) in ALIASES {
        let _ = writeln!(text, "{alias} = {name}");
    }
    let names: Vec<String> = public(&text).into_iter().map(|n| format!("    \"{n}\",\n")).collect();
    let _ = write!(text, "\n__all__ = [\n{}]\n", names.concat());
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
        Loops::Double => "`float64`",
        Loops::Whole => "integers; `bool` is refused",
        Loops::Ldexp => "floats; the second operand is an integer",
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
        let all: Vec<&str> = ALIASES.iter().filter(|a| a.1 == name).map(|a| a.0).collect();
        if all.is_empty() { String::new() } else { format!(" (`{}`)", all.join("`, `")) }
    };
    let meaning = |doc: &str| doc.replace('|', "\\|");
    for op in Op::ALL {
        let info = op.info();
        let out = match info.out {
            Out::Same => "same",
            Out::Bool => "`bool`",
            Out::U8 => "`uint8`",
            Out::I32 => "`int32`",
        };
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

/// The names that a stub defines for users, sorted.
fn public(text: &str) -> Vec<&str> {
    let mut names: Vec<&str> = text
        .lines()
        .filter_map(|line| {
            let rest = line.strip_prefix("def ").or_else(|| line.strip_prefix("class "));
            let rest = rest.or_else(|| line.contains(" = ").then_some(line))?;
            let name = rest.split(|c: char| !c.is_alphanumeric() && c != '_').next()?;
            let half = Op::from_name(name).is_some_and(Op::is_half);
            (!name.is_empty() && !name.starts_with('_') && !half && !line.contains("TypeAlias"))
                .then_some(name)
        })
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}
