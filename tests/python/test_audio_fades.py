"""Fades and crossfades by their formulas; the linear one is the port's, in `test_audio_port.py`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import recordings
import rnp
from rnp import audio

SHAPES: dict[str, Any] = {
    "linear": lambda t: t,
    "equal-power": lambda t: np.sin(t * np.pi / 2),
    "cosine": lambda t: (1 - np.cos(np.pi * t)) / 2,
    "exponential": lambda t: (1000.0**t - 1) / 999,
}
CURVES = pytest.mark.parametrize("curve", SHAPES)


def test_these_are_all_curves() -> None:
    assert set(audio.CURVES) == set(SHAPES)


@CURVES
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_fades_follow_the_curve(curve: str, dtype: str) -> None:
    x = recordings.mono()[80_000:82_000].astype(dtype)
    got = audio.apply_fade(x, 10, 20, 48_000, curve=curve)
    want = x.astype(np.float64)
    want[:480] *= SHAPES[curve](np.linspace(0, 1, 480))
    want[-960:] *= SHAPES[curve](np.linspace(1, 0, 960))
    assert got.dtype == x.dtype
    assert got[0] == got[-1] == 0.0
    np.testing.assert_allclose(got, want, rtol=0, atol=float(np.finfo(dtype).eps))
    np.testing.assert_array_equal(got[480:-960], x[480:-960])
    with rnp.lazy():
        later = audio.apply_fade(rnp.asarray(x), 10, 20, 48_000, curve=curve)
        plan = rnp.plan(later)
    # The heads are multiplied and the rest is copied, each straight to its place in the result.
    assert (plan.loops, plan.temporaries) == (3, 0)
    np.testing.assert_array_equal(later.eval(), got)


def test_a_fade_fuses_with_what_is_around_it() -> None:
    pcm = recordings.pcm()[80_000:82_000]
    want = pcm.astype(np.float32) / np.float32(32768)
    want[:480] *= np.linspace(0, 1, 480)
    want[-960:] *= np.linspace(1, 0, 960)
    with rnp.lazy():
        x = audio.from_pcm(rnp.asarray(pcm))
        got = audio.to_pcm(audio.apply_fade(x, 10, 20, 48_000))
        plan = rnp.plan(got)
    # Decoding, fading and encoding are one loop for each end and one between them.
    assert (plan.loops, plan.temporaries) == (3, 0)
    np.testing.assert_array_equal(got.eval(), np.rint(want * np.float32(32768)).astype("i2"))


@CURVES
@pytest.mark.parametrize("lazy", [False, True])
def test_a_fade_longer_than_the_signal_is_shortened(curve: str, lazy: bool) -> None:
    x = np.ones(100)
    if lazy:
        with rnp.lazy():
            got = audio.apply_fade(rnp.asarray(x), 1e6, 0, curve=curve).eval()
            both = audio.apply_fade(rnp.asarray(x), 1e6, 1e6, curve=curve).eval()
    else:
        got = audio.apply_fade(x, 1e6, 0, curve=curve)
        both = audio.apply_fade(x, 1e6, 1e6, curve=curve)
    t = np.linspace(0, 1, 100)
    np.testing.assert_allclose(got, SHAPES[curve](t), atol=1e-15)
    np.testing.assert_allclose(both, SHAPES[curve](t) * SHAPES[curve](t[::-1]), atol=1e-15)
    assert audio.apply_fade(np.ones(0), 10, 10).shape == (0,)
    np.testing.assert_array_equal(audio.apply_fade(x, -5, 0), x)
    assert audio.apply_fade(x, 0, 0) is not x


@CURVES
@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("lazy", [False, True])
def test_crossfades(curve: str, axis: int, lazy: bool) -> None:
    x = recordings.frames()[:3000] if axis == 0 else recordings.stereo()[:, :3000]
    a, b = np.split(x, [1000], axis=axis)
    if lazy:
        with rnp.lazy():
            got = audio.crossfade(rnp.asarray(a), rnp.asarray(b), 5, 48_000, curve=curve, axis=axis)
            got = got.eval()
    else:
        got = audio.crossfade(a, b, 5, 48_000, curve=curve, axis=axis)
    a, b, got = (np.moveaxis(y, axis, -1) for y in (a, b, got))
    assert got.shape == (2, 3000 - 240)
    assert got.dtype == np.float32
    np.testing.assert_array_equal(got[:, :760], a[:, :760])
    np.testing.assert_array_equal(got[:, 1000:], b[:, 240:])
    t = np.linspace(0, 1, 240)
    middle = a[:, 760:] * SHAPES[curve](t[::-1]) + b[:, :240] * SHAPES[curve](t)
    np.testing.assert_allclose(got[:, 760:1000], middle, atol=1e-7)


def test_crossfades_keep_what_they_promise() -> None:
    ones = np.ones(1000)
    for curve in ("linear", "cosine"):
        np.testing.assert_allclose(audio.crossfade(ones, ones, 10, curve=curve), 1.0, rtol=1e-15)
    t = np.linspace(0, 1, 100)
    power = SHAPES["equal-power"](t) ** 2 + SHAPES["equal-power"](t[::-1]) ** 2
    np.testing.assert_allclose(power, 1.0)
    # Longer than a take: as much as there is.
    assert audio.crossfade(np.ones(5), np.ones(9), 1e9).shape == (9,)
    np.testing.assert_array_equal(audio.crossfade(np.ones(2), np.ones(2), 0), np.ones(4))
    mixed = audio.crossfade(np.ones(5, np.float32), np.ones(9), 1)
    assert mixed.dtype == np.float64


def test_no_fade_is_a_copy() -> None:
    for n in (4, 480):
        x = np.ones(n, "f4")
        with rnp.lazy():
            lazy = rnp.asarray(x)
            faded = audio.apply_fade(lazy, 0, 0)
            faded *= 0
        at_once = audio.apply_fade(x, 0, 0)
        at_once[:] = 0
        assert lazy.eval().all()
        assert x.all()
