"""How many clock cycles `fpsim_top` takes from start to done, if no stream ever waits: its counter's value.

Of a row tile the rows come one after the other, then the tiles, which overlap. With R rows and C columns of
the array, n lanes of the row path, B = ⌈K / n⌉ beats of a row, r the real rows of a row tile, P passes:

    a row        (2 + T)·B + L + 3       load, rotate: B beats each; quantize: T cycles for each, 1, by
                                         division (int6, int8, zero points) 11; a memory's latency (twice),
                                         the butterflies' L registers, the quantizer's register
                 + 9                     where its zero point is found from it
                 + B·(p + 1) + 3         for each factor of p beats of a rotation across beats: Sylvester's
                                         of 2 to 64, 12 or 36
    a tile       H·C + P·K               scales and biases, with zero points on either side (H = 2, else 1)
                                         these and the columns' sums; codes
    one more     max(H·C + P·K, R + C + 1)   the array hands over a tile while the next one comes
                 P·K + max(H·C, R + C)       without overlap: codes wait, scales and biases do not
    the last     + drain                 R + C, and 1 with overlap (`fpsim.array.cycles.drain_cycles`)
                 + max(0, E - (R - r))   the stages of correction (3, where zero points are built in) and
                                         epilogue (4), less the padding rows behind the last real one
                                         (R + C one more everywhere with a cut behind the multipliers)
    a row tile   r rows, then ⌈N / C⌉ tiles

No tile waits for the scales of another one (`fpsim_column_bank` holds as many as that takes). Rows could be
quantized while the array works on the tile before; with one set of code banks they are not.
"""

from __future__ import annotations

from fpsim.array.config import passes
from fpsim.array.cycles import drain_cycles
from fpsim.array.top import FORMATS, OUTER_ORDERS, Setup, TopConfig, check, head_beats
from fpsim.formats import get

EPILOGUE_STAGES, CORRECTION_STAGES = 4, 3
DIVISION_CYCLES = 11  # of a beat in the wide quantizer
ZERO_CYCLES = 9  # for which the first beat waits for the row's zero point


def row_cycles(config: TopConfig, setup: Setup) -> int:
    """Cycles of one row from its first beat to its last codes."""
    unit = config.array.unit
    beats = -(-setup.k // unit.hadamard_n)
    divided = get(FORMATS[setup.a_fmt]).bits > 4 or setup.a_zero
    wait = ZERO_CYCLES if setup.a_zero and not setup.static else 0
    factors = [p for p in (setup.points, OUTER_ORDERS[setup.base]) if p > 1 and setup.rotate]
    wait += sum(beats * (p + 1) + 3 for p in factors)
    return (2 + (DIVISION_CYCLES if divided else 1)) * beats + unit.hadamard_registers + 3 + wait


def tiles_cycles(config: TopConfig, setup: Setup, rows: int, tiles: int) -> int:
    """Cycles of so many tiles with so many real rows, from the first column's scale to the last result."""
    array = config.array
    heads = head_beats(config, zeros=setup.a_zero or setup.b_zero)
    codes = passes(FORMATS[setup.a_fmt], FORMATS[setup.b_fmt]) * setup.k
    drain = drain_cycles(array)
    period = max(heads + codes, drain) if array.unit.overlap else codes + max(heads, drain)
    stages = EPILOGUE_STAGES + (CORRECTION_STAGES if config.zeros else 0)
    behind = array.rows - rows
    return heads + codes + (tiles - 1) * period + drain + max(0, stages - behind)


def top_cycles(config: TopConfig, setup: Setup) -> int:
    """Cycles of a layer, as the cycle counter shows them after done.

    Args:
        config: the accelerator.
        setup: its registers.

    Raises:
        ValueError: registers that are not legal.
    """
    error = check(config, setup)
    if error:
        raise ValueError(f"setup={setup}: expected legal registers, a start says {error.name}")
    full, rest = divmod(setup.m, config.array.rows)
    tiles = -(-setup.n // config.array.cols)

    def row_tile(rows: int) -> int:
        return rows * row_cycles(config, setup) + tiles_cycles(config, setup, rows, tiles)

    return full * row_tile(config.array.rows) + (row_tile(rest) if rest else 0)
