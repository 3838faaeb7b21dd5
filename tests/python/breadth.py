"""Cases of NumPy's functions, run as programs would run them, with NumPy as the oracle."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import rnp
from oracle import ERRORS, differs, quiet
from rnp import _core, _dispatch


class Case(NamedTuple):
    """A call of `numpy.<path>`.

    `loose` results hold sums, which rnp rounds once. Arrays at the places `known` are no deferred
    ones: the function has to look at them.
    """

    path: str
    args: tuple[Any, ...]
    keywords: dict[str, Any]
    loose: bool = False
    at_once: bool = False
    known: tuple[int, ...] = ()

    def __str__(self) -> str:
        words = [_word(a) for a in self.args]
        words += [f"{name}={_word(value)}" for name, value in self.keywords.items()]
        return f"{self.path}({', '.join(words)})"


def _word(x: Any) -> str:
    if isinstance(x, np.ndarray):
        return f"{x.dtype}{list(x.shape)}".replace(" ", "")
    if isinstance(x, (list, tuple)):
        return f"[{','.join(map(_word, x))}]"
    return getattr(x, "__name__", repr(x))


def case(path: str, *args: Any, **keywords: Any) -> Case:
    """Make a case whose result has NumPy's bits."""
    return Case(path, args, keywords)


def loose(path: str, *args: Any, **keywords: Any) -> Case:
    """Make a case whose result holds sums or elementary functions."""
    return Case(path, args, keywords, loose=True)


def at_once(path: str, *args: Any, **keywords: Any) -> Case:
    """Make a case that cannot wait: its values decide about shape or success."""
    return Case(path, args, keywords, loose=True, at_once=True)


def oracle(case: Case) -> Any:
    """Return NumPy's result."""
    with quiet():
        return _dispatch.find(case.path)(*case.args, **case.keywords)


def find(path: str) -> Any:
    """Return rnp's function at a dotted path."""
    return functools.reduce(getattr, path.split("."), rnp)


def deferred(item: Any, ran: list[str]) -> Any:
    """Replace ndarrays by deferred arrays whose evaluation is noted."""
    if isinstance(item, np.ndarray):
        if not _dispatch.supported(item.dtype):
            return item

        def source(x: Any) -> Any:
            ran.append("evaluated")
            return x

        return _core._call(source, [item], item.dtype, item.shape, "source")
    if type(item) in (tuple, list):
        return type(item)(deferred(part, ran) for part in item)
    return item


def leaves(result: Any) -> list[Any]:
    """Flatten nested results."""
    if isinstance(result, (tuple, list)):
        return [leaf for part in result for leaf in leaves(part)]
    return [result]


def values(result: Any) -> Any:
    """Evaluate what is deferred."""
    if isinstance(result, rnp.Array):
        with quiet():
            got = result.eval()
        assert (got.dtype, got.shape) == (result.dtype, result.shape)
        return got
    if isinstance(result, (tuple, list)):
        return [values(part) for part in result]
    return result


def same(got: Any, want: Any, *, close: bool) -> str:
    """Say how results differ: structure, dtypes, shapes, bits or, if `close`, values."""
    if isinstance(want, (tuple, list)):
        if not isinstance(got, (tuple, list)) or len(got) != len(want):
            return f"got {got!r}, wanted {want!r}"
        told = (same(g, w, close=close) for g, w in zip(got, want, strict=True))
        return next((t for t in told if t), "")
    a, b = np.asarray(got), np.asarray(want)
    if a.dtype != b.dtype or a.shape != b.shape:
        return f"got {a.dtype}{a.shape}, wanted {b.dtype}{b.shape}"
    if not close:
        return differs(a, b)
    if b.dtype.kind in "fc":
        eps = np.finfo(b.dtype).eps
        if np.allclose(a, b, rtol=64 * eps, atol=64 * eps, equal_nan=True):
            return ""
    elif np.array_equal(a, b):
        return ""
    return f"got {a!r}, wanted {b!r}"


def in_block(function: Callable[..., Any], case: Case) -> str:
    """Call with deferred arrays in a block; say what is wrong with what came of it."""
    want = oracle(case)
    ran: list[str] = []
    with rnp.lazy(), quiet():
        pairs = enumerate(case.args)
        args = tuple(x if i in case.known else deferred(x, ran) for i, x in pairs)
        keywords = {k: deferred(v, ran) for k, v in case.keywords.items()}
        result = function(*args, **keywords)
        if not case.at_once and all(_dispatch.supported(np.asarray(x).dtype) for x in leaves(want)):
            if ran:
                return "evaluated something at once"
            plain = [x for x in leaves(result) if not isinstance(x, rnp.Array)]
            if any(not isinstance(x, (bool, int, float, np.dtype)) for x in plain):
                return f"not deferred: {plain!r}"
    return same(values(result), want, close=case.loose)


def check(case: Case) -> None:
    """Compare all ways of calling a function with NumPy."""
    ours, numpys = find(case.path), _dispatch.find(case.path)
    assert not in_block(ours, case), f"rnp.{case}: {in_block(ours, case)}"
    arrays = [x for x in leaves(case.args) if isinstance(x, np.ndarray)]
    if hasattr(numpys, "_implementation") and arrays:
        assert not in_block(numpys, case), f"numpy.{case} of deferred arrays"
    want = oracle(case)
    with rnp.lazy(), quiet():
        result = ours(*case.args, **case.keywords)
    told = same(values(result), want, close=case.loose)
    assert not told, f"rnp.{case} of ndarrays in a block: {told}"
    with quiet():
        result = ours(*case.args, **case.keywords)
    assert not any(isinstance(x, rnp.Array) for x in leaves(result))
    told = same(result, want, close=case.loose)
    assert not told, f"rnp.{case} outside of a block: {told}"


def error(function: Callable[..., Any], *args: Any, **keywords: Any) -> type | None:
    """Return the class of error that a call ends with, if any."""
    try:
        with quiet():
            values(function(*args, **keywords))
    except ERRORS as e:
        return next(kind for kind in ERRORS if isinstance(e, kind))
    return None


def check_error(case: Case) -> None:
    """Compare the error of a wrong call, which comes on the line of the call, with NumPy's."""
    want = error(_dispatch.find(case.path), *case.args, **case.keywords)
    assert want is not None
    with rnp.lazy():
        args = deferred(case.args, [])
        got = error(find(case.path), *args, **case.keywords)
    assert got is want, f"rnp.{case}: got {got}, wanted {want}"


def loops(*results: Any) -> int:
    """Return how many loops the results take."""
    return rnp.plan(*results).loops
