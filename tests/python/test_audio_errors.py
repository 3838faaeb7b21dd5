"""Bad input: an error that names the argument, what came, and what is accepted."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import rnp
from rnp import audio

X = np.ones(8)
FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "normalize_audio": audio.normalize_audio,
    "apply_gain": lambda x: audio.apply_gain(x, 0.5),
    "apply_fade": audio.apply_fade,
    "compute_audio_metrics": audio.compute_audio_metrics,
    "compute_rms": audio.compute_rms,
    "compute_peak": audio.compute_peak,
    "compute_mean": audio.compute_mean,
    "compute_median": audio.compute_median,
    "compute_percentile": lambda x: audio.compute_percentile(x, 50),
    "compute_min": audio.compute_min,
    "compute_sum": audio.compute_sum,
    "sqrt_vec": audio.sqrt_vec,
    "clip_vec": lambda x: audio.clip_vec(x, 0, 1),
    "measure": audio.measure,
    "resample_linear": lambda x: audio.resample_linear(x, 4),
    "resample_sinc": lambda x: audio.resample_sinc(x, 4),
    "resample": lambda x: audio.resample(x, 2, 1),
    "to_pcm": audio.to_pcm,
    "int16_to_float32": audio.int16_to_float32,
    "float32_to_int16": audio.float32_to_int16,
}
FIGURES = [name for name in FUNCTIONS if name not in {"apply_gain", "apply_fade", "compute_sum"}]
EMPTY = [n for n in FIGURES if not n.endswith(("_vec", "pcm", "int16", "float32"))]


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize(
    "bad", [np.array([1, None]), np.array(["a"]), np.array([1j]), np.array([True]), "text", None]
)
def test_what_is_no_real_number(name: str, bad: Any) -> None:
    with pytest.raises(TypeError, match=r"samples must be .*, not "):
        FUNCTIONS[name](bad)


@pytest.mark.parametrize("name", EMPTY)
@pytest.mark.parametrize("shape", [(0,), (2, 0)])
def test_no_samples(name: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(
        ValueError, match=re.escape(f"samples must not be empty; got shape {shape}")
    ):
        FUNCTIONS[name](np.zeros(shape))
    with (
        rnp.lazy(),
        pytest.raises(ValueError, match=re.escape(f"must not be empty; got shape {shape}")),
    ):
        FUNCTIONS[name](rnp.asarray(np.zeros(shape)))


@pytest.mark.parametrize("function", [audio.power_to_db, audio.amplitude_to_db])
def test_no_levels(function: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match=r"S must not be empty; got shape \(0,\)"):
        function(X[:0])
    assert function(X[:0], top_db=None).shape == (0,)


WRONG: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: audio.apply_fade(np.float64(1)), ValueError, "samples must have a time axis"),
    (lambda: audio.resample(1.0, 1, 2), ValueError, "samples must have a time axis"),
    (
        lambda: audio.measure(X, axis=1),
        IndexError,
        "axis 1 is out of bounds for samples with 1 axes",
    ),
    (lambda: audio.measure(X, axis=0.5), TypeError, "axis must be an integer, not float"),
    (lambda: audio.resample_linear(X, -1), ValueError, "target_length must be 0 or more, not -1"),
    (lambda: audio.resample_sinc(X, -1), ValueError, "target_length must be 0 or more, not -1"),
    (
        lambda: audio.resample_linear(X, 2.5),
        TypeError,
        "target_length must be an integer, not float",
    ),
    (
        lambda: audio.resample_sinc(X, 4, 9),
        ValueError,
        r"quality must be one of 8, 12, 16, 'best'; got 9",
    ),
    (lambda: audio.resample_sinc(X, 4, True), ValueError, "quality must be one of"),
    (
        lambda: audio.resample_audio(X, 4, "cubic"),
        ValueError,
        "method must be one of 'linear', 'sinc'",
    ),
    (lambda: audio.resample(X, 0, 1), ValueError, "from_rate must be above 0 and finite, not 0"),
    (lambda: audio.resample(X, 1, -2), ValueError, "to_rate must be above 0 and finite, not -2"),
    (lambda: audio.resample(X, 1, np.inf), ValueError, "to_rate must be above 0 and finite"),
    (lambda: audio.resample(X, 1, np.nan), ValueError, "to_rate must not be NaN"),
    (lambda: audio.resample(X, "a", 1), TypeError, "from_rate must be a number, not str"),
    (lambda: audio.resample(X, 1e-12, 1e12), ValueError, "to_rate must be within"),
    (lambda: audio.apply_fade(X, sample_rate=0), ValueError, "sample_rate must be above 0"),
    (lambda: audio.apply_fade(X, np.nan), ValueError, "fade_in_ms must not be NaN"),
    (lambda: audio.apply_fade(X, 0, np.inf), ValueError, "fade_out_ms must be finite"),
    (lambda: audio.apply_fade(X, curve="log"), ValueError, "curve must be one of 'linear', "),
    (lambda: audio.crossfade(X, X[None]), ValueError, r"first and second .* \(8,\) and \(1, 8\)"),
    (lambda: audio.crossfade(X, [None]), TypeError, "second must be real numbers"),
    (lambda: audio.crossfade(X, X, "x"), TypeError, "duration_ms must be a number, not str"),
    (lambda: audio.apply_gain(X, "loud"), TypeError, "gain must be real numbers"),
    (lambda: audio.normalize_audio(X, "loud"), TypeError, "gain must be real numbers"),
    (lambda: audio.from_pcm(np.zeros(2, np.int64)), ValueError, "encoding must be one of 'uint8'"),
    (
        lambda: audio.from_pcm(np.zeros(2, np.int16), "int24"),
        TypeError,
        "codes of int24 must be int32",
    ),
    (lambda: audio.from_pcm([0], "int16"), TypeError, "codes of int16 must be int16, not int64"),
    (
        lambda: audio.from_pcm(np.zeros(2, np.int16), scale=1),
        ValueError,
        "scale must be one of 32768",
    ),
    (
        lambda: audio.from_pcm(np.zeros(2, np.int16), dtype="int8"),
        ValueError,
        "dtype must be float32",
    ),
    (lambda: audio.to_pcm(X, "int12"), ValueError, "encoding must be one of"),
    (lambda: audio.to_pcm(X, object()), ValueError, "encoding must be one of"),
    (
        lambda: audio.to_pcm(np.zeros(2, np.int16)),
        TypeError,
        "samples must be floats .*, not int16",
    ),
    (
        lambda: audio.to_pcm(X, dither="rpdf"),
        ValueError,
        "dither must be one of 'tpdf'; got 'rpdf'",
    ),
    (lambda: audio.to_pcm(X, "float32", dither="tpdf"), ValueError, "dither is for integers"),
    (lambda: audio.to_pcm(X, dither="tpdf", seed=0.5), TypeError, "seed must be an integer"),
    (lambda: audio.read_pcm(b"abc"), ValueError, "whole frames of 1 times 2 bytes; got 3 bytes"),
    (lambda: audio.read_pcm(b"abcd", "int24"), ValueError, "whole frames of 1 times 3 bytes"),
    (lambda: audio.read_pcm(b"ab", channels=0), ValueError, "channels must be 1 or more"),
    (lambda: audio.read_pcm("text"), TypeError, "data must be bytes, not str"),
    (lambda: audio.int16_to_float32(X), TypeError, "samples must be int16, not float64"),
    (lambda: audio.amplitude_to_db(X, amin=0), ValueError, "amin must be above 0"),
    (
        lambda: audio.power_to_db(X, top_db=-1),
        ValueError,
        "top_db must be None, or 0 or more, not -1",
    ),
    (lambda: audio.power_to_db([None]), TypeError, "S must be real numbers"),
    (lambda: audio.power_to_db(X, ref="a"), TypeError, "ref must be a number, not str"),
    (lambda: audio.db_to_amplitude([None]), TypeError, "S_db must be real numbers"),
    (lambda: audio.dot_vec(X, X[None]), ValueError, r"a and b must be vectors; got shapes"),
    (lambda: audio.matmul_2d(X, X), ValueError, r"a and b must be matrices; got shapes"),
    (lambda: audio.transpose_2d(X), ValueError, r"a must be a matrix; got shape \(8,\)"),
    (lambda: audio.zeros_vec(-1), ValueError, "size must be 0 or more"),
    (lambda: audio.compute_percentile(X, 101), ValueError, "range"),
    (lambda: audio.measure(X, silence="x"), TypeError, "silence must be a number"),
]


@pytest.mark.parametrize(("call", "kind", "text"), WRONG)
def test_mistakes(call: Callable[[], Any], kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=text):
        call()
