"""The recordings that the functions run on, and what is derived from them with NumPy alone.

They come with gradio's wheel (Apache-2.0), and are decoded by soundfile.
"""

from __future__ import annotations

import functools
from typing import Any

import loader
import numpy as np
import soundfile

Nd = np.ndarray[Any, Any]
AUDIO = loader.FOLDER / "gradio" / "media_assets" / "audio"
RATE = 48_000  # of `sax` and `stereo`


def read(name: str, dtype: str = "float32") -> Nd:
    """Decode a recording."""
    samples, _rate = soundfile.read(AUDIO / name, dtype=dtype)
    return np.asarray(samples)


@functools.cache
def sax() -> Nd:
    """16 s of a saxophone, mono, 768,000 samples."""
    return read("sax.wav")


@functools.cache
def sax_pcm() -> Nd:
    """The same as int16."""
    return read("sax.wav", "int16")


@functools.cache
def stereo() -> Nd:
    """3.3 s in two channels, (159744, 2), a seventh of it exact zeros."""
    return read("recording1.wav")


@functools.cache
def stereo_pcm() -> Nd:
    """The same as int16."""
    return read("recording1.wav", "int16")


@functools.cache
def duet() -> Nd:
    """The same with the saxophone for its right channel: the recording has one twice."""
    return np.stack([stereo()[:, 0], sax()[: len(stereo())]], axis=1)


@functools.cache
def duet_pcm() -> Nd:
    """The same as int16."""
    return np.asarray((duet() * 32768).astype(np.int16))


@functools.cache
def channels() -> Nd:
    """The same with the channels first, (2, 159744), contiguous."""
    return np.ascontiguousarray(stereo().T)


@functools.cache
def speech() -> Nd:
    """7 s of speech at 16 kHz: every second sample of an MP3 at 32 kHz, some over full scale."""
    return np.ascontiguousarray(
        np.concatenate([read("heath_ledger.mp3"), read("cantina.wav")])[::2]
    )


@functools.cache
def magnitudes() -> Nd:
    """The saxophone's magnitude spectrum, (1025, 1501), float32; its last frame is silent."""
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(sax(), 1024), 2048)[::512]
    spectrum = np.abs(np.fft.rfft(frames * np.hanning(2049)[:-1])).T.astype(np.float32)
    spectrum[:, -1] = 0
    return np.ascontiguousarray(spectrum)


@functools.cache
def mel() -> Nd:
    """Its mel spectrum of power, (128, 1501), float32."""
    filters = loader.load("librosa.filters").mel(sr=RATE, n_fft=2048)
    return np.asarray(filters @ magnitudes() ** 2)


@functools.cache
def pitch() -> tuple[Nd, Nd]:
    """Times, and zero crossings of the saxophone per second, some of them NaN, some negative."""
    frames = np.signbit(sax().reshape(-1, 960))
    crossings = np.count_nonzero(frames[:, 1:] != frames[:, :-1], axis=1) * (RATE / 960 / 2)
    crossings[::50], crossings[25::50] = np.nan, -1.0
    return np.arange(len(crossings)) * (960 / RATE), crossings
