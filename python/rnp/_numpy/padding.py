"""`pad`: views of an array and blocks of new values, joined."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy
from rnp import _core
from rnp._core import Array, Unsupported
from rnp._dispatch import Meta, composed, known, rule
from rnp._numpy.arguments import along, builtins_any, operand, spec
from rnp._numpy.joining import concatenate
from rnp._numpy.moving import flip

_Width = tuple[int, int]

_STATISTICS = {"maximum", "mean", "median", "minimum"}
# Keywords of each mode.
_KEYWORDS: dict[str, set[str]] = {
    "constant": {"constant_values"},
    "edge": set(),
    "empty": set(),
    "linear_ramp": {"end_values"},
    "reflect": {"reflect_type"},
    "symmetric": {"reflect_type"},
    "wrap": set(),
    **{mode: {"stat_length"} for mode in _STATISTICS},
}
# A mirror image is put together of this many pieces at most.
_PIECES = 64


def _widths(pad_width: Any, ndim: int) -> list[_Width]:
    if isinstance(pad_width, Array):
        raise Unsupported("widths that are not known yet")
    if isinstance(pad_width, dict):
        table = numpy.zeros((ndim, 2), int).tolist()
        for axis, width in pad_width.items():
            table[axis] = numpy.broadcast_to(width, (2,)).tolist()
        pad_width = table
    given = numpy.asarray(pad_width)
    if given.dtype.kind != "i" or (given < 0).any():
        raise Unsupported("NumPy says what is wrong with it")
    return [(before, behind) for before, behind in numpy.broadcast_to(given, (ndim, 2)).tolist()]


def _sides(values: Any, ndim: int) -> list[tuple[Any, Any]]:
    """For each axis the value before and the value behind."""
    if isinstance(values, Array) or builtins_any(isinstance(v, Array) for v in _flat(values)):
        raise Unsupported("values that are not known yet")
    # As NumPy's scalars: to `linspace` they are strong.
    pairs = numpy.broadcast_to(numpy.asarray(values), (ndim, 2))
    return [(before, behind) for before, behind in pairs]


def _flat(values: Any) -> Iterator[Any]:
    if isinstance(values, (list, tuple)):
        for value in values:
            yield from _flat(value)
    else:
        yield values


@composed("pad")
def pad(array: Any, pad_width: Any, mode: Any = "constant", **keywords: Any) -> Any:
    """Put something around an array."""
    x = operand(array)
    widths = _widths(pad_width, x.ndim)
    if not isinstance(mode, str) or mode in _STATISTICS or mode not in _KEYWORDS:
        raise Unsupported("NumPy's modes, or wrong ones")
    if set(keywords) - _KEYWORDS[mode]:
        raise Unsupported("NumPy's modes, or wrong ones")
    if keywords.get("reflect_type", "even") != "even":
        raise Unsupported("odd reflections")
    values = _sides(next(iter(keywords.values()), 0), x.ndim) if mode in _VALUES else []
    y = x
    for i, width in enumerate(widths):
        if width == (0, 0):
            continue
        if mode not in ("constant", "empty") and not y.shape[i]:
            raise Unsupported("NumPy says what is wrong with it")
        if mode in _VALUES:
            before, behind = _VALUES[mode](y, i, width, values[i])
            y = concatenate([before, y, behind], axis=i)
        else:
            y = concatenate(_images(y, i, width, mode), axis=i)
    return x.copy() if y is x else y


def _constant(x: Array, axis: int, width: _Width, values: tuple[Any, Any]) -> list[Any]:
    blocks = []
    for count, value in zip(width, values, strict=True):
        shape = (*x.shape[:axis], count, *x.shape[axis + 1 :])
        # Cast as an assignment would cast it.
        number = numpy.asarray(value).astype(x.dtype)
        blocks.append(_core.full(shape, number[()], x.dtype))
    return blocks


def _ramp(x: Array, axis: int, width: _Width, values: tuple[Any, Any]) -> list[Any]:
    linspace = known(numpy.linspace)
    ends = [x[along(x.ndim, axis, 0)], x[along(x.ndim, axis, -1)]]
    blocks = [
        linspace(value, end, count, endpoint=False, dtype=x.dtype, axis=axis)
        for value, end, count in zip(values, ends, width, strict=True)
    ]
    return [blocks[0], flip(blocks[1], axis)]


_VALUES = {"constant": _constant, "empty": _constant, "linear_ramp": _ramp}


def _images(x: Array, axis: int, width: _Width, mode: str) -> list[Any]:
    """Pieces of an array whose images go on over both ends."""
    length = x.shape[axis]
    before, behind = width
    if mode == "edge" or (mode == "reflect" and length == 1):
        ends = slice(0, 1), slice(length - 1, None)
        blocks = []
        for count, end in zip(width, ends, strict=True):
            shape = (*x.shape[:axis], count, *x.shape[axis + 1 :])
            blocks.append(_core.broadcast_to(x[along(x.ndim, axis, end)], shape))
        return [blocks[0], x, blocks[1]]
    pieces = []
    for start, count, step in _runs(-before, length + behind, length, mode):
        stop = start + step * count
        key = slice(start, None if stop < 0 else stop, step)
        pieces.append(x[along(x.ndim, axis, key)])
        if len(pieces) > _PIECES:
            raise Unsupported("too many images")
    return pieces


def _runs(place: int, stop: int, length: int, mode: str) -> Iterator[tuple[int, int, int]]:
    """Cut places in an endless row of images into runs: first element, count, direction."""
    period = {"wrap": length, "symmetric": 2 * length, "reflect": 2 * (length - 1)}[mode]
    turn = length - 1 if mode == "reflect" else length
    while place < stop:
        at = place % period
        forward = mode == "wrap" or at < turn
        count = (turn - at) if forward else (period - at)
        count = stop - place if stop - place < count else count
        if forward:
            yield at, count, 1
        else:
            yield (period - at if mode == "reflect" else period - 1 - at), count, -1
        place += count


@rule("pad")
def _pad(array: Any, pad_width: Any, mode: Any = "constant", **keywords: Any) -> Meta | None:
    x = spec(array)
    widths = _widths(pad_width, x.ndim)
    if isinstance(mode, str):
        if mode not in _KEYWORDS or set(keywords) - _KEYWORDS[mode]:
            return None
        if mode not in ("constant", "empty") and 0 in x.shape:
            return None
        if keywords.get("stat_length") is not None:
            return None  # NumPy checks it
    shape = tuple(a + n + b for n, (a, b) in zip(x.shape, widths, strict=True))
    return shape, x.dtype
