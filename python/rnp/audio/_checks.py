"""What arguments may be: each check names the argument, what came, and what is accepted.

Lengths of deferred arrays are looked at only where the function needs them, so that what `rnp.jit`
traced serves other lengths too: of no samples it then is the engine that says what is wrong.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable
from typing import Any

import numpy as np
import rnp._core as core
from rnp._core import Array

# What most samples are: one object, which a comparison of identities knows.
FLOAT32 = np.dtype(np.float32)

# Real numbers of up to 64 bits; longer doubles have no kernels.
_REAL = frozenset("bBhHiIlLqQefd")


def real(x: Any, name: str = "samples") -> Any:
    """Take real numbers for a builtin of rnp, which takes them into the graph itself."""
    if type(x) is np.ndarray and x.dtype is FLOAT32:
        return x
    if not (type(x) is np.ndarray or type(x) is Array):
        x = np.asarray(x)
    if x.dtype.char not in _REAL:
        raise TypeError(
            f"{name} must be real numbers (int8 to int64, uint8 to uint64, float16 to float64),"
            f" not {x.dtype}"
        )
    return x if x.dtype.isnative else x.astype(x.dtype.newbyteorder("="))


def samples(x: Any, name: str = "samples") -> Any:
    """Take an array of real numbers, or what makes one; in a block, into the graph."""
    x = real(x, name)
    return core.asarray(x) if core.is_lazy() and type(x) is np.ndarray else x


def some(x: Any, name: str = "samples") -> Any:
    """`real`, of which there is one at least."""
    x = real(x, name)
    if not x.size if type(x) is np.ndarray else core._is_empty(x):
        raise ValueError(f"{name} must not be empty; got shape {x.shape}")
    return x


def filled(x: Any, name: str = "samples") -> Any:
    """`samples`, of which there is one at least."""
    x = some(x, name)
    return core.asarray(x) if core.is_lazy() and type(x) is np.ndarray else x


def floats(x: Any) -> Any:
    """Turn integers into float64, as NumPy's division does; floats stay as they are."""
    return x if x.dtype.kind == "f" else x.astype("float64")


def time_axis(x: Any, axis: Any, name: str = "samples") -> int:
    """Take the number of the axis that time runs along, counted from the first."""
    if x.ndim == 0:
        raise ValueError(f"{name} must have a time axis; got a single number")
    try:
        at = operator.index(axis)
    except TypeError:
        raise TypeError(f"axis must be an integer, not {type(axis).__name__}") from None
    if not -x.ndim <= at < x.ndim:
        raise np.exceptions.AxisError(f"axis {at} is out of bounds for {name} with {x.ndim} axes")
    return int(at % x.ndim)


def axis_or_all(x: Any, axis: Any) -> int | None:
    """Take the axis of a reduction, or None for all samples."""
    return None if axis is None else time_axis(x, axis)


def length(value: Any, name: str) -> int:
    """Take a number of samples, 0 or more."""
    try:
        n = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be an integer, not {type(value).__name__}") from None
    if n < 0:
        raise ValueError(f"{name} must be 0 or more, not {n}")
    return n


def number(value: Any, name: str) -> float:
    """Take a number that is neither an array nor NaN."""
    if type(value) is float and value == value:
        return value
    if not isinstance(value, (int, float, np.integer, np.floating)):
        raise TypeError(f"{name} must be a number, not {type(value).__name__}")
    if math.isnan(value):
        raise ValueError(f"{name} must not be NaN")
    return float(value)


def positive(value: Any, name: str) -> float:
    """Take a number above 0, finite."""
    found = number(value, name)
    if not 0 < found < math.inf:
        raise ValueError(f"{name} must be above 0 and finite, not {value}")
    return found


def duration(milliseconds: Any, name: str, sample_rate: float) -> int:
    """Take a time in ms as a number of samples, rounded down; negative times are none."""
    count = number(milliseconds, name) * sample_rate / 1000
    if count >= 2**62:
        raise ValueError(f"{name} must be finite, not {milliseconds}")
    return max(int(count), 0)


def choice(value: Any, name: str, accepted: Iterable[Any]) -> Any:
    """Take one of a few values."""
    known = list(accepted)
    if isinstance(value, (str, int)) and not isinstance(value, bool) and value in known:
        return value
    raise ValueError(f"{name} must be one of {', '.join(map(repr, known))}; got {value!r}")
