"""The pages keep their word: their examples run, and their figures are those of the code."""

from __future__ import annotations

import ast
import doctest
import re
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

import numpy as np
import pytest
import rnp
from rnp._coverage import KINDS, NAMESPACES

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "design" / "coming-from-numpy.md"
AUDIO = ROOT / "design" / "audio.md"
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
# Rows of their own in the page's table; the other namespaces share one.
SHOWN = ("", "fft", "linalg", "random")


def sections(page: Path) -> Iterator[tuple[str, str]]:
    """Give title and Python blocks of each section; all other lines are blank, so numbers hold."""
    title, lines, inside = "", [], False
    every = page.read_text(encoding="utf-8").split("\n")
    for number, line in enumerate([*every, "## "]):
        if line.startswith("## ") and not inside:
            if any(lines):
                yield title, "\n".join(lines)
            title, lines = line.removeprefix("## "), [""] * number
        fence = line.startswith("```")
        lines.append(line if inside and not fence else "")
        if fence:
            inside = line == "```python"


SECTIONS = dict(sections(PAGE))


@pytest.mark.parametrize("title", SECTIONS)
def test_examples_of_the_page_for_users_of_numpy(title):
    text = SECTIONS[title]
    example = doctest.DocTestParser().get_doctest(text, {}, PAGE.name, str(PAGE), 0)
    said: list[str] = []
    failed, tried = doctest.DocTestRunner(optionflags=FLAGS).run(example, out=said.append)
    assert tried > 0
    assert not failed, "".join(said)


def test_examples_of_the_page_about_audio():
    lines = zip_longest(*(text.split("\n") for _, text in sections(AUDIO)), fillvalue="")
    text = "\n".join("".join(line) for line in lines)
    example = doctest.DocTestParser().get_doctest(text, {}, AUDIO.name, str(AUDIO), 0)
    said: list[str] = []
    failed, tried = doctest.DocTestRunner(optionflags=FLAGS).run(example, out=said.append)
    assert tried > 0
    assert not failed, "".join(said)


@pytest.mark.parametrize(("page", "least"), [(PAGE, 20), (AUDIO, 8)])
def test_every_python_block_of_a_page_is_an_example(page, least):
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert len(blocks) >= least
    assert all(block.startswith(">>> ") for block in blocks)


def test_programs_of_the_readme(capsys):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    programs = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert programs
    names: dict[str, object] = {}
    for program in programs:
        exec(compile(program, "README.md", "exec"), names)
    assert "loops:" in capsys.readouterr().out
    x = np.asarray(names["pcm"]).astype(np.float32) / np.float32(32768)
    x = x - np.mean(x, dtype=np.float64).astype(np.float32)
    x = x * (np.float32(0.99) / np.abs(x).max())
    expected = np.clip(np.rint(x * 32768), -32768, 32767).astype(np.int16)
    np.testing.assert_array_equal(names["samples"], expected)


def coverage_table() -> str:
    """Make the page's table of what answers NumPy's functions."""
    found = rnp.coverage()
    rows = [(f"`numpy.{name}`".replace(".`", "`"), [found.counts(name)]) for name in SHOWN]
    rows.append(("all others", [found.counts(name) for name in NAMESPACES if name not in SHOWN]))
    rows.append(("all", [found.counts()]))
    version = ".".join(np.__version__.split(".")[:2])
    lines = [f"| NumPy {version} | " + " | ".join(KINDS) + " |", "|---" * (len(KINDS) + 1) + "|"]
    for title, counts in rows:
        sums = [str(sum(count[kind] for count in counts)) for kind in KINDS]
        lines.append(f"| {title} | " + " | ".join(sums) + " |")
    return "\n".join(lines)


def test_the_table_of_coverage():
    text = PAGE.read_text(encoding="utf-8")
    version = re.search(r"^\| NumPy ([\d.]+) \|", text, re.MULTILINE)
    assert version
    pins = (ROOT / "requirements-dev.txt").read_text(encoding="utf-8")
    assert f"\nnumpy=={version[1]}." in pins, "the table is of another NumPy than the tests use"
    if np.__version__.startswith(f"{version[1]}."):
        table = coverage_table()
        assert table in text, f"{PAGE.name} should have this table:\n{table}"


def test_no_function_of_numpy_is_missing():
    assert rnp.coverage().counts()["missing"] == 0


def imports(file: Path) -> set[str]:
    """Name the modules of rnp that a file imports, by the first part of their names."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "rnp":
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("rnp."):
            found.add(str(node.module).split(".")[1])
        elif isinstance(node, ast.Import):
            found.update(a.name.split(".")[1] for a in node.names if a.name.startswith("rnp."))
    return found


def test_modules_use_what_the_page_says():
    page = (ROOT / "design" / "architecture.md").read_text(encoding="utf-8")
    section = page.split("\n## The Python package\n")[1].split("\n## ")[0]
    rows = [row.split("|") for row in section.splitlines() if row.startswith("| `")]
    said = {row[1].strip(" `"): set(re.findall(r"`(\w+)`", row[3])) for row in rows}
    folder = ROOT / "python" / "rnp"
    private = {path.stem for path in folder.glob("_[a-z]*") if path.suffix in (".py", "")}
    assert private | {"audio"} == said.keys()
    for name, uses in said.items():
        module = folder / name
        files = list(module.glob("*.py")) if module.is_dir() else [module.with_suffix(".py")]
        used = set().union(*map(imports, files)) - {"_core", name}
        assert used == uses, f"what {name} uses, and what the page says"
