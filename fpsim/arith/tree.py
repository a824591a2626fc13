"""A pairwise adder tree whose adders all round."""

from __future__ import annotations

from collections.abc import Sequence

from fpsim.arith.number import Number, add_two, round_to
from fpsim.formats import Accumulator


def tree(total: Number, products: Sequence[Number], acc: Accumulator) -> Number:
    """Add `acc.step` products at a time through a tree, and each tree's sum onto the running one.

    Args:
        total: the sum before, a number of acc.fmt.
        products: exact, block scales included.
        acc: kind "tree". The first level adds products 0 and 1, 2 and 3, ...; fused: exact ones, else each
            rounded to acc.fmt. An odd one out moves up a level as it is: a last, shorter group is not padded.

    Returns:
        The sum after the last group; zeros as in `sequential`.
    """
    assert acc.fmt is not None

    def rounded(x: Number, y: Number) -> Number:
        assert acc.fmt is not None
        return round_to(add_two(x, y, acc.rounding), acc.fmt, acc.rounding, acc.overflow)

    for start in range(0, len(products), acc.step):
        level = list(products[start : start + acc.step])
        if not acc.fused:
            level = [round_to(product, acc.fmt, acc.rounding, acc.overflow) for product in level]
        while len(level) > 1:
            pairs = [rounded(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
            level = pairs + level[len(pairs) * 2 :]
        total = rounded(total, level[0])
    return total
