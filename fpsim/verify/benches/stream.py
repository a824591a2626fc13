"""Driving a valid/ready unit: random gaps and back-pressure, a monitor, an in-order checker.

The model is fed with what the monitor saw cross the input handshake, not with what the driver meant to send.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from cocotb.triggers import Timer

from fpsim.verify.benches.harness import Bench, Law, Words

PATIENCE = 2000  # cycles without any transfer before the unit counts as hung
CUT_CYCLES = 12  # before a reset cuts a stream off: some answers are out, some on their way
PROFILE_CYCLES = 50  # cycles before gaps and stalls change their probabilities


class Profile(NamedTuple):
    """What hinders a stream for a while.

    Attributes:
        gap: probability that a beat is not offered yet.
        stall: probability that an output beat is not taken yet.
        full: nothing is taken before an input beat is refused, so that a late one is refused too.
    """

    gap: float
    stall: float
    full: bool = False


NO_HINDRANCE = Profile(0.0, 0.0)
PROFILES = (
    NO_HINDRANCE,
    *(Profile(0.5, 0.0), Profile(0.0, 0.5), Profile(0.3, 0.3), Profile(0.9, 0.1), Profile(0.1, 0.9)),
    *(Profile(0.5, 0.3, full=True), Profile(0.6, 0.8, full=True)),
)


@dataclass(frozen=True)
class Beat:
    """One input beat.

    Attributes:
        words: what is on the ports.
        drained: it waits until every output before it has left.
        gap: cycles before it is offered; None: chance.
    """

    words: Words
    drained: bool = False
    gap: int | None = None


@dataclass(frozen=True)
class Expectation:
    """One output beat that must come: its words, the inputs behind it, further rows for the message."""

    words: Words
    inputs: Words = field(default_factory=dict)
    notes: Callable[[int], list[tuple[str, str]]] | None = None


Model = Callable[[Words], list[Expectation]]


def one_to_one(law: Law) -> Model:
    """The model of a unit that answers each beat with one beat."""
    return lambda seen: [Expectation(law(seen), seen)]


class Stream:
    """A stream unit under test, clocked by this class: inputs settle, pins are sampled, the clock rises.

    Attributes:
        stress: whether gaps, back-pressure and noise between beats are random; else there are none.
        held: inputs that noise leaves alone.
        patience: cycles without any transfer before the unit counts as hung.
        first_in: cycle in which the first beat was accepted; None: none yet (set it so to measure again).
        last_out: cycle in which the latest output beat was accepted.
    """

    def __init__(
        self, bench: Bench, model: Model, *, stress: bool, held: frozenset[str] = frozenset()
    ) -> None:
        self.bench = bench
        self.model = model
        self.stress = stress
        self.held = held
        self.patience = PATIENCE
        self.first_in: int | None = None
        self.last_out = 0
        dut: Any = bench.dut
        self._in_valid, self._in_ready = dut.in_valid_i, dut.in_ready_o
        self._out_valid, self._out_ready = dut.out_valid_o, dut.out_ready_i
        self._expected: deque[Expectation] = deque()
        self._emitted = 0
        self._moved = 0
        self._held: Words | None = None
        self._profile = NO_HINDRANCE
        self._profiles: list[Profile] = []

    async def reset(self) -> None:
        """Reset with noise on the inputs; nothing may be offered afterwards."""
        self._in_valid.value = 0
        self._out_ready.value = 0
        self.bench.drive(self._noise())
        await self.bench.reset()
        self.forget()

    def forget(self) -> None:
        """Expect nothing any more, as after a reset."""
        self._expected.clear()
        self._held = None
        self._moved = self.bench.cycle

    async def settle(self) -> None:
        """Let the inputs reach the outputs."""
        await Timer(1, "ns")

    @property
    def waiting(self) -> bool:
        """Whether results are still to come."""
        return bool(self._expected)

    async def cycle(self, offered: bool, ready: bool) -> bool:
        """One clock cycle with these handshakes; returns whether the offered beat was accepted."""
        self._in_valid.value = int(offered)
        self._out_ready.value = int(ready)
        return await self._cycle(offered, ready)

    async def run(self, beats: Iterable[Beat], cycles: int | None = None) -> None:
        """Send the beats, check every output beat; return when the last one has left, or after `cycles`."""
        source = iter(beats)
        beat = next(source, None)
        offered = refused = False
        idle = 0
        end = None if cycles is None else self.bench.cycle + cycles
        while (beat is not None or self._expected) and self.bench.cycle != end:
            gap, stall, full = self._hindrance()
            may_offer = beat is not None and not (beat.drained and self._expected)
            if beat is not None and beat.gap is not None:
                gap = float(idle < beat.gap)
            if not offered and may_offer and self._chance(gap):
                offered = True
                assert beat is not None
                self.bench.drive(beat.words)
            elif not offered and self.stress:
                self.bench.drive(self._noise())
            # What fills up must be emptied once no beat can come.
            ready = (refused or not full or not may_offer) and self._chance(stall)
            accepted = await self.cycle(offered, ready)
            refused = offered and not accepted
            idle = 0 if offered else idle + 1
            if accepted:
                beat, offered = next(source, None), False

    def _hindrance(self) -> Profile:
        if self.stress and self.bench.cycle % PROFILE_CYCLES == 0:
            # Every profile once, in random order, then again.
            self._profiles = self._profiles or self.bench.rng.sample(PROFILES, len(PROFILES))
            self._profile = self._profiles.pop()
        return self._profile

    def _noise(self) -> Words:
        return {name: word for name, word in self.bench.noise().items() if name not in self.held}

    def _chance(self, hindrance: float) -> bool:
        return hindrance == 0.0 or self.bench.rng.random() >= hindrance

    async def _cycle(self, offered: bool, ready: bool) -> bool:
        """One clock cycle; returns whether the offered beat was accepted."""
        await self.settle()
        bench = self.bench
        in_ready = bool(bench.read(self._in_ready, "in_ready_o"))
        accepted = in_ready and offered
        if bench.sampler:
            bench.sampler.input_cycle(offered, in_ready)
        if accepted:
            seen = bench.seen()
            if bench.sampler:
                bench.sampler.accepted(seen)
            self._expected.extend(self.model(seen))
            self._moved = bench.cycle
            if self.first_in is None:
                self.first_in = bench.cycle
        self._monitor_output(ready)
        if bench.cycle - self._moved > self.patience:
            rows = [("waiting", f"{len(self._expected)} output beats expected, input offered: {offered}")]
            raise bench.reporter.fault(f"nothing moved for {self.patience} cycles", rows)
        await bench.edge()
        return accepted

    def _monitor_output(self, ready: bool) -> None:
        bench = self.bench
        valid = bool(bench.read(self._out_valid, "out_valid_o"))
        if bench.sampler:
            bench.sampler.output_cycle(valid, ready)
        if not valid:
            if self._held is not None:
                raise bench.reporter.fault("out_valid_o fell before the beat was accepted", [])
            return
        got = bench.outputs()
        if self._held is not None and got != self._held:
            rows = bench.reporter.outputs("before", self._held) + bench.reporter.outputs("now", got)
            raise bench.reporter.fault("outputs changed before the beat was accepted", rows)
        self._held = None if ready else got
        if not self._expected:
            raise bench.reporter.fault("an output beat without an input", bench.reporter.outputs("got", got))
        if ready:
            answer = self._expected.popleft()
            bench.compare(self._emitted, answer.inputs, answer.words, got, answer.notes)
            self._emitted += 1
            self._moved = self.last_out = bench.cycle


async def check_stream(
    bench: Bench,
    model: Model,
    beats: Iterable[Beat],
    *,
    stress: bool = True,
    held: frozenset[str] = frozenset(),
    cut: Iterable[Beat] = (),
) -> None:
    """Reset the unit, send the beats, check every answer.

    Args:
        bench: the unit.
        model: what must come out for each beat that went in.
        beats: what to send.
        stress: random gaps and back-pressure, and noise on the inputs between beats.
        held: inputs that stay as they are between beats.
        cut: beats that are sent before, until a reset throws out what is on its way.
    """
    stream = Stream(bench, model, stress=stress, held=held)
    await stream.reset()
    await stream.run(cut, cycles=CUT_CYCLES)
    await stream.reset()
    await stream.run(beats)


async def measure(bench: Bench, model: Model, beats: Iterable[Beat]) -> int:
    """Cycles from the first beat's acceptance to that of the last result, without gaps or stalls."""
    stream = Stream(bench, model, stress=False)
    await stream.reset()
    await stream.run(beats)
    assert stream.first_in is not None
    return stream.last_out - stream.first_in


async def check_golden_stream(bench: Bench) -> None:
    """Send the golden set's beats at full speed; each must come out as the set's next output."""
    inputs, outputs = bench.golden()
    bench.require_lines(len(inputs), len(outputs))
    answers = iter(outputs)
    await check_stream(bench, one_to_one(lambda _: next(answers)), map(Beat, inputs), stress=False)
