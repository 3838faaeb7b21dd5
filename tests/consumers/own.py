"""Two chains whose public code is in no package, written here anew: the same operations, own text.

`frame_rms` is as in GPT-SoVITS's slicer. The rest is as in pocket-tts: its audio helpers, its
report about a take, its two ways to 16 bits. `np` is swapped here as it is in a package.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Nd = Any


def frame_rms(y: Nd, frame: int = 2048, hop: int = 512) -> Nd:
    """Return the rms of overlapping frames, centred, the frames being views (no. 29)."""
    half = frame // 2
    padded = np.pad(y, (half, half), mode="constant")
    step = padded.strides[-1]
    count = padded.shape[-1] - frame + 1
    windows = np.lib.stride_tricks.as_strided(padded, (count, frame), (step, step))
    frames = np.moveaxis(windows, -1, -2)[..., ::hop]
    return np.sqrt(np.mean(np.abs(frames) ** 2, axis=-2, keepdims=True))


def normalize(samples: Nd, gain: float = 1.0) -> Nd:
    """Scale to a peak of 0.99, or return silence as it is."""
    peak = np.max(np.abs(samples))
    return samples / peak * 0.99 * gain if peak > 0 else samples


def resample(samples: Nd, length: int) -> Nd:
    """Interpolate to `length` points."""
    at = np.linspace(0, len(samples) - 1, length)
    return np.interp(at, np.arange(len(samples)), samples).astype(np.float32)


def fade(samples: Nd, milliseconds: float, rate: int) -> Nd:
    """Fade a copy in and out, in place."""
    out = samples.copy()
    k = int(milliseconds * rate / 1000)
    if k > 0:
        out[:k] *= np.linspace(0, 1, k)
        out[-k:] *= np.linspace(1, 0, k)
    return out


def metrics(samples: Nd) -> dict[str, Any]:
    """Return rms, peak and their distance in dB."""
    rms = np.sqrt(np.mean(samples**2))
    peak = np.max(np.abs(samples))
    return {"rms": rms, "peak": peak, "range": 20 * np.log10(peak / np.maximum(rms, 1e-10))}


def report(samples: Nd, frame: int) -> dict[str, Any]:
    """Describe a take: peak, what is loud and how much of it, from stereo or mono."""
    mono = samples.mean(axis=1) if samples.ndim > 1 else samples
    mono = mono.astype("float32", copy=False)
    count = len(mono) // frame
    levels = np.sqrt(np.mean(mono[: count * frame].reshape(count, frame) ** 2, axis=1))
    loud = levels > np.percentile(levels, 40)
    chosen = levels[loud]
    return {
        "peak": float(np.max(np.abs(mono))),
        "median": float(np.median(chosen)),
        "mean": float(np.mean(chosen)),
        "lowest": float(np.min(chosen)),
        "highest": float(np.max(chosen)),
        "share": float(np.mean(loud)),
    }


def chunk_bytes(samples: list[float]) -> Any:
    """Encode a list of samples as 16-bit bytes, truncating."""
    limited = np.clip(np.array(samples), -1.0, 1.0).astype(np.float32)
    return (limited * 32767).astype(np.int16).tobytes()


def encode(samples: Nd) -> Nd:
    """Encode as 16-bit samples, clipped after scaling."""
    return (samples * 32767).clip(-32768, 32767).astype(np.int16)
