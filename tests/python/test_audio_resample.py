"""Resampling: measured against tones that are known, and against SciPy's by the same filter."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import recordings
import rnp
import scipy.signal
from process import child
from rnp import audio

# Stop band in dB, and the part of the slower Nyquist frequency that is flat and free of aliases.
SPECS: dict[Any, tuple[float, float]] = {
    8: (60, 0.77),
    12: (70, 0.82),
    16: (80, 0.84),
    "best": (140, 0.91),
}
QUALITIES = pytest.mark.parametrize("quality", SPECS)


def tone(frequency: float, rate: float, n: int) -> Any:
    return np.cos(2 * np.pi * frequency * np.arange(n) / rate)


def level(x: Any) -> float:
    """RMS in dB, of a sine at full scale."""
    return float(10 * np.log10(2 * np.mean(np.square(x)) + 1e-300))


def steady(x: Any) -> Any:
    """Leave the ends away, where the filter meets the silence around the signal."""
    return x[len(x) // 4 : -len(x) // 4]


@QUALITIES
@pytest.mark.parametrize(("old", "new"), [(48_000, 44_100), (16_000, 48_000), (44_100, 44_101.5)])
def test_tones_of_the_pass_band_come_out_as_they_are(quality: Any, old: float, new: float) -> None:
    stop, flat = SPECS[quality]
    for part in (0.01, 0.5, flat):
        frequency = part * min(old, new) / 2
        y = audio.resample(tone(frequency, old, 12_000), old, new, quality=quality)
        assert len(y) == int(np.ceil(12_000 * new / old))
        error = steady(y - tone(frequency, new, len(y)))
        assert level(error) < -stop + 3, (part, level(error))


@QUALITIES
@pytest.mark.parametrize(("old", "new"), [(48_000, 16_000), (48_000, 44_100), (48_000, 31_415.9)])
def test_what_would_alias_into_the_pass_band_is_gone(quality: Any, old: float, new: float) -> None:
    stop, flat = SPECS[quality]
    for part in (2 - flat, 2.2 - flat):
        frequency = part * new / 2
        if frequency < old / 2:
            y = audio.resample(tone(frequency, old, 12_000), old, new, quality=quality)
            assert level(steady(y)) < -stop + 3, (part, level(steady(y)))


@QUALITIES
def test_float32_is_as_good_as_float32_can_be(quality: Any) -> None:
    x = tone(997, 48_000, 12_000)
    wide = audio.resample(x, 48_000, 44_100, quality=quality)
    narrow = audio.resample(x.astype(np.float32), 48_000, 44_100, quality=quality)
    assert (wide.dtype, narrow.dtype) == (np.float64, np.float32)
    assert level(wide - narrow) < -135


def test_the_best_one_agrees_with_a_filter_of_scipy_s() -> None:
    x = recordings.mono()[100_000:120_000].astype(np.float64)
    up, down, half = 147, 160, 112
    width = 2 * half * max(up, down)
    beta = scipy.signal.kaiser_beta(140)
    cutoff = 1 - (140 - 7.95) / (2.285 * 2 * half) / (2 * np.pi)
    low_pass = scipy.signal.firwin(width + 1, cutoff / max(up, down), window=("kaiser", beta))
    want = scipy.signal.resample_poly(x, up, down, window=low_pass)
    got = audio.resample(x, 48_000, 44_100, quality="best")
    assert got.shape == want.shape
    assert level(got - want) < -125


@pytest.mark.parametrize("mode", ["eager", "lazy", "jit"])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int16"])
def test_any_axis_mode_and_dtype(mode: str, dtype: str) -> None:
    x = (recordings.frames()[:3000] * 8000).astype(dtype)
    wanted = {"float16": np.float32, "int16": np.float64}.get(dtype, np.dtype(dtype))
    for axis, y in [(0, x), (-1, x.T), (1, x.T[None].swapaxes(1, 2))]:

        def convert(y: Any, axis: int = axis) -> Any:
            return audio.resample_sinc(y, 1111, 16, axis=axis)

        if mode == "eager":
            got = convert(y)
        elif mode == "jit":
            got = rnp.jit(convert)(y)
        else:
            with rnp.lazy():
                got = convert(rnp.asarray(y)).eval()
        assert got.dtype == wanted
        lines = np.moveaxis(got, axis, -1).reshape(2, 1111)
        for line, channel in zip(lines, x.T.astype(wanted), strict=True):
            np.testing.assert_array_equal(line, audio.resample_sinc(channel.copy(), 1111, 16))


def test_target_lengths_are_ratios() -> None:
    x = recordings.mono()[50_000:54_410]
    np.testing.assert_array_equal(
        audio.resample_sinc(x, 4800, "best"), audio.resample(x, 44_100, 48_000, quality="best")
    )
    np.testing.assert_array_equal(
        audio.resample_audio(x, 4800, "sinc", quality=12), audio.resample_sinc(x, 4800, 12)
    )
    assert audio.resample_sinc(x, 0).shape == (0,)
    np.testing.assert_allclose(audio.resample_sinc(x, len(x)), x, atol=1e-7)
    # A constant stays one, but for the ends.
    ones = audio.resample(np.ones(5000, np.float32), 3, 7)
    np.testing.assert_allclose(steady(ones), 1.0, rtol=1e-6)
    assert audio.resample(np.ones(1), 1, 1000).shape == (1000,)
    assert audio.resample(np.ones(100_000), 100_000, 1).shape == (1,)
    assert audio.resample(np.ones(100), 44_100.1, 48_000.3).shape == (109,)


def test_one_trace_serves_all_lengths() -> None:
    @rnp.jit
    def convert(x: rnp.Array, gain: float) -> Any:
        return audio.resample(x * gain, 48_000, 44_100, quality=8)

    for n in (480, 4800, 1):
        x = recordings.mono()[60_000 : 60_000 + n]
        want = audio.resample(x * np.float32(0.5), 48_000, 44_100, quality=8)
        np.testing.assert_array_equal(convert(x, 0.5), want)
    assert convert.traces == 1


def test_linear_stores_no_grid_and_fuses() -> None:
    with rnp.lazy():
        y = audio.resample_linear(rnp.asarray(recordings.mono()), 100_000) * 0.5
        plan = rnp.plan(y)
    # Neither the grids nor the samples as float64, in which `interp` computes.
    assert (plan.loops, plan.temporaries, plan.fallbacks) == (1, 0, [])
    assert plan.bytes_moved < recordings.mono().nbytes + 900_000


def test_the_same_bits_for_any_number_of_threads() -> None:
    x = recordings.frames()[:60_000]
    before, taken = rnp.get_num_threads(), []
    for threads in (1, 2, 5):
        rnp.set_num_threads(threads)
        taken.append(audio.resample(x, 48_000, 44_100, axis=0))
    rnp.set_num_threads(before)
    assert all(np.array_equal(taken[0], other) for other in taken[1:])


def test_nan_spreads_over_the_filter_alone() -> None:
    x = np.ones(2000)
    x[1000] = np.nan
    y = audio.resample(x, 2, 1, quality=8)
    broken = np.flatnonzero(np.isnan(y))
    assert 492 <= broken.min() <= broken.max() <= 508


@pytest.mark.parametrize("threads", [1, 2])
def test_ctrl_c_in_a_long_call(threads: int) -> None:
    done = child(f"""
        from rnp import audio
        rnp.set_num_threads({threads})
        x = np.ones(30_000_000)
        audio.resample(x[:1000], 44100, 48000, quality="best")
        start = []
        def interrupt():
            time.sleep(0.2)
            start.append(time.perf_counter())
            os.kill(os.getpid(), signal.SIGINT)
        threading.Thread(target=interrupt).start()
        try:
            audio.resample(x, 44100, 48000, quality="best")
        except KeyboardInterrupt:
            print(time.perf_counter() - start[0])
        else:
            print("was not interrupted")
    """)
    assert float(done.stdout) < 1
