"""The array API standard and NEP 50, over the whole namespace, with NumPy as the oracle.

The standard's own suite is not part of the project; `design/conformance.md` says how to run it.
"""

from __future__ import annotations

import inspect
import operator
import pickle

import numpy as np
import pytest
import rnp
from oracle import quiet

REAL = ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f4", "f8"]
ALL = ["?", *REAL, "c8", "c16"]

# What the standard of 2025.12 names, by kind. The letters say which dtypes a function takes.
UNARY = {
    "abs": "iufc", "acos": "fc", "acosh": "fc", "asin": "fc", "asinh": "fc", "atan": "fc",
    "atanh": "fc", "bitwise_invert": "biu", "ceil": "iuf", "conj": "c", "cos": "fc", "cosh": "fc",
    "exp": "fc", "expm1": "fc", "floor": "iuf", "imag": "c", "isfinite": "iufc", "isinf": "iufc",
    "isnan": "iufc", "log": "fc", "log1p": "fc", "log2": "fc", "log10": "fc", "logical_not": "b",
    "negative": "ifc", "positive": "iufc", "real": "c", "reciprocal": "fc", "round": "iufc",
    "sign": "iufc", "signbit": "f", "sin": "fc", "sinh": "fc", "sqrt": "fc", "square": "iufc",
    "tan": "fc", "tanh": "fc", "trunc": "iuf",
}  # fmt: skip
BINARY = {
    "add": "iufc", "atan2": "f", "bitwise_and": "biu", "bitwise_left_shift": "iu",
    "bitwise_or": "biu", "bitwise_right_shift": "iu", "bitwise_xor": "biu", "copysign": "f",
    "divide": "fc", "equal": "biufc", "floor_divide": "iuf", "greater": "iuf",
    "greater_equal": "iuf", "hypot": "f", "less": "iuf", "less_equal": "iuf", "logaddexp": "f",
    "logical_and": "b", "logical_or": "b", "logical_xor": "b", "maximum": "iuf", "minimum": "iuf",
    "multiply": "iufc", "nextafter": "f", "not_equal": "biufc", "pow": "iufc", "remainder": "iuf",
    "subtract": "iufc",
}  # fmt: skip
# The names of the parameters that a caller may write, beyond the operands.
SIGNATURES = {
    "all": "axis keepdims", "any": "axis keepdims", "arange": "", "argmax": "axis keepdims",
    "argmin": "axis keepdims", "argsort": "axis descending stable", "asarray": "dtype device copy",
    "astype": "copy device", "broadcast_arrays": "", "broadcast_to": "shape", "can_cast": "",
    "clip": "min max", "concat": "axis", "count_nonzero": "axis keepdims", "cross": "axis",
    "cumulative_prod": "axis dtype include_initial",
    "cumulative_sum": "axis dtype include_initial", "diff": "axis n prepend append",
    "empty": "shape dtype device", "empty_like": "dtype device", "expand_dims": "axis",
    "eye": "k dtype device", "fft.fft": "n axis norm", "fft.fftfreq": "d dtype device",
    "fft.fftn": "s axes norm", "fft.fftshift": "axes", "fft.hfft": "n axis norm",
    "fft.ifft": "n axis norm", "fft.irfft": "n axis norm", "fft.rfft": "n axis norm",
    "fft.rfftfreq": "d dtype device", "finfo": "", "flip": "axis", "from_dlpack": "device copy",
    "full": "shape fill_value dtype device", "full_like": "fill_value dtype device", "iinfo": "",
    "isdtype": "", "isin": "invert", "linalg.cholesky": "upper", "linalg.diagonal": "offset",
    "linalg.matrix_norm": "keepdims ord", "linalg.qr": "mode", "linalg.svd": "full_matrices",
    "linalg.trace": "offset dtype", "linalg.vector_norm": "axis keepdims ord",
    "linspace": "num dtype device endpoint", "matmul": "", "matrix_transpose": "",
    "max": "axis keepdims", "mean": "axis keepdims", "meshgrid": "indexing",
    "min": "axis keepdims", "moveaxis": "", "nonzero": "", "ones": "shape dtype device",
    "ones_like": "dtype device", "permute_dims": "axes", "prod": "axis dtype keepdims",
    "repeat": "axis", "reshape": "shape copy", "result_type": "", "roll": "shift axis",
    "searchsorted": "side sorter", "sort": "axis descending stable", "squeeze": "axis",
    "stack": "axis", "std": "axis correction keepdims", "sum": "axis dtype keepdims",
    "take": "axis",
    "take_along_axis": "axis", "tensordot": "axes", "tile": "", "tril": "k", "triu": "k",
    "unique_all": "", "unique_counts": "", "unique_inverse": "", "unique_values": "",
    "unstack": "axis", "var": "axis correction keepdims", "vecdot": "axis", "where": "",
    "zeros": "shape dtype device", "zeros_like": "dtype device",
}  # fmt: skip
# Elementary functions may differ in the last bits; the rest have NumPy's.
EXACT = {
    "abs", "add", "bitwise_and", "bitwise_invert", "bitwise_left_shift", "bitwise_or",
    "bitwise_right_shift", "bitwise_xor", "ceil", "conj", "copysign", "equal", "floor",
    "floor_divide", "greater", "greater_equal", "imag", "isfinite", "isinf", "isnan", "less",
    "less_equal", "logical_and", "logical_not", "logical_or", "logical_xor", "maximum", "minimum",
    "negative", "nextafter", "not_equal", "positive", "real", "remainder", "round", "sign",
    "signbit", "sqrt", "square", "subtract", "trunc",
}  # fmt: skip


def find(module, path):
    for part in path.split("."):
        module = getattr(module, part)
    return module


def values(dtype):
    """Return the values of a dtype at which functions turn: zeros, ones, ends, NaN, infinities."""
    kind = np.dtype(dtype).kind
    if kind == "b":
        return np.array([False, True, True, False])
    if kind in "iu":
        info = np.iinfo(dtype)
        return np.array([0, 1, 3, 7, info.max, max(info.min, -5)], dtype)
    parts = [0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 3.5, 1e30, np.inf, -np.inf, np.nan]
    if kind == "f":
        return np.array(parts, dtype)
    # NumPy's complex functions differ among C libraries where a part is not finite.
    finite = [0.0, 1.0, -1.0, 0.5, -2.5]
    return np.array([complex(a, b) for a in finite for b in finite[1:]], dtype)


def lazily(function, *args):
    """Run in a block; return the result's value, after what it had said of itself held."""
    with rnp.lazy():
        got = function(*args)
        said = got.shape, got.dtype
    value = np.asarray(got)
    assert (value.shape, value.dtype) == said
    return value


def check(path, x, got, want):
    assert (got.dtype, got.shape) == (want.dtype, want.shape)
    if path in EXACT and x.dtype.kind != "c":
        np.testing.assert_array_equal(got, want)
        # Which of two zeros is the larger NumPy's own loops disagree about.
        if want.dtype.kind == "f" and path not in ("maximum", "minimum"):
            number = ~np.isnan(want)
            np.testing.assert_array_equal(np.signbit(got)[number], np.signbit(want)[number])
    else:
        eps = np.finfo(want.dtype).eps if want.dtype.kind in "fc" else 0
        np.testing.assert_allclose(got, want, rtol=8 * eps, atol=8 * eps)


def test_the_namespace_says_what_it_is():
    assert rnp.__array_api_version__ == "2025.12"
    info = rnp.__array_namespace_info__()
    assert info.capabilities() == {
        "boolean indexing": True,
        "data-dependent shapes": True,
        "max dimensions": 64,
    }
    assert info.devices() == ("cpu",)
    assert info.default_device() == "cpu"
    numpys = np.__array_namespace_info__()
    assert info.default_dtypes() == numpys.default_dtypes()
    kinds = ["bool", "signed integer", "unsigned integer", "integral", "real floating"]
    kinds += ["complex floating", "numeric", None, ("bool", "real floating")]
    for kind in kinds:
        assert info.dtypes(kind=kind) == numpys.dtypes(kind=kind)
        assert list(info.dtypes(kind=kind)) == list(numpys.dtypes(kind=kind)) or kind
    for call in (info.dtypes, info.default_dtypes):
        with pytest.raises(ValueError, match="gpu"):
            call(device="gpu")
    with pytest.raises(ValueError, match="kind"):
        info.dtypes(kind="text")
    with rnp.lazy():
        x = rnp.zeros(3)
        for version in (None, "2022.12", "2025.12"):
            assert x.__array_namespace__(api_version=version) is rnp
        with pytest.raises(ValueError, match="1999"):
            x.__array_namespace__(api_version="1999.12")


@pytest.mark.parametrize("path", SIGNATURES)
def test_signatures(path):
    function = find(rnp, path)
    parameters = inspect.signature(function).parameters if SIGNATURES[path] else {}
    assert set(SIGNATURES[path].split()) <= set(parameters)


@pytest.mark.parametrize("name", UNARY)
def test_functions_of_one_array(name):
    for dtype in ALL:
        x = values(dtype)
        if x.dtype.kind not in UNARY[name] or (x.dtype.kind == "b" and name == "reciprocal"):
            continue
        with quiet():
            want = np.asarray(getattr(np, name)(x))
            check(name, x, lazily(lambda x: getattr(rnp, name)(rnp.asarray(x)), x), want)
            check(name, x, np.asarray(getattr(rnp, name)(x)), want)


@pytest.mark.parametrize("name", BINARY)
def test_functions_of_two_arrays(name):
    for dtype in ALL:
        x = values(dtype)
        if x.dtype.kind not in BINARY[name]:
            continue
        a, b = x[:, None], x[None, :]
        if name in ("bitwise_left_shift", "bitwise_right_shift"):
            b = np.arange(5, dtype=dtype)[None, :]
        if name == "pow":
            if x.dtype.kind == "c":
                continue
            b = np.arange(4, dtype=dtype)[None, :]
        if name == "divide" and x.dtype.kind == "c":
            a, b = a[a != 0][:, None], b[b != 0][None, :]
        with quiet():
            want = np.asarray(getattr(np, name)(a, b))
            call = getattr(rnp, name)
            check(name, x, lazily(lambda a, b, call=call: call(rnp.asarray(a), b), a, b), want)
            check(name, x, np.asarray(call(a, b)), want)


@pytest.mark.parametrize("dtype", ALL)
def test_dtypes_of_results(dtype):
    x = np.ones((2, 3), dtype)
    calls = [
        "all", "any", "argmax", "argmin", "argsort", "count_nonzero", "cumulative_sum", "diff",
        "flip", "matrix_transpose", "max", "mean", "min", "nonzero", "prod", "roll", "sort", "std",
        "sum", "tril", "unique_values", "var", "zeros_like", "full_like", "isin", "searchsorted",
    ]  # fmt: skip
    more = {"cumulative_sum": {"axis": 0}, "roll": {"shift": 1}}
    operands = {"full_like": (x, 1), "isin": (x, x), "searchsorted": (x[0], x)}
    for name in calls:
        args, keywords = operands.get(name, (x,)), more.get(name, {})
        if name == "diff" and dtype == "?":
            continue
        want = getattr(np, name)(*args, **keywords)
        with rnp.lazy():
            got = getattr(rnp, name)(*map(rnp.asarray, args), **keywords)
        pairs = zip(got, want, strict=True) if isinstance(want, tuple) else [(got, want)]
        for g, w in pairs:
            assert (g.dtype, g.shape) == (np.asarray(w).dtype, np.shape(w)), name
            assert np.asarray(g).dtype == w.dtype, name


# -- keywords that NumPy lacks


@pytest.mark.parametrize("lazy", [False, True])
def test_keywords_of_the_standard(lazy):
    def run(call):
        if not lazy:
            return call(rnp, lambda x: x)
        with rnp.lazy():
            got = call(rnp, rnp.asarray)
            assert isinstance(got, rnp.Array)
        return np.asarray(got)

    x = np.array([[3, 1, 2, 1], [0, 5, 5, -1]], "int16")
    got = run(lambda m, a: m.sort(a(x), descending=True))
    np.testing.assert_array_equal(got, [[3, 2, 1, 1], [5, 5, 0, -1]])
    got = run(lambda m, a: m.sort(a(x), axis=0, descending=True, stable=True))
    np.testing.assert_array_equal(got, np.sort(x, axis=0)[::-1])
    got = run(lambda m, a: m.sort(a(x), descending=False))
    np.testing.assert_array_equal(got, np.sort(x))
    got = run(lambda m, a: m.argsort(a(x), descending=True, stable=True))
    np.testing.assert_array_equal(got, [[0, 2, 1, 3], [1, 2, 0, 3]])
    assert got.dtype == np.intp
    got = run(lambda m, a: m.argsort(a(x), axis=0, descending=True))
    np.testing.assert_array_equal(got, [[0, 1, 1, 0], [1, 0, 0, 1]])
    for name in ("fftfreq", "rfftfreq"):
        got = run(lambda m, a, name=name: getattr(m.fft, name)(8, d=0.5, dtype="float32"))
        np.testing.assert_array_equal(got, getattr(np.fft, name)(8, 0.5).astype("float32"))
        assert got.dtype == "float32"
    np.testing.assert_array_equal(run(lambda m, a: m.clip(a(x), 1, max=2)), np.clip(x, 1, 2))
    np.testing.assert_array_equal(run(lambda m, a: m.clip(a(x), min=1)), np.clip(x, 1, None))


def test_limits_of_arrays():
    with rnp.lazy():
        for x in (rnp.zeros(2, dtype="float32"), np.zeros(2, "float32"), "float32", np.float32):
            assert rnp.finfo(x).dtype == "float32"
            assert rnp.finfo(x).eps == np.finfo("float32").eps
        for x in (rnp.zeros(2, dtype="int8"), np.zeros(2, "int8"), "int8", np.int8):
            assert rnp.iinfo(x).max == 127
    assert isinstance(rnp.finfo("float64"), rnp.finfo)
    assert type(rnp.iinfo("int8")) is np.iinfo


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "complex64", "complex128"])
def test_limits_are_floats_and_numpys_scalars(dtype):
    ours, theirs = rnp.finfo(dtype), np.finfo(dtype)
    ones = (np.ones(2, "int16"), np.ones(2, "float16"), np.ones(2), 1, 1.0, 1 + 0j)
    assert ours is rnp.finfo(dtype)
    assert (repr(ours), str(ours)) == (repr(theirs), str(theirs))
    assert (ours.bits, ours.dtype) == (theirs.bits, theirs.dtype)
    assert pickle.loads(pickle.dumps(ours)) is ours
    names = ["eps", "epsneg", "max", "min", "resolution", "smallest_normal", "smallest_subnormal"]
    for name in [*names, "tiny"]:
        got, want = getattr(ours, name), getattr(theirs, name)
        assert isinstance(got, float)
        assert isinstance(got, type(want))
        assert (got, repr(got), str(got), hash(got)) == (want, repr(want), str(want), hash(want))
        assert (type(got / 2), type(-got)) == (type(want / 2), type(-want))
        assert pickle.loads(pickle.dumps(got)) == want
        for other in ones:
            product = np.multiply(other, want)
            assert np.result_type(other, got) == product.dtype
            assert rnp.multiply(other, got).dtype == product.dtype
            with rnp.lazy():
                assert rnp.multiply(other, got).dtype == product.dtype


def test_dlpack_keywords():
    with rnp.lazy():
        x = rnp.asarray(np.arange(3.0)) + 1
    for keywords in (
        {},
        {"copy": True},
        {"copy": False},
        {"max_version": (1, 0)},
        {"stream": None},
    ):
        assert "dltensor" in repr(x.__dlpack__(**keywords))
    with pytest.raises((BufferError, RuntimeError, ValueError)):
        x.__dlpack__(dl_device=(2, 0))


# -- NEP 50, complex included

NUMBERS = [-1, 200, 40_000, 3 * 10**9, 2**62, 2**64, True, 1.5, 1e300, 1j]
OPERATORS = {
    "add": operator.add,
    "subtract": operator.sub,
    "divide": operator.truediv,
    "floor_divide": operator.floordiv,
    "less": operator.lt,
    "equal": operator.eq,
    "bitwise_and": operator.and_,
}


def outcome(call):
    try:
        return np.asarray(call())
    except (TypeError, ValueError, OverflowError) as error:
        return type(error)


@pytest.mark.parametrize("dtype", [*ALL, "f2"])
@pytest.mark.parametrize("name", OPERATORS)
def test_nep_50(name, dtype):
    x = np.array([1, 0, 1], dtype)
    dtypes = [*ALL, "f2"]
    others = [np.array([1, 1, 0], d) for d in dtypes] + [np.array(1, d) for d in dtypes]
    others += [np.dtype(d).type(1) for d in dtypes] + NUMBERS
    run = OPERATORS[name]
    for other in others:
        with quiet():
            for first in (True, False):
                pair = (x, other) if first else (other, x)
                want = outcome(lambda pair=pair: run(*pair))
                with rnp.lazy():
                    y = rnp.asarray(x)
                    pair = (y, other) if first else (other, y)
                    got = outcome(lambda pair=pair: told(run(*pair)))
                compare(got, want)
            want = outcome(lambda other=other: getattr(np, name)(x, other))
            with rnp.lazy():
                got = outcome(lambda other=other: told(getattr(rnp, name)(rnp.asarray(x), other)))
            compare(got, want)


def told(deferred):
    """Check that an array evaluates to the dtype and shape that it states."""
    value = np.asarray(deferred)
    assert (value.dtype, value.shape) == (deferred.dtype, deferred.shape)
    return value


def compare(got, want):
    if isinstance(want, type):
        assert got is want
    else:
        assert got.dtype == want.dtype
        np.testing.assert_array_equal(got, want)


# -- errors

X = np.ones((2, 3), "float32")
MISTAKES = {
    "shapes": lambda m, x: m.add(x, m.ones(4)),
    "a shape": lambda m, x: m.reshape(x, (4, 2)),
    "axis": lambda m, x: m.sum(x, axis=2),
    "axis twice": lambda m, x: m.sum(x, axis=(0, 0)),
    "axis of concat": lambda m, x: m.concat([x, x], axis=3),
    "lengths of concat": lambda m, x: m.concat([x, m.ones((2, 2, 2))]),
    "stack": lambda m, x: m.stack([x, m.ones((3, 2))]),
    "permutation": lambda m, x: m.permute_dims(x, (0, 0)),
    "squeeze": lambda m, x: m.squeeze(x, axis=0),
    "broadcast_to": lambda m, x: m.broadcast_to(x, (2, 2)),
    "bits of floats": lambda m, x: m.bitwise_and(x, x),
    "index": lambda m, x: x[5],
    "too many indices": lambda m, x: x[0, 0, 0],
    "matmul": lambda m, x: m.matmul(x, x),
    "negative length": lambda m, x: m.zeros(-1),
    "dtype": lambda m, x: m.zeros(2, dtype="no dtype"),
    "negative powers": lambda m, x: m.pow(m.ones(2, dtype="int8"), -1),
    "number too large": lambda m, x: m.add(m.ones(2, dtype="int8"), 300),
    "an unknown keyword": lambda m, x: m.sum(x, sideways=True),
    "argmax of nothing": lambda m, x: m.argmax(m.zeros(0)),
    "max of nothing": lambda m, x: m.max(m.zeros(0)),
    "truth of many": lambda m, x: bool(x),
    "float of many": lambda m, x: float(x),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_errors_are_numpys(name):
    mistake = MISTAKES[name]
    with pytest.raises(Exception) as wanted:  # noqa: PT011 - whatever NumPy raises
        mistake(np, X)
    with pytest.raises(wanted.type):
        mistake(rnp, X)
    with rnp.lazy(), pytest.raises(wanted.type):
        mistake(rnp, rnp.asarray(X))
