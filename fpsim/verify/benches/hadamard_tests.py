"""fpsim_hadamard against fpsim.arith.hadamard: basis vectors, extremes, random blocks and signs."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import cocotb

from fpsim.arith.hadamard import hadamard
from fpsim.verify.benches.harness import Bench, Law, Words, pack
from fpsim.verify.benches.stream import Beat, check_golden_stream, check_stream, one_to_one
from fpsim.verify.mismatch import as_signed


def law_of(bench: Bench) -> Law:
    """The rotated block, or the block itself."""
    x_port = bench.unit.inputs[2]
    y_port = bench.unit.outputs[0]
    lanes = range(x_port.lanes)

    def law(seen: Words) -> Words:
        block = [as_signed(x_port.lane(seen["x"], i), x_port.bits) for i in lanes]
        signs = [-1 if seen["signs"] >> i & 1 else 1 for i in lanes]
        return {"y": pack(hadamard(block, signs) if seen["enable"] else block, y_port.bits)}

    return law


def _beat(bench: Bench, block: list[int], signs: int, *, enable: bool = True) -> Beat:
    return Beat({"enable": int(enable), "signs": signs, "x": pack(block, bench.unit.inputs[2].bits)})


@cocotb.test()
async def exhaustive(dut: Any) -> None:
    """Every basis vector, of both signs, every power of 2 and the largest size; every row at full swing.

    The transform is linear without overflow, so the basis vectors fix every entry of the matrix and the
    full-swing rows (each drives one output to its extreme) fix the widths.
    """
    bench = Bench(dut, "exhaustive")
    x_port = bench.unit.inputs[2]
    n, peak = x_port.lanes, (1 << (x_port.bits - 1)) - 1

    def beats() -> Iterator[Beat]:
        for i in range(n):
            for value in (1, peak, -peak):
                basis = [value if j == i else 0 for j in range(n)]
                yield _beat(bench, basis, 0)
                yield _beat(bench, basis, 1 << i)
            for place in range(x_port.bits - 1):  # every length of the carry that a negation makes
                for value in (1 << place, -1 << place):
                    yield _beat(bench, [value if j == i else 0 for j in range(n)], 1 << i)
            row = [peak if (i & j).bit_count() % 2 == 0 else -peak for j in range(n)]
            yield _beat(bench, row, 0)
            yield _beat(bench, row, (1 << n) - 1)
        for signs in (0, 1, (1 << n) - 1):  # every result of a block that is alike but for the signs; bypass
            for value in (peak, -peak):
                yield _beat(bench, [-value if signs >> i & 1 else value for i in range(n)], signs)
                yield _beat(bench, [value] * n, signs, enable=False)

    await check_stream(bench, one_to_one(law_of(bench)), beats(), stress=False)
    bench.finish()


@cocotb.test()
async def random(dut: Any) -> None:
    """Random blocks, signs and enables, with gaps and back-pressure."""
    bench = Bench(dut, "random")
    x_port = bench.unit.inputs[2]
    peak = (1 << (x_port.bits - 1)) - 1

    def beats() -> Iterator[Beat]:
        for _ in range(bench.pick(3000, 600)):
            limit = bench.rng.choice((1, 7, peak // 2, peak))
            block = [bench.rng.randint(-limit, limit) for _ in range(x_port.lanes)]
            signs = bench.rng.getrandbits(x_port.lanes)
            signs = bench.rng.choice((0, (1 << x_port.lanes) - 1, signs, signs))
            yield _beat(bench, block, signs, enable=bench.rng.random() < 0.7)

    await check_stream(bench, one_to_one(law_of(bench)), beats(), cut=islice(beats(), 20))
    bench.finish()


@cocotb.test()
async def golden(dut: Any) -> None:
    """The golden set's blocks at full speed."""
    bench = Bench(dut, "golden")
    await check_golden_stream(bench)
    bench.finish()
