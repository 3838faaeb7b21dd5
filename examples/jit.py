"""`@rnp.jit`: traced once, then no graph is built; gains and lengths are run-time arguments."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import rnp


@rnp.jit
def limiter(x: rnp.Array, gain: float, ceiling: float = 0.9) -> tuple[rnp.Array, rnp.Array]:
    """Amplify, hold what is above the ceiling, and tell how many samples that was."""
    y = x * gain
    over = rnp.abs(y) > ceiling  # no `if` on values: rnp.where and masks instead
    return rnp.where(over, rnp.sign(y) * ceiling, y), rnp.sum(over)


def reference(x: npt.NDArray[np.float32], gain: float, ceiling: float) -> npt.NDArray[np.float32]:
    """Do the same in NumPy."""
    y = x * gain
    return np.where(np.abs(y) > ceiling, np.sign(y) * ceiling, y)


random = np.random.default_rng(4)
for length, gain, ceiling in [(48_000, 1.5, 0.9), (1_000, 3.0, 0.9), (7, 0.5, 0.4), (0, 2.0, 0.9)]:
    take = random.uniform(-1, 1, length).astype(np.float32)
    held, count = limiter(take, gain, ceiling=ceiling)
    print(f"{length:6} samples, gain {gain}: {count:5} held at {ceiling}")
    assert np.array_equal(held, reference(take, gain, ceiling))
    assert count == np.count_nonzero(np.abs(take * gain) > ceiling)
print(f"traced {limiter.traces} time")
assert limiter.traces == 1
