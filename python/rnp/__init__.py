"""rnp: a lazy array engine for audio code, with NumPy's meaning and one fused loop per chain.

Inside `with rnp.lazy():` functions and operators return an `rnp.Array`, whose value is computed, in
as few loops over memory as there can be, when it is asked for: by `.eval()`, `rnp.eval(...)`,
`float()`, `print()` or `numpy.asarray()`. Outside of a block they compute at once and return what
NumPy returns. `@rnp.jit` traces a function once and then runs its loops without building anything.

Every public name of NumPy is here too: `rnp.coverage()` says what answers each function.
"""

from typing import TYPE_CHECKING

# These register what answers NumPy's functions; what comes later replaces what was before.
from rnp import _ufunc as _ufunc  # isort: skip
from rnp import _numpy as _numpy  # isort: skip
from rnp import _array as _array  # isort: skip
from rnp import _standard as _standard  # isort: skip
from rnp import _core, _dispatch
from rnp._array import nditer as nditer
from rnp._coverage import Coverage, coverage
from rnp._types import finfo, iinfo, ndarray
from rnp._ufunc import ufunc as ufunc

__version__: str = _core.__version__
__array_api_version__ = _standard.VERSION
__array_namespace_info__ = _standard.Info

if TYPE_CHECKING:
    from typing import Any

    # The names that arguments are written with are NumPy's own.
    from numpy import (
        bool_,
        dtype,
        e,
        euler_gamma,
        float16,
        float32,
        float64,
        inf,
        int8,
        int16,
        int32,
        int64,
        nan,
        newaxis,
        pi,
        uint8,
        uint16,
        uint32,
        uint64,
    )
    from rnp import audio, char, fft, lib, linalg, ma, polynomial, random, strings, testing
    from rnp._core import *  # noqa: F403 - `__all__` there is the list
    from rnp._core import __all__ as __all__

    __all__ += [
        "Coverage",
        "audio",
        "bool_",
        "char",
        "coverage",
        "dtype",
        "e",
        "euler_gamma",
        "fft",
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
        "lib",
        "linalg",
        "ma",
        "nan",
        "ndarray",
        "nditer",
        "newaxis",
        "pi",
        "polynomial",
        "random",
        "strings",
        "testing",
        "uint8",
        "uint16",
        "uint32",
        "uint64",
    ]

    # Everything else that NumPy has.
    def __getattr__(name: str) -> Any: ...

else:
    # Imported when they are asked for, as NumPy's are: some of those take longer than all the rest.
    _PARTS = frozenset(
        [
            "audio",
            "char",
            "fft",
            "lib",
            "linalg",
            "ma",
            "polynomial",
            "random",
            "strings",
            "testing",
        ]
    )
    # What the engine has and NumPy has not; all else is made when it is asked for.
    _OWN = [name for name in _core.__all__ if not _dispatch.exists(name)]
    globals().update({name: getattr(_core, name) for name in _OWN})
    _OWN = [name for name in globals() if name[0] != "_" and name != "TYPE_CHECKING"]
    __all__ = sorted({*_OWN, *_PARTS, *_dispatch.names("")})
    __getattr__ = _dispatch.namespace("rnp", _PARTS)

    def __dir__() -> list[str]:
        return __all__
