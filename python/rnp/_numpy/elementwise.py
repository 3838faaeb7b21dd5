"""Functions that work on each element by itself, as compositions of kernels."""

from __future__ import annotations

from typing import Any

import numpy
from rnp import _core
from rnp._core import Array, Unsupported
from rnp._dispatch import Function, Meta, composed, rule
from rnp._numpy.arguments import index, is_plain, operand, probe, refuse, spec


def _inexact(x: Array) -> bool:
    return x.dtype.kind in "fc"


# -- cleaning


@composed("nan_to_num")
def nan_to_num(
    x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None
) -> Any:
    """Replace NaN and infinities by numbers; in place if `copy` is false."""
    if not copy and isinstance(x, numpy.ndarray):
        raise Unsupported("writes into memory")
    target, x = x, operand(x)
    if x.dtype.kind == "c":
        raise Unsupported("complex")
    if not _inexact(x):
        return x if target is x and not copy else x.copy()
    info = numpy.finfo(x.dtype)
    # What replaces is cast to the dtype of the array, as an assignment would.
    numbers = [
        _core.astype(operand(value), x.dtype)
        for value in (
            nan,
            info.max if posinf is None else posinf,
            info.min if neginf is None else neginf,
        )
    ]
    y = _core.where(_core.isnan(x), numbers[0], x)
    y = _core.where(_core.logical_and(_core.isinf(x), x > 0), numbers[1], y)
    y = _core.where(_core.logical_and(_core.isinf(x), x < 0), numbers[2], y)
    if y.shape != x.shape:
        raise Unsupported("NumPy says what is wrong with it")
    if not copy and isinstance(target, Array):
        x[...] = y
        return x
    return y


@rule("nan_to_num")
def _nan_to_num(
    x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None
) -> Meta | None:
    values = (spec(v).shape for v in (nan, posinf, neginf) if v is not None)
    seen = spec(x)
    if not copy or numpy.broadcast_shapes(seen.shape, *values) != seen.shape:
        return None
    return seen


# -- rounding


@composed("round")
def round(a: Any, decimals: Any = 0, out: None = None) -> Any:
    """Round to decimals, half to even of the scaled number, as NumPy does."""
    refuse(out=out)
    x = operand(a)
    places = index(decimals)
    if x.dtype.kind in "iu":
        if places >= 0:
            return x.copy()
        raise Unsupported("NumPy divides integers by powers of ten itself")
    if x.dtype.kind != "f":
        raise Unsupported("NumPy rounds bool and complex itself")
    if places == 0:
        return _core.rint(x)
    # The power of ten is a float64 that takes the dtype of the array.
    scale = 10.0 ** abs(places)
    if places > 0:
        return _core.rint(x * scale) / scale
    return _core.rint(x / scale) * scale


composed("around")(getattr(round, "__wrapped__", round))


@rule("round", "around")
def _rounded(a: Any, decimals: Any = 0, out: None = None) -> Any:
    refuse(out=out)
    x = spec(a)
    return x.shape, probe(numpy.round, numpy.ones(1, x.dtype), decimals=index(decimals))


@composed("fix")
def fix(x: Any, out: None = None) -> Any:
    """Round towards zero."""
    refuse(out=out)
    return _core.trunc(operand(x))


# -- comparing


@composed("isclose")
def isclose(a: Any, b: Any, rtol: Any = 1e-05, atol: Any = 1e-08, equal_nan: Any = False) -> Any:
    """Whether elements are equal but for a tolerance that grows with the second."""
    x, y = (v if type(v) in (bool, int, float) else operand(v) for v in (a, b))
    if not is_plain(rtol) or not is_plain(atol):
        raise Unsupported("tolerances that are no plain numbers or arrays")
    if not isinstance(x, Array):
        y = operand(y)
    # The tolerance is computed in floating point, which integers are brought to first.
    y = y.astype(numpy.result_type(y.dtype, 1.0)) if isinstance(y, Array) else float(y)
    near = _core.less_equal(_core.absolute(_core.subtract(x, y)), atol + rtol * _core.absolute(y))
    near = _core.logical_and(near, _core.isfinite(y))
    result = _core.logical_or(near, _core.equal(x, y))
    if isinstance(equal_nan, Array):
        raise Unsupported("equal_nan is a flag")
    if equal_nan:
        result = _core.logical_or(result, _core.logical_and(_core.isnan(x), _core.isnan(y)))
    return result


@composed("allclose")
def allclose(a: Any, b: Any, rtol: Any = 1e-05, atol: Any = 1e-08, equal_nan: Any = False) -> Any:
    """Whether all elements are equal but for a tolerance."""
    return _core.all(isclose.__wrapped__(a, b, rtol, atol, equal_nan))


@composed("array_equal")
def array_equal(a1: Any, a2: Any, equal_nan: bool = False) -> Any:
    """Whether shapes and all elements are equal."""
    x, y = operand(a1), operand(a2)
    if x.shape != y.shape:
        return False
    same = _core.equal(x, y)
    if equal_nan:
        same = _core.logical_or(same, _core.logical_and(_core.isnan(x), _core.isnan(y)))
    return _core.all(same)


@composed("array_equiv")
def array_equiv(a1: Any, a2: Any) -> Any:
    """Whether all elements are equal after broadcasting."""
    x, y = operand(a1), operand(a2)
    try:
        numpy.broadcast_shapes(x.shape, y.shape)
    except ValueError:
        return False
    return _core.all(_core.equal(x, y))


@composed("isposinf")
def isposinf(x: Any, out: None = None) -> Any:
    """Whether elements are plus infinity."""
    refuse(out=out)
    x = operand(x)
    return _core.logical_and(_core.isinf(x), x > 0)


@composed("isneginf")
def isneginf(x: Any, out: None = None) -> Any:
    """Whether elements are minus infinity."""
    refuse(out=out)
    x = operand(x)
    return _core.logical_and(_core.isinf(x), x < 0)


# -- parts of numbers


@composed("real")
def real(val: Any) -> Any:
    """Real part."""
    x = operand(val)
    return x.real if x.dtype.kind == "c" else x


@composed("imag")
def imag(val: Any) -> Any:
    """Imaginary part."""
    x = operand(val)
    return x.imag if x.dtype.kind == "c" else _core.zeros_like(x)


@rule("real", "imag")
def _part(val: Any) -> Any:
    x = spec(val)
    return x.shape, probe(numpy.real, numpy.ones(1, x.dtype))


@composed("isreal")
def isreal(x: Any) -> Any:
    """Whether elements have no imaginary part."""
    x = operand(x)
    return x.imag == 0 if x.dtype.kind == "c" else _core.ones(x.shape, "bool")


@composed("iscomplex")
def iscomplex(x: Any) -> Any:
    """Whether elements have an imaginary part."""
    x = operand(x)
    return x.imag != 0 if x.dtype.kind == "c" else _core.zeros(x.shape, "bool")


@rule("isreal", "iscomplex")
def _part_test(x: Any) -> Any:
    return spec(x).shape, numpy.dtype(bool)


@composed("angle")
def angle(z: Any, deg: Any = False) -> Any:
    """Phase of numbers: 0 or pi for those that are real."""
    x = operand(z)
    if isinstance(deg, Array):
        raise Unsupported("deg is a flag")
    if x.dtype.kind == "c":
        phase = _core.arctan2(x.imag, x.real)
        return phase * (180 / numpy.pi) if deg else phase
    dtype = probe(numpy.angle, numpy.ones(1, x.dtype), deg=bool(deg))
    # arctan2(0, x) looks at the sign, that of zeros too, and keeps NaN.
    below = x < 0
    if x.dtype.kind == "f":
        below = _core.logical_or(below, _core.logical_and(x == 0, 1 / x < 0))
    half = numpy.arctan2(dtype.type(0), dtype.type(-1))
    phase = _core.where(below, half, dtype.type(0))
    if x.dtype.kind == "f":
        phase = _core.where(_core.isnan(x), x, phase)
    return phase * (180 / numpy.pi) if deg else phase


@rule("angle")
def _angle(z: Any, deg: Any = False) -> Any:
    x = spec(z)
    return x.shape, probe(numpy.angle, numpy.ones(1, x.dtype), deg=bool(deg))


# -- signals


@composed("sinc")
def sinc(x: Any) -> Any:
    """Sine of pi x over pi x, and 1 at zero."""
    x = operand(x)
    if x.dtype.kind == "c":
        raise Unsupported("complex")
    if not numpy.issubdtype(x.dtype, numpy.inexact):
        x = x.astype("float64")
    y = numpy.pi * x
    y = _core.where(y == 0, numpy.finfo(x.dtype).eps, y)
    return _core.sin(y) / y


@rule("sinc")
def _sinc(x: Any) -> Any:
    seen = spec(x)
    return seen.shape, probe(numpy.sinc, numpy.ones(1, seen.dtype))


@rule("i0")
def _bessel(x: Any) -> Any:
    seen = spec(x)
    return seen.shape, probe(numpy.i0, numpy.ones(1, seen.dtype))


@rule("real_if_close")
def _real_if_close(a: Any, tol: Any = 100) -> Any:
    x = spec(a)
    return None if x.dtype.kind == "c" else x


# -- choosing


@composed("select")
def select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    """Of several choices take, for each element, the first whose condition holds."""
    if type(condlist) not in (list, tuple) or type(choicelist) not in (list, tuple):
        raise Unsupported("conditions that are no list")
    if len(condlist) != len(choicelist) or not condlist:
        raise Unsupported("NumPy says what is wrong with it")
    conditions = [operand(c) for c in condlist]
    for condition in conditions:
        if condition.dtype != bool:
            raise Unsupported("NumPy says what is wrong with it")
    choices = [c if type(c) in (int, float) else operand(c) for c in (*choicelist, default)]
    dtype = numpy.result_type(*(c.dtype if isinstance(c, Array) else c for c in choices))
    # The default is cast as it may be; choices are copied, numbers among them as arrays.
    for choice in choices[:-1]:
        if not numpy.can_cast(spec(choice).dtype, dtype, "same_kind"):
            raise Unsupported("NumPy says what is wrong with it")
    result: Any = _core.astype(operand(choices[-1]), dtype)
    for condition, choice in zip(reversed(conditions), reversed(choices[:-1]), strict=True):
        result = _core.where(condition, _core.astype(operand(choice), dtype), result)
    shape = numpy.broadcast_shapes(*(c.shape for c in conditions), result.shape)
    return result if result.shape == shape else _core.broadcast_to(result, shape).copy()


@rule("where")
def _where(condition: Any, x: Any, y: Any, /) -> Any:
    shapes = (spec(v).shape for v in (condition, x, y))
    weak = (bool, int, float, complex)
    parts = [v if type(v) in weak else spec(v).dtype for v in (x, y)]
    return numpy.broadcast_shapes(*shapes), numpy.result_type(*parts)


@rule("choose")
def _choose(a: Any, choices: Any, out: None = None, mode: str = "raise") -> Any:
    refuse(out=out)
    if mode == "raise":
        return None  # the values decide whether it works
    parts = [spec(c) for c in choices]
    shape = numpy.broadcast_shapes(spec(a).shape, *(c.shape for c in parts))
    return shape, numpy.result_type(*(c.dtype for c in parts))


def _interpolated(
    x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None
) -> Any:
    """Linear interpolation between known points; what is periodic is NumPy's."""
    refuse(period=period)
    return _core.interp(x, xp, fp, left, right)


Function("interp", _interpolated, "native", eager=_core.interp)


@rule("interp")
def _interp(
    x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None
) -> Any:
    points, values = spec(xp), spec(fp)
    if points.ndim != 1 or values.shape != points.shape or not points.size or period == 0:
        return None
    return spec(x).shape, numpy.dtype("complex128" if values.dtype.kind == "c" else "float64")


@rule("clip")
def _clip(
    a: Any,
    a_min: Any = None,
    a_max: Any = None,
    out: None = None,
    *,
    min: Any = None,
    max: Any = None,
) -> Any:
    refuse(out=out)
    limits = [v for v in (a_min, a_max, min, max) if v is not None]
    x = spec(a)
    if not limits:
        return x
    weak = (bool, int, float, complex)
    number = [_core._number(v) if isinstance(v, Array) else None for v in limits]
    given = [
        v if type(v) in weak else n(0) if n is not None else numpy.empty(0, spec(v).dtype)
        for v, n in zip(limits, number, strict=True)
    ]
    dtype = probe(numpy.clip, numpy.empty(0, x.dtype), given[0], given[-1], tiny=(0,))
    return numpy.broadcast_shapes(x.shape, *(spec(v).shape for v in limits)), dtype
