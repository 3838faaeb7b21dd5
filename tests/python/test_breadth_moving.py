"""The same elements in other places."""

from __future__ import annotations

import numpy as np
import pytest
import rnp
from breadth import at_once, case, check, check_error, loops

X = np.arange(24, dtype="float32").reshape(2, 3, 4)
M = np.arange(12, dtype="int16").reshape(3, 4)
V = np.arange(5.0)
CASES = [
    *(case("roll", X, s) for s in (0, 1, -3, 50)),
    *(case("roll", X, s, axis=a) for s, a in ((1, 0), (-2, -1), (3, (0, 2)), ((1, 2), (1, 2)))),
    case("roll", X, (1, 1), axis=(0, 0)),
    case("roll", V[:0], 2),
    *(case("flip", X, a) for a in (None, 0, -1, (0, 2), ())),
    case("flipud", M),
    case("fliplr", M),
    *(case("rot90", X, k) for k in range(-1, 5)),
    case("rot90", X, 1, (2, 1)),
    case("moveaxis", X, 0, -1),
    case("moveaxis", X, [0, 1], [-1, 0]),
    case("swapaxes", X, 0, -1),
    *(case("rollaxis", X, a, s) for a in (0, 2, -1) for s in (0, 1, 3, -1)),
    case("matrix_transpose", X),
    case("linalg.matrix_transpose", X),
    *(case(f"atleast_{n}d", x) for n in (1, 2, 3) for x in (V[0], V, M, X)),
    case("atleast_2d", V, M),
    case("broadcast_to", V, (3, 5)),
    case("broadcast_to", V[:1], 4),
    case("broadcast_arrays", V, M[:, :1], V[0]),
    case("expand_dims", M, (0, -1)),
    case("squeeze", M[:1], 0),
    case("permute_dims", X, (2, 0, 1)),
    case("split", X, 2),
    case("split", X, [1, 3, 9], axis=2),
    case("array_split", V, 3),
    case("array_split", X, 4, axis=1),
    case("hsplit", M, 2),
    case("hsplit", V, [2]),
    case("vsplit", M, 3),
    case("dsplit", X, 4),
    case("unstack", X, axis=1),
    case("meshgrid", V, V[:3]),
    case("meshgrid", V, V[:3], V[:2], indexing="ij"),
    case("meshgrid", V, M[0], sparse=True, copy=False),
    case("meshgrid", V),
    *(case("diagonal", M, k) for k in range(-4, 6)),
    case("diagonal", X, 1, 2, 0),
    case("diagonal", X[:, :0]),
    case("linalg.diagonal", X, offset=-1),
    *(case("trace", M, k) for k in (-1, 0, 2)),
    case("trace", X, 0, 1, 2, dtype="float64"),
    case("linalg.trace", X),
    *(case("diag", x, k) for x in (V, M) for k in (-2, 0, 1)),
    case("diagflat", M, 1),
    *(case(f, x, k) for f in ("tril", "triu") for x in (V, M, X) for k in (-1, 0, 2)),
    case("take", M, [0, -1, 3]),
    case("take", M, np.array([[0, 1]]), axis=1),
    case("take", X, 1, axis=2),
    case("take", M, np.array([7, -9, 100]), mode="wrap"),
    case("take", M, np.array([7, -9, 100]), axis=0, mode="clip"),
    at_once("take", M, np.array([0, 1]))._replace(args=(M, np.array([0, 1]))),
    at_once("take_along_axis", M, np.argsort(M, axis=1), 1),
    at_once("compress", [True, False, True], M, axis=0),
    at_once("extract", M > 3, M),
    case("ravel", X),
    case("shape", X),
    case("ndim", X),
    case("size", X, 1),
    case("result_type", X, 1.0),
    case("iscomplexobj", X),
    case("lib.stride_tricks.sliding_window_view", V, 3),
    case("lib.stride_tricks.sliding_window_view", M, (2, 2)),
    at_once("lib.stride_tricks.as_strided", V, (2, 2), (8, 8)),
]


@pytest.mark.parametrize("c", CASES, ids=str)
def test_case(c):
    check(c)


ERRORS = [
    case("roll", M, 1, axis=2),
    case("roll", M, (1, 2), axis=(0, 1, 1)),
    case("flip", M, axis=2),
    case("fliplr", V),
    case("flipud", np.float64(1)),
    case("rot90", M, axes=(0, 0)),
    case("rot90", V),
    case("rot90", M, axes=(0, 3)),
    case("moveaxis", M, 0, 3),
    case("moveaxis", M, [0, 1], 0),
    case("moveaxis", M, [0, 0], [0, 1]),
    case("swapaxes", M, 0, 2),
    case("rollaxis", M, 0, 5),
    case("matrix_transpose", V),
    case("broadcast_arrays", V, M),
    case("broadcast_to", V, (5, 3)),
    case("split", V, 2),
    case("split", V, 0),
    case("array_split", V, 0),
    case("hsplit", np.float64(1), 1),
    case("vsplit", V, 1),
    case("dsplit", M, 1),
    case("split", M, 2, axis=5),
    case("meshgrid", V, V, indexing="nonsense"),
    case("diagonal", V),
    case("diagonal", M, 0, 0, 0),
    case("trace", V),
    case("diag", X),
    case("tril", np.float64(1)),
    case("take", M, [99]),
    case("take", M, [0], axis=2),
    case("take", M, [0], mode="nonsense"),
]


@pytest.mark.parametrize("c", ERRORS, ids=str)
def test_errors(c):
    check_error(c)


def test_compositions_fuse():
    x = np.linspace(-3, 3, 1000)
    with rnp.lazy():
        y = rnp.asarray(x) * 2
        assert loops(np.flip(y) + 1) == 1
        assert loops(np.moveaxis(y.reshape(10, 10, 10), 0, 2) + 1) == 1
        assert loops(np.triu(y.reshape(25, 40)) * 2) == 1
