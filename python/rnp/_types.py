"""NumPy's types that must know deferred arrays: `ndarray`, `finfo` and `iinfo`.

`isinstance(x, rnp.ndarray)` holds for NumPy's arrays and for deferred ones. A deferred array
without axes is what NumPy would have returned a scalar for, and no ndarray. Called, all of them
give NumPy's own objects.
"""

from __future__ import annotations

import functools
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


def _float(scalar: type) -> type:
    """Make a type of NumPy's scalars that says it is a Python `float`, too.

    The array API standard wants limits to be floats. To NumPy they are what they were: promotion,
    arithmetic and printing ask for the type, `isinstance` asks for `__class__` as well.
    """
    names = {"__slots__": (), "__class__": property(lambda self: float), "__module__": "numpy"}
    return type(scalar.__name__, (scalar,), names)


# `float64` is a float without that.
_FLOATS = {scalar: _float(scalar) for scalar in (numpy.float16, numpy.float32)}


class _Limits(numpy.finfo):
    """One of NumPy's objects whose numbers are floats."""

    def __new__(cls, known: numpy.finfo[Any]) -> Any:
        self = object.__new__(cls)
        vars(self).update(vars(known))
        return self

    def __getattribute__(self, name: str) -> Any:
        value = super().__getattribute__(name)
        made = _FLOATS.get(type(value))
        return value if made is None else made(value)

    def __reduce__(self) -> Any:
        return finfo, (self.dtype,)


_Limits.__name__ = _Limits.__qualname__ = "finfo"
_limits = functools.cache(_Limits)


class finfo(numpy.finfo, metaclass=_Type):
    """`numpy.finfo`: limits of a floating dtype, or of an array's; all of them are floats."""

    _stands = True

    def __new__(cls, dtype: Any) -> Any:
        """Give NumPy's object for the dtype."""
        return _limits(numpy.finfo(_described(dtype)))


class iinfo(numpy.iinfo, metaclass=_Type):
    """`numpy.iinfo`: limits of an integer dtype, or of an array's."""

    _stands = True

    def __new__(cls, type: Any) -> Any:
        """Give NumPy's object for the dtype."""
        return numpy.iinfo(_described(type))
