"""fpsim_decode against fpsim.arith.decode: every code of every selector."""

from __future__ import annotations

from typing import Any

import cocotb

from fpsim.arith.decode import Operand, decode
from fpsim.array.config import OPERAND_FORMATS
from fpsim.verify.benches.harness import Bench, Words


@cocotb.test()
async def exhaustive(dut: Any) -> None:
    """All 16 codes of all 4 selectors; a format that is not built in decodes to 0."""
    bench = Bench(dut, "exhaustive")

    def law(seen: Words) -> Words:
        name = OPERAND_FORMATS[seen["fmt"]]
        built_in = name in bench.config.unit.formats
        operand = decode(seen["code"], name) if built_in else Operand(False, 0, 0)
        return {"neg": int(operand.neg), "sig": operand.sig, "shift": operand.shift}

    vectors = ({"code": code, "fmt": fmt} for fmt in range(4) for code in range(16))
    await bench.check_combinational(vectors, law)
    bench.finish()
