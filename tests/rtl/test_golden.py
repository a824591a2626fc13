"""Golden sets run through the RTL; one that does not fit, or is wrong in one bit, is noticed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fpsim.array.config import ArrayConfig, UnitConfig
from fpsim.vectors.golden_set import read, write
from fpsim.verify.job import Job
from fpsim.verify.mismatch import RtlMismatch
from fpsim.verify.runner import SimulationError, simulate
from fpsim.verify.suite import run_suite

pytestmark = pytest.mark.rtl

COMMITTED = sorted(
    file.parent for file in Path(__file__).parents[2].joinpath("golden").glob("*/*/manifest.json")
)
WITH_SETS = {"align", "hadamard", "row_scale", "quantizer", "mac_array", "epilogue"}


def golden_job(folder: Path, config: ArrayConfig | None = None) -> Job:
    """The job that runs a golden set alone."""
    golden = read(folder)
    return Job(golden.unit, config or golden.config, kinds=("golden",), golden=str(folder))


def folder_of(unit: str) -> Path:
    """Folder of a committed set of a unit."""
    return next(folder for folder in COMMITTED if folder.parent.name == unit)


def altered(unit: str, field: str, change: int, folder: Path) -> Path:
    """A copy of a committed set, one word changed; the copy's own hashes are right."""
    golden = read(folder_of(unit))
    words = golden.beats[field]
    write(folder, replace(golden, beats={**golden.beats, field: [words[0] ^ change, *words[1:]]}))
    return folder


def test_every_unit_that_has_a_golden_format_has_a_committed_set() -> None:
    assert {folder.parent.name for folder in COMMITTED} >= WITH_SETS


@pytest.mark.parametrize("unit", sorted(WITH_SETS))
def test_committed_sets_pass(unit: str) -> None:
    folders = [folder for folder in COMMITTED if folder.parent.name == unit]
    for folder in folders:
        golden = read(folder)
        outputs = [name for name, spec in golden.fields.items() if spec.direction == "out"]
        lanes = max(golden.fields[name].lanes for name in outputs)
        compared = simulate(golden_job(folder)).vectors["golden"]
        assert compared == lanes * len(golden.beats[outputs[0]])


def test_one_wrong_bit_in_a_golden_output_is_reported(tmp_path: Path) -> None:
    folder = altered("row_scale", "scale", 1, tmp_path / "set")
    with pytest.raises(RtlMismatch) as failure:
        simulate(golden_job(folder))
    message = str(failure.value)
    assert "fpsim_row_scale: scale_o differs from the golden set" in message
    assert "golden, seed 0, cycle 1" in message
    assert message.endswith(f"replay     python -m fpsim.verify row_scale --golden {folder}")


def test_a_set_of_another_configuration_is_refused() -> None:
    other = ArrayConfig(unit=UnitConfig(guard_bits=2))
    with pytest.raises(ValueError, match="made for ArrayConfig"):
        simulate(golden_job(folder_of("row_scale"), other))


def test_a_set_with_lines_missing_is_refused(tmp_path: Path) -> None:
    golden = read(folder_of("row_scale"))
    short = {name: words[:-1] if name in ("amp", "scale") else words for name, words in golden.beats.items()}
    write(tmp_path / "set", replace(golden, beats=short))
    with pytest.raises(SimulationError, match="223 output lines, its inputs lead to 224"):
        simulate(golden_job(tmp_path / "set"))


def test_the_suite_runs_sets_of_another_size_beside_its_own_vectors() -> None:
    config = ArrayConfig(2, 2, UnitConfig(acc_bits=20, hadamard_n=8))
    steps: list[tuple[str, int, int]] = []
    results = run_suite(
        config,
        COMMITTED,
        units=["row_scale", "decode"],
        quick=True,
        progress=lambda what, done, total: steps.append((what, done, total)),
    )
    assert [result.unit for result in results] == ["decode", "row_scale"]
    assert all(result.passed and not result.message for result in results)
    assert set(results[0].vectors) == {"exhaustive"}
    assert set(results[1].vectors) == {"golden", "exhaustive", "random"}
    assert [step[1:] for step in steps] == [(0, 2), (1, 2), (2, 2)]
    assert results[0].simulator.startswith("Verilator 5.")


def test_the_suite_reports_a_failing_unit_as_a_result(tmp_path: Path) -> None:
    folder = altered("row_scale", "amp", 1, tmp_path / "set")
    (result,) = run_suite(read(folder_of("row_scale")).config, [folder], units=["row_scale"], quick=True)
    assert not result.passed
    assert "amp_o differs from the golden set" in result.message


def test_the_suite_refuses_a_unit_that_does_not_exist() -> None:
    with pytest.raises(ValueError, match="'adder': expected some of decode, mul"):
        run_suite(ArrayConfig(), units=["adder"])
