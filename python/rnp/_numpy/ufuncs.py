"""NumPy's ufuncs that are no kernels yet, and the methods of all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy
from rnp import _core
from rnp._core import Array, Unsupported
from rnp._dispatch import Meta, composed, known, opaque, rule
from rnp._numpy.arguments import (
    MISSING,
    builtins_all,
    index,
    one_axis,
    operand,
    probe,
    reduced,
    refuse,
    spec,
)

_NUMBERS = (bool, int, float, complex)


def _elementwise(ufunc: numpy.ufunc) -> Callable[..., Meta | None]:
    def meta(*args: Any, dtype: Any = None) -> Meta:
        if len(args) != ufunc.nin:
            raise Unsupported("out as an argument")
        shape = numpy.broadcast_shapes(*(spec(x).shape for x in args))
        return shape, ufunc_dtype(ufunc, args, dtype)

    return meta


def ufunc_dtype(ufunc: numpy.ufunc, args: tuple[Any, ...], dtype: Any = None) -> Any:
    """Dtype of a ufunc's result; Python's numbers are weak, all else has a dtype."""
    keywords = {} if dtype is None else {"dtype": dtype}
    # On no elements at all: only what NumPy checks of types and Python numbers is asked.
    return probe(ufunc, *(_stand_in(x) for x in args), tiny=(0,), **keywords)


def _stand_in(x: Any) -> Any:
    """Keep Python's numbers, which are weak; all else is its dtype."""
    if isinstance(x, _NUMBERS) and not isinstance(x, numpy.generic):
        return x
    return numpy.empty(0, spec(x).dtype)


def _accumulation(ufunc: numpy.ufunc) -> Callable[..., Meta | None]:
    def meta(array: Any, axis: Any = 0, dtype: Any = None, out: None = None) -> Meta:
        refuse(out=out)
        x = spec(array)
        one_axis(axis, x.ndim)
        return x.shape, probe(ufunc.accumulate, numpy.empty(0, x.dtype), dtype=dtype)

    return meta


def _reduction(ufunc: numpy.ufunc) -> Callable[..., Meta | None]:
    def meta(
        array: Any,
        axis: Any = 0,
        dtype: Any = None,
        out: None = None,
        keepdims: bool = False,
        initial: Any = MISSING,
        where: Any = True,
    ) -> Meta:
        refuse(out=out)
        x = spec(array)
        if isinstance(axis, tuple) and not ufunc_reorders(ufunc):
            raise Unsupported("several axes of an operation that has an order")
        if initial is MISSING and ufunc.identity is None and 0 in x.shape:
            raise Unsupported("NumPy says what is wrong with it")
        shape = reduced(x.shape, axis, keepdims)
        return shape, probe(ufunc.reduce, numpy.ones(1, x.dtype), dtype=dtype)

    return meta


def ufunc_reorders(ufunc: numpy.ufunc) -> bool:
    """Whether a reduction may go over several axes."""
    try:
        ufunc.reduce(numpy.ones((1, 1), ufunc.types[0][0]), axis=(0, 1))
    except (ValueError, TypeError):
        return False
    return True


def _segments(ufunc: numpy.ufunc) -> Callable[..., Meta | None]:
    def meta(
        array: Any, indices: Any, axis: Any = 0, dtype: Any = None, out: None = None
    ) -> Meta | None:
        refuse(out=out)
        x, at = spec(array), spec(indices)
        if isinstance(indices, Array) or at.ndim != 1:
            return None
        i = one_axis(axis, x.ndim)
        if not builtins_all(0 <= index(n) < x.shape[i] for n in numpy.asarray(indices).tolist()):
            return None
        dtype = probe(ufunc.reduce, numpy.ones(1, x.dtype), dtype=dtype)
        return (*x.shape[:i], *at.shape, *x.shape[i + 1 :]), dtype

    return meta


def _outer(ufunc: numpy.ufunc, ours: Callable[..., Any]) -> Callable[..., Any]:
    def outer(a: Any, b: Any, /) -> Any:
        """Every element of one with every element of the other."""
        a, b = operand(a), operand(b)
        return ours(a.reshape((*a.shape, *(1,) * b.ndim)), b)

    return outer


# Reductions that are functions of their own.
_FOLDS: dict[str, tuple[Callable[..., Any], bool]] = {
    "add": (_core.sum, True),
    "multiply": (_core.prod, True),
    "minimum": (_core.min, False),
    "maximum": (_core.max, False),
    "logical_and": (_core.all, False),
    "logical_or": (_core.any, False),
}


def _fold(function: Callable[..., Any], typed: bool) -> Callable[..., Any]:
    def reduce(
        array: Any, axis: Any = 0, dtype: Any = None, out: None = None, keepdims: bool = False
    ) -> Any:
        """Reduce as the function of the same meaning does."""
        refuse(out=out)
        keywords: dict[str, Any] = {}
        if dtype is not None:
            if not typed:
                raise Unsupported("dtype=")
            keywords["dtype"] = dtype
        return function(operand(array), axis=axis, keepdims=keepdims, **keywords)

    return reduce


def _register() -> None:
    for name, ufunc in sorted(vars(numpy).items()):
        if not isinstance(ufunc, numpy.ufunc) or ufunc.signature or ufunc.__name__ != name:
            continue
        if ufunc.nout == 1:
            rule(name)(_elementwise(ufunc))
        if ufunc.nin != 2 or ufunc.nout != 1:
            continue
        if name in _FOLDS:
            composed(f"{name}.reduce")(_fold(*_FOLDS[name]))
        rule(f"{name}.reduce")(_reduction(ufunc))
        rule(f"{name}.accumulate")(_accumulation(ufunc))
        rule(f"{name}.reduceat")(_segments(ufunc))
        composed(f"{name}.outer")(_outer(ufunc, known(ufunc)))


_register()


# -- two results


@composed("frexp")
def frexp(x: Any, /) -> tuple[Any, Any]:
    """Mantissa and exponent, each an opaque node of its own."""
    return _part(_mantissa, x), _part(_exponent, x)


def _mantissa(x: Any) -> Any:
    return numpy.frexp(x)[0]


def _exponent(x: Any) -> Any:
    return numpy.frexp(x)[1]


def _part(function: Callable[[Any], Any], x: Any) -> Any:
    meta = spec(x).shape, probe(function, _stand_in(x), tiny=(0,))
    return opaque(function, (x,), {}, meta, "frexp")


@composed("divmod")
def divmod(a: Any, b: Any, /) -> tuple[Any, Any]:
    """Quotient rounded down, and the rest."""
    return _core.floor_divide(a, b), _core.remainder(a, b)


def _fraction(x: Any) -> Any:
    return numpy.modf(x)[0]


@composed("modf")
def modf(x: Any, /) -> tuple[Any, Any]:
    """Fractional and integral part, both of the sign of the number."""
    x = operand(x)
    x = x.astype(probe(_fraction, x))
    whole = _core.trunc(x)
    infinite = _core.where(x > 0, x.dtype.type(0.0), x.dtype.type(-0.0))
    fraction = _core.where(whole == x, x * x.dtype.type(0.0), x - whole)
    return _core.where(_core.isinf(x), infinite, fraction), whole
