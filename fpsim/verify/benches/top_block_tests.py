"""fpsim_top on layers of a real model: what the machine's kernels gave for them is what must come out.

The test that starts the bench writes the layers to the file that $FPSIM_TOP_LAYERS names: torch stays
outside.
"""

from __future__ import annotations

import os
from typing import Any

import cocotb

from fpsim.array.top_results import result_beats
from fpsim.verify.benches.harness import Bench
from fpsim.verify.benches.top_host import TopHost
from fpsim.verify.top_layers_file import LAYERS_VARIABLE, read_layers


@cocotb.test()
async def random(dut: Any) -> None:
    """Every layer of the file, one after the other, at full speed; the cycles are reported."""
    bench = Bench(dut, "random")
    host = TopHost(bench)
    await host.begin()
    measured = {}
    for layer in read_layers(os.environ[LAYERS_VARIABLE]):
        cycles = await host.run(layer.program, layer.x.tolist())
        expected = result_beats(host.config, layer.y.tolist())
        host.require("number of result beats", len(host.results), len(expected))
        for index, (got, wanted) in enumerate(zip(host.results, expected, strict=True)):
            host.require(f"{layer.program.name}: beat {index}", got.data, wanted.data)
        measured[layer.program.name] = cycles
    bench.finish(**measured)
