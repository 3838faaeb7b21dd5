"""What is computed: one row per work, with the spellings that engines share.

An expression is written once, over `xp`: with NumPy for it, that is the spelling most people
write; with rnp for it, it is what all forms of rnp run. Beside it stand the spellings an expert
would use in NumPy. They make their buffers first and are timed without that: `out=` into kept
memory, factors merged, `dot` for sums of squares, `minimum` and `maximum` for `clip`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Inputs = tuple[Array, ...]
Job = Callable[[], Any]
Expression = Callable[[Any], Callable[..., Any]]
Expert = Callable[..., Job]

SCALE = np.float32(1 / 32768)
FLOOR = 1e-5  # -100 dB


@dataclass(frozen=True)
class Work:
    """A work: its inputs for a number of samples, its expression, NumPy's best spellings.

    `near` is how far a result may be from NumPy's, as a share of the largest magnitude in NumPy's
    result; 0 asks for equality.
    """

    name: str
    inputs: Callable[[int], Inputs]
    expression: Expression
    experts: tuple[Expert, ...] = ()
    near: float = 0.0


# -- inputs: seeded, so that every process has the same


def uniform(n: int, low: float, high: float, seed: int = 1) -> Array:
    """Return n random numbers as float32."""
    return np.random.default_rng(seed).uniform(low, high, n).astype(np.float32)


def signal(n: int) -> Inputs:
    """A float32 signal within full scale, with some DC."""
    return (uniform(n, -0.8, 1.0),)


def signal64(n: int) -> Inputs:
    """The same in float64."""
    return (signal(n)[0].astype(np.float64),)


def pcm(n: int) -> Inputs:
    """Int16 samples."""
    return ((signal(n)[0] * 32000).astype(np.int16),)


def two_signals(n: int) -> Inputs:
    """Two signals to mix."""
    return uniform(n, -1, 1), uniform(n, -1, 1, seed=2)


def frames(n: int) -> Inputs:
    """Stereo, as a file has it: n frames of two samples."""
    return (uniform(2 * n, -1, 1).reshape(n, 2),)


def phases(n: int) -> Inputs:
    """Angles of a few turns."""
    return (uniform(n, -10, 10),)


def positive64(n: int) -> Inputs:
    """Positive float64 numbers."""
    return (uniform(n, 0.1, 4.0).astype(np.float64),)


# -- gain and mix


def gain(xp: Any) -> Callable[..., Any]:
    return lambda x: xp.multiply(x, 0.5)


def gain_out(x: Array) -> Job:
    y = np.empty_like(x)
    return lambda: np.multiply(x, 0.5, out=y)


def gain_int16(xp: Any) -> Callable[..., Any]:
    return lambda x: xp.right_shift(xp.multiply(x, 3), 2)


def gain_int16_out(x: Array) -> Job:
    y = np.empty_like(x)

    def run() -> Any:
        np.multiply(x, 3, out=y)
        return np.right_shift(y, 2, out=y)

    return run


def mix(xp: Any) -> Callable[..., Any]:
    return lambda a, b: xp.add(xp.multiply(a, 0.7), xp.multiply(b, 0.3))


def mix_out(a: Array, b: Array) -> Job:
    y, t = np.empty_like(a), np.empty_like(a)

    def run() -> Any:
        np.multiply(a, 0.7, out=y)
        np.multiply(b, 0.3, out=t)
        return np.add(y, t, out=y)

    return run


# -- int16 in and out


def decode(xp: Any) -> Callable[..., Any]:
    return lambda x: xp.divide(xp.astype(x, np.float32), 32768.0)


def decode_out(x: Array) -> Job:
    y = np.empty(x.shape, np.float32)

    def run() -> Any:
        y[...] = x
        return np.multiply(y, SCALE, out=y)

    return run


def encode(xp: Any) -> Callable[..., Any]:
    return lambda x: xp.astype(
        xp.clip(xp.rint(xp.multiply(x, 32768.0)), -32768.0, 32767.0), np.int16
    )


def encode_out(x: Array) -> Job:
    y, z = np.empty_like(x), np.empty(x.shape, np.int16)

    def run() -> Any:
        np.multiply(x, 32768.0, out=y)
        np.rint(y, out=y)
        np.minimum(y, 32767.0, out=y)
        np.maximum(y, -32768.0, out=y)
        z[...] = y
        return z

    return run


def regain(xp: Any) -> Callable[..., Any]:
    def run(x: Any) -> Any:
        y = xp.multiply(xp.divide(xp.astype(x, np.float32), 32768.0), 1.7)
        return xp.astype(xp.clip(xp.rint(xp.multiply(y, 32768.0)), -32768.0, 32767.0), np.int16)

    return run


def regain_out(x: Array) -> Job:
    y, z = np.empty(x.shape, np.float32), np.empty(x.shape, np.int16)

    def run() -> Any:
        y[...] = x
        np.multiply(y, 1.7, out=y)  # the scales are powers of two and cancel
        np.rint(y, out=y)
        np.minimum(y, 32767.0, out=y)
        np.maximum(y, -32768.0, out=y)
        z[...] = y
        return z

    return run


# -- chains of float32


def clipped(xp: Any) -> Callable[..., Any]:
    return lambda x: xp.clip(xp.add(xp.multiply(xp.absolute(x), 1.5), 0.1), 0.2, 1.0)


def clipped_out(x: Array) -> Job:
    y = np.empty_like(x)

    def run() -> Any:
        np.absolute(x, out=y)
        np.multiply(y, 1.5, out=y)
        np.add(y, 0.1, out=y)
        np.minimum(y, 1.0, out=y)
        return np.maximum(y, 0.2, out=y)

    return run


def normalize(xp: Any) -> Callable[..., Any]:
    return lambda x: xp.multiply(x, xp.divide(0.99, xp.max(xp.absolute(x))))


def normalize_out(x: Array) -> Job:
    y = np.empty_like(x)

    def run() -> Any:
        peak = np.maximum(x.max(), -x.min())
        return np.multiply(x, 0.99 / peak, out=y)

    return run


def normalize_abs(x: Array) -> Job:
    y = np.empty_like(x)

    def run() -> Any:
        peak = np.absolute(x, out=y).max()
        return np.multiply(x, 0.99 / peak, out=y)

    return run


def decibels(xp: Any) -> Callable[..., Any]:
    return lambda x: xp.multiply(xp.log10(xp.maximum(xp.absolute(x), FLOOR)), 20.0)


def decibels_out(x: Array) -> Job:
    y, factor = np.empty_like(x), x.dtype.type(20 / math.log(10))

    def run() -> Any:
        np.absolute(x, out=y)
        np.maximum(y, FLOOR, out=y)
        np.log(y, out=y)  # NumPy has a fast log and a slow log10
        return np.multiply(y, factor, out=y)

    return run


def mu_law(xp: Any) -> Callable[..., Any]:
    scale = 1 / math.log1p(255)

    def run(x: Any) -> Any:
        return xp.multiply(
            xp.sign(x), xp.multiply(xp.log1p(xp.multiply(xp.absolute(x), 255.0)), scale)
        )

    return run


def mu_law_out(x: Array) -> Job:
    y, scale = np.empty_like(x), 1 / math.log1p(255)

    def run() -> Any:
        np.absolute(x, out=y)
        np.multiply(y, 255.0, out=y)
        np.add(y, 1.0, out=y)
        np.log(y, out=y)  # likewise faster than log1p
        np.multiply(y, scale, out=y)
        return np.copysign(y, x, out=y)

    return run


def soft_clip(xp: Any) -> Callable[..., Any]:
    return lambda x: xp.multiply(xp.tanh(xp.multiply(x, 3.0)), 0.8)


def soft_clip_out(x: Array) -> Job:
    y = np.empty_like(x)

    def run() -> Any:
        np.multiply(x, 3.0, out=y)
        np.tanh(y, out=y)
        return np.multiply(y, 0.8, out=y)

    return run


def sine(xp: Any) -> Callable[..., Any]:
    return lambda x: xp.sin(x)


def sine_out(x: Array) -> Job:
    y = np.empty_like(x)
    return lambda: np.sin(x, out=y)


def exp_sin_log(xp: Any) -> Callable[..., Any]:
    return lambda x: xp.exp(xp.sin(xp.log(x)))


def exp_sin_log_out(x: Array) -> Job:
    y = np.empty_like(x)

    def run() -> Any:
        np.log(x, out=y)
        np.sin(y, out=y)
        return np.exp(y, out=y)

    return run


# -- meters


def meters(xp: Any) -> Callable[..., Any]:
    def run(x: Any) -> Any:
        rms = xp.sqrt(xp.mean(xp.multiply(x, x)))
        return xp.max(xp.absolute(x)), rms, xp.mean(x), xp.min(x), xp.max(x)

    return run


def meters_expert(x: Array) -> Job:
    def run() -> Any:
        low, high = x.min(), x.max()
        return np.maximum(high, -low), math.sqrt(np.dot(x, x) / x.size), x.mean(), low, high

    return run


def rms(xp: Any) -> Callable[..., Any]:
    return lambda x: xp.sqrt(xp.mean(xp.multiply(x, x)))


def rms_dot(x: Array) -> Job:
    return lambda: math.sqrt(np.dot(x, x) / x.size)


# -- channels


def mono(xp: Any) -> Callable[..., Any]:
    return lambda x: xp.mean(x, axis=1)


def mono_dot(x: Array) -> Job:
    y, half = np.empty(len(x), np.float32), np.full(2, 0.5, np.float32)
    return lambda: np.dot(x, half, out=y)


def mono_add(x: Array) -> Job:
    y, left, right = np.empty(len(x), np.float32), x[:, 0], x[:, 1]

    def run() -> Any:
        np.add(left, right, out=y)
        return np.multiply(y, 0.5, out=y)

    return run


ANGLE = 0.6
SIDES = np.array([math.cos(ANGLE), math.sin(ANGLE)], np.float32)


def pan(xp: Any) -> Callable[..., Any]:
    return lambda x: xp.multiply(xp.reshape(x, (-1, 1)), SIDES)


def pan_out(x: Array) -> Job:
    y = np.empty((len(x), 2), np.float32)
    left, right = y[:, 0], y[:, 1]

    def run() -> Any:
        np.multiply(x, SIDES[0], out=left)
        np.multiply(x, SIDES[1], out=right)
        return y

    return run


# -- along the time axis


def fade(xp: Any) -> Callable[..., Any]:
    def run(x: Any) -> Any:
        n = x.shape[0]
        at = xp.interp(xp.arange(n), [0, n / 8, n * 7 / 8, n], [0.0, 1.0, 1.0, 0.0])
        return xp.multiply(x, xp.astype(at, np.float32))

    return run


def fade_ends(x: Array) -> Job:
    n = len(x)
    y = np.empty_like(x)
    head, tail = math.ceil(n / 8), n - math.ceil(n * 7 / 8)

    def run() -> Any:
        y[...] = x
        y[:head] *= np.arange(head, dtype=np.float32) * np.float32(8 / n)
        if tail:
            y[n - tail :] *= np.arange(tail, 0, -1, dtype=np.float32) * np.float32(8 / n)
        return y

    return run


def resample(xp: Any) -> Callable[..., Any]:
    """As the port wrote it: twice as many samples, 24 kHz to 48 kHz."""

    def run(x: Any) -> Any:
        n = x.shape[0]
        at = xp.linspace(0, n - 1, 2 * n)
        return xp.astype(xp.interp(at, xp.arange(n), x), np.float32)

    return run


def resample_gather(x: Array) -> Job:
    """By gathering neighbours: without the search for each point that interp makes."""
    n = len(x)
    last = max(n - 2, 0)

    def run() -> Any:
        at = np.linspace(0, n - 1, 2 * n)
        before = np.minimum(at.astype(np.intp), last)
        at -= before
        left, right = x[before], x[np.minimum(before + 1, n - 1)]
        right -= left
        right *= at.astype(np.float32)
        right += left
        return right

    return run


def cumsum(xp: Any) -> Callable[..., Any]:
    return lambda x: xp.cumsum(x)


def cumsum_out(x: Array) -> Job:
    y = np.empty_like(x)
    return lambda: np.cumsum(x, out=y)


# -- order statistics


def median(xp: Any) -> Callable[..., Any]:
    return lambda x: xp.median(x)


def median_partition(x: Array) -> Job:
    n = len(x)
    middle = n // 2

    def run() -> Any:
        y = x.copy()
        if n % 2:
            y.partition(middle)
            return y[middle]
        y.partition((middle - 1, middle))
        return y[middle - 1 : middle + 1].mean()

    return run


def percentile(xp: Any) -> Callable[..., Any]:
    return lambda x: xp.percentile(x, 95.0)


def percentile_partition(x: Array) -> Job:
    at = 0.95 * (len(x) - 1)
    below = math.floor(at)
    above = min(below + 1, len(x) - 1)

    def run() -> Any:
        y = x.copy()
        y.partition((below, above))
        return y[below] + (y[above] - y[below]) * (at - below)

    return run


WORKS = (
    Work("gain", signal, gain, (gain_out,)),
    Work("gain, float64", signal64, gain, (gain_out,)),
    Work("gain, int16", pcm, gain_int16, (gain_int16_out,)),
    Work("mix", two_signals, mix, (mix_out,)),
    Work("decode int16", pcm, decode, (decode_out,)),
    Work("encode int16", signal, encode, (encode_out,)),
    Work("decode, gain, encode", pcm, regain, (regain_out,)),
    Work("abs, gain, add, clip", signal, clipped, (clipped_out,)),
    Work("normalize", signal, normalize, (normalize_out, normalize_abs), 1e-6),
    Work("dB", signal, decibels, (decibels_out,), 1e-6),
    Work("dB, float64", signal64, decibels, (decibels_out,), 1e-14),
    Work("mu-law", signal, mu_law, (mu_law_out,), 1e-6),
    Work("tanh soft clip", signal, soft_clip, (soft_clip_out,), 1e-6),
    Work("sine", phases, sine, (sine_out,), 1e-6),
    Work("exp sin log, float64", positive64, exp_sin_log, (exp_sin_log_out,), 1e-14),
    Work("five meters", signal, meters, (meters_expert,), 1e-5),
    Work("RMS", signal, rms, (rms_dot,), 1e-5),
    Work("RMS, float64", signal64, rms, (rms_dot,), 1e-12),
    Work("stereo to mono", frames, mono, (mono_dot, mono_add), 1e-6),
    Work("pan", signal, pan, (pan_out,)),
    Work("fade by interp", signal, fade, (fade_ends,), 1e-6),
    Work("resample to 2x", signal, resample, (resample_gather,), 1e-6),
    Work("cumsum", signal, cumsum, (cumsum_out,), 1e-3),
    Work("median", signal, median, (median_partition,), 1e-6),
    Work("percentile", signal, percentile, (percentile_partition,), 1e-6),
)
