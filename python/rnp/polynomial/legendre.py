"""`numpy.polynomial.legendre` on deferred arrays: Legendre series."""

from rnp._dispatch import names, namespace

__all__ = names("polynomial.legendre")
__getattr__ = namespace("rnp.polynomial.legendre")


def __dir__() -> list[str]:
    return __all__
