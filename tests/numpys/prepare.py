"""Copy NumPy's own tests, which its wheel ships, with rnp in NumPy's place: `make numpy-tests`.

Called with a folder: `eager` there gets the tests as they are, `lazy` the same with each of them in
a block. What reaches into NumPy's private modules keeps NumPy there.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy

FILES = [
    "_core/tests/test_function_base.py",
    "_core/tests/test_multiarray.py",
    "_core/tests/test_numeric.py",
    "_core/tests/test_ufunc.py",
    "_core/tests/test_umath.py",
    "lib/tests/test_function_base.py",
    "lib/tests/test_nanfunctions.py",
    "lib/tests/test_stride_tricks.py",
]

IN_A_BLOCK = """\
import pytest
import rnp


@pytest.fixture(autouse=True)
def block():
    with rnp.lazy():
        yield
"""

# What is looked for at the beginning of a line, and what stands there instead.
IMPORTS = {
    "import numpy as np": "import numpy\nimport rnp as np",
    "from numpy import": "from rnp import",
    "from numpy.testing import": "from rnp.testing import",
}
PRIVATE = {
    # A table of NumPy's ufuncs must hold what the tests call.
    "[obj for obj in np._core.umath.__dict__.values()": "[obj for obj in "
    "[getattr(np, n, o) for n, o in numpy._core.umath.__dict__.items() if n[0] != '_']",
    "np._core.": "numpy._core.",
    "np.__config__": "numpy.__config__",
}


def swapped(text: str) -> str:
    """Put rnp where a test file says NumPy."""
    for numpys, ours in IMPORTS.items():
        text = re.sub(rf"^{re.escape(numpys)}(?= |$)", ours, text, flags=re.MULTILINE)
    for numpys, ours in PRIVATE.items():
        text = text.replace(numpys, ours)
    return text


def main(folder: Path) -> None:
    """Write both forms."""
    root = Path(numpy.__file__).parent
    for form in ("eager", "lazy"):
        place = folder / form
        place.mkdir(parents=True, exist_ok=True)
        for file in FILES:
            # pytest wants names that differ, and no selecting word may be in them by chance.
            name = "test_" + file.replace("/tests/test_", "_").replace("/", "_")
            (place / name).write_text(swapped((root / file).read_text()))
    (folder / "lazy" / "conftest.py").write_text(IN_A_BLOCK)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
