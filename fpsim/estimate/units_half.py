"""The FP16 processing element, characterized: what a product of unquantized operands costs."""

from __future__ import annotations

import numpy as np

from fpsim.array.config import ArrayConfig
from fpsim.estimate.drive import BEATS, SETTLE_CYCLES, Unit
from fpsim.estimate.stimulus import Operands, Run

FP16_BITS = 16
PRODUCTS = 4 * BEATS


def half_unit(config: ArrayConfig) -> Unit:
    """`pe_half`, which lies in rtl/compare: no machine of ours has it."""
    meaning = {
        "mac": "one multiply-accumulate, operand and output registers included",
        "idle": "one clock cycle with operands of 0",
    }
    return Unit("pe_half", "fpsim_pe_half", {}, meaning, _rows, 1, config)


def _rows(data: Operands, config: ArrayConfig) -> list[Run]:
    """Sums of a row of x and a row of w, one after the other; then none. There is no reset to begin with."""
    depth = data.x_bits.shape[1]
    place = np.arange(PRODUCTS)
    sums = place // depth
    a = data.x_bits[sums % len(data.x_bits), place % depth].astype(np.int64)
    b = data.w_bits[sums * 7 % len(data.w_bits), place % depth].astype(np.int64)
    first = (place % depth == 0).astype(np.int64)
    busy = {"a_i": first << FP16_BITS | a, "b_i": b}
    idle = {name: np.zeros(PRODUCTS, np.int64) for name in busy}
    counted = PRODUCTS - SETTLE_CYCLES
    return [Run(busy, {"mac": counted}, SETTLE_CYCLES), Run(idle, {"idle": counted}, SETTLE_CYCLES)]
