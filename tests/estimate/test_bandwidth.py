"""Stalls in closed form against a machine that is stepped cycle by cycle, bit by bit."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import pytest

from fpsim.array.config import ArrayConfig, UnitConfig
from fpsim.array.cycles import drain_cycles, layer_cycles
from fpsim.estimate.bandwidth import Groups, Memory, feed_cycles, limited_cycles


def stepped(
    config: ArrayConfig,
    memory: Memory,
    groups: Groups,
    beats: int,
    scales: tuple[int, int],
    ends: tuple[int, int],
) -> int:
    """The cycle after the last one in which anything happened, found by stepping through all of them."""
    per_cycle = Fraction(str(memory.dram_bytes_per_cycle)) * 8 if memory.dram_bytes_per_cycle else None
    sizes = [groups.panel_bits] * (groups.count - 1) + [groups.last_panel_bits]
    tiles = [group for group in range(groups.count) for _ in range(groups.row_groups)]
    drain, overlap, (every, scale_bits) = drain_cycles(config), config.unit.overlap, scales

    x, y = map(Fraction, ends)
    loaded: list[bool] = [False] * groups.count
    loading, missing = 0, Fraction(sizes[0])
    used_up = -1  # groups before and including this one are done with
    tile, beat = 0, 0
    wants: list[int] | None = None  # bits of the beat that are still to be read, per port
    left: list[int] = []  # the cycle in which each tile's last row leaves
    cycle = 0
    while True:
        if cycle > 100_000:
            raise AssertionError("it never ends")
        if x > 0 and per_cycle is not None:
            x -= per_cycle
            cycle += 1
            continue
        # A panel is fetched into a buffer that is free: two of them, or one that the array does not use.
        ahead = 2 if memory.double_buffered else 1
        fetching = loading < groups.count and loading - used_up <= ahead
        if per_cycle is None:
            while loading < groups.count and loading - used_up <= ahead:
                loaded[loading] = True
                loading += 1
            fetching = False
        if tile < len(tiles):
            ready = loaded[tiles[tile]]
            if beat == 0 and wants is None and tile:
                # The next tile may enter behind the last beat; its predecessor's predecessor has left.
                gate = tile - 2 if overlap else tile - 1
                ready = ready and (gate < 0 or left[gate] < cycle)
            if ready:
                if wants is None:
                    bits = 4 + (scale_bits if every and beat % every == 0 else 0)
                    wants = [config.rows * bits, config.cols * bits]
                ports = (memory.activation_port_bits, memory.weight_port_bits)
                wants = [max(0, want - (port or want)) for want, port in zip(wants, ports, strict=True)]
                if not any(wants):
                    wants, beat = None, beat + 1
                    if beat == beats:
                        start = max([cycle, *left[-1:]]) if overlap else cycle
                        left.append(start + drain)
                        if tile + 1 == len(tiles) or tiles[tile + 1] != tiles[tile]:
                            used_up = tiles[tile]
                        tile, beat = tile + 1, 0
        if fetching and per_cycle is not None:
            missing -= per_cycle
            if missing <= 0:
                loaded[loading] = True
                loading += 1
                missing = Fraction(sizes[loading]) if loading < groups.count else Fraction(0)
        cycle += 1
        if tile == len(tiles):
            end = left[-1] + 1
            while y > 0 and per_cycle is not None:
                y -= per_cycle
                end += 1
            return end


MEMORIES = [
    Memory(*limits, double_buffered=double)
    for limits in product((None, 1, 2.5, 7, 40), (None, 8, 12), (None, 16))
    for double in (True, False)
]


@pytest.mark.parametrize("overlap", [True, False])
@pytest.mark.parametrize(
    "groups", [Groups(1, 3, 0, 96), Groups(2, 1, 200, 60), Groups(5, 2, 321, 321), Groups(4, 3, 64, 8)]
)
def test_stalls_are_those_of_the_stepped_machine(overlap: bool, groups: Groups) -> None:
    config = ArrayConfig(2, 3, UnitConfig(overlap=overlap))
    beats = 9  # more than a drain, 6
    for memory, scales, ends in product(MEMORIES, ((0, 0), (4, 8)), ((0, 0), (100, 37))):
        begins = -(-beats // scales[0]) if scales[0] else 0
        feed = feed_cycles(config, memory, beats, begins, scales[1])
        found = limited_cycles(config, memory, groups, feed, *ends)
        assert found == stepped(config, memory, groups, beats, scales, ends), (memory, scales, ends)


def test_tiles_shorter_than_their_drain_wait_at_most_for_it() -> None:
    """Slots are a little longer than need be here: a panel's buffer is free before its last slot ends."""
    config = ArrayConfig(4, 4)  # a drain of 9
    for memory, groups in product(MEMORIES, (Groups(3, 2, 128, 128), Groups(1, 4, 0, 50))):
        feed = feed_cycles(config, memory, 3)
        least = stepped(config, memory, groups, 3, (0, 0), (0, 0))
        found = limited_cycles(config, memory, groups, feed)
        assert least <= found <= least + groups.count * drain_cycles(config)


@pytest.mark.parametrize("overlap", [True, False])
@pytest.mark.parametrize(("m", "n", "k"), [(5, 7, 9), (1, 1, 1), (8, 30, 2), (40, 3, 100)])
def test_without_limits_a_layer_takes_the_cycles_of_the_array(overlap: bool, m: int, n: int, k: int) -> None:
    config = ArrayConfig(2, 3, UnitConfig(overlap=overlap))
    groups = Groups(-(-n // 3), -(-m // 2), 1000, 10)
    for memory in (Memory(), Memory(double_buffered=False), Memory(None, 8, 12)):
        assert limited_cycles(config, memory, groups, feed_cycles(config, memory, k)) == layer_cycles(
            config, m, n, k
        )


def test_a_limit_is_more_than_nothing() -> None:
    for name in ("dram_bytes_per_cycle", "activation_port_bits", "weight_port_bits"):
        for bad in (0, -1, True, "fast"):
            with pytest.raises(ValueError, match=f"{name}=.*more than 0"):
                Memory(**{name: bad})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"activation_port_bits=2\.5"):
        Memory(activation_port_bits=2.5)  # type: ignore[arg-type]
