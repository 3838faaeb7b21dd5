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


def measure(samples: Nd) -> tuple[Any, ...]:
    """Peak, RMS, DC, crest, clipped samples, zero crossings and silence, a pass for each."""
    magnitude = np.abs(samples)
    peak, rms = np.max(magnitude), np.sqrt(np.mean(np.square(samples, dtype=np.float64)))
    below = samples < 0
    return (
        peak,
        rms,
        np.mean(samples, dtype=np.float64),
        peak / rms,
        np.count_nonzero(magnitude >= 1.0),
        np.count_nonzero(below[1:] != below[:-1]),
        np.count_nonzero(magnitude <= 0.0) / samples.size,
    )


def power_to_db(power: Nd, amin: float = 1e-10, top_db: float = 80.0) -> Nd:
    """Levels of powers, as librosa computes them."""
    log: Nd = 10.0 * np.log10(np.maximum(amin, power))
    out: Nd = np.maximum(log, log.max() - top_db)
    return out


def amplitude_to_db(samples: Nd) -> Nd:
    """Levels of amplitudes."""
    return power_to_db(np.square(samples))


def db_to_power(levels: Nd) -> Nd:
    """Powers of levels."""
    return np.power(10.0, 0.1 * levels)


def db_to_amplitude(levels: Nd) -> Nd:
    """Amplitudes of levels."""
    return np.sqrt(db_to_power(levels))


def to_pcm(samples: Nd) -> Nd:
    """Codes of samples, rounded and saturated; NaN is silence."""
    scaled = np.where(np.isnan(samples), 0, samples) * np.float32(32768)
    return np.clip(np.rint(scaled), -32768, 32767).astype(np.int16)


def write_pcm(samples: Nd) -> bytes:
    """Bytes of samples."""
    return float32_to_int16(samples).tobytes()


def crossfade(first: Nd, second: Nd, duration_ms: float = 10, sample_rate: float = 24000) -> Nd:
    """Join two takes with equal power."""
    count = int(duration_ms * sample_rate / 1000)
    t = np.linspace(0, np.pi / 2, count)
    middle = first[len(first) - count :] * np.cos(t) + second[:count] * np.sin(t)
    return np.concatenate([first[: len(first) - count], middle.astype(np.float32), second[count:]])
