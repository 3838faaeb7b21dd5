"""Order, places in it, and searching."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import rnp
from breadth import at_once, case, check, check_error
from conftest import DTYPES
from oracle import FLOATS, ordinary

METHODS = ["inverted_cdf", "averaged_inverted_cdf", "closest_observation", "hazen", "weibull"]
METHODS += ["interpolated_inverted_cdf", "linear", "median_unbiased", "normal_unbiased"]
METHODS += ["lower", "higher", "midpoint", "nearest"]

CASES = []
for d in DTYPES:
    x = ordinary(d, (-20, 20), 24, 3).reshape(4, 6)
    CASES += [
        case("sort", x),
        case("sort", x, axis=None, kind="stable"),
        case("sort", x, 0),
        case("argsort", x, kind="stable"),
        case("argsort", x, axis=None, stable=True),
        case("lexsort", (x[0], x[1])),
        case("lexsort", x),
        case("median", x),
        case("median", x, axis=1, keepdims=True),
        case("searchsorted", np.sort(x[0]), x),
        case("searchsorted", np.sort(x[0]), x[1, 1], side="right"),
        case("digitize", x, [-3, 0, 5]),
        case("isin", x, x[0]),
        case("isin", x, [1, 2, 3], invert=True),
    ]
    if d != "bool":
        CASES += [
            case("partition", x, 2),
            case("partition", x, (1, -1), axis=0),
            case("argpartition", x, 2, axis=None),
            case("percentile", x, 30),
            case("percentile", x, [10, 50.0], axis=0),
            case("quantile", x, np.float64(0.3), axis=1, keepdims=True),
            case("quantile", x, np.array([[0.1, 0.2]]), axis=(0, 1))._replace(known=(1,)),
            *(case("quantile", x, 0.4, method=m) for m in METHODS),
        ]
for d in FLOATS:
    x = ordinary(d, (-20, 20), 24, 3).reshape(4, 6)
    x[1, 2] = np.nan
    x[:, 3] = np.nan
    CASES += [
        case("nanmedian", x),
        case("nanmedian", x, axis=0),
        case("nanpercentile", x, 30, axis=1),
        case("nanquantile", x, [0.1, 0.2], axis=0, keepdims=True),
        case("median", x, axis=0),
        case("sort", x, axis=0),
    ]
x = np.array([3.0, 1, 2, 0, 3])
CASES += [
    case("quantile", x, np.array([0.1, 0.2])),
    case("percentile", x, np.array(30.0), method="hazen"),
    case("digitize", x, np.array([1.0, 2, 3])),
    case("digitize", x, np.array([3.0, 1, 0]), True),
    *(case(f, x[:0]) for f in ("median", "nanmedian")),
    case("median", x[:0].reshape(0, 3), axis=0, keepdims=True),
    case("median", x[:0].reshape(3, 0).astype("f4"), axis=1),
    at_once("unique", x),
    at_once("unique", x, return_counts=True),
    at_once("nonzero", x),
    at_once("flatnonzero", x),
    at_once("argwhere", x),
    at_once("where", x),
    at_once("union1d", x, x),
    at_once("intersect1d", x, x[:2]),
    at_once("trim_zeros", x),
    case("searchsorted", x, x, sorter=np.argsort(x)),
    at_once("quantile", x, 0.5, weights=np.ones(5), method="inverted_cdf"),
    at_once("unravel_index", np.array([1, 2]), (2, 3)),
    case("ravel_multi_index", (np.array([1, 5]), np.array([2, 2])), (3, 4), mode="clip"),
    case("piecewise", x, [x < 1, x >= 1], [-1.0, lambda v: v * 2]),
    case("sort_complex", x),
]


@pytest.mark.parametrize("c", CASES, ids=str)
def test_case(c):
    check(c)


ERRORS = [
    case("sort", x, axis=1),
    case("sort", x, kind="nonsense"),
    case("sort", x, kind="stable", stable=True),
    case("sort", np.float64(1)),
    case("argsort", x, axis=2),
    case("partition", x, 9),
    case("argpartition", x, [0, 9]),
    case("lexsort", [x, x[:2]]),
    case("median", x, axis=1),
    case("percentile", x, 101),
    case("quantile", x, -0.1),
    case("quantile", x, 0.5, method="nonsense"),
    case("percentile", np.array([True, False]), 50),
    case("searchsorted", x.reshape(1, 5), x),
    case("searchsorted", x, x, side="middle"),
    case("digitize", x, [1, 3, 2]),
    case("isin", x, x, kind="nonsense"),
]


@pytest.mark.parametrize("c", ERRORS, ids=str)
def test_errors(c):
    check_error(c)


def test_statistics_at_what_is_not_known_can_be_traced():
    nothing = rnp.jit(lambda x: rnp.median(x, axis=0))
    at = rnp.jit(lambda x, q: rnp.percentile(x, q))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        for x in (np.zeros((0, 3)), np.ones((2, 3)), np.zeros((0, 2))):
            np.testing.assert_array_equal(nothing(x), np.median(x, axis=0))
    x = np.arange(9, dtype="f4")
    for q in (30.0, 75, 0.5):
        got, want = at(x, q), np.percentile(x, q)
        assert (got, got.dtype) == (want, want.dtype)
    with pytest.raises(ValueError, match="range"):
        at(x, 101.0)
