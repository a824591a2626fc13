"""A bench of fpsim_row_scale that never meets a tie: right in all that it compares, and too little."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import cocotb

from fpsim.arith.row_scale import AMPLITUDE_BITS, amplitude, row_scale
from fpsim.verify.benches.harness import Bench, Words
from fpsim.verify.benches.row_scale_tests import EXPONENTS, structured_amax
from fpsim.verify.covergroups.sampler import rounding_case


@cocotb.test()
async def exhaustive(dut: Any) -> None:
    """Every exponent with every structured amax but the ties."""
    bench = Bench(dut, "exhaustive")

    def vectors() -> Iterator[Words]:
        for exp in EXPONENTS:
            for amax in structured_amax(bench.unit.inputs[0].bits):
                dropped = max(amax.bit_length() - AMPLITUDE_BITS, 0)
                if not rounding_case(amax, 1 << dropped).startswith("tie"):
                    yield {"amax": amax, "exp": exp}

    def law(seen: Words) -> Words:
        amp = amplitude(seen["amax"])
        return {"amp": amp, "scale": row_scale(amp, seen["exp"], bench.config.unit.guard_bits)}

    await bench.check_combinational(vectors(), law)
    bench.finish()
