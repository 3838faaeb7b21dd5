"""Bar 7: time against operations and samples, and the high-water mark of memory."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from time import perf_counter
from typing import Any

import numpy as np
import rnp

from bench import timing
from bench.bars import Line, at_most
from bench.bars.cold import fresh
from bench.works import clipped, uniform

OPS = (10, 100, 1_000, 10_000, 100_000)
STEPS = ("build", "first evaluation", "second evaluation")
Growth = list[tuple[int, tuple[float, ...]]]  # operations; microseconds per operation of each step


def chain(n: int) -> Any:
    """Return a deferred chain of n operations."""
    with rnp.lazy():
        y = rnp.asarray(np.full(64, 0.5, np.float32))
        for _ in range(n // 2):
            y = rnp.multiply(rnp.add(y, 0.5), 0.5)
        return y


def growth(largest: int) -> Growth:
    """Return microseconds per operation: to build, to evaluate at first, to evaluate when known."""
    rows: Growth = []
    for n in OPS:
        if n > largest:
            break
        with timing.quiet():
            times = [perf_counter()]
            first = chain(n)
            times.append(perf_counter())
            first.eval()
            times.append(perf_counter())
            second = chain(n)
            start = perf_counter()
            second.eval()
            taken = [b - a for a, b in pairwise(times)]
            taken.append(perf_counter() - start)
        rows.append((n, tuple(t / n * 1e6 for t in taken)))
    return rows


def lines(budget: float, largest: int = OPS[-1]) -> tuple[list[Line], Growth]:
    """Return the bar's lines, and the table of times per operation."""
    rows = growth(largest)
    found = []
    per_op = dict(rows)
    base = per_op[1_000]
    for step, name in enumerate(STEPS):
        what = f"{name}, per op, {rows[-1][0]:,} ops against 1,000"
        found.append(at_most(7, what, 2.0, per_op[rows[-1][0]][step] / base[step]))
    run = rnp.jit(clipped(rnp))
    few, many = (uniform(n, -1, 1) for n in (1_048_576, 8_388_608))
    taken = timing.race({"few": lambda: run(few), "many": lambda: run(many)}, budget)
    what = "per sample, 8 M samples against 1 M, a cheap chain"
    found.append(at_most(7, what, 1.5, taken["many"] / taken["few"] / 8))
    found += high_water()
    return found, rows


def high_water() -> Iterator[Line]:
    """Yield what a fused chain needs beyond its input and its output."""
    what = "memory beyond input and output (64 MiB each) of a chain of 30 ops"
    yield at_most(7, what, 16, fresh("high water"), " MiB")
