//! What a trace took for granted: values of globals, closure cells and attributes of `self`.
//!
//! Compared at each call by identity, and where that fails by value.

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyFunction, PyInt, PyModule, PyString, PyTuple};

use super::super::nd;

/// How many functions' globals are followed from the one that is traced.
const FUNCTIONS: usize = 64;

enum Place {
    /// An entry of a module's dict.
    Global(Py<PyDict>, Py<PyString>),
    /// A closure cell.
    Cell(Py<PyAny>),
    /// An attribute of the object that is the argument at a place.
    Attribute(usize, Py<PyAny>),
}

struct Guard {
    place: Place,
    value: Py<PyAny>,
}

impl Guard {
    fn holds(&self, py: Python<'_>, args: &Bound<'_, PyTuple>) -> PyResult<bool> {
        let now = match &self.place {
            Place::Global(dict, name) => dict.bind(py).get_item(name.bind(py))?,
            Place::Cell(cell) => cell.bind(py).getattr("cell_contents").ok(),
            Place::Attribute(place, name) => {
                match args.get_item(*place).ok().and_then(|o| attributes(&o)) {
                    Some(vars) => vars.get_item(name)?,
                    None => None,
                }
            }
        };
        Ok(now.is_some_and(|now| same(self.value.bind(py), &now)))
    }
}

/// The guards of one trace.
#[derive(Default)]
pub struct Guards {
    all: Vec<Guard>,
    /// For each object argument, its place and how many attributes were guarded.
    objects: Vec<(usize, usize)>,
}

/// Values whose change is seen: by value what is plain, by identity what has a place.
fn is_guarded(value: &Bound<'_, PyAny>) -> bool {
    value.is_none()
        || value.is_instance_of::<PyBool>()
        || value.is_instance_of::<PyInt>()
        || value.is_instance_of::<PyFloat>()
        || value.is_instance_of::<PyString>()
        || nd::is_ndarray(value)
        || value.is_exact_instance_of::<PyTuple>()
        || value.is_instance_of::<super::super::array::Array>()
        || value.is_instance_of::<PyFunction>()
        || super::super::convert::is_scalar(value).unwrap_or(false)
}

fn same(a: &Bound<'_, PyAny>, b: &Bound<'_, PyAny>) -> bool {
    if a.is(b) {
        return true;
    }
    if nd::is_ndarray(a)
        || a.is_instance_of::<PyTuple>()
        || a.is_instance_of::<PyFunction>()
        || a.is_instance_of::<super::super::array::Array>()
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

impl Guards {
    /// Notes what `function` and the Python functions that it names would read, and the attributes of
    /// the arguments that are objects.
    pub fn collect(function: &Bound<'_, PyAny>, args: &Bound<'_, PyTuple>) -> PyResult<Self> {
        let mut guards = Guards::default();
        let mut waiting = vec![function.clone()];
        let mut seen = 0;
        while let Some(f) = waiting.pop() {
            seen += 1;
            if seen > FUNCTIONS {
                break;
            }
            guards.add_function(&f, &mut waiting)?;
        }
        for (place, object) in args.iter().enumerate() {
            let Some(vars) = attributes(&object) else { continue };
            let mut count = 0;
            for (name, value) in vars.iter() {
                if is_guarded(&value) {
                    let place = Place::Attribute(place, name.unbind());
                    guards.all.push(Guard { place, value: value.unbind() });
                }
                count += 1;
            }
            guards.objects.push((place, count));
        }
        Ok(guards)
    }

    fn add_function<'py>(
        &mut self,
        f: &Bound<'py, PyAny>,
        waiting: &mut Vec<Bound<'py, PyAny>>,
    ) -> PyResult<()> {
        let Some(code) = f.getattr_opt("__code__")? else { return Ok(()) };
        let Ok(globals) = f.getattr("__globals__")?.cast_into::<PyDict>() else { return Ok(()) };
        if let Ok(module) = globals.get_item("__name__")?.map_or(Ok(String::new()), |n| n.extract())
        {
            let root = module.split('.').next().unwrap_or_default();
            if root == "rnp" || root == "numpy" {
                return Ok(());
            }
        }
        for name in code.getattr("co_names")?.try_iter()? {
            let name = name?.cast_into::<PyString>()?;
            let Some(value) = globals.get_item(&name)? else { continue };
            if value.is_instance_of::<PyModule>() || !is_guarded(&value) {
                continue;
            }
            self.follow(&value, waiting);
            let place = Place::Global(globals.clone().unbind(), name.unbind());
            self.all.push(Guard { place, value: value.unbind() });
        }
        if let Ok(cells) = f.getattr("__closure__")?.cast_into::<PyTuple>() {
            for cell in cells.iter() {
                // An empty cell is one that the function has yet to be given.
                let Ok(value) = cell.getattr("cell_contents") else { continue };
                if is_guarded(&value) {
                    self.follow(&value, waiting);
                    self.all
                        .push(Guard { place: Place::Cell(cell.unbind()), value: value.unbind() });
                }
            }
        }
        Ok(())
    }

    fn follow<'py>(&self, value: &Bound<'py, PyAny>, waiting: &mut Vec<Bound<'py, PyAny>>) {
        let known = |g: &Guard| g.value.is(value);
        if value.is_instance_of::<PyFunction>() && !self.all.iter().any(known) {
            waiting.push(value.clone());
        }
    }

    /// Lets go of what the function itself changed while it was traced: such effects happen once.
    pub fn settle(&mut self, py: Python<'_>, args: &Bound<'_, PyTuple>) -> PyResult<()> {
        for (place, count) in &mut self.objects {
            let vars = args.get_item(*place).ok().and_then(|o| attributes(&o));
            *count = vars.map_or(0, |v| v.len());
        }
        let mut left = Vec::with_capacity(self.all.len());
        for guard in std::mem::take(&mut self.all) {
            if guard.holds(py, args)? {
                left.push(guard);
            }
        }
        self.all = left;
        Ok(())
    }

    /// Whether all of it still holds.
    pub fn hold(&self, py: Python<'_>, args: &Bound<'_, PyTuple>) -> PyResult<bool> {
        for &(place, count) in &self.objects {
            let vars = args.get_item(place).ok().and_then(|o| attributes(&o));
            if vars.is_none_or(|v| v.len() != count) {
                return Ok(false);
            }
        }
        for guard in &self.all {
            if !guard.holds(py, args)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The Python objects that it holds, for the garbage collector.
    pub fn held(&self) -> impl Iterator<Item = &Py<PyAny>> {
        self.all.iter().map(|g| &g.value)
    }
}

/// `vars(object)` of an object that is neither an array nor a value nor a class.
fn attributes<'py>(object: &Bound<'py, PyAny>) -> Option<Bound<'py, PyDict>> {
    let plain = is_guarded(object)
        || object.is_instance_of::<PyDict>()
        || object.is_instance_of::<pyo3::types::PyList>()
        || object.is_instance_of::<pyo3::types::PyType>()
        || object.is_instance_of::<PyModule>();
    if plain {
        return None;
    }
    object.getattr_opt("__dict__").ok()??.cast_into::<PyDict>().ok()
}
