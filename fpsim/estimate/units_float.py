"""Floating-point processing elements, characterized: what a product of unquantized operands costs."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from fpsim.array.config import ArrayConfig
from fpsim.estimate.drive import BEATS, SETTLE_CYCLES, Unit
from fpsim.estimate.stimulus import Operands, Run

PRODUCTS = 4 * BEATS


def float_units(config: ArrayConfig) -> list[Unit]:
    """`pe_half` (FP16) and `pe_single` (FP32), whose RTL lies in rtl/compare: no machine of ours has them."""
    meaning = {
        "mac": "one multiply-accumulate, operand and output registers included",
        "idle": "one clock cycle with operands of 0",
    }
    return [
        Unit(
            name, "fpsim_pe_float", {"ExpW": exp, "ManW": man}, meaning, partial(_rows, exp + man), 1, config
        )
        for name, exp, man in (("pe_half", 5, 10), ("pe_single", 8, 23))
    ]


def _rows(magnitude_bits: int, data: Operands, config: ArrayConfig) -> list[Run]:
    """Sums of a row of x and a row of w, one after the other; then none. There is no reset to begin with."""
    depth = data.x_bits.shape[1]
    place = np.arange(PRODUCTS)
    sums = place // depth
    a = _bits(data.x_bits[sums % len(data.x_bits), place % depth], magnitude_bits)
    b = _bits(data.w_bits[sums * 7 % len(data.w_bits), place % depth], magnitude_bits)
    first = (place % depth == 0).astype(np.int64)
    busy = {"a_i": first << magnitude_bits + 1 | a, "b_i": b}
    idle = {name: np.zeros(PRODUCTS, np.int64) for name in busy}
    counted = PRODUCTS - SETTLE_CYCLES
    return [Run(busy, {"mac": counted}, SETTLE_CYCLES), Run(idle, {"idle": counted}, SETTLE_CYCLES)]


def _bits(half: NDArray[np.uint16], magnitude_bits: int) -> NDArray[np.int64]:
    """FP16 bits as they are; for FP32 the number with its low significand bits drawn, as unrounded data has
    them."""
    if magnitude_bits < 31:
        return half.astype(np.int64)
    single = half.view(np.float16).astype(np.float32).view(np.uint32).astype(np.int64)
    low = np.random.default_rng(0).integers(0, 1 << 13, len(half))
    return np.where(half & 0x7FFF, single | low, single)
