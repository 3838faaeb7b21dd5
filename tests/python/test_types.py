"""Names and types: one list of functions, told alike by the table, the module and the stub."""

from __future__ import annotations

import ast
import doctest
import inspect
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import rnp

ROOT = Path(__file__).parents[2]
STUB = ROOT / "python/rnp/_core.pyi"


def stub_names():
    for node in ast.parse(STUB.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign):
            yield from (t.id for t in node.targets if isinstance(t, ast.Name))


def test_module_stub_and_all_are_one_list():
    # Halves of functions with two results are builtins, and no public names.
    halves = {"frexp_mantissa", "frexp_exponent", "modf_fraction", "modf_whole"}
    public = {name for name in stub_names() if not name.startswith("_")} - halves
    assert public == set(rnp._core.__all__)
    assert set(rnp._core.__all__) <= set(rnp.__all__)
    assert len(rnp.__all__) == len(set(rnp.__all__))
    assert all(hasattr(rnp, name) for name in rnp.__all__)


def test_second_names_are_the_same_functions():
    assert rnp.abs is rnp.absolute
    assert rnp.true_divide is rnp.divide
    assert rnp.degrees is not None
    for name in ("pi", "inf", "newaxis", "float32", "dtype"):
        assert getattr(rnp, name) is getattr(np, name)


@pytest.mark.parametrize("name", rnp._core.__all__)
def test_everything_public_is_documented(name):
    doc = inspect.getdoc(getattr(rnp, name))
    assert doc
    assert len(doc) > 20


def test_methods_are_documented():
    for name in dir(rnp.Array):
        if not name.startswith("_"):
            assert inspect.getdoc(getattr(rnp.Array, name)), name


@pytest.mark.parametrize("name", [*rnp._core.__all__, "Array.eval"])
def test_examples_in_docs(name):
    obj = rnp
    for part in name.split("."):
        obj = getattr(obj, part)
    parser, runner = doctest.DocTestParser(), doctest.DocTestRunner(verbose=False)
    test = parser.get_doctest(inspect.getdoc(obj), {"rnp": rnp, "np": np}, name, None, 0)
    assert runner.run(test).failed == 0


def test_mypy_strict():
    command = [sys.executable, "-m", "mypy"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_stub_is_what_the_binary_is():
    command = [sys.executable, "-m", "mypy.stubtest", "rnp._core"]
    command += ["--mypy-config-file", "pyproject.toml"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
