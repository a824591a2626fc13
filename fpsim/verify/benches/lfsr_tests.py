"""fpsim_lfsr against fpsim.arith.lfsr: the sequence from reset, from seeds, with and without steps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product
from typing import Any

import cocotb
from cocotb.triggers import Timer

from fpsim.arith.lfsr import RESET_STATE, lfsr
from fpsim.verify.benches.harness import Bench, Words


class LfsrRegister:
    """The state beside the unit's own, by the law."""

    def __init__(self, bench: Bench) -> None:
        self._state = RESET_STATE
        self._count = bench.unit.parameters["Bits"]

    def outputs(self, seen: Words) -> Words:
        """What the unit shows before the clock edge."""
        return {"bits": lfsr(self._state, self._count).bits}

    def clock(self, seen: Words) -> None:
        """One clock edge with this on the input ports."""
        if seen["seed_en"]:
            self._state = seen["seed"] or RESET_STATE
        elif seen["step"]:
            self._state = lfsr(self._state, self._count).state


async def _check(bench: Bench, beats: Iterable[Words]) -> None:
    """Reset, then clock the beats in; the law's register runs beside the unit's."""
    bench.drive(bench.noise())
    await bench.reset()
    register = LfsrRegister(bench)
    for index, words in enumerate(beats):
        bench.drive(words)
        await Timer(1, "ns")
        seen = bench.seen()
        bench.compare(index, seen, register.outputs(seen), bench.outputs())
        register.clock(seen)
        await bench.edge()


@cocotb.test()
async def random(dut: Any) -> None:
    """Steps, holes and seeds, the illegal seed 0 and all of one bit among them; twice, a reset between."""
    bench = Bench(dut, "random")
    rng = bench.rng

    def beats() -> Iterator[Words]:
        for seed_en, seed, step in product((0, 1), (0, 1), (0, 1)):
            yield {"seed_en": seed_en, "seed": seed, "step": step}
        for place in range(31):  # any one bit makes a seed other than 0
            yield {"seed_en": 1, "seed": 1 << place, "step": 0}
        for _ in range(bench.pick(1500, 300)):
            seed = rng.choice((0, 1, rng.getrandbits(31), rng.getrandbits(31)))
            yield {"seed_en": int(rng.random() < 0.02), "seed": seed, "step": int(rng.random() < 0.8)}

    await _check(bench, beats())
    await _check(bench, beats())
    bench.finish()
