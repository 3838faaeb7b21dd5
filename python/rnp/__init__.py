"""rnp: a lazy array engine for audio code, with NumPy's meaning and one fused loop per chain.

Inside `with rnp.lazy():` functions and operators return an `rnp.Array`, whose value is computed, in
as few loops over memory as there can be, when it is asked for: by `.eval()`, `rnp.eval(...)`,
`float()`, `print()` or `numpy.asarray()`. Outside of a block they compute at once and return what
NumPy returns. `@rnp.jit` traces a function once and then runs its loops without building anything.
"""

from typing import TYPE_CHECKING

# The names that arguments are written with are NumPy's own.
from numpy import (
    bool_,
    dtype,
    e,
    euler_gamma,
    finfo,
    float16,
    float32,
    float64,
    iinfo,
    inf,
    int8,
    int16,
    int32,
    int64,
    nan,
    ndarray,
    newaxis,
    pi,
    uint8,
    uint16,
    uint32,
    uint64,
)
from rnp._core import *  # noqa: F403 - `__all__` there is the list

if TYPE_CHECKING:
    from rnp._core import __all__ as __all__

    __all__ += [
        "bool_",
        "dtype",
        "e",
        "euler_gamma",
        "finfo",
        "float16",
        "float32",
        "float64",
        "iinfo",
        "inf",
        "int8",
        "int16",
        "int32",
        "int64",
        "nan",
        "ndarray",
        "newaxis",
        "pi",
        "uint8",
        "uint16",
        "uint32",
        "uint64",
    ]
else:
    # Type checkers follow no more than the form above; `mypy.stubtest` compares the two.
    __all__ = sorted(name for name in globals() if name[0] != "_" and name != "TYPE_CHECKING")

    def __getattr__(name: str) -> object:
        """Say what to do about a name that only NumPy has."""
        import numpy

        message = f"module 'rnp' has no attribute {name!r}"
        if not name.startswith("_") and hasattr(numpy, name):
            message += f"; NumPy has it, and takes values: numpy.{name}(x.eval(), ...)"
        raise AttributeError(message)
