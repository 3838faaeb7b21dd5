"""The functions that `rnp._core` has itself."""

from __future__ import annotations

from rnp import _core
from rnp._dispatch import find, native


def _register() -> None:
    for name in _core.__all__:
        try:
            target = find(name)
        except AttributeError:
            continue
        # Of several names of one ufunc the first that NumPy itself calls it by is enough.
        if callable(target) and not isinstance(target, type):
            canonical = getattr(target, "__name__", name)
            if canonical == name or canonical not in _core.__all__:
                native(name)


_register()
