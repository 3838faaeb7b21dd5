"""What answers each public function of NumPy, as a table.

May not know: how any of them is answered.
"""

from __future__ import annotations

import inspect
from collections import Counter
from typing import Any, NamedTuple

import numpy
from rnp import _dispatch

NAMESPACES = (
    "",
    "fft",
    "linalg",
    "random",
    "polynomial",
    "polynomial.polynomial",
    "polynomial.chebyshev",
    "polynomial.legendre",
    "polynomial.hermite",
    "polynomial.hermite_e",
    "polynomial.laguerre",
    "strings",
    "char",
    "ma",
    "lib.stride_tricks",
    "testing",
)
KINDS = ("native", "composed", "opaque", "NumPy", "missing")


class Row(NamedTuple):
    """One function: its name without `numpy.`, and what answers it in a lazy block."""

    name: str
    kind: str


class Coverage(NamedTuple):
    """All functions; prints as a table of counts with the names of each kind below."""

    rows: list[Row]

    def counts(self, namespace: str | None = None) -> dict[str, int]:
        """Count the functions of each kind, of one namespace ("" is `numpy` itself) or of all."""
        wanted = self.rows
        if namespace is not None:
            wanted = [row for row in self.rows if row.name.rpartition(".")[0] == namespace]
        counted = Counter(row.kind for row in wanted)
        return {kind: counted[kind] for kind in KINDS}

    def __str__(self) -> str:
        lines = [f"{'namespace':<24}" + "".join(f"{kind:>10}" for kind in KINDS)]
        for namespace in (*NAMESPACES, None):
            title = "all" if namespace is None else f"numpy.{namespace}".rstrip(".")
            figures = self.counts(namespace).values()
            lines.append(f"{title:<24}" + "".join(f"{n:>10}" for n in figures))
        for kind in KINDS:
            found = [row.name for row in self.rows if row.kind == kind]
            if found:
                lines += ["", f"{kind}:", *_wrapped(found)]
        return "\n".join(lines)


def _wrapped(words: list[str], width: int = 96) -> list[str]:
    lines, line = [], "   "
    for word in words:
        if len(line) + len(word) + 1 > width:
            lines.append(line)
            line = "   "
        line += f" {word}"
    return [*lines, line]


def coverage() -> Coverage:
    """Say for every public function of NumPy what answers it in a lazy block.

    native: a builtin of the engine. composed: several of them. opaque: NumPy, when the graph is
    evaluated. NumPy: at once. missing: rnp does not have it. Types and constants are NumPy's own
    objects and not counted.
    """
    rows = []
    for namespace in NAMESPACES:
        for name in _dispatch.names(namespace):
            path = f"{namespace}.{name}" if namespace else name
            target = _dispatch.find(path)
            if inspect.isroutine(target) or isinstance(target, numpy.ufunc):
                rows.append(Row(path, _kind(path)))
    return Coverage(rows)


def _kind(path: str) -> str:
    try:
        ours: Any = _dispatch.public(path)
    except AttributeError:
        return "missing"
    kind = getattr(ours, "kind", "numpy")
    return "NumPy" if kind == "numpy" else kind
