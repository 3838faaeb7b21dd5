"""Bar 2: samples per second once the data is large, beside AVX2 by hand and beside NumPy."""

from __future__ import annotations

import ctypes
import platform
import resource
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import rnp

from bench import timing
from bench.bars import Line, at_least, at_most
from bench.works import Array, Job, clipped, soft_clip, uniform

SOURCE = Path(__file__).parents[1] / "reference.c"
# Vector functions want -ffast-math, but only to compile: linked with it, a library makes the whole
# process flush subnormals when it is loaded.
COMPILE = ("-c", "-O3", "-mavx2", "-mfma", "-ffast-math", "-fPIC")
FUNCTIONS = ("exp", "log", "log10", "tanh", "sin", "cos", "power")
EXPONENT = 1.7

# Two lengths whose difference is timed, so that what a call costs falls out; both fit the level.
LEVELS = {
    "L1": (1_024, 3_072, 2.1),
    "L2": (16_384, 98_304, 1.3),
    "DRAM": (8_388_608, 16_777_216, 1.1),
}
MATHS = (8_192, 24_576)


def reference() -> ctypes.CDLL | None:
    """Compile the AVX2 yardstick, or return None where that cannot run."""
    if platform.machine() != "x86_64" or " avx2 " not in Path("/proc/cpuinfo").read_text():
        return None
    with tempfile.TemporaryDirectory() as folder:
        made, library = Path(folder) / "reference.o", Path(folder) / "reference.so"
        compiled = ["cc", *COMPILE, str(SOURCE), "-o", str(made)]
        linked = ["cc", "-shared", str(made), "-o", str(library), "-lmvec", "-lm"]
        try:
            for command in (compiled, linked):
                subprocess.run(command, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            return None
        return ctypes.CDLL(str(library))


@contextmanager
def one_thread() -> Iterator[None]:
    """Let rnp have one thread."""
    threads = rnp.get_num_threads()
    rnp.set_num_threads(1)
    try:
        yield
    finally:
        rnp.set_num_threads(threads)


def by_hand(library: ctypes.CDLL, name: str, x: Array) -> Job:
    """Return a call that gives the seconds of the fastest of some rounds in C."""
    function = library[name]
    function.restype = ctypes.c_double
    y = np.empty_like(x)
    rounds = max(3, 200_000 // len(x))
    pointers = (ctypes.c_void_p(x.ctypes.data), ctypes.c_void_p(y.ctypes.data))

    def run() -> float:
        _keep = x, y
        return float(function(*pointers, ctypes.c_long(len(x)), ctypes.c_long(rounds)))

    return run


def fastest(job: Job, calls: int) -> float:
    """Return the seconds of the fastest of some short samples of a call."""
    return min(timing.sample(job, calls) for _ in range(8))


def against_hand(
    library: ctypes.CDLL, name: str, run: Callable[..., Any], lengths: tuple[int, int], dtype: Any
) -> tuple[float, float]:
    """Return the seconds per sample of ours and of AVX2 by hand: those of the round in the middle.

    Both are timed in each round, and rounds compared by their ratio: what slows a whole round down
    is in both, and what slows one of them down puts its round at an end.
    """
    arrays = [uniform(n, 0.1, 2.0).astype(dtype) for n in lengths]
    hands = [by_hand(library, name, x) for x in arrays]
    calls = max(1, 100_000 // lengths[1])
    more = lengths[1] - lengths[0]
    rounds: list[tuple[float, float]] = []
    for _ in range(15 if lengths[1] < 1_000_000 else 3):
        times = [fastest(partial(run, x), calls) for x in arrays]
        ours = (times[1] - times[0]) / more
        times = [hand() for hand in hands]
        # A round in which the longer one took no longer says nothing.
        if times[1] > times[0]:
            rounds.append((ours, (times[1] - times[0]) / more))
    rounds.sort(key=lambda pair: pair[0] / pair[1])
    return rounds[len(rounds) // 2]


Speeds = list[tuple[str, float, float | None]]  # function and dtype; times NumPy, times by hand


def maths(library: ctypes.CDLL | None, budget: float) -> Speeds:
    """Return the speed of the elementary functions on one thread."""
    rows: Speeds = []
    for name in FUNCTIONS:
        for dtype in (np.float32, np.float64):
            arguments = (EXPONENT,) if name == "power" else ()

            def call(x: Any, xp: Any = rnp, name: str = name, rest: Any = arguments) -> Any:
                return getattr(xp, name)(x, *rest)

            traced = rnp.jit(call)
            x = uniform(65_536, 0.1, 2.0).astype(dtype)
            out = np.empty_like(x)
            function = getattr(np, name)
            jobs: dict[str, Job] = {
                "rnp": partial(traced, x),
                "NumPy": partial(function, x, *arguments),
                "NumPy, out=": partial(function, x, *arguments, out=out),
            }
            taken = timing.race(jobs, budget / 4)
            numpy = min(taken["NumPy"], taken["NumPy, out="]) / taken["rnp"]
            hand = None
            if library is not None:
                symbol = f"{name}_{np.dtype(dtype).name}"
                ours, theirs = against_hand(library, symbol, traced, MATHS, dtype)
                hand = theirs / ours
            rows.append((f"{name}, {np.dtype(dtype).name}", numpy, hand))
    return rows


def slowest(speeds: Speeds) -> Iterator[Line]:
    """Yield the elementary functions that are slowest against NumPy, and against AVX2 by hand."""
    name, worst, _ = min(speeds, key=lambda row: row[1])
    what = "elementary functions, 1 thread, the slowest against NumPy"
    yield at_least(2, what, 2.0, worst, note=name)
    timed = [(name, 1 / hand) for name, _, hand in speeds if hand is not None]
    if timed:
        name, worst = max(timed, key=lambda row: row[1])
        what = "elementary functions, 1 thread, the slowest: time of AVX2 by hand"
        yield at_most(2, what, 1.2, worst, note=name)


def lines(budget: float) -> tuple[list[Line], Speeds]:
    """Return the bar's lines, and the table of elementary functions."""
    found: list[Line] = []
    library = reference()
    chain = rnp.jit(clipped(rnp))
    with one_thread():
        if library is not None:
            for level, (*lengths, target) in LEVELS.items():
                short, long = map(int, lengths)
                ours, theirs = against_hand(
                    library, "chain_float32", chain, (short, long), np.float32
                )
                what = f"cheap chain, jit, 1 thread, {level}: time of AVX2 by hand"
                note = f"{ours * 1e9:.3f} and {theirs * 1e9:.3f} ns a sample"
                found.append(at_most(2, what, target, ours / theirs, note=note))
        speeds = maths(library, budget)
        found += slowest(speeds)
        found += folds(library, budget)
    found += threads(budget)
    found.append(faults())
    return found, speeds


def folds(library: ctypes.CDLL | None, budget: float) -> Iterator[Line]:
    """Yield max and sum: against NumPy, and against AVX2 by hand from L2."""
    x = uniform(65_536, -1, 1)
    for name in ("max", "sum"):
        function = getattr(rnp, name)
        ours, theirs = rnp.jit(lambda x, f=function: f(x)), getattr(np, name)
        jobs: dict[str, Job] = {"rnp": partial(ours, x), "NumPy": partial(theirs, x)}
        taken = timing.race(jobs, budget / 2)
        what = f"{name} of 65,536, jit, 1 thread, against NumPy"
        yield at_least(2, what, 2.0, taken["NumPy"] / taken["rnp"])
        if library is not None:
            symbol = f"{name}_float32"
            mine, hand = against_hand(library, symbol, ours, LEVELS["L2"][:2], np.float32)
            what = f"{name}, jit, 1 thread, L2: time of AVX2 by hand"
            yield at_most(2, what, 1.2, mine / hand)


def threads(budget: float) -> Iterator[Line]:
    """Yield what two threads give at 480,000 samples."""
    if rnp.get_num_threads() < 2:
        return
    every = rnp.get_num_threads()
    x = uniform(480_000, -1, 1)
    for name, expression in (("tanh soft clip", soft_clip), ("abs, gain, add, clip", clipped)):
        run = rnp.jit(expression(rnp))
        jobs: dict[str, Job] = {"1": partial(run, x), "2": partial(run, x)}
        taken = timing.race(jobs, budget, before=lambda name: rnp.set_num_threads(int(name)))
        what = f"2 threads against 1 at 480,000 samples, {name}"
        yield at_least(2, what, 1.8, taken["1"] / taken["2"])
    rnp.set_num_threads(every)


def faults() -> Line:
    """Return how many pages a large result faults in per call, once warm."""
    x, run, calls = uniform(8_388_608, -1, 1), rnp.jit(clipped(rnp)), 10
    for _ in range(3):
        run(x)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(calls):
        run(x)
    pages = (resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / calls
    share = pages * resource.getpagesize() / x.nbytes
    what = "page faults of a result of 32 MiB, share of its pages, once warm"
    return at_most(2, what, 0.01, share, unit="")
