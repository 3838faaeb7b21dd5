"""Other rates and lengths: on straight lines, and by windowed-sinc filters."""

from __future__ import annotations

import functools
from fractions import Fraction
from typing import Any

import rnp
import rnp._core as core
from rnp.audio import _checks as checks
from rnp.audio._run import breadth, graph

# What the native call knows each quality by.
QUALITIES: dict[int | str, int] = {8: 8, 12: 12, 16: 16, "best": 0}


def _ready(samples: Any, axis: Any) -> tuple[Any, int]:
    """Take samples with a time axis that has some, as float32 or float64."""
    x = checks.filled(samples)
    at = checks.time_axis(x, axis)
    if x.dtype.char == "e":
        return x.astype("float32"), at
    return checks.floats(x), at


@graph("length", "axis")
def _linear(x: Any, length: int, axis: int) -> Any:
    n = x.shape[axis]
    grid = rnp.linspace(0, n - 1, length)

    def line(channel: Any) -> Any:
        return rnp.interp(grid, rnp.arange(n), channel).astype(x.dtype)

    if x.ndim == 1:
        return line(x)
    # `interp` knows lines alone: channels are taken apart and put together again.
    y = breadth.moveaxis(x, axis, -1).reshape(-1, n)
    lines = breadth.stack([line(y[channel]) for channel in range(y.shape[0])])
    shape = [m for at, m in enumerate(x.shape) if at != axis]
    return breadth.moveaxis(lines.reshape(*shape, length), -1, axis)


def resample_linear(samples: Any, target_length: int, *, axis: int = -1) -> Any:
    """Bring the time axis to a length on straight lines between samples; both ends stay.

    samples: real numbers, mono or any number of channels, one sample at least; integers become
    float64, as in NumPy, float32 and float64 stay. target_length: samples, 0 or more; 1 gives the
    first. Returns the same shape but for `axis`. No grid is stored. NaN spreads to its neighbours.
    ValueError: no samples, a negative length. There is no low-pass: what lies above the new Nyquist
    frequency aliases; `resample` and `resample_sinc` have one.

    Formula: `np.interp(np.linspace(0, n - 1, target_length), np.arange(n), samples)`, to the bit.

    >>> audio.resample_linear(np.array([0.0, 1.0, 2.0]), 5)
    array([0. , 0.5, 1. , 1.5, 2. ])
    """
    x, at = _ready(samples, axis)
    return _linear(x, checks.length(target_length, "target_length"), at)


def resample_sinc(
    samples: Any, target_length: int, quality: int | str = 8, *, axis: int = -1
) -> Any:
    """Bring the time axis to a length by a windowed-sinc filter: `resample` by target length.

    samples, axis, quality, and what comes back: as in `resample`. target_length: samples, 0 or
    more. Output `i` stands at input `i * n / target_length`, as for a change of rate; so the last
    one stands before the last input sample where `resample_linear` puts it onto it.

    Formula: a sinc under a Kaiser window (J. F. Kaiser, 1974), a filter phase per output.

    >>> audio.resample_sinc(np.ones(1000, np.float32), 500)[240:243]
    array([1., 1., 1.], dtype=float32)
    """
    x, at = _ready(samples, axis)
    length = checks.length(target_length, "target_length")
    known = QUALITIES[checks.choice(quality, "quality", QUALITIES)]
    return core._resample(x, at, known, 0, 0, length)


@functools.lru_cache(maxsize=64)
def _ratio(from_rate: float, to_rate: float) -> tuple[int, int] | None:
    """Give how many samples are made of how many; None beyond what is resampled."""
    ratio = Fraction(to_rate) / Fraction(from_rate)
    if max(ratio.numerator, ratio.denominator) >= 2**62:
        ratio = ratio.limit_denominator(2**31)
    return (ratio.numerator, ratio.denominator) if 2**-31 < ratio < 2**31 else None


def resample(
    samples: Any, from_rate: float, to_rate: float, *, quality: int | str = 16, axis: int = -1
) -> Any:
    """Change the sample rate by a windowed-sinc filter.

    samples: real numbers, mono or any number of channels, one sample at least; float32 is filtered
    in float32, float64 in float64; integers become float64 and float16 float32. from_rate, to_rate:
    samples per second, above 0, any ratio (44100 to 48000, or 44100 to 44101.5). quality: 8, 12, 16
    samples of the slower rate on either side, with a stop band of 60, 70 and 80 dB, or "best", 112
    and 140 dB, alias-free. Returns `ceil(n * to_rate / from_rate)` samples along `axis`; output `i`
    stands at `i / to_rate` seconds. Beyond its ends the signal is silence. NaN and infinities
    spread over a filter's length. ValueError: no samples, a rate
    that is not above 0, an unknown quality, a filter of more than 2**22 samples.

    Formula: a sinc under a Kaiser window (J. F. Kaiser, 1974), a filter phase per output; figures
    are on the design page of audio.

    >>> tone = np.sin(2 * np.pi * 440 * np.arange(48_000) / 48_000)
    >>> audio.resample(tone, 48_000, 44_100).shape
    (44100,)
    """
    x, at = _ready(samples, axis)
    rates = checks.positive(from_rate, "from_rate"), checks.positive(to_rate, "to_rate")
    known = QUALITIES[checks.choice(quality, "quality", QUALITIES)]
    ratio = _ratio(*rates)
    if ratio is None:
        raise ValueError(
            f"to_rate must be within 2**31 times from_rate; got {from_rate}, {to_rate}"
        )
    return core._resample(x, at, known, *ratio, 0)


def resample_audio(
    samples: Any,
    target_length: int,
    method: str = "linear",
    *,
    quality: int | str = 8,
    axis: int = -1,
) -> Any:
    """Bring the time axis to a length by `method`.

    "linear" is `resample_linear`, "sinc" `resample_sinc`; anything else is a ValueError.

    >>> audio.resample_audio(np.array([0.0, 1.0, 2.0]), 2)
    array([0., 2.])
    """
    if checks.choice(method, "method", ("linear", "sinc")) == "linear":
        return resample_linear(samples, target_length, axis=axis)
    return resample_sinc(samples, target_length, quality, axis=axis)
