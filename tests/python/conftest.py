"""What the tests share: arrays of every kind of memory layout."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

INTEGERS = [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]
DTYPES = ["bool", *INTEGERS, "float16", "float32", "float64"]


def misaligned(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return a copy that starts one byte off."""
    raw = np.empty(x.nbytes + 1, np.uint8)
    out = raw[1:].view(x.dtype).reshape(x.shape)
    out[...] = x
    return out


def swapped(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return a copy in the other byte order."""
    return x.astype(x.dtype.newbyteorder(">"))


def read_only(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return a copy that cannot be written."""
    out = x.copy()
    out.flags.writeable = False
    return out


LAYOUTS: dict[str, Callable[[np.ndarray[Any, Any]], np.ndarray[Any, Any]]] = {
    "contiguous": lambda x: x.copy(),
    "stepped": lambda x: np.repeat(x, 2, axis=0)[::2],
    "reversed": lambda x: x[::-1].copy()[::-1],
    "transposed": lambda x: x.T.copy().T,
    "broadcast": lambda x: np.broadcast_to(x, (3, *x.shape))[1],
    "misaligned": misaligned,
    "big-endian": swapped,
    "read-only": read_only,
}


@pytest.fixture(params=list(LAYOUTS))
def layout(request: pytest.FixtureRequest) -> Callable[..., np.ndarray[Any, Any]]:
    """Give each memory layout in turn."""
    return LAYOUTS[request.param]
