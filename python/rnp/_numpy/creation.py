"""Arrays made from nothing, from numbers and from what comes from outside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy
from rnp import _core
from rnp._core import Array, Unsupported
from rnp._dispatch import (
    Function,
    Meta,
    arrays_in,
    composed,
    exists,
    find,
    later,
    record,
    rule,
    supported,
)
from rnp._numpy.arguments import (
    MISSING,
    builtins_any,
    index,
    is_plain,
    lengths,
    operand,
    probe,
    refuse,
    spec,
)


def _placed(order: Any, device: Any, like: Any) -> None:
    """Check keywords that say where and how: there is one place, and order is not seen."""
    refuse(like=like)
    if device not in (None, "cpu") or order not in (None, "C", "F", "A", "K"):
        raise Unsupported("NumPy says what is wrong with it")


def _typed(x: Array, dtype: Any) -> Array:
    if dtype is None:
        return x
    target = numpy.dtype(dtype)
    return x if target == x.dtype else x.astype(target)


# -- from other arrays


@composed("asarray")
def asarray(
    a: Any,
    dtype: Any = None,
    order: Any = None,
    *,
    device: Any = None,
    copy: bool | None = None,
    like: Any = None,
) -> Any:
    """Take something into the graph."""
    _placed(order, device, like)
    if dtype is not None and not supported(numpy.dtype(dtype)):
        raise Unsupported("NumPy makes it")
    x = operand(a) if isinstance(a, Array) else _core.asarray(a, copy=copy)
    if copy and x is a:
        x = x.copy()
    if copy is False and dtype is not None and numpy.dtype(dtype) != x.dtype:
        raise Unsupported("NumPy says what is wrong with it")
    return _typed(x, dtype)


@composed("asanyarray")
def asanyarray(
    a: Any,
    dtype: Any = None,
    order: Any = None,
    *,
    device: Any = None,
    copy: bool | None = None,
    like: Any = None,
) -> Any:
    """Take something into the graph that is no subclass of ndarray."""
    return asarray.__wrapped__(a, dtype, order, device=device, copy=copy, like=like)


@composed("ascontiguousarray")
def ascontiguousarray(a: Any, dtype: Any = None, *, like: Any = None) -> Any:
    """Take something into the graph, with one axis at least."""
    x = asarray.__wrapped__(a, dtype, like=like)
    return x.reshape((1,)) if not x.ndim else x


composed("asfortranarray")(ascontiguousarray.__wrapped__)


@composed("array")
def array(
    object: Any,
    dtype: Any = None,
    *,
    copy: bool | None = True,
    order: Any = "K",
    subok: bool = False,
    ndmin: Any = 0,
    ndmax: Any = MISSING,
    like: Any = None,
) -> Any:
    """Take a copy into the graph."""
    refuse(ndmax=ndmax)
    x = asarray.__wrapped__(object, dtype, order, copy=copy, like=like)
    missing = index(ndmin) - x.ndim
    return x.reshape((1,) * missing + x.shape) if missing > 0 else x


@composed("copy")
def copy(a: Any, order: Any = "K", subok: bool = False) -> Any:
    """Copy an array."""
    _placed(order, None, None)
    return operand(a).copy()


# -- of one value


def _blank(path: str, make: Callable[..., Any]) -> None:
    @composed(path)
    def blank(
        shape: Any, dtype: Any = None, order: Any = "C", *, device: Any = None, like: Any = None
    ) -> Any:
        """Make an array of one value."""
        _placed(order, device, like)
        if isinstance(dtype, numpy.dtype) and dtype.names is not None:
            raise Unsupported("NumPy makes it")
        return make(lengths(shape), dtype)

    @composed(f"{path}_like")
    def blank_like(
        a: Any,
        dtype: Any = None,
        order: Any = "K",
        subok: bool = True,
        shape: Any = None,
        *,
        device: Any = None,
    ) -> Any:
        """Make an array of one value, of another's shape and dtype."""
        _placed(order, device, None)
        seen = spec(a)
        return make(
            seen.shape if shape is None else lengths(shape), seen.dtype if dtype is None else dtype
        )

    @rule(path)
    def meta(
        shape: Any, dtype: Any = None, order: Any = "C", *, device: Any = None, like: Any = None
    ) -> Meta:
        _placed(order, device, like)
        return _checked(shape), numpy.dtype(dtype)

    @rule(f"{path}_like")
    def meta_like(
        a: Any,
        dtype: Any = None,
        order: Any = "K",
        subok: bool = True,
        shape: Any = None,
        *,
        device: Any = None,
    ) -> Meta:
        _placed(order, device, None)
        seen = spec(a)
        return (
            seen.shape if shape is None else _checked(shape),
            seen.dtype if dtype is None else numpy.dtype(dtype),
        )


def _checked(shape: Any) -> tuple[int, ...]:
    result = lengths(shape)
    if builtins_any(n < 0 for n in result):
        raise Unsupported("NumPy says what is wrong with it")
    return result


# What `empty` holds nobody may ask; zeros are as good.
for _path, _make in (("zeros", _core.zeros), ("ones", _core.ones), ("empty", _core.zeros)):
    _blank(_path, _make)


@composed("full")
def full(
    shape: Any,
    fill_value: Any,
    dtype: Any = None,
    order: Any = "C",
    *,
    device: Any = None,
    like: Any = None,
) -> Any:
    """Make an array of one value, or of values that repeat."""
    _placed(order, device, like)
    if not is_plain(fill_value):
        raise Unsupported("NumPy casts it")
    return _core.full(lengths(shape), fill_value, dtype)


@composed("full_like")
def full_like(
    a: Any,
    fill_value: Any,
    dtype: Any = None,
    order: Any = "K",
    subok: bool = True,
    shape: Any = None,
    *,
    device: Any = None,
) -> Any:
    """Make an array of one value, of another's shape and dtype."""
    _placed(order, device, None)
    if not is_plain(fill_value):
        raise Unsupported("NumPy casts it")
    seen = spec(a)
    size = seen.shape if shape is None else lengths(shape)
    return _core.full(size, fill_value, seen.dtype if dtype is None else dtype)


# -- matrices that are known by their indices


def band(rows: int, columns: int, k: int, compare: Callable[..., Any]) -> Any:
    """Compare row index plus `k` with column index, all over a matrix."""
    # Beyond the corners all diagonals are alike, however far away.
    k = max(-rows, min(k, columns))
    return compare(_core.arange(k, rows + k).reshape((rows, 1)), _core.arange(columns))


def _sized(N: Any, M: Any) -> tuple[int, int]:
    rows = index(N)
    columns = rows if M is None else index(M)
    return (rows if rows > 0 else 0), (columns if columns > 0 else 0)


@composed("eye")
def eye(
    N: Any,
    M: Any = None,
    k: Any = 0,
    dtype: Any = float,
    order: Any = "C",
    *,
    device: Any = None,
    like: Any = None,
) -> Any:
    """Make a matrix with ones on a diagonal."""
    _placed(order, device, like)
    if index(N) < 0 or (M is not None and index(M) < 0):
        raise Unsupported("NumPy says what is wrong with it")
    return band(*_sized(N, M), index(k), _core.equal).astype(numpy.dtype(dtype))


@composed("identity")
def identity(n: Any, dtype: Any = None, *, like: Any = None) -> Any:
    """Make a square matrix with ones on its diagonal."""
    return eye.__wrapped__(n, dtype=dtype, like=like)


@composed("tri")
def tri(N: Any, M: Any = None, k: Any = 0, dtype: Any = float, *, like: Any = None) -> Any:
    """Make a matrix with ones at and below a diagonal."""
    refuse(like=like)
    return band(*_sized(N, M), index(k), _core.greater_equal).astype(numpy.dtype(dtype))


# -- numbers in a row


@composed("arange")
def arange(*args: Any, device: Any = None, like: Any = None, **keywords: Any) -> Any:
    """Make a row of numbers a step apart."""
    _placed(None, device, like)
    if "start" in keywords:
        args = (keywords.pop("start"), *args)
        if "stop" in keywords:
            args = (*args, keywords.pop("stop"))
    elif not args and "stop" in keywords:
        args = (keywords.pop("stop"),)
    return _core.arange(*args, **keywords)


def _between(
    start: Any,
    stop: Any,
    num: Any = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: Any = 0,
    *,
    device: Any = None,
) -> Any:
    """Make a row of numbers between two."""
    _placed(None, device, None)
    if spec(start).ndim or spec(stop).ndim or axis not in (0, -1):
        raise Unsupported("rows between arrays")
    return _core.linspace(
        start, stop, num=index(num), endpoint=bool(endpoint), retstep=bool(retstep), dtype=dtype
    )


Function("linspace", _between, "native", eager=_core.linspace)


@rule("linspace")
def _linspace(
    start: Any,
    stop: Any,
    num: Any = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: Any = 0,
    *,
    device: Any = None,
) -> Meta | None:
    return _row(numpy.linspace, start, stop, num, retstep, dtype, axis)


def _row(
    function: Callable[..., Any],
    start: Any,
    stop: Any,
    num: Any,
    retstep: bool,
    dtype: Any,
    axis: Any,
) -> Meta | None:
    if retstep or index(num) < 0:
        return None
    first, last = spec(start), spec(stop)
    shape = list(numpy.broadcast_shapes(first.shape, last.shape))
    place = index(axis)
    if not -len(shape) - 1 <= place <= len(shape):
        return None
    shape.insert(place + len(shape) + 1 if place < 0 else place, index(num))
    keywords = {} if dtype is None else {"dtype": dtype}
    ends = (numpy.ones(1, first.dtype), numpy.ones(1, last.dtype))
    return tuple(shape), probe(function, *ends, num=2, **keywords)


@rule("logspace")
def _logspace(
    start: Any,
    stop: Any,
    num: Any = 50,
    endpoint: bool = True,
    base: Any = 10.0,
    dtype: Any = None,
    axis: Any = 0,
) -> Meta | None:
    if spec(base).ndim:
        return None
    return _row(numpy.logspace, start, stop, num, False, dtype, axis)


@rule("geomspace")
def _geomspace(
    start: Any, stop: Any, num: Any = 50, endpoint: bool = True, dtype: Any = None, axis: Any = 0
) -> Meta | None:
    if next(arrays_in(start, stop), None) is not None:
        return None  # a zero among them is an error
    if not (numpy.asarray(start).all() and numpy.asarray(stop).all()):
        return None
    return _row(numpy.geomspace, start, stop, num, False, dtype, axis)


@composed("indices")
def indices(dimensions: Any, dtype: Any = int, sparse: bool = False) -> Any:
    """Give each element's index, one array for each axis."""
    shape = lengths(dimensions)
    lines = []
    for i, n in enumerate(shape):
        line = _core.arange(n).astype(numpy.dtype(dtype))
        lines.append(line.reshape(tuple(n if i == j else 1 for j in range(len(shape)))))
    if sparse:
        return tuple(lines)
    raise Unsupported("one array for all of them")


@rule("indices")
def _indices(dimensions: Any, dtype: Any = int, sparse: bool = False) -> Meta | None:
    shape = _checked(dimensions)
    return None if sparse else ((len(shape), *shape), numpy.dtype(dtype))


# -- from outside: NumPy reads, draws or calls, and the result is an input of the graph


def taken(path: str) -> None:
    function = find(path)

    def take(*args: Any, **keywords: Any) -> Any:
        if next(arrays_in(args, keywords), None) is not None:
            raise Unsupported("arguments that are not known yet")
        return record(function(*args, **keywords))

    take.__doc__ = f"Take what numpy.{path} makes into the graph."
    composed(path, "numpy")(take)


_SOURCES = (
    "frombuffer",
    "from_dlpack",
    "fromfile",
    "fromfunction",
    "fromiter",
    "fromregex",
    "fromstring",
    "genfromtxt",
    "load",
    "loadtxt",
)
for _path in filter(exists, _SOURCES):
    taken(_path)
# Of known numbers these are known themselves.
for _path in ("logspace", "geomspace"):
    taken(_path)


@later("random")
def _draws() -> None:
    for name, target in vars(numpy.random).items():
        drawn = name in numpy.random.__all__ and callable(target) and not isinstance(target, type)
        if drawn and name not in ("shuffle", "seed", "get_state", "set_state", "default_rng"):
            taken(f"random.{name}")
    composed("random.shuffle", "numpy")(shuffle)


def shuffle(x: Any) -> None:
    """Put the rows of an array in random order, in place."""
    if not isinstance(x, Array):
        raise Unsupported("NumPy writes into memory")
    rows = numpy.array(x)
    numpy.random.shuffle(rows)  # noqa: NPY002 - this is the legacy function
    x[...] = rows
