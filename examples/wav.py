"""16-bit WAV files as int16 arrays of shape (frames,) or (frames, channels)."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import numpy.typing as npt

Pcm = npt.NDArray[np.int16]


def read(path: Path) -> tuple[Pcm, int]:
    """Give the samples and the rate of a 16-bit mono or stereo WAV, or raise ValueError.

    The array stands on a `bytes` object, which nobody can write: rnp needs no copy of it.
    """
    try:
        with wave.open(str(path), "rb") as file:
            channels, width, rate = file.getnchannels(), file.getsampwidth(), file.getframerate()
            raw = file.readframes(file.getnframes())
    except (wave.Error, EOFError) as error:
        raise ValueError(f"{path}: not a PCM WAV file ({str(error) or 'it ends early'})") from error
    if width != 2 or channels not in (1, 2):
        raise ValueError(
            f"{path}: {8 * width}-bit, {channels} channels; 16-bit mono or stereo wanted"
        )
    frames = len(raw) // (2 * channels)
    if frames == 0:
        raise ValueError(f"{path}: no samples")
    pcm = np.frombuffer(raw, "<i2", count=frames * channels)
    return (pcm.reshape(-1, channels) if channels > 1 else pcm), rate


def write(path: Path, pcm: Pcm, rate: int) -> None:
    """Write int16 samples of shape (frames,) or (frames, channels)."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1 if pcm.ndim == 1 else pcm.shape[1])
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(pcm.astype("<i2", copy=False).tobytes())
