"""A floating-point sum that takes one product after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fpsim.arith.number import NO_RANDOM_BITS, Number, RandomBits, add_two, round_to
from fpsim.formats import Accumulator


def sequential(
    total: Number,
    products: Iterable[Number],
    acc: Accumulator,
    random_bits: Iterator[RandomBits] = NO_RANDOM_BITS,
) -> Number:
    """Add exact products onto a sum in order, each addition rounded to acc.fmt.

    Args:
        total: the sum before, a number of acc.fmt.
        products: exact, block scales included.
        acc: kind "sequential". fused: total ← round(total + product); else round(total + round(product)).
        random_bits: of acc.roundings(K) roundings in their order, where acc is stochastic.

    Returns:
        The sum after the last product. Zeros follow IEEE 754 section 6.3: a sum that starts at +0 becomes −0
        only by a negative number that rounds to 0, or under "rdn".
    """
    assert acc.fmt is not None
    for product in products:
        term = product
        if not acc.fused:
            term = round_to(product, acc.fmt, acc.rounding, acc.overflow, next(random_bits))
        exact = add_two(total, term, acc.rounding)
        total = round_to(exact, acc.fmt, acc.rounding, acc.overflow, next(random_bits))
    return total
