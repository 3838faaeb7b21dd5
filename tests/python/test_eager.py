"""Calls outside of blocks, which build no graph: the bits of a block, whatever comes in.

What NumPy says of them is asked in `test_ops` and `test_reductions`, which run in all modes.
"""

from __future__ import annotations

import ctypes
import platform
import subprocess
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import rnp
from oracle import ALL_LAYOUTS, OPS, differs, lazily, mixed, ordinary, ours, outcome

FOLDS = [*rnp._core._folds(), "mean", "var", "std"]
# Around a tile, a block, and what a thread takes.
LENGTHS = [1, 2, 31, 1023, 1025, 4097, 33_000, 70_000]
# float16 has its own way, int8 meets it in uint8; the rest differ in width alone.
SOME = ["bool", "int8", "int16", "uint64", "float16", "float32", "float64"]


def value(x: Any) -> Any:
    """Give arrays without axes as scalars: what a block gives, evaluated, is an array."""
    return x[()] if isinstance(x, np.ndarray) and x.ndim == 0 else x


def check(function: Callable[..., Any], *args: Any) -> None:
    """Compare a call with the same one in a block, errors too."""
    got, want = outcome(function, *args), outcome(lazily, function, *args)
    told = differs(value(got), value(want))
    assert not told, (told, [getattr(a, "shape", a) for a in args])


@pytest.mark.parametrize("dtype", SOME)
@pytest.mark.parametrize("name", OPS)
def test_an_op_gives_the_bits_of_a_block(name: str, dtype: str) -> None:
    arity, _, domain = OPS[name]
    function = ours(name)
    x = mixed(dtype, domain)
    if arity == 1:
        check(function, x)
        check(function, ordinary(dtype, domain, 5_000, 1)[::2])
        return
    if arity == 3:
        for c in (x > 0, ordinary("float32", (-1, 1), len(x), 2), True, 0):
            check(function, c, x, x[::-1])
            check(function, c, x, 2)
        return
    check(function, x, x[::-1])
    for other in ("int8", "float16", "float32"):
        check(function, x, ordinary(other, domain, len(x), 2))
        check(function, x[:6].reshape(2, 3), ordinary(other, domain, 3, 2))
    numbers = (2, 0.5, 2.0, -1, True, np.float32(1.5), np.int16(3), 2**40)
    for number in (*numbers, 0, -0.0, 0.1, 2.0**-126, float("inf"), float("nan"), 15, 16):
        check(function, x, number)
        check(function, number, x)


@pytest.mark.parametrize("layout", ALL_LAYOUTS)
@pytest.mark.parametrize("dtype", ["int16", "float16", "float32"])
def test_memory_of_every_kind(layout: str, dtype: str) -> None:
    x = ALL_LAYOUTS[layout](np.resize(mixed(dtype), (6, 15)))
    y = ordinary(dtype, (1, 9), 15, 4)
    for function in (rnp.add, rnp.maximum, rnp.divide, rnp.power):
        check(function, x, y)
        check(function, y, x)
        check(function, x, x)
        check(function, x, 3)
    for function in (rnp.negative, rnp.exp, rnp.isnan, rnp.square):
        check(function, x)
    check(lambda a: rnp.clip(a, -1, 1), x)
    check(lambda a: rnp.clip(a, None, 2), x)
    check(lambda a, b: rnp.clip(a, b, b + 3), x, y)
    check(lambda a: rnp.where(a > 0, a, 0), x)
    for to in ("bool", "uint8", "int64", "float16", "float64"):
        check(lambda a, to=to: rnp.astype(a, to), x)
    for name in FOLDS:
        for axis in (None, 0, -1):
            for keepdims in (False, True):
                fold = getattr(rnp, name)
                check(lambda a, f=fold, axis=axis, k=keepdims: f(a, axis=axis, keepdims=k), x)


@pytest.mark.parametrize("dtype", SOME)
@pytest.mark.parametrize("name", FOLDS)
def test_a_reduction_gives_the_bits_of_a_block(name: str, dtype: str) -> None:
    fold = getattr(rnp, name)
    x = ordinary(dtype, (-3, 3), max(LENGTHS), 3)
    for n in LENGTHS:
        check(fold, x[:n])
    check(fold, x[1:40_000:3])
    shapes = [
        (2, 4_000),
        (4_000, 2),
        (2, 9_000),
        (300, 40),
        (3, 5, 700),
        (1_500, 20),
        (1, 7),
        (7, 1),
    ]
    for shape in shapes:
        a = x[: np.prod(shape)].reshape(shape)
        for axis in range(-1, a.ndim):
            check(lambda a, axis=axis: fold(a, axis), a)
            check(lambda a, axis=axis: fold(a, axis), a.T)


@pytest.mark.parametrize("n", LENGTHS)
def test_lengths(n: int) -> None:
    x = ordinary("float32", (-1, 1), n, 5)
    steps = ordinary("int16", (-99, 99), n, 6)
    check(rnp.tanh, x)
    check(rnp.add, x, steps)
    check(rnp.multiply, x, 0.25)
    check(rnp.subtract, x, x[::-1])
    check(lambda a: rnp.clip(a, -0.5, 0.5), x)
    check(lambda a, b: rnp.where(b, a, -a), x, steps)
    check(lambda a: rnp.astype(a, "int16"), x)


def test_results_are_fresh_and_writable() -> None:
    for n in (1, 64, 300_000):
        x = np.ones(n, np.float32)
        x.flags.writeable = False
        for y in (rnp.positive(x), rnp.astype(x, "float32"), rnp.clip(x, 0, 1), rnp.where(x, x, 0)):
            assert y.flags.writeable
            assert y.flags.c_contiguous
            assert not np.shares_memory(x, y)
            y[:] = 7
        assert (x == 1).all()


def test_results_without_axes_are_scalars() -> None:
    zero_d = np.array(-2.5, np.float32)
    for x in (zero_d, zero_d[()]):
        assert type(rnp.abs(x)) is np.float32
        assert rnp.abs(x) == 2.5
        assert type(rnp.add(x, x)) is np.float32
        assert type(rnp.sum(x)) is np.float32
        assert type(rnp.where(True, x, x)) is np.ndarray
    assert type(rnp.astype(zero_d, "int8")) is np.ndarray
    assert type(rnp.sqrt(2.0)) is np.float64
    assert type(rnp.add(1, 2)) is np.int64
    assert type(rnp.any(np.ones(3))) is np.bool_
    assert type(rnp.argmax(np.ones(3))) is np.int64


def test_what_is_not_ordinary_goes_the_long_way() -> None:
    x = np.arange(1, 5, dtype=np.int16)
    masked = np.ma.masked_equal(x, 2)
    assert isinstance(rnp.add(masked, 1), np.ma.MaskedArray)
    assert rnp.sum(masked) == 8
    assert rnp.equal(np.array(["a", "b"]), np.array(["a", "c"])).tolist() == [True, False]
    assert rnp.add(x, 1j).dtype == np.complex128
    for wrong in ("x", None, object()):
        with pytest.raises(TypeError):
            rnp.exp(wrong)
    with pytest.raises(OverflowError, match="40000"):
        rnp.add(x, 40_000)
    with pytest.raises(ValueError, match="broadcast"):
        rnp.add(x, x[:3])
    with pytest.raises(ValueError, match="negative integer powers"):
        rnp.power(x, -x)
    with pytest.raises(ValueError, match="negative integer powers"):
        rnp.power(x, -1)
    with pytest.raises(np.exceptions.AxisError):
        rnp.sum(x, axis=1)
    with pytest.raises(ValueError, match="no identity"):
        rnp.max(x[:0])
    assert rnp.less(np.uint64(3), np.int64(-1)) is np.False_
    assert rnp.equal(x, 2**100).tolist() == [False] * 4
    assert rnp.logical_and(x, 2**40).tolist() == [True] * 4


def test_keywords_are_numpys() -> None:
    x = np.linspace(-1, 1, 7, dtype=np.float32)
    out = np.zeros(7, np.float32)
    assert rnp.add(x, 1, out=out) is out
    assert (out == x + np.float32(1)).all()
    assert rnp.add(x, 1, dtype="float64").dtype == np.float64
    assert rnp.exp(x, where=x > 0, out=out) is out
    total = np.zeros((), np.float32)
    assert rnp.sum(x, None, None, total) is total
    assert rnp.max(x, initial=5) == 5
    assert rnp.clip(x, 0, 1, out=out) is out
    with pytest.raises(TypeError):
        rnp.add(x, 1, nonsense=2)
    with pytest.raises(TypeError):
        rnp.add(x)


@pytest.mark.parametrize("shape", [(-1, 1), (3, 8), 24, -1, [4, 6], np.int64(24), (5, 5), (), None])
@pytest.mark.parametrize("kind", ["contiguous", "strided", "list", "matrix", "masked", "single"])
def test_reshape_is_numpys(kind: str, shape: Any) -> None:
    x = np.arange(24.0).reshape(4, 6)
    given: Any = {
        "contiguous": x,
        "strided": x.T,
        "list": x.tolist(),
        "matrix": x.view(np.matrix),
        "masked": np.ma.masked_array(x, x > 5),
        "single": np.array(1.0),
    }[kind]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of None for a shape
        got, want = (outcome(f, given, shape) for f in (rnp.reshape, np.reshape))
    assert not differs(got, want)
    if isinstance(want, np.ndarray):
        assert type(got) is type(want)
        assert np.shares_memory(got, x) == np.shares_memory(want, x)


def test_reshape_has_numpys_keywords() -> None:
    x = np.arange(6)
    assert rnp.reshape(x, (2, 3), order="F").tolist() == [[0, 2, 4], [1, 3, 5]]
    assert not np.shares_memory(rnp.reshape(x, (2, 3), copy=True), x)
    with pytest.raises(ValueError, match="cannot reshape"):
        rnp.reshape(x, (4, 2))


@pytest.mark.parametrize("name", ["tanh", "expm1"])
def test_amended_functions_write_where_they_are_told(name: str) -> None:
    ours, numpys = getattr(rnp, name), getattr(np, name)
    x = np.linspace(-2, 2, 9, dtype=np.float32)
    y = np.empty_like(x)
    assert ours(x, out=y) is y
    np.testing.assert_array_equal(y, numpys(x))
    assert ours(x, dtype=np.complex128).dtype == np.complex128
    # Where the standard and NumPy differ, with and without a place for it.
    z = np.array([complex(np.inf, 2.0), complex(-np.inf, np.inf), 0.5 + 1j])
    w = np.empty_like(z)
    with np.errstate(invalid="ignore"):
        assert ours(z, out=w) is w
        np.testing.assert_array_equal(w, ours(z))
        assert w.tobytes() != numpys(z).tobytes()


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", "int32", "uint32"])
@pytest.mark.parametrize("name", ["floor_divide", "remainder", "fmod"])
def test_integers_divide_as_numpys(name: str, dtype: str) -> None:
    info = np.iinfo(dtype)
    draw = np.random.default_rng(1).integers
    a, b = (draw(info.min, info.max, 5000, dtype, endpoint=True) for _ in range(2))
    b[::3] >>= info.bits // 2
    a[:4], b[:4] = info.min, (-1 if info.min else 1, 0, 1, info.max)
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(getattr(rnp, name)(a, b), getattr(np, name)(a, b))


@pytest.mark.parametrize("name", ["floor_divide", "remainder", "fmod"])
def test_floats_that_are_far_apart_divide_as_numpys(name: str) -> None:
    draw = np.random.default_rng(2)
    a, b = (draw.normal(size=5000).astype(np.float32) for _ in range(2))
    a[::70] *= np.float32(1e12)
    b[5::90] = 0.0
    b[7::90] = np.inf
    with np.errstate(all="ignore"):
        got, want = (getattr(xp, name)(a, b) for xp in (rnp, np))
    np.testing.assert_array_equal(got, want)
    np.testing.assert_array_equal(np.signbit(got[want == 0]), np.signbit(want[want == 0]))


def test_deferred_operands_outside_of_a_block() -> None:
    with rnp.lazy():
        deferred = rnp.asarray([1.0, 4.0]) * 2
    assert rnp.sqrt(deferred).tolist() == np.sqrt([2.0, 8.0]).tolist()
    assert rnp.hstack([deferred, deferred]).tolist() == [2, 8, 2, 8]
    assert rnp.cumsum(deferred).tolist() == [2, 10]
    assert rnp.add(np.ones(2), 1, out=np.zeros(2)).tolist() == [2, 2]


@pytest.mark.parametrize("n", [1, 7, 4096, 4097])
@pytest.mark.parametrize("dtype", ["int16", "int32", "float32", "float64"])
def test_elements_and_a_number_in_either_order(dtype: str, n: int) -> None:
    x = ordinary(dtype, (-100, 100), 2 * n, 1)
    for function in (np.add, np.subtract, np.multiply, np.divide, np.minimum, np.maximum):
        for number in (3, 0.7, -4.0, np.float32(0.3), np.float64(2.5), np.int16(9)):
            for y in (x[:n], x[::2], x[: n // 2 * 2].reshape(2, -1)):
                check(ours(function.__name__), y, number)
                check(ours(function.__name__), number, y)


@pytest.mark.parametrize("dtype", ["int16", "uint8", "float32", "float64"])
def test_quotient_and_remainder_in_one_call(dtype: str) -> None:
    x, y = ordinary(dtype, (-100, 100), 300, 1), ordinary(dtype, (-9, 9), 300, 2)
    with np.errstate(all="ignore"):
        for operands in ((x, y), (x[::2], 7), (5, y), (x[:1], y), (x[0], y[0]), (7, 2.5)):
            both = rnp.divmod(*operands)
            assert type(both) is tuple
            for ours, theirs in zip(both, np.divmod(*operands), strict=True):
                assert type(ours) is type(theirs)
                assert ours.dtype == theirs.dtype
                np.testing.assert_array_equal(ours, theirs)
                np.testing.assert_array_equal(np.signbit(ours), np.signbit(theirs))


def test_subnormals_are_kept_beside_a_library_that_drops_them() -> None:
    if platform.machine() != "x86_64" or not sys.platform.startswith("linux"):
        pytest.skip("switches the mode by the C library's x86-64 layout")
    libm = ctypes.CDLL("libm.so.6")
    mode = (ctypes.c_uint8 * 32)()
    tiny = np.full(4, np.finfo(np.float32).smallest_subnormal, np.float32)
    libm.fegetenv(mode)
    before = bytes(mode)
    flushing = bytearray(before)
    # fenv_t ends in MXCSR: flush to zero is bit 15, denormals are zero bit 6.
    flushing[28:32] = (int.from_bytes(before[28:32], "little") | 0x8040).to_bytes(4, "little")
    try:
        libm.fesetenv((ctypes.c_uint8 * 32)(*flushing))
        doubled, total = rnp.add(tiny, tiny), rnp.sum(tiny)
    finally:
        libm.fesetenv((ctypes.c_uint8 * 32)(*before))
    assert (doubled == 2 * tiny).all()
    assert total == 4 * tiny[0]


def test_import_leaves_what_takes_long_until_it_is_asked_for() -> None:
    code = (
        "import sys, numpy\n"
        "before = set(sys.modules)\n"
        "import rnp\n"
        "slow = {'numpy.random', 'numpy.testing', 'numpy.ma', 'unittest', 'rnp.audio'}\n"
        "assert not slow & (set(sys.modules) - before), slow & set(sys.modules)\n"
        "assert rnp.random.normal(size=3).shape == (3,) and rnp.audio.__name__ == 'rnp.audio'\n"
        "assert dict(rnp.coverage().rows)['random.normal'] == 'NumPy'\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_a_first_call_finds_all_that_it_needs() -> None:
    code = (
        "import sys, numpy\n"
        "before = set(sys.modules)\n"
        "import rnp\n"
        "assert 'dataclasses' not in set(sys.modules) - before\n"
        "numpy.lib.NumpyVersion = None  # by which its table of functions is found\n"
        "assert rnp.abs(-numpy.ones(3)).sum() == 3\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
