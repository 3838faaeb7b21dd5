"""The functions that `rnp._core` has itself, but for ufuncs."""

from __future__ import annotations

from typing import Any

import numpy
from rnp import _core
from rnp._dispatch import alias, native


def _register() -> None:
    made: dict[Any, Any] = {}
    for name in sorted(_core.__all__, key=len):
        target = getattr(numpy, name, None)
        # Ufuncs are `rnp._ufunc`'s.
        if not callable(target) or isinstance(target, (type, numpy.ufunc)):
            continue
        builtin = getattr(_core, name)
        if builtin in made:
            alias(name, made[builtin])  # `amax` is `max`
        else:
            made[builtin] = native(name)


_register()
