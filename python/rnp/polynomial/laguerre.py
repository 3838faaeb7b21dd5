"""`numpy.polynomial.laguerre` on deferred arrays: Laguerre series."""

from rnp._dispatch import names, namespace

__all__ = names("polynomial.laguerre")
__getattr__ = namespace("rnp.polynomial.laguerre")


def __dir__() -> list[str]:
    return __all__
