"""`numpy.polynomial` on deferred arrays: polynomials."""

from rnp._dispatch import names, namespace
from rnp.polynomial import chebyshev as chebyshev
from rnp.polynomial import hermite as hermite
from rnp.polynomial import hermite_e as hermite_e
from rnp.polynomial import laguerre as laguerre
from rnp.polynomial import legendre as legendre
from rnp.polynomial import polynomial as polynomial

__all__ = names("polynomial")
__getattr__ = namespace("rnp.polynomial")


def __dir__() -> list[str]:
    return __all__
