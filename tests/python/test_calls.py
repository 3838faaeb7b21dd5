"""Opaque calls: Python functions in the middle of a graph, run when the value is needed."""

from __future__ import annotations

import functools
import gc
import weakref

import numpy as np
import pytest
import rnp
from conftest import LAYOUTS
from process import child, together

X = np.array([3.0, -1.0, 2.5, 0.0, -7.25, 1.0])


def call(function, *operands, dtype=float, shape=None, name=None, infer=None):
    """Call a function of arrays; its result is like the first operand if nothing else is said."""
    shape = operands[0].shape if shape is None and infer is None else shape
    name = name or getattr(function, "__name__", "f")
    return rnp._core._call(function, operands, dtype, shape, name, infer)


def test_a_call_stands_between_two_loops():
    with rnp.lazy():
        x = rnp.asarray(X)
        y = call(np.sort, x * 2 + 1) / 2
    plan = rnp.plan(y)
    assert (plan.loops, plan.ops) == (2, 4)
    (fallback,) = plan.fallbacks
    assert fallback.startswith("sort (test_calls.py:")
    assert "call sort(buffer 0) -> buffer 1" in plan.text
    assert any("an opaque call (sort) needs it in memory" in cut for cut in plan.cuts)
    assert any(cut.startswith("after sort (test_calls.py:") for cut in plan.cuts)
    # Each of the four ops reads and writes an array, and the call's two are moved either way.
    assert plan.numpy_bytes == 4 * 2 * X.nbytes + 3 * 8
    assert plan.bytes_moved == 3 * 2 * X.nbytes
    np.testing.assert_array_equal(y.eval(), np.sort(X * 2 + 1) / 2)
    assert 'call 0 "sort"' in rnp.explain(call_lazily(np.sort))


def call_lazily(function):
    with rnp.lazy():
        return call(function, rnp.asarray(X) * 2)


def test_nothing_runs_before_it_is_needed_and_then_once():
    ran = []

    def note(x):
        ran.append(x.copy())
        return x + 1

    with rnp.lazy():
        y = call(note, rnp.asarray(X))
        call(note, rnp.asarray(X))
        assert isinstance(y, rnp.Array)
    assert not ran
    for _ in range(2):
        np.testing.assert_array_equal(y.eval(), X + 1)
    assert len(ran) == 1


def test_outside_a_block_it_runs_at_once():
    out = call(np.sort, X)
    assert type(out) is np.ndarray
    np.testing.assert_array_equal(out, np.sort(X))
    out = call(np.median, X, shape=())
    assert type(out) is np.float64
    assert out == np.median(X)


def test_numbers_and_values_of_no_axis_are_arrays():
    with rnp.lazy():
        x = rnp.asarray(X)
        y = x - call(np.median, x * x, shape=())
        z = call(np.quantile, x, 0.25, shape=())
        w = call(np.clip, x, x.min() / 2, np.float32(1), shape=X.shape)
    y, z, w = rnp.eval(y, z, w)
    np.testing.assert_array_equal(y, X - np.median(X * X))
    assert z == np.quantile(X, 0.25)
    np.testing.assert_array_equal(w, np.clip(X, X.min() / 2, np.float32(1)))


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint64", "float16", "float32"])
def test_dtypes_go_in_and_out(dtype):
    x = np.arange(10).astype(dtype)
    with rnp.lazy():
        y = call(np.flip, rnp.asarray(x), dtype=dtype).astype("float64") + 1
    np.testing.assert_array_equal(y.eval(), np.flip(x).astype("float64") + 1)


def test_operands_are_views_that_cannot_be_written(layout):
    x = layout(np.arange(12.0).reshape(3, 4))
    seen = []

    def look(a):
        seen.append(a)
        with pytest.raises(ValueError, match="read-only"):
            a[...] = 0
        with pytest.raises(ValueError, match="WRITEABLE"):
            a.flags.writeable = True
        return np.sort(a, axis=None)

    with rnp.lazy():
        y = call(look, rnp.asarray(x)[:, ::-2], shape=(6,)) * 2
    np.testing.assert_array_equal(y.eval(), np.sort(x[:, ::-2], axis=None) * 2)
    np.testing.assert_array_equal(seen[0], x[:, ::-2])


@pytest.mark.parametrize(
    "give",
    [
        lambda x: x,
        lambda x: x[::-1],
        lambda x: np.asfortranarray(x),
        lambda x: x.astype(">f8"),
        lambda x: np.broadcast_to(x[0], x.shape),
        lambda x: x.view(np.matrix) if x.ndim == 2 else x,
        lambda x: (x + 1)[:, :],
        lambda x: LAYOUTS["misaligned"](x),
        lambda x: rnp.asarray(x, copy=False),
        lambda x: call_lazily(lambda _: x[0].copy() + np.arange(6)) if x.shape == (6,) else x,
    ],
)
def test_whatever_is_returned_becomes_an_array_of_its_own(give):
    x = np.arange(6.0).reshape(2, 3)
    with rnp.lazy():
        y = call(give, rnp.asarray(x))
        z = y + 1
    want = np.asarray(give(x))
    y, z = rnp.eval(y, z)
    np.testing.assert_array_equal(y, want)
    np.testing.assert_array_equal(z, want + 1)
    y[...] = 0
    np.testing.assert_array_equal(x, np.arange(6.0).reshape(2, 3))


def test_a_result_that_the_function_keeps_is_not_shared():
    kept = []

    def keep(x):
        kept.append(x + 1)
        kept.append(x)
        return kept[0]

    with rnp.lazy():
        y = call(keep, rnp.asarray(X) * 1)
    out = y.eval()
    out[:] = 9
    np.testing.assert_array_equal(kept[0], X + 1)
    kept[0][:] = 8
    np.testing.assert_array_equal(y.eval(), X + 1)
    np.testing.assert_array_equal(kept[1], X)


def test_what_is_new_is_handed_over_without_a_copy():
    places = []

    def make(x):
        out = np.sort(x)
        places.append(out.ctypes.data)
        return out

    big = np.random.default_rng(1).random(100_000)
    with rnp.lazy():
        out = call(make, rnp.asarray(big) * 2).eval()
    assert out.ctypes.data == places[0]
    assert out.flags.writeable


class OddError(Exception):
    """Somebody's own exception."""


def test_an_exception_reaches_the_user_as_it_is_with_a_note():
    error = OddError("on purpose")

    def fail(_):
        raise error

    with rnp.lazy():
        y = call(fail, rnp.asarray(X) * 2, name="sort") + 1
    for _ in range(2):
        with pytest.raises(OddError) as caught:
            y.eval()
        assert caught.value is error
        (note,) = error.__notes__
        assert note.startswith("rnp: in sort, recorded at test_calls.py:")
    assert "fail" in [entry.name for entry in caught.traceback]
    with pytest.raises(OddError) as caught:
        call(fail, X, name="sort")
    assert caught.value is error
    # The engine is as it was.
    np.testing.assert_array_equal(call(np.sort, X), np.sort(X))


@pytest.mark.parametrize(
    ("give", "error", "match"),
    [
        (lambda x: x.astype("float32"), ValueError, r"returned float32 of shape \(6,\), "),
        (lambda x: x[1:], ValueError, r"shape \(5,\), where float64 of shape \(6,\)"),
        (lambda x: x * 1j, ValueError, r"returned complex128 of shape \(6,\), "),
        (lambda x: x.astype("M8[s]"), TypeError, "datetime64.* is not supported"),
        (lambda _: None, TypeError, "NoneType is not supported"),
        (lambda _: "text", TypeError, "is not supported"),
    ],
)  # fmt: skip
def test_a_result_that_was_not_announced_is_an_error(give, error, match):
    with rnp.lazy():
        y = call(give, rnp.asarray(X), name="odd") + 1
    with pytest.raises(error, match=f"odd: .*{match}"):
        y.eval()


def test_arguments_are_checked_on_the_line_of_the_call():
    with rnp.lazy():
        with pytest.raises(TypeError, match="odd: a dtype and a shape, or infer"):
            rnp._core._call(np.sort, [X], None, None, "odd")
        with pytest.raises(TypeError, match=r"longdouble|float128"):
            call(np.sort, X.astype("longdouble"), name="odd")
        with pytest.raises(TypeError, match="not supported"):
            call(np.sort, X, dtype="longdouble")
        with pytest.raises(ValueError, match="too many elements"):
            call(np.sort, X, shape=(2**62, 4))
        with pytest.raises(ValueError, match="axes"):
            call(np.sort, X, shape=(1,) * 65)
        with pytest.raises(ZeroDivisionError):
            call(np.sort, X, dtype=None, infer=lambda *_: 1 / 0)


def test_the_function_may_use_rnp_itself():
    def nested(x):
        assert not rnp.is_lazy()
        at_once = rnp.sum(x)
        assert type(at_once) is np.float64
        with rnp.lazy():
            return call(np.sort, rnp.asarray(x) * 2) + at_once

    want = np.sort(X * 3 * 2) + (X * 3).sum() + 1
    with rnp.lazy():
        y = call(nested, rnp.asarray(X) * 3) + 1
        np.testing.assert_array_equal(y.eval(), want)
        assert rnp.is_lazy()


def test_many_threads_evaluate_at_once():
    def nested(x):
        with rnp.lazy():
            return call(np.sort, rnp.asarray(x) * 2).eval()

    with rnp.lazy():
        shared = call(nested, rnp.asarray(X) + 1) - 1

    def work(k):
        for _ in range(20):
            with rnp.lazy():
                y = call(nested, rnp.asarray(X) + k) - 1
            np.testing.assert_array_equal(y.eval(), np.sort((X + k) * 2) - 1)
            np.testing.assert_array_equal(shared.eval(), np.sort((X + 1) * 2) - 1)

    together(work, 6)


def test_equal_functions_share_a_plan_and_are_both_called():
    with rnp.lazy():
        x = rnp.asarray(X)
        a = call(lambda x: x + 1, x, name="f")
        b = call(lambda x: x + 2, x, name="f")
    a, b = rnp.eval(a, b)
    np.testing.assert_array_equal(a, X + 1)
    np.testing.assert_array_equal(b, X + 2)
    for k in range(5):
        with rnp.lazy():
            y = call(functools.partial(np.add, k), rnp.asarray(X), name="f") * 2
        np.testing.assert_array_equal(y.eval(), (X + k) * 2)


@pytest.mark.parametrize("infers", [False, True])
def test_jit_serves_several_lengths(infers):
    @rnp.jit
    def chain(x, gain):
        x = x * gain
        if infers:
            s = call(np.sort, x, dtype=None, infer=lambda x: x)
            return s + 1, call(np.max, s, dtype=None, infer=lambda x: (x[0], ()))
        return call(np.sort, x) + 1, call(np.max, x, shape=())

    for x in (X, X[:4], np.tile(X, 1000), X[2:], X):
        for gain in (2.0, -1.0):
            y, top = chain(x, gain)
            np.testing.assert_array_equal(y, np.sort(x * gain) + 1)
            assert top == (x * gain).max()
    assert chain.traces == (1 if infers else 3)


def test_jit_with_infer_traces_once_and_raises_what_infer_raises():
    def infer(operand):
        dtype, (n,) = operand
        if n == 3:
            raise OddError("three")
        return ("float32" if n == 5 else dtype), (n // 2,)

    @rnp.jit
    def half(x):
        return rnp._core._call(lambda a: a[: len(a) // 2], [x], None, None, "half", infer) * 2

    for n in (4, 6, 2, 6):
        np.testing.assert_array_equal(half(X[:n]), X[: n // 2] * 2)
    assert half.traces == 1
    with pytest.raises(OddError, match="three"):
        half(X[:3])
    with pytest.raises(rnp.TraceError, match="half: gives float32 for these lengths, but float64"):
        half(X[:5])
    assert half.traces == 1


def test_a_function_is_let_go_with_its_graph_and_when_it_was_evaluated():
    class Function:
        def __call__(self, x):
            return np.sort(x)

    def watched(evaluate):
        function = Function()
        with rnp.lazy():
            y = call(function, rnp.asarray(X) * 2) + 1
        if evaluate:
            y.eval()
        return y, weakref.ref(function)

    y, watch = watched(evaluate=False)
    gc.collect()
    assert watch() is not None
    del y
    gc.collect()
    assert watch() is None
    y, watch = watched(evaluate=True)
    gc.collect()
    assert watch() is None
    assert y.eval().shape == X.shape


def test_operands_of_a_function_that_keeps_nothing_are_let_go():
    seen = []

    def look(x):
        seen.append(weakref.ref(x))
        return np.sort(x)

    with rnp.lazy():
        y = call(look, rnp.asarray(X) * 2) + 1
    y.eval()
    gc.collect()
    assert seen[0]() is None


@pytest.mark.parametrize("native", [False, True])
def test_control_c_during_a_call_stops_it_and_leaves_the_engine_usable(native):
    # While NumPy works no Python runs: the signal is seen when it is done.
    child(f"""
    def stuck(x):
        threading.Timer(0.2, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
        for _ in range(1000):
            np.sort(np.arange(300_000.0) % 7) if {native} else time.sleep(0.01)
        return x
    with rnp.lazy():
        y = rnp._core._call(stuck, [rnp.asarray(np.ones(5)) * 2], float, (5,), "stuck") + 1
    start = time.monotonic()
    try:
        y.eval()
    except KeyboardInterrupt as e:
        assert "rnp: in stuck" in e.__notes__[0], e.__notes__
    else:
        raise SystemExit("not interrupted")
    assert time.monotonic() - start < 3
    assert chain(np.ones(3)).eval().shape == (3,)
    """)


def test_a_call_that_forks_goes_on_in_both_processes():
    child("""
    def forking(x):
        global pid
        pid = os.fork()
        return np.sort(x)
    big = np.arange(3_000_000.0)[::-1].copy()
    assert chain(big).eval().shape == big.shape  # helpers run
    with rnp.lazy():
        y = rnp._core._call(forking, [rnp.asarray(big) * 2], float, big.shape, "forking") + 1
    out = y.eval()
    right = bool((out == np.sort(big * 2) + 1).all())
    if pid == 0:
        os._exit(0 if right else 1)
    assert right and os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    """)


def test_equal_calls_run_once():
    x = np.linspace(1, 0, 50)
    with rnp.lazy():
        y = rnp.asarray(x) * 2
        same = [rnp.sort(y), rnp.sort(y), rnp.sort(y, axis=-1), rnp.sort(y, -1)]
        other = [rnp.argsort(y), rnp.sort(y, kind="stable"), rnp.sort(y + 1)]
        same += [np.sort(y, axis=-1, kind=None), np.sort(a=y, order=None), rnp.sort(y, stable=None)]
        assert len(rnp.plan(*same).fallbacks) == 1, "however they are written"
        assert len(rnp.plan(same[0], *other).fallbacks) == 4
        means = [np.mean(y), rnp.mean(y), y.mean(), y.mean(axis=None), np.mean(y, keepdims=False)]
        one, all_of_them = rnp.plan(means[0]), rnp.plan(*means)
        assert (all_of_them.loops, all_of_them.bytes_moved) == (one.loops, one.bytes_moved)
        scans = [rnp.cumsum(y), rnp.cumsum(y, axis=0), rnp.add.accumulate(y), y.cumsum(0)]
        assert rnp.plan(*scans).text.count("call cumsum") == 1
        assert rnp.plan(*scans).fallbacks == []
    for got in rnp.eval(*same):
        assert (got == np.sort(2 * x)).all()
