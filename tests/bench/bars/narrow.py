"""Bars 2 and 4 once more, with NumPy and rnp held to AVX2: most machines have no more.

`python -m bench.bars.narrow SECONDS` is the process in which they are, and prints what it found.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

from bench import table
from bench.bars import Line, at_least, throughput, work

# What NumPy calls its sets beyond AVX2, and what OpenBLAS calls a machine that has just that.
HELD = {
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
    "OPENBLAS_CORETYPE": "Haswell",
    "RNP_ISA": "avx2",
}
TITLE = "NumPy and rnp held to AVX2"


def has_more() -> bool:
    """Tell whether this machine has AVX-512; on others the bars are of AVX2 as they are."""
    info = Path("/proc/cpuinfo")
    return info.exists() and " avx512f " in info.read_text()


def lines(budget: float) -> tuple[list[Line], throughput.Speeds]:
    """Return the lines, and the table of elementary functions, from a process held to AVX2."""
    if not has_more():
        return [], []
    command = [sys.executable, "-m", "bench.bars.narrow", str(budget)]
    environment = os.environ | HELD | {"PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    found = json.loads(done.stdout)
    speeds: throughput.Speeds = [(what, numpy, hand) for what, numpy, hand in found["maths"]]
    return [Line(**line) for line in found["lines"]], speeds


def measured(budget: float) -> tuple[list[Line], throughput.Speeds]:
    """Measure in this process."""
    library = throughput.reference()
    with throughput.one_thread():
        speeds = throughput.maths(library, budget)
        found = [*throughput.slowest(speeds), *throughput.folds(library, budget)]
    found += rms(budget)
    return [replace(line, what=f"{line.what}; {TITLE}") for line in found], speeds


def rms(budget: float) -> Iterator[Line]:
    """Yield RMS against BLAS's dot product."""
    # Narrow registers hold fewer sums side by side: a dot product of millions is further off.
    of_rms = replace(work.BY_NAME["RMS"], near=1e-4)
    cells = list(table.measure([of_rms], table.SIZES, ["jit"], budget, {}))
    reached, size = work.worst(cells, "RMS", "jit")
    what = "RMS against sqrt(dot(x, x) / n), the worst size, jit"
    yield at_least(4, what, 1.0, reached, note=f"at {size:,}")


if __name__ == "__main__":
    found, speeds = measured(float(sys.argv[1]))
    print(json.dumps({"lines": [asdict(line) for line in found], "maths": speeds}))
