"""fpsim_amax: the largest magnitude of a beat, by Python's max."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import cocotb

from fpsim.verify.benches.harness import Bench, Law, Words, pack
from fpsim.verify.mismatch import as_signed


def law_of(bench: Bench) -> Law:
    """The largest magnitude."""
    port = bench.unit.inputs[0]

    def law(seen: Words) -> Words:
        lanes = (as_signed(port.lane(seen["h"], i), port.bits) for i in range(port.lanes))
        return {"amax": max(abs(h) for h in lanes)}

    return law


@cocotb.test()
async def exhaustive(dut: Any) -> None:
    """Every lane in turn holds the largest magnitude: each power of two, one off it, and the extremes."""
    bench = Bench(dut, "exhaustive")
    port = bench.unit.inputs[0]
    top = 1 << (port.bits - 1)
    peaks = {sign * ((1 << bit) + off) for bit in range(port.bits - 1) for off in (-1, 0) for sign in (1, -1)}
    peaks |= {top - 1, -top, 0}

    def vectors() -> Iterator[Words]:
        for lane in range(port.lanes):
            for peak in sorted(peaks):
                below = max(abs(peak) - 1, 0)
                lanes = [bench.rng.randint(-below, below) for _ in range(port.lanes)]
                lanes[lane] = peak
                yield {"h": pack(lanes, port.bits)}
        for peak in (top - 1, -top):  # two of the largest
            yield {"h": pack([peak] * 2 + [0] * (port.lanes - 2), port.bits)}

    await bench.check_combinational(vectors(), law_of(bench))
    bench.finish()


@cocotb.test()
async def random(dut: Any) -> None:
    """Random bits, and rows of few bits."""
    bench = Bench(dut, "random")
    port = bench.unit.inputs[0]

    def vectors() -> Iterator[Words]:
        for _ in range(bench.pick(4000, 500)):
            limit = (1 << bench.rng.randint(0, port.bits - 1)) - 1
            yield {"h": bench.rng.getrandbits(port.width)}
            yield {"h": pack((bench.rng.randint(-limit, limit) for _ in range(port.lanes)), port.bits)}

    await bench.check_combinational(vectors(), law_of(bench))
    bench.finish()
