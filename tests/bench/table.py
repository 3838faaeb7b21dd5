"""The table: every work at every size, all forms of rnp beside NumPy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from bench import engines, timing
from bench.works import Job, Work

SIZES = (1, 64, 480, 4_096, 65_536, 1_048_576, 8_388_608)
QUICK_SIZES = (1, 64, 4_096, 65_536, 1_048_576)


@dataclass(frozen=True)
class Cell:
    """One work at one size: seconds per call of each engine, NumPy's spellings first."""

    work: str
    size: int
    seconds: Mapping[str, float]

    @property
    def best(self) -> float:
        """NumPy's time, in the spelling that is fastest here."""
        return min(t for name, t in self.seconds.items() if name.startswith("NumPy"))

    def ratio(self, engine: str) -> float:
        """How many times as fast as NumPy's best an engine is."""
        return self.best / self.seconds[engine]


def measure(
    works: Iterable[Work], sizes: Iterable[int], forms: Iterable[str], budget: float
) -> Iterator[Cell]:
    """Run the table, `budget` seconds and a little for each cell."""
    for work in works:
        for size in sizes:
            inputs = work.inputs(size)
            jobs: dict[str, Job] = engines.numpy_spellings(work, inputs)
            wanted = work.expression(np)(*inputs)
            jobs |= {form: engines.FORMS[form](work, inputs) for form in forms}
            for name, job in jobs.items():
                engines.check(name, work, job, wanted)
            yield Cell(work.name, size, timing.race(jobs, budget))


def text(cells: Iterable[Cell], form: str) -> str:
    """Return one form's ratios as text: works by sizes, a lost cell between brackets."""
    cells = list(cells)
    sizes = sorted({cell.size for cell in cells})
    lines = [f"{form}: times as fast as NumPy's best spelling; (lost)"]
    lines.append(f"{'':22}" + "".join(f"{size:>11,}" for size in sizes))
    for name in dict.fromkeys(cell.work for cell in cells):
        row = {cell.size: cell.ratio(form) for cell in cells if cell.work == name}
        shown = [f"{r:9.2f} " if r >= 1 else f"({r:.2f})".rjust(10) for r in row.values()]
        lines.append(f"{name:22}" + "".join(f"{cell:>11}" for cell in shown))
    lost = sum(cell.ratio(form) < 1 for cell in cells)
    mean = float(np.exp(np.mean([np.log(cell.ratio(form)) for cell in cells])))
    lines.append(f"lost: {lost} of {len(cells)}; geometric mean {mean:.2f}")
    return "\n".join(lines)
