//! ndarrays as raw memory: their layout, and memory of the engine as ndarrays.
//!
//! NumPy's C structures are read directly: rust-numpy's slices are undefined for misaligned arrays.
//! May not know: deferred arrays, modes.

use std::any::Any;
use std::sync::Arc;

use numpy::npyffi::{
    NPY_ORDER, NPY_TYPES, NpyTypes, PY_ARRAY_API, PyArray_Check, PyArray_CheckExact, PyArray_Descr,
    PyArrayObject, flags, get_type_object, npy_intp,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyInt, PyTuple};

use super::error::Unsupported;
use crate::buffer::{Buffer, Storage};
use crate::dtype::{DType, Scalar};
use crate::runtime;
use crate::shape::{self, Shape, Strides};

/// What rnp computes on, for error messages.
pub const ACCEPTED: &str = "bool, int8 to int64, uint8 to uint64, float16, float32, float64, \
                            complex64, complex128";

/// Results of at least this many bytes are written to pooled memory, which needs no fresh pages.
const LARGE: usize = 64 << 10;

/// Results that are written where they will stay are pooled memory from this many bytes on.
const POOLED: usize = 256 << 10;

/// Results of at most this many bytes are copied to memory of NumPy's: an owner costs more.
const SMALL: usize = 4 << 10;

/// Keeps a Python object alive for as long as its memory is read.
pub struct PyKeeper(#[allow(dead_code, reason = "held, not used")] pub Py<PyAny>);

/// Keeps an ndarray whose memory nobody else can reach, so that it may be handed over.
struct Owned {
    _array: Py<PyAny>,
}

/// The base of an ndarray whose memory the engine owns.
#[pyclass(frozen, module = "rnp._core")]
struct Owner {
    _keeper: Arc<dyn Any + Send + Sync>,
}

/// The base of a read-only ndarray over a value that rnp keeps: memory that nobody writes.
#[pyclass(frozen, module = "rnp._core")]
pub struct Kept {
    _keeper: Arc<dyn Any + Send + Sync>,
}

/// An ndarray's memory as it is.
pub struct Layout {
    /// The place, type, shape and strides.
    pub ptr: *const u8,
    /// The elements.
    pub dtype: DType,
    /// Whether their bytes are in the other order.
    pub swapped: bool,
    /// The shape.
    pub shape: Shape,
    /// Byte strides.
    pub strides: Strides,
    /// Whether NumPy lets it be written.
    pub writeable: bool,
}

/// Finds NumPy's table of functions: rust-numpy reads NumPy's version for it, by a regular expression, which takes
/// longer than most first calls do.
pub fn find_numpy(py: Python<'_>) {
    // SAFETY: any object may be asked.
    unsafe { PyArray_Check(py, py.None().as_ptr()) };
}

/// Whether the object is an ndarray (or of a subclass).
pub fn is_ndarray(obj: &Bound<'_, PyAny>) -> bool {
    // SAFETY: any object may be asked.
    unsafe { PyArray_Check(obj.py(), obj.as_ptr()) != 0 }
}

/// Whether the object is an ndarray and not of a subclass.
pub fn is_exact_ndarray(obj: &Bound<'_, PyAny>) -> bool {
    // SAFETY: any object may be asked.
    unsafe { PyArray_CheckExact(obj.py(), obj.as_ptr()) != 0 }
}

/// Whether the object is an ndarray of a subclass that means more than memory.
pub fn is_subclass(obj: &Bound<'_, PyAny>) -> PyResult<bool> {
    let other = is_ndarray(obj) && !is_exact_ndarray(obj);
    Ok(other && obj.get_type().name()?.to_cow()? != "memmap")
}

/// The layout of an ndarray; `Unsupported` for a dtype that rnp does not compute on.
pub fn layout(op: &str, array: &Bound<'_, PyAny>) -> PyResult<Layout> {
    debug_assert!(is_ndarray(array));
    // SAFETY: the object is an ndarray, whose fields stay as they are while the GIL is held.
    unsafe {
        let fields = &(*array.as_ptr().cast::<PyArrayObject>()).fields;
        let (dtype, swapped) = descr(fields.descr).ok_or_else(|| unsupported(op, array))?;
        let n = fields.nd as usize;
        let dims = raw(fields.dimensions, n);
        Ok(Layout {
            ptr: fields.data.cast(),
            dtype,
            swapped,
            shape: dims.iter().map(|&d| d as usize).collect(),
            strides: raw(fields.strides, n).iter().copied().collect(),
            writeable: fields.flags & flags::NPY_ARRAY_WRITEABLE != 0,
        })
    }
}

/// # Safety
/// `ptr` points at `n` values unless `n` is 0.
unsafe fn raw<'a>(ptr: *mut npy_intp, n: usize) -> &'a [npy_intp] {
    if n == 0 {
        return &[];
    }
    // SAFETY: the caller's promise.
    unsafe { std::slice::from_raw_parts(ptr, n) }
}

fn unsupported(op: &str, array: &Bound<'_, PyAny>) -> PyErr {
    let dtype = array.getattr("dtype").map_or_else(|_| "?".to_owned(), |d| d.to_string());
    Unsupported::new_err(format!("{op}: dtype {dtype} is not supported; accepted are {ACCEPTED}"))
}

/// The base object of an ndarray.
pub fn base<'py>(array: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
    // SAFETY: the object is an ndarray; its base is null or a Python object it owns.
    unsafe {
        let base = (*array.as_ptr().cast::<PyArrayObject>()).fields.base;
        Bound::from_borrowed_ptr_or_opt(array.py(), base)
    }
}

/// The memory of an ndarray that nobody but the caller, with this one handle, can reach, if it is in C order
/// and of native byte order.
pub fn owned(op: &str, array: &Bound<'_, PyAny>) -> PyResult<Option<Storage>> {
    let layout = layout(op, array)?;
    let (dtype, shape, strides) = (layout.dtype, layout.shape, layout.strides);
    if layout.swapped
        || !shape::is_c_ordered(&shape, &strides, dtype.size())
        || !is_unreachable(array)
    {
        return Ok(None);
    }
    let keeper = Arc::new(Owned { _array: array.clone().unbind() });
    // Strides of axes of length 1 may be anything.
    let strides = shape::c_strides(&shape, dtype.size());
    Ok(Some(Storage { ptr: layout.ptr, dtype, shape, strides, keeper }))
}

/// Whether no other handle leads to an ndarray's memory: it is nobody else's, has no weak references, and
/// owns its memory or is the only view of one that does.
fn is_unreachable(array: &Bound<'_, PyAny>) -> bool {
    let (py, mut at) = (array.py(), array.as_ptr());
    // NumPy collapses chains of views; a longer one is somebody's construction.
    for _ in 0..8 {
        // SAFETY: `at` is the caller's array, or the base of one that is alive; the GIL is held.
        unsafe {
            if PyArray_CheckExact(py, at) == 0 || pyo3::ffi::Py_REFCNT(at) != 1 {
                return false;
            }
            let fields = &(*at.cast::<PyArrayObject>()).fields;
            if !fields.weakreflist.is_null() {
                return false;
            }
            if fields.base.is_null() {
                return fields.flags & flags::NPY_ARRAY_OWNDATA != 0;
            }
            at = fields.base;
        }
    }
    false
}

/// What rnp knows of a dtype, and whether its byte order is the other one.
///
/// # Safety
/// `descr` is a dtype object.
unsafe fn descr(descr: *const PyArray_Descr) -> Option<(DType, bool)> {
    // SAFETY: the caller's promise.
    let (number, order) = unsafe { ((*descr).fields.type_num, (*descr).fields.byteorder as u8) };
    let dtype = usize::try_from(number).ok().and_then(|n| *NUMBERS.get(n)?)?;
    let other = if cfg!(target_endian = "little") { b'>' } else { b'<' };
    Some((dtype, order == other))
}

/// The dtype, if rnp computes on it and its byte order is the machine's.
///
/// # Safety
/// `descr` is a dtype object.
#[inline]
pub unsafe fn native(descr: *const PyArray_Descr) -> Option<DType> {
    // SAFETY: the caller's promise.
    let (dtype, swapped) = unsafe { self::descr(descr) }?;
    (!swapped).then_some(dtype)
}

/// NumPy's type numbers. Of those of one dtype the first is what NumPy calls it by.
const TYPES: [(NPY_TYPES, DType); 16] = {
    use NPY_TYPES::*;
    let long = size_of::<std::ffi::c_long>() == 8;
    [
        (NPY_BOOL, DType::Bool),
        (NPY_BYTE, DType::I8),
        (NPY_UBYTE, DType::U8),
        (NPY_SHORT, DType::I16),
        (NPY_USHORT, DType::U16),
        (NPY_LONG, if long { DType::I64 } else { DType::I32 }),
        (NPY_ULONG, if long { DType::U64 } else { DType::U32 }),
        (NPY_INT, DType::I32),
        (NPY_UINT, DType::U32),
        (NPY_LONGLONG, DType::I64),
        (NPY_ULONGLONG, DType::U64),
        (NPY_HALF, DType::F16),
        (NPY_FLOAT, DType::F32),
        (NPY_DOUBLE, DType::F64),
        (NPY_CFLOAT, DType::C64),
        (NPY_CDOUBLE, DType::C128),
    ]
};

/// The dtype of each of NumPy's type numbers.
const NUMBERS: [Option<DType>; 24] = {
    let (mut all, mut i) = ([None; 24], 0);
    while i < TYPES.len() {
        all[TYPES[i].0 as usize] = Some(TYPES[i].1);
        i += 1;
    }
    all
};

/// NumPy's type number.
fn number(dtype: DType) -> NPY_TYPES {
    const OF: [NPY_TYPES; DType::C128 as usize + 1] = {
        let (mut all, mut i) = ([NPY_TYPES::NPY_BOOL; DType::C128 as usize + 1], TYPES.len());
        while i > 0 {
            i -= 1;
            all[TYPES[i].1 as usize] = TYPES[i].0;
        }
        all
    };
    OF[dtype as usize]
}

/// The dtype object.
pub fn dtype_object(py: Python<'_>, dtype: DType) -> PyResult<Bound<'_, PyAny>> {
    // SAFETY: a valid type number; the call gives a new reference or null with an exception set.
    unsafe {
        let descr = PY_ARRAY_API.PyArray_DescrFromType(py, number(dtype) as i32);
        Bound::from_owned_ptr_or_err(py, descr.cast())
    }
}

/// The dtype of one of NumPy's scalar classes that samples have, which is how most write it: NumPy's own look-up
/// takes as long as the conversion of a few samples.
pub fn of_class(obj: &Bound<'_, PyAny>) -> Option<DType> {
    use NpyTypes::{
        PyDoubleArrType_Type, PyFloatArrType_Type, PyIntArrType_Type, PyShortArrType_Type,
    };
    let classes = [
        (PyFloatArrType_Type, DType::F32),
        (PyShortArrType_Type, DType::I16),
        (PyDoubleArrType_Type, DType::F64),
        (PyIntArrType_Type, DType::I32),
    ];
    // SAFETY: NumPy's table has the classes, whose addresses alone are compared.
    let is = |class| unsafe { get_type_object(obj.py(), class) }.cast() == obj.as_ptr();
    classes.into_iter().find_map(|(class, dtype)| is(class).then_some(dtype))
}

/// What the user wrote as a dtype.
pub fn parse_dtype(op: &str, obj: &Bound<'_, PyAny>) -> PyResult<DType> {
    if let Some(dtype) = of_class(obj) {
        return Ok(dtype);
    }
    let py = obj.py();
    let mut out: *mut PyArray_Descr = std::ptr::null_mut();
    // SAFETY: on success `out` is a new reference; else an exception is set.
    let object = unsafe {
        let ok = PY_ARRAY_API.PyArray_DescrConverter(py, obj.as_ptr(), &raw mut out);
        if ok == 0 || out.is_null() {
            return Err(PyErr::fetch(py));
        }
        Bound::from_owned_ptr(py, out.cast())
    };
    // SAFETY: a dtype object, held above.
    match unsafe { descr(out) } {
        Some((dtype, false)) => Ok(dtype),
        Some((dtype, true)) => Err(Unsupported::new_err(format!(
            "{op}: results have native byte order; ask for {dtype} and convert the NumPy result"
        ))),
        None => Err(Unsupported::new_err(format!(
            "{op}: dtype {object} is not supported; accepted are {ACCEPTED}"
        ))),
    }
}

/// The value of a NumPy scalar or a 0-d array of native order.
pub fn scalar(op: &str, obj: &Bound<'_, PyAny>) -> PyResult<Scalar> {
    // SAFETY: the object is a NumPy scalar; the call gives a new reference or sets an exception.
    let array = unsafe {
        let ptr = PY_ARRAY_API.PyArray_FromScalar(obj.py(), obj.as_ptr(), std::ptr::null_mut());
        Bound::from_owned_ptr_or_err(obj.py(), ptr)?
    };
    let layout = layout(op, &array)?;
    if layout.dtype.is_complex() {
        return Err(unsupported(op, &array));
    }
    let mut bytes = [0; 8];
    // SAFETY: a 0-d array has one element of this size, and `bytes` has room for the largest.
    unsafe { std::ptr::copy_nonoverlapping(layout.ptr, bytes.as_mut_ptr(), layout.dtype.size()) };
    Ok(Scalar { dtype: layout.dtype, bits: u64::from_le_bytes(bytes) })
}

/// An ndarray over memory that `base` keeps; its base is `base`.
fn over<'py>(
    py: Python<'py>,
    storage: &Storage,
    base: Bound<'py, PyAny>,
    writeable: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let mut dims: Shape = storage.shape.clone();
    let mut strides = storage.strides.clone();
    let flags = if writeable { flags::NPY_ARRAY_WRITEABLE } else { 0 };
    // SAFETY: dims and strides describe memory that `base` keeps alive; NumPy copies both lists,
    // takes over the references to the dtype and (also on failure) to the base.
    unsafe {
        let kind = get_type_object(py, NpyTypes::PyArray_Type);
        let descr = PY_ARRAY_API.PyArray_DescrFromType(py, number(storage.dtype) as i32);
        let array = PY_ARRAY_API.PyArray_NewFromDescr(
            py,
            kind,
            descr,
            dims.len() as i32,
            dims.as_mut_ptr().cast(),
            strides.as_mut_ptr(),
            storage.ptr.cast_mut().cast(),
            flags,
            std::ptr::null_mut(),
        );
        let array = Bound::from_owned_ptr_or_err(py, array)?;
        if PY_ARRAY_API.PyArray_SetBaseObject(py, array.as_ptr().cast(), base.into_ptr()) != 0 {
            return Err(PyErr::fetch(py));
        }
        Ok(array)
    }
}

/// A read-only ndarray over a value, without a copy.
pub fn view<'py>(py: Python<'py>, storage: &Storage) -> PyResult<Bound<'py, PyAny>> {
    if storage.shape.contains(&0) {
        return fresh(py, storage);
    }
    let base = Bound::new(py, Kept { _keeper: storage.keeper.clone() })?.into_any();
    over(py, storage, base, false)
}

/// A writable ndarray of the value that nobody else sees. Its memory is handed over when `storage` is
/// the only one who holds it; else it is copied.
pub fn fresh<'py>(py: Python<'py>, storage: &Storage) -> PyResult<Bound<'py, PyAny>> {
    if storage.shape.contains(&0) {
        let shape: Vec<usize> = storage.shape.to_vec();
        let shape = PyTuple::new(py, shape)?;
        let dtype = dtype_object(py, storage.dtype)?;
        return py.import("numpy")?.call_method1("empty", (shape, dtype));
    }
    let bytes = storage.shape.iter().product::<usize>() * storage.dtype.size();
    let contiguous = storage.strides == shape::c_strides(&storage.shape, storage.dtype.size());
    if bytes <= SMALL && contiguous {
        return small(py, storage, bytes);
    }
    let foreign = (*storage.keeper).is::<PyKeeper>();
    // The caller's handle is the one.
    if !foreign && contiguous && Arc::strong_count(&storage.keeper) == 1 {
        let base = Bound::new(py, Owner { _keeper: storage.keeper.clone() })?.into_any();
        return over(py, storage, base, true);
    }
    let copy = copy(py, &view(py, storage)?, storage.dtype)?;
    let base = Bound::new(py, Owner { _keeper: copy.keeper.clone() })?.into_any();
    over(py, &copy, base, true)
}

/// A new ndarray, C-ordered, which `fill` writes; all its bytes are there to be written.
pub fn filled<'py>(
    py: Python<'py>,
    dtype: DType,
    shape: &Shape,
    fill: impl FnOnce(&mut [u8]) -> crate::error::Result<()> + Send,
) -> PyResult<Bound<'py, PyAny>> {
    let bytes = super::error::checked(py, || Ok(shape::count(shape)? * dtype.size()))?;
    if bytes >= LARGE {
        let mut buffer = super::error::checked(py, || Buffer::new(bytes))?;
        py.detach(|| super::error::guard(|| fill(buffer.bytes_mut())))
            .map_err(|e| super::error::raise(py, &e))?;
        let storage = Storage::from_buffer(Arc::new(buffer), dtype, shape.clone());
        return fresh(py, &storage.map_err(|e| super::error::raise(py, &e))?);
    }
    let (array, data) = empty(py, dtype, shape)?;
    // SAFETY: the array has `bytes` bytes, and nobody else has it yet. `fill` is given zeros.
    let out = unsafe {
        data.write_bytes(0, bytes);
        std::slice::from_raw_parts_mut(data, bytes)
    };
    super::error::checked(py, || fill(out))?;
    Ok(array)
}

/// A copy of a contiguous value in memory of NumPy's own, which keeps small pieces at hand.
fn small<'py>(py: Python<'py>, storage: &Storage, bytes: usize) -> PyResult<Bound<'py, PyAny>> {
    let (array, data) = empty(py, storage.dtype, &storage.shape)?;
    // SAFETY: the new array has `bytes` bytes, as has the value.
    unsafe { std::ptr::copy_nonoverlapping(storage.ptr, data, bytes) };
    Ok(array)
}

/// An ndarray with nothing in it yet, and its first byte: in memory of NumPy's, which keeps small pieces at
/// hand, or in the engine's pool, which needs no fresh pages.
pub fn unwritten<'py>(
    py: Python<'py>,
    dtype: DType,
    shape: &[usize],
) -> PyResult<(Bound<'py, PyAny>, *mut u8)> {
    let bytes = shape.iter().product::<usize>() * dtype.size();
    if bytes < POOLED {
        return empty(py, dtype, shape);
    }
    let buffer = super::error::checked(py, || {
        let mut buffer = Buffer::new(bytes)?;
        let ptr = buffer.as_mut_ptr();
        Ok((Storage::from_buffer(Arc::new(buffer), dtype, shape.into())?, ptr))
    });
    let (storage, ptr) = buffer?;
    Ok((fresh(py, &storage)?, ptr))
}

/// What an ndarray's own `reshape` gives for a number or a tuple; `None` for other arguments.
pub fn reshaped<'py>(
    array: &Bound<'py, PyAny>,
    shape: &Bound<'py, PyAny>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let plain = shape.is_exact_instance_of::<PyTuple>() || shape.is_exact_instance_of::<PyInt>();
    if !is_exact_ndarray(array) || !plain {
        return Ok(None);
    }
    let py = array.py();
    // SAFETY: an ndarray; NumPy reads the shape, and gives a new reference or null with an exception set.
    unsafe {
        let view = PY_ARRAY_API.PyArray_Reshape(py, array.as_ptr().cast(), shape.as_ptr());
        Bound::from_owned_ptr_or_err(py, view).map(Some)
    }
}

/// An ndarray of NumPy's own with nothing in it yet, and its first byte.
pub fn empty<'py>(
    py: Python<'py>,
    dtype: DType,
    shape: &[usize],
) -> PyResult<(Bound<'py, PyAny>, *mut u8)> {
    // SAFETY: NumPy reads the shape, takes over the reference to the dtype, and gives a new reference or null
    // with an exception set.
    unsafe {
        let array = PY_ARRAY_API.PyArray_NewFromDescr(
            py,
            get_type_object(py, NpyTypes::PyArray_Type),
            PY_ARRAY_API.PyArray_DescrFromType(py, number(dtype) as i32),
            shape.len() as i32,
            shape.as_ptr().cast_mut().cast(),
            std::ptr::null_mut(),
            std::ptr::null_mut(),
            0,
            std::ptr::null_mut(),
        );
        let array = Bound::from_owned_ptr_or_err(py, array)?;
        let data = (*array.as_ptr().cast::<PyArrayObject>()).fields.data;
        Ok((array, data.cast()))
    }
}

/// A NumPy scalar of the value in the first bytes of a word.
pub fn value<'py>(py: Python<'py>, dtype: DType, word: &[u64; 1]) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: NumPy copies the value; the dtype is a new reference, which it does not take over.
    unsafe {
        let descr = PY_ARRAY_API.PyArray_DescrFromType(py, number(dtype) as i32);
        let descr = Bound::from_owned_ptr_or_err(py, descr.cast())?;
        let data = word.as_ptr().cast_mut().cast();
        let out =
            PY_ARRAY_API.PyArray_Scalar(py, data, descr.as_ptr().cast(), std::ptr::null_mut());
        Bound::from_owned_ptr_or_err(py, out)
    }
}

/// The value as NumPy returns it: a fresh ndarray, or a scalar for 0-d.
pub fn result<'py>(py: Python<'py>, storage: &Storage) -> PyResult<Bound<'py, PyAny>> {
    if !storage.shape.is_empty() {
        return fresh(py, storage);
    }
    let array = view(py, storage)?;
    // SAFETY: `PyArray_Return` takes over the reference and copies the value of a 0-d array.
    unsafe {
        let out = PY_ARRAY_API.PyArray_Return(py, array.into_ptr().cast());
        Bound::from_owned_ptr_or_err(py, out)
    }
}

/// A contiguous copy in native byte order in the engine's own memory.
pub fn copy(py: Python<'_>, array: &Bound<'_, PyAny>, dtype: DType) -> PyResult<Storage> {
    let layout = layout("copy", array)?;
    let len = shape::count(&layout.shape)
        .and_then(|n| {
            n.checked_mul(dtype.size())
                .ok_or_else(|| crate::error::Error::value("array is too big"))
        })
        .map_err(|e| super::error::raise(py, &e))?;
    let mut buffer = super::error::checked(py, || Buffer::new(len))?;
    let strides = shape::c_strides(&layout.shape, dtype.size());
    let plain = !layout.swapped && layout.dtype == dtype && layout.strides == strides;
    let target = buffer.as_mut_ptr();
    if plain {
        let (from, to) = (layout.ptr as usize, target as usize);
        // SAFETY: both sides have `len` bytes and are distinct; the caller holds the array. Another
        // thread that writes it meanwhile has raced with this line, as it would in NumPy.
        let move_bytes = || unsafe { runtime::copy(from as *const u8, to as *mut u8, len) };
        if len < LARGE * 16 { move_bytes() } else { py.detach(move_bytes) }
    }
    let storage =
        Storage { ptr: target, dtype, shape: layout.shape, strides, keeper: Arc::new(buffer) };
    if !plain && len > 0 {
        let base = Bound::new(py, Owner { _keeper: storage.keeper.clone() })?.into_any();
        let whole = over(py, &storage, base, true)?;
        // SAFETY: both are ndarrays of one shape.
        let failed = unsafe {
            PY_ARRAY_API.PyArray_CopyInto(py, whole.as_ptr().cast(), array.as_ptr().cast()) != 0
        };
        if failed {
            return Err(PyErr::fetch(py));
        }
    }
    Ok(storage)
}

/// Whether elements share memory, as frames of a signal do: a copy of each would be larger than all that
/// they cover. Axes that repeat one element do not count.
pub fn overlaps(layout: &Layout) -> bool {
    let repeats = layout.shape.iter().zip(&layout.strides).any(|(&n, &step)| n > 1 && step == 0);
    let (low, high) = covered(layout);
    let bytes = layout.shape.iter().try_fold(layout.dtype.size(), |all, &n| all.checked_mul(n));
    !repeats && !layout.swapped && bytes.is_none_or(|bytes| bytes > high.abs_diff(low))
}

fn covered(layout: &Layout) -> (isize, isize) {
    shape::reach(&layout.shape, &layout.strides, layout.dtype.size())
}

/// A copy of elements that overlap: of the memory that they cover, once, under the same strides.
pub fn copy_covered(py: Python<'_>, layout: &Layout) -> PyResult<Storage> {
    let (low, high) = covered(layout);
    let len = high.abs_diff(low);
    let mut buffer = super::error::checked(py, || Buffer::new(len))?;
    let first = layout.ptr.wrapping_offset(low);
    // SAFETY: the lowest and the highest element are of one ndarray, whose memory is one piece, and the
    // caller holds it; the buffer is new and has `len` bytes.
    unsafe { runtime::copy(first, buffer.as_mut_ptr(), len) };
    Ok(Storage {
        ptr: buffer.as_ptr().wrapping_offset(-low),
        dtype: layout.dtype,
        shape: layout.shape.clone(),
        strides: layout.strides.clone(),
        keeper: Arc::new(buffer),
    })
}

/// The same memory, axes of stride 0 cut to length 1, so that a copy is as small as its data.
pub fn narrowed<'py>(array: &Bound<'py, PyAny>, layout: &Layout) -> PyResult<Bound<'py, PyAny>> {
    let zero = |a: usize| layout.strides[a] == 0 && layout.shape[a] > 1;
    if !(0..layout.shape.len()).any(zero) {
        return Ok(array.clone());
    }
    let py = array.py();
    let items = (0..layout.shape.len()).map(|a| {
        let stop = if zero(a) { Some(1isize) } else { None };
        pyo3::types::PySlice::full(py).get_type().call1((stop,))
    });
    let items = items.collect::<PyResult<Vec<_>>>()?;
    array.get_item(PyTuple::new(py, items)?)
}

/// A C-ordered copy that NumPy owns.
pub fn numpy_copy<'py>(array: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = array.py();
    if !is_ndarray(array) {
        return Err(PyValueError::new_err("not an ndarray"));
    }
    // SAFETY: an ndarray; the call gives a new reference or sets an exception.
    unsafe {
        let out = PY_ARRAY_API.PyArray_NewCopy(py, array.as_ptr().cast(), NPY_ORDER::NPY_CORDER);
        Bound::from_owned_ptr_or_err(py, out)
    }
}
