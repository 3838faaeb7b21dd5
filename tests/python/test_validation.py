"""NumPy's own validation sets of the elementary functions, which its wheel brings along."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import rnp
from oracle import MODES, OPS, quiet

DATA = Path(np.__file__).parent / "_core" / "tests" / "data"
SETS = {path.stem.removeprefix("umath-validation-set-"): path for path in DATA.glob("*-set-*.csv")}
VIEWS = {
    "contiguous": lambda x: x,
    "reversed": lambda x: x[::-1].copy()[::-1],
    "stepped": lambda x: np.repeat(x, 3)[::3],
    "strided reversed": lambda x: np.repeat(x[::-1], 2)[::-2],
}


def rows(path, dtype):
    """Return arguments, results and tolerances in steps, all of one dtype."""
    with path.open() as file:
        lines = [r for r in csv.reader(file) if r and r[0].strip() == f"np.{dtype}"]
    kind = "u4" if dtype == "float32" else "u8"
    x, want = (np.array([int(r[k], 16) for r in lines], kind).view(dtype) for k in (1, 2))
    return x, want, np.array([int(r[3]) for r in lines])


def steps(a, b):
    """Return how many numbers apart floats are; NaNs are all one."""
    kind = f"i{a.dtype.itemsize}"
    places = []
    for x in (a, b):
        bits = x.view(kind).astype(object)
        places.append(np.where(bits < 0, np.iinfo(kind).min - bits, bits))
    apart = np.abs(places[0] - places[1])
    return np.where(np.isnan(a) & np.isnan(b), 0, apart)


def test_all_sets_are_here():
    assert len(SETS) >= 20
    assert set(SETS) <= set(OPS)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", sorted(SETS))
def test_set(name, dtype):
    x, want, tolerance = rows(SETS[name], dtype)
    assert len(x) > 100
    for layout, make in VIEWS.items():
        for mode, run in MODES.items():
            with quiet():
                got = run(getattr(rnp, name), make(x))
            apart = steps(got, want)
            bad = np.flatnonzero(apart > tolerance)
            assert not bad.size, (
                f"{layout}, {mode}: {bad.size} wrong, {name}({x[bad[0]]!r}) = {got[bad[0]]!r}, "
                f"wanted {want[bad[0]]!r}, {apart[bad[0]]} steps apart"
            )
