"""fpsim_top against the law: layers at full speed and under stress, resets, every error code."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import cocotb
from cocotb.triggers import ClockCycles

from fpsim.array.config import passes
from fpsim.array.top import SOFT_RESET, Register, Setup
from fpsim.verify.benches.harness import Bench
from fpsim.verify.benches.top_errors import (
    check_accesses_in_flight,
    check_data_errors,
    check_error_behind_results,
    check_illegal_starts,
    check_registers,
    check_soft_reset,
    check_start_while_busy,
)
from fpsim.verify.benches.top_host import TopHost
from fpsim.verify.benches.top_layers import format_pairs, random_layer

WAIT_CYCLES = 400  # longer than such a layer
CUT_CYCLES = 300  # a reset cuts a layer off at the latest after so many


def shapes(host: TopHost) -> list[tuple[int, int, int, bool]]:
    """(M, N, K, rotate): one tile, several, ragged ones, short, ragged rows, tiles shorter than a drain."""
    array = host.config.array
    r, c, lanes = array.rows, array.cols, array.unit.hadamard_n
    return [
        (r, c, lanes, True),
        (1, 1, 1, False),
        (r + 1, c + 1, 2 * lanes, True),
        (max(r - 1, 1), 2 * c, lanes + 1, False),
        (2 * r, max(c - 1, 1), max(lanes - 1, 1), False),
        (2 * r + 1, 2 * c + 1, 3 * lanes, True),
        (1, c, host.config.k_max, True),
        (r, 6 * c - 1, 1, False),
        (2, 1, 24 * lanes, True),
        (1, 1, 36 * lanes, True),
    ]


async def check_long_wait(host: TopHost) -> None:
    """Tiles pile up in array, correction and epilogue while y waits; then all of them are right."""
    array = host.config.array
    program, rows = random_layer(
        host.config, host.bench.rng, array.rows, 6 * array.cols, 1, rotate=False, static=False
    )

    async def wait() -> None:
        host.y.pause = True
        await ClockCycles(host.dut.clk_i, WAIT_CYCLES)
        host.y.pause = False

    waiting = cocotb.start_soon(wait())
    await host.run(program, rows)
    await waiting


@cocotb.test()
async def exhaustive(dut: Any) -> None:
    """All registers, all error codes, all ways back; then the same under random pauses."""
    bench = Bench(dut, "exhaustive")
    host = TopHost(bench)
    await host.begin()
    await check_registers(host)
    await check_accesses_in_flight(host)
    for stress in (False,) if bench.job.quick else (False, True):
        host.stress(stress)
        await host.write(Register.CONTROL, SOFT_RESET)  # or done would still stand
        await check_illegal_starts(host)
        await check_start_while_busy(host)
        await check_data_errors(host)
        host.stress(False)
        await check_error_behind_results(host)
        await check_soft_reset(host)
    bench.finish()


@cocotb.test()
async def random(dut: Any) -> None:
    """Random layers: full speed (cycles are reported), then gaps, back-pressure, resets in the middle."""
    bench = Bench(dut, "random")
    host = TopHost(bench)
    await host.begin()
    measured = {}
    array = host.config.array
    many = (
        [] if bench.job.quick else [(130 * array.rows + 1, 1, 1, False), (1, 130 * array.cols + 1, 1, False)]
    )
    # One pair of each kind: 4-bit formats, either of them wide, both; each kind with and without zero points.
    pairs = {tuple(passes(fmt, fmt) for fmt in pair): pair for pair in format_pairs(host.config)}
    for index, (m, n, k, rotate) in enumerate(shapes(host) + many):
        formats = list(pairs.values())[index % len(pairs)]
        zeros = (index % 3 == 1, index % 5 == 1)
        program, rows = random_layer(
            host.config,
            bench.rng,
            m,
            n,
            k,
            rotate=rotate,
            static=index % 2 == 1,
            formats=formats,
            zeros=zeros,
        )
        setup = asdict(Setup.of(program, m, host.config))
        name = " ".join(f"{field}={int(value)}" for field, value in setup.items())
        measured[name] = await host.run(program, rows)
    await check_long_wait(host)
    host.stress(True)
    for index in range(bench.pick(16, 8)):
        m, n, k, rotate = bench.rng.choice(shapes(host))
        static = bench.rng.random() < 0.5
        program, rows = random_layer(host.config, bench.rng, m, n, k, rotate=rotate, static=static)
        if index % 3 == 0:
            await host.run(program, rows, cut=bench.rng.randint(1, CUT_CYCLES))
            await host.reset()
        await host.run(program, rows)
    bench.finish(**measured)
