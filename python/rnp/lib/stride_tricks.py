"""`numpy.lib.stride_tricks` on deferred arrays: views by strides."""

from rnp._dispatch import names, namespace

__all__ = names("lib.stride_tricks")
__getattr__ = namespace("rnp.lib.stride_tricks")


def __dir__() -> list[str]:
    return __all__
