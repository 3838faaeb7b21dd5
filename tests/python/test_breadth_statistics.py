"""Reductions: compositions, those that pass over NaN, and what NumPy computes later."""

from __future__ import annotations

import numpy as np
import pytest
import rnp
from breadth import at_once, case, check, check_error, loops, loose
from conftest import DTYPES
from oracle import FLOATS, ordinary

CASES = []
for d in DTYPES:
    x = ordinary(d, (-20, 20), 24, 3).reshape(2, 3, 4)
    for axis in (None, 0, -1, (0, 2)):
        CASES += [case("count_nonzero", x, axis=axis), loose("average", x, axis=axis)]
        if d != "bool":
            CASES.append(case("ptp", x, axis=axis))
    CASES += [
        loose("mean", x, dtype="complex64"),
        loose("sum", x, axis=1, where=x > 0),
        case("max", x, axis=1, initial=3, where=x > 0),
        case("count_nonzero", x, 1, keepdims=True),
        loose("average", x, axis=1, keepdims=True),
        loose("average", x, axis=1, returned=True),
        loose("std", x, axis=0, where=x > 0),
    ]
for d in (*FLOATS, "int16", "bool"):
    x = ordinary(d, (-4, 4), 24, 5).reshape(2, 3, 4)
    if d in FLOATS:
        x[0, 1] = np.nan
        x[1, :, 2] = np.nan
        x[1, 0, 0] = np.inf
    finite = np.where(x > 100, 1, x).astype(d)
    for axis in (None, 0, -1, (0, 2)):
        CASES += [
            case("nanmin", x, axis=axis),
            case("nanmax", x, axis=axis),
            loose("nansum", finite, axis=axis),
            loose("nanprod", finite / 4 if d in FLOATS else finite, axis=axis),
            loose("nanmean", finite, axis=axis),
            loose("nanvar", finite, axis=axis),
            loose("nanstd", finite, axis=axis, ddof=1),
        ]
    CASES += [
        case("nanmax", x, axis=1, keepdims=True),
        loose("nanvar", finite, axis=0, keepdims=True, ddof=2),
        loose("nansum", finite, dtype="float64"),
        case("nancumsum", finite, axis=1),
        case("nancumprod", finite),
        loose("nanmean", finite, axis=0, where=finite > 0),
    ]
y = ordinary("float64", (-4, 4), 24, 7)
CASES += [
    case("count_nonzero", np.zeros((0, 3)), axis=0),
    case("nansum", np.zeros((0, 3)), axis=0),
    loose("average", np.arange(4), None),
    case("average", y, weights=np.abs(y)),
    case("average", np.ones((2, 3), "f4"), 1, np.arange(1.0, 4)),
    case("average", np.arange(6).reshape(2, 3), (1, 0), np.arange(6).reshape(3, 2), keepdims=True),
    at_once("average", y, weights=np.abs(y), returned=True),
    loose("cov", y.reshape(4, 6)),
    loose("cov", y, y[::-1].copy()),
    loose("cov", y),
    loose("cov", y.reshape(4, 6), rowvar=False),
    loose("corrcoef", y.reshape(4, 6).astype("float32")),
    case("histogram", y, 5, (-3, 3)),
    case("histogram", y, np.array([-4.0, 0, 1, 4]))._replace(known=(1,)),
    case("histogram", y, np.array([-4.0, 0, 1, 4])),
    case("histogram", y, bins=[-4, 0, 4]),
    at_once("histogram", y, np.zeros(0)),
    case("histogram", y),
    case("histogram", y[:0], 3),
    case("histogram", y.astype("f4"), 4, density=True),
    case("histogram", np.arange(6, dtype="u1"), 4, weights=np.arange(6, dtype="f4")),
    case("histogram", y, np.array([-4.0, 0, 4]), density=True, weights=np.abs(y)),
    at_once("histogram", y, "auto"),
    at_once("bincount", np.array([1, 5, 1])),
    at_once("nanargmax", np.array([1.0, np.nan, 3])),
    at_once("histogram2d", y, y, 3),
    case("argmax", y.reshape(4, 6), 1, keepdims=True),
]


@pytest.mark.parametrize("c", CASES, ids=str)
def test_case(c):
    check(c)


ERRORS = [
    case("ptp", np.zeros((2, 3)), axis=2),
    case("ptp", np.zeros((2, 0)), axis=1),
    case("ptp", np.array([True])),
    case("nanmax", np.zeros((2, 0))),
    case("nanmin", np.zeros((2, 0)), axis=1),
    case("nanargmin", np.array([np.nan])),
    case("count_nonzero", np.zeros((2, 3)), axis=(0, 0)),
    case("average", np.zeros(3), weights=np.zeros(3)),
    case("average", np.zeros((2, 3)), weights=np.ones(3)),
    case("cov", np.zeros((2, 3, 4))),
    case("histogram", np.zeros(3), 0),
    case("histogram", np.zeros(3), [3, 2, 1]),
    case("histogram", np.zeros(3), 3, (2, 1)),
    case("sum", np.zeros(3), where=np.array([1, 2, 3])),
]


@pytest.mark.parametrize("c", ERRORS, ids=str)
def test_errors(c):
    check_error(c)


def test_compositions_fuse():
    x = np.linspace(-3, 3, 1000)
    with rnp.lazy():
        y = rnp.asarray(x) * 2
        assert loops(np.ptp(y), y.max()) == 2  # the fold, and the difference
        assert loops(np.nansum(y), np.nanmax(y), np.count_nonzero(y)) == 2
        assert loops(np.nanmean(y)) == 2


@pytest.mark.parametrize("dtype", ["i4", "u1", "?"])
@pytest.mark.parametrize("name", ["std", "var"])
def test_moments_as_integers_are_numpys(name, dtype):
    x = np.array([[1, 2, 5], [9.0, 0, 3]])
    for keywords in ({}, {"ddof": 1}, {"axis": 0}, {"axis": 1, "ddof": 1, "keepdims": True}):
        try:
            want = getattr(np, name)(x, dtype=dtype, **keywords)
        except TypeError:  # a root of several integers
            with pytest.raises(TypeError), rnp.lazy():
                getattr(rnp, name)(rnp.asarray(x) * 1, dtype=dtype, **keywords)
            continue
        with rnp.lazy():
            got = getattr(rnp, name)(rnp.asarray(x) * 1, dtype=dtype, **keywords)
        assert got.dtype == want.dtype
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("name", ["std", "var"])
def test_degrees_of_freedom_have_one_name_at_a_time(name):
    function = getattr(rnp, name)
    with rnp.lazy():
        x = rnp.asarray(np.arange(5.0))
        for call in (
            lambda: function(x, ddof=1, correction=0),
            lambda: x.std(0, None, None, 1, correction=1),
        ):
            with pytest.raises(ValueError, match="simultaneously"):
                call()
        got = function(x, correction=1)
        assert rnp.plan(got).fallbacks == []
    assert got.eval() == getattr(np, name)(np.arange(5.0), ddof=1)
