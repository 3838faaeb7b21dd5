"""The lines of bars 1, 2 and 3 that say another engine's name; they need `make bench-peers`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import rnp

from bench import timing
from bench.bars import Line, at_least
from bench.bars.cold import turns
from bench.bars.dispatch import X, chain
from bench.peers import Peer
from bench.table import Cell, geometric_mean
from bench.works import WORKS, Inputs, Job, Work, uniform

# A few additions, products, bounds and conversions of each sample, without a look at another one.
CHEAP = (
    "gain",
    "gain, float64",
    "gain, int16",
    "mix",
    "decode int16",
    "encode int16",
    "decode, gain, encode",
    "abs, gain, add, clip",
)


def lines(cells: Sequence[Cell], peers: Mapping[str, Peer], budget: float) -> Iterator[Line]:
    """Yield what can be said with the peers that are there."""
    if "Numba" in peers:
        yield from dispatch(budget)
        yield from everywhere(cells)
    if "JAX" in peers:
        yield from threads(peers["JAX"], budget)
    yield from cold(peers)


def dispatch(budget: float) -> Iterator[Line]:
    """Yield jit against Numba at 64 samples."""
    import numba

    f32 = np.float32

    def three(x: Any) -> Any:
        y = np.empty_like(x)
        for i in range(x.size):
            y[i] = abs(x[i]) * f32(1.5) + f32(0.1)
        return y

    def five(x: Any) -> Any:
        y = np.empty_like(x)
        for i in range(x.size):
            y[i] = max(min(abs(x[i]) * f32(1.5) + f32(0.1), f32(1.0)), f32(0.2))
        return y

    for ops, loop in ((3, three), (5, five)):
        traced, compiled = rnp.jit(chain(rnp, ops)), numba.njit(loop)
        jobs: dict[str, Job] = {"rnp": partial(traced, X), "Numba": partial(compiled, X)}
        taken = timing.race(jobs, budget)
        what = f"jit against Numba, {ops} ops, 64 samples"
        yield at_least(1, what, 1.0, taken["Numba"] / taken["rnp"])


def everywhere(cells: Sequence[Cell]) -> Iterator[Line]:
    """Yield jit against Numba, both on one thread: cheap chains, and the whole table."""
    ratios = []
    for cell in cells:
        ours = "jit, 1 thread" if "jit, 1 thread" in cell.seconds else "jit"
        if "Numba" in cell.seconds:
            ratios.append((cell.ratio(ours, "Numba"), cell.work, cell.size))
    cheap = [row for row in ratios if row[1] in CHEAP]
    for what, rows in (("cheap chains", cheap), ("all works", ratios)):
        behind = sorted(row for row in rows if row[0] < 1)
        shown = [f"{work} at {size:,} {r:.2f}" for r, work, size in behind[:6]]
        note = f"behind in {len(behind)} of {len(rows)} cells: {'; '.join(shown)}"
        named = f"{what}, jit, 1 thread, against Numba, the worst cell"
        yield at_least(2, named, 1.0, min(rows)[0], note=note if behind else "")
    mean = geometric_mean(row[0] for row in ratios)
    yield at_least(2, "all works, jit, 1 thread, against Numba, geometric mean", 1.0, mean)


def threads(jax: Peer, budget: float) -> Iterator[Line]:
    """Yield jit against JAX at 480,000 samples, each with all threads."""
    inputs: Inputs = (uniform(480_000, -1, 1),)
    by_name: dict[str, Work] = {work.name: work for work in WORKS}
    for name in ("tanh soft clip", "abs, gain, add, clip", "dB"):
        work = by_name[name]
        traced, theirs = rnp.jit(work.expression(rnp)), jax(work, inputs)
        assert theirs is not None
        jobs: dict[str, Job] = {"rnp": partial(traced, *inputs), "JAX": theirs}
        taken = timing.race(jobs, budget)
        what = f"jit against JAX at 480,000 samples, {name}"
        yield at_least(2, what, 1.0, taken["JAX"] / taken["rnp"])


def cold(peers: Mapping[str, Peer]) -> Iterator[Line]:
    """Yield the cold start of the fastest peer against ours."""
    names = [name for name in ("NumExpr", "Numba", "JAX") if name in peers]
    taken = turns(["lazy", "jit", *names], 3)
    ours = min(taken["lazy"], taken["jit"])
    for name in names:
        what = f"20 clips of 20 lengths, fresh process, against {name}"
        note = f"{ours * 1e3:.1f} ms, {name} {taken[name] * 1e3:.1f}"
        yield at_least(3, what, 1.0, taken[name] / ours, note=note)
