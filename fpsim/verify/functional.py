"""Functional coverage of a unit: judge what its bench brought about."""

from __future__ import annotations

from fpsim.array.config import ArrayConfig
from fpsim.verify.covergroup import FunctionalCoverage, Hits
from fpsim.verify.covergroups.table import sampler
from fpsim.verify.units import unit


def judge(name: str, config: ArrayConfig, hits: Hits) -> FunctionalCoverage:
    """What a unit's counts say.

    Raises:
        ValueError: a unit without a covergroup.
        CoverageError: a bin was hit that is declared unreachable.
    """
    return sampler(unit(name, config), config).group.judge(hits)
