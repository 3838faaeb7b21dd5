"""`linalg`: norms as compositions, LAPACK's routines by NumPy.

What may raise `LinAlgError` because of values and what returns several arrays is computed at once.
"""

from __future__ import annotations

from typing import Any

import numpy
from rnp import _core
from rnp._core import Array, Unsupported
from rnp._dispatch import Meta, composed, find, rule
from rnp._numpy.arguments import axes, index, model, operand, refuse, spec
from rnp._numpy.products import dummy


def _measured(x: Any) -> Any:
    array = operand(x)
    if array.dtype.kind not in "biuf":
        raise Unsupported("complex")
    return array if array.dtype.kind == "f" else _core.astype(array, "float64")


def _length(x: Array, order: Any, axis: Any, keepdims: bool) -> Any:
    """Norm of vectors; sums are the engine's, as all sums are."""
    if type(order) is float and order in (1.0, 2.0):
        order = int(order)
    if order is None or (type(order) is int and order == 2):
        return _core.sqrt(_core.sum(x * x, axis=axis, keepdims=keepdims))
    if type(order) is int and order == 1:
        return _core.sum(_core.absolute(x), axis=axis, keepdims=keepdims)
    if order == numpy.inf:
        return _core.max(_core.absolute(x), axis=axis, keepdims=keepdims)
    if order == -numpy.inf:
        return _core.min(_core.absolute(x), axis=axis, keepdims=keepdims)
    if type(order) is int and order == 0:
        there = _core.not_equal(x, 0).astype(x.dtype)
        return _core.sum(there, axis=axis, keepdims=keepdims)
    raise Unsupported("powers")


@composed("linalg.norm")
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """Length of vectors, or of the whole array."""
    array = _measured(x)
    if axis is None:
        if ord is not None and array.ndim != 1:
            raise Unsupported("norms of matrices")
        return _length(array, ord, None, bool(keepdims))
    which = axes(axis, array.ndim)
    if len(which) != 1 and not (len(which) == 2 and ord in (None, "fro")):
        raise Unsupported("norms of matrices")
    return _length(array, None if ord == "fro" else ord, which, bool(keepdims))


@composed("linalg.vector_norm")
def vector_norm(x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    """Length of vectors, or of the flat array."""
    array = _measured(x)
    return _length(array, ord, axes(axis, array.ndim), bool(keepdims))


@rule("linalg.norm")
def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Meta | None:
    seen = spec(x)
    over = seen.ndim if axis is None else len(axes(axis, seen.ndim))
    if over == 2 and ord in (2, -2, "nuc"):
        return None  # a decomposition, which may fail
    if 0 in seen.shape:
        return None
    return model(numpy.linalg.norm, dummy(x), ord, axis, keepdims)


@rule("linalg.vector_norm")
def _vector_norm(
    x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2
) -> Meta | None:
    if 0 in spec(x).shape:
        return None
    function = numpy.linalg.vector_norm
    return model(function, dummy(x), axis=axis, keepdims=keepdims, ord=ord)


@rule("linalg.matrix_norm")
def _matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Meta | None:
    if ord in (2, -2, "nuc") or 0 in spec(x).shape:
        return None
    return model(numpy.linalg.matrix_norm, dummy(x), keepdims=keepdims, ord=ord)


@rule("linalg.det")
def _det(a: Any) -> Meta:
    return model(numpy.linalg.det, dummy(a))


@rule("linalg.matrix_power")
def _matrix_power(a: Any, n: Any) -> Meta | None:
    if index(n) < 0:
        return None  # an inverse, which there may not be
    return model(numpy.linalg.matrix_power, dummy(a), 2 if index(n) > 2 else index(n))


@rule("linalg.multi_dot")
def _multi_dot(arrays: Any, *, out: None = None) -> Meta | None:
    refuse(out=out)
    if isinstance(arrays, Array):
        return None
    return model(numpy.linalg.multi_dot, [dummy(x) for x in arrays])


@rule("linalg.trace")
def _trace(x: Any, /, *, offset: Any = 0, dtype: Any = None) -> Meta:
    return model(find("linalg.trace"), dummy(x), dtype=dtype)


@rule("trace")
def _any_trace(
    a: Any, offset: Any = 0, axis1: Any = 0, axis2: Any = 1, dtype: Any = None, out: None = None
) -> Meta:
    refuse(out=out)
    return model(numpy.trace, dummy(a), 0, axis1, axis2, dtype)
