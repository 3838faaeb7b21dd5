"""Complex arrays against NumPy: arithmetic, promotion, layouts, special values, folds, stores."""

from __future__ import annotations

import itertools
import warnings

import numpy as np
import pytest
import rnp
from conftest import DTYPES
from oracle import ALL_LAYOUTS, lazily, quiet
from rnp import _core

COMPLEX = ["complex64", "complex128"]
PARTS = [0.0, -0.0, 1.0, -2.5, np.inf, -np.inf, np.nan]


def finite(dtype, count, seed=0):
    """Return complex numbers of all sizes and quadrants."""
    rng = np.random.default_rng(seed)
    size = 10.0 ** rng.uniform(-3, 3, count)
    return (size * np.exp(2j * np.pi * rng.random(count))).astype(dtype)


def specials(dtype):
    """Return every pair of special parts."""
    out = np.empty(len(PARTS) ** 2, dtype)
    pairs = np.array(list(itertools.product(PARTS, PARTS)))
    out.real, out.imag = pairs.T
    return out


def near(got, want, ulp=8):
    """Compare values that are near each other as complex numbers."""
    assert got.dtype == want.dtype
    assert got.shape == want.shape
    eps = np.finfo(want.dtype).eps if want.dtype.kind in "fc" else 0
    np.testing.assert_allclose(got, want, rtol=ulp * eps, atol=0)


UNARY = ["negative", "positive", "absolute", "square", "reciprocal", "exp", "sqrt", "sign"]
BINARY = ["add", "subtract", "multiply", "divide"]
TESTS = ["isnan", "isinf", "isfinite", "logical_not"]
PAIRS = ["equal", "not_equal", "logical_and", "logical_or", "logical_xor"]


@pytest.mark.parametrize("name", UNARY)
@pytest.mark.parametrize("dtype", COMPLEX)
def test_unary(name, dtype):
    z = finite(dtype, 3000) if name != "exp" else finite(dtype, 3000) / 100
    near(lazily(getattr(rnp, name), z), getattr(np, name)(z), 16)


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("dtype", COMPLEX)
def test_binary(name, dtype):
    z, w = finite(dtype, 3000), finite(dtype, 3000, 1)
    with quiet():
        want = getattr(np, name)(z, w)
    got = lazily(getattr(rnp, name), z, w)
    assert got.dtype == want.dtype
    # A sum of parts may cancel: near as complex numbers, by the size of what was added.
    size = np.abs(z) + np.abs(w) if name in ("add", "subtract") else np.abs(want)
    assert (np.abs(got - want) <= 8 * np.finfo(dtype).eps * size).all()


@pytest.mark.parametrize("name", ["add", "subtract", "multiply"])
@pytest.mark.parametrize("dtype", COMPLEX)
def test_special_values_of_arithmetic(name, dtype):
    z = specials(dtype)
    a, b = z[:, None], z[None, :]
    with quiet():
        want = getattr(np, name)(a, b)
    np.testing.assert_array_equal(lazily(getattr(rnp, name), a, b), want)


@pytest.mark.parametrize("name", ["negative", "absolute", *TESTS])
@pytest.mark.parametrize("dtype", COMPLEX)
def test_special_values_of_one(name, dtype):
    z = specials(dtype)
    with quiet():
        want = getattr(np, name)(z)
    got = lazily(getattr(rnp, name), z)
    assert got.dtype == want.dtype
    np.testing.assert_allclose(got, want, rtol=1e-6 if dtype == "complex64" else 1e-15)


def test_roots_on_the_axes():
    z = np.array([complex(a, b) for a, b in itertools.product([0.0, -0.0, 4.0, -4.0], repeat=2)])
    got, want = lazily(rnp.sqrt, z), np.sqrt(z)
    np.testing.assert_allclose(got, want, rtol=1e-15)
    np.testing.assert_array_equal(np.signbit(got.imag), np.signbit(want.imag))


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_roots_of_the_largest_and_the_least(dtype):
    top = float(np.finfo(dtype).max)
    parts = [top, -top, 0.6 * top, 1.0, 0.0, float(np.finfo(dtype).smallest_subnormal)]
    z = np.array([complex(a, b) for a, b in itertools.product(parts, repeat=2)], dtype)
    eps = np.finfo(dtype).eps
    np.testing.assert_allclose(lazily(rnp.sqrt, z), np.sqrt(z), rtol=4 * eps, atol=0)


def test_division_by_zero():
    z = np.array([1 + 2j, 0j, complex(np.inf, 1)])
    with quiet():
        want = z / np.zeros(3, complex)
    np.testing.assert_array_equal(lazily(lambda z: z / rnp.zeros(3, complex), z), want)


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("dtype", COMPLEX)
def test_comparisons(name, dtype):
    z = specials(dtype)
    a, b = z[:, None], z[None, :]
    np.testing.assert_array_equal(lazily(getattr(rnp, name), a, b), getattr(np, name)(a, b))


@pytest.mark.parametrize("first", [*DTYPES, *COMPLEX])
@pytest.mark.parametrize("second", COMPLEX)
def test_promotion(first, second):
    a, b = np.ones(3, first), np.full(3, 2 + 1j, second)
    for x, y in ((a, b), (b, a)):
        want = x + y
        got = lazily(lambda x, y: x + y, x, y)
        assert got.dtype == want.dtype == np.result_type(first, second)
        np.testing.assert_array_equal(got, want)
    assert rnp.concatenate([a, b]).dtype == np.concatenate([a, b]).dtype


@pytest.mark.parametrize("dtype", [*DTYPES, *COMPLEX])
@pytest.mark.parametrize(
    "number", [2j, 3, 0.5, True, np.complex64(1j), np.complex128(1j), np.float64(2)]
)
def test_promotion_with_numbers(dtype, number):
    x = np.ones(3, dtype)
    want = x * number
    for got in (lazily(lambda x: x * number, x), lazily(lambda x: number * x, x)):
        assert got.dtype == want.dtype
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("dtype", COMPLEX)
@pytest.mark.parametrize("other", [*DTYPES, *COMPLEX])
def test_casts(dtype, other):
    z = np.array([0, 1, 2 + 3j, 1j], dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", np.exceptions.ComplexWarning)
        want = z.astype(other)
    np.testing.assert_array_equal(lazily(lambda z: z.astype(other), z), want)
    x = np.array([0, 1, 3], other)
    got = lazily(lambda x: x.astype(dtype), x)
    assert got.dtype == dtype
    np.testing.assert_array_equal(got, x.astype(dtype))


@pytest.mark.parametrize("layout", ALL_LAYOUTS)
@pytest.mark.parametrize("dtype", COMPLEX)
def test_layouts(layout, dtype):
    z = ALL_LAYOUTS[layout](finite(dtype, 60).reshape(6, 10))
    with quiet():
        want = (z * z + 1).astype(dtype)
    got = lazily(lambda z: z * z + 1, z)
    assert got.shape == want.shape
    np.testing.assert_allclose(got, want, rtol=1e-5)
    assert isinstance(got, type(want))


def test_parts_and_views():
    z = finite("complex64", 60).reshape(6, 10)
    for f in (
        lambda z: z.real,
        lambda z: z.imag,
        lambda z: z.conj(),
        lambda z: z[::-2, 3],
        lambda z: z.T.reshape(-1),
        lambda z: z.reshape(3, -1)[None],
        lambda z: (z * 2).real.T,
    ):
        np.testing.assert_array_equal(lazily(f, z), f(z))
    x = np.arange(3.0)
    np.testing.assert_array_equal(lazily(lambda x: x.imag, x), x.imag)
    np.testing.assert_array_equal(lazily(lambda x: x.real, x), x)
    got = lazily(lambda z: rnp.broadcast_to(z, (4, 6, 10)), z)
    np.testing.assert_array_equal(got, np.broadcast_to(z, (4, 6, 10)))


@pytest.mark.parametrize("dtype", COMPLEX)
@pytest.mark.parametrize("axis", [None, 0, 1, (0, 1)])
def test_reductions(dtype, axis):
    z = finite(dtype, 3000).reshape(60, 50)
    for name in ("sum", "mean"):
        got = lazily(lambda z, name=name: getattr(rnp, name)(z, axis=axis), z)
        want = getattr(np, name)(z, axis=axis)
        assert got.dtype == want.dtype
        np.testing.assert_allclose(got, want, rtol=1e-3 if dtype == "complex64" else 1e-11)
    for name in ("any", "all"):
        got = lazily(lambda z, name=name: getattr(rnp, name)(z * 0, axis=axis), z)
        np.testing.assert_array_equal(got, getattr(np, name)(z * 0, axis=axis))
    total = lazily(lambda z: rnp.sum(z.real + 1j, axis=axis), z)
    np.testing.assert_allclose(total, np.sum(z.real + 1j, axis=axis), rtol=1e-3)


def test_where_update_concatenate():
    z, w = finite("complex64", 40), finite("complex64", 40, 1)
    got = lazily(lambda z, w: rnp.where(z.real > w.real, z, w), z, w)
    np.testing.assert_array_equal(got, np.where(z.real > w.real, z, w))
    got = lazily(lambda z, w: _core._update(z, [("index", slice(2, None, 3))], w[:13] * 2), z, w)
    want = z.copy()
    want[2::3] = w[:13] * 2
    np.testing.assert_array_equal(got, want)
    got = lazily(lambda z, w: rnp.concatenate([z, w.real, w + 1]), z, w)
    np.testing.assert_array_equal(got, np.concatenate([z, w.real, w + 1]))


def test_real_operands_broadcast():
    z, x = finite("complex128", 4), np.arange(12.0).reshape(3, 4)
    for f in (
        lambda z, x: (z + x)[1:],
        lambda z, x: rnp.sum(z + x, axis=0) if isinstance(z, rnp.Array) else np.sum(z + x, axis=0),
        lambda z, x: (x - z).imag,
        lambda z, x: (z * x).T,
    ):
        np.testing.assert_allclose(lazily(f, z, x), f(z, x), rtol=1e-14)


def test_values_are_kept_and_go_on():
    z = finite("complex64", 1000)
    with rnp.lazy():
        y = rnp.asarray(z) * 2
        first = y.eval()
        w = abs(y + 1) + y.real
    np.testing.assert_array_equal(first, z * 2)
    np.testing.assert_allclose(w.eval(), np.abs(z * 2 + 1) + (z * 2).real, rtol=1e-5, atol=1e-4)


def test_opaque_calls_take_and_give_complex_numbers():
    z, w = finite("complex64", 40), finite("complex128", 40, 1)

    def infer(*operands):
        return "complex128", operands[0][1]

    def turn(*operands):
        return (operands[0] + sum(operands[1:])).astype("complex128")[::-1].copy()

    with rnp.lazy():
        x, y = rnp.asarray(z), rnp.asarray(w)
        parts = [x, y * 2, x.imag, y.imag[::2].reshape(-1, 1)[:, 0][0], (x + 1).real]
        out = _core._call(turn, parts, None, None, "turn", infer)
        again = out * 2 + out.imag
    want = turn(z, w * 2, z.imag, w.imag[0], (z + 1).real)
    got = rnp.eval(out, again)
    np.testing.assert_allclose(got[0], want, rtol=1e-6)
    np.testing.assert_allclose(got[1], want * 2 + want.imag, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_exp_without_direction_is_as_c_has_it(dtype):
    ends = [-np.inf, -1e3, -1.0, -0.0, 0.0, 1.0, 1e3, np.inf, np.nan]
    z = np.array([complex(a, b) for a in ends for b in ends]).astype(dtype)
    with np.errstate(all="ignore"):
        want = np.exp(z)
    got = lazily(lambda z: rnp.exp(z), z)
    # C leaves the signs of an infinity and of a zero without direction open.
    for part in ("real", "imag"):
        np.testing.assert_allclose(
            abs(getattr(got, part)), abs(getattr(want, part)), rtol=1e-6, err_msg=f"{part} of {z}"
        )


def test_what_has_no_kernel_says_so():
    z = np.ones(4, "complex64")
    for f in (
        lambda z: _core.sin(z),
        lambda z: _core.floor(z),
        lambda z: _core.less(z, z),
        lambda z: _core.max(z),
        lambda z: _core.prod(z),
        lambda z: _core.std(z),
        lambda z: _core.interp(z, [1.0, 2.0], [1.0, 2.0]),
        lambda z: _core.bitwise_and(z, z),
        lambda z: _core.clip(z, 0, 1),
    ):
        with pytest.raises(rnp.Unsupported, match="no kernel for complex"):
            lazily(f, z)


def test_what_has_no_kernel_is_numpys():
    z = np.exp(1j * np.arange(40)).astype("complex64")
    for f in (
        lambda z: np.sin(z),
        lambda z: np.log(z) * 2,
        lambda z: z**2.5,
        lambda z: z < 1j,
        lambda z: np.max(z),
        lambda z: np.prod(z[:5]),
        lambda z: np.std(z),
        lambda z: np.cumsum(z),
        lambda z: np.sort(z),
    ):
        want = f(z)
        got = lazily(f, z)
        assert got.dtype == want.dtype
        np.testing.assert_allclose(got, want, rtol=1e-4)


def test_jit():
    @rnp.jit
    def turn(z, g):
        return abs(z * z + 1) * g, z * g

    for n in (10, 1000, 3):
        z, g = finite("complex64", n), np.float32(0.5)
        a, b = turn(z, g)
        np.testing.assert_allclose(a, np.abs(z * z + 1) * g, rtol=1e-5)
        np.testing.assert_allclose(b, z * g, rtol=1e-6)
    assert turn.traces == 1


def test_a_chain_is_one_loop():
    z, w = finite("complex64", 1000), finite("complex64", 1000, 1)
    with rnp.lazy():
        plan = rnp.plan(abs(rnp.asarray(z) * rnp.asarray(w) + 1))
        gain = rnp.plan(rnp.asarray(z) * rnp.asarray(w.real))
    assert (plan.loops, plan.temporaries) == (1, 0)
    assert (gain.loops, gain.temporaries) == (1, 0)
    assert gain.bytes_moved == 1000 * (8 + 4 + 8)


@pytest.mark.parametrize("d", ["complex64", "complex128"])
@pytest.mark.parametrize("name", ["reciprocal", "sqrt", "square", "divide"])
def test_special_parts_are_numpys(name, d):
    parts = [0.0, -0.0, 1.0, -2.5, np.inf, -np.inf, np.nan]
    z = np.array([complex(a, b) for a in parts for b in parts], d)
    args = np.meshgrid(z, z) if name == "divide" else [z]
    with np.errstate(all="ignore"):
        want = getattr(np, name)(*args)
    with rnp.lazy():
        got = getattr(rnp, name)(*map(rnp.asarray, args)).eval()
    eps = np.finfo(want.dtype).eps
    for a, b in ((got.real, want.real), (got.imag, want.imag)):
        np.testing.assert_allclose(a, b, rtol=4 * eps, atol=0)
        told = ~np.isnan(b)
        assert (np.signbit(a) == np.signbit(b))[told].all()


@pytest.mark.parametrize("dtype", ["c8", "c16"])
def test_signs_of_endless_numbers_are_their_directions(dtype):
    most = np.finfo(dtype).max
    parts = [np.inf, -np.inf, np.nan, 0.0, -0.0, 1.0, -3.0, most, -most / 1.1]
    z = np.array([complex(a, b) for a in parts for b in parts]).astype(dtype)
    with quiet():
        want = np.sign(z)
    for got in (rnp.sign(z), lazily(lambda: rnp.sign(z)), rnp.jit(rnp.sign)(z)):
        for part in ("real", "imag"):
            ours, theirs = getattr(np.asarray(got), part), getattr(want, part)
            np.testing.assert_array_equal(ours, theirs)
            assert (np.signbit(ours) == np.signbit(theirs))[~np.isnan(theirs)].all()


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
@pytest.mark.parametrize("name", ["real", "imag", "angle", "isreal", "iscomplex"])
def test_parts_by_functions_fuse(name, dtype):
    x = np.array([1 + 2j, -3, 0j, complex(-0.0, -0.0), complex(np.nan, 1), -2j]).astype(dtype)
    keywords = [{}, {"deg": True}] if name == "angle" else [{}]
    for given in keywords:
        want = getattr(np, name)(x * 1, **given)
        with rnp.lazy(fallbacks="error"):
            got = getattr(rnp, name)(rnp.asarray(x) * 1, **given)
            assert rnp.plan(got).loops == 1
        assert (got.dtype, got.shape) == (want.dtype, want.shape)
        if name == "angle":
            np.testing.assert_allclose(got, want, rtol=2 * np.finfo(dtype).eps)
        else:
            np.testing.assert_array_equal(got, want)
        if name in {"real", "imag"}:
            np.testing.assert_array_equal(np.signbit(got), np.signbit(want))
