"""What tests of the process need: fresh Pythons, and how much memory this one has."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

MIB = 2**20
# What each child needs.
HEAD = """
import os, signal, sys, threading, time, warnings
import numpy as np, rnp
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored by children of background jobs
def chain(x):
    with rnp.lazy():
        y = rnp.asarray(x)
        y = (rnp.sin(y) * 0.5 + rnp.sqrt(rnp.abs(y))) / (1 + y * y)
    return y
def threads():
    return len(os.listdir("/proc/self/task"))
"""


def child(code, **env):
    """Run code in a fresh Python, which has to end well, and return what became of it."""
    inherited = {k: v for k, v in os.environ.items() if k != "RNP_NUM_THREADS"}
    done = subprocess.run(
        [sys.executable, "-c", HEAD + textwrap.dedent(code)],
        env={**inherited, **env}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, (done.returncode, done.stdout, done.stderr)
    return done


def rss():
    """Return the memory in use, in bytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE")
