"""The area pie: small slices are merged, labels never overlap."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fpsim.report.data import UnitArea
from fpsim.report.drawing import FAINT, PAPER, colour, plain, themed_svg
from fpsim.report.text import area_scale, fixed, integer, percent

SMALL = 0.03  # share below which slices are merged
OTHER = "other"
WIDTH = 10.0
REACH = 3.6  # half the figure's width, in radii
LABEL_STEP = 0.36  # least distance of two labels' middles, in radii


@dataclass(frozen=True)
class Slice:
    """One slice: a kind of unit, or those that are too small to draw."""

    name: str
    area_um2: float
    nand2: float
    share: float

    @property
    def label(self) -> str:
        """Name, area, NAND2 equivalents and share, in two lines."""
        gates = f"{integer(round(self.nand2))} NAND2"
        area = f"{fixed(self.area_um2, 0 if self.area_um2 >= 100 else 1)} µm²"
        return f"{plain(self.name)}\n{area} · {gates} · {percent(self.share)}"


def area_slices(areas: list[UnitArea]) -> tuple[list[Slice], list[Slice]]:
    """The slices to draw, largest first, and those (none, or two and more) that the last one merges."""
    whole = sum(unit.area_um2 for unit in areas)
    slices = [
        Slice(
            f"{unit.unit} × {integer(unit.count)}" if unit.count > 1 else unit.unit,
            unit.area_um2,
            unit.nand2,
            unit.area_um2 / whole if whole else 0.0,
        )
        for unit in sorted(areas, key=lambda unit: -unit.area_um2)
    ]
    small = [part for part in slices if part.share < SMALL]
    if len(small) < 2:
        return slices, []
    merged = Slice(
        OTHER,
        sum(part.area_um2 for part in small),
        sum(part.nand2 for part in small),
        sum(part.share for part in small),
    )
    return [part for part in slices if part.share >= SMALL] + [merged], small


def spread(heights: list[float], step: float) -> list[float]:
    """Heights moved apart to at least `step`, in the same order, their middle kept."""
    order = sorted(range(len(heights)), key=lambda i: heights[i])
    groups: list[tuple[float, int]] = []  # middle, members: neighbours that touch move as one
    for i in order:
        middle, members = heights[i], 1
        while groups and middle - groups[-1][0] < step * (members + groups[-1][1]) / 2:
            other, count = groups.pop()
            middle = (middle * members + other * count) / (members + count)
            members += count
        groups.append((middle, members))
    placed = [middle + (k - (count - 1) / 2) * step for middle, count in groups for k in range(count)]
    result = [0.0] * len(heights)
    for i, height in zip(order, placed, strict=True):
        result[i] = height
    return result


def _label_places(angles: list[float]) -> list[tuple[int, float]]:
    """For each slice's angle the side of its label, 1 for right and -1 for left, and its height in radii."""
    sides = [1 if math.cos(angle) >= 0 else -1 for angle in angles]
    places = [(0, 0.0)] * len(angles)
    for side in (1, -1):
        members = [i for i, own in enumerate(sides) if own == side]
        heights = spread([1.12 * math.sin(angles[i]) for i in members], LABEL_STEP)
        for i, height in zip(members, heights, strict=True):
            places[i] = (side, height)
    return places


def _label(axes: Axes, text: str, angle: float, side: int, height: float) -> None:
    axes.annotate(
        text,
        xy=(math.cos(angle), math.sin(angle)),
        xytext=(1.35 * side, height),
        ha="left" if side > 0 else "right",
        va="center",
        linespacing=1.4,
        arrowprops={"arrowstyle": "-", "color": FAINT, "shrinkA": 2, "shrinkB": 0},
    )


def area_pie(areas: list[UnitArea]) -> str:
    """The area of the accelerator by kind of unit, as an SVG document; the whole stands in the middle.

    Raises:
        ValueError: the whole area is not positive.
    """
    slices, _ = area_slices(areas)
    whole = sum(part.area_um2 for part in slices)
    if not whole > 0:
        raise ValueError(f"areas: {whole} µm² in all, expected more than 0")
    ends = [math.pi / 2]
    for part in slices:
        ends.append(ends[-1] - 2 * math.pi * part.share)
    angles = [(begin + end) / 2 for begin, end in pairwise(ends)]
    places = _label_places(angles)
    low = min(-1.05, *(height - LABEL_STEP / 2 for _, height in places))
    high = max(1.05, *(height + LABEL_STEP / 2 for _, height in places))

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        axes.pie(
            [part.share for part in slices],
            colors=[colour(i) for i in range(len(slices))],
            startangle=90,
            counterclock=False,
            wedgeprops={"width": 0.42, "edgecolor": PAPER, "linewidth": 1.2},
        )
        axes.text(0, 0, area_scale(whole).quantity(whole), ha="center", va="center", fontsize=13)
        for part, angle, (side, height) in zip(slices, angles, places, strict=True):
            _label(axes, part.label, angle, side, height)
        axes.set_xlim(-REACH, REACH)
        axes.set_ylim(low, high)

    return themed_svg(WIDTH, WIDTH * (high - low) / (2 * REACH), draw)
