"""`fft`: transforms by rule, their frequencies and shifts as compositions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy
from rnp import _core
from rnp._core import Array, Unsupported
from rnp._dispatch import Meta, composed, find, rule
from rnp._numpy.arguments import (
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
from rnp._numpy.moving import roll

# How long a transform of n points is, and how many points it takes if nobody says.
_Length = Callable[[int], int]


def _same(n: int) -> int:
    return n


def _half(n: int) -> int:
    return n // 2 + 1


def _double(n: int) -> int:
    return 2 * (n - 1)


def _line(path: str, taken: _Length, given: _Length) -> None:
    function = find(path)

    @rule(path)
    def meta(
        a: Any, n: Any = None, axis: Any = -1, norm: Any = None, out: None = None
    ) -> Meta | None:
        refuse(out=out)
        x = spec(a)
        i = one_axis(axis, x.ndim)
        points = taken(x.shape[i]) if n is None else index(n)
        if points < 1:
            return None
        dtype = probe(function, numpy.ones(2, x.dtype), tiny=(2,), norm=norm)
        return (*x.shape[:i], given(points), *x.shape[i + 1 :]), dtype


for _name, _taken, _given in (
    ("fft", _same, _same),
    ("ifft", _same, _same),
    ("rfft", _same, _half),
    ("ihfft", _same, _half),
    ("irfft", _double, _same),
    ("hfft", _double, _same),
):
    _line(f"fft.{_name}", _taken, _given)


def _space(path: str, taken: _Length, given: _Length, default: Any) -> None:
    function = find(path)

    @rule(path)
    def meta(
        a: Any, s: Any = None, axes: Any = default, norm: Any = None, out: None = None
    ) -> Meta | None:
        refuse(out=out)
        x = spec(a)
        if s is not None and axes is None:
            return None  # deprecated: NumPy says so
        which = range(x.ndim) if axes is None else [one_axis(i, x.ndim) for i in axes]
        if not which:
            return None
        shape = list(x.shape)
        if s is None:
            points = [shape[i] for i in which]
            points[-1] = taken(points[-1])
        else:
            if len(s) != len(which) or builtins_any(n is None for n in s):
                return None
            points = [shape[i] if n == -1 else index(n) for i, n in zip(which, s, strict=True)]
        if builtins_any(n < 1 for n in points):
            return None
        for i, n in zip(which, points, strict=True):
            shape[i] = n
        shape[which[-1]] = given(points[-1])
        tiny = (2,) * x.ndim
        dtype = probe(function, numpy.ones(tiny, x.dtype), tiny=tiny, axes=axes, norm=norm)
        return tuple(shape), dtype


for _name, _taken, _given in (
    ("fft", _same, _same),
    ("ifft", _same, _same),
    ("rfft", _same, _half),
    ("irfft", _double, _same),
):
    _space(f"fft.{_name}n", _taken, _given, None)
    _space(f"fft.{_name}2", _taken, _given, (-2, -1))


# -- order and frequencies


def _shift(x: Any, axes: Any, sign: int) -> Any:
    array = operand(x)
    if axes is None:
        axes = tuple(range(array.ndim))
    if isinstance(axes, int):
        axes = (axes,)
    by = tuple(sign * (array.shape[i] // 2) for i in axes)
    return roll(array, by, tuple(axes))


@composed("fft.fftshift")
def fftshift(x: Any, axes: Any = None) -> Any:
    """Move frequency zero to the middle."""
    return _shift(x, axes, 1)


@composed("fft.ifftshift")
def ifftshift(x: Any, axes: Any = None) -> Any:
    """Move frequency zero from the middle to the start."""
    return _shift(x, axes, -1)


def _points(n: Any, d: Any, device: Any) -> tuple[int, float]:
    if isinstance(d, Array) or not is_plain(d) or device not in (None, "cpu"):
        raise Unsupported("NumPy says what is wrong with it")
    points = index(n)
    if points < 1:
        raise Unsupported("NumPy says what is wrong with it")
    return points, 1.0 / (points * d)


@composed("fft.fftfreq")
def fftfreq(n: Any, d: Any = 1.0, device: Any = None) -> Any:
    """Frequencies of a transform's points."""
    points, step = _points(n, d, device)
    rising = _core.arange((points - 1) // 2 + 1)
    return concatenate([rising, _core.arange(-(points // 2), 0)]) * step


@composed("fft.rfftfreq")
def rfftfreq(n: Any, d: Any = 1.0, device: Any = None) -> Any:
    """Frequencies of the points of a transform of real numbers."""
    points, step = _points(n, d, device)
    return _core.arange(points // 2 + 1) * step
