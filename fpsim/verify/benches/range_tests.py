"""fpsim_range: the largest and the smallest integer of a beat and 0, by Python's max and min."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import cocotb

from fpsim.verify.benches.harness import Bench, Law, Words, pack
from fpsim.verify.mismatch import as_signed


def law_of(bench: Bench) -> Law:
    """The largest and the smallest integer, 0 among them."""
    port = bench.unit.inputs[0]

    def law(seen: Words) -> Words:
        lanes = [as_signed(port.lane(seen["h"], i), port.bits) for i in range(port.lanes)]
        return {"high": max(0, *lanes, 0), "low": pack([min(0, *lanes, 0)], port.bits)}

    return law


@cocotb.test()
async def exhaustive(dut: Any) -> None:
    """Every lane in turn is the largest and the smallest: powers of two, one off, the ends of the range."""
    bench = Bench(dut, "exhaustive")
    port = bench.unit.inputs[0]
    top = 1 << (port.bits - 1)
    peaks = {sign * ((1 << bit) + off) for bit in range(port.bits - 1) for off in (-1, 0) for sign in (1, -1)}
    peaks |= {top - 1, -top, 0}

    def vectors() -> Iterator[Words]:
        for lane in range(port.lanes):
            for peak in sorted(peaks):
                inside = sorted((0, peak - 1 if peak > 0 else peak + 1 if peak < 0 else 0))
                for low, high in (inside, (-top, peak), (peak, top - 1)):
                    lanes = [bench.rng.randint(min(low, high), max(low, high)) for _ in range(port.lanes)]
                    lanes[lane] = peak
                    yield {"h": pack(lanes, port.bits)}
        yield {"h": pack([-top, *[0] * (port.lanes - 2), top - 1], port.bits)}

    await bench.check_combinational(vectors(), law_of(bench))
    bench.finish()


@cocotb.test()
async def random(dut: Any) -> None:
    """Random bits, rows of few bits, rows of one sign."""
    bench = Bench(dut, "random")
    port = bench.unit.inputs[0]

    def vectors() -> Iterator[Words]:
        for _ in range(bench.pick(3000, 400)):
            limit = (1 << bench.rng.randint(0, port.bits - 1)) - 1
            low, high = bench.rng.choice(((-limit, limit), (0, limit), (-limit, 0), (-limit, -limit // 2)))
            yield {"h": bench.rng.getrandbits(port.width)}
            yield {"h": pack((bench.rng.randint(low, high) for _ in range(port.lanes)), port.bits)}

    await bench.check_combinational(vectors(), law_of(bench))
    bench.finish()
