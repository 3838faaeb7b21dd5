"""arange, linspace, zeros, ones, full and interp against NumPy's, to the bit."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import rnp
from conftest import DTYPES
from oracle import FLOATS, INTS, MODES, differs, lazily, outcome, quiet, specials

RNG = np.random.default_rng(20)


def told(failures):
    """Fail with the first of what went wrong."""
    assert not failures, f"{len(failures)} differ:\n" + "\n".join(map(str, failures[:12]))


def compare(name, args, keywords, mode):
    """Return what differs between NumPy's and rnp's result of a call."""
    want = outcome(lambda: getattr(np, name)(*args, **keywords))
    got = outcome(MODES[mode], lambda: getattr(rnp, name)(*args, **keywords))
    if not isinstance(want, type):
        if want.dtype == object:
            want = OverflowError  # Python's own integers, which rnp has no dtype for
        elif mode == "lazy":
            want = want[()]
    what = differs(got, want)
    return [(name, args, keywords, mode, what)] if what else []


def modes(i):
    """Take eager and lazy in turn: nothing of a range can be an argument of a trace."""
    return ["eager", "lazy"][i % 2]


def test_arange():
    calls = [(n,) for n in (0, 1, 5, 100, -3, 2.5, 0.0, -0.5, True, np.int16(7), np.float32(3.3))]
    calls += [(0, 10, s) for s in (1, 2, 3, 0.1, 0.3, 7, 11, -1, 1e-1, np.float32(0.1))]
    calls += [(10, 0, s) for s in (-1, -2.5, -0.1, 3)]
    calls += [(1, 1), (5, 2), (-5, 5), (2**62, 2**62 + 5), (0.1, 1.0, 0.1), (1e10, 1e10 + 5)]
    calls += [(-0.0, 3.0), (2**53, 2**53 + 9.0), (0, 1, 1e-3), (1e-320, 5e-320, 1e-320)]
    calls += [(-0.1, 3e10, 1e10), (-0.3, 1e17, 2.5e16), (-0.0, -3.0, -1.0), (0.1, 2e9, 1e9)]
    calls += [(0, float("inf")), (float("nan"), 1), (0, 5, 0), (0, 2**70), (0, 1e300, 1)]
    rng = np.random.default_rng(1)
    for _ in range(150):
        a, b = rng.uniform(-100, 100, 2)
        calls.append((float(a), float(b), float(rng.choice([-1, 1]) * rng.uniform(0.05, 9))))
        calls.append((float(a) / 1e3, 1e9, float(rng.uniform(1e6, 1e8))))
        calls.append((int(a), int(b), int(rng.choice([-7, -2, -1, 1, 2, 3]))))
    failures = []
    for i, args in enumerate(calls):
        failures += compare("arange", args, {}, modes(i))
    told(failures)


@pytest.mark.parametrize("dtype", DTYPES)
def test_arange_dtype(dtype):
    calls = [(10,), (0, 100, 3), (5, 1, -1), (0.5, 9.7, 0.7), (0, 300), (-3, 3), (0, 1), (2, 2)]
    calls += [(0, 3000, 0.25), (7,), (1,), (0,), (-1, -9, -2), (0.1, 5), (250, 255)]
    failures = []
    for i, args in enumerate(calls):
        failures += compare("arange", args, {"dtype": dtype}, modes(i))
    told(failures)


@pytest.mark.parametrize("dtype", [None, *DTYPES])
def test_linspace(dtype):
    rng = np.random.default_rng(2)
    calls = [(0, 1, 0), (0, 1, 1), (0, 1, 2), (0, 1, 50), (1, 0, 7), (5, 5, 4), (-1, 1, 33)]
    calls += [(0, 10, 11), (0.1, 0.7, 100), (-5, -9, 6), (0, 120, 500), (3.7, 3.7, 1)]
    calls += [(np.float32(0.1), np.float32(0.9), 9), (0, 1, -1), (0, 1, 2.5), (1, 2, np.int8(5))]
    if dtype in (None, *FLOATS):
        calls += [(0, np.inf, 3), (np.nan, 1, 3), (1e-320, 5e-320, 7), (1e308, -1e308, 5)]
        calls += [(0, 5e-324, 9), (-0.0, 0.0, 3)]
        for _ in range(80):
            calls.append((*map(float, rng.normal(size=2) * 10.0 ** rng.integers(-9, 9)), 37))
    failures = []
    for i, args in enumerate(calls):
        for endpoint in (True, False):
            keywords = {"endpoint": endpoint, "dtype": dtype}
            failures += compare("linspace", args, keywords, modes(i))
    told(failures)


def test_linspace_between_arrays_without_axes():
    ends = np.array(0.0), np.array(15e-324)
    want = np.linspace(*ends, 10)
    assert want.any()
    with rnp.lazy():
        deferred = rnp.linspace(*ends, 10)
    for got in (rnp.linspace(*ends, 10), deferred.eval()):
        np.testing.assert_array_equal(got, want)
    traced = rnp.jit(lambda x: rnp.linspace(x, END, 3))
    np.testing.assert_array_equal(traced(0.0), [0, 1, 2])
    END[...] = 4  # seen: it is no part of what was traced
    np.testing.assert_array_equal(traced(0.0), [0, 2, 4])


END = np.array(2.0)


def test_linspace_retstep():
    for args in [(0, 1, 5), (0, 1, 1), (2, 3, 0), (0, 10, 4)]:
        for endpoint in (True, False):
            want = outcome(lambda a=args, e=endpoint: np.linspace(*a, endpoint=e, retstep=True))
            got = rnp.linspace(*args, endpoint=endpoint, retstep=True)
            assert differs(got[0], want[0]) == ""
            assert float(got[1]) == float(want[1]) or np.isnan(got[1]) == np.isnan(want[1])


@pytest.mark.parametrize("dtype", [None, *DTYPES])
def test_filled(dtype):
    failures = []
    shapes = [(), 0, 3, (2, 3), (0, 4), (1, 1, 1), [2, 2], np.int64(5), -1, (2, -1), 2.5, "a"]
    for i, shape in enumerate(shapes):
        for name in ("zeros", "ones"):
            failures += compare(name, (shape,), {"dtype": dtype}, modes(i))
        for value in (0, 1, 2, 0.5, True, -0.0, np.nan, np.int8(3), np.float32(0.1)):
            if dtype in INTS and not np.isfinite(value):
                continue
            failures += compare("full", (shape, value), {"dtype": dtype}, modes(i))
    for value in (-1, 300, 2**40, 2**63, 2**64, -(2**63) - 1):
        if dtype not in (None, *FLOATS):
            failures += compare("full", (3, value), {"dtype": dtype}, "eager")
    told(failures)


@pytest.mark.parametrize("name", ["zeros_like", "ones_like", "full_like"])
def test_filled_like(name):
    failures = []
    extra = (7,) if name == "full_like" else ()
    for x in (np.ones((2, 3), "int16"), np.float32(1), 3, 0.5, [True, False], np.ones(0, ">f8")):
        for keywords in ({}, {"dtype": "float32"}, {"shape": (4,)}):
            want = outcome(lambda x=x, k=keywords: getattr(np, name)(x, *extra, **k))
            got = outcome(lambda x=x, k=keywords: getattr(rnp, name)(x, *extra, **k))
            what = differs(got, want)
            if what:
                failures.append((x, keywords, what))
    told(failures)


def grids():
    """Return points of every kind: many, few, uneven, repeated."""
    rng = np.random.default_rng(3)
    yield from (np.sort(rng.normal(size=n) * 10) for n in (1, 2, 3, 10, 257))
    yield np.arange(20.0)
    yield np.linspace(-3, 9, 41)
    yield np.array([0.0, 1.0, 1.0, 2.0])
    yield np.array([-np.inf, 0.0, np.inf])
    yield np.array([0.0, np.nan, 2.0])
    yield np.array([1e-300, 1e300])


@pytest.mark.parametrize("sides", [{}, {"left": -5.0}, {"right": np.nan}, {"left": 0, "right": 1}])
def test_interp_over_points(sides):
    failures = []
    rng = np.random.default_rng(4)
    for i, xp in enumerate(grids()):
        fp = rng.normal(size=len(xp))
        with quiet():
            middle = (xp[1:] + xp[:-1]) / 2
        x = np.concatenate([xp, middle, rng.normal(size=200) * 15, specials("float64")])
        for values in (fp, np.where(rng.random(len(fp)) < 0.2, np.inf, fp)):
            want = outcome(np.interp, x, xp, values, *[sides.get(k) for k in ("left", "right")])
            for mode in (lazily, lambda f, *args: f(*args)):
                got = outcome(
                    lambda xp=xp, v=values, x=x, mode=mode: mode(
                        lambda *args: rnp.interp(*args, **sides), x, xp, v
                    )
                )
                what = differs(got, want)
                if what:
                    failures.append((i, len(xp), what))
    told(failures)


def tables():
    """Give points and values as users have them: even or nearly so, of any dtype and layout."""
    for n in (2, 13, 14, 40, 3000):
        count = np.arange(n)
        yield count
        yield count.astype("int32")
        yield np.repeat(count * 3 - 7, 2)[::2]
        yield count * 1.0
        yield (count * 1.0).astype("float32")
        yield np.linspace(-0.3, 11.7, n)
        yield np.arange(n) * 0.1 + 5
        yield np.frombuffer(b"." + np.linspace(0, 1, n).tobytes(), "float64", offset=1)
        off = np.linspace(0, 10, n)
        off[n // 3] = np.nextafter(off[n // 3], 20)
        yield off
        yield np.cumsum(RNG.random(n))
        yield count[::-1] * 1.0


@pytest.mark.parametrize("dtype", ["float32", "float64", "int16", "float16"])
def test_interp_in_tables_of_memory(dtype):
    failures = []
    for i, xp in enumerate(tables()):
        fp = (RNG.normal(size=len(xp)) * 100).astype(dtype)
        lowest, highest = float(xp.min()), float(xp.max())
        x = RNG.uniform(lowest - 1, highest + 1, 3000)
        x[::7] = RNG.choice(xp, x[::7].size)
        if xp[0] < xp[-1]:
            x[::50] = np.nan
        else:
            x = x[:1000]  # from there on a search begins anew, and these are out of order
        for values in (x, np.sort(x), x.astype("float32").reshape(-1, 50)[:, ::2]):
            want = np.interp(values, xp, fp)
            f = rnp.jit(rnp.interp)
            lists = xp.tolist(), fp.tolist()
            for got in (
                rnp.interp(values, xp, fp),
                lazily(rnp.interp, values, xp, fp),
                f(values, xp, fp),
                rnp.interp(values, *lists) if len(xp) < 20 else want,
            ):
                what = differs(got, want)
                if what:
                    failures.append((i, xp.dtype, len(xp), what))
    told(failures)


def test_ranges_at_once_are_as_long_as_numpys():
    for n in (1, 2, 1023, 1024, 1025, 40_000, 300_000):
        for start, stop in [(0, n - 1), (-3.5, 7), (1, 0), (2.0, 2.0), (0, -0.0), (0, np.inf)]:
            for endpoint in (True, False):
                with quiet():
                    want = np.linspace(start, stop, n, endpoint)
                    got = rnp.linspace(start, stop, n, endpoint)
                assert differs(got, want) == ""
        for args in [(n,), (5, 5 + n), (0, -2 * n, -2), (-7, 3 * n, 3)]:
            assert differs(rnp.arange(*args), np.arange(*args)) == ""
    assert differs(rnp.linspace(0, 5e-324, 4), np.linspace(0, 5e-324, 4)) == ""


def test_interp_of_other_kinds():
    for x, xp, fp in [
        (2.5, [1, 2, 3], [3, 2, 0]),
        (np.float32(0.3), np.arange(3, dtype="int16"), np.ones(3, "float32")),
        (np.ones((2, 3), "int8"), np.arange(4)[::1], np.arange(8.0)[::2]),
        (np.zeros((0, 2)), [1.0], [2.0]),
        (np.arange(5)[::-1], [0.0, 4.0], [4.0, 0.0]),
        (np.arange(5.0).astype(">f8"), np.arange(5.0).astype(">f8"), [5, 4, 3, 2, 1]),
        (1.0, [], []),
        (1.0, [1, 2], [1]),
        (1.0, [[1, 2]], [1, 2]),
        (1.0, 1.0, 2.0),
    ]:
        for mode in ("eager", "lazy"):
            want = outcome(np.interp, x, xp, fp)
            got = outcome(MODES[mode], lambda x=x, xp=xp, fp=fp: rnp.interp(x, xp, fp))
            assert differs(got, want) == "", (x, xp, fp, mode)


def test_interp_of_unsorted_points_gives_something():
    rng = np.random.default_rng(5)
    for n in (2, 3, 50, 1000):
        out = rnp.interp(rng.normal(size=1000), rng.normal(size=n), np.ones(n))
        assert out.shape == (1000,)
        assert out.dtype == np.float64


GRIDS = [
    ("arange", (20,), {}),
    ("arange", (0, 5, 0.25), {}),
    ("arange", (0.1, 3.0, 0.1), {}),
    ("arange", (-7, 40, 3), {}),
    ("arange", (100,), {"dtype": "int16"}),
    ("arange", (1,), {}),
    ("linspace", (0, 1, 33), {}),
    ("linspace", (-0.3, 11.7, 100), {}),
    ("linspace", (0, 1, 10), {"endpoint": False}),
    ("linspace", (5, 5, 1), {}),
    ("linspace", (0, 1, 2), {}),
]


@pytest.mark.parametrize(("name", "args", "keywords"), GRIDS)
def test_interp_over_a_grid_without_memory(name, args, keywords):
    grid = getattr(np, name)(*args, **keywords).astype(float)
    rng = np.random.default_rng(6)
    fp = rng.normal(size=len(grid))
    beside = [np.nextafter(grid, k) for k in (-np.inf, np.inf)]
    span = (grid[0] - 1, grid[-1] + 1)
    x = np.concatenate([grid, *beside, rng.uniform(*span, 2000), specials("float64")])
    for sides in ({}, {"left": -1.0, "right": -2.0}):
        with rnp.lazy():
            y = rnp.interp(x, getattr(rnp, name)(*args, **keywords), fp, **sides)
        plan = rnp.plan(y)
        assert differs(y.eval(), np.interp(x, grid, fp, **sides)) == ""
        # One loop, which loads x; its table has values and no points. (One point is no grid.)
        assert plan.loops == 1 or len(grid) == 1


def test_two_grids_take_no_memory():
    fp = np.random.default_rng(7).normal(size=300)
    with rnp.lazy():
        y = rnp.interp(rnp.linspace(0, 299, 4501), rnp.arange(300), fp)
    plan = rnp.plan(y)
    assert plan.loops == 1
    assert plan.temporaries == 0
    # The result and the samples: no more is read or written.
    assert plan.bytes_moved <= y.nbytes + fp.nbytes
    assert differs(y.eval(), np.interp(np.linspace(0, 299, 4501), np.arange(300), fp)) == ""


VIEWS = {
    "all": lambda at: at,
    "from 7 on": lambda at: at[7:],
    "every third": lambda at: at[::3],
    "reversed": lambda at: at[::-1],
    "twice": lambda at: at[None].repeat(2, axis=0) if isinstance(at, np.ndarray) else at + 0 * at,
}
POSITIONS = {
    "linspace": lambda np, n: np.linspace(-1, 311, n),
    "without its end": lambda np, n: np.linspace(0, 299, n, endpoint=False),
    "falling": lambda np, n: np.linspace(305, -2.5, n),
    "arange": lambda np, n: np.arange(n),
    "arange of some start": lambda np, n: np.arange(3, n + 3),
    "arange of floats": lambda np, n: np.arange(n) * 0.25,
    "arange by a step": lambda np, n: np.arange(0.5, 0.5 + n / 8, 0.125),
}


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("positions", POSITIONS)
def test_positions_that_are_a_formula(positions, view):
    """None goes through memory; those that another array needs, or that a view turns, do."""
    make, see, rng = POSITIONS[positions], VIEWS[view], np.random.default_rng(8)
    tables = [
        (np.arange(300), rng.normal(size=300).astype("float32"), {}),
        (np.arange(300) * 0.75 + 1, rng.normal(size=300), {"left": -1.0}),
        (np.array([0.0, 37, 250, 299]), np.array([0.0, 1, 1, 0]), {"right": 5.0}),
    ]
    for (xp, fp, sides), n in itertools.product(tables, (1, 31, 33, 2500)):
        at = make(np, n)
        at = at if view == "twice" else see(at)
        want = np.interp(at, xp, fp, **sides)
        for dtype in ("float64", "float32"):
            for kept in (False, True):
                with rnp.lazy():
                    x = see(make(rnp, n))
                    y = rnp.interp(x, xp, fp, **sides).astype(dtype)
                    both = rnp.eval(y, x) if kept else (y.eval(),)
                assert differs(both[0], want.astype(dtype)) == ""
                assert not kept or differs(both[1], at) == ""


@pytest.mark.parametrize("axis", [None, (), 0, 1, (0, 1)])
def test_reductions_of_counted_positions(axis):
    fp = np.random.default_rng(9).normal(size=300)
    for n in (1, 2, 5000):
        with rnp.lazy():
            y = rnp.interp(rnp.linspace(0, 299, n), rnp.arange(300), fp).reshape(1, n)
            got = rnp.max(y, axis=axis).eval()
        want = np.interp(np.linspace(0, 299, n), np.arange(300), fp).reshape(1, n).max(axis=axis)
        assert differs(got, want) == ""


def test_positions_that_are_counted_take_one_op():
    with rnp.lazy():
        x = rnp.asarray(np.ones(300, "float32"))
        y = rnp.interp(rnp.linspace(0, 299, 4501), rnp.arange(300), x).astype("float32")
    assert "interp.f32          t0, i0" in str(rnp.explain(y))


@pytest.mark.parametrize(
    "args", [(300, None, "int8"), (250, 262, "uint8"), (2**53 - 2, 2**53 + 9, "int64")]
)
def test_interp_over_a_grid_that_is_not_even(args):
    start, stop, dtype = args
    bounds = (start,) if stop is None else (start, stop)
    wrong = outcome(lambda: np.arange(*bounds, dtype=dtype))
    if isinstance(wrong, type):
        assert outcome(lambda: rnp.arange(*bounds, dtype=dtype)) is wrong
        return
    fp = np.arange(len(wrong)) * 1.5
    x = np.concatenate([wrong.astype(float), [0.5, 3.5, 2.0**53 + 3]])
    got = lazily(lambda v: rnp.interp(v, rnp.arange(*bounds, dtype=dtype), fp), x)
    if (np.diff(wrong.astype(float)) > 0).all():
        assert differs(got, np.interp(x, wrong, fp)) == ""
    else:
        want = lazily(rnp.interp, x, wrong, fp)
        assert differs(got, want) == ""


def test_ranges_take_no_memory():
    with rnp.lazy():
        made = [rnp.arange(1000), rnp.linspace(0, 1, 1000), rnp.zeros(1000), rnp.full(1000, 3)]
        total = sum(((m * 1.0).sum() for m in made), start=rnp.asarray(0.0))
    plan = rnp.plan(total)
    assert plan.temporaries == 0
    assert plan.bytes_moved < 1000
    assert float(total) == pytest.approx(999 * 500 + 500 + 3000)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 7, 8, 9, 255, 256, 257, 5000])
def test_views_of_ranges(n):
    for step, start in itertools.product((1, -1, 3, -2), (None, 1, -2)):
        want = np.arange(n)[start::step]
        with rnp.lazy():
            y = rnp.arange(n)[start::step]
            z = rnp.linspace(0, 1, n)[start::step]
        assert differs(y.eval(), want) == ""
        assert differs(z.eval(), np.linspace(0, 1, n)[start::step].copy()) == ""


def test_interp_with_points_out_of_order_and_nan_is_numpys():
    rng = np.random.default_rng(3)
    for n in (2, 3, 4, 5, 8, 20, 60):
        for trial in range(60):
            xp, fp = np.sort(rng.normal(size=n)), rng.normal(size=n)
            xp[rng.integers(0, n, rng.integers(0, 3))] = np.nan
            if trial % 5 == 0:
                xp = rng.permutation(xp)
            x = rng.normal(size=30) * 1.5
            np.testing.assert_array_equal(rnp.interp(x, xp, fp), np.interp(x, xp, fp))


def test_integer_ranges_beyond_what_doubles_hold():
    for first in (2**53 - 1, -(2**62), 2**62 + 1):
        for step in (1, 2, -1, -2, 3):
            args = (first, first + 10 * step, step)
            with rnp.lazy():
                lazy = rnp.arange(*args)
            want = np.arange(*args)
            for got in (lazy.eval(), rnp.arange(*args), rnp.arange(*args, dtype=np.int64)):
                assert got.dtype == want.dtype
                np.testing.assert_array_equal(got, want)


def test_ranges_of_infinities_warn():
    for make in (np.linspace, rnp.linspace):
        with pytest.warns(RuntimeWarning, match="invalid value"):
            make(0, np.inf, 4)
