"""fpsim_decode against fpsim.arith.decode: every code of every selector, as a code and as a low nibble."""

from __future__ import annotations

from itertools import product
from typing import Any

import cocotb

from fpsim.arith.decode import Operand, decode
from fpsim.array.config import OPERAND_FORMATS
from fpsim.verify.benches.harness import Bench, Law, Words


def law_of(bench: Bench) -> Law:
    """A code's sign, significand and shift; 0 of a format that is not built in."""

    def law(seen: Words) -> Words:
        name = OPERAND_FORMATS[seen["fmt"]]
        built_in = name in bench.config.unit.formats
        low = bool(seen["low"]) and name == "int4"  # with other formats the flag does not count
        operand = decode(seen["code"], name, low=low) if built_in else Operand(False, 0, 0)
        return {"neg": int(operand.neg), "sig": operand.sig, "shift": operand.shift}

    return law


@cocotb.test()
async def exhaustive(dut: Any) -> None:
    """All 16 codes of all 4 selectors, low or not; a format that is not built in decodes to 0."""
    bench = Bench(dut, "exhaustive")
    vectors = (
        {"code": code, "fmt": fmt, "low": low} for low, fmt, code in product((0, 1), range(4), range(16))
    )
    await bench.check_combinational(vectors, law_of(bench))
    bench.finish()
