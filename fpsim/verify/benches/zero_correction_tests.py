"""fpsim_zero_correction against fpsim.arith.zero_sums: extremes of every operand, and random rows."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import cocotb

from fpsim.arith.zero_sums import without_zeros
from fpsim.verify.benches.harness import Bench, Law, Words, pack
from fpsim.verify.benches.stream import Beat, check_stream, measure, one_to_one
from fpsim.verify.mismatch import as_signed


def law_of(bench: Bench) -> Law:
    """Accumulators without their zero points, lane by lane."""
    acc, row_sum, act_zero, _, col_sum, weight_zero = bench.unit.inputs
    out = bench.unit.outputs[0]

    def law(seen: Words) -> Words:
        sums = (
            without_zeros(
                as_signed(acc.lane(seen["acc"], i), acc.bits),
                as_signed(seen["row_sum"], row_sum.bits),
                as_signed(col_sum.lane(seen["col_sum"], i), col_sum.bits),
                seen["depth"],
                as_signed(seen["act_zero"], act_zero.bits),
                as_signed(weight_zero.lane(seen["weight_zero"], i), weight_zero.bits),
            )
            for i in range(acc.lanes)
        )
        checked = list(sums)
        assert all(abs(total) < 1 << out.bits - 1 for total in checked)  # the width holds what is legal
        return {"sum": pack(checked, out.bits)}

    return law


@cocotb.test()
async def random(dut: Any) -> None:
    """Rows of any depth; a part of the operands at the ends of what a row of that depth can have."""
    bench = Bench(dut, "random")
    rng = bench.rng
    acc, row_sum, act_zero, depth_port, col_sum, weight_zero = bench.unit.inputs

    def signed(low: int, high: int) -> int:
        return rng.choice((low, high, 0)) if rng.random() < 0.3 else rng.randint(low, high)

    def nothing_left() -> Beat:
        value, lanes = rng.choice((-5, 0, 5)), range(acc.lanes)
        words = {"row_sum": pack([value], row_sum.bits), "act_zero": 0, "depth": 1}
        words["acc"] = pack((value for _ in lanes), acc.bits)
        words["col_sum"] = pack((rng.randint(-128, 127) for _ in lanes), col_sum.bits)
        return Beat(words | {"weight_zero": pack((1 for _ in lanes), weight_zero.bits)})

    def beats() -> Iterator[Beat]:
        for _ in range(bench.pick(3000, 500)):
            if rng.random() < 0.1:
                yield nothing_left()
                continue
            depth = rng.choice((1, 4608, (1 << depth_port.bits) - 1, rng.randrange(1, 1 << depth_port.bits)))
            lanes = range(acc.lanes)
            top = 1 << acc.bits - 1
            accs = pack((signed(-top, top - 1) for _ in lanes), acc.bits)
            cols = pack((signed(-128 * depth, 127 * depth) for _ in lanes), col_sum.bits)
            zeros = pack((signed(-(1 << 15), (1 << 15) - 1) for _ in lanes), weight_zero.bits)
            yield Beat(
                {
                    "acc": accs,
                    "row_sum": pack([signed(-128 * depth, 127 * depth)], row_sum.bits),
                    "act_zero": pack([signed(-128, 127)], act_zero.bits),
                    "depth": depth,
                    "col_sum": cols,
                    "weight_zero": zeros,
                }
            )

    await check_stream(bench, one_to_one(law_of(bench)), beats(), cut=islice(beats(), 20))
    one = await measure(bench, one_to_one(law_of(bench)), islice(beats(), 1))
    two = await measure(bench, one_to_one(law_of(bench)), islice(beats(), 2))
    bench.finish(one=one, two=two)
