"""Bar 3: what has never been seen before: in fresh processes, in turns."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import rnp

from bench import timing
from bench.bars import Line, at_least, at_most
from bench.works import uniform

FORMS = ("eager", "lazy", "jit")
NUMPY = ("NumPy", "NumPy, in place")


def fresh(what: str) -> float:
    """Return a figure of `bench.fresh`, from a process of its own."""
    path = str(Path(__file__).parents[2])
    command = [sys.executable, "-m", "bench.fresh", what]
    environment = os.environ | {"PYTHONPATH": path}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    return float(done.stdout)


def turns(names: Iterable[str], rounds: int) -> dict[str, float]:
    """Return the median figure of each, its processes taking turns."""
    taken: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(rounds):
        for name, figures in taken.items():
            figures.append(fresh(name))
    return {name: median(figures) for name, figures in taken.items()}


def lines(budget: float, rounds: int = 7) -> Iterator[Line]:
    """Yield the bar's lines."""
    taken = turns((*NUMPY, *FORMS), rounds)
    best = min(taken[name] for name in NUMPY)
    for form in FORMS:
        what = f"20 clips of 20 lengths, tanh and dB, fresh process, {form}"
        note = f"{taken[form] * 1e3:.1f} ms, NumPy {best * 1e3:.1f}"
        yield at_least(3, what, 1.0, best / taken[form], note=note)
    yield at_most(3, "import rnp after numpy", 20, turns(["import"], rounds)["import"], " ms")
    costs = first_evaluations((1, 5, 10, 20, 40, 80))
    what = "first evaluation of a chain of 20 ops, all that is done once"
    yield at_most(3, what, 1.0, costs[20], " ms")
    what = "the same per op, 80 ops against 20"
    yield at_most(3, what, 1.0, (costs[80] / 80) / (costs[20] / 20))
    yield new_length(budget)


def chain(numbers: Iterable[int]) -> Callable[[Any], Any]:
    """Return a chain in which each number, 0 to 2, says an operation."""
    ops = (rnp.add, rnp.multiply, rnp.maximum)

    def run(x: Any) -> Any:
        for number in numbers:
            x = ops[number](x, 0.5)
        return x

    return run


def first_evaluations(lengths: Iterable[int], chains: int = 9) -> dict[int, float]:
    """Return the milliseconds that a never seen chain of n ops takes more than the second time.

    Which operations follow each other is drawn, so that no chain has been seen.
    """
    rng, x = np.random.default_rng(3), uniform(64, -1, 1)
    found = {}
    for n in lengths:
        extra = []
        for _ in range(chains):
            run = chain(rng.integers(0, 3, n).tolist())

            def block(run: Callable[[Any], Any] = run) -> Any:
                with rnp.lazy():
                    return run(rnp.asarray(x, copy=False)).eval()

            with timing.quiet():
                first = timing.sample(block, 1)
                again = min(timing.sample(block, 1) for _ in range(5))
            extra.append(first - again)
        found[n] = median(extra) * 1e3
    return found


def new_length(budget: float) -> Line:
    """Return what a new length and a new gain cost a traced function, against a known one."""
    run = rnp.jit(lambda x, k: rnp.tanh(rnp.multiply(x, k)))
    x = uniform(4_096, -1, 1)
    run(x, 0.5)
    lengths = iter(range(1, 10**9))

    def other() -> Any:
        n = next(lengths)
        return run(x[: 3_000 + n % 1_000], 0.5 + n)

    taken = timing.race({"known": lambda: run(x[:3_500], 0.5), "new": other}, budget)
    what = "a new length and gain, time of a known one"
    return at_most(3, what, 1.25, taken["new"] / taken["known"])
