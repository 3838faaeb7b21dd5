"""Complex functions with the special values of the array API standard where NumPy has others.

Calls are NumPy's own; the elements of which the standard says otherwise are written over.

May not know: how a call is recorded or evaluated.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy

# What the standard says of some elements: of which, their real part, their imaginary part.
_Said = tuple[Any, Any, Any]


def _expm1(a: Any, b: Any) -> list[_Said]:
    """Say what `exp(a + bj) - 1` is where `a` is infinite, and where `b` is a zero, which stays."""
    endless = ~numpy.isfinite(b)
    return [
        ((a == 0) & (b == 0), 0.0, b),
        ((numpy.isnan(a) | (a == numpy.inf)) & (b == 0), a, b),
        ((a == numpy.inf) & endless, a, numpy.nan),
        ((a == -numpy.inf) & endless, -1.0, numpy.copysign(0.0, b)),
        ((a == -numpy.inf) & ~endless, -1.0, None),
    ]


def _tanh(a: Any, b: Any) -> list[_Said]:
    """Say that the zero beside 1 and -1, where `a` is infinite, has the sign of `b`."""
    ends = numpy.isinf(a) & numpy.isfinite(b)
    return [(ends, numpy.copysign(1.0, a), numpy.copysign(0.0, b))]


def _amended(function: numpy.ufunc, said: Callable[[Any, Any], list[_Said]]) -> Callable[..., Any]:
    @functools.wraps(function, updated=())
    def call(x: Any, /, *args: Any, **keywords: Any) -> Any:
        known = type(x) is numpy.ndarray
        if (x if known else numpy.asarray(x)).dtype.kind != "c" and "dtype" not in keywords:
            return function(x, *args, **keywords)
        x = numpy.array(x, subok=True)  # the result may be written over the operand
        result = function(x, *args, **keywords)
        if result.dtype.kind != "c":
            return result
        target = result if isinstance(result, numpy.ndarray) else numpy.array(result)
        where = keywords.get("where", True)
        seen = numpy.asarray(x, result.dtype)
        for elements, real, imag in said(seen.real, seen.imag):
            for part, value in ((target.real, real), (target.imag, imag)):
                if value is not None:
                    numpy.copyto(part, value, casting="same_kind", where=elements & where)
        return result if target is result else target[()]

    return call


# What answers a call of a ufunc in NumPy's place.
CALLS: dict[numpy.ufunc, Callable[..., Any]] = {
    numpy.expm1: _amended(numpy.expm1, _expm1),
    numpy.tanh: _amended(numpy.tanh, _tanh),
}
