"""Random graphs agree with NumPy op by op, exact ops to the bit; RNP_GRAPHS asks for more."""

from __future__ import annotations

import os

import numpy as np
import pytest
import rnp
from graphs import Graph

GRAPHS = int(os.environ.get("RNP_GRAPHS", "3200"))
FIRST = int(os.environ.get("RNP_SEED", "0"))
PARTS = 16


def outputs(graph):
    """Choose what is asked for: the last node, some others, and all that start something fresh."""
    n = len(graph.nodes)
    wanted = {n - 1, *(int(k) for k in graph.rng.integers(0, n, 2))}
    return sorted(wanted | {k for k, node in enumerate(graph.nodes) if node.fresh})


def first_wrong(graph, wanted, cut=()):
    """Compute nodes together and return the first that is not what it has to be, and why."""
    try:
        got = graph.lazily(wanted, cut)
    except Exception as e:  # NumPy took the same program
        return wanted[-1], f"{type(e).__name__}: {e}"
    wrong = [(k, graph.wrong(k, v)) for k, v in zip(wanted, got, strict=True)]
    return next(((k, what) for k, what in wrong if what), None)


def explain(graph, wanted, what):
    """Write the smallest reproduction that can be found."""
    small = graph.shrink(wanted, lambda some, cut: first_wrong(graph, some, cut) is not None)
    return f"{what}\n{small}"


@pytest.fixture(autouse=True)
def _as_before():
    """Restore tier and threads."""
    threads = rnp.get_num_threads()
    yield
    rnp._core._set_tier("auto")
    rnp.set_num_threads(threads)


@pytest.mark.parametrize("part", range(PARTS))
def test_random_graphs(part):
    made = 0
    for seed in range(FIRST + part, FIRST + GRAPHS, PARTS):
        graph = Graph(seed)
        wanted = outputs(graph)
        rnp._core._set_tier("interp" if seed // PARTS % 5 == 4 else "jit")
        wrong = first_wrong(graph, wanted)
        if wrong:
            pytest.fail(f"node {wrong[0]}: {explain(graph, wanted, wrong[1])}", pytrace=False)
        if seed // PARTS % 4 == 0:
            # One alone has the bits that it has with others, and by the other tier.
            rnp._core._set_tier("jit" if seed // PARTS % 5 == 4 else "interp")
            k = wanted[-1]
            one = np.asarray(graph.lazily([k])[0])
            with_others = np.asarray(graph.lazily(wanted)[-1])
            assert one.tobytes() == with_others.tobytes(), seed
            rnp._core._set_tier("jit")
            assert np.asarray(graph.lazily(wanted)[-1]).tobytes() == one.tobytes(), seed
        made += len(graph.nodes)
    assert made > 5 * GRAPHS // PARTS


@pytest.mark.parametrize("seed", range(12))
def test_large_graphs_have_the_same_bits_on_any_number_of_threads(seed):
    graph = Graph(FIRST + 10_000 + seed, large=True)
    wanted = outputs(graph)
    bits = set()
    for threads in (1, 2, 3, 7):
        rnp.set_num_threads(threads)
        wrong = first_wrong(graph, wanted)
        assert wrong is None, explain(graph, wanted, wrong[1])
        bits.add(b"".join(np.asarray(v).tobytes() for v in graph.lazily(wanted)))
    assert len(bits) == 1


def test_the_net_catches_a_fault(monkeypatch):
    """A wrong function is found, and its reproduction is small."""
    right = rnp.subtract
    monkeypatch.setattr(rnp, "subtract", lambda a, b: right(b, a))
    for seed in range(300):
        graph = Graph(seed)
        wanted = outputs(graph)
        wrong = first_wrong(graph, wanted)
        if wrong:
            text = explain(graph, wanted, wrong[1])
            assert "= subtract" in text
            assert len(text.splitlines()) < 60
            return
    pytest.fail("300 graphs did not find it")
