//! Graphs as text: one line a node, numbered in execution order.

use std::collections::HashMap;
use std::fmt::{self, Write as _};

use super::{Graph, Ix, Kind, Node};

impl fmt::Display for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(false))
    }
}

/// `f32[480]`, `i16[2, 480]`, `f64[]`.
pub(crate) fn type_text(node: &Node) -> String {
    let dims: Vec<String> = node.shape.iter().map(ToString::to_string).collect();
    format!("{}[{}]", node.dtype.short(), dims.join(", "))
}

impl Graph {
    /// The text of the graph, with the user's source lines if `spans`.
    pub fn text(&self, spans: bool) -> String {
        let names: HashMap<Ix, usize> =
            self.order().into_iter().enumerate().map(|(n, at)| (at, n)).collect();
        let mut out = String::new();
        for at in self.order() {
            let node = &self[at];
            let mut line = format!("%{} = {}", names[&at], self.act(at));
            for operand in self.operands(at) {
                let _ = write!(line, " %{}", names[&operand]);
            }
            line += &attributes(&node.kind);
            let _ = write!(line, " : {}", type_text(node));
            if node.once {
                line += "  once";
            }
            let _ = match node.span.text().filter(|_| spans) {
                Some(place) => writeln!(out, "{line:<52}  ; {place}"),
                None => writeln!(out, "{line}"),
            };
        }
        let outputs: Vec<String> = self.outputs.iter().map(|o| format!("%{}", names[o])).collect();
        out + &format!("return {}\n", outputs.join(", "))
    }

    fn act(&self, at: Ix) -> String {
        match &self[at].kind {
            Kind::Input(slot) => format!("input {slot}"),
            Kind::Scalar(slot) => format!("scalar {slot}"),
            Kind::Literal(value) => format!("literal {value}"),
            Kind::Map(op) => op.to_string(),
            Kind::Cast => "cast".into(),
            Kind::Narrow => "narrow".into(),
            Kind::View(_) => "view".into(),
            Kind::Reshape => "reshape".into(),
            Kind::Complex => "complex".into(),
            Kind::Component(imag) => if *imag { "imag" } else { "real" }.into(),
            Kind::Empty => "empty".into(),
            Kind::Update(_) => "update".into(),
            Kind::Copy => "copy".into(),
            Kind::Reduce { fold, .. } => fold.to_string(),
            Kind::Iota => "iota".into(),
            Kind::Interp { .. } => "interp".into(),
            Kind::Call(slot) => {
                let name = self.calls.get(*slot as usize).map_or("?", |name| name);
                format!("call {slot} {name:?}")
            }
        }
    }
}

fn attributes(kind: &Kind) -> String {
    match kind {
        Kind::View(view) | Kind::Update(view) => format!(" at {view}"),
        Kind::Reduce { axes, .. } => {
            let axes: Vec<String> = axes.iter().map(ToString::to_string).collect();
            format!(" over [{}]", axes.join(", "))
        }
        Kind::Interp { grid, left, right } => {
            let grid = format!(" on {grid:?}").to_lowercase();
            let side =
                |given: &bool, name: &str| if *given { format!(" {name}") } else { String::new() };
            grid + &side(left, "left") + &side(right, "right")
        }
        _ => String::new(),
    }
}
