"""`numpy.linalg` on deferred arrays: linear algebra."""

from rnp._dispatch import names, namespace

__all__ = names("linalg")
__getattr__ = namespace("rnp.linalg")


def __dir__() -> list[str]:
    return __all__
