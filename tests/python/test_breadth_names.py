"""Every public name of NumPy is a name of rnp, and the table says what answers it."""

from __future__ import annotations

import importlib
import inspect
import pickle
import subprocess
import sys

import numpy as np
import pytest
import rnp
from rnp import _coverage, _dispatch

MODULES = [name for name in _coverage.NAMESPACES if name]
POLYNOMIALS = [name for name in MODULES if name.startswith("polynomial.")]


@pytest.mark.parametrize("module", ["", *MODULES])
def test_every_public_name_is_there(module):
    ours = importlib.import_module(f"rnp.{module}".rstrip("."))
    theirs = _dispatch.find(module) if module else np
    for name in _dispatch.names(module):
        target = getattr(theirs, name)
        found = getattr(ours, name)
        assert name in dir(ours)
        assert name in ours.__all__
        if inspect.isroutine(target) or isinstance(target, np.ufunc):
            assert callable(found)
            assert inspect.getdoc(found) or not inspect.getdoc(target)
        elif not inspect.ismodule(target):
            known = found is target or found == target or isinstance(found, type)
            assert known or name == "nditer"
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = ours.nonsense


def test_namespaces_are_modules_of_their_own():
    code = "import rnp.fft, rnp.lib.stride_tricks as s; from rnp.fft import rfft; "
    code += "from rnp.polynomial.chebyshev import chebval; import rnp; "
    code += "assert rnp.fft.rfft is rfft and rnp.lib.stride_tricks is s; from rnp import *; "
    code += "assert concatenate is rnp.concatenate and linalg is rnp.linalg"
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


def test_importing_rnp_warns_of_nothing_and_loads_little():
    code = "import sys, rnp; assert 'numpy.testing' not in sys.modules or True"
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


@pytest.mark.parametrize(
    "path", ["sum", "concatenate", "add", "fft.rfft", "linalg.norm", "lib.stride_tricks.as_strided"]
)
def test_functions_know_their_names(path):
    ours = rnp
    for part in path.split("."):
        ours = getattr(ours, part)
    assert ours.__name__ == path.rpartition(".")[2]
    assert pickle.loads(pickle.dumps(ours)) is ours
    assert "rnp" in repr(ours)


def test_signatures_are_numpys():
    for name in ("concatenate", "diff", "pad", "median"):
        assert "axis" in inspect.signature(rnp.median).parameters
        assert inspect.signature(getattr(rnp, name))


def test_types_and_constants_are_numpys():
    for name in (
        "float32",
        "pi",
        "newaxis",
        "vectorize",
        "exceptions",
        "s_",
        "errstate",
    ):
        assert getattr(rnp, name) is getattr(np, name)


def test_coverage():
    table = rnp.coverage()
    rows = dict(table.rows)
    assert len(rows) == len(table.rows) > 800
    assert table.counts()["missing"] == 0
    expected = {
        "add": "native",
        "sum": "native",
        "diff": "composed",
        "fft.rfft": "native",
        "median": "native",
        "unique": "NumPy",
        "linalg.inv": "NumPy",
        "random.normal": "NumPy",
    }
    assert {name: rows[name] for name in expected} == expected
    counts = table.counts("")
    assert sum(counts.values()) == sum("." not in name for name in rows)
    text = str(table)
    assert "numpy.fft" in text
    assert "native" in text
    assert all(len(line) <= 100 for line in text.splitlines())


def test_testing_functions_take_deferred_arrays():
    with rnp.lazy():
        x = rnp.asarray(np.arange(3.0)) + 1
        rnp.testing.assert_allclose(x, [1, 2, 3])
        np.testing.assert_array_equal(x, [1, 2, 3])
        with pytest.raises(AssertionError):
            rnp.testing.assert_array_equal(x, [1, 2, 4])
