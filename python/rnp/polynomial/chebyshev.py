"""`numpy.polynomial.chebyshev` on deferred arrays: Chebyshev series."""

from rnp._dispatch import names, namespace

__all__ = names("polynomial.chebyshev")
__getattr__ = namespace("rnp.polynomial.chebyshev")


def __dir__() -> list[str]:
    return __all__
