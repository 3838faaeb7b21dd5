"""PCM in every encoding: NumPy's formulas, round trips, saturation, NaN, dither, one loop."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import recordings
import rnp
import soundfile
from rnp import audio

SUBTYPES = {
    "uint8": "PCM_U8",
    "int16": "PCM_16",
    "int24": "PCM_24",
    "int32": "PCM_32",
    "float32": "FLOAT",
    "float64": "DOUBLE",
}
INTEGERS = {"uint8": 8, "int16": 16, "int24": 24, "int32": 32}
SCALES = (32768, 32767)


def codes(name: str) -> Any:
    """The saxophone as codes of all widths, with the extremes in front."""
    bits = INTEGERS[name]
    top = 2 ** (bits - 1)
    x = recordings.pcm()[::7].astype(np.int64) * 2 ** max(bits - 16, 0) >> max(16 - bits, 0)
    x = np.concatenate(
        [[-top, top - 1, -1, 0, 1, 1 - top, top - 2], x + (x % 251 if bits > 16 else 0)]
    )
    x = np.clip(x, -top, top - 1)
    return (x + 128).astype(np.uint8) if bits == 8 else x.astype("int16" if bits == 16 else "int32")


def packed(x: Any) -> bytes:
    """The low three bytes of little-endian words."""
    return x.astype("<i4").view(np.uint8).reshape(-1, 4)[:, :3].tobytes()


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("name", INTEGERS)
def test_what_is_read_and_written_back_has_its_own_bits(name: str, scale: int) -> None:
    x = codes(name)
    full = 2.0 ** (INTEGERS[name] - 1) - (scale == 32767)
    y = audio.from_pcm(x, name, scale=scale)
    want = (x.astype(np.float64) - (128 if name == "uint8" else 0)) / full
    np.testing.assert_array_equal(y, want.astype(y.dtype))
    back = audio.to_pcm(y, name, scale=scale)
    assert back.dtype == x.dtype
    np.testing.assert_array_equal(back, x)
    raw = packed(x) if name == "int24" else x.tobytes()
    np.testing.assert_array_equal(audio.read_pcm(raw, name, scale=scale), y)
    assert audio.write_pcm(y, name, scale=scale) == raw
    with rnp.lazy():
        again = audio.to_pcm(audio.from_pcm(rnp.asarray(x), name, scale=scale), name, scale=scale)
        read = audio.read_pcm(raw, name, scale=scale)
        written = audio.write_pcm(rnp.asarray(y), name, scale=scale)
    np.testing.assert_array_equal(again.eval(), x)
    np.testing.assert_array_equal(read.eval(), y)
    assert written.eval().tobytes() == raw


def test_every_code_of_16_bits_and_every_fourth_thousandth_of_24() -> None:
    for scale in SCALES:
        x = np.arange(-(2**15), 2**15).astype(np.int16)
        np.testing.assert_array_equal(audio.to_pcm(audio.from_pcm(x, scale=scale), scale=scale), x)
        x = np.arange(-(2**23), 2**23, 41).astype(np.int32)
        y = audio.from_pcm(x, "int24", scale=scale)
        np.testing.assert_array_equal(audio.to_pcm(y, "int24", scale=scale), x)


@pytest.mark.parametrize("name", SUBTYPES)
def test_files_that_libsndfile_writes_are_read_as_it_reads_them(name: str) -> None:
    x = recordings.frames()[50_000:60_000].astype(np.float64)
    file = io.BytesIO()
    soundfile.write(file, x, 48_000, subtype=SUBTYPES[name], format="RAW", endian="LITTLE")
    raw = file.getvalue()
    file.seek(0)
    want, _ = soundfile.read(
        file,
        dtype="float64",
        samplerate=48_000,
        channels=2,
        subtype=SUBTYPES[name],
        format="RAW",
        endian="LITTLE",
    )
    got = audio.read_pcm(raw, name, channels=2)
    assert got.shape == want.shape
    np.testing.assert_array_equal(got, want.astype(got.dtype))
    assert audio.write_pcm(got, name) == raw


def test_floats_pass() -> None:
    x = np.array([1.5, -2.0, np.nan, np.inf])
    for dtype in (np.float32, np.float64):
        for function in (audio.from_pcm, lambda x: audio.to_pcm(x, x.dtype)):
            y = function(x.astype(dtype))
            assert y.dtype == dtype
            np.testing.assert_array_equal(y, x)
    assert audio.from_pcm(x, dtype="float32").dtype == np.float32


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("name", INTEGERS)
def test_codes_saturate_and_round_to_even(name: str, dtype: str) -> None:
    top = 2 ** (INTEGERS[name] - 1)
    offset = 128 if name == "uint8" else 0
    x = np.array([-np.inf, -3.0, -1.0, 1.0, 1.5, np.inf], dtype)
    want = np.array([-top, -top, -top, top - 1, top - 1, top - 1], np.int64) + offset
    np.testing.assert_array_equal(audio.to_pcm(x, name), want)
    halves = np.array([0.5, 1.5, 2.5, -0.5, -1.5]) / top
    if dtype != "float16":
        got = audio.to_pcm(halves.astype(dtype), name).astype(np.int64) - offset
        np.testing.assert_array_equal(got, [0, 2, 2, 0, -2])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", INTEGERS)
def test_nan_becomes_silence_with_a_warning(name: str, dtype: str) -> None:
    x = np.array([0.25, np.nan, -0.25], dtype)
    silence = 128 if name == "uint8" else 0
    with pytest.warns(RuntimeWarning, match="NaN"):
        got = audio.to_pcm(x, name)
    assert (got[1], got[0] > got[1] > got[2]) == (silence, True)
    with pytest.warns(RuntimeWarning, match="NaN"):
        audio.write_pcm(x, name)
    with rnp.lazy():  # no values to warn of
        later = audio.to_pcm(rnp.asarray(x), name)
    np.testing.assert_array_equal(later.eval(), got)


def test_a_chain_from_int16_to_int16_is_one_loop() -> None:
    with rnp.lazy():
        x = audio.from_pcm(rnp.asarray(recordings.pcm()))
        y = audio.to_pcm(audio.apply_gain(x, 0.5))
        plan = rnp.plan(y)
        dithered = rnp.plan(audio.to_pcm(x * 0.5, dither="tpdf", seed=3))
        wide = rnp.plan(audio.to_pcm(audio.read_pcm(b"\0\1\2" * 1000, "int24"), "int24"))
    assert (plan.loops, plan.temporaries, plan.fallbacks) == (1, 0, [])
    assert (dithered.loops, dithered.temporaries, dithered.fallbacks) == (1, 0, [])
    assert (wide.loops, wide.fallbacks) == (1, [])
    want = np.rint(recordings.pcm().astype(np.float32) / 32768 * np.float32(0.5) * 32768)
    np.testing.assert_array_equal(y.eval(), want.astype(np.int16))


def splitmix(seed: int, count: int) -> list[int]:
    """Element by element, as the paper has it."""
    mask, state, out = 2**64 - 1, seed % 2**64, []
    for _ in range(count):
        state = (state + 0x9E3779B97F4A7C15) & mask
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        out.append(z ^ (z >> 31))
    return out


@pytest.mark.parametrize("seed", [0, 12345, -1])
def test_dither_is_the_documented_noise(seed: int) -> None:
    x = recordings.mono()[100_000:101_000].astype(np.float64)
    words = np.array(splitmix(seed, 1000), np.uint64)
    noise = ((words >> np.uint64(32)).astype(float) - (words & np.uint64(2**32 - 1))) * 2.0**-32
    want = np.clip(np.rint(x * 32768 + noise), -32768, 32767)
    np.testing.assert_array_equal(audio.to_pcm(x, dither="tpdf", seed=seed), want)


def test_dither_is_triangular_white_and_the_same_for_any_thread_count() -> None:
    silence = np.full((2, 500_000), 0.3 / 32768, np.float64)
    before = rnp.get_num_threads()
    taken = []
    for threads in (1, 2, 7):
        rnp.set_num_threads(threads)
        taken.append(audio.to_pcm(silence, dither="tpdf", seed=7))
    rnp.set_num_threads(before)
    assert all(np.array_equal(taken[0], other) for other in taken[1:])
    with rnp.lazy():
        later = audio.to_pcm(rnp.asarray(silence), dither="tpdf", seed=7)
    np.testing.assert_array_equal(later.eval(), taken[0])
    error = taken[0] - silence * 32768
    # Of TPDF dither the error has no mean and a quarter LSB squared, whatever the signal is.
    assert abs(error.mean()) < 0.003
    assert abs(error.var() - 0.25) < 0.002
    line = error[0] - error[0].mean()
    assert abs(np.mean(line[1:] * line[:-1])) < 0.002
    assert abs(np.corrcoef(error)[0, 1]) < 0.01
    other = audio.to_pcm(silence, dither="tpdf", seed=8)
    assert (other != taken[0]).mean() > 0.3


def test_the_port_s_three() -> None:
    x = recordings.pcm()
    want = x.astype(np.float32) / 32768.0
    for got in (audio.frombuffer_int16_to_float32(x.tobytes()), audio.int16_to_float32(x)):
        assert got.dtype == np.float32
        np.testing.assert_array_equal(got, want)
    np.testing.assert_array_equal(audio.float32_to_int16(want), x)
    assert audio.frombuffer_int16_to_float32(b"").shape == (0,)
    assert audio.float32_to_int16(np.zeros(0, np.float32)).shape == (0,)
