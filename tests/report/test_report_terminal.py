"""The terminal's summary fits 80 columns and reads no markup out of names."""

from __future__ import annotations

import io
from dataclasses import replace

from rich.console import Console

from fpsim.report.data import DemoReport
from fpsim.report.terminal import print_summary
from tests.report import sample


def printed(report: DemoReport) -> str:
    console = Console(file=io.StringIO(), width=80, force_terminal=False)
    print_summary(report, console)
    stream = console.file
    assert isinstance(stream, io.StringIO)
    return stream.getvalue()


def test_summary_shows_quality_rtl_and_cost() -> None:
    text = printed(sample.report())
    rows = [line.split() for line in text.splitlines()]
    assert ["rotated-w4a4", "0.0763", "0.0009", "33.0", "0.417", "98.2"] in rows
    assert "digits-stress (synthetic outliers)" in text
    assert "RTL: The RTL passed 63\u202f468 vectors in 9 units" in text
    assert "Cost: The accelerator takes 0.0904\u202fmm²" in text
    assert text.rstrip().endswith("RTL and reference agree")
    assert all(len(line) <= 80 for line in text.splitlines())


def test_failure_is_the_last_word() -> None:
    text = printed(sample.with_failure())
    assert "FAILED for mul" in text
    assert text.rstrip().endswith("RTL check failed")


def test_names_are_not_markup() -> None:
    rows = [replace(sample.recipe("x", 9, 1), name="[red]x[/red]"), sample.fp32()]
    report = replace(sample.report(), models=[replace(sample.model("[b]m[/b]"), rows=rows)])
    text = printed(report)
    assert "[red]x[/red]" in text
    assert "[b]m[/b]" in text


def test_an_empty_run_prints() -> None:
    assert "RTL not checked" in printed(sample.empty())
