"""`numpy.testing` on deferred arrays: comparing arrays in tests."""

from rnp._dispatch import names, namespace

__all__ = names("testing")
__getattr__ = namespace("rnp.testing")


def __dir__() -> list[str]:
    return __all__
