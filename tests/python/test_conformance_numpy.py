"""What NumPy's own tests ask for: subclasses, `out=`, warnings of a call, one error of several."""

from __future__ import annotations

import itertools
import warnings

import numpy as np
import pytest
import rnp

X = np.arange(1.0, 7.0).reshape(2, 3)


class Tagged(np.ndarray):
    """An array with a meaning."""

    def mean(self, *args, **keywords):
        return -7


MAKE = {
    "a subclass": lambda: X.view(Tagged),
    "a matrix": lambda: np.matrix(X),
    "masked": lambda: np.ma.masked_array(X, mask=[[0, 1, 0], [0, 0, 0]]),
}
CALLS = [
    lambda m, s: m.abs(s),
    lambda m, s: m.add(s, 1.5),
    lambda m, s: m.multiply(X, s),
    lambda m, s: m.where(s > 2, s, 0),
    lambda m, s: m.clip(s, 2, 3),
    lambda m, s: m.sum(s),
    lambda m, s: m.max(s, axis=1),
    lambda m, s: m.median(s),
    lambda m, s: m.cumsum(s, axis=0),
    lambda m, s: m.maximum.accumulate(s),
    lambda m, s: m.round(s, 1),
    lambda m, s: m.frexp(s)[0],
]


@pytest.mark.parametrize("make", MAKE)
@pytest.mark.parametrize("call", CALLS)
def test_a_subclass_means_what_its_class_says(make, call):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        want, got = call(np, MAKE[make]()), call(rnp, MAKE[make]())
        assert type(got) is type(want)
        np.testing.assert_array_equal(got, want)
        with rnp.lazy():
            got = call(rnp, MAKE[make]())
        if isinstance(want, np.ndarray) and type(want) is not np.ndarray:
            assert type(got) is type(want)
        np.testing.assert_array_equal(np.asarray(got), np.asarray(want))


def test_memory_maps_are_plain_memory(tmp_path):
    (tmp_path / "x").write_bytes(X.tobytes())
    x = np.memmap(tmp_path / "x", X.dtype, "r", shape=X.shape)
    assert type(rnp.abs(x)) is type(np.abs(x)) is np.ndarray
    with rnp.lazy():
        assert isinstance(rnp.abs(x), rnp.Array)


def test_a_view_as_a_subclass_is_written_through():
    with rnp.lazy():
        x = rnp.zeros(3)
        x.view(Tagged)[1] = 5
    np.testing.assert_array_equal(x.eval(), [0, 5, 0])


# -- arguments


def test_clip_takes_numpys_two_bounds():
    for block in (False, True):
        for bad in [
            lambda m, x: m.clip(x, 2),
            lambda m, x: m.clip(x, a_min=2),
            lambda m, x: m.clip(x, a_max=2),
            lambda m, x: m.clip(x, 1, 2, min=0),
            lambda m, x: m.clip(x, a_min=1, a_max=2, max=0),
        ]:
            with pytest.raises((TypeError, ValueError)) as wanted:
                bad(np, X)
            with rnp.lazy() if block else np.errstate(), pytest.raises(wanted.type) as got:
                bad(rnp, rnp.asarray(X))
            assert str(got.value) == str(wanted.value)
        with rnp.lazy() if block else np.errstate():
            x = rnp.asarray(X)
            for got in (x.clip(2), x.clip(min=2), rnp.clip(x, min=2), rnp.clip(x, 2, None)):
                np.testing.assert_array_equal(got, X.clip(2))
            n = rnp.arange(5)
            for far in (2**300, 2**126):
                np.testing.assert_array_equal(rnp.clip(n, 3, far), [3, 3, 3, 3, 4])
                np.testing.assert_array_equal(n.clip(-far, 3), [0, 1, 2, 3, 3])
            assert rnp.clip(rnp.asarray(np.array([1e50])), None, 10**40).tolist() == [1e40]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["logaddexp", "logaddexp2"])
def test_accumulate_takes_the_steps_of_the_function(name, dtype):
    ours = getattr(rnp, name)
    x = (np.arange(60).reshape(3, 4, 5) * 7919 % 1009 / 100 - 5).astype(dtype)
    for y, axis in itertools.product((x, x[:, ::-2], x.T), range(3)):
        lines = np.moveaxis(y, axis, 0)
        want = np.stack(list(itertools.accumulate(lines, ours)))
        got = ours.accumulate(y, axis)
        np.testing.assert_array_equal(np.moveaxis(got, axis, 0), want)
        with rnp.lazy():
            np.testing.assert_array_equal(ours.accumulate(y, axis), got)
    for other in (np.arange(5), x[0, 0].astype("float16")):
        want = getattr(np, name).accumulate(other)
        got = ours.accumulate(other)
        assert got.dtype == want.dtype
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("name", ["std", "var"])
def test_a_mean_that_is_given_changes_no_bit(name):
    x = np.random.default_rng(1).normal(size=(10, 20, 5))
    ours = getattr(rnp, name)
    for y in (x, x.astype("float32")):
        mean = rnp.mean(y, axis=1, keepdims=True)
        for keywords in ({}, {"ddof": 1}, {"correction": 2}, {"keepdims": True}):
            want = ours(y, axis=1, **keywords)
            np.testing.assert_array_equal(ours(y, axis=1, mean=mean, **keywords), want)
            with rnp.lazy():
                got = ours(rnp.asarray(y), axis=1, mean=rnp.asarray(mean), **keywords)
                np.testing.assert_array_equal(got, want)
    with np.errstate(all="ignore"), pytest.warns(RuntimeWarning, match="Degrees of freedom"):
        ours(x[:1], axis=0, ddof=1, mean=x[:1])


def test_out_of_another_shape_is_numpys_to_judge():
    with rnp.lazy():
        x, one = rnp.asarray(X), rnp.zeros(1)
        assert rnp.percentile(x, 50, out=one) is one
        with pytest.raises(ValueError, match="reduction operation fmax"):
            rnp.nanmax(x, out=rnp.zeros(2))
        for bad in (np.zeros(()), np.zeros((3, 1), object)):
            with pytest.raises(ValueError, match="cumsum: out has the shape"):
                rnp.cumsum(x, out=bad)
    assert one.eval() == 3.5


def test_where_without_out_warns():
    where = np.array([True, False, True])
    for block in (False, True):
        with rnp.lazy() if block else np.errstate():
            with pytest.warns(UserWarning, match="'where' used without 'out'") as seen:
                rnp.add(X, 1, where=where)
            assert seen[0].filename == __file__
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                rnp.add(X, 1, where=where, out=None)
                rnp.add(X, 1, where=True)


def test_results_of_ufuncs_by_place():
    first, second = np.empty((2, 3)), np.empty((2, 3), "int32")
    assert rnp.frexp(X, first)[0] is first
    assert rnp.frexp(X, first, second)[1] is second
    np.testing.assert_array_equal(second, np.frexp(X)[1])


# -- attributes and kinds of results in blocks


def test_attributes_of_deferred_arrays():
    with rnp.lazy():
        for shape in [(), (1,), (3,), (2, 3), (1, 4, 1), (2, 0, 3)]:
            x = rnp.zeros(shape)
            assert x.flags == np.zeros(shape).flags
        with pytest.raises(AttributeError, match="not writable"):
            x.device = "other"
        with pytest.raises(ValueError, match="stream"):
            x.to_device("cpu", stream=1)
        with pytest.raises(RuntimeError, match="32 dimensions"):
            _ = rnp.ones((1,) * 33).flat
        assert rnp.isscalar(rnp.sum(x))
        assert not rnp.isscalar(x)
        assert rnp.isscalar(3)
    assert rnp.isscalar(rnp.sum(x))


def test_what_cannot_be_deferred_is_numpys():
    class Float(np.float64):
        """A number with a method."""

        def log(self):
            return 7.0

    with rnp.lazy():
        assert rnp.log(rnp.array(Float(2), dtype=object)) == 7.0
        assert type(rnp.argmin(np.array([3, 1], object))) is np.int64
        assert type(rnp.asarray(2.0).astype(object)) is float
        assert not rnp.asarray(2.0).astype(">f8").dtype.isnative
        assert rnp.array([1, 2], dtype=object, ndmax=0).ndim == 0
        fields = np.dtype(("i4", [("a", "i2"), ("b", "i2")]))
        assert rnp.zeros(2, fields).dtype.names == ("a", "b")
        assert rnp.logical_and.reduce(np.array(b"1", "V3"))


def test_numbers_of_nothing_and_steps_of_nan():
    for nothing in (rnp.nanmean, rnp.nanvar, rnp.nanstd):
        with rnp.lazy():
            with pytest.warns(RuntimeWarning, match="empty slice|Degrees of freedom"):
                nothing(rnp.zeros((0, 3)), axis=0)
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                nothing(rnp.zeros((0, 3)), axis=1)
    for block in (False, True):
        mode = rnp.lazy() if block else np.errstate()
        with mode, pytest.raises(ValueError, match="cannot compute length"):
            rnp.arange(1, 2, np.nan)


# -- indices


@pytest.mark.parametrize(
    "key",
    [
        ([5], 9),
        ([5], -9, None),
        ([0, 1], [9, 9]),
        ([7, 0], [1, 2, 3]),
        ([0, 7], [9, 1]),
        ([5], [0], [1]),
        ([5], 1.5),
        (np.array([True, False, True]), 9),
    ],
)
def test_of_several_mistakes_numpys_first_is_told(key):
    with pytest.raises(IndexError) as wanted:
        X[key]
    with rnp.lazy():
        with pytest.raises(IndexError) as got:
            rnp.asarray(X)[key]
        assert str(got.value) == str(wanted.value)
        x = rnp.asarray(X)
        with pytest.raises(IndexError):  # noqa: PT012 - now, or when it is evaluated
            x[key] = 1
            x.eval()


def test_elements_of_nothing():
    for block in (False, True):
        with rnp.lazy() if block else np.errstate():
            assert rnp.take(rnp.zeros((0, 3)), [7, -9], axis=1).shape == (0, 2)
            assert np.asarray(rnp.take(rnp.zeros((0, 3)), 7, axis=1)).shape == (0,)
            with pytest.raises(IndexError, match="empty axes"):
                rnp.take(rnp.zeros((0, 3)), 0, axis=0)
            with pytest.raises(IndexError, match="could not be broadcast"):
                rnp.take_along_axis(rnp.ones((3, 4)), rnp.ones((2, 2), dtype=int), 1)


# -- complex special values, by the array API standard: decision 0039

ENDS = [0.0, -0.0, 1.0, -1.0, 3.0, np.inf, -np.inf, np.nan]


def expm1(z):
    """Give what the standard says, or None where it is NumPy's value."""
    a, b = z.real, z.imag
    if a == 0 and b == 0:
        return complex(0, b)
    if b == 0 and (np.isnan(a) or a == np.inf):
        return complex(a, b)
    if a == np.inf and not np.isfinite(b):
        return complex(np.inf, np.nan)
    if a == -np.inf:
        zero = 0 * np.sin(b) if np.isfinite(b) else np.copysign(0.0, b)
        return complex(-1, zero)
    return None


def tanh(z):
    """As above."""
    if np.isinf(z.real) and np.isfinite(z.imag):
        return complex(np.copysign(1, z.real), np.copysign(0, z.imag))
    return None


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
@pytest.mark.parametrize("said", [expm1, tanh])
def test_complex_special_values_are_the_standards(said, dtype):
    name = said.__name__
    ours, theirs = getattr(rnp, name), getattr(np, name)
    z = np.array([complex(a, b) for a in ENDS for b in ENDS], dtype)
    with np.errstate(all="ignore"):
        want = theirs(z)
        for at, value in enumerate(map(said, z.astype("complex128"))):
            if value is not None:
                want[at] = value

        def same(got, want=want):
            assert got.dtype == want.dtype
            assert bits(got) == bits(want)

        def bits(values):
            parts = np.asarray(values).view(values.real.dtype)
            return [(np.signbit(v) and not np.isnan(v), str(abs(v))) for v in parts]

        same(ours(z))
        same(np.array([ours(v) for v in z]))
        same(ours(list(z.astype("complex128")), dtype=dtype))
        out = z.copy()
        assert ours(out, out=out) is out
        same(out)
        where = np.arange(z.size) % 2 == 0
        out = np.full_like(z, 5)
        ours(z, out=out, where=where)
        same(out, np.where(where, want, np.full_like(z, 5)))
        with rnp.lazy():
            x = rnp.asarray(z)
            deferred, foreign = ours(x), theirs(x)
            assert isinstance(deferred, rnp.Array)
        same(deferred.eval())
        same(foreign.eval())
        same(rnp.jit(lambda x: ours(x))(z))
