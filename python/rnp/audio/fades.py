"""Fades and crossfades: gains that follow a curve of time."""

from __future__ import annotations

import contextvars
import functools
import math
from typing import Any

import numpy as np
import rnp
import rnp._core as core
from rnp.audio import _checks as checks

CURVES = ("linear", "equal-power", "cosine", "exponential")

# An exponential fade passes 60 dB.
_RANGE = 1000.0

# Longer fades are computed each time: their gains would fill memory.
_KEPT = 1 << 16


def _bend(t: Any, curve: str) -> Any:
    """Gains at times from 0 to 1."""
    if curve == "linear":
        return t
    if curve == "equal-power":
        return rnp.sin(t * (math.pi / 2))
    if curve == "cosine":
        return 0.5 - 0.5 * rnp.cos(t * math.pi)
    return (rnp.power(_RANGE, t) - 1.0) / (_RANGE - 1.0)


def _times(i: Any, count: int, first: float, last: float) -> Any:
    """Points `i` of `linspace(first, last, count)`, to the bit."""
    if count < 2:
        return i * 0.0 + first
    return rnp.where(i == count - 1, last, i * ((last - first) / (count - 1)) + first)


def _oriented(gains: Any, axis: int, ndim: int) -> Any:
    """Lay gains along an axis."""
    return gains if axis == ndim - 1 else gains.reshape(-1, *[1] * (ndim - 1 - axis))


def _ramp(count: int, curve: str, first: float, last: float) -> Any:
    """Gains of a fade from a time to another."""
    return _bend(_times(rnp.arange(count), count, first, last), curve)


@functools.lru_cache(maxsize=64)
def _kept(count: int, curve: str, first: float, last: float) -> Any:
    """`_ramp` at once, for the next fade of this length: a new context has no open block."""
    gains = contextvars.Context().run(_ramp, count, curve, first, last)
    gains.flags.writeable = False
    return gains


def _gains(count: int, curve: str, first: float, last: float) -> Any:
    """Gains; those of short fades are kept, others are computed or recorded as the block says."""
    return (_kept if count <= _KEPT else _ramp)(count, curve, first, last)


def _recorded(x: Any, at: int, n: int, fade_in: int, fade_out: int, curve: str) -> Any:
    """Record both fades as parts joined to the rest: only their samples are multiplied."""
    before: tuple[slice, ...] = (slice(None),) * at

    def faded(x: Any, head: int, tail: int) -> Any:
        rest = x[(*before, slice(head, n - tail))]
        parts = [rest] if head + tail < n else []
        if head:
            gains = _oriented(_gains(head, curve, 0.0, 1.0), at, x.ndim)
            parts.insert(0, (x[(*before, slice(0, head))] * gains).astype(x.dtype))
        if tail:
            gains = _oriented(_gains(tail, curve, 1.0, 0.0), at, x.ndim)
            parts.append((x[(*before, slice(n - tail, n))] * gains).astype(x.dtype))
        return rnp.concatenate(parts, at) if len(parts) > 1 else parts[0]

    if fade_in + fade_out <= n:
        return faded(x, fade_in, fade_out) if fade_in or fade_out else x.copy()
    # Where they overlap the second fade meets what the first one has rounded.
    return faded(faded(x, fade_in, 0), 0, fade_out)


def _at_once(x: Any, at: int, n: int, fade_in: int, fade_out: int, curve: str) -> Any:
    """Fade a copy: only the samples of the fades are computed."""
    y = np.array(x)
    lines = y if y.ndim == 1 else np.moveaxis(y, at, -1)
    if fade_in:
        lines[..., :fade_in] *= _gains(fade_in, curve, 0.0, 1.0)
    if fade_out:
        lines[..., n - fade_out :] *= _gains(fade_out, curve, 1.0, 0.0)
    return y


def apply_fade(
    samples: Any,
    fade_in_ms: float = 10,
    fade_out_ms: float = 10,
    sample_rate: float = 24000,
    *,
    curve: str = "linear",
    axis: int = -1,
) -> Any:
    """Fade in at the beginning and out at the end of the time axis.

    samples: real numbers, mono or channels; floats keep their dtype, integers become float64.
    fade_in_ms, fade_out_ms: milliseconds, rounded down to samples; 0 and less is none. A fade
    longer than the signal is shortened to it: never an error. sample_rate: samples per second,
    above 0. curve: the gain from 0 to 1 over `t` from 0 to 1, and back at the end:

    - "linear": `t`, from the first sample of the fade to the last, as `np.linspace`;
    - "equal-power": `sin(pi t / 2)`;
    - "cosine": `(1 - cos(pi t)) / 2`;
    - "exponential": `(1000 ** t - 1) / 999`, 60 dB.

    Returns samples of the same shape. Gains are float64, and each product is rounded once.
    ValueError: a rate that is not above 0, an unknown curve; TypeError: no numbers.

    >>> audio.apply_fade(np.ones(6), 3, 2, sample_rate=1000)
    array([0. , 0.5, 1. , 1. , 1. , 0. ])
    """
    x = checks.floats(checks.samples(samples))
    at = checks.time_axis(x, axis)
    rate = checks.positive(sample_rate, "sample_rate")
    checks.choice(curve, "curve", CURVES)
    n = x.shape[at]
    fade_in = min(checks.duration(fade_in_ms, "fade_in_ms", rate), n)
    fade_out = min(checks.duration(fade_out_ms, "fade_out_ms", rate), n)
    fade = _recorded if core.is_lazy() else _at_once
    return fade(x, at, n, fade_in, fade_out, curve)


def crossfade(
    first: Any,
    second: Any,
    duration_ms: float = 10,
    sample_rate: float = 24000,
    *,
    curve: str = "equal-power",
    axis: int = -1,
) -> Any:
    """Join two takes: the end of the first fades out while the beginning of the second fades in.

    first, second: real numbers with the same channels; the result has the dtype that they promote
    to. duration_ms: milliseconds of overlap, shortened to the shorter take. The rest is as in
    `apply_fade`. Returns `len(first) + len(second) - overlap` samples along `axis`. "equal-power"
    keeps the power of takes that have nothing in common, "linear" and "cosine" the amplitude of
    equal ones. ValueError: takes whose channels differ.

    >>> audio.crossfade(np.ones(4), np.ones(4), 3, sample_rate=1000, curve="linear")
    array([1., 1., 1., 1., 1.])
    """
    a = checks.floats(checks.samples(first, "first"))
    b = checks.floats(checks.samples(second, "second"))
    at = checks.time_axis(a, axis, "first")
    lengths = a.shape[at], b.shape[at] if a.ndim == b.ndim else 0
    if a.shape[:at] + a.shape[at + 1 :] != b.shape[:at] + b.shape[at + 1 :] or a.ndim != b.ndim:
        raise ValueError(
            f"first and second must have the same channels; got shapes {a.shape} and {b.shape}"
        )
    rate = checks.positive(sample_rate, "sample_rate")
    checks.choice(curve, "curve", CURVES)
    count = min(checks.duration(duration_ms, "duration_ms", rate), *lengths)
    dtype = np.result_type(a.dtype, b.dtype)
    before: tuple[slice, ...] = (slice(None),) * at
    cut = lengths[0] - count
    fading_out = _oriented(_gains(count, curve, 1.0, 0.0), at, a.ndim)
    fading_in = _oriented(_gains(count, curve, 0.0, 1.0), at, a.ndim)
    middle = a[(*before, slice(cut, None))] * fading_out + b[(*before, slice(0, count))] * fading_in
    parts = [a[(*before, slice(0, cut))], middle, b[(*before, slice(count, None))]]
    return rnp.concatenate(
        [part if part.dtype == dtype else part.astype(dtype) for part in parts], axis=at
    )
