"""The files of a module are found by following names, its package first."""

from __future__ import annotations

from pathlib import Path

import pytest

from fpsim.array.config import ArrayConfig
from fpsim.verify.rtl_files import default_rtl_folder, sources
from fpsim.verify.units import UNIT_NAMES, unit


def write(folder: Path, name: str, text: str) -> None:
    """Write one module's file."""
    (folder / f"{name}.sv").write_text(text, encoding="utf-8")


def test_package_first_module_last_comments_ignored(tmp_path: Path) -> None:
    write(tmp_path, "fpsim_pkg", "package fpsim_pkg; endpackage")
    write(tmp_path, "fpsim_leaf", "module fpsim_leaf; localparam A = fpsim_pkg::A; endmodule")
    write(tmp_path, "fpsim_other", "module fpsim_other; endmodule")
    write(
        tmp_path, "fpsim_top", "// fpsim_other\n/* fpsim_other */\nfpsim_leaf u_leaf (); fpsim_unknown u ();"
    )
    names = [file.stem for file in sources("fpsim_top", tmp_path)]
    assert names == ["fpsim_pkg", "fpsim_leaf", "fpsim_top"]


def test_an_unknown_module_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no such RTL module"):
        sources("fpsim_none", tmp_path)


@pytest.mark.parametrize("name", UNIT_NAMES)
def test_every_unit_has_its_module(name: str) -> None:
    top = unit(name, ArrayConfig()).top
    files = sources(top, default_rtl_folder())
    assert (files[0].stem, files[-1].stem) == ("fpsim_pkg", top)


@pytest.mark.parametrize("name", UNIT_NAMES)
def test_every_port_of_the_table_is_in_the_module(name: str) -> None:
    described = unit(name, ArrayConfig())
    text = (default_rtl_folder() / f"{described.top}.sv").read_text(encoding="utf-8")
    header = text[text.index("\nmodule ") : text.index("\n);")]
    declared = {word.rstrip(",") for line in header.splitlines() for word in line.split() if "put" in line}
    assert set(described.signals) <= declared
    assert {word for word in declared if word.endswith(("_i", "_o", "_ni"))} == set(described.signals)
    assert all(f"parameter int {parameter} " in header for parameter in described.parameters)
