"""Instruction sets: `RNP_ISA` lowers what rnp uses, and results keep their bits."""

from __future__ import annotations

import json

from process import child

ELEMENTARY = """
    exp exp2 expm1 log log2 log10 log1p sin cos tan tanh sinh cosh
    arcsin arccos arctan arcsinh arccosh arctanh cbrt
"""

# Prints the results' digests. NumPy is the oracle: equal bits where it rounds exactly.
RESULTS = f"""
import hashlib, json
from rnp import audio

rnp._core._set_tier("jit")
rng = np.random.default_rng(5)
found = {{}}
def one_nan(x):
    x = np.array(x)
    if x.dtype.kind == "f":
        x[np.isnan(x)] = np.nan
    return x
def keep(name, got, want=None, near=0.0):
    got = one_nan(got)
    if want is not None:
        want = one_nan(want)
        assert got.dtype == want.dtype and got.shape == want.shape, name
        if near:
            np.testing.assert_allclose(got, want, rtol=near, atol=near, err_msg=name)
        else:
            assert got.tobytes() == want.tobytes(), name
    found[name] = hashlib.sha256(got.tobytes()).hexdigest()

special = [0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0, 1e-310, 1e-40, 1e300, 709.9, -745.2]
with np.errstate(all="ignore"), rnp.lazy():
    for dtype, near in (("float32", 4e-7), ("float64", 2e-15)):
        drawn = rng.uniform(-3, 3, 3_000), 10.0 ** rng.uniform(-9, 9, 1_000), special
        x = np.concatenate(drawn).astype(dtype)
        y = rng.permutation(x)
        for name in {ELEMENTARY!r}.split():
            keep(f"{{name}} {{dtype}}", getattr(rnp, name)(x), getattr(np, name)(x), near)
        for name in ("power", "arctan2", "hypot", "logaddexp"):
            keep(f"{{name}} {{dtype}}", getattr(rnp, name)(x, y), getattr(np, name)(x, y), near)
        for name in ("add", "multiply", "divide", "floor_divide", "remainder", "maximum", "fmin"):
            keep(f"{{name}} {{dtype}}", getattr(rnp, name)(x, y), getattr(np, name)(x, y))
        for name in ("sqrt", "rint", "floor", "abs", "negative", "sign", "trunc", "reciprocal"):
            keep(f"{{name}} {{dtype}}", getattr(rnp, name)(x), getattr(np, name)(x))

        s = rng.uniform(-1, 1, 70_001).astype(dtype)
        for name in ("max", "min", "argmax", "argmin"):
            keep(f"{{name}} {{dtype}}", getattr(rnp, name)(s), getattr(np, name)(s))
        wide = s.astype("float64")
        keep(f"sum {{dtype}}", rnp.sum(s), wide.sum().astype(dtype), near)
        rms = np.sqrt(np.mean(wide * wide)).astype(dtype)
        keep(f"rms {{dtype}}", rnp.sqrt(rnp.mean(s * s)), rms, near)
        keep(f"prod {{dtype}}", rnp.prod(1 + s[:500] / 100))
        a = rnp.asarray(s)
        meters = rnp.eval(rnp.abs(a).max(), (a * a).mean(), a.mean(), a.min(), a.max())
        for k, got in enumerate(meters):
            keep(f"meter {{k}} {{dtype}}", got)
        keep(f"dot {{dtype}}", audio.dot_vec(s, s[::-1].copy()))
        at = rng.uniform(-5, 45, 9_000)
        for grid in (np.arange(40.0), np.sort(rng.uniform(0, 40, 9)), np.linspace(0, 39, 4_000)):
            points = rng.uniform(-1, 1, len(grid))
            want = np.interp(at, grid, points)
            keep(f"interp {{len(grid)}} {{dtype}}", rnp.interp(at, grid, points), want)
        keep(f"resample {{dtype}}", audio.resample(s, 48_000, 44_100))

        chain = rnp.clip(rnp.abs(rnp.asarray(x)) * 0.5 + 0.25, 0.1, 0.9)
        keep(f"chain {{dtype}}", chain, np.clip(np.abs(x) * 0.5 + 0.25, 0.1, 0.9))
        where = rnp.where(rnp.asarray(x) > y, rnp.asarray(x) - y, -rnp.asarray(y))
        keep(f"where {{dtype}}", where, np.where(x > y, x - y, -y))
        for to in ("int8", "int16", "int32", "int64", "float16", "bool"):
            got = rnp.asarray(s * 100).astype(to) + 0
            keep(f"{{dtype}} to {{to}}", got, (s * 100).astype(to) + 0)
    for to in ("int8", "uint8", "int16", "int32", "uint32", "int64"):
        i, j = (rng.integers(0, 100, 5_000).astype(to) for _ in range(2))
        keep(f"arithmetic {{to}}", rnp.asarray(i) * j - rnp.asarray(j) // 3, i * j - j // 3)
        scaled = rnp.asarray(i).astype("float32") / 32768.0
        keep(f"to float {{to}}", scaled, i.astype("float32") / np.float32(32768.0))
        keep(f"sum {{to}}", rnp.asarray(i).sum(), i.sum())
print(json.dumps(found))
"""


def results(**environment):
    """Return the digests of all results in a fresh process, whose warnings do not matter."""
    return json.loads(child(RESULTS, **environment).stdout)


def test_results_have_the_same_bits_with_any_instructions():
    want = results()
    assert len(want) > 140
    for name in ("portable", "avx2", "avx512"):
        got = results(RNP_ISA=name)
        assert got == want, (name, [key for key in want if got[key] != want[key]])


def test_the_code_generator_heeds_the_level_too():
    code = """
        with rnp.lazy():
            y = rnp.asarray(np.ones(4_096, np.float32)) * 0.5 + 0.25
        print("wide loop" in rnp.explain(y, machine_code=True))
    """
    assert child(code, RNP_ISA="portable").stdout == "False\n"
    assert child(code, RNP_ISA="avx2").stdout == child(code).stdout


def test_a_level_that_is_not_there_is_a_warning_at_import():
    done = child("assert rnp.add(1, 2) == 3", RNP_ISA="avx3")
    assert (
        'RuntimeWarning: RNP_ISA="avx3" is none of this machine\'s instruction sets' in done.stderr
    )
    assert done.stderr.count("RNP_ISA") == 1
    assert "RNP_ISA" not in child("rnp.add(1, 2)", RNP_ISA=" portable ").stderr
