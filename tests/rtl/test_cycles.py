"""The array takes exactly the cycles that fpsim.array.cycles says."""

from __future__ import annotations

import pytest

from fpsim.array.config import ArrayConfig, UnitConfig
from fpsim.array.cycles import tile_cycles
from fpsim.verify.job import Job
from fpsim.verify.runner import simulate

pytestmark = pytest.mark.rtl


@pytest.mark.parametrize(("rows", "cols"), [(1, 1), (2, 3), (5, 2), (8, 8)])
def test_a_tile_takes_the_cycles_of_the_formula(rows: int, cols: int) -> None:
    config = ArrayConfig(rows, cols, UnitConfig(acc_bits=20))
    measured = simulate(Job("mac_array", config, kinds=("random",), quick=True)).measured
    depths = {1, 2, 3, rows, rows + cols, 40}
    assert measured == {f"k={k}": tile_cycles(config, k) for k in sorted(depths)}
