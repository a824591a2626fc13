"""What `fpsim_top` gives back: the beats of its stream y."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fpsim.array.top import FP16_BITS, TopConfig, packed


@dataclass(frozen=True)
class ResultBeat:
    """One beat of y.

    Attributes:
        data: FP16 bits of C columns, column 0 lowest; 0 beyond N.
        keep: two bits (bytes) for each column, 0 beyond N.
        last: the last row of a tile.
    """

    data: int
    keep: int
    last: bool


def result_beats(config: TopConfig, y: Sequence[Sequence[int]]) -> list[ResultBeat]:
    """All beats of y: row tile by row tile, column tile by column tile, real row by real row.

    Args:
        config: the accelerator.
        y: FP16 bits (M, N).
    """
    rows, cols = config.array.rows, config.array.cols
    beats = []
    for top in range(0, len(y), rows):
        tile = y[top : top + rows]
        for left in range(0, len(y[0]), cols):
            for index, row in enumerate(tile):
                real = row[left : left + cols]
                keep = (1 << 2 * len(real)) - 1
                beats.append(ResultBeat(packed(real, FP16_BITS), keep, index == len(tile) - 1))
    return beats
