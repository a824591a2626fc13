"""What of the RTL no bench can reach, point by point, with the reason.

An exclusion that excludes nothing, or whose point is hit after all, is an error of `fpsim.verify.coverage`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

PointKind = Literal["line", "branch", "toggle"]
POINT_KINDS: tuple[PointKind, ...] = get_args(PointKind)


@dataclass(frozen=True, order=True)
class Point:
    """One thing that can be covered.

    Attributes:
        module: RTL module.
        line: in its file.
        kind: line, branch or toggle.
        object: the signal's bit and edge, the branch's side, or the block.
        column: in the line; tells two branches of a line apart.
    """

    module: str
    line: int
    kind: PointKind
    object: str
    column: int = 0


@dataclass(frozen=True)
class Exclusion:
    """Points that no bench can reach.

    Attributes:
        module: RTL module.
        kind: line, branch or toggle.
        object: regular expression that the whole object matches.
        reason: why.
        text: regular expression that is found in their line of the module's file; a group `at` in it begins
            at their column.
        units: the units in which they cannot be reached; empty: wherever the module is.
    """

    module: str
    kind: PointKind
    object: str
    reason: str
    text: str = ""
    units: tuple[str, ...] = ()

    def concerns(self, unit: str) -> bool:
        """Whether it is about a run of that unit."""
        return not self.units or unit in self.units

    def covers(self, point: Point, rtl: Path) -> bool:
        """Whether the point is one of these; the folder holds the SystemVerilog."""
        same = (self.module, self.kind) == (point.module, point.kind)
        if not same or re.fullmatch(self.object, point.object) is None:
            return False
        line = _lines(rtl / f"{self.module}.sv")[point.line - 1] if self.text else ""
        found = re.search(self.text, line)
        return found is not None and _at(found, point)


def _at(found: re.Match[str], point: Point) -> bool:
    return "at" not in found.groupdict() or found.start("at") + 1 == point.column


def _lines(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines()


_IN_ARRAY = "inside an array an element is enabled in every cycle and never reset: the first beat clears it"
_E2M1_ALONE = "the elements of a block are E2M1, no other format is built in"
_SATURATES = "the sum of blocks saturates, it has no infinity"
_DOTS = ("dot_mx", "dot_nvfp4")

EXCLUSIONS: tuple[Exclusion, ...] = (
    Exclusion("fpsim_mac", "line", "elsif", _IN_ARRAY, units=("mac_array",)),
    Exclusion("fpsim_mac", "branch", "else", _IN_ARRAY, units=("mac_array",)),
    Exclusion("fpsim_mac_array_control", "line", "case", "there are three states, no fourth", "default:"),
    Exclusion("fpsim_decode", "branch", "else", _E2M1_ALONE, "HAS_E2M1", _DOTS),
    Exclusion("fpsim_decode", "branch", "if", _E2M1_ALONE, "HAS_(E3M0|E1M2|INT4)", _DOTS),
    Exclusion("fpsim_decode", "branch", "cond_.*", _E2M1_ALONE, "e3m0_exp", _DOTS),
    Exclusion("fpsim_mul", "branch", "cond_then", "two shifts of E2M1 are 4 at most", r"shift\[3\]", _DOTS),
    Exclusion(
        *("fpsim_float_add", "line", "case", "the sum of blocks is rounded to nearest, ties to even"),
        *("ROUND_(RNA|RUP|RDN|STOCHASTIC)|default:", _DOTS),
    ),
    Exclusion("fpsim_float_add", "branch", "cond_then", _SATURATES, r"(?P<at>INFINITY) : LARGEST", _DOTS),
    Exclusion("fpsim_float_add", "branch", "cond_then", _SATURATES, r"infinite \? (?P<at>acc_i)", _DOTS),
    Exclusion(
        *(
            "fpsim_float_add",
            "branch",
            "cond_then",
            "under UE4M3 it takes more than 2^100 blocks to overflow",
        ),
        *(r"beyond \? (?P<at>largest)", ("dot_nvfp4",)),
    ),
)
