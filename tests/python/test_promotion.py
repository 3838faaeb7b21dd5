"""NEP 50: what arrays, 0-d arrays, NumPy scalars and Python numbers become together."""

from __future__ import annotations

import itertools
import operator

import numpy as np
import pytest
import rnp
from conftest import DTYPES
from oracle import differs, lazily, off_by_ulp, outcome, quiet, wider

NUMBERS = [-1, 0, 2, 200, 40000, 3 * 10**9, 2**62, 2**63, 2**64, -(2**63) - 1, 0.5, -1.0, 1e300]
NUMBERS += [float("inf"), True, False]

ARITHMETIC = {
    "+": (operator.add, "add"),
    "-": (operator.sub, "subtract"),
    "*": (operator.mul, "multiply"),
    "/": (operator.truediv, "divide"),
    "//": (operator.floordiv, "floor_divide"),
    "%": (operator.mod, "remainder"),
    "**": (operator.pow, "power"),
    "&": (operator.and_, "bitwise_and"),
    "<<": (operator.lshift, "left_shift"),
    "==": (operator.eq, "equal"),
    "!=": (operator.ne, "not_equal"),
    "<": (operator.lt, "less"),
    "<=": (operator.le, "less_equal"),
    ">": (operator.gt, "greater"),
    ">=": (operator.ge, "greater_equal"),
}

FUNCTIONS = {symbol: name for symbol, (_, name) in ARITHMETIC.items()}
FUNCTIONS |= {"and": "logical_and", "or": "logical_or", "xor": "logical_xor", "max": "maximum"}


def kinds(dtype):
    """Return an array, a 0-d array and a NumPy scalar of a dtype."""
    x = np.array([0, 1, 3], dtype)
    return [x, np.array(1, dtype), x.dtype.type(1)]


def same(symbol, got, want, a, b):
    """Say how results differ; powers may differ in the last place."""
    if not isinstance(want, type) and want.dtype == object:
        # Python's own arithmetic, which rnp has no dtype for.
        return "" if got in (OverflowError, TypeError) else f"got {got!r}, NumPy has {want!r}"
    if symbol != "**" or isinstance(want, type) or want.dtype.kind != "f":
        return differs(got, want)
    with quiet():
        parts = [wider(np.asarray(v).astype(want.dtype)) for v in (a, b)]
        return off_by_ulp(got, want, np.power(*parts), 1.0)


def told(failures):
    """Fail with the first of what went wrong."""
    assert not failures, f"{len(failures)} differ:\n" + "\n".join(map(str, failures[:20]))


@pytest.mark.parametrize("symbol", FUNCTIONS)
def test_functions(symbol):
    failures = []
    name = FUNCTIONS[symbol]
    both = [k for d in DTYPES for k in kinds(d)]
    pairs = [(a, b) for a in both for b in both if a.ndim == 0 or b.ndim == 0 or a is b]
    pairs += [(a, n) for a in both for n in NUMBERS] + [(n, a) for a in both for n in NUMBERS]
    for i, (a, b) in enumerate(pairs):
        want = outcome(getattr(np, name), a, b)
        got = outcome(getattr(rnp, name), a, b)
        what = same(symbol, got, want, a, b)
        if not what and i % 3 == 0:
            got = outcome(lazily, getattr(rnp, name), a, b)
            what = same(symbol, got, want, a, b)
        if what:
            failures.append((repr(a), symbol, repr(b), what))
    told(failures)


@pytest.mark.parametrize("symbol", ARITHMETIC)
def test_operators(symbol):
    failures = []
    act = ARITHMETIC[symbol][0]
    for dtype in DTYPES:
        x = np.array([0, 1, 3], dtype)
        others = [k for d in DTYPES for k in kinds(d)] + NUMBERS
        for other in others:
            for swap in (False, True):
                args = (other, x) if swap else (x, other)
                want = outcome(act, *args)

                def run(args=args, x=x):
                    with rnp.lazy():
                        deferred = rnp.asarray(x)
                        out = act(*(deferred if a is x else a for a in args))
                    value = out.eval()
                    assert (out.dtype, out.shape) == (value.dtype, value.shape)
                    return value

                what = same(symbol, outcome(run), want, *args)
                if what:
                    failures.append((dtype, symbol, repr(other), swap, what))
    told(failures)


@pytest.mark.parametrize("dtype", DTYPES)
def test_minimum_where_clip(dtype):
    failures = []
    for x, other in itertools.product(kinds(dtype), [k for d in DTYPES for k in kinds(d)]):
        calls = [
            ("minimum", (x, other)),
            ("where", ([True, False, True], x, other)),
            ("clip", (x, other, None)),
            ("clip", (x, None, other)),
            ("clip", (x, other, other)),
        ]
        for name, args in calls:
            want = outcome(getattr(np, name), *args)
            what = differs(outcome(getattr(rnp, name), *args), want)
            if what:
                failures.append((name, repr(args), what))
    for x, number in itertools.product(kinds(dtype), NUMBERS):
        calls = [
            ("minimum", (x, number)),
            ("maximum", (number, x)),
            ("where", ([True, False, True], x, number)),
            ("where", ([True, False, True], number, x)),
            ("clip", (x, number, None)),
            ("clip", (x, None, number)),
            ("clip", (x, -1, number)),
            ("clip", (x, number, 100)),
        ]
        for name, args in calls:
            want = outcome(getattr(np, name), *args)
            what = same(name, outcome(lazily, getattr(rnp, name), *args), want, *args[:2])
            if what:
                failures.append((name, repr(args), what))
    told(failures)


def test_clip_of_three_dtypes():
    failures = []
    for dtypes in itertools.product(DTYPES, repeat=3):
        args = [np.ones(2, d) for d in dtypes]
        want = outcome(np.clip, *args)
        with rnp.lazy():
            got = outcome(lambda args=args: rnp.clip(*args).dtype)
        if got != (want if isinstance(want, type) else want.dtype):
            failures.append((dtypes, got, want))
    told(failures)


def test_powers_of_nothing():
    for dtype in DTYPES:
        for k in (-1, np.int8(-1), 2, 0.5):
            x = np.empty((0, 2), dtype)
            what = differs(outcome(rnp.power, x, k), outcome(np.power, x, k))
            assert what == "", (dtype, k)


@pytest.mark.parametrize("name", ["add", "divide", "power", "less", "minimum"])
def test_numbers_alone(name):
    failures = []
    small = [n for n in NUMBERS if abs(n) < 2**31 or isinstance(n, float)]
    for a, b in itertools.product(small, small):
        if name == "power" and not 0 <= b <= 2:
            continue
        what = differs(outcome(getattr(rnp, name), a, b), outcome(getattr(np, name), a, b))
        if what:
            failures.append((a, name, b, what))
    told(failures)


def test_the_rules_in_short():
    f4, u1, i4 = (np.ones(2, d) for d in ("float32", "uint8", "int32"))
    with rnp.lazy():
        x, k, i = rnp.asarray(f4), rnp.asarray(u1), rnp.asarray(i4)
        assert (x * 2.0).dtype == np.float32
        assert (x * np.float64(2)).dtype == np.float64
        assert (x + i).dtype == np.float64
        assert (k + 1).dtype == np.uint8
        assert (k > 300).eval().tolist() == [False, False]
        assert (rnp.asarray(np.uint64([2**64 - 1])) > -1).eval().tolist() == [True]
        assert (rnp.asarray(np.uint64([2**64 - 1])) == np.int64(-1)).eval().tolist() == [False]
        with pytest.raises(OverflowError, match="300"):
            k + 300


@pytest.mark.parametrize(
    "name",
    [
        "conjugate",
        "invert",
        "negative",
        "positive",
        "absolute",
        "square",
        "sign",
        "isnan",
        "bitwise_count",
        "conj",
    ],
)
def test_integers_beyond_64_bits_are_what_numpy_makes_of_them(name):
    ours, theirs = getattr(rnp, name), getattr(np, name)
    for number in (2**63, 2**64 - 1, 2**64, -(2**63), -(2**63) - 1, 2**200):
        try:
            want = theirs(number)
        except TypeError:
            with pytest.raises(TypeError):
                ours(number)
            continue
        got = ours(number)
        # `uint64` has two names in NumPy, of which either is as good.
        assert (np.asarray(got).dtype, got) == (np.asarray(want).dtype, want)
        with rnp.lazy():
            got = np.asarray(ours(number))[()]
        assert got == want
