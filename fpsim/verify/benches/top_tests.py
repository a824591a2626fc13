"""fpsim_top against the law: layers at full speed and under stress, resets, every error code."""

from __future__ import annotations

from typing import Any

import cocotb

from fpsim.array.top import Register
from fpsim.verify.benches.harness import Bench
from fpsim.verify.benches.top_host import TopHost
from fpsim.verify.benches.top_layers import random_layer


def shapes(host: TopHost) -> list[tuple[int, int, int, bool]]:
    """(M, N, K, rotate): one tile, several, ragged ones, short and ragged rows."""
    array = host.config.array
    r, c, lanes = array.rows, array.cols, array.unit.hadamard_n
    return [
        (r, c, lanes, True),
        (1, 1, 1, False),
        (r + 1, c + 1, 2 * lanes, True),
        (max(r - 1, 1), 2 * c, lanes + 1, False),
        (2 * r, max(c - 1, 1), max(lanes - 1, 1), False),
        (2 * r + 1, 2 * c + 1, 3 * lanes, True),
    ]


@cocotb.test()
async def random(dut: Any) -> None:
    """Random layers: full speed (the cycles are reported), then gaps, back-pressure, a reset in the middle."""
    bench = Bench(dut, "random")
    host = TopHost(bench)
    await host.begin()
    measured = {}
    for index, (m, n, k, rotate) in enumerate(shapes(host)):
        program, rows = random_layer(host.config, bench.rng, m, n, k, rotate=rotate, static=index % 2 == 1)
        measured[f"m={m} n={n} k={k}"] = await host.run(program, rows)
    bench.finish(**measured)
