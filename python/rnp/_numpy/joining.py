"""Arrays put together: one after another, beside, on top of each other, or repeated."""

from __future__ import annotations

import math
from typing import Any

import numpy
from rnp import _core
from rnp._core import Array, Unsupported
from rnp._dispatch import Meta, composed, rule
from rnp._numpy.arguments import (
    builtins_all,
    builtins_any,
    index,
    is_plain,
    lengths,
    one_axis,
    operand,
    refuse,
    spec,
)


def _parts(arrays: Any) -> list[Array]:
    """Take the arrays of a sequence; Python's numbers among them are NumPy's business."""
    if type(arrays) not in (list, tuple):
        raise Unsupported("a sequence that is no list or tuple")
    return [operand(part) for part in arrays]


def _cast(parts: list[Array], dtype: Any, casting: str) -> list[Array]:
    """Bring the arrays to one dtype, if it may be cast to."""
    if dtype is None:
        return parts
    target = numpy.dtype(dtype)
    if not builtins_all(numpy.can_cast(part.dtype, target, casting) for part in parts):  # type: ignore[arg-type]
        raise Unsupported("NumPy says what is wrong with it")
    return [part.astype(target) for part in parts]


def join(parts: list[Array], axis: int) -> Any:
    """Concatenate arrays that fit."""
    first = parts[0].shape
    for part in parts:
        fits = len(part.shape) == len(first) and builtins_all(
            n == m for i, (n, m) in enumerate(zip(part.shape, first, strict=True)) if i != axis
        )
        if not fits:
            raise Unsupported("NumPy says what is wrong with it")
    return _core.concatenate(parts, axis)


@composed("concatenate")
def concatenate(
    arrays: Any,
    /,
    axis: Any = 0,
    out: None = None,
    *,
    dtype: Any = None,
    casting: str = "same_kind",
) -> Any:
    """Join arrays along an axis that they have, or as flat arrays."""
    refuse(out=out)
    if isinstance(arrays, Array):
        return _joined_rows(arrays, axis, dtype, casting)
    if type(arrays) in (tuple, list) and dtype is None and casting == "same_kind":
        # The builtin looks at no length, so that a trace serves all of them.
        return _core.concatenate(arrays, axis=axis)
    parts = _parts(arrays)
    if not parts:
        raise Unsupported("NumPy says what is wrong with it")
    if axis is None:
        parts, axis = [part.reshape((-1,)) for part in parts], 0
    if not parts[0].ndim:
        raise Unsupported("NumPy says what is wrong with it")
    return join(_cast(parts, dtype, casting), one_axis(axis, parts[0].ndim))


def _joined_rows(x: Array, axis: Any, dtype: Any, casting: str) -> Any:
    """Join the rows of one array: a transposition."""
    if x.ndim < 2 or not x.shape[0]:
        raise Unsupported("NumPy says what is wrong with it")
    (x,) = _cast([x], dtype, casting)
    if axis is None:
        return x.reshape((-1,)).copy()
    i = one_axis(axis, x.ndim - 1)
    order = [*range(1, i + 1), 0, *range(i + 1, x.ndim)]
    shape = list(x.shape[1:])
    shape[i] *= x.shape[0]
    return _core.transpose(x, order).reshape(tuple(shape)).copy()


@rule("concatenate")
def _concatenate(
    arrays: Any,
    /,
    axis: Any = 0,
    out: None = None,
    *,
    dtype: Any = None,
    casting: str = "same_kind",
) -> Meta | None:
    refuse(out=out)
    if isinstance(arrays, Array) or not arrays:
        return None
    parts = [spec(part) for part in arrays]
    given = numpy.result_type(*(part.dtype for part in parts))
    target = given if dtype is None else numpy.dtype(dtype)
    if not builtins_all(numpy.can_cast(p.dtype, target, casting) for p in parts):  # type: ignore[arg-type]
        return None
    total = 0
    if axis is None:
        for part in parts:
            total += part.size
        return (total,), target
    i = one_axis(axis, parts[0].ndim)
    for part in parts:
        if (*part.shape[:i], *part.shape[i + 1 :]) != (
            *parts[0].shape[:i],
            *parts[0].shape[i + 1 :],
        ) or part.ndim != parts[0].ndim:
            return None
        total += part.shape[i]
    return (*parts[0].shape[:i], total, *parts[0].shape[i + 1 :]), target


def concatenated(parts: list[Any], axis: Any, dtype: Any = None, casting: str = "same_kind") -> Any:
    """Concatenate through whatever answers `concatenate`."""
    return concatenate(parts, axis=axis, dtype=dtype, casting=casting)


@composed("stack")
def stack(
    arrays: Any, axis: Any = 0, out: None = None, *, dtype: Any = None, casting: str = "same_kind"
) -> Any:
    """Join arrays of one shape along a new axis."""
    refuse(out=out)
    if isinstance(arrays, Array):
        if not arrays.ndim or not arrays.shape[0]:
            raise Unsupported("NumPy says what is wrong with it")
        (x,) = _cast([arrays], dtype, casting)
        i = one_axis(axis, x.ndim)
        order = [*range(1, i + 1), 0, *range(i + 1, x.ndim)]
        return _core.transpose(x, order).copy()
    parts = _parts(arrays)
    if not parts or builtins_any(part.shape != parts[0].shape for part in parts):
        raise Unsupported("NumPy says what is wrong with it")
    i = one_axis(axis, parts[0].ndim + 1)
    return concatenated([_core.expand_dims(part, i) for part in parts], i, dtype, casting)


def at_least(x: Any, ndim: int) -> Any:
    """Give an array more axes, where `atleast_1d` and its kin put them."""
    if x.ndim >= ndim:
        return x
    if ndim == 3:
        shape = {0: (1, 1, 1), 1: (1, *x.shape, 1), 2: (*x.shape, 1)}[x.ndim]
        return x.reshape(shape)
    return x.reshape((1,) * (ndim - x.ndim) + x.shape)


def _rows(tup: Any) -> list[Array]:
    if isinstance(tup, Array):
        if not tup.ndim:
            raise Unsupported("NumPy says what is wrong with it")
        return [tup[i] for i in range(tup.shape[0])]
    return _parts(tup)


def _stacked(tup: Any, ndim: int, axis: int, dtype: Any, casting: str) -> Any:
    parts = [at_least(part, ndim) for part in _rows(tup)]
    if not parts:
        raise Unsupported("NumPy says what is wrong with it")
    if ndim == 1 and parts[0].ndim == 1:
        axis = 0
    return concatenated(parts, axis, dtype, casting)


@composed("vstack")
def vstack(tup: Any, *, dtype: Any = None, casting: str = "same_kind") -> Any:
    """Put arrays on top of each other."""
    return _stacked(tup, 2, 0, dtype, casting)


@composed("hstack")
def hstack(tup: Any, *, dtype: Any = None, casting: str = "same_kind") -> Any:
    """Put arrays beside each other."""
    return _stacked(tup, 1, 1, dtype, casting)


@composed("dstack")
def dstack(tup: Any) -> Any:
    """Put arrays behind each other."""
    return _stacked(tup, 3, 2, None, "same_kind")


@composed("column_stack")
def column_stack(tup: Any) -> Any:
    """Put arrays beside each other, flat ones as columns."""
    parts = [x if x.ndim > 1 else _core.transpose(at_least(x, 2)) for x in _rows(tup)]
    if not parts:
        raise Unsupported("NumPy says what is wrong with it")
    return concatenated(parts, 1)


@composed("append")
def append(arr: Any, values: Any, axis: Any = None) -> Any:
    """Put values behind an array."""
    return concatenated([operand(arr), operand(values)], axis)


@composed("block")
def block(arrays: Any) -> Any:
    """Put arrays together as nested lists place them."""
    depth = _depth(arrays)
    leaves: list[Array] = []
    _collect(arrays, leaves)
    ndim = depth
    for leaf in leaves:
        ndim = leaf.ndim if leaf.ndim > ndim else ndim
    return _blocks(arrays, 0, depth, ndim)


def _depth(item: Any) -> int:
    if type(item) is not list:
        if type(item) is tuple:
            raise Unsupported("NumPy says what is wrong with it")
        return 0
    depths = {_depth(part) for part in item}
    if len(depths) != 1:
        raise Unsupported("NumPy says what is wrong with it")
    return 1 + depths.pop()


def _collect(item: Any, leaves: list[Array]) -> None:
    if type(item) is list:
        for part in item:
            _collect(part, leaves)
    else:
        leaves.append(operand(item))


def _blocks(item: Any, level: int, depth: int, ndim: int) -> Any:
    if type(item) is not list:
        x = operand(item)
        x = x.reshape((1,) * (ndim - x.ndim) + x.shape)
        return x.copy() if not depth else x
    parts = [_blocks(part, level + 1, depth, ndim) for part in item]
    return concatenated(parts, level - depth)


# -- repeating


@composed("tile")
def tile(A: Any, reps: Any) -> Any:
    """Put copies of an array beside each other."""
    x = operand(A)
    times = lengths(reps)
    if builtins_any(n < 0 for n in times):
        raise Unsupported("NumPy says what is wrong with it")
    ndim = x.ndim if x.ndim > len(times) else len(times)
    times = (1,) * (ndim - len(times)) + times
    shape = (1,) * (ndim - x.ndim) + x.shape
    x = x.reshape(tuple(n for length in shape for n in (1, length)))
    x = _core.broadcast_to(x, tuple(n for pair in zip(times, shape, strict=True) for n in pair))
    return x.reshape(tuple(r * n for r, n in zip(times, shape, strict=True))).copy()


@composed("repeat")
def repeat(a: Any, repeats: Any, axis: Any = None) -> Any:
    """Put copies of each element, all of them as often, behind it."""
    x = operand(a)
    if not is_plain(repeats) or spec(repeats).ndim or spec(repeats).dtype.kind not in "iu":
        raise Unsupported("not all elements are repeated as often")
    count = index(repeats)
    if count < 0:
        raise Unsupported("NumPy says what is wrong with it")
    if axis is None:
        x, axis = x.reshape((-1,)), 0
    i = one_axis(axis, x.ndim) + 1
    shape = x.shape
    x = _core.broadcast_to(_core.expand_dims(x, i), (*shape[:i], count, *shape[i:]))
    return x.reshape((*shape[: i - 1], shape[i - 1] * count, *shape[i:])).copy()


@rule("repeat")
def _repeat(a: Any, repeats: Any, axis: Any = None) -> Meta | None:
    x = spec(a)
    if isinstance(repeats, Array):
        return None
    counts = numpy.asarray(repeats)
    if counts.dtype.kind not in "iu" or counts.ndim > 1 or (counts < 0).any():
        return None
    shape = (x.size,) if axis is None else x.shape
    i = 0 if axis is None else one_axis(axis, x.ndim)
    if counts.size not in (1, shape[i]):
        return None
    total = int(counts.sum()) * (shape[i] if counts.size == 1 else 1)
    return (*shape[:i], total, *shape[i + 1 :]), x.dtype


@rule("resize")
def _resize(a: Any, new_shape: Any) -> Meta | None:
    shape = lengths(new_shape)
    return None if builtins_any(n < 0 for n in shape) else (shape, spec(a).dtype)


@rule("delete")
def _delete(arr: Any, obj: Any, axis: Any = None) -> Meta | None:
    x = spec(arr)
    if isinstance(obj, Array):
        return None
    shape = (x.size,) if axis is None else x.shape
    i = 0 if axis is None else one_axis(axis, x.ndim)
    left = numpy.delete(numpy.empty(shape[i], bool), obj).size
    return (*shape[:i], left, *shape[i + 1 :]), x.dtype


@rule("insert")
def _insert(arr: Any, obj: Any, values: Any, axis: Any = None) -> Meta | None:
    x = spec(arr)
    if isinstance(obj, Array) or spec(values).ndim:
        return None
    shape = (x.size,) if axis is None else x.shape
    i = 0 if axis is None else one_axis(axis, x.ndim)
    more = numpy.insert(numpy.empty(shape[i], bool), obj, False).size
    return (*shape[:i], more, *shape[i + 1 :]), x.dtype


@rule("vander")
def _vander(x: Any, N: Any = None, increasing: bool = False) -> Meta | None:
    points = spec(x)
    if points.ndim != 1:
        return None
    columns = points.size if N is None else index(N)
    if columns < 0:
        return None
    return (points.size, columns), numpy.promote_types(points.dtype, int)


@rule("packbits")
def _packbits(a: Any, /, axis: Any = None, bitorder: str = "big") -> Meta | None:
    x = spec(a)
    if x.dtype.kind not in "biu" or bitorder not in ("big", "little"):
        return None
    if axis is None:
        return (math.ceil(x.size / 8),), numpy.dtype("uint8")
    i = one_axis(axis, x.ndim)
    return (*x.shape[:i], math.ceil(x.shape[i] / 8), *x.shape[i + 1 :]), numpy.dtype("uint8")


@rule("unpackbits")
def _unpackbits(
    a: Any, /, axis: Any = None, count: Any = None, bitorder: str = "big"
) -> Meta | None:
    x = spec(a)
    if x.dtype != "uint8" or bitorder not in ("big", "little") or count is not None:
        return None
    if axis is None:
        return (x.size * 8,), x.dtype
    i = one_axis(axis, x.ndim)
    return (*x.shape[:i], x.shape[i] * 8, *x.shape[i + 1 :]), x.dtype
