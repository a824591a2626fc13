"""Other multipliers: what they do counted again, cycle by cycle, and priced by figures told apart."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import pytest

from fpsim.array.config import ArrayConfig, UnitConfig
from fpsim.array.cycles import sequence_cycles
from fpsim.estimate import Layer, Operands, UnitCosts
from fpsim.estimate.beside import Beside

CONFIG = ArrayConfig(8, 8, UnitConfig(hadamard_n=4))
NAMES = (
    "align", "hadamard", "amax", "range", "quantizer", "wide_quantizer", "row_sum", "epilogue",
    "wide_epilogue", "zero_correction", "dot_mx", "dot_nvfp4",
)  # fmt: skip
COSTS = {name: 10.0**place for place, name in enumerate(NAMES)}  # a count below 10 stays legible
ROW = {"row_scale": 3.0, "zero_point": 5.0}
PRODUCT = 0.25


def entry(lanes: int, energy: dict[str, float], size: int = 0) -> dict[str, Any]:
    bands = {name: {"energy_pj": {"gaussian/e2m1": dict.fromkeys(("low", "mid", "high"), value)}}
             for name, value in energy.items()}  # fmt: skip
    return {
        "lanes": lanes, "area_um2": 1.0, "ge": 1.0, "leakage_nw": 100.0 if lanes == 1 else 7.0,
        "parameters": {"Rows": size, "Cols": size}, "operations": bands,
    }  # fmt: skip


@pytest.fixture
def beside() -> Beside:
    units = {name: entry(2, {"beat": cost}) for name, cost in COSTS.items()}
    units |= {name: entry(1, {"row": cost}) for name, cost in ROW.items()}
    units |= {f"mac_array_{n}x{n}": entry(n * n, {"beat": n * n * 1.0, "drain": 2.0 * n}, n) for n in (4, 8)}
    units["pe_half"] = entry(1, {"mac": PRODUCT})
    units["pe_single"] = entry(1, {"mac": 4 * PRODUCT})
    record = {
        "schema_version": 1,
        "library": {"name": "made-up", "node_nm": 22},
        "unit_config": json.loads(json.dumps(asdict(CONFIG.unit))),
        "units": units,
    }
    return Beside(CONFIG, UnitCosts(record))


def block_beats(m: int, n: int, k: int, rows: int, cols: int, block: int) -> tuple[int, int]:
    """Cycles until the last block has entered, and blocks multiplied, by walking through them."""
    cycles = beats = 0
    for _ in range(0, m, rows):
        for _ in range(0, n, cols):
            for _ in range(0, k, block):
                cycles += 1
                beats += rows * cols
    return cycles, beats


@pytest.mark.parametrize(("block", "rows", "cols", "unit"), [(32, 1, 2, "dot_mx"), (16, 2, 2, "dot_nvfp4")])
@pytest.mark.parametrize(("m", "n", "k"), [(4, 6, 64), (5, 7, 40), (1, 1, 1)])
def test_blocks_by_hand(
    beside: Beside, block: int, rows: int, cols: int, unit: str, m: int, n: int, k: int
) -> None:
    plain = beside.blocks(Layer("fc", m, n, k, operands=Operands(rotated=False)), block)
    cycles, beats = block_beats(m, n, k, rows, cols, block)
    assert plain.cycles == cycles + 4
    assert plain.parts_pj["array"].mid == beats * COSTS[unit]
    path = m * -(-k // 4)
    assert plain.parts_pj["quantize"].mid == path * (COSTS["amax"] + COSTS["quantizer"])
    assert plain.parts_pj["epilogue"].mid == m * n / 2 * COSTS["wide_epilogue"]
    assert "hadamard" not in plain.parts_pj
    bits = -(-k // block) * (block * 4 + 8) + 16  # codes and scales of a column, its bias
    assert plain.parts_pj["dram"].mid == n * bits * 8
    rotated = beside.blocks(Layer("fc", m, n, k), block)
    assert rotated.parts_pj["hadamard"].mid == path * COSTS["hadamard"]
    assert rotated.parts_pj["quantize"].mid == plain.parts_pj["quantize"].mid + 2 * path * COSTS["align"]
    assert rotated.parts_pj["array"] == plain.parts_pj["array"]


def test_groups_are_tiles(beside: Beside) -> None:
    m, n, k, group = 9, 8, 50, 32  # two groups of every sum, the second one padded; two tiles of rows
    layer = Layer("fc", m, n, k, operands=Operands("int4", 8, 4, 2, zero_points=True))
    found = beside.groups(layer, group)
    tiles = 2 * 1 * 2
    assert found.cycles == sequence_cycles(CONFIG, [2 * group] * tiles)
    assert found.parts_pj["array"].mid == pytest.approx(tiles * (2 * group * 64 + 16))
    results = m * n * 2 / 2
    assert found.parts_pj["epilogue"].mid == results * (COSTS["wide_epilogue"] + COSTS["zero_correction"])
    beats = m * 13
    per_beat = COSTS["range"] + COSTS["wide_quantizer"] + COSTS["row_sum"]
    assert found.parts_pj["quantize"].mid == beats * per_beat + m * 2 * (3 + 5)
    assert found.parts_pj["dram"].mid == n * (k * 4 + 2 * 20 + 16) * 8


def test_half_precision_has_no_quantizer(beside: Beside) -> None:
    found = beside.floats(Layer("fc", 9, 10, 5))
    tiles = 2 * 2
    assert found.cycles == sequence_cycles(CONFIG, [5] * tiles)
    assert found.parts_pj["array"].mid == tiles * 5 * 64 * PRODUCT
    assert set(found.parts_pj) == {"array", "epilogue", "sram", "dram", "leakage"}
    # 128-bit words. x: 6 written, tiles · 5 · 8 · 16 bits = 20 read; weights and biases: 8 written,
    # 24 read; y: 12 written. All in the smallest bank of 22 nm, 2.83 pJ an access.
    assert found.parts_pj["sram"].mid == pytest.approx((6 + 20 + 8 + 24 + 12) * 2.83)
    # 64 elements of 100 nW and four pairs of epilogue lanes of 7 nW, 10 ns a cycle.
    assert found.parts_pj["leakage"].mid == pytest.approx((6400 + 28) * 10 * found.cycles * 1e-6)


def test_single_precision_carries_twice_the_bits(beside: Beside) -> None:
    half, single = (beside.floats(Layer("fc", 8, 8, 63), bits) for bits in (16, 32))
    assert single.cycles == half.cycles
    assert single.parts_pj["array"].mid == 4 * half.parts_pj["array"].mid
    assert single.parts_pj["dram"].mid == 2 * half.parts_pj["dram"].mid
    assert single.parts_pj["epilogue"] == half.parts_pj["epilogue"]


def test_what_there_is_no_unit_for_is_refused(beside: Beside) -> None:
    with pytest.raises(ValueError, match="block=64: expected one of 32, 16"):
        beside.blocks(Layer("fc", 4, 4, 64), 64)
    with pytest.raises(ValueError, match="bits=8: expected one of 16, 32"):
        beside.floats(Layer("fc", 4, 4, 64), 8)
    with pytest.raises(ValueError, match="group=0"):
        beside.groups(Layer("fc", 4, 4, 64), 0)
    with pytest.raises(ValueError, match="units are characterized for"):
        Beside(ArrayConfig(), beside._units)
