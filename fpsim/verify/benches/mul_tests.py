"""fpsim_mul against fpsim.arith.mul: every pair of codes of every pair of formats, low nibbles among them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import cocotb

from fpsim.arith.decode import Operand, decode
from fpsim.arith.mul import mul
from fpsim.array.config import UnitConfig
from fpsim.verify.benches.harness import Bench, Law, Words


def operands(config: UnitConfig) -> Iterator[Operand]:
    """Every code of every format that is built in, decoded; with int4 low nibbles of wider integers too."""
    yield from (decode(code, name) for name in config.formats for code in range(16))
    if "int4" in config.formats:
        yield from (decode(code, "int4", low=True) for code in range(16))


def operand_words(side: str, operand: Operand) -> Words:
    """The three port words of an operand."""
    return {f"{side}_neg": int(operand.neg), f"{side}_sig": operand.sig, f"{side}_shift": operand.shift}


def operand_seen(side: str, seen: Words) -> Operand:
    """The operand on the three ports."""
    return Operand(bool(seen[f"{side}_neg"]), seen[f"{side}_sig"], seen[f"{side}_shift"])


def law_of(bench: Bench) -> Law:
    """The product of two operands."""
    mask = (1 << bench.unit.outputs[0].bits) - 1

    def law(seen: Words) -> Words:
        return {"product": mul(operand_seen("a", seen), operand_seen("b", seen)) & mask}

    return law


@cocotb.test()
async def exhaustive(dut: Any) -> None:
    """All 256 pairs of codes of all pairs of formats, low nibbles counting as one more format."""
    bench = Bench(dut, "exhaustive")
    unit = bench.config.unit
    pairs = ((a, b) for a in operands(unit) for b in operands(unit))
    await bench.check_combinational(
        (operand_words("a", a) | operand_words("b", b) for a, b in pairs), law_of(bench)
    )
    bench.finish()
