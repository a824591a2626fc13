"""Coverage points are read, excluded with a reason, and none of a small unit is left; nor any bin."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import get_args

import pytest

from fpsim.formats.accumulator import Rounding
from fpsim.verify.coverage import (
    EXCLUSIONS,
    Exclusion,
    Point,
    read_points,
    run_coverage,
    summarize,
    variants,
)
from fpsim.verify.covergroup import CoverageError
from fpsim.verify.fault import FAULT_CONFIG
from fpsim.verify.functional import judge
from fpsim.verify.job import Job
from fpsim.verify.rtl_files import default_rtl_folder
from fpsim.verify.runner import simulate
from fpsim.verify.units import UNIT_NAMES

QUICK_UNITS = ("decode", "row_scale", "zero_point")  # a decoder, a rounding, a stream with states


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


def test_an_exclusion_whose_point_was_hit_is_an_error() -> None:
    rule = Exclusion("fpsim_x", "toggle", r"a_i\[0\].*", "said to stay at zero")
    with pytest.raises(CoverageError, match=r"object='a_i\[0\]:0->1'.* was hit, although excluded: said to"):
        summarize("x", read_points(TEXT), [rule])


def test_an_exclusion_that_excludes_nothing_is_an_error() -> None:
    rule = Exclusion("fpsim_x", "branch", "elsif", "there is no such branch")
    with pytest.raises(CoverageError, match=r"x: Exclusion.*'elsif'.*: excludes nothing"):
        summarize("x", read_points(TEXT), [rule])


def test_an_exclusion_of_another_unit_or_of_an_absent_module_does_not_count() -> None:
    rules = [
        Exclusion("fpsim_x", "branch", "else", "only inside another unit", units=("y",)),
        Exclusion("fpsim_y", "branch", "else", "a module that is not here"),
    ]
    found = summarize("x", read_points(TEXT), rules)
    assert (found.excluded, found.exclusions) == (0, ())
    assert summarize("y", read_points(TEXT), rules).excluded == 1


def test_an_exclusion_may_name_what_its_line_holds(tmp_path: Path) -> None:
    lines = ["", *[f"line {number}" for number in range(2, 7)], "state_d = StLost;"]
    (tmp_path / "fpsim_x.sv").write_text("\n".join(lines), encoding="utf-8")
    counts = {Point("fpsim_x", 7, "line", "case"): 0, Point("fpsim_x", 6, "line", "case"): 3}
    rule = Exclusion("fpsim_x", "line", "case", "no such state", "StLost")
    assert summarize("x", counts, [rule], rtl=tmp_path).covered["line"] == 1


def test_an_exclusion_may_name_one_of_two_branches_of_a_line(tmp_path: Path) -> None:
    (tmp_path / "fpsim_x.sv").write_text("assign y = a ? b : c ? d : e;", encoding="utf-8")
    counts = {Point("fpsim_x", 1, "branch", "cond_then", column): column - 16 for column in (16, 24)}
    rule = Exclusion("fpsim_x", "branch", "cond_then", "a is never 1", r"a \? (?P<at>b)")
    assert summarize("x", counts, [rule], rtl=tmp_path).covered["branch"] == 1


def test_every_exclusion_has_a_reason_and_a_module() -> None:
    modules = {path.stem for path in default_rtl_folder().glob("*.sv")}
    for rule in EXCLUSIONS:
        assert rule.module in modules
        assert set(rule.units) <= set(UNIT_NAMES)
        assert len(rule.reason) > 10
        assert re.compile(rule.object)


def test_variants_build_what_one_configuration_leaves_out() -> None:
    roundings = {FAULT_CONFIG.unit.float_acc.rounding}
    roundings |= {config.unit.float_acc.rounding for config in variants("mac_float", FAULT_CONFIG)}
    assert roundings == set(get_args(Rounding))
    macs = [config.unit for config in variants("mac", FAULT_CONFIG)]
    assert {(unit.overflow, unit.product_cut) for unit in macs} == {("saturate", False), ("wrap", True)}
    assert [config.unit.hadamard_cut for config in variants("hadamard", FAULT_CONFIG)] == [2]
    assert False in [config.unit.overlap for config in variants("mac_array", FAULT_CONFIG)]
    assert variants("decode", FAULT_CONFIG) == []


@pytest.mark.rtl
@pytest.mark.parametrize("name", QUICK_UNITS)
def test_every_line_branch_and_bin_of_the_small_units_is_covered(name: str) -> None:
    (found,) = run_coverage([name], quick=True)
    assert not [point for point in found.missing if point.kind != "toggle"]
    assert found.functional is not None
    assert found.functional.missing == ()
    assert found.functional.total > 10


@pytest.mark.rtl
def test_every_point_of_the_register_slice_is_covered() -> None:
    (found,) = run_coverage(["skid"], quick=True)
    assert not found.missing
    assert found.total["toggle"] > 100
    assert found.total["branch"] > 3
    assert json.loads(json.dumps(asdict(found)))["functional"]["missing"] == []


@pytest.mark.rtl
def test_a_bench_without_ties_is_noticed() -> None:
    job = Job("row_scale", FAULT_CONFIG, kinds=("exhaustive",), functional=True)
    whole = judge("row_scale", FAULT_CONFIG, simulate(job).functional)
    weak = judge("row_scale", FAULT_CONFIG, simulate(job, bench="tests.verify.weak_tests").functional)
    assert whole.missing == ()
    assert {"rounding: tie down", "rounding: tie up", "rounding × carry: tie up × yes"} <= set(weak.missing)
    assert all("tie" in missing for missing in weak.missing)


@pytest.mark.rtl
def test_nothing_is_sampled_where_nobody_asks() -> None:
    assert simulate(Job("decode", FAULT_CONFIG)).functional == {}
