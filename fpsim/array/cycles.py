"""How many clock cycles the array takes. The RTL is measured against these formulas."""

from __future__ import annotations

from fpsim.array.config import ArrayConfig


def tile_cycles(config: ArrayConfig, k: int, passes: int = 1) -> int:
    """Cycles of one tile, from the one that accepts its first beat to the one that hands over its last row.

    Both are counted; nothing stalls. K beats of every pass enter, one per cycle, pass after pass; the last
    one crosses the C columns' skew; then the R rows leave, one per cycle: passes · K + C + R. The rows below
    the first finish their skew meanwhile.

    Args:
        config: the array.
        k: inner dimension of the tile, at least 1.
        passes: passes of nibbles (`fpsim.array.config.passes`), at least 1. The SystemVerilog array has one.

    Raises:
        ValueError: k or passes below 1.
    """
    _check_positive("k", k)
    _check_positive("passes", passes)
    return passes * k + config.cols + config.rows


def layer_cycles(config: ArrayConfig, m: int, n: int, k: int, passes: int = 1) -> int:
    """Cycles of a layer (M, K) @ (K, N): its ⌈M / R⌉ · ⌈N / C⌉ tiles one after the other.

    A tile is accepted in the cycle after the previous one has handed over its last row. Ragged tiles are
    padded and take as long as full ones.

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
    return -(-m // config.rows) * -(-n // config.cols) * tile_cycles(config, k, passes)


def _check_positive(name: str, value: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{name}={value!r}: expected an integer of at least 1")
