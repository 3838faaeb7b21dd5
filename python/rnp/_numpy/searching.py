"""Where something is. Results whose length the values decide are computed at once."""

from __future__ import annotations

from typing import Any

import numpy
from rnp._core import Array
from rnp._dispatch import Meta, rule
from rnp._numpy.arguments import spec

_INDEX = numpy.dtype(numpy.intp)


@rule("searchsorted")
def _searchsorted(a: Any, v: Any, side: str = "left", sorter: Any = None) -> Meta | None:
    if spec(a).ndim != 1 or side not in ("left", "right"):
        return None
    if sorter is not None and (
        spec(sorter).shape != spec(a).shape or spec(sorter).dtype.kind not in "iu"
    ):
        return None
    return spec(v).shape, _INDEX


@rule("digitize")
def _digitize(x: Any, bins: Any, right: bool = False) -> Meta | None:
    if spec(bins).ndim != 1 or spec(x).dtype.kind == "c" or spec(bins).dtype.kind == "c":
        return None
    if not isinstance(bins, Array):
        steps = numpy.diff(numpy.asarray(bins).astype(float))
        if not ((steps >= 0).all() or (steps <= 0).all()):
            return None  # NumPy says what is wrong with them
    return spec(x).shape, _INDEX


@rule("isin")
def _isin(
    element: Any,
    test_elements: Any,
    assume_unique: bool = False,
    invert: bool = False,
    *,
    kind: Any = None,
) -> Meta | None:
    spec(test_elements)
    return (spec(element).shape, numpy.dtype(bool)) if kind in (None, "sort") else None


@rule("ravel_multi_index")
def _ravel_multi_index(
    multi_index: Any, dims: Any, mode: Any = "raise", order: str = "C"
) -> Meta | None:
    if mode not in ("wrap", "clip") or type(multi_index) not in (tuple, list):
        return None  # the values decide whether it works
    parts = [spec(part) for part in multi_index]
    if len(parts) != len(dims) or order not in ("C", "F"):
        return None
    return numpy.broadcast_shapes(*(part.shape for part in parts)), _INDEX


@rule("piecewise")
def _piecewise(x: Any, condlist: Any, funclist: Any, *args: Any, **kw: Any) -> Meta | None:
    if type(condlist) not in (list, tuple) or len(funclist) - len(condlist) not in (0, 1):
        return None
    seen = spec(x)
    return seen if seen.ndim else None
