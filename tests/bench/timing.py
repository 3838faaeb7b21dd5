"""Time several engines fairly: in turns, so that a slow moment of the machine hits all of them."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import repeat
from statistics import median
from time import perf_counter
from typing import Any

Job = Callable[[], Any]
Seconds = dict[str, float]

SAMPLE = 150e-6  # seconds: a shorter call is repeated until one sample of its time is this long
ROUNDS = (3, 41)  # at least, at most
SLOW = 2.0  # seconds: a call that takes longer is timed once


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the collector of cycles out of the timing."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def sample(job: Job, calls: int) -> float:
    """Return the seconds of one call, over so many; letting go of the result counts."""
    start = perf_counter()
    for _ in repeat(None, calls):
        job()
    return (perf_counter() - start) / calls


def nothing(name: str) -> None:
    """Do nothing before a job's turn."""


def race(
    jobs: Mapping[str, Job], budget: float, before: Callable[[str], object] = nothing
) -> Seconds:
    """Return the median seconds that one call of each job takes.

    The jobs take turns; each has been called before its time counts. There are as many rounds as
    `budget` seconds have room for, within `ROUNDS`; what is `SLOW` is timed once. `before` is
    called with a job's name ahead of its turn, off the clock.
    """
    with quiet():
        first = {}
        for name, job in jobs.items():
            before(name)
            first[name] = sample(job, 1)
            if first[name] < SLOW:
                first[name] = min(first[name], sample(job, 1))
        calls = {name: max(1, round(SAMPLE / max(t, 1e-8))) for name, t in first.items()}
        taken = {name: [t] if t >= SLOW else [] for name, t in first.items()}
        names = [name for name, t in first.items() if t < SLOW]
        start, done = perf_counter(), 0
        while done < ROUNDS[0] or (done < ROUNDS[1] and perf_counter() - start < budget):
            turn = done % max(1, len(names))
            for name in names[turn:] + names[:turn]:  # nobody always follows the same one
                before(name)
                taken[name].append(sample(jobs[name], calls[name]))
            done += 1
    return {name: median(times) for name, times in taken.items()}
