"""Products, linear algebra, convolutions and Fourier transforms."""

from __future__ import annotations

import numpy as np
import pytest
import rnp
from breadth import at_once, case, check, check_error, error, loops, loose, same
from conftest import DTYPES
from oracle import ordinary

CASES = []
for d in DTYPES:
    a = ordinary(d, (-3, 3), 12, 3).reshape(3, 4)
    b = ordinary(d, (-3, 3), 20, 4).reshape(4, 5)
    v = a[0]
    CASES += [
        loose("dot", a, b),
        loose("dot", v, v),
        loose("dot", a, v),
        loose("dot", a, 2.0),
        loose("matmul", a, b),
        loose("matmul", v, b),
        loose("vdot", v, v),
        loose("inner", a, a),
        case("outer", a, v),
        loose("tensordot", a, b, 1),
        loose("tensordot", a, a, ((0, 1), (0, 1))),
        loose("einsum", "ij,jk->ik", a, b),
        loose("einsum", "ij->j", a),
        loose("einsum", "...j,j", a, v),
        loose("vecdot", a, v),
        case("kron", a, v),
        loose("convolve", v, b[:, 0]),
        loose("convolve", v, a[:, 0], "same"),
        loose("correlate", v, a[:, 0], "valid"),
        loose("correlate", v, b[0], "full"),
        loose("linalg.multi_dot", [a, b, b.T]),
        loose("linalg.matmul", a, b),
        loose("linalg.matrix_power", b[:, :4], 3),
        loose("polyval", v, a),
    ]
    if d != "bool":
        CASES += [loose("cross", a[:, :3], a[:, 1:])]
    if d not in ("bool", "float16"):
        CASES += [loose("linalg.det", b[:, :4])]
for d in ("float32", "float64", "int16"):
    a = ordinary(d, (-3, 3), 12, 3).reshape(3, 4)
    CASES += [
        loose("linalg.norm", a),
        loose("linalg.norm", a, keepdims=True),
        loose("linalg.norm", a, "fro"),
        loose("linalg.norm", a, 1),
        at_once("linalg.norm", a, 2),
        at_once("linalg.norm", a, "nuc"),
        *(loose("linalg.norm", a, o, axis=0) for o in (None, 0, 1, 2, 3, np.inf, -np.inf)),
        loose("linalg.norm", a[0], -np.inf),
        loose("linalg.norm", a, axis=(0, 1), keepdims=True),
        loose("linalg.vector_norm", a),
        loose("linalg.vector_norm", a, axis=1, ord=1, keepdims=True),
        loose("linalg.matrix_norm", a),
        loose("linalg.matrix_norm", a, ord=1),
        loose("linalg.tensordot", a, a, axes=((0,), (0,))),
        loose("linalg.vecdot", a, a),
        loose("linalg.cross", a[:, :3], a[:, 1:]),
        case("linalg.outer", a[0], a[1]),
    ]
square = np.array([[4.0, 1], [2, 3]])
CASES += [
    *(at_once(f"linalg.{f}", square) for f in ("inv", "qr", "eigvals", "svd", "slogdet", "pinv")),
    *(at_once(f"linalg.{f}", square) for f in ("matrix_rank", "cond", "eig", "svdvals")),
    at_once("linalg.solve", square, square[0]),
    at_once("linalg.lstsq", square, square[0]),
    at_once("linalg.cholesky", np.eye(3)),
    at_once("linalg.matrix_power", square, -1),
    loose("matvec", square, square[0]),
    loose("vecmat", square[0], square),
    at_once("polyfit", np.arange(4.0), np.arange(4.0) ** 2, 1),
    at_once("roots", np.array([1.0, -3, 2])),
    loose("polynomial.polynomial.polyval", np.arange(4.0), np.array([1.0, 2, 3]))._replace(
        at_once=True
    ),
]
# float32 stays float32 in NumPy 2, everything else is double.
for d in ("float32", "float64", "int16", "float16"):
    x = ordinary(d, (-3, 3), 30, 3).reshape(5, 6)
    for f in ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft"):
        CASES += [
            loose(f"fft.{f}", x),
            loose(f"fft.{f}", x, 9),
            loose(f"fft.{f}", x, n=4, axis=0, norm="ortho"),
        ]
    for f in ("fft2", "ifft2", "rfft2", "irfft2", "fftn", "ifftn", "rfftn", "irfftn"):
        CASES += [
            loose(f"fft.{f}", x),
            loose(f"fft.{f}", x, (4, 8), axes=(0, 1)),
            loose(f"fft.{f}", x, axes=(1, 0), norm="forward"),
        ]
    CASES += [
        case("fft.fftshift", x),
        case("fft.ifftshift", x, axes=0),
        case("fft.fftshift", x, axes=(0, -1)),
    ]
for n in (1, 2, 7, 8):
    CASES += [case("fft.fftfreq", n, 0.1), case("fft.rfftfreq", n, d=1 / 3)]


@pytest.mark.parametrize("c", CASES, ids=str)
def test_case(c):
    check(c)


A, V = np.zeros((2, 3)), np.zeros(3)
ERRORS = [
    case("dot", A, A),
    case("matmul", A, V[0]),
    case("matmul", A, A),
    case("vdot", A, V),
    case("inner", A, V[:2]),
    case("tensordot", A, A, 1),
    case("einsum", "ij,jk", A, A),
    case("einsum", "ijk", A),
    case("cross", A, A[:, :1]),
    case("convolve", A, V),
    case("convolve", V, V[:0]),
    case("convolve", V, V, mode="nonsense"),
    case("correlate", A, A),
    case("linalg.det", A),
    case("linalg.inv", A),
    case("linalg.inv", np.zeros((2, 2))),
    case("linalg.norm", A, "nonsense"),
    case("linalg.norm", A, 0),
    case("linalg.norm", A, axis=5),
    case("linalg.outer", A, V),
    case("linalg.matrix_power", A, 2),
    case("fft.fft", V, 0),
    case("fft.fft", V, axis=1),
    case("fft.rfft", V, norm="nonsense"),
    case("fft.rfft", np.zeros(3, complex)),
    case("fft.fft2", V),
    case("fft.fftn", A, (2,), axes=(0, 1)),
    case("fft.fftshift", A, axes=3),
    case("fft.fftfreq", "two"),
]


@pytest.mark.parametrize("c", ERRORS, ids=str)
def test_errors(c):
    check_error(c)


def test_compositions_fuse():
    x = np.linspace(-3, 3, 1000)
    with rnp.lazy():
        y = rnp.asarray(x) * 2
        assert loops(np.outer(y[:20], y) + 1) <= 2
        assert loops(np.polyval([1.0, 2, 3], y)) == 1
        assert loops(np.linalg.norm(y)) <= 2


@pytest.mark.parametrize("d", ["float32", "float64", "complex64", "complex128", "int16", "bool"])
def test_transforms_of_any_layout_and_length(d):
    x = ordinary(d, (-2, 2), 12 * 35, 8).reshape(12, 35)
    names = ["fft", "ifft", "irfft", "hfft"] + ([] if d[0] == "c" else ["rfft", "ihfft"])
    for name in names:
        ours, numpys = getattr(rnp.fft, name), getattr(np.fft, name)
        for view in (x, x.T, x[::-1, ::2], x[:, 3:4], x.astype(x.dtype.newbyteorder())):
            for axis in (0, 1, -1):
                for n in (None, 1, 2, 7, 40):
                    kind = error(numpys, view, n, axis)
                    if kind is not None:
                        assert error(ours, view, n, axis) is kind
                        continue
                    want = numpys(view, n, axis, "ortho")
                    with rnp.lazy():
                        later = ours(rnp.asarray(view), n, axis, norm="ortho")
                    got = ours(view, n=n, axis=axis, norm="ortho"), later.eval()
                    assert not same(got[0], got[1], close=False), "one transform, lazy or not"
                    eps = np.finfo(want.dtype).eps
                    assert (got[0].dtype, got[0].shape) == (want.dtype, want.shape)
                    np.testing.assert_allclose(got[0], want, rtol=0, atol=100 * eps)


def test_transforms_of_no_points_are_those_of_zeros():
    none = np.zeros((0, 3))
    for name in ("fft", "ifft", "rfft", "irfft"):
        got = getattr(rnp.fft, name)(none, 4, axis=0)
        assert (got == 0).all()
        assert got.shape == getattr(np.fft, name)(none, 4, axis=0).shape
        assert getattr(rnp.fft, name)(none.T[:0], axis=0, n=2).shape[1:] == (0,)
        assert error(getattr(rnp.fft, name), none, None, 0) is ValueError


def test_a_transform_of_a_line_depends_on_nothing_else():
    x = ordinary("float32", (-1, 1), 40 * 400, 9).reshape(40, 400)
    whole = rnp.fft.rfft(x)
    for i in (0, 7, 39):
        assert (rnp.fft.rfft(x[i]) == whole[i]).all()
        assert (rnp.fft.rfft(x.T, axis=0)[:, i] == whole[i]).all()


def test_transforms_are_nodes_whose_neighbours_fuse():
    x = ordinary("float32", (-1, 1), 512, 10)
    with rnp.lazy(fallbacks="error"):
        frames = rnp.asarray(x).reshape((4, 128)) * np.hanning(128).astype("float32")
        power = np.abs(np.fft.rfft(frames)) ** 2
        back = np.fft.irfft(np.fft.rfft(frames) * 2)
        assert loops(power) == 2
        assert rnp.plan(power, back).text.count("call rfft") == 1
    assert power.dtype == back.dtype == np.float32

    @rnp.jit
    def spectrum(x):
        return np.abs(rnp.fft.rfft(x * 2))

    for n in (8, 9, 400):
        np.testing.assert_allclose(
            spectrum(x[:n]), np.abs(np.fft.rfft(x[:n] * 2)), rtol=0, atol=1e-4
        )
    assert spectrum.traces == 1


def test_transforms_too_large_are_memory_errors():
    for n in (1 << 44, 1 << 62):
        with pytest.raises((MemoryError, ValueError)):
            rnp.fft.fft(np.ones(3), n)
