"""`numpy.strings` on deferred arrays: arrays of strings."""

from rnp._dispatch import names, namespace

__all__ = names("strings")
__getattr__ = namespace("rnp.strings")


def __dir__() -> list[str]:
    return __all__
