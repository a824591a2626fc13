"""The sign-off page: what passed, what did not, and what was left out, for people and for CI."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from fpsim.estimate.areas import ModuleArea
from fpsim.report.junit import junit_xml
from fpsim.report.signoff import DATA, JUNIT, PAGE, signoff_verdict, write_signoff
from fpsim.report.signoff_tables import unit_table
from fpsim.verify.check import STAGES, Check
from fpsim.verify.signoff import UNITS, SignOff
from tests.report.test_report_html import HOSTILE, Page

FIGURES = {
    "simulation": {"exhaustive": 128, "golden": 12, "cycles": 140, "simulator": "Verilator"},
    "icarus": {"exhaustive": 64, "cycles": 64},
    "coverage": {
        "line": 9,
        "line points": 9,
        "branch": 3,
        "branch points": 4,
        "toggle": 1,
        "toggle points": 2,
    },
    "proof": {"claim": "the law's operand", "sizes": "Formats=15", "induction steps": 0},
    "netlist": {"points": 9, "unproven": 0},
    "mutation": {"killed": 100, "equivalent": 20, "judged": 100},
    "lint": {"sizes": 6},
}
ABOUT = dict.fromkeys(("proof", "lint"), "fpsim_decode")
CHECKS = tuple(
    Check(stage, ABOUT.get(stage, "decode"), "bench", "passed", FIGURES[stage]) for stage in STAGES
)
GOOD = SignOff(CHECKS, {"decode": ("fpsim_decode", "fpsim_pkg")}, {"verilator": "5.48"}, seconds=12.0)
WHOLE = replace(GOOD, modules={**dict.fromkeys(UNITS, ()), **GOOD.modules})
BAD = replace(
    GOOD,
    checks=(
        *CHECKS,
        Check("proof", "fpsim_decode", "table", "failed", message=f"refuted\n{HOSTILE}\x1b[0m"),
        Check("icarus", "decode", "more", "not run", message="iverilog is not installed"),
    ),
)
AREAS = {"fpsim_decode": ModuleArea({}, 1.5, 0.0, 21.4, "")}


def test_a_unit_is_one_row_of_everything_that_was_looked_at() -> None:
    (row,) = unit_table(GOOD, AREAS).rows
    assert row.kind == "passed"
    assert row.cells == [
        "decode", "passed", "140", "64", "140", "100.0", "75.0", "50.0", "–", "1 of 1", "9", "100", "100",
        "1 of 1", "21",
    ]  # fmt: skip
    (row,) = unit_table(BAD, {}).rows
    assert row.kind == "failed"
    assert row.cells[1] == "FAILED"
    assert "1 of 2" in row.cells


def test_a_unit_that_a_stage_left_out_has_not_passed() -> None:
    (row,) = unit_table(replace(GOOD, checks=CHECKS[1:]), AREAS).rows
    assert (row.kind, row.cells[1]) == ("", "incomplete")


@pytest.mark.parametrize(
    ("signoff", "status", "says"),
    [
        (WHOLE, "passed", "7 checks of 25 units: 7 passed, 0 failed"),
        (GOOD, "incomplete", "7 checks of 1 unit"),
        (BAD, "failed", "1 failed, 1 not run"),
        (replace(GOOD, quick=True), "incomplete", "A quick run"),
        (replace(GOOD, checks=CHECKS[1:]), "incomplete", "Left out: simulation."),
    ],
)
def test_the_verdict_is_computed(signoff: SignOff, status: str, says: str) -> None:
    verdict = signoff_verdict(signoff)
    assert verdict.status == status
    assert says in verdict.text


def test_the_files_say_the_same_and_hold_no_foreign_markup(tmp_path: Path) -> None:
    write_signoff(BAD, AREAS, tmp_path / "new")
    page = Page((tmp_path / "new" / PAGE).read_text("utf-8"))
    assert "Not signed off" in page.text
    assert "iverilog is not installed" in page.text
    assert not {"script", "img"} & {tag for tag, _ in page.tags}
    data = json.loads((tmp_path / "new" / DATA).read_text("utf-8"))
    assert data["signed_off"] is False
    assert len(data["checks"]) == len(BAD.checks)
    root = ElementTree.fromstring((tmp_path / "new" / JUNIT).read_bytes())
    assert root.tag == "testsuites"


def test_junit_counts_failures_and_what_was_not_run() -> None:
    root = ElementTree.fromstring(junit_xml(BAD))
    suites = {suite.get("name"): suite for suite in root}
    assert [suites["proof"].get(key) for key in ("tests", "failures", "skipped")] == ["2", "1", "0"]
    assert [suites["icarus"].get(key) for key in ("tests", "failures", "skipped")] == ["2", "0", "1"]
    (failure,) = suites["proof"].iter("failure")
    assert failure.get("message") == "refuted"
    assert failure.text is not None
    assert HOSTILE in failure.text
    assert "\x1b" not in failure.text


def test_a_good_run_has_no_failure_in_junit() -> None:
    root = ElementTree.fromstring(junit_xml(GOOD))
    assert len(list(root.iter("testcase"))) == len(CHECKS)
    assert not list(root.iter("failure"))
    assert not list(root.iter("skipped"))
