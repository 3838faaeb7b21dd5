"""NumPy and Python treat a lazy array as the array that it stands for."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import rnp

X = np.arange(1, 7, dtype="float32").reshape(2, 3)


@pytest.fixture(name="y")
def _y():
    with rnp.lazy():
        return rnp.asarray(X) * 1


def same(got, wanted):
    assert type(got) is type(wanted)
    assert np.asarray(got).dtype == np.asarray(wanted).dtype
    np.testing.assert_array_equal(got, wanted)


CONSUMERS = [
    np.abs, np.mean, np.sum, np.max, np.min, np.std, np.var, np.any, np.all, np.argmax, np.argmin,
    np.prod, np.sqrt, np.isnan, np.negative, np.transpose, np.median, np.cumsum, np.sort, np.diff,
    np.ravel, np.shape, np.ndim, np.size, np.round, np.unique, np.atleast_3d, np.flip,
    lambda x: np.clip(x, 2, 4),
    lambda x: np.reshape(x, (3, 2)),
    lambda x: np.concatenate([x, X]),
    lambda x: np.stack([x, X]),
    lambda x: np.where(x > 2, x, 0),
    lambda x: np.interp(2.5, x[0], x[1]),
    lambda x: np.fft.rfft(x),
    lambda x: np.add.reduce(x),
    lambda x: np.add.accumulate(x),
    lambda x: np.multiply.outer(x, x),
    lambda x: np.add(x, 1, dtype="float64"),
    lambda x: np.add(x, 1, where=X > 2, out=np.zeros((2, 3), "float32")),
    lambda x: np.sum(x, axis=0, keepdims=True),
    lambda x: np.mean(x, axis=(0, 1), dtype="float64"),
    lambda x: np.std(x, ddof=1),
    lambda x: X * x,
    lambda x: X @ np.asarray(x).T,
    lambda x: np.float64(2) * x,
    lambda x: np.float32(2) ** x,
    lambda x: x.tolist(),
    lambda x: np.array(x, dtype="int16"),
    lambda x: np.modf(x)[0],
    lambda x: divmod(x, 2)[1],
    lambda x: np.divmod(x, 2)[0],
    lambda x: np.frompyfunc(lambda v: v + 1, 1, 1)(x).astype(float),
]  # fmt: skip


@pytest.mark.parametrize("consume", CONSUMERS)
def test_consumers(y, consume):
    same(consume(y), consume(X))


@pytest.mark.parametrize("consume", CONSUMERS)
def test_consumers_in_a_block(y, consume):
    with rnp.lazy():
        got = consume(y)
    if isinstance(got, rnp.Array):
        assert got.dtype == consume(X).dtype
        got = got.eval()
    np.testing.assert_allclose(got, consume(X), rtol=1e-6)


def test_ufuncs_in_a_block_stay_lazy(y):
    with rnp.lazy():
        for got in (np.add(y, 1), np.abs(y), X * y, y * X, np.float32(2) * y, np.mean(y)):
            assert isinstance(got, rnp.Array)


def test_out_is_honoured(y):
    out = np.zeros((2, 3), "float32")
    assert np.add(y, 1, out=out) is out
    np.testing.assert_array_equal(out, X + 1)
    with rnp.lazy():
        before = out
        out += y
    assert out is before
    np.testing.assert_array_equal(out, 2 * X + 1)
    assert np.add(X, 1, out=y) is y
    np.testing.assert_array_equal(y.eval(), X + 1)


def test_array_protocol(y):
    assert np.asarray(y).flags.writeable
    view = np.asarray(y, copy=False)
    assert not view.flags.writeable
    assert np.shares_memory(view, np.asarray(y, copy=False))
    assert np.asarray(y, dtype="float64").dtype == "float64"
    with pytest.raises(ValueError, match="copy"):
        np.asarray(y, dtype="float64", copy=False)
    nd = np.zeros((2, 3))
    nd[:] = y
    np.testing.assert_array_equal(nd, X)
    np.testing.assert_array_equal(X[y > 2], X[X > 2])


def test_dlpack(y):
    assert y.__dlpack_device__() == (1, 0)
    out = np.from_dlpack(y)
    np.testing.assert_array_equal(out, X)


def test_pickle_and_copy(y):
    for got in (pickle.loads(pickle.dumps(y)), copy.copy(y), copy.deepcopy(y)):
        assert isinstance(got, rnp.Array)
        np.testing.assert_array_equal(got.eval(), X)
    with rnp.lazy():
        chain = y
        for _ in range(2000):
            chain = chain + 1
    assert len(pickle.dumps(chain)) < 1000


def test_comparisons_with_other_things(y):
    np.testing.assert_array_equal(y != None, X != None)  # noqa: E711 - that is the question
    np.testing.assert_array_equal(y != "text", X != "text")
    assert (y == X).all()
    with pytest.raises(TypeError):
        _ = y < "text"


class Reflecting:
    """Answers operators itself."""

    __array_ufunc__ = None

    def __radd__(self, other):
        return "mine"


def test_operators_step_aside(y):
    assert y + Reflecting() == "mine"


def test_iteration_and_unpacking(y):
    first, second = y
    same(first, X[0])
    same(second, X[1])
    with rnp.lazy():
        assert [len(row) for row in y] == [3, 3]


def test_numpy_scalars_are_strong_and_numbers_weak(y):
    with rnp.lazy():
        assert (y * 2.0).dtype == "float32"
        assert (y * np.float64(2)).dtype == "float64"
        assert (y + True).dtype == "float32"
        small = rnp.asarray(np.array([1], "int8"))
        assert (small + 1).dtype == "int8"
        assert (small + 1.0).dtype == "float64"
        assert (small + np.int16(1)).dtype == "int16"
        assert (True + small).dtype == "int8"


def test_save_and_memoryview(y, tmp_path):
    np.save(tmp_path / "x.npy", y)
    np.testing.assert_array_equal(np.load(tmp_path / "x.npy"), X)
    assert y.to_numpy().shape == (2, 3)


def test_a_mask_that_answers_ufuncs_itself_is_asked():
    class Mask:
        def __array_ufunc__(self, function, method, *inputs, **keywords):
            return function.__name__, method, keywords["where"] is self

    mask = Mask()
    want = ("add", "__call__", True)
    assert np.add(X, 1, where=mask) == rnp.add(X, 1, where=mask) == want
    with rnp.lazy():
        x = rnp.asarray(X)
        out = rnp.zeros(X.shape)
        assert rnp.add(x, 1, where=mask) == np.add(x, 1, where=mask) == want
        assert rnp.add(x, 1, out=out, where=mask) == want
