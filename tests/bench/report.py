"""The page: `design/benchmarks.md`, made from what was measured and from the hand-kept reasons."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from bench import chart
from bench.bars import TITLES, Line
from bench.engines import FORMS
from bench.results import Part
from bench.table import SINGLE, Cell, geometric_mean

REASONS = Path(__file__).with_name("reasons.toml")
LOST = "▼"
UNEXPLAINED = "Not explained."

HEAD = """\
# Benchmarks

Written by `make bench` and `make bench-peers`; not by hand. The figures are in `benchmarks.json`,
why cells are lost in `tests/bench/reasons.toml`, what is run in `tests/bench`.

## Method, and its bias

- **One process, in turns.** All engines run the same work on the same data in one process, one
  after the other in each round, so that a slow moment hits all of them; who begins changes from
  round to round. A figure is a median over 3 to 41 rounds; a short call is repeated until a round
  takes 0.15 ms, and one of 2 s is timed once. A cell within a tenth of NumPy is measured again
  for twice as long, and that counts.
- **Same results.** Before a work is timed, every engine's result is compared with NumPy's: equal
  for works of exactly defined operations, else within 1e-6 of the largest magnitude (float64:
  1e-14; sums of float32: 1e-5, of float64: 1e-12; cumsum: 1e-3, as NumPy rounds at each step).
  Other engines may contract, and are allowed 2e-7 where rnp must be equal.
- **NumPy is its best spelling**, per cell: the fastest of the expression as most people write it,
  and of one or two that an expert would: `out=` into memory kept from call to call, factors merged,
  `dot` for sums of squares, `minimum` and `maximum` for `clip`, `log` for `log10` and `log1p`,
  `partition` for order statistics. These make their buffers off the clock and give the same array
  again; rnp gives a new array each time. That favours NumPy. NumPy uses one thread.
- **rnp runs one expression** per work, as most people write it, in four forms: *eager* calls;
  *lazy*, a block that is rebuilt and evaluated on each call, and copies its inputs; *lazy, no
  copy*, with `rnp.asarray(x, copy=False)`; and *jit*, `@rnp.jit`. All have NumPy arrays in and out,
  all threads unless *1 thread* is said, and warm caches: compiling counts in bar 3 only.
- **Held to AVX2.** Most machines have no AVX-512. Where this one has, some lines are measured once
  more with NumPy, its BLAS and rnp held to AVX2 (`RNP_ISA=avx2`), in a process of their own.
- **Bias.** rnp's authors chose the works and wrote all spellings. The data is random, within full
  scale, and has no NaNs, subnormals or silence. It is as hot in the caches as repetition makes it,
  for all engines alike. Two cores say little of many.
- A ratio is how many times as fast rnp is: 2 is half the time. {mark} marks a lost cell, a ratio
  below 1.
"""


@dataclass(frozen=True)
class Reason:
    """Why some cells are lost."""

    works: list[str]
    forms: list[str]
    sizes: list[int]
    why: str

    def fits(self, work: str, form: str, size: int) -> bool:
        """Tell whether it is the reason for a cell."""
        return (
            any(fnmatch(work, pattern) for pattern in self.works)
            and any(fnmatch(form, pattern) for pattern in self.forms)
            and self.sizes[0] <= size <= self.sizes[1]
        )


def reasons(path: Path = REASONS) -> list[Reason]:
    """Read the hand-kept file."""
    return [Reason(**row) for row in tomllib.loads(path.read_text()).get("reason", [])]


def page(parts: dict[str, Part], known: Sequence[Reason]) -> str:
    """Return the whole page."""
    out = [HEAD.format(mark=LOST)]
    for name, part in parts.items():
        command = {"table": "make bench", "peers": "make bench-peers"}[name]
        out.append(
            f"`{command}`: {part.date}; {part.machine}, {part.threads} threads; {part.versions}.\n"
        )
    lines = [line for part in parts.values() for line in part.lines]
    out += bars(sorted(lines, key=lambda line: line.number))
    if "table" in parts:
        out += against_numpy(parts["table"], known)
    if "peers" in parts:
        out += against_peers(parts["peers"])
    return "\n".join(out)


def bars(lines: Sequence[Line]) -> list[str]:
    """Return the table of the bars."""
    held = sum(line.holds for line in lines)
    out = ["## The bars\n", f"{held} of {len(lines)} lines hold.\n"]
    out += ["| bar | promise | target | reached | | |", "|---|---|---:|---:|---|---|"]
    for line in lines:
        verdict = "holds" if line.holds else f"{LOST} falls short"
        title = f"{line.number} {TITLES[line.number]}"
        out.append(
            f"| {title} | {line.what} | {line.target} | {line.reached} | {verdict} | {line.note} |"
        )
    return [*out, ""]


def against_numpy(part: Part, known: Sequence[Reason]) -> list[str]:
    """Return the tables of `make bench`."""
    cells = part.cells
    forms = [form for form in FORMS if any(form in cell.seconds for cell in cells)]
    single = [form for form in SINGLE.values() if any(form in cell.seconds for cell in cells)]
    out = ["## Every work at every size\n", "![ratios to NumPy](benchmarks.svg)\n"]
    for form in [*forms, *single]:
        ratios = [cell.ratio(form) for cell in cells if form in cell.seconds]
        lost = sum(r < 1 for r in ratios)
        mean = geometric_mean(ratios)
        out.append(f"### {form}\n")
        out.append(f"{lost} of {len(ratios)} cells lost; geometric mean {mean:.2f}.\n")
        out += ratio_table(cells, form)
    out += numpy_table(cells)
    out += why_lost(cells, [*forms, *single], known)
    stages = part.tables.get("stages", [])
    if stages:
        out += ["## The path of a call\n", "64 samples of float32, one operation, caches warm.\n"]
        out += ["| step | microseconds |", "|---|---:|"]
        out += [f"| {what} | {float(cost):.3f} |" for what, cost in stages]
        out.append("")
    maths = part.tables.get("maths", [])
    if maths:
        out += ["## Elementary functions, one thread\n"]
        out.append(
            "jit: 65,536 samples against NumPy; and against loops over glibc's AVX2 vector\n"
            "library, per sample, what the call costs subtracted. It allows 4 ulp, rnp 1.\n"
        )
        out += maths_table(maths, part.tables.get("maths, AVX2", []))
    growth = part.tables.get("growth", [])
    if growth:
        out += ["## Growth\n", "Microseconds per operation of a chain over 64 samples.\n"]
        out += ["| operations | build | evaluate at first | evaluate when known |"]
        out += ["|---:|---:|---:|---:|"]
        out += [f"| {n:,} | {' | '.join(f'{t:.2f}' for t in times)} |" for n, times in growth]
        out.append("")
    return out


def maths_table(rows: Sequence[Sequence[Any]], narrow: Sequence[Sequence[Any]]) -> list[str]:
    """Return the table of elementary functions, beside that of a process held to AVX2."""
    titles = ["function", "times NumPy", "times AVX2 by hand"]
    if narrow:
        titles += ["held to AVX2: times NumPy", "times AVX2 by hand"]
    held = {what: ratios for what, *ratios in narrow}
    out = [f"| {' | '.join(titles)} |", "|---|" + "---:|" * (len(titles) - 1)]
    for what, *ratios in rows:
        shown = [mark(ratio) if ratio else "" for ratio in [*ratios, *held.get(what, [])]]
        out.append(f"| {what} | {' | '.join(shown)} |")
    return [*out, ""]


def mark(ratio: float) -> str:
    """Return a ratio, marked if it is lost."""
    if ratio >= 1:
        return f"{ratio:.2f}" if ratio < 99.5 else f"{ratio:.0f}"
    return f"{min(ratio, 0.994):.2f} {LOST}"


def ratio_table(cells: Sequence[Cell], form: str, against: str = "") -> list[str]:
    """Return one engine's ratios: works by sizes."""
    present = [c for c in cells if form in c.seconds and (not against or against in c.seconds)]
    sizes = sorted({cell.size for cell in present})
    out = ["| work | " + " | ".join(f"{size:,}" for size in sizes) + " |"]
    out.append("|---|" + "---:|" * len(sizes))
    for work in dict.fromkeys(cell.work for cell in present):
        row = {cell.size: cell.ratio(form, against) for cell in present if cell.work == work}
        shown = [mark(row[size]) if size in row else "" for size in sizes]
        out.append(f"| {work} | {' | '.join(shown)} |")
    return [*out, ""]


def numpy_table(cells: Sequence[Cell]) -> list[str]:
    """Return NumPy's own times: what a ratio of 1 is."""
    sizes = sorted({cell.size for cell in cells})
    out = ["### NumPy's best spelling, microseconds\n"]
    out.append("| work | " + " | ".join(f"{size:,}" for size in sizes) + " |")
    out.append("|---|" + "---:|" * len(sizes))
    for work in dict.fromkeys(cell.work for cell in cells):
        row = {cell.size: cell.best * 1e6 for cell in cells if cell.work == work}
        shown = [f"{row[size]:,.4g}" if size in row else "" for size in sizes]
        out.append(f"| {work} | {' | '.join(shown)} |")
    return [*out, ""]


def why_lost(cells: Iterable[Cell], forms: Sequence[str], known: Sequence[Reason]) -> list[str]:
    """Return the lost cells, grouped by their reasons."""
    groups: dict[str, dict[str, dict[str, list[str]]]] = {}
    count = 0
    for cell in cells:
        for form in forms:
            if form not in cell.seconds or cell.ratio(form) >= 1:
                continue
            count += 1
            fits = (r.why for r in known if r.fits(cell.work, form, cell.size))
            group = groups.setdefault(next(fits, UNEXPLAINED), {})
            shown = f"{cell.size:,} ({min(cell.ratio(form), 0.994):.2f})"
            group.setdefault(form, {}).setdefault(cell.work, []).append(shown)
    out = ["## Lost cells, and why\n", f"{count} cells, all forms together.\n"]
    for why in [*(r.why for r in known if r.why in groups), UNEXPLAINED]:
        if why not in groups:
            continue
        out.append(f"**{why}**\n")
        for form, works in groups[why].items():
            listed = "; ".join(f"{work}: {', '.join(sizes)}" for work, sizes in works.items())
            out.append(f"- {form}: {listed}")
        out.append("")
    return out


def peer_names(part: Part) -> list[str]:
    """Return the other engines of a part."""
    ours = {*FORMS, *SINGLE.values()}
    names = dict.fromkeys(name for cell in part.cells for name in cell.seconds)
    return [name for name in names if name not in ours and name.split(",")[0] != "NumPy"]


def against_peers(part: Part) -> list[str]:
    """Return the tables of `make bench-peers`."""
    out = ["## Other engines\n"]
    out.append(
        "NumPy arrays in and out, compiled before the time counts, with as many threads as each\n"
        "takes by itself; *Numba* is serial, *Numba, parallel* runs from 65,536 samples on.\n"
        "rnp is *jit*. An engine that cannot say a work has no row; where its result is too far\n"
        "from NumPy's, it has no cell.\n"
    )
    out.append("![ratios to other engines](benchmarks-peers.svg)\n")
    for peer in peer_names(part):
        ratios = [cell.ratio("jit", peer) for cell in part.cells if peer in cell.seconds]
        lost, mean = sum(r < 1 for r in ratios), geometric_mean(ratios)
        out.append(f"### jit against {peer}\n")
        out.append(f"behind in {lost} of {len(ratios)} cells; geometric mean {mean:.2f}.\n")
        out += ratio_table(part.cells, "jit", peer)
    return out


def charts(parts: dict[str, Part]) -> dict[str, str]:
    """Return the charts by file name."""
    out = {}
    if "table" in parts:
        part = parts["table"]
        panels = {
            form: {(c.work, c.size): c.ratio(form) for c in part.cells if form in c.seconds}
            for form in FORMS
        }
        title = f"rnp: times as fast as NumPy's best spelling, {part.threads} threads, {part.date}"
        out["benchmarks.svg"] = chart.draw(title, works_of(part), panels)
    if "peers" in parts:
        part = parts["peers"]
        panels = {
            peer: {(c.work, c.size): c.ratio("jit", peer) for c in part.cells if peer in c.seconds}
            for peer in peer_names(part)
        }
        title = f"@rnp.jit: times as fast as other engines, {part.threads} threads, {part.date}"
        out["benchmarks-peers.svg"] = chart.draw(title, works_of(part), panels)
    return out


def works_of(part: Part) -> list[str]:
    """Return the works of a part, in their order."""
    return list(dict.fromkeys(cell.work for cell in part.cells))
