"""NumExpr: compiled objects, constants as float32, so that nothing is widened."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numexpr as ne
import numpy as np

from bench.works import FLOOR, SIDES, Inputs, Job, Work

Constants = dict[str, float]


def within(text: str) -> str:
    """Return an expression, clipped: NumExpr's own minimum and maximum compute in float64."""
    return f"where({text} > high, high, where({text} < low, low, {text}))"


LIMITS: Constants = {"high": 32767.0, "low": -32768.0}

# The expression over x (a and b for two inputs), its constants, the dtype if it is not the input's.
ONE: dict[str, tuple[str, Constants, Any]] = {
    "gain": ("x * k", {"k": 0.5}, None),
    "gain, float64": ("x * k", {"k": 0.5}, None),
    "mix": ("a * k + b * l", {"k": 0.7, "l": 0.3}, None),
    "decode int16": ("x * k", {"k": 1 / 32768}, np.float32),
    "encode int16": (within("round(x * k)"), {"k": 32768.0, **LIMITS}, np.int16),
    "decode, gain, encode": (within("round(x * k)"), {"k": 1.7, **LIMITS}, np.int16),
    "abs, gain, add, clip": (
        within("(abs(x) * k + l)"),
        {"k": 1.5, "l": 0.1, "high": 1.0, "low": 0.2},
        None,
    ),
    "dB": ("log10(where(abs(x) > e, abs(x), e)) * k", {"e": FLOOR, "k": 20.0}, None),
    "dB, float64": ("log10(where(abs(x) > e, abs(x), e)) * k", {"e": FLOOR, "k": 20.0}, None),
    "mu-law": (
        "where(x < z, -k, k) * log1p(abs(x) * m)",
        {"z": 0.0, "k": 1 / np.log1p(255), "m": 255.0},
        None,
    ),
    "tanh soft clip": ("tanh(x * k) * l", {"k": 3.0, "l": 0.8}, None),
    "sine": ("sin(x)", {}, None),
    "exp sin log, float64": ("exp(sin(log(x)))", {}, None),
}


def numexpr(work: Work, inputs: Inputs) -> Job | None:
    """Evaluate by NumExpr."""
    named = dict(zip("ab" if len(inputs) == 2 else "x", inputs, strict=True))
    if work.name in ONE:
        text, constants, dtype = ONE[work.name]
        return once(text, named, constants, dtype)
    return several(work.name, inputs[0])


def compiled(text: str, values: dict[str, Any]) -> Callable[..., Any]:
    """Return an expression as NumExpr's own compiled object: its least dispatch."""
    kind = ne.necompiler.getType
    signature = [(name, kind(np.asarray(value))) for name, value in values.items()]
    return partial(ne.NumExpr(text, signature=signature), casting="unsafe", ex_uses_vml=False)


def once(text: str, named: dict[str, Any], constants: Constants, dtype: Any) -> Job:
    """Return the evaluation of one string into a kept result."""
    one = next(iter(named.values()))
    scalar = np.float64 if one.dtype == np.float64 else np.float32
    values = named | {name: scalar(value) for name, value in constants.items()}
    out = np.empty(one.shape, dtype or one.dtype)
    return partial(compiled(text, values), *values.values(), out=out)


def several(name: str, x: Any) -> Job | None:
    """Return a work of more than one evaluation: reductions stand alone."""
    scaled = compiled("x * k", {"x": x, "k": np.float32(1)})
    if name == "normalize":
        peak, y = compiled("max(abs(x))", {"x": x}), np.empty_like(x)
        return lambda: scaled(x, np.float32(0.99 / peak(x)), out=y)
    if name in ("RMS", "RMS, float64"):
        squares = compiled("sum(x * x)", {"x": x})
        return lambda: np.sqrt(squares(x) / x.size)
    if name == "pan":
        y = np.empty((len(x), 2), np.float32)

        def pan() -> Any:
            for side, k in enumerate(SIDES):
                scaled(x, k, out=y[:, side])
            return y

        return pan
    return None


PEERS = {"NumExpr": numexpr}
