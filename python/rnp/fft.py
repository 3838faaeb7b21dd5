"""`numpy.fft` on deferred arrays: Fourier transforms."""

from rnp._dispatch import names, namespace

__all__ = names("fft")
__getattr__ = namespace("rnp.fft")


def __dir__() -> list[str]:
    return __all__
