"""JAX on the CPU: the shared expression over `jax.numpy`, jitted; float64 is allowed."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from bench.works import Inputs, Job, Work

jax.config.update("jax_platforms", "cpu")
jax.config.update("jax_enable_x64", True)


class Namespace:
    """`jax.numpy`, whose `interp` takes the lists that NumPy's takes."""

    def __getattr__(self, name: str) -> Any:
        return getattr(jnp, name)

    def interp(self, x: Any, xp: Any, fp: Any) -> Any:
        return jnp.interp(x, jnp.asarray(xp), jnp.asarray(fp))


def by_jax(work: Work, inputs: Inputs) -> Job | None:
    """Run by JAX; the result is NumPy's again."""
    run = jax.jit(work.expression(Namespace()))

    def job() -> Any:
        result = run(*inputs)
        return tuple(map(np.asarray, result)) if isinstance(result, tuple) else np.asarray(result)

    return job


PEERS = {"JAX": by_jax}
