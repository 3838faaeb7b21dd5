"""`numpy.polynomial.polynomial` on deferred arrays: power series."""

from rnp._dispatch import names, namespace

__all__ = names("polynomial.polynomial")
__getattr__ = namespace("rnp.polynomial.polynomial")


def __dir__() -> list[str]:
    return __all__
