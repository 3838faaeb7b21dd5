"""The port's C interface: statistics and vector functions, by NumPy's meaning."""

from __future__ import annotations

from typing import Any

import numpy as np
import rnp
import rnp._core as core
from rnp.audio import _checks as checks
from rnp.audio._run import breadth

# Most samples, which need no check: of short ones that would take half as long as the function.
_ND, _FLOAT32 = np.ndarray, checks.FLOAT32


def compute_mean(samples: Any, *, axis: int | None = None) -> Any:
    """Arithmetic mean, `np.mean`: of float32 in float32, added in float64; of integers in float64.

    samples: real numbers of any shape, one at least. axis: the time axis, for a value per channel;
    None: of all samples. TypeError for what is no real number, ValueError for no samples, AxisError
    for an axis that is not there.

    >>> print(audio.compute_mean(np.array([1, 2, 6], np.int16)))
    3.0
    """
    return rnp.mean(checks.some(samples), axis=axis)


def compute_median(samples: Any, *, axis: int | None = None) -> Any:
    """Median, `np.median`; NaN gives NaN.

    samples, axis, errors: as in `compute_mean`.

    >>> print(audio.compute_median([1.0, 9.0, 2.0]))
    2.0
    """
    return breadth.median(checks.some(samples), axis=axis)


def compute_percentile(samples: Any, q: Any, *, axis: int | None = None) -> Any:
    """Percentile, `np.percentile` on straight lines; NaN gives NaN.

    samples, axis, errors: as in `compute_mean`. q: from 0 to 100, or several; others are a
    ValueError.

    >>> print(audio.compute_percentile([0.0, 1.0, 2.0, 3.0], 50))
    1.5
    """
    return breadth.percentile(checks.some(samples), q, axis=axis)


def compute_sum(samples: Any, *, axis: int | None = None) -> Any:
    """Sum, `np.sum`: of float32 in float32, added in float64; of integers in 64 bits. 0 of nothing.

    samples: real numbers of any shape. axis, errors: as in `compute_mean`, but for no samples.

    >>> print(audio.compute_sum(np.array([30000, 30000], np.int16)))
    60000
    """
    return rnp.sum(checks.real(samples), axis=axis)


def compute_min(samples: Any, *, axis: int | None = None) -> Any:
    """Smallest sample, `np.min`; NaN gives NaN.

    samples, axis, errors: as in `compute_mean`.

    >>> print(audio.compute_min([0.5, -1.0]))
    -1.0
    """
    return rnp.min(checks.some(samples), axis=axis)


def compute_var(samples: Any, *, axis: int | None = None) -> Any:
    """Variance, `np.var`: the mean square of what is left without the mean.

    samples, axis, errors: as in `compute_mean`.

    >>> print(audio.compute_var([1.0, 3.0]))
    1.0
    """
    return rnp.var(checks.some(samples), axis=axis)


def compute_std(samples: Any, *, axis: int | None = None) -> Any:
    """Standard deviation, `np.std`: the root of the variance.

    samples, axis, errors: as in `compute_mean`.

    >>> print(audio.compute_std([1.0, 3.0]))
    1.0
    """
    return rnp.std(checks.some(samples), axis=axis)


min_vec = compute_min


def prod(a: Any, *, axis: int | None = None) -> Any:
    """Product, `np.prod`: of integers in 64 bits. 1 of nothing.

    a: real numbers of any shape. axis, errors: as in `compute_mean`, but for no numbers.

    >>> print(audio.prod([8, 5, 4, 2]))
    320
    """
    return rnp.prod(checks.real(a, "a"), axis=axis)


def linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
) -> Any:
    """Evenly spaced numbers, `np.linspace`, the last being `stop`; the port left that out.

    start, stop: numbers. num: how many, 0 or more, else it is a ValueError. float64, unless
    `dtype` says otherwise.

    >>> audio.linspace(0, 1, 3)
    array([0. , 0.5, 1. ])
    """
    return rnp.linspace(start, stop, num, endpoint, retstep, dtype)


def interp(x: Any, xp: Any, fp: Any) -> Any:
    """Values on the straight lines between points, `np.interp`, in float64.

    x: where. xp: the points, increasing. fp: their values. Beyond the ends the value is that of the
    end; ValueError for no points or unequal lengths.

    >>> audio.interp([0.5, 9.0], [0, 1], [2.0, 4.0])
    array([3., 4.])
    """
    return rnp.interp(x, xp, fp)


def sqrt_vec(samples: Any) -> Any:
    """Square roots, `np.sqrt`; of numbers below 0 NaN.

    NumPy warns of them outside of blocks.

    samples: real numbers of any shape, which is the result's; floats keep their dtype. TypeError
    for what is no real number.

    >>> audio.sqrt_vec(np.array([4.0, 9.0]))
    array([2., 3.])
    """
    if type(samples) is _ND and samples.dtype is _FLOAT32:
        return core.sqrt(samples)
    return core.sqrt(checks.real(samples))


def log_vec(samples: Any) -> Any:
    """Natural logarithms, `np.log`; of 0 -inf and below NaN.

    NumPy warns of both outside of blocks.

    samples: real numbers of any shape, which is the result's; floats keep their dtype. TypeError
    for what is no real number.

    >>> audio.log_vec(np.array([1.0]))
    array([0.])
    """
    if type(samples) is _ND and samples.dtype is _FLOAT32:
        return core.log(samples)
    return core.log(checks.real(samples))


def log10_vec(samples: Any) -> Any:
    """Decimal logarithms, `np.log10`; of 0 -inf and below NaN.

    NumPy warns of both outside of blocks.

    samples: real numbers of any shape, which is the result's; floats keep their dtype. TypeError
    for what is no real number.

    >>> audio.log10_vec(np.array([100.0]))
    array([2.])
    """
    if type(samples) is _ND and samples.dtype is _FLOAT32:
        return core.log10(samples)
    return core.log10(checks.real(samples))


def clip_vec(samples: Any, min_val: Any = None, max_val: Any = None) -> Any:
    """Samples held within bounds, `np.clip`; None is no bound, NaN stays.

    samples: real numbers of any shape, in whose units the bounds are. TypeError for what is no real
    number.

    >>> audio.clip_vec(np.array([-2.0, 0.5, 2.0]), -1.0, 1.0)
    array([-1. ,  0.5,  1. ])
    """
    x = checks.real(samples)
    plain = x.dtype is checks.FLOAT32 and type(min_val) is float and type(max_val) is float
    return (core if plain else rnp).clip(x, min_val, max_val)


def power_vec(samples: Any, exponent: Any) -> Any:
    """Powers, `np.power`.

    samples: real numbers of any shape. exponent: a number, or an array that broadcasts. TypeError
    for samples that are no real numbers; ValueError for integers to a negative power.

    >>> audio.power_vec(np.array([2.0, 3.0]), 2.0)
    array([4., 9.])
    """
    return rnp.power(checks.real(samples), exponent)


def dot_vec(a: Any, b: Any) -> Any:
    """Sum of the products of two vectors of one length; a ValueError if they are of two.

    float32 and float64 are multiplied in their own precision and added in float64 from 4,096
    products to the next; what else there is, `np.dot` adds.

    >>> print(audio.dot_vec([1.0, 2.0], [3.0, 4.0]))
    11.0
    """
    try:
        return core._dot(a, b)
    except core.Unsupported:
        x, y = checks.real(a, "a"), checks.real(b, "b")
    if x.ndim != 1 or y.ndim != 1:
        raise ValueError(f"a and b must be vectors; got shapes {x.shape} and {y.shape}")
    return breadth.dot(x, y)


def matmul_2d(a: Any, b: Any) -> Any:
    """Product of two matrices, `np.matmul`; a ValueError if their inner lengths differ.

    a, b: real numbers of two axes; dtypes follow NumPy. TypeError for what is no real number,
    ValueError for another number of axes.

    >>> audio.matmul_2d([[1.0, 2.0]], [[3.0], [4.0]])
    array([[11.]])
    """
    x, y = checks.real(a, "a"), checks.real(b, "b")
    if x.ndim != 2 or y.ndim != 2:
        raise ValueError(f"a and b must be matrices; got shapes {x.shape} and {y.shape}")
    return breadth.matmul(x, y)


def transpose_2d(a: Any) -> Any:
    """A matrix with rows and columns changed, `np.transpose`.

    TypeError for what is no real number, ValueError for another number of axes than two.

    >>> audio.transpose_2d([[1, 2], [3, 4]])
    array([[1, 3],
           [2, 4]])
    """
    x = checks.real(a, "a")
    if x.ndim != 2:
        raise ValueError(f"a must be a matrix; got shape {x.shape}")
    return rnp.transpose(x)


def reshape_vec(a: Any, shape: Any) -> Any:
    """The same elements under another shape, `np.reshape`; one length may be -1.

    TypeError for what is no real number, ValueError for a shape of another number of elements.

    >>> audio.reshape_vec([1, 2, 3, 4], (2, -1))
    array([[1, 2],
           [3, 4]])
    """
    return rnp.reshape(checks.real(a, "a"), shape)


def zeros_vec(size: int) -> Any:
    """Silence: `size` zeros of float32.

    >>> audio.zeros_vec(2)
    array([0., 0.], dtype=float32)
    """
    return rnp.zeros(checks.length(size, "size"), dtype=np.float32)


def ones_vec(size: int) -> Any:
    """`size` ones of float32.

    >>> audio.ones_vec(2)
    array([1., 1.], dtype=float32)
    """
    return rnp.ones(checks.length(size, "size"), dtype=np.float32)
