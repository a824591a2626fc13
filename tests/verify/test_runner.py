"""A run passes only if the bench really compared something; whatever else happens is raised in full."""

from __future__ import annotations

from pathlib import Path

import pytest

from fpsim.array.config import ArrayConfig
from fpsim.verify.job import Job
from fpsim.verify.mismatch import RtlMismatch
from fpsim.verify.runner import Run, SimulationError, simulate

pytestmark = pytest.mark.rtl

JOB = Job("decode", ArrayConfig(4, 4), kinds=("exhaustive",))


def run_broken(how: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the bench that misbehaves in that way."""
    monkeypatch.setenv("FPSIM_BROKEN", how)
    return simulate(JOB, bench="tests.verify.broken_tests")


@pytest.mark.parametrize("how", ["compares nothing", "forgets"])
def test_zero_vectors_are_a_failure(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SimulationError, match="fpsim_decode: the bench compared no exhaustive vectors"):
        run_broken(how, monkeypatch)


@pytest.mark.parametrize("value", ["01X0", "Z", "xxxx", "0U"])
def test_a_pin_that_is_not_driven_is_a_failure(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RtlMismatch) as failure:
        run_broken(f"pin {value}", monkeypatch)
    assert "fpsim_decode: sig_o is not driven" in str(failure.value)
    assert f"sig_o = {value}" in str(failure.value)
    assert "python -m fpsim.verify decode --kind exhaustive" in str(failure.value)


def test_an_exception_in_the_bench_arrives_with_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SimulationError, match="KeyError: 'a mistake in the bench'") as failure:
        run_broken("raises", monkeypatch)
    assert "broken_tests.py" in str(failure.value)


def test_a_simulator_that_dies_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SimulationError, match="fpsim_decode: no results"):
        run_broken("dies", monkeypatch)


def test_a_bench_without_tests_is_a_failure() -> None:
    with pytest.raises(SimulationError, match="No tests were discovered"):
        simulate(JOB, bench="fpsim.verify.benches.harness")


def test_a_bench_without_tests_of_the_kind_is_a_failure() -> None:
    with pytest.raises(SimulationError, match="no test ran"):
        simulate(JOB, bench="fpsim.verify.benches.mac_array_tests")


def test_a_bench_that_cannot_be_imported_is_a_failure() -> None:
    with pytest.raises(SimulationError, match="no_such_module"):
        simulate(JOB, bench="no_such_module")


def test_a_kind_that_the_unit_has_not_is_refused() -> None:
    job = Job("decode", ArrayConfig(), kinds=("random",))
    with pytest.raises(ValueError, match="the bench of decode has exhaustive"):
        simulate(job)


def test_the_run_leaves_nothing_in_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = Path("build", "sim").absolute()
    monkeypatch.chdir(tmp_path)
    run = simulate(JOB, cache)
    assert run.vectors == {"exhaustive": 128}
    assert list(tmp_path.iterdir()) == []
