"""Audio: the functions of the port that rnp began with, done right, and what belongs beside them.

All of them are compositions on the graph: in a lazy block they are recorded and fuse with the
operations around them, outside of one they compute at once and return what NumPy would. Samples are
mono `(n,)`, or channels as `(n, channels)` or `(channels, n)`: `axis` says where the time is.

`arange`, `concatenate`, `vstack`, `hstack`, `array` and `eye`, which the port had in forms of its
own, are NumPy's.
"""

from typing import Any

from rnp.audio.fades import CURVES, apply_fade, crossfade
from rnp.audio.levels import amplitude_to_db, db_to_amplitude, db_to_power, power_to_db
from rnp.audio.meters import Meters, Reading, measure
from rnp.audio.pcm import (
    float32_to_int16,
    from_pcm,
    frombuffer_int16_to_float32,
    int16_to_float32,
    read_pcm,
    to_pcm,
    write_pcm,
)
from rnp.audio.port import (
    apply_gain,
    compute_audio_metrics,
    compute_peak,
    compute_rms,
    normalize_audio,
)
from rnp.audio.processor import RustAudioProcessor, get_rust_processor
from rnp.audio.resampling import resample, resample_audio, resample_linear, resample_sinc
from rnp.audio.vectors import (
    clip_vec,
    compute_mean,
    compute_median,
    compute_min,
    compute_percentile,
    compute_std,
    compute_sum,
    compute_var,
    dot_vec,
    interp,
    linspace,
    log10_vec,
    log_vec,
    matmul_2d,
    min_vec,
    ones_vec,
    power_vec,
    prod,
    reshape_vec,
    sqrt_vec,
    transpose_2d,
    zeros_vec,
)

__all__ = [
    "CURVES",
    "Meters",
    "Reading",
    "RustAudioProcessor",
    "amplitude_to_db",
    "apply_fade",
    "apply_gain",
    "arange",
    "array",
    "clip_vec",
    "compute_audio_metrics",
    "compute_mean",
    "compute_median",
    "compute_min",
    "compute_peak",
    "compute_percentile",
    "compute_rms",
    "compute_std",
    "compute_sum",
    "compute_var",
    "concatenate",
    "crossfade",
    "db_to_amplitude",
    "db_to_power",
    "dot_vec",
    "eye",
    "float32_to_int16",
    "from_pcm",
    "frombuffer_int16_to_float32",
    "get_rust_processor",
    "hstack",
    "int16_to_float32",
    "interp",
    "linspace",
    "log10_vec",
    "log_vec",
    "matmul_2d",
    "measure",
    "min_vec",
    "normalize_audio",
    "ones_vec",
    "power_to_db",
    "power_vec",
    "prod",
    "read_pcm",
    "resample",
    "resample_audio",
    "resample_linear",
    "resample_sinc",
    "reshape_vec",
    "sqrt_vec",
    "to_pcm",
    "transpose_2d",
    "vstack",
    "write_pcm",
    "zeros_vec",
]

_NUMPY = frozenset(["arange", "array", "concatenate", "eye", "hstack", "vstack"])


def __getattr__(name: str) -> Any:
    import rnp

    if name in _NUMPY:
        return getattr(rnp, name)
    raise AttributeError(f"module 'rnp.audio' has no attribute {name!r}")
