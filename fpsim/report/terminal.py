"""The end of the demo in the terminal: verdict, quality, RTL and cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table as RichTable
from rich.text import Text

from fpsim.report.data import DemoReport
from fpsim.report.findings import cost_sentences, model_label, rtl_sentence, verdict
from fpsim.report.tables import Table, quality_table

# What fits in 80 columns; the HTML report has the rest.
QUALITY_COLUMNS = (
    "arithmetic",
    "FD to FP32 samples",
    "paired MSE",
    "ε SQNR, median (dB)",
    "FD to training set",
    "accuracy (%)",
)
_STYLES = {"passed": "bold green", "failed": "bold red", "incomplete": "bold yellow"}


def rich_table(table: Table, title: str = "", titles: Sequence[str] = ()) -> RichTable:
    """A table for the terminal; its cells are shown as they are, never read as markup.

    Args:
        table: what to show.
        title: above it.
        titles: columns to show, all if empty.
    """
    result = RichTable(
        title=Text(title) if title else None, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD
    )
    shown = [i for i, column in enumerate(table.columns) if not titles or column.title in titles]
    for i in shown:
        column = table.columns[i]
        justify: Literal["left", "right"] = "right" if column.numeric else "left"
        result.add_column(Text(column.title), justify=justify, vertical="bottom", no_wrap=not column.numeric)
    for row in table.rows:
        result.add_row(*(Text(row.cells[i]) for i in shown))
    return result


def print_summary(report: DemoReport, console: Console | None = None) -> None:
    """Print the verdict, a quality table per model, the RTL's line and the cost's.

    Args:
        report: what the run found out.
        console: where to; standard output if None.
    """
    console = console or Console()
    result = verdict(report)
    console.print()
    for model in report.models:
        console.print(rich_table(quality_table(model), model_label(model), QUALITY_COLUMNS))
    lines = [
        ("RTL", rtl_sentence(report.rtl)),
        ("Cost", " ".join(cost_sentences(report.cost, report.config))),
    ]
    for name, sentence in lines:
        console.print(Text.assemble((f"{name}: ", "bold"), sentence))
    console.print(Padding(Text(result.headline, style=_STYLES[result.status]), (1, 0, 0, 0)))
