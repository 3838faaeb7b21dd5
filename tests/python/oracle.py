"""NumPy as the oracle: values that hurt, ways to run rnp, and comparisons to the bit."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import rnp
from conftest import DTYPES, LAYOUTS

Nd = np.ndarray[Any, Any]

FLOATS = [d for d in DTYPES if d.startswith("float")]
INTS = [d for d in DTYPES if "int" in d]
# Per name: arity, worst error in ulp (0: NumPy's bits), domain; from the binary's own table.
OPS = {name: (arity, ulp, domain) for name, arity, ulp, domain in rnp._core._ops()}

# The ops that are one result of a function of NumPy's: its name and which one.
PARTS = {
    "frexp_mantissa": ("frexp", 0),
    "frexp_exponent": ("frexp", 1),
    "modf_fraction": ("modf", 0),
    "modf_whole": ("modf", 1),
}
# Their error is in units of the largest of result and operands, since these may cancel.
CANCELLING = {"logaddexp", "logaddexp2"}
# Of two equal zeros either may be returned.
EITHER_ZERO = {"minimum", "maximum", "fmin", "fmax"}

# What a test means by "the same error": the class that a program would catch.
ERRORS = (np.exceptions.AxisError, OverflowError, ZeroDivisionError, IndexError, ValueError)
ERRORS += (TypeError, MemoryError)


@contextmanager
def quiet() -> Iterator[None]:
    """Silence what NumPy says about infinities, casts and empty means."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        for kind in (RuntimeWarning, DeprecationWarning, UserWarning):
            warnings.simplefilter("ignore", kind)
        yield


def specials(dtype: str) -> Nd:
    """Return the values of a dtype that go wrong first."""
    if dtype == "bool":
        return np.array([False, True])
    if dtype in INTS:
        info = np.iinfo(dtype)
        values = {info.min, info.min + 1, info.max, info.max - 1, info.max // 2}
        values |= {v for v in (-7, -2, -1, 0, 1, 2, 3, 7, 31, 64, 100) if info.min <= v}
        return np.array(sorted(values), dtype)
    info = np.finfo(dtype)
    values = [0.0, -0.0, 1.0, -1.0, 0.5, 1.5, 2.5, -2.5, 3.0, -7.0, np.inf, -np.inf, np.nan]
    tiny, small, top = info.smallest_subnormal, info.tiny, info.max
    beside = [np.nextafter(np.array(1, dtype), np.array(k, dtype)) for k in (0, 2)]
    return np.array([*values, tiny, -tiny, 3 * tiny, small, -small, top, -top, *beside], dtype)


def ordinary(dtype: str, domain: tuple[float, float], count: int, seed: int) -> Nd:
    """Draw values of a domain."""
    rng = np.random.default_rng(seed)
    values = rng.uniform(*domain, count)
    if dtype == "bool":
        return values > 0
    with quiet():
        if dtype in INTS:
            info = np.iinfo(dtype)
            low, high = max(domain[0], info.min), min(domain[1], info.max)
            return np.clip(np.rint(values), low, high).astype(dtype)
        return values.astype(dtype)


def mixed(dtype: str, domain: tuple[float, float] = (-100, 100), seed: int = 0) -> Nd:
    """Return special and ordinary values together, a number of them that fits no vector."""
    parts = [specials(dtype), ordinary(dtype, domain, 61, seed)]
    if dtype in FLOATS:
        parts.append((ordinary("float64", (-4, 4), 30, seed)).astype(dtype))
    return np.concatenate(parts)


def outcome(function: Callable[..., Any], *args: Any) -> Any:
    """Return the value of a call, or the class of the error that it raised."""
    try:
        with quiet():
            return function(*args)
    except ERRORS as e:
        return next(kind for kind in ERRORS if isinstance(e, kind))


def numpys(name: str) -> Callable[..., Any]:
    """Return NumPy's function for an op."""
    if name in PARTS:
        whole, part = PARTS[name]
        return lambda x: getattr(np, whole)(x)[part]
    function: Callable[..., Any] = getattr(np, name)
    return function


def ours(name: str) -> Callable[..., Any]:
    """Return rnp's function for an op; those that are parts need not be public."""
    function: Callable[..., Any] = getattr(rnp, name, None) or getattr(rnp._core, name)
    return function


def eagerly(function: Callable[..., Any], *args: Any) -> Any:
    """Call outside of a block; `test_warnings.py` has what NumPy then says."""
    with quiet():
        return function(*args)


def lazily(function: Callable[..., Any], *args: Any) -> Any:
    """Call in a block, evaluate, and hold the array to its word about dtype and shape."""
    with rnp.lazy():
        out = function(*(rnp.asarray(a) if isinstance(a, np.ndarray) else a for a in args))
    value = out.eval()
    assert isinstance(out, rnp.Array)
    assert (out.dtype, out.shape) == (value.dtype, value.shape)
    return value


def traced(function: Callable[..., Any], *args: Any) -> Any:
    """Call through `rnp.jit`."""
    return rnp.jit(lambda *a: function(*a))(*args)


MODES = {"eager": eagerly, "lazy": lazily, "jit": traced}


def bits(x: Nd) -> Nd:
    """Return the bytes of values as integers, with one NaN for all."""
    if x.dtype.kind != "f":
        return x
    x = np.where(np.isnan(x), np.array(np.nan, x.dtype), x)
    return np.ascontiguousarray(x).view(f"u{x.dtype.itemsize}")


def differs(got: Any, want: Any, *, zeros: bool = True) -> str:
    """Say how a result differs from NumPy's; `zeros` tells -0.0 from 0.0."""
    if isinstance(want, type) or isinstance(got, type):
        return "" if got is want else f"got {got!r}, wanted {want!r}"
    if type(got) is not type(want):
        return f"type {type(got)}, wanted {type(want)}"
    if got.dtype != want.dtype or got.shape != want.shape:
        return f"got {got.dtype}{got.shape}, wanted {want.dtype}{want.shape}"
    a, b = np.asarray(got), np.asarray(want)
    off = bits(a) != bits(b)
    if not zeros:
        off &= ~((a == 0) & (b == 0))
    if not off.any():
        return ""
    at = tuple(int(i) for i in np.argwhere(off)[0]) if off.ndim else ()
    return f"{off.sum()} of {off.size} differ, first at {at}: got {a[at]!r}, wanted {b[at]!r}"


def errors_in_ulp(got: Nd, reference: Nd, size: Nd | None = None) -> Nd:
    """Return the distance from a finite, more precise reference, in ulp of it or of `size`."""
    info = np.finfo(got.dtype)
    size = np.abs(reference) if size is None else size
    exponent = np.frexp(size)[1].astype(np.int64) - 1
    exponent = np.maximum(exponent, info.minexp) - info.nmant
    # An infinity stands for the first number that the dtype cannot hold.
    top = np.ldexp(np.longdouble(1), int(info.maxexp))
    wide = got.astype(np.longdouble)
    wide = np.where(np.isinf(wide), np.copysign(top, wide), wide)
    # What is beyond is as far away as that number.
    reference = np.clip(reference.astype(np.longdouble), -top, top)
    exponent = np.minimum(exponent, info.maxexp - 1 - info.nmant)
    return np.abs(np.ldexp(wide - reference, -exponent))


def off_by_ulp(got: Any, want: Any, reference: Any, ulp: float, size: Any = 0.0) -> str:
    """Say how a result is further from the reference than `ulp`; special values are NumPy's.

    Units are those of the reference, or of `size` where that is larger.
    """
    if isinstance(want, type) or isinstance(got, type) or got.dtype != want.dtype:
        return differs(got, want)
    if got.shape != want.shape or type(got) is not type(want):
        return differs(got, want)
    a, b, r = np.atleast_1d(got), np.atleast_1d(want), np.atleast_1d(reference)
    special = ~np.isfinite(r) | (r == 0)
    told = differs(a[special], b[special])
    if told:
        return f"special values: {told}"
    size = np.maximum(np.abs(r), np.where(np.isfinite(size), np.abs(size), 0))[~special]
    a, r = a[~special], r[~special]
    if not a.size:
        return ""
    if np.isnan(a).any():
        return f"NaN for {r[np.isnan(a)][0]!r}"
    errors = errors_in_ulp(a, r, size)
    worst = int(np.argmax(errors))
    if errors[worst] <= ulp:
        return ""
    return f"{errors[worst]:.3f} ulp (bound {ulp}): got {a[worst]!r}, wanted {r[worst]!r}"


def compare(name: str, got: Any, want: Any, args: Sequence[Any]) -> str:
    """Say how the result of an op differs from NumPy's by more than its row allows."""
    ulp = OPS[name][1]
    if ulp == 0 or isinstance(want, type) or want.dtype.kind != "f":
        return differs(got, want, zeros=name not in EITHER_ZERO)
    with quiet():
        wide = [wider(np.asarray(a).astype(want.dtype)) for a in args]
        size = np.maximum(*(np.abs(a) for a in wide)) if name in CANCELLING else 0.0
        # float16 is computed in float32 and rounded once more, so the table's bound is ample.
        return off_by_ulp(got, want, numpys(name)(*wide), ulp, size)


def wider(x: Any) -> Any:
    """Return a float array in the precision that its reference is computed in."""
    return x.astype(np.float64 if x.dtype.itemsize < 8 else np.longdouble)


def packed(x: Nd) -> Nd:
    """Return a copy that is a field of packed records."""
    records = np.zeros(x.shape, np.dtype([("pad", "u1"), ("x", x.dtype), ("more", "u2")]))
    records["x"] = x
    return records["x"]


def stride_0(x: Nd) -> Nd:
    """Return an array of the same shape that repeats one row (one element, in one dimension)."""
    return np.broadcast_to(x[len(x) // 2], x.shape)


ALL_LAYOUTS: dict[str, Callable[[Nd], Nd]] = {
    **LAYOUTS,
    "Fortran": lambda x: np.asfortranarray(x.copy()),
    "packed": packed,
    "stride 0": stride_0,
    "big-endian reversed": lambda x: x[::-1].astype(x.dtype.newbyteorder(">"))[::-1],
    "empty": lambda x: x[:0],
    "0-d": lambda x: np.array(x[tuple(s // 3 for s in x.shape)]),
}
