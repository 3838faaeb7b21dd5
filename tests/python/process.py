"""What tests of the process need: fresh Pythons, and how much memory this one has."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
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
    inherited = {k: v for k, v in os.environ.items() if k not in ("RNP_NUM_THREADS", "RNP_ISA")}
    done = subprocess.run(
        [sys.executable, "-c", HEAD + textwrap.dedent(code)],
        env={**inherited, **env}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, (done.returncode, done.stdout, done.stderr)
    return done


def together(work, count):
    """Call work(0), work(1), ... in threads of their own; raise what the first of them raised."""
    raised = []

    def run(k):
        try:
            work(k)
        except BaseException as e:
            raised.append(e)

    threads = [threading.Thread(target=run, args=(k,)) for k in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    if raised:
        raise raised[0]


def rss():
    """Return the memory in use, in bytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE")
