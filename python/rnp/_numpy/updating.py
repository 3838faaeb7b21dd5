"""Functions that write into their first argument: deferred arrays are written as a whole."""

from __future__ import annotations

from typing import Any

import numpy
from rnp import _core
from rnp._core import Array, Unsupported
from rnp._dispatch import at_once, composed, find
from rnp._numpy.arguments import is_plain, operand


@composed("copyto")
def copyto(dst: Any, src: Any, casting: str = "same_kind", where: Any = True) -> None:
    """Write values of another array, where a condition holds."""
    if not isinstance(dst, Array) or not is_plain(src):
        raise Unsupported("NumPy writes into memory")
    if type(src) not in (bool, int, float):
        if not numpy.can_cast(src.dtype, dst.dtype, casting):  # type: ignore[arg-type]
            raise Unsupported("NumPy says what is wrong with it")
    elif numpy.result_type(dst.dtype, src) != dst.dtype:
        raise Unsupported("NumPy says what is wrong with it")
    value = _core.astype(operand(src), dst.dtype)
    dst[...] = value if where is True else _core.where(where, value, dst)


def _writing(path: str) -> None:
    function = find(path)

    def on_a_copy(target: Any, *args: Any, **keywords: Any) -> Any:
        copy = numpy.array(target)
        function(copy, *args, **keywords)
        return copy

    on_a_copy.__name__ = path

    def write(target: Any, *args: Any, **keywords: Any) -> None:
        if not isinstance(target, Array):
            raise Unsupported("NumPy writes into memory")
        target[...] = at_once(on_a_copy, (target, *args), keywords)

    write.__doc__ = f"Evaluate, let numpy.{path} write into a copy, and go on with that."
    composed(path, "numpy")(write)


for _path in (
    "fill_diagonal",
    "place",
    "put",
    "put_along_axis",
    "putmask",
    "random.shuffle",
):
    _writing(_path)
