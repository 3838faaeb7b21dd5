"""Every meter of a take in one pass: seven reductions that share the loops over it."""

from __future__ import annotations

from math import log10

import numpy as np
import rnp

time = np.arange(48_000) / 48_000
wave = np.sin(2 * np.pi * 220 * time) * np.exp(-3 * time) * 40_000
pcm = np.clip(wave, -32768, 32767).astype(np.int16)

with rnp.lazy():
    x = rnp.asarray(pcm).astype("float32") / 32768.0
    negative = x < 0.0
    meters = (
        rnp.abs(x).max(),
        rnp.sqrt(rnp.mean(x * x)),
        x.mean(),
        x.min(),
        x.max(),
        rnp.sum(rnp.abs(x) >= 32767 / 32768),
        rnp.sum(negative[1:] != negative[:-1]),
    )
print(f"{rnp.plan(*meters).ops} ops, {rnp.plan(*meters).loops} loops")

peak, rms, dc, low, high, clipped, crossings = rnp.eval(*meters)
crest = 20 * log10(peak / rms)
print(f"peak {20 * log10(peak):.2f} dBFS, RMS {20 * log10(rms):.2f} dBFS, crest {crest:.2f} dB")
print(f"DC {dc:.6f}, from {low:.4f} to {high:.4f}, {clipped} clipped, {crossings} zero crossings")

y = pcm.astype(np.float64) / 32768
assert (peak, low, high) == (np.abs(y).max(), y.min(), y.max())
assert np.allclose([rms, dc], [np.sqrt(np.mean(y * y)), y.mean()], rtol=1e-6, atol=1e-9)
assert clipped == np.count_nonzero(np.abs(y) >= 32767 / 32768)
assert crossings == np.count_nonzero(np.diff(np.signbit(y)))
