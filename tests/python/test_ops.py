"""Every op of the table against NumPy: dtypes, layouts, special values, error types."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import rnp
from conftest import DTYPES
from oracle import (
    ALL_LAYOUTS,
    FLOATS,
    INTS,
    MODES,
    OPS,
    PARTS,
    compare,
    differs,
    eagerly,
    mixed,
    numpys,
    ordinary,
    ours,
    outcome,
    quiet,
    specials,
)

UNARY = [name for name, (arity, _, _) in OPS.items() if arity == 1]
BINARY = [name for name, (arity, _, _) in OPS.items() if arity == 2]


def check(name, args, mode):
    """Run an op through rnp and NumPy and compare; return what differs."""
    want = outcome(numpys(name), *args)
    got = outcome(MODES[mode], ours(name), *args)
    if isinstance(got, tuple):
        return f"a tuple: {got}"
    return compare(name, got, want, args)


def told(failures):
    """Fail with the first of what went wrong."""
    assert not failures, f"{len(failures)} differ:\n" + "\n".join(map(str, failures[:12]))


def test_the_table_is_whole():
    assert len(UNARY) > 15
    assert len(BINARY) > 15
    assert set(OPS) <= set(dir(rnp._core))
    assert set(rnp._core._folds()) <= set(rnp._core.__all__)
    assert all(hasattr(np, name) for name in [*OPS, *rnp._core._folds()] if name not in PARTS)
    # Every elementwise ufunc but those of two results, and of dates.
    elementwise = {
        f.__name__
        for f in vars(np).values()
        if isinstance(f, np.ufunc) and f.signature is None and f.nout == 1
    }
    assert elementwise - set(OPS) == {"isnat", "degrees", "radians"}
    assert rnp.degrees(np.float32(3)) == np.degrees(np.float32(3))
    assert rnp.radians(np.float32(3)) == np.radians(np.float32(3))


@pytest.mark.parametrize("name", UNARY)
def test_unary(name):
    failures = []
    for i, dtype in enumerate(DTYPES):
        x = mixed(dtype, OPS[name][2], i)
        x = x[: len(x) // 2 * 2].reshape(-1, 2)
        for j, (layout, make) in enumerate(ALL_LAYOUTS.items()):
            mode = list(MODES)[(i + j) % 3]
            what = check(name, [make(x)], mode)
            if what:
                failures.append((dtype, layout, mode, what))
    told(failures)


@pytest.mark.parametrize("name", BINARY)
def test_binary_of_all_pairs(name):
    failures = []
    for i, (left, right) in enumerate(itertools.product(DTYPES, DTYPES)):
        a, b = (g.ravel() for g in np.meshgrid(specials(left), specials(right)))
        a = np.concatenate([a, ordinary(left, OPS[name][2], 37, i)])
        b = np.concatenate([b, ordinary(right, OPS[name][2], 37, i + 1)])
        mode = list(MODES)[i % 3]
        args = [a, b]
        if name == "power" and np.result_type(a, b).kind in "ib":
            # A negative exponent is an error, tested below; here are the others.
            what = check(name, args, mode)
            if what:
                failures.append((left, right, mode, what))
            args = [a[b >= 0], b[b >= 0]]
        what = check(name, args, mode)
        if what:
            failures.append((left, right, mode, what))
    told(failures)


@pytest.mark.parametrize("name", BINARY)
def test_binary_over_layouts(name):
    failures = []
    layouts = list(ALL_LAYOUTS.items())
    pairs = [(d, d) for d in DTYPES] + [("int16", "float32"), ("uint8", "int8"), ("bool", "int64")]
    for i, (left, right) in enumerate(pairs):
        for j, (layout, make) in enumerate(layouts):
            a = mixed(left, OPS[name][2], i)
            b = np.roll(mixed(right, OPS[name][2], i + 1), 5)
            n = min(len(a), len(b)) // 2 * 2
            a, b = a[:n].reshape(-1, 2), b[:n].reshape(-1, 2)
            if name == "power" and np.result_type(a, b).kind in "iub":
                b = np.abs(b)
                b[b < 0] = 3  # the lowest integer is its own absolute value
            # The other operand has another layout, or fewer dimensions.
            other = layouts[(i + 3 * j) % len(layouts)][1](b)
            if "empty" in (layout, layouts[(i + 3 * j) % len(layouts)][0]):
                other = b[:1]
            mode = list(MODES)[(i + j) % 3]
            for args in ([make(a), other], [b[:1], make(a)] if name != "power" else []):
                what = check(name, args, mode) if args else ""
                if what:
                    failures.append((left, right, layout, mode, what))
    told(failures)


@pytest.mark.parametrize("condition", DTYPES)
def test_where(condition):
    failures = []
    c = mixed(condition)
    for i, (left, right) in enumerate(itertools.product(DTYPES, DTYPES)):
        a, b = mixed(left, seed=i)[: len(c)], mixed(right, seed=i + 1)[: len(c)]
        n = min(len(a), len(b), len(c))
        make = list(ALL_LAYOUTS.values())[i % (len(ALL_LAYOUTS) - 2)]
        args = [make(c[:n]), b[:n][::-1] if i % 2 else make(a[:n]), make(b[:n])]
        want = outcome(np.where, *args)
        got = outcome(list(MODES.values())[i % 3], rnp.where, *args)
        what = differs(got, want)
        if what:
            failures.append((condition, left, right, what))
    told(failures)


def c_cast(value, dtype):
    """Convert a float that the integer dtype may not hold, as the engine defines it."""
    value = float(value)

    def low(k):
        """Truncate to k bits, the lowest value for what does not fit."""
        least = -(2 ** (k - 1))
        fits = np.isfinite(value) and least <= int(value) < -least
        return int(value) if fits else least

    size = np.dtype(dtype).itemsize * 8
    if size <= 16:
        whole = low(32)
    elif dtype == "uint64" and value >= 2.0**63:
        whole = int(value) if value < 2.0**64 else 0
    elif dtype == "int32":
        whole = low(32)
    else:
        whole = low(64)
    whole %= 2**size
    return whole - 2**size if dtype.startswith("i") and whole >= 2 ** (size - 1) else whole


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("source", DTYPES)
def test_casts(source, mode):
    failures = []
    for i, target in enumerate(DTYPES):
        x = np.concatenate([mixed(source), ordinary(source, (-1e5, 1e5), 30, i)])
        if source in FLOATS:
            with quiet():
                edges = np.array([2.0**k + e for k in range(65) for e in (-1, 0, 1)])
                x = np.concatenate([x, edges.astype(source), (-edges).astype(source)])
        for layout, make in ALL_LAYOUTS.items():
            y = make(x)
            with quiet():
                want = y.astype(target)
            if source in FLOATS and target in INTS:
                want = np.array([c_cast(v, target) for v in y.ravel()], target).reshape(y.shape)
            got = MODES[mode](lambda v, t=target: rnp.astype(v, t), y)
            want = want if mode == "eager" else want[()]
            what = differs(got, want)
            if what:
                failures.append((source, target, layout, what))
    told(failures)


def test_casts_in_range_are_numpys():
    for source, target in itertools.product(FLOATS, INTS):
        info = np.iinfo(target)
        span = min(-info.min, 1e4), min(info.max, 1e4)
        x = ordinary(source, (-span[0], span[1]), 333, 5)
        assert differs(rnp.astype(x, target), x.astype(target)) == ""


@pytest.mark.parametrize(("name", "points"), [
    ("log", [(1, 0)]), ("log10", [(10**k, k) for k in range(5)]), ("exp", [(0, 1), (-0.0, 1)]),
    ("cos", [(0, 1), (-0.0, 1)]), ("sin", [(0, 0), (-0.0, -0.0)]),
    ("tanh", [(0, 0), (-0.0, -0.0), (30, 1), (-30, -1)]), ("log1p", [(0, 0), (-0.0, -0.0)]),
    ("cbrt", [(k**3, k) for k in range(-9, 10)]), ("exp2", [(k, 2.0**k) for k in range(-14, 15)]),
    ("log2", [(2.0**k, k) for k in range(-14, 15)]), ("expm1", [(0, 0), (-0.0, -0.0)]),
    ("sinh", [(0, 0), (-0.0, -0.0)]), ("cosh", [(0, 1), (-0.0, 1)]), ("arccosh", [(1, 0)]),
    ("arctanh", [(0, 0), (-0.0, -0.0), (1, np.inf), (-1, -np.inf)]), ("arccos", [(1, 0)]),
])  # fmt: skip
def test_exact_points(name, points):
    for dtype in FLOATS:
        x, want = np.array(points, dtype).T
        assert differs(eagerly(getattr(rnp, name), x), want) == ""


@pytest.mark.parametrize("name", [n for n in UNARY if OPS[n][1] > 0])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_accuracy_over_the_whole_range(name, dtype):
    rng = np.random.default_rng(11)
    kind = "u4" if dtype == "float32" else "u8"
    every = rng.integers(0, np.iinfo(kind).max, 20_000, kind, endpoint=True).view(dtype)
    x = np.concatenate([every, ordinary(dtype, OPS[name][2], 20_000, 12)])
    assert check(name, [x], "eager") == ""
    if name in ("sin", "tanh", "tan", "sinh", "arcsinh", "arctanh", "arcsin", "arctan", "cbrt"):
        function = getattr(rnp, name)
        assert differs(eagerly(function, -x), -eagerly(function, x)) == ""


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_accuracy_of_power(dtype):
    rng = np.random.default_rng(13)
    bases = np.exp(rng.uniform(-50, 50, 20_000)).astype(dtype)
    exponents = np.concatenate([rng.uniform(-2, 2, 10_000), rng.integers(-9, 9, 10_000)])
    assert check("power", [bases, exponents.astype(dtype)], "eager") == ""
    assert check("power", [-bases, np.rint(exponents).astype(dtype)], "lazy") == ""


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["hypot", "arctan2", "logaddexp", "logaddexp2", "fmod", "ldexp"])
def test_accuracy_of_pairs(name, dtype):
    rng = np.random.default_rng(14)
    near = rng.uniform(-1, 1, (2, 20_000)).astype(dtype)
    # Of all magnitudes, and their differences too.
    apart = np.ldexp(rng.uniform(-2, 2, (2, 20_000)), rng.integers(-60, 60, (2, 20_000)))
    for a, b in (near, apart.astype(dtype)):
        if name == "ldexp":
            b = rng.integers(-1200, 1200, a.shape)
        assert check(name, [a, b], "eager") == ""
        assert check(name, [a[::-1], b[::-1]], "lazy") == ""


@pytest.mark.parametrize(
    "name",
    [
        "spacing",
        "frexp_mantissa",
        "frexp_exponent",
        "modf_fraction",
        "modf_whole",
        "deg2rad",
        "rad2deg",
    ],
)
def test_every_half(name):
    x = np.arange(2**16, dtype=np.uint16).view(np.float16)
    x = x[x != -np.inf] if name == "spacing" else x  # which NumPy calls infinite
    assert check(name, [x], "eager") == ""


def test_neighbours_of_every_half():
    x = np.arange(2**16, dtype=np.uint16).view(np.float16)
    for to in (np.inf, -np.inf, 0.0, -0.0, np.nan, 1.0):
        assert check("nextafter", [x, np.full(x.shape, to, np.float16)], "lazy") == ""


@pytest.mark.parametrize("name", ["gcd", "lcm", "fmod", "bitwise_count"])
@pytest.mark.parametrize("dtype", ["int8", "uint8"])
def test_every_pair_of_bytes(name, dtype):
    every = np.arange(256, dtype=np.uint8).view(dtype)
    args = [every] if name == "bitwise_count" else [every[:, None], every[None, :]]
    assert check(name, args, "eager") == ""


def test_ldexp_by_numbers():
    failures = []
    numbers = [0, 3, -3, 2000, 2**31 - 1, -(2**31), 2**31, 2**40, 2**70, 1.0]
    for dtype, number, mode in itertools.product(DTYPES, numbers, MODES):
        if mode == "jit" and number == 2**70:
            continue  # a traced integer has 64 bits
        for args in ([np.ones(3, dtype), number], [number, np.ones(3, dtype)]):
            what = check("ldexp", args, mode)
            if what:
                failures.append((args, mode, what))
    told(failures)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("k", [0.5, -0.5, 1.0, 2.0, 3.0, -1.0, -2.0, 0.0, float("inf")])
def test_powers_of_special_values_by_one_number(dtype, k):
    x = specials(dtype)
    for exponent in (k, np.dtype(dtype).type(k)):
        for mode in ("eager", "lazy"):
            assert check("power", [x, exponent], mode) == "", (exponent, mode)


@pytest.mark.parametrize("shape", [(), (1,), (0,), (3,), (0, 3), (2, 0), (5, 1, 7), (1, 1)])
def test_shapes(shape):
    for name, dtype in itertools.product(BINARY, ["int32", "float32"]):
        a = np.ones(shape, dtype)
        for b in (a, np.ones((1,) * len(shape), dtype), dtype and np.ones((), dtype)):
            for mode in MODES:
                assert check(name, [a, b], mode) == "", (name, shape, mode)
        assert check(name, [a, np.ones((4, 11), dtype)], "lazy") == "", (name, shape)


def test_lengths_around_vectors_and_blocks():
    for n in [*range(70), 255, 256, 257, 1023, 1024, 1025, 4095, 4097]:
        for dtype in ("int8", "int16", "float32", "float64"):
            x = np.resize(mixed(dtype), n)
            with rnp.lazy():
                y = rnp.asarray(x)
                y = rnp.maximum(rnp.abs(y) + y, y[::-1])
            with quiet():
                want = np.maximum(np.abs(x) + x, x[::-1])
            assert differs(y.eval(), want, zeros=False) == "", (n, dtype)
