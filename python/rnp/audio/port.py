"""The functions of the port's `rust_audio` module, under its names and signatures."""

from __future__ import annotations

from typing import Any

import numpy as np
import rnp
import rnp._core as core
from rnp.audio import _checks as checks
from rnp.audio._run import every, graph, scalars

# Most samples, which need no check.
_ND, _FLOAT32 = np.ndarray, checks.FLOAT32


def _largest(x: Any, axis: int | None) -> Any:
    return rnp.max(rnp.abs(x)) if axis is None else rnp.max(rnp.abs(x), axis)


def _root_mean_square(x: Any, axis: int | None) -> Any:
    squares = rnp.multiply(x, x)
    return rnp.sqrt(rnp.mean(squares) if axis is None else rnp.mean(squares, axis))


_peak = graph("axis")(_largest)
_rms = graph("axis")(_root_mean_square)


@graph("axis")
def _normalize(x: Any, gain: Any, axis: int | None) -> Any:
    peak = _largest(x, axis) if axis is None else rnp.expand_dims(_largest(x, axis), axis)
    level = rnp.multiply(rnp.multiply(rnp.divide(x, peak), 0.99), gain)
    return rnp.where(rnp.greater(peak, 0), level, x)


@graph("axis")
def _metrics(x: Any, axis: int | None) -> Any:
    rms, peak = _root_mean_square(x, axis), _largest(x, axis)
    ratio = rnp.divide(peak, rnp.maximum(rms, 1e-10))
    return rms, peak, rnp.multiply(20.0, rnp.log10(ratio))


def normalize_audio(samples: Any, gain: Any = 1.0, *, axis: int | None = None) -> Any:
    """Bring the peak to 0.99 of full scale, times `gain`.

    samples: real numbers of any shape, one at least; floats keep their dtype, integers become
    float64. gain: a factor. axis: the time axis, to normalize each channel by itself; None: one
    factor for all samples, which keeps the balance. Returns samples of the same shape. Silence, and
    what holds a NaN, comes back as it is; with an infinity that becomes NaN and the rest 0, as in
    NumPy. TypeError for what is no real number, ValueError for no samples, AxisError for an axis
    that is not there.

    Formula (the port's): `x / max(abs(x)) * 0.99 * gain`, where the peak is above 0.

    >>> audio.normalize_audio(np.array([0.0, 0.25, -0.5]))
    array([ 0.   ,  0.495, -0.99 ])
    """
    x = checks.floats(checks.filled(samples))
    if not isinstance(gain, (int, float)):
        gain = checks.samples(gain, "gain")
    return _normalize(x, gain, checks.axis_or_all(x, axis))


def apply_gain(samples: Any, gain: Any, *, axis: int = -1) -> Any:
    """Amplify: `samples * gain`.

    samples: real numbers of any shape. gain: a factor, or an array of one for each channel, which
    are laid along the axis that is not `axis`, the time. Dtypes follow NumPy: floats stay, integers
    times a float become float64. Returns samples of the same shape. No clipping. TypeError for what
    is no real number, ValueError for another number of gains than channels.

    >>> audio.apply_gain(np.array([[1.0, 2.0], [3.0, 4.0]]), [1.0, 0.5], axis=-1)
    array([[1. , 2. ],
           [1.5, 2. ]])
    """
    if type(gain) is float and type(samples) is _ND and samples.dtype is _FLOAT32:
        return core.multiply(samples, gain)
    x = checks.real(samples)
    if isinstance(gain, (int, float)):
        return core.multiply(x, gain)
    gains = checks.real(gain, "gain")
    if gains.ndim == 1 and x.ndim == 2 and checks.time_axis(x, axis) == 1:
        gains = gains[:, None]
    return rnp.multiply(x, gains)


def compute_rms(samples: Any, *, axis: int | None = None) -> Any:
    """Root mean square, in units of the samples.

    samples: real numbers of any shape, one at least; integers are computed in float64, so nothing
    wraps. axis: the time axis, for a value per channel; None: of all samples. Floats keep their
    dtype; float32 squares are added in float64. NaN gives NaN. TypeError for what is no real
    number, ValueError for no samples, AxisError for an axis that is not there.

    Formula: `sqrt(mean(x ** 2))`.

    >>> print(audio.compute_rms(np.array([3.0, -4.0, 5.0, 0.0])).round(4))
    3.5355
    """
    x = checks.floats(checks.filled(samples))
    return scalars(_rms(x, checks.axis_or_all(x, axis)))


def compute_peak(samples: Any, *, axis: int | None = None) -> Any:
    """Largest magnitude, in units of the samples.

    samples: real numbers of any shape, one at least; of integers the magnitude is float64, since
    the lowest has none of its own dtype. axis: the time axis, for a value per channel. NaN gives
    NaN. Errors: as in `compute_rms`.

    Formula: `max(abs(x))`.

    >>> print(audio.compute_peak(np.array([-32768, 5], np.int16)))
    32768.0
    """
    x = checks.floats(checks.filled(samples))
    return scalars(_peak(x, checks.axis_or_all(x, axis)))


def compute_audio_metrics(samples: Any, *, axis: int | None = None) -> dict[str, Any]:
    """RMS, peak and dynamic range in dB, in one pass: a dict of `rms, peak, dynamic_range_db`.

    samples, axis, errors: as in `compute_rms`. Silence has a range of -inf dB; NaN makes all NaN.

    Formula (the port's): `20 log10(peak / max(rms, 1e-10))`.

    >>> figures = audio.compute_audio_metrics(np.array([1.0, -1.0, 0.0, 0.0]))
    >>> print({name: round(float(value), 4) for name, value in figures.items()})
    {'rms': 0.7071, 'peak': 1.0, 'dynamic_range_db': 3.0103}
    """
    x = checks.floats(checks.filled(samples))
    rms, peak, span = every(_metrics(x, checks.axis_or_all(x, axis)))
    return {"rms": rms, "peak": peak, "dynamic_range_db": span}
