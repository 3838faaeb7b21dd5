"""Analysis of a real take, written once: NumPy's figures, and rnp's of the same lines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy
import rnp

import fetch
import wav

pcm, rate = wav.read(fetch.recording(Path(__file__).parents[1] / "build" / "recording"))
take = pcm.reshape(-1, 2) if pcm.ndim == 1 else pcm  # two channels, if need be of neighbours


def analyze(np: Any, take: Any) -> dict[str, Any]:
    """Measure level and pitch, the pitch where a frame is louder than 40 % of all."""
    x = (take / 32768).mean(axis=1).astype("float32", copy=False)
    frames = x[: len(x) // 512 * 512].reshape(-1, 512)
    rms = np.sqrt(np.mean(frames * frames, axis=1))
    voiced = rms > np.percentile(rms, 40)
    negative = frames < 0
    pitch = np.sum(negative[:, 1:] != negative[:, :-1], axis=1) * (rate / 4 / 512)
    heard = pitch[voiced]
    figures = {"peak": np.max(np.abs(x)), "voiced": np.mean(voiced)}
    for name in ("median", "mean", "min", "max"):
        figures[f"{name} pitch, Hz"] = getattr(np, name)(heard)
    return figures | {"median RMS": np.median(rms), "loudest RMS": rms.max()}


with rnp.lazy():
    found = analyze(rnp, rnp.asarray(take))
    ours = dict(zip(found, rnp.eval(*found.values()), strict=True))
lines = [[f"{k:18}{v:.6g}" for k, v in f.items()] for f in (ours, analyze(numpy, take))]
print(*lines[0], sep="\n")
assert lines[0] == lines[1]
