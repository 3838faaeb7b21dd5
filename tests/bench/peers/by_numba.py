"""Numba: each work as the loops one would write for it, serial and with `prange`; no fastmath."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from numba import prange

from bench.works import ANGLE, FLOOR, Inputs, Job, Work

f32 = np.float32
LEFT, RIGHT = f32(math.cos(ANGLE)), f32(math.sin(ANGLE))
MU_SCALE = f32(1 / math.log1p(255))


def gain(x: Any) -> Any:
    y, k = np.empty_like(x), x.dtype.type(0.5)
    for i in prange(x.size):
        y[i] = x[i] * k
    return y


def gain_int16(x: Any) -> Any:
    y = np.empty_like(x)
    for i in prange(x.size):
        y[i] = np.int16(x[i] * 3) >> 2
    return y


def mix(a: Any, b: Any) -> Any:
    y = np.empty_like(a)
    for i in prange(a.size):
        y[i] = a[i] * f32(0.7) + b[i] * f32(0.3)
    return y


def decode(x: Any) -> Any:
    y = np.empty(x.size, f32)
    for i in prange(x.size):
        y[i] = f32(x[i]) * f32(1 / 32768)
    return y


def encode(x: Any) -> Any:
    y = np.empty(x.size, np.int16)
    for i in prange(x.size):
        y[i] = np.int16(min(max(np.rint(x[i] * f32(32768)), f32(-32768)), f32(32767)))
    return y


def regain(x: Any) -> Any:
    y = np.empty(x.size, np.int16)
    for i in prange(x.size):
        loud = f32(x[i]) * f32(1 / 32768) * f32(1.7)
        y[i] = np.int16(min(max(np.rint(loud * f32(32768)), f32(-32768)), f32(32767)))
    return y


def clipped(x: Any) -> Any:
    y = np.empty_like(x)
    for i in prange(x.size):
        y[i] = min(max(abs(x[i]) * f32(1.5) + f32(0.1), f32(0.2)), f32(1.0))
    return y


def normalize(x: Any) -> Any:
    peak = f32(0.0)
    for i in prange(x.size):
        peak = max(peak, abs(x[i]))
    y, k = np.empty_like(x), f32(0.99) / peak
    for i in prange(x.size):
        y[i] = x[i] * k
    return y


def decibels(x: Any) -> Any:
    y, floor, k = np.empty_like(x), x.dtype.type(FLOOR), x.dtype.type(20.0)
    for i in prange(x.size):
        y[i] = np.log10(max(abs(x[i]), floor)) * k
    return y


def mu_law(x: Any) -> Any:
    y = np.empty_like(x)
    for i in prange(x.size):
        y[i] = np.copysign(np.log1p(abs(x[i]) * f32(255)) * MU_SCALE, x[i])
    return y


def soft_clip(x: Any) -> Any:
    y = np.empty_like(x)
    for i in prange(x.size):
        y[i] = np.tanh(x[i] * f32(3)) * f32(0.8)
    return y


def sine(x: Any) -> Any:
    y = np.empty_like(x)
    for i in prange(x.size):
        y[i] = np.sin(x[i])
    return y


def exp_sin_log(x: Any) -> Any:
    y = np.empty_like(x)
    for i in prange(x.size):
        y[i] = np.exp(np.sin(np.log(x[i])))
    return y


def meters(x: Any) -> Any:
    low = high = x[0]
    total = squares = 0.0
    for i in prange(x.size):
        low, high = min(low, x[i]), max(high, x[i])
        total += x[i]
        squares += x[i] * x[i]
    return max(-low, high), math.sqrt(squares / x.size), total / x.size, low, high


def rms(x: Any) -> Any:
    squares = 0.0
    for i in prange(x.size):
        squares += x[i] * x[i]
    return math.sqrt(squares / x.size)


def mono(x: Any) -> Any:
    y = np.empty(len(x), f32)
    for i in prange(len(x)):
        y[i] = (x[i, 0] + x[i, 1]) * f32(0.5)
    return y


def pan(x: Any) -> Any:
    y = np.empty((x.size, 2), f32)
    for i in prange(x.size):
        y[i, 0] = x[i] * LEFT
        y[i, 1] = x[i] * RIGHT
    return y


def fade(x: Any) -> Any:
    y, n = np.empty_like(x), x.size
    for i in prange(n):
        y[i] = x[i] * f32(min(1.0, min(i, n - i) * 8.0 / n))
    return y


def resample(x: Any) -> Any:
    n = x.size
    y, step = np.empty(2 * n, f32), (n - 1) / (2 * n - 1)
    for i in prange(2 * n):
        at = i * step
        before = min(int(at), max(n - 2, 0))
        after = min(before + 1, n - 1)
        y[i] = (x[after] - x[before]) * (at - before) + x[before]
    return y


def cumsum(x: Any) -> Any:
    y, total = np.empty_like(x), f32(0.0)
    for i in range(x.size):
        total += x[i]
        y[i] = total
    return y


def median(x: Any) -> Any:
    return np.median(x)


def percentile(x: Any) -> Any:
    return np.percentile(x, 95.0)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "gain": gain,
    "gain, float64": gain,
    "gain, int16": gain_int16,
    "mix": mix,
    "decode int16": decode,
    "encode int16": encode,
    "decode, gain, encode": regain,
    "abs, gain, add, clip": clipped,
    "normalize": normalize,
    "dB": decibels,
    "dB, float64": decibels,
    "mu-law": mu_law,
    "tanh soft clip": soft_clip,
    "sine": sine,
    "exp sin log, float64": exp_sin_log,
    "five meters": meters,
    "RMS": rms,
    "RMS, float64": rms,
    "stereo to mono": mono,
    "pan": pan,
    "fade by interp": fade,
    "resample to 2x": resample,
    "cumsum": cumsum,
    "median": median,
    "percentile": percentile,
}
SERIAL = {cumsum, median, percentile}  # no loop that could be cut
FROM = 65_536  # samples: below, starting threads costs more than it gives

compiled: dict[tuple[Callable[..., Any], bool], Callable[..., Any]] = {}


def compile_once(function: Callable[..., Any], parallel: bool) -> Callable[..., Any]:
    """Return the compiled function; Numba itself compiles anew per dtype."""
    key = function, parallel
    if key not in compiled:
        compiled[key] = numba.njit(function, parallel=parallel)
    return compiled[key]


def serial(work: Work, inputs: Inputs) -> Job | None:
    """Run on one thread."""
    run = compile_once(FUNCTIONS[work.name], parallel=False)
    return lambda: run(*inputs)


def parallel(work: Work, inputs: Inputs) -> Job | None:
    """Run on all threads."""
    function = FUNCTIONS[work.name]
    if function in SERIAL or len(inputs[0]) < FROM:
        return None
    run = compile_once(function, parallel=True)
    return lambda: run(*inputs)


PEERS = {"Numba": serial, "Numba, parallel": parallel}
