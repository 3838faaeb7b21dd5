"""Real functions of audio packages give NumPy's results when rnp stands where they say `np`.

Each runs unmodified, on recordings, in each mode; value, dtype, shape, arguments left behind and
warnings are compared with what NumPy gave.
"""

from __future__ import annotations

import functools
from typing import Any

import loader
import numpy as np
import pytest
from catalogue import CASES, Case, Within
from modes import ENGINE, MODES, Forward, Outcome, call, eagerly, oracle

EXACT = Within("")


@functools.cache
def wanted(case: Case) -> Outcome:
    return oracle(case)


def differs(got: Any, want: Any, within: Within | None, *, eager: bool) -> str:
    """Say how a result differs from NumPy's, or nothing."""
    if isinstance(want, np.ndarray | np.generic):
        return values_differ(got, want, within or EXACT, eager=eager)
    if type(got) is not type(want):
        return f"type {type(got)}, wanted {type(want)}"
    if isinstance(want, dict):
        if got.keys() != want.keys():
            return f"keys {list(got)}, wanted {list(want)}"
        pairs = {str(key): (got[key], want[key]) for key in want}
    elif isinstance(want, list | tuple):
        if len(got) != len(want):
            return f"{len(got)} items, wanted {len(want)}"
        pairs = {str(i): pair for i, pair in enumerate(zip(got, want, strict=True))}
    elif isinstance(want, float):
        return values_differ(np.float64(got), np.float64(want), within or EXACT, eager=eager)
    else:
        return "" if got == want else f"got {got!r}, wanted {want!r}"
    found = {key: differs(g, w, within, eager=eager) for key, (g, w) in pairs.items()}
    return "; ".join(f"[{key}] {text}" for key, text in found.items() if text)


def values_differ(got: Any, want: Any, within: Within, *, eager: bool) -> str:
    """Compare arrays or NumPy's scalars."""
    if eager and type(got) is not type(want):
        return f"type {type(got)}, wanted {type(want)}"
    if not isinstance(got, np.ndarray | np.generic):
        return f"type {type(got)}, wanted a NumPy value"
    if got.dtype != want.dtype or got.shape != want.shape:
        return f"got {got.dtype}{got.shape}, wanted {want.dtype}{want.shape}"
    if np.array_equal(got, want, equal_nan=want.dtype.kind in "fc"):
        return ""
    return beyond(np.asarray(got), np.asarray(want), within)


def beyond(got: np.ndarray[Any, Any], want: np.ndarray[Any, Any], within: Within) -> str:
    """Say how far values are beyond what a case allows, or nothing."""
    if want.dtype.kind == "c":
        got, want = (np.stack([x.real, x.imag]) for x in (got, want))
    if want.dtype.kind not in "fiu":
        return f"{np.count_nonzero(got != want)} of {want.size} values differ"
    same = (got == want) | ((got != got) & (want != want))
    unlike = np.isfinite(got) != np.isfinite(want)
    if np.any(unlike & ~same):
        return f"{np.count_nonzero(unlike & ~same)} values are finite on one side only"
    largest = np.max(np.abs(want.astype(np.float64)), where=np.isfinite(want), initial=0.0)
    got, want = got[~same].astype(np.float64), want[~same].astype(np.float64)
    error = np.abs(got - want)
    if within.steps:
        share = error.size / same.size
        good = error.max() <= within.steps and share <= within.share
        return "" if good else f"by {error.max():g}, in a share of {share:.2g}"
    size = largest if within.peak else np.abs(want)
    unit = float(np.finfo(within.unit).eps) * np.maximum(size, np.finfo(within.unit).tiny)
    worst = float(np.max(error / unit))
    text = f"{error.size} of {same.size} differ, by {worst:.3g} ulp of {within.unit} at most"
    return "" if worst <= within.ulps else text


def compare(got: Outcome, want: Outcome, within: Within | None, *, eager: bool = False) -> str:
    """Compare all that a call leaves behind."""
    found = {
        "value": differs(got.value, want.value, within, eager=eager),
        "arguments": differs(got.arguments, want.arguments, None, eager=eager),
        "warnings": warnings_differ(got.warned, want.warned),
    }
    return "\n".join(f"{key}: {text}" for key, text in found.items() if text)


def warnings_differ(
    got: list[tuple[type[Warning], str]], want: list[tuple[type[Warning], str]]
) -> str:
    """Compare the function's own warnings; NumPy's about floating-point values need not come."""
    own = [w for w in want if not issubclass(w[0], RuntimeWarning)]
    extra = [w for w in got if w not in want]
    missing = [w for w in own if w not in got]
    return f"not NumPy's {extra}, missing {missing}" if extra or missing else ""


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)
def test_gives_what_numpy_gives(case: Case, mode: str) -> None:
    got = call(case, ENGINE, MODES[mode])
    found = compare(got, wanted(case), case.within, eager=mode == "eager")
    assert not found, found


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)
def test_numpy_is_reached_by_what_is_swapped(case: Case) -> None:
    forward = Forward()
    got = call(case, forward, eagerly)
    assert not compare(got, wanted(case), None, eager=True)
    # One multiplication needs no function.
    methods_alone = {
        "Gain",
        "PolarityInversion",
        "quantize",
        "volume_norm",
        "as in pocket-tts encode",
    }
    assert forward.asked or case.name in methods_alone


def test_every_number_is_there() -> None:
    assert {case.number for case in CASES} == set(range(1, 31))
    assert len({case.id for case in CASES}) == len(CASES)


@pytest.mark.parametrize("package", sorted({c.package for c in CASES} - {"own"}))
def test_modules_are_unmodified(package: str) -> None:
    for case in CASES:
        if case.package == package:
            loader.load(case.module)
    assert any(getattr(m, "__file__", None) for m in loader.modules(package))
    assert loader.changed(package) == []


def test_a_stand_in_cannot_be_used() -> None:
    torch = loader.load("whisper.audio").torch
    with pytest.raises(NotImplementedError, match="torch"):
        torch.is_tensor(1)


def test_numpy_is_put_back() -> None:
    module = loader.load("pyloudnorm.normalize")

    def fail() -> None:
        with loader.swapped("pyloudnorm", Forward()):
            assert module.np is not np
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert module.np is np


@pytest.mark.parametrize(
    ("got", "want", "within"),
    [
        (np.float32([1, 2]), np.float64([1, 2]), None),
        (np.ones((2, 1)), np.ones(2), None),
        (np.ones(2) + 1e-15, np.ones(2), None),
        (np.ones(2, np.float32) + np.float32(1e-5), np.ones(2, np.float32), Within("", ulps=4)),
        (np.float32([1.0, 1e-6]), np.float32([1.0, 0.0]), Within("", ulps=4, peak=True)),
        (np.array([np.nan, 1]), np.ones(2), Within("", ulps=1e9)),
        (np.array([2, 1]), np.ones(2, int), Within("", steps=1, share=0.1)),
        (np.array([3, 1]), np.ones(2, int), Within("", steps=1, share=0.9)),
        ({"a": 1}, {"b": 1}, None),
        ((1, 2), [1, 2], None),
        ([1.0], [1.0, 2.0], None),
        (b"a", b"b", None),
        (1, 1.0, None),
    ],
)
def test_the_comparison_sees(got: Any, want: Any, within: Within | None) -> None:
    assert differs(got, want, within, eager=False)
