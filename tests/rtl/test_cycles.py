"""The array takes exactly the cycles that fpsim.array.cycles says, tile by tile and in sequences."""

from __future__ import annotations

import pytest

from fpsim.array.config import ArrayConfig, UnitConfig
from fpsim.array.cycles import layer_cycles, sequence_cycles, tile_cycles
from fpsim.verify.job import Job
from fpsim.verify.runner import simulate

pytestmark = pytest.mark.rtl

SHAPES = [(1, 1), (2, 3), (5, 2), (8, 8)]


@pytest.mark.parametrize(("rows", "cols"), [(1, 1), (3, 2)])
def test_without_overlap_each_tile_waits_for_the_rows_before_it(rows: int, cols: int) -> None:
    config = ArrayConfig(rows, cols, UnitConfig(acc_bits=20, overlap=False))
    measured = simulate(Job("mac_array", config, kinds=("random",), quick=True)).measured
    assert measured["k=1 passes=1"] == tile_cycles(config, 1) == 1 + rows + cols
    assert (
        measured["k=1,1,1,1 passes=4"] == layer_cycles(config, 4 * rows, cols, 1, 4) == 4 * (4 + rows + cols)
    )
    name = f"k=3,1,{rows + cols + 5},1,2 passes=2"
    assert measured[name] == 2 * (12 + rows + cols) + 5 * (rows + cols)


@pytest.mark.parametrize(("rows", "cols", "overlap"), [(1, 1, True), (3, 2, True), (2, 3, False)])
def test_a_register_behind_the_multipliers_costs_what_the_formula_says(
    rows: int, cols: int, overlap: bool
) -> None:
    config = ArrayConfig(rows, cols, UnitConfig(acc_bits=20, overlap=overlap, product_cut=True))
    measured = simulate(Job("mac_array", config, kinds=("random",), quick=True)).measured
    drain = rows + cols + overlap + 1
    assert measured["k=1 passes=1"] == tile_cycles(config, 1) == 1 + drain
    beats = [3, 1, drain + 5, 1, 2]
    name = f"k={','.join(map(str, beats))} passes=2"
    assert measured[name] == sequence_cycles(config, [2 * k for k in beats])


@pytest.mark.parametrize(("rows", "cols"), SHAPES)
def test_tiles_take_the_cycles_of_the_formulas(rows: int, cols: int) -> None:
    config = ArrayConfig(rows, cols, UnitConfig(acc_bits=20))
    measured = simulate(Job("mac_array", config, kinds=("random",), quick=True)).measured
    drain = rows + cols + 1
    for passes in (1, 2, 4):
        alone = {1: (1, 2, 3, rows, drain - 1, drain, drain + 1, 40)}.get(passes, (1,))
        for k in alone:
            assert measured[f"k={k} passes={passes}"] == tile_cycles(config, k, passes) == passes * k + drain
        for k in (1, max(drain // passes, 1), drain):
            cycles = measured[f"k={k},{k},{k},{k} passes={passes}"]
            assert cycles == layer_cycles(config, 2 * rows, 2 * cols, k, passes)
            assert cycles == 3 * max(passes * k, drain) + passes * k + drain
        mixed = (3, 1, drain + 5, 1, 2)
        name = f"k={','.join(map(str, mixed))} passes={passes}"
        assert measured[name] == sequence_cycles(config, [passes * k for k in mixed])
