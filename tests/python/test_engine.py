"""The engine in its process: threads, forks, signals, sizes, memory that runs out."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
import rnp
from process import child


def work(n=400_000, dtype="float32"):
    """Return a graph with maps and reductions over n elements."""
    x = np.random.default_rng(1).normal(size=n).astype(dtype)
    with rnp.lazy():
        y = rnp.asarray(x)
        z = rnp.tanh(y * 3) - y.mean()
        return z, z.sum(), z.max(), (z / rnp.abs(z).max()).std(), rnp.argmin(z)


# -- threads


def test_any_number_of_threads_gives_the_same_bytes():
    before, seen = rnp.get_num_threads(), set()
    try:
        for n in (1, 2, 3, 7):
            rnp.set_num_threads(n)
            seen.add(b"".join(np.asarray(v).tobytes() for v in rnp.eval(*work())))
    finally:
        rnp.set_num_threads(before)
    assert len(seen) == 1


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_pieces_of_folds_give_the_same_bytes(dtype):
    """They are smaller than one thread's runs, and in a loop a helper is awake for short ones."""

    @rnp.jit
    def meters(x):
        return rnp.sum(x), rnp.mean(x * x), rnp.min(x), rnp.max(x), rnp.max(rnp.abs(x))

    before = rnp.get_num_threads()
    try:
        for n in (40_000, 75_001, 80_000, 131_071, 131_072, 262_145):
            x, seen = np.random.default_rng(n).normal(size=n).astype(dtype), set()
            for threads in (1, 2, 3):
                rnp.set_num_threads(threads)
                for _ in range(100 if n == 40_000 else 2):
                    seen.add(b"".join(np.asarray(v).tobytes() for v in meters(x)))
            assert len(seen) == 1, n
    finally:
        rnp.set_num_threads(before)


def test_threads_share_graphs_and_kernels():
    shared = work(50_000)
    want = [v.tobytes() for v in rnp.eval(*work(50_000))]
    wrong = []

    def run(k):
        for i in range(10):
            mine = shared if i % 2 else work(50_000)
            order = mine[k % 5 :] + mine[: k % 5]
            got = rnp.eval(*order)
            got = got[-(k % 5) :] + got[: -(k % 5)] if k % 5 else got
            if [v.tobytes() for v in got] != want:
                wrong.append((k, i))

    threads = [threading.Thread(target=run, args=(k,)) for k in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(60)
    assert not any(t.is_alive() for t in threads)
    assert not wrong


def test_the_gil_is_released():
    before = rnp.get_num_threads()
    rnp.set_num_threads(1)
    ticks, stop = [], threading.Event()

    def tick():
        while not stop.is_set():
            ticks.append(time.perf_counter())
            time.sleep(0.001)

    x = np.ones(6_000_000)
    rnp.eval(chain_of(x, 20))
    thread = threading.Thread(target=tick)
    thread.start()
    try:
        begin = time.perf_counter()
        rnp.eval(chain_of(x, 20))
        end = time.perf_counter()
    finally:
        stop.set()
        thread.join()
        rnp.set_num_threads(before)
    assert end - begin > 0.05
    assert sum(begin < t < end for t in ticks) > 5


def chain_of(x, n):
    """Return a graph of n dear ops."""
    with rnp.lazy():
        y = rnp.asarray(x, copy=False)
        for _ in range(n):
            y = rnp.sin(y)
    return y


def test_no_thread_is_started_at_import():
    child("""
        before = threads()
        import importlib
        assert before == threads() == 1, threads()
        chain(np.ones(10)).eval()
        assert threads() == 1, threads()
    """, OPENBLAS_NUM_THREADS="1")  # fmt: skip


@pytest.mark.parametrize(
    ("value", "warned"),
    [("", 0), ("abc", 1), ("-1", 1), ("0", 1), ("999999999", 1), ("2", 0)],
)
def test_the_variable_for_threads(value, warned):
    done = child("""
        warnings.simplefilter("always")
        with warnings.catch_warnings(record=True) as seen:
            n = rnp.get_num_threads()
            for _ in range(3):
                out = chain(np.ones(3_000_000)).eval()
        assert 1 <= n <= 600, n
        assert threads() < 600, threads()
        assert np.isfinite(out).all()
        print(n, len([w for w in seen if "RNP_NUM_THREADS" in str(w.message)]))
    """, RNP_NUM_THREADS=value)  # fmt: skip
    n, warnings = map(int, done.stdout.split())
    assert warnings == warned
    assert value != "2" or n == 2


# -- forks and signals


def test_fork_after_use_and_while_busy():
    child("""
        warnings.simplefilter("ignore")
        rnp.set_num_threads(3)
        x = np.random.default_rng(0).normal(size=300_000)
        want = chain(x).eval().tobytes()
        graph = chain(x)
        stop = []
        def busy():
            while not stop:
                assert chain(x).eval().tobytes() == want
        runners = [threading.Thread(target=busy, daemon=True) for _ in range(2)]
        for t in runners:
            t.start()
        for _ in range(12):
            pid = os.fork()
            if pid == 0:
                signal.alarm(20)
                ok = graph.eval().tobytes() == want and chain(x).eval().tobytes() == want
                ok = ok and chain(x[:1000] * 2).eval().shape == (1000,)
                os._exit(0 if ok else 3)
            assert os.waitpid(pid, 0)[1] == 0
            time.sleep(0.01)
        stop.append(1)
        for t in runners:
            t.join(20)
        assert not any(t.is_alive() for t in runners)
        assert graph.eval().tobytes() == want
    """)


def test_fork_before_use_and_in_a_pool():
    child("""
        import multiprocessing as mp
        def job(n):
            return float(chain(np.arange(float(n))).eval().sum())
        want = [job(n) for n in (10, 100_000)]
        with mp.get_context("fork").Pool(2) as pool:
            assert pool.map(job, [10, 100_000]) == want
    """)


@pytest.mark.parametrize("threads", [1, 2])
def test_ctrl_c_in_a_long_evaluation(threads):
    done = child(f"""
        rnp.set_num_threads({threads})
        x = np.ones(20_000_000)
        with rnp.lazy():
            y = rnp.asarray(x, copy=False)
            for _ in range(300):
                y = rnp.sin(y)
            y = y.sum()
        start = []
        def interrupt():
            time.sleep(0.7)
            start.append(time.perf_counter())
            os.kill(os.getpid(), signal.SIGINT)
        threading.Thread(target=interrupt).start()
        try:
            y.eval()
        except KeyboardInterrupt:
            print(time.perf_counter() - start[0])
        else:
            print("was not interrupted")
        assert chain(x[:300_000]).eval().shape == (300_000,)
    """)
    assert float(done.stdout) < 2


def test_a_signal_handler_that_evaluates():
    child("""
        x = np.random.default_rng(0).normal(size=200_000)
        graph, want, count = chain(x), chain(x).eval().tobytes(), []
        def handler(*_):
            count.append(chain(x[:5000]).eval()[0])
            graph.eval()
        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, 0.005, 0.005)
        end = time.perf_counter() + 1.5
        while time.perf_counter() < end:
            assert chain(x).eval().tobytes() == want
        signal.setitimer(signal.ITIMER_REAL, 0)
        assert len(count) > 5
        assert graph.eval().tobytes() == want
    """)


def test_an_error_in_a_signal_handler_comes_through():
    child("""
        def handler(*_):
            raise RuntimeError("mine")
        signal.signal(signal.SIGALRM, handler)
        with rnp.lazy():
            y = rnp.asarray(np.ones(10_000_000), copy=False)
            for _ in range(200):
                y = rnp.cos(y)
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        try:
            y.eval()
        except RuntimeError as e:
            assert str(e) == "mine"
        else:
            raise AssertionError("nothing was raised")
    """)


def test_exit_with_a_busy_daemon_thread():
    child("""
        def busy():
            while True:
                chain(np.ones(1_000_000)).eval()
        for _ in range(2):
            threading.Thread(target=busy, daemon=True).start()
        time.sleep(0.3)
    """)


# -- size


def test_a_long_chain_on_a_small_stack():
    out = []

    def run():
        with rnp.lazy():
            y = rnp.asarray(np.array([0.5, 1.5], "float32"))
            for i in range(100_000):
                y = y + 1 if i % 2 else y - 1
        assert len(repr(y)) < 20_000
        out.append(y.eval())
        del y
        with rnp.lazy():
            y = rnp.asarray(np.ones(3))
            for _ in range(300_000):
                y = -y
        del y
        out.append(1)

    begin = time.perf_counter()
    before = threading.stack_size(256 * 1024)
    try:
        thread = threading.Thread(target=run)
        thread.start()
    finally:
        threading.stack_size(before)
    thread.join(120)
    assert len(out) == 2
    assert out[0].tolist() == [0.5, 1.5]
    assert time.perf_counter() - begin < 60


def test_sharing_costs_once():
    with rnp.lazy():
        y = rnp.asarray(np.array([2.0**-1000]))
        for _ in range(1000):
            y = y + y
        a, b = rnp.asarray(np.ones(1)), rnp.asarray(np.ones(1))
        for _ in range(500):
            a, b = b, a + b
    assert y.eval().tolist() == [1.0]
    assert b.eval()[0] > 1e100


def test_wide_graphs():
    rng = np.random.default_rng(2)
    xs = [rng.normal(size=5) for _ in range(3000)]
    with rnp.lazy():
        total = rnp.asarray(xs[0])
        for x in xs[1:]:
            total = total + x
        many = [rnp.asarray(xs[0]) * i for i in range(1000)]
        level = [rnp.asarray(xs[0]) + i for i in range(4096)]
        while len(level) > 1:
            level = [a + b for a, b in zip(level[::2], level[1::2], strict=True)]
    want = xs[0]
    for x in xs[1:]:
        want = want + x
    assert total.eval().tobytes() == want.tobytes()
    for i, v in enumerate(rnp.eval(*many)):
        assert v.tobytes() == (xs[0] * i).tobytes()
    np.testing.assert_allclose(level[0].eval(), xs[0] * 4096 + 4095 * 2048)


@pytest.mark.parametrize("shape", [(2**31, 2**31), (2**62,), (2**33, 2**33, 0, 2**40), 2**45])
def test_huge_shapes_fail_at_once(shape):
    begin = time.perf_counter()
    with pytest.raises((ValueError, MemoryError)), rnp.lazy():
        (rnp.ones(shape) + 1).eval()
    with pytest.raises((ValueError, MemoryError)):
        rnp.zeros(shape)
    assert time.perf_counter() - begin < 1
    with rnp.lazy():
        assert (rnp.ones(3) + 1).sum().eval() == 6


def test_huge_reductions_need_no_memory():
    with rnp.lazy():
        x = rnp.broadcast_to(rnp.asarray(np.int8(1)), (2**16, 2**16))
        assert x.shape == (2**16, 2**16)
    with pytest.raises(MemoryError), rnp.lazy():
        rnp.broadcast_to(rnp.asarray(np.ones(1)), (2**44,)).copy().eval()


def test_out_of_memory_is_an_error_and_no_end():
    child("""
        import resource
        chain(np.ones(1000)).eval()
        x = np.ones(8_000_000)
        used = int(open("/proc/self/statm").read().split()[0]) * os.sysconf("SC_PAGESIZE")
        resource.setrlimit(resource.RLIMIT_AS, (used + 32 * 2**20, resource.RLIM_INFINITY))
        for _ in range(3):
            with rnp.lazy():
                y = rnp.asarray(x, copy=False) + 1.0
            try:
                y.eval()
            except MemoryError:
                pass
            else:
                raise AssertionError("there was memory")
            assert chain(np.ones(1000)).eval().shape == (1000,)
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert y.eval()[-1] == 2
    """)


def test_sigint_keeps_its_handler():
    child("""
        rnp.set_num_threads(2)
        assert chain(np.ones(3_000_000)).eval().shape == (3_000_000,)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    """)


def test_loops_read_no_byte_behind_an_array():
    """Each array ends where memory ends that may be read."""
    child("""
        import ctypes, itertools, mmap
        libc = ctypes.CDLL(None, use_errno=True)
        memory = mmap.mmap(-1, 2 * mmap.PAGESIZE)
        start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
        behind = ctypes.c_void_p(start + mmap.PAGESIZE)
        assert libc.mprotect(behind, mmap.PAGESIZE, 0) == 0
        dtypes = ["i1", "u1", "i2", "u2", "i4", "i8", "f4", "f8"]
        for first, middle, last in itertools.product(dtypes, repeat=3):
            n = 67
            offset = mmap.PAGESIZE - n * np.dtype(first).itemsize
            x = np.frombuffer(memory, first, n, offset)
            f = rnp.jit(lambda x: (x.astype(middle) * 3).astype(last))
            for _ in range(40):
                got = f(x)
            np.testing.assert_array_equal(got, (x.astype(middle) * 3).astype(last))
    """)
