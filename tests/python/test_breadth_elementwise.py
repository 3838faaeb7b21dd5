"""Elementwise functions that are compositions of kernels."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import rnp
from breadth import at_once, case, check, check_error, loops, loose
from conftest import DTYPES
from oracle import FLOATS, mixed

CASES = []
for d in DTYPES:
    x = mixed(d)
    CASES += [
        case("nan_to_num", x),
        case("nan_to_num", x.reshape(-1, 1)[:4], nan=3, posinf=7.5, neginf=-7),
        case("real", x),
        case("imag", x),
        case("isreal", x),
        case("iscomplex", x),
        case("fix", x),
        case("around", x),
        case("array_equal", x, x),
        case("array_equal", x, x, equal_nan=d != "bool"),
        case("array_equal", x, x[1:]),
        case("array_equiv", x[:3], x[:3].reshape(1, 3)),
        case("allclose", x, x, equal_nan=True),
        case("isclose", x, x[::-1].copy()),
        case("isclose", x, x, equal_nan=True),
        case("isclose", x, 1),
        case("isclose", 1.0, x, rtol=0.1, atol=np.float64(1.0)),
        loose("sinc", (x if d == "bool" else mixed(d)[np.isfinite(mixed(d))][-40:])),
        case("where", x > 0, x, x[0]),
        case("select", [x > 2, x > 0], [x, x[1]], default=0),
    ]
    if d != "bool":
        CASES += [case("isposinf", x), case("isneginf", x), case("round", x, 0)]
        CASES += [case("angle", x), case("angle", x, deg=True)]
        CASES += [case("round", x, 2), case("round", x, -1), case("round", x, decimals=5)]
    if d in FLOATS:
        CASES += [case("modf", x), case("real_if_close", x)]
        CASES += [case("select", [x > 2, x > 0], [x, x.astype("float64")], x[0])]
CASES += [
    case("select", [np.array([True, False])], [np.arange(6).reshape(3, 2)], default=-1.5),
    case("choose", np.array([0, 1, 5]), [np.arange(3.0), 7], mode="clip"),
    case("i0", np.linspace(0, 3, 5)),
    case("frexp", np.array([0.0, 1, -3.5, 1e-30])),
    case("divmod", np.array([7, -7, 3]), np.array([2, 2, -2])),
    case("divmod", np.array([7.5, -7, np.inf]), 2),
    case("clip", np.arange(5.0), None, None),
    case("interp", np.linspace(0, 9, 7), np.arange(5.0), np.arange(5.0) ** 2, period=4.0),
]
# Of complex numbers.
z = np.array([1 + 2j, -1.5, 0, -0.0 + 1j, complex(np.nan, 1), complex(np.inf, -np.inf)])
for d in ("complex64", "complex128"):
    c = z.astype(d)
    CASES += [case(f, c) for f in ("real", "imag", "isreal", "iscomplex", "nan_to_num", "angle")]
    CASES.append(loose("round", c, 1))
    CASES += [
        loose("angle", c, deg=True),
        loose("sinc", c[:2]),
        case("isclose", c, c, equal_nan=True),
        case("array_equal", c, c),
        case("select", [c.real > 0], [c], 1.5),
        case("where", c.real > 0, c, 0),
        at_once("real_if_close", c[1:2]),
    ]


@pytest.mark.parametrize("c", CASES, ids=str)
def test_case(c):
    check(c)


ERRORS = [
    case("select", [np.array([True])], [np.arange(2, dtype="uint8"), 1][1:], default=np.uint8(0)),
    case("select", [np.array([1, 0])], [np.arange(2)]),
    case("select", [np.array([True])], [1, 2]),
    case("isclose", np.arange(3), np.arange(4)),
    case("round", np.arange(3.0), "two"),
    case("isposinf", np.arange(3) > 0, 1, 2),
    case("nan_to_num", np.arange(3.0), nope=1),
]


@pytest.mark.parametrize("c", ERRORS, ids=str)
def test_errors(c):
    check_error(c)


def test_compositions_fuse():
    x = np.linspace(-3, 3, 1000, dtype="float32")
    with rnp.lazy():
        y = np.nan_to_num(rnp.asarray(x) * 2)
        assert loops(y) == 1
        assert loops(np.round(y, 3) + 1) == 1
        assert loops(np.isclose(y, x)) == 1
        assert loops(np.sinc(y) * y) == 1


@pytest.mark.parametrize("order", ["<", ">"])
def test_where_and_out_of_either_byte_order(order):
    x = np.arange(6.0)
    want, got = (np.full(6, -1, order + "f8") for _ in range(2))
    np.add(x, 1, out=want, where=x > 2)
    with rnp.lazy():
        assert rnp.add(rnp.asarray(x), 1, out=got, where=x > 2) is got
    np.testing.assert_array_equal(got, want)


def test_choices_are_given_alone_or_together():
    which, choices = np.array([1, 0, 2]), np.arange(9.0).reshape(3, 3)
    for give in (
        lambda m: m.choose(*choices),
        lambda m: m.choose(choices),
        lambda m: m.choose([1, 2, 3]),
    ):
        with rnp.lazy():
            got = give(rnp.asarray(which))
        np.testing.assert_array_equal(got, give(which))


def test_a_reduction_where_something_holds_needs_a_start():
    x, mask = np.arange(6.0), np.arange(6) > 7
    with rnp.lazy():
        with pytest.raises(ValueError, match="identity"):
            rnp.maximum.reduce(rnp.asarray(x), where=mask)
        got = rnp.maximum.reduce(rnp.asarray(x), where=mask, initial=-1.0)
        total = rnp.add.reduce(rnp.asarray(x), where=~mask)
    assert (float(got), float(total)) == (-1, 15)


# -- zeros of both signs, where NumPy has a rule for them


@pytest.mark.parametrize("n", [1, 3, 40])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_elements_equal_to_a_bound(dtype, n):
    zero, one = np.zeros(n, dtype), np.ones(n, dtype)
    arrays = [(zero, one), (zero, 1.0)] if n > 1 else []
    numbers = [(0, 1), (-1, 0), (-0.0, 1.0), (np.float64(0), 1), (None, 0), (0, None)]
    for bounds in numbers + arrays:
        for x in (zero, -zero):
            want = np.clip(x, *bounds)
            forms = [rnp.clip(x, *bounds), rnp.jit(lambda x: rnp.clip(x, *bounds))(x)]  # noqa: B023
            with rnp.lazy():
                forms.append(rnp.clip(rnp.asarray(x), *bounds))
            for got in forms:
                np.testing.assert_array_equal(np.signbit(got), np.signbit(want))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_elements_equal_to_a_bound_of_one_element(dtype):
    shapes, bounds = [(), (1,), (1, 1), (8,), (4, 2), (4, 1)], [(), (1,), (1, 1), (8,)]
    tried = 0
    for shape, low, high in itertools.product(shapes, bounds, bounds):
        zeros, ends = -np.zeros(shape, dtype), (np.zeros(low, dtype), np.ones(high, dtype))
        if 2 in shape and (8,) in (low, high):
            continue
        want = np.clip(zeros, *ends)
        with rnp.lazy():
            deferred = rnp.clip(rnp.asarray(zeros), *ends)
            method = rnp.asarray(zeros).clip(*map(rnp.asarray, ends))
        for got in (rnp.clip(zeros, *ends), deferred.eval(), method.eval()):
            np.testing.assert_array_equal(
                np.signbit(got), np.signbit(want), f"{shape} {low} {high}"
            )
            tried += np.shape(got) == want.shape
    assert tried > 200


@pytest.mark.parametrize("name", ["minimum", "maximum", "fmin", "fmax"])
def test_of_equal_halves_the_first(name):
    a = np.array([0.0, -0.0, np.nan, 1.0, np.nan], "float16")
    b = np.array([-0.0, 0.0, 2.0, np.nan, np.nan], "float16")
    want = getattr(np, name)(a, b)
    with rnp.lazy():
        deferred = getattr(rnp, name)(rnp.asarray(a), rnp.asarray(b))
    for got in (getattr(rnp, name)(a, b), deferred.eval()):
        np.testing.assert_array_equal(got, want)
        np.testing.assert_array_equal(np.signbit(got), np.signbit(want))


@pytest.mark.parametrize("number", [2**126, 2**127, -(2**127) - 1, 2**200, -(10**300)])
@pytest.mark.parametrize("dtype", ["int8", "uint64", "float32", "float64", "complex128"])
def test_comparisons_with_integers_of_any_size(dtype, number):
    x = np.arange(3).astype(dtype)
    for name in ("less", "less_equal", "greater", "greater_equal", "equal", "not_equal"):
        ours, theirs = getattr(rnp, name), getattr(np, name)
        with np.errstate(over="ignore"):
            want = theirs(x, number), theirs(number, x)
            forms = [(ours(x, number), ours(number, x))]
        with rnp.lazy():
            forms.append((ours(rnp.asarray(x), number), ours(number, rnp.asarray(x))))
        if dtype != "complex128":
            forms.append(rnp.jit(lambda x: (ours(x, number), ours(number, x)))(x))  # noqa: B023
        for form in forms:
            np.testing.assert_array_equal([np.asarray(got) for got in form], want, name)


def test_comparisons_with_integers_that_are_no_floats():
    with rnp.lazy():
        x = rnp.arange(3.0)
        with pytest.raises(OverflowError, match="too large"):
            _ = x < 10**400
        assert (rnp.arange(3) < 10**400).eval().all()


@pytest.mark.parametrize("x", [5, 0.5, True])
@pytest.mark.parametrize("high", [np.ones(2, "f4"), np.uint8(3), 3])
def test_a_number_that_is_clipped_has_its_own_dtype(x, high):
    wanted = np.clip(x, 0, high)
    with rnp.lazy():
        deferred = rnp.clip(x, 0, high)
    for got in (
        rnp.clip(x, 0, high),
        deferred.eval() if isinstance(deferred, rnp.Array) else deferred,
    ):
        assert got.dtype == wanted.dtype
        np.testing.assert_array_equal(got, wanted)
