"""The same elements in other places: views wherever NumPy gives views."""

from __future__ import annotations

import itertools
from typing import Any

import numpy
from numpy.lib.array_utils import normalize_axis_tuple
from rnp import _core
from rnp._core import Array, Unsupported
from rnp._dispatch import composed, find, opaque
from rnp._numpy.arguments import (
    along,
    axes,
    builtins_any,
    index,
    lengths,
    one_axis,
    operand,
    refuse,
    stand_ins,
)
from rnp._numpy.creation import band
from rnp._numpy.joining import at_least, concatenate

# -- order of elements


@composed("roll")
def roll(a: Any, shift: Any, axis: Any = None) -> Any:
    """Move elements along axes; what leaves at the end comes in at the start."""
    x = operand(a)
    if isinstance(shift, Array):
        raise Unsupported("a shift that is not known yet")
    if axis is None:
        return roll.__wrapped__(x.reshape((-1,)), shift, 0).reshape(x.shape)
    which = normalize_axis_tuple(axis, x.ndim, allow_duplicate=True)
    pairs = numpy.broadcast(shift, which)
    if pairs.ndim > 1:
        raise Unsupported("NumPy says what is wrong with it")
    y = x
    for by, i in pairs:
        length = y.shape[i]
        by = index(by) % length if length else 0
        if by:
            tail, head = slice(length - by, None), slice(None, length - by)
            y = concatenate([y[along(y.ndim, i, tail)], y[along(y.ndim, i, head)]], axis=i)
    return x.copy() if y is x else y


@composed("flip")
def flip(m: Any, axis: Any = None) -> Any:
    """Turn the order along axes round."""
    x = operand(m)
    which = axes(axis, x.ndim)
    return x[tuple(slice(None, None, -1 if i in which else None) for i in range(x.ndim))]


@composed("flipud")
def flipud(m: Any) -> Any:
    """Turn the order of rows round."""
    x = operand(m)
    if x.ndim < 1:
        raise Unsupported("NumPy says what is wrong with it")
    return x[::-1]


@composed("fliplr")
def fliplr(m: Any) -> Any:
    """Turn the order of columns round."""
    x = operand(m)
    if x.ndim < 2:
        raise Unsupported("NumPy says what is wrong with it")
    return x[:, ::-1]


@composed("rot90")
def rot90(m: Any, k: Any = 1, axes: Any = (0, 1)) -> Any:
    """Turn a plane by quarters."""
    x = operand(m)
    plane = tuple(index(i) for i in axes)
    if len(plane) != 2 or builtins_any(not -x.ndim <= i < x.ndim for i in plane):
        raise Unsupported("NumPy says what is wrong with it")
    first, second = (one_axis(i, x.ndim) for i in plane)
    quarters = index(k) % 4
    if first == second:
        raise Unsupported("NumPy says what is wrong with it")
    if quarters == 0:
        return x[...]
    if quarters == 2:
        return flip.__wrapped__(x, (first, second))
    if quarters == 1:
        return swapaxes.__wrapped__(flip.__wrapped__(x, second), first, second)
    return flip.__wrapped__(swapaxes.__wrapped__(x, first, second), second)


# -- order and number of axes


@composed("moveaxis")
def moveaxis(a: Any, source: Any, destination: Any) -> Any:
    """Put axes at other places, the rest keeping their order."""
    x = operand(a)
    come = normalize_axis_tuple(source, x.ndim, "source")
    go = normalize_axis_tuple(destination, x.ndim, "destination")
    if len(come) != len(go):
        raise Unsupported("NumPy says what is wrong with it")
    order = [i for i in range(x.ndim) if i not in come]
    for place, i in sorted(zip(go, come, strict=True)):
        order.insert(place, i)
    return _core.transpose(x, order)


@composed("swapaxes")
def swapaxes(a: Any, axis1: Any, axis2: Any) -> Any:
    """Let two axes change places."""
    x = operand(a)
    order = list(range(x.ndim))
    i, j = one_axis(axis1, x.ndim), one_axis(axis2, x.ndim)
    order[i], order[j] = j, i
    return _core.transpose(x, order)


@composed("rollaxis")
def rollaxis(a: Any, axis: Any, start: Any = 0) -> Any:
    """Put an axis before another."""
    x = operand(a)
    i, place = one_axis(axis, x.ndim), index(start)
    place += x.ndim if place < 0 else 0
    if not 0 <= place <= x.ndim:
        raise Unsupported("NumPy says what is wrong with it")
    place -= i < place
    order = [j for j in range(x.ndim) if j != i]
    order.insert(place, i)
    return _core.transpose(x, order)


@composed("matrix_transpose")
def matrix_transpose(x: Any, /) -> Any:
    """Let the last two axes change places."""
    x = operand(x)
    if x.ndim < 2:
        raise Unsupported("NumPy says what is wrong with it")
    return swapaxes.__wrapped__(x, -1, -2)


composed("linalg.matrix_transpose")(matrix_transpose.__wrapped__)


def _at_least(ndim: int) -> Any:
    def widen(*arys: Any) -> Any:
        """Give each array at least so many axes."""
        results = tuple(at_least(operand(x), ndim) for x in arys)
        return results[0] if len(results) == 1 else results

    return widen


for _ndim in (1, 2, 3):
    composed(f"atleast_{_ndim}d")(_at_least(_ndim))


@composed("broadcast_arrays")
def broadcast_arrays(*args: Any, subok: bool = False) -> Any:
    """Give all arrays the shape that they have together."""
    arrays = [operand(x) for x in args]
    shape = numpy.broadcast_shapes(*(x.shape for x in arrays))
    return tuple(x if x.shape == shape else _core.broadcast_to(x, shape) for x in arrays)


@composed("broadcast_to")
def broadcast_to(array: Any, shape: Any, subok: bool = False) -> Any:
    """Repeat an array over a shape, without a copy."""
    return _core.broadcast_to(operand(array), shape)


@composed("meshgrid")
def meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> Any:
    """Coordinates of the points of a grid."""
    if indexing not in ("xy", "ij"):
        raise Unsupported("NumPy says what is wrong with it")
    lines = [operand(x).reshape((-1,)) for x in xi]
    places = list(range(len(lines)))
    if indexing == "xy" and len(lines) > 1:
        places[0], places[1] = 1, 0
    shape = [0] * len(lines)
    for line, place in zip(lines, places, strict=True):
        shape[place] = line.size
    grids = []
    for line, place in zip(lines, places, strict=True):
        grid = line.reshape(tuple(line.size if i == place else 1 for i in range(len(lines))))
        if not sparse and grid.shape != tuple(shape):
            grid = _core.broadcast_to(grid, tuple(shape))
        grids.append(grid.copy() if copy else grid)
    return tuple(grids)


# -- taking apart


# More parts are NumPy's to make, or to say that there is no memory for them.
_PARTS = 1 << 24


def _split(x: Array, where: Any, axis: Any, *, even: bool) -> list[Any]:
    if isinstance(where, Array):
        raise Unsupported("places that are not known yet")
    try:
        i = one_axis(axis, x.ndim)
    except IndexError:
        raise Unsupported("NumPy says what is wrong with it") from None
    length = x.shape[i]
    try:
        count = index(where)
    except TypeError:
        inner = [index(place) for place in where]
        cuts = [0, *inner, length]
    else:
        if not 0 < count <= _PARTS or (even and length % count):
            raise Unsupported("NumPy says what is wrong with it")
        small, more = divmod(length, count)
        cuts = [0]
        for part in range(count):
            cuts.append(cuts[-1] + small + (part < more))
    return [x[along(x.ndim, i, slice(*ends))] for ends in itertools.pairwise(cuts)]


@composed("split")
def split(ary: Any, indices_or_sections: Any, axis: Any = 0) -> list[Any]:
    """Cut into equal parts, or at places."""
    return _split(operand(ary), indices_or_sections, axis, even=True)


@composed("array_split")
def array_split(ary: Any, indices_or_sections: Any, axis: Any = 0) -> list[Any]:
    """Cut into parts as equal as can be, or at places."""
    return _split(operand(ary), indices_or_sections, axis, even=False)


@composed("hsplit")
def hsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    """Cut columns apart."""
    x = operand(ary)
    return _split(x, indices_or_sections, 1 if x.ndim > 1 else 0, even=True)


@composed("vsplit")
def vsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    """Cut rows apart."""
    x = operand(ary)
    if x.ndim < 2:
        raise Unsupported("NumPy says what is wrong with it")
    return _split(x, indices_or_sections, 0, even=True)


@composed("dsplit")
def dsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    """Cut along the third axis."""
    x = operand(ary)
    if x.ndim < 3:
        raise Unsupported("NumPy says what is wrong with it")
    return _split(x, indices_or_sections, 2, even=True)


@composed("unstack")
def unstack(x: Any, /, *, axis: Any = 0) -> Any:
    """Cut along an axis into arrays that do not have it."""
    x = operand(x)
    if not x.ndim:
        raise Unsupported("NumPy says what is wrong with it")
    i = one_axis(axis, x.ndim)
    return tuple(x[along(x.ndim, i, place)] for place in range(x.shape[i]))


# -- diagonals


@composed("diagonal")
def diagonal(a: Any, offset: Any = 0, axis1: Any = 0, axis2: Any = 1) -> Any:
    """Elements whose two indices differ by an offset."""
    x = operand(a)
    if x.ndim < 2:
        raise Unsupported("NumPy says what is wrong with it")
    i, j = one_axis(axis1, x.ndim), one_axis(axis2, x.ndim)
    if i == j:
        raise Unsupported("NumPy says what is wrong with it")
    x = moveaxis.__wrapped__(x, (i, j), (-2, -1))
    *lead, rows, columns = x.shape
    k = index(offset)
    # In memory order one step along the diagonal is a row and an element.
    start = k if k >= 0 else -k * columns
    count = builtins_min(rows, columns - k) if k >= 0 else builtins_min(rows + k, columns)
    if count <= 0:
        return x[..., :0, 0] if columns else x.reshape((*lead, 0))
    flat = x.reshape((*lead, rows * columns))
    return flat[..., start : start + (count - 1) * (columns + 1) + 1 : columns + 1]


def builtins_min(a: int, b: int) -> int:
    """Python's own `min`, under a name that is not an array function."""
    return min(a, b)


@composed("linalg.diagonal")
def _last_diagonal(x: Any, /, *, offset: Any = 0) -> Any:
    """Diagonals of matrices."""
    return diagonal.__wrapped__(x, offset, -2, -1)


@composed("trace")
def trace(
    a: Any, offset: Any = 0, axis1: Any = 0, axis2: Any = 1, dtype: Any = None, out: None = None
) -> Any:
    """Sum along a diagonal."""
    refuse(out=out)
    return _core.sum(diagonal.__wrapped__(a, offset, axis1, axis2), axis=-1, dtype=dtype)


@composed("linalg.trace")
def _last_trace(x: Any, /, *, offset: Any = 0, dtype: Any = None) -> Any:
    """Sums along diagonals of matrices."""
    return trace.__wrapped__(x, offset, -2, -1, dtype)


@composed("diag")
def diag(v: Any, k: Any = 0) -> Any:
    """Take the diagonal of a matrix, or make a matrix of one."""
    x = operand(v)
    k = index(k)
    if x.ndim == 2:
        return diagonal.__wrapped__(x, k)
    if x.ndim != 1:
        raise Unsupported("NumPy says what is wrong with it")
    length = x.size + abs(k)
    zero = _core.zeros((abs(k),), x.dtype)
    line = concatenate([x, zero]) if k else x
    # Row i of an upper diagonal holds element i, column j of a lower one element j.
    line = line.reshape((-1, 1) if k >= 0 else (1, -1))
    return _core.where(band(length, length, k, _core.equal), line, x.dtype.type(0))


@composed("diagflat")
def diagflat(v: Any, k: Any = 0) -> Any:
    """Make a matrix whose diagonal is the flat array."""
    return diag.__wrapped__(operand(v).reshape((-1,)), k)


def _triangle(m: Any, k: Any, upper: bool) -> Any:
    x = operand(m)
    if not x.ndim:
        raise Unsupported("NumPy says what is wrong with it")
    rows, columns = x.shape[-2:] if x.ndim > 1 else (x.size, x.size)
    k = index(k)
    zero = x.dtype.type(0)
    if upper:
        return _core.where(band(rows, columns, k - 1, _core.greater_equal), zero, x)
    return _core.where(band(rows, columns, k, _core.greater_equal), x, zero)


@composed("tril")
def tril(m: Any, k: Any = 0) -> Any:
    """Zeros above a diagonal."""
    return _triangle(m, k, False)


@composed("triu")
def triu(m: Any, k: Any = 0) -> Any:
    """Zeros below a diagonal."""
    return _triangle(m, k, True)


# -- by index


def _integers(indices: Any, kinds: str) -> Any:
    """Take arrays of integers; an empty list selects nothing, whatever NumPy makes of it."""
    if isinstance(indices, (list, tuple)) and not len(indices):
        return numpy.empty(0, numpy.intp)
    at = operand(indices)
    if at.dtype.kind not in kinds:
        raise Unsupported("NumPy says what is wrong with it")
    return at


@composed("take", "native")
def take(a: Any, indices: Any, axis: Any = None, out: None = None, mode: Any = "raise") -> Any:
    """Take elements along an axis by their numbers."""
    refuse(out=out)
    x, at = operand(a), _integers(indices, "biu")
    if axis is None:
        x = x.reshape((-1,))
    place = 0 if axis is None else one_axis(axis, x.ndim)
    if at.size and not x.shape[place]:
        raise Unsupported("NumPy says what is wrong with it")
    if not x.size and mode == "raise":
        mode = "wrap"  # of no elements any number takes none
    return _core._gather(x, [at], place, [place], mode, "take")


@composed("take_along_axis", "native")
def take_along_axis(arr: Any, indices: Any, axis: Any = -1) -> Any:
    """Take elements along an axis by numbers of their own for each line."""
    x, at = operand(arr), _integers(indices, "iu")
    if axis is None:
        x, axis = x.reshape((-1,)), 0
    if x.ndim != at.ndim:
        raise Unsupported("NumPy says what is wrong with it")
    place = one_axis(axis, x.ndim)
    lines = [
        numpy.arange(n).reshape(tuple(n if i == j else 1 for j in range(x.ndim)))
        for i, n in enumerate(x.shape)
    ]
    lines[place] = at
    try:
        numpy.broadcast_shapes(*(line.shape for line in lines))
    except ValueError:
        find("take_along_axis")(*stand_ins(x, at), axis)  # NumPy says what is wrong with it
    return _core._gather(x, lines, 0, list(range(x.ndim)), "raise", "take_along_axis")


@composed("lib.stride_tricks.as_strided", "opaque")
def as_strided(
    x: Any, shape: Any = None, strides: Any = None, subok: bool = False, writeable: bool = True
) -> Any:
    """Read an array in C order by other strides; the result is no view to write through.

    The array is evaluated, and its value is read where it lies: overlapping frames take no memory.
    A place outside of the array is a ValueError.
    """
    if not isinstance(x, Array):
        raise Unsupported("the strides of NumPy's arrays are NumPy's")
    array = operand(x)
    size = array.shape if shape is None else lengths(shape)
    steps = array.strides if strides is None else lengths(strides)
    if len(size) != len(steps) or builtins_any(n < 0 for n in size):
        raise ValueError(
            "as_strided: shape and strides must be of one length, and no length negative"
        )
    ends = [step * (n - 1) for n, step in zip(size, steps, strict=True)]
    low, high = sum(min(end, 0) for end in ends), sum(max(end, 0) for end in ends)
    if 0 in size:
        return _core.zeros(size, dtype=array.dtype)
    if low < 0 or high > array.nbytes - array.itemsize:
        raise ValueError("as_strided: the strides lead out of the array")
    try:
        value = array.__array__(copy=False)
    except _core.TraceError:  # a traced array has no value yet
        return opaque(_strided, (array, size, steps), {}, (size, array.dtype), "as_strided")
    _core._note_fallback("as_strided", True)
    return _core.asarray(numpy.ndarray(size, value.dtype, value, strides=steps))


@composed("lib.stride_tricks.sliding_window_view", "opaque")
def sliding_window_view(
    x: Any, window_shape: Any, axis: Any = None, *, subok: bool = False, writeable: bool = False
) -> Any:
    """Give all windows of a shape, without a copy of any; as `as_strided` reads them."""
    if not isinstance(x, Array):
        raise Unsupported("windows of an array of NumPy's are NumPy's")
    array = operand(x)
    window = lengths(window_shape)
    # NumPy says what is wrong with the arguments, and which shape comes out.
    place = numpy.broadcast_to(numpy.zeros((), array.dtype), array.shape)
    shape = numpy.lib.stride_tricks.sliding_window_view(place, window, axis).shape
    if writeable:
        return _written_windows(array, window, axis, shape)
    along = range(array.ndim) if axis is None else lengths(axis)
    return as_strided(array, shape, (*array.strides, *(array.strides[i] for i in along)))


def _written_windows(array: Array, window: Any, axis: Any, shape: Any) -> Any:
    """Give windows that writes go through.

    They overlap: what is put back is what was written or, where that is not known, what has other
    bytes than before.
    """

    def get(array: Any) -> Any:
        return numpy.lib.stride_tricks.sliding_window_view(array, window, axis, writeable=True)

    def put(array: Any, seen: Any, written: Any = None) -> Any:
        array = array.copy()
        if written is None:
            before = get(array).copy()
            new = numpy.ascontiguousarray(seen)
            parts = (*new.shape, new.itemsize)
            differ = new.view("u1").reshape(parts) != before.view("u1").reshape(parts)
            written = differ.any(axis=-1)
        numpy.copyto(get(array), seen, where=written)
        return array

    _core._note_fallback("sliding_window_view", False)
    return _core._lens(array, get, put, array.dtype, shape, "sliding_window_view", True)


def _strided(x: Any, shape: Any, strides: Any) -> Any:
    x = numpy.ascontiguousarray(x)
    return numpy.lib.stride_tricks.as_strided(x, shape, strides, writeable=False)
