"""fpsim_fifo against fpsim.arith.fifo: every fill level, then random gaps and back-pressure."""

from __future__ import annotations

from typing import Any

import cocotb

from fpsim.verify.benches.harness import Bench
from fpsim.verify.benches.queue import check_every_level, check_random


@cocotb.test()
async def exhaustive(dut: Any) -> None:
    """Every fill level with every pair of what input and output may do, cycle by cycle."""
    bench = Bench(dut, "exhaustive")
    await check_every_level(bench, bench.unit.parameters["Depth"])


@cocotb.test()
async def random(dut: Any) -> None:
    """Random words, gaps and back-pressure."""
    await check_random(Bench(dut, "random"))
