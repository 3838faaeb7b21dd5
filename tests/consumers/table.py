"""Write what rnp makes of each function, beside NumPy: `make consumers-table`.

One process, each case in turn: the first call of each engine is the cold one; short ones are called
some dozens of times more; then they alternate, and medians count. The function runs unmodified in a
block, on NumPy's arrays; evaluating its result counts, swapping its `np` does not. Cases that fail
are in the table too, and make the exit status 1.
"""

from __future__ import annotations

import os
import platform
import sys
import warnings
from collections import Counter
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import rnp
from catalogue import CASES, Case
from loader import load, swapped
from modes import settled

import clock

ROUNDS = 9
HEAD = """\
# Real functions of audio packages, with rnp for their NumPy

Written by `make consumers-table`. The functions, their packages and how they are called are in
`tests/consumers/catalogue.py`; `make consumers` compares their results with NumPy's. Each ran
unmodified inside `with rnp.lazy():`, on NumPy's arrays.

- ops, loops, fallbacks: what the block's report says. A fallback ran through NumPy, as the graph's
  opaque node.
- No ops: the function uses only operators and methods of its argument, which is NumPy's here.
- cold, warm: how many times as fast as NumPy. Cold is the first call in the process; kernels are
  interpreted until they are hot. Warm is the median of {rounds} calls, taken in turns with NumPy's,
  after 40 that do not count where a call takes under a millisecond. NumPy's own warm time stands
  beside it.
- Bias: rnp's authors chose the calls. NumPy's side is the package's own code, as its users run it.
  rnp may use {threads} threads, NumPy uses one but for matrix products.

{machine}, NumPy {numpy}, rnp {version}.

| function | ops | loops | fallbacks | NumPy, ms | cold | warm |
|---|---:|---:|---|---:|---:|---:|
"""
Run = Callable[[], Any]


def main() -> int:
    """Write the table, and print each row as it is there."""
    out = Path(sys.argv[1])
    rows, failed = [], 0
    for case in CASES:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the functions' own
            try:
                cells = row(case)
            except Exception as error:  # any at all: the row says which
                cells, failed = f"{type(error).__name__} | | | | | |", failed + 1
        rows.append(f"| {case.id} | {cells}")
        print(rows[-1], flush=True)
    head = HEAD.format(
        rounds=ROUNDS,
        threads=rnp.get_num_threads(),
        machine=f"{platform.machine()}, {os.cpu_count()} cores",
        numpy=np.__version__,
        version=metadata.version("rnp"),
    )
    out.write_text(head + "\n".join(rows) + "\n")
    print(f"{out}: {len(rows)} calls, {failed} failed")
    return int(failed > 0)


def row(case: Case) -> str:
    """Run one case in all ways, and return its cells."""
    engines = {"numpy": (np, by_numpy(case)), "rnp": (rnp, by_rnp(case))}
    cold = {name: once(case, *engine) for name, engine in engines.items()}
    for instead, run in engines.values():
        with swapped(case.package, instead):
            clock.heat(run)
    times: dict[str, list[float]] = {name: [] for name in engines}
    for _ in range(ROUNDS):
        for name, engine in engines.items():
            times[name].append(once(case, *engine))
    warm = {name: median(taken) for name, taken in times.items()}
    ops, loops, fallbacks = recorded(case)
    speed = " | ".join(f"{t['numpy'] / t['rnp']:.2f}" for t in (cold, warm))
    return f"{ops} | {loops} | {fallbacks} | {warm['numpy'] * 1e3:.2f} | {speed} |"


def once(case: Case, instead: Any, run: Run) -> float:
    """Return the seconds of one call, without those of putting `np` in its place."""
    with swapped(case.package, instead):
        return clock.once(run)


def by_numpy(case: Case) -> Run:
    """Return a call with NumPy."""
    module, arguments = load(case.module), case.arguments()
    return lambda: case.call(module, np, *arguments)


def by_rnp(case: Case) -> Run:
    """Return a call in a block, evaluated."""
    module, arguments = load(case.module), case.arguments()

    def run() -> Any:
        with rnp.lazy():
            return settled(case.call(module, rnp, *arguments))

    return run


def recorded(case: Case) -> tuple[int, int, str]:
    """Return what the block's report says of one call: ops, loops, fallbacks with their counts."""
    with swapped(case.package, rnp), rnp.lazy() as block:
        settled(case.call(load(case.module), rnp, *case.arguments()))
        report = block.report()
    names = Counter(text.partition(" (")[0] for text in report.fallbacks)  # without the line
    counts = [name if n == 1 else f"{name} x{n}" for name, n in sorted(names.items())]
    return report.ops, report.loops, ", ".join(counts)


if __name__ == "__main__":
    sys.exit(main())
