"""Questions about shapes and dtypes, which no value has to be known for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy
from rnp._core import Array
from rnp._dispatch import composed, find
from rnp._numpy.arguments import spec, stand_ins


def _of_stand_ins(path: str) -> Callable[..., Any]:
    function = find(path)

    def ask(*args: Any, **keywords: Any) -> Any:
        args, keywords = stand_ins(args, keywords)
        return function(*args, **keywords)

    ask.__doc__ = f"Answer numpy.{path} by shapes and dtypes alone."
    return ask


for _path in ("can_cast", "common_type", "iscomplexobj", "isfortran", "isrealobj", "result_type"):
    composed(_path)(_of_stand_ins(_path))


@composed("shape")
def shape(a: Any) -> tuple[int, ...]:
    """Lengths of the axes."""
    return spec(a).shape


@composed("ndim")
def ndim(a: Any) -> int:
    """Number of axes."""
    return spec(a).ndim


@composed("size")
def size(a: Any, axis: Any = None) -> int:
    """Number of elements, or of those along some axes."""
    (dummy,) = stand_ins(a)
    return int(find("size")(dummy, axis))


@composed("isscalar", eager=True)
def isscalar(element: Any) -> bool:
    """Whether it is a scalar; a deferred array without axes is what NumPy gives one for."""
    return element.ndim == 0 if isinstance(element, Array) else numpy.isscalar(element)
