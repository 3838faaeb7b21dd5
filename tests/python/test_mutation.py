"""Writing: in-place operators, item assignment, views, `out=`: the same statements as NumPy.

Each program is run with NumPy's arrays and with deferred ones; afterwards all its arrays are
compared.
"""

import numpy as np
import pytest
import rnp

# Statements on x (float64, 24), m (float32, 4 x 6), n (int16, 24), k (bool, 24), and np.
PROGRAMS = {
    "in-place arithmetic": "x *= 2.5; x += n; x -= 1; x /= 3; m **= 2; n //= 3; n %= 7",
    "in-place on integers wraps": "n *= 3000; n <<= 2; n ^= 5; n |= 1; n &= 1023; n >>= 1",
    "in-place of bool": "k &= x > 0; k |= n > 3; k ^= True",
    "an alias sees the write": "y = x; y *= 2; z = x + 1",
    "an expression made before does not": "y = x + 1; x *= 2",
    "a copy does not": "y = x.copy(); x[3] = 7.0",
    "one element": "x[5] = 3; m[1, 2] = -1; m[-1, -1] = 9; n[0] = 300",
    "one element by an array": "x[5] = np.array(3.0); m[0, 1, ...] = x[:1]; x[None, 4] = [1.0]",
    "a float into an integer": "n[0] = 3.9; n[1] = -3.9; n[2:4] = 32767.9",
    "a float that is copied need not fit": "np.copyto(n, 1e6, casting='unsafe')",
    "a slice": "x[3:9] = 1.5; m[1:3, 2:] = 0; n[::2] = -1",
    "a slice by an array": "x[3:9] = np.arange(6); m[:, 1] = x[:4]",
    "a slice, scaled": "x[3:9] *= 0.5; m[1:3] += 10; m[:, ::2] -= 1",
    "the last axis": "m[..., ::2] = 0; m[..., 1:3] *= 2",
    "a reversed slice": "x[::-1] = np.arange(24); x[10:2:-2] = -1",
    "iteration gives views": "for row in m: row[:] = row[::-1]; row += 1",
    "channels by iteration": "a, b = m[:2]; a *= 0.5; b[0] = 9",
    "columns by iteration": "for c in m.T: c -= c[0]",
    "ravel of a strided slice is a copy": "m[:, ::2].ravel()[0] = 4; x[::2].ravel()[:] = 9",
    "ravel of rows is a view": "m[1:3].ravel()[0] = 4; x[2:6].ravel()[:] = 9",
    "a view of all": "x.view()[3] = 5; v = m.view(); v *= 2",
    "out where of another dtype": "np.add(n, 0.5, out=n, where=k, casting='unsafe')",
    "rows": "for i in range(4): m[i] = m[i] * i",
    "rows one from another": "for i in range(1, 4): m[i] += m[i - 1]",
    "overlapping, old values": "b = x.copy(); b[1:] -= 0.9 * b[:-1]",
    "shifted onto itself": "x[1:] = x[:-1]",
    "reversed onto itself": "x[:] = x[::-1]",
    "swapped halves": "m[:2], m[2:] = m[2:].copy(), m[:2].copy()",
    "a view writes its base": "v = x[10:20]; v *= 2",
    "a view of a view": "v = x[4:20][::2]; w = v[1:3]; w[:] = -5; v += 1",
    "a view sees its base's writes": "v = x[10:20]; x[:15] = 0; w = v + 1",
    "a view taken before a whole write": "v = x[2:4]; x *= 3; y = v * 1",
    "two views that overlap": "v = x[:10]; w = x[5:15]; v += 1; w *= 2; v -= 3",
    "a transposed view": "t = m.T; t[2] = 7; t *= 2; t[1:3, ::-1] += m[::-1, 1:3].T",
    "a reshaped view": "r = x.reshape(4, 6); r[1] = 0; r[:, 2] += 1; r.reshape(-1)[3] = 8",
    "a reshape that copies": "r = m.T.reshape(-1); r[:] = 0",
    "ravel is a view": "r = m.ravel(); r[::5] = 1",
    "flatten is a copy": "r = m.flatten(); r[::5] = 1",
    "an element is a value": "a = x[3]; x[3] = 100.0; b = a + 1",
    "a sum is a value": "a = x.sum(); b = a; a += 1",
    "an element in place rebinds": "a = x[3]; a *= 2",
    "squeezed": "s = m[1:2].squeeze(); s[:] = 4",
    "a new axis": "s = x[:, None]; s[2:5] = 4; s *= 2",
    "ellipsis": "x[...] = 3; m[()] = 4",
    "a mask": "x[x > 0] = -1; m[m < 0] = 0; n[k] = 7",
    "a mask, scaled": "x[x > 0] *= 2",
    "a mask, by an array": "x[k] = np.arange(np.count_nonzero(k))",
    "a mask of the first axis": "m[np.array([True, False, True, False])] = 5",
    "a mask of rows by a row": "m[np.array([True, False, True, False])] = np.arange(6)",
    "indices": "x[[3, 1, 3]] = [1.0, 2.0, 3.0]; m[[0, 2], [1, 1]] = 9; m[:, [0, 5]] = 1",
    "indices, scaled": "x[np.array([3, 1, 8])] += 10",
    "indices and slices": "m[[0, 3], 1:3] = [[1, 2], [3, 4]]",
    "a masked gather": "y = x[x > 0]; z = y * 2",
    "gathers": "y = x[[3, 3, -1]]; z = m[[0, 1]][:, [2, 4]]; w = m[[1, 2], ::2]",
    "gathers beside a new axis": "u = m[:, None, [1]]",
    "gather by an expression": "y = x[n % 24]",
    "masked then written": "x[x < 0] = 0; y = x * 2; x[k] = 1",
    "out of a ufunc": "np.add(x, 1, out=x); np.multiply(m, 2, m); np.sqrt(np.abs(x), out=x)",
    "out of another dtype": "np.add(m, 1, out=x[:24].reshape(4, 6))",
    "out into a view": "np.negative(x[:6], out=x[6:12])",
    "out where": "np.add(x, 1, out=x, where=k)",
    "out returns itself": "y = np.add(x, 1, out=x); y[0] = 77",
    "copyto": "np.copyto(x, n); np.copyto(m, 5, where=m > 0); np.copyto(x[:4], m[:, 0])",
    "put": "np.put(x, [0, 30 % 24, -1], [1, 2]); x.put([5], 9)",
    "putmask and place": "np.putmask(x, x > 0, -1); np.place(m, m > 0, [1, 2, 3])",
    "fill": "x.fill(2); m[1].fill(3)",
    "fill_diagonal": "np.fill_diagonal(m, 5)",
    "sort in place": "x.sort(); m.sort(axis=0)",
    "flat": "m.flat[3] = 5; m.flat[::7] = -1; m.flat[[1, 2]] = [8, 9]",
    "at": "np.add.at(x, [1, 1, 2], 10)",
    "a list of writes": "y = np.zeros(8); y[:4] = x[:4]; y[4:] = 1; y *= 2; y[::2] += y[1::2]",
    "preallocated": "y = np.empty((3, 4)); y[0] = 1; y[1:] = x[:8].reshape(2, 4)",
    "zeros_like": "y = np.zeros_like(x); y[2:5] = x[2:5]; x[2:5] = 0",
    "full then negative strides": "y = np.full((4, 6), 2.0); y[::-1, ::-2] = m[:, :3]",
    "unsafe assignment": "n[:] = x; n[3:5] = 2.9; k[:] = x",
    "broadcast into rows": "m[:] = np.arange(6); m[:, :] = np.arange(4)[:, None]",
    "empty slices": "x[5:5] = 3; x[30:] = 1; m[:0] *= 2",
}  # fmt: skip


def operands(rng):
    return {
        "x": rng.standard_normal(24),
        "m": rng.standard_normal((4, 6)).astype(np.float32),
        "n": rng.integers(-20, 20, 24).astype(np.int16),
        "k": rng.random(24) > 0.5,
    }


def values(names):
    kept = {k: v for k, v in names.items() if k not in ("np", "i", "__builtins__")}
    return {k: np.asarray(v) for k, v in kept.items()}


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS.keys())
def test_programs_do_what_they_do_in_numpy(program):
    code = compile(program, "program", "exec")
    wanted = operands(np.random.default_rng(7)) | {"np": np}
    exec(code, wanted)
    with rnp.lazy():
        given = operands(np.random.default_rng(7))
        found = {k: rnp.asarray(v) for k, v in given.items()} | {"np": rnp}
        exec(code, found)
    wanted, found = values(wanted), values(found)
    assert wanted.keys() == found.keys()
    for name, value in wanted.items():
        assert found[name].dtype == value.dtype, name
        np.testing.assert_array_equal(found[name], value, err_msg=name)


# Mistakes: the same kind of exception as NumPy's, and nothing is written.
MISTAKES = {
    "a shape that does not fit": "x[:3] = [1, 2]",
    "an index that is not there": "x[24] = 1",
    "too many indices": "x[0, 0] = 1",
    "an integer that does not fit": "n[0] = 70000",
    "nan into an integer": "n[0] = float('nan')",
    "a float that does not fit": "n[0] = 1e6",
    "a float that does not fit, in a slice": "n[1:3] = -1e300",
    "a float that does not fit, by numbers": "n[[1, 2]] = 4e4",
    "an array as an element": "x[4] = np.array([1.0])",
    "a list as an element": "m[1, 2] = [1.0]",
    "rows as an element": "x[4] = x[:0]",
    "float into int in place": "n *= 1.5",
    "complex into float in place": "x += 1j",
    "in place that would grow": "x[:1] += x",
    "a broadcast view": "np.broadcast_to(x, (2, 24))[0] = 1",
    "a float index": "x[1.0] = 2",
    "a mask of another length": "x[np.array([True, False])] = 1",
    "out of another shape": "np.add(x, 1, out=x[:3])",
    "out that cannot be cast": "np.add(x, 1, out=n)",
    "copyto that cannot be cast": "np.copyto(n, x)",
}


@pytest.mark.parametrize("program", MISTAKES.values(), ids=MISTAKES.keys())
def test_mistakes_raise_what_numpy_raises(program):
    given = operands(np.random.default_rng(7))
    with pytest.raises(Exception) as wanted:  # noqa: PT011
        exec(program, dict(given) | {"np": np})
    given = operands(np.random.default_rng(7))
    with rnp.lazy():
        found = {k: rnp.asarray(v) for k, v in given.items()}
        with pytest.raises(Exception) as raised:  # noqa: PT011, PT012 - one of both raises
            exec(program, {"np": rnp} | found)
            rnp.eval(*found.values())
    assert isinstance(raised.value, wanted.type) or issubclass(wanted.type, type(raised.value))
    for name, value in given.items():
        np.testing.assert_array_equal(found[name], value)


def test_known_indices_out_of_bounds_are_refused_before_anything_is_written():
    with rnp.lazy():
        x = rnp.zeros(4)
        with pytest.raises(IndexError, match="99 is out of bounds"):
            x[np.array([0, 99])] = 1
        x[0] = 5
    np.testing.assert_array_equal(x.eval(), [5, 0, 0, 0])


WRONG = {
    "x[i] = v": lambda m, x, i: x.__setitem__(i, 9),
    "x[i, j] = v": lambda m, x, i: x.__setitem__((i, slice(1)), 9),
    "x[a:b][i] = v": lambda m, x, i: x[1:3].__setitem__(i, 9),
    "x[i] += v": lambda m, x, i: m.add.at(x, i, 9),
    "put": lambda m, x, i: m.put(x, i, 9),
    "put_along_axis": lambda m, x, i: m.put_along_axis(x, i[:, None], 9, 0),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_deferred_index_out_of_bounds_leaves_the_array_as_it_was(name):
    write = WRONG[name]
    for i, wrong in ((np.array([2, 0]), False), (np.array([0, 99]), True)):
        want = np.arange(8.0).reshape(4, 2)
        if not wrong:
            write(np, want, i if "a:b" not in name else i // 2)
        with rnp.lazy():
            x = rnp.asarray(np.arange(8.0).reshape(4, 2))
            view = x[1:]
            write(rnp, x, rnp.asarray(i if "a:b" not in name or wrong else i // 2) + 0)
            after = x * 2
        if wrong:
            with pytest.raises(IndexError, match="99 is out of bounds"):
                x.eval()
        for found, wanted in ((x, want), (view, want[1:]), (after, want * 2)):
            np.testing.assert_array_equal(found.eval(), wanted)


def test_a_traced_index_out_of_bounds_is_an_error_whenever_it_is_met():
    @rnp.jit
    def f(x, i):
        x = x + 0
        x[i] = 9
        return x

    for _ in range(2):
        with pytest.raises(IndexError, match="99 is out of bounds"):
            f(np.zeros(4), np.array([0, 99]))
        np.testing.assert_array_equal(f(np.zeros(4), np.array([0, 3])), [9, 0, 0, 9])


def test_an_ndarray_is_written_at_once():
    target = np.ones(4)
    with rnp.lazy():
        x = rnp.asarray([1.0, 2.0, 3.0, 4.0]) * 2
        target += x
        np.testing.assert_array_equal(target, [3, 5, 7, 9])
        target[1:3] = x[1:3]
    np.testing.assert_array_equal(target, [3, 4, 6, 9])


def test_writes_are_recorded_and_nothing_runs():
    with rnp.lazy() as block:
        x = rnp.asarray(np.arange(1000.0)) * 2
        x[10:20] *= 3
        x[x > 900] = 0
        v = x[::2]
        v -= 1
        assert block.report().at_once == []
        assert repr(x) == "Array(float64(1000,), deferred)"
    assert x.eval()[0] == -1


def test_a_write_outside_a_block_is_kept_too():
    with rnp.lazy():
        x = rnp.asarray([1.0, 2.0, 3.0])
        y = x * 2
    y[1] = 9
    y += 1
    np.testing.assert_array_equal(y.eval(), [3, 10, 7])
    np.testing.assert_array_equal(x.eval(), [1, 2, 3])


def test_what_was_written_is_not_what_the_writer_writes_later():
    values = np.ones(3)
    with rnp.lazy():
        x = rnp.zeros(6)
        x[:3] = values
        values[:] = 5
        x[3:] = values
    np.testing.assert_array_equal(x.eval(), [1, 1, 1, 5, 5, 5])


def test_a_value_taken_before_a_write_stays():
    with rnp.lazy():
        x = rnp.asarray([1.0, 2.0, 3.0])
        before = x.eval()
        x[0] = 7
        np.testing.assert_array_equal(before, [1, 2, 3])
        np.testing.assert_array_equal(x.eval(), [7, 2, 3])


def test_a_traced_function_writes_what_it_made_but_not_its_arguments():
    @rnp.jit
    def fade(x):
        y = x.copy()
        y[:4] *= 0.5
        y[-4:] = 0
        return y

    for n in (8, 9, 1000):
        x = np.arange(float(n))
        wanted = x.copy()
        wanted[:4] *= 0.5
        wanted[-4:] = 0
        np.testing.assert_array_equal(fade(x), wanted)

    @rnp.jit
    def spoil(x):
        x *= 2
        return x

    with pytest.raises(rnp.TraceError, match="copy"):
        spoil(np.ones(3))


def test_a_conversion_is_a_copy_though_nothing_is_converted():
    with rnp.lazy():
        base = rnp.asarray(np.arange(6.0))
        for part in (base[2:5], base.reshape(2, 3).T, base[:2], rnp.broadcast_to(base[:1], 3)):
            for copied in (
                part.astype(float),
                rnp.astype(part, "f8"),
                part.astype(float, copy=True),
            ):
                copied[0] = 99
                assert copied.shape == part.shape
                np.testing.assert_array_equal(copied[1:], part[1:])
        ones = rnp.ones(3)
        ones.astype(float)[0] = 5
        assert part.astype(float, copy=False) is part
    np.testing.assert_array_equal(base, np.arange(6.0))
    np.testing.assert_array_equal(ones, np.ones(3))


@pytest.mark.parametrize("value", [np.array([1.0]), np.zeros((1, 1)), np.array(2.0)])
def test_one_bool_takes_the_truth_of_one_element(value):
    wanted = np.zeros(6, bool)
    wanted[4] = value
    with rnp.lazy():
        y = rnp.zeros(6, bool)
        y[4] = value
    np.testing.assert_array_equal(y.eval(), wanted)
