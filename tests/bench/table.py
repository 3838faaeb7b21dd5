"""The table: every work at every size, forms of rnp and other engines beside NumPy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import exp, log
from statistics import fmean

import numpy as np
import rnp

from bench import engines, timing
from bench.peers import Peer
from bench.works import Job, Work

SIZES = (1, 64, 480, 4_096, 65_536, 1_048_576, 8_388_608)
QUICK_SIZES = (1, 64, 4_096, 65_536, 1_048_576)

SINGLE = {form: f"{form}, 1 thread" for form in ("eager", "jit")}
SINGLE_FROM = 65_536  # samples: below, nothing is cut for threads
NEAR_ONE = (0.9, 1.1)  # a ratio within is measured again, for twice as long
PEERS_NEAR = 2e-7  # a peer may contract, and so be one rounding off where rnp must not


@dataclass(frozen=True)
class Cell:
    """One work at one size: seconds per call of each engine, NumPy's spellings first."""

    work: str
    size: int
    seconds: Mapping[str, float]

    @property
    def best(self) -> float:
        """NumPy's time, in the spelling that is fastest here."""
        return min(t for name, t in self.seconds.items() if is_numpy(name))

    def ratio(self, engine: str, against: str = "") -> float:
        """How many times as fast as NumPy's best, or as another engine, an engine is."""
        return (self.seconds[against] if against else self.best) / self.seconds[engine]


def is_numpy(engine: str) -> bool:
    """Tell whether an engine is a spelling of NumPy's."""
    return engine == "NumPy" or engine.startswith("NumPy, ")


def measure(
    works: Iterable[Work],
    sizes: Sequence[int],
    forms: Sequence[str],
    budget: float,
    peers: Mapping[str, Peer] | None = None,
) -> Iterator[Cell]:
    """Run the table, `budget` seconds and a little for each cell; results are compared first."""
    threads = rnp.get_num_threads()

    def before(name: str) -> None:
        rnp.set_num_threads(1 if name in SINGLE.values() else threads)

    for work in works:
        for size in sizes:
            jobs = contestants(work, size, forms, peers or {})
            taken = timing.race(jobs, budget, before)
            cell = Cell(work.name, size, taken)
            if any(NEAR_ONE[0] < cell.ratio(name) < NEAR_ONE[1] for name in forms):
                cell = Cell(work.name, size, timing.race(jobs, 2 * budget, before))
            rnp.set_num_threads(threads)
            yield cell


def contestants(
    work: Work, size: int, forms: Sequence[str], peers: Mapping[str, Peer]
) -> dict[str, Job]:
    """Return the calls of all engines, each with the result that NumPy has.

    A peer with another result is left out.
    """
    inputs = work.inputs(size)
    wanted = work.expression(np)(*inputs)
    jobs = engines.numpy_spellings(work, inputs)
    for form in forms:
        jobs[form] = engines.FORMS[form](work, inputs)
        if form in SINGLE and size >= SINGLE_FROM:
            jobs[SINGLE[form]] = jobs[form]
    for name, job in jobs.items():
        engines.check(f"{work.name} of {size:,}, {name}", job, wanted, work.near)
    for name, peer in peers.items():
        other = peer(work, inputs)
        if other is None:
            continue
        try:
            near = max(work.near, PEERS_NEAR)
            engines.check(f"{work.name} of {size:,}, {name}", other, wanted, near)
            jobs[name] = other
        except AssertionError as wrong:
            print(f"not timed: {wrong}")
    return jobs


def geometric_mean(ratios: Iterable[float]) -> float:
    """Return the geometric mean."""
    return exp(fmean(log(r) for r in ratios))


def shown_ratio(ratio: float) -> str:
    """Return a ratio, a lost one between brackets."""
    return f"{ratio:.2f} " if ratio >= 1 else f"({min(ratio, 0.994):.2f})"


def text(cells: Sequence[Cell], form: str, against: str = "") -> str:
    """Return one engine's ratios as text: works by sizes, a lost cell between brackets."""
    cells = [c for c in cells if form in c.seconds and (not against or against in c.seconds)]
    sizes = sorted({cell.size for cell in cells})
    lines = [f"{form}: times as fast as {against or 'NumPy, best spelling'}; (lost)"]
    lines.append(f"{'':22}" + "".join(f"{size:>11,}" for size in sizes))
    for name in dict.fromkeys(cell.work for cell in cells):
        row = {cell.size: cell.ratio(form, against) for cell in cells if cell.work == name}
        shown = [shown_ratio(row[size]) if size in row else "" for size in sizes]
        lines.append(f"{name:22}" + "".join(f"{cell:>11}" for cell in shown))
    ratios = [cell.ratio(form, against) for cell in cells]
    lost = sum(r < 1 for r in ratios)
    lines.append(f"lost: {lost} of {len(ratios)}; geometric mean {geometric_mean(ratios):.2f}")
    return "\n".join(lines)
