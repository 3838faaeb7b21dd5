//! What a trace took for granted: values of globals, closure cells, attributes of `self` and of its class.
//!
//! Compared at each call by identity, and where that fails by value. What to compare is found once, by
//! following the code of the function into whatever it names; a call only walks the list.

use std::collections::VecDeque;

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyCode, PyDict, PyFloat, PyFunction, PyInt, PyList, PyModule, PySet, PyString, PyTuple,
    PyType, PyWeakrefMethods, PyWeakrefReference,
};

use super::super::array::Array;
use super::super::error::TraceError;
use super::super::{convert, nd};
use super::Jitted;

/// How many functions are followed from the one that is traced.
const FUNCTIONS: usize = 128;

type Obj<'py> = Bound<'py, PyAny>;

enum Place {
    /// An entry of a module's dict.
    Global(Py<PyDict>),
    /// A closure cell.
    Cell(Py<PyAny>),
    /// An entry of the `__dict__` of the owner with this number.
    Attribute(usize),
    /// An entry of `__slots__` of the owner with this number.
    Slot(usize),
    /// An attribute of a class.
    Class(Py<PyType>),
}

enum Value {
    /// There was none.
    Absent,
    /// A plain value or an array.
    Held(Py<PyAny>),
    /// Something that runs, compared by identity. Held weakly: a method of `self` would keep it alive.
    Weak(Py<PyWeakrefReference>),
    /// Nothing that is compared; looked at once, for tracers left behind.
    Ignored,
}

struct Guard {
    place: Place,
    name: Py<PyString>,
    value: Value,
}

enum Who {
    /// The argument at a place.
    Argument(usize),
    /// What a bound method is bound to.
    Bound(Py<PyWeakrefReference>),
}

/// An object whose attributes are guarded.
struct Owner {
    who: Who,
    /// How many attributes it had before the function ran: a new one may hide one of the class.
    count: Option<usize>,
}

impl Owner {
    fn object<'py>(&self, py: Python<'py>, args: &Bound<'py, PyTuple>) -> Option<Obj<'py>> {
        match &self.who {
            Who::Argument(place) => args.get_item(*place).ok(),
            Who::Bound(weak) => weak.bind(py).upgrade(),
        }
    }
}

/// An owner and its `__dict__`, looked up once per call.
type Found<'py> = (Option<Obj<'py>>, Option<Bound<'py, PyDict>>);

impl Guard {
    fn now<'py>(&self, py: Python<'py>, owners: &[Found<'py>]) -> PyResult<Option<Obj<'py>>> {
        let name = self.name.bind(py);
        Ok(match &self.place {
            Place::Global(dict) => dict.bind(py).get_item(name)?,
            Place::Cell(cell) => cell.bind(py).getattr(pyo3::intern!(py, "cell_contents")).ok(),
            Place::Attribute(owner) => match &owners[*owner].1 {
                Some(vars) => vars.get_item(name)?,
                None => None,
            },
            Place::Slot(owner) => owners[*owner].0.as_ref().and_then(|o| o.getattr(name).ok()),
            Place::Class(class) => class.bind(py).getattr(name).ok(),
        })
    }

    fn holds<'py>(&self, py: Python<'py>, owners: &[Found<'py>]) -> PyResult<bool> {
        if matches!(self.value, Value::Ignored) {
            return Ok(true);
        }
        let now = self.now(py, owners)?;
        Ok(match (&self.value, now) {
            (Value::Absent, now) => now.is_none(),
            (_, None) => false,
            (Value::Held(value), Some(now)) => same(value.bind(py), &now),
            (Value::Weak(weak), Some(now)) => weak.bind(py).upgrade().is_some_and(|v| v.is(&now)),
            (Value::Ignored, _) => true,
        })
    }

    fn what(&self, py: Python<'_>) -> String {
        let name = self.name.bind(py);
        match &self.place {
            Place::Global(_) => format!("the global {name}"),
            Place::Cell(_) => format!("the closure variable {name}"),
            Place::Attribute(_) | Place::Slot(_) => format!("the attribute {name}"),
            Place::Class(class) => format!("the class attribute {}.{name}", class.bind(py)),
        }
    }
}

/// The guards of one trace.
#[derive(Default)]
pub struct Guards {
    all: Vec<Guard>,
    owners: Vec<Owner>,
}

/// Values whose change is seen by value or, if they have a place in memory, by identity.
fn is_data(value: &Obj<'_>) -> bool {
    value.is_none()
        || value.is_instance_of::<PyBool>()
        || value.is_instance_of::<PyInt>()
        || value.is_instance_of::<PyFloat>()
        || value.is_instance_of::<PyString>()
        || nd::is_ndarray(value)
        || value.is_exact_instance_of::<PyTuple>()
        || value.is_instance_of::<Array>()
        || convert::is_scalar(value).unwrap_or(false)
}

/// Whether it is a Python function, a jitted one, a method, a partial or another object that is called.
fn is_code(value: &Obj<'_>) -> bool {
    value.is_callable() && !value.is_instance_of::<PyType>()
}

fn guarded(value: &Obj<'_>) -> Value {
    if is_data(value) {
        return Value::Held(value.clone().unbind());
    }
    if is_code(value)
        && let Ok(weak) = PyWeakrefReference::new(value)
    {
        return Value::Weak(weak.unbind());
    }
    Value::Ignored
}

fn same(a: &Obj<'_>, b: &Obj<'_>) -> bool {
    if a.is(b) {
        return true;
    }
    if nd::is_ndarray(a)
        || a.is_instance_of::<PyTuple>()
        || a.is_instance_of::<Array>()
        || !a.get_type().is(b.get_type())
    {
        return false;
    }
    if let (Ok(x), Ok(y)) = (a.cast_exact::<PyFloat>(), b.cast_exact::<PyFloat>()) {
        return x.extract::<f64>().ok().map(f64::to_bits)
            == y.extract::<f64>().ok().map(f64::to_bits);
    }
    a.eq(b).unwrap_or(false)
}

fn is_tracer(value: &Obj<'_>) -> bool {
    value.cast::<Array>().is_ok_and(|a| a.get().trace().is_some())
}

/// What is left to follow while guards are collected.
struct Search<'py> {
    args: Bound<'py, PyTuple>,
    /// What may run and was not looked into yet.
    waiting: VecDeque<Obj<'py>>,
    /// All that was looked into.
    seen: Vec<Obj<'py>>,
    /// Every name in the code, once, in order.
    names: Vec<Bound<'py, PyString>>,
    known: Bound<'py, PySet>,
    /// Classes of the owners, and how many of the names were looked up there.
    classes: Vec<(Bound<'py, PyType>, usize)>,
}

impl<'py> Search<'py> {
    fn follow(&mut self, value: &Obj<'py>) {
        if is_code(value) && !self.seen.iter().any(|s| s.is(value)) {
            self.seen.push(value.clone());
            self.waiting.push_back(value.clone());
        }
    }

    fn name(&mut self, name: Bound<'py, PyString>) -> PyResult<bool> {
        let new = !self.known.contains(&name)?;
        if new {
            self.known.add(&name)?;
            self.names.push(name);
        }
        Ok(new)
    }

    fn class(&mut self, class: Bound<'py, PyType>) {
        if !self.classes.iter().any(|(c, _)| c.is(&class)) {
            self.classes.push((class, 0));
        }
    }
}

impl Guards {
    /// Notes what `function` and the Python functions that it names would read, and the attributes of
    /// the arguments that are objects.
    pub fn collect(function: &Obj<'_>, args: &Bound<'_, PyTuple>) -> PyResult<Self> {
        let py = function.py();
        let mut guards = Guards::default();
        let mut search = Search {
            args: args.clone(),
            waiting: VecDeque::new(),
            seen: Vec::new(),
            names: Vec::new(),
            known: PySet::empty(py)?,
            classes: Vec::new(),
        };
        // An object that is called names no method.
        search.name(PyString::new(py, "__call__"))?;
        for (place, object) in args.iter().enumerate() {
            if let Ok(class) = object.cast::<PyType>() {
                search.class(class.clone());
            } else if is_object(&object) {
                guards.add_owner(&object, Who::Argument(place), &mut search)?;
            }
        }
        search.follow(function);
        let mut followed = 0;
        loop {
            while let Some(f) = search.waiting.pop_front() {
                // Near ones first: a library's inner workings must not use up the number.
                followed += usize::from(f.is_instance_of::<PyFunction>());
                if followed <= FUNCTIONS {
                    guards.add_code(&f, &mut search)?;
                }
            }
            // Classes are looked at for the names found so far, which may lead to further functions.
            for i in 0..search.classes.len() {
                while let Some(name) = search.names.get(search.classes[i].1).cloned() {
                    search.classes[i].1 += 1;
                    let class = search.classes[i].0.clone();
                    guards.add_class_attribute(&class, &name, &mut search)?;
                }
            }
            if search.waiting.is_empty() {
                return Ok(guards);
            }
        }
    }

    fn push(&mut self, place: Place, name: Bound<'_, PyString>, value: Value) {
        self.all.push(Guard { place, name: name.unbind(), value });
    }

    fn add_owner<'py>(
        &mut self,
        object: &Obj<'py>,
        who: Who,
        search: &mut Search<'py>,
    ) -> PyResult<()> {
        let owner = self.owners.len();
        let vars = vars(object);
        self.owners.push(Owner { who, count: vars.as_ref().map(PyDictMethods::len) });
        for (name, value) in vars.iter().flatten() {
            let Ok(name) = name.cast_into::<PyString>() else { continue };
            search.follow(&value);
            self.push(Place::Attribute(owner), name, guarded(&value));
        }
        let class = object.get_type();
        for base in class.mro().iter() {
            let members = base.getattr("__dict__")?;
            if !members.contains("__slots__")? {
                continue;
            }
            for item in members.call_method0("items")?.try_iter()? {
                let (name, member): (Bound<'py, PyString>, Obj<'py>) = item?.extract()?;
                if member.get_type().name()?.to_cow()? != "member_descriptor" {
                    continue;
                }
                let value = object.getattr_opt(&name)?;
                if let Some(value) = &value {
                    search.follow(value);
                }
                let value = value.map_or(Value::Absent, |v| guarded(&v));
                self.push(Place::Slot(owner), name, value);
            }
        }
        search.class(class);
        Ok(())
    }

    fn add_class_attribute<'py>(
        &mut self,
        class: &Bound<'py, PyType>,
        name: &Bound<'py, PyString>,
        search: &mut Search<'py>,
    ) -> PyResult<()> {
        let mut first = true;
        for base in class.mro().iter() {
            let Ok(value) = base.getattr("__dict__")?.get_item(name) else { continue };
            // `super()` reaches the later ones.
            for part in ["__func__", "fget", "func"] {
                if let Ok(function) = value.getattr(part) {
                    search.follow(&function);
                }
            }
            search.follow(&value);
            // Looked up at the class as its methods are, which is quick. What that binds anew each time
            // has no identity.
            let now = class.getattr(name);
            if first && now.is_ok_and(|now| now.is(&value)) {
                let value = guarded(&value);
                if !matches!(value, Value::Ignored) {
                    self.push(Place::Class(class.clone().unbind()), name.clone(), value);
                }
            }
            first = false;
        }
        Ok(())
    }

    /// Looks into something that is called.
    fn add_code<'py>(&mut self, f: &Obj<'py>, search: &mut Search<'py>) -> PyResult<()> {
        let py = f.py();
        if let Ok(jitted) = f.cast::<Jitted>() {
            search.follow(jitted.get().function.bind(py));
            return Ok(());
        }
        if !f.is_instance_of::<PyFunction>() {
            // Bound methods and partials.
            if let Ok(inner) = f.getattr("__func__") {
                search.follow(&inner);
                // A staticmethod as its class holds it wraps a function and has no object.
                let Ok(object) = f.getattr("__self__") else { return Ok(()) };
                if let Ok(class) = object.cast::<PyType>() {
                    search.class(class.clone());
                } else if is_object(&object)
                    && !search.args.iter().any(|a| a.is(&object))
                    && let Ok(weak) = PyWeakrefReference::new(&object)
                {
                    self.add_owner(&object, Who::Bound(weak.unbind()), search)?;
                }
            } else if f.get_type().name()?.to_cow()? == "partial" {
                search.follow(&f.getattr("func")?);
                for value in f.getattr("args")?.try_iter()? {
                    search.follow(&value?);
                }
            }
            return Ok(());
        }
        let Ok(globals) = f.getattr("__globals__")?.cast_into::<PyDict>() else { return Ok(()) };
        let module: Option<String> =
            globals.get_item("__name__")?.and_then(|name| name.extract().ok());
        let root = module.as_deref().and_then(|m| m.split('.').next());
        // What a library's wrapper was made around is still the user's.
        if root != Some("rnp") && root != Some("numpy") {
            let mut codes = vec![f.getattr("__code__")?];
            let mut mine: Vec<Bound<'py, PyString>> = Vec::new();
            while let Some(code) = codes.pop() {
                for name in code.getattr("co_names")?.try_iter()? {
                    let name = name?.cast_into::<PyString>()?;
                    search.name(name.clone())?;
                    mine.push(name);
                }
                for constant in code.getattr("co_consts")?.try_iter()? {
                    let constant = constant?;
                    if constant.is_instance_of::<PyCode>() {
                        codes.push(constant);
                    }
                }
            }
            for name in mine {
                self.add_global(&globals, name, search)?;
            }
        }
        let names = f.getattr("__code__")?.getattr("co_freevars")?.cast_into::<PyTuple>()?;
        if let Ok(cells) = f.getattr("__closure__")?.cast_into::<PyTuple>() {
            for (cell, name) in cells.iter().zip(names.iter()) {
                // An empty cell is one that the function has yet to be given.
                let Ok(value) = cell.getattr("cell_contents") else { continue };
                let known = |g: &Guard| matches!(&g.place, Place::Cell(c) if c.is(&cell));
                if self.all.iter().any(known) {
                    continue;
                }
                search.follow(&value);
                let place = Place::Cell(cell.unbind());
                self.push(place, name.cast_into::<PyString>()?, guarded(&value));
            }
        }
        Ok(())
    }

    fn add_global<'py>(
        &mut self,
        globals: &Bound<'py, PyDict>,
        name: Bound<'py, PyString>,
        search: &mut Search<'py>,
    ) -> PyResult<()> {
        let Some(value) = globals.get_item(&name)? else { return Ok(()) };
        let py = globals.py();
        let known = |g: &Guard| {
            matches!(&g.place, Place::Global(d) if d.is(globals)) && g.name.bind(py).is(&name)
        };
        if value.is_instance_of::<PyModule>() || self.all.iter().any(known) {
            return Ok(());
        }
        search.follow(&value);
        self.push(Place::Global(globals.clone().unbind()), name, guarded(&value));
        Ok(())
    }

    fn owners<'py>(&self, py: Python<'py>, args: &Bound<'py, PyTuple>) -> Vec<Found<'py>> {
        let found = self.owners.iter().map(|owner| {
            let object = owner.object(py, args);
            let vars = object.as_ref().filter(|_| owner.count.is_some()).and_then(vars);
            (object, vars)
        });
        found.collect()
    }

    /// An error if the function changed what it read: that happened once, and later calls would not see
    /// it happen again.
    ///
    /// An attribute that is new is no error unless it holds a tracer: a function may fill a cache. The
    /// next call, which finds it there, is traced again.
    pub fn settle(&mut self, py: Python<'_>, args: &Bound<'_, PyTuple>) -> PyResult<()> {
        let owners = self.owners(py, args);
        for (_, vars) in &owners {
            for (name, value) in vars.iter().flatten() {
                if is_tracer(&value) {
                    return Err(left_behind(&format!("the attribute {name}")));
                }
            }
        }
        let mut left = Vec::with_capacity(self.all.len());
        for guard in std::mem::take(&mut self.all) {
            if guard.now(py, &owners)?.is_some_and(|now| is_tracer(&now)) {
                return Err(left_behind(&guard.what(py)));
            }
            if !guard.holds(py, &owners)? {
                return Err(TraceError::new_err(format!(
                    "rnp.jit: {} was changed while the function was traced, which later calls would not \
                     repeat; pass the old value as an argument, return the new one, and assign it \
                     outside the jitted function",
                    guard.what(py)
                )));
            }
            if !matches!(guard.value, Value::Ignored) {
                left.push(guard);
            }
        }
        self.all = left;
        Ok(())
    }

    /// Whether all of it still holds.
    pub fn hold(&self, py: Python<'_>, args: &Bound<'_, PyTuple>) -> PyResult<bool> {
        if self.all.is_empty() && self.owners.is_empty() {
            return Ok(true);
        }
        let owners = self.owners(py, args);
        for (owner, (_, vars)) in self.owners.iter().zip(&owners) {
            if vars.as_ref().map(PyDictMethods::len) != owner.count {
                return Ok(false);
            }
        }
        for guard in &self.all {
            if !guard.holds(py, &owners)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Shows the garbage collector the Python objects that it holds.
    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        for guard in &self.all {
            match &guard.place {
                Place::Global(dict) => visit.call(dict)?,
                Place::Cell(cell) => visit.call(cell)?,
                Place::Class(class) => visit.call(class)?,
                Place::Attribute(_) | Place::Slot(_) => {}
            }
            match &guard.value {
                Value::Held(value) => visit.call(value)?,
                Value::Weak(weak) => visit.call(weak)?,
                Value::Absent | Value::Ignored => {}
            }
        }
        Ok(())
    }
}

fn left_behind(what: &str) -> PyErr {
    TraceError::new_err(format!(
        "rnp.jit: {what} was given an array that stands for an argument while the function is traced, and \
         has no value afterwards; return it from the jitted function and assign it outside"
    ))
}

/// Whether it is neither an array nor a value nor a container nor a class.
fn is_object(object: &Obj<'_>) -> bool {
    !(is_data(object)
        || object.is_instance_of::<PyFunction>()
        || object.is_instance_of::<PyDict>()
        || object.is_instance_of::<PyList>()
        || object.is_instance_of::<PyType>()
        || object.is_instance_of::<PyModule>())
}

fn vars<'py>(object: &Obj<'py>) -> Option<Bound<'py, PyDict>> {
    object.getattr_opt(pyo3::intern!(object.py(), "__dict__")).ok()??.cast_into::<PyDict>().ok()
}
