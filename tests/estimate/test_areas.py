"""The committed areas are of this RTL, and synthesis gives them again."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from fpsim.array.config import UnitConfig
from fpsim.estimate.areas import AREAS, JOINED, LEFT_OUT, MEMORIES, SIZES, committed_areas, module_names
from fpsim.estimate.characterize import RTL, rtl_hash
from fpsim.estimate.costs import find_units


def test_every_module_has_an_area_or_is_left_out() -> None:
    assert sorted(committed_areas()) == module_names()
    modules = {path.stem for path in RTL.glob("*.sv")}
    assert set(LEFT_OUT) | set(SIZES) <= modules
    assert not set(LEFT_OUT) & set(SIZES)


@pytest.mark.parametrize("module", module_names())
def test_an_area_is_of_the_present_rtl(module: str) -> None:
    """If not, `python -m fpsim.estimate.areas LIBERTY` mends it."""
    area = committed_areas()[module]
    assert area.sources == rtl_hash(RTL, [module])
    assert area.parameters == SIZES.get(module, {})
    assert 0 <= area.sequential_um2 <= area.area_um2
    assert area.ge > 0


@pytest.mark.parametrize(("unit", "module"), [("decode", "fpsim_decode"), ("mac", "fpsim_mac")])
def test_characterized_units_have_about_the_same_area(unit: str, module: str) -> None:
    """The same RTL and the same recipe; the names in a netlist alone move what abc makes of it."""
    costs = find_units("asap7", UnitConfig())
    assert committed_areas()[module].ge == pytest.approx(costs.record["units"][unit]["ge"], rel=0.2)


@pytest.mark.parametrize("text", ["", "{}", json.dumps({"schema_version": 7, "modules": {}})])
def test_a_damaged_file_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / AREAS.name).write_text(text)
    with pytest.raises(ValueError, match="no file of areas"):
        committed_areas(tmp_path / AREAS.name)


def test_the_table_of_modules_shows_the_areas() -> None:
    """The last cell of every module's row in rtl/README.md, with the parameters that are not the defaults."""
    rows = re.findall(r"^\| `(fpsim_\w+)` \|.*\| ([^|]+) \|$", (RTL / "README.md").read_text("utf-8"), re.M)
    shown = dict(rows)
    assert set(module_names()) | set(LEFT_OUT) <= set(shown)
    for module, area in committed_areas().items():
        size = ", ".join(f"`{name}` = {value}" for name, value in area.parameters.items())
        assert shown[module] == f"{area.ge:.0f}" + (f" ({size})" if size else "")
    assert {shown[module] for module in MEMORIES} == {"memory"}
    assert {shown[module] for module in JOINED} == {"its units"}
