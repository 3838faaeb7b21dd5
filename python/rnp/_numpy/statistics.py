"""Reductions: of the kernels `sum`, `mean` and their kin, and by rule where NumPy computes."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy
from rnp import _core
from rnp._core import Array, Unsupported
from rnp._dispatch import Function, Meta, arrays_in, composed, find, opaque, rule
from rnp._numpy.arguments import (
    MISSING,
    Spec,
    axes,
    builtins_all,
    builtins_any,
    index,
    is_plain,
    one_axis,
    operand,
    probe,
    reduced,
    refuse,
    spec,
)


def _flag(keepdims: Any) -> bool:
    return keepdims is not MISSING and bool(keepdims)


@composed("ptp")
def ptp(a: Any, axis: Any = None, out: None = None, keepdims: Any = MISSING) -> Any:
    """Peak to peak: the largest element less the smallest."""
    refuse(out=out)
    x = operand(a)
    keep = _flag(keepdims)
    return _core.subtract(
        _core.max(x, axis=axis, keepdims=keep), _core.min(x, axis=axis, keepdims=keep)
    )


@composed("average")
def average(
    a: Any,
    axis: Any = None,
    weights: Any = None,
    returned: bool = False,
    *,
    keepdims: Any = MISSING,
) -> Any:
    """Mean, without weights; those that add up to zero are an error, which NumPy finds."""
    refuse(weights=weights)
    x = operand(a)
    if axis is not None:
        axis = axes(axis, x.ndim)
    mean = _core.mean(x, axis=axis, keepdims=_flag(keepdims))
    if not returned:
        return mean
    if not mean.size:
        raise Unsupported("NumPy says what is wrong with it")
    return mean, _core.full(mean.shape, x.size / mean.size, mean.dtype)


@composed("count_nonzero")
def count_nonzero(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    """Number of elements that are not zero."""
    x = operand(a)
    return _core.sum(_core.not_equal(x, 0), axis=axis, dtype="int64", keepdims=bool(keepdims))


# -- by rule: what the kernels do not take (`where=`, `initial=`, other dtypes), and the rest


def _reducing(path: str, *, ordered: bool = False) -> Callable[..., Meta | None]:
    function = find(path)

    def meta(
        a: Any,
        axis: Any = None,
        dtype: Any = None,
        out: None = None,
        keepdims: Any = MISSING,
        initial: Any = MISSING,
        where: Any = True,
    ) -> Meta | None:
        refuse(out=out)
        x = spec(a)
        if not is_plain(where):
            return None
        numpy.broadcast_shapes(x.shape, spec(where).shape)
        if ordered and (initial is MISSING or 0 in x.shape) and (x.size == 0 or where is not True):
            return None  # there may be no element to begin with
        keywords = {} if dtype is None else {"dtype": dtype}
        return reduced(x.shape, axis, keepdims), probe(function, numpy.ones(2, x.dtype), **keywords)

    return meta


for _path in ("sum", "prod", "any", "all"):
    rule(_path)(_reducing(_path))
for _path in ("max", "min", "amax", "amin"):
    rule(_path)(_reducing(_path, ordered=True))


@rule("std", "var")
def _moment(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: None = None,
    ddof: Any = 0,
    keepdims: Any = MISSING,
    *,
    where: Any = True,
    mean: Any = MISSING,
    correction: Any = MISSING,
) -> Meta | None:
    if correction is not MISSING and ddof:
        return None  # NumPy refuses
    if dtype is not None and numpy.dtype(dtype).kind not in "fc":
        return None  # where NumPy can do it depends on the axes
    return _moment_of(numpy.var, a, axis, dtype, out, keepdims)


def _with_whole_ddof(path: str) -> None:
    """Leave `ddof` that is no integer to NumPy, and take it by its other name, `correction`."""
    builtin = getattr(_core, path)

    @functools.wraps(builtin)
    def moment(*args: Any, **keywords: Any) -> Any:
        for value in (keywords.get("ddof"), keywords.get("correction"), *args[4:5]):
            if isinstance(value, float):
                raise Unsupported("ddof that is no integer")
        if "correction" in keywords and "ddof" not in keywords and len(args) < 5:
            keywords["ddof"] = keywords.pop("correction")
        if "mean" in keywords:
            var = _about(*args, **keywords)
            return _core.sqrt(var) if path == "std" else var
        return builtin(*args, **keywords)

    Function(path, moment, "native")


def _about(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: None = None,
    ddof: Any = 0,
    keepdims: Any = False,
    *,
    mean: Any,
    where: Any = MISSING,
) -> Any:
    """Mean squared distance from a mean that is given, as that from our own is computed."""
    refuse(dtype=dtype, out=out, where=where)
    x, centre = spec(a), spec(mean)
    count = math.prod(x.shape[i] for i in axes(axis, x.ndim))
    if x.dtype not in ("f4", "f8") or centre != Spec(reduced(x.shape, axis, True), x.dtype):
        raise Unsupported("NumPy says what it takes")
    if count <= index(ddof) or not (is_plain(a) and is_plain(mean)):
        raise Unsupported("NumPy warns")
    distance = _core.subtract(a, mean)
    total = _core.sum(_core.multiply(distance, distance), axis=axis, keepdims=bool(keepdims))
    return _core.divide(total, x.dtype.type(count - ddof))


for _path in ("std", "var"):
    _with_whole_ddof(_path)


def _moment_of(
    function: Callable[..., Any], a: Any, axis: Any, dtype: Any, out: Any, keepdims: Any
) -> Meta:
    refuse(out=out)
    x = spec(a)
    keywords = {} if dtype is None else {"dtype": dtype}
    return reduced(x.shape, axis, keepdims), probe(function, numpy.ones(2, x.dtype), **keywords)


@rule("mean")
def _mean(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: None = None,
    keepdims: Any = MISSING,
    *,
    where: Any = True,
) -> Meta:
    return _moment_of(numpy.mean, a, axis, dtype, out, keepdims)


@rule("argmax", "argmin")
def _position(
    a: Any, axis: Any = None, out: None = None, *, keepdims: Any = MISSING
) -> Meta | None:
    refuse(out=out)
    x = spec(a)
    shape = reduced(x.shape, axis if axis is None else one_axis(axis, x.ndim), keepdims)
    gone = x.size if axis is None else x.shape[one_axis(axis, x.ndim)]
    return (shape, numpy.dtype(numpy.intp)) if gone else None


@rule("average")
def _average(
    a: Any,
    axis: Any = None,
    weights: Any = None,
    returned: bool = False,
    *,
    keepdims: Any = MISSING,
) -> Meta | None:
    x = spec(a)
    if returned:
        return None
    shape = reduced(x.shape, axis, keepdims)
    if weights is None:
        return shape, probe(numpy.mean, numpy.ones(2, x.dtype))
    w = spec(weights)
    if w.shape != x.shape and (
        axis is None or w.shape != tuple(x.shape[i] for i in axes(axis, x.ndim))
    ):
        return None  # NumPy says what is wrong with it
    return shape, probe(numpy.average, numpy.ones(2, x.dtype), weights=numpy.ones(2, w.dtype))


@rule("ptp")
def _ptp(a: Any, axis: Any = None, out: None = None, keepdims: Any = MISSING) -> Meta | None:
    refuse(out=out)
    x = spec(a)
    gone = axes(axis, x.ndim)
    if not builtins_all(x.shape[i] for i in gone):
        return None
    return reduced(x.shape, axis, keepdims), probe(numpy.ptp, numpy.ones(1, x.dtype))


@rule("count_nonzero")
def _count_nonzero(a: Any, axis: Any = None, *, keepdims: bool = False) -> Meta | None:
    shape = reduced(spec(a).shape, axis, keepdims)
    return shape, numpy.dtype(numpy.intp)


@rule("cov")
def _cov(
    m: Any,
    y: Any = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: Any = None,
    fweights: Any = None,
    aweights: Any = None,
    *,
    dtype: Any = None,
) -> Meta | None:
    return _pairwise(numpy.cov, m, y, rowvar, (fweights, aweights), dtype)


@rule("corrcoef")
def _corrcoef(m: Any, y: Any = None, rowvar: bool = True, *, dtype: Any = None) -> Meta | None:
    return _pairwise(numpy.corrcoef, m, y, rowvar, (), dtype)


def _pairwise(
    function: Callable[..., Any], m: Any, y: Any, rowvar: bool, weights: Any, dtype: Any
) -> Meta | None:
    parts = [spec(v) for v in ((m,) if y is None else (m, y))]
    if builtins_any(w is not None for w in weights) or builtins_any(p.ndim > 2 for p in parts):
        return None  # negative weights are an error
    if builtins_any(p.size == 0 for p in parts):
        return None

    def variables(shape: tuple[int, ...]) -> tuple[int, int]:
        if len(shape) < 2:
            return 1, shape[0] if shape else 1
        return (shape[0], shape[1]) if rowvar else (shape[1], shape[0])

    counts = [variables(p.shape) for p in parts]
    if builtins_any(observed != counts[0][1] for _, observed in counts):
        return None
    n = 0
    for count, _ in counts:
        n += count
    # Of a single variable the matrix is a number.
    keywords = {} if dtype is None else {"dtype": dtype}
    args = [numpy.ones((1, 2), p.dtype) for p in parts]
    return () if n == 1 else (n, n), probe(function, *args, tiny=(1, 2), **keywords)


@composed("histogram")
def histogram(
    a: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None
) -> Any:
    """Counts in bins, and their edges, whose number is known unless the values decide it."""
    x = spec(a)
    if isinstance(bins, str) or x.dtype.kind not in "iuf":
        raise Unsupported("the values decide")
    if next(arrays_in(range, density), None) is not None:
        raise Unsupported("a range that is not known yet")
    kind: numpy.dtype[Any] = numpy.dtype(numpy.intp)
    if weights is not None:
        kind = spec(weights).dtype
        if kind.kind not in "iuf" or spec(weights).shape != x.shape:
            raise Unsupported("NumPy says what it takes")
    if density:
        kind = numpy.dtype(float)
    edges, count = _edges(a, bins, range)
    meta = (count,), kind
    return opaque(_counts, (a, bins, range, density, weights), {}, meta, "histogram"), edges


def _edges(a: Any, bins: Any, range: Any) -> tuple[Any, int]:
    """Give the edges of bins, and how many bins there are."""
    seen = spec(bins)
    if seen.ndim == 0:
        count = index(bins)
    elif isinstance(bins, Array) and seen.ndim == 1 and seen.size:
        return bins, seen.size - 1
    else:
        count = seen.size - 1
    if count < 1:
        raise Unsupported("NumPy says what is wrong with it")
    if range is None and seen.ndim == 0:
        # Only the values tell where they end.
        meta = (count + 1,), probe(numpy.histogram_bin_edges, numpy.ones(2, spec(a).dtype), 2)
        return opaque(numpy.histogram_bin_edges, (a, count), {}, meta, "histogram"), count
    # Of the edges only the dtype of the data is asked, once the range is given.
    edges = numpy.histogram_bin_edges(numpy.zeros(0, spec(a).dtype), bins, range)
    return _core.asarray(edges), count


def _counts(a: Any, bins: Any, range: Any, density: Any, weights: Any) -> Any:
    return numpy.histogram(a, bins, range, density, weights)[0]
