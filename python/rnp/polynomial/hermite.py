"""`numpy.polynomial.hermite` on deferred arrays: Hermite series, the physicists'."""

from rnp._dispatch import names, namespace

__all__ = names("polynomial.hermite")
__getattr__ = namespace("rnp.polynomial.hermite")


def __dir__() -> list[str]:
    return __all__
