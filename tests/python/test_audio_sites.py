"""The lines of the port where it used NumPy, with rnp in its place: equal, and native."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import recordings
import rnp

Site = Callable[[Any, Any], Any]


def speech() -> Any:
    """Give float32 that reaches over full scale."""
    return recordings.mono()[100_000:124_000] * np.float32(1.5)


def audio_read(np: Any, _: Any) -> Any:
    raw = recordings.pcm().tobytes()
    return np.frombuffer(raw, dtype=np.int16).astype(np.float32) / 32768.0


def audio_read_stereo(np: Any, _: Any) -> Any:
    raw = recordings.pcm().tobytes()
    x = np.frombuffer(raw, dtype=np.int16).astype(np.float32) / 32768.0
    return x.reshape(-1, 2).mean(axis=1)


def soundfile_branch(np: Any, _: Any) -> Any:
    data = np.array(recordings.frames())
    return data.mean(axis=1)


def write_pcm_data(np: Any, x: Any) -> Any:
    return (np.clip(x, -1, 1) * 32767).astype(np.int16)


def seanet_hop(np: Any, _: Any) -> Any:
    return int(np.prod([8, 5, 4, 2]))


def save_audio(np: Any, x: Any) -> Any:
    return (x * 32767).clip(-32768, 32767).astype(np.int16)


def compute_pesq(np: Any, x: Any) -> Any:
    a, b = x, x[::-1] * 0.5
    m = max(np.abs(a).max(), np.abs(b).max(), 1e-8)
    return (a / m) + (b / m)


def audio_chunk_to_wav_bytes(np: Any, x: Any) -> Any:
    chunk = np.array(x.tolist()[:1000])
    chunk = np.clip(chunk, -1, 1).astype(np.float32)
    return (chunk * 32767).astype(np.int16)


def output_squeeze(np: Any, x: Any) -> Any:
    y = x.reshape(1, -1)
    return y.squeeze(0) if y.ndim == 2 else y


SITES: list[Site] = [
    audio_read,
    audio_read_stereo,
    soundfile_branch,
    write_pcm_data,
    seanet_hop,
    save_audio,
    compute_pesq,
    audio_chunk_to_wav_bytes,
    output_squeeze,
]


@pytest.mark.parametrize("site", SITES)
@pytest.mark.parametrize("lazy", [False, True])
def test_call_site(site: Site, lazy: bool) -> None:
    x = speech()
    want = site(np, x)
    if lazy:
        with rnp.lazy() as block:
            got = site(rnp, rnp.asarray(x))
            got = got.eval() if isinstance(got, rnp.Array) else got
        assert block.report().fallbacks == []
    else:
        got = site(rnp, x)
    got, want = np.asarray(got), np.asarray(want)
    assert (got.dtype, got.shape) == (want.dtype, want.shape)
    # Of means the sum of two is the same in any order; all else is exact as it is.
    np.testing.assert_array_equal(got, want)


def test_the_functions_of_the_port_are_native() -> None:
    kinds = {row.name: row.kind for row in rnp.coverage().rows}
    names = ["abs", "interp", "linspace", "max", "mean", "prod", "sqrt", "arange", "clip", "min"]
    for name in [*names, "log"]:
        assert kinds[name] in ("native", "composed"), name
    x = speech()
    with rnp.lazy() as block:
        y = rnp.asarray(x)
        figures = [
            rnp.median(y),
            rnp.percentile(y, 40),
            rnp.frombuffer(x.tobytes(), dtype=rnp.float32).sum(),
            rnp.array(y, dtype=rnp.float32).max(),
        ]
        got = rnp.eval(*figures)
    want = [np.median(x), np.percentile(x, 40), x.sum(dtype=np.float64), x.max()]
    np.testing.assert_array_equal(got[:2], want[:2])
    assert math.isclose(got[2], want[2], rel_tol=1e-6)
    assert got[3] == want[3]
    assert block.report().at_once == []
    assert rnp.ctypeslib.as_array is np.ctypeslib.as_array
    assert (rnp.int16, rnp.float32) == (np.int16, np.float32)
    assert isinstance(x, rnp.ndarray)
