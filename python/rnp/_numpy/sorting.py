"""Order: sorting, and what needs it, by rule. NumPy sorts when the values are there."""

from __future__ import annotations

from typing import Any

import numpy
from rnp import _core
from rnp._core import Array
from rnp._dispatch import Meta, find, rule
from rnp._numpy.arguments import (
    MISSING,
    Spec,
    axes,
    builtins_all,
    one_axis,
    probe,
    reduced,
    refuse,
    spec,
)

_INDEX = numpy.dtype(numpy.intp)
_KINDS = (None, "quicksort", "mergesort", "heapsort", "stable", "q", "m", "h", "s")


def _lined(a: Any, axis: Any) -> Spec:
    """Describe an array, which is flat if no axis is given."""
    x = spec(a)
    if axis is None:
        return Spec((x.size,), x.dtype)
    one_axis(axis, x.ndim)
    return x


@rule("sort")
def _sort(
    a: Any, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None
) -> Meta | None:
    refuse(order=order)
    if kind not in _KINDS or (kind is not None and stable is not None):
        return None
    return _lined(a, axis)


@rule("argsort")
def _argsort(
    a: Any, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None
) -> Meta | None:
    refuse(order=order)
    if kind not in _KINDS or (kind is not None and stable is not None):
        return None
    return _lined(a, axis).shape, _INDEX


def _splits(x: Spec, kth: Any, axis: Any) -> bool:
    """Whether all of `kth` are places of the axis."""
    if isinstance(kth, Array):
        return False
    places = numpy.asarray(kth)
    length = x.shape[-1 if axis is None else one_axis(axis, x.ndim)]
    if places.dtype.kind not in "iu" or places.ndim > 1:
        return False
    return bool(((-length <= places) & (places < length)).all())


@rule("partition")
def _partition(
    a: Any, kth: Any, axis: Any = -1, kind: str = "introselect", order: Any = None
) -> Meta | None:
    refuse(order=order)
    x = _lined(a, axis)
    return x if kind == "introselect" and _splits(x, kth, axis) else None


@rule("argpartition")
def _argpartition(
    a: Any, kth: Any, axis: Any = -1, kind: str = "introselect", order: Any = None
) -> Meta | None:
    refuse(order=order)
    x = _lined(a, axis)
    return (x.shape, _INDEX) if kind == "introselect" and _splits(x, kth, axis) else None


@rule("lexsort")
def _lexsort(keys: Any, axis: Any = -1) -> Meta | None:
    rows = [keys.shape[1:]] if isinstance(keys, Array) else None
    shapes = rows or [spec(key).shape for key in keys]
    if not shapes or not builtins_all(shape == shapes[0] for shape in shapes) or not shapes[0]:
        return None
    one_axis(axis, len(shapes[0]))
    return shapes[0], _INDEX


@rule("sort_complex")
def _sort_complex(a: Any) -> Meta | None:
    x = spec(a)
    return (x.shape, probe(numpy.sort_complex, numpy.ones(1, x.dtype))) if x.ndim else None


# -- what stands at a place of the sorted array


def _nonempty(x: Spec, axis: Any) -> bool:
    return builtins_all(x.shape[i] for i in axes(axis, x.ndim))


def _middle(path: str) -> None:
    function = find(path)

    @rule(path)
    def meta(
        a: Any,
        axis: Any = None,
        out: None = None,
        overwrite_input: bool = False,
        keepdims: Any = MISSING,
    ) -> Meta | None:
        refuse(out=out)
        x = spec(a)
        if overwrite_input:
            return None
        return reduced(x.shape, axis, keepdims), probe(function, numpy.ones(1, x.dtype))


def _quantiles(path: str, top: int) -> None:
    function = find(path)

    @rule(path)
    def meta(
        a: Any,
        q: Any,
        axis: Any = None,
        out: None = None,
        overwrite_input: bool = False,
        method: str = "linear",
        keepdims: Any = MISSING,
        *,
        weights: Any = None,
        interpolation: Any = None,
    ) -> Meta | None:
        refuse(out=out, weights=weights, interpolation=interpolation)
        x, at = spec(a), spec(q)
        if overwrite_input or at.dtype.kind not in "iuf" or not _nonempty(x, axis):
            return None
        number: Any = type(q)
        if isinstance(q, Array):
            number = _core._number(q)
        else:
            wanted = numpy.asarray(q)
            if not ((wanted >= 0) & (wanted <= top)).all():
                return None  # NumPy says what is wrong with it
        # A Python number is weak here, so its type is asked and not its dtype.
        like = number(1) if number in (int, float) else numpy.ones(1, at.dtype)
        shape = reduced(x.shape, axis, keepdims)
        return (*at.shape, *shape), probe(function, numpy.ones(1, x.dtype), like, method=method)


for _path in ("median", "nanmedian"):
    _middle(_path)
for _path, _top in (("percentile", 100), ("quantile", 1)):
    _quantiles(_path, _top)
    _quantiles(f"nan{_path}", _top)
