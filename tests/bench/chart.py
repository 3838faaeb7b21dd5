"""The chart: for each engine a panel, works by sizes, coloured by how many times as fast it is.

Orange is slower and blue is faster, which all common kinds of colour blindness tell apart; a lost
cell has a bar below its figure as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

# Upper limit, colour, ink: from a quarter as fast and less, to 8 times and more.
STEPS = (
    (0.25, "#b35806", "#ffffff"),
    (0.5, "#e08214", "#000000"),
    (0.8, "#fdb863", "#000000"),
    (1.0, "#fee0b6", "#000000"),
    (1.25, "#f7f7f7", "#000000"),
    (2.0, "#d1e5f0", "#000000"),
    (4.0, "#92c5de", "#000000"),
    (8.0, "#4393c3", "#000000"),
    (float("inf"), "#2166ac", "#ffffff"),
)
WIDTH, HEIGHT, GAP = 34, 19, 16
LEFT, TOP, LEGEND = 150, 70, 70
FONT = "font-family='Helvetica, Arial, sans-serif'"

Ratios = Mapping[tuple[str, int], float]  # work and size: ratio


def draw(title: str, works: Sequence[str], panels: Mapping[str, Ratios]) -> str:
    """Return the chart as SVG, works from top to bottom."""
    sizes = {name: sorted({size for _, size in panel}) for name, panel in panels.items()}
    wide = LEFT + sum(len(s) * WIDTH + GAP for s in sizes.values())
    high = TOP + len(works) * HEIGHT + LEGEND
    out = [
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{wide}' height='{high}' "
        f"viewBox='0 0 {wide} {high}' {FONT} font-size='11'>",
        f"<rect width='{wide}' height='{high}' fill='#ffffff'/>",
        label(8, 20, title, size=14, weight="bold"),
    ]
    for row, work in enumerate(works):
        out.append(label(LEFT - 8, TOP + row * HEIGHT + 13, work, anchor="end"))
    left = LEFT
    for name, panel in panels.items():
        middle = left + len(sizes[name]) * WIDTH / 2
        out.append(label(middle, TOP - 24, name, anchor="middle", weight="bold"))
        for column, size in enumerate(sizes[name]):
            x = left + column * WIDTH
            out.append(label(x + WIDTH / 2, TOP - 6, short(size), anchor="middle"))
            for row, work in enumerate(works):
                if (work, size) in panel:
                    out += cell(x, TOP + row * HEIGHT, panel[work, size])
        foot = TOP + len(works) * HEIGHT + 14
        out.append(label(middle, foot, "samples", anchor="middle"))
        left += len(sizes[name]) * WIDTH + GAP
    out += legend(TOP + len(works) * HEIGHT + 30)
    return "\n".join([*out, "</svg>"]) + "\n"


def cell(x: float, y: float, ratio: float) -> list[str]:
    """Return one cell: its colour, its figure, its mark if it is lost."""
    fill, ink = next((fill, ink) for limit, fill, ink in STEPS if ratio < limit)
    out = [
        f"<rect x='{x}' y='{y}' width='{WIDTH - 1}' height='{HEIGHT - 1}' fill='{fill}'/>",
        label(x + WIDTH / 2, y + 13, figure(ratio), anchor="middle", ink=ink, size=10),
    ]
    if ratio < 1:
        bar = f"<rect x='{x + 5}' y='{y + HEIGHT - 4}' width='{WIDTH - 11}' height='1.6'"
        out.append(f"{bar} fill='{ink}'/>")
    return out


def legend(y: float) -> list[str]:
    """Return the key of the colours."""
    out, x, lower = [label(LEFT - 8, y + 13, "times as fast", anchor="end")], float(LEFT), "0"
    for limit, fill, ink in STEPS:
        text = f"{lower} up" if limit == float("inf") else f"to {limit:g}"
        out.append(f"<rect x='{x}' y='{y}' width='58' height='{HEIGHT - 1}' fill='{fill}'/>")
        out.append(label(x + 29, y + 13, text, anchor="middle", ink=ink, size=10))
        x, lower = x + 60, f"{limit:g}"
    out.append(label(x + 8, y + 13, "underlined: slower than the engine compared with"))
    return out


def figure(ratio: float) -> str:
    """Return a ratio in three places."""
    if ratio >= 9.95:
        return f"{ratio:.0f}"
    # never rounded over the line that decides
    return f"{ratio:.1f}" if ratio >= 1 else f"{min(ratio, 0.994):.2f}"[1:]


def short(size: int) -> str:
    """Return a number of samples in few letters."""
    for unit, letter in ((1 << 20, "M"), (1 << 10, "k")):
        if size >= unit and size % unit == 0:
            return f"{size // unit}{letter}"
    return str(size)


def label(
    x: float,
    y: float,
    text: str,
    *,
    anchor: str = "start",
    weight: str = "normal",
    ink: str = "#000000",
    size: int = 11,
) -> str:
    """Return a text."""
    style = f"text-anchor='{anchor}' font-weight='{weight}' font-size='{size}' fill='{ink}'"
    return f"<text x='{x:g}' y='{y:g}' {style}>{escape(text)}</text>"
