"""`rnp.jit`: when a function is traced, what it then computes, and what it refuses."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np
import pytest
import rnp

X = np.arange(5, dtype="float32")


def test_numbers_and_lengths_are_arguments():
    @rnp.jit
    def f(x, gain):
        """Amplify."""
        return x * gain

    for n in (5, 0, 1, 1000):
        for gain in (1.0, 2.5, -3.0):
            x = np.arange(n, dtype="float32")
            got = f(x, gain)
            assert isinstance(got, np.ndarray)
            assert got.dtype == np.float32
            np.testing.assert_array_equal(got, x * np.float32(gain))
    assert f.traces == 1
    assert (f.__name__, f.__doc__) == ("f", "Amplify.")
    assert f.__wrapped__(X, 2).tolist() == (X * 2).tolist()


def test_what_makes_a_signature():
    @rnp.jit
    def f(x, k):
        return x + k

    for count, (x, k) in enumerate(
        [(X, 1.0), (X, 1), (X.astype("f8"), 1.0), (X[None], 1.0), (X, np.float64(1)), (X, True)], 1
    ):
        wanted = x + k
        got = f(x, k)
        assert got.dtype == wanted.dtype
        np.testing.assert_array_equal(got, wanted)
        f(x, k)
        assert f.traces == count


def test_keywords_share_the_signature_of_positions():
    @rnp.jit
    def f(x, a, b=3.0, *, c=1.0):
        return x * a + b - c

    f(X, 2.0, 3.0)
    assert f.traces == 1
    np.testing.assert_array_equal(f(X, b=5.0, a=2.0), X * 2 + 5 - 1)
    np.testing.assert_array_equal(f(x=X, b=5.0, a=2.0), X * 2 + 5 - 1)
    assert f.traces == 1
    np.testing.assert_array_equal(f(X, 2.0, 3.0, c=7.0), X * 2 + 3 - 7)
    assert f.traces == 2
    with pytest.raises(TypeError, match="unexpected"):
        f(X, 2.0, nonsense=1)


def test_static_arguments():
    @rnp.jit(static=("mode", "k"))
    def f(x, mode, k=2):
        return x**k if mode == "power" else x * k

    assert f(X, "power", 2).tolist() == (X**2).tolist()
    assert f(X, "power", k=3).tolist() == pytest.approx((X**3).tolist())
    assert f(X, "times", 3).tolist() == (X * 3).tolist()
    assert f.traces == 3
    f(X, "times", 3)
    assert f.traces == 3
    assert f(X, "times", 3.0).dtype == np.float32
    assert f.traces == 4
    f(X, "times", True)
    assert f.traces == 5
    with pytest.raises(TypeError, match="nonsense"):
        rnp.jit(static="nonsense")(lambda x: x)


def test_results_of_every_kind():
    @rnp.jit
    def f(x, k):
        return {"sum": x.sum(), "pair": [x + 1, (x, k)], "none": None, "text": "a", "k2": k * 2,
                "table": np.array([1, 2])}  # fmt: skip

    for _ in range(2):
        out = f(X, 3)
        assert type(out["sum"]) is np.float32
        assert out["pair"][0].tolist() == (X + 1).tolist()
        assert out["pair"][1][1] == 3
        assert (out["none"], out["text"], out["k2"]) == (None, "a", 6)
        assert type(out["k2"]) is int
        assert not np.shares_memory(out["pair"][1][0], X)
        out["table"][:] = 0
        out["pair"][1][0][:] = -1
    assert X.tolist() == [0, 1, 2, 3, 4]
    assert f(X, 1)["table"].tolist() == [1, 2]
    assert f.traces == 1


def test_nested_arguments():
    @rnp.jit
    def f(pair, more):
        return pair[0] * pair[1] + more["k"]

    assert f((X, 2.0), {"k": 1}).tolist() == (X * 2 + 1).tolist()
    assert f((X, 3.0), {"k": 2}).tolist() == (X * 3 + 2).tolist()
    assert f.traces == 1
    f([X, 3.0], {"k": 2})
    assert f.traces == 2


@pytest.mark.parametrize(
    "look",
    [len, lambda x: x.shape[0], lambda x: x.size, lambda x: x.nbytes, lambda x: len(list(x))],
)
def test_looking_at_a_length(look):
    @rnp.jit
    def f(x):
        return x + look(x)

    for n in (3, 4, 3, 4):
        x = np.zeros(n)
        assert f(x).tolist() == (x + look(x)).tolist()
    assert f.traces == 2


def test_not_looking_at_a_length():
    @rnp.jit
    def f(x):
        y = (x - x.mean()) / rnp.maximum(rnp.abs(x).max(), 1e-9)
        return y[::-2].reshape(-1), y.ndim, x[None].T, rnp.ravel(x), y.std()

    for n in (3, 4, 100):
        x = np.arange(n, dtype=float)
        got = f(x)
        wanted = f.__wrapped__(x)
        for a, b in zip(got, wanted, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12)
    assert f.traces == 1


def test_an_integer_used_as_an_index():
    @rnp.jit
    def f(x, n, axis):
        return x[:n].sum(axis=axis) + x[n - 1, 0] * n + rnp.arange(n * 2).sum()

    x = np.arange(12.0).reshape(4, 3)
    for n, axis in [(1, 0), (2, 0), (1, 0), (2, 1), (1, 1)]:
        np.testing.assert_array_equal(f(x, n, axis), f.__wrapped__(x, n, axis))
    assert f.traces == 4

    @rnp.jit
    def loop(x, n):
        for _ in range(n):
            x = x * 2
        return x

    assert loop(X, 3).tolist() == (X * 8).tolist()
    assert loop(X, 2).tolist() == (X * 4).tolist()


ASKING = {
    "if": lambda x: 1 if x.sum() > 0 else 2,
    "bool": lambda x: bool(x.any()),
    "float": lambda x: float(x[0]),
    "int": lambda x: int(x[0]),
    "asarray": lambda x: np.asarray(x),
    "eval": lambda x: x.eval(),
    "rnp.eval": lambda x: rnp.eval(x, x),
    "np.unique": lambda x: np.unique(x),
    "print": lambda x: str(x),
    "format": lambda x: f"{x:.2f}",
    "tolist": lambda x: x.tolist(),
    "mask": lambda x: x[x > 0],
    "in": lambda x: 1.0 in x,
    "index": lambda x: [1, 2, 3][x.argmax()],
}


@pytest.mark.parametrize("name", ASKING)
def test_values_are_refused_with_the_line_and_the_way_out(name):
    asking = ASKING[name]
    f = rnp.jit(asking)
    with pytest.raises(rnp.TraceError) as caught:
        f(X)
    text = str(caught.value)
    line = asking.__code__.co_firstlineno
    assert f"test_jit.py:{line}" in text
    assert "rnp.where(condition, a, b)" in text
    assert "static=" in text
    assert isinstance(caught.value, TypeError)
    assert not rnp.is_lazy()
    assert f.traces == 1


def test_a_number_is_refused_too():
    @rnp.jit
    def f(x, gain):
        return x if gain > 1 else -x

    with pytest.raises(rnp.TraceError, match="static"):
        f(X, 2.0)
    g = rnp.jit(static="gain")(f.__wrapped__)
    assert g(X, 2.0).tolist() == X.tolist()
    assert g(X, 0.5).tolist() == (-X).tolist()


def test_errors_in_the_function_come_through():
    @rnp.jit
    def f(x, y):
        return x + y

    with pytest.raises(ValueError, match="broadcast"):
        f(X, np.zeros(3))
    assert f(X, X).tolist() == (X + X).tolist()
    with pytest.raises(ValueError, match="broadcast"):
        f(X, np.zeros(3, "float32"))
    assert not rnp.is_lazy()


def test_a_leaked_tracer():
    kept = []

    @rnp.jit
    def f(x):
        kept.append(x * 2)
        return x

    f(X)
    for use in (lambda t: t + 1, lambda t: t.eval(), float, lambda t: rnp.sum(t), np.asarray):
        with pytest.raises(rnp.TraceError, match="traced"):
            use(kept[0])
    with rnp.lazy(), pytest.raises(rnp.TraceError, match="traced"):
        kept[0] + 1
    assert "traced" in repr(kept[0])


def test_inside_a_block_and_with_lazy_arguments():
    @rnp.jit
    def f(x):
        return x + 1

    with rnp.lazy():
        y = rnp.asarray(X) * 2
        got = f(y)
        assert isinstance(got, np.ndarray)
        assert rnp.is_lazy()
    assert got.tolist() == (X * 2 + 1).tolist()
    assert f(y).tolist() == got.tolist()


def test_nested_jit():
    @rnp.jit
    def inner(x, k):
        return x * k

    @rnp.jit
    def outer(x, k):
        return inner(x, k) + inner(x, 3.0)

    for k in (2.0, 5.0):
        assert outer(X, k).tolist() == (X * k + X * 3).tolist()
    assert (outer.traces, inner.traces) == (1, 0)


def test_the_number_of_traces_kept_is_bounded():
    @rnp.jit
    def f(x, name):
        return x + len(name)

    for i in range(300):
        assert f(X, "a" * i)[0] == i
    assert f.traces == 300
    f(X, "a" * 299)
    assert f.traces == 300
    f(X, "")
    assert f.traces == 301


def test_unhashable_and_odd_arguments():
    f = rnp.jit(lambda x, o: x)
    assert f(X, object()).tolist() == X.tolist()
    assert f(X, slice(1, 2)).tolist() == X.tolist()
    assert f(X, None).tolist() == X.tolist()
    with pytest.raises(TypeError, match="bytearray"):
        f(X, bytearray(b"a"))
    with pytest.raises(TypeError, match="not supported"):
        f(np.zeros(2, "longdouble"), None)
    with pytest.raises(TypeError, match="function"):
        rnp.jit(3)


def test_other_side_effects_happen_while_tracing():
    calls = []

    @rnp.jit
    def f(x):
        calls.append(1)
        return x + 1

    for _ in range(3):
        f(X)
    assert (len(calls), f.traces) == (1, 1)


def test_the_line_of_an_error_is_the_users():
    f = rnp.jit(lambda x: rnp.sqrt(x) if x > 0 else x)
    with pytest.raises(rnp.TraceError) as caught:
        f(np.float64(2))
    assert re.match(r"test_jit\.py:\d+: ", str(caught.value))


def test_a_block_inside_belongs_to_the_trace():
    local = np.ones(5, "float32")

    @rnp.lazy()
    def helper(x):
        return x * local

    @rnp.jit
    def inner(x):
        return x + 1

    @rnp.jit
    def f(x):
        with rnp.lazy():
            y = inner(x * local)
        return y + helper(x)

    assert f(X).tolist() == (X * 2 + 1).tolist()
    local[:] = 3
    assert f(X).tolist() == (X * 6 + 1).tolist()
    assert (f.traces, inner.traces) == (1, 0)


class Pair(NamedTuple):
    """A result."""

    low: object
    high: object


class Holder:
    """Holds whatever it is given."""

    def __init__(self, value):
        self.value = value


def test_a_namedtuple_comes_back_as_one():
    f = rnp.jit(lambda x: Pair(x * 2, (x + 1, 3)))
    for x in (X, X + 1):
        out = f(x)
        assert type(out) is Pair
        assert out.low.tolist() == (x * 2).tolist()
        assert out.high[0].tolist() == (x + 1).tolist()
    assert f.traces == 1


@pytest.mark.parametrize(
    "make", [Holder, lambda x: Holder(1), lambda x: {x.ndim}, lambda x: [Holder(x)]]
)
def test_other_objects_cannot_be_returned(make):
    with pytest.raises(rnp.TraceError, match="cannot return an object of type"):
        rnp.jit(lambda x: make(x))(X)


def test_plain_constants_can_be_returned():
    constants = (None, True, 1, 1.5, 2j, "a", b"a", np.float32(1), np.dtype("f4"), int, ...)
    assert rnp.jit(lambda x: constants)(X) == constants


NUMBERS = [2, 2.0, 2j, -1, 0]


@pytest.mark.parametrize("name", ["maximum", "minimum", "fmax", "fmin", "power", "add", "divide"])
def test_numbers_are_weak_beside_complex_arrays(name):
    ours, theirs = getattr(rnp, name), getattr(np, name)
    for z in (np.array([1 + 2j, 3 - 1j], "c8"), np.array([2 - 2j], "c16")):
        for number in NUMBERS:
            with np.errstate(all="ignore"):
                want = theirs(z, number)
            got = rnp.jit(lambda x, k: ours(x, k))(z, number)
            assert got.dtype == want.dtype
            np.testing.assert_allclose(got, want, rtol=1e-6)
        got = rnp.jit(lambda x, low, high: np.clip(x, low, high))(z, 1, 2.0)
        assert got.dtype == np.clip(z, 1, 2.0).dtype


@pytest.mark.parametrize("dtype", ["i1", "u1", "i2", "u4", "i8", "u8", "?", "f2", "f4"])
def test_integers_of_any_size_are_compared(dtype):
    x = np.array([0, 1, 100, 127]).astype(dtype)
    for name in ("less", "less_equal", "equal", "not_equal", "greater", "greater_equal"):
        compare = getattr(np, name)
        traced, turned = rnp.jit(compare), rnp.jit(lambda x, k, f=compare: f(k, x))
        for number in (0, 1, 100, 127, 128, 255, 1000, -1, -129, 2**40, -(2**40), 2**63 - 1):
            with np.errstate(all="ignore"):
                np.testing.assert_array_equal(traced(x, number), compare(x, number))
                np.testing.assert_array_equal(turned(x, number), compare(number, x))
        assert traced.traces == 1


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i1", "u8", "?"])
def test_the_truth_of_a_number_is_its_own(dtype):
    x = np.array([0, 1]).astype(dtype)
    for name in ("logical_and", "logical_or", "logical_xor"):
        function = getattr(np, name)
        traced = rnp.jit(function)
        for number in (1e-50, 5e-324, 0.0, -0.0, np.nan, 1e300, 0, 3, 1000):
            np.testing.assert_array_equal(traced(x, number), function(x, number))
