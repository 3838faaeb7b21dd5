"""What becomes of a chain: its graph, what each pass changed, the loops, and what it costs."""

from __future__ import annotations

import numpy as np
import rnp

left, right = np.random.default_rng(3).uniform(-1, 1, (2, 4096)).astype(np.float32)

with rnp.lazy():
    a, b = rnp.asarray(left), rnp.asarray(right)
    mid = (a + b) * 0.5
    side = (a - b) * 0.5
    again = (a + b) * 0.5  # the same as `mid`: computed once
    width = rnp.sqrt(rnp.mean(side * side)) / rnp.sqrt(rnp.mean(mid * again))

print(rnp.explain(width))  # rnp.explain(width, machine_code=True) ends with the instructions

plan = rnp.plan(width)
print(f"{plan.ops} ops in, {plan.loops} loops out; bytes moved: {plan.bytes_moved:,}, ", end="")
print(f"by NumPy op by op: {plan.numpy_bytes:,}")
print(*(plan.cuts or ["nothing had to be cut"]), sep="\n")

m, s = (left + right) / 2, (left - right) / 2
wanted = np.sqrt(np.mean(s * s, dtype=float)) / np.sqrt(np.mean(m * m, dtype=float))
print(f"width {float(width):.6f}")
assert np.isclose(float(width), wanted, rtol=1e-6)
