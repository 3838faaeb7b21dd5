"""A result is what NumPy would have given when the line ran, whatever is written afterwards."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
import rnp
from conftest import LAYOUTS


@pytest.mark.parametrize("name", [n for n in LAYOUTS if n not in ("read-only", "broadcast")])
def test_an_input_written_after_capture(name):
    x = LAYOUTS[name](np.arange(6.0).reshape(2, 3))
    with rnp.lazy():
        y = rnp.asarray(x) * 2
        z = rnp.add(x, 1)
    x[...] = -1
    np.testing.assert_array_equal(y.eval(), np.arange(6.0).reshape(2, 3) * 2)
    np.testing.assert_array_equal(z.eval(), np.arange(6.0).reshape(2, 3) + 1)


def test_written_through_the_base_of_a_read_only_view():
    base = np.arange(5.0)
    view = base[:]
    view.flags.writeable = False
    with rnp.lazy():
        y = rnp.asarray(view) + 0
        wide = rnp.asarray(np.broadcast_to(base, (2, 5))) + 0
    base[:] = 9
    np.testing.assert_array_equal(y.eval(), np.arange(5.0))
    np.testing.assert_array_equal(wide.eval()[1], np.arange(5.0))


def test_a_buffer_refilled_per_block():
    buffer, kept = np.empty(4), []
    with rnp.lazy():
        for i in range(5):
            buffer[:] = i
            kept.append(rnp.asarray(buffer) + 0)
    for i, y in enumerate(kept):
        assert y.eval().tolist() == [i] * 4


def test_bytearray_memory_is_copied_and_bytes_are_not():
    raw = bytearray(np.arange(4.0).tobytes())
    with rnp.lazy():
        y = rnp.asarray(np.frombuffer(raw)) + 0
        z = rnp.asarray(memoryview(raw).cast("d")) + 0
    raw[:] = bytes(len(raw))
    np.testing.assert_array_equal(y.eval(), np.arange(4.0))
    np.testing.assert_array_equal(z.eval(), np.arange(4.0))
    fixed = np.frombuffer(np.arange(4.0).tobytes())
    with rnp.lazy():
        kept = rnp.asarray(fixed[::2].reshape(2, 1))
    assert np.shares_memory(kept.__array__(copy=False), fixed)


def test_copy_keyword():
    x = np.arange(4.0)
    fixed = np.frombuffer(x.tobytes())
    with rnp.lazy():
        promised = rnp.asarray(x, copy=False)
        copied = rnp.asarray(x, copy=True)
        always = rnp.asarray(fixed, copy=True)
        for bad in ([1.0], x.astype(">f8"), (1, 2)):
            with pytest.raises(ValueError, match="copy=False"):
                rnp.asarray(bad, copy=False)
    assert np.shares_memory(promised.__array__(copy=False), x)
    assert not np.shares_memory(copied.__array__(copy=False), x)
    assert not np.shares_memory(always.__array__(copy=False), fixed)
    # Outside of a block it is NumPy's.
    assert rnp.asarray(x, copy=False) is x
    assert rnp.asarray(x) is x


def test_a_promised_input_stays_alive():
    x = np.arange(1000.0)
    gone = weakref.ref(x)
    with rnp.lazy():
        y = rnp.asarray(x, copy=False) + 1
    del x
    gc.collect()
    assert gone() is not None
    assert y.eval()[-1] == 1000.0
    del y
    gc.collect()
    assert gone() is None


def test_one_unchanged_input_is_read_once():
    x = np.random.default_rng(0).normal(size=(50, 2))
    for view in (x, x[:, 0], x[::-1], x.T):
        with rnp.lazy():
            a, b = rnp.asarray(view), rnp.asarray(view)
        same = [v.__array__(copy=False) for v in (a, b)]
        assert np.shares_memory(*same)
    with rnp.lazy():
        a = rnp.asarray(x)
        x[3, 1] += 1
        b = rnp.asarray(x)
    assert a.eval()[3, 1] + 1 == b.eval()[3, 1]


def test_results_share_no_memory():
    x = np.arange(1e5)
    with rnp.lazy():
        a = rnp.asarray(x)
        b = a + 0
        c = a + 0
        d = a.reshape(10, -1)
    values = [*rnp.eval(a, b, c, d, b), a.eval(), b.eval(), rnp.eval(b)]
    values += [rnp.positive(x), np.asarray(a), b.to_numpy()]
    for i, one in enumerate(values):
        assert not np.shares_memory(one, x)
        assert one.flags.writeable
        for other in values[:i]:
            assert not np.shares_memory(one, other)


def test_a_view_of_the_kept_value_cannot_be_written():
    with rnp.lazy():
        y = rnp.asarray(np.arange(3.0)) + 1
    view = y.__array__(copy=False)
    assert not view.flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        view[0] = 1
    with pytest.raises(ValueError, match="WRITEABLE"):
        view.flags.writeable = True


def test_inputs_of_eager_calls_are_let_go():
    x = np.arange(10.0)
    gone = weakref.ref(x)
    out = rnp.sqrt(x)
    del x
    gc.collect()
    assert gone() is None
    assert out[4] == 2


def test_a_resized_input():
    x = np.arange(1000.0)
    with rnp.lazy():
        y = rnp.asarray(x) + 0
    x.resize(1, refcheck=False)
    assert y.eval()[-1] == 999


def test_overlapping_frames_are_copied_as_the_signal_that_they_cover():
    # 2 GiB of frames over 4 MB of signal.
    signal = np.arange(2**19, dtype="float64")
    frames = np.lib.stride_tricks.sliding_window_view(signal, 512)
    backwards = frames[::-1, ::-1]
    with rnp.lazy():
        hops = rnp.asarray(frames)[::4096].sum(axis=1)
        turned = rnp.asarray(backwards)[::4096, 5]
        wanted = frames[::4096].sum(axis=1), backwards[::4096, 5].copy()
        signal[:] = 0  # what was captured stays
    np.testing.assert_array_equal(hops.eval(), wanted[0])
    np.testing.assert_array_equal(turned.eval(), wanted[1])


def test_a_copy_by_asarray_is_one():
    for n in (1, 5000):
        with rnp.lazy():
            x = rnp.ones(n)
            for copied in (
                rnp.asarray(x, copy=True),
                rnp.asarray(x, dtype=x.dtype, copy=True),
                rnp.array(x),
                rnp.array(x, copy=True),
            ):
                assert copied is not x
                copied += 1
                x[0] = 5
                x[0] = 1
                assert (float(x.max()), float(copied.min())) == (1, 2)
            assert rnp.asarray(x) is x
