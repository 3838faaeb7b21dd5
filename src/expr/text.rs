//! Programs as text: what goldens, bug reports and benches are written in.
//!
//! One act a line, `name = act operand... key=value...`; the last line is `return name...`. Operands
//! are names, Python numbers (`2`, `0.5`, `-inf`) or typed scalars (`f32(0.5)`).
//!
//! ```text
//! x = input i16[1000]                     # also: step=2, reversed, order=F
//! f = divide (cast x f32) 32768.0         # acts nest in parentheses
//! p = max (absolute f) axis=0 keepdims
//! y = index f [::2, None]
//! return y p
//! ```

use std::collections::HashMap;
use std::sync::Arc;

use super::{Array, Number, Over, Prim};
use crate::call::Call;
use crate::dtype::{DType, Scalar};
use crate::error::{Error, Result};
use crate::op::{Fold, Op};
use crate::shape::{Item, Shape, Slice};

/// An input as a program declares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputSpec {
    /// Its place among the inputs.
    pub number: usize,
    /// Its elements.
    pub dtype: DType,
    /// Its shape.
    pub shape: Shape,
    /// Whether elements lie in Fortran order.
    pub fortran: bool,
    /// The step in memory along the last axis; negative ones run backwards.
    pub step: i64,
}

/// The arrays that a program without opaque calls returns; `input` makes its inputs.
///
/// # Errors
/// `Value` with the line for text that is no program, else those of the acts.
pub fn parse(text: &str, input: &mut dyn FnMut(&InputSpec) -> Result<Array>) -> Result<Vec<Array>> {
    parse_with(text, input, &mut |name| Err(Error::value(format!("{name:?} is not known"))))
}

/// [`parse`], for programs with opaque calls; `call` finds the function of a name.
///
/// # Errors
/// As for [`parse`].
pub fn parse_with(
    text: &str,
    input: &mut dyn FnMut(&InputSpec) -> Result<Array>,
    call: &mut dyn FnMut(&str) -> Result<Arc<dyn Call>>,
) -> Result<Vec<Array>> {
    let mut parser = Parser { names: HashMap::new(), inputs: 0, input, call };
    for (number, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or("").trim();
        if line.is_empty() {
            continue;
        }
        let at = |e: Error| Error::value(format!("line {}: {e}", number + 1));
        let tokens = tokens(line);
        if tokens.first().is_some_and(|t| t == "return") {
            return tokens[1..].iter().map(|t| parser.operand(t).map_err(at)).collect();
        }
        match tokens.as_slice() {
            [name, eq, act @ ..] if eq == "=" => {
                let value = parser.act(act).map_err(at)?;
                parser.names.insert(name.clone(), value);
            }
            _ => return Err(at(Error::value("expected `name = act ...` or `return ...`"))),
        }
    }
    Err(Error::value("the program returns nothing"))
}

/// Words, with bracketed groups kept whole.
fn tokens(line: &str) -> Vec<String> {
    let (mut out, mut word, mut depth) = (Vec::new(), String::new(), 0);
    for c in line.chars() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            _ => {}
        }
        if c.is_whitespace() && depth == 0 {
            if !word.is_empty() {
                out.push(std::mem::take(&mut word));
            }
        } else {
            word.push(c);
        }
    }
    if !word.is_empty() {
        out.push(word);
    }
    out
}

struct Parser<'a> {
    names: HashMap<String, Array>,
    inputs: usize,
    input: &'a mut dyn FnMut(&InputSpec) -> Result<Array>,
    call: &'a mut dyn FnMut(&str) -> Result<Arc<dyn Call>>,
}

/// The keyword words of an act.
#[derive(Default)]
struct Keys<'a>(HashMap<&'a str, &'a str>);

impl Keys<'_> {
    fn axes(&self) -> Result<Option<Vec<i64>>> {
        self.0.get("axis").map(|a| a.split(',').map(int).collect()).transpose()
    }

    fn over(&self) -> Result<Over> {
        let dtype = self.0.get("dtype").map(|d| dtype(d)).transpose()?;
        Ok(Over { axis: self.axes()?, keepdims: self.0.contains_key("keepdims"), dtype })
    }

    fn int(&self, key: &str, default: i64) -> Result<i64> {
        self.0.get(key).map_or(Ok(default), |v| int(v))
    }
}

fn int(text: &str) -> Result<i64> {
    text.trim().parse().map_err(|_| Error::value(format!("{text:?} is no integer")))
}

fn dtype(text: &str) -> Result<DType> {
    DType::from_name(text).ok_or_else(|| Error::dtype(format!("{text:?} is no dtype")))
}

/// The text inside a bracketed token.
fn inside(token: &str, open: char, close: char) -> Option<&str> {
    token.strip_prefix(open)?.strip_suffix(close)
}

fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|t| !t.is_empty())
}

/// `f32[2, 480]`.
fn typed_shape(token: &str) -> Result<(DType, Shape)> {
    let open = token.find('[').ok_or_else(|| Error::value(format!("{token:?} is no type")))?;
    let dims = inside(&token[open..], '[', ']').unwrap_or("");
    let shape = list(dims).map(|d| int(d).map(|d| d as usize)).collect::<Result<_>>()?;
    Ok((dtype(&token[..open])?, shape))
}

fn number(text: &str) -> Option<Number> {
    match text {
        "inf" => Some(Number::Float(f64::INFINITY)),
        "-inf" => Some(Number::Float(f64::NEG_INFINITY)),
        "nan" => Some(Number::Float(f64::NAN)),
        _ => match text.parse() {
            Ok(v) => Some(Number::Int(v)),
            Err(_) => text.parse().ok().map(Number::Float),
        },
    }
}

fn items(token: &str) -> Result<Vec<Item>> {
    let text =
        inside(token, '[', ']').ok_or_else(|| Error::value(format!("{token:?} is no index")))?;
    list(text)
        .map(|t| match t {
            "None" => Ok(Item::NewAxis),
            "..." => Ok(Item::Ellipsis),
            _ if t.contains(':') => {
                let mut parts =
                    t.split(':').map(|p| if p.is_empty() { Ok(None) } else { int(p).map(Some) });
                let mut next = || parts.next().unwrap_or(Ok(None));
                let (start, stop, step) = (next()?, next()?, next()?);
                Ok(Item::Slice(Slice { start, stop, step: step.unwrap_or(1) }))
            }
            _ => int(t).map(Item::At),
        })
        .collect()
}

/// A view in the path of an update: `[1:9]`, `(2, -1)`, or `T` and its axes.
fn view(token: &str) -> Result<Prim> {
    if let Some(dims) = inside(token, '(', ')') {
        return Ok(Prim::Reshape(list(dims).map(int).collect::<Result<_>>()?));
    }
    match token.strip_prefix("T(").and_then(|t| t.strip_suffix(')')) {
        Some(axes) => {
            let axes = list(axes).map(|a| int(a).map(|a| a as usize)).collect::<Result<_>>()?;
            Ok(Prim::Transpose(axes))
        }
        None => Ok(Prim::Index(items(token)?.into())),
    }
}

impl Parser<'_> {
    fn operand(&mut self, token: &str) -> Result<Array> {
        if let Some(found) = self.names.get(token) {
            return Ok(found.clone());
        }
        if let Some(act) = inside(token, '(', ')') {
            return self.act(&tokens(act));
        }
        if let Some(value) = number(token) {
            return Ok(Array::number(value));
        }
        let scalar = token.split_once('(').and_then(|(d, v)| {
            let value = number(v.strip_suffix(')')?)?;
            let dtype = DType::from_name(d)?;
            Some(match value {
                Number::Int(v) => Scalar::wrap_int(v, dtype),
                Number::Float(v) => Scalar::from_f64(v, dtype),
            })
        });
        scalar.map(Array::scalar).ok_or_else(|| Error::value(format!("{token:?} is not known")))
    }

    fn act(&mut self, act: &[String]) -> Result<Array> {
        let name = act.first().ok_or_else(|| Error::value("an act is missing"))?.as_str();
        let (mut keys, mut words) = (Keys::default(), Vec::new());
        for token in &act[1..] {
            let pair = token.split_once('=').filter(|_| !token.starts_with('('));
            if let Some((key, value)) = pair {
                keys.0.insert(key, value);
            } else if matches!(token.as_str(), "keepdims" | "reversed") {
                keys.0.insert(token, "");
            } else {
                words.push(token.as_str());
            }
        }
        if let Some(op) = Op::from_name(name) {
            let args = words.iter().map(|w| self.operand(w)).collect::<Result<Vec<_>>>()?;
            return Array::map(op, &args);
        }
        if name == "input" {
            return self.declare(&words, &keys);
        }
        let missing = || Error::value(format!("{name}: an operand is missing"));
        let word = |i: usize| words.get(i).copied().ok_or_else(missing);
        if name == "call" {
            let function = (self.call)(word(0)?)?;
            let operands =
                words[1..].iter().map(|w| self.operand(w)).collect::<Result<Vec<_>>>()?;
            return Array::call(function, &operands);
        }
        if let Some(made) = self.range(name, &words, &keys)? {
            return Ok(made);
        }
        let x = self.operand(word(0)?)?;
        if let Some(fold) = Fold::from_name(name) {
            return x.reduce(fold, &keys.over()?);
        }
        match name {
            "cast" => x.cast(dtype(word(1)?)?),
            "mean" => x.mean(&keys.over()?),
            "var" => x.var(&keys.over()?, keys.int("ddof", 0)?),
            "std" => x.std(&keys.over()?, keys.int("ddof", 0)?),
            "index" => x.index(&items(word(1)?)?),
            "transpose" => x.transpose(keys.axes()?.as_deref()),
            "reshape" => {
                let dims = inside(word(1)?, '(', ')').ok_or_else(missing)?;
                x.reshape(&list(dims).map(int).collect::<Result<Vec<_>>>()?)
            }
            "broadcast" => {
                let dims = inside(word(1)?, '(', ')').ok_or_else(missing)?;
                x.broadcast_to(
                    &list(dims).map(|d| int(d).map(|d| d as usize)).collect::<Result<Vec<_>>>()?,
                )
            }
            "clip" => {
                let mut bound = |key| keys.0.get(key).map(|v| self.operand(v)).transpose();
                let (low, high) = (bound("min")?, bound("max")?);
                x.clip(low.as_ref(), high.as_ref())
            }
            "update" => {
                let value = self.operand(word(1)?)?;
                let path: Vec<Prim> = words[2..].iter().map(|w| view(w)).collect::<Result<_>>()?;
                x.update(&path, &value.cast(x.dtype())?)
            }
            "concatenate" => {
                let parts = words.iter().map(|w| self.operand(w)).collect::<Result<Vec<_>>>()?;
                Array::concatenate(&parts, keys.int("axis", 0)? as usize)
            }
            "interp" => {
                let (xp, fp) = (self.operand(word(1)?)?, self.operand(word(2)?)?);
                let mut side = |key| keys.0.get(key).map(|v| self.operand(v)).transpose();
                let (left, right) = (side("left")?, side("right")?);
                x.interp(&xp, &fp, left.as_ref(), right.as_ref())
            }
            _ => Err(Error::value(format!("{name:?} is no act"))),
        }
    }

    fn declare(&mut self, words: &[&str], keys: &Keys<'_>) -> Result<Array> {
        let token = words.first().ok_or_else(|| Error::value("input: the type is missing"))?;
        let (dtype, shape) = typed_shape(token)?;
        let step = if keys.0.contains_key("reversed") { -1 } else { keys.int("step", 1)? };
        let fortran = keys.0.get("order") == Some(&"F");
        let spec = InputSpec { number: self.inputs, dtype, shape, fortran, step };
        self.inputs += 1;
        (self.input)(&spec)
    }

    /// Acts that make an array of numbers alone.
    fn range(&mut self, name: &str, words: &[&str], keys: &Keys<'_>) -> Result<Option<Array>> {
        let wanted = keys.over()?.dtype;
        let plain = |i: usize| {
            words
                .get(i)
                .and_then(|w| number(w))
                .ok_or_else(|| Error::value(format!("{name}: a number is missing")))
        };
        Ok(Some(match name {
            "arange" => Array::arange(plain(0)?, plain(1)?, plain(2)?, wanted)?,
            "linspace" => {
                let (start, stop) = (Array::number(plain(0)?), Array::number(plain(1)?));
                let Number::Int(num) = plain(2)? else {
                    return Err(Error::value("linspace: num must be an integer"));
                };
                Array::linspace(&start, &stop, num as usize, true, wanted)?
            }
            "full" => {
                let dims = words.first().and_then(|w| inside(w, '(', ')')).unwrap_or("");
                let shape: Vec<usize> =
                    list(dims).map(|d| int(d).map(|d| d as usize)).collect::<Result<_>>()?;
                let value = self.operand(words.get(1).copied().unwrap_or("0"))?;
                Array::full(&shape, &value, wanted)?
            }
            _ => return Ok(None),
        }))
    }
}
