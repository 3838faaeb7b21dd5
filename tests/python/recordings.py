"""The recording of the main job, as real input for tests: fetched once into `build/recording`."""

from __future__ import annotations

import functools
import sys
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "examples"))

import fetch  # noqa: E402
import wav  # noqa: E402

Nd = np.ndarray[Any, Any]


@functools.cache
def pcm() -> Nd:
    """16 s of a saxophone at 48 kHz, mono, 768,000 samples of int16."""
    samples, rate = wav.read(fetch.recording(ROOT / "build" / "recording"))
    assert rate == 48_000
    out = np.ascontiguousarray(samples.reshape(-1))
    out.flags.writeable = False
    return out


@functools.cache
def mono() -> Nd:
    """The same at full scale 1.0, float32."""
    out = pcm().astype(np.float32) / np.float32(32768)
    out.flags.writeable = False
    return out


@functools.cache
def stereo() -> Nd:
    """Its two halves as two channels, (2, 384000)."""
    return mono().reshape(2, -1)


@functools.cache
def frames() -> Nd:
    """The same interleaved, (384000, 2), contiguous."""
    return np.ascontiguousarray(stereo().T)
