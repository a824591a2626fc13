"""The sign-off: what it runs, what counts as a pass, and that nothing else does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fpsim.verify import signoff as module
from fpsim.verify.build import BuildError
from fpsim.verify.check import STAGES, Check
from fpsim.verify.faults import FAULTS, injected
from fpsim.verify.icarus import NOT_IN_ICARUS
from fpsim.verify.rtl_files import default_rtl_folder
from fpsim.verify.signoff import UNITS, SignOff, run_signoff
from fpsim.verify.signoff_tasks import TASKS, Plan, Task
from fpsim.verify.suite import RTL_CONFIG
from fpsim.verify.toolchain import ToolMissing
from fpsim.verify.units import UNIT_NAMES

PASSED = [Check(stage, "decode", "bench", "passed") for stage in STAGES]


def test_only_who_passes_every_stage_is_signed_off() -> None:
    units: dict[str, tuple[str, ...]] = dict.fromkeys(UNITS, ())
    whole = SignOff(tuple(PASSED), units)
    assert whole.signed_off
    assert not replace(whole, quick=True).signed_off
    assert not replace(whole, modules={"decode": ()}).signed_off
    assert not SignOff(tuple(PASSED[1:]), units).signed_off
    assert not SignOff((), units).signed_off
    for verdict in ("failed", "not run"):
        spoiled = replace(PASSED[2], verdict=verdict)
        assert not SignOff((*PASSED, spoiled), units).signed_off


def test_a_check_of_a_module_counts_for_the_units_that_hold_it() -> None:
    checks = (Check("proof", "fpsim_mul", "mul", "passed"), Check("proof", "fpsim_skid", "skid", "passed"))
    found = SignOff(checks, {"mac": ("fpsim_mul", "fpsim_mac"), "decode": ("fpsim_decode",)})
    assert found.of("proof", "mac") == [checks[0]]
    assert found.of("proof", "decode") == []


def test_every_unit_has_a_task_in_every_stage_and_every_proof_runs() -> None:
    plan = Plan(RTL_CONFIG, (*UNIT_NAMES, "top"), [], 0, False, default_rtl_folder())
    assert set(TASKS) == set(STAGES)
    for stage in ("simulation", "icarus", "coverage", "mutation", "netlist"):
        left_out = set(NOT_IN_ICARUS) if stage == "icarus" else set()
        assert {task.subject for task in TASKS[stage](plan)} >= set(UNIT_NAMES) - left_out
    assert len(TASKS["proof"](plan)) > len(TASKS["proof"](replace(plan, quick=True))) > 15
    lint = {task.subject for task in TASKS["lint"](plan)}
    assert {f"fpsim_{name}" for name in UNIT_NAMES} <= lint


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (ToolMissing("iverilog", "is the second simulator", "apt-get install iverilog"), "not run"),
        (BuildError("does not compile"), "failed"),
    ],
)
def test_what_did_not_run_is_no_pass(error: Exception, verdict: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(check: Check) -> Check:
        raise error

    monkeypatch.setattr(module, "TASKS", {"icarus": lambda plan: [Task("icarus", "decode", "bench", run)]})
    (check,) = run_signoff(stages=["icarus"], units=["decode"]).checks
    assert (check.verdict, check.message) == (verdict, str(error))


def test_an_error_of_ours_is_not_swallowed(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(check: Check) -> Check:
        raise KeyError("a mistake")

    monkeypatch.setattr(module, "TASKS", {"lint": lambda plan: [Task("lint", "decode", "bench", run)]})
    with pytest.raises(KeyError, match="a mistake"):
        run_signoff(stages=["lint"], units=["decode"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"stages": ["simulation", "synthesis"]}, r"stages=.*expected some of simulation, icarus"),
        ({"units": ["adder"]}, r"units=\['adder'\]: expected some of decode, mul"),
    ],
)
def test_unknown_names_are_refused(arguments: dict[str, list[str]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        run_signoff(**arguments)  # type: ignore[arg-type]


@pytest.mark.rtl
def test_right_rtl_passes_and_faulty_rtl_fails_where_it_is_looked_at(tmp_path: Path) -> None:
    steps: list[tuple[str, int, int]] = []
    stages = ["simulation", "icarus", "proof", "lint"]
    right = run_signoff(
        stages=stages, units=["decode"], quick=True, progress=lambda *step: steps.append(step)
    )
    assert right.counts == {"passed": len(right.checks)}
    assert {check.stage for check in right.checks} == set(stages)
    assert steps[-1][1] == steps[-1][2] > 0
    (fault,) = [fault for fault in FAULTS if fault.name == "decode-entry"]
    with injected(fault) as folder:
        wrong = run_signoff(stages=stages, units=["decode"], quick=True, rtl=folder, failures=tmp_path)
    failed = {check.stage: check.message for check in wrong.checks if check.verdict == "failed"}
    assert set(failed) == {"simulation", "icarus", "proof"}
    assert "differs from the law" in failed["simulation"]
    (waves,) = [check.figures["waves"] for check in wrong.checks if "waves" in check.figures]
    assert "failing_cycle" in Path(str(waves)).read_text("utf-8")
