"""Meters: what a take measures, per channel and overall, in one pass over its samples."""

from __future__ import annotations

from typing import Any, NamedTuple

import rnp
from rnp.audio import _checks as checks
from rnp.audio._run import every, graph
from rnp.audio.pcm import ENCODINGS, from_pcm, name_of


class Meters(NamedTuple):
    """Figures at full scale 1.0: numbers, or arrays of one for each channel."""

    peak: Any
    rms: Any
    dc: Any
    crest: Any
    clipped: Any
    crossings: Any
    silent: Any


class Reading(NamedTuple):
    """The meters of all samples together, and of each channel."""

    overall: Meters
    channels: Meters


def _sums(x: Any, clip: float, silence: float, axis: int) -> tuple[Any, ...]:
    """Peak and sums over time, in loops over the same samples: all but the last, which is added."""
    n = x.shape[axis]
    before: tuple[slice, ...] = (slice(None),) * axis

    def part(first: int | None, last: int | None) -> Any:
        return x[(*before, slice(first, last))]

    def folded(y: Any) -> tuple[Any, ...]:
        magnitude, wide = rnp.abs(y), y.astype("float64")
        return (
            rnp.max(magnitude, axis=axis),
            rnp.sum(wide * wide, axis=axis),
            rnp.sum(wide, axis=axis),
            rnp.sum(magnitude >= clip, axis=axis),
            rnp.sum(magnitude <= silence, axis=axis),
        )

    if n == 1:
        return (*folded(x), rnp.sum(x[(*before, slice(0, 0))] < 0.0, axis=axis))
    head, last = part(0, -1), x[(*before, -1)]
    wide, magnitude = last.astype("float64"), rnp.abs(last)
    peak, power, total, clipped, silent = folded(head)
    return (
        rnp.maximum(peak, magnitude),
        power + wide * wide,
        total + wide,
        clipped + (magnitude >= clip),
        silent + (magnitude <= silence),
        rnp.sum((head < 0.0) != (part(1, None) < 0.0), axis=axis),
    )


def _figures(sums: tuple[Any, ...], count: int) -> Meters:
    peak, power, total, clipped, silent, crossings = sums
    rms = rnp.sqrt(power / count)
    return Meters(peak, rms, total / count, peak / rms, clipped, crossings, silent / count)


@graph("axis")
def _read(x: Any, clip: float, silence: float, axis: int) -> Any:
    sums = _sums(x, clip, silence, axis)
    count = x.shape[axis]
    channels = _figures(sums, count)
    if x.ndim == 1:
        return channels
    over = (rnp.max(sums[0]), *(rnp.sum(part) for part in sums[1:]))
    return _figures(over, x.size), channels


def measure(
    samples: Any, *, axis: int = -1, clip: float | None = None, silence: float = 0.0
) -> Reading:
    """Measure a take: meters of all samples, `overall`, and of each of the `channels`.

    samples: floats, or PCM of uint8, int16 or int32, which is read at full scale 1.0 as `from_pcm`
    does; mono or channels, one sample at least. axis: the time. clip: the magnitude from which a
    sample counts as clipped; None: 1.0 for floats, and for integers the highest code. silence: the
    magnitude up to which it counts as silent. In one loop over the samples:

    - peak: `max(abs(x))`, in the dtype of the samples;
    - rms: `sqrt(mean(x ** 2))`, dc: `mean(x)`, in float64;
    - crest: `peak / rms`, a factor; NaN for silence;
    - clipped: how many samples; silent: which part of them, from 0 to 1;
    - crossings: how often `x < 0` changes from one sample to the next.

    `channels` has the shape without `axis`: numbers for mono. NaN makes peak, rms, dc and crest NaN
    and is neither clipped nor silent.

    >>> reading = audio.measure(np.array([0.5, -0.5, 0.5, -1.0, 0.0]))
    >>> print(reading.overall.peak, reading.overall.clipped, reading.overall.crossings)
    1.0 1 4
    >>> audio.measure(np.zeros((4, 2)), axis=0).channels.silent
    array([1., 1.])
    """
    x = checks.filled(samples)
    at = checks.time_axis(x, axis)
    quiet = checks.number(silence, "silence")
    top = 1.0 if clip is None else checks.number(clip, "clip")
    if x.dtype.kind != "f":
        name = name_of(x.dtype)
        if clip is None and name in ENCODINGS:
            bits = ENCODINGS[name].bits
            top = 1.0 - 2.0 ** (1 - bits)
        x = from_pcm(x)
    read = _read(x, top, quiet, at)
    overall, channels = read if x.ndim > 1 else (read, read)
    return Reading(Meters(*every(overall)), Meters(*every(channels)))
