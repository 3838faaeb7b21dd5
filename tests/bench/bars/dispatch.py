"""Bar 1: what a call costs at 64 samples, where little else does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import rnp

from bench import timing
from bench.bars import Line, at_least
from bench.works import Array, Job

N = 64
REDUCTIONS = ("sum", "prod", "min", "max", "any", "all", "argmin", "argmax", "mean", "var", "std")
OTHERS = ("where", "clip")
OUTSIDE = {
    "arccosh": 1.0,
    "acosh": 1.0,
}  # what is added to operands from 0.1 to 0.9 to be in the domain

X = np.random.default_rng(1).uniform(0.1, 0.9, N).astype(np.float32)


def natives() -> dict[str, str]:
    """Return NumPy's functions that have a kernel of rnp's: one name each, with its kind."""
    found = {}
    for name, kind in rnp.coverage().rows:
        if kind != "native" or "." in name:
            continue
        function = getattr(np, name)
        if isinstance(function, np.ufunc):
            found[function.__name__] = "elementwise"
        elif name in OTHERS:
            found[name] = "elementwise"
        elif name in REDUCTIONS:
            found[name] = "reduction"
    return found


def operands(name: str) -> tuple[Any, ...]:
    """Return arguments in a function's domain: float32, or int16 where it takes no floats."""
    if name == "clip":
        return X, 0.2, 0.8
    if name == "where":
        return X > 0.5, X, X
    function = getattr(np, name)
    count = function.nin if isinstance(function, np.ufunc) else 1
    x = X + np.float32(OUTSIDE.get(name, 0.0))
    small = (X * 7).astype(np.int16) + np.int16(1)
    if name == "ldexp":
        return x, small
    for given in ((x,) * count, (small,) * count):
        try:
            function(*given)
        except TypeError:
            continue
        return given
    raise TypeError(f"{name} takes neither float32 nor int16")


def calls(budget: float) -> dict[str, float]:
    """Return, per function, how many times as fast as NumPy's an eager call is."""
    ratios = {}
    for name in natives():
        given = operands(name)
        ours, theirs = getattr(rnp, name), getattr(np, name)
        jobs: dict[str, Job] = {
            "rnp": partial(ours, *given),
            "NumPy": partial(theirs, *given),
        }
        taken = timing.race(jobs, budget)
        ratios[name] = taken["NumPy"] / taken["rnp"]
    return ratios


def chain(xp: Any, ops: int) -> Callable[..., Any]:
    """Return a chain of 3 or 5 operations."""
    if ops == 3:
        return lambda x: xp.add(xp.multiply(xp.absolute(x), 1.5), 0.1)
    return lambda x: xp.maximum(xp.minimum(xp.add(xp.multiply(xp.absolute(x), 1.5), 0.1), 1.0), 0.2)


def chain_out(x: Array, ops: int) -> Job:
    """Return NumPy's best spelling of it."""
    y = np.empty_like(x)

    def run() -> Any:
        np.absolute(x, out=y)
        np.multiply(y, 1.5, out=y)
        np.add(y, 0.1, out=y)
        if ops == 5:
            np.minimum(y, 1.0, out=y)
            np.maximum(y, 0.2, out=y)
        return y

    return run


def blocks(ops: int, budget: float) -> timing.Seconds:
    """Time a chain: NumPy's calls, a block that is rebuilt on each call, a traced function."""
    ours, theirs, traced = chain(rnp, ops), chain(np, ops), rnp.jit(chain(rnp, ops))

    def lazy() -> Any:
        with rnp.lazy():
            return ours(X).eval()

    return timing.race(
        {
            "NumPy": lambda: theirs(X),
            "NumPy, out=": chain_out(X, ops),
            "lazy": lazy,
            "jit": lambda: traced(X),
        },
        budget,
    )


def lines(budget: float) -> Iterator[Line]:
    """Yield the bar's lines."""
    ratios = calls(budget / 5)
    kinds = natives()
    for kind in ("elementwise", "reduction"):
        of_kind = {name: r for name, r in ratios.items() if kinds[name] == kind}
        mean = float(np.exp(np.mean(np.log(list(of_kind.values())))))
        slow = sorted(of_kind.items(), key=lambda item: item[1])
        lost = [f"{name} {r:.2f}" for name, r in slow if r < 1]
        what = f"eager, {len(of_kind)} {kind} functions, geometric mean"
        yield at_least(1, what, 1.5, mean)
        note = f"{len(lost)} slower: {', '.join(lost[:8])}{' ...' if len(lost) > 8 else ''}"
        what = f"eager, {kind}, the slowest against NumPy"
        yield at_least(1, what, 1.0, slow[0][1], note=note if lost else slow[0][0])
    for ops, target in ((3, 3.0), (5, 4.0)):
        taken = blocks(ops, budget)
        best = min(taken["NumPy"], taken["NumPy, out="])
        note = f"against calls without out= {taken['NumPy'] / taken['lazy']:.2f}x"
        yield at_least(1, f"lazy, {ops} ops, rebuilt", target, best / taken["lazy"], note=note)


# -- the path of a call, by what it adds

Stage = tuple[str, float]  # what, microseconds


def stages(budget: float) -> list[Stage]:
    """Return what each step of the path from Python to the kernel costs, in microseconds.

    A step that cannot be called alone is the difference of two things that can.
    """
    traced = {n: rnp.jit(adds(n)) for n in (1, 33)}
    big = np.zeros(65_536, np.float32)

    def record(n: int, evaluate: bool) -> Job:
        run = adds(n)

        def job() -> Any:
            with rnp.lazy():
                y = run(rnp.asarray(X, copy=False))
                return y.eval() if evaluate else y

        return job

    def block() -> None:
        with rnp.lazy():
            pass

    def capture(copy: bool | None) -> Job:
        def job() -> Any:
            with rnp.lazy():
                return rnp.asarray(X, copy=copy)

        return job

    taken = timing.race(
        {
            "call": rnp.get_num_threads,
            "block": block,
            "promise": capture(False),
            "copy": capture(None),
            "record 1": record(1, False),
            "record 33": record(33, False),
            "eval 1": record(1, True),
            "eval 33": record(33, True),
            "jit 1": lambda: traced[1](X),
            "jit 33": lambda: traced[33](X),
            "jit 1, 65,536": lambda: traced[1](big),
            "eager": lambda: rnp.add(X, 0.5),
            "NumPy": lambda: np.add(X, 0.5),
        },
        budget * 4,
    )
    t = {name: seconds * 1e6 for name, seconds in taken.items()}
    node = (t["record 33"] - t["record 1"]) / 32
    per_op = (t["eval 33"] - t["eval 1"] - (t["record 33"] - t["record 1"])) / 32
    return [
        ("call from Python into the engine and back, nothing done", t["call"]),
        ("enter and leave a block", t["block"]),
        ("take in an array, promised not to change", t["promise"] - t["block"]),
        ("take in an array, copied", t["copy"] - t["block"]),
        ("record an operation: call, argument check, node", node),
        (
            "evaluate a known graph: walk, hash, look up, allocate, launch",
            t["eval 1"] - t["record 1"],
        ),
        ("the same, for each further operation in it, its arithmetic included", per_op),
        ("traced function of one operation: guards, look up, allocate, launch", t["jit 1"]),
        ("the same, for each further operation in it", (t["jit 33"] - t["jit 1"]) / 32),
        ("its arithmetic, for each 64 samples", (t["jit 1, 65,536"] - t["jit 1"]) / 1023),
        ("eager call of one operation, all of the above", t["eager"]),
        ("NumPy's call, for comparison", t["NumPy"]),
    ]


def adds(n: int) -> Callable[..., Any]:
    """Return a chain of n additions."""

    def run(x: Any) -> Any:
        for _ in range(n):
            x = rnp.add(x, 0.5)
        return x

    return run
