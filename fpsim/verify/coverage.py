"""What of the RTL a unit's bench exercises: lines, branches, edges of every bit, by Verilator's counters.

A point that no bench can reach is excluded by name, with the reason (`fpsim.verify.exclusions`); every other
point that stays at zero is shown. A unit that is built several times (a lane) counts as covered where any of
its places was. The same run counts functional coverage.
"""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

from fpsim.array.config import OVERFLOWS, ArrayConfig
from fpsim.array.float_accumulator import FloatAccumulator
from fpsim.formats.accumulator import Rounding
from fpsim.verify.covergroup import CoverageError, FunctionalCoverage, Hits
from fpsim.verify.covergroups.table import SAMPLERS
from fpsim.verify.exclusions import EXCLUSIONS, POINT_KINDS, Exclusion, Point, PointKind
from fpsim.verify.fault import FAULT_CONFIG
from fpsim.verify.functional import judge
from fpsim.verify.job import Job
from fpsim.verify.rtl_files import default_rtl_folder, sources
from fpsim.verify.runner import simulate
from fpsim.verify.top_unit import TOP_UNITS
from fpsim.verify.units import UNIT_NAMES

__all__ = ["EXCLUSIONS", "Exclusion", "Point", "UnitCoverage", "read_points", "run_coverage", "summarize"]

RANDOM_BITS = 8  # of the build that rounds at random
Progress = Callable[[str, int, int], None]
_RECORD = re.compile(r"^C '(.*)' (\d+)$")


@dataclass(frozen=True)
class UnitCoverage:
    """Coverage of one unit's bench, over every module below the unit.

    Attributes:
        unit: its name.
        covered, total: points by kind, the excluded ones left out.
        excluded: points left out.
        missing: points that stayed at zero.
        exclusions: what left points out, with the reasons.
        functional: functional coverage of the same run; None of a unit without a covergroup.
    """

    unit: str
    covered: dict[PointKind, int]
    total: dict[PointKind, int]
    excluded: int
    missing: tuple[Point, ...]
    exclusions: tuple[Exclusion, ...] = ()
    functional: FunctionalCoverage | None = None

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
    unit: str,
    counts: dict[Point, int],
    exclusions: Iterable[Exclusion] = EXCLUSIONS,
    functional: FunctionalCoverage | None = None,
    rtl: Path | None = None,
) -> UnitCoverage:
    """Sort the points of a unit into covered, missing and excluded.

    Raises:
        CoverageError: an exclusion whose point was hit, or that leaves nothing out of a module that is there.
    """
    modules = {point.module for point in counts}
    rules = tuple(rule for rule in exclusions if rule.concerns(unit) and rule.module in modules)
    excluded = set[Point]()
    for rule in rules:
        points = {point for point in counts if rule.covers(point, rtl or default_rtl_folder())}
        hit = sorted(point for point in points if counts[point])
        if hit:
            raise CoverageError(f"{unit}: {hit[0]} was hit, although excluded: {rule.reason}")
        if not points:
            raise CoverageError(f"{unit}: {rule}: excludes nothing")
        excluded |= points
    judged = {point: count for point, count in counts.items() if point not in excluded}
    total = Counter(point.kind for point in judged)
    covered = Counter(point.kind for point, count in judged.items() if count)
    return UnitCoverage(
        unit,
        {kind: covered[kind] for kind in POINT_KINDS},
        {kind: total[kind] for kind in POINT_KINDS},
        len(excluded),
        tuple(sorted(point for point, count in judged.items() if not count)),
        rules,
        functional,
    )


def _without_units(points: dict[Point, int], rtl: Path) -> dict[Point, int]:
    """The whole accelerator's points without those of the units in it, which their own benches cover."""
    units = {file.stem for name in UNIT_NAMES for file in sources(f"fpsim_{name}", rtl)}
    return {point: count for point, count in points.items() if point.module not in units}


def variants(name: str, config: ArrayConfig) -> list[ArrayConfig]:
    """Further configurations of a unit that build what `config` leaves out: each rounding, overflow, cut."""
    unit, chosen = config.unit, config.unit.float_acc
    others = {
        "mac": [
            *(replace(unit, overflow=other) for other in OVERFLOWS if other != unit.overflow),
            replace(unit, product_cut=not unit.product_cut),
        ],
        "hadamard": [replace(unit, hadamard_cut=unit.hadamard_stages)],
        "mac_array": [
            *(replace(unit, overflow=way, acc_bits=9) for way in OVERFLOWS if way != unit.overflow),
            replace(unit, overlap=not unit.overlap),
        ],
        "mac_float": [
            replace(unit, float_acc=FloatAccumulator(5, 10, rounding=rounding, random_bits=bits))
            for rounding, bits in zip(get_args(Rounding), (0, 0, 0, 0, 0, RANDOM_BITS), strict=True)
            if rounding != chosen.rounding
        ],
    }
    return [replace(config, unit=other) for other in others.get(name, ())]


def _count(job: Job) -> tuple[dict[Point, int], Hits]:
    """Points of one run, and counts of the covergroup where the job asks for them."""
    with tempfile.TemporaryDirectory(prefix="fpsim-coverage-") as here:
        file = Path(here) / "coverage.dat"
        hits = simulate(job, coverage=file).functional
        return read_points(file.read_text(encoding="utf-8")), hits


def run_coverage(
    units: Sequence[str],
    *,
    config: ArrayConfig = FAULT_CONFIG,
    quick: bool = False,
    seed: int = 0,
    rtl: Path | None = None,
    progress: Progress = lambda what, done, total: None,
) -> list[UnitCoverage]:
    """Run the benches of units on builds with counters, structural and functional.

    What a parameter leaves out of a build is covered by further builds (`variants`): the points of all builds
    of a unit are added up. Functional coverage is that of `config`.

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
        CoverageError: what was excluded or declared unreachable was hit, or an exclusion excludes nothing.
        RtlMismatch, SimulationError, BuildError, ToolMissing: see `fpsim.verify.runner.simulate`.
    """
    results = []
    for done, name in enumerate(units):
        progress(f"coverage of {name}", done, len(units))
        folder = None if rtl is None else str(rtl)
        job = Job(name, config, seed=seed, quick=quick, rtl=folder, functional=name in SAMPLERS)
        points, hits = _count(job)
        functional = judge(name, config, hits) if name in SAMPLERS else None
        for variant in variants(name, config):
            further, _ = _count(replace(job, config=variant, quick=True, functional=False))
            points = {point: points.get(point, 0) + further.get(point, 0) for point in points | further}
        if name in TOP_UNITS:
            points = _without_units(points, rtl or default_rtl_folder())
        results.append(summarize(name, points, functional=functional, rtl=rtl))
    progress("coverage", len(units), len(units))
    return results
