"""Comparisons as a table for the terminal."""

from __future__ import annotations

from rich.table import Table

from fpsim.bench.measure import Comparison


def comparison_table(results: list[Comparison]) -> Table:
    """One row per comparison: job, peer, rate, ratio (above 1: faster than the peer)."""
    table = Table(caption="medians of paired rounds, one thread each; ratio above 1: faster than the peer")
    for title in ("job", "peer"):
        table.add_column(title)
    for title in ("our rate", "ratio"):
        table.add_column(title, justify="right")
    for r in results:
        table.add_row(r.job, r.peer, f"{r.rate / 1e9:.2f} G{r.unit}", f"{r.ratio:.3g}")
    return table
