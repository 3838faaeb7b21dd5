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
    *(case(f, x, k) for f in ("tril", "triu") for x in (V, M, X) for k in (-1, 0, 2, 2**63)),
    case("take", M, [0, -1, 3]),
    case("take", M, np.array([[0, 1]]), axis=1)._replace(known=(1,)),
    case("take", X, 1, axis=2),
    case("take", M, np.array([7, -9, 100]), mode="wrap"),
    case("take", M, np.array([7, -9, 100]), axis=0, mode="clip"),
    case("take", M, np.array([0, 1])),
    case("take", M.T, np.array([[2, -1]], "int8"), 0),
    case("take", M, np.array([True, False]), 1),
    case("take", M, []),
    case("take_along_axis", M, np.argsort(M, axis=1), 1),
    case("take_along_axis", M, np.argsort(-M, axis=1), 1)._replace(known=(1,)),
    case("take_along_axis", M, np.argmax(M, axis=0, keepdims=True), 0),
    case("take_along_axis", V, np.array([3, 0]), None),
    at_once("compress", [True, False, True], M, axis=0),
    at_once("extract", M > 3, M),
    case("ravel", X),
    case("shape", X),
    case("ndim", X),
    case("size", X, 1),
    case("result_type", X, 1.0),
    case("iscomplexobj", X),
    at_once("lib.stride_tricks.sliding_window_view", V, 3),
    at_once("lib.stride_tricks.sliding_window_view", M, (2, 2)),
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
    case("take", M, np.array([-99])),
    case("take", M[:0], [0], axis=0),
    case("take", M[:0], [0], axis=0, mode="wrap"),
    case("take", M, np.array([0.5])),
    case("take", M, [0], axis=2),
    case("take_along_axis", M, np.array([[7]])),
    case("take_along_axis", M, np.array([0])),
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
        assert loops(np.triu(y.reshape(25, 40)) * 2) <= 3  # two of them of the indices


# Results that are written into: NumPy says which of them are views.
WRITTEN = {
    "flip": np.flip,
    "flip rows": lambda x: np.flip(x, 0),
    "rot90": np.rot90,
    "rot90 by nothing": lambda x: np.rot90(x, 0),
    "moveaxis": lambda x: np.moveaxis(x, 0, 1),
    "swapaxes": lambda x: np.swapaxes(x, 0, 1),
    "atleast_1d": np.atleast_1d,
    "atleast_3d": np.atleast_3d,
    "split": lambda x: np.split(x, 3)[1],
    "hsplit": lambda x: np.hsplit(x, 2)[1],
    "unstack": lambda x: np.unstack(x)[1],
    "expand_dims": lambda x: np.expand_dims(x, 1),
    "real": np.real,
    "roll": lambda x: np.roll(x, 1),
    "roll by nothing": lambda x: np.roll(x, 0, axis=0),
    "tile": lambda x: np.tile(x, 1),
    "repeat": lambda x: np.repeat(x, 1, axis=0),
    "concatenate": lambda x: np.concatenate([x]),
    "vstack": lambda x: np.vstack([x]),
    "block": np.block,
    "copy": np.copy,
    "pad": lambda x: np.pad(x, 0),
    "round": np.round,
    "fix": np.fix,
    "nan_to_num": np.nan_to_num,
    "fftshift": lambda x: np.fft.fftshift(x, axes=()),
    "diff": lambda x: np.diff(x, 0),
    "meshgrid": lambda x: np.meshgrid(x[0], indexing="ij")[0],
    "meshgrid without copies": lambda x: np.meshgrid(x[0], copy=False)[0],
    "trapezoid": lambda x: np.atleast_1d(np.trapezoid(x)),
    "tril": lambda x: np.tril(x, 9),
}


@pytest.mark.parametrize("name", WRITTEN)
@pytest.mark.parametrize("dtype", ["int32", "float64"])
def test_views_write_their_base_and_copies_do_not(name, dtype):
    take = WRITTEN[name]
    wanted = np.arange(12).reshape(3, 4).astype(dtype)
    take(wanted)[...] = -1
    with rnp.lazy():
        found = rnp.array(np.arange(12).reshape(3, 4).astype(dtype))
        take(found)[...] = -1
    np.testing.assert_array_equal(found.eval(), wanted)


# -- elements by number

NUMBERS = np.array([[3, -1, 0], [2, 2, -4]])
KEYS = {
    "one array": (NUMBERS % 3,),
    "narrow": (np.array([2, -3, 0], "int8"),),
    "behind": (slice(None), NUMBERS),
    "two": (np.array([0, 2]), np.array([[1], [-1]])),
    "beside an integer": (1, NUMBERS),
    "before an integer": (np.array([0, -1]), slice(None), 0),
    "apart": (np.array([0, 1]), slice(None), np.array([1, 0])),
    "apart by a new axis": (np.array([0, 1]), None, np.array([2, 0])),
    "apart by nothing": (np.array([0, 1]), np.array([2, 0]), ..., np.array([1, 1])),
    "reversed": (slice(None, None, -1), np.array([1, 0])),
    "none": (np.empty(0, int),),
    "a known mask": (np.arange(24).reshape(3, 4, 2) % 3 == 0,),
    "a known mask of an axis": (
        slice(None),
        np.array([True, False, True, True]),
        np.array([0, 1, 0]),
    ),
    "a mask and a new axis": (None, np.array([True, False, True])),
}


@pytest.mark.parametrize("dtype", ["bool", "int16", "float32", "float64", "complex128"])
@pytest.mark.parametrize("name", KEYS)
def test_elements_by_number(name, dtype):
    x, key = (np.arange(24) % 7).reshape(3, 4, 2).astype(dtype), KEYS[name]
    for y in (x, np.asfortranarray(x), x[::-1]):
        want = y[key]
        with rnp.lazy(fallbacks="error"):
            ours = rnp.asarray(y, copy=False)
            got = ours[key]
            later = tuple(
                rnp.asarray(k) + 0 if isinstance(k, np.ndarray) and k.dtype != bool else k
                for k in key
            )
            twice = ours[later]
        np.testing.assert_array_equal(got, want, strict=True)
        np.testing.assert_array_equal(twice, want, strict=True)


def test_numbers_leave_the_chains_around_them_whole():
    x = np.linspace(-1, 1, 480)
    with rnp.lazy(fallbacks="error"):
        y = (rnp.asarray(x) * 2 + 1)[rnp.asarray(np.arange(480)) // 2]
        z = rnp.take(y - 1, [[0, 5]], mode="clip") * 3
        assert rnp.plan(y * 2 - 1).loops == 3  # the array, its numbers, what comes of them
    np.testing.assert_array_equal(z, np.take((x * 2 + 1)[np.arange(480) // 2] - 1, [[0, 5]]) * 3)


def test_numbers_of_no_element():
    x = np.arange(6.0)
    with rnp.lazy():
        y = rnp.asarray(x) * 1
        with pytest.raises(IndexError, match="index 9 is out of bounds for axis 0 with size 6"):
            y[np.array([0, 9, 8])]
        with pytest.raises(IndexError, match="index -7 is out of bounds for axis 1 with size 6"):
            y.reshape(1, 6)[:, [0, -7]]
        with pytest.raises(IndexError, match=r"shapes \(2,\) \(3,\) $"):
            y.reshape(1, 6)[[0, 0], [1, 2, 3]]
        wrong = y[rnp.asarray([0, 9]) + 0], rnp.take(y, rnp.asarray([0, 9]) + 0)
        # Of no elements none is looked up.
        assert y.reshape(2, 3)[np.empty(0, int), np.array([7])].shape == (0,)
    for late in wrong:
        with pytest.raises(IndexError, match="index 9 is out of bounds for axis 0") as error:
            late.eval()
        assert "test_breadth_moving.py" in error.value.__notes__[0]


def test_numbers_in_traced_functions():
    chosen = np.array([0, 2, -1])

    @rnp.jit
    def f(x, at, k):
        return x[at] + rnp.take(x, chosen, mode="wrap") * x[k], rnp.take_along_axis(x, at, 0)

    for x, at, k in ((np.arange(5.0), np.array([1, 1, 4]), 2), (np.arange(9.0), chosen, 0)):
        first, second = f(x, at, k)
        np.testing.assert_array_equal(first, x[at] + x[chosen] * x[k])
        np.testing.assert_array_equal(second, x[at])
    chosen[0] = 1  # an ndarray that a traced function closes over is read at each call
    np.testing.assert_array_equal(f(x, at, k)[0], x[at] + x[chosen] * x[k])
    with pytest.raises(IndexError, match="out of bounds"):
        f(x, np.array([0, 99, 0]), k)
