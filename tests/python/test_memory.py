"""Memory of large evaluations: their values, what they hold at most, what comes back."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import rnp

LARGE = 3_000_001


def test_results_too_large_for_the_caches_are_whole() -> None:
    x = np.linspace(-2.0, 2.0, LARGE + 1)[1:]
    with rnp.lazy():
        a = rnp.asarray(x)
        y = rnp.clip(a * 0.5 + 0.1, 0.0, 1.0)
        z = rnp.tanh(a)
        pcm = rnp.rint(y * 32767.0).astype("int16")
        got, curve, samples = rnp.eval(y, z, pcm)
    want = np.clip(x * 0.5 + 0.1, 0.0, 1.0)
    assert np.array_equal(got, want)
    assert np.array_equal(samples, np.rint(want * 32767.0).astype(np.int16))
    assert np.allclose(curve, np.tanh(x), rtol=1e-15, atol=0)


def test_large_inputs_are_copied_whole_and_once_changed_seen_as_they_were() -> None:
    x = np.arange(LARGE, dtype=np.float64)
    with rnp.lazy():
        y = rnp.asarray(x) + 0.0
        frames = rnp.asarray(x[1:].reshape(-1, 2)[:, ::-1]) + 0.0
        x[:] = -1.0
        got, pairs = rnp.eval(y, frames)
    assert np.array_equal(got, np.arange(LARGE))
    assert np.array_equal(pairs[:, 1], np.arange(1, LARGE, 2))
    assert np.array_equal(pairs[:, 0], np.arange(2, LARGE, 2))


@pytest.mark.parametrize("take", [np.asarray, rnp.Array.eval, rnp.Array.to_numpy])
def test_a_held_value_and_what_was_given_away_are_apart(take: Callable[[rnp.Array], Any]) -> None:
    x = np.arange(40_000, dtype=np.float32)
    with rnp.lazy():
        y = rnp.asarray(x) * 2.0
        given, again = take(y), take(y)
        assert given.flags.writeable
        assert not np.shares_memory(given, again)
        given[:] = 0.0
        assert np.array_equal(again, x * 2.0)
        assert np.array_equal((y + 1.0).eval(), x * 2.0 + 1.0)


PEAK = """
import numpy as np, rnp
def peak():
    with open("/proc/self/status") as f:
        return next(int(l.split()[1]) for l in f if l.startswith("VmHWM")) / 1024
rnp.set_num_threads(1)
chain = rnp.jit(lambda x: rnp.tanh(rnp.clip(rnp.abs(x - 0.1) * 0.5 + 0.1, 0, 1) / 3.0) - 0.2)
chain(np.ones(100, np.float32))
x = np.ones(8 << 20, np.float32)
before = peak()
with rnp.lazy():
    y = {take}
print(peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(
    "take",
    [
        "chain(x)",
        "(rnp.tanh(rnp.asarray(x, copy=False)) * 0.5).eval()",
        "np.asarray(rnp.tanh(rnp.asarray(x, copy=False)) * 0.5)",
    ],
)
def test_a_fused_chain_needs_its_result_and_no_more(take: str) -> None:
    code = PEAK.replace("{take}", take)
    out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    grown = float(out.stdout)
    assert 31.0 < grown < 36.0, f"{grown} MiB for a result of 32"
