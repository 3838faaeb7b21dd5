"""Calls of what `rnp.jit` traced: other samples, lengths, layouts, numbers, threads."""

from __future__ import annotations

import asyncio
import gc
import weakref
from functools import partial

import numpy as np
import pytest
import rnp
from process import together

X = np.arange(5, dtype="float32")


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
        kept.append((f(x), getattr(np, name)(x * 2)))
    # At the end: none was written over by a later call.
    for got, want in kept:
        np.testing.assert_array_equal(got, want)


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


def test_integers_that_do_not_fit():
    f = rnp.jit(lambda x, k: x + k)
    x = np.zeros(2, "int8")
    assert f(x, 100).tolist() == [100, 100]
    with pytest.raises(OverflowError):
        f(x, 300)
    assert f.traces == 1


def test_threads():
    f = rnp.jit(lambda x, k: rnp.sum(x * k))
    x = np.arange(20_000.0)

    def work(k):
        for _ in range(20):
            assert f(x, float(k)) == (x * k).sum()

    together(work, 4)
    assert f.traces <= 4


def test_in_asyncio():
    f = rnp.jit(lambda x: x + 1)

    async def main():
        return await asyncio.gather(*[asyncio.to_thread(f, X) for _ in range(4)])

    for out in asyncio.run(main()):
        assert out.tolist() == (X + 1).tolist()


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
