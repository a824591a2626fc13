"""Plays a sequence of cycles on the simulated unit and compares everything with the law."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from cocotb.triggers import Timer

from fpsim.verify.benches.chooser import Beats, Chooser
from fpsim.verify.benches.harness import Bench, Law, Words
from fpsim.verify.benches.stream import Model, Stream
from fpsim.verify.sequence import Step

TAIL_CYCLES = 8  # after the last result, in which nothing may come
FLUSH_CYCLES = 80  # after a failure, in which the unit may empty itself


class Register(Protocol):
    """The law of a clocked unit, with its state."""

    def outputs(self, seen: Words, /) -> Words:
        """What the unit shows before the clock edge."""
        ...

    def clock(self, seen: Words, /) -> None:
        """One clock edge with this on the input ports."""
        ...


@dataclass(frozen=True)
class Played:
    """How sequences of a unit are drawn and judged.

    Attributes:
        beats: admissible inputs, one after the other, from a reset on.
        law: combinational units: outputs of inputs; None elsewhere.
        register: clocked units: the law just after a reset; None elsewhere.
        model: stream units: the law just after a reset; None elsewhere.
        held: inputs that gaps leave alone.
        patience: cycles without any transfer before a stream counts as hung.
    """

    beats: Callable[[Chooser], Beats]
    law: Law | None = None
    register: Callable[[], Register] | None = None
    model: Callable[[], Model] | None = None
    held: frozenset[str] = frozenset()
    patience: int = 100


class Player:
    """One simulated unit that plays sequences, each from a reset.

    Attributes:
        came: output signals and their words in each cycle of the latest sequence, where they are recorded.
    """

    def __init__(self, bench: Bench, played: Played) -> None:
        self.bench = bench
        self.played = played
        self.came: list[Words] = []
        self._recording = False
        self._dut: Any = bench.dut

    async def play(self, steps: Iterable[Step], *, record: bool = False) -> None:
        """Play the cycles; returns if every result was right.

        Raises:
            RtlMismatch: the first difference.
        """
        self._recording, self.came = record, []
        self.bench.drive({port.name: 0 for port in self.bench.unit.inputs})
        if self.played.model is not None:
            await self._play_stream(steps, self.played.model)
        elif self.played.register is not None:
            await self._play_clocked(steps, self.played.register)
        elif self.played.law is not None:
            await self._play_inputs(steps, self.played.law)

    async def flush(self) -> None:
        """Let a unit that failed give away what it has, so that the next sequence starts as the first did."""
        unit = self.bench.unit
        if unit.style == "combinational":
            return
        if unit.style == "stream":
            self._dut.in_valid_i.value = 0
            self._dut.out_ready_i.value = 1
        await self.bench.reset()
        for _ in range(FLUSH_CYCLES):
            await Timer(1, "ns")
            await self.bench.edge()

    def record(self) -> None:
        """Keep what the outputs show; a pin that is X is left out."""
        if not self._recording:
            return
        signals = [signal for signal in self.bench.unit.signals if signal.endswith("_o")]
        shown = {signal: str(getattr(self._dut, signal).value) for signal in signals}
        self.came.append({signal: int(text, 2) for signal, text in shown.items() if set(text) <= {"0", "1"}})

    async def _play_stream(self, steps: Iterable[Step], fresh: Callable[[], Model]) -> None:
        stream = _RecordedStream(self, fresh())
        self._dut.in_valid_i.value = 0
        self._dut.out_ready_i.value = 0
        await self._begin()
        stream.forget()
        waiting: deque[Step] = deque()
        for step in steps:
            if step.act == "reset":
                waiting.clear()
                await self._reset_stream(stream, step)
                stream.model = fresh()
                continue
            if step.act != "gap":
                waiting.append(step)
            await self._cycle(stream, waiting, step if step.act == "gap" else None, ready=step.ready)
        while waiting or stream.waiting:
            await self._cycle(stream, waiting, None, ready=True)
        for _ in range(TAIL_CYCLES):
            await self._cycle(stream, waiting, None, ready=True)

    async def _cycle(self, stream: Stream, waiting: deque[Step], gap: Step | None, *, ready: bool) -> None:
        """One cycle: the oldest beat that may is offered; where there is none, a gap's noise is driven."""
        offered = bool(waiting) and not (waiting[0].act == "alone" and stream.waiting)
        if offered:
            self.bench.drive(waiting[0].words)
        elif gap is not None:
            free = {name: word for name, word in gap.words.items() if name not in self.played.held}
            self.bench.drive(free)
        if await stream.cycle(offered, ready):
            waiting.popleft()

    async def _reset_stream(self, stream: Stream, step: Step) -> None:
        """A cycle with the reset low and noise on the inputs; nothing may be on offer in it."""
        bench = self.bench
        self._dut.rst_ni.value = 0
        self._dut.in_valid_i.value = 0
        self._dut.out_ready_i.value = int(step.ready)
        bench.drive(step.words)
        await stream.settle()
        if bench.read(self._dut.out_valid_o, "out_valid_o"):
            raise bench.reporter.fault("out_valid_o is high in a reset", [])
        await bench.edge()
        self._dut.rst_ni.value = 1
        stream.forget()

    async def _play_clocked(self, steps: Iterable[Step], fresh: Callable[[], Register]) -> None:
        await self._begin()
        bench, register, index, words = self.bench, fresh(), 0, Words()
        for index, step in enumerate(steps):
            words = step.words
            bench.drive(words)
            if step.act == "reset":
                self._dut.rst_ni.value = 0
                register = fresh()
            await self._compare(index, words, register.outputs(words))
            await bench.edge()
            self._dut.rst_ni.value = 1
            if step.act == "clock":
                register.clock(words)
        if words:  # what the last edge left
            await self._compare(index + 1, words, register.outputs(words))

    async def _play_inputs(self, steps: Iterable[Step], law: Law) -> None:
        self.bench.cycle = 0
        for index, step in enumerate(steps):
            self.bench.drive(step.words)
            await self._compare(index, step.words, law(step.words))
            self.bench.cycle += 1

    async def _begin(self) -> None:
        """A reset; cycles count from here."""
        await self.bench.reset()
        self.bench.cycle = 0

    async def _compare(self, index: int, words: Words, expected: Words) -> None:
        await Timer(1, "ns")
        self.record()
        self.bench.compare(index, words, expected, self.bench.outputs())


class _RecordedStream(Stream):
    """A stream whose player looks on."""

    def __init__(self, player: Player, model: Model) -> None:
        super().__init__(player.bench, model, stress=False)
        self.patience = player.played.patience
        self._player = player

    async def settle(self) -> None:
        """Let the inputs reach the outputs."""
        await super().settle()
        self._player.record()
