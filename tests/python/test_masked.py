"""Masked arrays: what makes one of deferred arrays, or takes one, runs at once and is NumPy's."""

from __future__ import annotations

import numpy as np
import pytest
import rnp

MASKED = np.ma.masked_array([1.0, 2.0, 3.0, 4.0], [False, True, False, False])
CALLS = {
    "masked_where": lambda np, x: np.ma.masked_where(x > 2, x),
    "masked_array": lambda np, x: np.ma.masked_array(x, mask=x > 2),
    "mean": lambda np, x: np.ma.masked_array(x, mask=x > 2).mean(),
    "masked_invalid": lambda np, x: np.ma.masked_invalid(x / 2),
    "average": lambda np, x: np.ma.average(x, weights=x),
    "filled": lambda np, x: np.ma.filled(np.ma.masked_less(x, 2), 0.0),
    "left": lambda np, x: MASKED + x,
    "right": lambda np, x: x - MASKED,
    "add": lambda np, x: np.ma.add(MASKED, x),
    "ufunc": lambda np, x: np.add(x, MASKED),
    "sqrt": lambda np, x: np.sqrt(MASKED),
    "reduction": lambda np, x: np.mean(MASKED),
    "clip": lambda np, x: np.clip(MASKED, 2, 3),
    "cumsum": lambda np, x: np.cumsum(MASKED),
}


@pytest.mark.parametrize("name", CALLS)
def test_masked_arrays_are_numpys(name):
    values = np.array([4.0, 1.0, 3.0, 2.0])
    want = CALLS[name](np, values)
    with rnp.lazy():
        got = CALLS[name](rnp, rnp.asarray(values) * 1)
    for result in (got, CALLS[name](rnp, values)):
        assert isinstance(result, np.ma.MaskedArray) == isinstance(want, np.ma.MaskedArray)
        assert np.ma.allequal(result, want)
        assert (np.ma.getmaskarray(np.ma.asarray(result)) == np.ma.getmaskarray(want)).all()


def test_a_mask_is_not_lost_without_a_word():
    with rnp.lazy():
        x = rnp.asarray(np.ones(4)) * 1
        with pytest.raises(TypeError, match="lose its mask"):
            x[:] = MASKED
