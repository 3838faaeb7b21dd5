"""How a composition runs: recorded in a block, and as one traced program outside of one.

Outside, `rnp.jit` fuses the operations of a function as a block would, and builds no graph after
the first call. May not know: what any function computes.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import rnp
import rnp._core as core

# Functions of NumPy that the engine does not have itself: `rnp` makes them when they are asked for.
breadth: Any = rnp


def graph(*static: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Let a composition run at once outside of blocks; `static` names what is no number."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        traced = core.jit(function, static=list(static))

        @functools.wraps(function)
        def run(*args: Any) -> Any:
            if core.is_lazy():
                return function(*args)
            return traced(*args)

        return run

    return decorate


def scalars(result: Any) -> Any:
    """Make NumPy scalars of 0-d arrays that were computed at once."""
    if core.is_lazy():
        return result
    return result[()]


def every(results: Sequence[Any]) -> tuple[Any, ...]:
    """`scalars` of each."""
    return tuple(scalars(result) for result in results)
