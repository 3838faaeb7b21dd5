"""What compositions and rules ask about arguments: as a deferred array, shapes, dtypes, axes.

Whatever is not plain enough to be answered without looking at values raises `Unsupported`, and the
call goes on to NumPy.
"""

from __future__ import annotations

import functools
import math
import operator
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple
from rnp import _core
from rnp._core import Array, Unsupported
from rnp._dispatch import Meta, arrays_in, replace

_NUMBERS = (bool, int, float, complex)

# What a keyword holds that nobody gave.
MISSING: Any = numpy._NoValue


class Spec(NamedTuple):
    """What a rule knows of an array."""

    shape: tuple[int, ...]
    dtype: numpy.dtype[Any]

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)


def is_plain(x: Any) -> bool:
    """Whether something is an array or a scalar that has no meaning beyond its values."""
    return isinstance(x, (Array, numpy.generic, *_NUMBERS)) or type(x) is numpy.ndarray


def spec(x: Any) -> Spec:
    """Shape and dtype of an argument, as `numpy.asarray` would make them, without its values."""
    if isinstance(x, (Array, numpy.generic)) or type(x) is numpy.ndarray:
        return Spec(x.shape, x.dtype)
    if isinstance(x, _NUMBERS):
        return Spec((), numpy.asarray(x).dtype)
    if type(x) in (list, tuple):
        if next(arrays_in(x), None) is None and not _has_subclass(x):
            array = numpy.asarray(x)
            return Spec(array.shape, array.dtype)
        parts = [spec(part) for part in x]
        if builtins_all(part.shape == parts[0].shape for part in parts):
            dtype = numpy.result_type(*(part.dtype for part in parts))
            return Spec((len(parts), *parts[0].shape), dtype)
    raise Unsupported(f"{type(x).__name__} is not described without its values")


def builtins_all(items: Any) -> bool:
    """Python's own `all`, under a name that is not an array function."""
    return all(items)


def builtins_any(items: Any) -> bool:
    """Python's own `any`, under a name that is not an array function."""
    return any(items)


def _has_subclass(x: Any) -> bool:
    if type(x) in (list, tuple):
        return any(_has_subclass(part) for part in x)
    return isinstance(x, numpy.ndarray) and type(x) is not numpy.ndarray


def operand(x: Any) -> Array:
    """Take an argument into the graph; subclasses of ndarray keep their own meaning in NumPy."""
    if isinstance(x, Array):
        return x
    if not is_plain(x) and type(x) not in (list, tuple):
        raise Unsupported(f"{type(x).__name__} is no array")
    if type(x) in (list, tuple) and (_has_subclass(x) or next(arrays_in(x), None) is not None):
        raise Unsupported("nested arrays")
    array: Array = _core.asarray(x)
    return array


def refuse(**keywords: Any) -> None:
    """Leave calls to NumPy that give any of these keywords."""
    for name, value in keywords.items():
        if value is not None and value is not MISSING:
            raise Unsupported(f"{name}= is NumPy's")


def index(value: Any) -> int:
    """Take an integer argument; arrays would have to be evaluated."""
    if isinstance(value, Array):
        raise Unsupported("an integer that is not known yet")
    try:
        return operator.index(value)
    except TypeError:
        raise Unsupported("NumPy says what is wrong with it") from None


def one_axis(axis: Any, ndim: int) -> int:
    """Normalize an axis; NumPy's `AxisError` if there is none."""
    return normalize_axis_index(index(axis), ndim)


def axes(axis: Any, ndim: int) -> tuple[int, ...]:
    """Normalize an axis, several, or None for all of them."""
    if axis is None:
        return tuple(range(ndim))
    return normalize_axis_tuple(axis, ndim)


def lengths(shape: Any) -> tuple[int, ...]:
    """Normalize a shape, or one length."""
    if isinstance(shape, Array):
        raise Unsupported("a shape that is not known yet")
    try:
        return (operator.index(shape),)
    except TypeError:
        pass
    if not isinstance(shape, (tuple, list, range, numpy.ndarray)):
        raise Unsupported("NumPy says what is wrong with it")
    return tuple(index(n) for n in shape)


def reduced(shape: tuple[int, ...], axis: Any, keepdims: Any = False) -> tuple[int, ...]:
    """Shape of a reduction over one axis, several, or all."""
    gone = axes(axis, len(shape))
    if keepdims is not MISSING and keepdims:
        return tuple(1 if i in gone else n for i, n in enumerate(shape))
    return tuple(n for i, n in enumerate(shape) if i not in gone)


def along(ndim: int, axis: int, key: Any) -> tuple[Any, ...]:
    """Make an index that takes `key` along one axis and all of the others."""
    return (slice(None),) * axis + (key,) + (slice(None),) * (ndim - axis - 1)


# -- dtypes, by asking NumPy about the smallest arrays there are


class _Ones(NamedTuple):
    """Stands for an array among the arguments of a probe."""

    shape: tuple[int, ...]
    dtype: numpy.dtype[Any]


_Shrink = Callable[[tuple[int, ...]], tuple[int, ...]]


def probe(function: Callable[..., Any], *args: Any, tiny: tuple[int, ...] = (1,), **kw: Any) -> Any:
    """Find the dtype that NumPy's function gives, by calling it on ones of the operands' dtypes.

    Give only what decides the dtype. `tiny` is the shape that stands for every array.
    """
    return _ask(function, _frozen((args, kw), lambda shape: tiny))[1]


def model(function: Callable[..., Any], *args: Any, **kw: Any) -> Meta:
    """Find shape and dtype of a result by calling NumPy's function on small arrays.

    For functions each of whose results' lengths is one of the operands', or a constant. Equal
    lengths stay equal, different ones different, and those up to 3 are kept as they are, since some
    functions look at them. NumPy's own errors about shapes come out.
    """
    shapes: list[tuple[int, ...]] = []

    def seen(shape: tuple[int, ...]) -> tuple[int, ...]:
        shapes.append(shape)
        return shape

    _frozen((args, kw), seen)
    long = {n for shape in shapes for n in shape if n > 3}
    shrunk = {n: 4 + i for i, n in enumerate(sorted(long))}
    grown = {small: n for n, small in shrunk.items()}
    key = _frozen((args, kw), lambda shape: tuple(shrunk.get(n, n) for n in shape))
    shape, dtype = _ask(function, key)
    return tuple(grown.get(n, n) for n in shape), dtype


def _ask(function: Callable[..., Any], key: Any) -> Meta:
    try:
        return _asked(function, key)
    except TypeError:  # something that has no hash, or NumPy's own error, which comes again
        return _asked.__wrapped__(function, key)


@functools.lru_cache(maxsize=2048)
def _asked(function: Callable[..., Any], key: Any) -> Meta:
    args, keywords = _thawed(key)
    with warnings.catch_warnings(), numpy.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        result = numpy.asarray(function(*args, **keywords))
    return result.shape, result.dtype


def _frozen(item: Any, shrink: _Shrink) -> Any:
    if isinstance(item, Array) or type(item) is numpy.ndarray:
        if item.dtype == object:
            raise Unsupported("objects, which decide about the dtype by themselves")
        return _Ones(shrink(item.shape), item.dtype)
    if type(item) in (tuple, list):
        return (type(item), tuple(_frozen(part, shrink) for part in item))
    if type(item) is dict:
        return (dict, tuple((name, _frozen(part, shrink)) for name, part in sorted(item.items())))
    if isinstance(item, numpy.ndarray):
        raise Unsupported("a subclass of ndarray")
    return (None, type(item), item)  # 1, 1.0 and True are different keys


def _thawed(item: Any) -> Any:
    if isinstance(item, _Ones):
        return numpy.ones(item.shape, item.dtype)
    if item[0] is None:
        return item[2]
    kind, parts = item
    if kind is dict:
        return {name: _thawed(part) for name, part in parts}
    return kind(_thawed(part) for part in parts)


def stand_ins(*args: Any) -> Any:
    """Replace deferred arrays by arrays of their shape and dtype that take no memory.

    For NumPy's functions that look at shapes and dtypes alone, and for views.
    """

    def stand_in(array: Array) -> Any:
        return numpy.broadcast_to(numpy.zeros((), array.dtype), array.shape)

    return replace(args, stand_in)
