"""`out=`: a result is written into somebody's array, deferred or NumPy's, by NumPy's rules.

May not know: what was computed.
"""

from __future__ import annotations

from typing import Any

import numpy
from rnp import _core
from rnp._core import Array


def dtype_of(x: Any) -> Any:
    """Give the dtype of an array, or of what NumPy would make of something else."""
    found = getattr(x, "dtype", None)
    return numpy.asarray(x).dtype if found is None else found


def store(name: str, target: Any, value: Any, casting: str = "same_kind") -> Any:
    """Write a result into `out`, deferred or not, and return it."""
    if not isinstance(target, (Array, numpy.ndarray)):
        raise TypeError(f"{name}: out must be an array, not {type(target).__name__}")
    dtype = dtype_of(value)
    if not numpy.can_cast(dtype, target.dtype, casting):  # type: ignore[arg-type]
        raise TypeError(
            f"Cannot cast ufunc '{name}' output from {dtype!r} to {target.dtype!r} "
            f"with casting rule '{casting}'"
        )
    if tuple(target.shape) != numpy.broadcast_shapes(target.shape, numpy.shape(value)):
        raise ValueError(
            f"{name}: non-broadcastable output operand with shape {target.shape} doesn't match the "
            f"broadcast shape {numpy.shape(value)}"
        )
    if isinstance(target, Array):
        target[...] = _core.astype(value, target.dtype) if isinstance(value, Array) else value
    else:
        # Somebody else's memory is written now: its owner may look at it in the next line.
        if isinstance(value, Array):
            _core._note_fallback(f"{name}(out=ndarray)", True)
            value = value.__array__()
        numpy.copyto(target, value, casting="unsafe")
    return target


def store_whole(name: str, target: Any, value: Any) -> Any:
    """Write the result of a function that is no ufunc into `out`."""
    return store(name, target, value, "unsafe" if name in _FORCED else "same_kind")


# These cast to the dtype of `out` whatever it is.
_FORCED = frozenset({"choose", "take"})
