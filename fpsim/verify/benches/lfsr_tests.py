"""fpsim_lfsr against fpsim.arith.lfsr: the sequence from reset, from seeds, with and without steps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import cocotb
from cocotb.triggers import Timer

from fpsim.arith.lfsr import RESET_STATE, lfsr
from fpsim.verify.benches.harness import Bench, Words


async def _check(bench: Bench, beats: Iterable[Words]) -> None:
    """Reset, then clock the beats in; the law's register runs beside the unit's."""
    bench.drive(bench.noise())
    await bench.reset()
    count = bench.unit.parameters["Bits"]
    state = RESET_STATE
    for index, words in enumerate(beats):
        bench.drive(words)
        await Timer(1, "ns")
        seen = bench.seen()
        draw = lfsr(state, count)
        bench.compare(index, seen, {"bits": draw.bits}, bench.outputs())
        if seen["seed_en"]:
            state = seen["seed"] or RESET_STATE
        elif seen["step"]:
            state = draw.state
        await bench.edge()


@cocotb.test()
async def random(dut: Any) -> None:
    """Steps, holes and seeds, the illegal seed 0 and all of one bit among them; twice, a reset between."""
    bench = Bench(dut, "random")
    rng = bench.rng

    def beats() -> Iterator[Words]:
        yield {"seed_en": 0, "seed": 0, "step": 0}
        for place in range(31):  # any one bit makes a seed other than 0
            yield {"seed_en": 1, "seed": 1 << place, "step": 0}
        for _ in range(bench.pick(1500, 300)):
            seed = rng.choice((0, 1, rng.getrandbits(31), rng.getrandbits(31)))
            yield {"seed_en": int(rng.random() < 0.02), "seed": seed, "step": int(rng.random() < 0.8)}

    await _check(bench, beats())
    await _check(bench, beats())
    bench.finish()
