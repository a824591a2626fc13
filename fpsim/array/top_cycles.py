"""How many clock cycles `fpsim_top` takes from start to done, if no stream ever waits: its counter's value.

Phases follow one another; none overlaps another. With R rows and C columns of the array, n lanes of the row
path, B = ⌈K / n⌉ beats of a row, r the real rows of a row tile, P passes:

    a row        (2 + T)·B + log2 n + 3  load, rotate: B beats each; quantize: T cycles for each, 1, of int6
                                         and int8 11; a memory's latency (twice), the butterflies' stages,
                                         the quantizer's register
    a tile       C + P·K                 scales and biases, codes
                 + drain                 R + C, and 1 with overlap (`fpsim.array.cycles.drain_cycles`)
                 + max(0, 4 - (R - r))   the epilogue's stages, less the padding rows behind the last real one
    a row tile   r rows, then ⌈N / C⌉ tiles

The array could load a tile while the one before drains, and the row path could quantize rows meanwhile; this
control uses neither.
"""

from __future__ import annotations

from fpsim.array.config import OPERAND_FORMATS, passes
from fpsim.array.cycles import drain_cycles
from fpsim.array.top import TopConfig

EPILOGUE_STAGES = 4
DIVISION_CYCLES = 11  # of a beat of int6 or int8 in the wide quantizer


def row_cycles(config: TopConfig, k: int, act_fmt: str = "e2m1") -> int:
    """Cycles of one row of K elements from its first beat to its last codes."""
    unit = config.array.unit
    beats = -(-k // unit.hadamard_n)
    quantize = 1 if act_fmt in OPERAND_FORMATS else DIVISION_CYCLES
    return (2 + quantize) * beats + unit.hadamard_stages + 3


def tile_cycles(config: TopConfig, k: int, rows: int, passes: int = 1) -> int:
    """Cycles of one tile with so many real rows, from its first column's scale to its last result."""
    array = config.array
    behind = array.rows - rows
    return array.cols + passes * k + drain_cycles(array) + max(0, EPILOGUE_STAGES - behind)


def top_cycles(
    config: TopConfig, m: int, n: int, k: int, act_fmt: str = "e2m1", weight_fmt: str = "e2m1"
) -> int:
    """Cycles of a layer (M, K) @ (K, N), as the cycle counter shows them after done.

    Args:
        config: the accelerator.
        m: rows, at least 1.
        n: output channels, at least 1.
        k: input channels, 1 to k_max.
        act_fmt, weight_fmt: operand formats; all of 4 bits take the same time.

    Raises:
        ValueError: a dimension out of range, or a format that the accelerator is not built with.
    """
    for name, value, most in (("m", m, None), ("n", n, None), ("k", k, config.k_max)):
        if value < 1 or (most is not None and value > most):
            raise ValueError(f"{name}={value}: expected at least 1" + (f", at most {most}" if most else ""))
    for fmt in (act_fmt, weight_fmt):
        config.array.unit.operand_format(fmt)
    full, rest = divmod(m, config.array.rows)
    tiles = -(-n // config.array.cols)
    runs = passes(act_fmt, weight_fmt)

    def row_tile(rows: int) -> int:
        return rows * row_cycles(config, k, act_fmt) + tiles * tile_cycles(config, k, rows, runs)

    return full * row_tile(config.array.rows) + (row_tile(rest) if rest else 0)
