"""Lazy blocks and lazy arrays: when things are recorded, and what their values are."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import threading
from contextlib import ExitStack

import numpy as np
import pytest
import rnp
from conftest import DTYPES


def make(values=(1.0, 2.0, 3.0), dtype="float32"):
    with rnp.lazy():
        return rnp.asarray(np.array(values, dtype)) * 1


def test_eager_outside_and_lazy_inside():
    x = np.array([1.0, 4.0], np.float32)
    assert isinstance(rnp.sqrt(x), np.ndarray)
    with rnp.lazy():
        y = rnp.sqrt(x)
        assert rnp.is_lazy()
        assert isinstance(y, rnp.Array)
        assert isinstance(y + 1, rnp.Array)
        assert isinstance(1 + y, rnp.Array)
        assert isinstance(x + y, rnp.Array)
        assert isinstance(y.sum(), rnp.Array)
        assert isinstance(y[0], rnp.Array)
    assert not rnp.is_lazy()
    assert isinstance(y + 1, np.ndarray)
    assert isinstance(y.sum(), np.float32)
    np.testing.assert_array_equal(y.eval(), [1, 2])


def test_eager_results_are_numpys():
    assert type(rnp.add(1, 2)) is np.int64
    assert type(rnp.add(1.0, 2)) is np.float64
    assert type(rnp.add(True, True)) is np.bool
    assert type(rnp.multiply(np.float32(2), 3.0)) is np.float32
    assert type(rnp.mean([1, 2])) is np.float64
    assert rnp.zeros((2, 3)).shape == (2, 3)
    assert rnp.sum(np.zeros((2, 3)), axis=1).shape == (2,)


def test_nested_blocks():
    with rnp.lazy() as outer:
        with rnp.lazy() as inner:
            assert rnp.is_lazy()
        assert not inner.active
        assert outer.active
        assert rnp.is_lazy()
    assert not rnp.is_lazy()


def test_blocks_left_in_the_wrong_order():
    a, b = rnp.lazy(), rnp.lazy()
    a.__enter__()
    b.__enter__()
    a.__exit__(None, None, None)
    assert rnp.is_lazy()
    b.__exit__(None, None, None)
    assert not rnp.is_lazy()


def test_blocks_that_overlap_without_end():
    last = rnp.lazy()
    first = last.__enter__()
    for _ in range(10_000):
        following = rnp.lazy()
        following.__enter__()
        last.__exit__(None, None, None)
        assert rnp.is_lazy()
        last = following
    # A block that was left is not held by those that were entered in it and by those after them.
    assert sys.getrefcount(first) == 2
    last.__exit__(None, None, None)
    assert not rnp.is_lazy()


def test_many_blocks_inside_each_other():
    with ExitStack() as stack:
        blocks = [stack.enter_context(rnp.lazy()) for _ in range(5_000)]
        assert all(block.active for block in blocks)
        y = rnp.abs(np.float32([-1.0]))
    assert not any(block.active for block in blocks)
    assert not rnp.is_lazy()
    assert y.eval() == 1.0


def test_one_object_entered_twice():
    block = rnp.lazy()
    with block:
        with block:
            assert rnp.is_lazy()
        assert rnp.is_lazy()
    assert not rnp.is_lazy()


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt, SystemExit, GeneratorExit])
def test_any_exception_ends_the_block(kind):
    with pytest.raises(kind), rnp.lazy():
        raise kind
    assert not rnp.is_lazy()


def test_decorator_makes_a_block_per_call():
    @rnp.lazy()
    def twice(x, depth=0):
        """Double."""
        return twice(x, depth - 1) if depth else x * rnp.asarray([2.0])

    assert twice.__name__ == "twice"
    assert twice.__doc__ == "Double."
    assert isinstance(twice(3.0, depth=3), rnp.Array)
    assert not rnp.is_lazy()


def test_decorated_coroutine():
    @rnp.lazy()
    async def work():
        await asyncio.sleep(0)
        return rnp.is_lazy()

    assert asyncio.run(work())
    assert not rnp.is_lazy()


def test_generators_are_not_decorated():
    with pytest.raises(TypeError, match="generators"):
        rnp.lazy()(lambda: (yield))


def test_a_generator_that_is_dropped_in_a_block():
    def steps():
        with rnp.lazy():
            yield 1
            yield 2

    g = steps()
    next(g)
    assert rnp.is_lazy()
    del g
    gc.collect()
    assert not rnp.is_lazy()


def test_threads_do_not_see_a_block():
    seen = []
    with rnp.lazy():
        thread = threading.Thread(target=lambda: seen.append(rnp.is_lazy()))
        thread.start()
        thread.join()
    assert seen == [sys.version_info >= (3, 14) and sys.flags.thread_inherit_context]


def test_tasks_do_not_see_each_others_blocks():
    async def lazily(entered, leave):
        with rnp.lazy():
            entered.set()
            await leave.wait()

    async def main():
        entered, leave = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(lazily(entered, leave))
        await entered.wait()
        assert not rnp.is_lazy()
        leave.set()
        await task

    asyncio.run(main())


def test_a_task_made_in_a_block_is_eager_after_it():
    async def later(go):
        await go.wait()
        return rnp.is_lazy()

    async def main():
        go = asyncio.Event()
        with rnp.lazy():
            task = asyncio.create_task(later(go))
            await asyncio.sleep(0)
        go.set()
        return await task

    assert not asyncio.run(main())


@pytest.mark.parametrize("dtype", DTYPES)
def test_attributes_are_known_at_once(dtype):
    with rnp.lazy():
        y = rnp.asarray(np.zeros((2, 3), dtype))[:, None]
    assert y.dtype == np.dtype(dtype)
    assert isinstance(y.dtype, np.dtype)
    assert (y.shape, y.ndim, y.size) == ((2, 1, 3), 3, 6)
    assert y.itemsize == np.dtype(dtype).itemsize
    assert y.nbytes == 6 * y.itemsize
    assert len(y) == 2
    assert "deferred" in repr(y[0]) or isinstance(y[0], np.ndarray)


def test_a_mismatch_raises_on_its_line():
    with rnp.lazy():
        a, b = rnp.asarray(np.zeros(3)), rnp.asarray(np.zeros(4))
        with pytest.raises(ValueError, match=r"\(3,\) \(4,\)"):
            a + b


def test_conversions():
    one = make([2.5])
    assert float(one[0]) == 2.5
    assert int(one[0]) == 2
    assert complex(one[0]) == 2.5
    assert bool(one)
    assert f"{one.sum():.2f}" == "2.50"
    assert make([3], "int64")[0].__index__() == 3
    assert make([1, 2], "int16").tolist() == [1, 2]
    assert make([7], "int8").item() == 7
    assert list(make([1, 2], "int16")) == [1, 2]
    assert 2 in make([1, 2], "int16")
    np.testing.assert_array_equal(np.asarray(make()), np.float32([1, 2, 3]))
    with rnp.lazy():
        lazy_len = len(rnp.arange(5))
    assert lazy_len == 5
    with pytest.raises(ValueError, match="ambiguous"):
        bool(make())
    with rnp.lazy():
        scalar = make().sum()
        with pytest.raises(TypeError, match="0-d"):
            iter(scalar)
        with pytest.raises(TypeError, match="unsized"):
            len(scalar)


def test_repr_never_evaluates_and_print_does():
    with rnp.lazy():
        y = rnp.asarray(np.arange(3)) + 1
        assert repr(y) == "Array(int64(3,), deferred)"
        assert repr(y) == "Array(int64(3,), deferred)"
        assert str(y) == "[1 2 3]"
        assert repr(y) == "Array(int64(3,), evaluated)"


def test_eval_several():
    with rnp.lazy():
        x = rnp.asarray(np.arange(4.0))
        low, high = x.min(), x.max()
    values = rnp.eval(low, high, np.arange(2), 5)
    assert values[:2] == (0.0, 3.0)
    assert type(values[0]) is np.float64
    assert isinstance(values[2], np.ndarray)
    assert isinstance(values[3], np.ndarray)
    assert rnp.eval(low) == 0.0
    assert rnp.eval() == ()
    pair = (low, high)
    assert rnp.eval(*pair) == (0.0, 3.0)


def test_eval_gives_the_same_value_every_time():
    y = make()
    first = y.eval()
    first[:] = 9
    second = y.eval()
    np.testing.assert_array_equal(second, [1, 2, 3])
    np.testing.assert_array_equal((y + 0), [1, 2, 3])
    assert not np.shares_memory(second, y.eval())


def test_eval_of_a_temporary_is_writable():
    with rnp.lazy():
        out = (rnp.asarray(np.arange(1e5)) * 2).eval()
    assert out.flags.writeable
    assert out.flags.c_contiguous
    out += 1
    assert out[1] == 3


def test_a_temporary_below_another_array_stays_right():
    with rnp.lazy():
        x = rnp.asarray(np.arange(5.0))
        y = x * 2
        z = y + 1
    held = [y]
    del y
    out = held.pop().eval()
    out[:] = -1
    np.testing.assert_array_equal(z.eval(), np.arange(5.0) * 2 + 1)


@pytest.mark.parametrize("k", [2, 2.0, 0.5, -1, -1.0, 1, 0, 3, -2, 1.5])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_operator_power_by_numbers(k, dtype):
    x = np.array([0.0, 0.3, 1.0, 2.0, np.inf, np.nan], dtype)
    with np.errstate(all="ignore"):
        wanted = x**k
    with rnp.lazy():
        y = rnp.asarray(x) ** k
    assert y.dtype == wanted.dtype
    np.testing.assert_allclose(y.eval(), wanted, rtol=4e-7)
    if k in (2, 0.5, -1, 1):
        np.testing.assert_array_equal(y.eval(), wanted)


INDICES = [
    0, -1, slice(None), slice(1, None, 2), slice(None, None, -1), slice(10**30, -(10**30), -2),
    slice(-(10**30), 10**30), None, ..., (0, 1), (slice(None), 0), (..., 0), (None, 1, None),
    (slice(None), slice(None, None, -2)), np.int64(1), (slice(2, 1),), (),
]  # fmt: skip


@pytest.mark.parametrize("key", INDICES, ids=str)
def test_basic_indexing(key):
    x = np.arange(12.0).reshape(3, 4)
    with rnp.lazy():
        y = rnp.asarray(x)[key]
        assert isinstance(y, rnp.Array)
    np.testing.assert_array_equal(y.eval(), x[key])
    assert y.shape == x[key].shape


@pytest.mark.parametrize("key", [[0, 2], np.array([True, False, True]), ([0, 1], [1, 2]), True])
def test_gathering_is_numpys(key):
    x = np.arange(12.0).reshape(3, 4)
    with rnp.lazy():
        y = rnp.asarray(x) * 1
        out = y[key]
    np.testing.assert_array_equal(out, x[key])
    out[...] = 7
    np.testing.assert_array_equal(y.eval(), x)


def test_indexing_by_a_lazy_mask():
    x = np.arange(5.0)
    with rnp.lazy():
        y = rnp.asarray(x)
        np.testing.assert_array_equal(y[y > 2], x[x > 2])


def test_views():
    x = np.arange(6.0).reshape(2, 3)
    with rnp.lazy():
        a = rnp.asarray(x)
        pairs = [
            (a.T, x.T),
            (a.reshape(3, 2), x.reshape(3, 2)),
            (a.reshape((3, -1)), x.reshape(3, -1)),
            (a.transpose(1, 0), x.transpose(1, 0)),
            (a.transpose((0, 1)), x),
            (a.ravel(), x.ravel()),
            (a.flatten(), x.flatten()),
            (a[None].squeeze(), x),
            (a[None].squeeze(0), x),
            (rnp.expand_dims(a, (0, -1)), np.expand_dims(x, (0, -1))),
            (rnp.broadcast_to(a, (4, 2, 3)), np.broadcast_to(x, (4, 2, 3))),
            (rnp.squeeze(a), x),
        ]
    for got, wanted in pairs:
        assert got.shape == wanted.shape
        np.testing.assert_array_equal(got.eval(), wanted)


def test_creation():
    cases = [
        (rnp.arange(5), np.arange(5)),
        (rnp.arange(1, 10, 3), np.arange(1, 10, 3)),
        (rnp.arange(0, 1, 0.1), np.arange(0, 1, 0.1)),
        (rnp.arange(5, dtype="float32"), np.arange(5, dtype="float32")),
        (rnp.arange(5, -5, -2), np.arange(5, -5, -2)),
        (rnp.linspace(0, 1), np.linspace(0, 1)),
        (rnp.linspace(-1, 2, 7, endpoint=False), np.linspace(-1, 2, 7, endpoint=False)),
        (rnp.linspace(0, 10, 4, dtype=int), np.linspace(0, 10, 4, dtype=int)),
        (rnp.linspace(0, 1, 1), np.linspace(0, 1, 1)),
        (rnp.zeros(3), np.zeros(3)),
        (rnp.ones((2, 0)), np.ones((2, 0))),
        (rnp.full((2, 2), 7), np.full((2, 2), 7)),
        (rnp.full((2, 2), [1.5, 2]), np.full((2, 2), [1.5, 2])),
        (rnp.full((), np.float32(1)), np.full((), np.float32(1))),
        (rnp.zeros_like(np.ones(2, "int8")), np.zeros_like(np.ones(2, "int8"))),
        (rnp.ones_like([1.5]), np.ones_like([1.5])),
        (rnp.full_like([1, 2], 2.7), np.full_like([1, 2], 2.7)),
        (rnp.zeros_like([1], float, shape=(2,)), np.zeros_like([1], float, shape=(2,))),
    ]
    for got, wanted in cases:
        assert got.dtype == wanted.dtype
        assert got.shape == wanted.shape
        np.testing.assert_array_equal(got, wanted)
    samples, step = rnp.linspace(0, 1, 5, retstep=True)
    assert step == 0.25
    assert samples[1] == 0.25


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_layout_is_read_right(layout, dtype):
    x = layout(np.arange(12).reshape(4, 3).astype(dtype))
    np.testing.assert_array_equal(rnp.add(x, x), np.add(x, x))
    with rnp.lazy():
        y = rnp.asarray(x)
        z = y | y if x.dtype == bool else y + y
    assert y.dtype == x.dtype.newbyteorder("=")
    np.testing.assert_array_equal(y.eval(), x)
    np.testing.assert_array_equal(z.eval(), x | x if x.dtype == bool else x + x)


@pytest.mark.parametrize("shape", [(), (0,), (3, 0), (0, 3), (1, 1, 1), (2,) * 12])
def test_odd_shapes(shape):
    x = np.full(shape, 2.0)
    with rnp.lazy():
        y = rnp.asarray(x) * 3
        s = y.sum()
    assert np.shape(y.eval()) == shape
    assert s.eval() == (x * 3).sum()


def test_long_chains_build_print_and_drop_on_a_small_stack():
    code = (
        "import rnp, threading, numpy as np\n"
        "def work():\n"
        "    with rnp.lazy():\n"
        "        x = rnp.asarray(np.zeros(4, 'float32'))\n"
        "        for _ in range(100_000): x = x + 1.0\n"
        "    assert len(repr(x)) < 20_000\n"
        "    assert x.eval()[0] == 100_000\n"
        "    with rnp.lazy():\n"
        "        for _ in range(100_000): x = x * 2.0\n"
        "    del x\n"
        "threading.stack_size(256 << 10)\n"
        "t = threading.Thread(target=work); t.start(); t.join(); print('done')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout == "done\n", done.stderr


def test_threads_setting():
    before = rnp.get_num_threads()
    try:
        rnp.set_num_threads(3)
        assert rnp.get_num_threads() == 3
        for bad in (0, -1, -(10**30)):
            with pytest.raises(ValueError, match="set_num_threads"):
                rnp.set_num_threads(bad)
        with pytest.raises(TypeError):
            rnp.set_num_threads("2")
    finally:
        rnp.set_num_threads(before)


def test_a_bad_number_of_threads_in_the_environment_is_a_warning():
    code = (
        "import warnings, rnp\n"
        "with warnings.catch_warnings(record=True) as seen:\n"
        "    warnings.simplefilter('always')\n"
        "    assert rnp.add(1, 2) == 3 and rnp.add(2, 2) == 4 and rnp.get_num_threads() >= 1\n"
        "    rnp.add(1, 1)\n"
        "print([w.category.__name__ for w in seen], str(seen[0].message))\n"
    )
    environment = {**os.environ, "RNP_NUM_THREADS": "abc"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)
    assert done.stdout.startswith("['RuntimeWarning']"), done.stderr
    assert "RNP_NUM_THREADS" in done.stdout


def test_an_interrupt_stops_a_long_evaluation():
    code = (
        "import signal, time, numpy as np, rnp\n"
        "with rnp.lazy():\n"
        "    y = rnp.asarray(np.ones(4_000_000))\n"
        "    for _ in range(2000): y = rnp.sin(y)\n"
        "signal.setitimer(signal.ITIMER_REAL, 0.3)\n"
        "signal.signal(signal.SIGALRM, signal.default_int_handler)\n"
        "try:\n"
        "    y.eval()\n"
        "except KeyboardInterrupt:\n"
        "    print('stopped', rnp.is_lazy(), rnp.add(1, 2))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout == "stopped False 3\n", done.stderr


def test_plan_and_explain_name_the_line():
    with rnp.lazy():
        x = rnp.asarray(np.arange(8, dtype="float32"))
        y = rnp.sqrt(x * 2.0) + 1.0
    plan = rnp.plan(y)
    assert plan.loops == 1
    assert plan.temporaries == 0
    assert plan.ops == 3
    assert 0 < plan.bytes_moved < plan.numpy_bytes
    text = rnp.explain(y)
    assert text == y.explain()
    assert "test_lazy.py:" in text
    assert repr(y) == "Array(float32(8,), deferred)"
    with pytest.raises(TypeError, match="explain"):
        rnp.explain(np.zeros(3))


def test_a_report_follows_arrays_beyond_their_block():
    with rnp.lazy() as block:
        y = rnp.asarray(np.ones(100)) * 2
        z = y + 1
    planned = block.report()
    assert (planned.ops, planned.loops) == (2, 1)
    z.eval()
    del y, z
    assert block.report().ops == 2
    with rnp.lazy():
        rnp.eval(rnp.asarray(np.ones(100)) - 1)
    assert block.report().ops == 2, "another's"
