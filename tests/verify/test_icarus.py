"""The second simulator: what is missing is said, and what it leaves out is listed."""

from __future__ import annotations

import pytest

from fpsim.array.config import ArrayConfig
from fpsim.verify.icarus import NOT_IN_ICARUS, build_icarus
from fpsim.verify.job import Job
from fpsim.verify.rtl_files import default_rtl_folder
from fpsim.verify.runner import simulate
from fpsim.verify.toolchain import ToolMissing
from fpsim.verify.units import UNIT_NAMES, unit


def test_a_missing_simulator_says_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ToolMissing, match="apt-get install iverilog"):
        build_icarus(unit("decode", ArrayConfig()), default_rtl_folder())
    with pytest.raises(ToolMissing, match="apt-get install iverilog"):
        simulate(Job("decode", ArrayConfig()), simulator="icarus")


def test_only_units_that_exist_are_left_out() -> None:
    assert set(NOT_IN_ICARUS) <= set(UNIT_NAMES)
    assert all(len(reason) > 20 for reason in NOT_IN_ICARUS.values())


def test_only_verilator_counts_coverage() -> None:
    with pytest.raises(ValueError, match="simulator='icarus': only verilator counts coverage"):
        simulate(Job("decode", ArrayConfig()), simulator="icarus", coverage=default_rtl_folder() / "no.dat")
