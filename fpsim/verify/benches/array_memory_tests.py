"""fpsim_mac_array out of memories: started here, compared in the simulator row by row, no word poked."""

from __future__ import annotations

import resource
import time
from typing import Any

import cocotb
from cocotb.triggers import RisingEdge, Timer, with_timeout

from fpsim.verify.benches.harness import Bench

RESET_NS = 10
CYCLE_NS = 2
CYCLES_PER_BEAT = 4  # and some for the drain: longer than that, and the array hangs


@cocotb.test()
async def random(dut: Any) -> None:
    """Send all beats, wait for all rows; none may differ."""
    bench = Bench(dut, "random")
    beats, rows = map(int, str(cocotb.plusargs["lines"]).split(","))
    bench.drive({"go": 0, "beats": beats, "rows": rows})
    await Timer(RESET_NS, "ns")
    start, spent = time.perf_counter(), time.process_time()
    bench.drive({"go": 1})
    patience = CYCLE_NS * (CYCLES_PER_BEAT * (beats + rows) + 1000)
    await with_timeout(RisingEdge(dut.done_o), patience, "ns")
    await Timer(1, "ns")
    seconds, cpu = time.perf_counter() - start, time.process_time() - spent
    got = bench.outputs()
    if got["wrong"]:
        shown = [("row", str(got["wrong_row"])), ("got", f"{got['got']:#x}")]
        raise bench.reporter.fault(f"{got['wrong']} rows differ from the law", shown)
    bench.compared, bench.cycle = got["rows"] * bench.config.cols, got["cycles"]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
    bench.finish(microseconds=round(seconds * 1e6), cpu_microseconds=round(cpu * 1e6), peak_bytes=peak)
