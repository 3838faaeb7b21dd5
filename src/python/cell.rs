//! What an `rnp.Array` object stands for: an expression of its own, or a view of what others view too.
//!
//! Expressions never change. Writing gives an object another expression; objects that view one another
//! share a [`Cell`], and each finds its expression anew when the cell was written. So `v = y[10:20];
//! v *= 2` changes `y`, as in NumPy, and the graph still holds values alone. An entry of a tape becomes an
//! expression when one is asked for. May not know: blocks, evaluation, what an operation does.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use pyo3::prelude::*;

use super::gil::GilCell;
use super::jit::Tracing;
use super::tape::{Noted, Taped};
use crate::buffer::Storage;
use crate::call::Call;
use crate::dtype::Scalar;
use crate::error::{Error, Result};
use crate::expr::{self, Prim};
use crate::tape;

/// Views, one of the other, that lead from a cell to what an object shows of it.
///
/// A list that shares its beginning with those it was made from: a view of a view of a view takes no
/// longer to make than the first. `None` is the whole of the cell.
#[derive(Clone, Default)]
struct Path(Option<Arc<Link>>);

struct Link {
    before: Path,
    step: Step,
}

/// One view on the way from a cell to an object.
#[derive(Clone)]
pub enum Step {
    /// The engine's own: an index, a reshape, a part of complex numbers.
    Prim(Prim),
    /// By functions that the engine cannot see into.
    Lens(Arc<Lens>),
}

/// A view that is computed, in both ways: what it shows, and what a write through it makes of the array.
pub struct Lens {
    /// What is seen of an array.
    pub get: Arc<dyn Call>,
    /// The array of which an array, the second operand, is seen.
    pub put: Arc<dyn Call>,
    /// The same where it is also told, by a third operand, which elements were written: for what is seen several
    /// times.
    pub put_marked: Option<Arc<dyn Call>>,
}

impl PartialEq for Step {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Prim(a), Self::Prim(b)) => a == b,
            (Self::Lens(a), Self::Lens(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }
}

/// The engine's own views up to the first lens; the lens and the rest, if there is one.
fn split(path: &[Step]) -> (Vec<Prim>, Option<(&Lens, &[Step])>) {
    let mut prims = Vec::new();
    for (at, step) in path.iter().enumerate() {
        match step {
            Step::Prim(prim) => prims.push(prim.clone()),
            Step::Lens(lens) => return (prims, Some((lens, &path[at + 1..]))),
        }
    }
    (prims, None)
}

/// What the views of a path make of an array.
fn views(array: &expr::Array, path: &[Step]) -> Result<expr::Array> {
    let (mut array, mut path) = (array.clone(), path);
    loop {
        let (prims, lens) = split(path);
        array = array.views(&prims)?;
        let Some((lens, rest)) = lens else { return Ok(array) };
        array = expr::Array::call(lens.get.clone(), &[array])?;
        path = rest;
    }
}

/// The array with `value` at the end of a path.
fn written(array: &expr::Array, path: &[Step], value: &expr::Array) -> Result<expr::Array> {
    // Per lens on the way: the array that the views before it start from, those views, what they show.
    let mut outer: Vec<(expr::Array, Vec<Prim>, expr::Array, &Lens)> = Vec::new();
    let (mut base, mut path) = (array.clone(), path);
    // The array behind the last lens and the views from there on tell what is written.
    let (mut new, mut last) = loop {
        let (prims, lens) = split(path);
        let Some((lens, rest)) = lens else {
            let new = base.written(&prims, value)?;
            break (new, Some((base, prims)));
        };
        let shown = base.views(&prims)?;
        let seen = expr::Array::call(lens.get.clone(), std::slice::from_ref(&shown))?;
        outer.push((base, prims, shown, lens));
        (base, path) = (seen, rest);
    };
    for (base, prims, shown, lens) in outer.into_iter().rev() {
        let put = match (&lens.put_marked, last.take()) {
            (Some(put), Some((seen, path))) => {
                expr::Array::call(put.clone(), &[shown, new, marked(&seen, path)?])?
            }
            _ => expr::Array::call(lens.put.clone(), &[shown, new])?,
        };
        new = base.written(&prims, &put)?;
    }
    Ok(new)
}

/// Which elements of an array are at the end of a path.
fn marked(array: &expr::Array, path: Vec<Prim>) -> Result<expr::Array> {
    let path: Vec<Prim> =
        path.into_iter().filter(|step| !matches!(step, Prim::Component(_))).collect();
    let mark = |is: bool| expr::Array::scalar(Scalar::bool(is));
    mark(false).broadcast_to(array.shape())?.written(&path, &mark(true))
}

impl Path {
    /// This path and one view more.
    fn then(&self, step: Step) -> Self {
        Self(Some(Arc::new(Link { before: self.clone(), step })))
    }

    /// The views from the cell on, and then `more`.
    fn steps(&self, more: &[Prim]) -> Vec<Step> {
        let mut back: Vec<Step> = more.iter().rev().cloned().map(Step::Prim).collect();
        let mut at = self;
        while let Some(link) = &at.0 {
            back.push(link.step.clone());
            at = &link.before;
        }
        back.reverse();
        back
    }

    /// Whether `other` is this path and then `step`.
    fn leads_to(&self, step: &Prim, other: &Self) -> bool {
        other.0.as_ref().is_some_and(|link| {
            matches!(&link.step, Step::Prim(prim) if prim == step) && link.before.is(self)
        })
    }

    fn is(&self, other: &Self) -> bool {
        let (mut a, mut b) = (self, other);
        loop {
            match (&a.0, &b.0) {
                (None, None) => return true,
                (Some(x), Some(y)) if Arc::ptr_eq(x, y) => return true,
                (Some(x), Some(y)) if x.step == y.step => (a, b) = (&x.before, &y.before),
                _ => return false,
            }
        }
    }
}

impl Drop for Path {
    /// Drops a long list in a loop.
    fn drop(&mut self) {
        let mut next = self.0.take();
        while let Some(mut link) = next.and_then(Arc::into_inner) {
            next = link.before.0.take();
        }
    }
}

/// An expression, and the trace that it belongs to, if a traced argument lies below it.
#[derive(Clone)]
pub struct Held {
    /// The expression.
    pub expr: expr::Array,
    /// Its trace.
    pub trace: Option<Arc<Tracing>>,
}

/// An array that several objects view.
struct Cell(Mutex<Version>);

#[derive(Clone)]
struct Version {
    /// Counts writes.
    number: u64,
    held: Held,
}

impl Cell {
    fn version(&self) -> MutexGuard<'_, Version> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Place {
    /// Nobody else can see it.
    Own(Held),
    View {
        cell: Arc<Cell>,
        path: Path,
        /// The version that `held` shows.
        number: u64,
        held: Held,
    },
}

/// How an object that stands for an entry of a tape is related to others.
#[derive(Clone)]
struct Seen {
    /// The cell of all of them, once one of them has an expression: then all of them have.
    cell: Arc<OnceLock<Arc<Cell>>>,
    /// The tape, and the entry that all of them lead from.
    root: (Arc<Taped>, tape::Place),
    path: Path,
}

/// The place of one object.
pub struct Handle {
    /// The entry of a tape that it stands for, until somebody asks for the expression.
    noted: GilCell<Option<Noted>>,
    /// The cell that it will show, and how, if it is a view of an entry of a tape or has one.
    seen: GilCell<Option<Box<Seen>>>,
    place: OnceLock<Box<Mutex<Place>>>,
    /// Whether it is an argument of a traced function, or a view of one: those cannot be written.
    argument: bool,
}

impl Handle {
    /// An object with an expression of its own.
    pub fn own(expr: expr::Array, trace: Option<Arc<Tracing>>) -> Self {
        Self::at(Place::Own(Held { expr, trace }), false)
    }

    /// An object that stands for an entry of a tape.
    pub fn on_tape(noted: Noted) -> Self {
        let noted = GilCell::new(Some(noted));
        Self { noted, seen: GilCell::default(), place: OnceLock::new(), argument: false }
    }

    fn at(place: Place, argument: bool) -> Self {
        let place = OnceLock::from(Box::new(Mutex::new(place)));
        Self { noted: GilCell::default(), seen: GilCell::default(), place, argument }
    }

    /// The entry of a tape that the object stands for, if it does.
    pub fn noted(&self) -> Option<(Arc<Taped>, tape::Place)> {
        let has_cell = |seen: &Seen| seen.cell.get().is_some();
        if self.place.get().is_some()
            || self.seen.borrow(self.py()).as_deref().is_some_and(has_cell)
        {
            return None;
        }
        self.noted.borrow(self.py()).as_ref().map(Noted::place)
    }

    /// Whether it stands for an entry of a tape that views another one or is viewed.
    pub fn is_seen(&self) -> bool {
        self.seen.borrow(self.py()).is_some()
    }

    /// An object for the entry of a tape that shows what `step` makes of this one's; writes go both ways. `None`
    /// if it is for the engine to say whether they do.
    pub fn see(&self, noted: Noted, step: Prim) -> Option<Self> {
        let py = self.py();
        let root = self.noted()?;
        let mut seen = self.seen.borrow(py);
        let new = || Seen { cell: Arc::default(), root, path: Path::default() };
        let seen = seen.get_or_insert_with(|| Box::new(new()));
        if matches!(step, Prim::Reshape(_)) && seen.path.0.is_some() {
            return None;
        }
        let path = seen.path.then(Step::Prim(step));
        let view = Self::on_tape(noted);
        *view.seen.borrow(py) = Some(Box::new(Seen { path, ..(**seen).clone() }));
        Some(view)
    }

    /// The GIL.
    fn py(&self) -> Python<'_> {
        // SAFETY: a handle is part of an object of Python's, which only who holds the GIL has in hand.
        unsafe { Python::assume_attached() }
    }

    /// Stands for a value that was computed from now on, if it stood for an entry of a tape.
    pub fn settle(&self, value: Storage) {
        if self.is_seen() {
            return;
        }
        let held = Held { expr: expr::Array::input(value), trace: None };
        let _ = self.place.set(Box::new(Mutex::new(Place::Own(held))));
        let gone = self.noted.borrow(self.py()).take();
        drop(gone);
    }

    /// Whether the value is there.
    pub fn is_evaluated(&self) -> bool {
        let py = self.py();
        let noted = self.noted.borrow(py).as_ref().map(|noted| noted.is_evaluated(py));
        noted.unwrap_or_else(|| self.get().expr.is_evaluated())
    }

    /// An argument of a traced function.
    pub fn argument(expr: expr::Array, trace: Arc<Tracing>) -> Self {
        Self { argument: true, ..Self::own(expr, Some(trace)) }
    }

    fn place(&self) -> MutexGuard<'_, Place> {
        if let Some(place) = self.place.get() {
            return place.lock().unwrap_or_else(PoisonError::into_inner);
        }
        let place = self.place.get_or_init(|| {
            // A handle has one or the other.
            let py = self.py();
            let expr = self.noted.borrow(py).as_ref().map(|noted| noted.expr(py));
            let expr = expr.unwrap_or_else(|| expr::Array::scalar(Scalar::f64(f64::NAN)));
            let held = Held { expr, trace: None };
            let place = match self.seen.borrow(py).take().map(|seen| *seen) {
                None => Place::Own(held),
                Some(Seen { cell, root: (taped, at), path }) => {
                    let root = || Held { expr: taped.expr(py, at), trace: None };
                    let new = || Arc::new(Cell(Mutex::new(Version { number: 0, held: root() })));
                    Place::View { cell: cell.get_or_init(new).clone(), path, number: 0, held }
                }
            };
            Box::new(Mutex::new(place))
        });
        // Memory may go with it, and its keeper may be a Python object: with nothing locked.
        let gone = self.noted.borrow(self.py()).take();
        drop(gone);
        place.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The expression as of now.
    pub fn get(&self) -> Held {
        // With what is shown no more the last handle of a Python object may go: with nothing locked.
        let mut gone = None;
        let held = match &mut *self.place() {
            Place::Own(held) => held.clone(),
            Place::View { cell, path, number, held } => {
                let version = cell.version().clone();
                if version.number != *number {
                    *number = version.number;
                    // The path was followed from an array of this very shape before.
                    if let Ok(expr) = views(&version.held.expr, &path.steps(&[])) {
                        let new = Held { expr, trace: version.held.trace };
                        gone = Some(std::mem::replace(held, new));
                    }
                }
                held.clone()
            }
        };
        drop(gone);
        held
    }

    /// Whether other handles of the expression are held, by other objects or by nodes above it.
    pub fn is_shared(&self) -> bool {
        match &*self.place() {
            Place::Own(held) => held.expr.is_shared(),
            Place::View { .. } => true,
        }
    }

    /// A further object that shows what `step` makes of this one, `expr`; writes go both ways.
    pub fn view(&self, step: Step, expr: expr::Array) -> Self {
        let mut place = self.place();
        if let Place::Own(held) = &*place {
            let cell = Arc::new(Cell(Mutex::new(Version { number: 0, held: held.clone() })));
            *place = Place::View { cell, path: Path::default(), number: 0, held: held.clone() };
        }
        let Place::View { cell, path, number, held } = &*place else {
            unreachable!("just made a view")
        };
        let held = Held { expr, trace: held.trace.clone() };
        let path = path.then(step);
        let view = Place::View { cell: cell.clone(), path, number: *number, held };
        Self::at(view, self.argument)
    }

    /// Shows the elements as `expr` from now on, a reshape of what it showed; other objects stay as they are.
    ///
    /// # Errors
    /// `Trace` for an argument of a traced function.
    pub fn reshape(&self, expr: expr::Array) -> Result<()> {
        self.check_written()?;
        let gone = match &mut *self.place() {
            Place::Own(held) => std::mem::replace(&mut held.expr, expr),
            Place::View { path, held, .. } => {
                let dims = expr.shape().iter().map(|&d| d as i64).collect();
                *path = path.then(Step::Prim(Prim::Reshape(dims)));
                std::mem::replace(&mut held.expr, expr)
            }
        };
        drop(gone);
        Ok(())
    }

    /// Stands for another value from now on.
    ///
    /// # Errors
    /// `Trace` for an argument of a traced function; `Value` for an object that views another or is viewed.
    pub fn replace(&self, value: Held) -> Result<()> {
        self.check_written()?;
        let gone = match &mut *self.place() {
            Place::Own(held) => std::mem::replace(held, value),
            Place::View { .. } => {
                return Err(Error::value(
                    "cannot resize an array that views another or is viewed: its memory is shared",
                ));
            }
        };
        drop(gone);
        Ok(())
    }

    /// Whether `other` shows exactly what `step` makes of this one, as of now.
    pub fn shows(&self, step: &Prim, other: &Handle) -> bool {
        // Never two places at a time: another thread might lock them in the other order.
        let theirs = match &*other.place() {
            Place::View { cell, path, number, .. } => (cell.clone(), path.clone(), *number),
            Place::Own(_) => return false,
        };
        match &*self.place() {
            Place::View { cell, path, .. } => {
                Arc::ptr_eq(cell, &theirs.0)
                    && cell.version().number == theirs.2
                    && path.leads_to(step, &theirs.1)
            }
            Place::Own(_) => false,
        }
    }

    fn check_written(&self) -> Result<()> {
        if self.argument {
            return Err(Error::trace(
                "a traced function writes into its argument; the caller's array would not change: work \
                 on a copy (x = x.copy()) and return it",
            ));
        }
        Ok(())
    }

    /// Writes `value`, which has the right dtype and broadcasts, to what `steps` make of the object.
    ///
    /// # Errors
    /// `Trace` for an argument of a traced function; `Value` where NumPy's array would be read-only, and
    /// for shapes that do not fit.
    pub fn store(&self, steps: &[Prim], value: &Held) -> Result<()> {
        self.check_written()?;
        let write = |held: &Held, path: &[Step]| -> Result<Held> {
            let expr = written(&held.expr, path, &value.expr)?;
            let trace = value.trace.clone().or_else(|| held.trace.clone());
            Ok(Held { expr, trace })
        };
        let gone = match &mut *self.place() {
            Place::Own(held) => {
                let new = write(held, &Path::default().steps(steps))?;
                std::mem::replace(held, new)
            }
            Place::View { cell, path, .. } => {
                let path = path.steps(steps);
                let mut version = cell.version();
                let new = write(&version.held, &path)?;
                version.number += 1;
                std::mem::replace(&mut version.held, new)
            }
        };
        drop(gone);
        Ok(())
    }

    /// Whether the elements lie in C order without gaps, where NumPy's `ravel` shares them.
    pub fn is_contiguous(&self) -> bool {
        self.lies(expr::Array::is_contiguous_at)
    }

    /// Whether a reshape of this object is a view in NumPy: its elements lie so that nothing moves.
    pub fn reshapes_in_place(&self, dims: &[usize]) -> bool {
        self.lies(|root, path| root.reshapes_in_place(path, dims))
    }

    /// Whether `ask` holds of what lies in C order and the engine's views from there on.
    fn lies(&self, ask: impl FnOnce(&expr::Array, &[Prim]) -> bool) -> bool {
        let Place::View { cell, path, .. } = &*self.place() else { return true };
        let steps = path.steps(&[]);
        // What a lens shows is a value of its own.
        let own = steps.iter().rposition(|s| matches!(s, Step::Lens(_))).map_or(0, |at| at + 1);
        let root = cell.version().held.expr.clone();
        views(&root, &steps[..own]).is_ok_and(|root| ask(&root, &split(&steps[own..]).0))
    }
}
