"""fpsim_group_registers against a list of registers: writes, reads of every group, rows that pass."""

from __future__ import annotations

from typing import Any

import cocotb
from cocotb.triggers import Timer

from fpsim.verify.benches.harness import Bench, Words

FIELDS = ("exp", "amp", "zero")


class Registers:
    """The registers of all groups beside the unit's own."""

    def __init__(self, bench: Bench) -> None:
        self._held = [{"exp": 1, "amp": 0, "zero": 0} for _ in range(bench.unit.parameters["Groups"])]

    def outputs(self, seen: Words) -> Words:
        """What the unit shows before the clock edge."""
        own = {name: seen[f"row_{name}"] for name in FIELDS}
        return self._held[seen["group"]] if seen["static"] else own

    def clock(self, seen: Words) -> None:
        """One clock edge with this on the input ports."""
        if seen["write"]:
            self._held[seen["write_group"]] = {name: seen[f"write_{name}"] for name in FIELDS}


@cocotb.test()
async def random(dut: Any) -> None:
    """What reset leaves in every group, then random writes and reads, of one group at once too."""
    bench = Bench(dut, "random")
    rng = bench.rng
    bench.drive(bench.noise())
    await bench.reset()
    registers, groups = Registers(bench), bench.unit.parameters["Groups"]
    for index in range(bench.pick(5000, 800)):
        words = bench.noise()
        if index < groups:
            words |= {"write": 0, "static": 1, "group": index}
        elif rng.random() < 0.3:
            words["group"] = words["write_group"]
        bench.drive(words)
        await Timer(1, "ns")
        seen = bench.seen()
        bench.compare(index, seen, registers.outputs(seen), bench.outputs())
        registers.clock(seen)
        await bench.edge()
    bench.finish()
