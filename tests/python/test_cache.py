"""The kernel cache and memory: bounded, never writable and executable, without leaks."""

from __future__ import annotations

import gc
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import rnp
from process import MIB, child, rss

# -- the kernel cache


@pytest.fixture(autouse=True)
def compiled():
    """Compile kernels when they are met first, not when they are hot."""
    before = rnp._core._set_tier("jit")
    yield
    rnp._core._set_tier(before)


def maps():
    """Return the lines of this process's memory map."""
    return Path("/proc/self/maps").read_text().splitlines()


def kernel(i):
    """Return a small graph whose kernel no other number has."""
    with rnp.lazy():
        y = rnp.asarray(np.arange(4.0, dtype="float32"))
        for bit in range(11):
            y = y + 1 if i >> bit & 1 else y * 2
    return y


def test_many_kernels_stay_bounded():
    rnp.eval(kernel(2047))
    memory = rss()
    for i in range(1500):
        kernel(i).eval()
    stats = rnp._core._stats()
    assert stats["kernels"] <= stats["capacity"]
    assert stats["compiled"] >= 1500
    assert rss() - memory < 300 * MIB
    assert len(maps()) < 4000
    # What fell out is made again, and is right.
    want = np.arange(4, dtype="float32")
    for _ in range(11):
        want = want * 2
    assert kernel(0).eval().tolist() == want.tolist()


def test_no_page_is_writable_and_executable():
    # In a process of its own: ctypes, which other tests use, has such pages.
    done = child("""
        rnp._core._set_tier("jit")
        for i in range(1, 40):
            with rnp.lazy():
                y = rnp.asarray(np.ones(8))
                for _ in range(i):
                    y = y + 1
            y.eval()
        print(rnp._core._stats()["code_bytes"])
        print([line for line in open("/proc/self/maps") if "rwx" in line.split()[1]])
    """)
    code, pages = done.stdout.splitlines()
    assert int(code) > 0
    assert pages == "[]"


def test_lengths_and_numbers_never_compile_again():
    def run(n, gain, shift):
        with rnp.lazy():
            y = rnp.asarray(np.ones(n, "float32")) * gain + shift
            return (y - y.mean()).eval(), rnp.clip(y, -gain, gain).eval()

    for n in (2, 100, 70_000):
        run(n, 0.3, 0.7)
    compiled = rnp._core._stats()["compiled"]
    begin = time.perf_counter()
    for i in range(1500):
        run(2 + i, 0.1 + i, -3.0 + i)
    assert rnp._core._stats()["compiled"] == compiled
    assert time.perf_counter() - begin < 60


@pytest.mark.parametrize("flip", [1, -1])
def test_keys_are_not_confused(flip):
    x = np.array([-1.0, 0.0, 2.5])
    for k in [1, 1.0, True, np.int8(1), 0.0, -0.0, 0, False, np.float32(0)][::flip]:
        with rnp.lazy():
            y = rnp.asarray(x)
            outs = [y * k, rnp.asarray(x.astype("int8")) + k, rnp.asarray(x > 0) + k]
        wants = [x * k, x.astype("int8") + k, (x > 0) + k]
        for got, want in zip(rnp.eval(*outs), wants, strict=True):
            assert got.dtype == want.dtype
            assert got.tobytes() == want.tobytes()


def test_where_no_code_can_be_made():
    done = child("""
        import ctypes
        rnp._core._set_tier("jit")
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(65, 1, 0, 0, 0) != 0:  # PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN
            print("refused")
            sys.exit()
        warnings.simplefilter("always")
        with warnings.catch_warnings(record=True) as seen:
            x = np.linspace(-3, 3, 10_001)
            got = [chain(x).eval() for _ in range(3)]
            with rnp.lazy():
                s = (rnp.asarray(x) * 2).max()
            assert s.eval() == 6
        y = np.sin(x) * 0.5 + np.sqrt(np.abs(x))
        np.testing.assert_allclose(got[0], y / (1 + x * x), rtol=1e-14)
        kinds = [w.category for w in seen]
        assert kinds == [RuntimeWarning], [str(w.message) for w in seen]
        assert rnp._core._stats()["compiled"] == 0
    """)
    if done.stdout.strip() == "refused":
        pytest.skip("this kernel has no PR_SET_MDWE")


# -- leaks


def test_evaluations_leak_nothing():
    x = np.random.default_rng(3).normal(size=2000)
    count = sys.getrefcount(x)

    def some():
        for i in range(500):
            with rnp.lazy():
                y = rnp.asarray(x) * i
                z = y.sum() + y
                rnp.asarray(x, copy=False) + 1
            z.eval()
            rnp.sqrt(abs(x))
            with pytest.raises(ValueError, match="broadcast"), rnp.lazy():
                rnp.asarray(x) + np.ones(3)

    some()
    gc.collect()
    memory = rss()
    for _ in range(4):
        some()
    gc.collect()
    assert rss() - memory < 8 * MIB
    assert sys.getrefcount(x) == count


def test_cycles_are_collected():
    class Holder:
        """Holds what holds it."""

    memory = None
    for i in range(60):
        holder = Holder()
        with rnp.lazy():
            holder.y = rnp.asarray(np.ones(250_000)) + i

        @rnp.jit
        def f(x, holder=holder):
            return x + 1

        holder.f = f
        holder.y.eval()
        del holder, f
        gc.collect()
        if i == 10:
            memory = rss()
    assert rss() - memory < 32 * MIB
