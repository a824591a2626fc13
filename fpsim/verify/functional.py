"""Functional coverage of units: run their benches with samplers on, and judge what was brought about."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from fpsim.array.config import ArrayConfig
from fpsim.verify.covergroup import FunctionalCoverage, Hits
from fpsim.verify.covergroups.table import sampler
from fpsim.verify.fault import FAULT_CONFIG
from fpsim.verify.job import Job
from fpsim.verify.runner import simulate
from fpsim.verify.units import unit

Progress = Callable[[str, int, int], None]


def judge(name: str, config: ArrayConfig, hits: Hits) -> FunctionalCoverage:
    """What a unit's counts say.

    Raises:
        ValueError: a unit without a covergroup.
        CoverageError: a bin was hit that is declared unreachable.
    """
    return sampler(unit(name, config), config).group.judge(hits)


def run_functional(
    units: Sequence[str],
    *,
    config: ArrayConfig = FAULT_CONFIG,
    quick: bool = False,
    seed: int = 0,
    rtl: Path | None = None,
    progress: Progress = lambda what, done, total: None,
) -> list[FunctionalCoverage]:
    """Run the benches of units and count what they bring about; needs no build of its own.

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
        ValueError: an unknown unit, or one without a covergroup.
        CoverageError: a bin was hit that is declared unreachable.
        RtlMismatch, SimulationError, BuildError, ToolMissing: see `fpsim.verify.runner.simulate`.
    """
    results = []
    for done, name in enumerate(units):
        progress(f"functional coverage of {name}", done, len(units))
        folder = None if rtl is None else str(rtl)
        job = Job(name, config, seed=seed, quick=quick, rtl=folder, functional=True)
        results.append(judge(name, config, simulate(job).functional))
    progress("functional coverage", len(units), len(units))
    return results
