"""Time three audio chains against NumPy over lengths from a block to minutes: `make bench`.

Engines take turns; figures are medians. Beside the time stands what rnp moves in a second: the
bytes of its plan.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import rnp

import clock

BIAS = """\
Bias: rnp's authors chose the chains and wrote both sides; NumPy's is op by op, as most people write
it, not tuned with out=. rnp's figures include building the graph, and it may use {threads} threads.
"""
LENGTHS = (256, 4_096, 65_536, 1_048_576, 16_777_216)
Take = npt.NDArray[np.float32]


def gain(x: rnp.Array) -> rnp.Array:
    """One operation: the least that laziness has to gain from."""
    louder: rnp.Array = x * 0.5
    return louder


def normalize(x: rnp.Array) -> rnp.Array:
    """Two reductions, each feeding a map."""
    x = x - x.mean()
    normal: rnp.Array = x * (0.99 / rnp.abs(x).max())
    return normal


def clip(x: rnp.Array) -> rnp.Array:
    """A transcendental in a chain, encoded to int16."""
    pcm: rnp.Array = rnp.rint(rnp.tanh(x * 2.0) * 32767.0).astype("int16")
    return pcm


CHAINS: dict[str, tuple[Callable[[rnp.Array], rnp.Array], Callable[[Take], object]]] = {
    "gain": (gain, lambda x: x * 0.5),
    "normalize": (normalize, lambda x: (y := x - x.mean()) * (0.99 / np.abs(y).max())),
    "soft clip": (clip, lambda x: np.rint(np.tanh(x * 2.0) * 32767.0).astype("int16")),
}


def main() -> None:
    """Print one line per chain and length."""
    print(BIAS.format(threads=rnp.get_num_threads()))
    print(f"{'chain':10}{'samples':>11}{'rnp us':>11}{'NumPy us':>11}{'ratio':>7}{'rnp GB/s':>10}")
    for name, (ours, theirs) in CHAINS.items():
        for length in LENGTHS:
            row(name, length, ours, theirs)


def row(
    name: str,
    length: int,
    ours: Callable[[rnp.Array], rnp.Array],
    theirs: Callable[[Take], object],
) -> None:
    """Time one chain at one length."""
    take = np.random.default_rng(length).uniform(-1, 1, length).astype(np.float32)
    with rnp.lazy():
        plan = rnp.plan(ours(rnp.asarray(take, copy=False)))

    def run() -> object:
        with rnp.lazy():
            return ours(rnp.asarray(take, copy=False)).eval()

    repeat = max(1, 200_000 // length)

    def times(job: Callable[[], object]) -> Callable[[], object]:
        return lambda: [job() for _ in range(repeat)][-1]

    taken = clock.warm({"rnp": times(run), "NumPy": times(lambda: theirs(take))})
    rnp_us, numpy_us = taken["rnp"] / repeat * 1e6, taken["NumPy"] / repeat * 1e6
    figures = f"{rnp_us:11.1f}{numpy_us:11.1f}{numpy_us / rnp_us:7.2f}"
    print(f"{name:10}{length:11,}{figures}{plan.bytes_moved / rnp_us / 1e3:10.1f}", flush=True)


if __name__ == "__main__":
    main()
