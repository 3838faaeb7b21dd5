"""Time several engines fairly: in turns, so that a slow moment of the machine hits all of them.

An example stands alone; the benchmarks have a finer clock, `tests/bench/timing.py`.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from time import perf_counter

Seconds = dict[str, float]


def once(job: Callable[[], object]) -> float:
    """Return the seconds one call takes; letting go of the result counts."""
    start = perf_counter()
    job()
    return perf_counter() - start


def heat(job: Callable[[], object]) -> None:
    """Call once, and 40 times more what is short: rnp compiles a kernel at its 33rd run."""
    if once(job) < 1e-3:
        for _ in range(40):
            job()


def warm(engines: Mapping[str, Callable[[], object]], rounds: int = 15) -> Seconds:
    """Return the median seconds of each engine over `rounds`, after calls that do not count."""
    for job in engines.values():
        heat(job)
    times: dict[str, list[float]] = {name: [] for name in engines}
    for _ in range(rounds):
        for name, job in engines.items():
            times[name].append(once(job))
    return {name: median(taken) for name, taken in times.items()}


def cold(engines: Mapping[str, Sequence[str]], rounds: int = 5) -> Seconds:
    """Return the median seconds of first calls, each made in a process of its own.

    An engine is given as arguments to Python; its program prints the seconds that its first call
    took, imports and reading of files not counted.
    """
    times: dict[str, list[float]] = {name: [] for name in engines}
    for _ in range(rounds):
        for name, arguments in engines.items():
            command = [sys.executable, *arguments]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            times[name].append(float(done.stdout))
    return {name: median(taken) for name, taken in times.items()}
