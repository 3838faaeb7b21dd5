"""What `@rnp.jit` sees of the state around a function: globals, closures, attributes, classes."""

from __future__ import annotations

import functools
import gc
import weakref

import numpy as np
import pytest
import rnp

X = np.arange(5, dtype="float32")
GAIN = 2.0
TABLE = np.array([1.0, 2.0])


class Filter:
    """Has a jitted method."""

    def __init__(self, gain):
        self.gain = gain
        self.taps = np.ones(5, "float32")

    @rnp.jit
    def run(self, x):
        """Apply."""
        return x * self.gain * self.taps


class Stateful:
    """Assigns its attributes."""

    slots = 0

    def __init__(self):
        self.n = 0
        self.z = np.zeros(1, "float32")
        self.items = [1]

    @rnp.jit
    def count(self, x):
        """Change a number."""
        self.n += 1
        return x + self.n

    @rnp.jit
    def keep(self, x):
        """Change an array."""
        y = x + self.z
        self.z = y[-1]
        return y

    @rnp.jit
    def replace(self, x):
        """Change what is not compared."""
        self.items = x
        return x

    @rnp.jit
    def add(self, x):
        """Add an attribute."""
        self.new = x + 1
        return x

    @rnp.jit
    def helped(self, x):
        """Change a number in a helper."""
        self._bump()
        return x + self.n

    def _bump(self):
        self.n += 1

    @functools.cached_property
    def window(self):
        """Fill a cache."""
        return np.full(5, 2.0, "float32")

    @rnp.jit
    def windowed(self, x):
        """Read a cache."""
        return x * self.window


@pytest.mark.parametrize(
    ("method", "attribute"),
    [("count", "n"), ("keep", "z"), ("replace", "items"), ("add", "new"), ("helped", "n")],
)
def test_assigning_attributes_is_refused(method, attribute):
    with pytest.raises(rnp.TraceError, match=f"attribute {attribute} .*outside"):
        getattr(Stateful(), method)(X)


def test_a_cache_may_be_filled():
    s = Stateful()
    before = Stateful.windowed.traces
    for _ in range(4):
        assert s.windowed(X).tolist() == (X * 2).tolist()
    assert Stateful.windowed.traces <= before + 2


COUNT = 0
STATE = None
BOX = []


def test_assigning_globals_and_closures_is_refused():
    global COUNT, STATE, BOX
    calls = 0

    @rnp.jit
    def closure(x):
        nonlocal calls
        calls += 1
        return x + calls

    @rnp.jit
    def number(x):
        global COUNT
        COUNT += 1
        return x + COUNT

    @rnp.jit
    def tracer(x):
        global STATE
        STATE = x * 2
        return x

    @rnp.jit
    def box(x):
        global BOX
        BOX = x * 2
        return x

    for f, name in [(closure, "calls"), (number, "COUNT"), (tracer, "STATE"), (box, "BOX")]:
        with pytest.raises(rnp.TraceError, match=f"{name} .*outside"):
            f(X)
    COUNT, STATE, BOX = 0, None, []


def scaled(x, k):
    return x * k * GAIN


@rnp.jit
def jitted_helper(x):
    return x * GAIN


class Voice:
    """Reads class attributes and globals through methods."""

    level = 2.0
    shape = np.ones(5, "float32")

    def plain(self, x):
        return x * GAIN

    @staticmethod
    def fixed(x):
        return x * GAIN

    @classmethod
    def shared(cls, x):
        return x * cls.level

    @property
    def gain(self):
        return GAIN

    def __call__(self, x):
        return x * GAIN

    @rnp.jit
    def method(self, x):
        return self.plain(x)

    @rnp.jit
    def static(self, x):
        return self.fixed(x)

    @rnp.jit
    def read(self, x):
        return x * self.gain

    @rnp.jit
    def called(self, x):
        return self(x)

    @rnp.jit
    def leveled(self, x):
        return x * self.level

    @rnp.jit
    def through_class(self, x):
        return self.shared(x)

    @rnp.jit
    def formed(self, x):
        return x * self.shape


class Loud(Voice):
    """Reaches its base by super()."""

    def plain(self, x):
        return super().plain(x)


VOICE = Voice()
WAYS = {
    "comprehension": lambda x: [x * GAIN for _ in range(1)].pop(),
    "generator": lambda x: next(x * GAIN for _ in range(1)),
    "lambda": lambda x: (lambda: (lambda: x * GAIN)())(),
    "jitted": lambda x: jitted_helper(x),
    "partial": functools.partial(scaled, k=1.0),
    "bound": VOICE.plain,
    "method": VOICE.method,
    "static": VOICE.static,
    "property": VOICE.read,
    "call": VOICE.called,
    "super": Loud().method,
}
TIMES = functools.partial(scaled, k=1.0)
BOUND = VOICE.plain
WAYS["global partial"] = lambda x: TIMES(x)
WAYS["global bound"] = lambda x: BOUND(x)


@pytest.mark.parametrize("way", WAYS)
def test_globals_are_seen_through(way):
    global GAIN
    f = WAYS[way]
    if not isinstance(getattr(f, "__func__", None), type(jitted_helper)):
        f = rnp.jit(f)
    try:
        for gain in (2.0, 3.0):
            GAIN = gain
            for _ in range(2):
                assert f(X).tolist() == (X * gain).tolist()
    finally:
        GAIN = 2.0


@pytest.mark.parametrize("method", ["leveled", "through_class"])
def test_class_attributes_are_guarded(method):
    class Mine(Voice):
        pass

    mine = Mine()
    f = getattr(mine, method)
    assert f(X).tolist() == (X * 2).tolist()
    Mine.level = 3.0
    assert f(X).tolist() == (X * 3).tolist()
    traces = f.__func__.traces
    f(X)
    assert f.__func__.traces == traces
    if method == "leveled":
        mine.level = 4.0
        assert f(X).tolist() == (X * 4).tolist()


def test_class_arrays_and_methods_are_guarded():
    class Mine(Voice):
        pass

    mine = Mine()
    assert mine.formed(X).tolist() == X.tolist()
    Mine.shape = np.full(5, 3, "float32")
    assert mine.formed(X).tolist() == (X * 3).tolist()
    assert mine.method(X).tolist() == (X * 2).tolist()
    Mine.plain = lambda self, x: x + 1
    assert mine.method(X).tolist() == (X + 1).tolist()


class Slotted:
    """Has slots."""

    __slots__ = ("__weakref__", "gain", "late")

    def __init__(self):
        self.gain = 2.0

    @rnp.jit
    def run(self, x):
        return x * self.gain + getattr(self, "late", 0)

    @rnp.jit
    def bump(self, x):
        self.gain += 1
        return x * self.gain


def test_slots_are_guarded():
    s = Slotted()
    assert s.run(X).tolist() == (X * 2).tolist()
    s.gain = 3.0
    assert s.run(X).tolist() == (X * 3).tolist()
    s.late = 1
    assert s.run(X).tolist() == (X * 3 + 1).tolist()
    with pytest.raises(rnp.TraceError, match="attribute gain"):
        s.bump(X)


def test_the_object_of_a_bound_method_is_guarded():
    held = Filter(2.0)
    f = rnp.jit(lambda x, it=held: Filter.run.__wrapped__(it, x))
    method = type(held).run.__wrapped__.__get__(held)
    g = rnp.jit(method)
    for gain in (2.0, 3.0):
        held.gain = gain
        assert g(X).tolist() == (X * gain).tolist()
    gone = weakref.ref(held)
    held.callback = held.run
    held.run(X)
    del held, method, f, g
    gc.collect()
    assert gone() is None


def test_globals_and_closures_are_guarded():
    global GAIN
    offset = 1.0

    @rnp.jit
    def f(x):
        return x * GAIN + offset

    assert f(X).tolist() == (X * 2 + 1).tolist()
    GAIN = 3.0
    assert f(X).tolist() == (X * 3 + 1).tolist()
    offset = 5.0
    assert f(X).tolist() == (X * 3 + 5).tolist()
    assert f.traces == 3
    GAIN, offset = 2.0, 1.0
    assert f(X).tolist() == (X * 2 + 1).tolist()
    assert f.traces == 3


def helper(x):
    return x * GAIN


def test_globals_of_helpers_are_guarded():
    global GAIN

    @rnp.jit
    def f(x):
        return helper(x) + 1

    assert f(X).tolist() == (X * 2 + 1).tolist()
    GAIN = 4.0
    assert f(X).tolist() == (X * 4 + 1).tolist()
    GAIN = 2.0


def test_captured_arrays_are_read_anew():
    global TABLE
    local = np.ones(5, "float32")

    @rnp.jit
    def f(x):
        return x * local + TABLE.sum(), x * TABLE[1], rnp.asarray(TABLE) + 1

    f(X)
    local[:] = 7
    TABLE[0] = 5.0
    got = f(X)
    assert got[2].tolist() == [6.0, 3.0]
    # What NumPy computes while tracing, it computes once: only arrays given to rnp are read anew.
    assert got[0].tolist() == (X * 7 + 3.0).tolist()
    assert f.traces == 1
    TABLE = np.array([1.0, 2.0])
    assert f(X)[2].tolist() == [2.0, 3.0]
    assert f.traces == 2
    local = local[:1].copy()
    assert f(X)[0].tolist() == (X * 7 + 3).tolist()
    assert f.traces == 3


def test_methods():
    a, b = Filter(2.0), Filter(3.0)
    before = Filter.run.traces
    assert a.run(X).tolist() == (X * 2).tolist()
    assert b.run(X).tolist() == (X * 3).tolist()
    assert Filter.run.traces == before + 2
    a.run(X)
    assert Filter.run.traces == before + 2
    a.gain = 5.0
    assert a.run(X).tolist() == (X * 5).tolist()
    a.taps[:] = 2
    assert a.run(X).tolist() == (X * 10).tolist()
    assert Filter.run.traces == before + 3
    a.taps = np.zeros(5, "float32")
    assert a.run(X).tolist() == [0] * 5
    assert Filter.run.traces == before + 4
    assert a.run.__doc__ == "Apply."
    gone = weakref.ref(a)
    del a
    gc.collect()
    assert gone() is None
