"""What NumPy says of values, outside of blocks, and that blocks say nothing: decision 0030."""

from __future__ import annotations

import functools
import itertools
import warnings
from pathlib import Path

import numpy as np
import pytest
import rnp
from oracle import OPS

SPECIAL = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    -2.0,
    np.inf,
    -np.inf,
    np.nan,
    3e38,
    -3e38,
    1e-38,
    88.8,
    700.0,
]
WHOLE = {"i4": [0, 1, -1, 7, -(2**31), 2**31 - 1], "u1": [0, 1, 7, 255]}
UFUNCS = [name for name in OPS if isinstance(getattr(np, name, None), np.ufunc)] + ["divmod"]
# NumPy's own flags that nothing in the values explains: of NaN, and of an infinite difference.
STRAY = {
    "f2": {"ceil", "floor", "trunc", "rint", "power", "float_power"},
    "f4": {"logaddexp", "logaddexp2"},
}


def said(function, *args):
    """Give the warnings of a call, or the error."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        try:
            function(*args)
        except FloatingPointError as error:
            return str(error)
        except (TypeError, ValueError):
            return "a mistake"
    return sorted({(w.category, str(w.message)) for w in seen}, key=str)


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", *WHOLE])
@pytest.mark.parametrize("name", UFUNCS)
def test_ufuncs_warn_of_what_numpy_warns_of(name, dtype):
    if name in STRAY.get(dtype, ()):
        pytest.skip("NumPy warns of NaN")
    ours, theirs = getattr(rnp, name), getattr(np, name)
    with np.errstate(all="ignore"):
        values = np.unique(np.array(WHOLE.get(dtype, SPECIAL)).astype(dtype))
    for last in itertools.product(values, repeat=theirs.nin):
        if name == "power" and last[0] == -np.inf:
            continue  # the root that NumPy takes for an exponent depends on how many there are
        for n in (1, 5, 33):
            operands = [np.full(n, values[2]) for _ in last]
            for operand, value in zip(operands, last, strict=True):
                operand[-1] = value
            assert said(ours, *operands) == said(theirs, *operands), last


@pytest.mark.parametrize(
    "name", ["divide", "log", "sqrt", "multiply", "floor_divide", "reciprocal"]
)
def test_layouts_numbers_and_many_elements(name):
    ours, theirs = getattr(rnp, name), getattr(np, name)
    big = np.ones(300_000, "f4")
    big[-1] = {"multiply": 3e38, "sqrt": -1}.get(name, 0)
    wide = np.ones((40, 50))
    wide[0, 2] = big[-1]
    for x in (big, big[::-3], wide, wide.T, wide[:, ::2], big[-1], float(big[-1]), int(big[0])):
        operands = {"divide": (1, x), "floor_divide": (x, x)}.get(name, (x, x)[: theirs.nin])
        assert said(ours, *operands) == said(theirs, *operands)


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
def test_numbers_that_become_infinite(dtype):
    x = np.array([0.0, 1.0], dtype)
    for number in (1e150, -1e150, 70_000, 65_519.0, 1e30, np.inf, 3.4e38):
        for call in (
            lambda m, v: m.where(x > 0, x, v),
            lambda m, v: m.where(x > 0, v, x),
            lambda m, v: m.clip(x, None, v),
            lambda m, v: m.clip(x, -v, v),
            lambda m, v: m.maximum(x, v),
            lambda m, v: m.greater(x, v),
        ):
            want = said(call, np, number)
            assert said(call, rnp, number) == want, number
            with np.errstate(over="raise"):
                assert said(call, rnp, number) == said(call, np, number)


@pytest.mark.parametrize("name", ["sum", "prod", "mean", "std", "var", "max"])
def test_reductions_that_become_infinite(name):
    ours, theirs = getattr(rnp, name), getattr(np, name)
    # The variance of float16 is computed in float32, where ours is finite.
    dtypes = ["f8"] if name in ("std", "var") else ["f2", "f8"]
    for dtype, n in itertools.product(dtypes, (4, 300_000)):
        far = np.full(n, np.finfo(dtype).max)
        both = np.array([np.inf, -np.inf, 1.0, 2.0], dtype)
        for x, keywords in [
            (far, {}),
            (both, {}),
            (far.reshape(2, -1), {"axis": 0}),
            (far.reshape(-1, 2), {"axis": 1}),
            (far.reshape(2, 2, -1), {"axis": (0, 2)}),
            (np.ones(n, dtype), {}),
        ]:
            calls = [functools.partial(f, x, **keywords) for f in (ours, theirs)]
            assert said(calls[0]) == said(calls[1]), (dtype, x.shape)
    with rnp.lazy():
        assert said(ours, rnp.asarray(far)) == []


def test_errstate_decides():
    x = np.array([0.0, 2.0, -1.0])
    for state in ("ignore", "warn", "raise"):
        for name in ("log", "sqrt", "reciprocal"):
            with np.errstate(all=state):
                assert said(getattr(rnp, name), x) == said(getattr(np, name), x)
    called = []
    with np.errstate(all="call", call=lambda kind, flag: called.append(kind)):
        rnp.log(x)
    assert len(called) == 2
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError, match="in divmod"):
        rnp.divmod(np.arange(3), 0)


def test_the_line_is_the_callers():
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        rnp.log(np.zeros(3))
        with rnp.lazy():
            rnp.asarray(np.zeros((0, 2))).mean(axis=0)
            np.var(rnp.asarray(np.ones(2)), ddof=2)
    assert {Path(w.filename).name for w in seen} == {Path(__file__).name}
    assert len({w.lineno for w in seen}) == len(seen) == 3


@pytest.mark.parametrize("name", ["mean", "var", "std"])
def test_averages_of_too_few_elements(name):
    for shape, keywords in [
        ((0,), {}),
        ((0, 3), {"axis": 0}),
        ((2, 0), {"axis": (0, 1)}),
        ((2, 0), {"axis": 0}),
        ((1, 2), {"axis": 0, "ddof": 1}),
        ((3,), {"ddof": 5}),
    ]:
        if name == "mean":
            keywords = {k: v for k, v in keywords.items() if k != "ddof"}
        x = np.ones(shape)
        ours, theirs = (functools.partial(getattr(m, name), x, **keywords) for m in (rnp, np))
        want = said(theirs)
        assert said(ours) == want
        # What comes of it when it is computed is the block's business.
        with rnp.lazy():
            assert said(ours) == [w for w in want if "encountered" not in w[1]]


def test_blocks_are_silent_and_no_flags_are_left():
    x = np.array([0.0, -1.0, np.inf, np.nan], np.float32)
    with np.errstate(all="raise"):
        with rnp.lazy():
            found = [rnp.divide(x, 0.0), rnp.log(x), rnp.floor_divide(np.arange(4), 0), rnp.mean(x)]
        rnp.eval(*found)
        np.add(np.ones(3), 1)
        rnp.jit(lambda x: np.log(x) / 0)(x)
        np.add(np.ones(3), 1)
    with np.errstate(all="ignore"):
        rnp.log(x)
    np.add(np.ones(3), 1)


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
def test_running_sums_that_become_infinite(dtype):
    far = np.full(6, np.finfo(dtype).max, dtype)
    for x, keywords in [
        (far, {}),
        (far.reshape(2, 3), {}),
        (far.reshape(2, 3), {"axis": 0}),
        (far.reshape(2, 3).T, {"axis": 1}),
        (far[::2], {}),
        (far / 8, {}),
        (np.array([np.inf, -np.inf, 1], dtype), {}),
        (far, {"dtype": "f8"}),
        (far.astype("f8"), {"dtype": "f4"}),
        (far[:0], {}),
        (far.tolist(), {}),
    ]:
        for name in ("cumsum", "cumprod"):
            calls = [functools.partial(getattr(m, name), x, **keywords) for m in (rnp, np)]
            assert said(calls[0]) == said(calls[1]), (name, x, keywords)
        if np.ndim(x) == 1:
            calls = [functools.partial(m.add.accumulate, x, **keywords) for m in (rnp, np)]
            assert said(calls[0]) == said(calls[1]), x
    with np.errstate(over="raise"):
        assert said(rnp.cumsum, far) == "overflow encountered in accumulate"
    with rnp.lazy():
        assert said(lambda: rnp.cumsum(rnp.asarray(far)).eval()) == []


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
def test_medians_that_become_infinite(dtype):
    far = np.full((2, 4), np.finfo(dtype).max, dtype)
    for x in (far, far[0], far[0, :3], far / 4, np.array([1, np.inf, np.inf], dtype)):
        for keywords in ({}, {"axis": -1}, {"axis": 0, "keepdims": True}):
            calls = [functools.partial(m.median, x, **keywords) for m in (rnp, np)]
            assert said(calls[0]) == said(calls[1]), (x, keywords)


def test_integers_of_many_bits_that_become_infinite():
    x = np.ones(3, "f2")
    for number in (2**62, 2**63, 2**64, 2**70, -(2**200)):
        for name in ("add", "maximum", "greater"):
            ours, theirs = getattr(rnp, name), getattr(np, name)
            assert said(ours, x, number) == said(theirs, x, number) != [], (name, number)
            assert said(ours, number, x) == said(theirs, number, x)
