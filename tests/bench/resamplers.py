"""Resamplers beside each other, by measurement: `make resamplers`.

Quality is measured with tones in float64, one at a time: what of a tone comes out as itself is
gain, all the rest is error. Speed is that of 16 s of float32, on one thread.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import rnp
from rnp import audio

from bench.machine import processor
from bench.timing import race

Nd = np.ndarray[Any, Any]
Resampler = Callable[[Nd, int, int], Nd]

PAIRS = ((48_000, 44_100), (44_100, 48_000), (48_000, 16_000))
TONES = 48
# The part of the slower rate's Nyquist frequency that every one of them means to keep.
BAND = 0.75
HEAD = """\
# Resamplers

Written by `make resamplers`: what `rnp.audio` does beside others, at {pairs}.

- ripple: the largest deviation of the gain from 1, for tones up to {band:.0%} of the slower rate's
  Nyquist frequency;
- -0.1 dB, -3 dB: where the gain falls that far, as a part of that frequency;
- error: the largest of what a tone of that band has beside itself: images, aliases, rounding;
- alias in band: the loudest that a tone above the new Nyquist frequency leaves, where it folds into
  the band; alias: where it folds anywhere above;
- speed: millions of input samples per second, 16 s of float32, one thread.

dB are of a tone at full scale. Measured on {machine}, with {versions}.
Bias: rnp's authors chose tones, rates and settings. soxr and resampy have further settings, which
may be better for a given case.
"""


def ours(quality: int | str) -> Resampler:
    """Give a quality of rnp's."""
    return lambda x, old, new: np.asarray(audio.resample(x, old, new, quality=quality))


def others() -> dict[str, Resampler]:
    """Give those of other packages, with their own defaults."""
    signal, soxr, resampy = map(importlib.import_module, ("scipy.signal", "soxr", "resampy"))

    def poly(x: Nd, old: int, new: int) -> Nd:
        shared = int(np.gcd(old, new))
        return np.asarray(signal.resample_poly(x, new // shared, old // shared))

    def sox(quality: str) -> Resampler:
        return lambda x, old, new: np.asarray(soxr.resample(x, old, new, quality=quality))

    def kaiser(name: str) -> Resampler:
        return lambda x, old, new: np.asarray(resampy.resample(x, old, new, filter=name))

    return {
        "scipy resample_poly": poly,
        **{f"soxr {q}": sox(q) for q in ("LQ", "MQ", "HQ", "VHQ")},
        "resampy kaiser_fast": kaiser("kaiser_fast"),
        "resampy kaiser_best": kaiser("kaiser_best"),
    }


class Response(NamedTuple):
    """What becomes of a tone: its gain in dB, and the rest, in dB of full scale."""

    gain: float
    rest: float


def respond(resampler: Resampler, frequency: float, old: int, new: int) -> Response:
    """Pass a tone through, and take what is left of it from the steady middle."""
    n = 6_000
    x = np.cos(2 * np.pi * frequency / old * np.arange(n))
    y = resampler(x, old, new)
    keep = slice(len(y) // 4, -(len(y) // 4))
    y, at = y[keep], np.arange(len(y))[keep] / new
    if frequency > new / 2:
        return Response(-np.inf, decibels(2 * np.mean(y * y)))
    waves = np.stack([np.cos(2 * np.pi * frequency * at), np.sin(2 * np.pi * frequency * at)], 1)
    fitted, *_ = np.linalg.lstsq(waves, y)
    rest = y - waves @ fitted
    return Response(decibels(float(fitted @ fitted)), decibels(2 * float(np.mean(rest * rest))))


def decibels(power: float) -> float:
    """Power in dB, with a floor."""
    return float(10 * np.log10(max(power, 1e-40)))


def edge(resampler: Resampler, old: int, new: int, drop: float) -> float:
    """Find where the gain has fallen by so many dB, by halving."""
    slow = min(old, new) / 2
    low, high = 0.3, 1.0
    for _ in range(9):
        middle = (low + high) / 2
        fallen = respond(resampler, middle * slow, old, new).gain < -drop
        low, high = (low, middle) if fallen else (middle, high)
    return low


def quality(resampler: Resampler, old: int, new: int) -> list[str]:
    """Measure one ratio: the columns of the table."""
    slow = min(old, new) / 2
    band = [respond(resampler, part * slow, old, new) for part in np.linspace(0.01, BAND, TONES)]
    ripple = max(abs(r.gain) for r in band)
    columns = [f"{ripple:.4f} dB" if ripple >= 5e-5 else "< 0.0001 dB"]
    columns += [f"{edge(resampler, old, new, drop):.2f}" for drop in (0.1, 3.0)]
    columns.append(f"{max(r.rest for r in band):.0f} dB")
    if new > old:
        return [*columns, "", ""]
    top = old / 2 / slow

    def alias(first: float, last: float) -> str:
        parts = np.linspace(first, min(last, top * 0.995), TONES)
        worst = max(respond(resampler, float(p) * slow, old, new).rest for p in parts)
        return f"{worst:.0f} dB"

    # From 2 - BAND on a tone folds into the band; up to there, above it.
    folded = alias(2 - BAND, 2.0) if top > 2 - BAND else ""
    return [*columns, folded, alias(1.005, 2 - BAND)]


def main() -> None:
    """Write the page."""
    warnings.simplefilter("ignore")  # those of compilers
    rnp.set_num_threads(1)
    all_of_them: dict[str, Resampler] = {
        **{f"rnp {q}": ours(q) for q in (8, 12, 16, "best")},
        **others(),
    }
    modules = map(importlib.import_module, ("scipy", "soxr", "resampy"))
    versions = ", ".join(f"{m.__name__} {m.__version__}" for m in modules)
    pairs = ", ".join(f"{old} to {new} Hz" for old, new in PAIRS)
    head = HEAD.format(pairs=pairs, band=BAND, machine=processor(), versions=versions)
    parts = [head]
    take = np.random.default_rng(1).uniform(-1, 1, 16 * 48_000).astype(np.float32)
    for old, new in PAIRS:
        jobs = {
            name: lambda f=f, old=old, new=new: f(take, old, new) for name, f in all_of_them.items()
        }
        seconds = race(jobs, 20.0)
        titles = ["ripple", "-0.1 dB", "-3 dB", "error", "alias in band", "alias", "speed"]
        rows = ["| " + " | ".join(["", *titles]) + " |", "|---" * (len(titles) + 1) + "|"]
        for name, resampler in all_of_them.items():
            columns = quality(resampler, old, new)
            speed = f"{len(take) / seconds[name] / 1e6:.0f}"
            rows.append("| " + " | ".join([name, *columns, speed]) + " |")
            print(f"{old} to {new}: {rows[-1]}", flush=True)
        parts.append(f"## {old} to {new} Hz\n\n" + "\n".join(rows) + "\n")
    Path(sys.argv[1]).write_text("\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main()
