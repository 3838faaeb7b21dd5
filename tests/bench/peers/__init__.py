"""Other engines, NumPy arrays in and out: `make bench-peers` installs them and races them.

A peer is a function from a work and its inputs to a call, or to None where it has no way to say the
work. Each runs in the spelling that its own documentation recommends for speed, compiled before the
time counts, with as many threads as it takes by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from bench.works import Inputs, Job, Work

Peer = Callable[[Work, Inputs], Job | None]

MODULES = ("by_numexpr", "by_numba", "by_jax", "by_others")


def installed() -> dict[str, Peer]:
    """Return the peers that are there, by name."""
    peers: dict[str, Peer] = {}
    for module in MODULES:
        try:
            peers |= import_module(f"bench.peers.{module}").PEERS
        except ImportError as missing:
            print(f"not installed, left out: {missing.name}")
    return peers
