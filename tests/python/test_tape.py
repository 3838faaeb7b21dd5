"""Short arrays in blocks, recorded again and again: noted on a tape, evaluated by the form's plan.

Each program runs several times with other samples and numbers, since what was met before goes
another way than what is new; NumPy's result is compared each time.
"""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import rnp
from process import together

LENGTHS = (1, 2, 7, 64, 480, 4096, 70_000)


def same(got: Any, want: Any) -> None:
    got, want = np.asarray(got), np.asarray(want)
    assert got.dtype == want.dtype
    assert got.shape == want.shape
    np.testing.assert_array_equal(got, want)


def signal(n: int, seed: int, dtype: str = "f4") -> Any:
    return np.random.default_rng(seed).uniform(-1, 1, n).astype(dtype)


def samples(n: int, seed: int) -> Any:
    return np.random.default_rng(seed).integers(-32768, 32767, n, dtype="i2")


CHAINS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "one op": lambda xp, x, k: xp.abs(x),
    "three ops": lambda xp, x, k: xp.abs(x) * k + 0.25,
    "numbers on the left": lambda xp, x, k: k - 2 / (xp.abs(x) + 1),
    "clip": lambda xp, x, k: xp.clip(xp.multiply(x, 3), -k, k),
    "clip by name": lambda xp, x, k: xp.clip(xp.negative(x), a_min=None, a_max=k),
    "where": lambda xp, x, k: xp.where(xp.greater(x, 0), xp.multiply(x, k), 0),
    "to int16": lambda xp, x, k: xp.clip(xp.multiply(x, 32767 * k), -32768, 32767).astype("int16"),
    "to bool": lambda xp, x, k: xp.greater(x, k).astype(bool),
    "comparison": lambda xp, x, k: xp.less(x, k),
    "square": lambda xp, x, k: xp.negative(x) ** 2 * k,
    "root": lambda xp, x, k: xp.abs(x) ** 0.5,
    "logic": lambda xp, x, k: xp.logical_and(xp.negative(x), k),
    "two uses": lambda xp, x, k: xp.add(xp.abs(x), x) - xp.multiply(x, xp.abs(x)),
    "peak": lambda xp, x, k: xp.max(xp.abs(x)),
    "normalized": lambda xp, x, k: xp.divide(x, xp.max(xp.abs(x))) * k,
    "axis": lambda xp, x, k: xp.max(xp.abs(x), axis=0) * k,
    "kept axis": lambda xp, x, k: xp.min(xp.negative(x), axis=-1, keepdims=True),
    "any": lambda xp, x, k: xp.any(xp.greater(x, k)),
    "sign": lambda xp, x, k: xp.sign(x) * xp.floor(xp.abs(x) * 7),
    "running": lambda xp, x, k: xp.cumsum(xp.abs(x)) * k,
    "running, wide": lambda xp, x, k: xp.cumprod(x, axis=-1, dtype="f8"),
    "median": lambda xp, x, k: xp.median(xp.abs(x)),
    "percentile": lambda xp, x, k: xp.percentile(x, 75.0) * k,
    "two percentiles": lambda xp, x, k: xp.percentile(x, [25.0, 75.0]),
    "fade": lambda xp, x, k: xp.multiply(
        x, xp.interp(xp.arange(len(x)), [0, len(x) / 2, len(x)], [0.0, k, 0.0]).astype("f4")
    ),
    "resampled": lambda xp, x, k: xp.interp(
        xp.linspace(0, len(x) - 1, 2 * len(x)), xp.arange(len(x)), x
    ),
    "a range after": lambda xp, x, k: xp.abs(x) * xp.arange(len(x)),
    "part": lambda xp, x, k: xp.abs(x)[len(x) // 2 :] * k,
    "backwards": lambda xp, x, k: xp.abs(x)[::-1][: len(x) // 2 + 1],
    "column": lambda xp, x, k: xp.reshape(x, (-1, 1)) * xp.abs(x)[None, :2],
    "frames": lambda xp, x, k: xp.abs(xp.reshape(xp.negative(x), (1, -1))).T,
    "an element": lambda xp, x, k: xp.abs(x)[-1] * xp.abs(x),
}


@pytest.mark.parametrize("name", CHAINS)
def test_chains_that_are_recorded_again(name):
    chain = CHAINS[name]
    for n in LENGTHS:
        for seed, k in enumerate((0.5, 0.75, 0.5, 0.0, 1.5)):
            x = signal(n, seed)
            with rnp.lazy():
                y = chain(rnp, x, k)
            same(y.eval(), chain(np, x, k))


def test_one_program_on_many_lengths():
    rng = np.random.default_rng(1)
    for n in [*rng.integers(1, 9, 20), *rng.integers(1, 200_000, 20), 1 << 18, (1 << 18) + 1]:
        x = signal(int(n), int(n), "f8")
        with rnp.lazy():
            level = rnp.mean(rnp.abs(x))
            spread = rnp.std(rnp.abs(x) * 2)
            y = rnp.abs(x) * 0.5 - rnp.max(x)
            assert y.shape == (n,)
            assert level.shape == ()
        np.testing.assert_allclose(level.eval(), np.mean(np.abs(x)), rtol=1e-12)
        np.testing.assert_allclose(spread.eval(), np.std(np.abs(x) * 2), rtol=1e-9, atol=1e-12)
        same(y.eval(), np.abs(x) * 0.5 - np.max(x))


def test_reports_of_other_lengths_are_those_of_expressions():
    def told(n, explained):
        x = signal(n, 0)
        with rnp.lazy() as block:
            level = rnp.mean(rnp.abs(x) * 0.5)
            y = rnp.multiply(x, level)
            if explained:
                rnp.explain(y)  # which makes expressions of what is noted
            rnp.eval(level, y)
            report = block.report()
        return report.ops, report.loops, report.bytes_moved, report.numpy_bytes

    for n in (64, 2, 1000, 1, 50_000, 2):
        assert told(n, False) == told(n, True)


OTHERS = (
    ((64,), (1,)),
    ((2,), (2,)),
    ((2,), (3, 2)),
    ((64,), (64, 1)),
    ((64,), (3, 64)),
    ((1,), (64,)),
    ((1,), (2,)),
    ((3, 2), (2,)),
)


@pytest.mark.parametrize("shapes", OTHERS)
def test_arrays_of_several_shapes(shapes):
    for seed in range(3):
        a, b = (signal(int(np.prod(s)), seed + i).reshape(s) for i, s in enumerate(shapes))
        with rnp.lazy():
            y = rnp.abs(a) * 0.5
            low = rnp.min(y)
            z = y + rnp.negative(b)
            kept = rnp.max(y, axis=-1, keepdims=True)
            w = z * kept - low
        want = np.abs(a) * np.float32(0.5)
        total = want + -b
        assert (y.shape, z.shape, low.shape) == (a.shape, total.shape, ())
        same(w.eval(), total * np.max(want, axis=-1, keepdims=True) - np.min(want))
        same(z.eval(), total)
        same(y.eval(), want)


def test_other_lengths_do_not_broadcast():
    for n in (2, 3, 64, 2):
        with rnp.lazy():
            y = rnp.abs(signal(n, 0)) * 2
            with pytest.raises(ValueError, match="broadcast"):
                y + signal(n + 1, 0)
            z = y + 1
        same(z.eval(), np.abs(signal(n, 0)) * 2 + 1)


@pytest.mark.parametrize("n", [8, 100_000])
def test_an_error_leaves_it_to_be_evaluated(n):
    base, power = np.arange(1, n + 1), np.full(n, 2)
    power[-1] = -1
    for _ in range(2):
        with rnp.lazy() as block:
            y = rnp.power(base, power)
            for _ in range(2):
                with pytest.raises(ValueError, match="negative integer powers"):
                    y.eval()
            assert "deferred" in repr(y)
        assert block.report().ops == 1


@pytest.mark.parametrize("heavy", [False, True])
def test_long_values_are_the_same_when_asked_again(heavy):
    x = signal(100_000, 0)
    with rnp.lazy():
        y = rnp.tanh(x) * 2 if heavy else rnp.abs(x) * 2
    first = y.eval()
    want = first.copy()
    first[:] = 0
    x[:] = 0
    same(y.eval(), want)
    same(np.asarray(y), want)
    same(rnp.add(y, 1), want + 1)


def test_threads_evaluate_one_long_array():
    x = signal(200_000, 0)
    want = np.abs(x) * 0.5 + 0.25
    with rnp.lazy():
        y = rnp.abs(x) * 0.5 + 0.25
        peak = rnp.max(y)

    def run(_):
        for _ in range(20):
            same(y.eval(), want)
            same(peak.eval(), want.max())

    together(run, 4)


def test_other_dtypes_and_shapes_in_the_same_place():
    for seed in range(3):
        for dtype in ("f4", "f8", "f2"):
            for shape in ((6,), (3, 2), (2, 3, 1)):
                x = signal(6, seed, dtype).reshape(shape)
                with rnp.lazy():
                    y = rnp.sqrt(rnp.abs(x)) * 2
                same(y.eval(), np.sqrt(np.abs(x)) * 2)


def test_layouts():
    x = signal(48, 1)
    for view in (x[::2], x[::-1], x.reshape(6, 8).T, x.reshape(6, 8)[:, 1:4], x[3:3], x[5:6]):
        for _ in range(2):
            with rnp.lazy():
                y = rnp.abs(view) * 0.5
            same(y.eval(), np.abs(view) * np.float32(0.5))


def test_integers_of_all_kinds():
    for seed in range(3):
        x = samples(64, seed)
        for k in (0, 1, -1, 100, 127, 128, 32767, -32768):
            with rnp.lazy():
                y = rnp.add(x, k)
            same(y.eval(), x + k)
            with rnp.lazy():
                y = rnp.clip(x, k, 32767)
            same(y.eval(), np.clip(x, k, 32767))


def test_integers_that_do_not_fit_are_refused_where_they_stand():
    x = np.arange(5, dtype="u1")

    def add(k):
        with rnp.lazy():
            return rnp.add(x, k)

    same(add(3).eval(), x + 3)
    for _ in range(2):
        with pytest.raises(OverflowError):
            add(300)
        with pytest.raises(OverflowError):
            add(-1)
    same(add(255).eval(), x + 255)
    with rnp.lazy():
        far = rnp.less(x, 300), rnp.clip(x, -5, 300)
    same(far[0].eval(), x < 300)
    same(far[1].eval(), np.clip(x, -5, 300))


@pytest.mark.parametrize("k", [0.5, 1, 2, 3, -1.0, 2.0, -2])
def test_powers_have_numpys_forms(k):
    for seed in range(2):
        x = np.abs(signal(64, seed)) + np.float32(0.1)
        with rnp.lazy():
            y = rnp.positive(x) ** k
            z = rnp.power(x, k)
        # Powers may differ from NumPy's in the last place, special forms may not.
        near = {"rtol": 0 if k in (0.5, 1, 2, -1.0) else 3e-7}
        np.testing.assert_allclose(y.eval(), x**k, **near)
        np.testing.assert_allclose(z.eval(), np.power(x, k), rtol=3e-7)


def test_negative_powers_of_integers():
    x = np.arange(1, 5)
    for _ in range(2):
        with pytest.raises(ValueError, match="negative integer powers"), rnp.lazy():
            rnp.power(x, -2)
    same(rnp.power(x, 2), x**2)


def test_errors_are_those_of_long_arrays():
    for n in (3, 100_000, 200_000):
        for _ in range(2):
            with rnp.lazy():
                x = rnp.asarray(np.zeros(n))
                with pytest.raises(ValueError, match="broadcast"):
                    x + np.zeros(n - 1)
                with pytest.raises(TypeError):
                    rnp.bitwise_and(x, 1)
                with pytest.raises(np.exceptions.AxisError):
                    rnp.max(x, axis=1)


def test_an_input_is_as_it_was_on_its_line():
    for _ in range(3):
        x = np.arange(8.0)
        with rnp.lazy():
            first = rnp.add(x, 1)
            again = rnp.add(x, 2)
            x[:] = 10
            second = rnp.add(x, 1)
            x[:] = 20
            both = first + second + again
        same(both.eval(), np.arange(8.0) * 2 + 14)
        same(first.eval(), np.arange(8.0) + 1)


def test_a_promised_input_is_read_when_evaluated_and_its_value_kept():
    for _ in range(2):
        x = np.arange(4.0)
        with rnp.lazy():
            y = rnp.asarray(x, copy=False) * 2
            z = rnp.asarray(x) * 2
        same(y.eval(), np.arange(4.0) * 2)
        x[:] = 7
        same(y.eval(), np.arange(4.0) * 2)
        same(z.eval(), np.arange(4.0) * 2)


def test_results_are_nobody_elses():
    x = signal(64, 0)
    with rnp.lazy():
        y = rnp.abs(x) * 2
        z = y + 1
    first = y.eval()
    want = np.abs(x) * 2
    same(first, want)
    first[:] = -1
    same(y.eval(), want)
    same(z.eval(), want + 1)
    np.asarray(y)[:] = -2
    same(y.eval(), want)


def test_states_are_told():
    with rnp.lazy() as block:
        x = rnp.asarray(signal(64, 0))
        y = rnp.abs(x) * 2
        gone = y + 1
        del gone
    assert "evaluated" in repr(x)
    assert repr(y) == "Array(float32(64,), deferred)"
    assert block.report().ops == 2
    same(y.eval(), np.abs(signal(64, 0)) * 2)
    assert repr(y) == "Array(float32(64,), evaluated)"
    assert block.report().ops == 2


@pytest.mark.parametrize("n", [64, 100_000, 300_000])
def test_reports_are_those_of_long_arrays(n):
    x = signal(n, 0)
    for _ in range(2):
        with rnp.lazy() as block:
            y = rnp.abs(x) * 0.5 + 0.25
            m = rnp.max(y)
            assert block.report().loops == 1
            m.eval()
            told = block.report()
        assert (told.ops, told.loops, told.fallbacks) == (7, 2, [])
        y.eval()
        told = block.report()
        assert (told.ops, told.loops) == (7, 2)
        y.eval()
        assert block.report().ops == 7


def test_writes_and_views_of_what_is_noted():
    for seed in range(3):
        x = signal(16, seed)
        want = np.abs(x) * 2
        with rnp.lazy():
            y = rnp.abs(x) * 2
            view = y[2:6]
            view *= 3
            y[::5] = 0
            z = y + 1
        want[2:6] *= 3
        want[::5] = 0
        same(y.eval(), want)
        same(z.eval(), want + 1)


@pytest.mark.parametrize("again", range(3))
def test_views_of_what_is_noted_are_written_both_ways(again):
    x = signal(64, again)
    with rnp.lazy():
        y = rnp.abs(x)
        v = y[8:16]
        w = v[::-1]
        before = (w * 2).eval()
        v *= 3
        w[0] = 7
    want = np.abs(x)
    seen = want[8:16]
    same(before, seen[::-1] * 2)
    seen *= 3
    seen[-1] = 7
    same(y.eval(), want)
    same(v.eval(), seen)
    same(w.eval(), seen[::-1])


@pytest.mark.parametrize("again", range(3))
def test_a_view_shows_what_is_written_to_its_base(again):
    x = signal(64, again)
    with rnp.lazy():
        y = rnp.negative(x)
        column, row = y.reshape(-1, 1), y[None]
        y.shape = (8, 8)
        y += 1
        same(column.eval(), (1 - x).reshape(-1, 1))
        same(row.eval(), (1 - x)[None])
        same(y.eval(), (1 - x).reshape(8, 8))
        with pytest.raises(ValueError, match="views"):
            y.resize((2, 2), refcheck=False)


def test_a_view_outlives_its_base():
    x = signal(64, 1)
    with rnp.lazy():
        y = rnp.abs(x)
        v = y[2:4]
        del y
        gc.collect()
        v[0] = 5
    same(v.eval(), np.array([5, abs(x[3])], "f4"))


def test_views_of_a_promised_input_keep_their_value():
    x = signal(64, 1)
    with rnp.lazy():
        v = rnp.asarray(x, copy=False)[4:8]
        first = v.eval()
        x[:] = 0
        same(v.eval(), first)
        assert first.any()


def test_what_is_seen_of_heavy_values_is_computed_once():
    x = signal(4096, 1)
    with rnp.lazy() as block:
        y = rnp.sin(rnp.exp(rnp.sin(rnp.exp(rnp.sin(x)))))
        y[:2].eval()
        y.eval()
        loops = block.report().loops
        same(y.eval(), y.eval())
        assert block.report().loops == loops


def test_ranges_of_many_lengths():
    for n in range(3, 40):
        for _ in range(3):
            with rnp.lazy():
                same((rnp.arange(n) * 2).eval(), np.arange(n) * 2)
                same(rnp.linspace(-0.0, n, n).eval(), np.linspace(-0.0, n, n))
                same(
                    rnp.linspace(0, n, n, endpoint=False).eval(),
                    np.linspace(0, n, n, endpoint=False),
                )
    with rnp.lazy():
        ends = [rnp.linspace(1, zero, 2).eval()[-1] for zero in (0.0, -0.0) * 3]
    assert [bool(np.signbit(end)) for end in ends] == [False, True] * 3


def test_clip_by_the_names_of_the_standard():
    x = signal(64, 1)
    want = np.clip(x, -0.5, 0.25)
    for call in (
        lambda: rnp.clip(x, -0.5, 0.25),
        lambda: rnp.clip(x, -0.5, max=0.25),
        lambda: rnp.clip(x, min=-0.5, max=0.25),
    ):
        same(call(), want)
        for _ in range(2):
            with rnp.lazy():
                lazy = call().eval()
            same(lazy, want)
    with rnp.lazy():
        same(rnp.clip(x, None, 0.25).eval(), np.clip(x, None, 0.25))


def test_more_than_a_tape_holds():
    arrays = [signal(8, seed) for seed in range(30)]
    for _ in range(2):
        with rnp.lazy():
            parts = [rnp.abs(x) * (0.5 + i) for i, x in enumerate(arrays)]
            total = parts[0]
            for part in parts[1:]:
                total = total + part
        want = [np.abs(x) * (0.5 + i) for i, x in enumerate(arrays)]
        for got, part in zip(parts, want, strict=True):
            same(got.eval(), part)
        sums = want[0]
        for part in want[1:]:
            sums = sums + part
        same(total.eval(), sums)
    for _ in range(2):
        with rnp.lazy():
            y = rnp.abs(arrays[0])
            for i in range(300):
                y = y * 0.5 + i
        want_y = np.abs(arrays[0])
        for i in range(300):
            want_y = want_y * np.float32(0.5) + np.float32(i)
        same(y.eval(), want_y)


def test_several_together():
    for seed in range(3):
        x = signal(480, seed)
        with rnp.lazy():
            peak, low, y = rnp.max(rnp.abs(x)), rnp.min(x), rnp.abs(x) * 0.5
        got = rnp.eval(peak, low, y)
        for value, want in zip(got, (np.abs(x).max(), x.min(), np.abs(x) * 0.5), strict=True):
            same(value, want)
        for value, want in zip(rnp.eval(y, peak, y), (got[2], got[0], got[2]), strict=True):
            same(value, want)
        mixed = rnp.eval(y, 3, x)
        same(mixed[0], got[2])
        same(mixed[2], x)


def test_operands_of_several_blocks():
    x = signal(8, 0)
    for _ in range(2):
        with rnp.lazy():
            a = rnp.abs(x)
            with rnp.lazy():
                b = rnp.negative(x)
                c = a + b
            d = a + c
        with rnp.lazy():
            e = d * b
        same(e.eval(), (np.abs(x) + (np.abs(x) - x)) * -x)
        # Outside of a block deferred operands are evaluated.
        same(rnp.add(a, c), np.abs(x) + (np.abs(x) - x))
        assert float(rnp.max(a)) == np.abs(x).max()


def test_what_was_evaluated_is_part_of_what_is_made_of_it():
    x = signal(8, 0)
    for _ in range(2):
        with rnp.lazy():
            a = rnp.abs(x)
            assert float(rnp.max(a)) == np.abs(x).max()
            b = a * 2
            assert bool(rnp.all(b >= 0))
            c = b + a
            same(np.asarray(b), np.abs(x) * 2)
            d = c + b
        same(d.eval(), np.abs(x) * 3 + np.abs(x) * 2)


def test_tasks_and_threads_have_their_own():
    x = signal(64, 0)
    want = np.abs(x) * 2 + 1

    async def task():
        with rnp.lazy():
            y = rnp.abs(x)
            await asyncio.sleep(0)
            y = y * 2
            await asyncio.sleep(0)
            y = y + 1
        return y.eval()

    async def tasks():
        return await asyncio.gather(*(task() for _ in range(5)))

    for value in asyncio.run(tasks()):
        same(value, want)

    def run(_):
        for _ in range(200):
            with rnp.lazy():
                y = rnp.abs(x) * 2 + 1
            same(y.eval(), want)

    together(run, 4)


def test_what_nobody_holds_goes():
    x = np.arange(64.0)
    gone = weakref.ref(x)
    with rnp.lazy():
        y = rnp.asarray(x, copy=False) * 2
        z = y + 1
    del x
    gc.collect()
    assert gone() is not None
    same(z.eval(), np.arange(64.0) * 2 + 1)
    del y, z
    gc.collect()
    assert gone() is None


def test_other_lengths_without_end():
    for n in range(1, 3000):
        x = np.ones(n, "f4")
        with rnp.lazy():
            y = rnp.sum(rnp.abs(x) * 2)
        assert y.eval() == 2 * n


@pytest.mark.parametrize("special", [np.nan, np.inf, -np.inf, -0.0, 1e300, 1e-300])
def test_special_numbers(special):
    x = np.array([0.0, -0.0, 1.5, np.nan, np.inf], "f4")
    with np.errstate(all="ignore"):
        for _ in range(2):
            with rnp.lazy():
                y = rnp.multiply(x, special) + special
            same(y.eval(), x * special + special)
            with rnp.lazy():
                y = rnp.maximum(x, special)
            same(y.eval(), np.maximum(x, special))


def test_telling_changes_nothing():
    with rnp.lazy() as block:
        y = rnp.abs(signal(64, 0)) * 2 + 1
    y.eval()
    assert repr(y) == repr(y) == "Array(float32(64,), evaluated)"
    rnp.explain(y)
    assert block.report().ops == 3


def test_each_block_tells_of_its_own():
    x = signal(64, 0)
    with rnp.lazy() as outer:
        a = rnp.abs(x)
        with rnp.lazy() as inner:
            b = a * 2
    with rnp.lazy() as later:
        c = b + 1
    assert [block.report().ops for block in (outer, inner, later)] == [1, 2, 3]
    same(c.eval(), np.abs(x) * 2 + 1)


def test_what_goes_with_a_tape_may_record_itself():
    x = np.arange(4.0)
    arrays = [np.arange(4.0) + i for i in range(20)]
    seen = []
    with rnp.lazy():
        weakref.finalize(x, lambda: seen.append(rnp.asarray(arrays[0]) + 1))
        first = rnp.asarray(x, copy=False)
        del x, first
        for array in arrays:
            rnp.asarray(array)
    same(seen[0].eval(), arrays[0] + 1)


@pytest.mark.parametrize("viewed", [True, False])
def test_who_goes_with_an_old_value_may_look_at_the_array(viewed: bool) -> None:
    memory, seen = np.ones(300_000), []
    with rnp.lazy():
        y = rnp.asarray(memory, copy=False)
        v = y[2:] if viewed else y
        rnp.explain(v)
        weakref.finalize(memory, lambda: seen.append(y.shape))
        del memory
        y[:] = 0
        assert y.tolist() == [0.0] * 300_000
        assert v.tolist() == [0.0] * len(v)
    gc.collect()
    assert seen == [(300_000,)]


def test_a_slice_that_moves_is_right_each_time() -> None:
    x = np.arange(600, dtype="float32")
    for turn in range(2):
        for at in range(0, 100, 7):
            with rnp.lazy():
                part = (rnp.asarray(x) * 2)[at : at + 50]
                middle = rnp.quantile(part, at / 100)
            np.testing.assert_array_equal(part.eval(), x[at : at + 50] * 2)
            assert middle == np.quantile(x[at : at + 50] * 2, at / 100), turn
