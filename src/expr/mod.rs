//! Deferred arrays: a handle on a node that knows its dtype and shape at once and its value later.
//!
//! May not know: graphs, passes, loops or how anything is computed. It records, infers shape and
//! dtype, and keeps values once they are there. Nothing here recurses over operands, so a chain
//! of any length builds and drops on a small stack.

mod alias;
mod build;
mod call;
mod complex;
mod fft;
mod infer;
mod pairs;
mod program;
mod ranges;
mod reduce;
mod scan;
mod span;
mod text;
mod update;
mod walk;

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use smallvec::SmallVec;

pub use infer::infer_shape;
pub(crate) use infer::{at, expand, same_but_for_ones};
pub use program::{Bindings, InputMeta, Node, Program};
pub use reduce::Over;
pub use span::{Span, with_span};
pub use text::{InputSpec, parse, parse_with};
pub use walk::Walk;

use crate::buffer::Storage;
use crate::call::Call;
use crate::dtype::{DType, Element, Scalar};
use crate::error::Result;
use crate::op::{Fold, Op, Weak};
use crate::shape::{Axes, Item, Shape};

/// Operands of a node.
pub type Args = SmallVec<[Array; 3]>;

/// What a node does with its operands. Everything in it is as the user wrote it, so that the same
/// program can be inferred again for inputs of another length.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Prim {
    /// Memory: a captured array or an evaluated node.
    Input,
    /// A 0-d value, an argument of the program.
    Scalar,
    /// A traced array argument, by its place among the arguments.
    Param(u32),
    /// A traced Python number, by its place among the arguments.
    NumberParam(u32),
    /// An elementwise op; operands broadcast.
    Map(Op),
    /// A conversion to the node's dtype.
    Cast,
    /// A conversion of a traced Python integer, which must fit the node's dtype.
    Narrow,
    /// Basic indexing.
    Index(Box<[Item]>),
    /// Axes in another order.
    Transpose(Axes),
    /// The same elements in C order under another shape; -1 is worked out.
    Reshape(SmallVec<[i64; 4]>),
    /// The operand repeated to a shape.
    Broadcast(Shape),
    /// The first operand with the elements at a view of it replaced by the second, which broadcasts
    /// there. The view is a list of [`Prim::Index`], [`Prim::Transpose`] and [`Prim::Reshape`], each
    /// of what the one before it gives.
    Update(Box<[Prim]>),
    /// The operands one after another along an axis.
    Concatenate(usize),
    /// A reduction over some axes; an empty operand without identity is refused.
    Reduce {
        /// How elements combine.
        fold: Fold,
        /// Over which axes, ascending.
        axes: Axes,
        /// Whether they stay with length 1.
        keepdims: bool,
    },
    /// The operand's number of elements along some axes less `ddof`, at least 0, as a 0-d value.
    Count {
        /// Along which axes.
        axes: Axes,
        /// Subtracted.
        ddof: i64,
    },
    /// Complex numbers of a real and an imaginary part, two arrays of one real dtype.
    Complex,
    /// The real (`false`) or the imaginary part (`true`) of complex numbers in memory.
    Component(bool),
    /// `0, 1, 2, ...` as `int64`.
    Iota {
        /// How many.
        len: usize,
    },
    /// Linear interpolation. Operands: `x`, `fp`, then the grid's, then `left` and `right` if given.
    Interp {
        /// How the points are given.
        grid: GridKind,
        /// How many an even grid has; points in memory are counted there.
        points: usize,
        /// Whether a value below the first point is given.
        left: bool,
        /// Whether a value above the last point is given.
        right: bool,
    },
    /// An opaque function of its operands, an argument of the program.
    Call,
}

/// How the points of an interpolation are given, as operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GridKind {
    /// One operand: the points.
    Points,
    /// Two operands: `start`, `step`.
    Arange,
    /// Three operands: `start`, `step`, `stop`.
    Linspace,
}

/// A Python number as a node's value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// A Python `int`.
    Int(i128),
    /// A Python `float`.
    Float(f64),
}

/// An even grid that an array is known to be; `interp` over it needs no table of points.
#[derive(Clone, Debug)]
pub struct Even {
    /// The first point, a 0-d `float64`.
    pub start: Array,
    /// The distance of two, a 0-d `float64`.
    pub step: Array,
    /// The last point, if it is set exactly (`linspace`).
    pub stop: Option<Array>,
}

/// A deferred array: shared, immutable, cheap to clone.
#[derive(Clone)]
pub struct Array(Arc<Expr>);

/// A handle that does not keep its node.
#[derive(Clone)]
pub struct WeakArray(std::sync::Weak<Expr>);

impl WeakArray {
    /// Whether somebody holds the node.
    pub fn is_held(&self) -> bool {
        self.0.strong_count() > 0
    }

    /// Whether it is of this node.
    pub fn is(&self, array: &Array) -> bool {
        std::ptr::eq(self.0.as_ptr(), Arc::as_ptr(&array.0))
    }

    /// Those of the nodes that are still to be evaluated and that no other of them is made of.
    pub fn ends(all: &[WeakArray]) -> Vec<Array> {
        let held = all.iter().filter_map(|weak| weak.0.upgrade().map(Array));
        let pending: Vec<Array> = held.filter(|a| !a.is_evaluated() && !a.is_traced()).collect();
        let mut below = std::collections::HashSet::new();
        let mut stack: Vec<Array> = pending.iter().flat_map(Array::args).collect();
        while let Some(array) = stack.pop() {
            if below.insert(Arc::as_ptr(&array.0)) {
                stack.extend(array.args());
            }
        }
        let mut ends: Vec<Array> = Vec::new();
        for array in pending {
            // Each once, however often it was recorded.
            if below.insert(Arc::as_ptr(&array.0)) {
                ends.push(array);
            }
        }
        ends
    }
}

/// A node.
struct Expr {
    prim: Prim,
    dtype: DType,
    shape: Shape,
    /// Set on Python numbers (and what a trace computes from them alone).
    weak: Option<Weak>,
    /// The value of a [`Prim::Scalar`]; also of a Python number.
    number: Option<Number>,
    scalar: Option<Scalar>,
    even: Option<Box<Even>>,
    /// Whether a traced argument lies below.
    traced: bool,
    /// Whether it depends on scalars alone, so that it is known before any loop runs.
    once: bool,
    span: Span,
    /// What it is made of; nothing once the value is there.
    parts: Mutex<Parts>,
    /// The value, once it was computed.
    value: OnceLock<Storage>,
}

/// What a node is made of.
#[derive(Clone, Default)]
struct Parts {
    args: Args,
    /// The function of a [`Prim::Call`].
    call: Option<Arc<dyn Call>>,
}

impl Array {
    /// A node as it is recorded; what only few have is filled in by the caller.
    fn expr(prim: Prim, dtype: DType, shape: Shape, args: Args) -> Expr {
        let traced = matches!(prim, Prim::Param(_) | Prim::NumberParam(_))
            || args.iter().any(Array::is_traced);
        let once = match prim {
            Prim::Scalar | Prim::Count { .. } => true,
            Prim::Map(_) | Prim::Cast | Prim::Narrow => args.iter().all(|a| a.0.once),
            _ => false,
        };
        Expr {
            prim,
            dtype,
            shape,
            once,
            weak: None,
            number: None,
            scalar: None,
            even: None,
            traced,
            span: span::current(),
            parts: Mutex::new(Parts { args, call: None }),
            value: OnceLock::new(),
        }
    }

    fn node(prim: Prim, dtype: DType, shape: Shape, args: Args) -> Self {
        Self(Arc::new(Self::expr(prim, dtype, shape, args)))
    }

    /// An array in memory.
    pub fn input(storage: Storage) -> Self {
        let shape = Shape::from_slice(&storage.shape);
        let mut expr = Self::expr(Prim::Input, storage.dtype, shape, Args::new());
        expr.value = OnceLock::from(storage);
        Self(Arc::new(expr))
    }

    /// A copy of a slice, as an array of this shape.
    ///
    /// # Errors
    /// `Value` when the shape has another number of elements; `Memory`.
    pub fn from_slice<T: Element>(values: &[T], shape: &[usize]) -> Result<Self> {
        Storage::from_slice(values, shape).map(Self::input)
    }

    /// A 0-d value with a dtype of its own (a NumPy scalar).
    pub fn scalar(value: Scalar) -> Self {
        let mut expr = Self::expr(Prim::Scalar, value.dtype, Shape::new(), Args::new());
        expr.scalar = Some(value);
        Self(Arc::new(expr))
    }

    /// A Python number, which takes part in promotion by its kind alone.
    pub fn number(number: Number) -> Self {
        let (value, weak) = match number {
            // Out-of-range integers are refused where their dtype is decided.
            Number::Int(v) if i64::try_from(v).is_err() && u64::try_from(v).is_ok() => {
                (Scalar::wrap_int(v, DType::U64), Weak::Int)
            }
            Number::Int(v) => (Scalar::wrap_int(v, DType::I64), Weak::Int),
            Number::Float(v) => (Scalar::f64(v), Weak::Float),
        };
        let mut expr = Self::expr(Prim::Scalar, value.dtype, Shape::new(), Args::new());
        (expr.scalar, expr.weak, expr.number) = (Some(value), Some(weak), Some(number));
        Self(Arc::new(expr))
    }

    /// A traced array argument.
    pub fn param(index: u32, dtype: DType, shape: Shape) -> Self {
        Self::node(Prim::Param(index), dtype, shape, Args::new())
    }

    /// A traced Python number.
    pub fn weak_param(index: u32, weak: Weak) -> Self {
        let dtype = match weak {
            Weak::Int => DType::I64,
            Weak::Float => DType::F64,
            Weak::Complex => DType::C128,
        };
        Self::node(Prim::NumberParam(index), dtype, Shape::new(), Args::new()).with_weak(Some(weak))
    }

    fn with_weak(mut self, weak: Option<Weak>) -> Self {
        if let Some(expr) = Arc::get_mut(&mut self.0) {
            expr.weak = weak;
            expr.once |= weak.is_some();
        }
        self
    }

    fn with_even(mut self, even: Even) -> Self {
        if let Some(expr) = Arc::get_mut(&mut self.0) {
            expr.even = Some(Box::new(even));
        }
        self
    }

    /// The element type.
    pub fn dtype(&self) -> DType {
        self.0.dtype
    }

    /// The shape.
    pub fn shape(&self) -> &Shape {
        &self.0.shape
    }

    /// The number of axes.
    pub fn rank(&self) -> usize {
        self.0.shape.len()
    }

    /// What the node does.
    pub fn prim(&self) -> &Prim {
        &self.0.prim
    }

    /// Where the user made it.
    pub fn span(&self) -> Span {
        self.0.span
    }

    /// Set on Python numbers.
    pub fn weak(&self) -> Option<Weak> {
        self.0.weak
    }

    /// The Python number that it is, if it is one.
    pub fn as_number(&self) -> Option<Number> {
        self.0.number
    }

    /// The value of a 0-d argument.
    pub fn as_scalar(&self) -> Option<Scalar> {
        self.0.scalar
    }

    /// The even grid that it is known to be.
    pub fn even(&self) -> Option<&Even> {
        self.0.even.as_deref()
    }

    /// Whether a traced argument lies below it.
    pub fn is_traced(&self) -> bool {
        self.0.traced
    }

    /// Whether other handles of the node are held, by the user or by nodes above it.
    pub fn is_shared(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }

    /// Whether it depends on scalars alone, so that it is known before any loop runs.
    pub fn is_once(&self) -> bool {
        self.0.once
    }

    /// A handle that does not keep the node.
    pub fn downgrade(&self) -> WeakArray {
        WeakArray(Arc::downgrade(&self.0))
    }

    /// Whether both are the same node.
    pub fn same(&self, other: &Array) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    fn lock(&self) -> MutexGuard<'_, Parts> {
        self.0.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The last step of a view that was just made of another array; of complex numbers, which are seen part
    /// by part, that of each part.
    pub fn last_view(&self) -> Prim {
        match self.prim() {
            Prim::Complex => self.args().first().map_or(Prim::Complex, |re| re.prim().clone()),
            other => other.clone(),
        }
    }

    /// The operands; empty for leaves and for evaluated nodes.
    pub fn args(&self) -> Args {
        self.lock().args.clone()
    }

    /// Operands and function, as they are at one moment; nothing for evaluated nodes.
    fn parts(&self) -> Parts {
        // Leaves have neither, and most evaluated nodes have let go of both.
        if self.0.value.get().is_some() || matches!(self.0.prim, Prim::Scalar) {
            return Parts::default();
        }
        self.lock().clone()
    }

    /// The value, if it is there.
    pub fn value(&self) -> Option<Storage> {
        self.0.value.get().cloned()
    }

    /// Whether the value is there.
    pub fn is_evaluated(&self) -> bool {
        self.0.value.get().is_some()
    }

    /// Keeps the value, unless one came before; operands and function are let go, so that a long chain
    /// does not keep its history.
    pub fn set_value(&self, value: Storage) {
        // The value first: who finds no operands must find it.
        drop(self.0.value.set(value));
        let old = std::mem::take(&mut *self.lock());
        drop(old);
    }
}

impl std::fmt::Debug for Array {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let state = if self.is_evaluated() { "evaluated" } else { "deferred" };
        write!(f, "Array({}{}, {state})", self.dtype(), crate::shape::show(self.shape()))
    }
}

impl Drop for Expr {
    /// Drops operands in a loop: a chain of a million nodes must not need a million stack frames.
    fn drop(&mut self) {
        let parts = self.parts.get_mut().unwrap_or_else(PoisonError::into_inner);
        if parts.args.is_empty() && self.even.is_none() {
            return;
        }
        let take = |parts: &mut Mutex<Parts>| {
            let parts = parts.get_mut().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut parts.args)
        };
        let mut stack = take(&mut self.parts);
        let mut even: Vec<Box<Even>> = self.even.take().into_iter().collect();
        loop {
            while let Some(Array(arc)) = stack.pop() {
                if let Some(mut expr) = Arc::into_inner(arc) {
                    stack.extend(take(&mut expr.parts));
                    even.extend(expr.even.take());
                }
            }
            match even.pop() {
                None => break,
                Some(e) => {
                    let Even { start, step, stop } = *e;
                    stack.extend([start, step].into_iter().chain(stop));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::Op;

    #[test]
    fn a_long_chain_drops_on_a_small_stack() {
        std::thread::Builder::new()
            .stack_size(256 << 10)
            .spawn(|| {
                let one = Array::number(Number::Float(1.0));
                let mut x = Array::param(0, DType::F32, smallvec::smallvec![8]);
                for _ in 0..300_000 {
                    x = Array::map(Op::Add, &[x, one.clone()]).unwrap();
                }
                drop(x);
            })
            .unwrap()
            .join()
            .unwrap();
    }
}
