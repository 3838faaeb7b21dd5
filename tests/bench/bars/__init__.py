"""The bars that rnp is to hold: a target each, the figure reached, and whether it holds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """One promise of a bar. `number` is the bar's, `note` what helps to read the figure."""

    number: int
    what: str
    target: str
    reached: str
    holds: bool
    note: str = ""

    def __str__(self) -> str:
        verdict = "holds" if self.holds else "FALLS SHORT"
        note = f"; {self.note}" if self.note else ""
        return f"bar {self.number}: {self.what}: {self.reached} of {self.target}: {verdict}{note}"


TITLES = {
    1: "Dispatch",
    2: "Throughput",
    3: "Cold start",
    4: "Reductions",
    5: "The port's table",
    6: "No cell lost",
    7: "Growth",
    8: "Accuracy is not the price",
}


def at_least(
    number: int, what: str, target: float, reached: float, unit: str = "x", note: str = ""
) -> Line:
    """Return a line whose figure should not be lower."""
    return Line(
        number, what, f"at least {target:g}{unit}", figure(reached, unit), reached >= target, note
    )


def at_most(
    number: int, what: str, target: float, reached: float, unit: str = "x", note: str = ""
) -> Line:
    """Return a line whose figure should not be higher."""
    return Line(
        number, what, f"at most {target:g}{unit}", figure(reached, unit), reached <= target, note
    )


def figure(value: float, unit: str) -> str:
    """Return a figure with its unit, to three places or so."""
    return (f"{value:.0f}" if value >= 100 or value == int(value) else f"{value:.2f}") + unit
