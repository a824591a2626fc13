"""One thing that the sign-off looked at, and what came of it: plain data for the page and for CI."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

Stage = Literal["simulation", "icarus", "coverage", "proof", "netlist", "mutation", "lint"]
STAGES: tuple[Stage, ...] = get_args(Stage)
Verdict = Literal["passed", "failed", "not run"]


@dataclass(frozen=True)
class Check:
    """One check.

    Attributes:
        stage: what kind of check.
        subject: the unit, or the RTL module, that it is about.
        name: tells two checks of one stage and subject apart; what exactly was looked at.
        verdict: passed; failed; or not run, which signs nothing off.
        figures: what was counted, by name.
        message: what failed, what is missing, or why it did not run; empty where there is nothing to say.
        seconds: wall time.
    """

    stage: Stage
    subject: str
    name: str
    verdict: Verdict
    figures: dict[str, int | float | str] = field(default_factory=dict)
    message: str = ""
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        """It ran and found nothing."""
        return self.verdict == "passed"
