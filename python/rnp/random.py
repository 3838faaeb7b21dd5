"""`numpy.random` on deferred arrays: random numbers."""

from rnp._dispatch import names, namespace

__all__ = names("random")
__getattr__ = namespace("rnp.random")


def __dir__() -> list[str]:
    return __all__
