"""Who computes: NumPy in its spellings, and rnp in its forms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import rnp

from bench.works import Inputs, Job, Work

Form = Callable[[Work, Inputs], Job]


def eager(work: Work, inputs: Inputs) -> Job:
    """Each call computes at once, and returns NumPy's arrays."""
    run = work.expression(rnp)
    return lambda: run(*inputs)


def lazy(work: Work, inputs: Inputs) -> Job:
    """A block that is rebuilt on each call; its inputs are copied."""
    run = work.expression(rnp)

    def job() -> Any:
        with rnp.lazy():
            return settled(run(*[rnp.asarray(x) for x in inputs]))

    return job


def promised(work: Work, inputs: Inputs) -> Job:
    """The same with `asarray(copy=False)`, the caller's promise not to write."""
    run = work.expression(rnp)

    def job() -> Any:
        with rnp.lazy():
            return settled(run(*[rnp.asarray(x, copy=False) for x in inputs]))

    return job


def jit(work: Work, inputs: Inputs) -> Job:
    """A function traced once."""
    run = rnp.jit(work.expression(rnp))
    return lambda: run(*inputs)


def settled(result: Any) -> Any:
    """Return a result with all that is deferred in it computed."""
    if isinstance(result, tuple):
        return rnp.eval(*result)
    return result.eval() if isinstance(result, rnp.Array) else result


FORMS: dict[str, Form] = {"eager": eager, "lazy": lazy, "lazy, no copy": promised, "jit": jit}


def numpy_spellings(work: Work, inputs: Inputs) -> dict[str, Job]:
    """Return NumPy's calls: as most people write it, then the experts'."""
    run = work.expression(np)
    jobs: dict[str, Job] = {"NumPy": lambda: run(*inputs)}
    for expert in work.experts:
        jobs[f"NumPy, {expert.__name__}"] = expert(*inputs)
    return jobs


def distance(result: Any, wanted: Any) -> float:
    """Return how far a result is from NumPy's, as a share of NumPy's largest magnitude."""
    if isinstance(wanted, tuple):
        return max(distance(r, w) for r, w in zip(result, wanted, strict=True))
    result, wanted = np.asarray(result), np.asarray(wanted)
    if result.shape != wanted.shape:
        raise AssertionError(f"shape {result.shape} where NumPy's is {wanted.shape}")
    off = np.max(np.abs(result.astype(np.float64) - wanted), initial=0.0)
    return float(off / max(np.max(np.abs(wanted.astype(np.float64)), initial=0.0), 1e-30))


def check(name: str, job: Job, wanted: Any, near: float) -> None:
    """Raise unless a job's result is NumPy's, up to a share of NumPy's largest magnitude."""
    off = distance(job(), wanted)
    if not off <= near:
        raise AssertionError(f"{name}: off NumPy's by {off:.3g}, of {near:.3g}")
