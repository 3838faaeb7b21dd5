"""Along an axis: running sums and products, differences, slopes and areas."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy
from rnp import _core
from rnp._core import Array, Unsupported
from rnp._dispatch import Meta, composed, native, rule
from rnp._numpy.arguments import (
    MISSING,
    along,
    axes,
    builtins_any,
    index,
    is_plain,
    one_axis,
    operand,
    probe,
    refuse,
    spec,
)
from rnp._numpy.joining import concatenate

cumsum, cumprod = native("cumsum"), native("cumprod")


def _cumulative(path: str, scan: Callable[..., Any]) -> None:
    @composed(path)
    def cumulative(
        x: Any,
        /,
        *,
        axis: Any = None,
        dtype: Any = None,
        out: None = None,
        include_initial: bool = False,
    ) -> Any:
        """Partial results along an axis, what nothing gives before them if asked for."""
        refuse(out=out)
        array = operand(x)
        if axis is None and array.ndim != 1:
            raise Unsupported("NumPy says what is wrong with it")
        i = one_axis(0 if axis is None else axis, array.ndim)
        result = scan(array, axis=i, dtype=dtype)
        if not include_initial:
            return result
        shape = (*result.shape[:i], 1, *result.shape[i + 1 :])
        nothing = _core.full(shape, 0 if scan is cumsum else 1, dtype=result.dtype)
        return concatenate([nothing, result], axis=i)


_cumulative("cumulative_sum", cumsum)
_cumulative("cumulative_prod", cumprod)


# -- differences


def _beside(value: Any, x: Array, axis: int) -> Any:
    """What is put before or behind: an array, or a number for every line along the axis."""
    piece = operand(value)
    if piece.ndim:
        return piece
    shape = list(x.shape)
    shape[axis] = 1
    return _core.broadcast_to(piece, tuple(shape))


@composed("diff")
def diff(a: Any, n: Any = 1, axis: Any = -1, prepend: Any = MISSING, append: Any = MISSING) -> Any:
    """Differences of neighbours, taken `n` times."""
    times = index(n)
    if times == 0:
        return a
    x = operand(a)
    if times < 0 or not x.ndim:
        raise Unsupported("NumPy says what is wrong with it")
    i = one_axis(axis, x.ndim)
    before = [] if prepend is MISSING else [_beside(prepend, x, i)]
    behind = [] if append is MISSING else [_beside(append, x, i)]
    if before or behind:
        x = concatenate([*before, x, *behind], axis=i)
    change = _core.not_equal if x.dtype == bool else _core.subtract
    later, earlier = along(x.ndim, i, slice(1, None)), along(x.ndim, i, slice(None, -1))
    for _ in range(times):
        x = change(x[later], x[earlier])
    return x


@composed("ediff1d")
def ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    """Differences of neighbours of the flat array, with something put around them."""
    x = operand(ary).reshape((-1,))
    change = _core.subtract(x[1:], x[:-1])
    ends = [None if end is None else operand(end) for end in (to_begin, to_end)]
    if builtins_any(
        end is not None and not numpy.can_cast(end.dtype, x.dtype, "same_kind") for end in ends
    ):
        raise Unsupported("NumPy says what is wrong with it")
    begin, end = ([] if e is None else [e.reshape((-1,)).astype(x.dtype)] for e in ends)
    return concatenate([*begin, change, *end]) if begin or end else change


# -- slopes and areas


@composed("gradient")
def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: Any = 1) -> Any:
    """Slopes by central differences, for even spacing."""
    x = operand(f)
    which = axes(axis, x.ndim)
    spacing = _spacing(varargs, len(which))
    order = index(edge_order)
    if order not in (1, 2) or x.dtype.kind not in "biuf":
        raise Unsupported("NumPy says what is wrong with it")
    dtype = x.dtype if x.dtype.kind == "f" else numpy.dtype("float64")
    if x.dtype.kind in "iu":
        x = x.astype("float64")
    slopes = []
    for i, dx in zip(which, spacing, strict=True):
        if x.shape[i] < order + 1:
            raise Unsupported("NumPy says what is wrong with it")
        slopes.append(_slope(x, i, dx, order, dtype))
    return slopes[0] if len(slopes) == 1 else tuple(slopes)


def _spacing(varargs: tuple[Any, ...], count: int) -> list[Any]:
    if not varargs:
        return [1.0] * count
    if builtins_any(not is_plain(dx) or spec(dx).ndim for dx in varargs):
        raise Unsupported("whether positions are even only their values tell")
    if len(varargs) == 1:
        return [varargs[0]] * count
    if len(varargs) != count:
        raise Unsupported("NumPy says what is wrong with it")
    return list(varargs)


def _slope(x: Array, axis: int, dx: Any, order: int, dtype: Any) -> Any:
    def at(start: int | None, stop: int | None) -> Any:
        return x[along(x.ndim, axis, slice(start, stop))]

    inner = _core.subtract(at(2, None), at(None, -2)) / (2.0 * dx)
    if order == 1:
        first = _core.subtract(at(1, 2), at(0, 1)) / dx
        last = _core.subtract(at(-1, None), at(-2, -1)) / dx
    else:
        a, b, c = -1.5 / dx, 2.0 / dx, -0.5 / dx
        first = a * at(0, 1) + b * at(1, 2) + c * at(2, 3)
        a, b, c = 0.5 / dx, -2.0 / dx, 1.5 / dx
        last = a * at(-3, -2) + b * at(-2, -1) + c * at(-1, None)
    parts = [_core.astype(part, dtype) for part in (first, inner, last)]
    return concatenate(parts, axis=axis)


@rule("gradient")
def _gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: Any = 1) -> Meta | None:
    x = spec(f)
    which = axes(axis, x.ndim)
    if len(which) != 1 or len(varargs) > 1 or index(edge_order) not in (1, 2):
        return None
    if x.shape[which[0]] < index(edge_order) + 1:
        return None
    distances = [spec(v).shape for v in varargs]
    if distances and distances[0] not in ((), (x.shape[which[0]],)):
        return None
    return x.shape, probe(numpy.gradient, numpy.ones(3, x.dtype), tiny=(3,))


@composed("trapezoid")
def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: Any = -1) -> Any:
    """Area under straight lines between samples."""
    values = operand(y)
    i = one_axis(axis, values.ndim)
    if x is None:
        if not is_plain(dx):
            raise Unsupported("a spacing that is no plain number or array")
        width = dx
    else:
        grid = operand(x)
        width = diff.__wrapped__(grid, axis=-1 if grid.ndim == 1 else axis)
        if grid.ndim == 1:
            width = width.reshape(along_shape(values.ndim, i, width.shape[0]))
    later = values[along(values.ndim, i, slice(1, None))]
    earlier = values[along(values.ndim, i, slice(None, -1))]
    return _core.sum(width * _core.add(later, earlier) / 2.0, axis=i)


def along_shape(ndim: int, axis: int, length: int) -> tuple[int, ...]:
    """Shape of a line along one axis."""
    return tuple(length if i == axis else 1 for i in range(ndim))


@composed("unwrap")
def unwrap(p: Any, discont: Any = None, axis: Any = -1, *, period: Any = 2 * numpy.pi) -> Any:
    """Take out jumps of more than half a period."""
    x = operand(p)
    if type(period) not in (int, float) or not (discont is None or type(discont) in (int, float)):
        raise Unsupported("periods that are no plain numbers")
    i = one_axis(axis, x.ndim)
    step = diff.__wrapped__(x, axis=i)
    discont = period / 2 if discont is None else discont
    dtype = numpy.result_type(step.dtype, period)
    if dtype.kind in "iu":
        high, rest = period // 2, period % 2
        at_edge = rest == 0
    else:
        high, at_edge = period / 2, True
    low = -high
    wrapped = _core.remainder(_core.subtract(step, low), period) + low
    if at_edge:
        jumps = _core.logical_and(_core.equal(wrapped, low), _core.greater(step, 0))
        wrapped = _core.where(jumps, _core.astype(operand(high), wrapped.dtype), wrapped)
    correct = _core.subtract(wrapped, step)
    small = _core.less(_core.absolute(step), discont)
    correct = _core.where(small, correct.dtype.type(0), correct)
    first = x[along(x.ndim, i, slice(None, 1))].astype(dtype)
    rest = _core.add(x[along(x.ndim, i, slice(1, None))], cumsum(correct, axis=i))
    return concatenate([first, _core.astype(rest, dtype)], axis=i)


__all__ = ["cumprod", "cumsum", "diff"]
