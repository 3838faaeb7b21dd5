"""The port's class `RustAudioProcessor`: the functions of this package as methods."""

from __future__ import annotations

import functools
from typing import Any

from rnp.audio import fades, port, resampling


class RustAudioProcessor:
    """What client code of the port holds; there is no library to find, so it is always there.

    >>> processor = audio.RustAudioProcessor()
    >>> processor.is_available()
    True
    >>> processor.apply_gain(np.array([1.0, 2.0]), 0.5)
    array([0.5, 1. ])
    """

    def __init__(self, lib_path: Any = None) -> None:
        """Take the port's argument, which nothing is done with."""

    def is_available(self) -> bool:
        """Whether the native code is there: yes."""
        return True

    def normalize(self, samples: Any, gain: float = 1.0) -> Any:
        """`normalize_audio` of all samples together."""
        return port.normalize_audio(samples, gain)

    def apply_gain(self, samples: Any, gain: float) -> Any:
        """`apply_gain`."""
        return port.apply_gain(samples, gain)

    def resample_linear(self, samples: Any, target_length: int) -> Any:
        """`resample_linear` along the last axis."""
        return resampling.resample_linear(samples, target_length)

    def resample_sinc(self, samples: Any, target_length: int, quality: int = 8) -> Any:
        """`resample_sinc` along the last axis."""
        return resampling.resample_sinc(samples, target_length, quality)

    def apply_fade(
        self, samples: Any, fade_in_ms: float, fade_out_ms: float, sample_rate: float = 24000
    ) -> Any:
        """`apply_fade` along the last axis, linear."""
        return fades.apply_fade(samples, fade_in_ms, fade_out_ms, sample_rate)

    def compute_rms(self, samples: Any) -> Any:
        """`compute_rms` of all samples together."""
        return port.compute_rms(samples)

    def compute_peak(self, samples: Any) -> Any:
        """`compute_peak` of all samples together."""
        return port.compute_peak(samples)


@functools.cache
def get_rust_processor() -> RustAudioProcessor:
    """Give the processor of the process.

    >>> audio.get_rust_processor() is audio.get_rust_processor()
    True
    """
    return RustAudioProcessor()
