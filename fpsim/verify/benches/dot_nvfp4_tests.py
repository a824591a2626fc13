"""fpsim_dot_nvfp4 against fpsim.arith.dot_nvfp4: every sum of blocks."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import cocotb
import numpy as np

from fpsim.arith.dot_nvfp4 import dot_nvfp4
from fpsim.verify.benches.dot_blocks import Sums, check, quarters
from fpsim.verify.benches.harness import Bench, Words

LARGEST = 2304  # magnitude of a block's sum in quarters
PLACES = 19  # of that times two scales' significands
RUN = 8  # places through which a carry runs, from which on it crosses groups of an adder


def scale_code(significand: int) -> int:
    """A UE4M3 code with these 0 to 15 eighths of a power of two: subnormal below 8, else 1.000 and more."""
    return significand if significand < 8 else 7 << 3 | significand - 8


class Scaled:
    """Blocks chosen by the product of their magnitude with the two scales' significands."""

    def __init__(self, sums: Sums) -> None:
        self.sums, self.rng = sums, sums.rng
        self.factors = {x * y: (scale_code(x), scale_code(y)) for x, y in product(range(16), repeat=2)}
        self.magnitude, self.significand = np.meshgrid(
            np.arange(1, LARGEST + 1), np.array(sorted(set(self.factors) - {0}))
        )

    def blocks(self) -> Iterator[list[Words]]:
        """What random blocks hardly ever have, and gates of multiplier, normalization and alignment need."""
        yield from ([words] for words in self.every_place())
        yield from ([words] for words in self.long_carries())
        yield from self.beside_ties()

    def beside_ties(self) -> Iterator[list[Words]]:
        """An even sum, then a block with half of its last place and one bit alone below, which decides."""
        for high, below in product(range(1, 10), range(1, 11)):
            magnitude = (1 << high + below) + (1 << below) + 1
            if magnitude <= LARGEST:
                before = self.rng.randrange(1024, 2048, 2)  # times 2^14: half of its last place is 2^0
                signs = self.rng.choice((1, -1)), self.rng.choice((1, -1))
                yield [
                    self.sums.worth(signs[0] * before, 14),
                    self.sums.worth(signs[1] * magnitude, -below),
                ]

    def every_place(self) -> Iterator[Words]:
        """Products with their highest bit in every place and their lowest one set: 0 to 18 places to go."""
        products = self.magnitude * self.significand
        for top in range(PLACES):
            yield from self._some(products % 2 == 1, products >> top == 1)

    def long_carries(self) -> Iterator[Words]:
        """Partial sums, radix 4, with a run of places that pass a carry on, with and without one to pass."""
        mask = (1 << RUN) - 1
        for digit in range(1, 4):
            below = self.magnitude * (self.significand & (1 << 2 * digit) - 1)
            row = self.magnitude * (self.significand >> 2 * digit & 3) << 2 * digit
            for low in range(2 * digit, PLACES - RUN):
                passes = (below ^ row) >> low & mask == mask
                carry = (below & (1 << low) - 1) + (row & (1 << low) - 1) >> low
                for wanted in (0, 1):
                    yield from self._some(passes, carry == wanted)

    def _some(self, *conditions: Any) -> Iterator[Words]:
        """Blocks of two of the pairs that meet the conditions, as far as a block's lanes make them."""
        found = np.flatnonzero(np.logical_and.reduce(conditions))
        made = 0
        for place in self.rng.sample(range(len(found)), min(len(found), 8)):
            index = found[place]
            magnitude = int(self.magnitude.flat[index]) * self.rng.choice((1, -1))
            words = self.sums.worth(magnitude, 0)
            if made < 2 and quarters(words, self.sums.lanes) == magnitude:
                made += 1
                a, b = self.factors[int(self.significand.flat[index])]
                yield words | {"a_scale": a, "b_scale": b}


@cocotb.test()
async def random(dut: Any) -> None:
    """Ties, cancellation, both ends of the range, NaN scales, far scales, ordinary sums, long carries."""
    await check(Bench(dut, "random"), dot_nvfp4, lambda sums: Scaled(sums).blocks())
