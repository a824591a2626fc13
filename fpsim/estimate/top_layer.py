"""Cycles of a layer on the accelerator as it is built (`fpsim_top`), beside those of its array alone.

The top level works in phases, rows, then their tiles, then the next rows; it takes the weights anew for every
row tile. Its cycle counter, to which `fpsim.array.top_cycles` is held in the simulator, shows what
overlapping them (what estimates assume) would save.
"""

from __future__ import annotations

from fpsim.array.config import NIBBLE_BITS, ArrayConfig
from fpsim.array.top import FORMATS, Error, Setup, TopConfig, check
from fpsim.array.top_cycles import top_cycles
from fpsim.estimate.shapes import Layer

_ANY_EXP, _ANY_AMP = 15, 1  # a static scale's registers: cycles do not depend on what they hold


def top_layer_cycles(layer: Layer, config: ArrayConfig) -> int | None:
    """Cycles of one run of a layer from start to done, if no stream waits; rows are rotated where they can
    be.

    None where the top level has no such layer: operands that it is not built with, block scales, an attention
    product (its second operand would have to go through the input path), rows longer than its memories.
    """
    operands = layer.operands
    if layer.kind == "attention" or operands.block or operands.fmt is None:
        return None
    a_fmt, b_fmt = (
        FORMATS.index(operands.fmt if bits == NIBBLE_BITS else f"int{bits}")
        for bits in (operands.activation_bits, operands.weight_bits)
    )
    setup = Setup(
        layer.m,
        layer.n,
        layer.k,
        a_fmt,
        b_fmt,
        rotate=layer.k % config.unit.hadamard_n == 0,
        static=operands.static,
        exp=_ANY_EXP if operands.static else 0,
        amp=_ANY_AMP if operands.static else 0,
    )
    top = TopConfig(config)
    return top_cycles(top, setup) if check(top, setup) is Error.NONE else None
