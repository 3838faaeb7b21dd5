"""Every function of `rnp.audio` beside the port's NumPy fallback: `make bench-audio`.

Three lengths of a real recording; eager, lazy on promised inputs, and `rnp.jit`.
"""

from __future__ import annotations

import sys
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import rnp
from rnp import audio

from bench import fallback
from bench.machine import processor
from bench.timing import race

Nd = np.ndarray[Any, Any]
Function = Callable[..., Any]

RECORDING = Path(__file__).parents[2] / "build" / "recording" / "sax.wav"
LENGTHS = (480, 24_000, 768_000)
BUDGET = 0.5  # seconds for the forms of one function at one length
HEAD = """\
# Audio: speed

Written by `make bench-audio`: each function of `rnp.audio` beside the port's NumPy fallback, or
NumPy's own function where the port has no more than that, on a saxophone in float32. NumPy's time
is in microseconds; the other figures are how often rnp is done in that time: above 1 it is faster.

Eager calls compute at once. Lazy ones record a block and evaluate it; their inputs are promised to
stay. `rnp.jit` calls a traced function. At most {threads} threads, on {machine}.

Bias: rnp's authors chose functions, lengths and recording; NumPy uses one thread. `resample`, at
quality 8, and `sinc` stand beside the port's fallback, which is linear interpolation and no filter.
"""


class Work(NamedTuple):
    """One function, what stands for it in NumPy, and what both take."""

    name: str
    ours: Function
    theirs: Function
    take: str = "float32"  # "int16", "bytes"


def halved(x: Nd) -> int:
    """Half the length."""
    return len(x) // 2


WORKS = [
    Work("normalize_audio", audio.normalize_audio, fallback.normalize_audio),
    Work("apply_gain", lambda x: audio.apply_gain(x, 0.5), lambda x: fallback.apply_gain(x, 0.5)),
    Work(
        "resample_audio",
        lambda x: audio.resample_audio(x, halved(x)),
        lambda x: fallback.resample_linear(x, halved(x)),
    ),
    Work(
        "apply_fade",
        lambda x: audio.apply_fade(x, 5, 5, 24_000),
        lambda x: fallback.apply_fade(x, 5, 5, 24_000),
    ),
    Work("compute_audio_metrics", audio.compute_audio_metrics, fallback.compute_audio_metrics),
    Work("compute_rms", audio.compute_rms, fallback.compute_rms),
    Work("compute_peak", audio.compute_peak, fallback.compute_peak),
    Work(
        "frombuffer_int16_to_float32",
        audio.frombuffer_int16_to_float32,
        fallback.frombuffer_int16_to_float32,
        "bytes",
    ),
    Work("int16_to_float32", audio.int16_to_float32, fallback.int16_to_float32, "int16"),
    Work("float32_to_int16", audio.float32_to_int16, fallback.float32_to_int16),
    Work(
        "resample_linear",
        lambda x: audio.resample_linear(x, halved(x)),
        lambda x: fallback.resample_linear(x, halved(x)),
    ),
    Work(
        "resample_sinc, 8",
        lambda x: audio.resample_sinc(x, halved(x), 8),
        lambda x: fallback.resample_linear(x, halved(x)),
    ),
    Work(
        "resample_sinc, 16",
        lambda x: audio.resample_sinc(x, halved(x), 16),
        lambda x: fallback.resample_linear(x, halved(x)),
    ),
    Work("compute_mean", audio.compute_mean, np.mean),
    Work("compute_median", audio.compute_median, np.median),
    Work(
        "compute_percentile",
        lambda x: audio.compute_percentile(x, 40),
        lambda x: np.percentile(x, 40),
    ),
    Work("compute_sum", audio.compute_sum, np.sum),
    Work("compute_std", audio.compute_std, np.std),
    Work("compute_var", audio.compute_var, np.var),
    Work("min_vec", audio.min_vec, np.min),
    Work("prod", audio.prod, np.prod),
    Work("sqrt_vec", audio.sqrt_vec, np.sqrt),
    Work("log_vec", audio.log_vec, np.log),
    Work("log10_vec", audio.log10_vec, np.log10),
    Work(
        "clip_vec",
        lambda x: audio.clip_vec(x, -0.5, 0.5),
        lambda x: np.clip(x, -0.5, 0.5),
    ),
    Work("power_vec", lambda x: audio.power_vec(x, 2.0), lambda x: np.power(x, 2.0)),
    Work("dot_vec", lambda x: audio.dot_vec(x, x), lambda x: np.dot(x, x)),
    Work(
        "linspace",
        lambda x: audio.linspace(0.0, 1.0, x.shape[0]),
        lambda x: np.linspace(0.0, 1.0, x.shape[0]),
    ),
    Work("measure", audio.measure, fallback.measure),
    Work("amplitude_to_db", audio.amplitude_to_db, fallback.amplitude_to_db),
    Work("power_to_db", audio.power_to_db, fallback.power_to_db),
    Work("db_to_amplitude", audio.db_to_amplitude, fallback.db_to_amplitude),
    Work("db_to_power", audio.db_to_power, fallback.db_to_power),
    Work("to_pcm", audio.to_pcm, fallback.to_pcm),
    Work("from_pcm", audio.from_pcm, fallback.int16_to_float32, "int16"),
    Work("read_pcm", audio.read_pcm, fallback.frombuffer_int16_to_float32, "bytes"),
    Work("write_pcm", audio.write_pcm, fallback.write_pcm),
    Work(
        "crossfade",
        lambda x: audio.crossfade(x, x, 5, 24_000),
        lambda x: fallback.crossfade(x, x, 5, 24_000),
    ),
    Work(
        "resample",
        lambda x: audio.resample(x, 48_000, 24_000, quality=8),
        lambda x: fallback.resample_linear(x, halved(x)),
    ),
    Work(
        "interp",
        lambda x: audio.interp(x, (-1.0, 0.0, 1.0), (0.0, 0.5, 1.0)),
        lambda x: np.interp(x, (-1.0, 0.0, 1.0), (0.0, 0.5, 1.0)),
    ),
]


def inputs() -> dict[str, Nd]:
    """Read the recording, as float32 and as int16."""
    with wave.open(str(RECORDING), "rb") as file:
        pcm = np.frombuffer(file.readframes(file.getnframes()), np.int16)
    return {"float32": pcm.astype(np.float32) / np.float32(32768), "int16": pcm.copy()}


def settled(result: Any) -> Any:
    """Evaluate what a block recorded."""
    parts = list(result.values()) if isinstance(result, dict) else [result]
    if isinstance(result, audio.Reading):
        parts = [*result.overall, *result.channels]
    return rnp.eval(*parts)


def forms(work: Work, x: Any) -> dict[str, Callable[[], Any]]:
    """Give NumPy's call and rnp's in each form."""
    traced = rnp.jit(work.ours)

    def lazily() -> Any:
        with rnp.lazy():
            return settled(work.ours(x if isinstance(x, bytes) else rnp.asarray(x, copy=False)))

    return {
        "NumPy": lambda: work.theirs(x),
        "eager": lambda: work.ours(x),
        "lazy": lazily,
        "jit": lambda: traced(x),
    }


def main() -> None:
    """Write the page."""
    takes = inputs()
    parts = [HEAD.format(threads=rnp.get_num_threads(), machine=processor())]
    for length in LENGTHS:
        rows = ["| | NumPy, µs | eager | lazy | jit |", "|---|---|---|---|---|"]
        for work in WORKS:
            x: Any = takes["float32" if work.take == "float32" else "int16"][-length:]
            jobs = forms(work, x.tobytes() if work.take == "bytes" else x)
            with np.errstate(all="ignore"):
                seconds = race(jobs, BUDGET)
            theirs = seconds["NumPy"]
            ratios = [f"{theirs / seconds[form]:.2f}" for form in ("eager", "lazy", "jit")]
            rows.append(f"| {work.name} | {theirs * 1e6:.2f} | " + " | ".join(ratios) + " |")
            print(f"{length:>8} {rows[-1]}", flush=True)
        parts.append(f"## {length:,} samples\n\n" + "\n".join(rows) + "\n")
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text("\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main()
