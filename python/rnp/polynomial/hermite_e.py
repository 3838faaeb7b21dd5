"""`numpy.polynomial.hermite_e` on deferred arrays: Hermite series, the probabilists'."""

from rnp._dispatch import names, namespace

__all__ = names("polynomial.hermite_e")
__getattr__ = namespace("rnp.polynomial.hermite_e")


def __dir__() -> list[str]:
    return __all__
