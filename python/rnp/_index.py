"""Indexing by arrays, both ways: `x[indices]`, `x[mask]`, `x[indices] = y`, `x[mask] = y`.

Reading by integers, or by a mask that is known, is a view, of which elements are taken by their
numbers. Writing one value, or one per element, under a mask is a choice by value and fuses. Reading
by a mask that is not known yet has a shape that depends on data: the mask and the array are
evaluated, together and once, and the block's report says so.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy
from rnp import _core, _dispatch
from rnp._core import Array


def get(x: Array, key: Any) -> Any:
    """`x[key]` for a key that is not basic."""
    try:
        return _found(x, _keys(key))
    except IndexError:
        _first_mistake(x, key)
        raise


def _found(x: Array, keys: tuple[Any, ...]) -> Any:
    if len(keys) == 1 and x.ndim and _numbers(keys[0]):
        return _core._gather(x, list(keys), 0, [0], "raise", _take.__name__)
    known = any(_known_mask(k) for k in keys) and not _core._is_traced(x)
    way = _way(x.shape, _numbered(x.shape, keys) if known else keys)
    if way is None:
        return _dispatch.at_once(_take, (x, *keys), {})
    seen = x[way.view]
    if way.order is not None:
        seen = seen.transpose(way.order)
    return _core._gather(seen, way.numbers, way.place, way.called, "raise", _take.__name__)


def put(x: Array, key: Any, value: Any) -> None:
    """`x[key] = value` for a key that is not basic."""
    try:
        keys = _keys(key)
        _check_masks(x.shape, keys)
        _check_bounds(x.shape, keys)
    except IndexError:
        _first_mistake(x, key)
        raise
    if len(keys) == 1 and _is_mask(keys[0]) and _put_by_mask(x, keys[0], value):
        return
    _dispatch.update(x, _assign, (value, *keys))


def _first_mistake(x: Array, key: Any) -> None:
    """Of several mistakes in an index let NumPy tell the one that it comes to first."""

    def like(array: Array) -> Any:
        return numpy.broadcast_to(numpy.zeros((), array.dtype), array.shape)

    like(x)[_dispatch.replace(key, like)]


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


def _numbers(key: Any) -> bool:
    """Whether an item of an index is an array of integers."""
    return isinstance(key, (Array, numpy.ndarray)) and key.dtype.kind in "iu"


def _known_mask(key: Any) -> bool:
    """Whether an item of an index is a mask that need not be computed."""
    return type(key) is numpy.ndarray and key.dtype == bool and key.ndim > 0


def _axes_of(key: Any) -> int:
    """How many axes an item of an index other than `None` and `...` selects from."""
    return key.ndim if _is_mask(key) else 1


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
        rank = _axes_of(k)
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


class _Way(NamedTuple):
    """How an index takes elements: of a view, by numbers along axes that follow each other."""

    view: tuple[Any, ...]
    order: tuple[int, ...] | None
    place: int
    numbers: list[Any]
    called: list[int]


def _numbered(shape: tuple[int, ...], keys: tuple[Any, ...]) -> tuple[Any, ...]:
    """Replace masks that are known by the numbers of what they let through."""
    if sum(k is Ellipsis for k in keys) > 1:
        return keys
    out: list[Any] = []
    axes = [0 if k is None or k is Ellipsis or isinstance(k, bool) else _axes_of(k) for k in keys]
    left = len(shape) - sum(axes)
    axis = 0
    for k, own in zip(keys, axes, strict=True):
        if _known_mask(k):
            if k.shape != shape[axis : axis + k.ndim]:
                return keys  # NumPy says what is wrong
            out.extend(k.nonzero())
        else:
            out.append(k)
        axis += left if k is Ellipsis else own
    return tuple(out)


def _way(shape: tuple[int, ...], keys: tuple[Any, ...]) -> _Way | None:
    """Say how `x[keys]` takes elements; None where a mask decides, or NumPy says what is wrong.

    IndexError: indices that do not broadcast.
    """
    if any(_is_mask(k) for k in keys) or sum(k is Ellipsis for k in keys) > 1:
        return None
    left = len(shape) - sum(k is not None and k is not Ellipsis for k in keys)
    if left < 0:
        return None
    items = list(keys)
    at = next((i for i, k in enumerate(items) if k is Ellipsis), len(items))
    # One that stands for no axis still parts what is beside it.
    items[at : at + 1] = [slice(None)] * left or items[at : at + 1]
    view: list[Any] = []
    numbers: list[Any] = []
    called: list[int] = []
    taken: list[int] = []  # axes of the view
    numbering: list[int] = []  # which items are arrays, or integers, which NumPy takes for such
    first = axis = rank = 0
    for i, k in enumerate(items):
        if k is not None and k is not Ellipsis and not isinstance(k, slice):
            if not numbering:
                first = rank
            numbering.append(i)
        if k is Ellipsis:
            continue
        if k is None or isinstance(k, (slice, int)):
            view.append(k)
            rank += not isinstance(k, int)
        elif _numbers(k):
            view.append(slice(None))
            numbers.append(k)
            called.append(axis)
            taken.append(rank)
            rank += 1
        else:
            return None
        axis += k is not None
    shapes = [tuple(k.shape) for k in numbers]
    try:
        numpy.broadcast_shapes(*shapes)
    except ValueError:
        raise IndexError(
            "shape mismatch: indexing arrays could not be broadcast together with shapes "
            + "".join(f"{shape} ".replace(", ", ",") for shape in shapes if shape)
        ) from None
    if numbering[-1] - numbering[0] < len(numbering):
        return _Way(tuple(view), None, first, numbers, called)
    # Apart from each other they come first.
    others = [axis for axis in range(rank) if axis not in taken]
    return _Way(tuple(view), (*taken, *others), 0, numbers, called)
