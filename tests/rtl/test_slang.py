"""The second linter has nothing against the RTL, and every waiver is needed."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from fpsim.verify.slang import WAIVERS, lint_with_slang
from fpsim.verify.toolchain import ToolMissing


def test_slang_has_nothing_against_the_rtl() -> None:
    assert lint_with_slang() == []


def test_every_waiver_is_needed_and_has_a_reason() -> None:
    said = {complaint.text.rsplit("[-W", 1)[-1].rstrip("]") for complaint in lint_with_slang(waived=False)}
    assert said == set(WAIVERS)
    assert all(len(reason) > 20 for reason in WAIVERS.values())


def test_the_linter_sees_a_fault(tmp_path: Path) -> None:
    header = "module fpsim_faulty (input logic [3:0] a_i, output logic [2:0] y_o);"
    text = f"{header}\n  assign y_o = a_i;\nendmodule\n"
    (tmp_path / "fpsim_faulty.sv").write_text(text, encoding="utf-8")
    (complaint,) = lint_with_slang(tmp_path)
    assert complaint.place.endswith("fpsim_faulty.sv:2:16")
    assert "width-trunc" in complaint.text


def test_a_syntax_error_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "fpsim_faulty.sv").write_text("module fpsim_faulty (input a_i;\n", encoding="utf-8")
    assert any(complaint.level == "error" for complaint in lint_with_slang(tmp_path))


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no SystemVerilog"):
        lint_with_slang(tmp_path)


def test_a_missing_package_says_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.util.find_spec

    def without(name: str, *rest: Any) -> Any:
        return None if name == "pyslang" else real(name, *rest)

    monkeypatch.setattr(importlib.util, "find_spec", without)
    with pytest.raises(ToolMissing, match=r'pip install "fpsim\[dev\]"'):
        lint_with_slang()
