"""Meters and decibels: NumPy's figures of a real recording, per channel and overall."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import recordings
import rnp
from rnp import audio


def figures(x: Any, axis: int | None, clip: float, silence: float) -> dict[str, Any]:
    """What NumPy measures in float64."""
    wide = x.astype(np.float64)
    peak = np.max(np.abs(x), axis=axis)
    rms = np.sqrt(np.mean(wide * wide, axis=axis))
    return {
        "peak": peak,
        "rms": rms,
        "dc": np.mean(wide, axis=axis),
        "crest": peak / rms,
        "clipped": np.sum(np.abs(x) >= clip, axis=axis),
        "silent": np.mean(np.abs(x) <= silence, axis=axis),
    }


def crossings(x: Any) -> int:
    return int(np.count_nonzero(np.diff(x < 0)))


def agrees(got: audio.Meters, want: dict[str, Any]) -> None:
    for name, value in want.items():
        if name in ("peak", "clipped", "crossings"):
            np.testing.assert_array_equal(getattr(got, name), value, err_msg=name)
        else:
            np.testing.assert_allclose(
                getattr(got, name), value, rtol=1e-12, atol=1e-15, err_msg=name
            )


def measured(mode: str, x: Any, **keywords: Any) -> audio.Reading:
    if mode == "eager":
        return audio.measure(x, **keywords)
    if mode == "jit":
        return rnp.jit(lambda x: audio.measure(x, **keywords))(x)
    with rnp.lazy():
        reading = audio.measure(rnp.asarray(x), **keywords)
        values = rnp.eval(*reading.overall, *reading.channels)
    return audio.Reading(audio.Meters(*values[:7]), audio.Meters(*values[7:]))


@pytest.mark.parametrize("mode", ["eager", "lazy", "jit"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_mono(mode: str, dtype: str) -> None:
    x = recordings.mono().astype(dtype)
    reading = measured(mode, x, clip=0.9, silence=1e-3)
    want = {**figures(x, None, 0.9, 1e-3), "crossings": crossings(x)}
    assert want["clipped"] > 0
    agrees(reading.overall, want)
    agrees(reading.channels, want)


@pytest.mark.parametrize("mode", ["eager", "lazy", "jit"])
@pytest.mark.parametrize("axis", [0, 1])
def test_channels_and_overall(mode: str, axis: int) -> None:
    x = recordings.frames() if axis == 0 else recordings.stereo()
    reading = measured(mode, x, axis=axis)
    each = [crossings(line) for line in np.moveaxis(x, axis, -1)]
    agrees(reading.channels, {**figures(x, axis, 1.0, 0.0), "crossings": each})
    agrees(reading.overall, {**figures(x, None, 1.0, 0.0), "crossings": sum(each)})


def test_integers_are_read_at_full_scale() -> None:
    pcm = np.array([-32768, 32767, 32766, 0, -1], np.int16)
    reading = audio.measure(pcm)
    x = pcm.astype(np.float32) / 32768
    agrees(reading.overall, {**figures(x, None, 32767 / 32768, 0.0), "crossings": 2})
    assert reading.overall.clipped == 2
    assert audio.measure(np.array([0, 255, 128], np.uint8)).overall.clipped == 2
    assert audio.measure(np.array([0, -(2**31)], np.int32)).overall.peak == 1.0


def test_one_sample_silence_and_nan() -> None:
    one = audio.measure(np.array([-0.5])).overall
    assert one == (0.5, 0.5, -0.5, 1.0, 0, 0, 0.0)
    silence = audio.measure(np.zeros(10, np.float32)).overall
    assert silence[:3] == (0, 0, 0)
    assert np.isnan(silence.crest)
    assert silence[4:] == (0, 0, 1.0)
    # Negative zeros cross nothing.
    assert audio.measure(np.array([0.0, -0.0, 0.0])).overall.crossings == 0
    broken = audio.measure(np.array([0.0, np.nan, 2.0])).overall
    assert all(np.isnan(broken[:4]))
    assert broken[4:6] == (1, 0)
    assert type(one.rms) is np.float64


def test_all_meters_are_one_loop_over_the_samples() -> None:
    for x in (recordings.mono(), recordings.stereo()):
        with rnp.lazy():
            reading = audio.measure(rnp.asarray(x))
            plan = rnp.plan(*reading.overall, *reading.channels)
        assert plan.fallbacks == []
        # The samples are read as themselves and as their neighbours; all else is per channel.
        assert plan.bytes_moved < 2.1 * x.nbytes


LEVELS = [
    (lambda np, x: np.abs(x), {}),
    (lambda np, x: x * x, {"ref": 0.25, "top_db": 60.0}),
    (lambda np, x: np.abs(x), {"amin": 1e-3, "top_db": None}),
]


@pytest.mark.parametrize(("make", "keywords"), LEVELS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_decibels_go_there_and_back(make: Any, keywords: Any, dtype: str) -> None:
    x = make(np, recordings.mono()[::100].astype(dtype))
    for to, back, low in [
        (audio.amplitude_to_db, audio.db_to_amplitude, keywords.get("amin", 1e-5)),
        (audio.power_to_db, audio.db_to_power, keywords.get("amin", 1e-10)),
    ]:
        db = to(x, **keywords)
        assert db.dtype == x.dtype
        with rnp.lazy():
            again = to(rnp.asarray(x), **keywords)
        np.testing.assert_array_equal(again.eval(), db)
        span = keywords.get("top_db", 80.0)
        assert span is None or db.max() - db.min() <= span * (1 + 1e-6)
        loud = db > (db.max() - span if span else -np.inf) + 1e-3
        loud &= x > low
        assert loud.any()
        rtol = 1e-4 if dtype == "float32" else 1e-12
        np.testing.assert_allclose(back(db, keywords.get("ref", 1.0))[loud], x[loud], rtol=rtol)


def test_decibels_of_numbers() -> None:
    assert audio.amplitude_to_db(0.5) == pytest.approx(-6.0206, abs=1e-4)
    assert audio.db_to_amplitude(-6.0206) == pytest.approx(0.5, abs=1e-5)
    assert audio.amplitude_to_db(np.array([3 + 4j]), ref=5.0) == pytest.approx(0.0)
    with np.errstate(all="raise"):
        assert np.isnan(audio.power_to_db(np.array([np.nan, 1.0]), top_db=None)[0])
