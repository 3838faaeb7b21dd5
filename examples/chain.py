"""The mastering chain of `master.py`: as an rnp user writes it, and twice as a NumPy user would."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import rnp

from wav import Pcm

FULL = 32768.0  # int16 samples in a full scale of 1.0
QUIET = 1e-9  # the least peak to divide by: silence stays silence


@dataclass(frozen=True)
class Settings:
    """What the engineer turns."""

    rate: int
    peak: float = 0.99
    gain_db: float = 6.0
    fade: float = 0.5

    @property
    def gain(self) -> float:
        """The gain as a factor."""
        return float(10 ** (self.gain_db / 20))

    def edge(self, frames: int) -> int:
        """Return the length of a fade, in frames: half of a very short take at most."""
        return max(1, min(int(self.fade * self.rate), (frames - 2) // 2))


# rnp: nothing below runs before somebody asks for samples.


def level(pcm: Pcm, settings: Settings) -> rnp.Array:
    """Decode, remove DC per channel, normalize to the peak, apply the gain."""
    x = rnp.asarray(pcm).astype("float32") / FULL
    x = x - x.mean(axis=0)
    x = x * (settings.peak / rnp.maximum(rnp.abs(x).max(), QUIET))
    levelled: rnp.Array = x * settings.gain
    return levelled


def encode(x: rnp.Array) -> rnp.Array:
    """Round to int16, with saturation."""
    pcm: rnp.Array = rnp.clip(rnp.rint(x * FULL), -32768, 32767).astype("int16")
    return pcm


@rnp.lazy()
def plain(pcm: Pcm, settings: Settings) -> rnp.Array:
    """Decode, DC, normalize, gain, encode: the part in which every operation is exactly defined."""
    return encode(level(pcm, settings))


@rnp.lazy()
def master(pcm: Pcm, settings: Settings) -> rnp.Array:
    """Run the whole chain: the part above with a soft clip and fades before the encoder."""
    frames, edge = len(pcm), settings.edge(len(pcm))
    corners = [0, edge, frames - 1 - edge, frames - 1]
    fade = rnp.interp(rnp.arange(frames), corners, [0, 1, 1, 0]).astype("float32")
    x = rnp.tanh(level(pcm, settings))
    return encode(x * (fade if pcm.ndim == 1 else fade[:, None]))


# NumPy, the same expressions. `mean` is the dtype that means are summed in: NumPy's own choice is
# float32 for float32 samples, rnp's float64, and a comparison of samples must use one of them.


def numpy_level(pcm: Pcm, settings: Settings, mean: Any = None) -> npt.NDArray[np.float32]:
    """Do what `level` does, one operation after the other."""
    x = pcm.astype("float32") / FULL
    x = x - x.mean(axis=0, dtype=mean).astype("float32")
    x = x * (settings.peak / np.maximum(np.abs(x).max(), QUIET))
    levelled: npt.NDArray[np.float32] = x * settings.gain
    return levelled


def numpy_encode(x: npt.NDArray[np.float32]) -> Pcm:
    """Do what `encode` does."""
    pcm: Pcm = np.clip(np.rint(x * FULL), -32768, 32767).astype("int16")
    return pcm


def numpy_plain(pcm: Pcm, settings: Settings, mean: Any = None) -> Pcm:
    """Do what `plain` does."""
    return numpy_encode(numpy_level(pcm, settings, mean))


def numpy_master(pcm: Pcm, settings: Settings, mean: Any = None) -> Pcm:
    """Do what `master` does."""
    frames, edge = len(pcm), settings.edge(len(pcm))
    corners = [0, edge, frames - 1 - edge, frames - 1]
    fade = np.interp(np.arange(frames), corners, [0, 1, 1, 0]).astype("float32")
    x = np.tanh(numpy_level(pcm, settings, mean))
    return numpy_encode(x * (fade if pcm.ndim == 1 else fade[:, None]))


def numpy_by_hand(pcm: Pcm, settings: Settings) -> Pcm:
    """Do what `master` does, as an expert would: in place, factors merged, fades at the ends."""
    x = pcm.astype(np.float32)
    x *= np.float32(1 / FULL)
    x -= x.mean(axis=0)
    peak = max(float(x.max()), -float(x.min()), QUIET)
    x *= np.float32(settings.peak / peak * settings.gain)
    np.tanh(x, out=x)
    edge = settings.edge(len(x))
    ramp = np.linspace(0, 1, edge, endpoint=False, dtype=np.float32).reshape(
        -1, *[1] * (x.ndim - 1)
    )
    x[:edge] *= ramp
    x[-edge:] *= ramp[::-1]
    x *= np.float32(FULL)
    np.rint(x, out=x)
    np.clip(x, -32768, 32767, out=x)
    return x.astype(np.int16)
