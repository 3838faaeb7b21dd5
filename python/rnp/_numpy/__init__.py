"""NumPy's functions, one module for each kind of them.

Each module registers with `rnp._dispatch` what answers a function in a lazy block: a builtin of
`rnp._core`, a composition of them, or a rule that foretells NumPy's result. What is registered
later replaces what was before, so `natives` comes first.

May not know: how a call is recorded or evaluated.
"""

from rnp._numpy import natives  # noqa: I001 - the order matters
from rnp._numpy import (
    shapes,
    metadata,
    elementwise,
    statistics,
    creation,
    joining,
    scans,
    nan,
    moving,
    padding,
    windows,
    sorting,
    searching,
    products,
    linalg,
    fft,
)

__all__ = [
    "creation",
    "elementwise",
    "fft",
    "joining",
    "linalg",
    "metadata",
    "moving",
    "nan",
    "natives",
    "padding",
    "products",
    "scans",
    "searching",
    "shapes",
    "sorting",
    "statistics",
    "windows",
]
