"""`fft`: transforms along an axis are kernels; those along several, and shifts, are composed."""

from __future__ import annotations

from typing import Any

import numpy
from rnp import _core
from rnp._core import Array, Unsupported
from rnp._dispatch import Function, composed, public
from rnp._numpy.arguments import (
    builtins_any,
    index,
    is_plain,
    operand,
    refuse,
)
from rnp._numpy.joining import concatenate
from rnp._numpy.moving import roll

fft = Function("fft.fft", _core._fft, "native")
ifft = Function("fft.ifft", _core._ifft, "native")
rfft = Function("fft.rfft", _core._rfft, "native")
irfft = Function("fft.irfft", _core._irfft, "native")

# What divides the other direction as the name divides this one.
_SWAPPED = {None: "forward", "backward": "forward", "ortho": "ortho", "forward": "backward"}


def _swapped(norm: Any) -> str:
    if norm not in _SWAPPED:
        raise ValueError(f'Invalid norm value {norm}; should be "backward", "ortho" or "forward".')
    return _SWAPPED[norm]


@composed("fft.hfft", eager=True)
def hfft(a: Any, n: Any = None, axis: Any = -1, norm: Any = None, out: None = None) -> Any:
    """Transform points whose frequencies are real, given by half of them."""
    refuse(out=out)
    return irfft(public("conjugate")(a), n, axis, _swapped(norm))


@composed("fft.ihfft", eager=True)
def ihfft(a: Any, n: Any = None, axis: Any = -1, norm: Any = None, out: None = None) -> Any:
    """Give half of the points whose frequencies are real."""
    refuse(out=out)
    return public("conjugate")(rfft(a, n, axis, _swapped(norm)))


def _lengths(a: Any, s: Any, axes: Any, *, doubled: bool) -> list[tuple[int, int]]:
    """Give the points along each axis, as NumPy works them out."""
    shape = numpy.shape(a)
    if s is not None and axes is None:
        raise Unsupported("deprecated: NumPy says so")
    which = list(range(len(shape))) if axes is None else [index(i) for i in axes]
    if not which:
        raise Unsupported("NumPy says what is wrong with it")
    if s is None:
        points = [shape[i] for i in which]
        if doubled:
            points[-1] = 2 * (points[-1] - 1)
    else:
        if len(s) != len(which) or builtins_any(n is None for n in s):
            raise Unsupported("NumPy says what is wrong with it")
        points = [shape[i] if n == -1 else index(n) for i, n in zip(which, s, strict=True)]
    return list(zip(which, points, strict=True))


def _space(name: str, each: Function, last: Function, default: Any) -> None:
    """Make the transform along several axes; the real points of it lie along the last of them."""
    inverse = last is irfft

    @composed(f"fft.{name}", eager=True)
    def transform(
        a: Any, s: Any = None, axes: Any = default, norm: Any = None, out: None = None
    ) -> Any:
        """Transform along several axes, one after the other."""
        refuse(out=out)
        *rest, end = _lengths(a, s, axes, doubled=inverse)
        if not inverse:
            a = last(a, end[1], end[0], norm)
            rest.reverse()
        for axis, points in rest:
            a = each(a, points, axis, norm)
        return last(a, end[1], end[0], norm) if inverse else a


for _name, _each, _last in (
    ("fft", fft, fft),
    ("ifft", ifft, ifft),
    ("rfft", fft, rfft),
    ("irfft", ifft, irfft),
):
    _space(f"{_name}n", _each, _last, None)
    _space(f"{_name}2", _each, _last, (-2, -1))


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
