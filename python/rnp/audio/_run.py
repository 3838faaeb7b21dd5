"""How a composition runs: recorded in a block; outside of one by its operations, or traced.

Outside, few samples are computed operation by operation, which takes less than to find a trace;
for many `rnp.jit` fuses the operations as a block would. Both have the same bits. May not know:
what any function computes.
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


# Samples from which a trace is worth its price.
MANY = 4096


def graph(*static: str, many: int = MANY) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Let a composition run outside of blocks: traced, from `many` samples on.

    `static` names the arguments that are no numbers. Compositions call functions: operators on
    NumPy's arrays would be NumPy's own. They are silent about values, however many there are.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        traced = core.jit(function, static=list(static))

        @functools.wraps(function)
        def run(x: Any, *args: Any) -> Any:
            if core.is_lazy():
                return function(x, *args)
            if x.size >= many:
                return traced(x, *args)
            with np.errstate(all="ignore"):
                return function(x, *args)

        return run

    return decorate


def scalars(result: Any) -> Any:
    """Make NumPy scalars of 0-d arrays that were computed at once."""
    # What was traced comes as 0-d arrays.
    return result[()] if type(result) is np.ndarray and not result.ndim else result


def every(results: Sequence[Any]) -> tuple[Any, ...]:
    """`scalars` of each."""
    return tuple(scalars(result) for result in results)
