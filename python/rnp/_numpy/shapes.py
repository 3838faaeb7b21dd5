"""Shapes in another order than C's: `reshape` and `ravel` with NumPy's `order`."""

from __future__ import annotations

from typing import Any

from rnp import _core
from rnp._core import Unsupported
from rnp._dispatch import composed


@composed("reshape", eager=_core._reshaped)
def reshape(a: Any, /, shape: Any, order: str = "C", *, copy: bool | None = None) -> Any:
    """Give the same elements another shape; one length may be -1. A view where NumPy's is one.

    `order="F"` reads and writes them with the first axis changing fastest. A deferred array lies in
    C order, so that "A" is "C". `copy=True` gives a copy. A shape of another number of elements is
    a ValueError.
    """
    x = _core.asarray(a)
    if order == "F":
        dims = shape if isinstance(shape, (tuple, list)) else (shape,)
        found = _core.reshape(x.T, tuple(dims)[::-1]).T
    elif order in ("C", "A"):
        found = _core.reshape(x, shape)
    else:
        raise Unsupported(f"reshape: order {order!r}")
    return found.copy() if copy else found


@composed("ravel")
def ravel(a: Any, order: str = "C") -> Any:
    """Give all elements along one axis; a view where NumPy's is one. `order` as for `reshape`."""
    if order not in ("C", "F", "A", "K"):
        raise Unsupported(f"ravel: order {order!r}")
    x = _core.asarray(a)
    return _core.ravel(x.T if order == "F" else x)
