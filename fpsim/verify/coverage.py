"""What of the RTL a unit's bench exercises: lines, branches, edges of every bit, by Verilator's counters.

A point that no bench can reach is excluded by name, with the reason; every other point that stays at zero is
shown. A unit that is built several times (a lane) counts as covered where any of its places was.
"""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from fpsim.array.config import ArrayConfig
from fpsim.verify.fault import FAULT_CONFIG
from fpsim.verify.job import Job
from fpsim.verify.runner import simulate

PointKind = Literal["line", "branch", "toggle"]
POINT_KINDS: tuple[PointKind, ...] = get_args(PointKind)
Progress = Callable[[str, int, int], None]
_RECORD = re.compile(r"^C '(.*)' (\d+)$")


@dataclass(frozen=True, order=True)
class Point:
    """One thing that can be covered.

    Attributes:
        module: RTL module.
        line: in its file.
        kind: line, branch or toggle.
        object: the signal's bit and edge, the branch's side, or the block.
        column: in the line; tells two branches of a line apart.
    """

    module: str
    line: int
    kind: PointKind
    object: str
    column: int = 0


@dataclass(frozen=True)
class Exclusion:
    """Points that no bench can reach.

    Attributes:
        module: RTL module.
        kind: line, branch or toggle.
        object: regular expression that the whole object matches.
        reason: why.
    """

    module: str
    kind: PointKind
    object: str
    reason: str

    def covers(self, point: Point) -> bool:
        """Whether the point is one of these."""
        same = (self.module, self.kind) == (point.module, point.kind)
        return same and re.fullmatch(self.object, point.object) is not None


EXCLUSIONS: tuple[Exclusion, ...] = (
    Exclusion(
        "fpsim_mul", "toggle", r"magnitude\[7\]:.*", "the place of the sign of a number that has none yet"
    ),
    Exclusion(
        "fpsim_mac_array",
        "branch",
        r"case:default|default",
        "three of four states; the fourth is unreachable",
    ),
    Exclusion("fpsim_mac_array", "line", r"case|default", "three of four states; the fourth is unreachable"),
)


@dataclass(frozen=True)
class UnitCoverage:
    """Coverage of one unit's bench, over every module below the unit.

    Attributes:
        unit: its name.
        covered, total: points by kind, the excluded ones left out.
        excluded: points left out.
        missing: points that stayed at zero.
    """

    unit: str
    covered: dict[PointKind, int]
    total: dict[PointKind, int]
    excluded: int
    missing: tuple[Point, ...]

    def percent(self, kind: PointKind) -> float:
        """Covered points of a kind in per cent; 100 where there are none."""
        return 100.0 * self.covered[kind] / self.total[kind] if self.total[kind] else 100.0


def read_points(text: str) -> dict[Point, int]:
    """The counts of a coverage file of Verilator, equal points of several instances added up.

    Raises:
        ValueError: a line that is no record.
    """
    counts: Counter[Point] = Counter()
    for line in text.splitlines():
        if line.startswith("#") or not line:
            continue
        match = _RECORD.match(line)
        if match is None:
            raise ValueError(f"coverage file: {line[:80]!r}: expected a record C '...' <count>")
        point = _point(dict(part.split("\x02", 1) for part in match[1].split("\x01") if part))
        if point is not None:
            counts[point] += int(match[2])
    return dict(counts)


def _point(fields: dict[str, str]) -> Point | None:
    kind = fields.get("t", "")
    page = fields["page"].partition("/")[2].partition("__")[0]
    if kind not in POINT_KINDS or page == "fpsim_pkg":
        return None
    return Point(page, int(fields["l"]), kind, fields.get("o", ""), int(fields.get("n", 0)))


def summarize(
    unit: str, counts: dict[Point, int], exclusions: Iterable[Exclusion] = EXCLUSIONS
) -> UnitCoverage:
    """Sort the points of a unit into covered, missing and excluded."""
    rules = tuple(exclusions)
    excluded = {point for point in counts if any(rule.covers(point) for rule in rules)}
    judged = {point: count for point, count in counts.items() if point not in excluded}
    total = Counter(point.kind for point in judged)
    covered = Counter(point.kind for point, count in judged.items() if count)
    return UnitCoverage(
        unit,
        {kind: covered[kind] for kind in POINT_KINDS},
        {kind: total[kind] for kind in POINT_KINDS},
        len(excluded),
        tuple(sorted(point for point, count in judged.items() if not count)),
    )


def run_coverage(
    units: Sequence[str],
    *,
    config: ArrayConfig = FAULT_CONFIG,
    quick: bool = False,
    seed: int = 0,
    rtl: Path | None = None,
    progress: Progress = lambda what, done, total: None,
) -> list[UnitCoverage]:
    """Run the benches of units on builds with counters.

    Args:
        units: names.
        config: what the units are built with.
        quick: fewer vectors.
        seed: seed of everything random.
        rtl: folder of the SystemVerilog; None: the repository's own.
        progress: called with (what, units done, units in all).

    Returns:
        One result per unit, in the order given.

    Raises:
        ValueError: an unknown unit.
        RtlMismatch, SimulationError, BuildError, ToolMissing: see `fpsim.verify.runner.simulate`.
    """
    results = []
    for done, name in enumerate(units):
        progress(f"coverage of {name}", done, len(units))
        job = Job(name, config, seed=seed, quick=quick, rtl=None if rtl is None else str(rtl))
        with tempfile.TemporaryDirectory(prefix="fpsim-coverage-") as folder:
            file = Path(folder) / "coverage.dat"
            simulate(job, coverage=file)
            results.append(summarize(name, read_points(file.read_text(encoding="utf-8"))))
    progress("coverage", len(units), len(units))
    return results
