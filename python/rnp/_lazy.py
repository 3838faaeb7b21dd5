"""What `@rnp.lazy()` makes of a function: each call runs in a block of its own."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar, cast

from rnp._core import lazy

_F = TypeVar("_F", bound=Callable[..., Any])


def decorate(function: _F) -> _F:
    """Wrap a function or a coroutine function; generators are refused.

    The body of a generator runs in its consumer's context, where a block would be left open.
    """
    if not callable(function):
        raise TypeError(f"rnp.lazy() decorates functions, not {type(function).__name__}")
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise TypeError("rnp.lazy() does not decorate generators; use it in the body, by `with`")
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def run_later(*args: Any, **keywords: Any) -> Any:
            with lazy():
                return await function(*args, **keywords)

        return cast(_F, run_later)

    @functools.wraps(function)
    def run(*args: Any, **keywords: Any) -> Any:
        with lazy():
            return function(*args, **keywords)

    return cast(_F, run)
