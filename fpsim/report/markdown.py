"""Tables as Markdown."""

from __future__ import annotations

from collections.abc import Iterable

from fpsim.report.tables import Table


def markdown_lines(head: list[str], rows: Iterable[list[str]]) -> list[str]:
    """A table, line by line; every row has as many cells as the head."""
    return [f"| {' | '.join(cells)} |" for cells in [head, ["---"] * len(head), *rows]]


def markdown_table(table: Table) -> str:
    """The caption and the table below it."""
    lines = markdown_lines([column.title for column in table.columns], (row.cells for row in table.rows))
    return "\n".join([table.caption, "", *lines]) + "\n"
