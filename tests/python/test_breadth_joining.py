"""Arrays joined, repeated and padded."""

from __future__ import annotations

import numpy as np
import pytest
import rnp
from breadth import at_once, case, check, check_error, find, in_block, loops
from conftest import DTYPES
from oracle import ordinary

CASES = []
for d in DTYPES:
    x = ordinary(d, (-20, 20), 12, 3).reshape(3, 4)
    y = ordinary("float32", (-20, 20), 12, 4).reshape(3, 4)
    CASES += [
        case("concatenate", [x, y, x[:1]]),
        case("concatenate", (x, x), axis=-1),
        case("concatenate", [x, y], axis=None),
        case("concatenate", [x, x], dtype="float64"),
        case("concatenate", [x, y], dtype="int8", casting="unsafe"),
        case("stack", [x, y]),
        case("stack", [x, x], axis=-1),
        case("vstack", [x, y[0]]),
        case("hstack", [x, y]),
        case("hstack", [x[0], y[0], np.float32(2)]),
        case("dstack", [x, x]),
        case("dstack", [x[0], x[0]]),
        case("column_stack", [x[0], y.T, x[1]]),
        case("append", x, y),
        case("append", x, x[:1], axis=0),
        case("block", [[x, x[:, :1]], [y[:1], y[:1, :1]]]),
        case("tile", x, 2),
        case("tile", x, (2, 1, 3)),
        case("tile", x, (0, 2)),
        case("tile", x[0, 0], 3),
        case("repeat", x, 3),
        case("repeat", x, 2, axis=0),
        case("repeat", x, [1, 0, 2], axis=0),
        case("resize", x, (2, 7)),
        case("delete", x, 1, axis=0),
        case("delete", x, [0, -1]),
        case("delete", x, slice(0, 3), 1),
        case("insert", x, 1, 5, axis=1),
    ]
    for mode in ("constant", "edge", "reflect", "symmetric", "wrap", "linear_ramp"):
        CASES += [
            case("pad", x, 2, mode),
            case("pad", x, ((1, 0), (2, 3)), mode=mode),
            case("pad", x[:, :1], (0, 2), mode),
            case("pad", x[0], 17, mode),
            case("pad", x, 0, mode),
        ]
    CASES += [
        case("pad", x, 1, constant_values=7),
        case("pad", x, 1, constant_values=((1, 2), (3, 4))),
        case("pad", x, (1, 2), "linear_ramp", end_values=(3, 5)),
        case("pad", x, 2, "maximum"),
        case("pad", x[0], 2, "mean"),
    ]
x = np.arange(12.0)
CASES += [
    case("pad", x, 3, "reflect", reflect_type="odd"),
    case("pad", x, 300, "reflect"),
    case("concatenate", [x[:0], x]),
    case("concatenate", [x, np.array([1j])]),
    case("append", x, 3.0),
    case("block", [x, x]),
    case("block", x),
    case("packbits", x > 4),
    case("packbits", (x > 4).reshape(3, 4), axis=1, bitorder="little"),
    case("unpackbits", np.arange(6, dtype="uint8").reshape(2, 3), axis=1),
    case("vander", x[:3]),
    case("vander", np.arange(3), 2, increasing=True),
    case("kron", x[:3].reshape(3, 1), x.reshape(3, 4)),
    at_once("repeat", x[:3], np.array([1, 2, 3])),
    at_once("unstack", x.reshape(3, 4))._replace(at_once=False, loose=False),
]


@pytest.mark.parametrize("c", CASES, ids=str)
def test_case(c):
    check(c)


ROWS = [
    case("concatenate", x.reshape(3, 4)),
    case("concatenate", x.reshape(3, 2, 2), axis=1),
    case("concatenate", x.reshape(3, 2, 2), axis=None),
    case("stack", x.reshape(3, 4), axis=1),
    case("vstack", x.reshape(3, 4)),
    case("hstack", x.reshape(3, 2, 2)),
    case("column_stack", x.reshape(3, 4)),
]


@pytest.mark.parametrize("c", ROWS, ids=str)
def test_an_array_is_the_sequence_of_its_rows(c):
    # numpy.f asks a sequence for its parts, so it is rnp.f that goes without.
    told = in_block(find(c.path), c)
    assert not told


ERRORS = [
    case("concatenate", []),
    case("concatenate", [np.zeros(2), np.float64(1)]),
    case("concatenate", [np.zeros((2, 3)), np.zeros((3, 2))]),
    case("concatenate", [np.zeros(2), np.zeros((2, 2))]),
    case("concatenate", [np.zeros(2), np.zeros(2)], axis=1),
    case("concatenate", [np.zeros(2)], dtype="int8"),
    case("concatenate", np.zeros(3)),
    case("stack", [np.zeros(2), np.zeros(3)]),
    case("stack", []),
    case("stack", [np.zeros(2)], axis=3),
    case("vstack", [np.zeros(2), np.zeros(3)]),
    case("block", [[np.zeros(2)], np.zeros(2)]),
    case("block", [np.zeros(2), ()]),
    case("block", []),
    case("tile", np.zeros(2), -1),
    case("repeat", np.zeros(2), -1),
    case("repeat", np.zeros(3), [1, 2]),
    case("repeat", np.zeros(3), 2, axis=1),
    case("pad", np.zeros(3), -1),
    case("pad", np.zeros(3), 1.5),
    case("pad", np.zeros(3), (1, 2, 3)),
    case("pad", np.zeros(0), 1, "edge"),
    case("pad", np.zeros(3), 1, "nonsense"),
    case("pad", np.zeros(3), 1, "edge", constant_values=1),
    case("delete", np.zeros(3), 5),
    case("insert", np.zeros(3), 9, 1),
]


@pytest.mark.parametrize("c", ERRORS, ids=str)
def test_errors(c):
    check_error(c)


def test_compositions_fuse():
    x = np.linspace(-3, 3, 1000)
    with rnp.lazy():
        y = rnp.asarray(x) * 2
        assert loops(np.repeat(y, 2) + 1) <= 2
        assert loops(np.tile(y, 3) * 2) <= 2
        assert loops(np.pad(y, 2) * 2) <= loops(np.pad(y, 2)) + 1
