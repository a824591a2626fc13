"""Every RTL module passes `verilator --lint-only -Wall` without a word, in the sizes that bend its widths."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fpsim.verify.lint import LINT_SIZES, lint_cases, lint_with_verilator
from fpsim.verify.rtl_files import default_rtl_folder

RTL = default_rtl_folder()
CASES = lint_cases()
MODULES = [module for module, parameters in CASES if not parameters]
LONGEST_MODULE = 200


@pytest.mark.rtl
@pytest.mark.parametrize(
    ("module", "parameters"),
    [
        pytest.param(module, parameters, id="-".join([module, *(f"{k}{v}" for k, v in parameters.items())]))
        for module, parameters in CASES
    ],
)
def test_verilator_has_nothing_against_the_module(module: str, parameters: dict[str, int]) -> None:
    said = lint_with_verilator(module, parameters)
    assert not said, f"{module} {parameters}:\n{said}"


@pytest.mark.rtl
def test_the_gate_sees_a_fault(tmp_path: Path) -> None:
    (tmp_path / "fpsim_faulty.sv").write_text(
        "module fpsim_faulty (input logic [3:0] a_i, output logic [2:0] y_o);\n"
        "  assign y_o = a_i;\n"
        "endmodule\n"
    )
    assert lint_cases(tmp_path) == [("fpsim_faulty", {})]
    assert "WIDTHTRUNC" in lint_with_verilator("fpsim_faulty", {}, tmp_path)


def test_a_folder_without_modules_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no SystemVerilog"):
        lint_cases(tmp_path)


def test_sizes_name_modules_that_exist() -> None:
    assert set(LINT_SIZES) <= set(MODULES)


@pytest.mark.parametrize("module", MODULES)
def test_a_file_is_one_short_module_with_a_header(module: str) -> None:
    text = (RTL / f"{module}.sv").read_text()
    assert re.findall(r"^module (\w+)", text, re.MULTILINE) == [module]
    assert len(text.splitlines()) < LONGEST_MODULE
    header = text[: text.index("`default_nettype none")]
    assert all(line.startswith("//") for line in header.splitlines() if line)
    missing = [word for word in ("Latency", "Throughput", "Python twin") if word not in header]
    assert not missing, f"{module}: the header comment does not say: {', '.join(missing)}"
