"""Reductions against NumPy: dtypes, axes, layouts, empties; float sums as is promised."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import rnp
from conftest import DTYPES
from oracle import ALL_LAYOUTS, FLOATS, MODES, differs, errors_in_ulp, mixed, outcome, quiet

SHAPES = [(), (1,), (7,), (257,), (0,), (3, 0), (5, 2), (2, 5), (300, 2), (2, 300), (40, 33)]
SHAPES += [(4, 3, 5), (1, 6, 1), (2, 3, 4, 5), (65, 1, 3)]
EXACT = ["min", "max", "any", "all", "argmin", "argmax"]
SUMS = ["sum", "prod", "mean", "var", "std"]


def axes_of(rank):
    """Return every axis argument that means something different."""
    out = [None, *range(rank), *(-1 - a for a in range(rank))]
    out += [()] + [t for n in (2, 3) for t in itertools.combinations(range(rank), n)]
    return out


def filled(shape, dtype, seed=0):
    """Return ordinary and special values in a shape."""
    rng = np.random.default_rng(seed)
    x = np.resize(rng.permutation(mixed(dtype)), shape) if 0 not in shape else np.empty(shape)
    return x.astype(dtype)


def told(failures):
    """Fail with the first of what went wrong."""
    assert not failures, f"{len(failures)} differ:\n" + "\n".join(map(str, failures[:12]))


def both(mode, name, x, **keywords):
    """Return rnp's and NumPy's outcome."""
    want = outcome(lambda v: getattr(np, name)(v, **keywords), x)
    got = outcome(MODES[mode], lambda v: getattr(rnp, name)(v, **keywords), x)
    return got, want


@pytest.mark.parametrize("name", EXACT)
def test_exact_reductions(name):
    failures = []
    for i, (shape, dtype) in enumerate(itertools.product(SHAPES, DTYPES)):
        x = filled(shape, dtype, i)
        for j, axis in enumerate(axes_of(len(shape))):
            mode = list(MODES)[(i + j) % 3]
            keywords = {"axis": axis} if (i + j) % 2 else {"axis": axis, "keepdims": True}
            got, want = both(mode, name, x, **keywords)
            # Of equal zeros either may be returned.
            what = differs(got, want, zeros=False)
            if what:
                failures.append((dtype, shape, keywords, mode, what))
    told(failures)


@pytest.mark.parametrize("name", ["sum", "prod"])
@pytest.mark.parametrize("dtype", [d for d in DTYPES if d not in FLOATS])
def test_integer_sums_are_exact(name, dtype):
    failures = []
    for i, shape in enumerate(SHAPES):
        x = filled(shape, dtype, i)
        for j, axis in enumerate(axes_of(len(shape))):
            for wanted in (None, "int16", "uint32", "bool"):
                mode = list(MODES)[(i + j) % 3]
                got, want = both(mode, name, x, axis=axis, dtype=wanted, keepdims=bool(j % 2))
                what = differs(got, want)
                if what:
                    failures.append((shape, axis, wanted, mode, what))
    told(failures)


def reference(name, x, axis, ddof=0):
    """Compute in the highest precision, from the values as they are."""
    wide = x.astype(np.longdouble)
    if name in ("var", "std"):
        return getattr(np, name)(wide, axis=axis, ddof=ddof)
    return getattr(np, name)(wide, axis=axis)


def bound(name, dtype, count):
    """Return the error that is promised, in ulp, for values of one sign."""
    if name == "prod":
        return count  # a rounding per factor
    if dtype == "float64":
        # Pairwise: a rounding per level, and for a variance twice and one for each square.
        return (2 + np.log2(count + 1)) * (2 if name in ("var", "std") else 1)
    # One rounding of the sum, one for the division, one for the root.
    return {"sum": 0.51, "mean": 1.51, "var": 4, "std": 3}[name]


@pytest.mark.parametrize("name", SUMS)
@pytest.mark.parametrize("dtype", FLOATS)
def test_float_sums_of_one_sign(name, dtype):
    failures = []
    rng = np.random.default_rng(3)
    for i, shape in enumerate([s for s in SHAPES if 0 not in s]):
        x = rng.uniform(0.5, 1.5, shape).astype(dtype)
        for j, axis in enumerate(axes_of(len(shape))):
            mode = list(MODES)[(i + j) % 3]
            got, want = both(mode, name, x, axis=axis, keepdims=bool(j % 2))
            if type(got) is not type(want) or got.dtype != want.dtype or got.shape != want.shape:
                failures.append((shape, axis, differs(got, want)))
                continue
            exact = np.asarray(reference(name, x, axis)).reshape(got.shape)
            count = max(1, x.size // max(1, exact.size))
            errors = errors_in_ulp(np.atleast_1d(got), np.atleast_1d(exact))
            some = np.atleast_1d(exact) != 0
            worst = errors[some].max(initial=0)
            if worst > bound(name, dtype, count) or (np.atleast_1d(got)[~some] != 0).any():
                failures.append((shape, axis, mode, f"{worst} ulp for {count} terms"))
    told(failures)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sums_that_cancel_are_as_good_as_numpys(dtype):
    rng = np.random.default_rng(4)
    for n in (10, 1000, 100_000):
        x = rng.normal(size=n).astype(dtype)
        for shape in ((n,), (n // 2, 2), (2, n // 2)):
            for axis in axes_of(len(shape)):
                y = x.reshape(shape)
                exact = reference("sum", y, axis)
                scale = np.abs(y).sum(axis=axis).astype(float) * np.finfo(dtype).eps
                error = np.max(np.abs(rnp.sum(y, axis=axis) - exact) / scale)
                theirs = np.max(np.abs(np.sum(y, axis=axis) - exact) / scale)
                assert error <= max(4 * theirs, 0.5), (shape, axis, error, theirs)


def test_a_long_float32_sum():
    ones = np.ones(2**25, "float32")
    assert rnp.sum(ones) == 2**25
    assert rnp.mean(ones) == 1
    stereo = ones.reshape(-1, 2)
    assert rnp.sum(stereo, axis=0).tolist() == [2**24, 2**24]
    tenth = np.full(10**6, 0.1, "float32")
    assert rnp.sum(tenth) == np.float32(np.float64(tenth[0]) * 10**6)


@pytest.mark.parametrize("name", SUMS)
@pytest.mark.parametrize("dtype", FLOATS)
def test_float_sums_of_special_values(name, dtype):
    failures = []
    for values in ([np.nan, 1], [np.inf, 1], [-np.inf, np.inf], [np.inf, np.nan], [-0.0, -0.0],
                   [0.0, -0.0], [1, -1], [-0.0], [np.inf], [np.nan] * 40, [0, np.inf]):  # fmt: skip
        for x in (np.array(values, dtype), np.array([values * 7, values * 7], dtype)):
            for axis in axes_of(x.ndim):
                got, want = both("eager", name, x, axis=axis)
                # NumPy begins some sums of -0.0 with 0.0 and others not.
                what = differs(got, want, zeros=False)
                if what:
                    failures.append((values, axis, what))
    told(failures)


@pytest.mark.parametrize("name", [*EXACT, *SUMS])
@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0), (2, 0, 4), (0, 0)])
def test_empties(name, shape):
    failures = []
    for dtype, mode in itertools.product(("int16", "float32", "float64", "bool"), MODES):
        x = np.empty(shape, dtype)
        for axis, keepdims in itertools.product([*axes_of(len(shape)), None], (False, True)):
            got, want = both(mode, name, x, axis=axis, keepdims=keepdims)
            what = differs(got, want)
            if what:
                failures.append((dtype, mode, axis, keepdims, what))
    told(failures)


@pytest.mark.parametrize("name", [*EXACT, *SUMS])
@pytest.mark.parametrize("layout", ALL_LAYOUTS)
def test_layouts(name, layout):
    for dtype in ("int16", "int64", "float32", "float64", "bool"):
        # Small whole numbers, whose sums are exact in any order.
        whole = (np.arange(1, 127) * 37 % 11 % 4).astype(dtype).reshape(21, 6)
        x = ALL_LAYOUTS[layout](whole)
        for axis in axes_of(x.ndim):
            got, want = both("lazy", name, x, axis=axis)
            if name in ("mean", "var", "std") and not isinstance(want, type):
                assert got.dtype == want.dtype
                np.testing.assert_allclose(got, want, rtol=1e-6)
            elif name == "prod" and dtype.startswith("f"):
                np.testing.assert_allclose(got, want, rtol=1e-5)
            else:
                assert differs(got, want, zeros=False) == "", (dtype, axis)


@pytest.mark.parametrize("name", ["mean", "var", "std"])
def test_means_of_integers_and_dtype_and_ddof(name):
    failures = []
    for dtype, wanted in itertools.product(DTYPES, [None, "float32", "float64", "float16"]):
        x = (np.arange(60) * 7 % 23).astype(dtype).reshape(12, 5)
        for axis in axes_of(2):
            for ddof in (0, 1, 5, 100) if name != "mean" else (None,):
                keywords = {"axis": axis, "dtype": wanted}
                if ddof is not None:
                    keywords["ddof"] = ddof
                got, want = both("eager", name, x, **keywords)
                if isinstance(want, type) or isinstance(got, type) or got.dtype != want.dtype:
                    what = differs(got, want)
                else:
                    eps = np.finfo(want.dtype).eps
                    with quiet():
                        near = np.allclose(got, want, rtol=16 * eps, atol=0, equal_nan=True)
                    what = "" if near else f"got {got}, wanted {want}"
                if what:
                    failures.append((dtype, keywords, what))
    told(failures)


@pytest.mark.parametrize("name", [*EXACT, *SUMS])
def test_wrong_axes(name):
    x = np.ones((2, 3))
    wrong = [2, -3, (0, 2), (0, 0), (-1, 1), 2**70, "a", 0.5, [0], [0, 1], (0.5,), (None,)]
    for axis, mode in itertools.product(wrong, MODES):
        got, want = both(mode, name, x, axis=axis)
        if axis == 2**70 or isinstance(axis, list):
            # NumPy's functions disagree with each other about these.
            assert isinstance(got, type) or axis == [0] or axis == [0, 1]
        elif mode != "jit" or isinstance(axis, tuple | int):
            assert differs(got, want) == "", (axis, mode)


@pytest.mark.parametrize("shape", [(2, 0), (0, 0), (1, 4, 0), (3, 0, 2)])
def test_a_fold_and_a_map_of_nothing_in_one_loop(shape):
    x = np.empty(shape, "uint64")
    with rnp.lazy(), quiet():
        y = rnp.asarray(x)
        outs = rnp.std(y), rnp.sin(y), rnp.sum(y), y + 1, rnp.sum(y[..., :0], axis=0)
    with quiet():
        wants = np.std(x), np.sin(x), np.sum(x), x + 1, np.sum(x[..., :0], axis=0)
    for got, want in zip(rnp.eval(*outs), wants, strict=True):
        assert differs(got, want) == ""


def test_nan_wins():
    for n, dtype in itertools.product((1, 2, 8, 33, 1000), FLOATS):
        for at in {0, n // 2, n - 1}:
            x = np.arange(n).astype(dtype)
            x[at] = np.nan
            for name in EXACT[:2]:
                assert np.isnan(getattr(rnp, name)(x))
            assert rnp.argmax(x) == rnp.argmin(x) == at
            y = np.stack([x, x], axis=1)
            assert rnp.argmax(y, axis=0).tolist() == [at, at]
            assert np.isnan(rnp.max(y, axis=0)).all()


def test_the_first_of_equals():
    x = np.tile(np.array([3, 1, 7, 7, 1], "int16"), 400)
    for dtype in DTYPES[1:]:
        assert rnp.argmax(x.astype(dtype)) == 2
        assert rnp.argmin(x.astype(dtype)) == 1
    for shape in ((2000,), (1000, 2), (2, 1000)):
        for axis in axes_of(len(shape))[:3]:
            got, want = both("lazy", "argmax", x.reshape(shape), axis=axis)
            assert differs(got, want) == ""


def test_several_of_one_input_are_one_pass():
    x = np.random.default_rng(5).normal(size=4001).astype("float32")
    with rnp.lazy():
        y = rnp.asarray(x) * 2
        outs = y.min(), y.max(), y.sum(), y.argmax(), rnp.any(y > 3), y.prod()
    assert rnp.plan(*outs).loops == 1
    z = x * np.float32(2)
    got = rnp.eval(*outs)
    assert got[:2] == (z.min(), z.max())
    assert got[2] == np.float32(z.astype(float).sum())
    assert got[3:5] == (z.argmax(), (z > 3).any())


FRAMED = {
    "plain": lambda xp, x: x,
    "gain": lambda xp, x: x * x.dtype.type(0.7),
    "a gain per channel": lambda xp, x: x * np.arange(1, x.shape[-1] + 1).astype(x.dtype),
    "reversed": lambda xp, x: x[::-1],
    "a slice": lambda xp, x: x[1:-1],
    "squares": lambda xp, x: xp.multiply(x, x),
    "magnitudes": lambda xp, x: xp.absolute(x),
}


@pytest.mark.parametrize("way", FRAMED)
@pytest.mark.parametrize("each", [2, 4, 8])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int16"])
def test_frames_have_the_bits_of_lines(way, each, dtype):
    """A fold over a few neighbours is the fold over a line of them, however it is walked."""
    for n in (3, 40, 700, 25_000):
        x = filled((n, each), dtype, n)
        with quiet():
            made = FRAMED[way](np, x)
        # Padded with what changes nothing, lines are too long for frames.
        shape = (len(made), 24 - each)
        names = ["sum", "mean", "max", "min"] if n < 1000 else ["mean", "max"]
        for name in names:
            fill = {"max": -np.inf, "min": np.inf}.get(name, 0)
            if dtype == "int16":
                fill = {"max": -(2**15), "min": 2**15 - 1}.get(name, 0)
            lines = np.concatenate([made, np.full(shape, fill, made.dtype)], 1)
            with quiet():
                if name == "mean":
                    want = rnp.divide(rnp.sum(lines, axis=1, dtype=made.mean().dtype), each)
                else:
                    want = getattr(rnp, name)(lines, axis=1)

            def framed(v, name=name):
                return getattr(rnp, name)(FRAMED[way](rnp, v), axis=-1)

            for mode, run in MODES.items():
                got = outcome(run, framed, x)
                assert not differs(got, outcome(lambda w=want: w)), (name, n, mode)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_a_fold_takes_itself_has_the_bits_of_the_op(dtype):
    """Folds of squares and magnitudes, with and without the array between."""
    for n in (1, 100, 4096, 33_000, 250_000):
        for x in (filled((n,), dtype, n), np.linspace(-0.9, 1.0, n).astype(dtype)):
            for fold, op in (("sum", "square"), ("mean", "absolute"), ("max", "absolute")):
                with quiet():
                    want = getattr(rnp, fold)(getattr(rnp, op)(x))

                def both_at_once(v, fold=fold, op=op):
                    return getattr(rnp, fold)(getattr(rnp, op)(v))

                for mode, run in MODES.items():
                    got = outcome(run, both_at_once, x)
                    assert not differs(got, outcome(lambda w=want: w)), (fold, op, n, mode)


@pytest.mark.parametrize("dtype", ["f4", "f8", "i8"])
@pytest.mark.parametrize("n", [5000, 20_000, 100_000, 400_000])
def test_products_have_one_order(n, dtype):
    x = np.random.default_rng(n).uniform(0.99, 1.01, 2 * n).astype(dtype)
    x[x == 0] = 3
    wide, line = x[::2], x[::2].copy()
    with rnp.lazy():
        forms = rnp.prod(line), rnp.prod(wide), rnp.prod(rnp.asarray(line) * 1)
    got = [rnp.prod(line), rnp.prod(wide), *(form.eval() for form in forms)]
    before = rnp.get_num_threads()
    try:
        rnp.set_num_threads(1)
        got.append(rnp.prod(line))
    finally:
        rnp.set_num_threads(before)
    assert len({value.tobytes() for value in got}) == 1
    if dtype == "i8":
        assert got[0] == np.prod(line)
    else:
        # Each step rounds, here and in NumPy.
        want = np.prod(line.astype("f8"))
        np.testing.assert_allclose(got[0], want, rtol=n**0.5 * 4 * np.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i1", "i2", "u4", "i8"])
@pytest.mark.parametrize("n", [1, 2, 100, 3000, 70_000])
def test_many_percentiles_together(n, dtype):
    x = (np.random.default_rng(n).normal(size=n) * 100).astype("i4").astype(dtype)
    for count in (1, 2, 3, 20, 301):
        q = list(np.linspace(0, 100, count))
        want = np.percentile(x, q)
        with rnp.lazy():
            lazy = rnp.percentile(x, q)
        for got in (rnp.percentile(x, q), lazy.eval()):
            assert differs(got, want) == ""


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("special", [[], [0.0, -0.0], [-0.0], [np.nan], [np.inf], [1e30, -1e25]])
def test_folds_of_one_input_have_the_bits_of_each_alone(dtype, special):
    def squares(x):
        return rnp.sum(rnp.multiply(x, x))

    def peak(x):
        return rnp.max(rnp.absolute(x))

    folds = [peak, squares, rnp.sum, rnp.min, rnp.max, lambda x: rnp.sum(x > 0.25)]
    together = rnp.jit(lambda x: [fold(x) for fold in folds])
    pairs = rnp.jit(lambda x: (rnp.min(x), rnp.max(x))), rnp.jit(lambda x: (peak(x), squares(x)))
    failures = []
    for n in (1, 7, 1023, 1024, 2049, 5000, 40_000, 400_000):
        x = np.random.default_rng(n).uniform(-1, 1, n).astype(dtype)
        if special:
            x[:: max(n // 5, 1)] = np.resize(special, len(x[:: max(n // 5, 1)]))
            x = x if n % 2 else np.resize(np.array(special, dtype), n)
        for _ in range(3):
            got = [np.asarray(v) for v in (*together(x), *pairs[0](x), *pairs[1](x))]
        for k, fold in enumerate([*folds, rnp.min, rnp.max, peak, squares]):
            want = np.asarray(rnp.jit(fold)(x))
            if want.tobytes() != got[k].tobytes():
                failures.append((n, k, got[k], want))
    told(failures)


def test_truth_values_are_counted():
    count = rnp.jit(lambda x: (rnp.sum(x > 0), rnp.sum(x > 0, axis=0), rnp.sum(x > 0, axis=1)))
    for shape in ((1, 1), (3, 2), (70, 40), (2, 40_000), (40_000, 2)):
        x = np.random.default_rng(1).uniform(-1, 1, shape)
        for got, axis in zip(count(x), (None, 0, 1), strict=True):
            want = np.sum(x > 0, axis=axis)
            assert not differs(np.asarray(got), np.asarray(want)), (shape, axis)


@pytest.mark.parametrize(
    "name", ["mean", "var", "std", "nanmean", "nanvar", "nanstd", "sum", "max"]
)
@pytest.mark.parametrize("axis", [0, -1, 1, (), (0,), None])
def test_axes_of_an_array_without_axes(name, axis):
    for x in (np.array(3.0), np.array(3), np.float32(3)):
        want = outcome(lambda x=x: getattr(np, name)(x, axis=axis))
        with rnp.lazy():
            deferred = outcome(lambda x=x: getattr(rnp, name)(rnp.asarray(x), axis=axis).eval())
            noted = outcome(lambda: getattr(rnp, name)(rnp.asarray([3.0]).sum(), axis=axis).eval())
        assert not differs(outcome(lambda x=x: getattr(rnp, name)(x, axis=axis)), want)
        assert not differs(deferred, want)
        assert isinstance(noted, Exception) == isinstance(want, Exception)


@pytest.mark.parametrize("name", ["min", "max"])
def test_halves_that_are_zeros(name):
    signs = [s for n in (1, 2, 3, 5) for s in itertools.product([0.0, -0.0], repeat=n)]
    for x in (np.array(s, "float16") for s in signs):
        for y, axis in (
            (x, None),
            (x, 0),
            (np.stack([x, x[::-1]]), 0),
            (np.stack([x, -x]), (0, 1)),
        ):
            want = getattr(np, name)(y, axis=axis)
            got = getattr(rnp, name)(y, axis=axis)
            np.testing.assert_array_equal(np.signbit(got), np.signbit(want))
