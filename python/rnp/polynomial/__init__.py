"""`numpy.polynomial` on deferred arrays: polynomials."""

from rnp._dispatch import names, namespace
from rnp.polynomial import chebyshev, hermite, hermite_e, laguerre, legendre, polynomial

__all__ = sorted({*names("polynomial"), "chebyshev", "hermite", "hermite_e", "laguerre", "legendre", "polynomial"})
__getattr__ = namespace("rnp.polynomial")


def __dir__() -> list[str]:
    return __all__
