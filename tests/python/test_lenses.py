"""Views that NumPy makes by strides are written through: the same with NumPy and rnp."""

from __future__ import annotations

import numpy as np
import pytest
import rnp

X = np.arange(24.0).reshape(4, 6)


def as_integers(m, x):
    """Clear the sign bits."""
    bits = x.view("i8")
    bits[:, ::2] |= 7
    bits &= 0x7FFF_FFFF_FFFF_FFFF
    return bits, x + 1


def as_shorter(m, x):
    """Write halves of numbers, and through a view of the view."""
    parts = x.view("f4")
    parts[1, 3:5] = 2.5
    parts.reshape(4, 6, 2)[..., 1].T[2] *= 2
    x[3] = -1
    return parts, parts.shape, x


def as_complex(m, x):
    """Write interleaved numbers as complex ones."""
    z = x.view("c16")
    z *= 1j
    z[0].real = 9
    z.imag[2] = 4
    return z, x


def as_real(m, x):
    """Write complex numbers as pairs."""
    z = x[:, :3] + 1j * x[:, 3:]
    pairs = z.view("f8")
    pairs[:, 1::2] = 0
    z[0, 0] = 5 + 6j
    return pairs, z


def of_a_part(m, x):
    """View the bytes of a slice of a slice."""
    part = x[1:3][1]
    part.view("i8")[2:4] = 0
    part.view("u1")[-1] = 0xC0
    return x, part


def diagonal(m, x):
    """Write the diagonal of a square."""
    square = x[:, :4]
    line = m.einsum("ii->i", square)
    line[...] = 7
    line[1] += 1
    square[3, 3] = 0
    return x, line


def turned(m, x):
    """Write through axes in another order, named."""
    m.einsum("ij->ji", x)[2] = -x[:, 0]
    m.einsum("ij", x)[0, 0] = 100
    return x


def windows(m, x):
    """Write through windows, of which some overlap."""
    flat = x.reshape(-1)
    seen = m.lib.stride_tricks.sliding_window_view(flat, 3, writeable=True)
    seen[0] = -1
    seen[4, 1] += 5
    seen[::6] = 0
    flat[-1] = 3
    return x, seen


def windows_of_the_same(m, x):
    """Write what some elements have already, which the last window to write has changed before."""
    flat = x.reshape(-1)
    seen = m.lib.stride_tricks.sliding_window_view(flat, 3, writeable=True)
    seen[...] = seen.copy() * [[1, 0, 1]]
    seen[2:5] = flat[3]
    seen[3:].T[1:, 2] = 4
    seen.view("i8")[0, 0] = 3
    return x, seen


def iterated(m, x):
    """Double each element by an iterator, and fill another array by it."""
    with m.nditer(x, op_flags=["readwrite"]) as all_of_it:
        for element in all_of_it:
            element[...] = 2 * element
    out = m.zeros(6)
    operands = [x[0], out]
    with m.nditer(operands, [], [["readonly"], ["writeonly"]]) as both:
        for a, b in both:
            b[...] = a + 1
    # One array as two operands is one memory.
    row = m.zeros(6) + x[2]
    with m.nditer([row, row], [], [["readonly"], ["readwrite"]]) as both:
        for a, b in both:
            b += 1
            b *= a
    return x, out, row, [float(v) for v in m.nditer(x[1])]


PROGRAMS = [
    as_integers, as_shorter, as_complex, as_real, of_a_part, diagonal, turned, windows,
    windows_of_the_same, iterated,
]  # fmt: skip


def values(found):
    if isinstance(found, tuple) and not all(isinstance(n, int) for n in found):
        return [values(part) for part in found]
    return found.eval() if isinstance(found, rnp.Array) else found


@pytest.mark.parametrize("program", PROGRAMS)
def test_written_through(program):
    want = values(program(np, X.copy()))
    with rnp.lazy():
        got = program(rnp, rnp.asarray(X))
    got = values(got)
    assert np.asarray(X).tolist() == np.arange(24.0).reshape(4, 6).tolist()
    for ours, theirs in zip(*(v if isinstance(v, list) else [v] for v in (got, want)), strict=True):
        assert getattr(ours, "dtype", None) == getattr(theirs, "dtype", None)
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("program", [p for p in PROGRAMS if p is not iterated])
def test_traced(program):
    @rnp.jit
    def traced(x):
        out = program(rnp, x.copy())
        return out[0] if isinstance(out, tuple) else out

    for x in (X, X * -3):
        want = values(program(np, x.copy()))
        np.testing.assert_array_equal(traced(x), want[0] if isinstance(want, list) else want)


def test_errors_are_numpys():
    with rnp.lazy():
        x = rnp.asarray(X)
        with pytest.raises(TypeError):
            x.view("i3")
        assert type(x.view("f8,f8")) is np.ndarray
        with pytest.raises(ValueError, match=r"divisor|divisible"):
            rnp.asarray(X[:, :5]).view("c16")
        with pytest.raises(ValueError, match="dimension"):
            rnp.einsum("ii->i", x)
        assert x.view().shape == x.shape
        assert rnp.einsum("ij->i", x).shape == (4,)
        assert rnp.einsum("i,i->i", x[0], x[0]).shape == (6,)


def test_the_report_names_them():
    with rnp.lazy() as block:
        x = rnp.asarray(X)
        x.view("i8")[0] = 1
        assert block.report().fallbacks[0].startswith("view (")
        assert block.report().at_once == []
    with pytest.raises(rnp.FallbackError), rnp.lazy(fallbacks="error"):
        rnp.asarray(X).view("i8")


def test_views_outside_of_a_block_are_read_only():
    with rnp.lazy():
        x = rnp.asarray(X) * 1
    assert not x.view("i8").flags.writeable
