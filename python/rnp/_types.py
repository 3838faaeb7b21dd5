"""NumPy's types that must know deferred arrays: `ndarray`, `finfo` and `iinfo`.

`isinstance(x, rnp.ndarray)` holds for NumPy's arrays and for deferred ones. A deferred array
without axes is what NumPy would have returned a scalar for, and no ndarray. Called, all of them
give NumPy's own objects.
"""

from __future__ import annotations

from typing import Any

import numpy
from rnp._core import Array


class _Type(type):
    """The type of a type that stands for one of NumPy's, its base; subclasses are plain."""

    def __instancecheck__(cls, instance: Any) -> bool:
        if "_stands" not in vars(cls):
            return super().__instancecheck__(instance)
        if isinstance(instance, Array):
            return cls.__base__ is numpy.ndarray and instance.ndim > 0
        return isinstance(instance, cls.__base__)  # type: ignore[arg-type]

    # `type(x) == rnp.ndarray`, and tables by type, know NumPy's type by ours.
    def __eq__(cls, other: object) -> bool:
        if other is cls or "_stands" not in vars(cls):
            return other is cls
        return other is cls.__base__ or (other is Array and cls.__base__ is numpy.ndarray)

    def __hash__(cls) -> int:
        return hash(cls.__base__) if "_stands" in vars(cls) else super().__hash__()

    def __subclasscheck__(cls, subclass: type) -> bool:
        if "_stands" not in vars(cls):
            return super().__subclasscheck__(subclass)
        if cls.__base__ is numpy.ndarray and subclass is Array:
            return True
        return issubclass(subclass, cls.__base__)  # type: ignore[arg-type]


class ndarray(numpy.ndarray, metaclass=_Type):
    """`numpy.ndarray`: all arrays are of it, deferred ones too; called it makes one of NumPy's."""

    _stands = True

    def __new__(cls, *args: Any, **keywords: Any) -> Any:
        """Make an array of NumPy's, or of the subclass that asks for it."""
        return numpy.ndarray.__new__(numpy.ndarray if cls is ndarray else cls, *args, **keywords)


def _described(x: Any) -> Any:
    return x.dtype if isinstance(x, (Array, numpy.ndarray, numpy.generic)) else x


class finfo(numpy.finfo, metaclass=_Type):
    """`numpy.finfo`: limits of a floating dtype, or of an array's."""

    _stands = True

    def __new__(cls, dtype: Any) -> Any:
        """Give NumPy's object for the dtype."""
        return numpy.finfo(_described(dtype))


class iinfo(numpy.iinfo, metaclass=_Type):
    """`numpy.iinfo`: limits of an integer dtype, or of an array's."""

    _stands = True

    def __new__(cls, type: Any) -> Any:
        """Give NumPy's object for the dtype."""
        return numpy.iinfo(_described(type))
