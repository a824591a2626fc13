"""A floating-point sum that takes one product after the other."""

from __future__ import annotations

from collections.abc import Iterable

from fpsim.arith.number import Number, add_two, round_to
from fpsim.formats import Accumulator


def sequential(total: Number, products: Iterable[Number], acc: Accumulator) -> Number:
    """Add exact products onto a sum in order, each addition rounded to acc.fmt.

    Args:
        total: the sum before, a number of acc.fmt.
        products: exact, block scales included.
        acc: kind "sequential". fused: total ← round(total + product); else round(total + round(product)).

    Returns:
        The sum after the last product. Zeros follow IEEE 754 section 6.3: a sum that starts at +0 becomes −0
        only by a negative number that rounds to 0, or under "rdn".
    """
    assert acc.fmt is not None
    for product in products:
        term = product if acc.fused else round_to(product, acc.fmt, acc.rounding, acc.overflow)
        total = round_to(add_two(total, term, acc.rounding), acc.fmt, acc.rounding, acc.overflow)
    return total
