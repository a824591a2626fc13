"""How many clock cycles the array takes. The RTL is measured against these formulas.

With B beats in a tile (passes · K), R rows and C columns:

    overlap    one tile alone    each further tile
    yes        B + R + C + 1     max(B, R + C + 1)    second registers take the accumulators over and
                                                      hand over their rows while the next tile loads
    no         B + R + C         B + R + C            rows leave from the accumulators, the next tile waits

A register between product and sum (`UnitConfig.product_cut`) adds 1 to R + C throughout.
"""

from __future__ import annotations

from collections.abc import Sequence

from fpsim.array.config import ArrayConfig


def drain_cycles(config: ArrayConfig) -> int:
    """Cycles after a tile's last beat until its last row has been handed over.

    R + C: it crosses the C columns' skew, then the R rows leave, one per cycle. One more with overlap, where
    the take into the second registers goes ahead of it; the tile after it can be taken over once these cycles
    are over. And one more for a product that waits in a register of its own.
    """
    return config.rows + config.cols + config.unit.overlap + config.unit.product_cut


def tile_cycles(config: ArrayConfig, k: int, passes: int = 1) -> int:
    """Cycles of one tile alone, from the one that accepts its first beat to the one that hands over its last
    row.

    Both are counted; nothing stalls. K beats of every pass enter, one per cycle, pass after pass; then the
    tile is drained: passes · K + R + C, and with overlap 1.

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
    """Cycles from tile to tile of a long sequence of equal ones.

    max(passes · K, R + C + 1) with overlap, else passes · K + R + C.

    Raises:
        ValueError: k or passes below 1.
    """
    _check_positive("k", k)
    _check_positive("passes", passes)
    return _period(config, passes * k)


def sequence_cycles(config: ArrayConfig, beats: Sequence[int]) -> int:
    """Cycles of tiles one after the other without stalls, first beat to last row, both counted.

    With overlap the first beat of a tile is accepted in the cycle after the last one of the tile before, or
    once the rows of the tile before that have left; else once the rows of the tile before have.

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
    # With overlap a tile's time ends as the next one is taken over: it is the later one's beats that count.
    later = sum(_period(config, count) for count in beats[1:])
    return beats[0] + drain_cycles(config) + later


def layer_cycles(config: ArrayConfig, m: int, n: int, k: int, passes: int = 1) -> int:
    """Cycles of a layer (M, K) @ (K, N): its T = ⌈M / R⌉ · ⌈N / C⌉ tiles one after the other.

    T - 1 times `tile_period` and once `tile_cycles`. Ragged tiles are padded and take as long as full ones.

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


def _period(config: ArrayConfig, beats: int) -> int:
    drain = drain_cycles(config)
    return max(beats, drain) if config.unit.overlap else beats + drain


def _check_positive(name: str, value: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{name}={value!r}: expected an integer of at least 1")
