"""rnp: a lazy array engine for audio code, with NumPy's meaning and one fused loop per chain.

Inside `with rnp.lazy():` functions and operators return an `rnp.Array`, whose value is computed, in
as few loops over memory as there can be, when it is asked for: by `.eval()`, `rnp.eval(...)`,
`float()`, `print()` or `numpy.asarray()`. Outside of a block they compute at once and return what
NumPy returns. `@rnp.jit` traces a function once and then runs its loops without building anything.
"""

from typing import TYPE_CHECKING

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

from rnp import _core
from rnp._core import *

__all__ = [
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
__all__ += _core.__all__

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Say what to do about a name that only NumPy has."""
        import numpy

        message = f"module 'rnp' has no attribute {name!r}"
        if not name.startswith("_") and hasattr(numpy, name):
            message += f"; NumPy has it, and takes values: numpy.{name}(x.eval(), ...)"
        raise AttributeError(message)
