"""fpsim_row_scale against fpsim.arith.row_scale: every exponent, every amax that rounds in its own way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import cocotb

from fpsim.arith.row_scale import AMPLITUDE_BITS, amplitude, row_scale
from fpsim.verify.benches.harness import Bench, Law, Words

EXPONENTS = range(1, 32)  # 31: a row that holds an infinity or a NaN


def law_of(bench: Bench) -> Law:
    """Amplitude and scale of a row."""
    guard_bits = bench.config.unit.guard_bits

    def law(seen: Words) -> Words:
        amp = amplitude(seen["amax"])
        return {"amp": amp, "scale": row_scale(amp, seen["exp"], guard_bits)}

    return law


def structured_amax(bits: int) -> list[int]:
    """Small numbers; then for every length: ties, their neighbours, carries; up to 2^(bits − 1).

    The largest magnitude of a signed number of `bits` bits is 2^(bits − 1).
    """
    limit = 1 << (bits - 1)
    chosen = set(range(min(limit, 64))) | {limit}
    for length in range(1, bits):
        dropped = max(length - AMPLITUDE_BITS, 0)
        half = (1 << dropped) >> 1
        top = min(length, AMPLITUDE_BITS)
        for kept in (1 << top - 1, (1 << top - 1) + 1, (1 << top) - 2, (1 << top) - 1):
            base = kept << dropped
            chosen |= {base, base + max(half - 1, 0), base + half, base + half + 1, base + (1 << dropped) - 1}
    return sorted(amax for amax in chosen if amax <= limit)


@cocotb.test()
async def exhaustive(dut: Any) -> None:
    """Every exponent with every structured amax."""
    bench = Bench(dut, "exhaustive")
    values = structured_amax(bench.unit.inputs[0].bits)
    await bench.check_combinational(({"amax": a, "exp": e} for e in EXPONENTS for a in values), law_of(bench))
    bench.finish()


@cocotb.test()
async def random(dut: Any) -> None:
    """Random amax of random length."""
    bench = Bench(dut, "random")
    bits = bench.unit.inputs[0].bits

    def vectors() -> Iterator[Words]:
        for _ in range(bench.pick(20_000, 3_000)):
            amax = bench.rng.randint(0, 1 << bench.rng.randint(0, bits - 1))
            yield {"amax": amax, "exp": bench.rng.choice(EXPONENTS)}

    await bench.check_combinational(vectors(), law_of(bench))
    bench.finish()


@cocotb.test()
async def golden(dut: Any) -> None:
    """The golden set's rows."""
    bench = Bench(dut, "golden")
    await bench.check_golden_combinational()
    bench.finish()
