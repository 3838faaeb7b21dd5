"""What the array API standard asks for beyond NumPy: its inspection functions and its keywords.

A function of NumPy that lacks a keyword of the standard takes it here, in blocks and outside of
them; calls without that keyword are NumPy's. May not know: how a call is recorded or evaluated.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from inspect import Parameter
from typing import Any, Self

import numpy
from rnp import _dispatch
from rnp._core import Array

VERSION = "2025.12"
VERSIONS = ("2021.12", "2022.12", "2023.12", "2024.12", VERSION)


class Info:
    """What a program may ask of the namespace: `rnp.__array_namespace_info__()`."""

    def capabilities(self) -> dict[str, Any]:
        """Say which optional parts are there; a lazy array is evaluated where they need values."""
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}

    def default_device(self) -> str:
        """Give the device of new arrays."""
        return "cpu"

    def devices(self) -> tuple[str, ...]:
        """Give all devices."""
        return ("cpu",)

    def default_dtypes(self, *, device: Any = None) -> dict[str, Any]:
        """Give the dtype of each kind that new arrays have."""
        _check_device(device)
        return {
            "real floating": numpy.dtype(numpy.float64),
            "complex floating": numpy.dtype(numpy.complex128),
            "integral": numpy.dtype(numpy.intp),
            "indexing": numpy.dtype(numpy.intp),
        }

    def dtypes(self, *, device: Any = None, kind: Any = None) -> dict[str, Any]:
        """Give the dtypes of a kind, of several, or all of the standard, by name."""
        _check_device(device)
        kinds = kind if isinstance(kind, tuple) else (kind,)
        unknown = [k for k in kinds if k is not None and k not in _KINDS]
        if unknown:
            raise ValueError(f"unsupported kind: {unknown[0]!r}")
        wanted = "".join(_CODES if k is None else _KINDS[k] for k in kinds)
        return {numpy.dtype(code).name: numpy.dtype(code) for code in _CODES if code in wanted}


_CODES = "?bhilBHILfdFD" if numpy.dtype("l").itemsize == 8 else "?bhiqBHIQfdFD"
_SIGNED, _UNSIGNED = _CODES[1:5], _CODES[5:9]
_KINDS = {
    "bool": "?",
    "signed integer": _SIGNED,
    "unsigned integer": _UNSIGNED,
    "integral": _SIGNED + _UNSIGNED,
    "real floating": "fd",
    "complex floating": "FD",
    "numeric": _CODES[1:],
}


def _check_device(device: Any) -> None:
    if device not in (None, "cpu"):
        raise ValueError(f'Device not understood. Only "cpu" is allowed, but received: {device}')


def _namespace(self: Any, *, api_version: str | None = None) -> Any:
    """Give the module whose functions take the array, as the array API standard asks: `rnp`."""
    if api_version is not None and api_version not in VERSIONS:
        raise ValueError(f'Version "{api_version}" of the Array API Standard is not supported.')
    return sys.modules["rnp"]


def _dlpack(
    self: Any,
    *,
    stream: Any = None,
    max_version: tuple[int, int] | None = None,
    dl_device: tuple[int, int] | None = None,
    copy: bool | None = None,
) -> Any:
    """Compute the value into memory for the consumer: `numpy.ndarray.__dlpack__`.

    Whatever `copy` says: nobody else sees that memory, so that it is a copy to whoever wants one.
    """
    value = numpy.array(self)
    return value.__dlpack__(stream=stream, max_version=max_version, dl_device=dl_device)


# -- functions that take more than NumPy's


class _Extended(_dispatch.Function):
    """A function of NumPy with more ways to call it: `answer` gets those that `asked` knows."""

    __slots__ = ("_asked", "_more", "_shown")

    def __new__(cls, path: str, *_: Any) -> Self:
        base = _dispatch.known(_dispatch.find(path))
        return super().__new__(cls, path, base._implementation, base.kind)

    def __init__(
        self,
        path: str,
        asked: Callable[[Any, Any], bool],
        answer: Callable[..., Any],
        shown: Callable[[inspect.Signature], inspect.Signature],
    ) -> None:
        base = _dispatch.known(_dispatch.find(path))
        super().__init__(path, base._implementation, base.kind)
        self._asked, self._more, self._shown = asked, answer, shown

    @property
    def __signature__(self) -> inspect.Signature:
        return self._shown(super().__signature__)

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        if self._asked(args, keywords):
            return self._more(super().__call__, *args, **keywords)
        return super().__call__(*args, **keywords)


def _extend(path: str, name: str, default: Any) -> Callable[[Callable[..., Any]], Any]:
    """Let `numpy.<path>` take a keyword; calls without it are NumPy's."""

    def shown(signature: inspect.Signature) -> inspect.Signature:
        known = list(signature.parameters.values())
        extra = Parameter(name, Parameter.KEYWORD_ONLY, default=default)
        return signature.replace(parameters=[*known, extra])

    def register(answer: Callable[..., Any]) -> Any:
        if name not in inspect.signature(_dispatch.find(path)).parameters:
            _Extended(path, lambda args, keywords: name in keywords, answer, shown)
        return answer

    return register


@_extend("sort", "descending", False)
def _sort(
    call: Callable[..., Any], a: Any, axis: Any = -1, *args: Any, descending: Any, **keywords: Any
) -> Any:
    found = call(a, axis, *args, **keywords)
    return _flip(found, axis) if descending else found


@_extend("argsort", "descending", False)
def _argsort(
    call: Callable[..., Any], a: Any, axis: Any = -1, *args: Any, descending: Any, **keywords: Any
) -> Any:
    if not descending:
        return call(a, axis, *args, **keywords)
    # Equal elements keep their order: they are sorted backwards, and both turns are undone.
    found = _flip(call(_flip(_array(a), axis), axis, *args, **keywords), axis)
    last = (found.size if axis is None else found.shape[axis]) - 1
    return last - found


def _array(a: Any) -> Any:
    return a if isinstance(a, Array) else numpy.asanyarray(a)


def _flip(x: Any, axis: Any) -> Any:
    return _dispatch.public("flip")(x, axis=axis)


def _frequencies(path: str) -> None:
    @_extend(path, "dtype", None)
    def frequencies(call: Callable[..., Any], *args: Any, dtype: Any, **keywords: Any) -> Any:
        found = call(*args, **keywords)
        return found if dtype is None else found.astype(dtype)


_frequencies("fft.fftfreq")
_frequencies("fft.rfftfreq")


def _clip_shown(signature: inspect.Signature) -> inspect.Signature:
    """Show the bounds by the standard's names; NumPy's older ones are keywords."""
    known = signature.parameters
    missing = known["a_min"].default
    place, key = Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY
    bounds = [Parameter(name, place, default=missing) for name in ("min", "max")]
    older = [Parameter(name, key, default=missing) for name in ("a_min", "a_max")]
    rest = [p for p in known.values() if p.name not in ("a", "out", "a_min", "a_max", "min", "max")]
    return signature.replace(parameters=[known["a"], *bounds, known["out"], *older, *rest])


class _Clip(_dispatch.Function):
    """`clip`, whose upper bound may go by the standard's name beside a lower one without a name."""

    __slots__ = ()

    @property
    def __signature__(self) -> inspect.Signature:
        return _clip_shown(super().__signature__)

    def _extended(self, *args: Any, **keywords: Any) -> Any:
        """Answer a call that has one bound, or a bound twice, by place or NumPy's older names."""
        if len(args) == 2 and "max" in keywords and not {"min", "a_max"} & keywords.keys():
            return self(*args, keywords.pop("max"), **keywords)
        # NumPy says what is missing, or too much.
        told: Any = numpy.clip
        return told(*(0, None, None, None)[: len(args)], **dict.fromkeys(keywords))


def _extended_clip() -> None:
    base = _dispatch.known(numpy.clip)
    _Clip("clip", base._implementation, base.kind)


_extended_clip()
for _name, _method in (("__array_namespace__", _namespace), ("__dlpack__", _dlpack)):
    setattr(Array, _name, _method)
