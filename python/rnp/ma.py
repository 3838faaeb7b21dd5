"""`numpy.ma` on deferred arrays: masked arrays."""

from rnp._dispatch import names, namespace

__all__ = names("ma")
__getattr__ = namespace("rnp.ma")


def __dir__() -> list[str]:
    return __all__
