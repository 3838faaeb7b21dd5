"""The benchmark suite's own machinery, at tiny sizes: what it compares, marks and writes."""

from __future__ import annotations

import tomllib
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from time import sleep

import numpy as np
import pytest
from process import child

from bench import bars, chart, engines, report, results, table, timing
from bench.bars import accuracy, cold, dispatch, growth, narrow, throughput, work
from bench.table import Cell
from bench.works import WORKS, Work

DESIGN = Path(__file__).parents[2] / "design"

CELLS = [
    Cell("gain", 64, {"NumPy": 4e-6, "NumPy, gain_out": 2e-6, "eager": 1e-6, "jit": 4e-6}),
    Cell("gain", 4_096, {"NumPy": 4e-6, "NumPy, gain_out": 2e-6, "eager": 4e-6, "jit": 1.999e-6}),
]
LINES = [
    bars.at_least(1, "calls", 1.5, 2.0),
    bars.at_most(3, "import", 20, 254.4, " ms", note="slow"),
]


def part() -> results.Part:
    made = results.part(("rnp", "numpy"), threads=2)
    return replace(made, cells=CELLS, lines=LINES, tables={"stages": [["call", 0.04]]})


@pytest.mark.parametrize("size", [1, 2, 67])
@pytest.mark.parametrize("one", WORKS, ids=lambda work: work.name)
def test_every_form_and_every_spelling_of_a_work_agree_with_numpy(one: Work, size: int) -> None:
    jobs = table.contestants(one, size, list(engines.FORMS), {})
    assert len(jobs) == 1 + len(one.experts) + len(engines.FORMS)
    assert one.experts, "no spelling of an expert"


def test_a_wrong_result_is_not_timed() -> None:
    one = replace(WORKS[0], experts=(lambda x: lambda: x * 0.75,))
    with pytest.raises(AssertionError, match=r"off NumPy's by 0\.5"):
        table.contestants(one, 8, [], {})
    short = replace(WORKS[0], experts=(lambda x: lambda: x[1:] * 0.5,))
    with pytest.raises(AssertionError, match=r"shape \(7,\)"):
        table.contestants(short, 8, [], {})
    nan = replace(WORKS[0], experts=(lambda x: lambda: x * np.nan,))
    with pytest.raises(AssertionError, match="nan"):
        table.contestants(nan, 8, [], {})


def test_a_peer_with_another_result_is_left_out() -> None:
    peers = {
        "right": lambda work, inputs: lambda: inputs[0] * 0.5,
        "contracts": lambda work, inputs: lambda: inputs[0] * np.float32(0.5 * (1 + 1.2e-7)),
        "wrong": lambda work, inputs: lambda: inputs[0] * 0.6,
        "silent": lambda work, inputs: None,
    }
    jobs = table.contestants(WORKS[0], 8, [], peers)
    assert [name for name in jobs if name in peers] == ["right", "contracts"]


def test_engines_take_turns_and_are_prepared_off_the_clock() -> None:
    seen: list[str] = []
    jobs = {"a": lambda: seen.append("a"), "b": lambda: seen.append("b")}
    taken = timing.race(jobs, 0.0, before=lambda name: seen.append(f"before {name}"))
    assert set(taken) == {"a", "b"}
    assert all(0 < t < 1e-3 for t in taken.values())
    turns = [name for name in seen if name.startswith("before")][2:]
    assert turns == ["before a", "before b", "before b", "before a", "before a", "before b"]


def test_what_is_slow_is_timed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "SLOW", 0.02)
    seen: list[str] = []
    jobs = {"fast": lambda: seen.append("fast"), "slow": lambda: (seen.append("slow"), sleep(0.03))}
    taken = timing.race(jobs, 0.0)
    assert seen.count("slow") == 1
    assert taken["fast"] < 0.02 < taken["slow"]


def test_measuring_leaves_the_number_of_threads() -> None:
    before = engines.rnp.get_num_threads()
    cells = list(table.measure(WORKS[:1], [4, table.SINGLE_FROM], ["eager", "jit"], 0.0))
    assert engines.rnp.get_num_threads() == before
    assert "jit, 1 thread" not in cells[0].seconds
    assert "jit, 1 thread" in cells[1].seconds


def test_numpy_is_its_best_spelling() -> None:
    assert CELLS[0].ratio("eager") == 2
    assert CELLS[0].ratio("eager", against="NumPy") == 4
    assert "(0.50)" in table.text(CELLS, "jit")
    assert "lost: 1 of 2" in table.text(CELLS, "jit")
    assert (
        table.text([*CELLS, Cell("gain", 9, {"jit": 1.0, "JAX": 1.0})], "jit", "JAX").count("\n")
        == 3
    )


def test_the_page_marks_and_explains_lost_cells() -> None:
    known = [report.Reason(["ga*"], ["jit"], [1, 64], "Because.")]
    text = report.page({"table": part()}, known)
    assert "| gain | 2.00 | 0.50 ▼ |" in text
    assert "| gain | 0.50 ▼ | 1.00 |" in text
    assert "2 cells, all forms together." in text
    assert "**Because.**\n\n- jit: gain: 64 (0.50)" in text
    assert f"**{report.UNEXPLAINED}**\n\n- eager: gain: 4,096 (0.50)" in text
    assert "1 of 2 lines hold." in text
    assert "| 1 Dispatch | calls | at least 1.5x | 2x | holds |  |" in text
    assert "| at most 20 ms | 254 ms | ▼ falls short | slow |" in text
    assert "| call | 0.040 |" in text


def test_a_ratio_is_not_rounded_over_the_line() -> None:
    assert report.mark(0.9999) == "0.99 ▼"
    assert chart.figure(0.9999) == ".99"
    assert report.mark(1.0) == "1.00"


def test_the_hand_kept_reasons_name_works_and_forms_that_are() -> None:
    forms = [*engines.FORMS, *table.SINGLE.values()]
    assert tomllib.loads(report.REASONS.read_text())["reason"]
    for reason in report.reasons():
        for pattern in reason.works:
            assert any(report.fnmatch(one.name, pattern) for one in WORKS), pattern
        for pattern in reason.forms:
            assert any(report.fnmatch(form, pattern) for form in forms), pattern
        assert reason.sizes[0] <= reason.sizes[1]
        assert reason.why.endswith(".")


def test_the_chart_is_svg_with_a_cell_for_each_ratio() -> None:
    drawn = report.charts({"table": part()})["benchmarks.svg"]
    root = ET.fromstring(drawn)
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    for text in ("gain", "eager", "jit", "64", "4k", "2.0", ".50", "1.0"):
        assert text in texts, text


def test_figures_are_kept_and_read_again(tmp_path: Path) -> None:
    path = tmp_path / "benchmarks.json"
    results.save(path, {"table": part()})
    assert results.load(path) == {"table": part()}
    assert results.load(tmp_path / "none.json") == {}


def test_the_committed_page_is_of_the_committed_figures() -> None:
    parts = results.load(DESIGN / "benchmarks.json")
    assert report.page(parts, report.reasons()) == (DESIGN / "benchmarks.md").read_text()
    for name, drawn in report.charts(parts).items():
        assert (DESIGN / name).read_text() == drawn, name


def test_every_native_function_has_operands() -> None:
    kinds = dispatch.natives()
    assert {"add", "tanh", "where", "clip"} <= {k for k, v in kinds.items() if v == "elementwise"}
    assert {"sum", "max", "argmin"} <= {k for k, v in kinds.items() if v == "reduction"}
    for name in kinds:
        given = dispatch.operands(name)
        with np.errstate(all="raise", under="ignore"):
            getattr(np, name)(*given)


def test_bars_compute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "natives", lambda: {"add": "elementwise", "sum": "reduction"})
    monkeypatch.setattr(cold, "fresh", lambda what: 1.0)
    monkeypatch.setattr(growth, "fresh", lambda what: 1.0)
    monkeypatch.setattr(throughput, "FUNCTIONS", ("exp",))
    monkeypatch.setattr(throughput, "LEVELS", {"L2": (1_024, 2_048, 1.3)})
    found = [*dispatch.lines(0.0), *throughput.lines(0.0)[0], *cold.lines(0.0, rounds=1)]
    found += work.all_lines(list(table.measure(WORKS, [16], ["jit"], 0.0)), ["jit"], 0.0)
    found += [*growth.lines(0.0, largest=1_000)[0], *accuracy.lines(stride=1_000_003)]
    assert {line.number for line in found} == set(bars.TITLES)
    assert {stage for stage, _ in dispatch.stages(0.0)}
    exact = [line for line in found if line.number == 8]
    assert all(line.holds for line in exact), exact


def test_what_is_held_to_avx2_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throughput, "FUNCTIONS", ("exp",))
    monkeypatch.setattr(table, "SIZES", (16,))
    found, speeds = narrow.measured(0.0)
    assert all(line.what.endswith("; NumPy and rnp held to AVX2") for line in found)
    assert {line.number for line in found} == {2, 4}
    assert [what for what, *_ in speeds] == ["exp, float32", "exp, float64"]
    code = "from numpy._core._multiarray_umath import __cpu_features__ as f; print(f['X86_V4'])"
    done = child(code, **narrow.HELD)
    assert done.stdout == "False\n"
    assert not done.stderr


def test_the_table_of_functions_has_columns_for_what_is_held_to_avx2() -> None:
    rows = [["exp", 2.0, None], ["log", 0.5, 1.5]]
    assert report.maths_table(rows, []) == [
        "| function | times NumPy | times AVX2 by hand |",
        "|---|---:|---:|",
        "| exp | 2.00 |  |",
        "| log | 0.50 ▼ | 1.50 |",
        "",
    ]
    text = report.maths_table(rows, [["exp", 3.0, 0.9], ["log", 4.0, None]])
    assert text[2:4] == ["| exp | 2.00 |  | 3.00 | 0.90 ▼ |", "| log | 0.50 ▼ | 1.50 | 4.00 |  |"]


def test_an_error_of_a_unit_in_the_last_place_is_one() -> None:
    exact = np.array([1.0, 2.0, 3.0])
    off = exact.astype(np.float32)
    assert accuracy.error(off, exact) == 0
    assert accuracy.error(np.nextafter(off, np.float32(9)), exact) == 1
