"""Bars 4, 5 and 6: what the table's cells say, and what it has no cell for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
import rnp

from bench import engines, timing
from bench.bars import Line, at_least, at_most
from bench.table import Cell
from bench.works import WORKS, Job, Work, uniform

BY_NAME: dict[str, Work] = {work.name: work for work in WORKS}
RESAMPLED = ((4, 10.3), (1, 6.2))  # seconds of 24 kHz audio, and the port's own figure


def worst(cells: Sequence[Cell], work: str, form: str, against: str = "") -> tuple[float, int]:
    """Return a form's lowest ratio over the sizes of a work, and the size."""
    of_work = [cell for cell in cells if cell.work == work and form in cell.seconds]
    ratios = [(cell.ratio(form, against), cell.size) for cell in of_work]
    return min(ratios)


def reductions(cells: Sequence[Cell], forms: Sequence[str], budget: float) -> Iterator[Line]:
    """Yield bar 4."""
    for form in forms:
        reached, size = worst(cells, "RMS", form)
        what = f"RMS against sqrt(dot(x, x) / n), the worst size, {form}"
        yield at_least(4, what, 1.0, reached, note=f"at {size:,}")
    for size in (4_096, 65_536, 1_048_576):
        x = uniform(size, -1, 1)
        all_five = engines.FORMS["jit"](BY_NAME["five meters"], (x,))
        single = engines.FORMS["jit"](BY_NAME["RMS"], (x,))
        taken = timing.race({"five": all_five, "one": single}, budget)
        what = f"five meters at {size:,}, jit: time of one of them (RMS)"
        yield at_most(4, what, 1.3, taken["five"] / taken["one"])
    for axis in (0, 1):
        x = uniform(2 * 480_000, -1, 1).reshape(480_000, 2)
        run = rnp.jit(partial(rnp.mean, axis=axis))
        jobs: dict[str, Job] = {"rnp": partial(run, x), "NumPy": partial(np.mean, x, axis=axis)}
        taken = timing.race(jobs, budget)
        what = f"mean over axis {axis} of 480,000 stereo frames, jit"
        yield at_least(4, what, 5.0, taken["NumPy"] / taken["rnp"])
    for work in ("median", "percentile"):
        for form in forms:
            reached, size = worst(cells, work, form, against="NumPy")
            what = f"{work} against np.{work}, the worst size, {form}"
            yield at_least(4, what, 2.0, reached, note=f"at {size:,}")


def seed(cells: Sequence[Cell], forms: Sequence[str], budget: float) -> Iterator[Line]:
    """Yield bar 5."""
    for work in ("normalize", "gain"):
        for form in forms:
            reached, size = worst(cells, work, form)
            plain, at = worst(cells, work, form, against="NumPy")
            note = f"at {size:,}; against NumPy without out= {plain:.2f} at {at:,}"
            yield at_least(5, f"{work}, the worst size, {form}", 1.0, reached, note=note)
    for duration, target in RESAMPLED:
        x = uniform(24_000 * duration, -1, 1)
        linear = BY_NAME["resample to 2x"]
        jobs = {form: engines.FORMS[form](linear, (x,)) for form in forms}
        jobs["NumPy"] = partial(linear.expression(np), x)
        taken = timing.race(jobs, budget)
        for form in forms:
            what = (
                f"resample {duration} s of 24 kHz to 48 kHz, {form}, against the port's np.interp"
            )
            yield at_least(5, what, target, taken["NumPy"] / taken[form])


def lost(cells: Sequence[Cell], forms: Sequence[str]) -> Iterator[Line]:
    """Yield bar 6."""
    for form in forms:
        ratios = [cell.ratio(form) for cell in cells if form in cell.seconds]
        count, mean = sum(r < 1 for r in ratios), float(np.exp(np.mean(np.log(ratios))))
        note = f"geometric mean of all cells {mean:.2f}x"
        yield at_most(6, f"lost cells of {len(ratios)}, {form}", 0, count, "", note)


def all_lines(cells: Sequence[Cell], forms: Sequence[str], budget: float) -> list[Line]:
    """Return the lines of the three bars."""
    found: list[Line] = []
    if cells:
        found += reductions(cells, forms, budget)
        found += seed(cells, forms, budget)
        found += lost(cells, forms)
    return found
