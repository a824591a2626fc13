"""A dot product's sum under every overflow rule of an exact accumulator."""

from __future__ import annotations

from collections.abc import Iterable

from fpsim.arith.mac import wrap
from fpsim.formats import Accumulator


def accumulate(products: Iterable[int], acc: Accumulator) -> int:
    """Add the products in order, from 0, in a two's complement register of acc.bits bits.

    Args:
        products: integers of any size.
        acc: what happens beyond the register. "wrap": modulo 2^bits after every addition (which equals
            once at the end). "saturate": clamped to [−2^(bits−1), 2^(bits−1) − 1] after every addition, so
            the order counts. "saturate-end": the exact sum, clamped once.

    Returns:
        The register after the last product; 0 for no products.
    """
    total = 0
    for product in products:
        total += product
        if acc.overflow == "wrap":
            total = wrap(total, acc.bits)
        elif acc.overflow == "saturate":
            total = _clamp(total, acc.bits)
    return _clamp(total, acc.bits) if acc.overflow == "saturate-end" else total


def _clamp(value: int, bits: int) -> int:
    half = 1 << (bits - 1)
    return max(-half, min(value, half - 1))
