"""Views against NumPy: indices, reshapes, transposes, broadcasts, of inputs and of results."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import rnp
from conftest import DTYPES
from oracle import ALL_LAYOUTS, differs, lazily, mixed, outcome

HUGE = 10**30
ENDS = [None, 0, 1, 3, -1, -2, 5, -7, HUGE, -HUGE, 2**63, -(2**63), 2**64]
STEPS = [None, 1, -1, 2, -2, 3, 7, -9, HUGE, -HUGE, 2**62, -(2**63)]


def captured(x):
    """Return the array as an input."""
    return rnp.asarray(x)


def computed(x):
    """Return an array that a loop has to compute first."""
    return rnp.positive(rnp.asarray(x)) if x.dtype != bool else rnp.logical_not(rnp.asarray(~x))


SOURCES = [captured, computed]


def check(view, x, source=captured):
    """Compare a view of a deferred array, and an op on it, with NumPy's; return what differs."""
    want = outcome(lambda v: np.asarray(view(v)).astype(v.dtype.newbyteorder("="))[()], x)
    what = differs(outcome(lazily, lambda v: view(source(v)), x), want)
    if what or isinstance(want, type):
        return what
    return differs(lazily(lambda v: view(source(v)) != 0, x), want != 0)


@pytest.mark.parametrize("source", SOURCES)
def test_every_slice(source):
    x = np.arange(6, dtype="int32")
    failures = []
    for start, stop, step in itertools.product(ENDS, ENDS, STEPS):
        key = slice(start, stop, step)
        with rnp.lazy():
            y = source(x)[key]
        if y.shape != x[key].shape or differs(y.eval(), x[key]):
            failures.append(key)
    assert not failures, failures[:10]


@pytest.mark.parametrize("n", [0, 1, 2, 33])
def test_slices_of_slices(n):
    rng = np.random.default_rng(n)
    x = np.arange(n, dtype="float32")

    def some():
        """Return a random slice."""
        ends = [None if rng.random() < 0.3 else int(rng.integers(-n - 2, n + 3)) for _ in "ab"]
        return slice(*ends, int(rng.choice([-3, -2, -1, 1, 2, 5])))

    for _ in range(120):
        keys = [some() for _ in range(rng.integers(1, 4))]

        def view(v, keys=keys):
            for key in keys:
                v = v[key]
            return v

        assert check(view, x, SOURCES[rng.integers(2)]) == "", keys


KEYS = [
    0, -1, (1, 2), (slice(None), 1), (..., 0), (0, ...), (None, 0), (..., None), (0, None, -1),
    (slice(None, None, -1), slice(1, 9)),
    (slice(2, 0, -1), None, slice(None, None, 3)), (), ..., None, (None, None), np.int8(1),
    np.uint64(1), (0, 0, 0), 4, -5, 2**40, -(2**70), (..., ...), 0.5, "a", slice(0, 1, 0),
    slice(0.5), (0, 0, 0, 0), (slice(3, 1), ..., 1), (1, slice(None), None, 0),
]  # fmt: skip


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_keys(key):
    for shape in ((4, 3, 5), (5,), (2, 6), ()):
        x = np.arange(np.prod(shape, dtype=int), dtype="int16").reshape(shape)
        for source in SOURCES:
            if not shape and isinstance(outcome(lambda x=x: x[key]), type):
                # Too many indices, and some are wrong besides: either error will do.
                assert isinstance(outcome(lazily, lambda v, s=source: s(v)[key], x), type)
                continue
            assert check(lambda v: v[key], x, source) == "", (shape, source.__name__)


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("layout", ALL_LAYOUTS)
def test_reshape_over_layouts(source, layout):
    x = ALL_LAYOUTS[layout](np.arange(120, dtype="float32").reshape(6, 20))
    n = x.size
    shapes = [
        -1,
        (n,),
        (1, n, 1),
        (2, -1),
        (-1, 3),
        (4, 5, -1),
        (6, 20),
        (20, 6),
        (-1, -1),
        (0, -1),
    ]
    shapes += [(7,), (), (2**40, 2**40), (2, 3, 4, 5), (5, -1, 2, 2), (1,), (0,), (n, 1)]
    for shape in shapes:
        assert check(lambda v, s=shape: v.reshape(s), x, source) == "", shape
        assert check(lambda v, s=shape: v[:3].reshape(s) if v.ndim else v, x, source) == "", shape
        assert check(lambda v, s=shape: v.T.reshape(s), x, source) == "", shape


@pytest.mark.parametrize("source", SOURCES)
def test_transposes(source):
    for rank in range(5):
        x = np.arange(np.prod(range(2, 2 + rank), dtype=int)).reshape(tuple(range(2, 2 + rank)))
        for axes in itertools.permutations(range(rank)):
            assert check(lambda v, a=axes: v.transpose(a), x, source) == ""
            negative = tuple(a - rank for a in axes)
            assert check(lambda v, a=negative: v.transpose(*a), x, source) == ""
        for axes in [(0, 0), (rank,), (-rank - 1,), tuple(range(rank + 1)), (2**70,)]:
            assert isinstance(outcome(lazily, lambda v, a=axes: source(v).transpose(a), x), type)
        assert check(lambda v: v.T, x, source) == ""


@pytest.mark.parametrize("source", SOURCES)
def test_broadcasts(source):
    shapes = [(), (1,), (3,), (2, 1), (2, 3), (1, 3), (0,), (1, 0), (5, 1, 1)]
    failures = []
    for shape, to in itertools.product(shapes, [*shapes, (4, 2, 3), (5, 2, 3), (2, 0)]):
        x = np.arange(np.prod(shape, dtype=int), dtype="int8").reshape(shape)
        want = outcome(np.broadcast_to, x, to)
        got = outcome(lazily, lambda v, t=to: rnp.broadcast_to(source(v), t), x)
        what = differs(got, want[()] if not isinstance(want, type) else want)
        if what:
            failures.append((shape, to, what))
        other = np.ones(to, "int8")
        want = outcome(np.add, x, other)
        got = outcome(lazily, lambda v, o=other: source(v) + o, x)
        if differs(got, want):
            failures.append((shape, "+", to, differs(got, want)))
    assert not failures, failures[:10]


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dtype_through_views(dtype):
    x = np.resize(mixed(dtype), (3, 4, 5))
    views = [
        lambda v: v[::-1, ::2],
        lambda v: v.T[1:, ::-1],
        lambda v: v.reshape(-1)[5:-5:3],
        lambda v: v.reshape(4, -1).T.reshape(-1)[::-1],
        lambda v: v[1][:, None][..., 0],
        lambda v: v[:, 1, None, :].T,
    ]
    for view, source in itertools.product(views, SOURCES):
        assert check(view, x, source) == ""


def test_a_negative_length_other_than_minus_1():
    with rnp.lazy(), pytest.raises(ValueError, match="reshape"):
        rnp.asarray(np.ones(3)).reshape(-2)


def test_eager_views_of_one_element_are_arrays():
    for x in (np.ones(()), np.ones((1, 1)), [[3]], np.float32(2)):
        for name, args in [("reshape", ((),)), ("squeeze", ()), ("transpose", ())]:
            want = getattr(np, name)(x, *args)
            assert differs(getattr(rnp, name)(x, *args), want) == "", (name, x)
    assert differs(rnp.broadcast_to(3, ()), np.broadcast_to(3, ())) == ""
    assert differs(rnp.where(True, 1, 2), np.where(True, 1, 2)) == ""
    assert differs(rnp.astype(np.ones(()), "int8"), np.ones((), "int8")) == ""


def test_newaxis_squeeze_expand():
    x = np.arange(6.0).reshape(1, 6, 1)
    axes = [(), (0,), (-1,), ((0, 2),), (1,), (5,)]
    calls = [("squeeze", axis) for axis in axes] + [("ravel", ())]
    calls += [("expand_dims", (axis,)) for axis in (0, (0, -1), 7)]
    for name, args in calls:
        want = outcome(getattr(np, name), x, *args)
        got = outcome(lazily, lambda v, n=name, a=args: getattr(rnp, n)(v, *a), x)
        assert differs(got, want) == "", (name, args)


def test_many_dimensions():
    x = np.arange(64.0).reshape((2,) * 6)
    view = x[(None,) * 20]
    assert check(lambda v: v[(None,) * 20], x) == ""
    with rnp.lazy():
        y = rnp.asarray(view) + 1
    assert differs(y.eval(), view + 1) == ""
    deep = outcome(lazily, lambda v: rnp.asarray(v)[(None,) * 60] + 1, x)
    assert isinstance(deep, type) or deep.shape == (1,) * 60 + x.shape


def test_strides_of_short_axes_are_not_used():
    x = np.lib.stride_tricks.as_strided(np.arange(5.0), (1, 5, 1), (2**62, 8, -(2**62)))
    for axis in (None, 0, 1, 2):
        assert differs(rnp.sum(x, axis=axis), np.sum(x.copy(), axis=axis)) == ""
    assert differs(rnp.add(x, 1), np.add(x.copy(), 1)) == ""
    empty = np.lib.stride_tricks.as_strided(np.arange(5.0), (0, 5), (2**62, 2**61))
    assert rnp.add(empty, 1).shape == (0, 5)


def test_overlapping_inputs():
    base = np.arange(20, dtype="int32")
    windows = np.lib.stride_tricks.as_strided(base, (16, 5), (4, 4))
    assert differs(rnp.multiply(windows, 3), windows * 3) == ""
    assert differs(rnp.sum(windows, axis=0), windows.sum(axis=0)) == ""
    with rnp.lazy():
        y = rnp.asarray(base)
        y = y[1:] - y[:-1]
    assert differs(y.eval(), np.diff(base)) == ""


def _same_edits(edit):
    """Run statements with NumPy and deferred, and compare all that they leave."""
    want = edit(np)
    with rnp.lazy():
        got = edit(rnp)
    for a, b in zip(got, want, strict=True):
        assert a.shape == b.shape
        np.testing.assert_array_equal(a.eval(), b)


def test_parts_of_complex_arrays_are_views():
    def edit(np_):
        z = np_.asarray(np.arange(6) + 1j * np.arange(6)[::-1]).reshape((2, 3)) * 1
        part = z.real
        z.real[...] = 5
        z.imag[0] = -1
        part[1, 1:] *= 3
        z.T.imag[2] = 7
        z[1].real += 1
        z.real[z.real > 15] = 0
        flat = z.imag.reshape((-1,))
        flat[0] = 9
        z.real = np_.asarray([1.0, 2.0, 3.0])
        z.imag[:, ::2] += 2
        x = np_.asarray(np.arange(3.0)) * 1
        x.real[1] = 8
        return z, part, x

    _same_edits(edit)


def test_views_of_complex_arrays_write_them():
    def edit(np_):
        z = np_.asarray(np.arange(6) * (1 - 2j)).reshape((2, 3)) * 1
        row, turned, flat = z[1], z.T, z.reshape((-1,))
        row[0] = 3j
        turned[2] = 5
        flat[:2] *= 1j
        z[:, None][0] += 1
        row[1:][1:] = -1
        return z, row, turned, flat

    _same_edits(edit)


def test_an_array_takes_another_shape_in_place():
    def edit(np_):
        x = np_.asarray(np.arange(6.0)) * 1
        view = x[3:]
        x.shape = (2, 3)
        x[0, 1] = 9
        view.shape = (3, 1)
        view[2] = -1
        y = np_.asarray(np.arange(6.0)) * 1
        y.shape = -1
        y.shape = 3, -1
        return x, view, y

    _same_edits(edit)
    with rnp.lazy():
        x = rnp.asarray(np.arange(6.0)).reshape((2, 3)) * 1
        turned = x.T
        with pytest.raises(AttributeError, match="incompatible shape"):
            turned.shape = (6,)
        with pytest.raises(ValueError, match="reshape"):
            x.shape = (4,)
    assert turned.shape == (3, 2)

    @rnp.jit
    def flat(x):
        x.shape = (6,)
        return x + 1

    with pytest.raises(rnp.TraceError):
        flat(np.zeros((2, 3)))


def test_resize_changes_size_in_place():
    for shape in ((2, 4), (3,), (0,), 5):
        want = np.arange(6.0)
        want.resize(shape, refcheck=False)
        with rnp.lazy():
            x = rnp.asarray(np.arange(6.0)) * 1
            x.resize(shape)
        assert x.shape == want.shape
        np.testing.assert_array_equal(x.eval(), want)
    with rnp.lazy():
        x = rnp.asarray(np.arange(6.0)) * 1
        view = x[1:]
        for shared in (x, view):
            with pytest.raises(ValueError, match="cannot resize"):
                shared.resize(3)
        with pytest.raises(ValueError, match="negative"):
            (x + 1).resize(-1)
