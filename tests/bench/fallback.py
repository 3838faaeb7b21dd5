"""The port's NumPy fallback, by its formulas: the oracle and the rival of `rnp.audio`."""

from __future__ import annotations

from typing import Any

import numpy as np

Nd = np.ndarray[Any, Any]


def normalize_audio(samples: Nd, gain: float = 1.0) -> Nd:
    """Bring the peak to 0.99 times the gain; silence comes back as it is."""
    peak = np.max(np.abs(samples))
    out: Nd = samples / peak * 0.99 * gain if peak > 0 else samples
    return out


def apply_gain(samples: Nd, gain: float) -> Nd:
    """Amplify."""
    out: Nd = samples * gain
    return out


def resample_linear(samples: Nd, target_length: int) -> Nd:
    """Resample on straight lines, both ends in place."""
    at = np.linspace(0, len(samples) - 1, target_length)
    return np.interp(at, np.arange(len(samples)), samples).astype(np.float32)


def apply_fade(
    samples: Nd, fade_in_ms: float = 10, fade_out_ms: float = 10, sample_rate: float = 24000
) -> Nd:
    """Fade a copy in and out on straight lines."""
    out = samples.copy()
    fade_in, fade_out = int(fade_in_ms * sample_rate / 1000), int(fade_out_ms * sample_rate / 1000)
    if fade_in > 0:
        out[:fade_in] *= np.linspace(0, 1, fade_in)
    if fade_out > 0:
        out[-fade_out:] *= np.linspace(1, 0, fade_out)
    return out


def compute_rms(samples: Nd) -> Any:
    """Root mean square."""
    return np.sqrt(np.mean(samples**2))


def compute_peak(samples: Nd) -> Any:
    """Largest magnitude."""
    return np.max(np.abs(samples))


def compute_audio_metrics(samples: Nd) -> dict[str, Any]:
    """RMS, peak and dynamic range in dB."""
    rms, peak = compute_rms(samples), compute_peak(samples)
    return {"rms": rms, "peak": peak, "dynamic_range_db": 20 * np.log10(peak / max(rms, 1e-10))}


def int16_to_float32(samples: Nd) -> Nd:
    """Samples of codes."""
    return samples.astype(np.float32) / 32768.0


def float32_to_int16(samples: Nd) -> Nd:
    """Codes of samples, rounded and saturated."""
    return np.clip(np.rint(samples * 32768.0), -32768, 32767).astype(np.int16)


def frombuffer_int16_to_float32(data: bytes) -> Nd:
    """Samples of bytes."""
    return np.frombuffer(data, dtype=np.int16).astype(np.float32) / 32768.0
