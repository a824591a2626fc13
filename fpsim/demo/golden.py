"""Stage 4: golden vectors of real layer tiles, captured from this run."""

from __future__ import annotations

from pathlib import Path

from fpsim.array.config import ArrayConfig
from fpsim.report.data import GoldenSummary
from fpsim.vectors import GoldenSet, read
from fpsim.vectors.build import build_sets


def make_golden(folder: Path, config: ArrayConfig) -> tuple[list[Path], list[GoldenSummary]]:
    """Capture rows, write the sets of every unit, read them back, and say what there is."""
    paths = build_sets(folder, config, capture=True)
    return paths, [_summary(path, read(path)) for path in paths]


def _summary(path: Path, golden: GoldenSet) -> GoldenSummary:
    words = {name: len(values) for name, values in golden.beats.items()}
    return GoldenSummary(golden.unit, str(path), words, len(golden.extra["tiles"]))
