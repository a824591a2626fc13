"""fpsim_row_sum: the sum of a row's codes, by Python's sum, after every clock edge."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import cocotb
from cocotb.triggers import Timer

from fpsim.verify.benches.harness import Bench, Words, pack
from fpsim.verify.mismatch import as_signed


def _beat(codes: Iterable[int], *, first: bool, en: bool = True) -> Words:
    chosen = [code & 255 for code in codes]
    nibbles = {
        "high": pack((code >> 4 for code in chosen), 4),
        "low": pack((code & 15 for code in chosen), 4),
    }
    return {"en": int(en), "first": int(first), **nibbles}


class SumRegister:
    """The sum of the codes since the last first beat, by Python's own."""

    def __init__(self, bench: Bench) -> None:
        self._total = 0
        self._high, self._low = bench.unit.inputs[2:]
        self._bits = bench.unit.outputs[0].bits

    def outputs(self, seen: Words) -> Words:
        """What the unit shows before the clock edge."""
        return {"sum": self._total & ((1 << self._bits) - 1)}

    def clock(self, seen: Words) -> None:
        """One clock edge with this on the input ports."""
        if seen["en"]:
            codes = (
                16 * as_signed(self._high.lane(seen["high"], i), 4) + self._low.lane(seen["low"], i)
                for i in range(self._high.lanes)
            )
            self._total = sum(codes) + (0 if seen["first"] else self._total)


def _signs(lanes: int) -> Iterator[Words]:
    """Rows of equal and of mixed codes onto sums that they make negative, 0 and positive; then held."""
    for codes in ([-128] * lanes, [127] * lanes, [0] * lanes, [1, -1] * (lanes // 2)):
        yield _beat(codes, first=True)
        for wanted in (-1, 0, 1):
            half = wanted - sum(codes)  # left by two beats, of which each lane takes its part
            yield _beat([half // 2 // lanes] * lanes, first=True)
            rest = half - half // 2 // lanes * lanes
            part = [rest // lanes] * lanes
            part[0] += rest - sum(part)
            yield _beat(part, first=False)
            yield _beat(codes, first=False)
            yield _beat(codes, first=False, en=False)


@cocotb.test()
async def random(dut: Any) -> None:
    """Random rows with holes, then the longest rows of the smallest and of the largest code."""
    bench = Bench(dut, "random")
    rng, lanes = bench.rng, bench.unit.inputs[2].lanes

    def beats() -> Iterator[Words]:
        yield _beat([5] * lanes, first=False, en=False)
        for number in range(bench.pick(3000, 500)):
            bound = rng.choice((8, 32, 128))
            codes = [rng.randrange(-bound, bound) for _ in range(lanes)]
            yield _beat(codes, first=number == 0 or rng.random() < 0.03, en=rng.random() < 0.8)
        yield from _signs(lanes)
        longest = ((1 << bench.unit.parameters["DepthW"]) - 1) // lanes
        for code in (-128, 127):
            yield from (_beat([code] * lanes, first=i == 0) for i in range(longest))

    await bench.reset()
    register = SumRegister(bench)
    for index, words in enumerate(beats()):
        bench.drive(words)
        await Timer(1, "ns")
        seen = bench.seen()
        await bench.edge()
        register.clock(seen)
        bench.compare(index, seen, register.outputs(seen), bench.outputs())
    bench.finish()
