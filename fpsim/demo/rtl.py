"""Stage 5: the RTL of every unit in the simulator, on this run's golden vectors and more."""

from __future__ import annotations

from pathlib import Path

from fpsim.array.config import ArrayConfig
from fpsim.demo.quality import Progress
from fpsim.report.data import RtlCheck
from fpsim.verify.suite import UnitResult, run_suite

SEED = 0


def check_rtl(config: ArrayConfig, golden: list[Path], progress: Progress) -> list[RtlCheck]:
    """Golden, exhaustive and random vectors through every unit; one summary per unit."""
    return as_checks(run_suite(config, golden, seed=SEED, quick=True, progress=progress))


def as_checks(results: list[UnitResult]) -> list[RtlCheck]:
    """What the simulator said, as the report shows it."""
    return [RtlCheck(r.unit, r.passed, r.vectors, r.cycles, r.seconds, r.message) for r in results]
