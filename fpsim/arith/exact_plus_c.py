"""Products and the sum so far added exactly, rounded once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fpsim.arith.number import NO_RANDOM_BITS, Number, RandomBits, add, round_to
from fpsim.formats import Accumulator


def exact_plus_c(
    total: Number,
    products: Sequence[Number],
    acc: Accumulator,
    random_bits: Iterator[RandomBits] = NO_RANDOM_BITS,
) -> Number:
    """total ← round(total + the exact sum of the next acc.step products), to the end.

    Args:
        total: C, a number of acc.fmt.
        products: exact, block scales included.
        acc: kind "exact-plus-c"; step 0 takes all products at once. A last, shorter step is not padded.
        random_bits: of acc.roundings(K) roundings in their order, where acc is stochastic.

    Returns:
        The sum after the last step. An exact sum of 0 is +0, whatever the signs of its terms; a negative one
        that rounds to 0 is −0.
    """
    assert acc.fmt is not None
    step = acc.step or len(products) or 1
    for start in range(0, len(products), step):
        exact = add((total, *products[start : start + step]))
        total = round_to(exact, acc.fmt, acc.rounding, acc.overflow, next(random_bits))
    return total
