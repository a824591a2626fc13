"""Comparisons as a table for the terminal."""

from __future__ import annotations

from rich.table import Table

from fpsim.bench.measure import Comparison


def comparison_table(results: list[Comparison]) -> Table:
    """One row per comparison: job, peer, rate, peak memory, ratio (above 1: faster than the peer)."""
    table = Table(
        caption="medians of paired rounds, one thread each; memory: our peak above the operands; "
        "ratio above 1: faster than the peer"
    )
    for title in ("job", "peer"):
        table.add_column(title)
    for title in ("our rate", "memory", "ratio"):
        table.add_column(title, justify="right")
    for r in results:
        rate, memory = f"{r.rate / 1e9:.3g} G{r.unit}", f"{r.peak_bytes / 1e6:.3g} MB"
        table.add_row(r.job, r.peer, rate, memory, f"{r.ratio:.3g}")
    return table
