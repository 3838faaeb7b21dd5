"""Arrays made from nothing, from numbers, from outside; windows."""

from __future__ import annotations

import io

import numpy as np
import pytest
import rnp
from breadth import at_once, case, check, check_error, error, find, in_block, same, values
from conftest import DTYPES
from oracle import ordinary

X = np.arange(6.0).reshape(2, 3)
CASES = []
for d in DTYPES:
    x = ordinary(d, (-20, 20), 6, 3).reshape(2, 3)
    CASES += [
        case("zeros", (2, 3), d),
        case("ones", 3, dtype=d, order="F"),
        case("full", (2,), x[0, 0]),
        case("full", (2, 3), x[0], dtype="float32"),
        case("zeros_like", x),
        case("ones_like", x, "float16", "C", True, (3,)),
        case("full_like", x, 1),
        case("full_like", x, 2, dtype="int32", shape=4),
        case("asarray", x, "float64"),
        case("asarray", x, order="C"),
        case("asanyarray", x),
        case("array", x, ndmin=4),
        case("array", x, dtype="float32", copy=True),
        case("ascontiguousarray", x[0, 0]),
        case("asfortranarray", x),
        case("copy", x),
        case("astype", x, "int16"),
        case("eye", 3, 4, 1, dtype=d),
        case("tri", 3, 4, -1, dtype=d),
    ]
CASES += [
    case("eye", 3),
    case("eye", 0),
    *[case("eye", 2, 3, k) for k in (3, -2, 2**63, -(2**64))],
    case("identity", 3, "int8"),
    case("tri", 4),
    *[case("tri", 2, 3, k) for k in (3, -2, 2**63, -(2**40))],
    case("tri", 2, -1),
    case("zeros", (), "complex64"),
    case("arange", 5),
    case("arange", 1, 9, 2, dtype="float32"),
    case("arange", stop=4),
    case("arange", 3, stop=7),
    case("arange", start=3, stop=7, step=2),
    case("linspace", 0, 1, 7),
    case("linspace", 0, 1, 7, endpoint=False, dtype="float32"),
    case("linspace", 0, 1, 7, retstep=True),
    case("linspace", X[0], X[1], 4),
    case("linspace", X[0], 5, 4, axis=-1, dtype="float32"),
    case("linspace", 0, 1, 3, device="cpu"),
    case("logspace", 0, 3, 7),
    case("logspace", 0, X[0], 5, base=2, axis=1),
    case("geomspace", 1, 1000, 4),
    case("geomspace", 1, 1000, 4, dtype="int64"),
    case("indices", (2, 3)),
    case("indices", (2, 3), dtype="float32", sparse=True),
    *(case(w, n) for w in ("hanning", "hamming", "blackman", "bartlett") for n in (0, 1, 7)),
    case("kaiser", 9, 14.0),
    case("frombuffer", b"\x00\x01\x02\x03", dtype="int16"),
    case("fromfunction", lambda i, j: i + j, (2, 3)),
    case("fromstring", "1 2 3", sep=" "),
    at_once("tril_indices", 3),
    at_once("diag_indices", 3),
]


@pytest.mark.parametrize("c", CASES, ids=str)
def test_case(c):
    check(c)


def test_empty_has_shape_and_dtype():
    with rnp.lazy():
        for got, want in (
            (rnp.empty((2, 3), "int8"), np.empty((2, 3), "int8")),
            (rnp.empty_like(X, shape=4), np.empty(4)),
            (rnp.empty_like(rnp.asarray(X)), np.empty((2, 3))),
        ):
            assert isinstance(got, rnp.Array)
            assert (got.shape, got.dtype) == (want.shape, want.dtype)


def test_sources_that_are_read_once():
    with rnp.lazy():
        got = rnp.fromiter((i * i for i in range(4)), "float32")
        text = rnp.loadtxt(io.StringIO("1 2\n3 4"))
    assert same(values(got), np.array([0, 1, 4, 9], "float32"), close=False) == ""
    assert same(values(text), np.array([[1.0, 2], [3, 4]]), close=False) == ""


def test_subclasses_stay_what_they_are():
    masked = np.ma.array([1.0, 2.0], mask=[True, False])
    with rnp.lazy():
        assert isinstance(rnp.asanyarray(masked), np.ma.MaskedArray)
        assert isinstance(rnp.flip(masked), np.ma.MaskedArray)
        assert isinstance(rnp.nansum(masked), (float, np.floating))


def test_random_numbers_are_numpys():
    np.random.seed(3)  # noqa: NPY002 - the legacy functions are what is tested
    want = np.random.normal(size=4)  # noqa: NPY002
    rnp.random.seed(3)
    with rnp.lazy():
        got = rnp.random.normal(size=4)
        assert isinstance(got, rnp.Array)
    np.testing.assert_array_equal(got.eval(), want)
    assert isinstance(rnp.random.default_rng(1), np.random.Generator)


def test_a_copy_of_an_input():
    x = X.copy()
    with rnp.lazy():
        y = rnp.array(x)
        x[...] = 0
    np.testing.assert_array_equal(y.eval(), X)


ERRORS = [
    case("zeros", -1),
    case("zeros", "two"),
    case("ones", (2, -1)),
    case("zeros", 2, order="Z"),
    case("zeros", 2, device="gpu"),
    case("eye", -1),
    case("eye", 2.5),
    case("arange"),
    case("linspace", 0, 1, -1),
    case("linspace", 0, 1, 2.5),
    case("geomspace", 0, 1),
    case("asarray", [[1, 2], [3]]),
    case("hanning", "two"),
]


@pytest.mark.parametrize("c", ERRORS, ids=str)
def test_errors(c):
    check_error(c)


def test_nothing_is_deferred_outside_of_a_block():
    assert type(rnp.zeros(3)) is np.ndarray
    assert error(find("eye"), 3) is None
    assert not in_block(find("eye"), case("eye", 3))


def test_subclasses_between_which_a_row_is_made_keep_their_kind():
    class Tagged(np.ndarray):
        """An array with a meaning."""

        __array_priority__ = 10

    start, stop = np.array(0).view(Tagged), np.array(1).view(Tagged)
    assert type(np.linspace(start, stop)) is type(rnp.linspace(start, stop)) is Tagged
