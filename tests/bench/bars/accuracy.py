"""Bar 8: the error of the elementary functions, on a stride of all float32 bit patterns.

A check, not a proof; `design/numerics.md` names the command that sweeps all of them, and has the
maxima, float64 among them.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import rnp

from bench.bars import Line, at_most
from bench.works import Array

FUNCTIONS = ("exp", "log", "log2", "log10", "log1p", "sin", "cos", "tanh")
STRIDE = 4_099  # a prime: about a million patterns


def error(result: Array, exact: Array) -> float:
    """Return the largest error of float32 results, in units in the last place of the exact one."""
    here = np.isfinite(exact) & (np.abs(exact) <= np.finfo(np.float32).max)
    grid = np.spacing(np.abs(exact[here]).astype(np.float32)).astype(np.float64)
    return float(np.max(np.abs(result[here].astype(np.float64) - exact[here]) / grid))


def lines(stride: int = STRIDE) -> Iterator[Line]:
    """Yield the bar's lines: the worst of all, and special values."""
    patterns = np.arange(0, 2**32, stride, dtype=np.uint64).astype(np.uint32)
    x = patterns.view(np.float32)
    worst, name_of_worst, odd = 0.0, "", []
    with np.errstate(all="ignore"):
        for name in FUNCTIONS:
            ours = getattr(rnp, name)(x)
            exact = getattr(np, name)(x.astype(np.float64))
            theirs = getattr(np, name)(x)
            found = error(ours, exact)
            if found > worst:
                worst, name_of_worst = found, name
            special = ~np.isfinite(theirs)
            if not np.array_equal(ours[special], theirs[special], equal_nan=True):
                odd.append(name)
    what = f"error of {len(FUNCTIONS)} float32 functions on {len(x):,} bit patterns"
    yield at_most(8, what, 1.0, worst, " ulp", note=name_of_worst)
    what = "functions whose infinities and NaNs are not NumPy's"
    yield at_most(8, what, 0, len(odd), "", note=", ".join(odd))
