"""`numpy.char` on deferred arrays: arrays of strings, the older functions."""

from rnp._dispatch import names, namespace

__all__ = names("char")
__getattr__ = namespace("rnp.char")


def __dir__() -> list[str]:
    return __all__
