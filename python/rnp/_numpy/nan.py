"""Reductions that pass over NaN: NaN is replaced by what changes nothing, and counted."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy
from rnp import _core
from rnp._core import Array, Unsupported
from rnp._dispatch import Meta, composed, find, rule, warn
from rnp._numpy.arguments import MISSING, axes, is_plain, model, operand, reduced, refuse, spec
from rnp._numpy.scans import cumprod, cumsum


def _keep(keepdims: Any) -> bool:
    return keepdims is not MISSING and bool(keepdims)


def _filled(x: Array, value: float) -> Any:
    return _core.where(_core.isnan(x), x.dtype.type(value), x)


def _numbers(a: Any) -> Array:
    x = operand(a)
    if x.dtype.kind not in "biuf":
        raise Unsupported("complex")
    return x


def _total(path: str, fold: Callable[..., Any], nothing: float, text: str) -> None:
    def total(
        a: Any,
        axis: Any = None,
        dtype: Any = None,
        out: None = None,
        keepdims: Any = MISSING,
        initial: Any = MISSING,
        where: Any = MISSING,
    ) -> Any:
        refuse(out=out, initial=initial, where=where)
        x = _numbers(a)
        x = _filled(x, nothing) if x.dtype.kind == "f" else x
        return fold(x, axis=axis, dtype=dtype, keepdims=_keep(keepdims))

    total.__doc__ = text
    composed(path)(total)


_total("nansum", _core.sum, 0.0, "Sum of the numbers.")
_total("nanprod", _core.prod, 1.0, "Product of the numbers.")


def _extreme(path: str, fold: Callable[..., Any], worst: float, text: str) -> None:
    def extreme(
        a: Any,
        axis: Any = None,
        out: None = None,
        keepdims: Any = MISSING,
        initial: Any = MISSING,
        where: Any = MISSING,
    ) -> Any:
        refuse(out=out, initial=initial, where=where)
        x = _numbers(a)
        keep = _keep(keepdims)
        if x.dtype.kind != "f":
            return fold(x, axis=axis, keepdims=keep)
        nothing = _core.all(_core.isnan(x), axis=axis, keepdims=keep)
        best = fold(_filled(x, worst), axis=axis, keepdims=keep)
        return _core.where(nothing, x.dtype.type(numpy.nan), best)

    extreme.__doc__ = text
    composed(path)(extreme)


_extreme("nanmin", _core.min, numpy.inf, "Smallest number; NaN if there is none.")
_extreme("nanmax", _core.max, -numpy.inf, "Largest number; NaN if there is none.")


def _warn(x: Array, axis: Any, ddof: int, text: str) -> None:
    """Warn of what has too few elements, whatever they are."""
    if x.ndim == 0 and axis in (0, -1):
        axis = None  # sums take these for an array without axes
    gone = axes(axis, x.ndim)
    few = math.prod(x.shape[i] for i in gone) <= ddof
    if few and 0 not in reduced(x.shape, axis) and not _core._is_traced(x):
        warn(text)


def _count(x: Array, axis: Any, keepdims: bool) -> Any:
    there = _core.logical_not(_core.isnan(x))
    return _core.sum(there, axis=axis, dtype="int64", keepdims=keepdims)


@composed("nanmean")
def nanmean(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: None = None,
    keepdims: Any = MISSING,
    *,
    where: Any = MISSING,
) -> Any:
    """Mean of the numbers."""
    refuse(out=out, where=where, dtype=dtype)
    x = _numbers(a)
    keep = _keep(keepdims)
    if x.dtype.kind != "f":
        return _core.mean(x, axis=axis, keepdims=keep)
    _warn(x, axis, 0, "Mean of empty slice")
    total = _core.sum(_filled(x, 0.0), axis=axis, keepdims=keep)
    return _core.divide(total, _count(x, axis, keep)).astype(x.dtype)


def _spread(a: Any, axis: Any, ddof: Any, keepdims: Any) -> Any:
    x = _numbers(a)
    if not isinstance(ddof, int):
        raise Unsupported("ddof that is no integer")
    keep = _keep(keepdims)
    if x.dtype.kind != "f":
        return _core.var(x, axis=axis, ddof=ddof, keepdims=keep)
    _warn(x, axis, ddof, "Degrees of freedom <= 0 for slice.")
    count = _count(x, axis, True)
    mean = _core.divide(_core.sum(_filled(x, 0.0), axis=axis, keepdims=True), count)
    off = _core.subtract(x, mean.astype(x.dtype))
    off = _core.where(_core.isnan(x), x.dtype.type(0.0), off)
    total = _core.sum(off * off, axis=axis, keepdims=keep)
    free = _count(x, axis, keep) - ddof
    spread = _core.divide(total, free).astype(x.dtype)
    return _core.where(free <= 0, x.dtype.type(numpy.nan), spread)


def _moment(path: str, of: Callable[..., Any], text: str) -> None:
    def moment(
        a: Any,
        axis: Any = None,
        dtype: Any = None,
        out: None = None,
        ddof: Any = 0,
        keepdims: Any = MISSING,
        *,
        where: Any = MISSING,
        mean: Any = MISSING,
        correction: Any = MISSING,
    ) -> Any:
        refuse(out=out, where=where, dtype=dtype, mean=mean, correction=correction)
        return of(_spread(a, axis, ddof, keepdims))

    moment.__doc__ = text
    composed(path)(moment)


_moment("nanvar", _core.positive, "Variance of the numbers.")
_moment("nanstd", _core.sqrt, "Standard deviation of the numbers.")


def _running(path: str, scan: Callable[..., Any], nothing: float, text: str) -> None:
    def running(a: Any, axis: Any = None, dtype: Any = None, out: None = None) -> Any:
        refuse(out=out)
        x = _numbers(a)
        x = _filled(x, nothing) if x.dtype.kind == "f" else x
        return scan(x, axis=axis, dtype=dtype)

    running.__doc__ = text
    composed(path)(running)


_running("nancumsum", cumsum, 0.0, "Running sum of the numbers.")
_running("nancumprod", cumprod, 1.0, "Running product of the numbers.")


def _by_model(path: str, *, ordered: bool = False) -> None:
    function = find(path)

    @rule(path)
    def meta(
        a: Any, axis: Any = None, *args: Any, out: None = None, **keywords: Any
    ) -> Meta | None:
        refuse(out=out)
        x = spec(a)
        where = keywords.get("where", True)
        if where is not MISSING and not (is_plain(where) and spec(where).dtype == bool):
            return None
        if ordered and (x.size == 0 or where is not True):
            return None
        return model(function, numpy_like(a), axis, *args, **keywords)


def numpy_like(a: Any) -> Any:
    """Give arrays as they are and sequences as arrays, so that a model can shrink them."""
    return a if is_plain(a) else numpy.broadcast_to(numpy.zeros((), spec(a).dtype), spec(a).shape)


for _path in ("nansum", "nanprod", "nanmean", "nanvar", "nanstd", "nancumsum", "nancumprod"):
    _by_model(_path)
for _path in ("nanmin", "nanmax"):
    _by_model(_path, ordered=True)
