"""Running sums, differences, slopes, areas."""

from __future__ import annotations

import numpy as np
import pytest
import rnp
from breadth import case, check, check_error, loops, loose
from conftest import DTYPES
from oracle import FLOATS, ordinary

CASES = []
for d in DTYPES:
    x = ordinary(d, (-20, 20), 24, 3).reshape(4, 6)
    CASES += [
        case("cumsum", x),
        case("cumsum", x, axis=-1),
        case("cumprod", x, 0),
        case("cumsum", x, 0, dtype="float64"),
        case("cumulative_sum", x, axis=1),
        case("cumulative_sum", x, axis=0, include_initial=True),
        case("cumulative_prod", x[0]),
        case("diff", x),
        case("diff", x, 2, axis=0),
        case("diff", x, n=0),
        case("diff", x, prepend=x[:, :2]),
        case("diff", x, prepend=x[0, 0], append=x[0, 1], axis=0),
        case("diff", x, n=9),
        loose("trapezoid", x),
        loose("trapezoid", x, dx=0.5, axis=0),
        loose("trapezoid", x, np.arange(6.0) ** 2),
        loose("trapezoid", x, x[::-1].copy(), axis=0),
    ]
    if d != "bool":
        CASES += [
            case("gradient", x[0]),
            case("gradient", x, axis=0),
            case("gradient", x),
            case("gradient", x, 2.0, axis=1, edge_order=2),
            case("gradient", x, 0.5, np.float64(3.0)),
            case("ediff1d", x),
            case("ediff1d", x, to_end=x[0]),
            case("ediff1d", x[:1, :1], x[0, :2], to_begin=x[0, 0]),
            case("unwrap", x),
        ]
    if d[0] in "if":
        CASES += [
            case("unwrap", x, axis=0, period=7),
            case("unwrap", x, discont=5, period=8),
        ]
for d in FLOATS:
    x = ordinary(d, (-9, 9), 30, 4)
    CASES += [
        case("gradient", x, np.arange(30.0) ** 2),
        case("gradient", x, edge_order=2),
        case("unwrap", x, period=2.5),
        case("diff", x[:1]),
        case("diff", x[:0]),
    ]


@pytest.mark.parametrize("c", CASES, ids=str)
def test_case(c):
    check(c)


ERRORS = [
    case("gradient", np.array([True, False, True])),
    case("unwrap", np.arange(3, dtype="uint8"), period=7),
    case("diff", np.zeros(3), -1),
    case("diff", np.float64(3)),
    case("diff", np.zeros(3), axis=1),
    case("diff", np.zeros((3, 2)), append=np.zeros(3)),
    case("cumsum", np.zeros(3), axis=1),
    case("cumsum", np.zeros(3), axis=0.5),
    case("cumulative_sum", np.zeros((3, 2))),
    case("ediff1d", np.arange(3), to_end=0.5),
    case("gradient", np.zeros(1)),
    case("gradient", np.zeros((3, 3)), 1, 2, 3),
    case("gradient", np.zeros(3), edge_order=3),
    case("trapezoid", np.zeros(3), np.zeros(4)),
]


@pytest.mark.parametrize("c", ERRORS, ids=str)
def test_errors(c):
    check_error(c)


def test_compositions_fuse():
    x = np.linspace(-3, 3, 1000)
    with rnp.lazy():
        y = rnp.asarray(x) * 2
        assert loops(np.abs(np.diff(y, 2)) + 1) == 1
        assert loops(np.trapezoid(y, dx=0.1)) == 1
