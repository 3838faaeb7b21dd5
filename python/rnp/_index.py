"""Indexing by arrays, both ways: `x[indices]`, `x[mask]`, `x[indices] = y`, `x[mask] = y`.

Indices by integers become opaque nodes, since their result's shape is known. Writing one value, or
one per element, under a mask is a choice by value and fuses. Reading by a mask has a shape that
depends on data: the mask and the array are evaluated, together and once, and the block's report
says so.
"""

from __future__ import annotations

from typing import Any

import numpy
from rnp import _core, _dispatch
from rnp._core import Array


def get(x: Array, key: Any) -> Any:
    """`x[key]` for a key that is not basic."""
    keys = _keys(key)
    shape = _gathered_shape(x.shape, keys)
    if shape is None:
        return _dispatch.at_once(_take, (x, *keys), {})
    return _dispatch.opaque(_take, (x, *keys), {}, (shape, x.dtype))


def put(x: Array, key: Any, value: Any) -> None:
    """`x[key] = value` for a key that is not basic."""
    keys = _keys(key)
    _check_masks(x.shape, keys)
    _check_bounds(x.shape, keys)
    if len(keys) == 1 and _is_mask(keys[0]) and _put_by_mask(x, keys[0], value):
        return
    _dispatch.update(x, _assign, (value, *keys))


def _take(x: Any, *keys: Any) -> Any:
    return x[keys if len(keys) != 1 else keys[0]]


_take.__name__ = "take by index"


def _assign(x: Any, value: Any, *keys: Any) -> None:
    x[keys if len(keys) != 1 else keys[0]] = value


_assign.__name__ = "put by index"


def _keys(key: Any) -> tuple[Any, ...]:
    keys = key if isinstance(key, tuple) else (key,)
    return tuple(_plain(k) for k in keys)


def _plain(key: Any) -> Any:
    if key is None or key is Ellipsis or isinstance(key, (slice, int, Array, numpy.ndarray)):
        return key
    if isinstance(key, float):
        raise IndexError(
            "only integers, slices (`:`), ellipsis (`...`), numpy.newaxis (`None`) and integer or "
            "boolean arrays are valid indices"
        )
    array = numpy.asarray(_dispatch.replace(key, lambda a: a.__array__()))
    # An empty list selects nothing, whatever dtype NumPy gives it.
    return array.astype(numpy.intp) if array.size == 0 and isinstance(key, list) else array


def _is_mask(key: Any) -> bool:
    return isinstance(key, bool) or numpy.dtype(getattr(key, "dtype", object)).kind == "b"


def _check_bounds(shape: tuple[int, ...], keys: tuple[Any, ...]) -> None:
    """Refuse indices out of bounds that are known, before an array is written that cannot be."""
    if any(k is Ellipsis or _is_mask(k) for k in keys):
        return
    axis = 0
    for k in keys:
        if k is None:
            continue
        if isinstance(k, numpy.ndarray) and k.size and axis < len(shape):
            low, high = k.min(), k.max()
            if low < -shape[axis] or high >= shape[axis]:
                wrong = high if high >= shape[axis] else low
                raise IndexError(
                    f"index {wrong} is out of bounds for axis {axis} with size {shape[axis]}"
                )
        axis += 1


def _check_masks(shape: tuple[int, ...], keys: tuple[Any, ...]) -> None:
    """Refuse masks of other lengths than the axes they select from, before anything is recorded."""
    if any(k is Ellipsis for k in keys):
        return
    axis = 0
    for k in keys:
        if k is None or isinstance(k, bool):
            continue
        rank = k.ndim if _is_mask(k) else 1
        for own, wanted in zip(
            k.shape if _is_mask(k) else (), shape[axis : axis + rank], strict=False
        ):
            if own != wanted:
                raise IndexError(
                    f"boolean index did not match indexed array along axis {axis}; size of axis is "
                    f"{wanted} but size of corresponding boolean axis is {own}"
                )
        axis += rank


def _put_by_mask(x: Array, mask: Any, value: Any) -> bool:
    """Write under a mask by choice, if `value` needs no counting of the mask's elements."""
    if isinstance(mask, bool) or mask.ndim == 0 or mask.ndim > x.ndim:
        return False
    if mask.shape != x.shape[: mask.ndim]:
        return False  # NumPy says what is wrong
    rest = x.shape[mask.ndim :]
    shape = numpy.shape(value)
    if len(shape) > len(rest) and not (shape and shape[0] == 1 and len(shape) == len(rest) + 1):
        return False
    if len(shape) > len(rest):
        value = _core.asarray(value)[0]
        shape = shape[1:]
    try:
        if numpy.broadcast_shapes(shape, rest) != rest:
            return False
    except ValueError:
        return False
    new = _core._fitted(value, x.dtype)
    mask = _core.asarray(mask)[(..., *(None,) * len(rest))]
    x[...] = _core.where(mask, new, x)
    return True


def _gathered_shape(shape: tuple[int, ...], keys: tuple[Any, ...]) -> tuple[int, ...] | None:
    """Give the shape of `x[keys]`; None where a mask decides it, or NumPy would complain."""
    if any(_is_mask(k) for k in keys) or sum(k is Ellipsis for k in keys) > 1:
        return None
    taken = sum(k is not None and k is not Ellipsis for k in keys)
    if taken > len(shape):
        return None
    filled: list[Any] = []
    for k in keys:
        filled.extend([slice(None)] * (len(shape) - taken) if k is Ellipsis else [k])
    if Ellipsis not in [k for k in keys if not hasattr(k, "shape")]:
        filled.extend([slice(None)] * (len(shape) - taken))
    out: list[int] = []
    gathered: list[tuple[int, ...]] = []
    place: int | None = None  # of the gathered axes in the result
    apart = False
    axis = 0
    last = -2
    for at, k in enumerate(filled):
        if k is None:
            out.append(1)
            continue
        if isinstance(k, slice):
            out.append(len(range(*k.indices(shape[axis]))))
        else:
            if not isinstance(k, int) and k.dtype.kind not in "iu":
                return None
            gathered.append(() if isinstance(k, int) else tuple(k.shape))
            if place is None:
                place = len(out)
            elif last != at - 1:
                apart = True
            last = at
        axis += 1
    try:
        shared = numpy.broadcast_shapes(*gathered)
    except ValueError:
        return None
    at = 0 if apart or place is None else place
    return (*out[:at], *shared, *out[at:])
