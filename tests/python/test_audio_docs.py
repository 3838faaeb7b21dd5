"""Every public function of `rnp.audio` has a docstring with an example that runs."""

from __future__ import annotations

import doctest
import inspect

import numpy as np
import pytest
import rnp
from rnp import audio

NAMES = [
    name
    for name in audio.__all__
    if callable(getattr(audio, name)) and getattr(audio, name).__module__.startswith("rnp.audio")
]
DATA = {"Meters", "Reading"}  # what `measure` returns


@pytest.mark.parametrize("name", sorted({*NAMES} - DATA))
def test_examples_of_functions(name: str) -> None:
    found = getattr(audio, name)
    text = inspect.getdoc(found) or ""
    globs = {"np": np, "rnp": rnp, "audio": audio}
    example = doctest.DocTestParser().get_doctest(text, globs, name, None, None)
    said: list[str] = []
    failed, tried = doctest.DocTestRunner().run(example, out=said.append)
    assert tried > 0
    assert not failed, "".join(said)
