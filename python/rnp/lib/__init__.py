"""`numpy.lib` on deferred arrays: parts of NumPy that have no other place."""

from rnp._dispatch import names, namespace
from rnp.lib import stride_tricks  # noqa: F401 - a part of this one

__all__ = sorted({*names("lib"), "stride_tricks"})
__getattr__ = namespace("rnp.lib")


def __dir__() -> list[str]:
    return __all__
