"""fpsim_mac_array pin by pin, on a few whole tiles: what the memories are measured against."""

from __future__ import annotations

import resource
import time
from typing import Any

import cocotb

from fpsim.verify.benches.harness import Bench
from fpsim.verify.benches.mac_array_tests import TileMonitor, law_of, sequence
from fpsim.verify.benches.stream import Stream

TILES, DEPTH = 2, 64


@cocotb.test()
async def random(dut: Any) -> None:
    """Whole tiles back to back at full speed, every row compared with the law."""
    bench = Bench(dut, "random")
    stream = Stream(bench, TileMonitor(bench, law_of(bench)), stress=False)
    await stream.reset()
    name = bench.config.unit.formats[0]
    start, spent = time.perf_counter(), time.process_time()
    await stream.run(sequence(bench, [DEPTH] * TILES, (name, name)))
    seconds, cpu = time.perf_counter() - start, time.process_time() - spent
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
    bench.finish(
        beats=TILES * DEPTH,
        microseconds=round(seconds * 1e6),
        cpu_microseconds=round(cpu * 1e6),
        peak_bytes=peak,
    )
