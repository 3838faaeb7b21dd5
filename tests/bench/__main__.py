"""Run the suite: `python -m bench [--quick] [--threads 1] [--only gain,mix] [--forms jit]`."""

from __future__ import annotations

import argparse

import rnp

from bench import engines, table
from bench.works import WORKS


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(prog="bench", description="Time rnp against NumPy.")
    parser.add_argument("--quick", action="store_true", help="fewer sizes and rounds")
    parser.add_argument("--only", help="works whose names contain one of these words, a,b,c")
    parser.add_argument("--forms", help="forms to run, a,b,c: " + "; ".join(engines.FORMS))
    parser.add_argument("--sizes", help="sizes to run, a,b,c")
    parser.add_argument("--threads", type=int, help="threads for rnp, instead of all")
    options = parser.parse_args()
    if options.threads:
        rnp.set_num_threads(options.threads)

    words = (options.only or "").split(",")
    works = [work for work in WORKS if any(word in work.name for word in words)]
    forms = [f for f in engines.FORMS if not options.forms or f in options.forms.split(",")]
    sizes = list(table.QUICK_SIZES if options.quick else table.SIZES)
    if options.sizes:
        sizes = [int(size) for size in options.sizes.split(",")]
    cells = []
    for cell in table.measure(works, sizes, forms, 0.05 if options.quick else 0.4):
        cells.append(cell)
        shown = "  ".join(f"{form} {cell.ratio(form):.2f}" for form in forms)
        print(f"{cell.work:22}{cell.size:>10,}{cell.best * 1e6:12.2f} us   {shown}", flush=True)
    for form in forms:
        print("\n" + table.text(cells, form))


if __name__ == "__main__":
    main()
