"""Stereo by broadcasting: a pan law, mid and side, and a wider image, with no temporary arrays."""

from __future__ import annotations

import numpy as np
import rnp

random = np.random.default_rng(1)
mono = random.uniform(-0.5, 0.5, 48_000).astype(np.float32)
left_to_right = np.linspace(0, np.pi / 2, len(mono), dtype=np.float32)  # the angle of each frame

with rnp.lazy():
    # Constant power: (frames, 1) * (frames, 2). The signal moves from the left to the right.
    angle = rnp.asarray(left_to_right)[:, None]
    law = rnp.where([True, False], rnp.cos(angle), rnp.sin(angle))
    panned = rnp.asarray(mono)[:, None] * law
    # Mid and side, one matrix row each, and a side 1.5 times as loud.
    mid = (panned[:, 0] + panned[:, 1]) * 0.5
    side = (panned[:, 0] - panned[:, 1]) * 0.5
    sign = np.array([1.5, -1.5], np.float32)
    wide = mid[:, None] + side[:, None] * sign
    power = rnp.sum(panned * panned, axis=1)  # of each frame: that of the mono signal

plan = rnp.plan(panned, wide, power)  # afterwards, nothing would be left to do
stereo, wider, energy = rnp.eval(panned, wide, power)
print(f"{plan.ops} ops in {plan.loops} loops for {wider.shape} {wider.dtype}")
for name, part in (("first", stereo[:4800]), ("last", stereo[-4800:])):
    print(f"RMS left and right, {name} tenth: {np.sqrt((part * part).mean(axis=0)).round(4)}")

cos, sin = np.cos(left_to_right), np.sin(left_to_right)
wanted = mono[:, None] * np.stack([cos, sin], axis=1)
m, s = wanted.mean(axis=1), (wanted[:, 0] - wanted[:, 1]) / 2
assert np.allclose(stereo, wanted, atol=1e-6)
assert np.allclose(wider, np.stack([m + 1.5 * s, m - 1.5 * s], axis=1), atol=1e-6)
assert np.allclose(energy, mono**2, atol=1e-6)
