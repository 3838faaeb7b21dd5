"""The port's functions against its NumPy fallback, on a real recording, in every mode."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import recordings
import rnp
from rnp import audio

sys.path.insert(0, str(recordings.ROOT / "tests"))
from bench import fallback


def eager(function: Callable[..., Any], *args: Any) -> Any:
    return function(*args)


def lazy(function: Callable[..., Any], *args: Any) -> Any:
    with rnp.lazy():
        out = function(*[rnp.asarray(a) if isinstance(a, np.ndarray) else a for a in args])
        if isinstance(out, dict):
            return dict(zip(out, rnp.eval(*out.values()), strict=True))
        assert isinstance(out, rnp.Array)
        return out.eval()


def traced(function: Callable[..., Any], *args: Any) -> Any:
    arrays = [a for a in args if isinstance(a, np.ndarray)]

    def call(*arrays: Any) -> Any:
        given = iter(arrays)
        return function(*[next(given) if isinstance(a, np.ndarray) else a for a in args])

    return rnp.jit(call)(*arrays)


MODES = pytest.mark.parametrize("mode", [eager, lazy, traced])
# Of the saxophone: all, a block, one sample, and what is strided or backwards.
TAKES: dict[str, Callable[[], Any]] = {
    "all": recordings.mono,
    "block": lambda: recordings.mono()[5000:5480],
    "one": lambda: recordings.mono()[5000:5001],
    "backwards": lambda: recordings.mono()[::-3],
    "channel": lambda: recordings.frames()[:, 1],
    "float64": lambda: recordings.mono()[:24_000].astype(np.float64),
}
TAKEN = pytest.mark.parametrize("take", TAKES)


def same(got: Any, want: Any) -> None:
    got, want = np.asarray(got), np.asarray(want)
    assert (got.dtype, got.shape) == (want.dtype, want.shape)
    np.testing.assert_array_equal(got, want)


@MODES
@TAKEN
def test_the_module_functions_have_the_bits_of_the_fallback(take: str, mode: Any) -> None:
    x = TAKES[take]()
    same(mode(audio.normalize_audio, x, 0.7), fallback.normalize_audio(x, 0.7))
    same(mode(audio.apply_gain, x, 0.3), fallback.apply_gain(x, 0.3))
    if len(x) >= 480:
        same(mode(audio.apply_fade, x), fallback.apply_fade(x))
        same(mode(audio.apply_fade, x, 3, 7.3, 16000), fallback.apply_fade(x, 3, 7.3, 16000))
    for length in (0, 1, 2, len(x), len(x) // 2 + 1):
        want = fallback.resample_linear(x, length)
        got = mode(audio.resample_audio, x, length)
        if x.dtype == np.float64:  # the port gave float32 of all
            want, got = want.astype(np.float64), np.asarray(got).astype(np.float32).astype(float)
        same(got, want)


@MODES
@TAKEN
def test_metrics(take: str, mode: Any) -> None:
    x = TAKES[take]()
    got = mode(audio.compute_audio_metrics, x)
    want = fallback.compute_audio_metrics(x.astype(np.float64))
    assert list(got) == ["rms", "peak", "dynamic_range_db"]
    same(got["peak"], fallback.compute_peak(x))
    tolerance = 3e-7 if x.dtype == np.float32 else 1e-13
    for name, value in want.items():
        assert np.asarray(got[name]).dtype == x.dtype
        np.testing.assert_allclose(got[name], value, rtol=tolerance, atol=tolerance)
    same(mode(audio.compute_peak, x), got["peak"])
    same(mode(audio.compute_rms, x), got["rms"])


def test_outside_of_blocks_figures_are_numpy_scalars() -> None:
    x = recordings.mono()
    for figure in audio.compute_audio_metrics(x).values():
        assert type(figure) is np.float32
    assert type(audio.compute_rms(x)) is type(audio.compute_peak(x)) is np.float32
    assert type(audio.compute_median(x)) is np.float32
    assert type(audio.normalize_audio(x)) is np.ndarray


@MODES
def test_silence_nan_and_infinity_are_as_numpy_has_them(mode: Any) -> None:
    silence = np.zeros(100, np.float32)
    same(mode(audio.normalize_audio, silence), silence)
    figures = mode(audio.compute_audio_metrics, silence)
    assert [float(v) for v in figures.values()] == [0.0, 0.0, -np.inf]
    broken = np.array([0.5, np.nan, -1.0], np.float32)
    same(mode(audio.normalize_audio, broken), broken)
    assert all(np.isnan(v) for v in mode(audio.compute_audio_metrics, broken).values())
    same(mode(audio.normalize_audio, np.array([np.inf, 1.0])), np.array([np.nan, 0.0]))


@MODES
def test_integers_do_not_wrap(mode: Any) -> None:
    x = np.array([30000, -30000, 5], np.int16)
    figures = mode(audio.compute_audio_metrics, x)
    np.testing.assert_allclose(float(figures["rms"]), np.sqrt(np.mean(x.astype(float) ** 2)))
    lowest = mode(audio.compute_audio_metrics, np.full(10, -32768, np.int16))
    assert (float(lowest["rms"]), float(lowest["peak"])) == (32768.0, 32768.0)
    same(mode(audio.normalize_audio, x), fallback.normalize_audio(x))
    same(mode(audio.apply_gain, x, 0.5), x * 0.5)
    same(mode(audio.apply_fade, np.full(4, 8, np.int16), 2, 0, 1000), np.array([0.0, 8, 8, 8]))


@MODES
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_channels(axis: int, mode: Any) -> None:
    x = recordings.frames() if axis == 0 else recordings.stereo()
    x = np.ascontiguousarray(x[:6000] if axis == 0 else x[:, :6000])
    channels = list(np.moveaxis(x, axis, -1))

    def each(function: Callable[..., Any]) -> Any:
        return np.stack([function(channel) for channel in channels], axis=-1 if axis == 0 else 0)

    def ours(function: Callable[..., Any], *args: Any) -> Any:
        return mode(lambda x: function(x, *args, axis=axis), x)

    same(ours(audio.normalize_audio), each(fallback.normalize_audio))
    same(mode(audio.normalize_audio, x), fallback.normalize_audio(x))
    same(ours(audio.apply_fade), each(fallback.apply_fade))
    same(ours(audio.resample_linear, 5000), each(lambda c: fallback.resample_linear(c, 5000)))
    same(ours(audio.compute_peak), each(fallback.compute_peak))
    for name in ("rms", "dynamic_range_db"):
        want = each(lambda c, n=name: fallback.compute_audio_metrics(c.astype(float))[n])
        np.testing.assert_allclose(ours(audio.compute_audio_metrics)[name], want, rtol=3e-7)
    gains = np.array([0.5, 2.0], np.float32)
    want = x * (gains if axis == 0 else gains[:, None])
    same(mode(lambda x, g: audio.apply_gain(x, g, axis=axis), x, gains), want)


def test_vector_functions_are_numpys() -> None:
    x = recordings.mono()[:24_000]
    high = np.abs(x) + np.float32(0.01)
    same(audio.compute_median(x), np.median(x))
    same(audio.compute_percentile(x, 40), np.percentile(x, 40))
    same(audio.compute_percentile(x, [5, 95]), np.percentile(x, [5, 95]))
    same(audio.compute_min(x), x.min())
    assert audio.min_vec is audio.compute_min
    for name in ("mean", "sum", "std", "var"):
        got = getattr(audio, f"compute_{name}")(x)
        assert got.dtype == np.float32
        np.testing.assert_allclose(got, getattr(np, name)(x.astype(float)), rtol=1e-6)
    same(audio.prod([8, 5, 4, 2]), np.prod([8, 5, 4, 2]))
    same(audio.sqrt_vec(high), np.sqrt(high))
    same(audio.clip_vec(x, -0.1, 0.1), np.clip(x, -0.1, 0.1))
    same(audio.clip_vec(x, None, 0.1), np.clip(x, None, 0.1))
    np.testing.assert_allclose(audio.log_vec(high), np.log(high), rtol=3e-7)
    np.testing.assert_allclose(audio.log10_vec(high), np.log10(high), rtol=3e-7)
    np.testing.assert_allclose(audio.power_vec(high, 1.5), np.power(high, 1.5), rtol=3e-7)
    a = np.arange(6.0).reshape(2, 3)
    same(audio.matmul_2d(a, a.T), a @ a.T)
    same(audio.dot_vec(a[0], a[1]), a[0] @ a[1])
    same(audio.transpose_2d(a), a.T)
    same(audio.reshape_vec(a, (3, -1)), a.reshape(3, 2))
    same(audio.zeros_vec(3), np.zeros(3, np.float32))
    same(audio.ones_vec(3), np.ones(3, np.float32))
    same(audio.linspace(0, 1, 5), np.linspace(0, 1, 5))
    same(audio.interp([0.5], [0, 1], [2.0, 4.0]), [3.0])
    same(audio.concatenate([x, x]), np.concatenate([x, x]))
    for name in ("arange", "array", "eye", "hstack", "vstack"):
        assert getattr(audio, name) is getattr(rnp, name)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        audio.nothing  # noqa: B018


@MODES
def test_vector_functions_of_channels(mode: Any) -> None:
    x = recordings.stereo()[:, :1000]
    for function, want in [
        (audio.compute_min, np.min),
        (audio.compute_median, np.median),
    ]:
        same(mode(lambda x, f=function: f(x, axis=1), x), want(x, axis=1))
    got = mode(lambda x: audio.compute_mean(x, axis=1), x)
    np.testing.assert_allclose(got, np.mean(x.astype(float), axis=1), rtol=1e-6)


def client(processor: Any, samples: Any) -> dict[str, Any]:
    """What code of the port does with its processor."""
    assert processor.is_available() in (True, False)
    y = processor.normalize(samples, 0.9)
    y = processor.apply_gain(y, 0.5)
    y = processor.apply_fade(y, 10, 20, sample_rate=48000)
    half = processor.resample_linear(y, len(y) // 2)
    return {
        "half": half,
        "sinc": processor.resample_sinc(y, len(y) // 2, quality=8),
        "rms": processor.compute_rms(half),
        "peak": processor.compute_peak(half),
    }


class Fallback:
    """The port's class without its library."""

    normalize = staticmethod(fallback.normalize_audio)
    apply_gain = staticmethod(fallback.apply_gain)
    apply_fade = staticmethod(fallback.apply_fade)
    resample_linear = staticmethod(fallback.resample_linear)
    compute_rms = staticmethod(fallback.compute_rms)
    compute_peak = staticmethod(fallback.compute_peak)

    def is_available(self) -> bool:
        return False

    def resample_sinc(self, samples: Any, target_length: int, quality: int = 8) -> Any:
        return fallback.resample_linear(samples, target_length)


def test_client_code_runs_on_the_processor_unchanged() -> None:
    assert audio.get_rust_processor() is audio.get_rust_processor()
    ours, theirs = audio.RustAudioProcessor("/nowhere/libaudio_ds.so"), Fallback()
    assert ours.is_available()
    x = recordings.mono()[:200_000]
    got, want = client(ours, x), client(theirs, x)
    same(got["half"], want["half"])
    same(got["peak"], want["peak"])
    np.testing.assert_allclose(got["rms"], want["rms"], rtol=1e-5)
    # There the fallback has no filter: what is in the band is alike.
    assert got["sinc"].shape == want["sinc"].shape
    assert abs(got["sinc"] - want["sinc"]).mean() < 0.1 * abs(want["sinc"]).mean()


def test_a_chain_of_functions_is_fused_with_what_is_around_it() -> None:
    with rnp.lazy():
        x = rnp.asarray(recordings.pcm()).astype("float32") / 32768.0
        y = audio.apply_fade(audio.apply_gain(audio.normalize_audio(x), 0.5), 10, 10, 48000)
        plan = rnp.plan(audio.float32_to_int16(y))
    # One for the peak, one for all up to the codes in each part of the fades.
    assert (plan.loops, plan.temporaries, plan.fallbacks) == (4, 0, [])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", [0, 1, 63, 65, 4097, 100_000])
def test_dot_products_are_right_and_the_same_everywhere(n: int, dtype: Any) -> None:
    rng = np.random.default_rng(n)
    a, b = rng.uniform(-1, 1, (2, n)).astype(dtype)
    got = audio.dot_vec(a, b)
    assert type(got) is dtype
    exact = math.fsum(x * y for x, y in zip(a.tolist(), b.tolist(), strict=True))
    # As near as NumPy's, whose order of additions is its library's own.
    near = np.finfo(dtype).eps * float(np.abs(a.astype(float) * b).sum())
    assert abs(float(got) - exact) <= near
    wide = np.stack([a, b], axis=1)
    with rnp.lazy():
        later = audio.dot_vec(rnp.asarray(a), b)
    for other in (
        later.eval(),
        rnp.jit(audio.dot_vec)(a, b),
        audio.dot_vec(wide[:, 0], wide[:, 1]),
    ):
        np.testing.assert_array_equal(other, got)


def test_dot_products_of_other_kinds_are_numpys() -> None:
    whole = np.arange(5)
    same(audio.dot_vec(whole, whole), np.dot(whole, whole))
    same(audio.dot_vec([1, 2], [0.5, 4]), np.dot([1, 2], [0.5, 4]))
    x = np.array([1.0, np.nan, np.inf])
    assert np.isnan(audio.dot_vec(x, x))
    assert audio.dot_vec(x[::2], x[::2]) == np.inf
    with pytest.raises(ValueError, match="one length"):
        audio.dot_vec(x, x[:2])


def test_a_traced_function_serves_every_length_and_gain() -> None:
    @rnp.jit
    def level(x: rnp.Array, gain: float) -> Any:
        return audio.normalize_audio(audio.apply_gain(x, 0.1), gain)

    x = recordings.mono()
    for n, gain in [(480, 1.0), (24_000, 0.5), (7, 2.0)]:
        want = fallback.normalize_audio(fallback.apply_gain(x[5000 : 5000 + n], 0.1), gain)
        same(level(x[5000 : 5000 + n], gain), want)
    assert level.traces == 1
