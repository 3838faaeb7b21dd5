"""`rnp.jit`: when a function is traced, what it then computes, and what it refuses."""

from __future__ import annotations

import asyncio
import gc
import re
import threading
import weakref
from functools import partial
from typing import NamedTuple

import numpy as np
import pytest
import rnp

X = np.arange(5, dtype="float32")
GAIN = 2.0
TABLE = np.array([1.0, 2.0])


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


LONG = (64, 2, 3, 1, 70_000, 64, 1, 300_000, 5, 70_000, 0, 2)


def test_lengths_in_any_order():
    @rnp.jit
    def level(x, k):
        return rnp.sqrt(rnp.mean(x * x)) * k, rnp.abs(x) * k + 1, rnp.max(x)

    for turn in range(2):
        for n in LONG[:-2]:
            x = np.random.default_rng(n + turn).uniform(-1, 1, n)
            rms, y, peak = level(x, 0.5 + turn)
            np.testing.assert_allclose(rms, np.sqrt(np.mean(x * x)) * (0.5 + turn), rtol=1e-12)
            np.testing.assert_array_equal(y, np.abs(x) * (0.5 + turn) + 1)
            assert peak == x.max()
    assert level.traces == 1
    with pytest.raises(ValueError, match="zero-size"):
        level(np.zeros(0), 1.0)
    np.testing.assert_array_equal(level(np.ones(3), 2.0)[1], [3.0, 3.0, 3.0])


def test_a_line_without_elements():
    @rnp.jit
    def f(x):
        return rnp.abs(x) * 2

    for n in (64, 64, 0, 64, 1, 0, 2, 2, 0):
        # A part of a longer array keeps its strides, an empty one of its own may have none.
        for x in (np.ones(100, "f4")[:n], np.ones(n, "f4")):
            np.testing.assert_array_equal(f(x), np.full(n, 2, "f4"))


def test_lengths_that_broadcast_and_those_that_do_not():
    @rnp.jit
    def add(a, b):
        return a * 2 + b

    for n, m in ((64, 64), (64, 1), (1, 64), (3, 3), (2, 2), (2, 1), (1, 1), (64, 64), (0, 0)):
        a, b = np.arange(n, dtype="f4"), np.arange(m, dtype="f4") + 1
        np.testing.assert_array_equal(add(a, b), a * 2 + b)
        np.testing.assert_array_equal(add(np.arange(2 * n, dtype="f4")[::2], b), a * 4 + b)
    for n, m in ((64, 63), (2, 3), (3, 2)):
        with pytest.raises(ValueError, match="broadcast"):
            add(np.zeros(n, "f4"), np.zeros(m, "f4"))
    assert add.traces == 1


def test_two_kinds_of_calls_in_turns():
    @rnp.jit
    def f(x):
        return rnp.abs(x) * 2

    arrays = [np.arange(-3, 3, dtype=d).reshape(s) for d in ("f4", "f8") for s in ((6,), (2, 3))]
    arrays += [a[..., ::-1] for a in arrays]
    for _ in range(3):
        for a in arrays:
            got = f(a)
            assert got.dtype == a.dtype
            np.testing.assert_array_equal(got, np.abs(a) * 2)
    assert f.traces == 4


@pytest.mark.parametrize("n", [1, 64, 480, 100_000])
@pytest.mark.parametrize("name", ["median", "cumsum", "sort"])
def test_calls_of_the_engines_functions(name, n):
    @rnp.jit
    def f(x):
        return getattr(rnp, name)(x * 2)

    kept = []
    for seed in range(4):
        x = np.random.default_rng(seed).uniform(-1, 1, n)
        got, want = f(x), getattr(np, name)(x * 2)
        np.testing.assert_allclose(got, want, rtol=1e-12)
        kept.append((got, want))
    for got, want in kept:
        np.testing.assert_allclose(got, want, rtol=1e-12)


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


def test_globals_and_closures_are_guarded():
    global GAIN
    offset = 1.0

    @rnp.jit
    def f(x):
        return x * GAIN + offset

    assert f(X).tolist() == (X * 2 + 1).tolist()
    GAIN = 3.0
    assert f(X).tolist() == (X * 3 + 1).tolist()
    offset = 5.0
    assert f(X).tolist() == (X * 3 + 5).tolist()
    assert f.traces == 3
    GAIN, offset = 2.0, 1.0
    assert f(X).tolist() == (X * 2 + 1).tolist()
    assert f.traces == 3


def helper(x):
    return x * GAIN


def test_globals_of_helpers_are_guarded():
    global GAIN

    @rnp.jit
    def f(x):
        return helper(x) + 1

    assert f(X).tolist() == (X * 2 + 1).tolist()
    GAIN = 4.0
    assert f(X).tolist() == (X * 4 + 1).tolist()
    GAIN = 2.0


def test_captured_arrays_are_read_anew():
    global TABLE
    local = np.ones(5, "float32")

    @rnp.jit
    def f(x):
        return x * local + TABLE.sum(), x * TABLE[1], rnp.asarray(TABLE) + 1

    f(X)
    local[:] = 7
    TABLE[0] = 5.0
    got = f(X)
    assert got[2].tolist() == [6.0, 3.0]
    # What NumPy computes while tracing, it computes once: only arrays given to rnp are read anew.
    assert got[0].tolist() == (X * 7 + 3.0).tolist()
    assert f.traces == 1
    TABLE = np.array([1.0, 2.0])
    assert f(X)[2].tolist() == [2.0, 3.0]
    assert f.traces == 2
    local = local[:1].copy()
    assert f(X)[0].tolist() == (X * 7 + 3).tolist()
    assert f.traces == 3


class Filter:
    """Has a jitted method."""

    def __init__(self, gain):
        self.gain = gain
        self.taps = np.ones(5, "float32")

    @rnp.jit
    def run(self, x):
        """Apply."""
        return x * self.gain * self.taps


def test_methods():
    a, b = Filter(2.0), Filter(3.0)
    before = Filter.run.traces
    assert a.run(X).tolist() == (X * 2).tolist()
    assert b.run(X).tolist() == (X * 3).tolist()
    assert Filter.run.traces == before + 2
    a.run(X)
    assert Filter.run.traces == before + 2
    a.gain = 5.0
    assert a.run(X).tolist() == (X * 5).tolist()
    a.taps[:] = 2
    assert a.run(X).tolist() == (X * 10).tolist()
    assert Filter.run.traces == before + 3
    a.taps = np.zeros(5, "float32")
    assert a.run(X).tolist() == [0] * 5
    assert Filter.run.traces == before + 4
    assert a.run.__doc__ == "Apply."
    gone = weakref.ref(a)
    del a
    gc.collect()
    assert gone() is None


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


def test_layouts_and_byte_order(layout):
    f = rnp.jit(lambda x: x * 2 + x.sum(axis=0))
    x = layout(np.arange(12.0).reshape(4, 3))
    np.testing.assert_array_equal(f(x), x * 2 + x.sum(axis=0))


def test_outputs_are_fresh():
    f = rnp.jit(lambda x: (x, x[1:], x + 0))
    x = np.arange(1e5)
    first, second = f(x), f(x)
    everything = [x, *first, *second]
    for i, a in enumerate(everything):
        assert a.flags.writeable
        for b in everything[:i]:
            assert not np.shares_memory(a, b)


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


def test_integers_that_do_not_fit():
    f = rnp.jit(lambda x, k: x + k)
    x = np.zeros(2, "int8")
    assert f(x, 100).tolist() == [100, 100]
    with pytest.raises(OverflowError):
        f(x, 300)
    assert f.traces == 1


def test_threads():
    f = rnp.jit(lambda x, k: rnp.sum(x * k))
    x, bad = np.arange(20_000.0), []

    def work(k):
        bad.extend(k for _ in range(20) if f(x, float(k)) != (x * k).sum())

    threads = [threading.Thread(target=work, args=(k,)) for k in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not bad
    assert f.traces <= 4


def test_in_asyncio():
    f = rnp.jit(lambda x: x + 1)

    async def main():
        return await asyncio.gather(*[asyncio.to_thread(f, X) for _ in range(4)])

    for out in asyncio.run(main()):
        assert out.tolist() == (X + 1).tolist()


def test_the_line_of_an_error_is_the_users():
    f = rnp.jit(lambda x: rnp.sqrt(x) if x > 0 else x)
    with pytest.raises(rnp.TraceError) as caught:
        f(np.float64(2))
    assert re.match(r"test_jit\.py:\d+: ", str(caught.value))


def test_answers_that_follow_from_the_dtype_take_the_new_length():
    f = rnp.jit(lambda x: x < 300)
    g = rnp.jit(lambda x: rnp.where(x != -1, x, 0))
    for n in (2, 9, 0):
        x = np.arange(n, dtype=np.uint8)
        np.testing.assert_array_equal(f(x), x < 300)
        np.testing.assert_array_equal(g(x), np.where(x != -1, x, 0))
    assert f.traces == g.traces == 1


def test_interp_checks_the_lengths_of_each_call():
    f = rnp.jit(lambda x, xp, fp: rnp.interp(x, xp, fp))
    x, five = np.arange(3.0), np.arange(5.0)
    np.testing.assert_array_equal(f(x, five, five), np.interp(x, five, five))
    for xp, fp in ((five, x), (x, five)):
        with pytest.raises(ValueError, match="not of the same length"):
            f(x, xp, fp)
    even = rnp.jit(lambda x, fp: rnp.interp(x, rnp.arange(5), fp))
    np.testing.assert_array_equal(even(x, five), np.interp(x, five, five))
    with pytest.raises(ValueError, match="not of the same length"):
        even(x, x)


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


def test_a_function_that_was_called_often_goes_with_its_cycle():
    class Holder:
        pass

    def make():
        holder = Holder()

        def helper(x):
            return x * 2 if holder else x

        @rnp.jit
        def f(x):
            return helper(x)

        holder.function = f
        for _ in range(4):
            f(np.ones(3))
        return weakref.ref(holder)

    gone = make()
    gc.collect()
    assert gone() is None


def test_constants_among_the_arguments():
    @rnp.jit
    def f(x, flag, name, scale):
        x = -x if flag else x
        return rnp.max(x) * scale if name == "max" else rnp.min(x) * scale

    x = np.array([1.0, 5.0])
    for _ in range(3):
        assert f(x, True, "max", 2) == -2
        assert f(x, False, "max", 2) == 10
        assert f(x, False, "min", 3.0) == 3
        assert f(x, None, "min", 4.0) == 4

    @partial(rnp.jit, static=["power"])
    def g(x, power):
        return x**power

    for _ in range(3):
        for power in (1, 2, 3, 2.0, -1.0, True):
            np.testing.assert_array_equal(g(x, power), x**power)
    with pytest.raises(TypeError, match="static"):
        g(x, x)


def test_calls_of_some_length_give_and_raise_what_short_ones_do() -> None:
    """Long enough to let other threads go on, too short to be shared by threads."""
    power = rnp.jit(lambda x, y: x**y)
    x, y = np.full(30_000, 3), np.arange(30_000) % 5
    for _ in range(4):
        assert np.array_equal(power(x, y), x**y)
    y[-1] = -1
    with pytest.raises(ValueError, match="negative integer powers"):
        power(x, y)
    scaled = rnp.jit(lambda x, gain: (rnp.abs(x) * gain, rnp.max(x)))
    for gain in (0.5, 2.0, 3.0):
        z = np.linspace(-1, gain, 30_000).astype(np.float32)
        got, most = scaled(z, gain)
        assert np.array_equal(got, np.abs(z) * np.float32(gain))
        assert most == z.max()
