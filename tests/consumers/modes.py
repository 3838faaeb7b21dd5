"""Run a case: with NumPy for the oracle, and in each of the ways a program can have rnp for NumPy.

With the environment variable `RNP_CONSUMERS_NP=numpy` all of them run NumPy, reached through an
object that forwards to it. That proves the catalogue, the loader and the comparison without rnp.
"""

from __future__ import annotations

import copy
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
from catalogue import Case
from loader import load, swapped

if os.environ.get("RNP_CONSUMERS_NP") == "numpy":
    rnp = None
else:
    import rnp


class Forward:
    """NumPy under another name, which remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        self.asked.add(name)
        return getattr(np, name)


ENGINE: Any = rnp if rnp is not None else Forward()


@dataclass(frozen=True)
class Outcome:
    """What a call gave: its value, the arguments as it left them, the warnings by category."""

    value: Any
    arguments: list[Any]
    warned: list[tuple[type[Warning], str]]


def lazy() -> AbstractContextManager[Any]:
    """Open a block in which the engine is lazy."""
    return ENGINE.lazy() if rnp is not None else nullcontext()


def settled(value: Any) -> Any:
    """Return a result with all that is deferred in it computed."""
    if rnp is not None and isinstance(value, rnp.Array):
        return value.eval()
    if isinstance(value, dict):
        return {key: settled(v) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(settled(v) for v in value)
    return value


def wrapped(argument: Any) -> Any:
    """Return an argument as the engine's own array, if it is one."""
    return ENGINE.asarray(argument) if isinstance(argument, np.ndarray) else argument


@contextmanager
def eagerly() -> Iterator[Callable[[Any], Any]]:
    """Open no block."""
    yield lambda argument: argument


@contextmanager
def lazily_wrapped() -> Iterator[Callable[[Any], Any]]:
    """Open a block, and hand over the engine's own arrays."""
    with lazy():
        yield wrapped


@contextmanager
def lazily_plain() -> Iterator[Callable[[Any], Any]]:
    """Open a block, and hand over NumPy's arrays."""
    with lazy():
        yield lambda argument: argument


MODES = {"eager": eagerly, "lazy": lazily_wrapped, "lazy, NumPy's arrays": lazily_plain}


def oracle(case: Case) -> Outcome:
    """Call with NumPy."""
    return call(case, np, eagerly)


def call(
    case: Case, instead: Any, mode: Callable[[], AbstractContextManager[Callable[[Any], Any]]]
) -> Outcome:
    """Call a function whose package has `instead` for NumPy."""
    module, given = load(case.module), [copy.copy(a) for a in case.arguments()]
    with warnings.catch_warnings(record=True) as warned, swapped(case.package, instead):
        warnings.simplefilter("always")
        with mode() as hand_over:
            arguments = [hand_over(a) for a in given]
            value = settled(case.call(module, instead, *arguments))
            arguments = settled(arguments)
    return Outcome(value, arguments, [(w.category, str(w.message)) for w in warned])
