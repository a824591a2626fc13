"""Coverage points are read, excluded with a reason, and none of a small unit is left."""

from __future__ import annotations

import re

import pytest

from fpsim.verify.coverage import EXCLUSIONS, Exclusion, Point, read_points, run_coverage, summarize
from fpsim.verify.rtl_files import default_rtl_folder


def record(kind: str, line: int, thing: str, count: int, instance: str = "top") -> str:
    """A line as Verilator writes it."""
    fields = {"f": "fpsim_x.sv", "l": line, "n": 5, "t": kind, "page": f"v_{kind}/fpsim_x", "o": thing}
    parts = "".join(f"\x01{key}\x02{value}" for key, value in (fields | {"h": instance}).items())
    return f"C '{parts}' {count}"


TEXT = "\n".join(
    [
        "# SystemC::Coverage-3",
        record("toggle", 3, "a_i[0]:0->1", 0, "one"),
        record("toggle", 3, "a_i[0]:0->1", 4, "two"),
        record("toggle", 3, "a_i[1]:0->1", 0),
        record("branch", 7, "if", 2),
        record("branch", 7, "else", 0),
    ]
)


def test_equal_points_of_two_instances_add_up() -> None:
    counts = read_points(TEXT)
    assert counts[Point("fpsim_x", 3, "toggle", "a_i[0]:0->1", 5)] == 4
    assert len(counts) == 4


def test_points_are_covered_missing_or_excluded() -> None:
    rule = Exclusion("fpsim_x", "branch", "else", "nothing else can be")
    found = summarize("x", read_points(TEXT), [rule])
    assert (found.covered["toggle"], found.total["toggle"], found.percent("toggle")) == (1, 2, 50.0)
    assert (found.percent("branch"), found.percent("line"), found.excluded) == (100.0, 100.0, 1)
    assert [point.object for point in found.missing] == ["a_i[1]:0->1"]


def test_a_line_that_is_no_record_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a record"):
        read_points("nonsense")


def test_every_exclusion_has_a_reason_and_a_module() -> None:
    modules = {path.stem for path in default_rtl_folder().glob("*.sv")}
    for rule in EXCLUSIONS:
        assert rule.module in modules
        assert len(rule.reason) > 10
        assert re.compile(rule.object)


@pytest.mark.rtl
def test_every_point_of_the_register_slice_is_covered() -> None:
    (found,) = run_coverage(["skid"], quick=True)
    assert not found.missing
    assert found.total["toggle"] > 100
    assert found.total["branch"] > 3
