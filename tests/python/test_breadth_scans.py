"""Running sums, differences, slopes, areas."""

from __future__ import annotations

import numpy as np
import pytest
import rnp
from breadth import case, check, check_error, error, loops, loose, same
from conftest import DTYPES
from oracle import FLOATS, ordinary

CASES = []
for d in DTYPES:
    x = ordinary(d, (-20, 20), 24, 3).reshape(4, 6)
    CASES += [
        case("cumsum", x),
        case("cumsum", x, axis=-1),
        case("cumprod", x, 0),
        case("cumsum", x, 0, dtype="float64"),
        case("cumulative_sum", x, axis=1),
        case("cumulative_sum", x, axis=0, include_initial=True),
        case("cumulative_prod", x[0]),
        case("diff", x),
        case("diff", x, 2, axis=0),
        case("diff", x, n=0),
        case("diff", x, prepend=x[:, :2]),
        case("diff", x, prepend=x[0, 0], append=x[0, 1], axis=0),
        case("diff", x, n=9),
        loose("trapezoid", x),
        loose("trapezoid", x, dx=0.5, axis=0),
        loose("trapezoid", x, np.arange(6.0) ** 2),
        loose("trapezoid", x, x[::-1].copy(), axis=0),
    ]
    if d != "bool":
        CASES += [
            case("gradient", x[0]),
            case("gradient", x, axis=0),
            case("gradient", x),
            case("gradient", x, 2.0, axis=1, edge_order=2),
            case("gradient", x, 0.5, np.float64(3.0)),
            case("ediff1d", x),
            case("ediff1d", x, to_end=x[0]),
            case("ediff1d", x[:1, :1], x[0, :2], to_begin=x[0, 0]),
            case("unwrap", x),
        ]
    if d[0] in "if":
        CASES += [
            case("unwrap", x, axis=0, period=7),
            case("unwrap", x, discont=5, period=8),
        ]
for d in FLOATS:
    x = ordinary(d, (-9, 9), 30, 4)
    CASES += [
        case("gradient", x, np.arange(30.0) ** 2),
        case("gradient", x, edge_order=2),
        case("unwrap", x, period=2.5),
        case("diff", x[:1]),
        case("diff", x[:0]),
    ]


@pytest.mark.parametrize("c", CASES, ids=str)
def test_case(c):
    check(c)


SCANS = [np.add, np.multiply, np.maximum, np.minimum]
# Long enough for groups, rows and chunks; empty along the axis and beside it.
SHAPES = [(1,), (700,), (3, 300), (300, 3), (2, 9, 40), (19, 5, 3), (0,), (2, 0, 3)]


def _scanned(ufunc, x, axis, **keywords):
    """Give what rnp's scan is at once and deferred."""
    ours = getattr(rnp, ufunc.__name__).accumulate
    with rnp.lazy():
        later = ours(rnp.asarray(x), axis, **keywords)
    return ours(x, axis, **keywords), later.eval()


@pytest.mark.parametrize("ufunc", SCANS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("d", [*DTYPES, "complex64", "complex128"])
def test_scans_have_numpys_bits_in_any_layout(ufunc, d):
    for shape in SHAPES:
        size = int(np.prod(shape))
        x = ordinary(d, (-2, 2), size, 5).reshape(shape) if size else np.empty(shape, d)
        for view in (x, x.T, x[::-1], x[..., ::2], x.astype(x.dtype.newbyteorder())):
            for axis in range(-1, view.ndim):
                with np.errstate(all="ignore"):
                    want = ufunc.accumulate(view, axis)
                for got in _scanned(ufunc, view, axis):
                    # NumPy contracts products of complex numbers, or not, by their place.
                    close = ufunc is np.multiply and want.dtype.kind == "c"
                    told = same(got, want, close=close)
                    assert not told, (shape, view.strides, axis, told)


@pytest.mark.parametrize("ufunc", SCANS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("d", ["float16", "float32", "float64", "complex64"])
def test_scans_of_special_values(ufunc, d):
    values = [0.0, -0.0, 1.0, -0.0, 0.0, np.inf, -np.inf, 2.0, np.nan, 3.0]
    for x in (np.array(values, d), np.array(values[::-1], d), np.array(values[:5] * 60, d)):
        with np.errstate(all="ignore"):
            want = ufunc.accumulate(x)
            if ufunc is np.multiply and d == "complex64":
                continue
            for got in _scanned(ufunc, x, 0):
                assert not same(got, want, close=d == "complex64")


@pytest.mark.parametrize("ufunc", SCANS, ids=lambda f: f.__name__)
def test_scans_into_other_dtypes_and_arrays(ufunc):
    ours = getattr(rnp, ufunc.__name__)
    x = ordinary("float32", (-3, 3), 600, 6).reshape(2, 300)
    for d in ("bool", "int8", "uint16", "int64", "float16", "float64", "complex64"):
        for source in (x, x.astype("int16"), x.T):
            with np.errstate(all="ignore"):
                want = ufunc.accumulate(source, 1, dtype=d)
                for got in _scanned(ufunc, source, 1, dtype=d):
                    assert not same(got, want, close=ufunc is np.multiply and d == "complex64")
    out, twin = np.zeros((2, 300)), np.zeros((2, 300))
    assert ours.accumulate(x, 1, out=out) is out
    ufunc.accumulate(x, 1, out=twin)
    assert (out == twin).all()
    with rnp.lazy():
        later = rnp.zeros((2, 300))
        assert ours.accumulate(rnp.asarray(x), axis=1, out=(later,)) is later
    assert (later.eval() == twin).all()


def test_scans_take_what_numpy_takes():
    assert rnp.maximum.accumulate([1, 3, 2]).tolist() == [1, 3, 3]
    assert rnp.cumsum(5).tolist() == [5]
    assert rnp.add.accumulate(np.array(["a", "b"], object)).tolist() == ["a", "ab"]
    for wrong in (lambda np: np.add.accumulate(1), lambda np: np.add.accumulate([[1]], axis=None)):
        kinds = [error(wrong, module) for module in (np, rnp)]
        assert kinds[0] is not None
        assert kinds[0] is kinds[1]
        with rnp.lazy():
            assert error(wrong, rnp) is kinds[0]


def test_a_scan_is_a_node_and_its_neighbours_fuse():
    x = np.linspace(-3, 3, 1000, dtype="float32")
    with rnp.lazy(fallbacks="error"):
        y = np.sqrt(np.abs(rnp.cumsum(rnp.asarray(x) * 2 + 1))) * 0.5
        plan = rnp.plan(y)
        assert plan.loops == 2
        assert "cumsum" in plan.text

    @rnp.jit
    def envelope(x):
        return rnp.maximum.accumulate(np.abs(x)) * 2

    for n in (1, 7, 900):
        assert (envelope(x[:n]) == np.maximum.accumulate(np.abs(x[:n])) * 2).all()
    assert envelope.traces == 1


ERRORS = [
    case("gradient", np.array([True, False, True])),
    case("unwrap", np.arange(3, dtype="uint8"), period=7),
    case("diff", np.zeros(3), -1),
    case("diff", np.float64(3)),
    case("diff", np.zeros(3), axis=1),
    case("diff", np.zeros((3, 2)), append=np.zeros(3)),
    case("cumsum", np.zeros(3), axis=1),
    case("cumsum", np.zeros(3), axis=0.5),
    case("cumulative_sum", np.zeros((3, 2))),
    case("ediff1d", np.arange(3), to_end=0.5),
    case("gradient", np.zeros(1)),
    case("gradient", np.zeros((3, 3)), 1, 2, 3),
    case("gradient", np.zeros(3), edge_order=3),
    case("trapezoid", np.zeros(3), np.zeros(4)),
]


@pytest.mark.parametrize("c", ERRORS, ids=str)
def test_errors(c):
    check_error(c)


def test_compositions_fuse():
    x = np.linspace(-3, 3, 1000)
    with rnp.lazy():
        y = rnp.asarray(x) * 2
        assert loops(np.abs(np.diff(y, 2)) + 1) == 1
        assert loops(np.trapezoid(y, dx=0.1)) == 1
