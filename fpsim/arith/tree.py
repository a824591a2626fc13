"""A pairwise adder tree whose adders all round."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fpsim.arith.number import NO_RANDOM_BITS, Number, RandomBits, add_two, round_to
from fpsim.formats import Accumulator


def tree(
    total: Number,
    products: Sequence[Number],
    acc: Accumulator,
    random_bits: Iterator[RandomBits] = NO_RANDOM_BITS,
) -> Number:
    """Add `acc.step` products at a time through a tree, and each tree's sum onto the running one.

    Args:
        total: the sum before, a number of acc.fmt.
        products: exact, block scales included.
        acc: kind "tree". The first level adds products 0 and 1, 2 and 3, ...; fused: exact ones, else each
            rounded to acc.fmt. An odd one out moves up a level as it is: a last, shorter group is not padded.
        random_bits: of acc.roundings(K) roundings in their order, where acc is stochastic.

    Returns:
        The sum after the last group; zeros as in `sequential`.
    """
    assert acc.fmt is not None

    def rounded(exact: Number) -> Number:
        assert acc.fmt is not None
        return round_to(exact, acc.fmt, acc.rounding, acc.overflow, next(random_bits))

    def added(x: Number, y: Number) -> Number:
        return rounded(add_two(x, y, acc.rounding))

    for start in range(0, len(products), acc.step):
        level = list(products[start : start + acc.step])
        if not acc.fused:
            level = [rounded(product) for product in level]
        while len(level) > 1:
            pairs = [added(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
            level = pairs + level[len(pairs) * 2 :]
        total = added(total, level[0])
    return total
