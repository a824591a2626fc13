"""The sign-off on the terminal: its stages, its verdict, and what did not pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console

from fpsim.estimate.areas import committed_areas
from fpsim.report.files import check_folder
from fpsim.report.signoff import signoff_verdict, write_signoff
from fpsim.report.signoff_tables import stage_table
from fpsim.report.terminal import rich_table
from fpsim.verify.signoff import SignOff, check_names


def signed(run: Callable[[], SignOff], stages: list[str], units: list[str] | None, folder: Path) -> SignOff:
    """Run a sign-off and write its files; names and folder are looked at before anything runs.

    Raises:
        ValueError: an unknown stage or unit.
        ReportFolderError: the folder cannot be written.
    """
    check_names(stages, units)
    check_folder(folder)
    signoff = run()
    write_signoff(signoff, committed_areas(), folder)
    return signoff


def as_json(signoff: SignOff) -> dict[str, Any]:
    """What `--json` prints."""
    return {"signed_off": signoff.signed_off, "checks": [asdict(check) for check in signoff.checks]}


def show(signoff: SignOff, folder: Path, console: Console) -> None:
    """Print the stages and the verdict."""
    verdict = signoff_verdict(signoff)
    console.print(rich_table(stage_table(signoff)))
    console.print(f"{verdict.headline}. {verdict.text}\nwrote {folder}", highlight=False, soft_wrap=True)


def troubles(signoff: SignOff) -> list[str]:
    """A text for each check that did not pass."""
    return [
        f"{check.stage}: {check.subject}, {check.name}: {check.verdict}\n{check.message}"
        for check in signoff.checks
        if not check.passed
    ]
