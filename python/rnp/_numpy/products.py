"""Products of vectors, matrices and tensors, and convolutions: NumPy's own routines, by rule."""

from __future__ import annotations

from typing import Any

import numpy
from rnp import _core
from rnp._core import Array, Unsupported
from rnp._dispatch import Meta, composed, exists, find, rule
from rnp._numpy.arguments import model, operand, probe, refuse, spec


def dummy(x: Any) -> Any:
    """Stand for an array by shape and dtype."""
    seen = spec(x)
    return numpy.broadcast_to(numpy.zeros((), seen.dtype), seen.shape)


def _pair(path: str) -> None:
    function = find(path)

    @rule(path)
    def meta(a: Any, b: Any, /, *args: Any, out: None = None, **keywords: Any) -> Meta:
        refuse(out=out)
        if args:
            raise Unsupported("out as an argument")
        return model(function, dummy(a), dummy(b), **keywords)


_PRODUCTS = ("inner", "matmul", "vecdot", "matvec", "vecmat")
for _path in filter(exists, (*_PRODUCTS, "linalg.matmul", "linalg.vecdot", "linalg.cross")):
    _pair(_path)


@rule("dot")
def _dot(a: Any, b: Any, out: None = None) -> Meta:
    refuse(out=out)
    return model(numpy.dot, dummy(a), dummy(b))


@rule("vdot")
def _vdot(a: Any, b: Any, /) -> Meta | None:
    x, y = spec(a), spec(b)
    if x.size != y.size:
        return None
    return (), probe(numpy.vdot, numpy.ones(1, x.dtype), numpy.ones(1, y.dtype))


@rule("cross")
def _cross(
    a: Any, b: Any, axisa: Any = -1, axisb: Any = -1, axisc: Any = -1, axis: Any = None
) -> Meta:
    return model(numpy.cross, dummy(a), dummy(b), axisa, axisb, axisc, axis)


@rule("tensordot", "linalg.tensordot")
def _tensordot(a: Any, b: Any, axes: Any = 2) -> Meta:
    return model(numpy.tensordot, dummy(a), dummy(b), axes)


@rule("einsum")
def _einsum(*operands: Any, out: None = None, optimize: Any = False, **keywords: Any) -> Meta:
    refuse(out=out)
    if not operands or not isinstance(operands[0], str):
        raise Unsupported("subscripts that are lists")
    return model(numpy.einsum, operands[0], *(dummy(x) for x in operands[1:]), **keywords)


@composed("einsum", "opaque")
def _rearranged(*operands: Any, **keywords: Any) -> Any:
    """Give what moves and sums nothing, such as a diagonal, as a view that can be written."""
    words, array = operands if len(operands) == 2 and not keywords else (None, None)
    if not isinstance(words, str) or not isinstance(array, Array) or not array.ndim:
        raise Unsupported("einsum computes")
    few = numpy.zeros((1,) * array.ndim, array.dtype)
    if not numpy.may_share_memory(few, numpy.einsum(words, few)):
        raise Unsupported("einsum computes")
    shape, dtype = model(numpy.einsum, words, dummy(array))

    def get(array: Any) -> Any:
        return numpy.einsum(words, array)

    def put(array: Any, seen: Any) -> Any:
        array = array.copy()
        get(array)[...] = seen
        return array

    _core._note_fallback("einsum", False)
    return _core._lens(array, get, put, dtype, shape, "einsum")


@composed("outer")
def outer(a: Any, b: Any, out: None = None) -> Any:
    """Every element of one with every element of the other, both flat."""
    refuse(out=out)
    return _core.multiply(operand(a).reshape((-1, 1)), operand(b).reshape((1, -1)))


@composed("linalg.outer")
def _outer(x1: Any, x2: Any, /) -> Any:
    """Every element of one vector with every element of the other."""
    x, y = operand(x1), operand(x2)
    if x.ndim != 1 or y.ndim != 1:
        raise Unsupported("NumPy says what is wrong with it")
    return outer.__wrapped__(x, y)


@rule("outer")
def _outer_rule(a: Any, b: Any, out: None = None) -> Meta:
    refuse(out=out)
    x, y = spec(a), spec(b)
    return (x.size, y.size), numpy.result_type(x.dtype, y.dtype)


@rule("linalg.outer")
def _outer_of_vectors(x1: Any, x2: Any, /) -> Meta | None:
    x, y = spec(x1), spec(x2)
    if x.ndim != 1 or y.ndim != 1:
        return None
    return (x.size, y.size), numpy.result_type(x.dtype, y.dtype)


@composed("kron")
def kron(a: Any, b: Any) -> Any:
    """Put the second array, times each element of the first, in its place."""
    x, y = operand(a), operand(b)
    ndim = x.ndim if x.ndim > y.ndim else y.ndim
    left = (1,) * (ndim - x.ndim) + x.shape
    right = (1,) * (ndim - y.ndim) + y.shape
    product = _core.multiply(
        x.reshape(tuple(n for length in left for n in (length, 1))),
        y.reshape(tuple(n for length in right for n in (1, length))),
    )
    return product.reshape(tuple(n * m for n, m in zip(left, right, strict=True)))


@rule("kron")
def _kron(a: Any, b: Any) -> Meta:
    x, y = spec(a), spec(b)
    ndim = x.ndim if x.ndim > y.ndim else y.ndim
    left = (1,) * (ndim - x.ndim) + x.shape
    right = (1,) * (ndim - y.ndim) + y.shape
    shape = tuple(n * m for n, m in zip(left, right, strict=True))
    return shape, numpy.result_type(x.dtype, y.dtype)


# -- convolution


def _slid(function: Any, a: Any, v: Any, mode: Any) -> Meta | None:
    x, y = spec(a), spec(v)
    if x.ndim > 1 or y.ndim > 1 or not x.size or not y.size:
        return None
    long, short = (x.size, y.size) if x.size >= y.size else (y.size, x.size)
    lengths = {"full": long + short - 1, "same": long, "valid": long - short + 1}
    if mode not in lengths:
        return None
    dtype = probe(function, numpy.ones(1, x.dtype), numpy.ones(1, y.dtype))
    return (lengths[mode],), dtype


@rule("convolve")
def _convolve(a: Any, v: Any, mode: Any = "full") -> Meta | None:
    return _slid(numpy.convolve, a, v, mode)


@rule("correlate")
def _correlate(a: Any, v: Any, mode: Any = "valid") -> Meta | None:
    if spec(a).ndim != 1 or spec(v).ndim != 1:
        return None
    return _slid(numpy.correlate, a, v, mode)


# -- polynomials by their coefficients

_DEGREE = 64


@composed("polyval")
def polyval(p: Any, x: Any) -> Any:
    """Value of a polynomial, highest power first."""
    coefficients, at = operand(p), operand(x)
    if coefficients.ndim < 1 or coefficients.shape[0] > _DEGREE:
        raise Unsupported("a long chain")
    y: Any = _core.zeros_like(at)
    for i in range(coefficients.shape[0]):
        y = y * at + coefficients[i]
    return y
