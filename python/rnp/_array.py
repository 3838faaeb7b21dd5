"""Methods and attributes that `rnp.Array` shares with `numpy.ndarray` and that are compositions.

`rnp._core` makes the class with its operators and conversions. What is one call of a public
function, and what writes in place, is attached to it here, once, when rnp is imported.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import numpy
from numpy.lib.stride_tricks import as_strided
from rnp import _core, _dispatch
from rnp._core import Array, Unsupported
from rnp._out import dtype_of, store

# Methods that are the function of the same name.
_FUNCTIONS = [
    "all",
    "any",
    "argmax",
    "argmin",
    "argpartition",
    "argsort",
    "compress",
    "cumprod",
    "cumsum",
    "diagonal",
    "dot",
    "max",
    "mean",
    "min",
    "nonzero",
    "prod",
    "repeat",
    "round",
    "searchsorted",
    "squeeze",
    "std",
    "sum",
    "swapaxes",
    "take",
    "trace",
    "var",
]

# In-place operators: the special method, the operator that computes, NumPy's name for errors.
_IN_PLACE = {
    "__iadd__": (operator.add, "add"),
    "__isub__": (operator.sub, "subtract"),
    "__imul__": (operator.mul, "multiply"),
    "__itruediv__": (operator.truediv, "divide"),
    "__ifloordiv__": (operator.floordiv, "floor_divide"),
    "__imod__": (operator.mod, "remainder"),
    "__ipow__": (operator.pow, "power"),
    "__iand__": (operator.and_, "bitwise_and"),
    "__ior__": (operator.or_, "bitwise_or"),
    "__ixor__": (operator.xor, "bitwise_xor"),
    "__ilshift__": (operator.lshift, "left_shift"),
    "__irshift__": (operator.rshift, "right_shift"),
    "__imatmul__": (operator.matmul, "matmul"),
}


def _method(name: str) -> Callable[..., Any]:
    def method(self: Array, *args: Any, **keywords: Any) -> Any:
        return _dispatch.public(name)(self, *args, **keywords)

    method.__doc__ = f"`rnp.{name}` of the array."
    return method


def _in_place(compute: Callable[[Any, Any], Any], name: str) -> Callable[[Array, Any], Any]:
    def method(self: Array, other: Any) -> Any:
        # What a reduction or an index gives is a scalar in NumPy, and scalars never change: Python
        # then binds the name to the result of the plain operator.
        if self.ndim == 0:
            return NotImplemented
        value = compute(self, other)
        if value is NotImplemented:
            return value
        return store(name, self, value)

    return method


class _Methods:
    """The methods with a text of their own; `self` is an `Array`."""

    def __matmul__(self: Any, other: Any) -> Any:
        return _dispatch.public("matmul")(self, other)

    def __rmatmul__(self: Any, other: Any) -> Any:
        return _dispatch.public("matmul")(other, self)

    def astype(
        self: Any,
        dtype: Any,
        order: str = "K",
        casting: str = "unsafe",
        subok: bool = True,
        copy: bool = True,
    ) -> Any:
        """Convert to another dtype, as NumPy's `astype` does; `order` and `subok` say nothing."""
        if casting == "unsafe" and copy:
            try:
                return _core.astype(self, dtype)
            except Unsupported:
                pass
        wanted = dtype if isinstance(dtype, numpy.dtype) else numpy.dtype(dtype)
        if not numpy.can_cast(self.dtype, wanted, casting):  # type: ignore[arg-type]
            raise TypeError(
                f"Cannot cast array data from {self.dtype!r} to {wanted!r} according to the rule "
                f"'{casting}'"
            )
        if not copy and wanted == self.dtype and _core.is_lazy():
            return self
        try:
            return _core.astype(self, wanted)
        except Unsupported:
            found = _dispatch.fallback(numpy.ndarray.astype, (self, wanted), {})
            # Without axes it would have been a scalar's; one of objects is the object.
            return found[()] if self.ndim == 0 and wanted.kind == "O" else found

    def reshape(self: Any, *shape: Any, order: str = "C", copy: bool | None = None) -> Any:
        """Give the same elements another shape; a view where NumPy's is one."""
        dims = shape[0] if len(shape) == 1 else shape
        return _dispatch.public("reshape")(self, dims, order=order, copy=copy)

    def ravel(self: Any, order: str = "C") -> Any:
        """Give all elements along one axis; a view where NumPy's is one."""
        return _dispatch.public("ravel")(self, order=order)

    def clip(self: Any, min: Any = None, max: Any = None, out: Any = None, **keywords: Any) -> Any:
        """Limit the values; either bound may be None: `rnp.clip`."""
        return _dispatch.public("clip")(self, min, max, out, **keywords)

    def flatten(self: Any, order: str = "C") -> Any:
        """Give a copy of all elements along one axis."""
        return _dispatch.public("ravel")(self, order=order).copy()

    def transpose(self: Any, *axes: Any) -> Any:
        """Give a view with the axes in another order, by default in reverse."""
        alone = len(axes) == 1 and (axes[0] is None or isinstance(axes[0], (tuple, list)))
        return _core.transpose(self, (axes[0] if alone else axes) or None)

    def sort(
        self: Any, axis: int = -1, kind: Any = None, order: Any = None, *, stable: Any = None
    ) -> None:
        """Sort in place."""
        self[...] = _dispatch.public("sort")(self, axis, kind, order, stable=stable)

    def partition(
        self: Any, kth: Any, axis: int = -1, kind: str = "introselect", order: Any = None
    ) -> None:
        """Partition in place."""
        self[...] = _dispatch.public("partition")(self, kth, axis, kind, order)

    def view(self: Any, *args: Any, **keywords: Any) -> Any:
        """Give a view of all elements; in a block their bytes can be written as another dtype."""
        if not args and not keywords:
            return self[...]
        dtype = keywords.get("dtype", args[0] if args else None)
        if not _core.is_lazy():
            return self.__array__(copy=False).view(*args, **keywords)
        if len(args) + len(keywords) != 1 or keywords.keys() - {"dtype"}:
            return memory(self).view(*args, **keywords)
        seen = stand_in(self).view(dtype)
        if type(seen) is not numpy.ndarray or not _dispatch.supported(seen.dtype):
            return memory(self).view(dtype)
        _core._note_fallback("view", False)

        def get(array: Any, dtype: Any = seen.dtype) -> Any:
            return numpy.ascontiguousarray(array).reshape(array.shape).view(dtype)

        def put(array: Any, seen: Any) -> Any:
            return get(seen, array.dtype)

        return _core._lens(self, get, put, seen.dtype, seen.shape, "view")

    def fill(self: Any, value: Any) -> None:
        """Set all elements to a value."""
        self[...] = value

    def put(self: Any, indices: Any, values: Any, mode: str = "raise") -> None:
        """Set elements, counted in C order: `numpy.put`."""
        put(self, indices, values, mode)

    def resize(self: Any, *new_shape: Any, refcheck: bool = True) -> None:
        """Change shape and size in place: further elements are 0. Not for views and viewed ones."""
        dims = new_shape[0] if len(new_shape) == 1 else new_shape
        if dims is None:
            return
        dims = (operator.index(dims),) if not isinstance(dims, (tuple, list)) else tuple(dims)
        if any(n < 0 for n in dims):
            raise ValueError("negative dimensions not allowed")
        size = math.prod(dims)
        flat = _core.reshape(self.copy(), -1)[:size]
        if size > self.size:
            rest = _core.zeros(size - self.size, dtype=self.dtype)
            flat = _core.concatenate([flat, rest])
        self._become(_core.reshape(flat, dims))

    def itemset(self: Any, *args: Any) -> NoReturn:
        """Was removed from NumPy 2, too."""
        raise AttributeError("itemset was removed in NumPy 2; write x[index] = value")

    def conj(self: Any) -> Any:
        """Give the complex conjugate; of real arrays the array."""
        return _dispatch.public("conjugate")(self)

    conjugate = conj

    def to_device(self: Any, device: str, /, *, stream: Any = None) -> Any:
        """Give the array itself: its device is the CPU."""
        if stream is not None:
            raise ValueError("The stream argument in to_device() is not supported")
        if device != "cpu":
            raise ValueError(f'Unsupported device: {device}. Only "cpu" is accepted.')
        return self

    @property
    def device(self: Any) -> str:
        """The device of the values: `"cpu"`."""
        return "cpu"

    @device.setter
    def device(self: Any, value: Any) -> NoReturn:
        raise AttributeError("attribute 'device' of 'numpy.ndarray' objects is not writable")

    @property
    def strides(self: Any) -> tuple[int, ...]:
        """Bytes from an element to the next along each axis, as the value has them: in C order."""
        return strides(self.shape, self.itemsize)

    @property
    def flags(self: Any) -> Any:
        """How the value will lie in memory: `numpy.ndarray.flags` of an array in C order."""
        # They depend on how many axes are longer than one, and on whether there are elements.
        long = sum(n > 1 for n in self.shape)
        shape = (0,) if 0 in self.shape else (2, 2) if long > 1 else ()
        return numpy.empty(shape, self.dtype).flags

    @property
    def base(self: Any) -> None:
        """None: which memory the value will lie in is not known."""
        return None

    @property
    def data(self: Any) -> memoryview:
        """The memory of the value, which is computed; read-only."""
        return memoryview(self.__array__())

    @property
    def ctypes(self: Any) -> Any:
        """Memory of the value, which is computed, for C functions to read and to write.

        The array means that memory from now on: what is written there before something is evaluated
        that was made of the array is seen by it.
        """
        return memory(self).ctypes

    def choose(self: Any, *choices: Any, out: Any = None, mode: str = "raise") -> Any:
        """Take each element from the choice that the array names: `numpy.choose`."""
        given = choices[0] if len(choices) == 1 else choices
        return _dispatch.public("choose")(self, given, out, mode)

    def setflags(self: Any, write: Any = None, align: Any = None, uic: Any = None) -> None:
        """Refuse what the value cannot have: it is aligned, and can be written by rnp alone."""
        stand_in(self).setflags(align=align, uic=uic)
        if write is not None and not write:
            raise Unsupported("setflags: a deferred array that cannot be written")

    @property
    def mT(self: Any) -> Any:
        """The array with its last two axes swapped."""
        if self.ndim < 2:
            raise ValueError("matrix transpose with ndim < 2 is undefined")
        return _dispatch.public("swapaxes")(self, -1, -2)

    @property
    def flat(self: Any) -> Any:
        """The elements in C order, to be read and written by index: `numpy.ndarray.flat`."""
        if self.ndim > 32:
            raise RuntimeError(
                f"this function only supports up to 32 dimensions but the array has {self.ndim}."
            )
        return Flat(self)

    @flat.setter
    def flat(self: Any, value: Any) -> None:
        Flat(self)[:] = value


def strides(shape: tuple[int, ...], itemsize: int) -> tuple[int, ...]:
    """Give the byte strides of an array in C order."""
    if 0 in shape:
        return numpy.empty(shape, f"V{itemsize}").strides
    steps = [itemsize] * len(shape)
    for axis in range(len(shape) - 2, -1, -1):
        steps[axis] = steps[axis + 1] * max(shape[axis + 1], 1)
    return tuple(steps)


def stand_in(x: Array) -> Any:
    """Give an array of NumPy's of the same shape and layout over the memory of one element."""
    one = numpy.zeros((), x.dtype)
    return as_strided(one, x.shape, strides(x.shape, x.itemsize))


def _part(name: str) -> property:
    """Make the attribute for the real or the imaginary part, which can be assigned to."""
    getter = getattr(Array, name)

    def change(array: Any, value: Any) -> None:
        setattr(array, name, value)

    def get(self: Any) -> Any:
        return getter.__get__(self)

    def put(self: Any, value: Any) -> None:
        if self.dtype.kind == "c":
            get(self)[...] = value
        elif name == "imag":
            raise TypeError("array does not have imaginary part to set")
        else:
            _dispatch.update(self, change, (value,), f"set {name} part")

    return property(get, put, doc=getter.__doc__)


class Flat:
    """What `x.flat` gives: a view of the elements in C order, and an iterator over them."""

    def __init__(self, array: Array) -> None:
        self._array = array

    @property
    def base(self) -> Array:
        """The array."""
        return self._array

    def __getitem__(self, key: Any) -> Any:
        found = _core.reshape(self._array, -1)[key]
        return found.copy() if isinstance(found, Array) else found

    def __setitem__(self, key: Any, value: Any) -> None:
        flat = _core.reshape(self._array, -1).copy()
        shape = flat[key].shape
        values = _core.reshape(_core.asarray(value), -1)
        if shape and values.size not in (0, shape[0]):
            values = values[_core.remainder(_core.arange(shape[0]), values.size)]
        flat[key] = values if shape else values[0]
        self._array[...] = _core.reshape(flat, self._array.shape)

    def __iter__(self) -> Iterator[Any]:
        return iter(_core.reshape(self._array, -1))

    def __len__(self) -> int:
        return int(self._array.size)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return _core.reshape(self._array, -1).__array__(dtype, copy)


# -- what NumPy does to an array by its own functions


def put(a: Any, ind: Any, v: Any, mode: Any = "raise") -> None:
    """Write `v` at flat indices of `a`: `numpy.put`."""
    if not isinstance(a, Array):
        ind, v = _dispatch.replace((ind, v), lambda x: x.__array__())
        numpy.put(a, ind, v, mode)
        return

    _dispatch.update(a, numpy.put, (ind, v, mode))


def nditer(op: Any, flags: Any = (), op_flags: Any = (), **keywords: Any) -> Any:
    """Iterate over arrays: `numpy.nditer`, for which deferred arrays are evaluated.

    One that is written into means the memory that is iterated over from then on.
    """
    several = isinstance(op, (list, tuple))
    operands = list(op) if several else [op]
    of_all = not op_flags or isinstance(op_flags[0], str)
    each = [op_flags] * len(operands) if of_all else op_flags
    # An array that is several operands is one memory.
    written = {
        id(operand): operand
        for operand, said in zip(operands, each, strict=False)
        if isinstance(operand, Array) and not {"readwrite", "writeonly"}.isdisjoint(said)
    }
    memories = {place: memory(operand) for place, operand in written.items()}
    operands = [memories.get(id(operand), operand) for operand in operands]
    if op_flags:
        keywords["op_flags"] = op_flags
    return numpy.nditer(operands if several else operands[0], flags, **keywords)


def memory(array: Array) -> Any:
    """Give an ndarray that a deferred array means from now on, and that may be written."""
    value = numpy.array(array)
    array[...] = _core.asarray(value, copy=False)
    return value


def copyto(dst: Any, src: Any, casting: Any = "same_kind", where: Any = True) -> None:
    """Write `src` into `dst`, where `where` holds: `numpy.copyto`."""
    if not isinstance(dst, Array):
        known = _dispatch.replace((src, where), lambda x: x.__array__())
        numpy.copyto(dst, known[0], casting, known[1])
        return
    weak = type(src) in (int, float, complex, bool)
    if not weak and not numpy.can_cast(dtype_of(src), dst.dtype, casting):
        raise TypeError(
            f"Cannot cast array data from {dtype_of(src)!r} to {dst.dtype!r} according to the "
            f"rule '{casting}'"
        )
    # A Python float need not fit, as it must where it is assigned.
    new = _core._fitted(numpy.float64(src) if type(src) is float else src, dst.dtype)
    dst[...] = new if where is True else _core.where(where, new, dst)


def putmask(a: Any, mask: Any, values: Any) -> None:
    """Write `values` where `mask` holds: `numpy.putmask`."""
    if isinstance(a, Array) and numpy.size(values) == 1:
        copyto(a, _core.reshape(values, ()), "unsafe", mask)
        return
    _write_through(numpy.putmask, a, mask, values)


def place(arr: Any, mask: Any, vals: Any) -> None:
    """Write the first of `vals` where `mask` holds first, and so on: `numpy.place`."""
    _write_through(numpy.place, arr, mask, vals)


def put_along_axis(arr: Any, indices: Any, values: Any, axis: Any = -1) -> None:
    """Write `values` at `indices` along an axis: `numpy.put_along_axis`."""
    _write_through(numpy.put_along_axis, arr, indices, values, axis)


def fill_diagonal(a: Any, val: Any, wrap: bool = False) -> None:
    """Write `val` on the main diagonal: `numpy.fill_diagonal`."""
    _write_through(numpy.fill_diagonal, a, val, wrap)


def _write_through(function: Callable[..., Any], target: Any, *args: Any) -> None:
    """Let a function of NumPy write into a deferred array, as an opaque node."""
    if not isinstance(target, Array):
        function(target, *_dispatch.replace(args, lambda x: x.__array__()))
        return

    _dispatch.update(target, function, args)


def _at_once(name: str) -> Callable[..., Any]:
    def method(self: Array, *args: Any, **keywords: Any) -> Any:
        value = self.to_numpy()
        return getattr(value, name)(*args, **keywords)

    method.__doc__ = f"`numpy.ndarray.{name}` of the value, which is computed."
    return method


def rows(x: Array) -> Iterator[Any]:
    """Give the items along the first axis, each a view, as they are when they are asked for."""
    return (x[i] for i in range(len(x)))


def _attach() -> None:
    for name in _FUNCTIONS:
        setattr(Array, name, _method(name))
    for name, (compute, label) in _IN_PLACE.items():
        setattr(Array, name, _in_place(compute, label))
    for name, member in vars(_Methods).items():
        if callable(member) or isinstance(member, property):
            setattr(Array, name, member)
    for name in ("tobytes", "tofile", "dump", "dumps", "byteswap", "getfield"):
        setattr(Array, name, _at_once(name))
    for name in ("real", "imag"):
        setattr(Array, name, _part(name))
    for function in (put, copyto, putmask, place, put_along_axis, fill_diagonal):
        _dispatch.Function(function.__name__, function, "native")


_attach()
