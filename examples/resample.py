"""Linear resampling: `interp` over grids that are formulas, neither stored nor searched."""

from __future__ import annotations

import numpy as np
import rnp

OLD, NEW = 44_100, 48_000
pcm = (np.sin(np.arange(2 * OLD) * 0.03) * 20_000).astype(np.int16)
frames = len(pcm) * NEW // OLD

with rnp.lazy():
    x = rnp.asarray(pcm).astype("float32") / 32768.0
    at = rnp.arange(frames) * (OLD / NEW)  # where the new samples stand among the old
    resampled = rnp.interp(at, rnp.arange(len(pcm)), x)
    # The same with both ends kept in place, which `linspace` says best.
    stretched = rnp.interp(rnp.linspace(0, len(pcm) - 1, frames), rnp.arange(len(pcm)), x)
    peak = rnp.abs(resampled).max()

plan = rnp.plan(resampled)
print(
    f"{OLD} Hz -> {NEW} Hz: {len(pcm)} -> {frames} samples in {plan.loops} loops of {plan.ops} ops"
)
print(f"bytes moved {plan.bytes_moved:,}, NumPy op by op {plan.numpy_bytes:,}")

y, z, loudest = rnp.eval(resampled, stretched, peak)
old = pcm.astype("float32") / 32768.0
grid = np.arange(len(pcm))
assert np.allclose(y, np.interp(np.arange(frames) * (OLD / NEW), grid, old), rtol=0, atol=1e-9)
assert np.allclose(z, np.interp(np.linspace(0, len(pcm) - 1, frames), grid, old), rtol=0, atol=1e-9)
assert loudest == np.abs(y).max()
print(f"peak {loudest:.6f}, ends {y[0]:.6f} and {y[-1]:.6f}")
