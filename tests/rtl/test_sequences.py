"""Hypothesis finds a fault by a few cycles and keeps them in a file, which fails until the fault is gone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fpsim.cli import app
from fpsim.report.vcd import read_cycles
from fpsim.verify.fault import FAULT_CONFIG
from fpsim.verify.faults import FAULTS, injected
from fpsim.verify.job import Job
from fpsim.verify.mismatch import RtlMismatch
from fpsim.verify.runner import simulate
from fpsim.verify.sequence import read_sequence
from fpsim.verify.suite import run_suite
from fpsim.verify.waves import waves_of_failure

pytestmark = pytest.mark.rtl

BY_NAME = {fault.name: fault for fault in FAULTS}
# Faults that need an order of beats, stalls or resets, and the most cycles that the order may take.
ORDERS = {"skid-spare": 4, "fifo-index": 3, "pe-take-keeps": 3, "mac-shift": 5}
SEED = 7


@pytest.fixture
def faulty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Job]:
    """A job of the named fault's unit on an RTL that has it."""
    fault = BY_NAME[request.param]
    with injected(fault) as folder:
        yield Job(
            fault.unit,
            fault.config,
            kinds=("sequences",),
            seed=SEED,
            rtl=str(folder),
            failures=str(tmp_path / "failures"),
        )


def message_of(job: Job) -> str:
    """The message of the job's failure."""
    with pytest.raises(RtlMismatch) as failure:
        simulate(job)
    return str(failure.value)


@pytest.mark.parametrize("faulty", ORDERS, indirect=True)
def test_a_fault_is_found_shrunk_and_replayed(faulty: Job, request: pytest.FixtureRequest) -> None:
    message = message_of(faulty)
    assert message.startswith(f"fpsim_{faulty.unit_name}: ")
    assert message.splitlines()[-1].startswith(f"  replay     fpsim verify --replay {faulty.sequence_file} ")
    sequence = read_sequence(faulty.sequence_file)
    assert len(sequence.steps) <= ORDERS[request.node.callspec.params["faulty"]]
    assert "\n".join(sequence.failure) == message
    assert len(sequence.came) > 0
    again = replace(faulty, replay_file=str(faulty.sequence_file))
    assert message_of(again) == message
    assert simulate(replace(again, rtl=None)).vectors["sequences"] > 0


@pytest.mark.parametrize("faulty", ["skid-spare"], indirect=True)
def test_the_waves_of_a_failure_have_its_cycle_marked(faulty: Job, tmp_path: Path) -> None:
    faulty = replace(faulty, kinds=("random", "sequences"), quick=True)
    message = message_of(faulty)  # the random one's, with the short one beside it
    assert "vectors    random, seed 7" in message
    assert message.splitlines()[-1].startswith("  shortest   fpsim verify --replay ")
    waves = waves_of_failure(faulty, "sequences", tmp_path)
    sequence = read_sequence(faulty.sequence_file)
    assert waves.message == "\n".join(sequence.failure)
    shown = read_cycles(waves.vcd, "fpsim_skid", ["data_i", "in_valid_i", "data_o", "out_valid_o"])
    reset = len(shown["data_i"]) - waves.cycle  # clock edges of the reset; the failing cycle has none
    driven = shown["data_i"][reset : reset + len(sequence.steps)]
    assert driven == [step.words["data"] for step in sequence.steps][: len(driven)]
    text = waves.vcd.read_text(encoding="utf-8")
    (code,) = (line.split()[3] for line in text.splitlines() if line.endswith("failing_cycle $end"))
    rise = text[: text.index(f"\n1{code}\n")].rpartition("#")[2].split()[0]
    assert int(rise) == (waves.time_ns - 1) * 1000
    assert waves.save.read_text(encoding="utf-8").splitlines()[2].split()[1] == f"{waves.time_ns * 1000:.0f}"


def test_what_passes_has_no_waves_of_a_failure(tmp_path: Path) -> None:
    job = Job("skid", FAULT_CONFIG, kinds=("random",), quick=True)
    with pytest.raises(ValueError, match="fpsim_skid: random with seed 0 passes: no failure to show"):
        waves_of_failure(job, "random", tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("faulty", ["skid-spare"], indirect=True)
def test_the_suite_keeps_the_sequence_and_the_first_waves(faulty: Job, tmp_path: Path) -> None:
    (result,) = run_suite(
        FAULT_CONFIG, units=["skid"], seed=SEED, quick=True, rtl=faulty.rtl, failures=tmp_path / "failures"
    )
    assert not result.passed
    assert Path(result.waves).is_file()
    file = Path(result.replay)
    assert f"fpsim verify --replay {file} " in result.message
    run = CliRunner().invoke(app, ["verify", "--replay", str(file), "--rtl", str(faulty.rtl)])
    assert run.exit_code == 1
    assert run.stderr.strip().splitlines()[0] == read_sequence(file).failure[0]
    mended = CliRunner().invoke(app, ["verify", "--replay", str(file)])
    assert mended.exit_code == 0, mended.output
    assert "all equal" in mended.output


def test_a_bad_file_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text("{}", encoding="utf-8")
    for name in ("bad.json", "none.json"):
        run = CliRunner().invoke(app, ["verify", "--replay", str(tmp_path / name)])
        assert run.exit_code == 2
        assert name in run.stderr
