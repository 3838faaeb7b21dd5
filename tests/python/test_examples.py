"""Every example runs, in a process of its own, and finds its own results right."""

from __future__ import annotations

import re
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
SUPPORT = {"chain.py", "clock.py", "fetch.py", "picture.py", "wav.py"}  # the main job's parts
LONG = SUPPORT | {"master.py"}
SHORT = sorted(path.name for path in EXAMPLES.glob("*.py") if path.name not in LONG)
NUMBER = r"-?[\d,]+(?:\.\d+)?"


def run(*arguments: object) -> str:
    """Run Python with warnings as errors; return what it printed."""
    command = [sys.executable, "-W", "error", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def take(path: Path, channels: int, frames: int = 30_000) -> Path:
    """Write a synthetic recording: tones with a DC offset, of unequal loudness per channel."""
    time = np.arange(frames)[:, None] / 48_000
    pitch, loud = np.array([220.0, 331.0])[:channels], np.array([9_000, 5_000])[:channels]
    pcm = np.sin(2 * np.pi * pitch * time) * loud * np.exp(-2 * time) + 300
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(48_000)
        file.writeframes(pcm.astype("<i2").tobytes())
    return path


def samples(path: Path) -> np.ndarray:
    with wave.open(str(path), "rb") as file:
        raw = file.readframes(file.getnframes())
        return np.frombuffer(raw, "<i2").reshape(-1, file.getnchannels())


def test_the_short_examples_are_there() -> None:
    assert {"explain.py", "jit.py", "meters.py", "resample.py", "stereo.py", "stream.py"} <= {
        *SHORT
    }


@pytest.mark.parametrize("name", SHORT)
def test_short_example(name: str) -> None:
    text = (EXAMPLES / name).read_text()
    assert len(text.splitlines()) < 40
    assert text.startswith('"""')
    assert "assert " in text
    assert run(EXAMPLES / name).strip()


@pytest.mark.parametrize("channels", [1, 2])
def test_main_job(tmp_path: Path, channels: int) -> None:
    recording = take(tmp_path / "take.wav", channels)
    shown = run(EXAMPLES / "master.py", recording, tmp_path / "out", "--rounds", 1)

    for meter in ("peak", "peak, dBFS", "RMS", "RMS, dBFS", "crest factor, dB", "DC"):
        assert re.search(rf"^{meter} +{NUMBER} +{NUMBER}$", shown, re.M), meter
    fused = re.findall(rf"^.*: ({NUMBER}) ops in, ({NUMBER}) loops out$", shown, re.M)
    assert len(fused) == 2
    assert fused[1][1] == "3"
    moved = re.findall(rf"^bytes moved: ({NUMBER}) MB; NumPy, op by op: ({NUMBER}) MB", shown, re.M)
    assert len(moved) == 2
    assert all(float(ours) < float(theirs) for ours, theirs in moved)
    assert shown.count("    kernel ") >= 2
    assert re.search(rf"^    DC, normalize, gain, encode: all {NUMBER} samples equal$", shown, re.M)
    for engine in ("rnp, .*", "NumPy, same expressions", "NumPy, by hand"):
        assert re.search(rf"^{engine} +(?:{NUMBER} +){{3}}{NUMBER}$", shown, re.M), engine
    assert shown.index("Bias:") < shown.index("median ms")

    mastered = samples(tmp_path / "out" / "take-master.wav").astype(int)
    assert mastered.shape == (30_000, channels)
    assert 20_000 < np.abs(mastered).max() <= 32767
    assert not mastered[[0, -1]].any()  # faded
    picture = (tmp_path / "out" / "take-master.png").read_bytes()
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    assert picture.endswith(b"IEND\xaeB`\x82")


@pytest.mark.parametrize("content", [b"", b"RIFF", b"no wave"])
def test_main_job_refuses_what_is_no_recording(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "take.wav"
    path.write_bytes(content)
    command = [sys.executable, EXAMPLES / "master.py", path, tmp_path / "out"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr


def test_fetch_says_the_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    command = [sys.executable, EXAMPLES / "fetch.py", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "WAV=take.wav" in done.stderr
    assert list(tmp_path.iterdir()) == []
