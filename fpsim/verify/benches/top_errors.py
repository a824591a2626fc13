"""What `fpsim_top` must refuse, and how it comes back: every error code, by registers and by data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cocotb
from cocotb.triggers import ClockCycles
from cocotbext.axi import AxiStreamFrame

from fpsim.array.program import LayerProgram
from fpsim.array.top import (
    ID,
    SIGN_WINDOW,
    SOFT_RESET,
    START,
    VERSION,
    Error,
    Register,
    Setup,
    check,
    row_beats,
    weight_beats,
)
from fpsim.verify.benches.top_host import SLVERR, TopHost
from fpsim.verify.benches.top_layers import Rows, random_layer

FLUSH_CYCLES = 60


async def check_registers(host: TopHost) -> None:
    """Constants read as documented, configuration reads as written, what does not exist is refused."""
    config = host.config
    first, second = config.build_words()
    for register, word in (
        (Register.ID, ID),
        (Register.VERSION, VERSION),
        (Register.BUILD0, first),
        (Register.BUILD1, second),
        (Register.CONTROL, 0),
        (Register.STATUS, 0),
        (Register.CYCLES, 0),
    ):
        host.require(register.name, await host.read(register), word)
    masks = {Register.FORMATS: 0x77, Register.RECIPE: 0xF, Register.OUTER: 0xFFFF037F}
    words = {register: host.bench.rng.getrandbits(32) for register in Register if register >= Register.M}
    for register, word in words.items():
        await host.write(register, word)
    for register, word in words.items():
        host.require(register.name, await host.read(register), word & masks.get(register, 0xFFFFFFFF))
    for address in (Register.ID, Register.BUILD1, Register.STATUS, Register.CYCLES, 0x40, 0x7FC):
        await host.write(address, 1, SLVERR)
    for address in (0x40, 0x7FC, SIGN_WINDOW):
        answer = await host.axil.read(address, 4)
        host.require(f"answer to a read at {address:#x}", int(answer.resp), SLVERR)
    answer = await host.axil.write(Register.M, b"\1")  # one byte: not all strobes
    host.require("answer to a write of one byte", int(answer.resp), SLVERR)
    host.require("M after the refused byte", await host.read(Register.M), words[Register.M])


async def check_accesses_in_flight(host: TopHost) -> None:
    """Reads and writes that queue up while no answer is taken are each answered, in order, with their own."""
    first, second = host.config.build_words()
    registers = {Register.ID: ID, Register.VERSION: VERSION, Register.BUILD0: first, Register.BUILD1: second}
    read, write = host.axil.read_if, host.axil.write_if
    read.r_channel.pause = write.b_channel.pause = True
    reads = [(register, cocotb.start_soon(host.read(register))) for register in registers]
    writes = [
        cocotb.start_soon(host.write(Register.M, 5)),
        cocotb.start_soon(host.write(Register.ID, 5, SLVERR)),
    ]
    await ClockCycles(host.dut.clk_i, 12)
    read.r_channel.pause = write.b_channel.pause = False
    for register, task in reads:
        host.require(f"{register.name} while others wait", await task, registers[register])
    for answer in writes:
        await answer
    host.require("M", await host.read(Register.M), 5)


def illegal_setups(host: TopHost) -> list[tuple[Setup, Error]]:
    """Each limit on both of its sides, as (registers, what a start must say)."""
    config = host.config
    unit = config.array.unit
    lanes = unit.hadamard_n
    good = Setup(1, 1, lanes, rotate=True, static=True, exp=15, amp=1024)
    fmt = next(f for f in range(4) if check(config, replace(good, a_fmt=f, b_fmt=f)) == Error.NONE)
    good = replace(good, a_fmt=fmt, b_fmt=fmt)
    amp_end = 1 << (unit.align_bits - 1)
    cases = [
        *((replace(good, m=m), Error.M) for m in (0, 65_536, 1 << 31)),
        *((replace(good, n=n), Error.N) for n in (0, 65_536, 1 << 31)),
        *((replace(good, k=k, rotate=False), Error.K) for k in (0, config.k_max + 1, 65_536 + lanes)),
        *((replace(good, k=k), Error.ROTATION) for k in (1, lanes - 1, lanes + 1, lanes // 2)),
        *((replace(good, exp=exp), Error.STATIC_EXP) for exp in (0, 31, 32 + 15, 1 << 31)),
        *((replace(good, amp=amp), Error.STATIC_AMP) for amp in (0, 2049, amp_end * lanes, (1 << 31) + 1024)),
        (replace(good, amp=amp_end, rotate=False), Error.STATIC_AMP),
    ]
    setups = []
    for f in range(8):
        setups += [replace(good, a_fmt=f), replace(good, b_fmt=f), replace(good, b_fmt=f, b_zero=True)]
        setups += [replace(good, a_fmt=f, a_zero=True, amp=2 * amp_end * lanes)]
    for f, half in ((3, 8), (4, 32), (5, 128)):  # the first codes beyond either end, and the last ones
        zeros = (-half - 1, -half, half - 1, half)
        setups += [replace(good, a_fmt=f, a_zero=True, zero=zero % (1 << 32)) for zero in zeros]
    for points, base, blocks in (
        (0, 1, 1),
        (2, 0, 3),
        (3, 0, 1),
        (64, 0, 1),
        (65, 0, 1),
        (127, 0, 0),
        (1, 2, 1),
        (0, 3, 1),
    ):
        across = replace(good, points=points, base=base, blocks=blocks)
        order = max(points, 1) * (1, 12, 36, 1)[base]
        setups += [
            across,
            replace(across, k=order * lanes * blocks),
            replace(across, k=order * lanes * (blocks + 1)),
        ]
        setups += [replace(across, k=order * lanes * blocks, amp=amp_end * lanes * order)]
    cases += [(setup, check(config, setup)) for setup in setups]
    return [(setup, error) for setup, error in cases if error != Error.NONE]


async def check_illegal_starts(host: TopHost) -> None:
    """A start with illegal registers is refused with its code, and nothing starts; nothing needs a reset."""
    for setup, error in illegal_setups(host):
        if check(host.config, setup) != error:
            raise ValueError(f"{setup}: the law says {check(host.config, setup)!r}, the table {error!r}")
        for register, word in setup.writes():
            await host.write(register, word)
        await host.write(Register.CONTROL, START, SLVERR)
        busy, done, code = await host.status()
        host.require("busy and done after an illegal start", busy | done << 1, 0)
        host.require(f"error code of {setup}", code, error)


def small_layer(host: TopHost, m: int) -> tuple[LayerProgram, Rows]:
    """A rotated layer of two beats per row and two column tiles."""
    array = host.config.array
    k = 2 * array.unit.hadamard_n
    return random_layer(host.config, host.bench.rng, m, array.cols + 1, k, rotate=True, static=False)


async def check_start_while_busy(host: TopHost) -> None:
    """A second start, registers and signs are refused while a layer runs; it goes on undisturbed."""
    program, rows = small_layer(host, 2)
    setup, signs = Setup.of(program, len(rows), host.config), [int(s) for s in program.signs]  # type: ignore[union-attr]
    await host.set_up(setup, signs)
    host.expect(setup, signs)
    await host.write(Register.CONTROL, START)
    host.require("busy after the start", (await host.status())[0], 1)
    await host.write(Register.CONTROL, START, SLVERR)
    await host.write(Register.K, 1, SLVERR)
    await host.write(SIGN_WINDOW, 0xFFFFFFFF, SLVERR)
    await host.write(SIGN_WINDOW, 0, SLVERR)
    host.require("error code", (await host.status())[2], Error.BUSY)
    host.send_rows(rows)
    host.send_weights(program, setup.m)
    await host.finish(Error.BUSY)


async def check_data_errors(host: TopHost) -> None:
    """A tlast out of place, an Inf, a NaN: the layer stops; after a soft reset the next one runs."""
    config = host.config
    program, rows = small_layer(host, 3)
    good = [row_beats(config, row) for row in rows]
    tiles = [weight_beats(config, program, first) for first in (0, config.array.cols)]
    place = len(rows[1]) - 1
    faults: list[tuple[Sequence[list[int]], Sequence[list[int]], Error]] = [
        ([good[0], good[1][:-1], good[2]], tiles, Error.X_LAST),
        ([good[0] + good[1], good[2]], tiles, Error.X_LAST),
        ([good[0], row_beats(config, [*rows[1][:place], 0x7C00])], tiles, Error.X_SPECIAL),
        ([row_beats(config, [0xFE01, *rows[0][1:]])], tiles, Error.X_SPECIAL),
        (good, [tiles[0][:1], tiles[0][1:]], Error.W_LAST),
        (good, [tiles[0][: config.array.cols]], Error.W_LAST),
        (good, [tiles[0][:-1], tiles[1]], Error.W_LAST),
        (good, [tiles[0], tiles[1] + [0]], Error.W_LAST),
    ]
    for x, w, error in faults:
        setup, signs = Setup.of(program, len(rows), host.config), [int(s) for s in program.signs]  # type: ignore[union-attr]
        await host.set_up(setup, signs)
        for frame in x:
            host.x.send_nowait(AxiStreamFrame(frame))
        for frame in w:
            host.w.send_nowait(AxiStreamFrame(frame))
        host.expect(setup, signs)
        await host.write(Register.CONTROL, START)
        while (await host.status())[0]:
            await ClockCycles(host.dut.clk_i, 10)
        _, done, code = await host.status()
        host.require(f"done after {error.name}", done, 0)
        host.require(f"error code of {error.name}", code, error)
        assert host.model is not None
        host.require(f"results due after {error.name}", len(host.model.expected), 0)
        host.model = None  # the rest of the streams is taken and dropped, and no result comes
        await host.write(Register.CONTROL, START, SLVERR)
        host.require("error code after a start in vain", (await host.status())[2], error)
        await ClockCycles(host.dut.clk_i, FLUSH_CYCLES)
        while not (host.x.idle() and host.w.idle()):
            await ClockCycles(host.dut.clk_i, 10)
        await host.write(Register.CONTROL, SOFT_RESET)
        await ClockCycles(host.dut.clk_i, 3)
        host.require("status after the soft reset", await host.read(Register.STATUS), 0)
        await host.run(*small_layer(host, 1))


async def check_error_behind_results(host: TopHost) -> None:
    """A fault in the stream of weights while results of the tile before wait: these come out, no others."""
    config, array = host.config, host.config.array
    program, rows = random_layer(
        config, host.bench.rng, array.rows, 2 * array.cols, 1, rotate=False, static=False
    )
    setup = Setup.of(program, len(rows), host.config)
    await host.set_up(setup, [])
    host.y.pause = True
    host.send_rows(rows)
    good, faulty = (weight_beats(config, program, first) for first in (0, array.cols))
    host.w.send_nowait(AxiStreamFrame(good))
    host.w.send_nowait(AxiStreamFrame([*faulty, 0]))  # the tile's last beat has no tlast
    host.expect(setup, [])
    await host.write(Register.CONTROL, START)
    while not (host.x.idle() and host.w.idle()):
        await ClockCycles(host.dut.clk_i, 10)
    await ClockCycles(host.dut.clk_i, FLUSH_CYCLES)
    busy, done, code = await host.status()
    host.require(
        "busy, done and error while results wait", busy | done << 1 | code << 2, 1 | Error.W_LAST << 2
    )
    host.y.pause = False
    while (await host.status())[0]:
        await ClockCycles(host.dut.clk_i, 10)
    host.require("results of the tile before", len(host.results), array.rows)
    host.model = None
    await ClockCycles(host.dut.clk_i, FLUSH_CYCLES)
    await host.write(Register.CONTROL, SOFT_RESET)
    await ClockCycles(host.dut.clk_i, 3)
    host.require("status after the soft reset", await host.read(Register.STATUS), 0)
    await host.run(*small_layer(host, 1))


async def check_soft_reset(host: TopHost) -> None:
    """A soft reset in the middle of a layer waits for the result on offer, then the next layer runs."""
    config = host.config
    whole = config.array.rows
    for rows_sent, stall in ((0, False), (1, False), (whole, True)):
        program, rows = small_layer(host, whole)
        setup, signs = Setup.of(program, len(rows), host.config), [int(s) for s in program.signs]  # type: ignore[union-attr]
        await host.set_up(setup, signs)
        host.expect(setup, signs)
        host.y.pause = stall
        await host.write(Register.CONTROL, START)
        host.send_rows(rows[:rows_sent])
        if rows_sent == whole:
            host.w.send_nowait(AxiStreamFrame(weight_beats(config, program, 0)))
        while not (host.x.idle() and host.w.idle()):
            await ClockCycles(host.dut.clk_i, 10)
        await ClockCycles(host.dut.clk_i, FLUSH_CYCLES)
        await host.write(Register.CONTROL, SOFT_RESET)
        await ClockCycles(host.dut.clk_i, 10)
        if stall:
            host.require("busy while a result waits", (await host.status())[0], 1)
            before = len(host.results)
            host.y.pause = False
            await ClockCycles(host.dut.clk_i, 20)
            host.require("results that a waiting soft reset lets out", len(host.results) - before, 1)
        host.model = None
        host.require("status after the soft reset", await host.read(Register.STATUS), 0)
        host.require("cycles after the soft reset", await host.read(Register.CYCLES), 0)
        await host.run(*small_layer(host, 2))
