"""Run the suite: `python -m bench [--quick] [--threads 1] [--only gain,mix] [--forms jit]`.

A whole run writes its part of `design/benchmarks.json` and then the page and the charts. A quick
one, or one with a choice of works, forms, sizes or threads, prints and writes nothing.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

import rnp

from bench import bars, engines, peers, report, results, table
from bench.bars import accuracy, cold, dispatch, growth, narrow, throughput, work
from bench.bars import peers as peer_bars
from bench.works import WORKS

DESIGN = Path(__file__).parents[2] / "design"
PACKAGES = ("rnp", "numpy")
PEER_PACKAGES = (*PACKAGES, "numexpr", "numba", "jax", "blosc2", "numpy-minmax", "numpy-rms")
# Seconds for a cell, for a race of a bar.
WHOLE, PEERS, QUICK = (0.4, 0.5), (0.25, 0.5), (0.05, 0.1)


def main() -> None:
    """Read the command line and run."""
    options = arguments()
    if options.page:
        write(results.load(DESIGN / "benchmarks.json"))
        return
    if options.threads:
        rnp.set_num_threads(options.threads)
    chosen = options.only or options.forms or options.sizes or options.threads
    budgets = QUICK if options.quick else PEERS if options.peers else WHOLE
    name = "peers" if options.peers else "table"
    packages = PEER_PACKAGES if options.peers else PACKAGES
    part = results.part(packages, rnp.get_num_threads())
    print(f"{part.machine}, {part.threads} threads; {part.versions}\n", flush=True)
    others = peers.installed() if options.peers else {}
    run_table(part, options, others, budgets[0])
    if not chosen:
        run_bars(part, others, budgets[1], quick=options.quick)
    if not (chosen or options.quick):
        write(results.load(DESIGN / "benchmarks.json") | {name: part})


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="bench", description="Time rnp against NumPy.")
    parser.add_argument("--quick", action="store_true", help="fewer sizes and rounds; only print")
    parser.add_argument("--peers", action="store_true", help="race the other engines too")
    parser.add_argument("--page", action="store_true", help="write the page of what was measured")
    parser.add_argument("--only", help="works whose names contain one of these words, a,b,c")
    parser.add_argument("--forms", help="forms to run, likewise: " + "; ".join(engines.FORMS))
    parser.add_argument("--sizes", help="sizes to run, a,b,c")
    parser.add_argument("--threads", type=int, help="threads for rnp, instead of all")
    return parser.parse_args()


def run_table(
    part: results.Part,
    options: argparse.Namespace,
    others: dict[str, peers.Peer],
    budget: float,
) -> None:
    """Measure and print the table."""
    words = (options.only or "").split(",")
    works = [work for work in WORKS if any(word in work.name for word in words)]
    words = (options.forms or ("jit" if options.peers else "")).split(",")
    forms = [form for form in engines.FORMS if any(word in form for word in words)]
    sizes = list(table.QUICK_SIZES if options.quick else table.SIZES)
    if options.sizes:
        sizes = [int(size) for size in options.sizes.split(",")]
    for cell in table.measure(works, sizes, forms, budget, others):
        part.cells.append(cell)
        names = [name for name in cell.seconds if not table.is_numpy(name)]
        shown = "  ".join(f"{name} {cell.ratio(name):.2f}" for name in names)
        print(f"{cell.work:22}{cell.size:>10,}{cell.best * 1e6:12.2f} us   {shown}", flush=True)
    shown_forms = [*forms, *(s for f, s in table.SINGLE.items() if f in forms)]
    for form in shown_forms:
        if any(form in cell.seconds for cell in part.cells):
            print("\n" + table.text(part.cells, form))
    for peer in report.peer_names(part):
        print("\n" + table.text(part.cells, "jit", peer))


def run_bars(
    part: results.Part, others: dict[str, peers.Peer], budget: float, *, quick: bool
) -> None:
    """Measure and print the bars."""
    print()
    if others:
        add(part, peer_bars.lines(part.cells, others, budget))
        return
    forms = list(engines.FORMS)
    add(part, dispatch.lines(budget))
    part.tables["stages"] = [list(stage) for stage in dispatch.stages(budget)]
    lines, maths = throughput.lines(budget)
    add(part, lines)
    part.tables["maths"] = [list(row) for row in maths]
    lines, maths = narrow.lines(budget)
    add(part, lines)
    part.tables["maths, AVX2"] = [list(row) for row in maths]
    add(part, cold.lines(budget, rounds=1 if quick else 7))
    add(part, work.all_lines(part.cells, forms, budget))
    lines, rows = growth.lines(budget, largest=10_000 if quick else growth.OPS[-1])
    add(part, lines)
    part.tables["growth"] = [list(row) for row in rows]
    add(part, accuracy.lines(stride=40_009 if quick else accuracy.STRIDE))


def add(part: results.Part, lines: Iterable[bars.Line]) -> None:
    """Keep lines, and print each as it is there."""
    for line in lines:
        part.lines.append(line)
        print(line, flush=True)


def write(parts: dict[str, results.Part]) -> None:
    """Write figures, page and charts."""
    parts = {name: parts[name] for name in ("table", "peers") if name in parts}
    results.save(DESIGN / "benchmarks.json", parts)
    # The file has rounded figures, and the page is made of them.
    parts = results.load(DESIGN / "benchmarks.json")
    (DESIGN / "benchmarks.md").write_text(report.page(parts, report.reasons()))
    for name, drawn in report.charts(parts).items():
        (DESIGN / name).write_text(drawn)
    print(f"\nwrote {DESIGN / 'benchmarks.md'}")


if __name__ == "__main__":
    main()
