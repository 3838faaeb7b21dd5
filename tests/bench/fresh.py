"""What a fresh process is needed for: `python -m bench.fresh WHAT` prints one figure.

Importing this module imports nothing that is timed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from time import perf_counter
from typing import Any

CLIPS = 20
FIRST, STEP = 16_000, 137  # samples of the first clip; each is longer than the one before


def clips() -> list[Any]:
    """Return clips of as many lengths."""
    import numpy as np

    lengths = [FIRST + STEP * i for i in range(CLIPS)]
    rng = np.random.default_rng(1)
    return [rng.uniform(-1, 1, n).astype(np.float32) for n in lengths]


def chain(xp: Any) -> Callable[[Any], Any]:
    """Return tanh, then decibels."""

    def run(x: Any) -> Any:
        y = xp.multiply(xp.tanh(xp.multiply(x, 3.0)), 0.8)
        return xp.multiply(xp.log10(xp.maximum(xp.absolute(y), 1e-5)), 20.0)

    return run


def seconds(run: Callable[[Any], Any], takes: list[Any]) -> float:
    """Return the seconds for all clips."""
    start = perf_counter()
    for take in takes:
        run(take)
    return perf_counter() - start


def numpy_plain() -> float:
    """NumPy, as most write it."""
    import numpy as np

    return seconds(chain(np), clips())


def numpy_best() -> float:
    """NumPy in place, by its fast logarithm."""
    import numpy as np

    factor = np.float32(20 / np.log(10))

    def run(x: Any) -> Any:
        y = np.multiply(x, 3.0)
        np.tanh(y, out=y)
        np.multiply(y, 0.8, out=y)
        np.absolute(y, out=y)
        np.maximum(y, 1e-5, out=y)
        np.log(y, out=y)
        return np.multiply(y, factor, out=y)

    return seconds(run, clips())


def eager() -> float:
    """Return eager's time."""
    import rnp

    return seconds(chain(rnp), clips())


def lazy() -> float:
    """Return that of a block per clip."""
    import rnp

    run = chain(rnp)

    def block(x: Any) -> Any:
        with rnp.lazy():
            return run(rnp.asarray(x)).eval()

    return seconds(block, clips())


def jit() -> float:
    """Return that of a traced function, tracing included."""
    import rnp

    takes = clips()
    start = perf_counter()
    run = rnp.jit(chain(rnp))
    return perf_counter() - start + seconds(run, takes)


def by_numba() -> float:
    """Return Numba's, compiling included."""
    import numba
    import numpy as np

    def loop(x: Any) -> Any:
        y, f32 = np.empty_like(x), np.float32
        for i in range(x.size):
            loud = abs(np.tanh(x[i] * f32(3)) * f32(0.8))
            y[i] = np.log10(max(loud, f32(1e-5))) * f32(20)
        return y

    takes = clips()
    return seconds(numba.njit(loop), takes)


def by_jax() -> float:
    """Return JAX's, compiling for each length included."""
    import jax
    import jax.numpy as jnp
    import numpy as np

    run, takes = jax.jit(chain(jnp)), clips()
    return seconds(lambda x: np.asarray(run(x)), takes)


def by_numexpr() -> float:
    """Return NumExpr's."""
    import numexpr as ne
    import numpy as np

    constants = {"a": 3.0, "b": 0.8, "e": 1e-5, "k": 20.0}
    values = {name: np.float32(value) for name, value in constants.items()}
    loud = "abs(tanh(x * a) * b)"
    text = f"log10(where({loud} > e, {loud}, e)) * k"
    return seconds(lambda x: ne.evaluate(text, local_dict=values | {"x": x}), clips())


def imported() -> float:
    """Return the milliseconds that `import rnp` adds to `import numpy`."""
    import_module("numpy")
    start = perf_counter()
    import_module("rnp")
    return (perf_counter() - start) * 1e3


def high_water() -> float:
    """Return the MiB that a fused chain of 30 operations needs beyond its input and its output."""
    import numpy as np
    import rnp

    @rnp.jit
    def run(x: Any) -> Any:
        for _ in range(15):
            x = rnp.add(rnp.multiply(x, 0.99), 0.001)
        return x

    run(np.zeros(4096, np.float32))  # the compiler's own memory is the constant's part
    x = np.ones(16_777_216, np.float32)
    before = peak()
    y = run(x)
    return peak() - before - float(y.nbytes) / 2**20


def peak() -> float:
    """Return the largest size of this process so far, in MiB (`getrusage` knows its parent's)."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


WHAT: dict[str, Callable[[], float]] = {
    "NumPy": numpy_plain,
    "NumPy, in place": numpy_best,
    "eager": eager,
    "lazy": lazy,
    "jit": jit,
    "Numba": by_numba,
    "JAX": by_jax,
    "NumExpr": by_numexpr,
    "import": imported,
    "high water": high_water,
}


if __name__ == "__main__":
    print(WHAT[sys.argv[1]]())
