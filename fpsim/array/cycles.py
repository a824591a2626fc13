"""How many clock cycles the array takes. The RTL is measured against these formulas.

Of every tile the accumulators are taken over into a second set of registers, which hands them over row by row
while the next tile loads. With B beats in a tile (passes · K), R rows and C columns:

    one tile alone                B + C + R + 1     beats, taking over, C columns' skew, R rows
    each further tile             max(B, R + C + 1)
"""

from __future__ import annotations

from collections.abc import Sequence

from fpsim.array.config import ArrayConfig


def drain_cycles(config: ArrayConfig) -> int:
    """Cycles from the one that begins to take a tile over to the one that hands over its last row.

    Both are counted. R + C + 1: the take crosses the C columns' skew, then the R rows leave, one per cycle.
    The tile after it can be taken over in the next cycle.
    """
    return config.rows + config.cols + 1


def tile_cycles(config: ArrayConfig, k: int, passes: int = 1) -> int:
    """Cycles of one tile alone, from the one that accepts its first beat to the one that hands over its last
    row.

    Both are counted; nothing stalls. K beats of every pass enter, one per cycle, pass after pass; then the
    tile is taken over and drained: passes · K + R + C + 1.

    Args:
        config: the array.
        k: inner dimension of the tile, at least 1.
        passes: passes of nibbles (`fpsim.array.config.passes`), at least 1.

    Raises:
        ValueError: k or passes below 1.
    """
    _check_positive("k", k)
    _check_positive("passes", passes)
    return sequence_cycles(config, [passes * k])


def tile_period(config: ArrayConfig, k: int, passes: int = 1) -> int:
    """Cycles from tile to tile of a long sequence of equal ones: max(passes · K, R + C + 1).

    Raises:
        ValueError: k or passes below 1.
    """
    _check_positive("k", k)
    _check_positive("passes", passes)
    return max(passes * k, drain_cycles(config))


def sequence_cycles(config: ArrayConfig, beats: Sequence[int]) -> int:
    """Cycles of tiles one after the other without stalls, first beat to last row, both counted.

    The first beat of a tile is accepted in the cycle after the last one of the tile before, or once the rows
    of the tile before that have left.

    Args:
        config: the array.
        beats: beats of each tile (passes · K), at least 1 tile and 1 beat.

    Raises:
        ValueError: no tile, or one of no beats.
    """
    if not len(beats):
        raise ValueError("beats=[]: expected at least one tile")
    for count in beats:
        _check_positive("beats", count)
    drain = drain_cycles(config)
    return beats[0] + sum(max(count, drain) for count in beats[1:]) + drain


def layer_cycles(config: ArrayConfig, m: int, n: int, k: int, passes: int = 1) -> int:
    """Cycles of a layer (M, K) @ (K, N): its T = ⌈M / R⌉ · ⌈N / C⌉ tiles one after the other.

    (T - 1) · max(passes · K, R + C + 1) + passes · K + R + C + 1. Ragged tiles are padded and take as long as
    full ones.

    Args:
        config: the array.
        m: rows of the left matrix (tokens).
        n: columns of the result (output channels).
        k: inner dimension.
        passes: passes of nibbles, as in `tile_cycles`.

    Raises:
        ValueError: a dimension, or passes, below 1.
    """
    _check_positive("m", m)
    _check_positive("n", n)
    tiles = -(-m // config.rows) * -(-n // config.cols)
    return (tiles - 1) * tile_period(config, k, passes) + tile_cycles(config, k, passes)


def _check_positive(name: str, value: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{name}={value!r}: expected an integer of at least 1")
