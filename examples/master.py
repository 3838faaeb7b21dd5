"""Master a 16-bit recording: `python examples/master.py TAKE.wav [FOLDER]`.

Decode, remove DC, normalize, gain, soft-clip, fade, encode. Writes the new WAV and a picture of
both waveforms into FOLDER; prints meters, what was fused into which loops, and the time beside
NumPy's.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from math import inf, log10
from pathlib import Path

import numpy as np
import rnp

import chain
import clock
import picture
import wav
from chain import Settings
from wav import Pcm

BIAS = """\
Bias: rnp's authors chose the chain, and rnp may use all cores where NumPy uses one. "NumPy, same
expressions" is the same program with `np` for `rnp`; "NumPy, by hand" is what an expert makes of
it: in place, factors merged, fades computed at the ends only. rnp's figures include building the
graph. Cold: the first call in a fresh process, import and reading not counted. Warm: calls after
the first. All are medians, the engines taking turns."""


def main() -> int:
    """Run the job on the command line's recording."""
    options = arguments()
    try:
        pcm, rate = wav.read(options.take)
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if len(pcm) < 4:
        print(f"error: {options.take}: {len(pcm)} frames are too few to fade", file=sys.stderr)
        return 2
    settings = Settings(rate, gain_db=options.gain_db, fade=options.fade)
    if options.first_call:
        print(clock.once(engines(pcm, settings)[options.first_call]))
        return 0
    job(options.take, options.folder, pcm, settings, options.rounds)
    return 0


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Master a 16-bit recording.")
    parser.add_argument("take", type=Path, help="the WAV to master")
    parser.add_argument(
        "folder", type=Path, nargs="?", default="build/master", help="for the results"
    )
    parser.add_argument("--gain-db", type=float, default=6.0, help="gain into the soft clip")
    parser.add_argument("--fade", type=float, default=0.5, help="seconds of fade in and out")
    parser.add_argument("--rounds", type=int, default=15, help="timing rounds")
    parser.add_argument("--first-call", help=argparse.SUPPRESS)
    return parser.parse_args()


def job(take: Path, folder: Path, pcm: Pcm, settings: Settings, rounds: int) -> None:
    """Master, check, report, write."""
    kind = "mono" if pcm.ndim == 1 else "stereo"
    seconds = len(pcm) / settings.rate
    print(f"{take}: {seconds:.2f} s, {settings.rate} Hz, {kind}, {len(pcm):,} frames of int16")
    print(f"peak {settings.peak}, gain {settings.gain_db:+.1f} dB, fades of {settings.fade} s\n")

    lazy = chain.master(pcm, settings)
    plan = rnp.plan(lazy)
    mastered: Pcm = lazy.eval()
    before, after = Levels.of(pcm), Levels.of(mastered)
    print_levels(before, after)

    print_plan("The whole chain", plan)
    exact = rnp.plan(chain.plain(pcm, settings))
    print_plan("DC, normalize, gain, encode alone", exact)
    assert exact.loops == 3, "one loop for the mean, one for the peak, one for the rest"
    assert exact.bytes_moved <= 4 * pcm.nbytes + 256, "three reads, one write, no temporaries"
    check(pcm, mastered, settings)
    print_times(take, pcm, settings, rounds)

    folder.mkdir(parents=True, exist_ok=True)
    sound, image = (folder / f"{take.stem}-master{ending}" for ending in (".wav", ".png"))
    wav.write(sound, mastered, settings.rate)
    panels = [("before", before, pcm), ("after", after, mastered)]
    picture.save(
        image, [picture.Panel(f"{when}  {of.title()}", x, settings.rate) for when, of, x in panels]
    )
    print(f"wrote {sound}\nwrote {image}")


@dataclass(frozen=True)
class Levels:
    """What a level meter shows, full scale being 1."""

    peak: float
    rms: float
    dc: float

    @classmethod
    def of(cls, pcm: Pcm) -> Levels:
        """Measure: three reductions that share one pass over the samples."""
        with rnp.lazy():
            x = rnp.asarray(pcm).astype("float32") / 32768.0
            meters = rnp.abs(x).max(), rnp.sqrt(rnp.mean(x * x)), x.mean()
        return cls(*map(float, rnp.eval(*meters)))

    def title(self) -> str:
        """Return the line above the picture."""
        return f"peak {decibels(self.peak):.2f} dBFS  RMS {decibels(self.rms):.2f} dBFS"


def decibels(ratio: float) -> float:
    """Return a ratio in decibels."""
    return 20 * log10(ratio) if ratio > 0 else -inf


def print_levels(before: Levels, after: Levels) -> None:
    """Print the meters side by side."""
    pair = (before, after)
    crest = [decibels(of.peak / of.rms) if of.rms > 0 else 0.0 for of in pair]
    rows = [
        ("peak", "10.6f", [of.peak for of in pair]),
        ("peak, dBFS", "10.2f", [decibels(of.peak) for of in pair]),
        ("RMS", "10.6f", [of.rms for of in pair]),
        ("RMS, dBFS", "10.2f", [decibels(of.rms) for of in pair]),
        ("crest factor, dB", "10.2f", crest),
        ("DC", "10.6f", [of.dc for of in pair]),
    ]
    print(f"{'levels':18}{'before':>10}{'after':>12}")
    for name, form, values in rows:
        print(f"{name:18}" + "  ".join(format(value, form) for value in values))
    print()


def print_plan(title: str, plan: rnp.Plan) -> None:
    """Print what was fused, and the loops."""
    moved, numpy = plan.bytes_moved, plan.numpy_bytes
    print(f"{title}: {plan.ops} ops in, {plan.loops} loops out")
    times = f"{numpy / moved:.1f} times that"
    print(f"bytes moved: {moved / 1e6:.2f} MB; NumPy, op by op: {numpy / 1e6:.2f} MB, {times}")
    for cut in plan.cuts or ["none"]:
        print(f"cut: {cut}")
    print("\n".join(f"    {line}" for line in str(plan.text).rstrip().splitlines()) + "\n")


def check(pcm: Pcm, mastered: Pcm, settings: Settings) -> None:
    """Compare the samples with those of the same chain in NumPy."""
    exact = chain.plain(pcm, settings).eval()
    wanted = chain.numpy_plain(pcm, settings, mean=np.float64)
    assert exact.dtype == wanted.dtype
    assert np.array_equal(exact, wanted), "DC, normalize, gain, encode: samples differ from NumPy's"
    wanted = chain.numpy_master(pcm, settings, mean=np.float64)
    off = np.abs(mastered.astype(int) - wanted.astype(int))
    assert mastered.shape == wanted.shape
    assert off.max() <= 1, f"the whole chain: {off.max()} LSB off NumPy's"
    print("Checked against NumPy, its mean summed in float64 as rnp's is:")
    print(f"    DC, normalize, gain, encode: all {exact.size:,} samples equal")
    differ = np.count_nonzero(off)
    print(f"    the whole chain: {differ:,} samples differ, by {off.max()} LSB at most\n")


def engines(pcm: Pcm, settings: Settings) -> dict[str, Callable[[], object]]:
    """Return the contestants by name."""
    threads = rnp.get_num_threads()

    def alone() -> object:
        rnp.set_num_threads(1)
        try:
            return chain.master(pcm, settings).eval()
        finally:
            rnp.set_num_threads(threads)

    contestants: dict[str, Callable[[], object]] = {
        f"rnp, {threads} threads": lambda: chain.master(pcm, settings).eval(),
        "rnp, 1 thread": alone,
        "NumPy, same expressions": lambda: chain.numpy_master(pcm, settings),
        "NumPy, by hand": lambda: chain.numpy_by_hand(pcm, settings),
    }
    if threads == 1:
        del contestants["rnp, 1 threads"]
    return contestants


def print_times(take: Path, pcm: Pcm, settings: Settings, rounds: int) -> None:
    """Time the whole chain and print medians and ratios."""
    contestants = engines(pcm, settings)
    knobs = [f"--gain-db={settings.gain_db}", f"--fade={settings.fade}"]
    calls = {name: [__file__, str(take), *knobs, "--first-call", name] for name in contestants}
    cold = clock.cold(calls, min(rounds, 5))
    warm = clock.warm(contestants, rounds)
    first = next(iter(contestants))
    print(BIAS)
    print(f"{'median ms':26}{'cold':>9}{'x rnp':>8}{'warm':>10}{'x rnp':>8}")
    for name in contestants:
        row = f"{cold[name] * 1e3:9.2f}{cold[name] / cold[first]:8.2f}"
        print(f"{name:26}{row}{warm[name] * 1e3:10.2f}{warm[name] / warm[first]:8.2f}")
    print()


if __name__ == "__main__":
    sys.exit(main())
