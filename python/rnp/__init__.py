"""rnp: a lazy array engine for audio code, with NumPy's meaning and one fused loop per chain."""

from rnp._core import *  # noqa: F403
from rnp import _core, _dispatch, _ufunc
import numpy as _numpy
for _f in _ufunc.FUNCTIONS.values():
    if getattr(_numpy, _f.__name__, None) is _f._numpy:
        globals()[_f.__name__] = _f
from rnp import _array
def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    return _dispatch.public(name)
