"""The golden programs, run by NumPy one op at a time and by rnp as one graph: the same values."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rnp
from conftest import DTYPES
from oracle import OPS, quiet

PROGRAMS = sorted((Path(__file__).parents[1] / "golden").glob("*.rnp"))
# The programs' names of dtypes: f32 is float32.
SHORT = {name[0] + name.lstrip("uintfloa"): name for name in DTYPES} | {
    "bool": "bool",
    "c64": "complex64",
    "c128": "complex128",
}


def element(dtype, number, count):
    """Fill an input as the Rust tests do: (37 k + 11 number) mod 201 - 100, floats over 64."""
    v = (37 * np.arange(count) + 11 * number) % 201 - 100
    if dtype == "bool":
        return v > 0
    if dtype.startswith("complex"):
        im = (37 * np.arange(1, count + 1) + 11 * number) % 201 - 100
        return ((v + 1j * im) / 64).astype(dtype)
    return (v / 64).astype(dtype) if dtype.startswith("float") else v.astype(dtype)


def words(line):
    """Split at spaces outside of brackets."""
    out, word, depth = [], "", 0
    for c in line + " ":
        depth += (c in "([") - (c in ")]")
        if c == " " and not depth:
            out += [word] if word else []
            word = ""
        else:
            word += c
    return out


def literal(text):
    """Read a Python number, or return None."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return None


def dims(text):
    """Read `(2, -1)`."""
    return tuple(int(d) for d in text.strip("()[] ").split(",") if d.strip())


def index(text):
    """Read `[1:, ::2, None]`."""
    items = []
    for item in text.strip("[]").split(","):
        item = item.strip()
        if item in ("None", "..."):
            items.append({"None": None, "...": ...}[item])
        elif ":" in item:
            items.append(slice(*(int(p) if p.strip() else None for p in item.split(":"))))
        else:
            items.append(int(item))
    return tuple(items)


def view(x, token):
    """Go one view further: `[1:9]`, `(2, -1)`, or `T` and its axes."""
    if token.startswith("["):
        return x[index(token)]
    return x.transpose(dims(token[1:])) if token.startswith("T") else x.reshape(dims(token))


def path(tokens):
    """Say the same for rnp's update."""
    words = {"[": "index", "T": "transpose", "(": "reshape"}
    return [(words[t[0]], index(t) if t[0] == "[" else dims(t.removeprefix("T"))) for t in tokens]


CALLS = {
    "flip": np.flip,
    "append": np.append,
    "sort": np.sort,
}


class Program:
    """A program over a module: NumPy itself, or rnp."""

    def __init__(self, module):
        self.module = module
        self.names = {}
        self.inputs = 0

    def run(self, text):
        """Run the lines and return what the last one names."""
        for line in text.splitlines():
            tokens = words(line.split("#")[0])
            if tokens[:1] == ["return"]:
                return [self.operand(t) for t in tokens[1:]]
            if tokens:
                name, equals, *act = tokens
                assert equals == "="
                self.names[name] = self.act(act)
        raise AssertionError("the program returns nothing")

    def operand(self, token):
        """Read a name, a number, a typed scalar or an act in parentheses."""
        if token in self.names:
            return self.names[token]
        if token.startswith("("):
            return self.act(words(token[1:-1]))
        number = literal(token)
        if number is None:
            dtype, _, value = token.partition("(")
            number = np.dtype(SHORT[dtype]).type(literal(value.rstrip(")")))
        return number

    def act(self, tokens):
        """Run one act."""
        name, *tokens = tokens
        flags = {t for t in tokens if t in ("keepdims", "reversed")}
        pairs = [t.split("=", 1) for t in tokens if "=" in t and not t.startswith("(")]
        keys = dict(pairs)
        args = [t for t in tokens if t not in flags and ("=" not in t or t.startswith("("))]
        if name == "input":
            return self.input(args[0], keys, "reversed" in flags)
        if name == "call":
            return self.call(CALLS[args[0]], list(map(self.operand, args[1:])), args[0])
        if name in OPS:
            return getattr(self.module, name)(*map(self.operand, args))
        keywords = {}
        if "axis" in keys and name != "transpose":
            axes = tuple(map(int, keys["axis"].split(",")))
            keywords["axis"] = axes if len(axes) > 1 else axes[0]
        if "keepdims" in flags:
            keywords["keepdims"] = True
        if "dtype" in keys:
            keywords["dtype"] = SHORT[keys["dtype"]]
        if "ddof" in keys:
            keywords["ddof"] = int(keys["ddof"])
        if name in ("arange", "linspace"):
            return getattr(self.module, name)(*map(literal, args), **keywords)
        if name == "full":
            return self.module.full(dims(args[0]), self.operand(args[1]), **keywords)
        if name == "concatenate":
            return self.module.concatenate(list(map(self.operand, args)), **keywords)
        x = self.operand(args[0])
        if name == "update":
            return self.update(x, self.operand(args[1]), args[2:])
        if name == "cast":
            return self.module.astype(self.module.asarray(x), SHORT[args[1]])
        if name == "index":
            return x[index(args[1])]
        if name == "reshape":
            return self.module.reshape(x, dims(args[1]))
        if name == "broadcast":
            return self.module.broadcast_to(x, dims(args[1]))
        if name == "transpose":
            axes = keys.get("axis")
            return self.module.transpose(x, axes and tuple(map(int, axes.split(","))))
        if name == "clip":
            low, high = (self.operand(keys[k]) if k in keys else None for k in ("min", "max"))
            return self.module.clip(x, low, high)
        if name == "interp":
            sides = {k: self.operand(keys[k]) for k in ("left", "right") if k in keys}
            return self.module.interp(x, self.operand(args[1]), self.operand(args[2]), **sides)
        return getattr(self.module, name)(x, **keywords)

    def update(self, x, value, tokens):
        """Store into a part of a copy."""
        if self.module is rnp:
            return rnp._core._update(x, path(tokens), value)
        out = np.array(x)
        part = out
        for token in tokens:
            part = view(part, token)
            assert np.shares_memory(part, out)
        part[...] = value
        return out

    def call(self, function, operands, name):
        """Call a function that the engine cannot see into."""
        if self.module is np:
            return function(*operands)

        def infer(*operands):
            out = function(*(np.ones(shape, dtype) for dtype, shape in operands))
            return out.dtype, out.shape

        return rnp._core._call(function, operands, None, None, name, infer)

    def input(self, token, keys, reverse):
        """Make an input in the layout that the program asks for."""
        dtype, _, shape = token.partition("[")
        dtype, shape = SHORT[dtype], dims(shape)
        x = element(dtype, self.inputs, int(np.prod(shape, dtype=int))).reshape(shape)
        self.inputs += 1
        if "step" in keys:
            x = np.repeat(x, int(keys["step"]), axis=-1)[..., :: int(keys["step"])]
        if reverse:
            x = x[..., ::-1].copy()[..., ::-1]
        if keys.get("order") == "F":
            x = np.asfortranarray(x)
        return self.module.asarray(x)


def scale(text):
    """Return the tolerance of a program: 0 if every step of it is exact in both."""
    inexact = {"sum", "mean", "var", "std", "prod", *(n for n, (_, ulp, _) in OPS.items() if ulp)}
    if "c64[" in text:
        return 1
    return 1 if inexact & set(text.replace("(", " ").split()) else 0


@pytest.mark.parametrize("path", PROGRAMS, ids=[p.stem for p in PROGRAMS])
def test_program(path):
    text = path.read_text()
    with quiet():
        wanted = Program(np).run(text)
    values = {}
    before = rnp._core._set_tier("auto")
    try:
        for tier in ("jit", "interp"):
            rnp._core._set_tier(tier)
            with rnp.lazy():
                arrays = Program(rnp).run(text)
            got = rnp.eval(*arrays)
            values[tier] = got if len(arrays) > 1 else (got,)
    finally:
        rnp._core._set_tier(before)
    for want, jit, interp in zip(wanted, values["jit"], values["interp"], strict=True):
        want = np.asarray(want)
        assert jit.dtype == interp.dtype == want.dtype
        assert jit.shape == interp.shape == want.shape
        assert jit.tobytes() == interp.tobytes()
        if want.dtype.kind in "fc" and scale(text):
            eps = np.finfo(want.dtype).eps
            top = np.abs(want).max(initial=0)
            np.testing.assert_allclose(jit, want, rtol=16 * eps, atol=16 * eps * top)
        else:
            np.testing.assert_array_equal(jit, want)


def test_there_are_programs_enough():
    assert len(PROGRAMS) >= 40
    assert sum(not scale(p.read_text()) for p in PROGRAMS) > 20
