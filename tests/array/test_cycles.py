"""Cycle counts of tiles and layers, by hand; the RTL is measured in tests/rtl/test_cycles.py."""

from __future__ import annotations

import pytest

from fpsim.array.config import ArrayConfig
from fpsim.array.cycles import layer_cycles, tile_cycles


@pytest.mark.parametrize(
    ("rows", "cols", "k", "cycles"),
    [
        # K beats, then the skew of C columns, then R rows out.
        (1, 1, 1, 1 + 1 + 1),
        (16, 16, 1152, 1152 + 16 + 16),
        (4, 9, 7, 7 + 9 + 4),
    ],
)
def test_a_tile_is_its_beats_its_skew_and_its_rows(rows: int, cols: int, k: int, cycles: int) -> None:
    assert tile_cycles(ArrayConfig(rows, cols), k) == cycles


def test_a_layer_is_its_tiles_one_after_the_other() -> None:
    config = ArrayConfig(rows=16, cols=8)
    assert layer_cycles(config, m=32, n=24, k=10) == 2 * 3 * tile_cycles(config, 10)


def test_ragged_tiles_take_as_long_as_full_ones() -> None:
    config = ArrayConfig(rows=16, cols=8)
    assert layer_cycles(config, m=17, n=1, k=10) == layer_cycles(config, m=32, n=8, k=10)


@pytest.mark.parametrize("bad", [0, -1, 1.0, True])
def test_dimensions_below_one_are_refused(bad: int) -> None:
    config = ArrayConfig()
    with pytest.raises(ValueError, match=r"k=.*at least 1"):
        tile_cycles(config, bad)
    with pytest.raises(ValueError, match=r"m=.*at least 1"):
        layer_cycles(config, bad, 1, 1)
    with pytest.raises(ValueError, match=r"n=.*at least 1"):
        layer_cycles(config, 1, bad, 1)
