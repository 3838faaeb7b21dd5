"""What was measured, as a file: `design/benchmarks.json`, from which the page and charts are made.

It has a part for each command, with its date and machine; a command replaces its own part.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from bench.bars import Line
from bench.table import Cell

FEATURES = {"avx2": "AVX2", "fma": "FMA", "avx512f": "AVX-512", "asimd": "NEON", "sve": "SVE"}


@dataclass
class Part:
    """What one command measured."""

    date: str
    machine: str
    versions: str
    threads: int
    cells: list[Cell] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    tables: dict[str, list[list[Any]]] = field(default_factory=dict)


def part(packages: Iterable[str], threads: int) -> Part:
    """Return an empty part, dated now, on this machine."""
    versions = [f"Python {platform.python_version()}"]
    versions += [f"{name} {metadata.version(name)}" for name in packages]
    date = datetime.now(UTC).strftime("%Y-%m-%d")
    return Part(date, machine(), ", ".join(versions), threads)


def machine() -> str:
    """Describe this machine in general words."""
    words = [platform.system(), platform.machine()]
    info = Path("/proc/cpuinfo")
    if info.exists():
        pairs = [line.partition(":") for line in info.read_text().splitlines()]
        facts = {key.strip(): value.strip() for key, _, value in reversed(pairs)}
        if "model name" in facts:
            words.append(f"{facts['model name']} (family {facts.get('cpu family', '?')})")
        flags = (facts.get("flags") or facts.get("Features") or "").split()
        words.append("with " + ", ".join(name for flag, name in FEATURES.items() if flag in flags))
    return f"{' '.join(words)}; {os.cpu_count()} cores"


def load(path: Path) -> dict[str, Part]:
    """Read all parts."""
    if not path.exists():
        return {}
    parts = {}
    for name, raw in json.loads(path.read_text()).items():
        raw["cells"] = [Cell(*cell) for cell in raw["cells"]]
        raw["lines"] = [Line(**line) for line in raw["lines"]]
        parts[name] = Part(**raw)
    return parts


def save(path: Path, parts: dict[str, Part]) -> None:
    """Write all parts: a cell a line, times to four figures."""
    out = {}
    for name, of in parts.items():
        raw = asdict(of)
        raw["cells"] = [
            [cell.work, cell.size, {k: float(f"{t:.4g}") for k, t in cell.seconds.items()}]
            for cell in of.cells
        ]
        out[name] = raw
    text = json.dumps(out)
    for mark in (
        '"cells": [',
        '"lines": [',
        '"tables": {',
        '"versions"',
        '"threads"',
        '"peers": {',
    ):
        text = text.replace(mark, "\n" + mark)
    text = text.replace("], [", "],\n[").replace("}, {", "},\n{")
    path.write_text(text + "\n")
