"""What memories that are too slow cost the array: stall cycles, in closed form.

Two things can hold the array up.
    - SRAM ports. A beat is R activation codes and C weight codes, and enters once both have been read: it
      takes max(⌈4R / port⌉, ⌈4C / port⌉) cycles. Beats that begin a block of K read the block's scales as
      well.
    - DRAM. The weights of a group of C columns (a panel) are there before the group's first tile. With a
      double buffer the next panel comes while the array works, and the one after it when its buffer is free;
      without, the array waits. Where activations lie in DRAM, x is read before the first tile and y written
      after the last.

A tile fills a slot of max(F, D) cycles (F + D without overlap), F the cycles of its beats, D those of its
drain, and min(F, D) more (none) behind the last one. A panel's buffer is free behind its last beat; where F
< D it is taken to be so when its last slot ends, at most D later. The first panel of a layer is waited for:
nothing is fetched ahead of the layer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from fpsim.array.config import NIBBLE_BITS, ArrayConfig
from fpsim.array.cycles import drain_cycles

BITS_PER_BYTE = 8


@dataclass(frozen=True)
class Memory:
    """How much the memories deliver; None: whatever is asked for.

    Attributes:
        dram_bytes_per_cycle: between DRAM and chip, both ways together, per cycle of the array's clock.
        activation_port_bits, weight_port_bits: read per cycle from the SRAM of an operand's codes.
        double_buffered: whether the next weights are fetched while the array works.
    """

    dram_bytes_per_cycle: float | None = None
    activation_port_bits: int | None = None
    weight_port_bits: int | None = None
    double_buffered: bool = True

    def __post_init__(self) -> None:
        for name in ("dram_bytes_per_cycle", "activation_port_bits", "weight_port_bits"):
            value = getattr(self, name)
            number = int if name.endswith("bits") else int | float
            if value is not None and (isinstance(value, bool) or not isinstance(value, number) or value <= 0):
                raise ValueError(f"{name}={value!r}: expected more than 0, or none for no limit")

    def dram_cycles(self, bits: int) -> int:
        """Cycles that so many bits take."""
        if self.dram_bytes_per_cycle is None:
            return 0
        return math.ceil(Fraction(bits, BITS_PER_BYTE) / Fraction(str(self.dram_bytes_per_cycle)))


@dataclass(frozen=True)
class Groups:
    """The column groups of a layer.

    Attributes:
        count: how many.
        row_groups: tiles in each.
        panel_bits, last_panel_bits: of a group's weights in DRAM, and of the last group's, which may be
            ragged.
    """

    count: int
    row_groups: int
    panel_bits: int
    last_panel_bits: int


def feed_cycles(config: ArrayConfig, memory: Memory, beats: int, scales: int = 0, scale_bits: int = 0) -> int:
    """Cycles in which the beats of a tile are read from SRAM.

    Args:
        config: the array.
        memory: its ports.
        beats: beats of the tile.
        scales: how many of them begin a block.
        scale_bits: width of a block's scale.
    """

    def of_beat(bits: int) -> int:
        ports = ((config.rows, memory.activation_port_bits), (config.cols, memory.weight_port_bits))
        return max(1 if port is None else -(-lanes * bits // port) for lanes, port in ports)

    return (beats - scales) * of_beat(NIBBLE_BITS) + scales * of_beat(NIBBLE_BITS + scale_bits)


def limited_cycles(
    config: ArrayConfig, memory: Memory, groups: Groups, feed: int, x_bits: int = 0, y_bits: int = 0
) -> int:
    """Cycles of a layer, stalls included.

    Args:
        config: the array.
        memory: what holds it up.
        groups: the layer's column groups.
        feed: cycles of a tile's beats (`feed_cycles`).
        x_bits, y_bits: activations from and to DRAM.
    """
    drain = drain_cycles(config)
    slot, behind = (max(feed, drain), min(feed, drain)) if config.unit.overlap else (feed + drain, 0)
    work = groups.row_groups * slot
    load, last = memory.dram_cycles(groups.panel_bits), memory.dram_cycles(groups.last_panel_bits)
    if groups.count == 1:
        busy = last + work
    elif memory.double_buffered:
        busy = load + (groups.count - 2) * max(load, work) + max(last, work) + work
    else:
        rows_leave = 0 if config.unit.overlap else drain  # while the next panel comes already
        waits = (groups.count - 2) * max(load, rows_leave) + max(last, rows_leave)
        busy = load + (groups.count - 1) * (work - rows_leave) + waits + work
    return memory.dram_cycles(x_bits) + busy + behind + memory.dram_cycles(y_bits)
