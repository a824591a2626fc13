"""Stage 5: the RTL of every unit in the simulator, on this run's golden vectors and more."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from fpsim.array.config import ArrayConfig
from fpsim.demo.quality import Progress
from fpsim.report.data import RtlCheck
from fpsim.verify.mismatch import RtlMismatch
from fpsim.verify.replay import replay
from fpsim.verify.suite import UnitResult, run_suite

SEED = 0


def check_rtl(config: ArrayConfig, golden: list[Path], progress: Progress) -> list[RtlCheck]:
    """Golden, exhaustive and random vectors through every unit; one summary per unit."""
    return as_checks(run_suite(config, golden, seed=SEED, quick=True, progress=progress))


def as_checks(results: list[UnitResult]) -> list[RtlCheck]:
    """What the simulator said, as the report shows it."""
    return [RtlCheck(r.unit, r.passed, r.vectors, r.cycles, r.seconds, r.message) for r in results]


def replayed(file: Path, rtl: Path | None, waves: Path | None, as_json: bool) -> tuple[str, bool]:
    """Play the sequence of a file: what to print, and whether every result was right.

    Raises:
        ValueError, OSError, RuntimeError: see `fpsim.verify.replay.replay`; a difference is none of them.
    """
    try:
        run = replay(file, rtl, waves)
    except RtlMismatch as mismatch:
        return str(mismatch), False
    if as_json:
        return json.dumps(asdict(run), indent=2), True
    return f"{file}: {run.cycles} cycles, {sum(run.vectors.values())} results compared: all equal", True
