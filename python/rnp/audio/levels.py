"""Decibels: amplitudes and powers to dB and back, as librosa defines them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import rnp
import rnp._core as core
from rnp._core import Array
from rnp.audio import _checks as checks
from rnp.audio._run import graph, scalars

# A level to compare with: a number, or a function of the magnitudes such as `rnp.max`.
Reference = float | Callable[[Any], Any]


def _magnitudes(x: Any, name: str, cut: bool) -> Any:
    """Take magnitudes; one at least, where the largest is asked for."""
    if type(x) is np.ndarray and x.dtype is checks.FLOAT32 and x.size and not core.is_lazy():
        return x
    if not (type(x) is np.ndarray or type(x) is Array):
        x = np.asarray(x)
    x = rnp.abs(x) if x.dtype.kind == "c" else x
    return (checks.filled if cut else checks.samples)(x, name)


def _level(x: Any, ref: Any, least: float) -> tuple[Any, bool]:
    """Take the level of 0 dB, a number in Python's precision; and whether it moves the others.

    That of 1 is 0, which nothing is subtracted by.
    """
    if type(ref) is float and ref == 1.0 and least <= 1.0:
        return ref, False
    return (ref(x) if callable(ref) else np.float64(abs(checks.number(ref, "ref")))), True


def _floor(amin: Any, top_db: Any) -> tuple[float, float, bool]:
    """Take the least magnitude, and the range with whether there is one."""
    if type(amin) is float and type(top_db) is float and 0 < amin < math.inf and top_db >= 0:
        return amin, top_db, True
    least = checks.positive(amin, "amin")
    if top_db is None:
        return least, 0.0, False
    span = checks.number(top_db, "top_db")
    if span < 0:
        raise ValueError(f"top_db must be None, or 0 or more, not {top_db}")
    return least, span, True


def _tens(power: Any, amin: Any) -> Any:
    """Ten logarithms of what is at least `amin`."""
    return core.multiply(10.0, core.log10(core.maximum(amin, power)))


def _decibels(power: Any, level: Any, amin: float, span: float, cut: bool, moved: bool) -> Any:
    log = _tens(power, amin)
    if moved:
        log = core.subtract(log, _tens(level, amin)).astype(log.dtype)
    return core.maximum(log, core.subtract(core.max(log), span)) if cut else log


_of_powers = graph("cut", "moved")(_decibels)


@graph("cut", "moved")
def _of_amplitudes(x: Any, reference: Any, amin: float, span: float, cut: bool, moved: bool) -> Any:
    square = core.multiply(reference, reference)
    return _decibels(core.multiply(x, x), square, amin * amin, span, cut, moved)


@graph("scaled")
def _power(db: Any, reference: Any, scaled: bool) -> Any:
    power = core.power(10.0, core.multiply(0.1, db))
    return core.multiply(reference, power) if scaled else power


@graph("scaled")
def _amplitude(db: Any, reference: Any, scaled: bool) -> Any:
    power = core.power(10.0, core.multiply(0.1, db))
    return core.sqrt(core.multiply(reference * reference, power) if scaled else power)


def power_to_db(
    S: Any, ref: Reference = 1.0, amin: float = 1e-10, top_db: float | None = 80.0
) -> Any:
    """Powers in dB: `10 log10(S / ref)`, nothing below `amin` and `top_db` under the largest.

    S: powers of any shape; of complex numbers their magnitudes. ref: the power of 0 dB, or a
    function of the powers (`rnp.max`). amin: the least power that is told apart, above 0. top_db:
    the range in dB, or None. Returns dB, of the shape of S; float32 stays float32. NaN stays NaN,
    and makes all NaN where `top_db` asks for the largest. ValueError for `amin` of 0 or less and a
    negative `top_db`.

    The formula and its defaults are those of `librosa.power_to_db`.

    >>> audio.power_to_db(np.array([1.0, 0.01, 0.0]))
    array([  0., -20., -80.])
    >>> audio.power_to_db(np.array([4.0, 0.04]), ref=np.max)
    array([  0., -20.])
    """
    floor = _floor(amin, top_db)
    x = _magnitudes(S, "S", floor[2])
    level, moved = _level(x, ref, floor[0])
    return scalars(_of_powers(x, level, *floor, moved))


def amplitude_to_db(
    S: Any, ref: Reference = 1.0, amin: float = 1e-5, top_db: float | None = 80.0
) -> Any:
    """Amplitudes in dB: `20 log10(|S| / ref)`, nothing below `amin` and `top_db` under the largest.

    S: amplitudes of any shape, complex ones too. The rest is as in `power_to_db`, with `ref` and
    `amin` as amplitudes. With samples at full scale 1.0 and `ref=1.0` the unit is dBFS.

    The formula is that of `librosa.amplitude_to_db`: `power_to_db` of squares.

    >>> audio.amplitude_to_db(np.array([1.0, -0.1, 0.0]))
    array([  0., -20., -80.])
    >>> audio.amplitude_to_db(np.array([0.5, 0.0]), top_db=None).round(2)
    array([  -6.02, -100.  ])
    """
    floor = _floor(amin, top_db)
    x = _magnitudes(S, "S", floor[2])
    level, moved = _level(rnp.abs(x) if callable(ref) else x, ref, floor[0])
    return scalars(_of_amplitudes(x, level, *floor, moved))


def db_to_power(S_db: Any, ref: float = 1.0) -> Any:
    """Powers of levels in dB: `ref * 10 ** (S_db / 10)`.

    S_db: dB, of any shape. ref: the power of 0 dB. float32 stays float32. TypeError for what is no
    real number.

    The formula is that of `librosa.db_to_power`.

    >>> audio.db_to_power(np.array([0.0, -20.0]))
    array([1.  , 0.01])
    """
    level = checks.number(ref, "ref")
    return scalars(_power(checks.samples(S_db, "S_db"), level, level != 1.0))


def db_to_amplitude(S_db: Any, ref: float = 1.0) -> Any:
    """Amplitudes of levels in dB: `ref * 10 ** (S_db / 20)`.

    S_db: dB, of any shape. ref: the amplitude of 0 dB. float32 stays float32. TypeError for what is
    no real number.

    The formula is that of `librosa.db_to_amplitude`: the root of `db_to_power`.

    >>> audio.db_to_amplitude(np.array([0.0, -20.0]))
    array([1. , 0.1])
    """
    level = checks.number(ref, "ref")
    return scalars(_amplitude(checks.samples(S_db, "S_db"), level, level != 1.0))
