"""Engines that say only a few of the works: blosc2's expressions, and two small C wheels."""

from __future__ import annotations

from functools import partial
from typing import Any

import blosc2
import numpy as np
import numpy_minmax
import numpy_rms

from bench.works import FLOOR, Inputs, Job, Work

f32 = np.float32


def clipped(x: Any) -> Any:
    return np.minimum(np.maximum(np.abs(x) * f32(1.5) + f32(0.1), f32(0.2)), f32(1.0))


def decibels(x: Any) -> Any:
    return np.log10(np.maximum(np.abs(x), f32(FLOOR))) * f32(20)


def soft_clip(x: Any) -> Any:
    return np.tanh(x * f32(3)) * f32(0.8)


def exp_sin_log(x: Any) -> Any:
    return np.exp(np.sin(np.log(x)))


LAZY: dict[str, Any] = {
    "abs, gain, add, clip": blosc2.jit(clipped),
    "dB": blosc2.jit(decibels),
    "tanh soft clip": blosc2.jit(soft_clip),
    "exp sin log, float64": blosc2.jit(exp_sin_log),
}


def by_blosc2(work: Work, inputs: Inputs) -> Job | None:
    """Run by blosc2: its decorator takes NumPy's arrays and gives one."""
    if work.name not in LAZY:
        return None
    return partial(LAZY[work.name], *inputs)


def by_wheels(work: Work, inputs: Inputs) -> Job | None:
    """Run by numpy-minmax and numpy-rms, which have one function each."""
    x = inputs[0]
    if work.name == "normalize":

        def normalize() -> Any:
            low, high = numpy_minmax.minmax(x)
            return np.multiply(x, f32(0.99) / max(-low, high))

        return normalize
    return (lambda: numpy_rms.rms(x)[0]) if work.name == "RMS" else None


PEERS = {"blosc2": by_blosc2, "numpy-minmax, numpy-rms": by_wheels}
