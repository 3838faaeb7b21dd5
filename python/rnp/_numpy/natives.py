"""The functions that `rnp._core` has itself, but for ufuncs."""

from __future__ import annotations

import numpy
from rnp import _core
from rnp._dispatch import native


def _register() -> None:
    for name in _core.__all__:
        target = getattr(numpy, name, None)
        # Ufuncs are `rnp._ufunc`'s.
        if callable(target) and not isinstance(target, (type, numpy.ufunc)):
            native(name)


_register()
