"""From unit costs to layers: a made-up library whose figures make the sums easy."""

import copy
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from fpsim.array.config import ArrayConfig, UnitConfig
from fpsim.estimate import Band, Layer, Operands, UnitCosts, estimate, find_units, load_units, total_cost
from fpsim.estimate.costs import committed_units

UNIT = UnitConfig(formats=("e2m1", "int4"), hadamard_n=4)
CONFIG = ArrayConfig(2, 2, UNIT)


def ends(low: float, mid: float, high: float) -> dict[str, float]:
    return {"low": low, "mid": mid, "high": high}


def entry(area: float, lanes: int, operations: dict[str, dict[str, float]], size: int = 0) -> dict[str, Any]:
    return {
        "lanes": lanes,
        "area_um2": area,
        "ge": area / 2,
        "leakage_nw": area * 10,
        "parameters": {"Rows": size, "Cols": size},
        "operations": {
            name: {"energy_pj": {"gaussian/e2m1": band, "gaussian/int4": {k: 2 * v for k, v in band.items()}}}
            for name, band in operations.items()
        },
    }


def array_entry(size: int) -> dict[str, Any]:
    """Area n² + n. Beat: (1, 2, 3)(n² + n / 2) pJ. Drain: 2n cycles of n² / 10 pJ."""
    n2 = size * size
    beat = ends(*(end * (n2 + size / 2) for end in (1, 2, 3)))
    drain = ends(*([2 * size * n2 / 10] * 3))
    return entry(n2 + size, n2, {"beat": beat, "drain": drain}, size)


@pytest.fixture
def units() -> UnitCosts:
    plain = {"beat": ends(1, 2, 4), "idle": ends(0.5, 0.5, 0.5)}
    record = {
        "schema_version": 1,
        "library": {"name": "made-up", "node_nm": 22},
        "unit_config": json.loads(json.dumps(asdict(UNIT))),
        "units": {
            "align": entry(10, 4, {"beat": ends(1, 1, 1)}),
            "hadamard": entry(20, 4, plain),
            "amax": entry(30, 4, {"beat": ends(0, 0, 1)}),
            "row_scale": entry(40, 1, {"row": ends(3, 3, 3)}),
            "quantizer": entry(50, 4, plain),
            "mac_array_4x4": array_entry(4),
            "mac_array_8x8": array_entry(8),
            "epilogue": entry(60, 2, plain),
            "range": entry(5, 4, {"beat": ends(0, 1, 2)}),
            "wide_quantizer": entry(70, 4, {"beat": ends(10, 20, 40)}),
            "zero_point": entry(5, 1, {"row": ends(5, 5, 5)}),
            "row_sum": entry(5, 4, {"beat": ends(1, 1, 1)}),
            "zero_correction": entry(5, 2, plain),
        },
    }
    return UnitCosts(record)


def test_the_array_at_any_size_follows_from_two(units: UnitCosts) -> None:
    for rows, cols in ((4, 4), (8, 8), (2, 2), (16, 4)):
        config = ArrayConfig(rows, cols, UNIT)
        assert units.areas(config)["mac_array"].area_um2 == pytest.approx(rows * cols + (rows + cols) / 2)
        size = rows * cols + (rows + cols) / 4
        expected = [3 * end * size + 2 * (rows + cols) * rows * cols / 10 for end in (1, 2, 3)]
        energy = units.array_energy(config, beats=3, tiles=2, data="gaussian", fmt="e2m1")
        assert [energy.low, energy.mid, energy.high] == pytest.approx(expected)


def test_areas_count_the_units(units: UnitCosts) -> None:
    areas = units.areas(ArrayConfig(2, 6, UNIT))
    assert areas["hadamard"].area_um2 == 20
    assert areas["epilogue"].area_um2 == pytest.approx(60 * 6 / 2)  # a lane per column
    assert areas["epilogue"].ge == pytest.approx(90)


def test_a_layer_by_hand(units: UnitCosts) -> None:
    # 4 x 4 outputs, K = 8, on 2 x 2: 4 tiles, 32 beats, 4 x 8 + 5 = 37 cycles; 8 beats of 4 lanes.
    layer = Layer("fc", m=4, n=4, k=8, count=3)
    (cost,) = estimate([layer], CONFIG, units, clock_mhz=100)
    assert (cost.cycles, cost.macs, cost.utilization) == (3 * 37, 3 * 128, pytest.approx(128 / (37 * 4)))
    parts = cost.parts_pj
    drain = 4 * 4 * 4 / 10
    assert parts["array"].low == pytest.approx(3 * (32 * 5 + drain))
    assert parts["array"].high == pytest.approx(3 * (32 * 15 + drain))
    assert parts["hadamard"] == Band(3 * 8, 3 * 16, 3 * 32)
    # 16 align beats, 8 beats of amax and quantizer, 4 rows.
    assert parts["quantize"] == Band(3 * (16 + 8 + 12), 3 * (16 + 16 + 12), 3 * (16 + 40 + 12))
    assert parts["epilogue"] == Band(3 * 8, 3 * 16, 3 * 32)  # 16 outputs, 2 lanes
    # Idle: Hadamard and quantizer wait 29 of 37 cycles, two epilogue lanes 37 x 2 - 16 lane cycles.
    assert parts["idle"] == Band(0, 0, 3 * (2 * 29 * 0.5 + 58 * 0.25))
    # DRAM: 4 x (8 x 4 + 48) bits at 4, 8, 14 pJ.
    assert parts["dram"] == Band(3 * 320 * 4, 3 * 320 * 8, 3 * 320 * 14)
    # 128-bit words, written and read: x 4 + 8, row (18 bits) 5 + 5, codes 1 + 2, weights 3 + 5, y 2 + 0.
    assert parts["sram"].mid == pytest.approx(3 * 35 * 2.83)
    # Area (2² + 2) + 10 + 20 + 30 + 40 + 50 + 60, 10 nW each; 10 ns a cycle.
    assert parts["leakage"].mid == pytest.approx(3 * 37 * 216 * 10 * 1e-9 * 10e-9 * 1e12)
    assert cost.energy_pj.high == pytest.approx(sum(band.high for band in parts.values()))


def test_formats_have_their_own_figures(units: UnitCosts) -> None:
    layer = Layer("fc", m=4, n=4, k=8)
    (e2m1,), (int4,) = (estimate([layer], CONFIG, units, fmt=fmt) for fmt in ("e2m1", "int4"))
    assert int4.parts_pj["array"].mid == pytest.approx(2 * e2m1.parts_pj["array"].mid)


def test_the_host_is_counted_and_not_costed(units: UnitCosts) -> None:
    layers = [Layer("fc", 4, 4, 8), Layer("qk", 4, 4, 8, kind="attention")]
    costs = estimate(layers, CONFIG, units)
    assert [cost.on_host for cost in costs] == [False, True]
    total = total_cost(costs, CONFIG)
    assert (total.macs, total.host_macs, total.cycles) == (128, 128, 37)
    assert total.energy_pj == costs[0].energy_pj
    assert total.utilization == pytest.approx(128 / 148)


def test_bad_arguments_are_refused(units: UnitCosts) -> None:
    layers = [Layer("fc", 4, 4, 8)]
    with pytest.raises(ValueError, match="units are characterized for"):
        estimate(layers, ArrayConfig(), units)
    with pytest.raises(ValueError, match="this configuration is built with e2m1, int4"):
        estimate(layers, CONFIG, units, fmt="e3m0")
    with pytest.raises(ValueError, match="no figure for file/e2m1"):
        estimate(layers, CONFIG, units, data="file")
    with pytest.raises(ValueError, match="clock_mhz=0"):
        estimate(layers, CONFIG, units, clock_mhz=0)
    with pytest.raises(ValueError, match="operation='nap'"):
        units.energy("align", "nap")


def test_another_schema_is_refused(tmp_path: Path, units: UnitCosts) -> None:
    record = copy.deepcopy(units.record)
    record["schema_version"] = 99
    path = tmp_path / "units.json"
    path.write_text(json.dumps(record))
    with pytest.raises(ValueError, match="schema version 99"):
        load_units(path)
    path.write_text("{")
    with pytest.raises(ValueError, match="no file of unit costs"):
        load_units(path)


def test_missing_costs_say_what_there_is() -> None:
    assert committed_units()
    with pytest.raises(ValueError, match=r"no unit costs of library 'tsmc5'.*there are: .*asap7"):
        find_units("tsmc5", UnitConfig())


def test_a_layer_names_its_operands(units: UnitCosts) -> None:
    each = (Operands("int4"), Operands("int4", 8, 8, 4, static=True))
    base, cost = estimate([Layer("fc", 4, 4, 8, operands=operands) for operands in each], CONFIG, units)
    drain = 4 * 4 * 4 / 10
    assert cost.parts_pj["array"].low == pytest.approx(2 * (4 * 32 * 5 + drain))  # int4 costs twice
    assert cost.cycles == 4 * 4 * 8 + 5
    # 16 beats of align, 8 of amax and quantizer, 4 rows; static 8 of align, none of amax and no row, and
    # codes are divided. In this record all energies of int4 are twice those of e2m1.
    assert base.parts_pj["quantize"].mid == 2 * (16 + 8 * 2 + 4 * 3)
    assert cost.parts_pj["quantize"].mid == 2 * (8 + 8 * 20)
    assert cost.utilization == pytest.approx(128 / (cost.cycles * 4))


def test_zero_points_and_missing_rotations_by_hand(units: UnitCosts) -> None:
    each = (Operands("e2m1"), Operands("e2m1", rotated=False), Operands("e2m1", zero_points=True))
    base, plain, zeros = (
        estimate([Layer("fc", 4, 4, 8, operands=operands)], CONFIG, units)[0].parts_pj for operands in each
    )
    assert (base["hadamard"].mid, plain["hadamard"].mid) == (16, 0)
    assert {name: plain[name] for name in plain if name != "hadamard"} == {
        name: base[name] for name in base if name != "hadamard"
    }
    # 8 beats: range, division and sum of codes instead of amax and comparison; 4 rows: a zero point more.
    assert zeros["quantize"].mid == 16 + 8 * (1 + 20 + 1) + 4 * (3 + 5)
    assert zeros["epilogue"].mid == 16 / 2 * (2 + 2)  # 16 outputs on two lanes, corrected and scaled
    assert zeros["array"] == base["array"]
