"""One tile through `fpsim_top` for its timing diagrams: registers over AXI4-Lite, rows in, a packet out."""

from __future__ import annotations

from itertools import chain, repeat
from typing import Any

import cocotb

from fpsim.verify.benches.harness import Bench
from fpsim.verify.benches.top_host import TopHost
from fpsim.verify.benches.top_layers import random_layer

STALLED = 2  # cycles in which the host does not take the packet's first beat


@cocotb.test()
async def random(dut: Any) -> None:
    """A tile of two rows and columns at full speed; the result's first beat has to wait."""
    bench = Bench(dut, "random")
    host = TopHost(bench)
    await host.begin()
    array = host.config.array
    program, rows = random_layer(
        host.config, bench.rng, array.rows, array.cols, array.unit.hadamard_n, rotate=True, static=False
    )
    host.y.set_pause_generator(chain(_until_offered(dut), repeat(True, STALLED), repeat(False)))
    await host.run(program, rows)
    bench.finish()


def _until_offered(dut: Any) -> Any:
    """Pause until the packet is on offer: one answer a cycle."""
    while dut.m_axis_y_tvalid.value != 1:
        yield True
