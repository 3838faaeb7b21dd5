"""An int16 stream in blocks: one buffer that the driver refills, one lazy chain per block.

What a chain captured never changes: `rnp.asarray` copies a buffer that somebody may write to. All
blocks, the short last one too, run the same compiled loop: lengths and gains are arguments of it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import rnp

BLOCK = 1024
stream = np.random.default_rng(2).integers(-32768, 32767, 100_000, np.int16)
buffer = np.empty(BLOCK, np.int16)  # the driver's


@rnp.lazy()
def louder(block: npt.NDArray[np.int16], gain: float) -> rnp.Array:
    """Soft-clip one block."""
    x = rnp.asarray(block).astype("float32") / 32768.0
    pcm: rnp.Array = rnp.rint(rnp.tanh(x * gain) * 32767.0).astype("int16")
    return pcm


pieces = []
for start in range(0, len(stream), BLOCK):
    count, gain = min(BLOCK, len(stream) - start), 1.0 + start / len(stream)
    buffer[:count] = stream[start : start + count]
    chain = louder(buffer[:count], gain)
    buffer[:] = 0  # the next block arrives before this one is evaluated
    piece = chain.eval()
    pieces.append(piece)
    x = stream[start : start + count].astype("float32") / 32768.0
    assert np.abs(piece - np.rint(np.tanh(x * gain) * 32767.0)).max() <= 1

played = np.concatenate(pieces)
print(f"{len(pieces)} blocks, {len(played)} samples, the last block {len(pieces[-1])}")
assert played.dtype == np.int16 and played.shape == stream.shape  # noqa: PT018
