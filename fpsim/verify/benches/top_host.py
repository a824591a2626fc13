"""The host of `fpsim_top`: drives its buses with cocotbext-axi, watches every handshake, judges every result.

The monitor reads pins, not what the drivers meant to send: accepted beats of x and w feed the model,
accepted beats of y are compared in order, and what is on offer must stay until it is taken (ARM IHI 0051,
handshake process).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge, Timer
from cocotbext.axi import (
    AxiLiteBus,
    AxiLiteMaster,
    AxiStreamBus,
    AxiStreamFrame,
    AxiStreamSink,
    AxiStreamSource,
)

from fpsim.array.config import passes
from fpsim.array.program import LayerProgram
from fpsim.array.top import (
    BUSY,
    DONE,
    ERROR_AT,
    SIGN_WINDOW,
    START,
    Register,
    Setup,
    head_beats,
    row_beats,
    sign_words,
    weight_beats,
)
from fpsim.array.top_results import ResultBeat
from fpsim.verify.benches.harness import Bench
from fpsim.verify.benches.top_model import TopModel
from fpsim.verify.top_unit import top_config

# Cycles without any transfer before the accelerator counts as hung: so many, and for each beat of the longest
# row those of two factors of a rotation across beats (p + 1 each, at most 64 and 36 points).
PATIENCE = 3000
OUTER_CYCLES = 64 + 1 + 36 + 1
PROFILES = (0.0, 0.1, 0.5, 0.9)  # chances that a stream pauses, each for a while
PROFILE_CYCLES = 15
OKAY, SLVERR = 0, 2
Y_SIGNALS = ("m_axis_y_tdata", "m_axis_y_tkeep", "m_axis_y_tlast")
# valid, ready and payload of every channel that the accelerator drives.
CHANNELS = (
    ("m_axis_y_tvalid", "m_axis_y_tready", Y_SIGNALS),
    ("s_axil_bvalid", "s_axil_bready", ("s_axil_bresp",)),
    ("s_axil_rvalid", "s_axil_rready", ("s_axil_rdata", "s_axil_rresp")),
)


class TopHost:
    """Drivers, monitor and checker of one simulated accelerator.

    Attributes:
        bench: job, random numbers, count of compared results.
        config: the accelerator.
        model: what must come out; None while no layer is expected to run.
        results: result beats that were accepted since the last start.
    """

    def __init__(self, bench: Bench) -> None:
        dut = bench.dut
        self.bench, self.dut, self.config = bench, dut, top_config(bench.config)
        self.model: TopModel | None = None
        self.results: list[ResultBeat] = []
        self._held: dict[str, list[int]] = {}  # valid to payload, where an offer waits
        self._moved = 0
        beats = self.config.k_max // self.config.array.unit.hadamard_n
        self._patience = PATIENCE + OUTER_CYCLES * beats
        reset = (dut.rst_ni, False)
        logging.getLogger("cocotb").setLevel(logging.WARNING)
        self.axil = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "s_axil"), dut.clk_i, *reset)
        # One "byte" per beat: frames are lists of words.
        self.x = AxiStreamSource(AxiStreamBus.from_prefix(dut, "s_axis_x"), dut.clk_i, *reset, byte_lanes=1)
        self.w = AxiStreamSource(AxiStreamBus.from_prefix(dut, "s_axis_w"), dut.clk_i, *reset, byte_lanes=1)
        self.y = AxiStreamSink(AxiStreamBus.from_prefix(dut, "m_axis_y"), dut.clk_i, *reset)

    async def begin(self) -> None:
        """Start clock and monitor, reset."""
        self.dut.rst_ni.value = 1
        self.dut.clk_i.value = 0
        await Timer(1, "ns")
        Clock(self.dut.clk_i, 2, "ns").start()
        cocotb.start_soon(self._watch())
        await self.reset()

    async def reset(self) -> None:
        """Pull the reset for some cycles; what the drivers still hold is dropped."""
        self.dut.rst_ni.value = 0
        self.model = None
        for driver in (self.x, self.w, self.y):
            driver.clear()
        await ClockCycles(self.dut.clk_i, 3)
        self.dut.rst_ni.value = 1
        await ClockCycles(self.dut.clk_i, 2)

    def stress(self, on: bool) -> None:
        """Random gaps on x and w, random back-pressure on y, random pauses on all of AXI4-Lite's channels."""
        write, read = self.axil.write_if, self.axil.read_if
        lite = (write.aw_channel, write.w_channel, write.b_channel, read.ar_channel, read.r_channel)
        for driver in (self.x, self.w, self.y, *lite):
            driver.set_pause_generator(self._pauses() if on else None)
            driver.pause = False

    def _pauses(self) -> Iterator[bool]:
        rng = self.bench.rng
        while True:
            chance = rng.choice(PROFILES)
            for _ in range(PROFILE_CYCLES):
                yield rng.random() < chance

    # ----- registers -----------------------------------------------------------------------------------

    async def read(self, register: int) -> int:
        """A register's value; the answer must be OKAY."""
        answer = await self.axil.read(int(register), 4)
        self.require(f"answer to a read at {register:#x}", int(answer.resp), OKAY)
        return int.from_bytes(answer.data, "little")

    async def write(self, register: int, word: int, response: int = OKAY) -> None:
        """Write a register; the answer must be the one given."""
        answer = await self.axil.write(int(register), word.to_bytes(4, "little"))
        self.require(f"answer to a write at {register:#x}", int(answer.resp), response)

    async def status(self) -> tuple[bool, bool, int]:
        """(busy, done, error code)."""
        word = await self.read(Register.STATUS)
        return bool(word & BUSY), bool(word & DONE), word >> ERROR_AT

    async def set_up(self, setup: Setup, signs: list[int]) -> None:
        """Write configuration and signs."""
        for register, word in setup.writes():
            await self.write(register, word)
        for index, word in enumerate(sign_words(signs) if setup.rotate else []):
            await self.write(SIGN_WINDOW + 4 * index, word)

    def require(self, what: str, got: int, expected: int) -> None:
        """Refuse a value that is not the expected one; count it."""
        if got != expected:
            raise self.bench.reporter.fault(
                f"{what} differs from the law", [("expected", f"{expected:#x}"), ("got", f"{got:#x}")]
            )
        self.bench.compared += 1

    # ----- layers ----------------------------------------------------------------------------------------

    def send_rows(self, rows: list[list[int]]) -> None:
        """Queue rows on x, one frame each, noise behind their last elements."""
        bits, rng = 16 * self.config.array.unit.hadamard_n, self.bench.rng
        for row in rows:
            noise = rng.choice(((1 << bits) - 1, rng.getrandbits(bits)))  # all ones: NaN
            self.x.send_nowait(AxiStreamFrame(row_beats(self.config, row, noise)))

    def send_weights(self, program: LayerProgram, m: int) -> None:
        """Queue weights on w, one frame for each tile, noise in what does not count."""
        array, (n, k) = self.config.array, program.shape
        runs = passes(program.act_fmt, program.weight_fmt)
        zeros = program.act_zero is not None or program.weight_zero is not None
        for _ in range(0, m, array.rows):
            for first in range(0, n, array.cols):
                beats = head_beats(self.config, zeros=zeros) + runs * k
                noise = [self.bench.rng.getrandbits(self.config.weight_beat_bits) for _ in range(beats)]
                self.w.send_nowait(AxiStreamFrame(weight_beats(self.config, program, first, noise)))

    def expect(self, setup: Setup, signs: list[int]) -> None:
        """From now on the model follows this layer."""
        self.model = TopModel(self.config, setup, signs)
        self.results = []
        self._moved = 0

    async def run(self, program: LayerProgram, rows: list[list[int]], cut: int | None = None) -> int:
        """Run a layer to its end; every result is compared. Returns what the cycle counter shows.

        With `cut` it returns so many cycles after the start, the layer on its way.
        """
        setup = Setup.of(program, len(rows), self.config)
        signs = [] if program.signs is None else [int(s) for s in program.signs]
        await self.set_up(setup, signs)
        self.send_rows(rows)
        self.send_weights(program, setup.m)
        await ClockCycles(self.dut.clk_i, 3)  # rows and weights are on offer before the start
        self.expect(setup, signs)
        await self.write(Register.CONTROL, START)
        if cut is not None:
            await ClockCycles(self.dut.clk_i, cut)
            return 0
        await self.finish()
        return await self.read(Register.CYCLES)

    async def finish(self, error: int = 0) -> None:
        """Wait for done; all results must have been seen by then, and no error but the one given."""
        self._moved = 0
        while True:
            busy, done, code = await self.status()
            if not busy:
                break
            await ClockCycles(self.dut.clk_i, 20)
        self.require("done and error after the layer", done | code << 1, 1 | error << 1)
        assert self.model is not None
        self.require("number of results still due after done", len(self.model.expected), 0)
        self.require("rows not taken by the end", self.x.count(), 0)
        self.require("tiles of weights not taken by the end", self.w.count(), 0)
        self.model = None  # nothing has to move any more

    # ----- monitor -----------------------------------------------------------------------------------------

    async def _watch(self) -> None:
        dut = self.dut
        edge = RisingEdge(dut.clk_i)
        x, w = (dut.s_axis_x_tvalid, dut.s_axis_x_tready), (dut.s_axis_w_tvalid, dut.s_axis_w_tready)
        while True:
            await edge
            self.bench.cycle += 1
            self._moved += 1
            if dut.rst_ni.value == 0:
                self._held = {}
                continue
            if self.model:
                self._feed(self.model, self._high(*x), self._high(*w))
            for channel in CHANNELS:
                self._watch_channel(*channel)
            self._watch_results()
            if self.model and self._moved > self._patience:
                raise self.bench.reporter.fault(f"nothing moved for {self._patience} cycles", [])

    def _feed(self, model: TopModel, row: bool, weight: bool) -> None:
        """Tell the model what was accepted in this cycle."""
        self._moved *= not (row or weight)
        try:
            if row:
                model.take_row_beat(self._word("s_axis_x_tdata"), self._word("s_axis_x_tlast") == 1)
            if weight:
                model.take_weight_beat(self._word("s_axis_w_tdata"), self._word("s_axis_w_tlast") == 1)
        except ValueError as error:  # scales that are none: the accelerator is not where the streams are
            raise self.bench.reporter.fault(
                "a beat that the layer has no place for", [("why", str(error))]
            ) from None

    def _high(self, *handles: Any) -> bool:
        return all(self.bench.read(handle, handle._name) for handle in handles)

    def _word(self, signal: str) -> int:
        return self.bench.read(getattr(self.dut, signal), signal)

    def _watch_channel(self, valid: str, ready: str, payload: tuple[str, ...]) -> None:
        """An offer stays, unchanged, until it is taken."""
        held = self._held.pop(valid, None)
        if not self._word(valid):
            if held is not None:
                raise self.bench.reporter.fault(f"{valid} fell before the beat was accepted", [])
            return
        offer = [self._word(signal) for signal in payload]
        if held not in (None, offer):
            raise self.bench.reporter.fault(
                f"{payload[0]} or its fellows changed before they were accepted", []
            )
        if not self._word(ready):
            self._held[valid] = offer

    def _watch_results(self) -> None:
        """Accepted results are compared in order."""
        if not (self._word("m_axis_y_tvalid") and self._word("m_axis_y_tready")):
            return
        self._moved = 0
        got = {signal: self._word(signal) for signal in Y_SIGNALS}
        if self.model is None or not self.model.expected:
            raise self.bench.reporter.fault("a result beat that no input led to", [])
        beat = self.model.expected.popleft()
        expected = dict(zip(Y_SIGNALS, (beat.data, beat.keep, int(beat.last)), strict=True))
        self.bench.compare(len(self.results), {}, expected, got)
        self.results.append(beat)
