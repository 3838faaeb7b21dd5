"""Stores into parts of arrays, as values, and arrays put together: against NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import rnp
from conftest import DTYPES
from oracle import ALL_LAYOUTS, differs, outcome
from rnp import _core


def numpy_update(x, path, value):
    """Store into a copy, through NumPy's views."""
    out = np.array(x)
    view = out
    for word, argument in path:
        if word == "index":
            view = view[argument]
        elif word == "transpose":
            view = view.transpose(argument)
        else:
            view = view.reshape(argument)
            assert np.shares_memory(view, out)
    view[...] = value
    return out


def update(x, path, value):
    """Store by one recorded update, evaluated."""
    with rnp.lazy():
        out = _core._update(rnp.asarray(x), path, value)
    return out.eval()


PATHS = [
    [("index", slice(2, 5))],
    [("index", slice(None, None, -1))],
    [("index", slice(None, None, -3))],
    [("index", (slice(1, None, 2), slice(None, -1)))],
    [("index", (Ellipsis, 0))],
    [("index", (-1, slice(None, None, -2)))],
    [("index", (slice(None), None, slice(1, 3)))],
    [("index", (2, 1, Ellipsis))],
    [("index", slice(3, 3))],
    [("index", ())],
    [("transpose", (1, 0)), ("index", slice(1, 3))],
    [("transpose", (1, 0)), ("index", (slice(None, None, -1), slice(None, None, 2)))],
    [("reshape", (-1,)), ("index", slice(None, None, 4))],
    [("reshape", (4, 9)), ("index", (slice(None), slice(3, 6)))],
    [("index", slice(1, 4)), ("index", (slice(None), 2))],
    [("index", slice(1, 4)), ("reshape", (3, 1, 6)), ("index", (1, 0))],
]


@pytest.mark.parametrize("path", PATHS, ids=str)
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_path(path, dtype):
    x = (np.arange(36).reshape(6, 6) % 7).astype(dtype)
    view = x
    for word, argument in path:
        view = view[argument] if word == "index" else getattr(view, word)(argument)
    for value in (
        np.ones(view.shape, dtype),
        np.array(1, dtype),
        np.ones((1, 1, *view.shape), dtype),
    ):
        what = differs(update(x, path, value), numpy_update(x, path, value))
        assert not what, what


@pytest.mark.parametrize("layout", [name for name in ALL_LAYOUTS if name not in ("empty", "0-d")])
def test_every_layout_of_base_and_value(layout):
    x, v = (ALL_LAYOUTS[layout](np.arange(24, dtype="float32").reshape(4, 6)) for _ in "xv")
    path = [("index", (slice(None, None, -1), slice(1, 4)))]
    value = v[:, :3]
    want = numpy_update(x, path, value)
    assert not differs(update(x, path, value), want.astype(want.dtype.newbyteorder("=")))


@pytest.mark.parametrize(
    ("key", "shape"),
    [(slice(0, 2), (3, 3)), (0, (2, 3)), (slice(0, 2), (3, 1)), (slice(None), (2, 1, 4, 3))],
)
def test_a_value_that_does_not_fit(key, shape):
    x, value = np.zeros((4, 3)), np.ones(shape)
    with pytest.raises(ValueError, match="could not broadcast") as theirs:
        x[key] = value
    with pytest.raises(ValueError, match="could not broadcast") as ours:
        update(x, [("index", key)], value)
    assert str(ours.value) == str(theirs.value)


def test_a_reshape_of_a_part_is_refused():
    with pytest.raises(TypeError, match="no view of the array"):
        update(np.zeros((4, 4)), [("index", (slice(None), slice(1, 3))), ("reshape", (-1,))], 1.0)


def test_old_versions_stay():
    x = np.arange(1000, dtype="float32")
    with rnp.lazy():
        y = rnp.asarray(x) * 2
        z = _core._update(y, [("index", slice(1, None))], y[1:] - y[:-1] * 0.5)
        w = _core._update(z, [("index", slice(None, None, 2))], z[1::2])
        total = z.sum()
    got = rnp.eval(w, z, y, total)
    y = x * 2
    z = y.copy()
    z[1:] = y[1:] - y[:-1] * np.float32(0.5)
    w = z.copy()
    w[::2] = z[1::2]
    for g, want in zip(got[:3], (w, z, y), strict=True):
        np.testing.assert_array_equal(g, want)
    np.testing.assert_allclose(got[3], z.sum(), rtol=1e-6)


def test_updates_are_traced_for_other_lengths():
    @rnp.jit
    def fade(x, n=None):
        y = x * 2
        y = _core._update(y, [("index", slice(None, 4))], y[:4] * 0.5)
        return rnp.concatenate([_core._update(y, [("index", slice(-4, None))], 0.0), x[:-1]])

    for n in (50, 8, 1000, 5):
        x = np.arange(n, dtype="float64")
        y = x * 2
        y[:4] *= 0.5
        y[-4:] = 0.0
        np.testing.assert_array_equal(fade(x), np.concatenate([y, x[:-1]]))
    assert fade.traces == 1


def test_a_chain_of_stores_is_planned_into_one_buffer():
    x = np.ones((64, 100), "float32")
    with rnp.lazy():
        w = rnp.zeros((64, 100), "float32")
        for i in range(64):
            w = _core._update(w, [("index", i)], rnp.asarray(x)[i] * float(i))
        plan = rnp.plan(w)
    assert (plan.loops, plan.temporaries) == (65, 0)
    np.testing.assert_array_equal(w.eval(), x * np.arange(64, dtype="float32")[:, None])


CASES = [
    ([(3,), (4,), (0,)], 0),
    ([(2, 3), (4, 3)], 0),
    ([(2, 3), (2, 1), (2, 5)], 1),
    ([(2, 3), (2, 1)], -1),
    ([(2, 3), (4,), ()], None),
    ([(2, 0), (2, 0)], 1),
    ([(2, 3, 4)] * 3, 1),
    ([(2, 3), (3, 2)], 0),
    ([(2, 3), (2,)], 0),
    ([(2, 3)], 2),
    ([(), ()], 0),
    ([], 0),
]


@pytest.mark.parametrize(("shapes", "axis"), CASES)
def test_concatenate(shapes, axis):
    parts = [
        np.arange(np.prod(s, dtype=int), dtype="float32").reshape(s) + i
        for i, s in enumerate(shapes)
    ]
    want = outcome(np.concatenate, parts, axis)
    got = outcome(rnp.concatenate, parts, axis)
    if isinstance(want, type):
        assert got == want
        with pytest.raises(want) as ours, rnp.lazy():
            rnp.concatenate(parts, axis)
        with pytest.raises(want) as theirs:
            np.concatenate(parts, axis)
        assert str(theirs.value) in str(ours.value)
        return
    assert not differs(got, want)
    with rnp.lazy():
        out = rnp.concatenate([rnp.asarray(p) * 1.5 for p in parts], axis)
    assert not differs(out.eval(), np.concatenate([p * np.float32(1.5) for p in parts], axis))


@pytest.mark.parametrize("first", DTYPES)
@pytest.mark.parametrize("second", DTYPES)
def test_concatenate_promotes(first, second):
    parts = [np.array([1, 0, 1], first), np.array([0, 1], second)]
    assert not differs(rnp.concatenate(parts), np.concatenate(parts))
