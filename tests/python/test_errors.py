"""Wrong arguments: exceptions of NumPy's types that say what is accepted, and never a panic."""

from __future__ import annotations

import itertools
from contextlib import nullcontext, suppress

import numpy as np
import pytest
import rnp

X = np.arange(6.0).reshape(2, 3)


def lazy(values=X):
    with rnp.lazy():
        return rnp.asarray(values)


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (lambda: rnp.add(X, np.zeros(4)), ValueError, "add.*broadcast"),
        (lambda: rnp.sum(X, axis=2), np.exceptions.AxisError, "axis 2 is out of bounds"),
        (lambda: rnp.sum(X, axis=2**63), (np.exceptions.AxisError, OverflowError), ""),
        (lambda: rnp.sum(X, axis=(0, 0)), ValueError, "duplicate"),
        (lambda: rnp.sum(X, axis=0.5), TypeError, "integer"),
        (lambda: rnp.max(np.zeros(0)), ValueError, "no identity"),
        (lambda: rnp.argmax(np.zeros(0)), ValueError, "empty"),
        (lambda: rnp.add(np.uint8(1), 300), OverflowError, "300"),
        (lambda: rnp.add(np.zeros(1, "int8"), 10**30), OverflowError, "int8"),
        (lambda: rnp.add(np.zeros(1, "int8"), 10**60), OverflowError, "127 bits"),
        (lambda: rnp.subtract(True, np.bool(False)), TypeError, "bool"),
        (lambda: rnp.bitwise_and(X, X), TypeError, "bitwise_and.*float64"),
        (lambda: rnp.sqrt(["a"]), TypeError, "sqrt"),
        (lambda: rnp.sqrt(None), TypeError, "NoneType"),
        (lambda: rnp.sqrt(object()), TypeError, "object"),
        (lambda: rnp.sqrt(np.array("2020", "M8[s]")), TypeError, "sqrt"),
        (lambda: rnp.astype(X, "nonsense"), TypeError, "nonsense"),
        (lambda: rnp.reshape(X, (4, 2)), ValueError, "cannot reshape"),
        (lambda: rnp.reshape(X, (-1, -1)), ValueError, "one unknown"),
        (lambda: rnp.transpose(X, (0, 0)), ValueError, "repeated"),
        (lambda: rnp.squeeze(X, 0), ValueError, "not equal to one"),
        (lambda: rnp.broadcast_to(X, (2,)), ValueError, "broadcast|dimensions"),
        (lambda: rnp.zeros(-1), ValueError, "negative"),
        (lambda: rnp.zeros((2**31, 2**31, 2**31)), ValueError, "too"),
        (lambda: rnp.zeros(2**70), ValueError, "too|Maximum"),
        (lambda: rnp.arange(1, 2, 0), ZeroDivisionError, "step"),
        (lambda: rnp.arange(0, float("nan")), ValueError, "size|length"),
        (lambda: rnp.arange(10**40), (OverflowError, ValueError), "127|size"),
        (lambda: rnp.linspace(0, 1, -1), ValueError, "non-negative"),
        (lambda: rnp.interp(1.0, [], []), ValueError, "empty"),
        (lambda: rnp.interp(1.0, [1, 2], [1]), ValueError, "length"),
        (lambda: rnp.power(np.array([2]), -1), ValueError, "negative integer powers"),
        (lambda: rnp.clip(X, 0, 1, min=0), (TypeError, ValueError), "twice|forbidden"),
        (lambda: lazy()[2], IndexError, "out of bounds"),
        (lambda: lazy()[0.5], IndexError, "only integers"),
        (lambda: lazy()[0, 0, 0], IndexError, "too many"),
        (lambda: lazy()[2**70], IndexError, ""),
        (lambda: lazy()[::0], ValueError, "zero"),
        (lambda: lazy()["a"], IndexError, ""),
        (lambda: lazy().reshape(4), ValueError, "reshape"),
        (lambda: hash(lazy()), TypeError, "unhashable"),
        (lambda: lazy() @ X, (TypeError, ValueError), ""),
        (lambda: rnp.Array(), TypeError, ""),
        (lambda: object.__new__(rnp.Array), TypeError, ""),
    ],
)
def test_error(call, kind, text):
    with pytest.raises(kind, match=f"(?s){text}"):
        call()


@pytest.mark.parametrize(
    "call",
    [
        lambda np: np.sqrt(1j),
        lambda np: np.sqrt(np.zeros(2, complex)),
        lambda np: np.sqrt(np.longdouble(2)),
        lambda np: np.sqrt(np.ma.array([1.0, 4.0], mask=[True, False])),
        lambda np: np.astype(X, ">f4"),
        lambda np: np.interp(1.0, [1], [1], period=3),
        lambda np: np.sum(X, out=np.zeros(())),
        lambda np: np.reshape(X, (3, 2), order="F"),
        lambda np: np.add(X, 1, where=[True, False, True], out=np.zeros((2, 3))),
        lambda np: np.datetime64("2020") + np.timedelta64(1, "D"),
        lambda np: np.strings.upper(["a", "b"]),
    ],
)
def test_what_rnp_lacks_is_numpys(call):
    wanted = call(np)
    for block in (nullcontext(), rnp.lazy()):
        with block:
            got = call(rnp)
        got = got.eval() if isinstance(got, rnp.Array) else got
        np.testing.assert_allclose(got, wanted, rtol=1e-15) if got.dtype.kind == "c" else (
            np.testing.assert_array_equal(got, wanted)
        )
        assert got.dtype == wanted.dtype


def test_unknown_names_say_what_to_do():
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = rnp.nonsense


class Strange:
    """Answers everything in an odd way."""

    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("no")


# No long double: NumPy itself crashes on invert(longdouble, out=array(None)).
ODD = [None, ..., "a", b"b", 1j, object(), Strange(), [], [[]], [[1], [2, 3]], {}, {1}, 10**400,
       float("nan"), -(2**63), 2**64, np.zeros((0, 3)), np.array(None),
       np.array(["x"]), np.zeros(2, "V3"), slice(None), int, lambda: 0]  # fmt: skip


def functions():
    skipped = {"jit", "lazy", "TraceError", "set_num_threads", "eval"}
    for name in sorted(rnp._core.__all__):
        value = getattr(rnp, name)
        if callable(value) and not isinstance(value, type) and name not in skipped:
            yield name


@pytest.mark.parametrize("name", list(functions()))
@pytest.mark.filterwarnings("ignore")
def test_garbage_raises_ordinary_exceptions(name):
    function = getattr(rnp, name)
    for count in (1, 2, 3):
        for args in itertools.product(ODD[::count], repeat=min(count, 2)):
            args = (*args, X)[:count] if count == 3 else args
            for lazily in (False, True):
                with suppress(Exception):  # any, but no BaseException
                    if lazily:
                        with rnp.lazy():
                            function(*args)
                    else:
                        function(*args)
    assert not rnp.is_lazy()


METHODS = [n for n in dir(rnp.Array) if not n.startswith("__") and callable(getattr(rnp.Array, n))]


@pytest.mark.parametrize("name", [*METHODS, "__getitem__", "__add__", "__pow__", "__array__"])
@pytest.mark.filterwarnings("ignore")
def test_garbage_to_methods_raises_ordinary_exceptions(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # `tofile("a")` writes one
    for args in [(), *((a,) for a in ODD), *itertools.product(ODD[:12], repeat=2)]:
        with suppress(Exception):  # any, but no BaseException
            getattr(lazy(), name)(*args)


# In blocks, where NumPy is not asked: which function it was, and what it would take.
@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (lambda x: rnp.ptp(x, axis=3), np.exceptions.AxisError, "ptp: .*axis 3"),
        (lambda x: rnp.std(x, axis=3), np.exceptions.AxisError, "std: axis 3"),
        (lambda x: rnp.average(x, axis=3), np.exceptions.AxisError, "average: axis 3"),
        (lambda x: rnp.linspace(0, 10**400, 3), OverflowError, "linspace: "),
        (lambda x: rnp.any(x, keepdims="x"), TypeError, "any: .*str"),
        (lambda x: rnp.abs(x, 5), TypeError, "absolute: out must be an array, not int"),
        (lambda x: rnp.add(x, x, out="x"), TypeError, "add: out must be an array, not str"),
        (lambda x: rnp.sum(x, out=[1]), TypeError, "sum: out must be an array, not list"),
        (lambda x: rnp.add(x, x, out=np.zeros(2)), ValueError, r"\(2,\).*\(2, 3\)"),
        (lambda x: rnp.hsplit(x[:, :0], 2**70), OverflowError, ""),
        (
            lambda x: x.__setitem__((0, 0), np.ones(1)),
            ValueError,
            r"sequence, of shape \(1,\); .* one value",
        ),
        (lambda x: rnp.zeros(2, "u1").__setitem__(0, 256.5), OverflowError, "256.5 .* uint8"),
    ],
)
def test_error_in_a_block_names_the_function(call, kind, text):
    with rnp.lazy():
        x = rnp.asarray(X)
        with pytest.raises(kind, match=f"(?s){text}"):
            call(x)


def test_errors_of_users_are_as_they_were_raised():
    boom = ValueError("boom")

    def element(i, j):
        raise boom

    with rnp.lazy(), pytest.raises(ValueError, match="boom") as caught:
        rnp.fromfunction(element, (2, 2))
    assert caught.value is boom
    assert boom.args == ("boom",)
    assert caught.traceback[-1].name == "element"


@pytest.mark.parametrize("call", [lambda xp, x: xp.diff(x, axis=5), lambda xp, x: xp.flip(x, 5)])
def test_an_axis_error_in_a_block_keeps_axis_and_rank(call):
    with pytest.raises(np.exceptions.AxisError) as wanted:
        call(np, X)
    with rnp.lazy(), pytest.raises(np.exceptions.AxisError) as caught:
        call(rnp, rnp.asarray(X))
    kept = (wanted.value.axis, wanted.value.ndim)
    assert (caught.value.axis, caught.value.ndim) == kept


@pytest.mark.parametrize("value", [1000.0, np.ones(1)])
def test_a_place_that_is_none_is_told_before_its_value(value):
    with rnp.lazy(), pytest.raises(IndexError):
        rnp.zeros(6, "u1")[9] = value


def test_infinity_is_no_integer():
    with rnp.lazy(), pytest.raises(OverflowError, match=r"inf .* uint8"):
        rnp.zeros(6, "u1")[0] = np.inf
