"""The levels of `rnp.audio` are librosa's, on the spectrum and the samples of a recording."""

from __future__ import annotations

from typing import Any

import loader
import numpy as np
import pytest
import takes
from rnp import audio

CASES: list[dict[str, Any]] = [
    {},
    {"ref": np.max},
    {"ref": 0.25, "amin": 1e-4},
    {"top_db": None},
    {"ref": np.median, "top_db": 40.0},
]


def same(got: Any, want: Any) -> None:
    assert (got.dtype, got.shape) == (want.dtype, want.shape)
    # Logarithms and powers may differ in their last bits.
    eps = 8 * float(np.finfo(want.dtype).eps)
    np.testing.assert_allclose(got, want, rtol=eps, atol=80 * eps)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("keywords", CASES)
def test_levels_are_librosa_s(keywords: dict[str, Any], dtype: str) -> None:
    theirs = loader.load("librosa.core.spectrum")
    mel, wave = takes.mel().astype(dtype), takes.sax()[::50].astype(dtype)
    same(audio.power_to_db(mel, **keywords), theirs.power_to_db(mel, **keywords))
    same(audio.amplitude_to_db(wave, **keywords), theirs.amplitude_to_db(wave, **keywords))
    for ref in (1.0, 0.25):
        db = theirs.power_to_db(mel)
        same(audio.db_to_power(db, ref), theirs.db_to_power(db, ref=ref))
        same(audio.db_to_amplitude(db, ref), theirs.db_to_amplitude(db, ref=ref))
