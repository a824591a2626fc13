"""Cycle counts of tiles and layers, by hand; the RTL is measured in tests/rtl/test_cycles.py."""

from __future__ import annotations

import pytest

from fpsim.array.config import ArrayConfig, UnitConfig, passes
from fpsim.array.cycles import layer_cycles, sequence_cycles, tile_cycles, tile_period


@pytest.mark.parametrize(
    ("rows", "cols", "k", "cycles"),
    [
        # K beats, one cycle to begin the take, the skew of C columns, then R rows out.
        (1, 1, 1, 1 + 1 + 1 + 1),
        (16, 16, 1152, 1152 + 1 + 16 + 16),
        (4, 9, 7, 7 + 1 + 9 + 4),
    ],
)
def test_a_tile_alone_is_its_beats_its_skew_and_its_rows(rows: int, cols: int, k: int, cycles: int) -> None:
    assert tile_cycles(ArrayConfig(rows, cols), k) == cycles
    assert sequence_cycles(ArrayConfig(rows, cols), [k]) == cycles


def test_tiles_follow_each_other_while_the_rows_leave() -> None:
    """Drawn on paper for 2 x 1: d is the take, s its skew, 1 2 the rows, and a letter a beat of that tile.

    K = 5      aaaaabbbbbccccc            K = 1      a b   c   ...
    drain           ds12 ds12 ds12                    ds12ds12
    """
    config = ArrayConfig(rows=2, cols=1)
    assert tile_period(config, 5) == 5
    assert sequence_cycles(config, [5, 5, 5]) == 15 + 4
    assert tile_period(config, 1) == 4
    assert sequence_cycles(config, [1, 1]) == 1 + 4 + 4
    # A short tile between long ones waits for the drain before it; a long one after it does not.
    assert sequence_cycles(config, [9, 1, 9]) == 9 + 4 + 9 + 4


def test_without_overlap_tiles_take_their_beats_and_their_drain() -> None:
    config = ArrayConfig(rows=16, cols=8, unit=UnitConfig(overlap=False))
    assert tile_cycles(config, 10) == tile_period(config, 10) == 10 + 16 + 8
    assert sequence_cycles(config, [10, 1, 99]) == 110 + 3 * 24
    assert layer_cycles(config, m=32, n=24, k=10, passes=2) == 6 * (20 + 24)


@pytest.mark.parametrize("overlap", [True, False])
def test_a_register_behind_the_multipliers_is_one_cycle_of_each_drain(overlap: bool) -> None:
    plain, cut = (
        ArrayConfig(4, 3, UnitConfig(overlap=overlap, product_cut=register)) for register in (False, True)
    )
    for beats in ([9], [1, 1, 1], [20, 1, 30]):
        drains = 1 if beats[0] == 9 else {True: {1: 3, 20: 2}, False: {1: 3, 20: 3}}[overlap][beats[0]]
        assert sequence_cycles(cut, beats) == sequence_cycles(plain, beats) + drains


def test_a_layer_is_its_tiles_one_after_the_other() -> None:
    config = ArrayConfig(rows=16, cols=8)
    assert layer_cycles(config, m=32, n=24, k=10) == sequence_cycles(config, [10] * 6) == 10 + 5 * 25 + 25
    assert layer_cycles(config, m=32, n=24, k=100) == sequence_cycles(config, [100] * 6) == 600 + 25
    assert layer_cycles(config, m=1, n=1, k=10) == tile_cycles(config, 10)


def test_ragged_tiles_take_as_long_as_full_ones() -> None:
    config = ArrayConfig(rows=16, cols=8)
    assert layer_cycles(config, m=17, n=1, k=10) == layer_cycles(config, m=32, n=8, k=10)


def test_passes_follow_one_another_before_the_rows_leave() -> None:
    """W8A8 takes four passes of K beats; the skew and the rows come once."""
    config = ArrayConfig(rows=16, cols=8)
    assert tile_cycles(config, 1152, passes("int8", "int8")) == 4 * 1152 + 1 + 8 + 16
    assert tile_cycles(config, 100, passes("e2m1", "int6")) == 2 * 100 + 1 + 8 + 16
    assert layer_cycles(config, m=32, n=24, k=20, passes=2) == 6 * 2 * 20 + 1 + 8 + 16


@pytest.mark.parametrize(
    ("act", "weight", "expected"),
    [("e2m1", "int4", 1), ("int8", "e3m0", 2), ("int4", "int6", 2), ("int6", "int8", 4), ("int8", "int8", 4)],
)
def test_a_pass_is_a_nibble_against_a_nibble(act: str, weight: str, expected: int) -> None:
    assert passes(act, weight) == expected


@pytest.mark.parametrize("bad", [0, -1, 1.0, True])
def test_dimensions_below_one_are_refused(bad: int) -> None:
    config = ArrayConfig()
    with pytest.raises(ValueError, match=r"k=.*at least 1"):
        tile_cycles(config, bad)
    with pytest.raises(ValueError, match=r"m=.*at least 1"):
        layer_cycles(config, bad, 1, 1)
    with pytest.raises(ValueError, match=r"n=.*at least 1"):
        layer_cycles(config, 1, bad, 1)
    with pytest.raises(ValueError, match=r"passes=.*at least 1"):
        tile_cycles(config, 1, bad)
    with pytest.raises(ValueError, match=r"passes=.*at least 1"):
        tile_period(config, 1, bad)
    with pytest.raises(ValueError, match=r"beats=.*at least 1"):
        sequence_cycles(config, [1, bad])
    with pytest.raises(ValueError, match=r"beats=\[\]: expected at least one tile"):
        sequence_cycles(config, [])
