"""How a composition runs: recorded in a block, traced by `rnp.jit` outside of one.

Both fuse the operations, and have the same bits. May not know: what any function computes.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import rnp
import rnp._core as core

# Functions of NumPy that the engine does not have itself: `rnp` makes them when they are asked for.
breadth: Any = rnp


def graph(*static: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Let a composition run outside of blocks, where it is traced.

    `static` names the arguments that are no numbers. Compositions are silent about values.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        traced = core.jit(function, static=list(static))

        @functools.wraps(function)
        def run(x: Any, *args: Any) -> Any:
            return function(x, *args) if core.is_lazy() else traced(x, *args)

        return run

    return decorate


def scalars(result: Any) -> Any:
    """Make NumPy scalars of 0-d arrays that were computed at once."""
    # What was traced comes as 0-d arrays.
    return result[()] if type(result) is np.ndarray and not result.ndim else result


def every(results: Sequence[Any]) -> tuple[Any, ...]:
    """`scalars` of each."""
    return tuple(scalars(result) for result in results)
