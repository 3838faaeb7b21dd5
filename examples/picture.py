"""Draw waveforms into a PNG with nothing but NumPy and zlib: peaks in a colour, RMS brighter."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Canvas = npt.NDArray[np.float32]  # (height, width, 3), each from 0 to 255
Rows = npt.NDArray[np.float32]  # per column of pixels, a position from the top
Colour = tuple[int, int, int]

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 1280, 270, 70, 24, 44, 34  # of one panel, and its margins
BACK, FIELD, GRID = (15, 18, 23), (22, 27, 34), (38, 45, 55)
AXIS, INK = (92, 104, 120), (190, 199, 210)
PEAKS: tuple[Colour, ...] = ((47, 111, 168), (176, 98, 36))
LOUD: tuple[Colour, ...] = ((122, 190, 245), (255, 187, 112))

CHARACTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ.-+:%/() "
DIGITS = (  # 3 x 5 points to a character: an octal digit is a row of points
    "75557262277174771717557117471774757711227575775717"  # 0 to 9
    "25755656563444365556746477464434553557557222711152"  # A to J
    "55655444475775565555255526564425573656553421672222"  # K to T
    "555575552255775552555522271247"  # U to Z
    "000020070002720020205124511244122214222400000"
)
GLYPHS = {character: DIGITS[5 * i : 5 * i + 5] for i, character in enumerate(CHARACTERS)}


@dataclass(frozen=True)
class Panel:
    """A waveform to draw: int16 samples of shape (frames,) or (frames, channels)."""

    title: str
    pcm: npt.NDArray[np.int16]
    rate: int


def save(path: Path, panels: Sequence[Panel]) -> None:
    """Draw the panels one below the other and write the PNG."""
    write_png(path, np.concatenate([draw(panel, i % 2) for i, panel in enumerate(panels)]))


def draw(panel: Panel, tint: int) -> Canvas:
    """Draw one panel: grid, axis lines, the waveform, title and labels."""
    canvas = np.full((HEIGHT, WIDTH, 3), BACK, np.float32)
    canvas[TOP : HEIGHT - BOTTOM, LEFT : WIDTH - RIGHT] = FIELD
    seconds = len(panel.pcm) / panel.rate
    for time in ticks(seconds):
        column = LEFT + round(time / seconds * (WIDTH - LEFT - RIGHT - 1))
        canvas[TOP : HEIGHT - BOTTOM, column] = GRID
        label(canvas, HEIGHT - BOTTOM + 10, column, f"{time:g} S".upper())
    for level in (1.0, 0.5, -0.5, -1.0):
        canvas[int(row(level)), LEFT : WIDTH - RIGHT] = GRID
    high, low, rms = envelope(panel.pcm, WIDTH - LEFT - RIGHT)
    bar(canvas, row(high), row(low), PEAKS[tint])
    bar(canvas, row(np.minimum(high, rms)), row(np.maximum(low, -rms)), LOUD[tint])
    canvas[int(row(0.0)), LEFT : WIDTH - RIGHT] = AXIS
    for level, name in ((1.0, "0 DB"), (0.5, "-6"), (-0.5, "-6"), (-1.0, "0 DB")):
        label(canvas, int(row(level)) - 5, LEFT - 34, name)
    text(canvas, 16, LEFT, panel.title.upper(), INK, 3)
    return canvas


def envelope(pcm: npt.NDArray[np.int16], columns: int) -> tuple[Rows, Rows, Rows]:
    """Return the highest and the lowest sample and the RMS of each column of pixels."""
    wave = pcm.reshape(len(pcm), -1).astype(np.float32) / np.float32(32768)
    starts = np.arange(columns) * len(wave) // columns
    counts = np.maximum(np.diff(starts, append=len(wave)), 1)
    power = np.add.reduceat((wave * wave).mean(axis=1), starts) / counts
    high = np.maximum.reduceat(wave.max(axis=1), starts)
    return high, np.minimum.reduceat(wave.min(axis=1), starts), np.sqrt(power).astype(np.float32)


def row(level: Any) -> Any:
    """Return where a level from -1 to 1, or an array of them, stands, in pixels from the top."""
    return (TOP + HEIGHT - BOTTOM) / 2 - level * ((HEIGHT - TOP - BOTTOM) / 2 - 6)


def bar(canvas: Canvas, top: Rows, bottom: Rows, colour: Colour) -> None:
    """Fill each column from `top` to `bottom`, at least one pixel, with smooth ends."""
    thin = np.maximum(1 - (bottom - top), 0) / 2
    rows = np.arange(HEIGHT)[:, None]
    cover = np.clip(np.minimum(rows + 1, bottom + thin) - np.maximum(rows, top - thin), 0, 1)
    part = canvas[:, LEFT : WIDTH - RIGHT]
    part += (np.asarray(colour, np.float32) - part) * cover[:, :, None]


def ticks(seconds: float) -> npt.NDArray[np.float64]:
    """Return round times for about ten labels."""
    raw = seconds / 10
    scale = 10.0 ** np.floor(np.log10(raw))
    step = scale * next(factor for factor in (1, 2, 5, 10) if factor * scale >= raw)
    times: npt.NDArray[np.float64] = np.arange(int(seconds / step + 1e-9) + 1) * step
    return times


def label(canvas: Canvas, top: int, middle: int, line: str) -> None:
    """Write a small line centred on a column, as far as the picture's edges let it."""
    width = (4 * len(line) - 1) * 2
    text(canvas, top, min(middle - width // 2, WIDTH - width), line, AXIS, 2)


def text(canvas: Canvas, top: int, left: int, line: str, colour: Colour, size: int) -> None:
    """Write a line in capitals."""
    for place, character in enumerate(line):
        rows = [int(digit) for digit in GLYPHS.get(character, "00000")]
        points = np.array([[row >> bit & 1 for bit in (2, 1, 0)] for row in rows])
        mask = np.kron(points, np.ones((size, size), int)).astype(bool)
        start = left + place * 4 * size
        canvas[top : top + 5 * size, start : start + 3 * size][mask] = colour


def write_png(path: Path, canvas: Canvas) -> None:
    """Write an 8-bit RGB PNG: signature, header, rows (each after a filter byte of 0), end."""
    height, width, _ = canvas.shape
    pixels = np.rint(canvas).astype(np.uint8).reshape(height, -1)
    rows = np.insert(pixels, 0, 0, axis=1).tobytes()
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    with path.open("wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        for kind, body in chunks:
            length, check = (struct.pack(">I", x) for x in (len(body), zlib.crc32(kind + body)))
            file.write(length + kind + body + check)
